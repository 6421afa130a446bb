/* A seeded permutation of 0 .. size - 1 without a table: mixing within the next power of two,
 * walked until it is back in range (cycle walking; Black, Rogaway 2002). Pure; any thread. */
#ifndef VB_KEYSPACE_PERMUTE_H
#define VB_KEYSPACE_PERMUTE_H

#include "base/random.h"

typedef struct vb_permutation {
  uint64_t size, mask;
  unsigned shift;
  uint64_t multiply[3], add[3]; /* multipliers are odd: each round is a bijection */
} vb_permutation;

void vb_permutation_init(vb_permutation *permutation, uint64_t size, uint64_t seed);

/* Where `x` (below size) goes: below size, each once. */
static inline uint64_t vb_permute(const vb_permutation *permutation, uint64_t x) {
  do {
    for (int round = 0; round < 3; round++) {
      x = (x * permutation->multiply[round] + permutation->add[round]) & permutation->mask;
      x ^= x >> permutation->shift;
    }
  } while (x >= permutation->size);
  return x;
}

#endif
