#include "command/template.h"

#include "base/bytes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLOAT_ROOM = 350 };

/* Box and Muller (1958), drawn again past the ends. */
static double draw_normal(const vb_part *part, uint64_t random) {
  vb_rng rng = {random};
  for (;;) {
    double radius = sqrt(-2 * log(1 - vb_unit(vb_rng_next(&rng))));
    double angle = 2 * 3.14159265358979323846 * vb_unit(vb_rng_next(&rng));
    double value = part->mean + part->deviation * radius * cos(angle);
    if (value >= part->min && value <= part->max) return value;
  }
}

/* By inversion of the distribution cut at max. */
static double draw_exponential(const vb_part *part, uint64_t random) {
  double span = part->max - part->min, mass = -expm1(-part->lambda * span);
  double x = -log1p(-vb_unit(random) * mass) / part->lambda;
  return part->min + (x < span ? x : span);
}

/* Numbers of equal weight: whole ones include max. */
static double draw_uniform(const vb_part *part, uint64_t random) {
  double span = part->max - part->min;
  if (part->kind == VB_PART_FLOAT) return part->min + vb_unit(random) * span;
  return part->min + (double)vb_below(random, (uint64_t)span + 1);
}

double vb_number_draw(const vb_hole *hole, const vb_operation *operation, uint64_t random) {
  const vb_part *part = &hole->part;
  uint64_t count = (uint64_t)(part->max - part->min) + 1;
  switch ((enum vb_distribution)part->distribution) {
  case VB_UNIFORM:
  case VB_FROM_ID: return draw_uniform(part, random);
  case VB_ZIPFIAN: return part->min + (double)vb_zipf_draw(&hole->zipf, random);
  case VB_NORMAL: return draw_normal(part, random);
  case VB_EXPONENTIAL: return draw_exponential(part, random);
  case VB_SEQUENTIAL: return part->min + (double)(operation->n % count);
  case VB_CONSTANT: return part->min;
  }
  return part->min;
}

size_t vb_integer_write(double value, char *to) {
  double whole = floor(value + 0.5);
  bool negative = whole < 0;
  if (negative) *to++ = '-';
  return vb_decimal_append(to, (uint64_t)fabs(whole)) + negative;
}

/* Tries 15, 16, 17 digits: the first that reads back the same. */
static size_t write_shortest(double value, char *to) {
  for (int digits = 15;; digits++) {
    int length = snprintf(to, FLOAT_ROOM, "%.*g", digits, value);
    if (digits == 17 || strtod(to, NULL) == value) return (size_t)length;
  }
}

size_t vb_float_write(double value, int decimals, char *to) {
  static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
  if (decimals < 0) return write_shortest(value, to);
  if (decimals > 9 || fabs(value) > 1e8)
    return (size_t)snprintf(to, FLOAT_ROOM, "%.*f", decimals, value);
  uint64_t scaled = (uint64_t)(fabs(value) * powers[decimals] + 0.5);
  char *at = to;
  if (value < 0 && scaled) *at++ = '-';
  at += vb_decimal_append(at, scaled / (uint64_t)powers[decimals]);
  if (decimals) {
    *at++ = '.';
    vb_decimal_write(at, scaled % (uint64_t)powers[decimals], (unsigned)decimals);
    at += decimals;
  }
  return (size_t)(at - to);
}
