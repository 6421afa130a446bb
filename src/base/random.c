#include "base/random.h"

uint64_t vb_hash(uint64_t seed, const void *bytes, size_t length) {
  const unsigned char *byte = bytes;
  uint64_t hash = 0xcbf29ce484222325ull ^ vb_mix(seed);
  for (size_t i = 0; i < length; i++) hash = (hash ^ byte[i]) * 0x100000001b3ull;
  return vb_mix(hash);
}
