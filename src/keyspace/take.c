/* Ids in order, each handed out once: claims, and those that exist or are missing. A worker takes a
 * run of up to 64 ids at a time into its reserve, and when nothing is left, what is in the reserves
 * of the others.
 *
 * A round of a cursor that wraps ends when every id of it has been handed out to an operation, and
 * none is in a reserve: the next one begins then, for all workers. A claim that is given up is
 * handed out once more, in the same round or, when that has ended, in the one that goes on. */
#include "keyspace/live.h"

#include "base/bits.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  BLOCK = 64, /* ids that are taken at once */
  PASSES = 8  /* in vain, before others' releases are left to the next operation */
};

static void lock_reserve(vb_reserve *own) {
  while (atomic_flag_test_and_set_explicit(&own->busy, memory_order_acquire)) {
  }
}

static void unlock_reserve(vb_reserve *own) {
  atomic_flag_clear_explicit(&own->busy, memory_order_release);
}

static uint64_t id_in_order(const vb_cursor *cursor, uint64_t position) {
  if (cursor->order == VB_ORDER_SHUFFLED) position = vb_permute(&cursor->permutation, position);
  return vb_cursor_id(cursor, position);
}

/* Takes the next id of a reserve. */
static bool pop(const vb_cursor *cursor, vb_reserve *own, uint64_t *id) {
  lock_reserve(own);
  bool found = own->mask != 0, is_id = own->ids;
  if (found) {
    *id = own->base + vb_bits_lowest(own->mask);
    own->mask &= own->mask - 1;
  }
  unlock_reserve(own);
  if (found && !is_id) *id = id_in_order(cursor, *id);
  return found;
}

/* What a reserve holds, `ids` as there. */
typedef struct batch {
  uint64_t base, mask;
  bool ids;
} batch;

static void put(struct vb_live *live, vb_reserve *own, batch got) {
  lock_reserve(own);
  own->base = got.base;
  own->mask = got.mask;
  own->ids = got.ids;
  unlock_reserve(own);
  (void)atomic_fetch_add(&live->filled, 1);
}

static batch empty(vb_reserve *own) {
  lock_reserve(own);
  batch got = {own->base, own->mask, own->ids};
  own->mask = 0;
  unlock_reserve(own);
  return got;
}

/* Ids that are owed */

/* Under the lock. What was owed before the tracker was cleared is nothing any more. */
static void forget_stale(struct vb_live *live) {
  unsigned now = vb_tracker_times_cleared(live->tracker);
  if (now != live->owed_since) atomic_store(&live->owed_count, 0);
  live->owed_since = now;
}

/* Under the lock. */
static void owe(struct vb_live *live, uint64_t id) {
  forget_stale(live);
  size_t count = atomic_load(&live->owed_count);
  if (count == live->owed_capacity) {
    size_t capacity = count ? 2 * count : 64;
    uint64_t *larger = realloc(live->owed, capacity * sizeof *larger);
    if (!larger) {
      (void)fprintf(stderr, "vbench: out of memory: %zu claims that were given up\n", capacity);
      exit(1);
    }
    live->owed = larger;
    live->owed_capacity = capacity;
  }
  live->owed[count] = id;
  atomic_store(&live->owed_count, count + 1);
}

static bool take_owed(const vb_cursor *cursor, vb_reserve *own) {
  struct vb_live *live = cursor->live;
  if (!cursor->wraps || VB_LIKELY(!atomic_load(&live->owed_count))) return false;
  (void)pthread_mutex_lock(&live->lock);
  forget_stale(live);
  size_t count = atomic_load(&live->owed_count);
  if (count) {
    put(live, own, (batch){live->owed[count - 1], 1, true});
    atomic_store(&live->owed_count, count - 1);
  }
  (void)pthread_mutex_unlock(&live->lock);
  return count != 0;
}

/* More ids */

/* Whether its positions are bits of the map in a row. */
static bool is_plain(const vb_cursor *cursor) {
  return cursor->is_range && cursor->order == VB_ORDER_SEQUENTIAL && !cursor->claims &&
         cursor->filter == VB_PRESENCE_EXISTING;
}

/* The next position that is worth a look: runs of ids that do not exist are left out. */
static uint64_t skip(const vb_cursor *cursor, uint64_t position) {
  if (!is_plain(cursor) || position >= cursor->count) return position;
  uint64_t last = cursor->first + cursor->count;
  return vb_bitmap_next_set(cursor->live->exists, cursor->first + position, last) - cursor->first;
}

/* How many ids a worker takes ahead. One that draws more than was expected takes each by itself. */
static unsigned ahead_of(const vb_reserve *own) {
  if (!own->expects || own->expected >= BLOCK) return BLOCK;
  return own->expected ? (unsigned)own->expected : 1;
}

/* Up to `most` positions that nobody else gets; false when all have been handed out. */
static bool take_block(const vb_cursor *cursor, unsigned most, uint64_t *base) {
  atomic_uint_least64_t *shared = &cursor->live->position;
  uint64_t position = atomic_load(shared);
  do {
    *base = skip(cursor, position);
    if (*base >= cursor->count) return false;
  } while (!atomic_compare_exchange_weak(shared, &position, *base + most));
  return true;
}

/* Which of up to BLOCK positions in a row exist: what two words of the map hold of them. */
static uint64_t existing_from(const vb_cursor *cursor, unsigned most, uint64_t base) {
  const vb_bitmap *exists = cursor->live->exists;
  uint64_t id = cursor->first + base, left = cursor->count - base;
  unsigned into = (unsigned)(id % 64);
  uint64_t bits = vb_bitmap_word(exists, id) >> into;
  if (into) bits |= vb_bitmap_word(exists, id + BLOCK - into) << (BLOCK - into);
  return bits & vb_bits_between(0, left < most ? (unsigned)left : most);
}

/* Which of the positions from `base` on are handed out; claims them. */
static uint64_t look_at(const vb_cursor *cursor, unsigned most, uint64_t base) {
  const struct vb_live *live = cursor->live;
  if (is_plain(cursor)) return existing_from(cursor, most, base);
  uint64_t mask = 0;
  for (unsigned i = 0; i < most && base + i < cursor->count; i++) {
    uint64_t id = id_in_order(cursor, base + i);
    bool mine = cursor->claims ? vb_tracker_claim(live->tracker, id) != 0
                               : vb_live_fits(live, cursor->filter, id);
    mask |= (uint64_t)mine << i;
  }
  return mask;
}

static bool refill(const vb_cursor *cursor, vb_reserve *own) {
  struct vb_live *live = cursor->live;
  batch got = {.ids = live->by_words};
  unsigned most = ahead_of(own);
  if (live->by_words) {
    if (!vb_tracker_claim_next(live->tracker, live->claims, most, &got.base, &got.mask))
      return false;
    put(live, own, got);
    return true;
  }
  while (!got.mask) {
    if (!take_block(cursor, most, &got.base)) return false;
    got.mask = look_at(cursor, most, got.base);
  }
  put(live, own, got);
  return true;
}

/* What another worker holds in reserve. */
static bool steal(const vb_cursor *cursor, vb_reserve *own) {
  struct vb_live *live = cursor->live;
  for (unsigned i = 0; i < atomic_load(&live->used) && i < VB_LIVE_RESERVES; i++) {
    vb_reserve *other = &live->reserves[i];
    if (other == own) continue;
    batch got = empty(other);
    if (!got.mask) continue;
    put(live, own, got);
    return true;
  }
  return false;
}

/* Rounds */

/* Ids that were given up between the last look and the end of the round. Under the lock. */
static void note_missed(void *context, uint64_t base, uint64_t mask) {
  for (; mask; mask &= mask - 1) owe(context, base + vb_bits_lowest(mask));
}

static void reopen_positions(const vb_cursor *cursor) {
  struct vb_live *live = cursor->live;
  for (uint64_t at = 0; at < cursor->count; at++) {
    uint64_t id = vb_cursor_id(cursor, at);
    if (!vb_tracker_reopen(live->tracker, id)) owe(live, id);
  }
}

/* The positions once more: what was removed behind them, or given up, is to be found. */
static void start_pass(struct vb_live *live) {
  live->mark = vb_bitmap_mark(vb_tracker_taken(live->tracker));
  atomic_store(&live->position, 0);
}

static void start_round(const vb_cursor *cursor) {
  struct vb_live *live = cursor->live;
  unsigned filled = atomic_load(&live->filled);
  /* Else there was something to claim after all, which another worker has. */
  if (live->by_words && !vb_tracker_claim_again(live->tracker, live->claims, note_missed, live))
    return;
  live->began = true;
  live->filled_before = filled;
  if (live->by_words) return;
  if (cursor->claims) reopen_positions(cursor);
  start_pass(live);
}

/* Nothing is left: whether all begins again, a pass or a round. A round in which nothing was handed
 * out is the last. */
static bool begin_again(const vb_cursor *cursor) {
  struct vb_live *live = cursor->live;
  bool by_position = cursor->claims && !live->by_words;
  if (cursor->wraps && atomic_load(&live->owed_count)) return true;
  if (by_position && vb_bitmap_cleared_since(vb_tracker_taken(live->tracker), live->mark))
    start_pass(live);
  else if (cursor->wraps && !(live->began && live->filled_before == atomic_load(&live->filled)))
    start_round(cursor);
  else
    return false;
  (void)atomic_fetch_add(&live->round, 1);
  return true;
}

/* The same, unless another worker has done so since `round`. */
static bool turn(const vb_cursor *cursor, unsigned round) {
  struct vb_live *live = cursor->live;
  (void)pthread_mutex_lock(&live->lock);
  bool goes_on = atomic_load(&live->round) != round || begin_again(cursor);
  (void)pthread_mutex_unlock(&live->lock);
  return goes_on;
}

/* One look for ids, wherever they are. */
static bool look(const vb_cursor *cursor, vb_reserve *own) {
  struct vb_live *live = cursor->live;
  (void)atomic_fetch_add(&live->looking, 1);
  bool found = take_owed(cursor, own) || refill(cursor, own) || steal(cursor, own);
  (void)atomic_fetch_sub(&live->looking, 1);
  return found;
}

/* Gets more ids. What another worker is about to put into its reserve may be the last ones: only
 * when nobody is, and none was put anywhere meanwhile, is the round over. */
static bool get_more(const vb_cursor *cursor, vb_reserve *own) {
  struct vb_live *live = cursor->live;
  for (int passes = 0; passes < PASSES;) {
    unsigned before = atomic_load(&live->filled), round = atomic_load(&live->round);
    if (look(cursor, own)) return true;
    while (atomic_load(&live->looking)) (void)sched_yield(); /* others look once, and wait here */
    if (atomic_load(&live->filled) != before) continue;
    if (!turn(cursor, round)) return false;
    passes += atomic_load(&live->filled) == before;
  }
  return false;
}

int vb_live_take_next(const vb_cursor *cursor, uint32_t worker, uint64_t *id) {
  vb_reserve *own = vb_live_reserve(cursor, worker);
  do {
    while (pop(cursor, own, id))
      if (cursor->claims || vb_live_fits(cursor->live, cursor->filter, *id)) {
        own->expected -= own->expected > 0;
        return 1;
      }
  } while (get_more(cursor, own));
  return 0;
}

void vb_cursor_expect(const vb_cursor *cursor, uint32_t worker, uint64_t draws) {
  if (cursor->live) vb_live_reserve(cursor, worker)->expected += draws;
}

void vb_cursor_expect_anew(const vb_cursor *cursor, uint32_t worker) {
  if (!cursor->live) return;
  vb_reserve *own = vb_live_reserve(cursor, worker);
  own->expects = true;
  own->expected = 0;
}

/* A claim that was not used: found again in the bitmap, unless the round has ended that it was
 * handed out in. */
void vb_cursor_release(const vb_cursor *cursor, uint64_t id) {
  struct vb_live *live = cursor->live;
  if (vb_tracker_release(live->tracker, id) || !cursor->wraps) return;
  (void)pthread_mutex_lock(&live->lock);
  owe(live, id);
  (void)pthread_mutex_unlock(&live->lock);
}

void vb_cursor_give_back(const vb_cursor *cursor, uint32_t worker) {
  struct vb_live *live = cursor->live;
  if (!live) return;
  live->reserves[worker % VB_LIVE_RESERVES].expects = false;
  (void)atomic_fetch_add(&live->looking, 1); /* no round ends over what is in no reserve now */
  batch got = empty(&live->reserves[worker % VB_LIVE_RESERVES]);
  for (; cursor->claims && got.mask; got.mask &= got.mask - 1) {
    uint64_t at = got.base + vb_bits_lowest(got.mask);
    vb_cursor_release(cursor, got.ids ? at : id_in_order(cursor, at));
  }
  (void)atomic_fetch_add(&live->filled, 1); /* others look again before they end it */
  (void)atomic_fetch_sub(&live->looking, 1);
}
