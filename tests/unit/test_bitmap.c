/* keyspace/bitmap: bits, counts, ranks, ranges and claims, alone and under threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/random.h"
#include "keyspace/bitmap.h"

enum { SIZE = 200000, THREADS = 8 };

static vb_bitmap *bitmap_of(uint64_t size, uint64_t max) {
  vb_bitmap *bitmap = NULL;
  vb_error err = {0};
  if (vb_bitmap_new(&bitmap, size, max, &err)) fail_msg("%s", err.text);
  return bitmap;
}

static int set_up(void **state) {
  *state = bitmap_of(SIZE, SIZE);
  return 0;
}

static int tear_down(void **state) {
  vb_bitmap_free(*state);
  return 0;
}

static void bits_of_words(void **state) {
  (void)state;
  for (unsigned i = 1; i < 1000; i++) {
    uint64_t word = vb_mix(i) | vb_mix(i + 77);
    assert_int_equal(vb_bits_count(word), __builtin_popcountll(word));
    assert_int_equal(vb_bits_count(vb_bits_lowest_few(word, 5)), 5);
    assert_true(vb_bits_lowest_few(word, 5) < word);
    assert_int_equal(vb_bits_count(word & ((1ull << vb_bits_select(word, 7)) - 1)), 7);
  }
  assert_int_equal(vb_bits_count(UINT64_MAX), 64);
  assert_true(vb_bits_lowest_few(UINT64_MAX, 64) == UINT64_MAX);
  assert_true(vb_bits_between(0, 64) == UINT64_MAX);
  assert_true(vb_bits_between(3, 5) == 0x18);
}

static void add_and_remove_say_whether_they_changed(void **state) {
  vb_bitmap *bitmap = *state;
  const uint64_t ids[] = {0, 63, 64, 65535, 65536, SIZE - 1};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(ids); i++) {
    assert_int_equal(vb_bitmap_test(bitmap, ids[i]), 0);
    assert_int_equal(vb_bitmap_add(bitmap, ids[i]), 1);
    assert_int_equal(vb_bitmap_add(bitmap, ids[i]), 0);
    assert_int_equal(vb_bitmap_test(bitmap, ids[i]), 1);
    assert_int_equal(vb_bitmap_count(bitmap), i + 1);
  }
  assert_int_equal(vb_bitmap_test(bitmap, 62), 0);
  assert_int_equal(vb_bitmap_remove(bitmap, 65535), 1);
  assert_int_equal(vb_bitmap_remove(bitmap, 65535), 0);
  assert_int_equal(vb_bitmap_count(bitmap), VB_ARRAY_LENGTH(ids) - 1);
}

static void ids_past_the_size_are_never_there(void **state) {
  vb_bitmap *bitmap = *state;
  assert_int_equal(vb_bitmap_add(bitmap, SIZE), 0);
  assert_int_equal(vb_bitmap_add(bitmap, UINT64_MAX), 0);
  assert_int_equal(vb_bitmap_test(bitmap, SIZE), 0);
  assert_int_equal(vb_bitmap_remove(bitmap, UINT64_MAX), 0);
  assert_int_equal(vb_bitmap_add_range(bitmap, SIZE - 2, SIZE + 100), 2);
  assert_int_equal(vb_bitmap_add_range(bitmap, SIZE, UINT64_MAX), 0);
  assert_int_equal(vb_bitmap_size(bitmap), SIZE);
}

static void ranges_count_what_changed(void **state) {
  vb_bitmap *bitmap = *state;
  assert_int_equal(vb_bitmap_add(bitmap, 70000), 1);
  assert_int_equal(vb_bitmap_add_range(bitmap, 10, 150001), 149990);
  assert_int_equal(vb_bitmap_count(bitmap), 149991);
  assert_int_equal(vb_bitmap_test(bitmap, 9), 0);
  assert_int_equal(vb_bitmap_test(bitmap, 150000), 1);
  assert_int_equal(vb_bitmap_test(bitmap, 150001), 0);
  assert_int_equal(vb_bitmap_remove_range(bitmap, 64, 128), 64);
  assert_int_equal(vb_bitmap_remove_range(bitmap, 0, 65), 54);
  assert_int_equal(vb_bitmap_add_range(bitmap, 5, 5), 0);
  assert_int_equal(vb_bitmap_remove_range(bitmap, 7, 3), 0);
  assert_int_equal(vb_bitmap_remove_range(bitmap, 0, UINT64_MAX), 149991 - 64 - 54);
  assert_int_equal(vb_bitmap_count(bitmap), 0);
}

static void counts_of_ranges_are_those_of_their_bits(void **state) {
  vb_bitmap *bitmap = *state;
  for (uint64_t id = 0; id < SIZE; id += 3) (void)vb_bitmap_add(bitmap, id);
  const uint64_t ends[] = {0, 1, 63, 64, 65536, 70000, 131072, SIZE, SIZE + 5};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(ends); i++) {
    for (size_t k = i; k < VB_ARRAY_LENGTH(ends); k++) {
      uint64_t count = 0;
      for (uint64_t id = ends[i]; id < ends[k]; id++) count += (uint64_t)vb_bitmap_test(bitmap, id);
      assert_int_equal(vb_bitmap_count_range(bitmap, ends[i], ends[k]), count);
    }
  }
}

static void the_next_set_and_unset_bits(void **state) {
  vb_bitmap *bitmap = *state;
  assert_int_equal(vb_bitmap_next_set(bitmap, 0, SIZE), SIZE);
  assert_int_equal(vb_bitmap_next_unset(bitmap, 0, SIZE), 0);
  (void)vb_bitmap_add_range(bitmap, 100, 140000);
  assert_int_equal(vb_bitmap_next_set(bitmap, 0, SIZE), 100);
  assert_int_equal(vb_bitmap_next_set(bitmap, 0, 100), 100);
  assert_int_equal(vb_bitmap_next_set(bitmap, 139999, SIZE), 139999);
  assert_int_equal(vb_bitmap_next_set(bitmap, 140000, SIZE), SIZE);
  assert_int_equal(vb_bitmap_next_unset(bitmap, 100, SIZE), 140000);
  assert_int_equal(vb_bitmap_next_unset(bitmap, 100, 120000), 120000);
  assert_int_equal(vb_bitmap_next_unset(bitmap, 140000, SIZE), 140000);
  assert_true(vb_bitmap_word(bitmap, 127) == UINT64_MAX << 36);
  assert_true(vb_bitmap_word(bitmap, UINT64_MAX) == 0);
}

static void ranks_find_every_bit_and_every_gap(void **state) {
  vb_bitmap *bitmap = *state;
  uint64_t set = 0, unset = 0, first = 77, last = SIZE - 5;
  for (uint64_t id = 0; id < SIZE; id++)
    if (vb_mix(id) % 3 == 0) (void)vb_bitmap_add(bitmap, id);
  for (uint64_t id = first; id < last; id++) {
    bool is_set = vb_mix(id) % 3 == 0;
    uint64_t rank = is_set ? set++ : unset++;
    if (id % 97) continue; /* every rank would take a minute */
    assert_int_equal(is_set ? vb_bitmap_select(bitmap, first, last, rank)
                            : vb_bitmap_select_unset(bitmap, first, last, rank),
                     id);
  }
  assert_int_equal(vb_bitmap_select(bitmap, first, last, set), last);
  assert_int_equal(vb_bitmap_select_unset(bitmap, first, last, unset), last);
}

static void a_bitmap_without_a_size_doubles(void **state) {
  (void)state;
  vb_bitmap *bitmap = bitmap_of(0, 1ull << 40);
  assert_int_equal(vb_bitmap_size(bitmap), 65536);
  assert_int_equal(vb_bitmap_add(bitmap, 65535), 1);
  assert_int_equal(vb_bitmap_size(bitmap), 65536);
  assert_int_equal(vb_bitmap_test(bitmap, 1ull << 39), 0);
  assert_int_equal(vb_bitmap_add(bitmap, 100000), 1);
  assert_int_equal(vb_bitmap_size(bitmap), 131072);
  assert_int_equal(vb_bitmap_add(bitmap, (1ull << 40) - 1), 1);
  assert_int_equal(vb_bitmap_size(bitmap), 1ull << 40);
  assert_int_equal(vb_bitmap_count(bitmap), 3);
  assert_int_equal(vb_bitmap_add(bitmap, 1ull << 40), 0);
  vb_bitmap_free(bitmap);
}

static void what_cannot_be_says_why(void **state) {
  (void)state;
  vb_bitmap *bitmap = NULL;
  vb_error err = {0};
  assert_int_equal(vb_bitmap_new(&bitmap, 0, 0, &err), VB_EINVAL);
  assert_int_equal(vb_bitmap_new(&bitmap, 0, (1ull << 40) + 1, &err), VB_EINVAL);
  assert_string_equal(err.text, "a tracker of 1099511627777 ids: 1 to 1099511627776 are possible");
  assert_int_equal(vb_bitmap_new(&bitmap, 1ull << 43, 1ull << 40, &err), VB_EINVAL);
  assert_null(bitmap);
}

static void a_size_beyond_memory_says_what_it_takes(void **state) {
  (void)state;
  vb_bitmap *bitmap = NULL;
  vb_error err = {0};
  int status = vb_bitmap_new(&bitmap, 1ull << 40, 1ull << 40, &err);
  double machine_gib = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE) / 0x1p30;
  assert_int_equal(status, machine_gib < 128 ? VB_ENOMEM : VB_OK);
  if (status) assert_non_null(strstr(err.text, "takes 128.00 GiB; this machine has "));
  vb_bitmap_free(bitmap);
}

static void claims_come_lowest_first_and_once(void **state) {
  vb_bitmap *bitmap = *state;
  vb_claims *claims = vb_claims_new(0, SIZE);
  uint64_t base, mask, next = 0;
  (void)vb_bitmap_add_range(bitmap, 100, 150000);
  while (vb_bitmap_claim(bitmap, claims, 7, &base, &mask)) {
    assert_true(vb_bits_count(mask) <= 7);
    for (; mask; mask &= mask - 1) {
      assert_int_equal(base + vb_bits_lowest(mask), next);
      next = next == 99 ? 150000 : next + 1;
    }
  }
  assert_int_equal(next, SIZE);
  assert_int_equal(vb_bitmap_count(bitmap), SIZE);
  vb_claims_free(claims);
}

static uint64_t claim_one(vb_bitmap *bitmap, vb_claims *claims) {
  uint64_t base, mask;
  if (!vb_bitmap_claim(bitmap, claims, 1, &base, &mask)) return UINT64_MAX;
  return base + vb_bits_lowest(mask);
}

static void claims_keep_to_their_range(void **state) {
  vb_claims *claims = vb_claims_new(70, 75);
  for (uint64_t id = 70; id < 75; id++) assert_int_equal(claim_one(*state, claims), id);
  assert_true(claim_one(*state, claims) == UINT64_MAX);
  vb_claims_free(claims);
}

static void what_was_released_is_claimed_in_the_next_pass(void **state) {
  vb_claims *claims = vb_claims_new(0, 1000);
  for (uint64_t id = 0; id < 10; id++) assert_int_equal(claim_one(*state, claims), id);
  assert_int_equal(vb_bitmap_remove(*state, 5), 1);
  assert_int_equal(vb_bitmap_remove(*state, 3), 1);
  assert_int_equal(vb_bitmap_remove(*state, 500), 0);
  for (uint64_t id = 64; id < 1000; id++) (void)vb_bitmap_add(*state, id);
  assert_int_equal(claim_one(*state, claims), 3);
  assert_int_equal(claim_one(*state, claims), 5);
  for (uint64_t id = 10; id < 64; id++) assert_int_equal(claim_one(*state, claims), id);
  assert_true(claim_one(*state, claims) == UINT64_MAX);
  assert_int_equal(vb_bitmap_remove(*state, 500), 1);
  assert_int_equal(claim_one(*state, claims), 500);
  assert_true(claim_one(*state, claims) == UINT64_MAX);
  assert_true(claim_one(*state, claims) == UINT64_MAX);
  vb_claims_free(claims);
}

static void a_reset_position_starts_over(void **state) {
  vb_claims *claims = vb_claims_new(0, 1000);
  for (int i = 0; i < 500; i++) (void)claim_one(*state, claims);
  (void)vb_bitmap_remove(*state, 5);
  vb_claims_reset(claims);
  assert_int_equal(claim_one(*state, claims), 5);
  vb_claims_free(claims);
}

static void a_round_gives_every_id_again(void **state) {
  vb_claims *claims = vb_claims_new(10, 200);
  for (int round = 0; round < 3; round++) {
    for (uint64_t id = 10; id < 200; id++) assert_int_equal(claim_one(*state, claims), id);
    assert_true(claim_one(*state, claims) == UINT64_MAX);
    vb_bitmap_claim_again(*state, claims, NULL);
    vb_bitmap_claim_again(*state, claims, NULL); /* of another claimer, too late */
  }
  vb_claims_free(claims);
}

/* What threads share. Each id of `seen` is a byte that its claimer alone may touch. */
typedef struct crowd {
  vb_bitmap *bitmap;
  vb_claims *claims;
  unsigned char *seen;
  unsigned rounds;
  _Atomic unsigned next;
} crowd;

static crowd crowd_of(uint64_t ids) {
  crowd all = {.bitmap = bitmap_of(ids, ids), .claims = vb_claims_new(0, ids)};
  all.seen = calloc(ids, 1);
  assert_non_null(all.seen);
  return all;
}

static void free_crowd(crowd *all) {
  free(all->seen);
  vb_claims_free(all->claims);
  vb_bitmap_free(all->bitmap);
}

static void expect_each_once(const crowd *all) {
  uint64_t size = vb_bitmap_size(all->bitmap);
  for (uint64_t id = 0; id < size; id++)
    if (all->seen[id] != 1) fail_msg("id %u was claimed %u times", (unsigned)id, all->seen[id]);
  assert_int_equal(vb_bitmap_count(all->bitmap), size);
}

static void run_threads(crowd *all, void *(*body)(void *)) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, body, all), 0);
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void *claim_all(void *argument) {
  crowd *all = argument;
  unsigned number = all->next++;
  uint64_t base, mask;
  unsigned want = number % 2 ? 64 : 1 + number;
  while (vb_bitmap_claim(all->bitmap, all->claims, want, &base, &mask)) {
    for (; mask; mask &= mask - 1) all->seen[base + vb_bits_lowest(mask)]++;
  }
  return NULL;
}

static void eight_threads_claim_ten_million_ids_each_once(void **state) {
  (void)state;
  crowd all = crowd_of(10000000);
  run_threads(&all, claim_all);
  expect_each_once(&all);
  free_crowd(&all);
}

/* The number of the claim, from 0, says its round: all before it are counted. */
static void *claim_rounds(void *argument) {
  crowd *all = argument;
  uint64_t base, mask;
  for (unsigned again = 0; again < 4 * all->rounds;) {
    if (!vb_bitmap_claim(all->bitmap, all->claims, 64, &base, &mask)) {
      if (all->next++ >= all->rounds) return NULL;
      vb_bitmap_claim_again(all->bitmap, all->claims, NULL);
      again++;
      continue;
    }
    for (; mask; mask &= mask - 1)
      (void)__atomic_add_fetch(&all->seen[base + vb_bits_lowest(mask)], 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void with_rounds_no_id_gets_ahead_of_another(void **state) {
  (void)state;
  enum { IDS = 100001 };
  crowd all = crowd_of(IDS);
  all.rounds = 40;
  run_threads(&all, claim_rounds);
  unsigned least = 255, most = 0;
  for (size_t id = 0; id < IDS; id++) {
    if (all.seen[id] < least) least = all.seen[id];
    if (all.seen[id] > most) most = all.seen[id];
  }
  assert_int_equal(least, most);
  assert_true(least >= 2);
  free_crowd(&all);
}

/* Claims, and gives every third claim back: in the end all are taken, and once. */
static void *claim_and_release(void *argument) {
  crowd *all = argument;
  unsigned number = all->next++;
  vb_rng rng = {.state = number};
  for (;;) {
    uint64_t base, mask;
    if (!vb_bitmap_claim(all->bitmap, all->claims, 5, &base, &mask)) return NULL;
    if (vb_rng_next(&rng) % 3 == 0) {
      for (; mask; mask &= mask - 1)
        (void)vb_bitmap_remove(all->bitmap, base + vb_bits_lowest(mask));
      continue;
    }
    for (; mask; mask &= mask - 1) all->seen[base + vb_bits_lowest(mask)]++;
  }
}

static void released_ids_are_never_lost(void **state) {
  (void)state;
  crowd all = crowd_of(500000);
  run_threads(&all, claim_and_release);
  expect_each_once(&all);
  free_crowd(&all);
}

/* Everything at once; every thread undoes what it did. */
static void *mixed(void *argument) {
  crowd *all = argument;
  unsigned number = all->next++;
  vb_rng rng = {.state = number};
  uint64_t copy[VB_BITMAP_WORDS];
  for (int i = 0; i < 3000; i++) {
    uint64_t id = vb_below(vb_rng_next(&rng), SIZE), last = id + vb_rng_next(&rng) % 5000;
    switch (vb_rng_next(&rng) % 8) {
    case 0: (void)vb_bitmap_add_range(all->bitmap, id, last); break;
    case 1: (void)vb_bitmap_remove_range(all->bitmap, id, last); break;
    case 2: (void)vb_bitmap_copy_block(all->bitmap, id / VB_BITMAP_BLOCK, copy); break;
    case 3: (void)vb_bitmap_select(all->bitmap, 0, SIZE, id / 2); break;
    case 4: (void)vb_bitmap_next_unset(all->bitmap, id, SIZE); break;
    case 5: (void)claim_one(all->bitmap, all->claims); break;
    case 6: (void)vb_bitmap_add(all->bitmap, id); break;
    default: (void)vb_bitmap_remove(all->bitmap, id); break;
    }
  }
  return NULL;
}

static void counts_are_exact_after_everything_at_once(void **state) {
  crowd all = {.bitmap = *state, .claims = vb_claims_new(0, SIZE)};
  run_threads(&all, mixed);
  uint64_t count = 0;
  for (uint64_t id = 0; id < SIZE; id++) count += (uint64_t)vb_bitmap_test(*state, id);
  assert_int_equal(vb_bitmap_count(*state), count);
  vb_claims_free(all.claims);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bits_of_words),
      cmocka_unit_test_setup_teardown(add_and_remove_say_whether_they_changed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ids_past_the_size_are_never_there, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ranges_count_what_changed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(counts_of_ranges_are_those_of_their_bits, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_next_set_and_unset_bits, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ranks_find_every_bit_and_every_gap, set_up, tear_down),
      cmocka_unit_test(a_bitmap_without_a_size_doubles),
      cmocka_unit_test(what_cannot_be_says_why),
      cmocka_unit_test(a_size_beyond_memory_says_what_it_takes),
      cmocka_unit_test_setup_teardown(claims_come_lowest_first_and_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(claims_keep_to_their_range, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_was_released_is_claimed_in_the_next_pass, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(a_reset_position_starts_over, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_round_gives_every_id_again, set_up, tear_down),
      cmocka_unit_test(eight_threads_claim_ten_million_ids_each_once),
      cmocka_unit_test(with_rounds_no_id_gets_ahead_of_another),
      cmocka_unit_test(released_ids_are_never_lost),
      cmocka_unit_test_setup_teardown(counts_are_exact_after_everything_at_once, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
