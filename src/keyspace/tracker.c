#include "keyspace/tracker.h"

#include "base/bits.h"
#include "base/random.h"
#include "keyspace/sorted.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FILTER_WORDS = 64 };

/* Ids of unknown outcome, sorted. There are few, or the run has failed anyway. */
typedef struct unknown_ids {
  pthread_mutex_t lock;
  uint64_t *ids;
  size_t capacity;
  _Atomic size_t count; /* read without the lock to see that there are none */
  /* One bit for all ids of a hash: what has none is known, and looked up without the lock. Bits are
   * cleared when there are no unknown ids any more. */
  _Atomic uint64_t filter[FILTER_WORDS];
} unknown_ids;

struct vb_tracker {
  vb_bitmap *existing, *taken; /* one and the same until the tracker is split */
  vb_bitmap *barred;           /* taken for good; NULL: none */
  bool in_rounds;              /* `taken` says what this round of claims has handed out, no more */
  atomic_uint cleared;
  char *name;
  vb_claims *claims;
  int (*protects)(const void *set, uint64_t id);
  const void *protected_set;
  _Atomic uint64_t skipped;
  unknown_ids unknown;
};

int vb_tracker_new(vb_tracker **out, const char *name, uint64_t size, uint64_t max_size,
                   vb_error *err) {
  vb_tracker *tracker = calloc(1, sizeof *tracker);
  if (!tracker) return vb_fail(err, VB_ENOMEM, "keyspace '%s': out of memory", name);
  (void)pthread_mutex_init(&tracker->unknown.lock, NULL);
  vb_error inner = {0};
  int status = vb_bitmap_new(&tracker->existing, size, max_size, &inner);
  if (status) {
    vb_tracker_free(tracker);
    return vb_fail(err, status, "keyspace '%s': %s", name, inner.text);
  }
  tracker->taken = tracker->existing;
  tracker->name = strdup(name);
  tracker->claims = vb_claims_new(0, max_size);
  if (!tracker->name || !tracker->claims) {
    vb_tracker_free(tracker);
    return vb_fail(err, VB_ENOMEM, "keyspace '%s': out of memory", name);
  }
  *out = tracker;
  return VB_OK;
}

void vb_tracker_free(vb_tracker *tracker) {
  if (!tracker) return;
  if (tracker->taken != tracker->existing) vb_bitmap_free(tracker->taken);
  vb_bitmap_free(tracker->existing);
  vb_bitmap_free(tracker->barred);
  vb_claims_free(tracker->claims);
  (void)pthread_mutex_destroy(&tracker->unknown.lock);
  free(tracker->unknown.ids);
  free(tracker->name);
  free(tracker);
}

const char *vb_tracker_name(const vb_tracker *tracker) {
  return tracker->name;
}

const vb_bitmap *vb_tracker_existing(const vb_tracker *tracker) {
  return tracker->existing;
}

vb_bitmap *vb_tracker_taken(vb_tracker *tracker) {
  return tracker->taken;
}

int vb_tracker_is_split(const vb_tracker *tracker) {
  return tracker->taken != tracker->existing;
}

static void copy_bits(vb_bitmap *to, const vb_bitmap *from) {
  uint64_t words[VB_BITMAP_WORDS], size = vb_bitmap_size(from);
  for (uint64_t first = 0; first < size; first += VB_BITMAP_BLOCK) {
    if (!vb_bitmap_copy_block(from, first / VB_BITMAP_BLOCK, words)) continue;
    for (uint64_t i = 0; i < VB_BITMAP_WORDS; i++)
      if (words[i]) (void)vb_bitmap_add_few(to, first + 64 * i, words[i]);
  }
}

int vb_tracker_split(vb_tracker *tracker, vb_error *err) {
  if (vb_tracker_is_split(tracker)) return VB_OK;
  vb_bitmap *taken = NULL;
  vb_error inner = {0};
  const vb_bitmap *existing = tracker->existing;
  int status = vb_bitmap_new(&taken, vb_bitmap_size(existing), vb_bitmap_max(existing), &inner);
  if (status) return vb_fail(err, status, "keyspace '%s': %s", tracker->name, inner.text);
  copy_bits(taken, existing);
  unknown_ids *unknown = &tracker->unknown;
  for (size_t i = 0; i < atomic_load(&unknown->count); i++)
    (void)vb_bitmap_remove(tracker->existing, unknown->ids[i]);
  tracker->taken = taken;
  return VB_OK;
}

/* Rounds are over: what they have handed out is taken no more, unless it exists or may. */
static void take_what_exists(vb_tracker *tracker) {
  uint64_t max = vb_bitmap_max(tracker->existing);
  (void)vb_bitmap_remove_others(tracker->taken, tracker->barred, 0, max);
  copy_bits(tracker->taken, tracker->existing);
  const unknown_ids *unknown = &tracker->unknown;
  for (size_t i = 0; i < atomic_load(&unknown->count); i++)
    (void)vb_bitmap_add(tracker->taken, unknown->ids[i]);
}

void vb_tracker_go_round(vb_tracker *tracker, int rounds) {
  if (!vb_tracker_is_split(tracker)) return;
  if (tracker->in_rounds && !rounds) take_what_exists(tracker);
  tracker->in_rounds = rounds != 0;
}

/* What exists is taken: not in rounds, in which each id has its turn. */
static bool takes_existing(const vb_tracker *tracker) {
  return vb_tracker_is_split(tracker) && !tracker->in_rounds;
}

int vb_tracker_bar(vb_tracker *tracker, vb_error *err) {
  int status = vb_tracker_split(tracker, err);
  vb_error inner = {0};
  uint64_t max = vb_bitmap_max(tracker->existing);
  if (!status && !tracker->barred) status = vb_bitmap_new(&tracker->barred, max, max, &inner);
  return status && *inner.text
             ? vb_fail(err, status, "keyspace '%s': %s", tracker->name, inner.text)
             : status;
}

int vb_tracker_is_barred(const vb_tracker *tracker) {
  return tracker->barred != NULL;
}

void vb_tracker_bar_few(vb_tracker *tracker, uint64_t base, uint64_t mask) {
  (void)vb_bitmap_add_few(tracker->barred, base, mask);
  (void)vb_bitmap_add_few(tracker->taken, base, mask);
}

static bool is_barred(const vb_tracker *tracker, uint64_t id) {
  return VB_UNLIKELY(tracker->barred != NULL) && vb_bitmap_test(tracker->barred, id);
}

/* Where an id is among the unknown ones, or would be. Under the lock. */
static size_t place_of(const unknown_ids *unknown, uint64_t id) {
  return vb_sorted_place(unknown->ids, atomic_load(&unknown->count), id);
}

static bool holds(const unknown_ids *unknown, size_t place, uint64_t id) {
  return place < atomic_load_explicit(&unknown->count, memory_order_relaxed) &&
         unknown->ids[place] == id;
}

static bool has_unknown(const vb_tracker *tracker) {
  return VB_UNLIKELY(atomic_load_explicit(&tracker->unknown.count, memory_order_relaxed) > 0);
}

static unsigned filter_place(uint64_t id) {
  return (unsigned)(vb_mix(id) % (64 * FILTER_WORDS));
}

/* False: it is not. True: look under the lock. */
static bool may_be_unknown(const vb_tracker *tracker, uint64_t id) {
  if (!has_unknown(tracker)) return false;
  unsigned place = filter_place(id);
  uint64_t word = atomic_load_explicit(&tracker->unknown.filter[place / 64], memory_order_acquire);
  return word >> place % 64 & 1;
}

/* The lock is no part of what is read, so a reader may take it. */
static unknown_ids *lock(const vb_tracker *tracker) {
  unknown_ids *unknown = &((vb_tracker *)(uintptr_t)tracker)->unknown;
  (void)pthread_mutex_lock(&unknown->lock);
  return unknown;
}

static void unlock(unknown_ids *unknown) {
  (void)pthread_mutex_unlock(&unknown->lock);
}

static bool is_unknown(const vb_tracker *tracker, uint64_t id) {
  unknown_ids *unknown = lock(tracker);
  bool found = holds(unknown, place_of(unknown, id), id);
  unlock(unknown);
  return found;
}

/* False when it was there, or memory is out: the bitmaps hold what matters of it all the same. */
static bool insert_unknown(unknown_ids *unknown, uint64_t id) {
  size_t count = atomic_load(&unknown->count), place = place_of(unknown, id);
  if (holds(unknown, place, id)) return false;
  if (count == unknown->capacity) {
    size_t capacity = count ? 2 * count : 16;
    uint64_t *ids = realloc(unknown->ids, capacity * sizeof *ids);
    if (!ids) return false;
    unknown->ids = ids;
    unknown->capacity = capacity;
  }
  memmove(unknown->ids + place + 1, unknown->ids + place, (count - place) * sizeof *unknown->ids);
  unknown->ids[place] = id;
  unsigned bit = filter_place(id);
  (void)atomic_fetch_or(&unknown->filter[bit / 64], 1ull << bit % 64);
  atomic_store(&unknown->count, count + 1);
  return true;
}

/* Takes the unknown ids of [first, last) from the list; returns how many. */
static uint64_t settle(vb_tracker *tracker, uint64_t first, uint64_t last) {
  unknown_ids *unknown = lock(tracker);
  size_t count = atomic_load(&unknown->count);
  size_t from = place_of(unknown, first), to = place_of(unknown, last);
  memmove(unknown->ids + from, unknown->ids + to, (count - to) * sizeof *unknown->ids);
  atomic_store(&unknown->count, count - (to - from));
  for (size_t i = 0; count == to - from && i < FILTER_WORDS; i++)
    atomic_store(&unknown->filter[i], 0);
  unlock(unknown);
  return to - from;
}

int vb_tracker_exists(const vb_tracker *tracker, uint64_t id) {
  if (!vb_bitmap_test(tracker->existing, id)) return 0;
  return !(may_be_unknown(tracker, id) && is_unknown(tracker, id));
}

/* Taken before it exists, and no more existing before it is free. */
int vb_tracker_add(vb_tracker *tracker, uint64_t id) {
  bool settled = may_be_unknown(tracker, id) && settle(tracker, id, id + 1);
  if (takes_existing(tracker)) (void)vb_bitmap_add(tracker->taken, id);
  return vb_bitmap_add(tracker->existing, id) || settled;
}

/* Its key is gone: it can be claimed. */
static void free_id(vb_tracker *tracker, uint64_t id) {
  if (takes_existing(tracker) && !is_barred(tracker, id))
    (void)vb_bitmap_remove(tracker->taken, id);
}

int vb_tracker_remove(vb_tracker *tracker, uint64_t id) {
  bool settled = may_be_unknown(tracker, id) && settle(tracker, id, id + 1);
  int changed = vb_bitmap_remove(tracker->existing, id);
  free_id(tracker, id);
  return changed && !settled;
}

void vb_tracker_add_few(vb_tracker *tracker, uint64_t base, uint64_t mask) {
  for (uint64_t bits = has_unknown(tracker) ? mask : 0; bits; bits &= bits - 1)
    (void)settle(tracker, base + vb_bits_lowest(bits), base + vb_bits_lowest(bits) + 1);
  if (takes_existing(tracker)) (void)vb_bitmap_add_few(tracker->taken, base, mask);
  (void)vb_bitmap_add_few(tracker->existing, base, mask);
}

uint64_t vb_tracker_add_range(vb_tracker *tracker, uint64_t first, uint64_t last) {
  uint64_t settled = has_unknown(tracker) && first < last ? settle(tracker, first, last) : 0;
  if (!vb_tracker_is_split(tracker))
    return vb_bitmap_add_range(tracker->existing, first, last) + settled;
  if (takes_existing(tracker)) (void)vb_bitmap_add_range(tracker->taken, first, last);
  return vb_bitmap_add_range(tracker->existing, first, last);
}

uint64_t vb_tracker_remove_range(vb_tracker *tracker, uint64_t first, uint64_t last) {
  uint64_t settled = has_unknown(tracker) && first < last ? settle(tracker, first, last) : 0;
  uint64_t changed = vb_bitmap_remove_range(tracker->existing, first, last);
  if (!vb_tracker_is_split(tracker)) return changed - settled;
  if (takes_existing(tracker))
    (void)vb_bitmap_remove_others(tracker->taken, tracker->barred, first, last);
  return changed;
}

uint64_t vb_tracker_clear(vb_tracker *tracker) {
  uint64_t max = vb_bitmap_max(tracker->existing);
  uint64_t existed = vb_tracker_remove_range(tracker, 0, max);
  if (tracker->in_rounds) (void)vb_bitmap_remove_others(tracker->taken, tracker->barred, 0, max);
  (void)atomic_fetch_add(&tracker->cleared, 1);
  vb_tracker_reset_cursor(tracker);
  return existed;
}

uint64_t vb_tracker_count_range(const vb_tracker *tracker, uint64_t first, uint64_t last) {
  uint64_t count = vb_bitmap_count_range(tracker->existing, first, last);
  if (!has_unknown(tracker) || vb_tracker_is_split(tracker) || first >= last) return count;
  unknown_ids *unknown = lock(tracker);
  size_t hidden = place_of(unknown, last) - place_of(unknown, first);
  unlock(unknown);
  return count > hidden ? count - hidden : 0; /* one may be listed before it has its bit */
}

uint64_t vb_tracker_count(const vb_tracker *tracker) {
  return vb_tracker_count_range(tracker, 0, vb_bitmap_max(tracker->existing));
}

uint64_t vb_tracker_size(const vb_tracker *tracker) {
  return vb_bitmap_size(tracker->existing);
}

double vb_tracker_density(const vb_tracker *tracker) {
  return (double)vb_tracker_count(tracker) / (double)vb_tracker_size(tracker);
}

int vb_tracker_claim(vb_tracker *tracker, uint64_t id) {
  return vb_bitmap_add(tracker->taken, id);
}

static vb_claims *own(vb_tracker *tracker, vb_claims *claims) {
  return claims ? claims : tracker->claims;
}

unsigned vb_tracker_claim_next(vb_tracker *tracker, vb_claims *claims, unsigned want,
                               uint64_t *base, uint64_t *mask) {
  return vb_bitmap_claim(tracker->taken, own(tracker, claims), want, base, mask);
}

int vb_tracker_claim_again(vb_tracker *tracker, vb_claims *claims,
                           void (*missed)(void *context, uint64_t base, uint64_t mask),
                           void *context) {
  vb_round_end how = {tracker->barred, missed, context};
  return vb_bitmap_claim_again(tracker->taken, own(tracker, claims), &how);
}

int vb_tracker_reopen(vb_tracker *tracker, uint64_t id) {
  return is_barred(tracker, id) || vb_bitmap_remove(tracker->taken, id);
}

unsigned vb_tracker_times_cleared(const vb_tracker *tracker) {
  return atomic_load(&tracker->cleared);
}

void vb_tracker_reset_cursor(vb_tracker *tracker) {
  vb_claims_reset(tracker->claims);
}

void vb_tracker_confirm(vb_tracker *tracker, uint64_t id) {
  if (vb_tracker_is_split(tracker) || may_be_unknown(tracker, id))
    (void)vb_tracker_add(tracker, id);
}

int vb_tracker_release(vb_tracker *tracker, uint64_t id) {
  if (vb_tracker_is_split(tracker)) return vb_bitmap_remove(tracker->taken, id);
  return vb_tracker_remove(tracker, id);
}

int vb_tracker_remove_begin(vb_tracker *tracker, uint64_t id) {
  if (tracker->protects && vb_tracker_is_protected(tracker, id)) {
    (void)atomic_fetch_add_explicit(&tracker->skipped, 1, memory_order_relaxed);
    return VB_REMOVAL_PROTECTED;
  }
  if (may_be_unknown(tracker, id) && is_unknown(tracker, id)) return VB_REMOVAL_ABSENT;
  return vb_bitmap_remove(tracker->existing, id) ? VB_REMOVAL_BEGUN : VB_REMOVAL_ABSENT;
}

void vb_tracker_remove_done(vb_tracker *tracker, uint64_t id) {
  free_id(tracker, id);
}

void vb_tracker_remove_failed(vb_tracker *tracker, uint64_t id) {
  (void)vb_bitmap_add(tracker->existing, id);
}

/* Taken, so that no claim gets it; where one bit means both, the list says that it is no key. */
void vb_tracker_unknown(vb_tracker *tracker, uint64_t id) {
  if (id >= vb_bitmap_max(tracker->existing)) return;
  unknown_ids *unknown = lock(tracker);
  (void)insert_unknown(unknown, id);
  (void)vb_bitmap_add(tracker->taken, id);
  if (vb_tracker_is_split(tracker)) (void)vb_bitmap_remove(tracker->existing, id);
  unlock(unknown);
}

int vb_tracker_is_missing(const vb_tracker *tracker, uint64_t id) {
  if (VB_LIKELY(!tracker->in_rounds)) return !vb_bitmap_test(tracker->taken, id);
  return !vb_bitmap_test(tracker->existing, id) && !is_barred(tracker, id);
}

const vb_bitmap *vb_tracker_present(const vb_tracker *tracker) {
  return tracker->in_rounds ? tracker->existing : tracker->taken;
}

int vb_tracker_ranks_missing(const vb_tracker *tracker) {
  return !(tracker->in_rounds && tracker->barred);
}

uint64_t vb_tracker_unknown_count(const vb_tracker *tracker) {
  return atomic_load(&tracker->unknown.count);
}

int vb_tracker_unknown_at(const vb_tracker *tracker, uint64_t index, uint64_t *id) {
  unknown_ids *unknown = lock(tracker);
  int found = index < atomic_load(&unknown->count);
  if (found) *id = unknown->ids[index];
  unlock(unknown);
  return found;
}

void vb_tracker_protect(vb_tracker *tracker, int (*contains)(const void *set, uint64_t id),
                        const void *set) {
  tracker->protects = contains;
  tracker->protected_set = set;
}

int vb_tracker_is_protected(const vb_tracker *tracker, uint64_t id) {
  return tracker->protects && tracker->protects(tracker->protected_set, id);
}

uint64_t vb_tracker_skipped_protected(const vb_tracker *tracker) {
  return atomic_load_explicit(&tracker->skipped, memory_order_relaxed);
}
