#include "keyspace/distribution.h"

#include "base/variate.h"

#include <math.h>

enum { REDRAWS = 64 }; /* of a normal number: more than half of them are within the ends */

/* Whether a parameter is above `least`, or equal to it where that is allowed, and up to `most`. */
static int check_number(double value, const char *name, bool zero, double most, vb_error *err) {
  if ((zero ? value >= 0 : value > 0) && value <= most) return VB_OK;
  if (most > 1) return vb_fail(err, VB_EINVAL, "%s is %g; it is above 0", name, value);
  return vb_fail(err, VB_EINVAL, "%s is %g; it is %s0 to 1", name, value, zero ? "" : "above ");
}

static int check_pair(double first, const char *name, double second, const char *second_name,
                      vb_error *err) {
  int failed = check_number(first, name, false, 1, err);
  return failed ? failed : check_number(second, second_name, true, 1, err);
}

int vb_distribution_check(const vb_distribution_spec *spec, vb_error *err) {
  const double any = 1e308;
  switch ((enum vb_shape)spec->shape) {
  case VB_SHAPE_UNIFORM: return VB_OK;
  case VB_SHAPE_ZIPFIAN: return check_number(spec->skew, "skew", false, any, err);
  case VB_SHAPE_EXPONENTIAL: return check_number(spec->lambda, "lambda", false, any, err);
  case VB_SHAPE_NORMAL: return check_pair(spec->deviation, "deviation", spec->mean, "mean", err);
  case VB_SHAPE_HOTSPOT:
  case VB_SHAPE_LATEST:
    return check_pair(spec->share, "share", spec->probability, "probability", err);
  }
  return vb_fail(err, VB_EINVAL, "no distribution has the number %d", spec->shape);
}

void vb_distribution_init(vb_distribution *distribution, const vb_distribution_spec *spec,
                          uint64_t count) {
  distribution->spec = *spec;
  distribution->count = count;
  distribution->scattered = false;
  double part = round(spec->share * (double)count);
  distribution->part = part < 1 ? 1 : part > (double)count ? count : (uint64_t)part;
  if (spec->shape == VB_SHAPE_ZIPFIAN) vb_zipf_init(&distribution->zipf, count, spec->skew);
  if (spec->shape != VB_SHAPE_ZIPFIAN && spec->shape != VB_SHAPE_HOTSPOT) return;
  distribution->scattered = spec->scatter != 0;
  vb_permutation_init(&distribution->permutation, count, spec->seed);
}

/* One of the first `part` positions with `probability`, else one of the others. */
static uint64_t draw_part(const vb_distribution *distribution, uint64_t random) {
  uint64_t part = distribution->part, others = distribution->count - part;
  uint64_t which = vb_mix(random + 1);
  if (!others || vb_unit(random) < distribution->spec.probability) return vb_below(which, part);
  return part + vb_below(which, others);
}

static uint64_t draw_normal(const vb_distribution *distribution, uint64_t random) {
  vb_rng rng = {random};
  double count = (double)distribution->count;
  for (int i = 0; i < REDRAWS; i++) {
    double at = (distribution->spec.mean + distribution->spec.deviation * vb_normal(&rng)) * count;
    if (at >= 0 && at < count) return (uint64_t)at;
  }
  return (uint64_t)fmin(distribution->spec.mean * count, count - 1);
}

static uint64_t scatter(const vb_distribution *distribution, uint64_t rank) {
  return distribution->scattered ? vb_permute(&distribution->permutation, rank) : rank;
}

uint64_t vb_distribution_draw(const vb_distribution *distribution, uint64_t random) {
  uint64_t count = distribution->count;
  switch ((enum vb_shape)distribution->spec.shape) {
  case VB_SHAPE_UNIFORM: break;
  case VB_SHAPE_ZIPFIAN: return scatter(distribution, vb_zipf_draw(&distribution->zipf, random));
  case VB_SHAPE_EXPONENTIAL:
    return count - 1 - (uint64_t)vb_exponential(random, distribution->spec.lambda, (double)count);
  case VB_SHAPE_NORMAL: return draw_normal(distribution, random);
  case VB_SHAPE_HOTSPOT: return scatter(distribution, draw_part(distribution, random));
  case VB_SHAPE_LATEST: return count - 1 - draw_part(distribution, random);
  }
  return vb_below(random, count);
}
