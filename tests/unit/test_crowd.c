/* keyspace/tracker under all its users at once: readers, writers, claimers, range operations,
 * snapshots, set algebra and counts. The thread sanitizer watches, and at the end every id is what
 * its owner left it as. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/random.h"
#include "keyspace/refset.h"

/* The ids: those of a writer are each third in [0, WRITTEN), the others ranges, whose ends are
 * inside of words that two of them share. */
enum {
  WRITERS = 3,
  CLAIMERS = 3,
  RANGERS = 2,
  WRITTEN = 100001,
  CLAIMED = WRITTEN + 150003,
  RANGED = CLAIMED + RANGERS * 70007,
  FIXED = RANGED + 66005, /* exist all the time */
  SIZE = FIXED + 30000,   /* never do */
  STEPS = 4000
};

typedef struct crowd {
  vb_tracker *tracker;
  vb_claims *claims;
  bool *existing;         /* what each id is to be in the end; written by its owner */
  unsigned char *claimed; /* how often; written by the claimer */
  atomic_int busy;
  atomic_int wrong; /* what a thread saw that cannot be */
} crowd;

typedef struct member {
  crowd *all;
  uint64_t number; /* among those who do the same */
} member;

static void must(int status) {
  if (status) abort(); /* memory is out; cmocka's own words are for its thread */
}

static void see(crowd *all, bool right) {
  if (!right) (void)atomic_fetch_add(&all->wrong, 1);
}

/* One step of a writer with an id of its own: all ways to make it exist or not. */
static void write_id(crowd *all, uint64_t id, uint64_t random) {
  vb_tracker *tracker = all->tracker;
  bool existed = all->existing[id];
  see(all, vb_tracker_exists(tracker, id) == existed);
  switch (random % 5) {
  case 0: see(all, vb_tracker_add(tracker, id) == !existed); break;
  case 1: see(all, vb_tracker_remove(tracker, id) == existed); break;
  case 2: {
    int removal = vb_tracker_remove_begin(tracker, id);
    see(all, removal == (existed ? VB_REMOVAL_BEGUN : VB_REMOVAL_ABSENT));
    if (existed) vb_tracker_remove_done(tracker, id);
    break;
  }
  case 3:
    if (vb_tracker_remove_begin(tracker, id) == VB_REMOVAL_BEGUN)
      vb_tracker_remove_failed(tracker, id);
    break;
  default:
    vb_tracker_unknown(tracker, id);
    see(all, !vb_tracker_exists(tracker, id));
    (void)vb_tracker_add(tracker, id);
  }
  uint64_t way = random % 5;
  all->existing[id] = way == 3 ? existed : way == 0 || way == 4;
}

static void *write_ids(void *argument) {
  crowd *all = ((member *)argument)->all;
  uint64_t number = ((member *)argument)->number;
  vb_rng rng = {number};
  for (int i = 0; i < 5 * STEPS; i++) {
    uint64_t id = vb_below(vb_rng_next(&rng), WRITTEN / WRITERS) * WRITERS + number;
    write_id(all, id, vb_rng_next(&rng));
  }
  (void)atomic_fetch_sub(&all->busy, 1);
  return NULL;
}

/* Gives every fourth claim back, so that passes begin again. */
static void *claim_ids(void *argument) {
  crowd *all = ((member *)argument)->all;
  unsigned want = 1;
  uint64_t base, mask;
  while (vb_tracker_claim_next(all->tracker, all->claims, want, &base, &mask)) {
    want = want % 64 + 1;
    if (want % 4 == 0) {
      for (; mask; mask &= mask - 1) vb_tracker_release(all->tracker, base + vb_bits_lowest(mask));
      continue;
    }
    for (; mask; mask &= mask - 1) {
      uint64_t id = base + vb_bits_lowest(mask);
      all->claimed[id]++;
      vb_tracker_confirm(all->tracker, id);
      all->existing[id] = true;
    }
  }
  (void)atomic_fetch_sub(&all->busy, 1);
  return NULL;
}

static uint64_t count_of(const bool *existing, uint64_t first, uint64_t last) {
  uint64_t count = 0;
  for (uint64_t id = first; id < last; id++) count += existing[id];
  return count;
}

static void *change_ranges(void *argument) {
  crowd *all = ((member *)argument)->all;
  uint64_t share = (RANGED - CLAIMED) / RANGERS;
  uint64_t start = CLAIMED + ((member *)argument)->number * share;
  vb_rng rng = {start};
  for (int i = 0; i < STEPS / 40; i++) {
    uint64_t first = start + vb_below(vb_rng_next(&rng), share), span = vb_rng_next(&rng) % 40000;
    uint64_t last = first + span < start + share ? first + span : start + share;
    uint64_t count = count_of(all->existing, first, last);
    bool adds = vb_rng_next(&rng) % 2;
    see(all, vb_tracker_count_range(all->tracker, first, last) == count);
    if (adds)
      see(all, vb_tracker_add_range(all->tracker, first, last) == last - first - count);
    else
      see(all, vb_tracker_remove_range(all->tracker, first, last) == count);
    memset(all->existing + first, adds, last - first);
  }
  (void)atomic_fetch_sub(&all->busy, 1);
  return NULL;
}

/* Until the others are through: what must hold at any time of what they do not write to. */
static void *read_ids(void *argument) {
  crowd *all = ((member *)argument)->all;
  const vb_bitmap *existing = vb_tracker_existing(all->tracker);
  vb_rng rng = {99};
  while (atomic_load(&all->busy)) {
    uint64_t fixed = RANGED + vb_below(vb_rng_next(&rng), FIXED - RANGED);
    see(all, vb_tracker_exists(all->tracker, fixed));
    see(all, !vb_tracker_exists(all->tracker, FIXED + fixed - RANGED));
    see(all, vb_bitmap_next_set(existing, fixed, SIZE) == fixed);
    see(all, vb_bitmap_next_unset(existing, fixed, SIZE) == FIXED);
    see(all, vb_bitmap_select(existing, RANGED, FIXED, fixed - RANGED) == fixed);
    uint64_t any = vb_bitmap_select(existing, 0, CLAIMED, fixed / 4);
    see(all, any <= CLAIMED);
    see(all, vb_tracker_count_range(all->tracker, RANGED, SIZE) == FIXED - RANGED);
    see(all, vb_tracker_count(all->tracker) <= FIXED && vb_tracker_density(all->tracker) <= 1);
    (void)vb_tracker_unknown_count(all->tracker);
  }
  return NULL;
}

/* The sets that two snapshots make have the sizes of sets. */
static void compare(crowd *all, const vb_snapshot *a, const vb_snapshot *b,
                    const vb_refset *fixed) {
  vb_refset *added = NULL, *there = NULL, *both = NULL;
  uint64_t uni = vb_snapshot_combined_count(VB_SET_UNION, a, b);
  uint64_t inter = vb_snapshot_combined_count(VB_SET_INTERSECTION, a, b);
  see(all, uni + inter == vb_snapshot_count(a) + vb_snapshot_count(b));
  must(vb_refset_of_snapshots(&added, VB_SET_DIFFERENCE, b, a, NULL));
  see(all, vb_refset_count(added) == vb_snapshot_count(b) - inter);
  must(vb_refset_in_snapshot(&there, VB_SET_INTERSECTION, fixed, b, NULL));
  see(all, vb_refset_count(there) == FIXED - RANGED);
  see(all, vb_refset_tracked_count(fixed, all->tracker) == FIXED - RANGED);
  must(vb_refset_combine(&both, VB_SET_INTERSECTION, added, fixed, NULL));
  see(all, vb_refset_count(both) == 0);
  vb_refset_free(both);
  vb_refset_free(there);
  vb_refset_free(added);
}

static void *take_snapshots(void *argument) {
  crowd *all = ((member *)argument)->all;
  vb_snapshot *before = NULL, *after = NULL;
  vb_refset *fixed = NULL;
  must(vb_refset_of_range(&fixed, RANGED, FIXED, NULL));
  must(vb_snapshot_take(&before, all->tracker, NULL));
  do {
    uint64_t id = 0;
    must(vb_snapshot_take(&after, all->tracker, NULL));
    see(all, vb_snapshot_next(after, RANGED, &id) && id == RANGED);
    see(all, !vb_snapshot_next(after, FIXED, &id));
    compare(all, before, after, fixed);
    vb_snapshot_free(before);
    before = after;
  } while (atomic_load(&all->busy));
  vb_snapshot_free(before);
  vb_refset_free(fixed);
  return NULL;
}

static int set_up(void **state) {
  crowd *all = calloc(1, sizeof *all);
  vb_error err = {0};
  if (vb_tracker_new(&all->tracker, "crowd", SIZE, SIZE, &err)) fail_msg("%s", err.text);
  all->claims = vb_claims_new(WRITTEN, CLAIMED);
  all->existing = calloc(SIZE, sizeof *all->existing);
  all->claimed = calloc(SIZE, 1);
  (void)vb_tracker_add_range(all->tracker, RANGED, FIXED);
  memset(all->existing + RANGED, true, FIXED - RANGED);
  *state = all;
  return 0;
}

static int set_up_split(void **state) {
  int failed = set_up(state);
  return failed ? failed : vb_tracker_split(((crowd *)*state)->tracker, NULL);
}

static int tear_down(void **state) {
  crowd *all = *state;
  vb_tracker_free(all->tracker);
  vb_claims_free(all->claims);
  free(all->existing);
  free(all->claimed);
  free(all);
  return 0;
}

static void expect_what_was_left(crowd *all) {
  vb_snapshot *snapshot = NULL;
  assert_int_equal(vb_snapshot_take(&snapshot, all->tracker, NULL), 0);
  for (uint64_t id = 0; id < SIZE; id++) {
    if (vb_tracker_exists(all->tracker, id) != all->existing[id] ||
        vb_snapshot_test(snapshot, id) != all->existing[id])
      fail_msg("id %d is not what its owner left it as", (int)id);
    if (all->claimed[id] != (id >= WRITTEN && id < CLAIMED))
      fail_msg("id %d was claimed %d times", (int)id, all->claimed[id]);
  }
  uint64_t count = count_of(all->existing, 0, SIZE);
  assert_int_equal(vb_tracker_count(all->tracker), count);
  assert_int_equal(vb_snapshot_count(snapshot), count);
  assert_int_equal(vb_tracker_unknown_count(all->tracker), 0);
  vb_snapshot_free(snapshot);
}

static void everything_at_once_leaves_what_was_done(void **state) {
  static const struct {
    void *(*body)(void *);
    int threads;
  } parts[] = {{write_ids, WRITERS},
               {change_ranges, RANGERS},
               {claim_ids, CLAIMERS},
               {read_ids, 1},
               {take_snapshots, 1}};
  crowd *all = *state;
  pthread_t threads[16];
  member members[16];
  int count = 0;
  atomic_store(&all->busy, WRITERS + CLAIMERS + RANGERS);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(parts); i++)
    for (int number = 0; number < parts[i].threads; number++, count++) {
      members[count] = (member){all, (uint64_t)number};
      assert_int_equal(pthread_create(&threads[count], NULL, parts[i].body, &members[count]), 0);
    }
  while (count--) assert_int_equal(pthread_join(threads[count], NULL), 0);
  assert_int_equal(atomic_load(&all->wrong), 0);
  expect_what_was_left(all);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(everything_at_once_leaves_what_was_done, set_up, tear_down),
      cmocka_unit_test_setup_teardown(everything_at_once_leaves_what_was_done, set_up_split,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
