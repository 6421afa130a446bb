/* command/: the bytes of requests, on the fixed and on the other way; draws; slots; mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slots.h"
#include "commands.h"

#include <stdio.h>

static vb_keyspace *keys, *users;
static vb_cursor *ordered, *uniform, *of_users;

static int set_up(void **state) {
  (void)state;
  keys = test_keyspace("key:", 12, 1000000);
  users = test_keyspace("u:", 0, 1000);
  ordered = test_cursor(keys, (vb_cursor_spec){.first = 40});
  uniform = test_cursor(keys, (vb_cursor_spec){.order = VB_ORDER_UNIFORM});
  of_users = test_cursor(users, (vb_cursor_spec){.wrap = 1});
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  vb_cursor_free(ordered);
  vb_cursor_free(uniform);
  vb_cursor_free(of_users);
  vb_keyspace_free(keys);
  vb_keyspace_free(users);
  return 0;
}

/* A worker's hooks, faked in C: function 0 gives no value, 1 its id, 2 the words "a" and "bb", 3
 * fails, 4 what JSON has to escape. */
static int fake_arguments(void *state, uint32_t function, const vb_request *request,
                          vb_bytes *out) {
  (void)state;
  char text[64] = "$1\r\na\r\n$2\r\nbb\r\n";
  if (function == 3) return VB_HOOK_FAILED;
  if (!function) return 0;
  if (function == 1) (void)snprintf(text, sizeof text, "$2\r\n%.0f\r\n", request->id);
  vb_bytes_append(out, text, strlen(text));
  return function == 1 ? 1 : 2;
}

static int fake_part(void *state, uint32_t function, const vb_request *request, bool escape_json,
                     vb_bytes *out) {
  (void)state;
  char text[64] = "\"q\"";
  if (function == 3) return VB_HOOK_FAILED;
  if (function == 1) (void)snprintf(text, sizeof text, "%.0f/%.0f", request->n, request->id);
  if (function == 4 && escape_json) (void)snprintf(text, sizeof text, "\\\"q\\\"");
  vb_bytes_append(out, text, strlen(text));
  return 0;
}

static const vb_hooks hooks = {.arguments = fake_arguments, .part = fake_part};

/* Operation n is written as `text`; frees the command. */
static void expect_request(vb_command *command, uint64_t n, const char *text) {
  vb_renderer renderer = {.hooks = &hooks};
  size_t length;
  char *request = test_write(command, &renderer, n, &length);
  assert_non_null(request);
  assert_string_equal(request, text);
  assert_int_equal(length, strlen(text));
  free(request);
  vb_renderer_fini(&renderer);
  vb_command_free(command);
}

static vb_part cursor_part(const vb_cursor *cursor) {
  return (vb_part){.kind = VB_PART_CURSOR, .cursor = cursor};
}

static vb_part times_part(const vb_cursor *cursor, uint32_t min, uint32_t max) {
  return (vb_part){
      .kind = VB_PART_CURSOR, .cursor = cursor, .times_min = min, .times_max = max, .hole = 5};
}

static vb_part current_part(const vb_keyspace *keyspace) {
  return (vb_part){.kind = VB_PART_CURRENT, .keyspace = keyspace};
}

static vb_part function_part(uint32_t function) {
  return (vb_part){.kind = VB_PART_FUNCTION, .function = function};
}

static vb_part id_part(void) {
  return (vb_part){.kind = VB_PART_ID};
}

static void a_fixed_command_is_a_patched_template(void **state) {
  (void)state;
  vb_command *set = TEST_COMMAND("SET", {KEY, cursor_part(ordered)}, {ARGUMENT, LITERAL("x\0y")});
  static const char want[] = "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$3\r\nx\0y\r\n";
  vb_renderer renderer = {0};
  size_t length;
  assert_int_equal(vb_command_fixed_size(set), sizeof want - 1);
  char *request = test_write(set, &renderer, 2, &length);
  assert_int_equal(length, sizeof want - 1);
  assert_memory_equal(request, want, length);
  free(request);
  vb_command_free(set);
}

/* Requests of `count` operations from n on that are written at once, and one by one. Frees the
 * command. */
static void expect_run(vb_command *command, uint64_t n, uint32_t count) {
  size_t size = vb_command_fixed_size(command), length;
  char *run = malloc(size * count); /* not a byte more */
  assert_int_equal(vb_command_fill_run(command, 1, n, count, run), count);
  for (uint32_t i = 0; i < count; i++) {
    vb_renderer renderer = {0};
    char *one = test_write(command, &renderer, n + i, &length);
    assert_int_equal(length, size);
    assert_memory_equal(run + i * size, one, size);
    free(one);
  }
  free(run);
  vb_command_free(command);
}

static void a_run_of_requests_is_those_of_its_operations(void **state) {
  (void)state;
  static char text[200];
  memset(text, 'x', sizeof text);
  for (size_t length = 0; length < sizeof text; length += 7) {
    vb_part value = {.kind = VB_PART_LITERAL, .text = text, .length = length};
    expect_run(TEST_COMMAND("SET", {KEY, cursor_part(uniform)}, {ARGUMENT, value}), 5, 9);
  }
  expect_run(TEST_COMMAND("GET", {KEY, cursor_part(ordered)}), 0, 3);
  expect_run(TEST_COMMAND("DEL", {KEY, cursor_part(ordered)}, {KEY, cursor_part(uniform)}), 7, 5);
  expect_run(TEST_COMMAND("PING", {ARGUMENT, LITERAL("a")}), 0, 4);
}

static void a_run_ends_where_its_cursor_does(void **state) {
  (void)state;
  vb_cursor *few = test_cursor(keys, (vb_cursor_spec){.first = 10, .last = 13});
  vb_command *get = TEST_COMMAND("GET", {KEY, cursor_part(few)});
  char run[512];
  assert_int_equal(vb_command_fill_run(get, 1, 0, 3, run), 3);
  assert_int_equal(vb_command_fill_run(get, 1, 0, 8, run), 3);
  assert_int_equal(vb_command_fill_run(get, 1, 2, 8, run), 1);
  assert_int_equal(vb_command_fill_run(get, 1, 3, 8, run), 0);
  vb_command_free(get);
  vb_cursor_free(few);
}

static void literals_alone_make_a_request(void **state) {
  (void)state;
  expect_request(TEST_COMMAND("PING"), 9, "*1\r\n$4\r\nPING\r\n");
  expect_request(TEST_COMMAND("ECHO", {ARGUMENT, LITERAL("")}), 9,
                 "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n");
}

static void keys_of_varying_length(void **state) {
  (void)state;
  vb_command *command = TEST_COMMAND("GET", {KEY, cursor_part(of_users)});
  assert_int_equal(vb_command_fixed_size(command), 0);
  expect_request(command, 7, "*2\r\n$3\r\nGET\r\n$3\r\nu:7\r\n");
  expect_request(TEST_COMMAND("GET", {KEY, cursor_part(of_users)}), 1123,
                 "*2\r\n$3\r\nGET\r\n$5\r\nu:123\r\n");
}

static void several_parts_are_one_argument(void **state) {
  (void)state;
  expect_request(TEST_COMMAND("HSET", {KEY, LITERAL("h:")}, {BEHIND, cursor_part(ordered)},
                              {BEHIND, LITERAL(":x")}, {ARGUMENT, LITERAL("f")}),
                 0, "*3\r\n$4\r\nHSET\r\n$20\r\nh:key:000000000040:x\r\n$1\r\nf\r\n");
  expect_request(TEST_COMMAND("HSET", {KEY, LITERAL("h:")}, {BEHIND, cursor_part(of_users)},
                              {BEHIND, id_part()}, {ARGUMENT, LITERAL("f")}),
                 12, "*3\r\n$4\r\nHSET\r\n$8\r\nh:u:1212\r\n$1\r\nf\r\n");
}

static void arguments_longer_than_guessed_move_behind_their_header(void **state) {
  (void)state;
  static char text[2001];
  memset(text, 't', 2000);
  vb_part literal = {.kind = VB_PART_LITERAL, .text = text, .length = 2000};
  vb_renderer renderer = {.hooks = &hooks};
  const size_t lengths[] = {0, 1, 8, 95, 96, 995, 1999};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(lengths); i++) {
    literal.length = lengths[i];
    vb_command *command = TEST_COMMAND("X", {ARGUMENT, function_part(1)}, {BEHIND, literal},
                                       {ARGUMENT, LITERAL("e")});
    char want[2200];
    (void)snprintf(want, sizeof want, "*3\r\n$1\r\nX\r\n$%zu\r\n7/-1%.*s\r\n$1\r\ne\r\n",
                   lengths[i] + 4, (int)lengths[i], text);
    expect_request(command, 7, want);
  }
  vb_renderer_fini(&renderer);
}

static void functions_make_none_one_or_more_arguments(void **state) {
  (void)state;
  vb_part none = function_part(0), one = function_part(1), two = function_part(2);
  expect_request(TEST_COMMAND("X", {KEY, cursor_part(ordered)}, {ARGUMENT, none}, {ARGUMENT, two},
                              {ARGUMENT, one}),
                 3,
                 "*5\r\n$1\r\nX\r\n$16\r\nkey:000000000043\r\n$1\r\na\r\n$2\r\nbb\r\n$2\r\n43\r\n");
  expect_request(TEST_COMMAND("X", {ARGUMENT, none}), 3, "*1\r\n$1\r\nX\r\n");
}

static void a_request_of_no_words_is_one_that_gets_an_answer(void **state) {
  (void)state;
  const vb_part none = function_part(0);
  vb_command *command = vb_command_new("none");
  assert_int_equal(vb_command_argument(command, 0, NULL), VB_OK);
  assert_int_equal(vb_command_part(command, &none, NULL), VB_OK);
  assert_int_equal(vb_command_compile(command, 7, NULL), VB_OK);
  expect_request(command, 3, "*1\r\n$0\r\n\r\n");
}

static void functions_know_an_id_that_is_drawn_behind_them(void **state) {
  (void)state;
  vb_part one = function_part(1);
  expect_request(TEST_COMMAND("X", {ARGUMENT, one}, {KEY, cursor_part(ordered)}), 4,
                 "*3\r\n$1\r\nX\r\n$2\r\n44\r\n$16\r\nkey:000000000044\r\n");
}

static void functions_inside_json_are_told_to_escape(void **state) {
  (void)state;
  vb_part plain = function_part(4), json = function_part(4);
  json.json = 1;
  expect_request(
      TEST_COMMAND("X", {ARGUMENT, LITERAL("[")}, {BEHIND, json}, {BEHIND, LITERAL("]")}), 0,
      "*2\r\n$1\r\nX\r\n$7\r\n[\\\"q\\\"]\r\n");
  expect_request(
      TEST_COMMAND("X", {ARGUMENT, LITERAL("[")}, {BEHIND, plain}, {BEHIND, LITERAL("]")}), 0,
      "*2\r\n$1\r\nX\r\n$5\r\n[\"q\"]\r\n");
}

static void a_function_that_fails_fails_the_request(void **state) {
  (void)state;
  vb_renderer renderer = {.hooks = &hooks};
  vb_command *whole = TEST_COMMAND("X", {ARGUMENT, function_part(3)});
  vb_command *part = TEST_COMMAND("X", {ARGUMENT, LITERAL("a")}, {BEHIND, function_part(3)});
  vb_operation operation;
  vb_operation_begin(&operation, 1, 0);
  assert_int_equal(vb_command_render(whole, &renderer, &operation), VB_RENDER_FAILED);
  assert_int_equal(vb_command_render(part, &renderer, &operation), VB_RENDER_FAILED);
  vb_command_free(whole);
  vb_command_free(part);
  vb_renderer_fini(&renderer);
}

static void keys_inside_json_are_escaped(void **state) {
  (void)state;
  vb_keyspace *odd = test_keyspace("a\"b\\\x01", 2, 100);
  vb_cursor *cursor = test_cursor(odd, (vb_cursor_spec){0});
  vb_part json = cursor_part(cursor);
  expect_request(TEST_COMMAND("X", {ARGUMENT, json}), 7,
                 "*2\r\n$1\r\nX\r\n$7\r\na\"b\\\x01"
                 "07\r\n");
  json.json = 1;
  expect_request(TEST_COMMAND("X", {ARGUMENT, json}), 7,
                 "*2\r\n$1\r\nX\r\n$14\r\na\\\"b\\\\\\u000107\r\n");
  vb_cursor_free(cursor);
  vb_keyspace_free(odd);
}

static void times_makes_as_many_arguments(void **state) {
  (void)state;
  vb_command *fixed = TEST_COMMAND("DEL", {KEY, times_part(ordered, 2, 2)});
  assert_int_not_equal(vb_command_fixed_size(fixed), 0);
  expect_request(fixed, 1,
                 "*3\r\n$3\r\nDEL\r\n$16\r\nkey:000000000042\r\n$16\r\nkey:000000000043\r\n");
  expect_request(TEST_COMMAND("DEL", {KEY, times_part(of_users, 3, 0)}, {ARGUMENT, LITERAL("z")}),
                 3, "*5\r\n$3\r\nDEL\r\n$3\r\nu:9\r\n$4\r\nu:10\r\n$4\r\nu:11\r\n$1\r\nz\r\n");
}

static void times_of_a_range_gives_every_count(void **state) {
  (void)state;
  vb_command *command = TEST_COMMAND("DEL", {KEY, times_part(of_users, 2, 5)});
  vb_renderer renderer = {0};
  unsigned seen[10] = {0};
  for (uint64_t n = 0; n < 4000; n++) {
    size_t length;
    char *request = test_write(command, &renderer, n, &length);
    char first[32];
    (void)snprintf(first, sizeof first, "\r\nu:%u\r\n", (unsigned)(n * 5 % 1000));
    assert_non_null(
        strstr(request, first)); /* the index counts in steps of the most there can be */
    int arguments = 0;
    for (const char *at = request; (at = strchr(at, '$')); at++) arguments++;
    assert_int_equal(atoi(request + 1), arguments);
    seen[arguments - 1]++;
    free(request);
  }
  for (int i = 0; i < 10; i++)
    assert_in_range(seen[i], i >= 2 && i <= 5 ? 850 : 0, i >= 2 && i <= 5 ? 1150 : 0);
  vb_renderer_fini(&renderer);
  vb_command_free(command);
}

static void same_slot_keeps_to_the_range_and_the_slot(void **state) {
  (void)state;
  vb_cursor *cursor = test_cursor(
      keys, (vb_cursor_spec){.order = VB_ORDER_UNIFORM, .first = 100000, .last = 300000});
  vb_part part = times_part(cursor, 3, 3);
  part.same_slot = 1;
  vb_command *command = TEST_COMMAND("MGET", {KEY, part});
  vb_renderer renderer = {0};
  for (uint64_t n = 0; n < 20; n++) {
    size_t length;
    char *request = test_write(command, &renderer, n, &length);
    const char *key = strstr(request, "key:");
    unsigned slot = vb_slot(key, 16);
    vb_operation operation;
    vb_operation_begin(&operation, 1, n);
    assert_int_equal(vb_command_draw(command, &operation), VB_RENDER_OK);
    assert_int_equal(vb_command_slot(command, &operation), slot);
    for (int i = 0; i < 3; i++, key = strstr(key + 1, "key:")) {
      assert_int_equal(vb_slot(key, 16), slot);
      assert_in_range(atoi(key + 4), 100000, 299999);
    }
    free(request);
  }
  vb_command_free(command);
  vb_cursor_free(cursor);
}

static void a_cursor_that_has_ended_writes_nothing(void **state) {
  (void)state;
  vb_cursor *five = test_cursor(keys, (vb_cursor_spec){.last = 5});
  vb_renderer renderer = {.hooks = &hooks};
  vb_command *commands[] = {
      TEST_COMMAND("GET", {KEY, cursor_part(five)}),
      TEST_COMMAND("GET", {KEY, cursor_part(five)}, {ARGUMENT, id_part()}),
      TEST_COMMAND("GET", {KEY, times_part(five, 2, 2)}),
      TEST_COMMAND("GET", {KEY, times_part(five, 2, 2)}, {ARGUMENT, id_part()}),
  };
  const uint64_t operations[] = {5, 5, 2, 2};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(commands); i++) {
    size_t length;
    vb_operation operation;
    for (uint64_t n = 0; n < operations[i] + 2; n++) {
      char *request = test_write(commands[i], &renderer, n, &length);
      assert_int_equal(request != NULL, n < operations[i]);
      free(request);
      vb_operation_begin(&operation, 1, n);
      assert_int_equal(vb_command_draw(commands[i], &operation),
                       n < operations[i] ? VB_RENDER_OK : VB_RENDER_EXHAUSTED);
    }
    vb_command_free(commands[i]);
  }
  vb_renderer_fini(&renderer);
  vb_cursor_free(five);
}

static void ids_and_current_keys_repeat_the_first_draw(void **state) {
  (void)state;
  vb_cursor *later = test_cursor(keys, (vb_cursor_spec){.first = 500});
  expect_request(
      TEST_COMMAND("X", {ARGUMENT, id_part()}, {KEY, current_part(keys)},
                   {ARGUMENT, current_part(users)}, {KEY, cursor_part(of_users)},
                   {KEY, cursor_part(ordered)}, {KEY, cursor_part(later)},
                   {KEY, current_part(keys)}),
      1,
      "*8\r\n$1\r\nX\r\n$1\r\n1\r\n$16\r\nkey:000000000041\r\n$3\r\nu:1\r\n$3\r\nu:1\r\n"
      "$16\r\nkey:000000000041\r\n$16\r\nkey:000000000501\r\n$16\r\nkey:000000000041\r\n");
  expect_request(TEST_COMMAND("X", {KEY, current_part(keys)}, {KEY, cursor_part(ordered)}), 1,
                 "*3\r\n$1\r\nX\r\n$16\r\nkey:000000000041\r\n$16\r\nkey:000000000041\r\n");
  vb_cursor_free(later);
}

static void the_same_operation_is_the_same_bytes(void **state) {
  (void)state;
  vb_choice tags[] = {{"red", 3, 50, 0}, {"blue", 4, 50, 0}};
  vb_command *command = TEST_COMMAND(
      "X", {KEY, cursor_part(uniform)}, {ARGUMENT, {.kind = VB_PART_BYTES, .min = 1, .max = 300}},
      {ARGUMENT,
       {.kind = VB_PART_TAGS, .choices = tags, .choice_count = 2, .text = ",", .length = 1}},
      {ARGUMENT, {.kind = VB_PART_TEXT, .min = 1, .max = 9}}, {KEY, times_part(uniform, 1, 9)});
  vb_renderer renderer = {0};
  size_t differ = 0;
  for (uint64_t n = 0; n < 100; n++) {
    size_t a, b, c;
    char *first = test_write(command, &renderer, n, &a);
    char *next = test_write(command, &renderer, n + 1, &c);
    char *again = test_write(command, &renderer, n, &b);
    assert_int_equal(a, b);
    assert_memory_equal(first, again, a);
    differ += a != c || memcmp(first, next, a) != 0;
    free(first);
    free(next);
    free(again);
  }
  assert_int_equal(differ, 100);
  vb_renderer_fini(&renderer);
  vb_command_free(command);
}

static void another_part_does_not_shift_the_draws(void **state) {
  (void)state;
  vb_part key = cursor_part(uniform),
          value = {.kind = VB_PART_BYTES, .min = 8, .max = 8, .hole = 9};
  key.hole = 8;
  vb_command *less = TEST_COMMAND("X", {KEY, key}, {ARGUMENT, value});
  vb_command *more = TEST_COMMAND(
      "X", {KEY, key}, {ARGUMENT, {.kind = VB_PART_INT, .max = 9, .hole = 77}}, {ARGUMENT, value});
  vb_renderer renderer = {0};
  for (uint64_t n = 0; n < 50; n++) {
    size_t a, b;
    char *first = test_write(less, &renderer, n, &a), *second = test_write(more, &renderer, n, &b);
    assert_memory_equal(first + 11, second + 11, 22);
    assert_memory_equal(first + a - 14, second + b - 14, 14);
    free(first);
    free(second);
  }
  vb_command_free(less);
  vb_command_free(more);
}

static void slots(void **state) {
  (void)state;
  vb_operation operation;
  vb_operation_begin(&operation, 1, 2);
  struct {
    vb_command *command;
    int slot;
  } const cases[] = {
      {TEST_COMMAND("GET", {KEY, LITERAL("foo")}), 12182},
      {TEST_COMMAND("GET", {ARGUMENT, LITERAL("foo")}), -1},
      {TEST_COMMAND("GET", {KEY, function_part(1)}), -1},
      {TEST_COMMAND("GET", {KEY, LITERAL("a")}, {BEHIND, function_part(1)}), -1},
      {TEST_COMMAND("GET", {KEY, function_part(1)}, {KEY, LITERAL("foo")}), -1},
      {TEST_COMMAND("GET", {KEY, cursor_part(ordered)}), (int)vb_slot("key:000000000042", 16)},
      {TEST_COMMAND("GET", {ARGUMENT, LITERAL("x")}, {KEY, cursor_part(of_users)}),
       (int)vb_slot("u:2", 3)},
      {TEST_COMMAND("GET", {KEY, LITERAL("{a}")}, {BEHIND, cursor_part(ordered)}),
       (int)vb_slot("a", 1)},
      {TEST_COMMAND("GET", {KEY, cursor_part(of_users)}, {BEHIND, LITERAL(":")},
                    {BEHIND, id_part()}),
       (int)vb_slot("u:2:2", 5)},
      {TEST_COMMAND("GET", {KEY, current_part(keys)}, {KEY, cursor_part(ordered)}),
       (int)vb_slot("key:000000000042", 16)},
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_operation_begin(&operation, 1, 2);
    assert_int_equal(vb_command_draw(cases[i].command, &operation), VB_RENDER_OK);
    assert_int_equal(vb_command_slot(cases[i].command, &operation), cases[i].slot);
    vb_command_free(cases[i].command);
  }
}

/* Making `GET` of these parts fails with this message. */
static void expect_error(const test_part *parts, size_t count, const char *text) {
  vb_command *command = vb_command_new("get");
  vb_error err = {0};
  int failed = test_command_add(command, parts, count, &err);
  if (!failed) failed = vb_command_compile(command, 7, &err);
  assert_string_equal(err.text, text);
  assert_int_equal(failed, VB_EINVAL);
  vb_command_free(command);
}

#define EXPECT_ERROR(text, ...)                                                                    \
  expect_error((const test_part[]){__VA_ARGS__},                                                   \
               sizeof((const test_part[]){__VA_ARGS__}) / sizeof(test_part), text)

static void mistakes_of_arguments_are_named(void **state) {
  (void)state;
  EXPECT_ERROR("command 'get', argument 2: no such kind of argument", {KEY, {.kind = 99}});
  EXPECT_ERROR("command 'get', argument 2: no cursor to draw from",
               {KEY, {.kind = VB_PART_CURSOR}});
  EXPECT_ERROR("command 'get', argument 2: no keyspace of current()",
               {KEY, {.kind = VB_PART_CURRENT}});
  EXPECT_ERROR(
      "command 'get', argument 3: times 5 to 4; 1 to 1048576 are possible, min not above max",
      {KEY, LITERAL("k")}, {KEY, times_part(ordered, 5, 4)});
  EXPECT_ERROR(
      "command 'get', argument 2: times makes several arguments and cannot be a part of one",
      {KEY, LITERAL("k")}, {BEHIND, times_part(ordered, 2, 2)});
  vb_command *command = vb_command_new("get");
  vb_error err;
  const vb_part word = LITERAL("a");
  assert_int_equal(vb_command_part(command, &word, &err), VB_EINVAL);
  assert_string_equal(err.text, "command 'get': a part before the first argument");
  assert_int_equal(vb_command_compile(command, 7, &err), VB_EINVAL);
  assert_string_equal(err.text, "command 'get' has no arguments");
  assert_int_equal(vb_command_argument(command, 0, &err), VB_OK);
  assert_int_equal(vb_command_compile(command, 7, &err), VB_EINVAL);
  assert_string_equal(err.text, "command 'get', argument 1 is empty");
  vb_command_free(command);
}

static void a_key_too_long_to_route_is_refused(void **state) {
  (void)state;
  static char text[1020];
  memset(text, 'k', sizeof text);
  vb_part literal = {.kind = VB_PART_LITERAL, .text = text, .length = sizeof text};
  EXPECT_ERROR("command 'get', argument 2: a key of up to 1036 bytes; 1024 are possible",
               {KEY, literal}, {BEHIND, cursor_part(ordered)});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fixed_command_is_a_patched_template),
      cmocka_unit_test(a_run_of_requests_is_those_of_its_operations),
      cmocka_unit_test(a_run_ends_where_its_cursor_does),
      cmocka_unit_test(literals_alone_make_a_request),
      cmocka_unit_test(keys_of_varying_length),
      cmocka_unit_test(several_parts_are_one_argument),
      cmocka_unit_test(arguments_longer_than_guessed_move_behind_their_header),
      cmocka_unit_test(functions_make_none_one_or_more_arguments),
      cmocka_unit_test(a_request_of_no_words_is_one_that_gets_an_answer),
      cmocka_unit_test(functions_know_an_id_that_is_drawn_behind_them),
      cmocka_unit_test(functions_inside_json_are_told_to_escape),
      cmocka_unit_test(a_function_that_fails_fails_the_request),
      cmocka_unit_test(keys_inside_json_are_escaped),
      cmocka_unit_test(times_makes_as_many_arguments),
      cmocka_unit_test(times_of_a_range_gives_every_count),
      cmocka_unit_test(same_slot_keeps_to_the_range_and_the_slot),
      cmocka_unit_test(a_cursor_that_has_ended_writes_nothing),
      cmocka_unit_test(ids_and_current_keys_repeat_the_first_draw),
      cmocka_unit_test(the_same_operation_is_the_same_bytes),
      cmocka_unit_test(another_part_does_not_shift_the_draws),
      cmocka_unit_test(slots),
      cmocka_unit_test(mistakes_of_arguments_are_named),
      cmocka_unit_test(a_key_too_long_to_route_is_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
