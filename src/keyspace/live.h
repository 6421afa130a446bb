/* What a cursor that looks at the tracker shares between workers. Private to src/keyspace/.
 * Any thread, as each field says; made and freed by main. */
#ifndef VB_KEYSPACE_LIVE_H
#define VB_KEYSPACE_LIVE_H

#include "keyspace/cursor_state.h"
#include "keyspace/format.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
  VB_LIVE_RESERVES = 512, /* workers, at most */
  VB_LIVE_PROBES = 32     /* draws before ids are found by rank */
};

/* A worker's own, but for what others take under the lock. */
typedef struct vb_reserve {
  _Alignas(VB_CACHE_LINE) atomic_flag busy;
  bool known;
  bool ids;            /* the mask is of ids, not of positions */
  uint64_t base, mask; /* bit i: base + i is to be handed out */
  bool expects;        /* it was said how many ids it will draw; so many more: */
  uint64_t expected;
  uint32_t probes;
  uint32_t fresh;         /* draws for which `moving` is still good */
  uint32_t counted;       /* the same for `existing` */
  uint64_t existing;      /* ids of the range, for ranks */
  vb_distribution moving; /* over the ids up to the newest one */
} vb_reserve;

struct vb_live {
  vb_tracker *tracker;
  const vb_bitmap *exists;
  vb_claims *claims; /* of a part of the keyspace; NULL: the tracker's own position */
  bool by_words;     /* claims of a whole range, in order */
  bool shared;       /* by all cursors that claim the whole keyspace in order: the keyspace's */
  vb_reserve *reserves;
  _Alignas(VB_CACHE_LINE) atomic_uint_least64_t position;
  atomic_uint used;    /* reserves that may hold something */
  atomic_uint looking; /* workers that may have ids which are in no reserve yet */
  atomic_uint filled;  /* how often a reserve was filled */
  atomic_uint round;   /* how often all began again */
  atomic_size_t owed_count;
  /* When a round ends, and for ids that are given back behind its end. */
  pthread_mutex_t lock;
  unsigned filled_before; /* `filled` when the round began */
  bool began;             /* a round has: filled_before says something */
  uint64_t mark;          /* of the bitmap, when this pass of the positions began */
  uint64_t *owed;         /* ids that are handed out once more, whatever the bitmap says */
  size_t owed_capacity;
  unsigned owed_since; /* vb_tracker_times_cleared */
};

vb_reserve *vb_live_reserve(const vb_cursor *cursor, uint32_t worker);
/* Whether an id exists, or is missing, as the filter wants it. */
bool vb_live_fits(const struct vb_live *live, int filter, uint64_t id);
/* take.c: the next id of an order, or the next claim; 0: there is none. */
int vb_live_take_next(const vb_cursor *cursor, uint32_t worker, uint64_t *id);

#endif
