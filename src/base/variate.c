#include "base/variate.h"

#include <math.h>

double vb_normal(vb_rng *rng) {
  double radius = sqrt(-2 * log(1 - vb_unit(vb_rng_next(rng))));
  return radius * cos(6.283185307179586 * vb_unit(vb_rng_next(rng)));
}

double vb_exponential(uint64_t random, double lambda, double range) {
  double x = -log1p(vb_unit(random) * expm1(-lambda * range)) / lambda;
  return x < range ? x : nextafter(range, 0);
}
