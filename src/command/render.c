#include "command/template.h"

#include "base/bytes.h"
#include "base/slots.h"
#include "resp/writer.h"

enum { SAME_SLOT_PROBES = 4 * VB_SLOTS };

void vb_renderer_fini(vb_renderer *renderer) {
  vb_bytes_fini(&renderer->scratch);
  vb_bytes_fini(&renderer->values);
}

void vb_operation_note(vb_operation *operation, const vb_keyspace *keyspace, uint64_t id) {
  if (operation->id == UINT64_MAX) operation->id = id;
  for (uint32_t i = 0; i < operation->currents; i++)
    if (operation->current[i].keyspace == keyspace) return;
  if (operation->currents == VB_CURRENT_MAX) return;
  operation->current[operation->currents].keyspace = keyspace;
  operation->current[operation->currents++].id = id;
}

uint64_t vb_operation_current(const vb_operation *operation, const vb_keyspace *keyspace) {
  for (uint32_t i = 0; i < operation->currents; i++)
    if (operation->current[i].keyspace == keyspace) return operation->current[i].id;
  return UINT64_MAX;
}

void vb_request_make(vb_request *request, const vb_renderer *renderer,
                     const vb_operation *operation, uint64_t hole) {
  *request = (vb_request){.n = (double)operation->n,
                          .id = operation->id == UINT64_MAX ? -1 : (double)operation->id,
                          .query = -1,
                          .thread = renderer->thread,
                          .connection = renderer->connection,
                          .rng = {vb_draw(operation->stream, operation->n, hole)}};
}

uint32_t vb_hole_times(const vb_hole *hole, const vb_operation *operation) {
  const vb_part *part = &hole->part;
  if (part->times_max <= part->times_min) return part->times_min ? part->times_min : 1;
  uint64_t random = vb_draw(operation->stream, operation->n, ~part->hole);
  return part->times_min + (uint32_t)vb_below(random, part->times_max - part->times_min + 1);
}

bool vb_hole_draw_id(const vb_hole *hole, const vb_operation *operation, uint32_t k, uint64_t *id) {
  const vb_part *part = &hole->part;
  uint64_t most = part->times_max > part->times_min ? part->times_max : part->times_min;
  uint64_t index = operation->n * (most ? most : 1) + k;
  uint64_t random = vb_draw(operation->stream, operation->n, part->hole + k);
  return vb_cursor_draw(part->cursor, index, random, id);
}

static unsigned slot_of(const vb_keyspace *keyspace, uint64_t id, char *room) {
  return vb_slot(room, vb_keyspace_write(keyspace, id, room));
}

/* From `id` on, round the keyspace, the first whose key is in `slot`; `id` when none is near. */
static uint64_t find_in_slot(const vb_keyspace *keyspace, uint64_t id, unsigned slot) {
  char room[1024];
  uint64_t size = vb_keyspace_size(keyspace), at = id;
  if (vb_keyspace_key_max(keyspace) > sizeof room) return id;
  for (unsigned i = 0; i < SAME_SLOT_PROBES && i < size; i++, at = at + 1 < size ? at + 1 : 0)
    if (slot_of(keyspace, at, room) == slot) return at;
  return id;
}

uint32_t vb_hole_ids(const vb_hole *hole, const vb_operation *operation, uint64_t *ids,
                     uint32_t room) {
  const vb_keyspace *keyspace = vb_cursor_keyspace(hole->part.cursor);
  uint32_t count = vb_hole_times(hole, operation);
  if (count > room) count = room;
  char key[1024];
  for (uint32_t k = 0; k < count; k++) {
    if (!vb_hole_draw_id(hole, operation, k + hole->cursor_draw, &ids[k])) return 0;
    if (!k || !hole->part.same_slot || vb_keyspace_key_max(keyspace) > sizeof key) continue;
    ids[k] = find_in_slot(keyspace, ids[k], slot_of(keyspace, ids[0], key));
  }
  return count;
}

static bool draw_cursor(const vb_hole *hole, vb_operation *operation, uint64_t *id) {
  if (!vb_hole_draw_id(hole, operation, hole->cursor_draw, id)) return false;
  vb_operation_note(operation, vb_cursor_keyspace(hole->part.cursor), *id);
  return true;
}

enum vb_render vb_command_fill(const vb_command *command, vb_renderer *renderer,
                               vb_operation *operation, char *to) {
  (void)renderer;
  memcpy(to, command->skeleton, command->fixed_size);
  for (uint32_t i = 0; i < command->patch_count; i++) {
    const vb_hole *hole = command->patches[i];
    if (hole->part.kind == VB_PART_CURSOR) {
      uint64_t id;
      if (!draw_cursor(hole, operation, &id)) return VB_RENDER_EXHAUSTED;
      (void)vb_keyspace_write(vb_cursor_keyspace(hole->part.cursor), id, to + hole->offset);
    } else {
      (void)vb_hole_write(hole, operation, to + hole->offset);
    }
  }
  return VB_RENDER_OK;
}

enum vb_render vb_command_draw(const vb_command *command, vb_operation *operation) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    uint64_t id;
    if (hole->part.kind == VB_PART_CURSOR && !draw_cursor(hole, operation, &id))
      return VB_RENDER_EXHAUSTED;
  }
  return VB_RENDER_OK;
}

static void append_header(vb_bytes *out, char mark, uint64_t count) {
  char *to = vb_bytes_reserve(out, VB_RESP_HEADER_MAX);
  out->length += vb_resp_header(to, mark, count);
}

/* One part behind what is in `out`. */
static enum vb_render append_part(const vb_hole *hole, vb_renderer *renderer,
                                  vb_operation *operation, vb_bytes *out) {
  if (hole->part.kind == VB_PART_FUNCTION) {
    vb_request request;
    vb_request_make(&request, renderer, operation, hole->part.hole);
    const vb_hooks *hooks = renderer->hooks;
    int failed = hooks->part(hooks->state, hole->part.function, &request, hole->part.json, out);
    return failed ? VB_RENDER_FAILED : VB_RENDER_OK;
  }
  char *to = vb_bytes_reserve(out, hole->bound);
  if (hole->part.kind == VB_PART_CURSOR) {
    uint64_t id;
    if (!draw_cursor(hole, operation, &id)) return VB_RENDER_EXHAUSTED;
    out->length += vb_keyspace_write(vb_cursor_keyspace(hole->part.cursor), id, to);
  } else {
    out->length += vb_hole_write(hole, operation, to);
  }
  return VB_RENDER_OK;
}

/* An argument whose length is known when it has been written: its header is put in front of it. */
static enum vb_render append_unknown(const vb_command *command, const vb_argument *argument,
                                     vb_renderer *renderer, vb_operation *operation) {
  vb_bytes *out = &renderer->scratch;
  size_t start = out->length;
  (void)vb_bytes_reserve(out, VB_RESP_HEADER_MAX);
  out->length += VB_RESP_HEADER_MAX;
  for (uint32_t i = 0; i < argument->count; i++) {
    enum vb_render why =
        append_part(&command->holes[argument->first + i], renderer, operation, out);
    if (why) return why;
  }
  char header[VB_RESP_HEADER_MAX];
  size_t length = out->length - start - VB_RESP_HEADER_MAX;
  size_t size = vb_resp_header(header, '$', length);
  memmove(out->data + start + size, out->data + start + VB_RESP_HEADER_MAX, length);
  memcpy(out->data + start, header, size);
  out->length = start + size + length;
  vb_bytes_append(out, "\r\n", 2);
  return VB_RENDER_OK;
}

static enum vb_render append_argument(const vb_command *command, const vb_argument *argument,
                                      vb_renderer *renderer, vb_operation *operation) {
  const vb_hole *first = &command->holes[argument->first];
  size_t size = argument->fixed;
  if (size == VB_VARIABLE && argument->count == 1) size = vb_hole_size(first, operation);
  if (size == VB_VARIABLE) return append_unknown(command, argument, renderer, operation);
  append_header(&renderer->scratch, '$', size);
  for (uint32_t i = 0; i < argument->count; i++) {
    enum vb_render why = append_part(first + i, renderer, operation, &renderer->scratch);
    if (why) return why;
  }
  vb_bytes_append(&renderer->scratch, "\r\n", 2);
  return VB_RENDER_OK;
}

/* A cursor with `times`: an argument for each id. */
static enum vb_render append_ids(const vb_hole *hole, vb_renderer *renderer,
                                 vb_operation *operation, uint32_t *count) {
  const vb_keyspace *keyspace = vb_cursor_keyspace(hole->part.cursor);
  vb_bytes *values = &renderer->values, *out = &renderer->scratch;
  *count = vb_hole_times(hole, operation);
  vb_bytes_clear(values);
  uint64_t *ids = (uint64_t *)(void *)vb_bytes_reserve(values, *count * sizeof *ids);
  if (*count && !vb_hole_ids(hole, operation, ids, *count)) return VB_RENDER_EXHAUSTED;
  for (uint32_t k = 0; k < *count; k++) {
    if (!k) vb_operation_note(operation, keyspace, ids[0]);
    char *key = vb_bytes_reserve(out, hole->bound + 2 * VB_RESP_HEADER_MAX);
    size_t length = vb_keyspace_write(keyspace, ids[k], key + VB_RESP_HEADER_MAX);
    size_t size = vb_resp_header(key, '$', length);
    memmove(key + size, key + VB_RESP_HEADER_MAX, length);
    memcpy(key + size + length, "\r\n", 2);
    out->length += size + length + 2;
  }
  return VB_RENDER_OK;
}

/* An argument that stands for as many as there are values. */
static enum vb_render append_several(const vb_command *command, const vb_argument *argument,
                                     vb_renderer *renderer, vb_operation *operation,
                                     uint32_t *count) {
  const vb_hole *hole = &command->holes[argument->first];
  if (hole->part.kind == VB_PART_CURSOR) return append_ids(hole, renderer, operation, count);
  vb_request request;
  vb_request_make(&request, renderer, operation, hole->part.hole);
  const vb_hooks *hooks = renderer->hooks;
  int values = hooks->arguments(hooks->state, hole->part.function, &request, &renderer->scratch);
  if (values == VB_HOOK_FAILED) return VB_RENDER_FAILED;
  *count = (uint32_t)values;
  return VB_RENDER_OK;
}

enum vb_render vb_command_render(const vb_command *command, vb_renderer *renderer,
                                 vb_operation *operation) {
  vb_bytes *out = &renderer->scratch;
  if (command->draws_first) {
    enum vb_render why = vb_command_draw(command, operation);
    if (why) return why;
  }
  /* Room in front for the "*N\r\n", which is known at the end. */
  vb_bytes_clear(out);
  (void)vb_bytes_reserve(out, VB_RESP_HEADER_MAX);
  out->length = VB_RESP_HEADER_MAX;
  uint32_t total = 0;
  for (uint32_t i = 0; i < command->argument_count; i++) {
    const vb_argument *argument = &command->arguments[i];
    uint32_t count = 1;
    enum vb_render why = argument->several
                             ? append_several(command, argument, renderer, operation, &count)
                             : append_argument(command, argument, renderer, operation);
    if (why) return why;
    total += count;
  }
  char header[VB_RESP_HEADER_MAX];
  size_t size = vb_resp_header(header, '*', total);
  renderer->start = VB_RESP_HEADER_MAX - size;
  memcpy(out->data + renderer->start, header, size);
  return VB_RENDER_OK;
}

const char *vb_renderer_request(const vb_renderer *renderer, size_t *length) {
  *length = renderer->scratch.length - renderer->start;
  return renderer->scratch.data + renderer->start;
}

int vb_command_slot(const vb_command *command, const vb_operation *operation) {
  const vb_hole *hole = command->key_hole;
  if (!hole) return command->literal_slot;
  char key[1024];
  uint64_t id;
  const vb_keyspace *keyspace = hole->part.keyspace;
  if (hole->part.kind == VB_PART_CURSOR) {
    keyspace = vb_cursor_keyspace(hole->part.cursor);
    if (!vb_hole_draw_id(hole, operation, hole->cursor_draw, &id)) return -1;
  } else {
    id = vb_operation_current(operation, keyspace);
  }
  if (id == UINT64_MAX || vb_keyspace_key_max(keyspace) > sizeof key) return -1;
  return (int)slot_of(keyspace, id, key);
}
