/* command/process: what reply processors find, and what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commands.h"

#include <stdio.h>

static vb_keyspace *keys;
static vb_cursor *ordered;

static int set_up(void **state) {
  (void)state;
  keys = test_keyspace("k:", 2, 100);
  ordered = test_cursor(keys, (vb_cursor_spec){0});
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  vb_cursor_free(ordered);
  vb_keyspace_free(keys);
  return 0;
}

/* Function 3 is content with replies of the operation 4 and id 4 alone. */
static int fake_reply(void *state, uint32_t function, const vb_reply *reply,
                      const vb_request *request) {
  ++*(int *)state;
  bool well = function == 3 && request->n == 4 && request->id == 4 && reply->integer == 2;
  return well ? 0 : VB_HOOK_FAILED;
}

/* GET of operation n's key (or MGET of `times`) with these processors; the reply is judged. */
static vb_outcome judge(const vb_processor *processors, size_t count, uint32_t times, uint64_t n,
                        const char *bytes, size_t length) {
  vb_part key = {.kind = VB_PART_CURSOR, .cursor = ordered, .times_min = times, .hole = 5};
  const test_part parts[] = {{KEY, key}};
  vb_command *command = vb_command_new("get");
  vb_error err;
  int called = 0;
  vb_hooks hooks = {.state = &called, .reply = fake_reply};
  vb_renderer renderer = {.hooks = &hooks};
  vb_scanner scanner = {.max_reply = 1 << 20};
  vb_operation operation;
  vb_outcome outcome;
  vb_reply reply;
  size_t used;
  assert_int_equal(test_command_add(command, parts, 1, &err), VB_OK);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(vb_command_processor(command, &processors[i], &err), VB_OK);
  assert_int_equal(vb_command_compile(command, 7, &err), VB_OK);
  assert_int_equal(vb_command_has_processors(command), count > 0);
  bool keep = vb_command_keeps_reply(command);
  char *copy = malloc(length); /* not a byte more: the sanitizer sees what is read behind */
  memcpy(copy, bytes, length);
  assert_int_equal(vb_scanner_next(&scanner, copy, length, keep, &used, &reply), VB_SCAN_REPLY);
  vb_operation_begin(&operation, 1, n);
  memset(&outcome, 0x55, sizeof outcome);
  (void)vb_command_draw(command, &operation);
  vb_command_process(command, &renderer, &operation, &reply, &outcome);
  free(copy);
  vb_renderer_fini(&renderer);
  vb_command_free(command);
  return outcome;
}

#define JUDGE(processor, times, n, reply)                                                          \
  judge(&(const vb_processor)processor, 1, times, n, reply, sizeof(reply) - 1)
#define HITS                                                                                       \
  { .kind = VB_REPLY_HITS }
#define EXPECT(string)                                                                             \
  { .kind = VB_REPLY_EXPECT, .text = (string), .length = sizeof(string) - 1 }

static void hits_and_misses_are_counted(void **state) {
  (void)state;
  const struct {
    const char *reply;
    uint32_t hits, misses;
  } cases[] = {{"$3\r\nabc\r\n", 1, 0},
               {"$-1\r\n", 0, 1},
               {"_\r\n", 0, 1},
               {"*3\r\n$1\r\na\r\n$-1\r\n$1\r\nb\r\n", 2, 1},
               {"*0\r\n", 0, 0}};
  const vb_processor hits = HITS;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_outcome outcome = judge(&hits, 1, 1, 0, cases[i].reply, strlen(cases[i].reply));
    assert_null(outcome.failed);
    assert_string_equal(outcome.message, "");
    assert_int_equal(outcome.hits, cases[i].hits);
    assert_int_equal(outcome.misses, cases[i].misses);
  }
  vb_outcome none = JUDGE(EXPECT("OK"), 1, 0, "+OK\r\n");
  assert_true(!none.hits && !none.misses); /* not asked for */
}

static void an_expected_text(void **state) {
  (void)state;
  const struct {
    const char *reply, *message;
  } cases[] = {
      {"+OK\r\n", NULL},
      {"$2\r\nOK\r\n", NULL},
      {"+OKAY\r\n", "expected \"OK\", got \"OKAY\""},
      {"+ok\r\n", "expected \"OK\", got \"ok\""},
      {"$-1\r\n", "expected \"OK\", got nil"},
      {":17\r\n", "expected \"OK\", got \"17\""},
      {"*2\r\n:1\r\n:2\r\n", "expected \"OK\", got an aggregate '*' of 2"},
      {"$4\r\n\x01\"\\\xff\r\n", "expected \"OK\", got \"\\x01\"\\\\xff\""},
      {"$30\r\nabcdefghijklmnopqrstuvwxyz0123\r\n",
       "expected \"OK\", got \"abcdefghijklmnopqrstuvwx...\""},
  };
  const vb_processor expect = EXPECT("OK");
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_outcome outcome = judge(&expect, 1, 1, 0, cases[i].reply, strlen(cases[i].reply));
    if (cases[i].message) {
      assert_string_equal(outcome.failed, "expect");
      assert_string_equal(outcome.message, cases[i].message);
    } else {
      assert_null(outcome.failed);
    }
  }
  assert_null(JUDGE(EXPECT("a\0b"), 1, 0, "$3\r\na\0b\r\n").failed);
  assert_string_equal(JUDGE(EXPECT("a\0b"), 1, 0, "$3\r\na\0c\r\n").failed, "expect");
}

/* The value that a SET of the same generator gives to id n. */
static void write_value(vb_part part, uint64_t n, char *to) {
  vb_part key = {.kind = VB_PART_CURSOR, .cursor = ordered};
  part.hole = 1234;
  vb_command *set = TEST_COMMAND("SET", {KEY, key}, {ARGUMENT, part});
  vb_renderer renderer = {0};
  size_t length;
  char *request = test_write(set, &renderer, n, &length);
  char *value = request;
  for (int i = 0; i < 3; i++) value = strchr(value, '$') + 1;
  (void)snprintf(to, 64, "$%.*s", (int)(request + length - value), value);
  free(request);
  vb_renderer_fini(&renderer);
  vb_command_free(set);
}

static const vb_part value = {.kind = VB_PART_BYTES, .min = 20, .max = 20, .from_id = 1};
static const vb_processor verify = {.kind = VB_REPLY_VERIFY, .part = &value};

static void verify_finds_the_value_that_was_set(void **state) {
  (void)state;
  char bulk[64];
  write_value(value, 12, bulk);
  assert_null(judge(&verify, 1, 1, 12, bulk, strlen(bulk)).failed);
  assert_null(judge(&verify, 1, 1, 12, "$-1\r\n", 5).failed);
  assert_string_equal(judge(&verify, 1, 1, 13, bulk, strlen(bulk)).failed, "verify");
}

static void verify_says_where_and_what(void **state) {
  (void)state;
  char bulk[64], want[256];
  write_value(value, 12, bulk);
  char text[24];
  memcpy(text, bulk + 5, 20);
  text[20] = 0;
  bulk[5 + 14] = '\x07';
  vb_outcome outcome = judge(&verify, 1, 1, 12, bulk, strlen(bulk));
  (void)snprintf(want, sizeof want,
                 "\"k:12\": differs at byte 14 of 20: expected \"%s\", got \"\\x07%s\" (20 bytes)",
                 text + 14, text + 15);
  assert_string_equal(outcome.failed, "verify");
  assert_string_equal(outcome.message, want);
  (void)snprintf(bulk, sizeof bulk, "$19\r\n%.19s\r\n", text);
  (void)snprintf(want, sizeof want,
                 "\"k:12\": differs at byte 19 of 20: expected \"%s\", got \"\" (19 bytes)",
                 text + 19);
  assert_string_equal(judge(&verify, 1, 1, 12, bulk, strlen(bulk)).message, want);
  (void)snprintf(want, sizeof want,
                 "\"k:12\": differs at byte 0 of 20: expected \"%s\", got \"5\" (1 bytes)", text);
  assert_string_equal(judge(&verify, 1, 1, 12, ":5\r\n", 4).message, want);
}

static void elements_of_an_array_are_of_the_ids_in_turn(void **state) {
  (void)state;
  char bulk[3][64], array[256];
  for (uint64_t i = 0; i < 3; i++) write_value(value, 6 + i, bulk[i]);
  (void)snprintf(array, sizeof array, "*3\r\n%s%s%s", bulk[0], bulk[1], bulk[2]);
  assert_null(judge(&verify, 1, 3, 2, array, strlen(array)).failed);
  (void)snprintf(array, sizeof array, "*3\r\n%s$-1\r\n%s", bulk[0], bulk[2]);
  assert_null(judge(&verify, 1, 3, 2, array, strlen(array)).failed);
  (void)snprintf(array, sizeof array, "*3\r\n%s%s%s", bulk[0], bulk[1], bulk[1]);
  vb_outcome outcome = judge(&verify, 1, 3, 2, array, strlen(array));
  assert_string_equal(outcome.failed, "verify");
  assert_memory_equal(outcome.message, "\"k:08\": differs", 15);
  (void)snprintf(array, sizeof array, "*2\r\n%s%s", bulk[0], bulk[1]);
  outcome = judge(&verify, 1, 3, 2, array, strlen(array));
  assert_string_equal(outcome.failed, "verify");
  assert_string_equal(outcome.message, "2 elements for 3 ids");
}

static void a_function_sees_the_reply_and_the_request(void **state) {
  (void)state;
  const vb_processor function = {.kind = VB_REPLY_FUNCTION, .function = 3};
  assert_null(judge(&function, 1, 1, 4, "$2\r\nab\r\n", 8).failed);
  vb_outcome outcome = judge(&function, 1, 1, 5, "$2\r\nab\r\n", 8);
  assert_string_equal(outcome.failed, "hook");
  assert_string_equal(outcome.message, "");
}

static void the_first_failure_ends_the_list(void **state) {
  (void)state;
  const vb_processor list[] = {HITS, EXPECT("ab"), {.kind = VB_REPLY_FUNCTION, .function = 9}};
  assert_string_equal(judge(list, 3, 1, 4, "$2\r\nab\r\n", 8).failed, "hook");
  vb_outcome outcome = judge(list, 3, 1, 4, "$2\r\nxy\r\n", 8);
  assert_string_equal(outcome.failed, "expect");
  assert_int_equal(outcome.hits, 1);
}

static void only_hits_need_no_bytes(void **state) {
  (void)state;
  const vb_processor hits = HITS, expect = EXPECT("a");
  vb_command *command = vb_command_new("x");
  assert_false(vb_command_has_processors(command));
  assert_int_equal(vb_command_processor(command, &hits, NULL), VB_OK);
  assert_true(vb_command_has_processors(command));
  assert_false(vb_command_keeps_reply(command));
  assert_int_equal(vb_command_processor(command, &expect, NULL), VB_OK);
  assert_true(vb_command_keeps_reply(command));
  vb_command_free(command);
}

static void mistakes_are_named(void **state) {
  (void)state;
  const vb_part drawn = {.kind = VB_PART_BYTES, .max = 9}, clock = {.kind = VB_PART_TIMESTAMP},
                bad = {.kind = VB_PART_VECTOR, .from_id = 1};
  const struct {
    vb_processor processor;
    const char *text;
  } cases[] = {
      {{.kind = 9}, "command 'x': no such reply processor"},
      {{.kind = VB_REPLY_VERIFY}, "command 'x', vb.verify: nothing to compare with"},
      {{.kind = VB_REPLY_VERIFY, .part = &drawn},
       "command 'x', vb.verify: compares with a generator that is made from=\"id\""},
      {{.kind = VB_REPLY_VERIFY, .part = &clock},
       "command 'x', vb.verify: compares with a generator that is made from=\"id\""},
      {{.kind = VB_REPLY_VERIFY, .part = &bad},
       "command 'x', vb.verify: a vector of 0 dimensions; 1 to 1048576 are possible"},
  };
  vb_command *command = vb_command_new("x");
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_error err = {0};
    assert_int_equal(vb_command_processor(command, &cases[i].processor, &err), VB_EINVAL);
    assert_string_equal(err.text, cases[i].text);
  }
  assert_false(vb_command_has_processors(command));
  vb_command_free(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hits_and_misses_are_counted),
      cmocka_unit_test(an_expected_text),
      cmocka_unit_test(verify_finds_the_value_that_was_set),
      cmocka_unit_test(verify_says_where_and_what),
      cmocka_unit_test(elements_of_an_array_are_of_the_ids_in_turn),
      cmocka_unit_test(a_function_sees_the_reply_and_the_request),
      cmocka_unit_test(the_first_failure_ends_the_list),
      cmocka_unit_test(only_hits_need_no_bytes),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
