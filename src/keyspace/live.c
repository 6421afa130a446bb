/* Cursors that look at the tracker: what their workers share, and ids that are drawn at random
 * among those that exist or are missing while others change that. */
#include "keyspace/live.h"

#include <stdlib.h>
#include <string.h>

enum {
  FEW_PROBES = 4, /* draws before ids are found by rank, where that has just been in vain */
  REFRESH = 64,   /* draws for which a count of ids is good enough */
  RANKED_TRIES = 64,
  COUNTED = 1 << 16 /* ids of a filter that are looked at one by one, to draw evenly */
};

static struct vb_live *make(const vb_cursor *cursor, vb_tracker *tracker, bool whole) {
  struct vb_live *live = aligned_alloc(VB_CACHE_LINE, sizeof *live);
  if (!live) return NULL;
  *live = (struct vb_live){.tracker = tracker, .exists = vb_tracker_existing(tracker)};
  (void)pthread_mutex_init(&live->lock, NULL);
  live->by_words = cursor->claims && cursor->is_range && cursor->order == VB_ORDER_SEQUENTIAL;
  live->shared = live->by_words && whole;
  live->mark = vb_bitmap_mark(vb_tracker_taken(tracker));
  live->reserves = aligned_alloc(VB_CACHE_LINE, VB_LIVE_RESERVES * sizeof *live->reserves);
  if (live->reserves) memset(live->reserves, 0, VB_LIVE_RESERVES * sizeof *live->reserves);
  if (live->by_words && !whole)
    live->claims = vb_claims_new(cursor->first, cursor->first + cursor->count);
  if (live->reserves && (!live->by_words || whole || live->claims)) return live;
  vb_live_destroy(live);
  return NULL;
}

/* All that claim the whole keyspace in order have one: what one of them holds, others may take. */
int vb_live_new(vb_cursor *cursor, vb_error *err) {
  vb_tracker *tracker = NULL;
  int status = vb_keyspace_track(cursor->keyspace, &tracker, err);
  if (!status && cursor->filter != VB_PRESENCE_EXISTING)
    status = vb_keyspace_bar_others(cursor->keyspace, err);
  if (status) return status;
  bool whole = cursor->count == vb_keyspace_size(cursor->keyspace);
  struct vb_live **common = vb_keyspace_live(cursor->keyspace), *live = *common;
  bool shares = cursor->claims && cursor->is_range && cursor->order == VB_ORDER_SEQUENTIAL && whole;
  if (!shares || !live) live = make(cursor, tracker, whole);
  if (!live)
    return vb_fail(err, VB_ENOMEM, "cursor of keyspace '%s': out of memory",
                   vb_keyspace_name(cursor->keyspace));
  cursor->shares_live = live->shared;
  if (live->shared) *common = live;
  if (cursor->claims) vb_tracker_go_round(tracker, cursor->wraps);
  cursor->live = live;
  return VB_OK;
}

void vb_live_destroy(struct vb_live *live) {
  if (!live) return;
  vb_claims_free(live->claims);
  (void)pthread_mutex_destroy(&live->lock);
  free(live->owed);
  free(live->reserves);
  free(live);
}

vb_reserve *vb_live_reserve(const vb_cursor *cursor, uint32_t worker) {
  struct vb_live *live = cursor->live;
  vb_reserve *own = &live->reserves[worker % VB_LIVE_RESERVES];
  if (VB_LIKELY(own->known)) return own;
  own->known = true;
  own->probes = VB_LIVE_PROBES;
  unsigned used = atomic_load(&live->used);
  while (used <= worker && !atomic_compare_exchange_weak(&live->used, &used, worker + 1)) {
  }
  return own;
}

bool vb_live_fits(const struct vb_live *live, int filter, uint64_t id) {
  if (filter == VB_PRESENCE_EXISTING) return vb_tracker_exists(live->tracker, id);
  return vb_tracker_is_missing(live->tracker, id);
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
static const vb_distribution *moving_shape(const vb_cursor *cursor, vb_reserve *own) {
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
static uint64_t count_fitting(const vb_cursor *cursor, int filter, vb_reserve *own, bool anew) {
  const struct vb_live *live = cursor->live;
  uint64_t first = cursor->first, last = first + cursor->count;
  if (filter == VB_PRESENCE_MISSING)
    return cursor->count - vb_bitmap_count_range(vb_tracker_present(live->tracker), first, last);
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
  const vb_bitmap *bitmap = existing ? live->exists : vb_tracker_present(live->tracker);
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
static int draw_ranked(const vb_cursor *cursor, int filter, vb_reserve *own, vb_rng *rng,
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
              : vb_bitmap_select_unset(vb_tracker_present(live->tracker), first, last, rank);
    if (*id < last && vb_live_fits(live, filter, *id)) return 1;
  }
  return find_fitting(cursor, filter, rng, id);
}

/* From position `start` on, round all: the one with `skipped` fitting ones before it. */
static bool walk(const vb_cursor *cursor, int filter, uint64_t start, uint64_t skipped,
                 uint64_t *id) {
  for (uint64_t i = 0; i < cursor->count; i++) {
    uint64_t at = start + i < cursor->count ? start + i : start + i - cursor->count;
    *id = vb_cursor_id(cursor, at);
    if (vb_live_fits(cursor->live, filter, *id) && !skipped--) return true;
  }
  return false;
}

/* The ids of other filters have no ranks among those that exist: they are looked at one by one. */
static int draw_walking(const vb_cursor *cursor, int filter, vb_rng *rng, uint64_t *id) {
  uint64_t count = 0;
  if (cursor->count > COUNTED)
    return walk(cursor, filter, vb_below(vb_rng_next(rng), cursor->count), 0, id);
  for (uint64_t at = 0; at < cursor->count; at++)
    count += vb_live_fits(cursor->live, filter, vb_cursor_id(cursor, at));
  return count && walk(cursor, filter, 0, vb_below(vb_rng_next(rng), count), id);
}

/* Whether the ids of the filter have ranks in a bitmap. */
static bool has_ranks(const vb_cursor *cursor, int filter) {
  return cursor->is_range &&
         (filter == VB_PRESENCE_EXISTING || vb_tracker_ranks_missing(cursor->live->tracker));
}

/* Draws until one passes the filter, which keeps the distribution among those that do; where they
 * are rare, by rank. */
static int draw_fitting(const vb_cursor *cursor, uint32_t worker, uint64_t random, uint64_t *id) {
  vb_reserve *own = vb_live_reserve(cursor, worker);
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
    if (!vb_live_fits(cursor->live, filter, *id)) continue;
    own->probes = VB_LIVE_PROBES;
    return 1;
  }
  own->probes = FEW_PROBES;
  return has_ranks(cursor, filter) ? draw_ranked(cursor, filter, own, &rng, id)
                                   : draw_walking(cursor, filter, &rng, id);
}

int vb_cursor_take(const vb_cursor *cursor, vb_taker taker, uint64_t index, uint64_t random,
                   uint64_t *id) {
  uint32_t worker = taker.worker;
  if (index >= cursor->end) return 0;
  if (cursor->shares) return vb_share_take(cursor, taker, random, id);
  if (!cursor->live) return vb_cursor_draw(cursor, index, random, id);
  bool ordered = cursor->order == VB_ORDER_SEQUENTIAL || cursor->order == VB_ORDER_SHUFFLED;
  if (cursor->claims || ordered) return vb_live_take_next(cursor, worker, id);
  return draw_fitting(cursor, worker, random, id);
}
