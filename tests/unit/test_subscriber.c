/* engine/subscriber: messages that come in pieces, and servers that send what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

#define CONFIRMED "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
#define MESSAGE "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
#define PUSHED ">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$2\r\nhi\r\n"
#define INVALID ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
#define PONG "*2\r\n$4\r\npong\r\n$0\r\n\r\n"

static void listen_to(rig *self, const char *sent, uint64_t messages) {
  fake server = {.replies = {PONG}, .first = sent, .byte_us = 500};
  fake_start(&server);
  rig_make(self, &(rig_spec){.kind = VB_ENTRY_SUBSCRIBER}, &server);
  self->phase.clients = self->phase.pipeline = 1;
  self->phase.requests = messages;
  self->phase.duration_ns = 2 * UINT64_C(1000000000);
  rig_run(self, 1);
  fake_stop(&server);
}

static void messages_are_operations_however_they_are_cut(void **state) {
  (void)state;
  rig self;
  listen_to(&self, CONFIRMED MESSAGE PUSHED INVALID MESSAGE MESSAGE, 4);
  assert_int_equal(self.event.kind, VB_EVENT_DONE);
  assert_int_equal(rig_total(&self)->operations, 4);
  assert_int_equal(rig_total(&self)->requests, 4);
  assert_int_equal(rig_total(&self)->errors, 0);
  assert_int_equal(rig_total(&self)->connection_errors, 0);
  assert_true(rig_total(&self)->pushes > 0);
  assert_int_equal(vb_engine_result(self.engine, 0)->interrupted, 0);
  rig_free(&self);
}

static void what_is_no_message_costs_the_connection_alone(void **state) {
  (void)state;
  const char *sent[] = {CONFIRMED MESSAGE "+OK\r\n",
                        CONFIRMED MESSAGE ":5\r\n",
                        CONFIRMED MESSAGE "*0\r\n",
                        CONFIRMED MESSAGE "*-1\r\n",
                        CONFIRMED MESSAGE "?what\r\n",
                        CONFIRMED MESSAGE "$-7\r\n",
                        CONFIRMED MESSAGE "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(sent); i++) {
    rig self;
    listen_to(&self, sent[i], 5);
    assert_int_equal(self.event.kind, VB_EVENT_DONE);
    assert_int_equal(rig_total(&self)->operations, 5);
    assert_true(rig_total(&self)->connection_errors > 0);
    assert_true(rig_total(&self)->reconnects > 0);
    rig_free(&self);
  }
}

static void a_refusal_ends_the_phase(void **state) {
  (void)state;
  rig self;
  listen_to(&self, "-NOPERM no channel\r\n", 5);
  assert_int_equal(self.event.kind, VB_EVENT_FAILED);
  assert_int_equal(self.event.status, VB_EAUTH);
  assert_non_null(strstr(self.event.text, "subscriber 'first' is refused: NOPERM no channel"));
  rig_free(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_are_operations_however_they_are_cut),
      cmocka_unit_test(what_is_no_message_costs_the_connection_alone),
      cmocka_unit_test(a_refusal_ends_the_phase),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
