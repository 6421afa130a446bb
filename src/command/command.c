#include "command/template.h"

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
  vb_bytes_fini(&command->load);
  vb_bytes_fini(&command->patches);
  vb_bytes_fini(&command->runs);
  vb_bytes_fini(&command->segments);
  vb_bytes_fini(&command->skeleton);
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

static int expect_text(vb_reply_step *step, const vb_processor *processor) {
  step->text = malloc(processor->length + 1);
  if (!step->text) return VB_ENOMEM;
  if (processor->length) memcpy(step->text, processor->text, processor->length);
  step->length = processor->length;
  return VB_OK;
}

/* What vb.verify compares with has to follow from the id, or be the same always. */
static int verify_part(vb_reply_step *step, const vb_part *part, const char *where, vb_error *err) {
  if (!part) return vb_fail(err, VB_EINVAL, "%s: nothing to compare with", where);
  int failed = vb_hole_init(&step->hole, part, where, err);
  bool known = step->hole.from_id || part->kind == VB_PART_LITERAL || part->kind == VB_PART_ID;
  bool generated = part->kind != VB_PART_CURSOR && part->kind != VB_PART_CURRENT &&
                   !vb_hole_is_scripted(&step->hole) && part->kind != VB_PART_TIMESTAMP &&
                   part->kind != VB_PART_STAMP;
  if (!failed && !(known && generated))
    failed =
        vb_fail(err, VB_EINVAL, "%s: compares with a generator that is made from=\"id\"", where);
  if (failed) vb_hole_fini(&step->hole);
  return failed;
}

static int fill_processor(const vb_command *command, vb_reply_step *step,
                          const vb_processor *processor, vb_error *err) {
  char where[WHERE];
  (void)snprintf(where, sizeof where, "command '%s', vb.verify", command->name);
  switch (processor->kind) {
  case VB_REPLY_HITS:
  case VB_REPLY_AGE:
  case VB_REPLY_FUNCTION: return VB_OK;
  case VB_REPLY_RECORD:
    step->hole.part = (vb_part){.kind = VB_PART_FIELD, .dataset = processor->part->dataset};
    step->hole.from_id = true;
    return VB_OK;
  case VB_REPLY_VERIFY: return verify_part(step, processor->part, where, err);
  case VB_REPLY_EXPECT: break;
  default: return vb_fail(err, VB_EINVAL, "command '%s': no such reply processor", command->name);
  }
  if (!expect_text(step, processor)) return VB_OK;
  return vb_fail(err, VB_ENOMEM, "command '%s': out of memory", command->name);
}

int vb_command_processor(vb_command *command, const vb_processor *processor, vb_error *err) {
  vb_reply_step *larger =
      grown(command->processors, command->processor_count, sizeof *command->processors);
  if (!larger) return vb_fail(err, VB_ENOMEM, "command '%s': out of memory", command->name);
  command->processors = larger;
  vb_reply_step *step = &larger[command->processor_count];
  *step = (vb_reply_step){.kind = processor->kind, .function = processor->function};
  int failed = fill_processor(command, step, processor, err);
  if (failed) return failed;
  command->processor_count++;
  command->keeps_reply |= processor->kind != VB_REPLY_HITS;
  command->measures_age |= processor->kind == VB_REPLY_AGE;
  return VB_OK;
}

/* Whether hole `index` uses an id that only a cursor behind it draws. */
static bool needs_later_cursor(const vb_command *command, uint32_t index) {
  const vb_hole *hole = &command->holes[index];
  bool current = hole->part.kind == VB_PART_CURRENT;
  if (!vb_hole_needs_id(hole) && hole->part.kind != VB_PART_FUNCTION) return false;
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *cursor = &command->holes[i];
    if (cursor->part.kind != VB_PART_CURSOR) continue;
    if (!current || cursor->keyspace == hole->keyspace) return i > index;
  }
  return false;
}

/* What routing looks at: the first argument that is a key, unless a function makes it. */
static int find_key(vb_command *command, vb_error *err) {
  uint32_t i = 0;
  while (i < command->argument_count && !command->arguments[i].key) i++;
  if (i == command->argument_count) return VB_OK;
  const vb_argument *argument = &command->arguments[i];
  const vb_hole *hole = &command->holes[argument->first];
  if (argument->count == 1 && hole->part.kind == VB_PART_LITERAL) command->literal_key = hole;
  if (command->literal_key) {
    command->literal_slot = (int)vb_slot(hole->part.text, hole->part.length);
    return VB_OK;
  }
  size_t bound = 0;
  for (uint32_t k = 0; k < argument->count; k++) {
    if (vb_hole_is_scripted(&hole[k]) || hole[k].part.kind == VB_PART_MEMBERS) return VB_OK;
    bound += hole[k].bound;
  }
  if (bound > VB_KEY_MAX)
    return vb_fail(err, VB_EINVAL,
                   "command '%s', argument %u: a key of up to %zu bytes; %d are "
                   "possible",
                   command->name, i + 1, bound, VB_KEY_MAX);
  command->drawn_key = argument;
  return VB_OK;
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

static int check_arguments(const vb_command *command, vb_error *err) {
  if (!command->argument_count)
    return vb_fail(err, VB_EINVAL, "command '%s' has no arguments", command->name);
  for (uint32_t i = 0; i < command->argument_count; i++) {
    const vb_argument *argument = &command->arguments[i];
    if (!argument->count)
      return vb_fail(err, VB_EINVAL, "command '%s', argument %u is empty", command->name, i + 1);
    for (uint32_t k = 0; argument->count > 1 && k < argument->count; k++)
      if (command->holes[argument->first + k].part.times_max > 1)
        return vb_fail(err, VB_EINVAL,
                       "command '%s', argument %u: times makes several arguments and cannot be a "
                       "part of one",
                       command->name, i + 1);
  }
  return VB_OK;
}

static void note_dataset(vb_command *command, const vb_hole *hole) {
  if (hole->part.kind == VB_PART_QUERY && !command->query_hole) command->query_hole = hole;
  command->may_be_empty |= vb_hole_may_be_empty(hole);
  command->draws_first |= command->query_hole || command->may_be_empty;
}

int vb_command_compile(vb_command *command, uint64_t seed, vb_error *err) {
  int failed = check_arguments(command, err);
  if (!failed) failed = give_seeds(command, seed, err);
  if (!failed) failed = find_key(command, err);
  if (failed) return failed;
  for (uint32_t i = 0; i < command->hole_count; i++) {
    command->draws_first |= needs_later_cursor(command, i);
    if (command->holes[i].part.kind == VB_PART_CURSOR && !command->id_hole)
      command->id_hole = &command->holes[i];
  }
  for (uint32_t i = 0; i < command->hole_count; i++) note_dataset(command, &command->holes[i]);
  vb_command_note_borrows(command);
  failed = vb_command_find_effects(command, err);
  if (!failed) vb_command_lay_out(command);
  return failed;
}

void vb_command_set_writes(vb_command *command, int writes) {
  command->writes = writes != 0;
}

bool vb_command_writes(const vb_command *command) {
  return command->writes;
}

void vb_command_set_blocking(vb_command *command, int blocking) {
  command->blocking = blocking != 0;
}

void vb_command_set_tracks(vb_command *command, int tracks) {
  command->tracks = tracks;
}

bool vb_command_is_live(const vb_command *command) {
  return command->live;
}

void vb_command_set_script(vb_command *command, const char *source, size_t length) {
  const char *words[] = {"SCRIPT", "LOAD", source};
  const size_t lengths[] = {6, 4, length};
  vb_bytes_clear(&command->load);
  vb_resp_request(&command->load, 3, words, lengths);
}

const char *vb_command_script(const vb_command *command, size_t *length) {
  *length = command->load.length;
  return command->load.data;
}

bool vb_command_is_blocking(const vb_command *command) {
  return command->blocking;
}

size_t vb_command_fixed_size(const vb_command *command) {
  return command->fixed_size;
}

bool vb_command_may_be_empty(const vb_command *command) {
  return command->may_be_empty;
}

bool vb_command_has_processors(const vb_command *command) {
  return command->processor_count > 0;
}

bool vb_command_keeps_reply(const vb_command *command) {
  return command->keeps_reply;
}

bool vb_command_measures_age(const vb_command *command) {
  return command->measures_age;
}
