#include "keyspace/permute.h"

void vb_permutation_init(vb_permutation *permutation, uint64_t size, uint64_t seed) {
  unsigned bits = size > 1 ? 64 - (unsigned)__builtin_clzll(size - 1) : 1;
  vb_rng rng = {seed};
  permutation->size = size;
  permutation->mask = bits == 64 ? UINT64_MAX : (1ull << bits) - 1;
  permutation->shift = (bits + 1) / 2;
  for (int round = 0; round < 3; round++) {
    permutation->multiply[round] = vb_rng_next(&rng) | 1;
    permutation->add[round] = vb_rng_next(&rng);
  }
}
