/* keyspace/algebra, blocks, snapshot: set algebra in both ways, and what changed between two times.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/random.h"
#include "keyspace/refset.h"

enum { WORDS = 1031, SIZE = 300000 };

static uint64_t naive(int operation, uint64_t a, uint64_t b) {
  return operation == VB_SET_UNION ? a | b : operation == VB_SET_INTERSECTION ? a & b : a & ~b;
}

static void check_algebra(const vb_algebra *algebra) {
  static uint64_t a[WORDS], b[WORDS], out[WORDS];
  for (size_t i = 0; i < WORDS; i++) {
    a[i] = vb_mix(i + 1);
    b[i] = i % 3 ? vb_mix(i * 7) : UINT64_MAX;
  }
  for (size_t words = 0; words <= WORDS; words += words < 20 ? 1 : 337) {
    uint64_t count = 0;
    for (size_t i = 0; i < words; i++) count += (uint64_t)__builtin_popcountll(a[i]);
    assert_int_equal(algebra->count(a, words), count);
    for (int operation = 0; operation < VB_SET_OPERATIONS; operation++) {
      uint64_t expected = 0;
      memset(out, 0x5a, sizeof out);
      uint64_t made = algebra->combine[operation](out, a, b, words);
      for (size_t i = 0; i < words; i++) {
        assert_true(out[i] == naive(operation, a[i], b[i]));
        expected += (uint64_t)__builtin_popcountll(out[i]);
      }
      if (words < WORDS) assert_true(out[words] == 0x5a5a5a5a5a5a5a5aull);
      assert_int_equal(made, expected);
      assert_int_equal(algebra->size[operation](a, b, words), expected);
    }
  }
}

static void the_portable_algebra_is_right(void **state) {
  (void)state;
  check_algebra(vb_algebra_portable());
}

static void the_algebra_in_vector_registers_is_right(void **state) {
  (void)state;
  const vb_algebra *avx2 = vb_algebra_avx2();
  if (!avx2) skip();
  assert_string_equal(avx2->name, "avx2");
  assert_ptr_equal(vb_algebra_best(), avx2);
  check_algebra(avx2);
}

static int set_up(void **state) {
  return vb_tracker_new((vb_tracker **)state, "users", SIZE, SIZE, NULL);
}

static int tear_down(void **state) {
  vb_tracker_free(*state);
  return 0;
}

static vb_snapshot *snapshot_of(const vb_tracker *tracker) {
  vb_snapshot *snapshot = NULL;
  vb_error err = {0};
  if (vb_snapshot_take(&snapshot, tracker, &err)) fail_msg("%s", err.text);
  return snapshot;
}

static void a_snapshot_does_not_change(void **state) {
  uint64_t id = 0;
  (void)vb_tracker_add_range(*state, 100, 70000);
  (void)vb_tracker_add(*state, SIZE - 1);
  vb_snapshot *snapshot = snapshot_of(*state);
  (void)vb_tracker_clear(*state);
  assert_int_equal(vb_snapshot_count(snapshot), 69901);
  assert_int_equal(vb_snapshot_test(snapshot, 99), 0);
  assert_int_equal(vb_snapshot_test(snapshot, 100), 1);
  assert_int_equal(vb_snapshot_test(snapshot, UINT64_MAX), 0);
  assert_int_equal(vb_snapshot_next(snapshot, 0, &id), 1);
  assert_int_equal(id, 100);
  assert_int_equal(vb_snapshot_next(snapshot, 70000, &id), 1);
  assert_int_equal(id, SIZE - 1);
  assert_int_equal(vb_snapshot_next(snapshot, SIZE, &id), 0);
  vb_snapshot_free(snapshot);
}

static void unknown_ids_are_in_no_snapshot(void **state) {
  (void)vb_tracker_add_range(*state, 0, 10);
  vb_tracker_unknown(*state, 5);
  vb_tracker_unknown(*state, 20);
  vb_snapshot *snapshot = snapshot_of(*state);
  assert_int_equal(vb_snapshot_count(snapshot), 9);
  assert_int_equal(vb_snapshot_test(snapshot, 5), 0);
  assert_int_equal(vb_snapshot_test(snapshot, 20), 0);
  vb_snapshot_free(snapshot);
}

static void two_snapshots_say_what_was_added_and_removed(void **state) {
  vb_refset *added = NULL;
  uint64_t id = 0;
  (void)vb_tracker_add_range(*state, 0, 200000);
  vb_snapshot *before = snapshot_of(*state);
  (void)vb_tracker_remove_range(*state, 500, 600);
  (void)vb_tracker_add_range(*state, 199990, 200007);
  vb_snapshot *after = snapshot_of(*state);
  assert_int_equal(vb_snapshot_combined_count(VB_SET_DIFFERENCE, after, before), 7);
  assert_int_equal(vb_snapshot_combined_count(VB_SET_DIFFERENCE, before, after), 100);
  assert_int_equal(vb_snapshot_combined_count(VB_SET_INTERSECTION, before, after), 199900);
  assert_int_equal(vb_snapshot_combined_count(VB_SET_UNION, before, after), 200007);
  assert_int_equal(vb_refset_of_snapshots(&added, VB_SET_DIFFERENCE, after, before, NULL), 0);
  for (uint64_t expected = 200000; expected < 200007; expected++, id++) {
    assert_int_equal(vb_refset_next(added, id, &id), 1);
    assert_int_equal(id, expected);
  }
  assert_int_equal(vb_refset_next(added, id, &id), 0);
  vb_refset_free(added);
  vb_snapshot_free(before);
  vb_snapshot_free(after);
}

static void *churn(void *tracker) {
  vb_rng rng = {.state = 5};
  for (int i = 0; i < 20000; i++) {
    uint64_t id = vb_below(vb_rng_next(&rng), SIZE), base, mask;
    if (i % 3 == 0 && vb_tracker_claim_next(tracker, NULL, 9, &base, &mask))
      for (mask &= mask - 1; mask; mask &= mask - 1)
        vb_tracker_release(tracker, base + vb_bits_lowest(mask));
    if (i % 100 == 0) (void)vb_tracker_remove_range(tracker, id, id + 3000);
    if (vb_tracker_remove_begin(tracker, id) == VB_REMOVAL_BEGUN)
      vb_tracker_remove_done(tracker, id);
    else
      vb_tracker_confirm(tracker, id);
  }
  return NULL;
}

/* Under the thread sanitizer this is what says that all may go on at once. */
static void snapshots_are_taken_beside_writers(void **state) {
  enum { WRITERS = 4 };
  pthread_t threads[WRITERS];
  assert_int_equal(vb_tracker_split(*state, NULL), 0);
  for (int i = 0; i < WRITERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, churn, *state), 0);
  for (int i = 0; i < 50; i++) {
    vb_snapshot *snapshot = snapshot_of(*state);
    uint64_t count = 0;
    for (uint64_t id = 0; vb_snapshot_next(snapshot, id, &id); id++) count++;
    assert_int_equal(vb_snapshot_count(snapshot), count);
    vb_snapshot_free(snapshot);
  }
  for (int i = 0; i < WRITERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  vb_snapshot *last = snapshot_of(*state);
  assert_int_equal(vb_snapshot_count(last), vb_tracker_count(*state));
  vb_snapshot_free(last);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_portable_algebra_is_right),
      cmocka_unit_test(the_algebra_in_vector_registers_is_right),
      cmocka_unit_test_setup_teardown(a_snapshot_does_not_change, set_up, tear_down),
      cmocka_unit_test_setup_teardown(unknown_ids_are_in_no_snapshot, set_up, tear_down),
      cmocka_unit_test_setup_teardown(two_snapshots_say_what_was_added_and_removed, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(snapshots_are_taken_beside_writers, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
