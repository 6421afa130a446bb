/* engine/: what is counted is counted once, whoever counts it and whenever it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "engine/script.h"
#include "rig.h"

static void assert_seconds_add_up(const rig *self) {
  const vb_counters *total = rig_total(self);
  assert_int_equal(self->sum.requests, total->requests);
  assert_int_equal(self->sum.operations, total->operations);
  assert_int_equal(self->sum.errors, total->errors);
  assert_int_equal(self->sum.bytes_sent, total->bytes_sent);
  assert_int_equal(self->sum.bytes_received, total->bytes_received);
  assert_int_equal(vb_histogram_count(vb_engine_total(self->engine, 0)->latency), total->requests);
  assert_int_equal(total->operations, total->requests + total->errors);
}

static void seconds_add_up_to_the_total_without_the_warm_up(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n", "-ERR no\r\n", "$3\r\nabc\r\n"}};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){0}, &server);
  self.phase.clients = 8;
  self.phase.requests = 0;
  self.phase.warmup_ns = 350 * VB_NS_PER_MS;
  self.phase.duration_ns = 1300 * VB_NS_PER_MS;
  for (uint32_t threads = 1; threads <= 2; threads++) {
    uint64_t before = atomic_load(&server.requests);
    rig_run(&self, threads);
    assert_int_equal(self.event.kind, VB_EVENT_DONE);
    assert_true(atomic_load(&server.requests) - before > rig_total(&self)->operations);
    assert_true(rig_total(&self)->errors > 10);
    assert_seconds_add_up(&self);
    assert_int_equal(self.sum.connections, 8);
    uint64_t operations = 0;
    for (uint32_t i = 0; i < threads; i++)
      operations += vb_engine_worker_operations(self.engine, 0, i);
    assert_int_equal(operations, rig_total(&self)->operations);
  }
  rig_free(&self);
  fake_stop(&server);
}

static void seconds_that_nobody_asked_for_are_told_later(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"}};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){0}, &server);
  self.phase.requests = 0;
  self.phase.duration_ns = 2500 * VB_NS_PER_MS;
  rig_start(&self, 2);
  vb_engine_next(self.engine, 1000, &self.event);
  assert_int_equal(self.event.kind, VB_EVENT_START);
  usleep(2200000);
  rig_finish(&self);
  assert_seconds_add_up(&self);
  assert_int_equal(self.sum.connections, 2);
  rig_free(&self);
  fake_stop(&server);
}

/* Every operation is done once, however often connections and whole workers are lost. */
static void numbers_of_lost_connections_are_not_lost(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"}, .close_after = 50};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){0}, &server);
  self.phase.clients = 4;
  self.phase.requests = 3000;
  rig_run(&self, 4);
  assert_string_equal(self.event.text, "");
  assert_int_equal(rig_total(&self)->operations, 3000);
  assert_seconds_add_up(&self);
  assert_true(rig_total(&self)->connection_errors > 10);
  rig_free(&self);
  fake_stop(&server);
}

/* Operations of the one wait in its queue, and those of the other behind them. */
static void a_server_that_fails_takes_nothing_from_the_other(void **state) {
  (void)state;
  fake first = {.replies = {"+OK\r\n"}}, second = {.replies = {"+OK\r\n"}, .close_after = 20};
  rig self;
  fake_start(&first);
  fake_start(&second);
  rig_make(&self, &(rig_spec){.second = &second}, &first);
  self.phase.clients = 8;
  self.phase.requests = 2000;
  for (uint32_t threads = 1; threads <= 2; threads++) {
    rig_run(&self, threads);
    assert_int_equal(self.event.kind, VB_EVENT_DONE);
    assert_int_equal(rig_total(&self)->operations, 2000);
    assert_seconds_add_up(&self);
    assert_int_equal(vb_engine_node_row(self.engine, 0, 0)->counters.errors, 0);
    assert_true(vb_engine_node_row(self.engine, 0, 1)->counters.errors > 0);
  }
  rig_free(&self);
  fake_stop(&first);
  fake_stop(&second);
}

static void a_server_that_is_silent_does_not_keep_a_phase_from_ending(void **state) {
  (void)state;
  fake first = {.replies = {"+OK\r\n"}}, second = {.deaf = 1};
  rig self;
  fake_start(&first);
  fake_start(&second);
  rig_make(&self, &(rig_spec){.second = &second}, &first);
  self.phase.clients = 4;
  self.phase.requests = 0;
  self.phase.duration_ns = 400 * VB_NS_PER_MS;
  self.phase.drain_ns = 200 * VB_NS_PER_MS;
  for (uint32_t threads = 1; threads <= 2; threads++) {
    vb_ns before = vb_now();
    rig_run(&self, threads);
    assert_true(vb_now() - before < 2 * VB_NS_PER_S);
    assert_int_equal(self.event.kind, VB_EVENT_DONE);
    assert_seconds_add_up(&self);
    assert_int_equal(rig_errors(&self, "timeout"), 2 * 4);
    assert_true(vb_engine_node_row(self.engine, 0, 0)->counters.requests > 0);
    assert_true(vb_engine_result(self.engine, 0)->drain_seconds >= 0.2);
  }
  rig_free(&self);
  fake_stop(&first);
  fake_stop(&second);
}

static void threads_and_connections_come_and_go(void **state) {
  (void)state;
  static const uint32_t shapes[][3] = {{1, 1, 1}, {4, 9, 3}, {2, 16, 1}, {3, 3, 16}, {1, 20, 2}};
  fake server = {.replies = {"+OK\r\n", "-ERR no\r\n"}};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){0}, &server);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(shapes); i++) {
    self.phase.clients = shapes[i][1];
    self.phase.pipeline = shapes[i][2];
    self.phase.requests = 501;
    rig_run(&self, shapes[i][0]);
    assert_int_equal(self.event.kind, VB_EVENT_DONE);
    assert_int_equal(rig_total(&self)->operations, 501);
    assert_seconds_add_up(&self);
  }
  assert_int_equal(atomic_load(&server.accepted), 1 + 8 + 11 + 1 + 19);
  rig_free(&self);
  fake_stop(&server);
}

static void an_engine_can_be_freed_at_any_time(void **state) {
  (void)state;
  vb_event event;
  for (int moment = 0; moment < 4; moment++) {
    fake server = {.replies = {"+OK\r\n"}};
    rig self;
    fake_start(&server);
    rig_make(&self, &(rig_spec){0}, &server);
    self.phase.requests = 0;
    self.phase.duration_ns = 100 * VB_NS_PER_S;
    if (moment > 0) rig_start(&self, 2);
    if (moment > 1) vb_engine_next(self.engine, 1000, &event);
    if (moment > 2) vb_engine_stop(self.engine);
    rig_free(&self);
    fake_stop(&server);
  }
}

/* --- a script that does not come back --- */

static atomic_int blocked, may_return;

static int block_on_reply(void *state, uint32_t function, const vb_reply *reply,
                          const vb_request *request) {
  (void)reply;
  (void)request;
  vb_watch_enter(state, function + 1);
  atomic_store(&blocked, 1);
  while (!atomic_load(&may_return)) usleep(1000);
  vb_watch_leave(state);
  return 0;
}

static int open_script(void *context, uint32_t worker, vb_watch *watch, vb_hooks *hooks,
                       vb_error *err) {
  (void)context;
  (void)worker;
  (void)err;
  *hooks = (vb_hooks){.state = watch, .reply = block_on_reply};
  return VB_OK;
}

static int finish_script(void *state, vb_bytes *out, vb_error *err) {
  (void)state;
  (void)out;
  (void)err;
  return VB_OK;
}

static void close_script(void *state) {
  (void)state;
}

static void describe(void *state, unsigned watched, char to[VB_FUNCTION_TEXT]) {
  (void)state;
  (void)snprintf(to, VB_FUNCTION_TEXT, "hook %u", watched);
}

static const vb_script_factory blocking = {
    .open = open_script, .finish = finish_script, .close = close_script, .describe = describe};

/* What is given up on stays; kept here so that it does not look lost. */
static rig stuck[2];

static void start_blocking(rig *self, const fake *server) {
  rig_make(self, &(rig_spec){.script = &blocking}, server);
  atomic_store(&blocked, 0);
  rig_start(self, 2);
  vb_engine_next(self->engine, 1000, &self->event);
  assert_int_equal(self->event.kind, VB_EVENT_START);
  while (!atomic_load(&blocked)) usleep(1000);
}

static void a_hook_that_does_not_return_is_told_and_given_up_on(void **state) {
  (void)state;
  static fake server = {.replies = {"+OK\r\n"}};
  vb_event event;
  vb_error err;
  fake_start(&server);
  start_blocking(&stuck[0], &server);
  do vb_engine_next(stuck[0].engine, 5000, &event);
  while (event.kind == VB_EVENT_TICK);
  assert_int_equal(event.kind, VB_EVENT_STUCK);
  assert_string_equal(event.text, "hook 1 has not returned for 0.3 s");
  assert_int_equal(vb_engine_start(stuck[0].engine, 2, &stuck[0].phase, 1, &err), VB_EINVAL);
  vb_ns before = vb_now();
  vb_engine_free(stuck[0].engine);
  assert_true(vb_now() - before < VB_NS_PER_S);
  fake_stop(&server);
}

static void an_engine_can_be_freed_while_a_hook_does_not_return(void **state) {
  (void)state;
  static fake server = {.replies = {"+OK\r\n"}};
  fake_start(&server);
  start_blocking(&stuck[1], &server);
  vb_ns before = vb_now();
  vb_engine_free(stuck[1].engine);
  assert_true(vb_now() - before < 5 * VB_NS_PER_S);
  fake_stop(&server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(seconds_add_up_to_the_total_without_the_warm_up),
      cmocka_unit_test(seconds_that_nobody_asked_for_are_told_later),
      cmocka_unit_test(numbers_of_lost_connections_are_not_lost),
      cmocka_unit_test(a_server_that_fails_takes_nothing_from_the_other),
      cmocka_unit_test(a_server_that_is_silent_does_not_keep_a_phase_from_ending),
      cmocka_unit_test(threads_and_connections_come_and_go),
      cmocka_unit_test(an_engine_can_be_freed_at_any_time),
      cmocka_unit_test(a_hook_that_does_not_return_is_told_and_given_up_on),
      cmocka_unit_test(an_engine_can_be_freed_while_a_hook_does_not_return),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
