/* The ids that the filters of a cursor leave, by number: position k is the k-th of them.
 * Made by main, then read-only; asking is pure and for any thread. */
#ifndef VB_KEYSPACE_SUBSET_H
#define VB_KEYSPACE_SUBSET_H

#include "keyspace/refset.h"

typedef struct vb_subset_spec {
  uint64_t first, last;  /* half-open range of ids, not empty */
  const vb_refset *only; /* NULL: all; it outlives the subset and does not change meanwhile */
  const vb_refset *except;
  double sample;        /* above 0 to 1: of each run of 1 / sample ids a random one; 0: all */
  uint64_t seed;        /* of the sample */
  uint32_t part, parts; /* share number `part` (from 0) of `parts` equal ones; parts 0: all */
} vb_subset_spec;

typedef struct vb_subset {
  vb_subset_spec spec;
  bool is_range;  /* position k is id first + k */
  uint64_t first; /* of the range that is_range speaks of */
  uint64_t count; /* positions */
  uint64_t start; /* of the share, among the sampled ids */
  uint64_t below; /* ids of `only` (or `except`) below the range */
  uint64_t kept;  /* ids before sampling */
} vb_subset;

/* A count of 0 says that the filters leave nothing. */
void vb_subset_init(vb_subset *subset, const vb_subset_spec *spec);
/* The id at a position below count. */
uint64_t vb_subset_id(const vb_subset *subset, uint64_t position);

#endif
