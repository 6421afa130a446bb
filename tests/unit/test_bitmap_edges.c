/* keyspace/bitmap: sizes that are no power of two, ranks far up, ranges of claims that begin inside
 * a word, and what is cleared by ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bits.h"
#include "keyspace/bitmap.h"

enum { FAR = 40 * VB_BITMAP_BLOCK + 777 }; /* beyond two groups of blocks */

static vb_bitmap *bitmap_of(uint64_t size, uint64_t max) {
  vb_bitmap *bitmap = NULL;
  vb_error err = {0};
  if (vb_bitmap_new(&bitmap, size, max, &err)) fail_msg("%s", err.text);
  return bitmap;
}

static void a_bitmap_grows_to_its_maximum_and_no_further(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(0, 100);
  assert_int_equal(vb_bitmap_size(bitmap), 100);
  vb_bitmap_free(bitmap);
  bitmap = bitmap_of(0, 100000);
  assert_int_equal(vb_bitmap_size(bitmap), VB_BITMAP_BLOCK);
  assert_int_equal(vb_bitmap_add(bitmap, 99999), 1);
  assert_int_equal(vb_bitmap_size(bitmap), 100000);
  assert_int_equal(vb_bitmap_add(bitmap, 100000), 0);
  assert_int_equal(vb_bitmap_test(bitmap, 100000), 0);
  assert_int_equal(vb_bitmap_count(bitmap), 1);
  vb_bitmap_free(bitmap);
}

static void a_bitmap_grows_with_its_claims(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(0, 300000);
  vb_claims *claims = vb_claims_new(0, 300000);
  (void)vb_bitmap_add_range(bitmap, 0, VB_BITMAP_BLOCK);
  uint64_t base = 0, mask = 0;
  assert_int_equal(vb_bitmap_claim(bitmap, claims, 1, &base, &mask), 1);
  assert_int_equal(base, VB_BITMAP_BLOCK);
  assert_int_equal(vb_bitmap_size(bitmap), 2 * VB_BITMAP_BLOCK);
  assert_int_equal(vb_bitmap_count(bitmap), VB_BITMAP_BLOCK + 1);
  vb_claims_free(claims);
  vb_bitmap_free(bitmap);
}

static void few_bits_up_to_the_last_one(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(128, 128);
  assert_int_equal(vb_bitmap_add_few(bitmap, 64, 1ull << 63 | 0xff), 9);
  assert_int_equal(vb_bitmap_add_few(bitmap, 64, 1ull << 63 | 0x1ff), 1);
  assert_int_equal(vb_bitmap_count(bitmap), 10);
  assert_int_equal(vb_bitmap_test(bitmap, 127), 1);
  vb_bitmap_free(bitmap);
  bitmap = bitmap_of(127, 127);
  assert_int_equal(vb_bitmap_add_few(bitmap, 64, 1ull << 63), 0);
  assert_int_equal(vb_bitmap_count(bitmap), 0);
  vb_bitmap_free(bitmap);
}

static void the_next_bit_is_below_the_end(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(1000, 1000);
  (void)vb_bitmap_add_range(bitmap, 40, 50);
  assert_int_equal(vb_bitmap_next_set(bitmap, 0, 41), 40);
  assert_int_equal(vb_bitmap_next_set(bitmap, 0, 30), 30);
  assert_int_equal(vb_bitmap_next_set(bitmap, 0, 7), 7);
  assert_int_equal(vb_bitmap_next_unset(bitmap, 41, 45), 45);
  assert_int_equal(vb_bitmap_next_unset(bitmap, 41, 60), 50);
  vb_bitmap_free(bitmap);
}

/* Ranks in a range whose start is no start of a block, and whose blocks are passed in groups. */
static void ranks_far_up_from_any_start(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(FAR, FAR);
  for (uint64_t id = 5; id < FAR; id += 1000) (void)vb_bitmap_add(bitmap, id);
  const uint64_t starts[] = {0, 5, 6, 100, 64000, VB_BITMAP_BLOCK, VB_BITMAP_BLOCK + 1, 1000000};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(starts); i++) {
    uint64_t first = starts[i] <= 5 ? 5 : 5 + (starts[i] - 5 + 999) / 1000 * 1000;
    for (uint64_t k = 0; first + 1000 * k < FAR; k += 7)
      assert_int_equal(vb_bitmap_select(bitmap, starts[i], FAR, k), first + 1000 * k);
    assert_int_equal(vb_bitmap_select(bitmap, starts[i], FAR, 3000), FAR);
  }
  vb_bitmap_free(bitmap);
}

static void gaps_far_up_from_any_start(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(FAR, FAR);
  (void)vb_bitmap_add_range(bitmap, 1000000, 1000100); /* nearly all are gaps, then nearly none */
  for (uint64_t k = 0; k < FAR - 100; k += 999)
    assert_int_equal(vb_bitmap_select_unset(bitmap, 0, FAR, k), k < 1000000 ? k : k + 100);
  (void)vb_bitmap_add_range(bitmap, 0, FAR);
  for (uint64_t id = 5; id < FAR; id += 1000) (void)vb_bitmap_remove(bitmap, id);
  for (uint64_t k = 0; 5 + 1000 * k < FAR; k++) {
    assert_int_equal(vb_bitmap_select_unset(bitmap, 0, FAR, k), 5 + 1000 * k);
    assert_int_equal(vb_bitmap_select_unset(bitmap, 3, FAR, k), 5 + 1000 * k);
  }
  assert_int_equal(vb_bitmap_select_unset(bitmap, 0, FAR, 3000), FAR);
  vb_bitmap_free(bitmap);
}

/* Claims one id after the other until there are none; expects [first, last) in order. */
static void expect_claims(vb_bitmap *bitmap, vb_claims *claims, uint64_t first, uint64_t last) {
  uint64_t base, mask;
  for (uint64_t id = first; id < last; id++) {
    assert_int_equal(vb_bitmap_claim(bitmap, claims, 1, &base, &mask), 1);
    assert_int_equal(base + vb_bits_lowest(mask), id);
  }
  assert_int_equal(vb_bitmap_claim(bitmap, claims, 1, &base, &mask), 0);
}

static void what_a_range_operation_cleared_is_claimed_again(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(1000, 1000);
  vb_claims *claims = vb_claims_new(0, 1000);
  expect_claims(bitmap, claims, 0, 1000);
  assert_int_equal(vb_bitmap_remove_range(bitmap, 300, 310), 10);
  expect_claims(bitmap, claims, 300, 310);
  vb_claims_free(claims);
  vb_bitmap_free(bitmap);
}

/* Claims of [100, 200): what is outside is neither given nor cleared, in whichever pass. */
static void claims_of_a_range_stay_in_it(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(1000, 1000);
  vb_claims *claims = vb_claims_new(100, 200);
  assert_int_equal(vb_bitmap_add(bitmap, 7), 1);
  expect_claims(bitmap, claims, 100, 200);
  assert_int_equal(vb_bitmap_remove(bitmap, 150), 1);
  expect_claims(bitmap, claims, 150, 151);
  vb_claims_reset(claims);
  assert_int_equal(vb_bitmap_remove(bitmap, 101), 1);
  expect_claims(bitmap, claims, 101, 102);
  assert_int_equal(vb_bitmap_count(bitmap), 101);
  vb_bitmap_claim_again(bitmap, claims, NULL);
  assert_int_equal(vb_bitmap_count(bitmap), 1);
  assert_int_equal(vb_bitmap_test(bitmap, 7), 1);
  expect_claims(bitmap, claims, 100, 200);
  vb_claims_free(claims);
  vb_bitmap_free(bitmap);
}

static void a_round_that_has_not_ended_is_not_started_over(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(1000, 1000);
  vb_claims *claims = vb_claims_new(0, 1000);
  uint64_t base, mask;
  assert_int_equal(vb_bitmap_claim(bitmap, claims, 64, &base, &mask), 64);
  vb_bitmap_claim_again(bitmap, claims, NULL);
  assert_int_equal(vb_bitmap_count(bitmap), 64);
  expect_claims(bitmap, claims, 64, 1000);
  vb_claims_free(claims);
  vb_bitmap_free(bitmap);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bitmap_grows_to_its_maximum_and_no_further),
      cmocka_unit_test(a_bitmap_grows_with_its_claims),
      cmocka_unit_test(few_bits_up_to_the_last_one),
      cmocka_unit_test(the_next_bit_is_below_the_end),
      cmocka_unit_test(ranks_far_up_from_any_start),
      cmocka_unit_test(gaps_far_up_from_any_start),
      cmocka_unit_test(what_a_range_operation_cleared_is_claimed_again),
      cmocka_unit_test(claims_of_a_range_stay_in_it),
      cmocka_unit_test(a_round_that_has_not_ended_is_not_started_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
