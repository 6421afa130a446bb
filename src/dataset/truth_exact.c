#include "dataset/truth_part.h"

#include <math.h>
#include <string.h>

/* --- vectors as numbers ----------------------------------------------------------------------- */

static double half_value(uint16_t half) {
  /* The exponent moves from bias 15 to 127 by a product, which is exact for subnormals too. */
  uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
  if ((half & 0x7c00) == 0x7c00) bits = (bits & 0x7fffff) | 0x7f800000;
  float value;
  memcpy(&value, &bits, sizeof value);
  double wide = (double)value * ((half & 0x7c00) == 0x7c00 ? 1.0 : 0x1p112);
  return half & 0x8000 ? -wide : wide;
}

static void load_bits(double *to, const unsigned char *from, size_t dimensions) {
  for (size_t i = 0; i < dimensions; i++) to[i] = from[i / 8] >> (7 - i % 8) & 1;
}

#define LOAD(type, value)                                                                          \
  for (size_t i = 0; i < dimensions; i++) {                                                        \
    type at;                                                                                       \
    memcpy(&at, from + i * sizeof at, sizeof at);                                                  \
    to[i] = (double)(value);                                                                       \
  }                                                                                                \
  break

void vb_truth_load(double *to, const char *from, int dtype, size_t dimensions) {
  switch ((enum vb_dtype)dtype) {
  case VB_DTYPE_FLOAT32: LOAD(float, at);
  case VB_DTYPE_FLOAT16: LOAD(uint16_t, half_value(at));
  case VB_DTYPE_FLOAT64: LOAD(double, at);
  case VB_DTYPE_INT8: LOAD(int8_t, at);
  case VB_DTYPE_UINT8: LOAD(uint8_t, at);
  case VB_DTYPE_INT32: LOAD(int32_t, at);
  case VB_DTYPE_INT64: LOAD(int64_t, at);
  case VB_DTYPE_UINT32: LOAD(uint32_t, at);
  case VB_DTYPE_UINT64: LOAD(uint64_t, at);
  case VB_DTYPE_BINARY: load_bits(to, (const unsigned char *)from, dimensions); break;
  case VB_DTYPE_COUNT: break;
  }
}

/* --- sums in doubled precision ---------------------------------------------------------------- */

/* A number as a double and what that lacks. Independent sums, so that they can be vectorized. */
enum { LANES = 8 };
typedef struct sum {
  double high[LANES], low[LANES];
} sum;

typedef struct doubled {
  double high, low;
} doubled;

/* Knuth 1969: a + b is exactly the result's high + low. */
static inline doubled two_sum(double a, double b) {
  double high = a + b, part = high - a;
  return (doubled){high, (a - (high - part)) + (b - part)};
}

static inline doubled two_product(double a, double b) {
  double high = a * b;
  return (doubled){high, fma(a, b, -high)};
}

/* Ogita, Rump, Oishi 2005, "Dot2". */
static inline void sum_add(sum *to, size_t lane, double a, double b) {
  doubled product = two_product(a, b);
  doubled total = two_sum(to->high[lane], product.high);
  to->high[lane] = total.high;
  to->low[lane] += total.low + product.low;
}

static doubled sum_total(const sum *of) {
  doubled total = {0, 0};
  for (size_t lane = 0; lane < LANES; lane++) {
    doubled step = two_sum(total.high, of->high[lane]);
    total = (doubled){step.high, total.low + step.low + of->low[lane]};
  }
  return two_sum(total.high, total.low);
}

static inline __attribute__((always_inline)) void add_products(sum *to, const double *a,
                                                               const double *b, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t lane = 0; lane < LANES; lane++) sum_add(to, lane, a[i + lane], b[i + lane]);
  for (; i < n; i++) sum_add(to, i % LANES, a[i], b[i]);
}

static inline __attribute__((always_inline)) void add_squares(sum *to, const double *a,
                                                              const double *b, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t lane = 0; lane < LANES; lane++) {
      double difference = a[i + lane] - b[i + lane];
      sum_add(to, lane, difference, difference);
    }
  for (; i < n; i++) sum_add(to, i % LANES, a[i] - b[i], a[i] - b[i]);
}

/* The same code where the machine has fused products; a call of fma() for each without. */
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void fused(sum *to, const double *a, const double *b,
                                                      size_t n, bool squares) {
  if (squares) {
    add_squares(to, a, b, n);
  } else {
    add_products(to, a, b, n);
  }
}
static bool has_fused(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
#define fused plain
static bool has_fused(void) {
  return false;
}
#endif

static void plain(sum *to, const double *a, const double *b, size_t n, bool squares) {
  if (squares) {
    add_squares(to, a, b, n);
  } else {
    add_products(to, a, b, n);
  }
}

/* Of products, or of squares of differences. */
static doubled sum_of(const double *a, const double *b, size_t n, bool squares) {
  sum sums = {0};
  if (has_fused()) {
    fused(&sums, a, b, n, squares);
  } else {
    plain(&sums, a, b, n, squares);
  }
  return sum_total(&sums);
}

/* --- distances -------------------------------------------------------------------------------- */

double vb_truth_square(const double *vector, size_t dimensions) {
  return sum_of(vector, vector, dimensions, false).high;
}

/* a * |a| / b. The quotient of two doubled numbers: one step of long division more than a double
 * has. */
static double quotient(doubled a, doubled b) {
  doubled top = two_product(a.high, a.high);
  top.low += 2 * a.high * a.low;
  double first = top.high / b.high;
  doubled back = two_product(first, b.high);
  double rest = (top.high - back.high) - back.low + top.low - first * b.low;
  double result = first + rest / b.high;
  return a.high < 0 ? -result : result;
}

double vb_truth_key(const double *query, const double *record, size_t dimensions, int distance) {
  double key;
  if (distance == VB_DISTANCE_IP) {
    key = -sum_of(query, record, dimensions, false).high;
  } else if (distance == VB_DISTANCE_COSINE) {
    doubled square = sum_of(record, record, dimensions, false);
    key = square.high == 0 ? 0 : -quotient(sum_of(query, record, dimensions, false), square);
  } else {
    key = sum_of(query, record, dimensions, true).high;
  }
  return isnan(key) ? (double)INFINITY : key;
}

double vb_truth_distance(double key, double square, int distance) {
  if (distance == VB_DISTANCE_IP) return 1 + key;
  if (distance != VB_DISTANCE_COSINE) return sqrt(key);
  double cosine = square == 0 ? 0 : sqrt(fabs(key) / square);
  return key < 0 ? 1 - cosine : 1 + cosine;
}
