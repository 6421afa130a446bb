/* keyspace/tracker: what exists, what is claimed, protected, unknown, and how it changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "keyspace/keyspace.h"

static int set_up(void **state) {
  return vb_tracker_new((vb_tracker **)state, "users", 1000, 1000, NULL);
}

static int set_up_split(void **state) {
  return set_up(state) || vb_tracker_split(*state, NULL);
}

static int tear_down(void **state) {
  vb_tracker_free(*state);
  return 0;
}

static int next_claim(vb_tracker *tracker, uint64_t *id) {
  uint64_t base, mask;
  if (!vb_tracker_claim_next(tracker, NULL, 1, &base, &mask)) return 0;
  *id = base + (uint64_t)__builtin_ctzll(mask);
  return 1;
}

static void expect_claim(vb_tracker *tracker, uint64_t expected) {
  uint64_t id = UINT64_MAX;
  assert_int_equal(next_claim(tracker, &id), 1);
  assert_int_equal(id, expected);
}

static void density_is_count_over_size(void **state) {
  assert_int_equal(vb_tracker_add_range(*state, 0, 250), 250);
  assert_int_equal(vb_tracker_add(*state, 0), 0);
  assert_int_equal(vb_tracker_size(*state), 1000);
  assert_true(vb_tracker_density(*state) == 0.25);
  assert_int_equal(vb_tracker_remove_range(*state, 100, 2000), 150);
  assert_int_equal(vb_tracker_clear(*state), 100);
  assert_int_equal(vb_tracker_count(*state), 0);
}

static void a_claimed_id_exists_when_it_is_not_split(void **state) {
  expect_claim(*state, 0);
  assert_int_equal(vb_tracker_exists(*state, 0), 1);
  assert_int_equal(vb_tracker_claim(*state, 0), 0);
  assert_int_equal(vb_tracker_claim(*state, 1), 1);
  expect_claim(*state, 2);
  vb_tracker_confirm(*state, 2);
  vb_tracker_release(*state, 0);
  assert_int_equal(vb_tracker_exists(*state, 0), 0);
  assert_int_equal(vb_tracker_count(*state), 2);
}

static void a_claimed_id_exists_only_when_confirmed(void **state) {
  (void)vb_tracker_add(*state, 1);
  expect_claim(*state, 0);
  expect_claim(*state, 2);
  assert_int_equal(vb_tracker_exists(*state, 0), 0);
  assert_int_equal(vb_tracker_claim(*state, 2), 0);
  vb_tracker_confirm(*state, 2);
  assert_int_equal(vb_tracker_exists(*state, 2), 1);
  assert_int_equal(vb_tracker_count(*state), 2);
}

static void splitting_keeps_what_exists(void **state) {
  (void)vb_tracker_add_range(*state, 10, 20);
  (void)vb_tracker_add(*state, 999);
  vb_tracker_unknown(*state, 15);
  assert_int_equal(vb_tracker_split(*state, NULL), 0);
  assert_int_equal(vb_tracker_split(*state, NULL), 0);
  assert_int_equal(vb_tracker_is_split(*state), 1);
  assert_int_equal(vb_tracker_count(*state), 10);
  assert_int_equal(vb_bitmap_test(vb_tracker_existing(*state), 15), 0);
  assert_int_equal(vb_tracker_claim(*state, 15), 0);
  assert_int_equal(vb_tracker_claim(*state, 12), 0);
  assert_int_equal(vb_tracker_claim(*state, 20), 1);
}

static void released_ids_are_handed_out_again(void **state) {
  for (uint64_t id = 0; id < 1000; id++) expect_claim(*state, id);
  uint64_t id = 0;
  assert_int_equal(next_claim(*state, &id), 0);
  vb_tracker_release(*state, 500);
  vb_tracker_release(*state, 66);
  vb_tracker_release(*state, 65);
  expect_claim(*state, 65);
  expect_claim(*state, 66);
  expect_claim(*state, 500);
  assert_int_equal(next_claim(*state, &id), 0);
}

static void a_delete_is_restored_when_it_fails(void **state) {
  (void)vb_tracker_add(*state, 5);
  assert_int_equal(vb_tracker_remove_begin(*state, 6), VB_REMOVAL_ABSENT);
  assert_int_equal(vb_tracker_remove_begin(*state, 5), VB_REMOVAL_BEGUN);
  assert_int_equal(vb_tracker_exists(*state, 5), 0);
  assert_int_equal(vb_tracker_remove_begin(*state, 5), VB_REMOVAL_ABSENT);
  vb_tracker_remove_failed(*state, 5);
  assert_int_equal(vb_tracker_exists(*state, 5), 1);
}

static void a_deleted_id_is_claimable_when_the_delete_is_done(void **state) {
  (void)vb_tracker_add(*state, 5);
  assert_int_equal(vb_tracker_remove_begin(*state, 5), VB_REMOVAL_BEGUN);
  assert_int_equal(vb_tracker_claim(*state, 5), 0);
  vb_tracker_remove_done(*state, 5);
  assert_int_equal(vb_tracker_claim(*state, 5), 1);
  assert_int_equal(vb_tracker_exists(*state, 5), 0);
}

static void unknown_ids_neither_exist_nor_are_claimed(void **state) {
  uint64_t id = 0;
  expect_claim(*state, 0);
  expect_claim(*state, 1);
  vb_tracker_unknown(*state, 1);
  vb_tracker_unknown(*state, 1);
  vb_tracker_unknown(*state, 0);
  assert_int_equal(vb_tracker_unknown_count(*state), 2);
  assert_int_equal(vb_tracker_exists(*state, 1), 0);
  assert_int_equal(vb_tracker_count(*state), 0);
  assert_int_equal(vb_tracker_count_range(*state, 0, 1), 0);
  assert_int_equal(vb_tracker_claim(*state, 1), 0);
  assert_int_equal(vb_tracker_remove_begin(*state, 1), VB_REMOVAL_ABSENT);
  vb_tracker_reset_cursor(*state);
  expect_claim(*state, 2);
  assert_int_equal(vb_tracker_unknown_at(*state, 0, &id), 1);
  assert_int_equal(id, 0);
  assert_int_equal(vb_tracker_unknown_at(*state, 1, &id), 1);
  assert_int_equal(id, 1);
  assert_int_equal(vb_tracker_unknown_at(*state, 2, &id), 0);
}

static void what_is_learnt_settles_the_unknown(void **state) {
  vb_tracker_unknown(*state, 3);
  vb_tracker_unknown(*state, 4);
  vb_tracker_unknown(*state, 5);
  assert_int_equal(vb_tracker_add(*state, 3), 1);
  assert_int_equal(vb_tracker_exists(*state, 3), 1);
  assert_int_equal(vb_tracker_remove(*state, 4), 0);
  assert_int_equal(vb_tracker_claim(*state, 4), 1);
  assert_int_equal(vb_tracker_unknown_count(*state), 1);
  assert_int_equal(vb_tracker_add_range(*state, 5, 6), 1);
  assert_int_equal(vb_tracker_unknown_count(*state), 0);
}

/* More of them than the filter before the list tells apart. */
static void many_unknown_ids_are_told_from_known_ones(void **state) {
  (void)vb_tracker_add_range(*state, 0, 1000);
  for (uint64_t id = 0; id < 1000; id += 3) vb_tracker_unknown(*state, id);
  assert_int_equal(vb_tracker_unknown_count(*state), 334);
  assert_int_equal(vb_tracker_count(*state), 666);
  for (uint64_t id = 0; id < 1000; id++)
    assert_int_equal(vb_tracker_exists(*state, id), id % 3 != 0);
  for (uint64_t id = 0; id < 1000; id += 3) assert_int_equal(vb_tracker_add(*state, id), 1);
  assert_int_equal(vb_tracker_unknown_count(*state), 0);
  vb_tracker_unknown(*state, 7);
  assert_int_equal(vb_tracker_exists(*state, 7), 0);
  assert_int_equal(vb_tracker_count(*state), 999);
}

static int is_even(const void *set, uint64_t id) {
  (void)set;
  return id % 2 == 0;
}

static void protected_ids_are_not_deleted_and_counted(void **state) {
  (void)vb_tracker_add_range(*state, 0, 10);
  vb_tracker_protect(*state, is_even, NULL);
  assert_int_equal(vb_tracker_is_protected(*state, 4), 1);
  assert_int_equal(vb_tracker_remove_begin(*state, 4), VB_REMOVAL_PROTECTED);
  assert_int_equal(vb_tracker_remove_begin(*state, 4), VB_REMOVAL_PROTECTED);
  assert_int_equal(vb_tracker_remove_begin(*state, 5), VB_REMOVAL_BEGUN);
  assert_int_equal(vb_tracker_exists(*state, 4), 1);
  assert_int_equal(vb_tracker_skipped_protected(*state), 2);
  vb_tracker_protect(*state, NULL, NULL);
  assert_int_equal(vb_tracker_remove_begin(*state, 4), VB_REMOVAL_BEGUN);
}

static void rounds_of_claims_leave_what_exists(void **state) {
  uint64_t id = 0;
  for (uint64_t i = 0; i < 1000; i++) {
    assert_int_equal(next_claim(*state, &id), 1);
    vb_tracker_confirm(*state, id);
  }
  assert_int_equal(next_claim(*state, &id), 0);
  vb_tracker_claim_again(*state, NULL, NULL, NULL);
  assert_int_equal(vb_tracker_count(*state), 1000);
  expect_claim(*state, 0);
}

static void a_keyspace_makes_its_tracker_once(void **state) {
  (void)state;
  vb_keyspace_spec spec = {.name = "users", .prefix = "u:", .width = 12, .size = 100};
  vb_keyspace *keyspace = NULL;
  vb_tracker *tracker = NULL, *again = NULL;
  assert_int_equal(vb_keyspace_new(&keyspace, &spec, NULL), 0);
  assert_null(vb_keyspace_tracker(keyspace));
  assert_int_equal(vb_keyspace_track(keyspace, &tracker, NULL), 0);
  assert_int_equal(vb_keyspace_track(keyspace, &again, NULL), 0);
  assert_ptr_equal(tracker, again);
  assert_ptr_equal(vb_keyspace_tracker(keyspace), tracker);
  assert_string_equal(vb_tracker_name(tracker), "users");
  assert_int_equal(vb_tracker_size(tracker), 100);
  vb_keyspace_free(keyspace);
}

static void a_tracker_that_cannot_be_names_its_keyspace(void **state) {
  (void)state;
  vb_tracker *tracker = NULL;
  vb_error err = {0};
  assert_int_equal(vb_tracker_new(&tracker, "users", 1, 1ull << 41, &err), VB_EINVAL);
  assert_string_equal(err.text, "keyspace 'users': a tracker of 2199023255552 ids: 1 to "
                                "1099511627776 are possible");
}

#define BOTH(test)                                                                                 \
  cmocka_unit_test_setup_teardown(test, set_up, tear_down),                                        \
      cmocka_unit_test_setup_teardown(test, set_up_split, tear_down)
#define PLAIN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define SPLIT(test) cmocka_unit_test_setup_teardown(test, set_up_split, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      BOTH(density_is_count_over_size),
      PLAIN(a_claimed_id_exists_when_it_is_not_split),
      SPLIT(a_claimed_id_exists_only_when_confirmed),
      PLAIN(splitting_keeps_what_exists),
      BOTH(released_ids_are_handed_out_again),
      BOTH(a_delete_is_restored_when_it_fails),
      SPLIT(a_deleted_id_is_claimable_when_the_delete_is_done),
      BOTH(unknown_ids_neither_exist_nor_are_claimed),
      BOTH(what_is_learnt_settles_the_unknown),
      BOTH(many_unknown_ids_are_told_from_known_ones),
      BOTH(protected_ids_are_not_deleted_and_counted),
      SPLIT(rounds_of_claims_leave_what_exists),
      cmocka_unit_test(a_keyspace_makes_its_tracker_once),
      cmocka_unit_test(a_tracker_that_cannot_be_names_its_keyspace),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
