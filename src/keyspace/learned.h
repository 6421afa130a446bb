/* Hash tags that others have given to keys: a scan learns them, so that later phases address the
 * keys that exist. Any thread sets and reads; made, merged and freed by main. */
#ifndef VB_KEYSPACE_LEARNED_H
#define VB_KEYSPACE_LEARNED_H

#include "keyspace/bitmap.h"
#include "keyspace/tags.h"

#include <stdatomic.h>
#include <string.h>

/* 4 bytes an id in pages that are filled in where a tag is set. */
typedef struct vb_learned {
  vb_bitmap *ids; /* that have one */
  _Atomic uint32_t *tags;
  uint64_t size;
} vb_learned;

/* For ids 0 .. size - 1; VB_ENOMEM. */
int vb_learned_new(vb_learned **out, uint64_t size, vb_error *err);
void vb_learned_free(vb_learned *learned);
/* tag: VB_SLOT_TAG bytes, not all 0. id is below the size. */
void vb_learned_set(vb_learned *learned, uint64_t id, const char *tag);
/* Bytes of memory, by whole pages. */
uint64_t vb_learned_bytes(const vb_learned *learned);

/* Writes the tag of an id; false when none was learned. Hot. */
static inline bool vb_learned_write(const vb_learned *learned, uint64_t id, char *to) {
  uint32_t tag = atomic_load_explicit(&learned->tags[id], memory_order_relaxed);
  if (tag) memcpy(to, &tag, VB_SLOT_TAG);
  return tag != 0;
}

#endif
