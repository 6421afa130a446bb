/* What SHA-1 and SHA-256 share: blocks of 64 bytes, and how the last ones are padded.
 * Pure; any thread. */
#ifndef VB_BASE_DIGEST_H
#define VB_BASE_DIGEST_H

#include "base/api.h"

#include <string.h>

enum { VB_DIGEST_BLOCK = 64, VB_DIGEST_LENGTH_AT = 56 };

/* What is left, a set bit, zeros, the length in bits (FIPS 180-4, 5.1.1); returns how many blocks
 * that makes: one or two. */
static inline size_t vb_digest_pad(unsigned char last[2 * VB_DIGEST_BLOCK], const char *rest,
                                   size_t size, uint64_t length) {
  size_t blocks = size < VB_DIGEST_LENGTH_AT ? 1 : 2;
  memset(last, 0, 2 * VB_DIGEST_BLOCK);
  memcpy(last, rest, size);
  last[size] = 0x80;
  for (unsigned i = 0; i < 8; i++)
    last[blocks * VB_DIGEST_BLOCK - 1 - i] = (unsigned char)(length * 8 >> (8 * i));
  return blocks;
}

#endif
