/* keyspace/refset, keyspace/blocks: sets whose blocks are not those of the other, ends of blocks
 * and words, and what was taken out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "keyspace/refset.h"

enum { BLOCK = 1 << 16 };

static vb_refset *range(uint64_t first, uint64_t last) {
  vb_refset *set = NULL;
  vb_error err = {0};
  if (vb_refset_of_range(&set, first, last, &err)) fail_msg("%s", err.text);
  return set;
}

/* How many ids the combination has, counted, made, and walked. */
static uint64_t combined(int operation, const vb_refset *a, const vb_refset *b) {
  vb_refset *made = NULL;
  uint64_t walked = 0, id = 0;
  assert_int_equal(vb_refset_combine(&made, operation, a, b, NULL), VB_OK);
  for (; vb_refset_next(made, id, &id); id++) walked++;
  assert_int_equal(vb_refset_count(made), walked);
  assert_int_equal(vb_refset_combined_count(operation, a, b), walked);
  vb_refset_free(made);
  return walked;
}

/* Blocks that only one side has, on either side, and blocks behind the end of the shorter one. */
static void sets_of_other_blocks(void **state) {
  (void)state;
  vb_refset *low = range(10, 20), *high = range(3 * BLOCK, 3 * BLOCK + 7);
  vb_refset *both = range(15, 3 * BLOCK + 2);
  assert_int_equal(combined(VB_SET_UNION, low, high), 17);
  assert_int_equal(combined(VB_SET_UNION, high, low), 17);
  assert_int_equal(combined(VB_SET_INTERSECTION, low, high), 0);
  assert_int_equal(combined(VB_SET_INTERSECTION, high, low), 0);
  assert_int_equal(combined(VB_SET_INTERSECTION, low, both), 5);
  assert_int_equal(combined(VB_SET_INTERSECTION, both, low), 5);
  assert_int_equal(combined(VB_SET_DIFFERENCE, low, high), 10);
  assert_int_equal(combined(VB_SET_DIFFERENCE, high, low), 7);
  assert_int_equal(combined(VB_SET_DIFFERENCE, both, low), 3 * BLOCK + 2 - 20);
  assert_int_equal(combined(VB_SET_DIFFERENCE, high, both), 5);
  vb_refset_free(low);
  vb_refset_free(high);
  vb_refset_free(both);
}

static void what_was_taken_out_is_in_no_combination(void **state) {
  (void)state;
  vb_refset *set = range(0, 3), *other = range(0, BLOCK), *few = NULL;
  vb_refset *high = range(BLOCK, BLOCK + 7);
  for (uint64_t id = 0; id < 3; id++) assert_int_equal(vb_refset_remove(set, id), 1);
  assert_int_equal(vb_refset_count(set), 0);
  assert_int_equal(combined(VB_SET_UNION, set, other), BLOCK);
  assert_int_equal(combined(VB_SET_INTERSECTION, set, other), 0);
  assert_int_equal(combined(VB_SET_DIFFERENCE, set, other), 0);
  assert_int_equal(combined(VB_SET_UNION, set, high), 7);
  assert_int_equal(combined(VB_SET_DIFFERENCE, set, high), 0);
  const uint64_t ids[] = {5, 9};
  assert_int_equal(vb_refset_of_list(&few, ids, 2, NULL), VB_OK);
  assert_int_equal(vb_refset_remove(few, 7), 0);
  assert_int_equal(vb_refset_remove(few, 10), 0);
  assert_int_equal(vb_refset_count(few), 2);
  vb_refset_free(set);
  vb_refset_free(other);
  vb_refset_free(high);
  vb_refset_free(few);
}

static void ranks_and_places_at_ends_of_words_and_blocks(void **state) {
  (void)state;
  const uint64_t firsts[] = {0, 63, 64, BLOCK - 1, BLOCK, 2 * BLOCK - 64};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(firsts); i++) {
    uint64_t first = firsts[i], last = first + 200, id = 0;
    vb_refset *set = range(first, last);
    for (uint64_t at = first; at <= last; at++) {
      assert_int_equal(vb_refset_rank(set, at), at - first);
      assert_int_equal(vb_refset_select(set, at - first, &id), at < last);
      if (at < last) assert_int_equal(id, at);
    }
    assert_int_equal(vb_refset_rank(set, first ? first - 1 : 0), 0);
    assert_int_equal(vb_refset_rank(set, last + 5 * BLOCK), 200);
    assert_int_equal(vb_refset_rank(set, UINT64_MAX), 200);
    assert_int_equal(vb_refset_outside(set, first), 200);
    assert_int_equal(vb_refset_outside(set, last - 1), 1);
    assert_int_equal(vb_refset_outside(set, last + 5 * BLOCK), 0);
    assert_int_equal(vb_refset_next(set, last, &id), 0);
    vb_refset_free(set);
  }
}

/* The first id of a block, behind one without any and behind one of which the last was passed. */
static void the_next_id_is_found_at_the_start_of_a_block(void **state) {
  (void)state;
  vb_refset *set = range(2 * BLOCK, 2 * BLOCK + 1);
  uint64_t id = 0;
  assert_int_equal(vb_refset_next(set, 0, &id), 1);
  assert_int_equal(id, 2 * BLOCK);
  assert_int_equal(vb_refset_add(set, 3, NULL, NULL), VB_OK);
  assert_int_equal(vb_refset_next(set, 4, &id), 1);
  assert_int_equal(id, 2 * BLOCK);
  assert_int_equal(vb_refset_next(set, 2 * BLOCK + 1, &id), 0);
  vb_refset_free(set);
}

static void ids_are_added_behind_the_room(void **state) {
  (void)state;
  vb_refset *set = range(0, BLOCK);
  vb_error err = {0};
  int changed = 0;
  assert_int_equal(vb_refset_add(set, BLOCK, &changed, NULL), VB_OK); /* the first that has none */
  assert_int_equal(changed, 1);
  assert_int_equal(vb_refset_contains(set, BLOCK), 1);
  assert_int_equal(vb_refset_count(set), BLOCK + 1);
  assert_int_equal(vb_refset_add(set, 1ull << 40, &changed, &err), VB_EINVAL);
  assert_string_equal(err.text,
                      "a reference set with id 1099511627776: ids go up to 1099511627775");
  vb_refset_free(set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_of_other_blocks),
      cmocka_unit_test(what_was_taken_out_is_in_no_combination),
      cmocka_unit_test(ranks_and_places_at_ends_of_words_and_blocks),
      cmocka_unit_test(the_next_id_is_found_at_the_start_of_a_block),
      cmocka_unit_test(ids_are_added_behind_the_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
