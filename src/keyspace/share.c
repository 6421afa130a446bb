/* Cursors of which each worker has the ids of its own slots: worker i of n those from i * 16384 / n
 * up to, but not including, (i + 1) * 16384 / n. */
#include "base/random.h"
#include "base/slots.h"
#include "keyspace/cursor_state.h"
#include "keyspace/format.h"

#include <stdlib.h>

enum { WORKERS = 512, TRIES = 32 /* for each worker: all but e^-32 of the draws find an id */ };

typedef struct share {
  _Alignas(VB_CACHE_LINE) uint64_t next; /* position, or of later rounds: count and more */
  bool found;                            /* an id, in this round */
  bool ended;
} share;

struct vb_shares {
  share of[WORKERS];
};

struct vb_shares *vb_shares_new(void) {
  struct vb_shares *shares = aligned_alloc(VB_CACHE_LINE, sizeof *shares);
  if (shares) memset(shares, 0, sizeof *shares);
  return shares;
}

void vb_shares_free(struct vb_shares *shares) {
  free(shares);
}

static bool is_own(const vb_cursor *cursor, vb_taker taker, uint64_t id) {
  uint32_t workers = taker.workers ? taker.workers : 1;
  char key[VB_KEY_MAX];
  unsigned slot = vb_slot(key, vb_keyspace_write(cursor->keyspace, id, key));
  return slot >= VB_SLOTS * taker.worker / workers &&
         slot < VB_SLOTS * (taker.worker + 1) / workers;
}

/* False at the end of the last round, or of one without an id of the worker. */
static bool goes_on(const vb_cursor *cursor, share *own) {
  if (!own->next || own->next % cursor->count) return true;
  if (!cursor->goes_round || !own->found) return false;
  own->found = false;
  return true;
}

static bool take_in_order(const vb_cursor *cursor, vb_taker taker, share *own, uint64_t *id) {
  while (goes_on(cursor, own)) {
    *id = vb_cursor_id_at(cursor, own->next++);
    if (!is_own(cursor, taker, *id)) continue;
    own->found = true;
    return true;
  }
  return false;
}

/* Draws until one is the worker's; where it has hardly any, the next one from the last draw on. */
static bool take_at_random(const vb_cursor *cursor, vb_taker taker, uint64_t random, uint64_t *id) {
  vb_rng rng = {random};
  for (uint32_t i = 0; i < TRIES * (taker.workers + 1); i++) {
    (void)vb_cursor_draw(cursor, 0, vb_rng_next(&rng), id);
    if (is_own(cursor, taker, *id)) return true;
  }
  uint64_t start = vb_below(vb_rng_next(&rng), cursor->count);
  for (uint64_t i = 0; i < cursor->count; i++) {
    *id = vb_cursor_id(cursor, (start + i) % cursor->count);
    if (is_own(cursor, taker, *id)) return true;
  }
  return false;
}

int vb_share_take(const vb_cursor *cursor, vb_taker taker, uint64_t random, uint64_t *id) {
  share *own = &cursor->shares->of[taker.worker % WORKERS];
  bool ordered = cursor->order == VB_ORDER_SEQUENTIAL || cursor->order == VB_ORDER_SHUFFLED;
  bool found = !own->ended && (ordered ? take_in_order(cursor, taker, own, id)
                                       : take_at_random(cursor, taker, random, id));
  own->ended = !found;
  return found;
}

int vb_cursor_share_ended(const vb_cursor *cursor, uint32_t worker) {
  return cursor->shares && cursor->shares->of[worker % WORKERS].ended;
}
