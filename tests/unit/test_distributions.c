/* keyspace/zipf, keyspace/permute: shapes by chi-square with fixed seeds. A wrong exponent or an
 * off-by-one at either end fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keyspace/permute.h"
#include "keyspace/zipf.h"

#include <math.h>

enum { DRAWS = 400000 };

/* Chi-square of `count` cells against `expected` shares; each cell expects five or more. */
static double chi_square(const uint64_t *seen, const double *shares, size_t count, double draws) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    double expected = shares[i] * draws, off = (double)seen[i] - expected;
    assert_true(expected >= 5);
    sum += off * off / expected;
  }
  return sum;
}

/* What chi-square exceeds once in 10^5 times with `freedom` degrees (Wilson, Hilferty 1931). */
static double chi_limit(double freedom) {
  double part = 2 / (9 * freedom);
  return freedom * pow(1 - part + 4.265 * sqrt(part), 3);
}

/* Ranks 0 .. cells-2 by themselves, the rest in the last cell. */
static double zipfian_fit(double drawn_skew, double skew, uint64_t size, size_t cells) {
  uint64_t seen[64] = {0};
  double shares[64] = {0}, total = 0;
  vb_zipf zipfian;
  vb_rng rng = {12345};
  vb_zipf_init(&zipfian, size, drawn_skew);
  for (int i = 0; i < DRAWS; i++) {
    uint64_t rank = vb_zipf_draw(&zipfian, vb_rng_next(&rng));
    assert_true(rank < size);
    seen[rank < cells - 1 ? rank : cells - 1]++;
  }
  for (uint64_t i = 0; i < size; i++) {
    double p = pow((double)i + 1, -skew);
    shares[i < cells - 1 ? i : cells - 1] += p;
    total += p;
  }
  for (size_t i = 0; i < cells; i++) shares[i] /= total;
  return chi_square(seen, shares, cells, DRAWS);
}

static void zipfian_has_its_skew(void **state) {
  (void)state;
  const double skews[] = {0.2, 0.5, 0.99, 1.0, 1.2, 2.0};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++) {
    assert_true(zipfian_fit(skews[i], skews[i], 10, 10) < chi_limit(9));
    assert_true(zipfian_fit(skews[i], skews[i], 1000, 30) < chi_limit(29));
    if (skews[i] < 0.5) continue; /* a million ranks this flat leave cells too few draws */
    assert_true(zipfian_fit(skews[i], skews[i], 1000000, 30) < chi_limit(29));
  }
}

static void zipfian_of_a_neighbouring_skew_is_told_apart(void **state) {
  (void)state;
  assert_true(zipfian_fit(0.99, 0.95, 1000, 30) > chi_limit(29));
  assert_true(zipfian_fit(0.99, 0.99, 1000, 30) < chi_limit(29));
  assert_true(zipfian_fit(1.0, 1.03, 1000, 30) > chi_limit(29));
}

static void zipfian_of_one_and_two(void **state) {
  (void)state;
  vb_zipf one, two;
  vb_rng rng = {5};
  vb_zipf_init(&one, 1, 0.99);
  vb_zipf_init(&two, 2, 1);
  uint64_t second = 0;
  for (int i = 0; i < DRAWS; i++) {
    uint64_t random = vb_rng_next(&rng), rank = vb_zipf_draw(&two, random);
    assert_int_equal(vb_zipf_draw(&one, random), 0);
    assert_true(rank < 2);
    second += rank;
  }
  assert_in_range(second, DRAWS / 3 - 1200, DRAWS / 3 + 1200); /* 4 deviations */
}

/* Over 10^12 ranks: shares of decades from the integral of the density, Euler-Maclaurin for the
 * head. */
static void zipfian_of_a_million_millions(void **state) {
  (void)state;
  const double euler = 0.5772156649015329;
  uint64_t seen[12] = {0}, size = 1000000000000;
  double shares[12], below = 0, total = log((double)size) + euler;
  vb_zipf zipfian;
  vb_rng rng = {6};
  vb_zipf_init(&zipfian, size, 1.0);
  for (int i = 0; i < DRAWS; i++) {
    uint64_t rank = vb_zipf_draw(&zipfian, vb_rng_next(&rng)) + 1;
    assert_in_range(rank, 1, size);
    int decade = 0;
    for (uint64_t end = 10; rank > end; end *= 10) decade++;
    seen[decade]++;
  }
  for (int i = 0; i < 12; i++) {
    double end = pow(10, i + 1), harmonic = log(end) + euler + 1 / (2 * end) - 1 / (12 * end * end);
    shares[i] = (harmonic - below) / total;
    below = harmonic;
  }
  assert_true(chi_square(seen, shares, 12, DRAWS) < chi_limit(11));
}

static void zipfian_of_extreme_skews_stays_inside(void **state) {
  (void)state;
  const double skews[] = {1e-9, 0.999999999, 1.000000001, 5, 60, 1000};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(skews); i++) {
    vb_zipf zipfian;
    vb_rng rng = {9};
    uint64_t first = 0;
    vb_zipf_init(&zipfian, 1000000, skews[i]);
    for (int k = 0; k < 20000; k++) {
      uint64_t rank = vb_zipf_draw(&zipfian, vb_rng_next(&rng));
      assert_true(rank < 1000000);
      first += rank == 0;
    }
    if (skews[i] >= 5) assert_true(first > 19000);
    if (skews[i] < 0.1) assert_true(first < 10);
  }
}

static void a_permutation_is_a_bijection(void **state) {
  (void)state;
  const uint64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 100, 1000, 1024, 65535, 65537};
  unsigned char *seen = malloc(65537);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(sizes); i++) {
    vb_permutation scatter;
    vb_permutation_init(&scatter, sizes[i], 99 + i);
    memset(seen, 0, sizes[i]);
    for (uint64_t value = 0; value < sizes[i]; value++) {
      uint64_t to = vb_permute(&scatter, value);
      assert_true(to < sizes[i]);
      assert_int_equal(seen[to]++, 0);
    }
  }
  free(seen);
}

/* The lowest ranks, which are the hot ones, land evenly over the whole range, wherever the seed
 * puts them. */
static void a_permutation_spreads_the_hot_ranks(void **state) {
  (void)state;
  const uint64_t sizes[] = {1000000, 1000000000000};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(sizes); i++) {
    uint64_t seen[20] = {0}, other[20] = {0};
    double shares[20];
    vb_permutation scatter;
    vb_permutation_init(&scatter, sizes[i], 4);
    for (uint64_t rank = 0; rank < 2000; rank++)
      seen[vb_permute(&scatter, rank) / (sizes[i] / 20)]++;
    for (uint64_t seed = 0; seed < 2000; seed++) {
      vb_permutation_init(&scatter, sizes[i], seed);
      other[vb_permute(&scatter, 0) / (sizes[i] / 20)]++;
    }
    for (int k = 0; k < 20; k++) shares[k] = 0.05;
    assert_true(chi_square(seen, shares, 20, 2000) < chi_limit(19));
    assert_true(chi_square(other, shares, 20, 2000) < chi_limit(19));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(zipfian_has_its_skew),
      cmocka_unit_test(zipfian_of_a_neighbouring_skew_is_told_apart),
      cmocka_unit_test(zipfian_of_one_and_two),
      cmocka_unit_test(zipfian_of_a_million_millions),
      cmocka_unit_test(zipfian_of_extreme_skews_stays_inside),
      cmocka_unit_test(a_permutation_is_a_bijection),
      cmocka_unit_test(a_permutation_spreads_the_hot_ranks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
