#include "command/template.h"

static const uint8_t dtype_size[] = {4, 2, 8, 1, 1, 4, 8, 4, 8};

/* (random - 1024) / 1024 for random of 11 bits, which half precision holds exactly. */
static uint16_t half(uint64_t random) {
  int value = (int)random - 1024;
  unsigned magnitude = (unsigned)(value < 0 ? -value : value);
  if (!magnitude) return 0;
  unsigned top = 31 - (unsigned)__builtin_clz(magnitude);
  unsigned bits = (top + 5) << 10 | (magnitude << (10 - top) & 0x3ff); /* exponent top - 10 + 15 */
  return (uint16_t)(value < 0 ? bits | 0x8000 : bits);
}

/* Floats from as many bits as they hold, so that rounding never makes a 1. */
static size_t write_element(int dtype, uint64_t random, char *to) {
  if (dtype == VB_DTYPE_FLOAT32) {
    float value = (float)(int32_t)(random >> 40) * 0x1p-23f - 1;
    memcpy(to, &value, sizeof value);
  } else if (dtype == VB_DTYPE_FLOAT16) {
    uint16_t value = half(random >> 53);
    memcpy(to, &value, sizeof value);
  } else if (dtype == VB_DTYPE_FLOAT64) {
    double value = (double)(int64_t)(random >> 11) * 0x1p-52 - 1;
    memcpy(to, &value, sizeof value);
  } else {
    memcpy(to, &random, dtype == VB_DTYPE_BINARY ? 1 : dtype_size[dtype]);
  }
  return dtype == VB_DTYPE_BINARY ? 1 : dtype_size[dtype];
}

/* Floats as millionths, from -1.000000 to 0.999999; integers over the whole range of their type. */
static size_t write_json_element(int dtype, uint64_t random, char *to) {
  switch ((enum vb_dtype)dtype) {
  case VB_DTYPE_FLOAT32:
  case VB_DTYPE_FLOAT16:
  case VB_DTYPE_FLOAT64: return vb_steps_write((int64_t)vb_below(random, 2000000) - 1000000, 6, to);
  case VB_DTYPE_INT8: return vb_steps_write((int8_t)random, 0, to);
  case VB_DTYPE_UINT8: return vb_steps_write((uint8_t)random, 0, to);
  case VB_DTYPE_INT32: return vb_steps_write((int32_t)random, 0, to);
  case VB_DTYPE_INT64: return vb_steps_write((int64_t)random, 0, to);
  case VB_DTYPE_UINT32: return vb_steps_write((uint32_t)random, 0, to);
  case VB_DTYPE_UINT64: return vb_decimal_append(to, random);
  case VB_DTYPE_BINARY:
  case VB_DTYPE_COUNT: break;
  }
  return vb_steps_write((int64_t)(random & 1), 0, to);
}

static size_t write_json(const vb_part *part, vb_rng *rng, char *to) {
  char *at = to;
  *at++ = '[';
  for (uint32_t i = 0; i < part->dimensions; i++) {
    if (i) *at++ = ',';
    at += write_json_element(part->dtype, vb_rng_next(rng), at);
  }
  *at++ = ']';
  return (size_t)(at - to);
}

size_t vb_vector_write(const vb_hole *hole, uint64_t random, char *to) {
  const vb_part *part = &hole->part;
  vb_rng rng = {random};
  if (part->json) return write_json(part, &rng, to);
  size_t elements = part->dtype == VB_DTYPE_BINARY ? vb_dtype_bytes(part->dtype, part->dimensions)
                                                   : part->dimensions;
  char *at = to;
  for (size_t i = 0; i < elements; i++) at += write_element(part->dtype, vb_rng_next(&rng), at);
  unsigned unused = part->dtype == VB_DTYPE_BINARY ? (unsigned)-part->dimensions & 7 : 0;
  if (unused)
    at[-1] = (char)((unsigned char)at[-1] >> unused << unused); /* no bits past the last */
  return (size_t)(at - to);
}
