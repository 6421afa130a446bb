#include "base/variate.h"
#include "command/template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHORTEST_BOUND = 32, DECIMALS_MAX = 17 };

static const double least_share = 0.01; /* of a normal distribution that must lie in its range */

static double normal_below(const vb_part *part, double value) {
  return 0.5 * erfc((part->mean - value) / (part->deviation * 1.4142135623730951));
}

static int check_shape(const vb_part *part, const char *where, vb_error *err) {
  switch (part->distribution) {
  case VB_UNIFORM:
  case VB_SEQUENTIAL:
  case VB_CONSTANT:
  case VB_FROM_ID: return VB_OK;
  case VB_ZIPFIAN:
    if (part->skew > 0 && isfinite(part->skew)) return VB_OK;
    return vb_fail(err, VB_EINVAL, "%s: zipfian: skew is %g; it is above 0", where, part->skew);
  case VB_EXPONENTIAL:
    if (part->lambda > 0 && isfinite(part->lambda)) return VB_OK;
    return vb_fail(err, VB_EINVAL, "%s: exponential: lambda is %g; it is above 0", where,
                   part->lambda);
  case VB_NORMAL: break;
  default: return vb_fail(err, VB_EINVAL, "%s: no such distribution", where);
  }
  if (!(part->deviation > 0 && isfinite(part->deviation) && isfinite(part->mean)))
    return vb_fail(err, VB_EINVAL, "%s: normal: deviation is %g; it is above 0", where,
                   part->deviation);
  double half = part->kind == VB_PART_INT ? 0.5 : 0;
  if (normal_below(part, part->max + half) - normal_below(part, part->min - half) < least_share)
    return vb_fail(err, VB_EINVAL,
                   "%s: normal: less than 1 %% of mean %g and deviation %g lies between %g and %g",
                   where, part->mean, part->deviation, part->min, part->max);
  return VB_OK;
}

/* The end of a range in steps: the nearest one where it is the same but for binary rounding (0.07
 * is a little more than 7 hundredths), else what `rounding` makes of it. */
static double whole_step(double value, double scale, double (*rounding)(double)) {
  double exact = value * scale, nearest = round(exact);
  return fabs(nearest - exact) <= 1e-12 * fabs(exact) ? nearest : rounding(exact);
}

/* Digits of a number's whole part when all from low to high have as many; else 0. */
static unsigned common_width(const vb_hole *hole) {
  if (hole->low < 0) return 0;
  unsigned low = vb_decimal_width((uint64_t)hole->low / hole->scale);
  unsigned high = vb_decimal_width((uint64_t)hole->high / hole->scale);
  return low == high ? high : 0;
}

static int set_steps(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  unsigned decimals = part->kind == VB_PART_INT ? 0 : (unsigned)part->decimals;
  hole->scale = 1;
  for (unsigned i = 0; i < decimals; i++) hole->scale *= 10;
  double scale = (double)hole->scale;
  bool constant = part->distribution == VB_CONSTANT;
  double low = constant ? round(part->min * scale) : whole_step(part->min, scale, ceil);
  double high = constant ? low : whole_step(part->max, scale, floor);
  if (!(low > -0x1p62 && high < 0x1p62))
    return vb_fail(err, VB_EINVAL, "%s: a number of %g with %u decimals has more than 18 digits",
                   where, fmax(fabs(part->min), fabs(part->max)), decimals);
  if (low > high)
    return vb_fail(err, VB_EINVAL, "%s: no number with %u decimals lies between %g and %g", where,
                   decimals, part->min, part->max);
  hole->low = (int64_t)low;
  hole->high = (int64_t)high;
  uint64_t most = (uint64_t)(hole->high > -hole->low ? hole->high : -hole->low);
  hole->bound = 1 + vb_decimal_width(most / hole->scale) + (decimals ? decimals + 1 : 0);
  unsigned width = common_width(hole);
  if (width) hole->fixed = hole->bound = width + (decimals ? decimals + 1 : 0);
  if (part->distribution == VB_ZIPFIAN)
    vb_zipf_init(&hole->zipf, (uint64_t)(hole->high - hole->low) + 1, part->skew);
  return VB_OK;
}

int vb_number_init(vb_hole *hole, const char *where, vb_error *err) {
  vb_part *part = &hole->part;
  if (part->distribution == VB_CONSTANT) part->max = part->min;
  if (!isfinite(part->max - part->min))
    return vb_fail(err, VB_EINVAL, "%s: min and max are finite numbers", where);
  if (part->min > part->max)
    return vb_fail(err, VB_EINVAL, "%s: min %g is above max %g", where, part->min, part->max);
  int failed = check_shape(part, where, err);
  if (failed) return failed;
  bool whole = floor(part->min) == part->min && floor(part->max) == part->max;
  if (part->kind == VB_PART_INT && (!whole || part->min < -0x1p53 || part->max > 0x1p53))
    return vb_fail(err, VB_EINVAL, "%s: min %g and max %g are whole numbers within 2^53", where,
                   part->min, part->max);
  if (part->kind == VB_PART_FLOAT && part->decimals > DECIMALS_MAX)
    return vb_fail(err, VB_EINVAL, "%s: decimals is %d; it is at most %d", where, part->decimals,
                   DECIMALS_MAX);
  if (part->kind == VB_PART_INT || part->decimals >= 0) return set_steps(hole, where, err);
  hole->bound = SHORTEST_BOUND;
  if (part->distribution == VB_ZIPFIAN)
    vb_zipf_init(&hole->zipf, (uint64_t)fmin(part->max - part->min, 0x1p62) + 1, part->skew);
  return VB_OK;
}

static int64_t draw_normal_step(const vb_hole *hole, uint64_t random) {
  const vb_part *part = &hole->part;
  vb_rng rng = {random};
  for (;;) {
    double value = round((part->mean + part->deviation * vb_normal(&rng)) * (double)hole->scale);
    if (value >= (double)hole->low && value <= (double)hole->high) return (int64_t)value;
  }
}

static int64_t draw_step(const vb_hole *hole, uint64_t n, uint64_t random) {
  const vb_part *part = &hole->part;
  uint64_t count = (uint64_t)(hole->high - hole->low) + 1;
  switch ((enum vb_number_distribution)part->distribution) {
  case VB_UNIFORM:
  case VB_FROM_ID: return hole->low + (int64_t)vb_below(random, count);
  case VB_ZIPFIAN: return hole->low + (int64_t)vb_zipf_draw(&hole->zipf, random);
  case VB_NORMAL: return draw_normal_step(hole, random);
  case VB_EXPONENTIAL:
    return hole->low +
           (int64_t)vb_exponential(random, part->lambda / (double)hole->scale, (double)count);
  case VB_SEQUENTIAL:
    return hole->low + (int64_t)(n % ((count - 1) / hole->scale + 1) * hole->scale);
  case VB_CONSTANT: break;
  }
  return hole->low;
}

/* The same for numbers that are not rounded. */
static double draw_value(const vb_hole *hole, uint64_t n, uint64_t random) {
  const vb_part *part = &hole->part;
  double range = part->max - part->min;
  vb_rng rng = {random};
  switch ((enum vb_number_distribution)part->distribution) {
  case VB_UNIFORM:
  case VB_FROM_ID: return part->min + vb_unit(random) * range;
  case VB_ZIPFIAN: return part->min + (double)vb_zipf_draw(&hole->zipf, random);
  case VB_NORMAL:
    for (;;) {
      double value = part->mean + part->deviation * vb_normal(&rng);
      if (value >= part->min && value <= part->max) return value;
    }
  case VB_EXPONENTIAL: return part->min + vb_exponential(random, part->lambda, range);
  case VB_SEQUENTIAL: return part->min + fmod((double)n, floor(range) + 1);
  case VB_CONSTANT: break;
  }
  return part->min;
}

/* Tries 15, 16, 17 digits: the first that reads back the same. */
static size_t write_shortest(double value, char *to) {
  for (int digits = 15;; digits++) {
    int length = snprintf(to, SHORTEST_BOUND, "%.*g", digits, value);
    if (digits == DECIMALS_MAX || strtod(to, NULL) == value) return (size_t)length;
  }
}

size_t vb_steps_write(int64_t value, unsigned decimals, char *to) {
  char *at = to;
  uint64_t steps = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  if (value < 0) *at++ = '-';
  if (!decimals) return (size_t)(at - to) + vb_decimal_append(at, steps);
  uint64_t scale = 1;
  for (unsigned i = 0; i < decimals; i++) scale *= 10;
  at += vb_decimal_append(at, steps / scale);
  *at++ = '.';
  vb_digits_write(at, steps % scale, decimals);
  return (size_t)(at - to) + decimals;
}

size_t vb_number_write(const vb_hole *hole, const vb_operation *operation, uint64_t random,
                       char *to) {
  const vb_part *part = &hole->part;
  unsigned decimals = part->kind == VB_PART_INT ? 0 : (unsigned)part->decimals;
  if (!hole->scale) return write_shortest(draw_value(hole, operation->n, random), to);
  return vb_steps_write(draw_step(hole, operation->n, random), decimals, to);
}
