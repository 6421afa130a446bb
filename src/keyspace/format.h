/* How a keyspace's key is laid out, open so that a template can patch a key in place.
 * For src/keyspace/ and src/command/; read-only for workers. */
#ifndef VB_KEYSPACE_FORMAT_H
#define VB_KEYSPACE_FORMAT_H

#include "keyspace/digits.h"
#include "keyspace/keyspace.h"
#include "keyspace/learned.h"
#include "keyspace/tags.h"

#include <stdatomic.h>

enum { VB_KEY_MAX = 1024, VB_TAG_LENGTH = 5 };

/* A key is `head`, the number, `tail`, with sub-ids ':' and another number; hash tags stand at
 * fixed offsets of head or tail. */
struct vb_keyspace {
  char *name;
  char *text; /* head and tail behind each other */
  size_t head, tail;
  size_t *tags; /* offsets in text of "{AAA}" */
  uint32_t tag_count;
  const char (*slot_tags)[VB_SLOT_TAG]; /* the tags are those of slots; NULL: letters of the id */
  unsigned width;                       /* of the number, at least */
  size_t fixed;                         /* length of every key, or 0 */
  uint64_t size;
  const vb_dataset *dataset;      /* of stored keys, which have no head, number or tail; or NULL */
  uint64_t subs;                  /* of each id; 0: none */
  bool subs_apart;                /* not in the key */
  unsigned slot_first, slot_last; /* half-open; equal: all slots */
  bool grows;                     /* size is what its tracker may grow to */
  _Atomic(vb_tracker *) *tracker; /* apart, so that the rest is constant for all who track */
  struct vb_live **live;          /* likewise: what cursors that claim all of it share; main's */
  vb_learned **learned;           /* likewise: tags that a scan has found; main's */
};

/* What cursors that claim the whole keyspace in order share: *it is NULL until the first. */
static inline struct vb_live **vb_keyspace_live(const vb_keyspace *keyspace) {
  return keyspace->live;
}

/* live.c */
void vb_live_destroy(struct vb_live *live);

/* The tag of the id's slot, or three letters of id % 26^3, as {HASHTAG} of a pattern means; or the
 * one that its key was found to have. */
static inline void vb_tag_write(const vb_keyspace *keyspace, uint64_t id, char *to) {
  if (VB_UNLIKELY(*keyspace->learned != NULL) && vb_learned_write(*keyspace->learned, id, to + 1))
    return;
  if (keyspace->slot_tags) {
    memcpy(to + 1, keyspace->slot_tags[vb_slot_of_id(id)], VB_SLOT_TAG);
    return;
  }
  unsigned n = (unsigned)(id % 17576);
  to[1] = (char)('A' + n / 676);
  to[2] = (char)('A' + n / 26 % 26);
  to[3] = (char)('A' + n % 26);
}

/* Makes the key at `to`, which is one of this keyspace of fixed length, that of `id`. Hot. */
static inline void vb_keyspace_patch(const vb_keyspace *keyspace, uint64_t id, char *to) {
  unsigned width = (unsigned)(keyspace->fixed - keyspace->head - keyspace->tail);
  vb_digits_write(to + keyspace->head, id, width);
  for (uint32_t i = 0; VB_UNLIKELY(i < keyspace->tag_count); i++) {
    size_t at = keyspace->tags[i];
    vb_tag_write(keyspace, id, to + at + (at >= keyspace->head ? width : 0));
  }
}

#endif
