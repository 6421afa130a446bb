/* engine/: phases against a real server, and against one that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/engine.h"
#include "real.h"
#include "resp/client.h"

enum { SERVERS = 2, KEYS = 1000 };

static real servers[SERVERS];
static const vb_login nobody = {.resp = 2, .client_name = "vbench"};

static int start_servers(void **state) {
  (void)state;
  (void)signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < SERVERS; i++)
    if (real_start(&servers[i])) return -1;
  if (!servers[0].pid) print_message("SKIP: no redis-server or valkey-server on PATH\n");
  return 0;
}

static int stop_servers(void **state) {
  (void)state;
  for (int i = 0; i < SERVERS; i++) real_kill(&servers[i]);
  return 0;
}

/* Calls a server; the reply's integer, or the length of its text. */
static int64_t call(int index, int count, const char *const *words) {
  vb_client *client = real_client(&servers[index]);
  vb_value *value;
  vb_error err = {0};
  assert_non_null(client);
  assert_int_equal(vb_client_call(client, count, words, NULL, 5000, &value, &err), VB_OK);
  int64_t answer = value->type == VB_VALUE_INTEGER ? value->integer : (int64_t)value->length;
  vb_value_free(value);
  vb_client_close(client);
  return answer;
}

#define CALL(index, ...)                                                                           \
  call(index, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

/* --- what is run --- */

static vb_keyspace *keys;
static vb_cursor *sequential, *uniform;

static void make_keys(void) {
  const vb_keyspace_spec spec = {.name = "keys", .prefix = "key:", .width = 12, .size = KEYS};
  const vb_cursor_spec in_order = {.order = VB_ORDER_SEQUENTIAL},
                       anywhere = {.order = VB_ORDER_UNIFORM};
  vb_error err;
  assert_int_equal(vb_keyspace_new(&keys, &spec, &err), VB_OK);
  assert_int_equal(vb_cursor_new(&sequential, keys, &in_order, &err), VB_OK);
  assert_int_equal(vb_cursor_new(&uniform, keys, &anywhere, &err), VB_OK);
}

static int flush_and_declare(void **state) {
  (void)state;
  if (!keys) make_keys();
  if (!servers[0].pid) return 0;
  for (int i = 0; i < SERVERS; i++) (void)CALL(i, "FLUSHALL");
  return 0;
}

static void literal(vb_command *command, const char *text) {
  vb_error err;
  const vb_part part = {.kind = VB_PART_LITERAL, .text = text, .length = strlen(text)};
  assert_int_equal(vb_command_argument(command, 0, &err), VB_OK);
  assert_int_equal(vb_command_part(command, &part, &err), VB_OK);
}

/* `word` key-of-cursor [value]; a NULL cursor repeats the current id. */
static vb_command *make_command(const char *word, const vb_cursor *cursor, const char *value) {
  vb_error err;
  vb_command *command = vb_command_new(word);
  literal(command, word);
  const vb_part part = {.kind = cursor ? VB_PART_CURSOR : VB_PART_CURRENT,
                        .cursor = cursor,
                        .keyspace = keys,
                        .hole = 1};
  assert_int_equal(vb_command_argument(command, 1, &err), VB_OK);
  assert_int_equal(vb_command_part(command, &part, &err), VB_OK);
  if (value) literal(command, value);
  return command;
}

static vb_command *compiled(vb_command *command) {
  vb_error err;
  assert_int_equal(vb_command_compile(command, 1, &err), VB_OK);
  return command;
}

static vb_command *counting_hits(vb_command *command) {
  vb_error err;
  const vb_processor hits = {.kind = VB_REPLY_HITS};
  assert_int_equal(vb_command_processor(command, &hits, &err), VB_OK);
  return command;
}

typedef struct step {
  vb_command *command;
  int condition;
} step;

static vb_program *make_program(int kind, const step *steps, size_t count) {
  vb_error err;
  vb_program *program = vb_program_new();
  assert_int_equal(vb_program_entry(program, kind, 1, NULL, &err), VB_OK);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(vb_program_step(program, steps[i].command, steps[i].condition, 0, &err),
                     VB_OK);
  assert_int_equal(vb_program_compile(program, &err), VB_OK);
  return program;
}

static vb_program *single(vb_command *command) {
  const step steps[] = {{command, VB_ALWAYS}};
  return make_program(VB_ENTRY_COMMAND, steps, 1);
}

static vb_engine *make_engine(uint32_t nodes, const vb_login *login) {
  static vb_endpoint endpoints[SERVERS];
  if (!servers[0].pid) skip();
  for (int i = 0; i < SERVERS; i++)
    endpoints[i] = (vb_endpoint){.host = "127.0.0.1", .port = servers[i].port};
  const vb_engine_spec spec = {.endpoints = endpoints,
                               .endpoint_count = nodes,
                               .login = *login,
                               .connect_timeout_ns = VB_NS_PER_S,
                               .hook_timeout_ns = VB_NS_PER_S,
                               .max_reply = 1 << 20,
                               .digits = 3};
  vb_engine *engine;
  vb_error err = {0};
  assert_int_equal(vb_engine_new(&engine, &spec, &err), VB_OK);
  return engine;
}

static vb_phase_spec make_phase(const vb_program *program) {
  return (vb_phase_spec){.name = "phase",
                         .program = program,
                         .clients = 8,
                         .pipeline = 4,
                         .seed = 1,
                         .timeout_ns = 5 * VB_NS_PER_S,
                         .drain_ns = VB_NS_PER_S};
}

/* Events until the last one, which it returns; ticks are counted. */
static vb_event run_to_end(vb_engine *engine, int *ticks) {
  vb_event event;
  vb_ns until = vb_now() + 20 * VB_NS_PER_S;
  do {
    vb_engine_next(engine, 1000, &event);
    if (ticks) *ticks += event.kind == VB_EVENT_TICK;
    assert_true(vb_now() < until);
  } while (event.kind != VB_EVENT_DONE && event.kind != VB_EVENT_FAILED);
  return event;
}

static void run_well(vb_engine *engine, uint32_t threads, const vb_phase_spec *phases,
                     uint32_t count) {
  vb_error err = {0};
  assert_int_equal(vb_engine_start(engine, threads, phases, count, &err), VB_OK);
  vb_event event = run_to_end(engine, NULL);
  assert_string_equal(event.text, "");
  assert_int_equal(event.kind, VB_EVENT_DONE);
}

static const vb_counters *totals(const vb_engine *engine) {
  return &vb_engine_total(engine, 0)->counters;
}

/* --- tests --- */

static void a_phase_over_a_sequential_cursor_touches_every_key_once(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", sequential, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  phase.requests = KEYS;
  for (uint32_t threads = 1; threads <= 4; threads *= 2) {
    (void)CALL(0, "FLUSHALL");
    run_well(engine, threads, &phase, 1);
    assert_int_equal(totals(engine)->operations, KEYS);
    assert_int_equal(totals(engine)->requests, KEYS);
    assert_int_equal(totals(engine)->errors, 0);
    assert_int_equal(vb_histogram_count(vb_engine_total(engine, 0)->latency), KEYS);
    assert_int_equal(CALL(0, "DBSIZE"), KEYS);
    assert_int_equal(CALL(0, "INCR", "key:000000000000"), 2);
    assert_int_equal(CALL(0, "INCR", "key:000000000999"), 2);
    assert_int_equal(vb_engine_threads(engine), threads);
  }
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void a_cursor_that_ends_ends_the_phase(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", sequential, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  run_well(engine, 2, &phase, 1);
  assert_int_equal(totals(engine)->requests, KEYS);
  assert_true(vb_engine_result(engine, 0)->exhausted);
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void warm_up_is_not_counted_and_requests_are_exact(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", uniform, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  phase.requests = 5000;
  phase.warmup_ns = 200 * VB_NS_PER_MS;
  (void)CALL(0, "CONFIG", "RESETSTAT");
  run_well(engine, 2, &phase, 1);
  assert_int_equal(totals(engine)->requests, 5000);
  assert_int_equal(totals(engine)->operations, 5000);
  assert_int_equal(vb_histogram_count(vb_engine_total(engine, 0)->latency), 5000);
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void a_duration_ends_a_phase_and_seconds_are_told(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *get = compiled(counting_hits(make_command("GET", uniform, NULL)));
  vb_program *program = single(get);
  vb_phase_spec phase = make_phase(program);
  phase.duration_ns = 1200 * VB_NS_PER_MS;
  vb_error err;
  vb_second second;
  int ticks = 0;
  assert_int_equal(vb_engine_start(engine, 1, &phase, 1, &err), VB_OK);
  assert_int_equal(run_to_end(engine, &ticks).kind, VB_EVENT_DONE);
  assert_in_range(ticks, 1, 3);
  assert_int_equal(vb_engine_second(engine, 0, &second), 1);
  assert_int_equal(second.connections, phase.clients);
  assert_int_equal(second.misses, second.requests);
  assert_int_equal(second.hits, 0);
  double seconds = vb_engine_result(engine, 0)->seconds;
  assert_true(seconds > 1.15 && seconds < 1.5);
  assert_true(totals(engine)->requests > 100);
  assert_true(vb_engine_result(engine, 0)->cpu_seconds > 0);
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(get);
}

static void a_sequence_waits_for_the_reply_that_decides(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *get = compiled(counting_hits(make_command("GET", sequential, NULL)));
  vb_command *set = compiled(make_command("SET", NULL, "value"));
  const step steps[] = {{get, VB_ALWAYS}, {set, VB_WHEN_MISS}};
  vb_program *program = make_program(VB_ENTRY_SEQUENCE, steps, 2);
  vb_phase_spec phase = make_phase(program);
  phase.requests = KEYS;
  for (int id = 0; id < 10; id++) {
    char key[32];
    (void)snprintf(key, sizeof key, "key:%012d", id * 7);
    (void)CALL(0, "SET", key, "there");
  }
  run_well(engine, 2, &phase, 1);
  assert_int_equal(totals(engine)->operations, KEYS);
  assert_int_equal(vb_engine_row(engine, 0, 0)->counters.hits, 10);
  assert_int_equal(vb_engine_row(engine, 0, 0)->counters.misses, KEYS - 10);
  assert_int_equal(vb_engine_row(engine, 0, 1)->counters.requests, KEYS - 10);
  assert_int_equal(CALL(0, "DBSIZE"), KEYS);
  assert_int_equal(CALL(0, "STRLEN", "key:000000000007"), 5);
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(get);
  vb_command_free(set);
}

static void a_transaction_is_one_operation_and_its_errors_are_its_commands(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", sequential, NULL));
  vb_command *push = compiled(make_command("LPUSH", NULL, "x"));
  const step steps[] = {{incr, VB_ALWAYS}, {push, VB_ALWAYS}};
  vb_program *program = make_program(VB_ENTRY_TRANSACTION, steps, 2);
  vb_phase_spec phase = make_phase(program);
  phase.requests = KEYS;
  run_well(engine, 2, &phase, 1);
  assert_int_equal(totals(engine)->operations, KEYS);
  assert_int_equal(vb_engine_row(engine, 0, 0)->counters.requests, KEYS);
  assert_int_equal(vb_engine_row(engine, 0, 1)->counters.requests, 0);
  assert_int_equal(vb_engine_row(engine, 0, 1)->counters.errors, KEYS);
  assert_string_equal(vb_engine_row(engine, 0, 1)->errors.kinds[0].name, "WRONGTYPE");
  assert_int_equal(totals(engine)->requests, KEYS);
  assert_string_equal(vb_program_row_name(program, 2), "transaction");
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
  vb_command_free(push);
}

static void servers_get_the_keys_of_their_slots(void **state) {
  (void)state;
  vb_engine *engine = make_engine(SERVERS, &nobody);
  vb_command *incr = compiled(make_command("INCR", sequential, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  phase.requests = KEYS;
  for (uint32_t threads = 1; threads <= 2; threads++) {
    run_well(engine, threads, &phase, 1);
    assert_int_equal(totals(engine)->requests, KEYS);
    int64_t first = CALL(0, "DBSIZE"), second = CALL(1, "DBSIZE");
    assert_int_equal(first + second, KEYS);
    assert_in_range(first, KEYS / 3, KEYS * 2 / 3);
    assert_int_equal(vb_engine_node_row(engine, 0, 0)->counters.requests, first);
    assert_int_equal(vb_engine_node_row(engine, 0, 1)->counters.requests, second);
  }
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void background_phases_run_until_the_main_one_ends(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", uniform, NULL));
  vb_command *get = compiled(make_command("GET", uniform, NULL));
  vb_program *main_program = single(incr), *other = single(get);
  vb_phase_spec phases[] = {make_phase(main_program), make_phase(other), make_phase(other)};
  phases[0].duration_ns = 500 * VB_NS_PER_MS;
  phases[1].name = "reader";
  phases[2].name = "late";
  phases[2].start_ns = 300 * VB_NS_PER_MS;
  phases[2].requests = 10;
  run_well(engine, 2, phases, 3);
  assert_true(totals(engine)->requests > 100);
  assert_true(vb_engine_total(engine, 1)->counters.requests > 100);
  assert_int_equal(vb_engine_total(engine, 2)->counters.requests, 10);
  assert_false(vb_engine_result(engine, 1)->interrupted);
  vb_engine_free(engine);
  vb_program_free(main_program);
  vb_program_free(other);
  vb_command_free(incr);
  vb_command_free(get);
}

static void connections_that_stay_are_kept(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", uniform, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  phase.requests = 100;
  const uint32_t clients[] = {4, 12, 6, 6};
  (void)CALL(0, "CONFIG", "RESETSTAT");
  for (size_t i = 0; i < VB_ARRAY_LENGTH(clients); i++) {
    phase.clients = clients[i];
    run_well(engine, 2, &phase, 1);
    assert_int_equal(totals(engine)->requests, 100);
    uint64_t opened[] = {4, 8, 0, 0};
    assert_int_equal(vb_histogram_count(vb_engine_connects(engine, 0)), opened[i]);
  }
  vb_client *client = real_client(&servers[0]);
  const char *const words[] = {"INFO", "all"};
  vb_value *info;
  assert_int_equal(vb_client_call(client, 2, words, NULL, 1000, &info, NULL), VB_OK);
  assert_non_null(strstr(info->text, "connected_clients:7")); /* six and this one */
  vb_value_free(info);
  vb_client_close(client);
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void *kill_clients(void *argument) {
  (void)argument;
  const char *const words[] = {"CLIENT", "KILL", "TYPE", "normal"};
  vb_client *client = real_client(&servers[0]);
  for (int i = 0; client && i < 20; i++) {
    vb_value *value = NULL;
    if (vb_client_call(client, 4, words, NULL, 1000, &value, NULL) == VB_OK) vb_value_free(value);
    usleep(30000);
  }
  vb_client_close(client);
  return NULL;
}

static void a_phase_survives_connections_that_are_cut(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", uniform, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  phase.duration_ns = VB_NS_PER_S;
  pthread_t killer;
  assert_int_equal(pthread_create(&killer, NULL, kill_clients, NULL), 0);
  run_well(engine, 2, &phase, 1);
  assert_int_equal(pthread_join(killer, NULL), 0);
  const vb_counters *counters = totals(engine);
  assert_true(counters->connection_errors > 0);
  assert_true(counters->reconnects > 0);
  assert_true(counters->errors > 0);
  assert_int_equal(counters->operations, counters->requests + counters->errors);
  assert_string_equal(vb_engine_total(engine, 0)->errors.kinds[0].name, "connection");
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void a_server_that_goes_away_ends_the_run(void **state) {
  (void)state;
  vb_engine *engine = make_engine(SERVERS, &nobody);
  vb_command *incr = compiled(make_command("INCR", uniform, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  phase.duration_ns = 20 * VB_NS_PER_S;
  vb_error err;
  vb_event event;
  assert_int_equal(vb_engine_start(engine, 2, &phase, 1, &err), VB_OK);
  do vb_engine_next(engine, -1, &event);
  while (event.kind != VB_EVENT_START);
  real_kill(&servers[1]);
  event = run_to_end(engine, NULL);
  assert_int_equal(event.kind, VB_EVENT_FAILED);
  assert_int_equal(event.status, VB_ECONNECT);
  assert_non_null(strstr(event.text, "gone for 1 s: connection refused"));
  assert_true(totals(engine)->requests > 0);
  vb_engine_free(engine);
  assert_int_equal(real_start(&servers[1]), 0);
  vb_program_free(program);
  vb_command_free(incr);
}

static void a_phase_can_be_stopped(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", uniform, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  phase.duration_ns = 100 * VB_NS_PER_S;
  vb_error err;
  vb_event event;
  assert_int_equal(vb_engine_start(engine, 2, &phase, 1, &err), VB_OK);
  do vb_engine_next(engine, -1, &event);
  while (event.kind != VB_EVENT_START);
  vb_engine_stop(engine);
  assert_int_equal(run_to_end(engine, NULL).kind, VB_EVENT_DONE);
  assert_true(vb_engine_result(engine, 0)->interrupted);
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void who_may_not_enter_is_told_at_once(void **state) {
  (void)state;
  const vb_login wrong = {.resp = 2, .user = "nobody", .password = "secret-word"};
  vb_engine *engine = make_engine(1, &wrong);
  vb_command *incr = compiled(make_command("INCR", uniform, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  phase.requests = 10;
  vb_error err;
  assert_int_equal(vb_engine_start(engine, 1, &phase, 1, &err), VB_OK);
  vb_event event = run_to_end(engine, NULL);
  assert_int_equal(event.kind, VB_EVENT_FAILED);
  assert_int_equal(event.status, VB_EAUTH);
  assert_null(strstr(event.text, "secret-word"));
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void a_phase_that_cannot_be_is_refused(void **state) {
  (void)state;
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *incr = compiled(make_command("INCR", uniform, NULL));
  vb_program *program = single(incr);
  vb_phase_spec phase = make_phase(program);
  vb_error err;
  assert_int_equal(vb_engine_start(engine, 1, &phase, 1, &err), VB_EINVAL);
  assert_string_equal(err.text, "phase 'phase' has no end: give requests or duration");
  phase.requests = 1;
  assert_int_equal(vb_engine_start(engine, 9, &phase, 1, &err), VB_EINVAL);
  assert_non_null(strstr(err.text, "8 clients are too few for 9 threads"));
  vb_engine_free(engine);
  vb_program_free(program);
  vb_command_free(incr);
}

static void more_histograms_than_memory_are_refused_before_the_run(void **state) {
  (void)state;
  enum { COMMANDS = 300 };
  vb_engine *engine = make_engine(1, &nobody);
  vb_command *commands[COMMANDS];
  vb_program *program = vb_program_new();
  vb_error err;
  for (int i = 0; i < COMMANDS; i++) {
    commands[i] = compiled(make_command("INCR", uniform, NULL));
    assert_int_equal(vb_program_entry(program, VB_ENTRY_COMMAND, 1, NULL, &err), VB_OK);
    assert_int_equal(vb_program_step(program, commands[i], VB_ALWAYS, 0, &err), VB_OK);
  }
  assert_int_equal(vb_program_compile(program, &err), VB_OK);
  vb_phase_spec phase = make_phase(program);
  phase.requests = 1;
  phase.clients = 5120;
  assert_int_equal(vb_engine_start(engine, VB_WORKERS_MAX, &phase, 1, &err), VB_EINVAL);
  assert_non_null(strstr(err.text, "histograms of 300 commands on 512 threads"));
  assert_int_equal(vb_engine_threads(engine), 0);
  vb_engine_free(engine);
  vb_program_free(program);
  for (int i = 0; i < COMMANDS; i++) vb_command_free(commands[i]);
}

static void free_keys(void) {
  vb_cursor_free(sequential);
  vb_cursor_free(uniform);
  vb_keyspace_free(keys);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, flush_and_declare)
      TEST(a_phase_over_a_sequential_cursor_touches_every_key_once),
      TEST(a_cursor_that_ends_ends_the_phase),
      TEST(warm_up_is_not_counted_and_requests_are_exact),
      TEST(a_duration_ends_a_phase_and_seconds_are_told),
      TEST(a_sequence_waits_for_the_reply_that_decides),
      TEST(a_transaction_is_one_operation_and_its_errors_are_its_commands),
      TEST(servers_get_the_keys_of_their_slots),
      TEST(background_phases_run_until_the_main_one_ends),
      TEST(connections_that_stay_are_kept),
      TEST(a_phase_survives_connections_that_are_cut),
      TEST(a_server_that_goes_away_ends_the_run),
      TEST(a_phase_can_be_stopped),
      TEST(who_may_not_enter_is_told_at_once),
      TEST(a_phase_that_cannot_be_is_refused),
      TEST(more_histograms_than_memory_are_refused_before_the_run),
#undef TEST
  };
  int failed = cmocka_run_group_tests(tests, start_servers, stop_servers);
  free_keys();
  return failed;
}
