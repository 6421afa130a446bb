#include "command/template.h"

#include <stdio.h>

static const uint8_t dtype_size[] = {4, 2, 8, 1, 1, 4, 8, 4, 8};

size_t vb_vector_bytes(uint32_t dimensions, int dtype) {
  if (dtype == VB_BINARY) return ((size_t)dimensions + 7) / 8;
  return (size_t)dimensions * dtype_size[dtype];
}

/* A number in [-1, 1) as IEEE 754 half precision, rounded to nearest. */
static uint16_t half(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  int exponent = (int)(bits >> 23 & 255) - 127 + 15;
  uint32_t mantissa = bits & 0x7fffff;
  if (exponent <= 0) return sign; /* below 2^-14: as good as zero for a random vector */
  uint32_t rounded = ((uint32_t)exponent << 10 | mantissa >> 13) + (mantissa >> 12 & 1);
  return (uint16_t)(sign | rounded);
}

static size_t write_element(int dtype, uint64_t random, char *to) {
  double unit = vb_unit(random) * 2 - 1;
  switch ((enum vb_dtype)dtype) {
  case VB_FLOAT32: {
    float value = (float)(unit < 1 ? unit : 0);
    memcpy(to, &value, sizeof value);
    return sizeof value;
  }
  case VB_FLOAT16: {
    uint16_t value = half((float)unit);
    memcpy(to, &value, sizeof value);
    return sizeof value;
  }
  case VB_FLOAT64: memcpy(to, &unit, sizeof unit); return sizeof unit;
  case VB_INT8:
  case VB_UINT8:
  case VB_INT32:
  case VB_INT64:
  case VB_UINT32:
  case VB_UINT64:
  case VB_BINARY: break;
  }
  size_t size = dtype == VB_BINARY ? 1 : dtype_size[dtype];
  memcpy(to, (const char *)&random + (sizeof random - size), size);
  return size;
}

static size_t write_json_element(int dtype, uint64_t random, char *to) {
  uint64_t high = random >> 32;
  switch ((enum vb_dtype)dtype) {
  case VB_FLOAT32:
  case VB_FLOAT16:
  case VB_FLOAT64: return vb_float_write(vb_unit(random) * 2 - 1, 6, to);
  case VB_INT8: return vb_integer_write((double)(int8_t)high, to);
  case VB_UINT8: return vb_integer_write((double)(uint8_t)high, to);
  case VB_INT32:
  case VB_INT64: return vb_integer_write((double)(int32_t)high, to);
  case VB_UINT32:
  case VB_UINT64: return vb_integer_write((double)(uint32_t)high, to);
  case VB_BINARY: break;
  }
  return vb_integer_write((double)(high & 1), to);
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
  size_t elements =
      part->dtype == VB_BINARY ? vb_vector_bytes(part->dimensions, part->dtype) : part->dimensions;
  char *at = to;
  for (size_t i = 0; i < elements; i++) at += write_element(part->dtype, vb_rng_next(&rng), at);
  return (size_t)(at - to);
}
