/* command/: what a program is with flows in it, and what a call of a flow draws and lacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/flow_hooks.h"
#include "commands.h"

typedef struct given {
  vb_keyspace *keys, *others;
  vb_cursor *cursor, *other;
  vb_command *draws, *repeats, *both, *argument;
} given;

static given make(void) {
  given g = {.keys = test_keyspace("k:", 4, 100), .others = test_keyspace("o:", 4, 100)};
  g.cursor = test_cursor(g.keys, (vb_cursor_spec){.order = VB_ORDER_UNIFORM});
  g.other = test_cursor(g.others, (vb_cursor_spec){.order = VB_ORDER_UNIFORM});
  g.draws = TEST_COMMAND("draws", {KEY, {.kind = VB_PART_CURSOR, .cursor = g.cursor}});
  g.repeats = TEST_COMMAND("repeats", {KEY, {.kind = VB_PART_CURRENT, .keyspace = g.keys}});
  g.both = TEST_COMMAND("both", {KEY, {.kind = VB_PART_CURSOR, .cursor = g.cursor}},
                        {ARGUMENT, {.kind = VB_PART_CURRENT, .keyspace = g.keys}},
                        {ARGUMENT, {.kind = VB_PART_ID}});
  g.argument = TEST_COMMAND("argument", {KEY, {.kind = VB_PART_ARG, .function = 3}},
                            {ARGUMENT, {.kind = VB_PART_CURSOR, .cursor = g.other}});
  return g;
}

static void unmake(given *g) {
  vb_command_free(g->draws);
  vb_command_free(g->repeats);
  vb_command_free(g->both);
  vb_command_free(g->argument);
  vb_cursor_free(g->cursor);
  vb_cursor_free(g->other);
  vb_keyspace_free(g->keys);
  vb_keyspace_free(g->others);
}

static void add_callables(vb_program *program, const given *g) {
  vb_error err;
  vb_command *const list[] = {g->argument, g->both, g->draws, g->repeats};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(list); i++)
    assert_int_equal(vb_program_callable(program, list[i], i == 2, -1, &err), VB_OK);
}

static void a_flow_has_rows_for_all_that_it_may_call(void **state) {
  (void)state;
  static const char *const names[] = {"f", "draws", "g", "argument", "both", "repeats", "exec"};
  given g = make();
  vb_error err;
  vb_program *program = vb_program_new();
  assert_int_equal(vb_program_flow(program, 1, "f", 0, &err), VB_OK);
  assert_int_equal(vb_program_entry(program, VB_ENTRY_COMMAND, 1, NULL, &err), VB_OK);
  assert_int_equal(vb_program_step(program, g.draws, VB_ALWAYS, 0, &err), VB_OK);
  assert_int_equal(vb_program_flow(program, 1, "g", 1, &err), VB_OK);
  assert_int_equal(vb_program_flow(program, 1, "f", 0, &err), VB_OK);
  add_callables(program, &g);
  assert_int_equal(vb_program_compile(program, &err), VB_OK);
  assert_int_equal(vb_program_rows(program), VB_ARRAY_LENGTH(names));
  for (uint32_t i = 0; i < VB_ARRAY_LENGTH(names); i++) {
    assert_string_equal(vb_program_row_name(program, i), names[i]);
    assert_int_equal(vb_program_row_is_flow(program, i), i == 0 || i == 2);
    assert_int_equal(vb_program_row_is_called(program, i), i > 2);
    assert_int_equal(vb_program_row_is_transaction(program, i), i == 6);
  }
  assert_true(vb_program_has_flows(program));
  assert_int_equal(vb_program_callable_count(program), 4);
  vb_program_free(program);
  unmake(&g);
}

static void what_cannot_be_is_named(void **state) {
  (void)state;
  given g = make();
  vb_error err;
  vb_program *program = vb_program_new();
  assert_int_equal(vb_program_flow(program, 0, "f", 0, &err), VB_EINVAL);
  assert_int_equal(vb_program_flow(program, 1, "f", 0, &err), VB_OK);
  assert_int_equal(vb_program_compile(program, &err), VB_EINVAL);
  assert_string_equal(err.text, "a flow, and no command that it could call");
  vb_program_free(program);
  program = vb_program_new();
  assert_int_equal(vb_program_entry(program, VB_ENTRY_COMMAND, 1, NULL, &err), VB_OK);
  assert_int_equal(vb_program_step(program, g.argument, VB_ALWAYS, 0, &err), VB_OK);
  assert_int_equal(vb_program_compile(program, &err), VB_EINVAL);
  assert_string_equal(err.text, "command 'argument' has a vb.arg: only a flow can call it");
  vb_program_free(program);
  unmake(&g);
}

static void a_call_lacks_what_nothing_has_drawn(void **state) {
  (void)state;
  given g = make();
  vb_operation operation;
  vb_operation_begin(&operation, 1, 5);
  assert_null(vb_command_lacks(g.draws, &operation));
  assert_null(vb_command_lacks(g.both, &operation));
  assert_string_equal(vb_command_lacks(g.repeats, &operation),
                      "current() repeats an id of its keyspace");
  vb_operation_note(&operation, g.others, 7);
  assert_non_null(vb_command_lacks(g.repeats, &operation));
  vb_operation_note(&operation, g.keys, 8);
  assert_null(vb_command_lacks(g.repeats, &operation));
  assert_true(vb_command_has_args(g.argument));
  assert_int_equal(vb_command_key_arg(g.argument), 3);
  assert_int_equal(vb_command_key_arg(g.draws), -1);
  unmake(&g);
}

/* The key of the last call is what current() repeats, and each call draws its own. */
static void each_call_draws_anew(void **state) {
  (void)state;
  given g = make();
  vb_operation operation;
  uint64_t seen[2];
  vb_operation_begin(&operation, 1, 5);
  for (uint64_t i = 0; i < 2; i++) {
    operation.stream = vb_flow_stream(1, i);
    vb_operation_redraw(&operation, g.draws);
    assert_int_equal(vb_command_draw(g.draws, &operation), VB_RENDER_OK);
    seen[i] = operation.id;
    assert_int_equal(operation.currents, 1);
    assert_int_equal(operation.current[0].id, seen[i]);
  }
  assert_int_not_equal(seen[0], seen[1]);
  vb_operation_redraw(&operation, g.repeats);
  assert_int_equal(operation.id, seen[1]);
  vb_operation_note(&operation, g.keys, 42);
  assert_int_equal(operation.current[0].id, 42);
  assert_int_equal(operation.currents, 1);
  unmake(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_flow_has_rows_for_all_that_it_may_call),
      cmocka_unit_test(what_cannot_be_is_named),
      cmocka_unit_test(a_call_lacks_what_nothing_has_drawn),
      cmocka_unit_test(each_call_draws_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
