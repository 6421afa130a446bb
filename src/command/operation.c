#include "command/template.h"

static bool draws(const vb_command *command, const vb_keyspace *keyspace) {
  for (uint32_t i = 0; i < command->hole_count; i++)
    if (command->holes[i].part.kind == VB_PART_CURSOR && command->holes[i].keyspace == keyspace)
      return true;
  return false;
}

static void forget(vb_operation *operation, const vb_keyspace *keyspace) {
  for (uint32_t i = 0; i < operation->currents; i++) {
    if (operation->current[i].keyspace != keyspace) continue;
    operation->current[i] = operation->current[--operation->currents];
    return;
  }
}

void vb_operation_redraw(vb_operation *operation, const vb_command *command) {
  if (command->query_hole) operation->query = UINT64_MAX;
  if (!command->id_hole) return;
  operation->id = UINT64_MAX;
  for (uint32_t i = 0; i < command->hole_count; i++)
    if (command->holes[i].part.kind == VB_PART_CURSOR)
      forget(operation, command->holes[i].keyspace);
}

void vb_operation_note(vb_operation *operation, const vb_keyspace *keyspace, uint64_t id) {
  operation->id = id;
  forget(operation, keyspace);
  if (operation->currents == VB_CURRENT_MAX) return;
  operation->current[operation->currents].keyspace = keyspace;
  operation->current[operation->currents++].id = id;
}

static bool lacks_id(const vb_command *command, const vb_operation *operation) {
  if (command->id_hole || operation->id != UINT64_MAX) return false;
  for (uint32_t i = 0; i < command->hole_count; i++)
    if (vb_hole_needs_id(&command->holes[i]) && command->holes[i].part.kind != VB_PART_CURRENT)
      return true;
  for (uint32_t i = 0; i < command->processor_count; i++)
    if (command->processors[i].kind == VB_REPLY_VERIFY &&
        vb_hole_needs_id(&command->processors[i].hole))
      return true;
  return false;
}

static bool lacks_current(const vb_command *command, const vb_operation *operation) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    if (hole->part.kind == VB_PART_CURRENT && !draws(command, hole->keyspace) &&
        vb_operation_current(operation, hole->keyspace) == UINT64_MAX)
      return true;
  }
  return false;
}

void vb_command_note_borrows(vb_command *command) {
  static const vb_operation none = {.id = UINT64_MAX};
  command->borrows = lacks_id(command, &none) || lacks_current(command, &none);
}

const char *vb_command_lacks(const vb_command *command, const vb_operation *operation) {
  if (VB_LIKELY(!command->borrows)) return NULL;
  if (lacks_id(command, operation)) return "a value needs an id";
  if (lacks_current(command, operation)) return "current() repeats an id of its keyspace";
  return NULL;
}

int vb_command_key_arg(const vb_command *command) {
  uint32_t i = 0;
  while (i < command->argument_count && !command->arguments[i].key) i++;
  if (i == command->argument_count || command->arguments[i].count > 1) return -1;
  const vb_part *part = &command->holes[command->arguments[i].first].part;
  return part->kind == VB_PART_ARG ? (int)part->function : -1;
}

bool vb_command_has_args(const vb_command *command) {
  for (uint32_t i = 0; i < command->hole_count; i++)
    if (command->holes[i].part.kind == VB_PART_ARG) return true;
  return false;
}
