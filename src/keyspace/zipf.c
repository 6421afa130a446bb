#include "keyspace/zipf.h"

#include <math.h>

/* (e^x - 1) / x and log(1 + x) / x, also where x is near 0: they carry H through skew = 1. */
static double expm1_ratio(double x) {
  return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x * 0.5 * (1 + x / 3);
}

static double log1p_ratio(double x) {
  return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x * (0.5 - x / 3);
}

/* H, an integral of x^-skew: (x^(1 - skew) - 1) / (1 - skew), log(x) at skew 1. */
static double integral(const vb_zipf *zipf, double x) {
  double log_x = log(x);
  return expm1_ratio((1 - zipf->skew) * log_x) * log_x;
}

static double integral_inverse(const vb_zipf *zipf, double y) {
  double t = y * (1 - zipf->skew);
  if (t < -1) t = -1;
  return exp(log1p_ratio(t) * y);
}

static double density(const vb_zipf *zipf, double x) {
  return exp(-zipf->skew * log(x));
}

void vb_zipf_init(vb_zipf *zipf, uint64_t size, double skew) {
  zipf->skew = skew;
  zipf->size = (double)size;
  zipf->first = integral(zipf, 1.5) - 1;
  zipf->span = integral(zipf, zipf->size + 0.5) - zipf->first;
  zipf->accept = 2 - integral_inverse(zipf, integral(zipf, 2.5) - density(zipf, 2));
}

uint64_t vb_zipf_draw(const vb_zipf *zipf, uint64_t random) {
  vb_rng rng = {random};
  for (;;) {
    double y = zipf->first + zipf->span * (1 - vb_unit(random));
    double x = integral_inverse(zipf, y);
    double rank = floor(x + 0.5);
    if (rank < 1) rank = 1;
    if (rank > zipf->size) rank = zipf->size;
    if (rank - x <= zipf->accept || y >= integral(zipf, rank + 0.5) - density(zipf, rank))
      return (uint64_t)rank - 1;
    random = vb_rng_next(&rng);
  }
}
