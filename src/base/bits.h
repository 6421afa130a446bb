/* Words of 64 bits: how many are set, which is the k-th, the lowest few.
 * Pure; any thread. */
#ifndef VB_BASE_BITS_H
#define VB_BASE_BITS_H

#include "base/api.h"

/* Set bits of a word. Without the popcnt instruction, which the build's baseline does not have:
 * sums in parallel lanes (Warren, "Hacker's Delight", 5-1). */
static inline unsigned vb_bits_count(uint64_t word) {
  word -= word >> 1 & 0x5555555555555555ull;
  word = (word & 0x3333333333333333ull) + (word >> 2 & 0x3333333333333333ull);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0full;
  return (unsigned)(word * 0x0101010101010101ull >> 56);
}

/* Place of the lowest set bit; word is not 0. */
static inline unsigned vb_bits_lowest(uint64_t word) {
  return (unsigned)__builtin_ctzll(word);
}

/* Place of set bit number k, from 0; the word has more than k of them. */
static inline unsigned vb_bits_select(uint64_t word, unsigned k) {
  while (k--) word &= word - 1;
  return vb_bits_lowest(word);
}

/* The lowest `want` set bits of a word, all of them when it has no more. */
static inline uint64_t vb_bits_lowest_few(uint64_t word, unsigned want) {
  if (vb_bits_count(word) <= want) return word;
  return word & ((1ull << vb_bits_select(word, want)) - 1);
}

/* Bits from..to - 1 of a word: 0 <= from < to <= 64. */
static inline uint64_t vb_bits_between(unsigned from, unsigned to) {
  return ~0ull >> (64 - (to - from)) << from;
}

#endif
