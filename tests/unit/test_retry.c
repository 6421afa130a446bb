/* engine/retry: what is in flight when a connection breaks is sent again, or told; once each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static const rig_spec repeatable = {.value = 3, .repeatable = 1};

static void run(rig *self, const rig_spec *spec, fake *server, uint32_t retries) {
  fake_start(server);
  rig_make(self, spec, server);
  self->phase.retries = retries;
  rig_run(self, 1);
  assert_int_equal(self->event.kind, VB_EVENT_DONE);
  assert_int_equal(rig_total(self)->operations, self->phase.requests);
}

static void clean_up(rig *self, fake *server) {
  rig_free(self);
  fake_stop(server);
}

static void assert_counts(const rig *self, uint64_t requests, uint64_t gave_up, uint64_t unknown) {
  const vb_counters *total = rig_total(self);
  assert_int_equal(total->requests, requests);
  assert_int_equal(total->errors, self->phase.requests - requests);
  assert_int_equal(total->gave_up, gave_up);
  assert_int_equal(total->unknown, unknown);
}

static void what_may_be_repeated_is_lost_by_no_broken_connection(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"}, .close_after = 5};
  rig self;
  run(&self, &repeatable, &server, 100);
  assert_counts(&self, 40, 0, 0);
  assert_in_range(rig_total(&self)->retries, 1, 60);
  assert_int_equal(vb_histogram_count(vb_engine_total(self.engine, 0)->latency), 40);
  clean_up(&self, &server);
}

static void what_may_not_is_unknown_when_it_was_sent(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"}, .close_after = 5};
  rig self;
  run(&self, &(rig_spec){.value = 3}, &server, 100);
  uint64_t requests = rig_total(&self)->requests;
  assert_counts(&self, requests, 0, 40 - requests);
  const vb_slowest *list = vb_engine_unknown(self.engine, 0);
  assert_int_equal(list->used, 40 - requests < VB_SLOWEST ? 40 - requests : VB_SLOWEST);
  assert_true(list->entries[0].id < RIG_KEYS);
  clean_up(&self, &server);
}

static void what_was_never_sent_is_no_error(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"}, .close_after = 1};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.value = 4 << 20}, &server);
  self.phase.clients = 1;
  self.phase.pipeline = 8;
  self.phase.requests = 16;
  rig_run(&self, 1);
  const vb_counters *total = rig_total(&self);
  assert_int_equal(total->operations, 16);
  assert_int_equal(total->requests + total->errors, 16);
  assert_int_equal(total->errors, total->unknown);
  assert_true(total->requests > 2);
  assert_int_equal(total->retries + total->gave_up, 0);
  clean_up(&self, &server);
}

static void a_transaction_goes_whole(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n+OK\r\n+OK\r\n"},
                 .close_after = 10};
  rig self;
  rig_spec spec = repeatable;
  spec.kind = VB_ENTRY_TRANSACTION;
  spec.commands = 2;
  run(&self, &spec, &server, 1000);
  assert_int_equal(rig_total(&self)->requests, 80);
  assert_int_equal(rig_total(&self)->errors, 0);
  assert_true(rig_total(&self)->retries > 0);
  clean_up(&self, &server);
}

static void a_refusal_for_now_is_no_error(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"}, .first = "-LOADING not yet\r\n"};
  rig self;
  run(&self, &(rig_spec){.value = 3}, &server, 1);
  assert_counts(&self, 40, 0, 0);
  assert_int_equal(rig_total(&self)->retries, 2);
  clean_up(&self, &server);
}

static void a_refusal_for_ever_is_given_up(void **state) {
  (void)state;
  fake server = {.replies = {"-CLUSTERDOWN the cluster is down\r\n"}};
  rig self;
  run(&self, &repeatable, &server, 3);
  assert_counts(&self, 0, 40, 0);
  assert_int_equal(rig_total(&self)->retries, 120);
  assert_int_equal(rig_errors(&self, "CLUSTERDOWN"), 40);
  clean_up(&self, &server);
}

static void what_meets_nonsense_is_not_sent_for_ever(void **state) {
  (void)state;
  fake server = {.greeting = "@nonsense\r\n", .replies = {"+OK\r\n"}};
  rig self;
  fake_start(&server);
  rig_make(&self, &repeatable, &server);
  self.phase.retries = 2;
  self.phase.requests = 4;
  self.phase.clients = 1;
  rig_run(&self, 1);
  assert_int_equal(rig_total(&self)->operations, 4);
  assert_int_equal(rig_total(&self)->requests, 0);
  clean_up(&self, &server);
}

static void timeouts_use_up_more_of_the_tries(void **state) {
  (void)state;
  fake server = {.replies = {""}};
  rig self;
  fake_start(&server);
  rig_spec spec = repeatable;
  spec.timeout_ms = 100;
  rig_make(&self, &spec, &server);
  self.phase.retries = 10;
  self.phase.requests = 2;
  self.phase.pipeline = 1;
  rig_run(&self, 1);
  assert_counts(&self, 0, 2, 0);
  assert_int_equal(rig_total(&self)->retries, 4);
  assert_int_equal(rig_total(&self)->timeouts, 6);
  assert_int_equal(rig_errors(&self, "timeout"), 2);
  clean_up(&self, &server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_may_be_repeated_is_lost_by_no_broken_connection),
      cmocka_unit_test(what_may_not_is_unknown_when_it_was_sent),
      cmocka_unit_test(what_was_never_sent_is_no_error),
      cmocka_unit_test(a_transaction_goes_whole),
      cmocka_unit_test(a_refusal_for_now_is_no_error),
      cmocka_unit_test(a_refusal_for_ever_is_given_up),
      cmocka_unit_test(what_meets_nonsense_is_not_sent_for_ever),
      cmocka_unit_test(timeouts_use_up_more_of_the_tries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
