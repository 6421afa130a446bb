/* engine/ against servers that answer wrongly, late, in pieces, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "rig.h"

enum { REQUESTS = 40, MB = 1024 * 1024 };

static const vb_login named = {.resp = 2, .client_name = "vbench"};

/* Runs a phase of REQUESTS operations against a server; the rig and the server are the caller's. */
static void run_against(rig *self, const rig_spec *spec, fake *server) {
  fake_start(server);
  rig_make(self, spec, server);
  rig_run(self, 1);
}

static void clean_up(rig *self, fake *server) {
  rig_free(self);
  fake_stop(server);
}

static void assert_all_ended_once(const rig *self) {
  assert_string_equal(self->event.text, "");
  assert_int_equal(self->event.kind, VB_EVENT_DONE);
  assert_int_equal(rig_total(self)->operations, REQUESTS);
}

/* --- bytes that are no answer --- */

static void a_refusal_in_place_of_a_handshake_is_told(void **state) {
  (void)state;
  fake server = {.greeting = "-ERR max number of clients reached\r\n", .close_after = 1};
  rig self;
  run_against(&self, &(rig_spec){.login = named}, &server);
  assert_int_equal(self.event.kind, VB_EVENT_FAILED);
  assert_int_equal(self.event.status, VB_ESERVER);
  assert_non_null(strstr(self.event.text, "max number of clients reached"));
  clean_up(&self, &server);
}

static void a_reply_that_nobody_asked_for_closes_the_connection(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n+more\r\n"}};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){0}, &server);
  self.phase.pipeline = 1;
  rig_run(&self, 1);
  assert_all_ended_once(&self);
  assert_int_equal(rig_total(&self)->requests, REQUESTS);
  assert_true(rig_errors(&self, "protocol") > REQUESTS / 4);
  assert_int_equal(rig_total(&self)->connection_errors, rig_errors(&self, "protocol"));
  clean_up(&self, &server);
}

/* Half of it comes before the request that it then seems to answer. */
static void a_reply_that_begins_before_its_request_is_none(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n$4\r\nab", "cd\r\n"}};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.keeps = 4}, &server);
  self.phase.pipeline = 1;
  self.phase.clients = 1;
  rig_run(&self, 1);
  assert_string_equal(self.event.text, "");
  assert_int_equal(rig_total(&self)->operations, REQUESTS);
  assert_int_equal(rig_total(&self)->requests, 0);
  assert_non_null(strstr(rig_first(&self, "expect"), "OK"));
  assert_non_null(strstr(rig_first(&self, "protocol"), "nobody asked for"));
  clean_up(&self, &server);
}

static void nonsense_is_an_error_that_names_the_bytes(void **state) {
  (void)state;
  static const char *const nonsense[] = {
      "@@@\r\n",
      "$999999999999\r\n",
      "*-5\r\n",
      "$abc\r\n",
      "$3\r\nabcdef",
      ":12x34\r\n",
      "*9999999999999999999\r\n",
      "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
      "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
      "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(nonsense); i++) {
    fake server = {.replies = {nonsense[i]}};
    rig self;
    run_against(&self, &(rig_spec){0}, &server);
    assert_all_ended_once(&self);
    assert_int_equal(rig_total(&self)->requests, 0);
    assert_int_equal(rig_errors(&self, "protocol"), REQUESTS);
    assert_int_equal(rig_total(&self)->errors, REQUESTS);
    assert_non_null(strstr(rig_first(&self, "protocol"), "127.0.0.1:"));
    clean_up(&self, &server);
  }
}

static void pushes_and_attributes_are_no_answers(void **state) {
  (void)state;
  fake server = {.replies = {">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n"
                             "|1\r\n+ttl\r\n:12\r\n$3\r\nabc\r\n"}};
  rig self;
  run_against(&self, &(rig_spec){0}, &server);
  assert_all_ended_once(&self);
  assert_int_equal(rig_total(&self)->requests, REQUESTS);
  assert_int_equal(rig_total(&self)->hits, REQUESTS);
  assert_int_equal(rig_total(&self)->pushes, REQUESTS);
  clean_up(&self, &server);
}

static void replies_in_pieces_are_whole_replies(void **state) {
  (void)state;
  for (int keeps = 0; keeps <= 3; keeps += 3) {
    fake server = {.replies = {"$3\r\nxxx\r\n"}, .byte_us = 100};
    rig self;
    run_against(&self, &(rig_spec){.keeps = keeps}, &server);
    assert_all_ended_once(&self);
    assert_int_equal(rig_total(&self)->requests, REQUESTS);
    assert_int_equal(rig_total(&self)->bytes_received, REQUESTS * 9);
    clean_up(&self, &server);
  }
}

static void large_replies_come_whole_and_larger_ones_are_refused(void **state) {
  (void)state;
  for (int keeps = 0; keeps <= 10 * MB; keeps += 10 * MB) {
    fake server = {.large = 10 * MB};
    rig self;
    fake_start(&server);
    rig_make(&self, &(rig_spec){.keeps = keeps, .max_reply = 11 * MB}, &server);
    self.phase.requests = 4;
    rig_run(&self, 1);
    assert_int_equal(rig_total(&self)->requests, 4);
    rig_free(&self);
    rig_make(&self, &(rig_spec){.keeps = keeps, .max_reply = 9 * MB}, &server);
    self.phase.requests = 4;
    rig_run(&self, 1);
    assert_int_equal(rig_errors(&self, "protocol"), 4);
    clean_up(&self, &server);
  }
}

/* More than is received for one event, so that the others of its round have their turn. */
static void replies_without_a_pause_are_all_read(void **state) {
  (void)state;
  fake server = {.large = 6 * MB};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.max_reply = 7 * MB}, &server);
  self.phase.requests = 16;
  rig_run(&self, 1);
  assert_string_equal(self.event.text, "");
  assert_int_equal(rig_total(&self)->requests, 16);
  assert_true(rig_total(&self)->bytes_received > (uint64_t)16 * 6 * MB);
  clean_up(&self, &server);
}

/* --- silence --- */

static void half_a_reply_for_ever_times_out(void **state) {
  (void)state;
  fake server = {.replies = {"$10\r\nabc"}, .mute_after = 1};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.timeout_ms = 100}, &server);
  self.phase.requests = 8;
  rig_run(&self, 1);
  assert_int_equal(self.event.kind, VB_EVENT_DONE);
  assert_int_equal(rig_total(&self)->operations, 8);
  assert_int_equal(rig_errors(&self, "timeout"), 8);
  assert_int_equal(rig_total(&self)->timeouts, 8);
  assert_non_null(strstr(rig_first(&self, "timeout"), "no reply within 0.1 s"));
  clean_up(&self, &server);
}

static void a_reply_that_drips_times_out(void **state) {
  (void)state;
  fake server = {.replies = {"$10\r\nabcdefghij\r\n"}, .byte_us = 50000};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.timeout_ms = 200}, &server);
  self.phase.requests = 2;
  self.phase.pipeline = self.phase.clients = 1;
  rig_run(&self, 1);
  assert_int_equal(rig_total(&self)->operations, 2);
  assert_int_equal(rig_errors(&self, "timeout"), 2);
  clean_up(&self, &server);
}

static void a_server_that_does_not_read_times_out(void **state) {
  (void)state;
  fake server = {.deaf = 1};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.value = 8 * MB, .timeout_ms = 200}, &server);
  self.phase.requests = 4;
  self.phase.clients = 1;
  rig_run(&self, 1);
  assert_int_equal(self.event.kind, VB_EVENT_DONE);
  assert_int_equal(rig_total(&self)->operations, 4);
  assert_int_equal(rig_errors(&self, "timeout"), 4);
  clean_up(&self, &server);
}

static void a_server_that_reads_slowly_gets_all(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"}, .read_us = 300};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.value = 4 * MB}, &server);
  self.phase.requests = 8;
  rig_run(&self, 1);
  assert_string_equal(self.event.text, "");
  assert_int_equal(rig_total(&self)->requests, 8);
  assert_true(rig_total(&self)->bytes_sent > (uint64_t)8 * 4 * MB);
  clean_up(&self, &server);
}

static void connections_that_are_cut_lose_what_was_in_flight_once(void **state) {
  (void)state;
  for (int commands = 1; commands <= 2; commands++) {
    fake server = {.replies = {"$-1\r\n"}, .close_after = 3};
    rig self;
    const rig_spec spec = {
        .kind = VB_ENTRY_SEQUENCE, .commands = commands, .condition = VB_WHEN_MISS};
    run_against(&self, &spec, &server);
    assert_all_ended_once(&self);
    assert_true(rig_total(&self)->errors > 0);
    assert_true(rig_errors(&self, "connection") == rig_total(&self)->errors);
    assert_int_equal(self.sum.operations, REQUESTS);
    assert_int_equal(self.sum.errors, rig_total(&self)->errors);
    clean_up(&self, &server);
  }
}

/* --- transactions --- */

typedef struct transaction_case {
  const char *replies[4];
  uint64_t requests, errors, conflicts; /* an operation: 10 of them */
  const char *kind;
} transaction_case;

static void transactions_are_judged_by_all_their_replies(void **state) {
  (void)state;
  static const transaction_case cases[] = {
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n:1\r\n$-1\r\n"}, 2, 0, 0, ""},
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*1\r\n:1\r\n"}, 0, 1, 0, "protocol"},
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*3\r\n:1\r\n:1\r\n:1\r\n"}, 0, 1, 0, "protocol"},
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*0\r\n"}, 0, 1, 0, "protocol"},
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", ":2\r\n"}, 0, 1, 0, "protocol"},
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "$2\r\nab\r\n"}, 0, 1, 0, "protocol"},
      {{"+OK\r\n", "+QUEUED\r\n", "$2\r\nab\r\n", "*2\r\n:1\r\n:1\r\n"}, 0, 1, 0, "protocol"},
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n-OOM no\r\n:1\r\n"}, 1, 1, 0, "OOM"},
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*-1\r\n"}, 0, 0, 1, ""},
      {{"+OK\r\n", "+QUEUED\r\n", "-OOM no\r\n", "-EXECABORT no\r\n"}, 0, 1, 0, "OOM"},
      {{"-NOPERM no\r\n", ":1\r\n", ":1\r\n", "-ERR EXEC without MULTI\r\n"}, 0, 1, 0, "NOPERM"},
      {{"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "-MISCONF no\r\n"}, 0, 1, 0, "MISCONF"}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    const transaction_case *it = &cases[i];
    fake server = {.replies = {it->replies[0], it->replies[1], it->replies[2], it->replies[3]}};
    rig self;
    fake_start(&server);
    rig_make(&self, &(rig_spec){.kind = VB_ENTRY_TRANSACTION, .commands = 2}, &server);
    self.phase.requests = 10;
    rig_run(&self, 1);
    print_message("case %zu\n", i);
    assert_int_equal(rig_total(&self)->operations, 10);
    assert_int_equal(rig_total(&self)->requests, 10 * it->requests);
    assert_int_equal(rig_total(&self)->errors, 10 * it->errors);
    assert_int_equal(rig_total(&self)->conflicts, 10 * it->conflicts);
    assert_int_equal(rig_errors(&self, it->kind), 10 * it->errors);
    assert_int_equal(self.sum.requests, rig_total(&self)->requests);
    assert_int_equal(self.sum.errors, rig_total(&self)->errors);
    assert_int_equal(self.sum.bytes_received, rig_total(&self)->bytes_received);
    if (i == 0) assert_int_equal(rig_total(&self)->bytes_received, 10 * (5 + 9 + 9 + 13));
    clean_up(&self, &server);
  }
}

/* MULTI is answered while the rest is still being written. */
static void a_transaction_may_be_answered_before_it_is_written(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n+OK\r\n+OK\r\n"},
                 .read_us = 300};
  rig self;
  const rig_spec spec = {.kind = VB_ENTRY_TRANSACTION, .commands = 2, .value = 4 * MB};
  fake_start(&server);
  rig_make(&self, &spec, &server);
  self.phase.requests = 4;
  rig_run(&self, 1);
  assert_int_equal(rig_total(&self)->requests, 8);
  assert_int_equal(rig_total(&self)->errors, 0);
  clean_up(&self, &server);
}

/* --- one phase after another --- */

static void a_failed_phase_leaves_no_reply_to_the_next(void **state) {
  (void)state;
  fake server = {.first = "-OOM no\r\n", .replies = {"+OK\r\n"}, .reply_ms = 20};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){0}, &server);
  self.phase.clients = 1;
  self.phase.pipeline = 8;
  self.phase.stop_on_error = 1;
  rig_run(&self, 1);
  assert_int_equal(self.event.kind, VB_EVENT_FAILED);
  assert_int_equal(rig_total(&self)->errors, 1);
  self.phase.stop_on_error = 0;
  self.phase.requests = 4;
  rig_run(&self, 1);
  assert_int_equal(self.event.kind, VB_EVENT_DONE);
  assert_int_equal(rig_total(&self)->operations, 4);
  assert_int_equal(rig_total(&self)->requests, 3);
  assert_int_equal(rig_total(&self)->errors, 1);
  assert_int_equal(rig_errors(&self, "OOM"), 1);
  clean_up(&self, &server);
}

static void connections_that_were_closed_between_phases_are_opened_again(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"}, .close_after = 20};
  rig self;
  fake_start(&server);
  rig_make(&self, &(rig_spec){0}, &server);
  self.phase.clients = 1;
  self.phase.requests = 20;
  for (int i = 0; i < 5; i++) {
    rig_run(&self, 1);
    assert_string_equal(self.event.text, "");
    assert_int_equal(self.event.kind, VB_EVENT_DONE);
    assert_int_equal(rig_total(&self)->operations, 20);
  }
  clean_up(&self, &server);
}

static void a_server_that_loads_is_waited_for(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"},
                 .close_after = 11,
                 .late = "-LOADING Redis is loading the dataset in memory\r\n",
                 .late_after = 2,
                 .late_until = 6};
  rig self;
  run_against(&self, &(rig_spec){.login = named}, &server);
  assert_all_ended_once(&self);
  assert_true(rig_total(&self)->requests >= REQUESTS / 2);
  clean_up(&self, &server);
}

static void a_worker_that_is_cut_off_leaves_its_numbers_to_the_others(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"},
                 .close_after = 21,
                 .late_after = 2,
                 .late_until = UINT64_MAX,
                 .late = "-LOADING for ever\r\n"};
  rig run;
  fake_start(&server);
  rig_make(&run, &(rig_spec){.login = named, .connect_ms = 1000}, &server);
  rig_run(&run, 2);
  assert_int_equal(run.event.kind, VB_EVENT_DONE);
  assert_int_equal(rig_total(&run)->operations, 40);
  assert_int_equal(rig_total(&run)->requests + rig_total(&run)->errors, 40);
  assert_in_range(rig_total(&run)->requests, 36, 39);
  rig_free(&run);
  fake_stop(&server);
}

static void a_server_that_loads_for_ever_is_told_to_do_so(void **state) {
  (void)state;
  fake server = {.replies = {"+OK\r\n"},
                 .close_after = 11,
                 .late = "-LOADING Redis is loading the dataset in memory\r\n",
                 .late_after = 2,
                 .late_until = UINT64_MAX};
  rig self;
  run_against(&self, &(rig_spec){.login = named, .connect_ms = 300}, &server);
  assert_int_equal(self.event.kind, VB_EVENT_FAILED);
  assert_int_equal(self.event.status, VB_ECONNECT);
  assert_non_null(strstr(self.event.text, ": gone for 0.3 s: LOADING Redis is loading"));
  assert_int_equal(rig_total(&self)->requests, 20);
  clean_up(&self, &server);
}

static uint64_t cpu_ms(void) {
  struct timespec used;
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

static void a_phase_that_is_stopped_while_it_opens_leaves_nothing_to_do(void **state) {
  (void)state;
  fake server = {.unix_path = 1};
  rig self;
  vb_event event;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.connect_ms = 10000}, &server);
  self.phase.clients = 8;
  rig_start(&self, 1);
  vb_engine_next(self.engine, 50, &event);
  vb_engine_stop(self.engine);
  rig_finish(&self);
  assert_int_equal(self.event.kind, VB_EVENT_DONE);
  assert_true(vb_engine_result(self.engine, 0)->interrupted);
  uint64_t before = cpu_ms();
  usleep(300000);
  assert_in_range(cpu_ms() - before, 0, 100);
  clean_up(&self, &server);
}

static void a_full_backlog_is_waited_out_at_rest(void **state) {
  (void)state;
  fake server = {.unix_path = 1, .replies = {"+OK\r\n"}};
  rig self;
  vb_event event;
  fake_start(&server);
  rig_make(&self, &(rig_spec){.connect_ms = 10000}, &server);
  self.phase.clients = 8;
  uint64_t before = cpu_ms();
  rig_start(&self, 1);
  vb_engine_next(self.engine, 400, &event);
  assert_int_equal(event.kind, VB_EVENT_TIMEOUT);
  assert_in_range(cpu_ms() - before, 0, 150);
  atomic_store(&server.accepting, 1);
  rig_finish(&self);
  assert_all_ended_once(&self);
  clean_up(&self, &server);
}

static void a_handshake_that_is_not_answered_ends_the_opening(void **state) {
  (void)state;
  fake server = {0};
  rig self;
  run_against(&self, &(rig_spec){.login = named, .connect_ms = 300}, &server);
  assert_int_equal(self.event.kind, VB_EVENT_FAILED);
  assert_string_equal(self.event.text, "0 of 2 connections could be opened within 0.3 s");
  clean_up(&self, &server);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_refusal_in_place_of_a_handshake_is_told),
      cmocka_unit_test(a_reply_that_nobody_asked_for_closes_the_connection),
      cmocka_unit_test(a_reply_that_begins_before_its_request_is_none),
      cmocka_unit_test(nonsense_is_an_error_that_names_the_bytes),
      cmocka_unit_test(pushes_and_attributes_are_no_answers),
      cmocka_unit_test(replies_in_pieces_are_whole_replies),
      cmocka_unit_test(large_replies_come_whole_and_larger_ones_are_refused),
      cmocka_unit_test(replies_without_a_pause_are_all_read),
      cmocka_unit_test(half_a_reply_for_ever_times_out),
      cmocka_unit_test(a_reply_that_drips_times_out),
      cmocka_unit_test(a_server_that_does_not_read_times_out),
      cmocka_unit_test(a_server_that_reads_slowly_gets_all),
      cmocka_unit_test(connections_that_are_cut_lose_what_was_in_flight_once),
      cmocka_unit_test(transactions_are_judged_by_all_their_replies),
      cmocka_unit_test(a_transaction_may_be_answered_before_it_is_written),
      cmocka_unit_test(a_failed_phase_leaves_no_reply_to_the_next),
      cmocka_unit_test(connections_that_were_closed_between_phases_are_opened_again),
      cmocka_unit_test(a_server_that_loads_is_waited_for),
      cmocka_unit_test(a_worker_that_is_cut_off_leaves_its_numbers_to_the_others),
      cmocka_unit_test(a_server_that_loads_for_ever_is_told_to_do_so),
      cmocka_unit_test(a_phase_that_is_stopped_while_it_opens_leaves_nothing_to_do),
      cmocka_unit_test(a_full_backlog_is_waited_out_at_rest),
      cmocka_unit_test(a_handshake_that_is_not_answered_ends_the_opening),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
