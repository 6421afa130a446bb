#include "command/flow_hooks.h"
#include "command/template.h"

/* What operation n sends, for `check`: appended to `out`, the marks of its arguments to `keys`. */
typedef struct shown {
  vb_renderer *renderer;
  vb_bytes *out, *keys;
  const vb_command *command; /* shown last */
} shown;

static enum vb_render show_command(shown *to, const vb_command *command, vb_operation *operation) {
  to->command = command;
  enum vb_render why = vb_command_render_marked(command, to->renderer, operation, to->keys);
  if (why) return why;
  size_t size;
  const char *request = vb_renderer_request(to->renderer, &size);
  vb_bytes_append(to->out, request, size);
  vb_bytes_append(to->keys, "\n", 1);
  return VB_RENDER_OK;
}

static void show_multi(shown *to) {
  vb_bytes_append(to->out, "*1\r\n$5\r\nMULTI\r\n", 15);
  vb_bytes_append(to->keys, ".\n", 2);
}

static void show_exec(shown *to) {
  vb_bytes_append(to->out, "*1\r\n$4\r\nEXEC\r\n", 14);
  vb_bytes_append(to->keys, ".\n", 2);
}

static enum vb_render show_steps(shown *to, const vb_entry *entry, vb_operation *operation) {
  bool transaction = entry->kind == VB_ENTRY_TRANSACTION;
  enum vb_render why = VB_RENDER_OK;
  if (transaction) show_multi(to);
  for (uint32_t k = 0; k < entry->step_count && !why; k++)
    why = show_command(to, entry->steps[k].command, operation);
  if (transaction) show_exec(to);
  return why;
}

static enum vb_render show_calls(shown *to, const vb_entry *entry, vb_flow_turn *turn) {
  vb_renderer *renderer = to->renderer;
  enum vb_render why = VB_RENDER_OK;
  for (uint32_t i = 0; i < turn->count && !why; i++) {
    const vb_command *command = entry->steps[turn->commands[i]].command;
    turn->operation.stream = vb_flow_stream(turn->stream, turn->draws++);
    vb_operation_redraw(&turn->operation, command);
    if (vb_command_lacks(command, &turn->operation)) return VB_RENDER_OK; /* the run will say so */
    renderer->hooks->flow->write(renderer->flow, i);
    why = show_command(to, command, &turn->operation);
  }
  return why;
}

static enum vb_render show_wish(shown *to, const vb_entry *entry, enum vb_flow_wish wish,
                                vb_flow_turn *turn) {
  if (wish == VB_FLOW_FAILED) return VB_RENDER_FAILED;
  if (wish == VB_FLOW_EXHAUSTED) return VB_RENDER_EXHAUSTED;
  if (wish == VB_FLOW_CALL) return show_calls(to, entry, turn);
  if (wish != VB_FLOW_EXEC) return VB_RENDER_OK;
  show_multi(to);
  enum vb_render why = show_calls(to, entry, turn);
  show_exec(to);
  return why;
}

/* What a flow sends first; what comes then follows from the reply. */
static enum vb_render show_flow(shown *to, const vb_program *program, const vb_entry *entry,
                                const vb_operation *operation) {
  vb_renderer *renderer = to->renderer;
  const vb_flow_hooks *hooks = renderer->hooks->flow;
  vb_flow_turn turn = {
      .operation = *operation, .program = program, .stream = operation->stream, .slot = -1};
  renderer->flow = hooks->open(renderer->hooks->state, 0);
  if (!renderer->flow) return VB_RENDER_OK;
  enum vb_flow_wish wish = hooks->begin(renderer->flow, entry->flow, &turn);
  enum vb_render why = show_wish(to, entry, wish, &turn);
  hooks->close(renderer->flow);
  renderer->flow = NULL;
  return why;
}

int vb_program_show(const vb_program *program, vb_renderer *renderer, uint64_t stream, uint64_t n,
                    vb_bytes *out, vb_bytes *keys, vb_error *err) {
  const vb_entry *entry = vb_program_pick(program, stream, n);
  shown to = {renderer, out, keys, NULL};
  vb_operation operation;
  vb_operation_begin(&operation, stream, n);
  enum vb_render why = entry->kind == VB_ENTRY_FLOW ? show_flow(&to, program, entry, &operation)
                                                    : show_steps(&to, entry, &operation);
  const char *name = to.command ? to.command->name : "of a flow";
  if (why == VB_RENDER_FAILED)
    return vb_fail(err, VB_ESCRIPT, "command '%s': a function failed", name);
  if (why == VB_RENDER_EMPTY)
    return vb_fail(err, VB_EINVAL, "command '%s': the record of operation %llu is empty", name,
                   (unsigned long long)n);
  if (why)
    return vb_fail(err, VB_EINVAL, "command '%s': its cursor ends before operation %llu", name,
                   (unsigned long long)n);
  return VB_OK;
}
