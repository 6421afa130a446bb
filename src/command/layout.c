#include "command/template.h"

#include "resp/writer.h"

enum { TIMES_IN_SKELETON = 1024 }; /* more ids than this are not worth the memory */

static bool is_several(const vb_hole *hole) {
  if (vb_hole_is_scripted(hole) || hole->part.kind == VB_PART_MEMBERS || hole->part.named)
    return true;
  return hole->part.kind == VB_PART_CURSOR && hole->part.times_max > 1;
}

/* Of an argument whose number varies, or that is of too many ids, none is fixed. */
static bool may_be_fixed(const vb_argument *argument, const vb_hole *hole) {
  if (!argument->several) return true;
  return hole->part.kind == VB_PART_CURSOR && hole->part.times_min == hole->part.times_max &&
         hole->part.times_max <= TIMES_IN_SKELETON;
}

static void measure(const vb_command *command, vb_argument *argument) {
  const vb_hole *hole = &command->holes[argument->first];
  argument->several = argument->count == 1 && is_several(hole);
  argument->fixed = may_be_fixed(argument, hole) ? 0 : VB_VARIABLE;
  for (uint32_t k = 0; k < argument->count; k++)
    argument->fixed = hole[k].fixed == VB_VARIABLE || argument->fixed == VB_VARIABLE
                          ? VB_VARIABLE
                          : argument->fixed + hole[k].fixed;
}

static uint32_t times_of(const vb_command *command, const vb_argument *argument) {
  return argument->several ? command->holes[argument->first].part.times_max : 1;
}

/* Everything of a part that is the same for all operations. */
static void lay_out_hole(vb_command *command, const vb_hole *hole, uint32_t k, char *to,
                         size_t offset) {
  static const vb_operation none = {.id = UINT64_MAX};
  if (hole->part.kind == VB_PART_LITERAL) {
    (void)vb_hole_write(hole, &none, to);
    return;
  }
  if (hole->keyspace)
    (void)vb_hole_write_key(hole, 0, to);
  else
    memset(to, '0', hole->fixed);
  vb_patch patch = {hole, offset, k};
  vb_bytes_append(&command->patches, &patch, sizeof patch);
}

/* Appends an argument of fixed length; `start`: where its block begins. */
static void lay_out_argument(vb_command *command, const vb_argument *argument, uint32_t k,
                             size_t start) {
  vb_bytes *out = &command->skeleton;
  char *to = vb_bytes_reserve(out, VB_RESP_HEADER_MAX + argument->fixed + 2);
  size_t at = vb_resp_header(to, '$', argument->fixed);
  for (uint32_t i = 0; i < argument->count; i++) {
    const vb_hole *hole = &command->holes[argument->first + i];
    lay_out_hole(command, hole, k, to + at, out->length + at - start);
    at += hole->fixed;
  }
  memcpy(to + at, "\r\n", 2);
  out->length += at + 2;
}

static uint32_t patches_of(const vb_command *command) {
  return (uint32_t)(command->patches.length / sizeof(vb_patch));
}

/* Arguments `*i` .. as one segment: all of fixed length that follow each other, or one other. */
static void lay_out_segment(vb_command *command, uint32_t *i) {
  vb_segment segment = {.arguments = &command->arguments[*i],
                        .start = command->fixed_size ? 0 : command->skeleton.length,
                        .first_patch = patches_of(command)};
  for (; *i < command->argument_count; ++*i) {
    const vb_argument *argument = &command->arguments[*i];
    if (argument->fixed == VB_VARIABLE) break;
    uint32_t times = times_of(command, argument);
    for (uint32_t k = 0; k < times; k++) lay_out_argument(command, argument, k, segment.start);
    segment.argument_count++;
  }
  segment.length = command->skeleton.length - segment.start;
  segment.patch_count = patches_of(command) - segment.first_patch;
  if (!segment.argument_count) {
    segment.argument_count = 1;
    segment.length = 0;
    ++*i;
  }
  vb_bytes_append(&command->segments, &segment, sizeof segment);
}

/* Long values are copied straight to where they are sent from, unless the whole request is one
 * block, and the longest are not copied at all. */
static bool set_apart(const vb_command *command, vb_argument *argument, bool fixed) {
  const vb_hole *hole = &command->holes[argument->first];
  if (argument->count != 1 || argument->fixed == VB_VARIABLE || !vb_hole_is_long(hole))
    return fixed;
  if (!fixed || hole->fixed >= VB_SEND_IN_PLACE) argument->fixed = VB_VARIABLE;
  return fixed && argument->fixed != VB_VARIABLE;
}

/* What is copied of a block with long holes; nothing is noted of one without. */
static void find_runs(vb_command *command) {
  const vb_patch *patches = (const vb_patch *)(const void *)command->patches.data;
  uint32_t count = patches_of(command);
  vb_run run = {0, 0};
  for (uint32_t i = 0; i < count; i++) {
    if (!vb_hole_is_long(patches[i].hole)) continue;
    run.length = patches[i].offset - run.start;
    vb_bytes_append(&command->runs, &run, sizeof run);
    run.start = patches[i].offset + patches[i].hole->fixed;
  }
  run.length = command->fixed_size - run.start;
  if (run.start) vb_bytes_append(&command->runs, &run, sizeof run);
}

static void find_only_key(vb_command *command) {
  const vb_patch *patch = (const vb_patch *)(const void *)command->patches.data;
  if (patches_of(command) != 1 || command->draws_first || command->runs.length) return;
  bool is_key = patch->hole->part.kind == VB_PART_CURSOR && patch->hole->part.times_max == 1;
  if (is_key && !patch->hole->keyspace->tag_count) command->only_key = patch;
}

void vb_command_lay_out(vb_command *command) {
  bool fixed = true;
  uint64_t total = 0;
  for (uint32_t i = 0; i < command->argument_count; i++) {
    measure(command, &command->arguments[i]);
    fixed &= command->arguments[i].fixed != VB_VARIABLE;
    total += times_of(command, &command->arguments[i]);
  }
  for (uint32_t i = 0; i < command->argument_count; i++)
    fixed = set_apart(command, &command->arguments[i], fixed);
  if (fixed) {
    char *to = vb_bytes_reserve(&command->skeleton, VB_RESP_HEADER_MAX);
    command->skeleton.length = command->fixed_size = vb_resp_header(to, '*', total);
  }
  for (uint32_t i = 0; i < command->argument_count;) lay_out_segment(command, &i);
  if (!fixed) return;
  command->fixed_size = command->skeleton.length;
  find_runs(command);
  find_only_key(command);
}
