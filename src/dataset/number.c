#include "dataset/number.h"

#include "base/bytes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double exact = 9007199254740992; /* 2^53 */

static size_t write_integer(uint64_t magnitude, bool negative, char *to) {
  if (negative) *to = '-';
  return negative + vb_decimal_append(to + negative, magnitude);
}

static size_t write_signed(int64_t value, char *to) {
  return write_integer(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0, to);
}

/* Whether `text` is the value, in the precision that it has in the file. */
static bool reads_back(int dtype, double value, const char *text) {
  double again = strtod(text, NULL);
  if (dtype == VB_DTYPE_FLOAT32) return (float)again == (float)value;
  if (dtype == VB_DTYPE_FLOAT16) return vb_half_from_double(again) == vb_half_from_double(value);
  return again == value;
}

/* "1e+07" as "1e7". */
static size_t shorten_exponent(char *text) {
  char *exponent = strchr(text, 'e');
  if (!exponent) return strlen(text);
  char *from = exponent + 1, *to = exponent + 1;
  if (*from == '-') to++;
  if (*from == '-' || *from == '+') from++;
  while (*from == '0') from++;
  memmove(to, from, strlen(from) + 1);
  return strlen(text);
}

/* A precision holds every text of fewer digits that it reads back (David Matula, 1968): 3 digits
 * for 16 bits, 6 for 32, 15 for 64, and up to two or three more where that is not enough. Below the
 * normal numbers there are fewer bits. */
static size_t write_digits(int dtype, double value, char *to) {
  static const struct {
    int digits;
    double normal;
  } kinds[] = {[VB_DTYPE_FLOAT32] = {6, 0x1p-126},
               [VB_DTYPE_FLOAT16] = {3, 0x1p-14},
               [VB_DTYPE_FLOAT64] = {15, 0x1p-1022}};
  int digits = fabs(value) < kinds[dtype].normal ? 1 : kinds[dtype].digits;
  do (void)snprintf(to, VB_NUMBER_BOUND, "%.*g", digits, value);
  while (!reads_back(dtype, value, to) && digits++ < 17);
  return shorten_exponent(to);
}

/* Prices and the like: up to four digits behind the point. A quotient of two whole numbers that are
 * exact is rounded once, as reading the text would be. */
static size_t write_short_fraction(double value, char *to) {
  double size = fabs(value);
  uint64_t scale = 10;
  for (unsigned decimals = 1; decimals <= 4; decimals++, scale *= 10) {
    double steps = round(size * (double)scale);
    if (steps / (double)scale != size) continue;
    size_t at = write_integer((uint64_t)steps / scale, value < 0, to);
    to[at] = '.';
    vb_decimal_write(to + at + 1, (uint64_t)steps % scale, decimals);
    return at + 1 + decimals;
  }
  return 0;
}

static size_t write_float(int dtype, double value, char *to) {
  if (!isfinite(value)) {
    const char *text = isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    memcpy(to, text, strlen(text));
    return strlen(text);
  }
  if (fabs(value) < exact && value == trunc(value) && !(value == 0 && signbit(value)))
    return write_signed((int64_t)value, to);
  size_t length = 0;
  if (dtype == VB_DTYPE_FLOAT64 && fabs(value) < 1e9 && fabs(value) > 1e-3)
    length = write_short_fraction(value, to);
  return length ? length : write_digits(dtype, value, to);
}

#define LOAD(type, from)                                                                           \
  type value;                                                                                      \
  memcpy(&value, from, sizeof value)

static double load_value(int dtype, const char *from) {
  switch ((enum vb_dtype)dtype) {
  case VB_DTYPE_FLOAT32: {
    LOAD(float, from);
    return (double)value;
  }
  case VB_DTYPE_FLOAT16: {
    LOAD(uint16_t, from);
    return vb_half_to_double(value);
  }
  case VB_DTYPE_FLOAT64: {
    LOAD(double, from);
    return value;
  }
  case VB_DTYPE_INT8: {
    LOAD(int8_t, from);
    return value;
  }
  case VB_DTYPE_UINT8: {
    LOAD(uint8_t, from);
    return value;
  }
  case VB_DTYPE_INT32: {
    LOAD(int32_t, from);
    return value;
  }
  case VB_DTYPE_INT64: {
    LOAD(int64_t, from);
    return (double)value;
  }
  case VB_DTYPE_UINT32: {
    LOAD(uint32_t, from);
    return value;
  }
  case VB_DTYPE_UINT64: {
    LOAD(uint64_t, from);
    return (double)value;
  }
  case VB_DTYPE_BINARY:
  case VB_DTYPE_COUNT: break;
  }
  return (double)NAN;
}

double vb_number_value(int dtype, const char *from) {
  double value = load_value(dtype, from);
  return isnan(value) ? (double)NAN : value;
}

size_t vb_number_text(int dtype, const char *from, char *to) {
  if (dtype == VB_DTYPE_INT64) {
    LOAD(int64_t, from);
    return write_signed(value, to);
  }
  if (dtype == VB_DTYPE_UINT64) {
    LOAD(uint64_t, from);
    return write_integer(value, false, to);
  }
  return write_float(dtype, vb_number_value(dtype, from), to);
}
