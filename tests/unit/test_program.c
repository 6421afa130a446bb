/* command/program: the mix, rows, what is checked, what `check` shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commands.h"

#include <math.h>

static vb_keyspace *keys, *spaces[VB_CURRENT_MAX + 1];
static vb_cursor *ordered, *uniform, *cursors[VB_CURRENT_MAX + 1];
static vb_command *get, *set, *repeat, *by_id, *ping;

static vb_part key_of(const vb_cursor *cursor) {
  return (vb_part){.kind = VB_PART_CURSOR, .cursor = cursor};
}

static int set_up(void **state) {
  (void)state;
  keys = test_keyspace("k:", 2, 100);
  ordered = test_cursor(keys, (vb_cursor_spec){0});
  uniform = test_cursor(keys, (vb_cursor_spec){.order = VB_ORDER_UNIFORM});
  for (int i = 0; i <= VB_CURRENT_MAX; i++) {
    spaces[i] = test_keyspace((char[]){(char)('a' + i), 0}, 2, 100);
    cursors[i] = test_cursor(spaces[i], (vb_cursor_spec){.wrap = 1});
  }
  get = TEST_COMMAND("GET", {KEY, key_of(ordered)});
  set = TEST_COMMAND("SET", {KEY, key_of(uniform)}, {ARGUMENT, LITERAL("x")});
  repeat = TEST_COMMAND("TTL", {KEY, {.kind = VB_PART_CURRENT, .keyspace = keys}});
  by_id = TEST_COMMAND("ECHO", {ARGUMENT, {.kind = VB_PART_ID}});
  ping = TEST_COMMAND("PING");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  vb_command *const commands[] = {get, set, repeat, by_id, ping};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(commands); i++) vb_command_free(commands[i]);
  for (int i = 0; i <= VB_CURRENT_MAX; i++) {
    vb_cursor_free(cursors[i]);
    vb_keyspace_free(spaces[i]);
  }
  vb_cursor_free(ordered);
  vb_cursor_free(uniform);
  vb_keyspace_free(keys);
  return 0;
}

static void add(vb_program *program, int kind, double weight, const char *name,
                vb_command *const *commands, size_t count) {
  assert_int_equal(vb_program_entry(program, kind, weight, name, NULL), VB_OK);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(vb_program_step(program, commands[i], VB_ALWAYS, 0, NULL), VB_OK);
}

#define COMMANDS(...)                                                                              \
  (vb_command *const[]){__VA_ARGS__},                                                              \
      sizeof((const vb_command *const[]){__VA_ARGS__}) / sizeof(vb_command *)

static vb_program *compiled(vb_program *program) {
  vb_error err;
  if (vb_program_compile(program, &err)) fail_msg("%s", err.text);
  return program;
}

static void the_mix_is_drawn_by_weight(void **state) {
  (void)state;
  vb_program *program = vb_program_new();
  add(program, VB_ENTRY_COMMAND, 70, NULL, COMMANDS(get));
  add(program, VB_ENTRY_COMMAND, 0.5, NULL, COMMANDS(set));
  add(program, VB_ENTRY_COMMAND, 29.5, NULL, COMMANDS(ping));
  compiled(program);
  enum { DRAWS = 100000 };
  unsigned seen[3] = {0}, same = 0;
  for (uint64_t n = 0; n < DRAWS; n++) {
    const vb_entry *entry = vb_program_pick(program, 5, n);
    seen[entry->row]++;
    same += entry == vb_program_pick(program, 6, n);
    assert_ptr_equal(entry, vb_program_pick(program, 5, n));
  }
  assert_in_range(seen[0], 69400, 70600);
  assert_in_range(seen[1], 410, 590);
  assert_in_range(seen[2], 28900, 30100);
  assert_in_range(same, 56000, 60000); /* another phase draws another mix */
  vb_program_free(program);
}

static void many_entries_are_all_drawn(void **state) {
  (void)state;
  vb_program *program = vb_program_new();
  for (int i = 0; i < 40; i++) add(program, VB_ENTRY_COMMAND, i < 20 ? 1 : 3, NULL, COMMANDS(get));
  compiled(program);
  const vb_entry *first = vb_program_pick(program, 1, 0);
  unsigned seen[79] = {0};
  for (uint64_t n = 0; n < 80000; n++) seen[vb_program_pick(program, 1, n) - first + 39]++;
  unsigned rare = 0, frequent = 0;
  for (int i = 0; i < 79; i++) {
    rare += seen[i] > 850 && seen[i] < 1150;
    frequent += seen[i] > 2750 && seen[i] < 3250;
  }
  assert_int_equal(rare, 20);
  assert_int_equal(frequent, 20);
  vb_program_free(program);
}

static void rows_are_commands_by_first_use_then_transactions(void **state) {
  (void)state;
  vb_program *program = vb_program_new();
  add(program, VB_ENTRY_TRANSACTION, 1, "pay", COMMANDS(set, get));
  add(program, VB_ENTRY_SEQUENCE, 1, NULL, COMMANDS(get, ping, set));
  add(program, VB_ENTRY_TRANSACTION, 1, "refund", COMMANDS(get));
  compiled(program);
  const char *const names[] = {"SET", "GET", "PING", "pay", "refund"};
  assert_int_equal(vb_program_rows(program), 5);
  for (uint32_t i = 0; i < 5; i++) {
    assert_string_equal(vb_program_row_name(program, i), names[i]);
    assert_int_equal(vb_program_row_is_transaction(program, i), i > 2);
  }
  bool seen[5] = {0};
  for (uint64_t n = 0; n < 100; n++) {
    const vb_entry *entry = vb_program_pick(program, 1, n);
    seen[entry->row] = true;
    for (uint32_t i = 0; i < entry->step_count; i++) {
      const vb_step *step = &entry->steps[i];
      assert_string_equal(names[step->row], vb_command_name(step->command));
    }
  }
  assert_true(!seen[0] && seen[1] && !seen[2] && seen[3] && seen[4]);
  assert_int_equal(vb_program_most_steps(program), 3);
  vb_program_free(program);
}

static void a_program_ends_when_a_cursor_of_it_does(void **state) {
  (void)state;
  vb_program *endless = vb_program_new(), *ends = vb_program_new();
  add(endless, VB_ENTRY_COMMAND, 1, NULL, COMMANDS(set));
  add(ends, VB_ENTRY_COMMAND, 1, NULL, COMMANDS(set));
  add(ends, VB_ENTRY_SEQUENCE, 1, NULL, COMMANDS(set, get));
  assert_int_equal(vb_program_ends(compiled(endless)), 0);
  assert_int_equal(vb_program_ends(compiled(ends)), 1);
  vb_program_free(endless);
  vb_program_free(ends);
}

static void steps_draw_for_those_behind_them(void **state) {
  (void)state;
  vb_program *program = vb_program_new();
  add(program, VB_ENTRY_SEQUENCE, 1, NULL, COMMANDS(get, repeat, by_id));
  const vb_entry *entry = vb_program_pick(compiled(program), 9, 17);
  vb_operation operation;
  assert_int_equal(vb_entry_draw(entry, 0, &operation, 9, 17), VB_RENDER_OK);
  assert_true(operation.id == UINT64_MAX && operation.n == 17 && operation.stream == 9);
  assert_int_equal(vb_entry_draw(entry, 2, &operation, 9, 17), VB_RENDER_OK);
  assert_int_equal(operation.id, 17);
  assert_int_equal(vb_entry_draw(entry, 3, &operation, 9, 100), VB_RENDER_EXHAUSTED);
  vb_program_free(program);
}

/* A program of one entry does not compile, for this reason. */
static void expect_error(const char *text, int kind, vb_command *const *commands, size_t count) {
  vb_program *program = vb_program_new();
  vb_error err = {0};
  add(program, kind, 1, NULL, commands, count);
  assert_int_equal(vb_program_compile(program, &err), VB_EINVAL);
  assert_string_equal(err.text, text);
  vb_program_free(program);
}

static void nothing_repeats_an_id_that_was_not_drawn(void **state) {
  (void)state;
  const char *const current = "command 'TTL': current() repeats an id of its keyspace, but nothing "
                              "in it or before it draws one";
  const char *const id =
      "command 'ECHO': a value needs an id, but nothing in it or before it draws one";
  vb_command *other = TEST_COMMAND("GET", {KEY, key_of(cursors[0])});
  vb_part value = {.kind = VB_PART_BYTES, .max = 9, .from_id = 1};
  vb_command *verifies = vb_command_new("ECHO");
  vb_processor verify = {.kind = VB_REPLY_VERIFY, .part = &value};
  vb_error err;
  assert_int_equal(test_command_add(verifies, NULL, 0, &err), VB_OK);
  assert_int_equal(vb_command_processor(verifies, &verify, &err), VB_OK);
  assert_int_equal(vb_command_compile(verifies, 1, &err), VB_OK);
  expect_error(current, VB_ENTRY_COMMAND, COMMANDS(repeat));
  expect_error(current, VB_ENTRY_SEQUENCE, COMMANDS(ping, repeat, get));
  expect_error(current, VB_ENTRY_SEQUENCE, COMMANDS(other, repeat));
  expect_error(id, VB_ENTRY_SEQUENCE, COMMANDS(by_id, get));
  expect_error(id, VB_ENTRY_COMMAND, COMMANDS(verifies));
  vb_program *program = vb_program_new();
  add(program, VB_ENTRY_SEQUENCE, 1, NULL, COMMANDS(get, repeat, by_id, verifies));
  vb_program_free(compiled(program));
  vb_command_free(other);
  vb_command_free(verifies);
}

static void current_ids_of_so_many_keyspaces(void **state) {
  (void)state;
  vb_command *one[VB_CURRENT_MAX + 1];
  vb_command *steps[VB_CURRENT_MAX + 1];
  for (int i = 0; i <= VB_CURRENT_MAX; i++)
    one[i] = TEST_COMMAND("A", {KEY, key_of(cursors[i])},
                          {KEY, {.kind = VB_PART_CURRENT, .keyspace = spaces[i]}});
  for (int i = 0; i <= VB_CURRENT_MAX; i++) steps[i] = one[i];
  vb_program *program = vb_program_new();
  add(program, VB_ENTRY_SEQUENCE, 1, NULL, steps, VB_CURRENT_MAX);
  vb_program_free(compiled(program));
  expect_error("command 'A': an operation with keys of more than 16 keyspaces", VB_ENTRY_SEQUENCE,
               steps, VB_CURRENT_MAX + 1);
  for (int i = 0; i <= VB_CURRENT_MAX; i++) vb_command_free(one[i]);
}

static void mistakes_are_named(void **state) {
  (void)state;
  vb_program *program = vb_program_new();
  vb_error err = {0};
  assert_int_equal(vb_program_compile(program, &err), VB_EINVAL);
  assert_string_equal(err.text, "nothing to run: the mix is empty");
  assert_int_equal(vb_program_step(program, get, VB_ALWAYS, 0, &err), VB_EINVAL);
  assert_string_equal(err.text, "a step before the first entry");
  const double weights[] = {0, -1, NAN, INFINITY};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(weights); i++)
    assert_int_equal(vb_program_entry(program, VB_ENTRY_COMMAND, weights[i], NULL, &err),
                     VB_EINVAL);
  assert_int_equal(vb_program_entry(program, VB_ENTRY_LOAD, 1, NULL, &err), VB_EINVAL);
  assert_string_equal(err.text, "a mix: no such kind of entry: 5");
  assert_int_equal(vb_program_entry(program, VB_ENTRY_COMMAND, 1, NULL, &err), VB_OK);
  assert_int_equal(vb_program_compile(program, &err), VB_EINVAL);
  assert_string_equal(err.text, "nothing to run: an entry has no steps");
  assert_int_equal(vb_program_step(program, get, 5, 0, &err), VB_EINVAL);
  assert_string_equal(err.text, "command 'GET': no such condition: 5");
  assert_int_equal(vb_program_step(program, get, VB_WHEN_HIT, 0, &err), VB_OK);
  assert_int_equal(vb_program_compile(program, &err), VB_EINVAL);
  assert_string_equal(err.text,
                      "command 'GET': when() needs a step before it, whose reply decides");
  assert_int_equal(vb_program_step(program, set, VB_ALWAYS, 0, &err), VB_EINVAL);
  assert_string_equal(err.text, "command 'SET': step 2 of an entry; 1 are possible");
  vb_program_free(program);
}

static void conditions_are_of_sequences(void **state) {
  (void)state;
  vb_error err = {0};
  for (int kind = VB_ENTRY_SEQUENCE; kind <= VB_ENTRY_TRANSACTION; kind++) {
    vb_program *program = vb_program_new();
    add(program, kind, 1, "both", COMMANDS(get));
    assert_int_equal(vb_program_step(program, set, VB_WHEN_FUNCTION, 6, &err), VB_OK);
    int status = vb_program_compile(program, &err);
    assert_int_equal(status, kind == VB_ENTRY_SEQUENCE ? VB_OK : VB_EINVAL);
    const vb_entry *entry = vb_program_pick(program, 1, 1);
    assert_int_equal(entry->steps[1].condition, VB_WHEN_FUNCTION);
    assert_false(entry->plain);
    assert_int_equal(entry->steps[1].function, 6);
    vb_program_free(program);
  }
  assert_string_equal(err.text, "command 'SET': when() has no place in a transaction");
}

static int fake_arguments(void *state, uint32_t function, const vb_request *request,
                          vb_bytes *out) {
  (void)state;
  (void)request;
  for (uint32_t i = 0; i < function; i++) vb_bytes_append(out, "$1\r\nv\r\n", 7);
  return function > 8 ? VB_HOOK_FAILED : (int)function;
}

static const vb_hooks hooks = {.arguments = fake_arguments};

static vb_part function_part(uint32_t function) {
  return (vb_part){.kind = VB_PART_FUNCTION, .function = function};
}

static void shows_a_transaction_as_it_is_sent(void **state) {
  (void)state;
  vb_command *varies = TEST_COMMAND("V", {ARGUMENT, function_part(2)}, {KEY, function_part(1)},
                                    {ARGUMENT, function_part(0)}, {ARGUMENT, LITERAL("e")});
  vb_part two = {.kind = VB_PART_CURSOR, .cursor = cursors[0], .times_min = 2};
  vb_command *del = TEST_COMMAND("DEL", {KEY, two});
  vb_program *program = vb_program_new();
  add(program, VB_ENTRY_TRANSACTION, 1, "t", COMMANDS(get, repeat, varies, del));
  vb_renderer renderer = {.hooks = &hooks};
  vb_bytes out = {0}, marks = {0};
  assert_int_equal(vb_program_show(compiled(program), &renderer, 1, 7, &out, &marks, NULL), VB_OK);
  vb_bytes_append(&out, "", 1);
  vb_bytes_append(&marks, "", 1);
  assert_string_equal(out.data, "*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nGET\r\n$4\r\nk:07\r\n"
                                "*2\r\n$3\r\nTTL\r\n$4\r\nk:07\r\n"
                                "*5\r\n$1\r\nV\r\n$1\r\nv\r\n$1\r\nv\r\n$1\r\nv\r\n$1\r\ne\r\n"
                                "*3\r\n$3\r\nDEL\r\n$3\r\na14\r\n$3\r\na15\r\n"
                                "*1\r\n$4\r\nEXEC\r\n");
  assert_string_equal(marks.data, ".\n.k\n.k\n...k.\n.kk\n.\n");
  vb_bytes_fini(&out);
  vb_bytes_fini(&marks);
  vb_renderer_fini(&renderer);
  vb_program_free(program);
  vb_command_free(varies);
  vb_command_free(del);
}

static void what_cannot_be_shown_says_why(void **state) {
  (void)state;
  vb_command *fails = TEST_COMMAND("V", {ARGUMENT, function_part(9)});
  vb_program *ended = vb_program_new(), *failing = vb_program_new();
  add(ended, VB_ENTRY_COMMAND, 1, NULL, COMMANDS(get));
  add(failing, VB_ENTRY_COMMAND, 1, NULL, COMMANDS(fails));
  vb_renderer renderer = {.hooks = &hooks};
  vb_bytes out = {0}, marks = {0};
  vb_error err = {0};
  assert_int_equal(vb_program_show(compiled(ended), &renderer, 1, 100, &out, &marks, &err),
                   VB_EINVAL);
  assert_string_equal(err.text, "command 'GET': its cursor ends before operation 100");
  assert_int_equal(vb_program_show(compiled(failing), &renderer, 1, 0, &out, &marks, &err),
                   VB_ESCRIPT);
  assert_string_equal(err.text, "command 'V': a function failed");
  vb_bytes_fini(&out);
  vb_bytes_fini(&marks);
  vb_renderer_fini(&renderer);
  vb_program_free(ended);
  vb_program_free(failing);
  vb_command_free(fails);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_mix_is_drawn_by_weight),
      cmocka_unit_test(many_entries_are_all_drawn),
      cmocka_unit_test(rows_are_commands_by_first_use_then_transactions),
      cmocka_unit_test(a_program_ends_when_a_cursor_of_it_does),
      cmocka_unit_test(steps_draw_for_those_behind_them),
      cmocka_unit_test(nothing_repeats_an_id_that_was_not_drawn),
      cmocka_unit_test(current_ids_of_so_many_keyspaces),
      cmocka_unit_test(mistakes_are_named),
      cmocka_unit_test(conditions_are_of_sequences),
      cmocka_unit_test(shows_a_transaction_as_it_is_sent),
      cmocka_unit_test(what_cannot_be_shown_says_why),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
