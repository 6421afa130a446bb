/* keyspace/refset: sets of ids, few and many, and what they do to a tracker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "keyspace/refset.h"

enum { UNIVERSE = 400000 };

static vb_refset *set_of(const uint64_t *ids, size_t count) {
  vb_refset *set = NULL;
  vb_error err = {0};
  if (vb_refset_of_list(&set, ids, count, &err)) fail_msg("%s", err.text);
  return set;
}

/* One id in `every`, by a hash: few ids stay numbers, many become bits. */
static vb_refset *sampled(uint64_t every, uint64_t salt) {
  uint64_t *ids = malloc(UNIVERSE * sizeof *ids);
  size_t count = 0;
  assert_non_null(ids);
  for (uint64_t id = UNIVERSE; id--;)
    if (vb_mix(id * 31 + salt) % every == 0) ids[count++] = id;
  vb_refset *set = set_of(ids, count);
  free(ids);
  return set;
}

static void a_list_is_sorted_and_without_repeats(void **state) {
  (void)state;
  const uint64_t ids[] = {9, 3, 1ull << 39, 3, 0, 9};
  vb_refset *set = set_of(ids, VB_ARRAY_LENGTH(ids));
  uint64_t id = 0;
  assert_int_equal(vb_refset_count(set), 4);
  assert_int_equal(vb_refset_contains(set, 9), 1);
  assert_int_equal(vb_refset_contains(set, 8), 0);
  assert_int_equal(vb_refset_select(set, 1, &id), 1);
  assert_int_equal(id, 3);
  assert_int_equal(vb_refset_select(set, 4, &id), 0);
  assert_int_equal(vb_refset_next(set, 4, &id), 1);
  assert_int_equal(id, 9);
  assert_int_equal(vb_refset_outside(set, 9), 2);
  assert_int_equal(vb_refset_outside(set, 10), 1);
  vb_refset_free(set);
}

static void an_empty_set_has_nothing(void **state) {
  (void)state;
  vb_refset *set = set_of(NULL, 0), *all = NULL;
  uint64_t id;
  assert_int_equal(vb_refset_count(set), 0);
  assert_int_equal(vb_refset_next(set, 0, &id), 0);
  assert_int_equal(vb_refset_select(set, 0, &id), 0);
  assert_int_equal(vb_refset_remove(set, 0), 0);
  assert_int_equal(vb_refset_combine(&all, VB_SET_UNION, set, set, NULL), 0);
  assert_int_equal(vb_refset_count(all), 0);
  vb_refset_free(all);
  vb_refset_free(set);
}

static void a_range_is_half_open(void **state) {
  (void)state;
  vb_refset *set = NULL;
  uint64_t id = 0;
  assert_int_equal(vb_refset_of_range(&set, 70, 140000, NULL), 0);
  assert_int_equal(vb_refset_count(set), 139930);
  assert_int_equal(vb_refset_contains(set, 69), 0);
  assert_int_equal(vb_refset_contains(set, 70), 1);
  assert_int_equal(vb_refset_contains(set, 139999), 1);
  assert_int_equal(vb_refset_contains(set, 140000), 0);
  assert_int_equal(vb_refset_select(set, 139929, &id), 1);
  assert_int_equal(id, 139999);
  assert_int_equal(vb_refset_outside(set, 139990), 10);
  assert_int_equal(vb_refset_outside(set, 1ull << 40), 0);
  vb_refset_free(set);
}

static void ids_are_added_and_removed(void **state) {
  (void)state;
  vb_refset *set = set_of(NULL, 0);
  int changed = -1;
  for (uint64_t i = 0; i < 20000; i++) {
    assert_int_equal(vb_refset_add(set, (i * 7919) % 20011, &changed, NULL), 0);
    assert_int_equal(changed, 1);
  }
  assert_int_equal(vb_refset_add(set, 7919, &changed, NULL), 0);
  assert_int_equal(changed, 0);
  assert_int_equal(vb_refset_count(set), 20000);
  assert_int_equal(vb_refset_add(set, 50000000, &changed, NULL), 0);
  assert_int_equal(vb_refset_contains(set, 50000000), 1);
  assert_int_equal(vb_refset_remove(set, 50000000), 1);
  assert_int_equal(vb_refset_remove(set, 50000000), 0);
  assert_int_equal(vb_refset_remove(set, 7919), 1);
  assert_int_equal(vb_refset_count(set), 19999);
  vb_refset_free(set);
}

static void ids_that_cannot_be_are_named(void **state) {
  (void)state;
  vb_error err = {0};
  vb_refset *set = NULL;
  const uint64_t id = 1ull << 40;
  assert_int_equal(vb_refset_of_list(&set, &id, 1, &err), VB_EINVAL);
  assert_string_equal(err.text,
                      "a reference set with id 1099511627776: ids go up to 1099511627775");
  assert_int_equal(vb_refset_of_range(&set, 5, UINT64_MAX, &err), VB_EINVAL);
  assert_null(set);
}

static void expect_combined(const vb_refset *a, const vb_refset *b, int operation) {
  vb_refset *made = NULL;
  uint64_t count = 0;
  assert_int_equal(vb_refset_combine(&made, operation, a, b, NULL), 0);
  for (uint64_t id = 0; id < UNIVERSE; id++) {
    int in_a = vb_refset_contains(a, id), in_b = vb_refset_contains(b, id);
    int expected = operation == VB_SET_UNION          ? in_a || in_b
                   : operation == VB_SET_INTERSECTION ? in_a && in_b
                                                      : in_a && !in_b;
    if (vb_refset_contains(made, id) != expected) fail_msg("id %u", (unsigned)id);
    count += (uint64_t)expected;
  }
  assert_int_equal(vb_refset_count(made), count);
  assert_int_equal(vb_refset_combined_count(operation, a, b), count);
  vb_refset_free(made);
}

static void algebra_of_few_and_many_ids(void **state) {
  (void)state;
  const uint64_t every[] = {2, 5, 200, 3000};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(every); i++) {
    for (size_t k = 0; k < VB_ARRAY_LENGTH(every); k++) {
      vb_refset *a = sampled(every[i], 0), *b = sampled(every[k], k % 2);
      for (int operation = 0; operation < VB_SET_OPERATIONS; operation++)
        expect_combined(a, b, operation);
      vb_refset_free(a);
      vb_refset_free(b);
    }
  }
}

static vb_tracker *tracker_of(uint64_t size) {
  vb_tracker *tracker = NULL;
  assert_int_equal(vb_tracker_new(&tracker, "users", size, size, NULL), 0);
  return tracker;
}

static void coverage_of_a_snapshot_and_of_now(void **state) {
  (void)state;
  const uint64_t ids[] = {5, 50, 150, 5000};
  vb_refset *set = set_of(ids, VB_ARRAY_LENGTH(ids)), *missing = NULL;
  vb_tracker *tracker = tracker_of(1000);
  vb_snapshot *snapshot = NULL;
  uint64_t id = 0;
  (void)vb_tracker_add_range(tracker, 0, 100);
  assert_int_equal(vb_snapshot_take(&snapshot, tracker, NULL), 0);
  assert_int_equal(vb_refset_in_snapshot_count(VB_SET_INTERSECTION, set, snapshot), 2);
  assert_int_equal(vb_refset_in_snapshot_count(VB_SET_DIFFERENCE, set, snapshot), 2);
  assert_int_equal(vb_refset_tracked_count(set, tracker), 2);
  assert_int_equal(vb_refset_outside(set, vb_tracker_size(tracker)), 1);
  assert_int_equal(vb_refset_in_snapshot(&missing, VB_SET_DIFFERENCE, set, snapshot, NULL), 0);
  assert_int_equal(vb_refset_select(missing, 0, &id), 1);
  assert_int_equal(id, 150);
  vb_refset_free(missing);
  assert_int_equal(vb_refset_restore(set, tracker), 1);
  assert_int_equal(vb_tracker_exists(tracker, 150), 1);
  assert_int_equal(vb_tracker_count(tracker), 101);
  vb_snapshot_free(snapshot);
  vb_tracker_free(tracker);
  vb_refset_free(set);
}

static void a_set_protects_its_ids(void **state) {
  (void)state;
  const uint64_t ids[] = {7};
  vb_refset *set = set_of(ids, 1);
  vb_tracker *tracker = tracker_of(100);
  (void)vb_tracker_add_range(tracker, 0, 100);
  vb_refset_protect(set, tracker);
  assert_int_equal(vb_tracker_remove_begin(tracker, 7), VB_REMOVAL_PROTECTED);
  assert_int_equal(vb_tracker_remove_begin(tracker, 8), VB_REMOVAL_BEGUN);
  vb_refset_protect(NULL, tracker);
  assert_int_equal(vb_tracker_remove_begin(tracker, 7), VB_REMOVAL_BEGUN);
  vb_tracker_free(tracker);
  vb_refset_free(set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_is_sorted_and_without_repeats),
      cmocka_unit_test(an_empty_set_has_nothing),
      cmocka_unit_test(a_range_is_half_open),
      cmocka_unit_test(ids_are_added_and_removed),
      cmocka_unit_test(ids_that_cannot_be_are_named),
      cmocka_unit_test(algebra_of_few_and_many_ids),
      cmocka_unit_test(coverage_of_a_snapshot_and_of_now),
      cmocka_unit_test(a_set_protects_its_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
