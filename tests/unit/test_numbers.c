/* engine/numbers: each number once, whoever takes it; the boundary of a warm-up is exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/numbers.h"

enum { THREADS = 8, REQUESTS = 1000003 };

static uint64_t take_all(vb_numbers *numbers, unsigned char *seen) {
  uint64_t count = 0;
  vb_block block;
  while (vb_numbers_take(numbers, VB_NUMBERS_BLOCK, &block))
    for (uint64_t n = block.first; n < block.end; n++, count++)
      if (seen) seen[n]++;
  return count;
}

static void blocks_cover_each_number_once(void **state) {
  (void)state;
  vb_numbers numbers;
  unsigned char seen[1001] = {0};
  vb_numbers_init(&numbers, 1000, false);
  assert_int_equal(take_all(&numbers, seen), 1000);
  for (int i = 0; i < 1000; i++) assert_int_equal(seen[i], 1);
  assert_int_equal(seen[1000], 0);
  assert_int_equal(vb_numbers_taken(&numbers), 1000);
  vb_numbers_fini(&numbers);
}

static void a_block_given_back_is_taken_again(void **state) {
  (void)state;
  vb_numbers numbers;
  vb_block block;
  unsigned char seen[300] = {0};
  vb_numbers_init(&numbers, 300, false);
  assert_true(vb_numbers_take(&numbers, VB_NUMBERS_BLOCK, &block));
  for (int i = 0; i < 10; i++) seen[i]++;
  vb_block rest = {10, block.end};
  while (vb_numbers_take(&numbers, VB_NUMBERS_BLOCK, &block))
    for (uint64_t n = block.first; n < block.end; n++) seen[n]++;
  assert_true(vb_numbers_all_taken(&numbers));
  vb_numbers_return(&numbers, rest);
  assert_false(vb_numbers_all_taken(&numbers));
  assert_int_equal(take_all(&numbers, seen), rest.end - rest.first);
  assert_true(vb_numbers_all_taken(&numbers));
  for (int i = 0; i < 300; i++) assert_int_equal(seen[i], 1);
  vb_numbers_fini(&numbers);
}

static void a_cursor_that_ends_closes_the_rest(void **state) {
  (void)state;
  vb_numbers numbers;
  vb_numbers_init(&numbers, 0, false);
  vb_numbers_close(&numbers, 100);
  vb_numbers_close(&numbers, 200);
  assert_int_equal(take_all(&numbers, NULL), 100);
  vb_numbers_fini(&numbers);
}

static void no_limit_without_requests(void **state) {
  (void)state;
  vb_numbers numbers;
  vb_block block;
  vb_numbers_init(&numbers, 0, false);
  for (int i = 0; i < 1000; i++) assert_true(vb_numbers_take(&numbers, VB_NUMBERS_BLOCK, &block));
  assert_int_equal(block.end, 1000 * VB_NUMBERS_BLOCK);
  vb_numbers_fini(&numbers);
}

typedef struct taker {
  vb_numbers *numbers;
  uint64_t counted;
  pthread_t thread;
} taker;

static void *take_and_count(void *argument) {
  taker *t = argument;
  vb_block block;
  while (vb_numbers_take(t->numbers, VB_NUMBERS_BLOCK, &block)) {
    for (uint64_t n = block.first; n < block.end; n++)
      t->counted += n >= atomic_load(&t->numbers->counted_from);
  }
  return NULL;
}

static void warm_up_leaves_exactly_the_requests(void **state) {
  (void)state;
  vb_numbers numbers;
  taker takers[THREADS];
  vb_numbers_init(&numbers, REQUESTS, true);
  for (int i = 0; i < THREADS; i++) {
    takers[i] = (taker){.numbers = &numbers};
    assert_int_equal(pthread_create(&takers[i].thread, NULL, take_and_count, &takers[i]), 0);
  }
  while (atomic_load(&numbers.next) < 10000) {
  }
  vb_numbers_count(&numbers, REQUESTS);
  uint64_t counted = 0;
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(takers[i].thread, NULL), 0);
    counted += takers[i].counted;
  }
  assert_int_equal(counted, REQUESTS);
  assert_true(atomic_load(&numbers.counted_from) >= 10000);
  vb_numbers_fini(&numbers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_cover_each_number_once),
      cmocka_unit_test(a_block_given_back_is_taken_again),
      cmocka_unit_test(a_cursor_that_ends_closes_the_rest),
      cmocka_unit_test(no_limit_without_requests),
      cmocka_unit_test(warm_up_leaves_exactly_the_requests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
