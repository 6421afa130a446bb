/* keyspace/live: cursors over what exists or is missing, and claims, also from several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "commands.h"
#include "keyspace/cursor.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8, SIZE = 1000000 };

/* Under sanitizers each claim takes long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CLAIMED = SIZE / 10, MANY_ROUNDS = 20 };
#else
enum { CLAIMED = 10 * SIZE, MANY_ROUNDS = 100 };
#endif

static vb_keyspace *keys;
static vb_tracker *tracker;

static void make_keys(uint64_t size) {
  vb_keyspace_spec spec = {.name = "users", .prefix = "u:", .width = 12, .size = size};
  assert_int_equal(vb_keyspace_new(&keys, &spec, NULL), VB_OK);
  assert_int_equal(vb_keyspace_track(keys, &tracker, NULL), VB_OK);
}

static int tear_down(void **state) {
  (void)state;
  vb_keyspace_free(keys);
  keys = NULL;
  return 0;
}

/* The id of a draw; UINT64_MAX: there was none. */
static uint64_t taken(const vb_cursor *cursor, uint32_t worker, uint64_t n) {
  uint64_t id = UINT64_MAX;
  return vb_cursor_take(cursor, (vb_taker){worker, THREADS}, n, vb_mix(n + 1), &id) ? id
                                                                                    : UINT64_MAX;
}

typedef struct crowd {
  vb_cursor *cursor;
  atomic_uchar *seen; /* how often each id was handed out */
  uint64_t most;      /* draws of each thread */
  atomic_uint next;
} crowd;

static void *draw_all(void *arg) {
  crowd *all = arg;
  uint32_t worker = atomic_fetch_add(&all->next, 1);
  for (uint64_t i = 0; i < all->most; i++) {
    uint64_t id = taken(all->cursor, worker, i);
    if (id == UINT64_MAX) break;
    (void)atomic_fetch_add(&all->seen[id], 1);
  }
  return NULL;
}

/* How often THREADS threads get each id of the keyspace together; `most` each. */
static atomic_uchar *draw_in_threads(vb_cursor_spec spec, uint64_t most) {
  pthread_t threads[THREADS];
  atomic_uchar *seen = calloc(vb_keyspace_size(keys), sizeof *seen);
  crowd all = {test_cursor(keys, spec), seen, most, 0};
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, draw_all, &all), 0);
  for (int i = 0; i < THREADS; i++) (void)pthread_join(threads[i], NULL);
  vb_cursor_free(all.cursor);
  return seen;
}

static void each_id_is_claimed_once(void **state) {
  (void)state;
  make_keys(CLAIMED);
  for (uint64_t id = 0; id < CLAIMED; id += 7) (void)vb_tracker_add(tracker, id);
  atomic_uchar *seen = draw_in_threads((vb_cursor_spec){.claim = 1}, UINT64_MAX);
  for (uint64_t id = 0; id < CLAIMED; id++)
    if (seen[id] != (id % 7 != 0)) fail_msg("id %u: %u times", (unsigned)id, seen[id]);
  assert_int_equal(vb_tracker_count(tracker), CLAIMED);
  free(seen);
}

static void shuffled_claims_are_exact_too(void **state) {
  (void)state;
  make_keys(SIZE);
  vb_cursor_spec spec = {.claim = 1, .order = VB_ORDER_SHUFFLED, .first = 1000, .seed = 3};
  atomic_uchar *seen = draw_in_threads(spec, UINT64_MAX);
  for (uint64_t id = 0; id < SIZE; id++) assert_int_equal(seen[id], id >= 1000);
  free(seen);
}

/* Draws of all threads together; `most` in all. An id is handed out in round seen / size: none may
 * be two rounds ahead of another. */
typedef struct rounds {
  vb_cursor *cursor;
  atomic_uchar *seen;
  atomic_uint_least64_t drawn;
  uint64_t most;
  atomic_uint next;
  unsigned gives_up; /* every so many claims one is given up; 0: none */
} rounds;

static void *draw_rounds(void *arg) {
  rounds *all = arg;
  uint32_t worker = atomic_fetch_add(&all->next, 1);
  vb_rng rng = {worker};
  uint64_t held[4], count = 0; /* given up later, perhaps in another round */
  while (atomic_fetch_add(&all->drawn, 1) < all->most) {
    uint64_t id = taken(all->cursor, worker, 0);
    assert_true(id != UINT64_MAX);
    if (all->gives_up && vb_below(vb_rng_next(&rng), all->gives_up) == 0) {
      (void)atomic_fetch_sub(&all->drawn, 1);
      held[count++] = id;
      while (count == 4) vb_cursor_release(all->cursor, held[--count]);
      continue;
    }
    (void)atomic_fetch_add(&all->seen[id], 1);
  }
  while (count) vb_cursor_release(all->cursor, held[--count]);
  vb_cursor_give_back(all->cursor, worker);
  return NULL;
}

/* `most` claims in rounds by THREADS threads, each of which counts. */
static void claim_in_threads(rounds *all) {
  pthread_t threads[THREADS];
  atomic_store(&all->drawn, 0);
  atomic_store(&all->next, 0);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, draw_rounds, all), 0);
  for (int i = 0; i < THREADS; i++) (void)pthread_join(threads[i], NULL);
}

static void expect_rounds(const rounds *all, uint64_t first, unsigned count) {
  for (uint64_t id = first; id < vb_keyspace_size(keys); id++)
    if (all->seen[id] != count)
      fail_msg("id %u was handed out %u times, not %u", (unsigned)id, all->seen[id], count);
}

/* Sizes of a few words, so that rounds end all the time, and of many. */
static void claims_go_round_each_id_once_a_round(void **state) {
  (void)state;
  const uint64_t sizes[] = {1, 64, 100, 20000};
  const int orders[] = {VB_ORDER_SEQUENTIAL, VB_ORDER_SHUFFLED};
  for (size_t i = 0; i < 2 * VB_ARRAY_LENGTH(sizes); i++) {
    uint64_t size = sizes[i / 2];
    unsigned count = size > 1000 ? 4 : MANY_ROUNDS;
    make_keys(size);
    assert_int_equal(vb_tracker_split(tracker, NULL), VB_OK);
    vb_cursor_spec spec = {.claim = 1, .wrap = 1, .order = orders[i % 2], .seed = 9};
    rounds all = {.cursor = test_cursor(keys, spec), .seen = calloc(size, 1), .most = count * size};
    claim_in_threads(&all);
    expect_rounds(&all, 0, count);
    vb_cursor_free(all.cursor);
    free(all.seen);
    (void)tear_down(NULL);
  }
}

/* What was given up is handed out once more; the rest of the rounds goes on in a second run. */
static void claims_that_are_given_up_are_handed_out_in_the_end(void **state) {
  (void)state;
  const uint64_t sizes[] = {70, 20000};
  for (size_t i = 0; i < 2 * VB_ARRAY_LENGTH(sizes); i++) {
    uint64_t size = sizes[i / 2], half = size / 2;
    unsigned count = size > 1000 ? 4 : MANY_ROUNDS / 2;
    make_keys(size);
    assert_int_equal(vb_tracker_split(tracker, NULL), VB_OK);
    vb_cursor_spec spec = {.claim = 1, .wrap = 1, .first = i % 2 ? 3 : 0};
    rounds all = {.cursor = test_cursor(keys, spec), .seen = calloc(size, 1), .gives_up = 5};
    all.most = (count - 1) * (size - spec.first) + half;
    claim_in_threads(&all);
    all.gives_up = 0;
    all.most = count * (size - spec.first);
    for (uint64_t id = 0; id < size; id++) all.most -= all.seen[id];
    claim_in_threads(&all);
    expect_rounds(&all, spec.first, count);
    vb_cursor_free(all.cursor);
    free(all.seen);
    (void)tear_down(NULL);
  }
}

/* Two cursors of a keyspace, as of two phases that run at the same time. */
static void cursors_of_all_ids_share_their_rounds(void **state) {
  (void)state;
  make_keys(10);
  assert_int_equal(vb_tracker_split(tracker, NULL), VB_OK);
  vb_cursor_spec spec = {.claim = 1, .wrap = 1};
  vb_cursor *one = test_cursor(keys, spec), *other = test_cursor(keys, spec);
  unsigned seen[10] = {0};
  for (uint64_t n = 0; n < 100; n++)
    assert_int_equal(seen[taken(n % 3 ? one : other, n % 2, n)]++, n / 10);
  vb_cursor_free(one);
  vb_cursor_free(other);
}

static void a_claim_given_up_in_another_round_is_owed(void **state) {
  (void)state;
  make_keys(3);
  assert_int_equal(vb_tracker_split(tracker, NULL), VB_OK);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.claim = 1, .wrap = 1});
  for (uint64_t id = 0; id < 3; id++) assert_int_equal(taken(cursor, 0, 0), id);
  assert_int_equal(taken(cursor, 0, 0), 0); /* of the second round */
  vb_cursor_give_back(cursor, 0);
  vb_cursor_release(cursor, 2); /* of the first: its turn in the second is still to come */
  uint64_t sum = 0;
  for (int i = 0; i < 3; i++) sum += taken(cursor, 0, 0);
  assert_int_equal(sum, 1 + 2 + 2);
  assert_int_equal(taken(cursor, 0, 0), 0);
  vb_cursor_give_back(cursor, 0);
  vb_cursor_release(cursor, 1);
  (void)vb_tracker_clear(tracker); /* nothing is owed any more */
  for (uint64_t id = 0; id < 3; id++) assert_int_equal(taken(cursor, 0, 0), id);
  vb_cursor_free(cursor);
}

/* In rounds a key that exists has its turn, and one that is written meanwhile does not lose it. */
static void what_exists_has_its_turn_in_the_second_round(void **state) {
  (void)state;
  make_keys(4);
  assert_int_equal(vb_tracker_split(tracker, NULL), VB_OK);
  (void)vb_tracker_add(tracker, 1);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.claim = 1, .wrap = 1});
  const uint64_t expected[] = {0, 2, 3, 0, 1, 2, 3};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(expected); i++) {
    assert_int_equal(taken(cursor, 0, 0), expected[i]);
    vb_tracker_confirm(tracker, expected[i]);
  }
  assert_int_equal(vb_tracker_count(tracker), 4);
  vb_cursor_free(cursor);
  cursor = test_cursor(keys, (vb_cursor_spec){.claim = 1});
  assert_true(taken(cursor, 0, 0) == UINT64_MAX); /* without rounds only missing ids can be had */
  vb_cursor_free(cursor);
}

static void shuffled_claims_find_what_was_given_up(void **state) {
  (void)state;
  make_keys(1000);
  vb_cursor_spec spec = {.claim = 1, .order = VB_ORDER_SHUFFLED, .seed = 4};
  vb_cursor *cursor = test_cursor(keys, spec);
  for (int i = 0; i < 1000; i++) assert_true(taken(cursor, 0, 0) < 1000);
  assert_true(taken(cursor, 0, 0) == UINT64_MAX);
  vb_cursor_release(cursor, 77);
  assert_int_equal(taken(cursor, 1, 0), 77);
  assert_true(taken(cursor, 0, 0) == UINT64_MAX);
  vb_cursor_free(cursor);
}

static void claims_wrap_exactly_for_one(void **state) {
  (void)state;
  make_keys(100);
  assert_int_equal(vb_tracker_split(tracker, NULL), VB_OK);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.claim = 1, .wrap = 1});
  unsigned seen[100] = {0};
  for (uint64_t n = 0; n < 500; n++) assert_int_equal(seen[taken(cursor, 0, n)]++, n / 100);
  vb_cursor_free(cursor);
}

static void what_a_worker_holds_is_not_lost(void **state) {
  (void)state;
  make_keys(100);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.claim = 1, .last = 50});
  unsigned seen[50] = {0};
  seen[taken(cursor, 3, 0)]++; /* holds the rest in reserve */
  for (uint64_t n = 0; n < 20; n++) seen[taken(cursor, 7, n)]++;
  vb_cursor_give_back(cursor, 3);
  vb_cursor_give_back(cursor, 7);
  assert_int_equal(vb_tracker_count(tracker), 21);
  for (uint64_t n = 0; n < 29; n++) seen[taken(cursor, 9, n)]++;
  assert_true(taken(cursor, 9, 0) == UINT64_MAX);
  for (int id = 0; id < 50; id++) assert_int_equal(seen[id], 1);
  vb_cursor_free(cursor);
}

static void existing_in_order_is_each_once(void **state) {
  (void)state;
  make_keys(SIZE);
  for (uint64_t id = 5; id < SIZE; id += 1000) (void)vb_tracker_add(tracker, id);
  const int orders[] = {VB_ORDER_SEQUENTIAL, VB_ORDER_SHUFFLED};
  for (int i = 0; i < 2; i++) {
    vb_cursor_spec spec = {.filter = VB_PRESENCE_EXISTING, .order = orders[i], .seed = 1};
    atomic_uchar *seen = draw_in_threads(spec, UINT64_MAX);
    for (uint64_t id = 0; id < SIZE; id++) assert_int_equal(seen[id], id % 1000 == 5);
    free(seen);
    spec.filter = VB_PRESENCE_MISSING;
    seen = draw_in_threads(spec, UINT64_MAX);
    for (uint64_t id = 0; id < SIZE; id++) assert_int_equal(seen[id], id % 1000 != 5);
    free(seen);
  }
}

static void in_order_leaves_out_what_is_removed_meanwhile(void **state) {
  (void)state;
  make_keys(100);
  (void)vb_tracker_add_range(tracker, 0, 100);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.filter = VB_PRESENCE_EXISTING});
  assert_int_equal(taken(cursor, 0, 0), 0);
  (void)vb_tracker_remove_range(tracker, 1, 98);
  assert_int_equal(taken(cursor, 0, 1), 98);
  assert_int_equal(taken(cursor, 0, 2), 99);
  assert_true(taken(cursor, 0, 3) == UINT64_MAX);
  vb_cursor_free(cursor);
}

/* Chi-square of uniform draws of the ids in `ids`. */
static void expect_even(vb_cursor_spec spec, const uint64_t *ids, size_t count) {
  enum { DRAWS = 50000 };
  vb_cursor *cursor = test_cursor(keys, spec);
  uint64_t seen[64] = {0};
  for (uint64_t n = 0; n < DRAWS; n++) {
    uint64_t id = taken(cursor, 0, n);
    size_t at = 0;
    while (at < count && ids[at] != id) at++;
    assert_true(at < count);
    seen[at]++;
  }
  double chi = 0, expected = (double)DRAWS / (double)count;
  for (size_t i = 0; i < count; i++)
    chi += ((double)seen[i] - expected) * ((double)seen[i] - expected) / expected;
  assert_true(chi < test_chi_limit((double)count - 1));
  vb_cursor_free(cursor);
}

static void few_existing_ids_are_drawn_evenly(void **state) {
  (void)state;
  make_keys(1000000000);
  const uint64_t ids[] = {0, 1, 2, 63, 64, 70000, 500000000, 500000001, 999999998, 999999999};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(ids); i++) (void)vb_tracker_add(tracker, ids[i]);
  vb_cursor_spec spec = {.order = VB_ORDER_UNIFORM, .filter = VB_PRESENCE_EXISTING};
  expect_even(spec, ids, VB_ARRAY_LENGTH(ids));
  spec.first = 1;
  spec.last = 999999999;
  expect_even(spec, ids + 1, VB_ARRAY_LENGTH(ids) - 2);
}

static void few_missing_ids_are_drawn_evenly(void **state) {
  (void)state;
  make_keys(SIZE);
  const uint64_t ids[] = {0, 77, 78, 500000, 999999};
  (void)vb_tracker_add_range(tracker, 0, SIZE);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(ids); i++) (void)vb_tracker_remove(tracker, ids[i]);
  vb_cursor_spec spec = {.order = VB_ORDER_UNIFORM, .filter = VB_PRESENCE_MISSING};
  expect_even(spec, ids, VB_ARRAY_LENGTH(ids));
}

static void few_existing_ids_of_a_set_are_drawn_evenly(void **state) {
  (void)state;
  make_keys(SIZE);
  uint64_t ids[1000];
  for (uint64_t i = 0; i < 1000; i++) ids[i] = i * 900;
  vb_refset *set = NULL;
  assert_int_equal(vb_refset_of_list(&set, ids, 1000, NULL), VB_OK);
  const uint64_t both[] = {900, 1800, 899100};
  for (int i = 0; i < 3; i++) (void)vb_tracker_add(tracker, both[i]);
  (void)vb_tracker_add_range(tracker, 901, 1000);
  vb_cursor_spec spec = {.order = VB_ORDER_UNIFORM, .filter = VB_PRESENCE_EXISTING, .only = set};
  expect_even(spec, both, 3);
  vb_refset_free(set);
}

static void nothing_is_drawn_where_nothing_exists(void **state) {
  (void)state;
  make_keys(1000000000);
  const int orders[] = {VB_ORDER_UNIFORM, VB_ORDER_SEQUENTIAL, VB_ORDER_DRAWN};
  for (int i = 0; i < 3; i++) {
    vb_cursor_spec spec = {.order = orders[i],
                           .distribution = {.shape = VB_SHAPE_LATEST, .share = 0.1},
                           .wrap = 1,
                           .filter = VB_PRESENCE_EXISTING};
    vb_cursor *cursor = test_cursor(keys, spec);
    for (uint64_t n = 0; n < 100; n++) assert_true(taken(cursor, 0, n) == UINT64_MAX);
    vb_cursor_free(cursor);
  }
}

static void the_ratio_is_what_was_asked_for(void **state) {
  (void)state;
  make_keys(SIZE);
  for (uint64_t id = 0; id < SIZE; id += 50) (void)vb_tracker_add(tracker, id);
  const double ratios[] = {0, 0.1, 0.9, 1};
  for (int i = 0; i < 4; i++) {
    vb_cursor_spec spec = {
        .order = VB_ORDER_UNIFORM, .filter = VB_PRESENCE_RATIO, .ratio = ratios[i]};
    vb_cursor *cursor = test_cursor(keys, spec);
    double existing = 0;
    for (uint64_t n = 0; n < 100000; n++)
      existing += vb_tracker_exists(tracker, taken(cursor, 0, n));
    assert_true(existing / 100000 > ratios[i] - 0.005 && existing / 100000 < ratios[i] + 0.005);
    vb_cursor_free(cursor);
  }
}

static void latest_follows_the_newest_existing_id(void **state) {
  (void)state;
  make_keys(SIZE);
  (void)vb_tracker_add_range(tracker, 0, 1000);
  vb_cursor_spec spec = {
      .order = VB_ORDER_DRAWN,
      .distribution = {.shape = VB_SHAPE_LATEST, .share = 0.1, .probability = 0.9},
      .filter = VB_PRESENCE_EXISTING};
  vb_cursor *cursor = test_cursor(keys, spec);
  unsigned newest = 0;
  for (uint64_t n = 0; n < 10000; n++) newest += taken(cursor, 0, n) >= 900;
  assert_in_range(newest, 8880, 9120);
  (void)vb_tracker_add_range(tracker, 1000, 2000);
  for (uint64_t n = 0; n < 100; n++) (void)taken(cursor, 0, n); /* within 64 draws */
  newest = 0;
  for (uint64_t n = 0; n < 10000; n++) newest += taken(cursor, 0, n) >= 1800;
  assert_in_range(newest, 8880, 9120);
  vb_cursor_free(cursor);
}

static atomic_bool enough;
static atomic_uint rocks;

/* Takes the newest ids away and puts them back, all the time. */
static void *rock(void *arg) {
  while (!atomic_load(&enough)) {
    for (uint64_t id = 1; id <= 4; id++) (void)vb_tracker_remove(tracker, id * 1000);
    for (uint64_t id = 1; id <= 4; id++) (void)vb_tracker_add(tracker, id * 1000);
    (void)atomic_fetch_add(&rocks, 1);
  }
  return arg;
}

/* One id always exists: a draw that finds none, since what it counted has gone meanwhile, would end
 * a phase. */
static void draws_find_what_stays_beside_what_goes(void **state) {
  (void)state;
  make_keys(SIZE / 20);
  (void)vb_tracker_add(tracker, 7);
  static const vb_cursor_spec specs[] = {
      {.order = VB_ORDER_UNIFORM, .filter = VB_PRESENCE_EXISTING},
      {.order = VB_ORDER_DRAWN,
       .filter = VB_PRESENCE_EXISTING,
       .distribution = {.shape = VB_SHAPE_LATEST, .share = 0.1, .probability = 0.9}},
  };
  pthread_t rocker;
  atomic_store(&enough, false);
  assert_int_equal(pthread_create(&rocker, NULL, rock, NULL), 0);
  uint64_t in_vain = 0;
  for (size_t i = 0; i < 2; i++) {
    vb_cursor *cursor = test_cursor(keys, specs[i]);
    atomic_store(&rocks, 0);
    for (uint64_t n = 0; atomic_load(&rocks) < 100000; n++)
      in_vain += taken(cursor, 0, n) == UINT64_MAX;
    vb_cursor_free(cursor);
  }
  atomic_store(&enough, true);
  (void)pthread_join(rocker, NULL);
  assert_int_equal(in_vain, 0);
}

/* As at the end of a Lua state, which frees in any order. */
static void a_cursor_may_be_freed_after_its_keyspace(void **state) {
  (void)state;
  make_keys(1000);
  vb_cursor *first = test_cursor(keys, (vb_cursor_spec){.claim = 1});
  vb_cursor *second = test_cursor(keys, (vb_cursor_spec){.claim = 1});
  vb_cursor *ranged = test_cursor(keys, (vb_cursor_spec){.claim = 1, .first = 10, .last = 90});
  assert_int_equal(taken(first, 0, 0), 0);
  assert_int_equal(taken(second, 0, 1), 1);
  assert_int_equal(taken(ranged, 0, 2), 64); /* the word before is in reserve */
  vb_keyspace_free(keys);
  keys = NULL;
  vb_cursor_free(first);
  vb_cursor_free(second);
  vb_cursor_free(ranged);
}

/* Three of 64 at a time are in reserve: others go on behind what was expected. */
static void no_more_is_taken_ahead_than_expected(void **state) {
  (void)state;
  make_keys(1000);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.claim = 1});
  vb_cursor_expect_anew(cursor, 0);
  vb_cursor_expect(cursor, 0, 1);
  vb_cursor_expect(cursor, 0, 2);
  assert_int_equal(taken(cursor, 0, 0), 0);
  assert_int_equal(taken(cursor, 1, 1), 3);
  for (uint64_t id = 1; id < 3; id++) assert_int_equal(taken(cursor, 0, id), id);
  assert_int_equal(taken(cursor, 0, 3), 64); /* the word before is worker 1's */
  assert_int_equal(taken(cursor, 2, 4), 65);
  vb_cursor_give_back(cursor, 0);
  vb_cursor_give_back(cursor, 2);
  assert_int_equal(taken(cursor, 0, 5), 66); /* what worker 2 had ahead */
  vb_cursor_free(cursor);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(each_id_is_claimed_once, tear_down),
      cmocka_unit_test_teardown(shuffled_claims_are_exact_too, tear_down),
      cmocka_unit_test_teardown(claims_go_round_each_id_once_a_round, tear_down),
      cmocka_unit_test_teardown(claims_that_are_given_up_are_handed_out_in_the_end, tear_down),
      cmocka_unit_test_teardown(cursors_of_all_ids_share_their_rounds, tear_down),
      cmocka_unit_test_teardown(a_claim_given_up_in_another_round_is_owed, tear_down),
      cmocka_unit_test_teardown(what_exists_has_its_turn_in_the_second_round, tear_down),
      cmocka_unit_test_teardown(shuffled_claims_find_what_was_given_up, tear_down),
      cmocka_unit_test_teardown(claims_wrap_exactly_for_one, tear_down),
      cmocka_unit_test_teardown(what_a_worker_holds_is_not_lost, tear_down),
      cmocka_unit_test_teardown(existing_in_order_is_each_once, tear_down),
      cmocka_unit_test_teardown(in_order_leaves_out_what_is_removed_meanwhile, tear_down),
      cmocka_unit_test_teardown(few_existing_ids_are_drawn_evenly, tear_down),
      cmocka_unit_test_teardown(few_missing_ids_are_drawn_evenly, tear_down),
      cmocka_unit_test_teardown(few_existing_ids_of_a_set_are_drawn_evenly, tear_down),
      cmocka_unit_test_teardown(nothing_is_drawn_where_nothing_exists, tear_down),
      cmocka_unit_test_teardown(the_ratio_is_what_was_asked_for, tear_down),
      cmocka_unit_test_teardown(latest_follows_the_newest_existing_id, tear_down),
      cmocka_unit_test_teardown(draws_find_what_stays_beside_what_goes, tear_down),
      cmocka_unit_test_teardown(a_cursor_may_be_freed_after_its_keyspace, tear_down),
      cmocka_unit_test_teardown(no_more_is_taken_ahead_than_expected, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
