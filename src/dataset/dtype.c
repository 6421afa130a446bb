#include "dataset/dtype.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  unsigned bits;
} types[VB_DTYPE_COUNT] = {
    {"float32", 32}, {"float16", 16}, {"float64", 64}, {"int8", 8},    {"uint8", 8},
    {"int32", 32},   {"int64", 64},   {"uint32", 32},  {"uint64", 64}, {"binary", 1},
};

const char *vb_dtype_name(int dtype) {
  return dtype >= 0 && dtype < VB_DTYPE_COUNT ? types[dtype].name : "?";
}

int vb_dtype_find(const char *name, size_t length) {
  for (int i = 0; i < VB_DTYPE_COUNT; i++)
    if (strlen(types[i].name) == length && memcmp(types[i].name, name, length) == 0) return i;
  if (length == 3 && memcmp(name, "u32", 3) == 0) return VB_DTYPE_UINT32;
  if (length == 3 && memcmp(name, "u64", 3) == 0) return VB_DTYPE_UINT64;
  return -1;
}

uint64_t vb_dtype_bytes(int dtype, uint64_t dimensions) {
  if (dtype == VB_DTYPE_BINARY) return dimensions / 8 + (dimensions % 8 != 0);
  return dimensions * (types[dtype].bits / 8);
}

double vb_half_to_double(uint16_t half) {
  int exponent = half >> 10 & 31;
  double fraction = half & 1023;
  double value = exponent == 31  ? (fraction != 0 ? (double)NAN : (double)INFINITY)
                 : exponent == 0 ? ldexp(fraction, -24)
                                 : ldexp(fraction + 1024, exponent - 25);
  return half & 0x8000 ? -value : value;
}

uint16_t vb_half_from_double(double value) {
  uint16_t sign = signbit(value) ? 0x8000 : 0;
  if (isnan(value)) return sign | 0x7e00;
  double size = fabs(value);
  if (size >= 65520) return sign | 0x7c00;
  if (size < ldexp(1, -14)) return (uint16_t)(sign | (unsigned)nearbyint(ldexp(size, 24)));
  int exponent;
  double fraction = frexp(size, &exponent); /* in [0.5, 1) */
  unsigned steps = (unsigned)nearbyint(ldexp(fraction, 11));
  /* steps of 2048 carry into the exponent by the addition. */
  return (uint16_t)(sign | (((unsigned)(exponent + 13) << 10) + steps));
}

/* --- single values ---------------------------------------------------------------------------- */

static double load(int dtype, const void *from) {
  union {
    float f32;
    double f64;
    uint16_t f16;
    int8_t i8;
    uint8_t u8;
    int32_t i32;
    int64_t i64;
    uint32_t u32;
    uint64_t u64;
  } value;
  memcpy(&value, from, types[dtype].bits / 8);
  switch ((enum vb_dtype)dtype) {
  case VB_DTYPE_FLOAT32: return (double)value.f32;
  case VB_DTYPE_FLOAT16: return vb_half_to_double(value.f16);
  case VB_DTYPE_FLOAT64: return value.f64;
  case VB_DTYPE_INT8: return value.i8;
  case VB_DTYPE_UINT8: return value.u8;
  case VB_DTYPE_INT32: return value.i32;
  case VB_DTYPE_INT64: return (double)value.i64;
  case VB_DTYPE_UINT32: return value.u32;
  case VB_DTYPE_UINT64: return (double)value.u64;
  case VB_DTYPE_BINARY:
  case VB_DTYPE_COUNT: break;
  }
  return (double)NAN;
}

/* Least and greatest value of an integer type, as doubles: those of 64 bits are the nearest double
 * that the type can hold. */
static void range_of(int dtype, double *least, double *most) {
  static const struct {
    double least, most;
  } ranges[VB_DTYPE_COUNT] = {
      [VB_DTYPE_INT8] = {-128, 127},
      [VB_DTYPE_UINT8] = {0, 255},
      [VB_DTYPE_INT32] = {-2147483648.0, 2147483647.0},
      [VB_DTYPE_INT64] = {-9223372036854775808.0, 9223372036854774784.0},
      [VB_DTYPE_UINT32] = {0, 4294967295.0},
      [VB_DTYPE_UINT64] = {0, 18446744073709549568.0},
  };
  *least = ranges[dtype].least;
  *most = ranges[dtype].most;
}

static bool is_float(int dtype) {
  return dtype == VB_DTYPE_FLOAT32 || dtype == VB_DTYPE_FLOAT16 || dtype == VB_DTYPE_FLOAT64;
}

static void store_float(int dtype, void *to, double value) {
  float single = (float)value;
  uint16_t half;
  if (dtype == VB_DTYPE_FLOAT64) {
    memcpy(to, &value, sizeof value);
  } else if (dtype == VB_DTYPE_FLOAT32) {
    memcpy(to, &single, sizeof single);
  } else {
    half = vb_half_from_double(value);
    memcpy(to, &half, sizeof half);
  }
}

/* Little-endian machines: an integer's low bytes come first. */
static void store_integer(int dtype, void *to, double value) {
  uint64_t bits = value < 0 ? (uint64_t)(int64_t)value : (uint64_t)value;
  memcpy(to, &bits, types[dtype].bits / 8);
}

static double greatest_float(int dtype) {
  if (dtype == VB_DTYPE_FLOAT16) return 65504;
  return dtype == VB_DTYPE_FLOAT32 ? 3.4028234663852886e38 : 1.7976931348623157e308;
}

static bool fits_float(int dtype, double value) {
  if (dtype == VB_DTYPE_FLOAT32) return isfinite((float)value);
  return dtype == VB_DTYPE_FLOAT64 || fabs(value) < 65520;
}

static bool fits(int dtype, double value) {
  if (is_float(dtype)) return fits_float(dtype, value);
  double least, most;
  range_of(dtype, &least, &most);
  return value >= least && value <= most && value == trunc(value);
}

static double clamp(int dtype, double value) {
  double least, most;
  if (is_float(dtype)) return copysign(greatest_float(dtype), value);
  range_of(dtype, &least, &most);
  value = nearbyint(value);
  return value < least ? least : value > most ? most : value;
}

static bool store(vb_conversion *how, void *to, double value) {
  if (!isfinite(value)) return false;
  if (!fits(how->to, value)) {
    if (how->unfit == VB_UNFIT_STOP) return false;
    how->clamped++;
    value = clamp(how->to, value);
  }
  if (is_float(how->to)) {
    store_float(how->to, to, value);
  } else {
    store_integer(how->to, to, value);
  }
  return true;
}

/* --- rows of values --------------------------------------------------------------------------- */

/* Exponents of all ones. Written so that compilers vectorize them: an OR over a block. */
#define FINITE(name, type, mask)                                                                   \
  static bool name(const char *at, size_t count) {                                                 \
    unsigned bad = 0;                                                                              \
    for (size_t i = 0; i < count; i++) {                                                           \
      type bits;                                                                                   \
      memcpy(&bits, at + i * sizeof bits, sizeof bits);                                            \
      bad |= (bits & (mask)) == (mask);                                                            \
    }                                                                                              \
    return !bad;                                                                                   \
  }
FINITE(finite_16, uint16_t, 0x7c00)
FINITE(finite_32, uint32_t, 0x7f800000)
FINITE(finite_64, uint64_t, 0x7ff0000000000000)

bool vb_dtype_finite(int dtype, const void *values, size_t count) {
  if (dtype == VB_DTYPE_FLOAT32) return finite_32(values, count);
  if (dtype == VB_DTYPE_FLOAT64) return finite_64(values, count);
  if (dtype == VB_DTYPE_FLOAT16) return finite_16(values, count);
  return true;
}

static size_t first_infinite(int dtype, const char *values, size_t count) {
  size_t size = types[dtype].bits / 8, i = 0;
  while (i < count && vb_dtype_finite(dtype, values + i * size, 1)) i++;
  return i;
}

static size_t convert_same(int dtype, void *to, const void *from, size_t count) {
  if (!vb_dtype_finite(dtype, from, count)) count = first_infinite(dtype, from, count);
  if (count) memcpy(to, from, vb_dtype_bytes(dtype, count));
  return count;
}

static bool is_integer_64(int dtype) {
  return dtype == VB_DTYPE_INT64 || dtype == VB_DTYPE_UINT64;
}

/* Between the two, a double would lose the low bits. */
static size_t convert_integers(vb_conversion *how, char *to, const char *from, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint64_t bits;
    memcpy(&bits, from + i * sizeof bits, sizeof bits);
    if (bits >> 63) {
      if (how->unfit == VB_UNFIT_STOP) return i;
      how->clamped++;
      bits = how->from == VB_DTYPE_INT64 ? 0 : INT64_MAX;
    }
    memcpy(to + i * sizeof bits, &bits, sizeof bits);
  }
  return count;
}

size_t vb_dtype_convert(vb_conversion *how, void *to, const void *from, size_t count) {
  if (how->from == how->to) return convert_same(how->to, to, from, count);
  if (is_integer_64(how->from) && is_integer_64(how->to))
    return convert_integers(how, to, from, count);
  size_t from_size = types[how->from].bits / 8, to_size = types[how->to].bits / 8;
  for (size_t i = 0; i < count; i++) {
    double value = load(how->from, (const char *)from + i * from_size);
    if (!store(how, (char *)to + i * to_size, value)) return i;
  }
  return count;
}

/* --- text ------------------------------------------------------------------------------------- */

typedef struct decimal {
  uint64_t digits;            /* the first 19 or 20 that count */
  int exponent;               /* of ten */
  bool negative, long_digits; /* some were left out */
} decimal;

static const char *take_digits(decimal *number, const char *at, const char *end, int step) {
  for (; at < end && *at >= '0' && *at <= '9'; at++) {
    uint64_t longer;
    if (!__builtin_mul_overflow(number->digits, 10, &longer) &&
        !__builtin_add_overflow(longer, (uint64_t)(*at - '0'), &longer) && !number->long_digits) {
      number->digits = longer;
      number->exponent += step;
    } else {
      number->long_digits = true;
      number->exponent += step + 1;
    }
  }
  return at;
}

static const char *take_exponent(decimal *number, const char *at, const char *end) {
  bool negative = at < end && *at == '-';
  int exponent = 0;
  const char *first = at += at < end && (*at == '-' || *at == '+');
  for (; at < end && *at >= '0' && *at <= '9'; at++)
    if (exponent < 100000) exponent = exponent * 10 + (*at - '0');
  number->exponent += negative ? -exponent : exponent;
  return at == first ? NULL : at;
}

static bool read_decimal(decimal *number, const char *at, const char *end) {
  *number = (decimal){.negative = at < end && *at == '-'};
  at += at < end && (*at == '-' || *at == '+');
  const char *first = at, *point = NULL;
  at = take_digits(number, at, end, 0);
  if (at < end && *at == '.') {
    point = at++;
    at = take_digits(number, at, end, -1);
  }
  if (at - first == (point ? 1 : 0)) return false;
  if (at < end && (*at == 'e' || *at == 'E')) at = take_exponent(number, at + 1, end);
  return at == end;
}

/* What the quick way cannot do exactly. strtod needs an end that it sees. */
static double read_slowly(const char *text, size_t length) {
  char local[64], *copy = length < sizeof local ? local : malloc(length + 1);
  if (!copy) return (double)NAN;
  memcpy(copy, text, length);
  copy[length] = 0;
  double value = strtod(copy, NULL);
  if (copy != local) free(copy);
  return value;
}

/* Clinger 1990: up to 2^53 times or over a power of ten that is exact is rounded once. */
static double to_double(const decimal *number, const char *text, size_t length) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (number->digits > 9007199254740992 || number->long_digits || number->exponent > 22 ||
      number->exponent < -22)
    return read_slowly(text, length);
  double value = (double)number->digits;
  value =
      number->exponent < 0 ? value / powers[-number->exponent] : value * powers[number->exponent];
  return number->negative ? -value : value;
}

bool vb_number_read(const char *text, size_t length, double *out) {
  decimal number;
  if (!read_decimal(&number, text, text + length)) return false;
  *out = to_double(&number, text, length);
  return true;
}

/* An integer of 64 bits as written; false when it has to go the way of doubles. */
static bool store_exactly(int dtype, void *to, const decimal *number) {
  if (number->exponent != 0 || number->long_digits) return false;
  uint64_t most = dtype == VB_DTYPE_UINT64 ? (number->negative ? 0 : UINT64_MAX)
                                           : (uint64_t)INT64_MAX + number->negative;
  if (number->digits > most) return false;
  uint64_t bits = number->negative ? 0 - number->digits : number->digits;
  memcpy(to, &bits, sizeof bits);
  return true;
}

enum vb_number_fit vb_number_store(vb_conversion *how, void *to, const char *text, size_t length) {
  decimal number;
  if (!read_decimal(&number, text, text + length)) return VB_NUMBER_BAD;
  if (is_integer_64(how->to) && store_exactly(how->to, to, &number)) return VB_NUMBER_FITS;
  double value = to_double(&number, text, length);
  if (isinf(value) && how->unfit == VB_UNFIT_CLAMP) value = copysign(1.7976931348623157e308, value);
  return store(how, to, value) ? VB_NUMBER_FITS : VB_NUMBER_UNFIT;
}
