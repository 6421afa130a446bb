/* command/: what runs for each operation allocates nothing once it is warm. The linker wraps the
 * allocator of everything in this program (tests/CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commands.h"

enum { OPERATIONS = 2000 };

static unsigned long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *from, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *from, size_t size);

void *__wrap_malloc(size_t size) {
  allocations++;
  return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  allocations++;
  return __real_calloc(count, size);
}

void *__wrap_realloc(void *from, size_t size) {
  allocations++;
  return __real_realloc(from, size);
}

static int fake_arguments(void *state, uint32_t function, const vb_request *request,
                          vb_bytes *out) {
  (void)state;
  for (uint32_t i = 0; i < function; i++) vb_bytes_append(out, "$1\r\nv\r\n", 7);
  (void)request;
  return (int)function;
}

static int fake_part(void *state, uint32_t function, const vb_request *request, bool escape_json,
                     vb_bytes *out) {
  (void)state;
  (void)function;
  (void)escape_json;
  vb_bytes_append(out, "abcdefghijklmnopqrstuvwxyz", (uint64_t)request->n % 26);
  return 0;
}

static const vb_hooks hooks = {.arguments = fake_arguments, .part = fake_part};

/* A command with every kind of part there is. */
static vb_command *everything(const vb_keyspace *keys, const vb_cursor *cursor) {
  static const vb_choice tags[] = {{"a", 1, 50, 0}, {"bcd", 3, 50, 0}};
  const vb_part key = {.kind = VB_PART_CURSOR, .cursor = cursor};
  const vb_part several = {
      .kind = VB_PART_CURSOR, .cursor = cursor, .times_min = 1, .times_max = 20};
  return TEST_COMMAND(
      "X", {KEY, key}, {KEY, several}, {KEY, {.kind = VB_PART_CURRENT, .keyspace = keys}},
      {ARGUMENT, {.kind = VB_PART_ID}}, {ARGUMENT, {.kind = VB_PART_BYTES, .min = 0, .max = 500}},
      {ARGUMENT, {.kind = VB_PART_INT, .max = 9999}},
      {ARGUMENT, {.kind = VB_PART_FLOAT, .max = 1, .decimals = -1}},
      {ARGUMENT, {.kind = VB_PART_TIMESTAMP, .format = 1}},
      {ARGUMENT, {.kind = VB_PART_CHOICE, .choices = tags, .choice_count = 2}},
      {ARGUMENT, {.kind = VB_PART_TAGS, .choices = tags, .choice_count = 2}},
      {ARGUMENT, {.kind = VB_PART_VECTOR, .dimensions = 9, .json = 1}},
      {ARGUMENT, {.kind = VB_PART_TEXT, .min = 1, .max = 9}},
      {ARGUMENT, {.kind = VB_PART_FUNCTION, .function = 3}}, {ARGUMENT, LITERAL("[")},
      {BEHIND, {.kind = VB_PART_FUNCTION, .function = 1}});
}

static void render(const vb_command *command, vb_renderer *renderer) {
  for (uint64_t n = 0; n < OPERATIONS; n++) {
    vb_operation operation;
    vb_operation_begin(&operation, 1, n);
    assert_int_equal(vb_command_render(command, renderer, &operation), VB_RENDER_OK);
  }
}

static void rendering_allocates_nothing_once_warm(void **state) {
  (void)state;
  vb_keyspace *keys = test_keyspace("k:", 0, 1000000);
  vb_cursor *cursor =
      test_cursor(keys, (vb_cursor_spec){.order = VB_ORDER_DRAWN,
                                         .distribution = {.shape = VB_SHAPE_ZIPFIAN, .skew = 1}});
  vb_command *command = everything(keys, cursor);
  vb_renderer renderer = {.hooks = &hooks};
  unsigned long before = allocations;
  render(command, &renderer);
  assert_true(allocations > before); /* the counter counts: the first time there is no room yet */
  before = allocations;
  render(command, &renderer);
  assert_int_equal(allocations - before, 0);
  vb_renderer_fini(&renderer);
  vb_command_free(command);
  vb_cursor_free(cursor);
  vb_keyspace_free(keys);
}

static void filling_allocates_nothing_at_all(void **state) {
  (void)state;
  vb_keyspace *keys = test_keyspace("k:", 12, 1000000);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.order = VB_ORDER_UNIFORM});
  const vb_part key = {.kind = VB_PART_CURSOR, .cursor = cursor};
  vb_command *command =
      TEST_COMMAND("SET", {KEY, key}, {ARGUMENT, {.kind = VB_PART_BYTES, .min = 300, .max = 300}});
  vb_renderer renderer = {0};
  char *to = malloc(vb_command_fixed_size(command));
  unsigned long before = allocations;
  for (uint64_t n = 0; n < OPERATIONS; n++) {
    vb_operation operation;
    vb_operation_begin(&operation, 1, n);
    assert_int_equal(vb_command_fill(command, &renderer, &operation, to), VB_RENDER_OK);
  }
  assert_int_equal(allocations - before, 0);
  free(to);
  vb_renderer_fini(&renderer);
  vb_command_free(command);
  vb_cursor_free(cursor);
  vb_keyspace_free(keys);
}

static void judging_allocates_nothing_once_warm(void **state) {
  (void)state;
  vb_keyspace *keys = test_keyspace("k:", 12, 1000000);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.order = VB_ORDER_UNIFORM});
  const test_part parts[] = {{KEY, {.kind = VB_PART_CURSOR, .cursor = cursor}}};
  const vb_part value = {.kind = VB_PART_BYTES, .min = 300, .max = 300, .from_id = 1};
  const vb_processor hits = {.kind = VB_REPLY_HITS},
                     verify = {.kind = VB_REPLY_VERIFY, .part = &value};
  vb_command *command = vb_command_new("GET");
  assert_int_equal(test_command_add(command, parts, 1, NULL), VB_OK);
  assert_int_equal(vb_command_processor(command, &hits, NULL), VB_OK);
  assert_int_equal(vb_command_processor(command, &verify, NULL), VB_OK);
  assert_int_equal(vb_command_compile(command, 1, NULL), VB_OK);
  const vb_reply reply = {.type = '$', .text = "other", .text_length = 5, .hits = 1};
  vb_renderer renderer = {0};
  unsigned long before = 0;
  for (uint64_t n = 0; n < OPERATIONS; n++) {
    vb_operation operation;
    vb_outcome outcome;
    vb_operation_begin(&operation, 1, n);
    (void)vb_command_draw(command, &operation);
    vb_command_process(command, &renderer, &operation, &reply, &outcome);
    assert_string_equal(outcome.failed, "verify");
    if (!n) before = allocations;
  }
  assert_int_equal(allocations - before, 0);
  vb_renderer_fini(&renderer);
  vb_command_free(command);
  vb_cursor_free(cursor);
  vb_keyspace_free(keys);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rendering_allocates_nothing_once_warm),
      cmocka_unit_test(filling_allocates_nothing_at_all),
      cmocka_unit_test(judging_allocates_nothing_once_warm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
