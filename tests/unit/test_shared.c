#include "script/shared.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 4, ADDS = 5000 };

typedef struct adder {
  vb_shared *shared;
  uint32_t worker;
} adder;

static void *add(void *context) {
  adder *a = context;
  vb_metric *metric = vb_shared_metric(a->shared, a->worker, 1);
  for (int i = 0; i < ADDS; i++) {
    vb_shared_counter_add(a->shared, 3, 2);
    vb_metric_record(metric, a->worker + 1.0);
  }
  return NULL;
}

static void counters_lose_nothing_between_threads(void **state) {
  (void)state;
  vb_shared *shared = vb_shared_new();
  pthread_t threads[THREADS];
  adder adders[THREADS];
  for (uint32_t i = 0; i < THREADS; i++) {
    adders[i] = (adder){shared, i};
    assert_int_equal(pthread_create(&threads[i], NULL, add, &adders[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  assert_true(vb_shared_counter_get(shared, 3) == 2.0 * THREADS * ADDS);
  assert_true(vb_shared_counter_get(shared, 2) == 0);

  vb_metric *total = vb_shared_metric_total(shared, 1);
  assert_int_equal(total->count, THREADS * ADDS);
  assert_true(total->sum == (1.0 + 2 + 3 + 4) * ADDS);
  assert_true(total->min == 1 && total->max == 4);
  vb_metric_free(total);

  vb_shared_counter_reset(shared, 3);
  assert_true(vb_shared_counter_get(shared, 3) == 0);
  assert_true(vb_shared_counter_add(shared, 3, -1.5) == -1.5);
  vb_shared_metrics_reset(shared);
  total = vb_shared_metric_total(shared, 1);
  assert_int_equal(total->count, 0);
  vb_metric_free(total);
  vb_shared_free(shared);
}

static void objects_are_those_that_main_has_set(void **state) {
  (void)state;
  vb_shared *shared = vb_shared_new();
  int keyspace, set;
  vb_shared_object_set(shared, VB_SHARED_KEYSPACE, 2, &keyspace);
  vb_shared_object_set(shared, VB_SHARED_REFSET, 2, &set);
  vb_shared_object_set(shared, VB_SHARED_KINDS, 0, &set);
  assert_ptr_equal(vb_shared_object(shared, VB_SHARED_KEYSPACE, 2), &keyspace);
  assert_ptr_equal(vb_shared_object(shared, VB_SHARED_REFSET, 2), &set);
  assert_null(vb_shared_object(shared, VB_SHARED_REFSET, 1));
  assert_null(vb_shared_object(shared, VB_SHARED_REFSET, VB_SHARED_MAX));
  assert_null(vb_shared_object(shared, VB_SHARED_KINDS, 0));
  vb_shared_free(shared);
}

static void a_param_is_a_number_or_a_text(void **state) {
  (void)state;
  vb_shared *shared = vb_shared_new();
  vb_shared_param_set(shared, 7, 128.5, NULL);
  assert_true(vb_shared_param_number(shared, 7) == 128.5);
  assert_string_equal(vb_shared_param_text(shared, 7), "");
  vb_shared_param_set(shared, 7, 0, "cosine");
  assert_true(isnan(vb_shared_param_number(shared, 7)));
  assert_string_equal(vb_shared_param_text(shared, 7), "cosine");
  vb_shared_param_set(shared, 7, 1, NULL);
  assert_true(vb_shared_param_number(shared, 7) == 1);
  vb_shared_free(shared);
}

static void past_the_end_is_nothing(void **state) {
  (void)state;
  vb_shared *shared = vb_shared_new();
  vb_shared_param_set(shared, VB_SHARED_MAX, 1, NULL);
  assert_true(isnan(vb_shared_param_number(shared, VB_SHARED_MAX)));
  assert_true(isnan(vb_shared_counter_add(shared, VB_SHARED_MAX, 1)));
  assert_null(vb_shared_metric(shared, 0, VB_SHARED_MAX));
  assert_null(vb_shared_metric(shared, UINT32_MAX, 0));
  assert_ptr_equal(vb_shared_metric(shared, 5, 0), vb_shared_metric(shared, 5, 0));
  vb_shared_free(shared);
  vb_shared_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counters_lose_nothing_between_threads),
      cmocka_unit_test(objects_are_those_that_main_has_set),
      cmocka_unit_test(a_param_is_a_number_or_a_text),
      cmocka_unit_test(past_the_end_is_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
