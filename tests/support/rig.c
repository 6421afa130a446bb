#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

enum { PATIENCE_S = 20, HOOK_MS = 300 };

static void add_argument(vb_command *command, const vb_part *part, int key) {
  vb_error err;
  assert_int_equal(vb_command_argument(command, key, &err), VB_OK);
  assert_int_equal(vb_command_part(command, part, &err), VB_OK);
}

static void add_text(vb_command *command, const char *text, size_t length) {
  add_argument(command, &(vb_part){.kind = VB_PART_LITERAL, .text = text, .length = length}, 0);
}

static vb_command *make_command(rig *self, const rig_spec *spec, int index) {
  vb_error err;
  const char *word = spec->value ? "SET" : "GET";
  vb_command *command = vb_command_new(index ? "second" : "first");
  const vb_part key = {.kind = index ? VB_PART_CURRENT : VB_PART_CURSOR,
                       .cursor = index ? NULL : self->cursor,
                       .keyspace = self->keys,
                       .hole = 1};
  add_text(command, word, strlen(word));
  add_argument(command, &key, 1);
  if (spec->value) add_text(command, self->value, spec->value);
  if (spec->keeps) {
    const vb_processor expect = {
        .kind = VB_REPLY_EXPECT, .text = self->value, .length = (size_t)spec->keeps};
    assert_int_equal(vb_command_processor(command, &expect, &err), VB_OK);
  } else if (spec->script) {
    assert_int_equal(
        vb_command_processor(command, &(vb_processor){.kind = VB_REPLY_FUNCTION}, &err), VB_OK);
  } else if (!spec->value) {
    assert_int_equal(vb_command_processor(command, &(vb_processor){.kind = VB_REPLY_HITS}, &err),
                     VB_OK);
  }
  assert_int_equal(vb_command_compile(command, 1, &err), VB_OK);
  return command;
}

static void make_program(rig *self, const rig_spec *spec) {
  vb_error err;
  const vb_keyspace_spec keys = {.name = "keys", .prefix = "key:", .width = 12, .size = RIG_KEYS};
  const vb_cursor_spec order = {.order = spec->sequential ? VB_ORDER_SEQUENTIAL : VB_ORDER_UNIFORM};
  assert_int_equal(vb_keyspace_new(&self->keys, &keys, &err), VB_OK);
  assert_int_equal(vb_cursor_new(&self->cursor, self->keys, &order, &err), VB_OK);
  size_t value = spec->value > (size_t)spec->keeps ? spec->value : (size_t)spec->keeps;
  self->value = malloc(value + 1);
  assert_non_null(self->value);
  memset(self->value, 'x', value + 1);
  self->program = vb_program_new();
  assert_int_equal(vb_program_entry(self->program, spec->kind, 1, NULL, &err), VB_OK);
  for (int i = 0; i < (spec->commands ? spec->commands : 1); i++) {
    self->commands[i] = make_command(self, spec, i);
    assert_int_equal(
        vb_program_step(self->program, self->commands[i], i ? spec->condition : VB_ALWAYS, 0, &err),
        VB_OK);
    if (spec->repeatable) vb_program_repeatable_step(self->program);
  }
  if (spec->repeatable) vb_program_retry(self->program, -1, 1);
  assert_int_equal(vb_program_compile(self->program, &err), VB_OK);
}

void rig_make(rig *self, const rig_spec *spec, const fake *server) {
  vb_error err = {0};
  *self = (rig){.endpoints = {{.host = "127.0.0.1", .port = server->port}}};
  if (server->unix_path) self->endpoints[0] = (vb_endpoint){.path = server->path};
  if (spec->second)
    self->endpoints[1] = (vb_endpoint){.host = "127.0.0.1", .port = spec->second->port};
  self->endpoints[0].tls = spec->tls;
  make_program(self, spec);
  vb_engine_spec engine = {.endpoints = self->endpoints,
                           .endpoint_count = spec->second ? 2 : 1,
                           .script = spec->script,
                           .hook_timeout_ns = HOOK_MS * VB_NS_PER_MS,
                           .login = spec->login,
                           .connect_timeout_ns =
                               (spec->connect_ms ? spec->connect_ms : 2000) * VB_NS_PER_MS,
                           .max_reply = spec->max_reply ? spec->max_reply : 1 << 20,
                           .digits = 3};
  if (!engine.login.resp) engine.login.resp = 2;
  assert_int_equal(vb_engine_new(&self->engine, &engine, &err), VB_OK);
  self->phase = (vb_phase_spec){.name = "phase",
                                .program = self->program,
                                .clients = 2,
                                .pipeline = 4,
                                .requests = 40,
                                .seed = 1,
                                .timeout_ns = spec->timeout_ms * VB_NS_PER_MS,
                                .drain_ns = VB_NS_PER_S};
}

void rig_free(rig *self) {
  vb_engine_free(self->engine);
  vb_program_free(self->program);
  for (int i = 0; i < RIG_COMMANDS; i++)
    if (self->commands[i]) vb_command_free(self->commands[i]);
  vb_cursor_free(self->cursor);
  vb_keyspace_free(self->keys);
  free(self->value);
}

void rig_start(rig *self, uint32_t threads) {
  vb_error err = {0};
  int failed = vb_engine_start(self->engine, threads, &self->phase, 1, &err);
  assert_string_equal(err.text, "");
  assert_int_equal(failed, VB_OK);
  self->sum = (vb_second){0};
  self->ticks = 0;
}

static void add_second(rig *self) {
  vb_second second;
  self->ticks++;
  if (!vb_engine_second(self->engine, 0, &second) || second.t_s <= 0) return;
  self->sum.requests += second.requests;
  self->sum.operations += second.operations;
  self->sum.errors += second.errors;
  self->sum.bytes_sent += second.bytes_sent;
  self->sum.bytes_received += second.bytes_received;
  self->sum.timeouts += second.timeouts;
  self->sum.connections = second.connections;
}

void rig_finish(rig *self) {
  vb_ns until = vb_now() + PATIENCE_S * VB_NS_PER_S;
  do {
    vb_engine_next(self->engine, 1000, &self->event);
    if (self->event.kind == VB_EVENT_TICK) add_second(self);
    assert_true(vb_now() < until);
  } while (self->event.kind != VB_EVENT_DONE && self->event.kind != VB_EVENT_FAILED);
}

void rig_run(rig *self, uint32_t threads) {
  rig_start(self, threads);
  rig_finish(self);
}

const vb_counters *rig_total(const rig *self) {
  return &vb_engine_total(self->engine, 0)->counters;
}

static const vb_error_kind *find_kind(const rig *self, const char *kind) {
  const vb_error_table *errors = &vb_engine_total(self->engine, 0)->errors;
  for (uint32_t i = 0; i < errors->used; i++)
    if (!strcmp(errors->kinds[i].name, kind)) return &errors->kinds[i];
  return NULL;
}

uint64_t rig_errors(const rig *self, const char *kind) {
  const vb_error_kind *found = find_kind(self, kind);
  return found ? found->count : 0;
}

const char *rig_first(const rig *self, const char *kind) {
  const vb_error_kind *found = find_kind(self, kind);
  return found ? found->first : "";
}
