/* Cursors that look at the tracker: claims, and ids that exist or are missing while others change
 * that. Ordered ones hand out each id once: a worker takes a run of up to 64 ids at a time into its
 * reserve, and when nothing is left, what is in the reserves of the others. */
#include "keyspace/cursor_state.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
  RESERVES = 512, /* workers, at most */
  BLOCK = 64,     /* ids that are taken at once */
  PROBES = 32,    /* draws before ids are found by rank */
  FEW_PROBES = 4, /* the same where that has just been in vain */
  REFRESH = 64,   /* draws for which a count of ids is good enough */
  RANKED_TRIES = 64,
  ROUNDS = 3,
  COUNTED = 1 << 16 /* ids of a filter that are looked at one by one, to draw evenly */
};

/* A worker's own, but for base and mask, which others take under the lock. */
typedef struct reserve {
  _Alignas(VB_CACHE_LINE) atomic_flag busy;
  bool known;
  uint64_t base, mask; /* bit i: position base + i is to be handed out */
  uint32_t probes;
  uint32_t fresh;         /* draws for which `moving` is still good */
  uint32_t counted;       /* the same for `existing` */
  uint64_t existing;      /* ids of the range, for ranks */
  vb_distribution moving; /* over the ids up to the newest one */
} reserve;

struct vb_live {
  vb_tracker *tracker;
  const vb_bitmap *exists;
  vb_claims *claims; /* of a part of the keyspace; NULL: the tracker's own position */
  bool by_words;     /* claims of a whole range */
  reserve *reserves;
  _Alignas(VB_CACHE_LINE) atomic_uint_least64_t position;
  atomic_uint used;    /* reserves that may hold something */
  atomic_uint looking; /* workers that may have ids which are in no reserve yet */
  atomic_uint filled;  /* how often a reserve was filled */
};

int vb_live_new(struct vb_live **out, const vb_cursor *cursor, vb_error *err) {
  vb_tracker *tracker = NULL;
  int status = vb_keyspace_track(cursor->keyspace, &tracker, err);
  if (status) return status;
  struct vb_live *live = aligned_alloc(VB_CACHE_LINE, sizeof *live);
  if (!live) goto no_memory;
  *live = (struct vb_live){.tracker = tracker, .exists = vb_tracker_existing(tracker)};
  live->by_words = cursor->claims && cursor->is_range && cursor->order == VB_ORDER_SEQUENTIAL;
  live->reserves = aligned_alloc(VB_CACHE_LINE, RESERVES * sizeof *live->reserves);
  if (live->reserves) memset(live->reserves, 0, RESERVES * sizeof *live->reserves);
  bool whole = cursor->count == vb_keyspace_size(cursor->keyspace);
  if (live->by_words && !whole)
    live->claims = vb_claims_new(cursor->first, cursor->first + cursor->count);
  if (!live->reserves || (live->by_words && !whole && !live->claims)) {
    vb_live_free(live);
    goto no_memory;
  }
  *out = live;
  return VB_OK;
no_memory:
  return vb_fail(err, VB_ENOMEM, "cursor of keyspace '%s': out of memory",
                 vb_keyspace_name(cursor->keyspace));
}

void vb_live_free(struct vb_live *live) {
  if (!live) return;
  vb_claims_free(live->claims);
  free(live->reserves);
  free(live);
}

static void lock(reserve *own) {
  while (atomic_flag_test_and_set_explicit(&own->busy, memory_order_acquire)) {
  }
}

static void unlock(reserve *own) {
  atomic_flag_clear_explicit(&own->busy, memory_order_release);
}

static reserve *reserve_of(const vb_cursor *cursor, uint32_t worker) {
  struct vb_live *live = cursor->live;
  reserve *own = &live->reserves[worker % RESERVES];
  if (VB_LIKELY(own->known)) return own;
  own->known = true;
  own->probes = PROBES;
  unsigned used = atomic_load(&live->used);
  while (used <= worker && !atomic_compare_exchange_weak(&live->used, &used, worker + 1)) {
  }
  return own;
}

static bool fits(const struct vb_live *live, int filter, uint64_t id) {
  if (filter == VB_PRESENCE_EXISTING) return vb_tracker_exists(live->tracker, id);
  return !vb_bitmap_test(vb_tracker_taken(live->tracker), id);
}

static uint64_t id_in_order(const vb_cursor *cursor, uint64_t position) {
  if (cursor->order == VB_ORDER_SHUFFLED) position = vb_permute(&cursor->permutation, position);
  return vb_cursor_id(cursor, position);
}

static bool pop(reserve *own, uint64_t *position) {
  lock(own);
  bool found = own->mask != 0;
  if (found) {
    *position = own->base + (unsigned)__builtin_ctzll(own->mask);
    own->mask &= own->mask - 1;
  }
  unlock(own);
  return found;
}

static void put(struct vb_live *live, reserve *own, uint64_t base, uint64_t mask) {
  lock(own);
  own->base = base;
  own->mask = mask;
  unlock(own);
  (void)atomic_fetch_add(&live->filled, 1);
}

/* The next position that is worth a look: runs of ids that do not exist are left out. */
static uint64_t skip(const vb_cursor *cursor, uint64_t position) {
  bool plain = cursor->is_range && cursor->order == VB_ORDER_SEQUENTIAL && !cursor->claims &&
               cursor->filter == VB_PRESENCE_EXISTING;
  if (!plain || position >= cursor->count) return position;
  uint64_t last = cursor->first + cursor->count;
  return vb_bitmap_next_set(cursor->live->exists, cursor->first + position, last) - cursor->first;
}

/* Up to BLOCK positions that nobody else gets; false when all have been handed out. */
static bool take_block(const vb_cursor *cursor, uint64_t *base) {
  atomic_uint_least64_t *shared = &cursor->live->position;
  uint64_t position = atomic_load(shared);
  do {
    *base = skip(cursor, position);
    if (*base >= cursor->count) return false;
  } while (!atomic_compare_exchange_weak(shared, &position, *base + BLOCK));
  return true;
}

/* Which of the positions from `base` on are handed out; claims them. */
static uint64_t look_at(const vb_cursor *cursor, uint64_t base) {
  const struct vb_live *live = cursor->live;
  uint64_t mask = 0;
  for (unsigned i = 0; i < BLOCK && base + i < cursor->count; i++) {
    uint64_t id = id_in_order(cursor, base + i);
    bool mine =
        cursor->claims ? vb_tracker_claim(live->tracker, id) != 0 : fits(live, cursor->filter, id);
    mask |= (uint64_t)mine << i;
  }
  return mask;
}

static bool refill(const vb_cursor *cursor, reserve *own) {
  struct vb_live *live = cursor->live;
  uint64_t base, mask = 0;
  if (live->by_words) {
    if (!vb_tracker_claim_next(live->tracker, live->claims, BLOCK, &base, &mask)) return false;
    put(live, own, base - cursor->first, mask);
    return true;
  }
  while (!mask) {
    if (!take_block(cursor, &base)) return false;
    mask = look_at(cursor, base);
  }
  put(live, own, base, mask);
  return true;
}

/* What another worker holds in reserve. */
static bool steal(const vb_cursor *cursor, reserve *own) {
  struct vb_live *live = cursor->live;
  for (unsigned i = 0; i < atomic_load(&live->used) && i < RESERVES; i++) {
    reserve *other = &live->reserves[i];
    if (other == own) continue;
    lock(other);
    uint64_t base = other->base, mask = other->mask;
    other->mask = 0;
    unlock(other);
    if (!mask) continue;
    put(live, own, base, mask);
    return true;
  }
  return false;
}

/* Gets more ids. What another worker is about to put into its reserve may be the last ones: only
 * when nobody is, and none was put anywhere meanwhile, is it false. */
static bool get_more(const vb_cursor *cursor, reserve *own) {
  struct vb_live *live = cursor->live;
  for (;;) {
    unsigned before = atomic_load(&live->filled);
    (void)atomic_fetch_add(&live->looking, 1);
    bool found = refill(cursor, own) || steal(cursor, own);
    (void)atomic_fetch_sub(&live->looking, 1);
    if (found) return true;
    while (atomic_load(&live->looking)) { /* the others look once, and then wait here */
    }
    if (atomic_load(&live->filled) == before) return false;
  }
}

/* Starts over, unless another worker has done so. */
static void next_round(const vb_cursor *cursor) {
  struct vb_live *live = cursor->live;
  if (live->by_words) {
    vb_tracker_claim_again(live->tracker, live->claims);
    return;
  }
  uint64_t position = atomic_load(&live->position);
  if (position >= cursor->count || skip(cursor, position) >= cursor->count)
    (void)atomic_compare_exchange_strong(&live->position, &position, 0);
}

/* The next id of an order, or the next claim. */
static int take_next(const vb_cursor *cursor, uint32_t worker, uint64_t *id) {
  reserve *own = reserve_of(cursor, worker);
  for (int round = 0;;) {
    uint64_t position;
    if (pop(own, &position)) {
      *id = id_in_order(cursor, position);
      if (cursor->claims || fits(cursor->live, cursor->filter, *id)) return 1;
    } else if (!get_more(cursor, own)) {
      if (!cursor->wraps || ++round == ROUNDS) return 0;
      next_round(cursor);
    }
  }
}

/* The last id that exists. What was counted may be gone before it is looked for, or not be there
 * yet: then one before it, and at last any. The end of the range: none exists. */
static uint64_t newest_of(const vb_cursor *cursor) {
  const vb_bitmap *exists = cursor->live->exists;
  uint64_t first = cursor->first, last = first + cursor->count;
  for (uint64_t behind = 1; behind <= RANKED_TRIES; behind++) {
    uint64_t existing = vb_bitmap_count_range(exists, first, last);
    if (existing < behind) break;
    uint64_t newest = vb_bitmap_select(exists, first, last, existing - behind);
    if (newest < last) return newest;
  }
  return vb_bitmap_next_set(exists, first, last);
}

/* Exponential and latest begin at the newest id that exists: up to it. NULL: none exists. */
static const vb_distribution *moving_shape(const vb_cursor *cursor, reserve *own) {
  uint64_t first = cursor->first, last = first + cursor->count;
  if (own->fresh) {
    own->fresh--;
    return &own->moving;
  }
  uint64_t newest = newest_of(cursor);
  if (newest >= last) return NULL;
  own->fresh = REFRESH;
  vb_distribution_init(&own->moving, &cursor->distribution.spec, newest - first + 1);
  return &own->moving;
}

static bool moves(const vb_cursor *cursor, int filter) {
  int shape = cursor->distribution.spec.shape;
  return cursor->is_range && filter == VB_PRESENCE_EXISTING && cursor->order == VB_ORDER_DRAWN &&
         (shape == VB_SHAPE_EXPONENTIAL || shape == VB_SHAPE_LATEST);
}

/* How many ids of the range pass the filter, about. */
static uint64_t count_fitting(const vb_cursor *cursor, int filter, reserve *own, bool anew) {
  const struct vb_live *live = cursor->live;
  uint64_t first = cursor->first, last = first + cursor->count;
  if (filter == VB_PRESENCE_MISSING)
    return cursor->count - vb_bitmap_count_range(vb_tracker_taken(live->tracker), first, last);
  if (!own->counted || anew) {
    own->existing = vb_bitmap_count_range(live->exists, first, last);
    own->counted = REFRESH;
  }
  own->counted--;
  return own->existing;
}

/* The first that passes from a random place on, round the range. */
static int find_fitting(const vb_cursor *cursor, int filter, vb_rng *rng, uint64_t *id) {
  const struct vb_live *live = cursor->live;
  bool existing = filter == VB_PRESENCE_EXISTING;
  const vb_bitmap *bitmap = existing ? live->exists : vb_tracker_taken(live->tracker);
  uint64_t (*next)(const vb_bitmap *, uint64_t, uint64_t) =
      existing ? vb_bitmap_next_set : vb_bitmap_next_unset;
  uint64_t first = cursor->first, last = first + cursor->count;
  uint64_t start = first + vb_below(vb_rng_next(rng), cursor->count);
  *id = next(bitmap, start, last);
  if (*id >= last) *id = next(bitmap, first, last);
  return *id < last;
}

/* By rank among the ids of the range that pass: with the cursor's shape over them. What was counted
 * may be gone before it is looked for; only where none is found there is none. */
static int draw_ranked(const vb_cursor *cursor, int filter, reserve *own, vb_rng *rng,
                       uint64_t *id) {
  const struct vb_live *live = cursor->live;
  uint64_t first = cursor->first, last = first + cursor->count;
  for (int i = 0; i < RANKED_TRIES; i++) {
    uint64_t count = count_fitting(cursor, filter, own, i > 0);
    if (!count) continue;
    uint64_t rank = vb_below(vb_rng_next(rng), count);
    if (cursor->order == VB_ORDER_DRAWN) {
      vb_distribution shape;
      vb_distribution_init(&shape, &cursor->distribution.spec, count);
      rank = vb_distribution_draw(&shape, vb_rng_next(rng));
    }
    *id = filter == VB_PRESENCE_EXISTING
              ? vb_bitmap_select(live->exists, first, last, rank)
              : vb_bitmap_select_unset(vb_tracker_taken(live->tracker), first, last, rank);
    if (*id < last && fits(live, filter, *id)) return 1;
  }
  return find_fitting(cursor, filter, rng, id);
}

/* From position `start` on, round all: the one with `skipped` fitting ones before it. */
static bool walk(const vb_cursor *cursor, int filter, uint64_t start, uint64_t skipped,
                 uint64_t *id) {
  for (uint64_t i = 0; i < cursor->count; i++) {
    uint64_t at = start + i < cursor->count ? start + i : start + i - cursor->count;
    *id = vb_cursor_id(cursor, at);
    if (fits(cursor->live, filter, *id) && !skipped--) return true;
  }
  return false;
}

/* The ids of other filters have no ranks among those that exist: they are looked at one by one. */
static int draw_walking(const vb_cursor *cursor, int filter, vb_rng *rng, uint64_t *id) {
  uint64_t count = 0;
  if (cursor->count > COUNTED)
    return walk(cursor, filter, vb_below(vb_rng_next(rng), cursor->count), 0, id);
  for (uint64_t at = 0; at < cursor->count; at++)
    count += fits(cursor->live, filter, vb_cursor_id(cursor, at));
  return count && walk(cursor, filter, 0, vb_below(vb_rng_next(rng), count), id);
}

/* Draws until one passes the filter, which keeps the distribution among those that do; where they
 * are rare, by rank. */
static int draw_fitting(const vb_cursor *cursor, uint32_t worker, uint64_t random, uint64_t *id) {
  reserve *own = reserve_of(cursor, worker);
  vb_rng rng = {random};
  int filter = cursor->filter;
  if (filter == VB_PRESENCE_RATIO)
    filter =
        vb_unit(vb_rng_next(&rng)) < cursor->ratio ? VB_PRESENCE_EXISTING : VB_PRESENCE_MISSING;
  const vb_distribution *shape = cursor->order == VB_ORDER_DRAWN ? &cursor->distribution : NULL;
  if (moves(cursor, filter) && !(shape = moving_shape(cursor, own))) return 0;
  for (uint32_t i = 0; i < own->probes; i++) {
    uint64_t one = vb_rng_next(&rng);
    *id = vb_cursor_id(cursor,
                       shape ? vb_distribution_draw(shape, one) : vb_below(one, cursor->count));
    if (!fits(cursor->live, filter, *id)) continue;
    own->probes = PROBES;
    return 1;
  }
  own->probes = FEW_PROBES;
  return cursor->is_range ? draw_ranked(cursor, filter, own, &rng, id)
                          : draw_walking(cursor, filter, &rng, id);
}

int vb_cursor_take(const vb_cursor *cursor, uint32_t worker, uint64_t index, uint64_t random,
                   uint64_t *id) {
  if (!cursor->live) return vb_cursor_draw(cursor, index, random, id);
  if (index >= cursor->end) return 0;
  bool ordered = cursor->order == VB_ORDER_SEQUENTIAL || cursor->order == VB_ORDER_SHUFFLED;
  if (cursor->claims || ordered) return take_next(cursor, worker, id);
  return draw_fitting(cursor, worker, random, id);
}

void vb_cursor_give_back(const vb_cursor *cursor, uint32_t worker) {
  struct vb_live *live = cursor->live;
  if (!live) return;
  reserve *own = &live->reserves[worker % RESERVES];
  lock(own);
  uint64_t base = own->base, mask = own->mask;
  own->mask = 0;
  unlock(own);
  for (; cursor->claims && mask; mask &= mask - 1)
    vb_tracker_release(live->tracker, id_in_order(cursor, base + (unsigned)__builtin_ctzll(mask)));
}
