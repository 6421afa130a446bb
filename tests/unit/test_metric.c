/* stats/metric: what a script records is what its report says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/metric.h"

static void percentiles_show_the_digits_that_are_known(void **state) {
  (void)state;
  vb_metric *metric = vb_metric_new();
  for (int i = 0; i < 10; i++) assert_int_equal(vb_metric_record(metric, i), VB_OK);
  assert_true(vb_metric_percentile(metric, 70) == 6);
  assert_true(vb_metric_percentile(metric, 90) == 8);
  vb_metric_free(metric);
}

static void sums_are_exact_and_percentiles_close(void **state) {
  (void)state;
  vb_metric *metric = vb_metric_new();
  for (int i = 1; i <= 1000; i++) assert_int_equal(vb_metric_record(metric, i / 8.0), VB_OK);
  assert_int_equal(metric->count, 1000);
  assert_true(metric->sum == 500500 / 8.0);
  assert_true(metric->min == 0.125 && metric->max == 125);
  assert_true(vb_metric_mean(metric) == 500.5 / 8.0);
  assert_true(fabs(vb_metric_percentile(metric, 50) - 62.5) < 0.07);
  assert_true(vb_metric_percentile(metric, 100) == 125);
  vb_metric_free(metric);
}

static void zero_is_zero_and_small_numbers_stay(void **state) {
  (void)state;
  vb_metric *metric = vb_metric_new();
  assert_true(vb_metric_percentile(metric, 50) == 0 && vb_metric_mean(metric) == 0);
  vb_metric_record(metric, 0);
  assert_true(vb_metric_percentile(metric, 99) == 0);
  vb_metric_record(metric, 0.004);
  assert_true(vb_metric_percentile(metric, 99) == 0.004);
  vb_metric_free(metric);
}

static void what_is_no_measure_is_refused(void **state) {
  (void)state;
  vb_metric *metric = vb_metric_new();
  assert_int_equal(vb_metric_record(metric, NAN), VB_EINVAL);
  assert_int_equal(vb_metric_record(metric, INFINITY), VB_EINVAL);
  assert_int_equal(vb_metric_record(metric, -1), VB_EINVAL);
  assert_int_equal(metric->count, 0);
  assert_int_equal(vb_metric_record(metric, 1e30), VB_OK);
  assert_true(vb_metric_percentile(metric, 50) == 1e30);
  vb_metric_free(metric);
}

static void merging_is_recording_both(void **state) {
  (void)state;
  vb_metric *a = vb_metric_new(), *b = vb_metric_new(), *both = vb_metric_new();
  vb_metric_merge(a, b);
  assert_int_equal(a->count, 0);
  for (int i = 0; i < 500; i++) {
    vb_metric_record(i % 3 ? a : b, 5 + i);
    vb_metric_record(both, 5 + i);
  }
  vb_metric_merge(a, b);
  assert_int_equal(a->count, both->count);
  assert_true(a->sum == both->sum && a->min == both->min && a->max == both->max);
  assert_true(vb_metric_percentile(a, 90) == vb_metric_percentile(both, 90));
  vb_metric_reset(a);
  vb_metric_merge(a, b);
  assert_int_equal(a->count, b->count);
  assert_true(a->min == b->min && a->max == b->max);
  vb_metric_free(a);
  vb_metric_free(b);
  vb_metric_free(both);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(percentiles_show_the_digits_that_are_known),
      cmocka_unit_test(sums_are_exact_and_percentiles_close),
      cmocka_unit_test(zero_is_zero_and_small_numbers_stay),
      cmocka_unit_test(what_is_no_measure_is_refused),
      cmocka_unit_test(merging_is_recording_both),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
