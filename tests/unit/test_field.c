/* command/field, command/record: values of datasets in requests, whichever way they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "commands.h"

#include <stdio.h>
#include <unistd.h>

enum { RECORDS = 4, LONG = 600, HUGE = 9000 }; /* more than VB_COPY_ONCE, VB_SEND_IN_PLACE */
enum { SHORT_FIELD, LONG_FIELD, HUGE_FIELD, NOTE_FIELD, NUMBER_FIELD };

static const char schema_text[] =
    "version: 1\n"
    "record: { fields: [ { name: s, type: blob, max_bytes: 3 }, { name: l, type: blob, max_bytes: "
    "600 }, { name: h, type: blob, max_bytes: 9000 }, { name: note, type: tag, max_bytes: 4, "
    "optional: true }, { name: n, type: numeric, dtype: int32 } ] }\n"
    "sections: { records: { count: 4 }, keys: { max_bytes: 4 }, queries: { count: 2, query_fields: "
    "[s] } }\n";

static vb_dataset *dataset;
static vb_keyspace *keys, *stored;
static vb_cursor *ordered, *of_stored;

static void append_record(vb_bytes *data, int i) {
  char *to = vb_bytes_reserve(data, LONG + HUGE);
  vb_bytes_append(data, i == 1 ? "bbb" : "aaa", 3);
  to = vb_bytes_reserve(data, LONG + HUGE);
  memset(to, 'l' + i, LONG);
  memset(to + LONG, 'p' + i, HUGE);
  data->length += LONG + HUGE;
  vb_bytes_append(data, i % 2 ? "\0\0\0\0" : "yes\0", 4);
  vb_bytes_append(data, &i, sizeof i);
}

static int set_up(void **state) {
  (void)state;
  char path[] = "/tmp/vbench-field-XXXXXX";
  vb_schema *schema = NULL;
  vb_error err = {0};
  vb_bytes data = {0};
  for (int i = 0; i < RECORDS; i++) append_record(&data, i);
  vb_bytes_append(&data, "k0\0\0\0\0\0\0k222k3\0\0", 16); /* the second key is empty */
  vb_bytes_append(&data, "q0!q1!", 6);
  int fd = mkstemp(path);
  if (write(fd, data.data, data.length) != (ssize_t)data.length) return -1;
  (void)close(fd);
  if (vb_schema_parse(&schema, schema_text, strlen(schema_text), "x", &err) ||
      vb_dataset_attach(&dataset, schema, NULL, path, &err))
    fail_msg("%s", err.text);
  (void)unlink(path);
  vb_schema_free(schema);
  vb_bytes_fini(&data);
  keys = test_keyspace("k:", 2, RECORDS);
  vb_keyspace_spec spec = {.name = "stored", .dataset = dataset, .size = RECORDS};
  if (vb_keyspace_new(&stored, &spec, &err)) fail_msg("%s", err.text);
  ordered = test_cursor(keys, (vb_cursor_spec){0});
  of_stored = test_cursor(stored, (vb_cursor_spec){0});
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  vb_cursor_free(ordered);
  vb_cursor_free(of_stored);
  vb_keyspace_free(keys);
  vb_keyspace_free(stored);
  vb_dataset_close(dataset);
  return 0;
}

static vb_part cursor_part(const vb_cursor *cursor) {
  return (vb_part){.kind = VB_PART_CURSOR, .cursor = cursor};
}

static vb_part field_part(uint32_t field) {
  return (vb_part){.kind = VB_PART_FIELD, .dataset = dataset, .field = field};
}

/* What operation n sends is text, `fill` of one byte in the middle, text. */
static void expect_request(const vb_command *command, uint64_t n, const char *before, char fill,
                           size_t count, const char *after) {
  vb_renderer renderer = {0};
  size_t length, first = strlen(before);
  char *request = test_write(command, &renderer, n, &length);
  assert_non_null(request);
  assert_int_equal(length, first + count + strlen(after));
  assert_memory_equal(request, before, first);
  for (size_t i = 0; i < count; i++) assert_int_equal(request[first + i], fill);
  assert_string_equal(request + first + count, after);
  free(request);
  vb_renderer_fini(&renderer);
}

/* The request with what it borrows, put together as the engine does it. */
static void expect_borrowed(const vb_command *command, uint64_t n, size_t pieces) {
  vb_renderer plain = {0}, borrowing = {.borrows = true};
  vb_operation operation;
  size_t length, at;
  vb_bytes whole = {0};
  char *request = test_write(command, &plain, n, &length);
  vb_operation_begin(&operation, 1, n);
  assert_int_equal(vb_command_render(command, &borrowing, &operation), VB_RENDER_OK);
  const vb_borrowed *part = (const vb_borrowed *)(const void *)borrowing.borrowed.data;
  assert_int_equal(borrowing.borrowed.length / sizeof *part, pieces);
  at = borrowing.start;
  for (size_t i = 0; i < pieces; at = part[i++].at) {
    vb_bytes_append(&whole, borrowing.scratch.data + at, part[i].at - at);
    vb_bytes_append(&whole, part[i].data, part[i].length);
  }
  vb_bytes_append(&whole, borrowing.scratch.data + at, borrowing.scratch.length - at);
  assert_int_equal(whole.length, length);
  assert_memory_equal(whole.data, request, length);
  free(request);
  vb_bytes_fini(&whole);
  vb_renderer_fini(&plain);
  vb_renderer_fini(&borrowing);
}

static void short_fields_are_holes_of_a_template(void **state) {
  (void)state;
  vb_command *command =
      TEST_COMMAND("SET", {KEY, cursor_part(ordered)}, {ARGUMENT, field_part(SHORT_FIELD)});
  assert_true(vb_command_fixed_size(command) > 0);
  expect_request(command, 0, "*3\r\n$3\r\nSET\r\n$4\r\nk:00\r\n$3\r\n", 'a', 3, "\r\n");
  expect_request(command, 1, "*3\r\n$3\r\nSET\r\n$4\r\nk:01\r\n$3\r\n", 'b', 3, "\r\n");
  vb_command_free(command);
}

static void long_fields_of_a_template_are_copied_once(void **state) {
  (void)state;
  vb_command *command = TEST_COMMAND("SET", {KEY, cursor_part(ordered)},
                                     {ARGUMENT, field_part(LONG_FIELD)}, {ARGUMENT, LITERAL("NX")});
  assert_true(vb_command_fixed_size(command) > LONG);
  expect_request(command, 2, "*4\r\n$3\r\nSET\r\n$4\r\nk:02\r\n$600\r\n", 'n', LONG,
                 "\r\n$2\r\nNX\r\n");
  vb_command_free(command);
}

static void huge_fields_are_borrowed(void **state) {
  (void)state;
  vb_command *command =
      TEST_COMMAND("SET", {KEY, cursor_part(ordered)}, {ARGUMENT, field_part(HUGE_FIELD)});
  assert_int_equal(vb_command_fixed_size(command), 0);
  expect_request(command, 1, "*3\r\n$3\r\nSET\r\n$4\r\nk:01\r\n$9000\r\n", 'q', HUGE, "\r\n");
  expect_borrowed(command, 3, 1);
  vb_command_free(command);
}

static void several_are_borrowed_in_their_order(void **state) {
  (void)state;
  vb_command *command =
      TEST_COMMAND("HSET", {KEY, cursor_part(of_stored)}, {ARGUMENT, LITERAL("l")},
                   {ARGUMENT, field_part(LONG_FIELD)}, {ARGUMENT, LITERAL("h")},
                   {ARGUMENT, field_part(HUGE_FIELD)}, {ARGUMENT, field_part(NUMBER_FIELD)});
  expect_borrowed(command, 0, 2);
  expect_borrowed(command, 2, 2);
  vb_command_free(command);
}

static void optional_fields_go_with_their_names(void **state) {
  (void)state;
  vb_part note = field_part(NOTE_FIELD);
  note.named = 1;
  note.text = "note";
  note.length = 4;
  vb_command *command =
      TEST_COMMAND("HSET", {KEY, cursor_part(ordered)}, {ARGUMENT, note}, {ARGUMENT, LITERAL("n")},
                   {ARGUMENT, field_part(NUMBER_FIELD)});
  expect_request(command, 0,
                 "*6\r\n$4\r\nHSET\r\n$4\r\nk:00\r\n$4\r\nnote\r\n$3\r\nyes\r\n$1\r\nn\r\n$1\r\n",
                 '0', 1, "\r\n");
  expect_request(command, 1, "*4\r\n$4\r\nHSET\r\n$4\r\nk:01\r\n$1\r\nn\r\n$1\r\n", '1', 1, "\r\n");
  vb_command_free(command);
}

static enum vb_render render(const vb_command *command, uint64_t n) {
  vb_renderer renderer = {0};
  vb_operation operation;
  vb_operation_begin(&operation, 1, n);
  enum vb_render why = vb_command_render(command, &renderer, &operation);
  vb_renderer_fini(&renderer);
  return why;
}

static void records_that_cannot_be_sent_are_empty(void **state) {
  (void)state;
  vb_part note = field_part(NOTE_FIELD);
  note.named = 1;
  note.text = "note";
  note.length = 4;
  vb_command *keyless = TEST_COMMAND("GET", {KEY, cursor_part(of_stored)});
  assert_true(vb_command_may_be_empty(keyless));
  assert_int_equal(render(keyless, 0), VB_RENDER_OK);
  assert_int_equal(render(keyless, 1), VB_RENDER_EMPTY);
  vb_command_free(keyless);
  vb_command *bare = TEST_COMMAND("HSET", {KEY, cursor_part(ordered)}, {ARGUMENT, note});
  assert_int_equal(render(bare, 0), VB_RENDER_OK);
  assert_int_equal(render(bare, 1), VB_RENDER_EMPTY);
  assert_int_equal(render(bare, 4), VB_RENDER_EXHAUSTED);
  vb_command_free(bare);
}

static void queries_of_an_operation_are_one(void **state) {
  (void)state;
  vb_part query = {.kind = VB_PART_QUERY, .dataset = dataset, .hole = 42};
  query.order = VB_ORDER_UNIFORM;
  vb_command *command = TEST_COMMAND("ECHO", {ARGUMENT, query}, {BEHIND, query}, {BEHIND, query});
  bool seen[2] = {false, false};
  for (uint64_t n = 0; n < 40; n++) {
    vb_renderer renderer = {0};
    size_t length;
    char *request = test_write(command, &renderer, n, &length);
    bool second = strstr(request, "q1!q1!q1!") != NULL;
    assert_true(second || strstr(request, "q0!q0!q0!"));
    seen[second] = true;
    free(request);
    vb_renderer_fini(&renderer);
  }
  assert_true(seen[0] && seen[1]);
  vb_command_free(command);
}

static void expect_mistake(vb_part part, const char *text) {
  vb_error err = {0};
  vb_command *command = vb_command_new("SET");
  const test_part parts[] = {{ARGUMENT, part}};
  assert_int_equal(test_command_add(command, parts, 1, &err), VB_EINVAL);
  assert_string_equal(err.text, text);
  vb_command_free(command);
}

static void mistakes_are_named(void **state) {
  (void)state;
  vb_part query = {.kind = VB_PART_QUERY, .dataset = dataset, .field = NUMBER_FIELD};
  expect_mistake(query, "command 'SET', argument 2: the queries do not hold 'n'");
  expect_mistake((vb_part){.kind = VB_PART_MEMBERS, .dataset = dataset},
                 "command 'SET', argument 2: the records are fields, and have no members");
  expect_mistake((vb_part){.kind = VB_PART_FIELD}, "command 'SET', argument 2: no dataset");
  expect_mistake(field_part(9), "command 'SET', argument 2: no such field of the dataset");
}

static void keyspaces_of_stored_keys(void **state) {
  (void)state;
  vb_keyspace *keyspace = NULL;
  vb_error err = {0};
  char key[8];
  assert_int_equal(vb_keyspace_key_max(stored), 4);
  assert_int_equal(vb_keyspace_key_fixed(stored), 0);
  assert_int_equal(vb_keyspace_write(stored, 0, key), 2);
  assert_memory_equal(key, "k0", 2);
  assert_int_equal(vb_keyspace_write(stored, 2, key), 4);
  assert_memory_equal(key, "k222", 4);
  vb_keyspace_spec more = {.name = "x", .dataset = dataset, .size = RECORDS + 1};
  assert_int_equal(vb_keyspace_new(&keyspace, &more, &err), VB_EINVAL);
  assert_string_equal(err.text, "keyspace 'x': the dataset does not store that many keys");
  vb_keyspace_spec both = {.name = "x", .dataset = dataset, .size = RECORDS, .prefix = "p"};
  assert_int_equal(vb_keyspace_new(&keyspace, &both, &err), VB_EINVAL);
  assert_string_equal(err.text, "keyspace 'x': keys that are stored have no prefix or pattern");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(short_fields_are_holes_of_a_template),
      cmocka_unit_test(long_fields_of_a_template_are_copied_once),
      cmocka_unit_test(huge_fields_are_borrowed),
      cmocka_unit_test(several_are_borrowed_in_their_order),
      cmocka_unit_test(optional_fields_go_with_their_names),
      cmocka_unit_test(records_that_cannot_be_sent_are_empty),
      cmocka_unit_test(queries_of_an_operation_are_one),
      cmocka_unit_test(mistakes_are_named),
      cmocka_unit_test(keyspaces_of_stored_keys),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
