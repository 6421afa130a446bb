/* engine/pacer: the schedules of all workers together are that of the phase. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>

#include "engine/pacer.h"

enum { START = 5000, MANY = 200000 };

static int compare(const void *a, const void *b) {
  const vb_ns *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* What falls due before `end`, of all workers, in order. */
static size_t due_before(const vb_schedule *schedule, uint32_t workers, vb_ns end, vb_ns *out) {
  size_t count = 0;
  for (uint32_t w = 0; w < workers; w++) {
    vb_pacer pacer;
    vb_pacer_init(&pacer, schedule, START, w, workers);
    for (vb_ns due; (due = vb_pacer_next(&pacer)) < START + end;) {
      assert_true(count < MANY);
      out[count++] = due - START;
    }
  }
  qsort(out, count, sizeof *out, compare);
  return count;
}

static void constant_intervals_are_even_over_all_workers(void **state) {
  (void)state;
  static vb_ns due[MANY];
  vb_schedule schedule = {.rate = 3000};
  for (uint32_t workers = 1; workers <= 3; workers++) {
    assert_int_equal(due_before(&schedule, workers, 2 * VB_NS_PER_S, due), 6000);
    for (uint64_t k = 0; k < 6000; k++)
      assert_true(llabs((long long)due[k] - llround((double)k * 1e9 / 3000)) <= 1);
  }
}

static void what_is_due_at_the_end_is_not_before_it(void **state) {
  (void)state;
  static vb_ns due[MANY];
  vb_schedule schedule = {.rate = 20000};
  assert_int_equal(due_before(&schedule, 2, VB_NS_PER_S, due), 20000);
}

static void a_rate_below_one_is_kept(void **state) {
  (void)state;
  static vb_ns due[MANY];
  vb_schedule schedule = {.rate = 0.5};
  assert_int_equal(due_before(&schedule, 2, 10 * VB_NS_PER_S, due), 5);
  assert_int_equal(due[4], 8 * VB_NS_PER_S);
}

/* Gaps of a Poisson process are exponential: their Kolmogorov-Smirnov distance at the 0.1 % level.
 */
static void poisson_gaps_are_exponential(void **state) {
  (void)state;
  static vb_ns due[MANY], gaps[MANY];
  vb_schedule schedule = {.rate = 10000, .poisson = true, .stream = 7};
  size_t count = due_before(&schedule, 4, 5 * VB_NS_PER_S, due);
  assert_true(fabs((double)count - 50000) < 4 * sqrt(50000));
  for (size_t i = 1; i < count; i++) gaps[i - 1] = due[i] - due[i - 1];
  qsort(gaps, count - 1, sizeof *gaps, compare);
  double most = 0;
  for (size_t i = 0; i + 1 < count; i++) {
    double expected = 1 - exp(-(double)gaps[i] * 10000 / 1e9);
    double distance = fabs(expected - (double)(i + 1) / (double)(count - 1));
    if (distance > most) most = distance;
  }
  assert_true(most < 1.95 / sqrt((double)count));
}

static void the_same_seed_gives_the_same_arrivals(void **state) {
  (void)state;
  vb_schedule schedule = {.rate = 1000, .poisson = true, .stream = 7}, other = schedule;
  other.stream = 8;
  vb_pacer a, b, c;
  vb_pacer_init(&a, &schedule, START, 0, 1);
  vb_pacer_init(&b, &schedule, START, 0, 1);
  vb_pacer_init(&c, &other, START, 0, 1);
  vb_ns first = vb_pacer_next(&a);
  assert_int_equal(first, vb_pacer_next(&b));
  assert_int_not_equal(first, vb_pacer_next(&c));
}

/* From 0 to 2000 a second in a line over a second: operation k is due at sqrt(k / 1000) s. */
static void a_ramp_changes_the_rate_in_a_line(void **state) {
  (void)state;
  static vb_ns due[MANY];
  vb_stage stages[] = {{VB_NS_PER_S, 2000, 0}, {VB_NS_PER_S, 0, 0}};
  vb_schedule schedule = {.stages = stages, .stage_count = 2};
  assert_int_equal(due_before(&schedule, 2, 3 * VB_NS_PER_S, due), 2000);
  for (uint64_t k = 0; k < 1000; k++)
    assert_true(fabs((double)due[k] - sqrt((double)k / 1000) * 1e9) < 2);
  for (uint64_t k = 1001; k < 2000; k++)
    assert_true(fabs((double)due[k] - (2 - sqrt((double)(2000 - k) / 1000)) * 1e9) < 10);
}

static void a_step_changes_the_rate_at_once_and_the_warm_up_is_before_the_stages(void **state) {
  (void)state;
  static vb_ns due[MANY];
  vb_stage stages[] = {{VB_NS_PER_S, 100, 1}, {VB_NS_PER_S, 0, 1}, {VB_NS_PER_S, 50, 1}};
  vb_schedule schedule = {.rate = 10, .stages = stages, .stage_count = 3, .hold = VB_NS_PER_S};
  assert_int_equal(due_before(&schedule, 1, VB_NS_PER_S, due), 10);
  assert_int_equal(due_before(&schedule, 1, 2 * VB_NS_PER_S, due), 110);
  assert_int_equal(due_before(&schedule, 1, 3 * VB_NS_PER_S, due), 110);
  assert_int_equal(due_before(&schedule, 1, 4 * VB_NS_PER_S, due), 160);
  assert_int_equal(due_before(&schedule, 1, 5 * VB_NS_PER_S, due), 210); /* the last target stays */
}

static void stages_of_clients_have_a_value_at_each_moment(void **state) {
  (void)state;
  vb_stage stages[] = {{VB_NS_PER_S, 100, 0}, {VB_NS_PER_S, 10, 1}};
  assert_int_equal(vb_stages_length(stages, 2), 2 * VB_NS_PER_S);
  assert_true(vb_stages_at(stages, 2, 20, 0) == 20);
  assert_true(fabs(vb_stages_at(stages, 2, 20, 0.5e9) - 60) < 1e-9);
  assert_true(vb_stages_at(stages, 2, 20, 1e9) == 10);
  assert_true(vb_stages_at(stages, 2, 20, 9e9) == 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constant_intervals_are_even_over_all_workers),
      cmocka_unit_test(what_is_due_at_the_end_is_not_before_it),
      cmocka_unit_test(a_rate_below_one_is_kept),
      cmocka_unit_test(poisson_gaps_are_exponential),
      cmocka_unit_test(the_same_seed_gives_the_same_arrivals),
      cmocka_unit_test(a_ramp_changes_the_rate_in_a_line),
      cmocka_unit_test(a_step_changes_the_rate_at_once_and_the_warm_up_is_before_the_stages),
      cmocka_unit_test(stages_of_clients_have_a_value_at_each_moment),
  };
  return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}
