/* stats/interval: nothing that a worker counts is lost on its way to main. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "stats/interval.h"

static void a_posted_interval_arrives_once(void **state) {
  (void)state;
  vb_interval_channel *channel = vb_interval_channel_new(2, false, 100);
  vb_interval *filled = vb_interval_current(channel);
  filled->requests = 7;
  vb_histogram_record(filled->latency, 5000, 7);
  assert_null(vb_interval_take(channel));
  assert_true(vb_interval_post(channel, 200));
  assert_ptr_not_equal(vb_interval_current(channel), filled);
  vb_interval *taken = vb_interval_take(channel);
  assert_ptr_equal(taken, filled);
  assert_int_equal(taken->start_ns, 100);
  assert_int_equal(taken->end_ns, 200);
  assert_int_equal(taken->requests, 7);
  assert_int_equal(vb_histogram_count(taken->latency), 7);
  assert_null(vb_interval_take(channel));
  assert_int_equal(vb_interval_current(channel)->start_ns, 200);
  vb_interval_channel_free(channel);
}

static void a_late_reader_gets_a_longer_interval(void **state) {
  (void)state;
  vb_interval_channel *channel = vb_interval_channel_new(2, false, 0);
  for (uint64_t second = 1; second < VB_INTERVALS; second++)
    assert_true(vb_interval_post(channel, second));
  vb_interval_current(channel)->requests = 3;
  assert_false(vb_interval_post(channel, VB_INTERVALS));
  vb_interval_current(channel)->requests += 4;
  for (uint64_t second = 1; second < VB_INTERVALS; second++) {
    vb_interval *taken = vb_interval_take(channel);
    assert_int_equal(taken->end_ns, second);
    vb_interval_return(channel, taken);
  }
  assert_true(vb_interval_post(channel, VB_INTERVALS + 1));
  vb_interval *taken = vb_interval_take(channel);
  assert_int_equal(taken->start_ns, VB_INTERVALS - 1);
  assert_int_equal(taken->end_ns, VB_INTERVALS + 1);
  assert_int_equal(taken->requests, 7);
  vb_interval_channel_free(channel);
}

static void a_returned_interval_is_empty(void **state) {
  (void)state;
  vb_interval_channel *channel = vb_interval_channel_new(2, false, 0);
  for (uint64_t i = 0; i < 3 * VB_INTERVALS; i++) {
    vb_interval *current = vb_interval_current(channel);
    assert_int_equal(current->requests + current->errors + current->sent, 0);
    assert_int_equal(vb_histogram_count(current->latency), 0);
    current->requests = current->errors = current->sent = i + 1;
    vb_histogram_record(current->latency, 1 << i, i + 1);
    assert_true(vb_interval_post(channel, i));
    vb_interval_return(channel, vb_interval_take(channel));
  }
  vb_interval_channel_free(channel);
}

static void digits_out_of_range_make_no_channel(void **state) {
  (void)state;
  assert_null(vb_interval_channel_new(9, false, 0));
  vb_interval_channel_free(NULL);
}

enum { ROUNDS = 200000 };

typedef struct writer {
  vb_interval_channel *channel;
  atomic_bool done;
} writer;

static void *write_and_post(void *argument) {
  writer *self = argument;
  for (uint64_t i = 1; i <= ROUNDS; i++) {
    vb_interval *current = vb_interval_current(self->channel);
    current->requests++;
    current->bytes_sent += i;
    vb_histogram_record(current->latency, i, 1);
    if (i % 16 == 0) (void)vb_interval_post(self->channel, i);
  }
  atomic_store(&self->done, true);
  return NULL;
}

static bool take_one(writer *self, vb_interval *sum) {
  vb_interval *taken = vb_interval_take(self->channel);
  if (!taken) return false;
  assert_true(taken->start_ns >= sum->end_ns && taken->end_ns > taken->start_ns);
  assert_int_equal(vb_histogram_count(taken->latency), taken->requests);
  vb_interval_merge(sum, taken);
  vb_interval_return(self->channel, taken);
  return true;
}

static void two_threads_lose_nothing(void **state) {
  (void)state;
  writer self = {.channel = vb_interval_channel_new(2, false, 0)};
  vb_interval sum = {.latency = vb_histogram_new(2)};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, write_and_post, &self), 0);
  while (!atomic_load(&self.done))
    if (!take_one(&self, &sum)) sched_yield();
  pthread_join(thread, NULL);
  while (take_one(&self, &sum)) {
  }
  vb_interval_merge(&sum, vb_interval_current(self.channel));
  assert_int_equal(sum.requests, ROUNDS);
  assert_int_equal(sum.bytes_sent, (uint64_t)ROUNDS * (ROUNDS + 1) / 2);
  assert_int_equal(vb_histogram_count(sum.latency), ROUNDS);
  assert_true(vb_histogram_mean(sum.latency) == (ROUNDS + 1) / 2.0);
  vb_histogram_free(sum.latency);
  vb_interval_channel_free(self.channel);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_posted_interval_arrives_once),
      cmocka_unit_test(a_late_reader_gets_a_longer_interval),
      cmocka_unit_test(a_returned_interval_is_empty),
      cmocka_unit_test(digits_out_of_range_make_no_channel),
      cmocka_unit_test(two_threads_lose_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
