/* keyspace/tracker: both bitmaps of a split one stay together, and unknown ids in ranges, words and
 * copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "keyspace/tracker.h"

enum { SIZE = 1000 };

static int set_up(void **state) {
  return vb_tracker_new((vb_tracker **)state, "users", SIZE, SIZE, NULL);
}

static int set_up_split(void **state) {
  return set_up(state) || vb_tracker_split(*state, NULL);
}

static int tear_down(void **state) {
  vb_tracker_free(*state);
  return 0;
}

/* How many ids of [first, last) nobody can claim. */
static unsigned taken(vb_tracker *tracker, uint64_t first, uint64_t last) {
  return (unsigned)vb_bitmap_count_range(vb_tracker_taken(tracker), first, last);
}

static void what_exists_is_taken_however_it_was_added(void **state) {
  assert_int_equal(vb_tracker_add_range(*state, 0, 10), 10);
  assert_int_equal(taken(*state, 0, SIZE), 10);
  vb_tracker_add_few(*state, 64, 0xf);
  assert_int_equal(vb_tracker_count_range(*state, 64, 128), 4);
  assert_int_equal(taken(*state, 64, 128), 4);
  assert_int_equal(vb_tracker_claim(*state, 65), 0);
  assert_int_equal(vb_tracker_remove_range(*state, 0, 5), 5);
  assert_int_equal(taken(*state, 0, 10), 5);
  assert_int_equal(vb_tracker_claim(*state, 3), 1);
}

static void clearing_starts_claims_over(void **state) {
  uint64_t base = 0, mask = 0;
  assert_int_equal(vb_tracker_claim_next(*state, NULL, 64, &base, &mask), 64);
  assert_int_equal(vb_tracker_claim_next(*state, NULL, 64, &base, &mask), 64);
  assert_int_equal(base, 64);
  (void)vb_tracker_clear(*state);
  assert_int_equal(taken(*state, 0, SIZE), 0);
  assert_int_equal(vb_tracker_claim_next(*state, NULL, 1, &base, &mask), 1);
  assert_int_equal(base, 0);
  assert_int_equal(mask, 1);
}

static void unknown_ids_of_a_range_are_settled(void **state) {
  (void)vb_tracker_add_range(*state, 0, 20);
  for (uint64_t id = 5; id < 10; id++) vb_tracker_unknown(*state, id);
  assert_int_equal(vb_tracker_count_range(*state, 0, 8), 5);
  assert_int_equal(vb_tracker_count_range(*state, 8, 20), 10);
  assert_int_equal(vb_tracker_add_range(*state, 0, 8), 3); /* 5, 6 and 7 exist after all */
  assert_int_equal(vb_tracker_unknown_count(*state), 2);
  assert_int_equal(vb_tracker_remove_range(*state, 0, 20), 18); /* 8 and 9 did not */
  assert_int_equal(vb_tracker_unknown_count(*state), 0);
  assert_int_equal(vb_tracker_count(*state), 0);
  assert_int_equal(taken(*state, 0, SIZE), 0);
}

static void unknown_ids_of_a_word_are_settled(void **state) {
  vb_tracker_unknown(*state, 66);
  vb_tracker_unknown(*state, 70);
  vb_tracker_add_few(*state, 64, 1ull << 2 | 1);
  assert_int_equal(vb_tracker_unknown_count(*state), 1);
  assert_int_equal(vb_tracker_exists(*state, 66), 1);
  assert_int_equal(vb_tracker_exists(*state, 70), 0);
  assert_int_equal(vb_tracker_count(*state), 2);
}

/* Its command was sent again, and answered: it is not unknown any more. */
static void what_is_confirmed_is_known(void **state) {
  assert_int_equal(vb_tracker_claim(*state, 8), 1);
  vb_tracker_unknown(*state, 8);
  vb_tracker_confirm(*state, 8);
  assert_int_equal(vb_tracker_unknown_count(*state), 0);
  assert_int_equal(vb_tracker_exists(*state, 8), 1);
  assert_int_equal(vb_tracker_count(*state), 1);
}

static void no_delete_of_an_unknown_id_is_begun(void **state) {
  (void)vb_tracker_add(*state, 8);
  vb_tracker_unknown(*state, 8);
  assert_int_equal(vb_tracker_remove_begin(*state, 8), VB_REMOVAL_ABSENT);
  assert_int_equal(vb_tracker_unknown_count(*state), 1);
  assert_int_equal(vb_tracker_claim(*state, 8), 0);
}

static void ids_past_the_size_are_not_unknown(void **state) {
  vb_tracker_unknown(*state, SIZE);
  vb_tracker_unknown(*state, UINT64_MAX);
  assert_int_equal(vb_tracker_unknown_count(*state), 0);
}

static void an_unknown_id_stays_so_when_the_tracker_is_split(void **state) {
  (void)vb_tracker_add_range(*state, 0, 10);
  vb_tracker_unknown(*state, 4);
  assert_int_equal(vb_tracker_split(*state, NULL), VB_OK);
  assert_int_equal(vb_tracker_count(*state), 9);
  assert_int_equal(vb_tracker_exists(*state, 4), 0);
  assert_int_equal(vb_tracker_claim(*state, 4), 0);
  assert_int_equal(vb_tracker_claim(*state, 5), 0);
  assert_int_equal(vb_tracker_remove(*state, 4), 0);
  assert_int_equal(vb_tracker_claim(*state, 4), 1);
}

#define BOTH(test)                                                                                 \
  cmocka_unit_test_setup_teardown(test, set_up, tear_down),                                        \
      cmocka_unit_test_setup_teardown(test, set_up_split, tear_down)
#define PLAIN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      BOTH(what_exists_is_taken_however_it_was_added),
      BOTH(clearing_starts_claims_over),
      BOTH(unknown_ids_of_a_range_are_settled),
      BOTH(unknown_ids_of_a_word_are_settled),
      BOTH(what_is_confirmed_is_known),
      BOTH(no_delete_of_an_unknown_id_is_begun),
      BOTH(ids_past_the_size_are_not_unknown),
      PLAIN(an_unknown_id_stays_so_when_the_tracker_is_split),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
