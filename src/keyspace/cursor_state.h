/* What a cursor holds. Private to src/keyspace/.
 * Written by main while it is made; then only what `live` points to changes. */
#ifndef VB_KEYSPACE_CURSOR_STATE_H
#define VB_KEYSPACE_CURSOR_STATE_H

#include "keyspace/cursor.h"
#include "keyspace/subset.h"

struct vb_live;
struct vb_shares;

struct vb_cursor {
  int order;
  bool is_range;         /* position k is id first + k */
  uint64_t first, count; /* of that range; positions */
  uint64_t end;          /* draws that it gives; UINT64_MAX: endless */
  const vb_keyspace *keyspace;
  vb_subset subset;
  vb_distribution distribution;
  vb_permutation permutation;
  int filter; /* enum vb_presence */
  double ratio;
  uint32_t overlap; /* draws in a row of one id */
  bool claims, wraps, ends;
  bool goes_round;          /* ordered: after a round comes another */
  struct vb_shares *shares; /* each worker has its own slots' ids; NULL: all have all */
  struct vb_live *live;     /* NULL: draws are a function of the operation's number */
  bool shares_live;         /* it is the keyspace's, and gone when that is freed first */
};

/* The id at a position: where the cursor goes by order, that of the order. */
static inline uint64_t vb_cursor_id(const vb_cursor *cursor, uint64_t position) {
  return cursor->is_range ? cursor->first + position : vb_subset_id(&cursor->subset, position);
}

/* cursor.c: the id of position `index` of an order; from `count` on of later rounds. */
uint64_t vb_cursor_id_at(const vb_cursor *cursor, uint64_t index);

/* share.c: how far each worker is. NULL when memory is out. */
struct vb_shares *vb_shares_new(void);
void vb_shares_free(struct vb_shares *shares);
/* The next id of the worker's share; 0: it has no more. */
int vb_share_take(const vb_cursor *cursor, vb_taker taker, uint64_t random, uint64_t *id);

/* live.c */
/* What a cursor that looks at the tracker shares between workers: sets `live` and `shares_live`.
 * VB_ENOMEM. */
int vb_live_new(vb_cursor *cursor, vb_error *err);

#endif
