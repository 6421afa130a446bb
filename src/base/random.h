/* Random numbers as functions of what they are for: a draw is a pure function of (stream, n, hole).
 * Any thread; nothing here has a state of its own but vb_rng, which its owner passes. */
#ifndef VB_BASE_RANDOM_H
#define VB_BASE_RANDOM_H

#include "base/api.h"

/* A small generator (splitmix64; Steele, Lea, Flood 2014): one add and one mix a number. */
typedef struct vb_rng {
  uint64_t state;
} vb_rng;

/* Hash of bytes, for streams (seed, phase name) and holes (canonical text); FNV-1a, then mixed.
 * The same on every machine: reports rely on it. */
VB_API uint64_t vb_hash(uint64_t seed, const void *bytes, size_t length);

#ifndef VB_CDEF
/* Bijective mix of 64 bits (Stafford's variant 13 of the MurmurHash3 finalizer). */
static inline uint64_t vb_mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/* The draw of hole `hole` of operation `n` in the stream of a (seed, phase). */
static inline uint64_t vb_draw(uint64_t stream, uint64_t n, uint64_t hole) {
  return vb_mix(vb_mix(stream + n * 0x9e3779b97f4a7c15ull) ^ hole);
}

static inline uint64_t vb_rng_next(vb_rng *rng) {
  rng->state += 0x9e3779b97f4a7c15ull;
  return vb_mix(rng->state);
}

/* r as a number in [0, range), range > 0: multiply and shift (Lemire 2019), bias below 2^-32 for
 * ranges up to 2^32 and below range / 2^64 in general. */
static inline uint64_t vb_below(uint64_t r, uint64_t range) {
  return (uint64_t)(((unsigned __int128)r * range) >> 64);
}

/* r as a double in [0, 1), 53 bits. */
static inline double vb_unit(uint64_t r) {
  return (double)(r >> 11) * 0x1.0p-53;
}
#endif

#endif
