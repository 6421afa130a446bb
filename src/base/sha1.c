#include "base/sha1.h"

#include "base/digest.h"

#include <stdio.h>

enum { ROUNDS = 80, QUARTER = 20, WORDS = 5 };

static uint32_t turned(uint32_t x, unsigned bits) {
  return x << bits | x >> (32 - bits);
}

static void spread(uint32_t w[ROUNDS], const unsigned char *block) {
  for (unsigned i = 0; i < 16; i++)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
           (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (unsigned i = 16; i < ROUNDS; i++)
    w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
}

/* The functions of the four quarters with their constants (4.1.1, 4.2.1). */
static uint32_t mixed(unsigned round, uint32_t b, uint32_t c, uint32_t d) {
  switch (round / QUARTER) {
  case 0: return ((b & c) | (~b & d)) + 0x5a827999;
  case 1: return (b ^ c ^ d) + 0x6ed9eba1;
  case 2: return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  default: return (b ^ c ^ d) + 0xca62c1d6;
  }
}

static void digest_block(uint32_t state[WORDS], const unsigned char *block) {
  uint32_t w[ROUNDS], s[WORDS];
  spread(w, block);
  memcpy(s, state, sizeof s);
  for (unsigned i = 0; i < ROUNDS; i++) {
    uint32_t next = turned(s[0], 5) + mixed(i, s[1], s[2], s[3]) + s[4] + w[i];
    memmove(s + 1, s, 4 * sizeof *s);
    s[2] = turned(s[2], 30);
    s[0] = next;
  }
  for (unsigned i = 0; i < WORDS; i++) state[i] += s[i];
}

void vb_sha1(const char *data, size_t length, char out[VB_SHA1_TEXT]) {
  uint32_t state[WORDS] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  unsigned char last[2 * VB_DIGEST_BLOCK];
  size_t whole = length / VB_DIGEST_BLOCK * VB_DIGEST_BLOCK;
  for (size_t at = 0; at < whole; at += VB_DIGEST_BLOCK)
    digest_block(state, (const unsigned char *)data + at);
  size_t blocks = vb_digest_pad(last, data + whole, length - whole, length);
  for (size_t i = 0; i < blocks; i++) digest_block(state, last + i * VB_DIGEST_BLOCK);
  for (unsigned i = 0; i < WORDS; i++) (void)snprintf(out + 8 * i, 9, "%08x", state[i]);
}
