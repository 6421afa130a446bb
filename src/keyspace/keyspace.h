/* A keyspace: ids 0 .. size-1, how a key is written from one, and the tracker of which exist.
 * Made by main; read-only for workers, which write to its tracker. */
#ifndef VB_KEYSPACE_KEYSPACE_H
#define VB_KEYSPACE_KEYSPACE_H

#include "dataset/dataset.h"
#include "keyspace/tracker.h"

typedef struct vb_keyspace vb_keyspace;

typedef struct vb_keyspace_spec {
  const char *name;    /* in messages and reports; copied */
  const char *prefix;  /* "key:": the key is prefix + id with `width` digits; NULL with a pattern */
  const char *pattern; /* "vec:{HASHTAG}:%012d", as datasets.md says; NULL with a prefix */
  int width;           /* 0 to 20; 0: no padding */
  int tagged;          /* 1: prefix + "{xyz}:" + id, the tag spreading ids over the slots evenly */
  const vb_dataset *dataset; /* whose stored keys they are, instead of prefix and pattern; outlives
                                the keyspace */
  uint64_t size;     /* ids, at least 1; of a dataset's keys, its records; 0 with a max_size: the
                        tracker grows as ids are added */
  uint64_t max_size; /* of a keyspace without a size; else 0 */
  uint64_t subs;     /* sub-ids of each id, written as ":sub" behind its key; 0: none */
  int subs_apart;    /* 1: the sub-id is no part of the key: a field of a hash, an index */
  unsigned slot_first, slot_last; /* keys of slots [first, last) are its own; 0, 0: of all */
} vb_keyspace_spec;

/* VB_EINVAL names the keyspace and what is wrong with prefix, pattern, width or size. */
VB_API int vb_keyspace_new(vb_keyspace **out, const vb_keyspace_spec *spec, vb_error *err);
VB_API void vb_keyspace_free(vb_keyspace *keyspace);
VB_API const char *vb_keyspace_name(const vb_keyspace *keyspace);
/* How many keys there can be: the ids, or with sub-ids the pairs. Wherever an id is asked for, that
 * of (id, sub) is id * subs + sub. */
VB_API uint64_t vb_keyspace_size(const vb_keyspace *keyspace);
/* The dataset whose stored keys they are, or NULL. */
VB_API const vb_dataset *vb_keyspace_dataset(const vb_keyspace *keyspace);
/* 1 when the key of the id is in the keyspace's slots. */
VB_API int vb_keyspace_in_slots(const vb_keyspace *keyspace, uint64_t id);
/* Longest key in bytes. */
VB_API size_t vb_keyspace_key_max(const vb_keyspace *keyspace);
/* Length of every key, when they are all of one length; else 0. */
VB_API size_t vb_keyspace_key_fixed(const vb_keyspace *keyspace);
/* The tracker of which ids exist, made by the first call: nothing is known to exist then. Any
 * thread. It lives with the keyspace. VB_ENOMEM names the keyspace. */
VB_API int vb_keyspace_track(const vb_keyspace *keyspace, vb_tracker **tracker, vb_error *err);
/* The tracker, or NULL when nobody tracks. Hot. */
VB_API vb_tracker *vb_keyspace_tracker(const vb_keyspace *keyspace);
/* How many ids have a hash tag that a scan found their keys to have; *bytes: the memory of that.
 * Their keys are written with it from then on. */
VB_API uint64_t vb_keyspace_learned(const vb_keyspace *keyspace, uint64_t *bytes);
/* For cursors over missing ids of a keyspace with slots: bars the ids of other slots in its
 * tracker. All ids are looked at, some 50 ns each, by the first call; main, between phases.
 * VB_EINVAL: there are too many; VB_ENOMEM. */
VB_API int vb_keyspace_bar_others(const vb_keyspace *keyspace, vb_error *err);
/* Writes the key of `id` (room for key_max); returns its length: 0 only for a stored key that is
 * empty. Hot. */
VB_API size_t vb_keyspace_write(const vb_keyspace *keyspace, uint64_t id, char *to);

#ifndef VB_CDEF
/* Whether its keys have a tag each that can be another one: not those of sub-ids, of which several
 * have one tag. */
int vb_keyspace_learns(const vb_keyspace *keyspace);
/* The key of the id has this tag of 3 bytes, not all 0. Main, between phases. VB_ENOMEM. */
int vb_keyspace_learn(const vb_keyspace *keyspace, uint64_t id, const char *tag, vb_error *err);
#endif

#endif
