#include "command/template.h"

#include "base/bytes.h"
#include "base/slots.h"
#include "resp/writer.h"

#include <stdio.h>
#include <stdlib.h>

enum { WHERE = 200 };

static void *grown(void *array, uint32_t count, size_t size) {
  void *larger = realloc(array, (count + 1) * size);
  if (larger) memset((char *)larger + count * size, 0, size);
  return larger;
}

vb_command *vb_command_new(const char *name) {
  vb_command *command = calloc(1, sizeof *command);
  if (!command) return NULL;
  command->name = strdup(name);
  command->literal_slot = -1;
  if (command->name) return command;
  free(command);
  return NULL;
}

void vb_command_free(vb_command *command) {
  if (!command) return;
  for (uint32_t i = 0; i < command->hole_count; i++) vb_hole_fini(&command->holes[i]);
  for (uint32_t i = 0; i < command->processor_count; i++) {
    free(command->processors[i].text);
    if (command->processors[i].kind == VB_REPLY_VERIFY) vb_hole_fini(&command->processors[i].hole);
  }
  free(command->processors);
  free(command->patches);
  free(command->skeleton);
  free(command->pool);
  free(command->holes);
  free(command->arguments);
  free(command->name);
  free(command);
}

const char *vb_command_name(const vb_command *command) {
  return command->name;
}

int vb_command_argument(vb_command *command, int key, vb_error *err) {
  vb_argument *larger =
      grown(command->arguments, command->argument_count, sizeof *command->arguments);
  if (!larger) return vb_fail(err, VB_ENOMEM, "command '%s': out of memory", command->name);
  command->arguments = larger;
  larger[command->argument_count++] = (vb_argument){.key = key != 0, .first = command->hole_count};
  return VB_OK;
}

int vb_command_part(vb_command *command, const vb_part *part, vb_error *err) {
  char where[WHERE];
  (void)snprintf(where, sizeof where, "command '%s', argument %u", command->name,
                 command->argument_count);
  if (!command->argument_count)
    return vb_fail(err, VB_EINVAL, "command '%s': a part before the first argument", command->name);
  vb_hole *larger = grown(command->holes, command->hole_count, sizeof *command->holes);
  if (!larger) return vb_fail(err, VB_ENOMEM, "%s: out of memory", where);
  command->holes = larger;
  int failed = vb_hole_init(&larger[command->hole_count], part, where, err);
  if (failed) {
    vb_hole_fini(&larger[command->hole_count]);
    return failed;
  }
  command->hole_count++;
  command->arguments[command->argument_count - 1].count++;
  return VB_OK;
}

static bool wants_bytes(int kind) {
  return kind == VB_REPLY_VERIFY || kind == VB_REPLY_FUNCTION;
}

int vb_command_processor(vb_command *command, const vb_processor *processor, vb_error *err) {
  vb_reply_step *larger =
      grown(command->processors, command->processor_count, sizeof *command->processors);
  if (!larger) return vb_fail(err, VB_ENOMEM, "command '%s': out of memory", command->name);
  command->processors = larger;
  vb_reply_step *step = &larger[command->processor_count];
  *step = (vb_reply_step){.kind = processor->kind, .function = processor->function};
  if (processor->kind == VB_REPLY_EXPECT) {
    step->text = strndup(processor->text, processor->length);
    step->length = processor->length;
    if (!step->text) return vb_fail(err, VB_ENOMEM, "command '%s': out of memory", command->name);
  }
  if (processor->kind == VB_REPLY_VERIFY) {
    char where[WHERE];
    (void)snprintf(where, sizeof where, "command '%s', vb.verify", command->name);
    int failed = vb_hole_init(&step->hole, processor->part, where, err);
    if (failed) {
      vb_hole_fini(&step->hole);
      return failed;
    }
  }
  command->processor_count++;
  command->keeps_reply |= wants_bytes(processor->kind) || processor->kind == VB_REPLY_EXPECT;
  return VB_OK;
}

/* Lengths of arguments, and whether their number is fixed. */
static void measure(vb_command *command) {
  for (uint32_t i = 0; i < command->argument_count; i++) {
    vb_argument *argument = &command->arguments[i];
    const vb_hole *hole = &command->holes[argument->first];
    bool times = hole->part.times_max > 1 || hole->part.times_min > 1;
    argument->several = argument->count == 1 && (hole->part.kind == VB_PART_FUNCTION ||
                                                 (hole->part.kind == VB_PART_CURSOR && times));
    for (uint32_t k = 0; k < argument->count; k++)
      argument->fixed = hole[k].fixed == VB_VARIABLE || argument->fixed == VB_VARIABLE
                            ? VB_VARIABLE
                            : argument->fixed + hole[k].fixed;
    if (argument->several) argument->fixed = VB_VARIABLE;
    command->several |= argument->several;
  }
}

static bool is_fixed(const vb_command *command) {
  for (uint32_t i = 0; i < command->argument_count; i++)
    if (command->arguments[i].fixed == VB_VARIABLE) return false;
  return true;
}

/* Appends an argument of fixed length; its holes learn where they are, literals are there already.
 */
static void lay_out(vb_command *command, const vb_argument *argument, vb_bytes *out) {
  static const vb_operation none = {.id = UINT64_MAX};
  char *to = vb_bytes_reserve(out, VB_RESP_HEADER_MAX + argument->fixed + 2);
  size_t at = vb_resp_header(to, '$', argument->fixed);
  for (uint32_t i = 0; i < argument->count; i++) {
    vb_hole *hole = &command->holes[argument->first + i];
    hole->offset = out->length + at;
    if (hole->part.kind == VB_PART_LITERAL)
      (void)vb_hole_write(hole, &none, to + at);
    else
      memset(to + at, '0', hole->fixed);
    at += hole->fixed;
  }
  memcpy(to + at, "\r\n", 2);
  out->length += at + 2;
}

/* The holes to fill, cursors first: what needs the id stands anywhere. */
static void order_patches(vb_command *command) {
  for (int cursors = 1; cursors >= 0; cursors--) {
    for (uint32_t i = 0; i < command->hole_count; i++) {
      vb_hole *hole = &command->holes[i];
      bool cursor = hole->part.kind == VB_PART_CURSOR;
      if (hole->part.kind != VB_PART_LITERAL && cursor == (cursors == 1))
        command->patches[command->patch_count++] = hole;
    }
  }
}

static int make_skeleton(vb_command *command, vb_error *err) {
  vb_bytes out = {0};
  char *to = vb_bytes_reserve(&out, VB_RESP_HEADER_MAX);
  out.length = vb_resp_header(to, '*', command->argument_count);
  for (uint32_t i = 0; i < command->argument_count; i++)
    lay_out(command, &command->arguments[i], &out);
  command->patches = calloc(command->hole_count + 1, sizeof(vb_hole *));
  if (!command->patches) {
    vb_bytes_fini(&out);
    return vb_fail(err, VB_ENOMEM, "command '%s': out of memory", command->name);
  }
  order_patches(command);
  command->skeleton = out.data;
  command->fixed_size = out.length;
  return VB_OK;
}

/* Whether a part that needs the id stands before the first cursor. */
static bool needs_id_early(const vb_command *command) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    if (command->holes[i].part.kind == VB_PART_CURSOR) return false;
    if (vb_hole_needs_id(&command->holes[i])) return true;
  }
  return false;
}

/* What routing looks at: the first argument that is a key. */
static void find_key(vb_command *command) {
  for (uint32_t i = 0; i < command->argument_count; i++) {
    const vb_argument *argument = &command->arguments[i];
    if (!argument->key) continue;
    const vb_hole *hole = &command->holes[argument->first];
    if (argument->count != 1) return;
    if (hole->part.kind == VB_PART_LITERAL)
      command->literal_slot = (int)vb_slot(hole->part.text, hole->part.length);
    if (hole->part.kind == VB_PART_CURSOR || hole->part.kind == VB_PART_CURRENT)
      command->key_hole = hole;
    return;
  }
}

static int give_seeds(vb_command *command, uint64_t seed, vb_error *err) {
  bool pool = false;
  for (uint32_t i = 0; i < command->hole_count; i++) pool |= vb_hole_needs_pool(&command->holes[i]);
  for (uint32_t i = 0; i < command->processor_count; i++)
    pool |= vb_hole_needs_pool(&command->processors[i].hole);
  if (pool) {
    command->pool = malloc(VB_POOL_SIZE);
    if (!command->pool)
      return vb_fail(err, VB_ENOMEM, "command '%s': out of memory", command->name);
    vb_pool_fill(command->pool, seed);
  }
  for (uint32_t i = 0; i < command->hole_count; i++) {
    command->holes[i].seed = seed;
    command->holes[i].pool = command->pool;
  }
  for (uint32_t i = 0; i < command->processor_count; i++) {
    command->processors[i].hole.seed = seed;
    command->processors[i].hole.pool = command->pool;
  }
  return VB_OK;
}

int vb_command_compile(vb_command *command, uint64_t seed, vb_error *err) {
  if (!command->argument_count)
    return vb_fail(err, VB_EINVAL, "command '%s' has no arguments", command->name);
  for (uint32_t i = 0; i < command->argument_count; i++)
    if (!command->arguments[i].count)
      return vb_fail(err, VB_EINVAL, "command '%s', argument %u is empty", command->name, i + 1);
  int failed = give_seeds(command, seed, err);
  if (failed) return failed;
  measure(command);
  find_key(command);
  command->draws_first = needs_id_early(command);
  for (uint32_t i = 0; i < command->hole_count && !command->id_hole; i++)
    if (command->holes[i].part.kind == VB_PART_CURSOR) command->id_hole = &command->holes[i];
  return is_fixed(command) ? make_skeleton(command, err) : VB_OK;
}

size_t vb_command_fixed_size(const vb_command *command) {
  return command->fixed_size;
}

bool vb_command_has_processors(const vb_command *command) {
  return command->processor_count > 0;
}

bool vb_command_keeps_reply(const vb_command *command) {
  return command->keeps_reply;
}
