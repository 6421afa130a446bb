/* Distributions over positions 0 .. count-1 of a keyspace, in constant time and memory at any
 * count. Made once, then read-only; drawing is pure and for any thread. */
#ifndef VB_KEYSPACE_DISTRIBUTION_H
#define VB_KEYSPACE_DISTRIBUTION_H

#include "base/status.h"
#ifndef VB_CDEF
#include "keyspace/permute.h"
#include "keyspace/zipf.h"
#endif

enum vb_shape {
  VB_SHAPE_UNIFORM,
  VB_SHAPE_ZIPFIAN,     /* skew; position 0 is the most frequent one */
  VB_SHAPE_EXPONENTIAL, /* P(k) ~ exp(-lambda k), k positions behind the last one */
  VB_SHAPE_NORMAL,      /* mean and deviation are parts of count; redrawn past the ends */
  VB_SHAPE_HOTSPOT,     /* the first `share` of all with `probability`, else one of the others */
  VB_SHAPE_LATEST       /* the same with the last `share` */
};

typedef struct vb_distribution_spec {
  int shape;                 /* enum vb_shape */
  double skew, lambda;       /* above 0 */
  double mean, deviation;    /* 0 to 1, above 0 to 1 */
  double share, probability; /* above 0 to 1, 0 to 1 */
  int scatter; /* zipfian, hotspot: spread over the positions by a seeded permutation */
  uint64_t seed;
} vb_distribution_spec;

#ifndef VB_CDEF
typedef struct vb_distribution {
  vb_distribution_spec spec;
  uint64_t count;
  uint64_t part; /* of count: what share is of it, at least 1 */
  bool scattered;
  vb_zipf zipf;
  vb_permutation permutation;
} vb_distribution;

/* What is wrong with a parameter, such as "skew is 0; it is above 0"; VB_EINVAL. */
int vb_distribution_check(const vb_distribution_spec *spec, vb_error *err);
/* count: at least 1. The spec is one that vb_distribution_check lets pass. */
void vb_distribution_init(vb_distribution *distribution, const vb_distribution_spec *spec,
                          uint64_t count);
/* A position. Hot. */
uint64_t vb_distribution_draw(const vb_distribution *distribution, uint64_t random);
#endif

#endif
