/* keyspace/zipf against the exact distribution, up to 10^12 ranks, with fixed seeds: an exponent
 * that is 0.02 off, a rank more or less at either end fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "commands.h"
#include "keyspace/zipf.h"

#include <math.h>

enum { DRAWS = 1000000, CELLS = 64, HEAD = 20 };

static const double skews[] = {0.5, 0.99, 1.0, 1.2, 2.0};
static const uint64_t sizes[] = {2, 10, 1000000, 1000000000000};

/* Sum of k^-skew for k = 1 .. n: the first terms as they are, the others by the formula of Euler
 * and Maclaurin, whose next term is below 10^-10 behind HEAD. */
static double power_sum(double skew, double n) {
  double sum = 0, first = HEAD;
  for (double k = 1; k < first && k <= n; k++) sum += pow(k, -skew);
  if (n < first) return sum;
  double to = log(n / first), exponent = 1 - skew;
  double integral = pow(first, exponent) * (exponent != 0 ? expm1(exponent * to) / exponent : to);
  double ends = (pow(first, -skew) + pow(n, -skew)) / 2;
  double slopes = skew / 12 * (pow(first, -skew - 1) - pow(n, -skew - 1));
  double third = skew * (skew + 1) * (skew + 2) / 720;
  return sum + integral + ends + slopes - third * (pow(first, -skew - 3) - pow(n, -skew - 3));
}

static void the_sum_of_powers_is_exact(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++) {
    double sum = 0;
    for (int k = 1; k <= 1000000; k++) {
      sum += pow(k, -skews[i]);
      if (k == 19 || k == 20 || k == 21 || k == 1000 || k == 1000000)
        assert_true(fabs(power_sum(skews[i], k) / sum - 1) < 1e-10);
    }
  }
  assert_true(fabs(power_sum(2, 1e12) - 9.8696044010893586 / 6 + 1e-12) < 1e-10); /* pi^2 / 6 */
}

/* What is drawn: ranks from `first` up, of `size` of them. */
typedef struct drawn {
  double skew;
  uint64_t first, size;
} drawn;

/* The last ranks (from 1) of the cells: each by itself at first, then longer and longer ones. */
static size_t make_cells(double ends[CELLS], double size) {
  size_t cells = 0;
  for (double end = 1; end < size; end = end < 16 ? end + 1 : floor(end * 2.3)) ends[cells++] = end;
  ends[cells++] = size;
  return cells;
}

static void count_ranks(uint64_t seen[CELLS], const double ends[CELLS], size_t cells,
                        const drawn *what) {
  vb_zipf zipf;
  vb_rng rng = {2024};
  vb_zipf_init(&zipf, what->size, what->skew);
  for (int i = 0; i < DRAWS; i++) {
    double rank = 1 + (double)(what->first + vb_zipf_draw(&zipf, vb_rng_next(&rng)));
    size_t low = 0, high = cells - 1;
    while (low < high) {
      size_t middle = (low + high) / 2;
      if (rank <= ends[middle])
        high = middle;
      else
        low = middle + 1;
    }
    seen[low]++;
  }
}

/* Chi-square of draws against ranks 0 .. size-1 of `skew`, over what chi-square exceeds once in
 * 10^5 times: above 1 it does not fit. Cells that expect few draws are counted with the next. */
static double misfit(drawn what, double skew, uint64_t size) {
  uint64_t seen[CELLS] = {0};
  double ends[CELLS], total = power_sum(skew, (double)size), below = 0, sum = 0, waiting = 0;
  size_t cells = make_cells(ends, (double)size), used = 0;
  count_ranks(seen, ends, cells, &what);
  for (size_t i = 0; i < cells; i++) {
    double now = power_sum(skew, ends[i]), expected = (now - below) / total * DRAWS;
    waiting += (double)seen[i];
    if (expected < 10 && i + 1 < cells) continue;
    below = now;
    used++;
    if (expected > 0) sum += (waiting - expected) * (waiting - expected) / fmax(expected, 1);
    waiting = 0;
  }
  return sum / test_chi_limit((double)used - 1);
}

static void ranks_have_their_shares(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++)
    for (size_t k = 0; k < VB_ARRAY_LENGTH(sizes); k++)
      assert_true(misfit((drawn){skews[i], 0, sizes[k]}, skews[i], sizes[k]) < 1);
}

static void another_exponent_does_not_fit(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++)
    for (size_t k = 0; k < VB_ARRAY_LENGTH(sizes); k++)
      assert_true(misfit((drawn){skews[i] + 0.02, 0, sizes[k]}, skews[i], sizes[k]) > 1);
}

static void a_rank_more_or_less_at_the_front_does_not_fit(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++)
    for (size_t k = 0; k < VB_ARRAY_LENGTH(sizes); k++) {
      double firsts = DRAWS / power_sum(skews[i], (double)sizes[k]);
      if (firsts < 100) continue; /* the_first_rank_is_at_the_end_of_the_random_numbers */
      assert_true(misfit((drawn){skews[i], 1, sizes[k] - 1}, skews[i], sizes[k]) > 1);
    }
}

static void a_rank_more_or_less_of_few_does_not_fit(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++)
    for (size_t k = 0; sizes[k] <= 10; k++) {
      assert_true(misfit((drawn){skews[i], 0, sizes[k] - 1}, skews[i], sizes[k]) > 1);
      assert_true(misfit((drawn){skews[i], 0, sizes[k] + 1}, skews[i], sizes[k]) > 1);
    }
}

static void one_rank_is_the_only_one(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++) {
    vb_zipf zipf;
    vb_zipf_init(&zipf, 1, skews[i]);
    for (uint64_t k = 0; k < 64; k++) {
      assert_int_equal(vb_zipf_draw(&zipf, UINT64_MAX >> k), 0);
      assert_int_equal(vb_zipf_draw(&zipf, UINT64_MAX << k), 0);
    }
  }
}

/* Of many ranks no number of draws tells whether the last one is there, so all random numbers are
 * tried that lead to the last ranks. They go down with it: each rank gets as many as its share. */
static void expect_last_ranks(double skew, uint64_t size) {
  vb_zipf zipf;
  vb_zipf_init(&zipf, size, skew);
  double share = pow((double)size, -skew) / power_sum(skew, (double)size) * 0x1p53;
  uint64_t seen[4] = {0}, steps = (uint64_t)(3.5 * share);
  for (uint64_t i = 0; i < steps; i++) {
    uint64_t rank = vb_zipf_draw(&zipf, i << 11);
    assert_in_range(rank, size - 4, size - 1);
    seen[size - 1 - rank]++;
  }
  for (int i = 0; i < 3; i++) assert_true(fabs((double)seen[i] / share - 1) < 0.05);
  assert_true(fabs((double)seen[3] / share - 0.5) < 0.1);
}

static void the_last_ranks_have_their_shares(void **state) {
  (void)state;
  expect_last_ranks(0.5, 1000000000000);
  expect_last_ranks(0.99, 1000000000000);
  expect_last_ranks(1.0, 1000000000000);
  expect_last_ranks(2.0, 10000000);
}

static void the_first_rank_is_at_the_end_of_the_random_numbers(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++)
    for (size_t k = 0; k < VB_ARRAY_LENGTH(sizes); k++) {
      vb_zipf zipf;
      vb_zipf_init(&zipf, sizes[k], skews[i]);
      assert_int_equal(vb_zipf_draw(&zipf, UINT64_MAX), 0);
      assert_int_equal(vb_zipf_draw(&zipf, 0), sizes[k] - 1);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_sum_of_powers_is_exact),
      cmocka_unit_test(ranks_have_their_shares),
      cmocka_unit_test(another_exponent_does_not_fit),
      cmocka_unit_test(a_rank_more_or_less_at_the_front_does_not_fit),
      cmocka_unit_test(a_rank_more_or_less_of_few_does_not_fit),
      cmocka_unit_test(one_rank_is_the_only_one),
      cmocka_unit_test(the_last_ranks_have_their_shares),
      cmocka_unit_test(the_first_rank_is_at_the_end_of_the_random_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
