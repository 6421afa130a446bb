/* stats/histogram: percentiles against a sorted array, merging, the exact sums, the encoding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "stats/histogram.h"

enum { SAMPLES = 50000 };
static const double percentiles[] = {1, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100};
static const uint64_t hour = 3600000000000ull;

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* Numbers of every magnitude from 1 ns to an hour. */
static uint64_t *samples_of_all_sizes(uint64_t seed) {
  uint64_t *samples = malloc(SAMPLES * sizeof *samples);
  for (uint64_t i = 0; i < SAMPLES; i++) {
    uint64_t draw = vb_draw(seed, i, 1);
    samples[i] = 1 + (draw >> (64 - 1 - i % 41));
  }
  return samples;
}

/* The smallest sample that at least p percent are at or below. */
static uint64_t nearest_rank(const uint64_t *sorted, double p) {
  size_t rank = 1;
  while ((double)rank < p / 100 * SAMPLES - 1e-6) rank++;
  return sorted[rank - 1];
}

static void percentiles_are_those_of_the_sorted_samples(void **state) {
  (void)state;
  uint64_t *samples = samples_of_all_sizes(7);
  for (int digits = 1; digits <= 4; digits++) {
    vb_histogram *histogram = vb_histogram_new(digits);
    for (size_t i = 0; i < SAMPLES; i++) vb_histogram_record(histogram, samples[i], 1);
    qsort(samples, SAMPLES, sizeof *samples, ascending);
    double share = 1;
    for (int i = 0; i < digits; i++) share /= 10;
    for (size_t i = 0; i < VB_ARRAY_LENGTH(percentiles); i++) {
      uint64_t got = vb_histogram_percentile(histogram, percentiles[i]);
      uint64_t want = nearest_rank(samples, percentiles[i]);
      assert_true(got >= want);
      assert_true((double)(got - want) <= (double)want * share);
    }
    vb_histogram_free(histogram);
  }
  free(samples);
}

static void min_max_mean_and_stddev_are_exact(void **state) {
  (void)state;
  vb_histogram *histogram = vb_histogram_new(1);
  vb_histogram_record(histogram, 123457, 3);
  vb_histogram_record(histogram, 999999937, 1);
  assert_int_equal(vb_histogram_count(histogram), 4);
  assert_int_equal(vb_histogram_min(histogram), 123457);
  assert_int_equal(vb_histogram_max(histogram), 999999937);
  assert_true(vb_histogram_mean(histogram) == (3 * 123457 + 999999937) / 4.0);
  vb_histogram_reset(histogram);
  vb_histogram_record(histogram, 2, 1);
  vb_histogram_record(histogram, 4, 1);
  assert_true(vb_histogram_stddev(histogram) == 1.0);
  vb_histogram_free(histogram);
}

static void sums_beyond_64_bits_are_exact(void **state) {
  (void)state;
  vb_histogram *histogram = vb_histogram_new(2);
  vb_histogram_record(histogram, hour, 1000000000);
  assert_true(vb_histogram_mean(histogram) == (double)hour);
  vb_histogram_free(histogram);
}

static void an_empty_histogram_is_all_zero(void **state) {
  (void)state;
  vb_histogram *histogram = vb_histogram_new(3);
  assert_int_equal(vb_histogram_min(histogram), 0);
  assert_int_equal(vb_histogram_max(histogram), 0);
  assert_int_equal(vb_histogram_percentile(histogram, 99), 0);
  assert_true(vb_histogram_mean(histogram) == 0 && vb_histogram_stddev(histogram) == 0);
  vb_histogram_record(histogram, 5, 0);
  assert_int_equal(vb_histogram_count(histogram), 0);
  vb_histogram_free(histogram);
}

static void zero_counts_as_one_and_an_hour_is_no_limit_of_max(void **state) {
  (void)state;
  vb_histogram *histogram = vb_histogram_new(3);
  vb_histogram_record(histogram, 0, 1);
  assert_int_equal(vb_histogram_percentile(histogram, 50), 1);
  vb_histogram_record(histogram, 2 * hour, 1);
  vb_histogram_record(histogram, UINT64_MAX, 1);
  assert_int_equal(vb_histogram_count(histogram), 3);
  assert_true(vb_histogram_max(histogram) == UINT64_MAX);
  assert_true(vb_histogram_percentile(histogram, 60) >= 2 * hour);
  assert_int_equal(vb_histogram_count_below(histogram, 1000), 1);
  vb_histogram_free(histogram);
}

static void digits_out_of_range_are_refused(void **state) {
  (void)state;
  assert_null(vb_histogram_new(0));
  assert_null(vb_histogram_new(5));
  assert_int_equal(vb_histogram_bytes(5), 0);
  assert_in_range(vb_histogram_bytes(3), 33792 * 8, 33792 * 8 + 128);
}

static void a_reset_forgets_all(void **state) {
  (void)state;
  uint64_t *samples = samples_of_all_sizes(3);
  vb_histogram *histogram = vb_histogram_new(2);
  for (size_t i = 0; i < SAMPLES; i++) vb_histogram_record(histogram, samples[i], 2);
  vb_histogram_record(histogram, 3 * hour, 1);
  vb_histogram_reset(histogram);
  assert_int_equal(vb_histogram_count(histogram), 0);
  vb_histogram_record(histogram, 1, 1);
  vb_histogram_record(histogram, 2 * hour, 1);
  assert_int_equal(vb_histogram_count_below(histogram, hour - hour / 10), 1);
  assert_int_equal(vb_histogram_percentile(histogram, 50), 1);
  assert_true(vb_histogram_mean(histogram) == (double)hour + 0.5);
  vb_histogram_free(histogram);
  free(samples);
}

/* Two halves merged are the whole; into other digits, percentiles are within both precisions. */
static void merging_halves_gives_the_whole(void **state) {
  (void)state;
  uint64_t *samples = samples_of_all_sizes(11);
  for (int digits = 2; digits <= 4; digits++) {
    vb_histogram *even = vb_histogram_new(3), *odd = vb_histogram_new(3);
    vb_histogram *whole = vb_histogram_new(3), *merged = vb_histogram_new(digits);
    for (size_t i = 0; i < SAMPLES; i++) {
      vb_histogram_record(i % 2 ? odd : even, samples[i], 1);
      vb_histogram_record(whole, samples[i], 1);
    }
    vb_histogram_merge(merged, even);
    vb_histogram_merge(merged, odd);
    assert_int_equal(vb_histogram_count(merged), SAMPLES);
    assert_int_equal(vb_histogram_min(merged), vb_histogram_min(whole));
    assert_int_equal(vb_histogram_max(merged), vb_histogram_max(whole));
    assert_true(vb_histogram_mean(merged) == vb_histogram_mean(whole));
    for (size_t i = 0; i < VB_ARRAY_LENGTH(percentiles); i++) {
      double got = (double)vb_histogram_percentile(merged, percentiles[i]);
      double want = (double)vb_histogram_percentile(whole, percentiles[i]);
      assert_true(digits == 3 ? got == want : got > want * 0.99 && got < want * 1.01);
    }
    uint64_t middle = vb_histogram_percentile(merged, 50);
    assert_true(vb_histogram_count_below(merged, middle) >= SAMPLES / 2);
    vb_histogram_reset(merged);
    assert_int_equal(vb_histogram_count_below(merged, UINT64_MAX), 0);
    vb_histogram_free(even);
    vb_histogram_free(odd);
    vb_histogram_free(whole);
    vb_histogram_free(merged);
  }
  free(samples);
}

/* A finer histogram must not lose what a coarse bucket spreads over its edges. */
static void merging_into_finer_digits_keeps_every_count_in_reach(void **state) {
  (void)state;
  vb_histogram *coarse = vb_histogram_new(1), *fine = vb_histogram_new(4);
  vb_histogram_record(coarse, 1000001, 1);
  vb_histogram_merge(fine, coarse);
  assert_int_equal(vb_histogram_percentile(fine, 50), 1000001);
  vb_histogram_reset(fine);
  vb_histogram_record(fine, 7, 1);
  vb_histogram_record(fine, 9000000, 1);
  assert_int_equal(vb_histogram_percentile(fine, 75), 9000000);
  vb_histogram_free(coarse);
  vb_histogram_free(fine);
}

static void write_case(FILE *out, vb_histogram *histogram, int digits) {
  char *text = vb_histogram_encode(histogram);
  assert_non_null(text);
  fprintf(out, "%s digits=%d count=%llu", text, digits,
          (unsigned long long)vb_histogram_count(histogram));
  if (vb_histogram_count(histogram)) {
    fprintf(out, " min=%llu max=%llu", (unsigned long long)vb_histogram_min(histogram),
            (unsigned long long)vb_histogram_max(histogram));
    for (size_t i = 0; i < VB_ARRAY_LENGTH(percentiles); i++)
      fprintf(out, " p%g=%llu", percentiles[i],
              (unsigned long long)vb_histogram_percentile(histogram, percentiles[i]));
  }
  fputc('\n', out);
  vb_text_free(text);
}

/* The decoder is written from the format's description, in another language. */
static void another_reader_of_the_format_reads_ours(void **state) {
  (void)state;
  FILE *reader = popen("python3 " VB_TESTS_DIR "/support/hdr_decode.py", "w");
  assert_non_null(reader);
  uint64_t *samples = samples_of_all_sizes(5);
  for (int digits = 1; digits <= 4; digits++) {
    vb_histogram *histogram = vb_histogram_new(digits);
    write_case(reader, histogram, digits);
    vb_histogram_record(histogram, 250000, 123456789012ull);
    write_case(reader, histogram, digits);
    vb_histogram_record(histogram, 251000, UINT64_MAX >> 2);
    write_case(reader, histogram, digits);
    vb_histogram_reset(histogram);
    for (size_t i = 0; i < SAMPLES; i++) vb_histogram_record(histogram, samples[i], 1 + i % 300);
    write_case(reader, histogram, digits);
    vb_histogram_free(histogram);
  }
  free(samples);
  assert_int_equal(pclose(reader), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(percentiles_are_those_of_the_sorted_samples),
      cmocka_unit_test(min_max_mean_and_stddev_are_exact),
      cmocka_unit_test(sums_beyond_64_bits_are_exact),
      cmocka_unit_test(an_empty_histogram_is_all_zero),
      cmocka_unit_test(zero_counts_as_one_and_an_hour_is_no_limit_of_max),
      cmocka_unit_test(digits_out_of_range_are_refused),
      cmocka_unit_test(a_reset_forgets_all),
      cmocka_unit_test(merging_halves_gives_the_whole),
      cmocka_unit_test(merging_into_finer_digits_keeps_every_count_in_reach),
      cmocka_unit_test(another_reader_of_the_format_reads_ours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
