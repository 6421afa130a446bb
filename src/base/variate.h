/* Random numbers of other shapes than the even one: normal, exponential.
 * Pure; any thread. */
#ifndef VB_BASE_VARIATE_H
#define VB_BASE_VARIATE_H

#include "base/random.h"

/* A standard normal number: mean 0, deviation 1 (Box and Muller 1958). Takes two of rng's. */
double vb_normal(vb_rng *rng);
/* x in [0, range) with density ~ exp(-lambda x), lambda > 0, by inversion of the distribution cut
 * at range. */
double vb_exponential(uint64_t random, double lambda, double range);

#endif
