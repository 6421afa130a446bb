#include "engine/caching.h"

#include "base/random.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A place is one word, so that it is read and written whole: 24 bits of the key's hash, and 40 of
 * the time in steps of 16 ns, which come round after 4.8 hours. Another 16 bits of the hash choose
 * the place: two keys are taken for one by one in 2^24 of those that share a place. */
enum { PLACE_BITS = 16, PLACES = 1 << PLACE_BITS, TIME_BITS = 40, STEP_BITS = 4 };

#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

struct vb_writes {
  atomic_uint_least64_t places[PLACES];
};

vb_writes *vb_writes_new(void) {
  return calloc(1, sizeof(vb_writes));
}

void vb_writes_free(vb_writes *writes) {
  free(writes);
}

static uint64_t steps(vb_ns now) {
  return now >> STEP_BITS & TIME_MASK;
}

void vb_writes_note(vb_writes *writes, const char *key, size_t length, vb_ns now) {
  uint64_t hash = vb_hash(0, key, length);
  atomic_store_explicit(&writes->places[hash % PLACES], (hash & ~TIME_MASK) | steps(now),
                        memory_order_relaxed);
}

bool vb_writes_find(const vb_writes *writes, const char *key, size_t length, vb_ns now,
                    vb_ns *delay) {
  uint64_t hash = vb_hash(0, key, length);
  uint64_t found = atomic_load_explicit(&writes->places[hash % PLACES], memory_order_relaxed);
  if (!found || (found ^ hash) >> TIME_BITS) return false;
  *delay = ((steps(now) - found) & TIME_MASK) << STEP_BITS;
  return true;
}
