#include "command/template.h"

#include "base/bytes.h"
#include "base/slots.h"
#include "command/flow_hooks.h"
#include "resp/writer.h"

enum { SAME_SLOT_PROBES = 4 * VB_SLOTS };

void vb_renderer_fini(vb_renderer *renderer) {
  vb_bytes_fini(&renderer->scratch);
  vb_bytes_fini(&renderer->borrowed);
  vb_bytes_fini(&renderer->values);
}

/* Notes an id that was drawn: the operation's, when it is its first, and its keyspace's current. */
static inline void note(vb_operation *operation, const vb_keyspace *keyspace, uint64_t id) {
  if (operation->id == UINT64_MAX) operation->id = id;
  for (uint32_t i = 0; i < operation->currents; i++)
    if (operation->current[i].keyspace == keyspace) return;
  if (operation->currents == VB_CURRENT_MAX) return; /* vb_program_compile lets none ask for it */
  operation->current[operation->currents].keyspace = keyspace;
  operation->current[operation->currents++].id = id;
}

uint64_t vb_operation_current(const vb_operation *operation, const vb_keyspace *keyspace) {
  for (uint32_t i = 0; i < operation->currents; i++)
    if (operation->current[i].keyspace == keyspace) return operation->current[i].id;
  return UINT64_MAX;
}

/* Sub-ids of the keyspace that the operation's id is of: 0 for none. */
static uint64_t subs_of(const vb_operation *operation) {
  return operation->currents ? operation->current[0].keyspace->subs : 0;
}

uint64_t vb_operation_id(const vb_operation *operation) {
  uint64_t subs = subs_of(operation);
  return VB_UNLIKELY(subs) ? operation->id / subs : operation->id;
}

void vb_operation_ids(const vb_operation *operation, double *id, double *sub) {
  uint64_t subs = subs_of(operation);
  *sub = subs ? (double)(operation->id % subs) : -1;
  *id = operation->id == UINT64_MAX ? -1 : (double)vb_operation_id(operation);
}

void vb_request_make(vb_request *request, const vb_renderer *renderer,
                     const vb_operation *operation, uint64_t hole) {
  *request = (vb_request){.n = (double)operation->n,
                          .query = operation->query == UINT64_MAX ? -1 : (double)operation->query,
                          .thread = renderer->thread,
                          .connection = renderer->connection,
                          .rng = {vb_draw(operation->stream, operation->n, hole)}};
  vb_operation_ids(operation, &request->id, &request->sub);
}

uint32_t vb_hole_times(const vb_hole *hole, const vb_operation *operation) {
  const vb_part *part = &hole->part;
  if (part->times_max == part->times_min) return part->times_min;
  uint64_t random = vb_draw(operation->stream, operation->n, ~part->hole);
  return part->times_min + (uint32_t)vb_below(random, part->times_max - part->times_min + 1);
}

static unsigned slot_of(const vb_keyspace *keyspace, uint64_t id) {
  char key[VB_KEY_MAX];
  return vb_slot(key, vb_keyspace_write(keyspace, id, key));
}

/* From `id` on, round the cursor's range, the first whose key is in the slot of that of `first`. A
 * slot has one key in 16384, so that four times as many ids hold one but for e^-4; then `first`. */
static uint64_t find_in_slot(const vb_hole *hole, uint64_t id, uint64_t first) {
  unsigned slot = slot_of(hole->keyspace, first);
  for (unsigned i = 0; i < SAME_SLOT_PROBES; i++) {
    if (slot_of(hole->keyspace, id) == slot) return id;
    id = vb_cursor_following(hole->part.cursor, id);
  }
  return first;
}

static inline bool draw_id(const vb_hole *hole, const vb_operation *operation, uint32_t k,
                           uint64_t first, uint64_t *id) {
  const vb_part *part = &hole->part;
  uint64_t index = operation->n * part->times_max + k;
  uint64_t random = vb_draw(operation->stream, operation->n, part->hole + k);
  if (VB_UNLIKELY(hole->remembered)) {
    if (!vb_hole_remember(hole, operation, k, index, random, id)) return false;
  } else if (VB_UNLIKELY(!vb_cursor_draw(part->cursor, index, random, id))) {
    return false;
  }
  if (VB_UNLIKELY(k && part->same_slot)) *id = find_in_slot(hole, *id, first);
  return true;
}

bool vb_hole_draw_id(const vb_hole *hole, const vb_operation *operation, uint32_t k, uint64_t first,
                     uint64_t *id) {
  return draw_id(hole, operation, k, first, id);
}

/* Fills the holes of a block that lies at `to`. */
static inline enum vb_render patch_block(const vb_patch *patch, uint32_t count,
                                         vb_operation *operation, char *to) {
  uint64_t id, first = 0;
  for (; count; count--, patch++) { /* no end to compare with: there is none behind NULL */
    const vb_hole *hole = patch->hole;
    if (hole->part.kind == VB_PART_CURSOR) {
      if (!draw_id(hole, operation, patch->k, first, &id)) return VB_RENDER_EXHAUSTED;
      if (!patch->k) {
        note(operation, hole->keyspace, id);
        first = id;
      }
      vb_keyspace_patch(hole->keyspace, id, to + patch->offset);
    } else {
      (void)vb_hole_write(hole, operation, to + patch->offset);
    }
  }
  return VB_RENDER_OK;
}

static const vb_patch *patches_of(const vb_command *command) {
  return (const vb_patch *)(const void *)command->patches.data;
}

static void copy_runs(const vb_command *command, char *to) {
  const vb_run *run = (const vb_run *)(const void *)command->runs.data;
  for (size_t i = 0; i < command->runs.length / sizeof *run; i++)
    memcpy(to + run[i].start, command->skeleton.data + run[i].start, run[i].length);
}

static inline enum vb_render patch_key(const vb_patch *patch, vb_operation *operation, char *to) {
  const vb_hole *hole = patch->hole;
  const vb_keyspace *keyspace = hole->keyspace;
  uint64_t id, random = vb_draw(operation->stream, operation->n, hole->part.hole);
  bool drawn = VB_LIKELY(!hole->remembered)
                   ? vb_cursor_draw(hole->part.cursor, operation->n, random, &id) != 0
                   : vb_hole_remember(hole, operation, 0, operation->n, random, &id);
  if (VB_UNLIKELY(!drawn)) return VB_RENDER_EXHAUSTED;
  note(operation, keyspace, id);
  vb_digits_write(to + patch->offset + keyspace->head, id,
                  (unsigned)(keyspace->fixed - keyspace->head - keyspace->tail));
  return VB_RENDER_OK;
}

enum vb_render vb_command_fill(const vb_command *command, vb_renderer *renderer,
                               vb_operation *operation, char *to) {
  (void)renderer;
  if (VB_LIKELY(command->only_key != NULL)) {
    memcpy(to, command->skeleton.data, command->fixed_size);
    return patch_key(command->only_key, operation, to);
  }
  if (VB_UNLIKELY(command->draws_first)) {
    enum vb_render why = vb_command_draw(command, operation);
    if (why) return why;
  }
  if (VB_UNLIKELY(command->runs.length))
    copy_runs(command, to);
  else
    memcpy(to, command->skeleton.data, command->fixed_size);
  return patch_block(patches_of(command), (uint32_t)(command->patches.length / sizeof(vb_patch)),
                     operation, to);
}

/* Copies the template to `to`. Most are short: two moves that overlap. */
static inline void copy_template(char *to, const char *from, size_t size) {
  enum { HALF = 32 };
  if (VB_UNLIKELY(size < HALF || size > 2 * HALF)) {
    memcpy(to, from, size);
    return;
  }
  memcpy(to, from, HALF);
  memcpy(to + size - HALF, from + size - HALF, HALF);
}

/* Requests whose only hole is a key. */
static uint32_t fill_keys(const vb_command *command, uint64_t stream, uint64_t n, uint32_t count,
                          char *to) {
  const vb_patch *patch = command->only_key;
  const vb_cursor *cursor = patch->hole->part.cursor;
  const vb_keyspace *keyspace = patch->hole->keyspace;
  size_t size = command->fixed_size, at = patch->offset + keyspace->head;
  unsigned width = (unsigned)(keyspace->fixed - keyspace->head - keyspace->tail);
  for (uint32_t i = 0; i < count; i++, n++, to += size) {
    uint64_t id;
    if (!vb_cursor_draw(cursor, n, vb_draw(stream, n, patch->hole->part.hole), &id)) return i;
    copy_template(to, command->skeleton.data, size);
    vb_digits_write(to + at, id, width);
  }
  return count;
}

uint32_t vb_command_fill_run(const vb_command *command, uint64_t stream, uint64_t n, uint32_t count,
                             char *to) {
  if (VB_LIKELY(command->only_key != NULL)) return fill_keys(command, stream, n, count, to);
  for (uint32_t i = 0; i < count; i++) {
    vb_operation operation;
    vb_operation_begin(&operation, stream, n + i);
    if (vb_command_fill(command, NULL, &operation, to + i * command->fixed_size)) return i;
  }
  return count;
}

/* Only the first of `times` ids is of use to others; the last says whether there are enough. */
static bool draw_cursor(const vb_hole *hole, vb_operation *operation, uint64_t *id) {
  if (!draw_id(hole, operation, 0, 0, id)) return false;
  note(operation, hole->keyspace, *id);
  uint64_t last;
  uint32_t times = hole->part.times_max > 1 ? vb_hole_times(hole, operation) : 1;
  if (times == 1 || hole->remembered || !vb_cursor_ends(hole->part.cursor)) return true;
  return vb_cursor_draw(hole->part.cursor, operation->n * hole->part.times_max + times - 1, 0,
                        &last);
}

enum vb_render vb_command_draw(const vb_command *command, vb_operation *operation) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    uint64_t id;
    if (hole->part.kind == VB_PART_CURSOR && !draw_cursor(hole, operation, &id))
      return VB_RENDER_EXHAUSTED;
  }
  if (command->query_hole && operation->query == UINT64_MAX)
    operation->query = vb_hole_query(command->query_hole, operation);
  if (!command->may_be_empty) return VB_RENDER_OK;
  return vb_command_lacks_record(command, operation) ? VB_RENDER_EMPTY : VB_RENDER_OK;
}

/* A part that is the script's: what a function returns, or a flow has given. */
static enum vb_render append_scripted(const vb_hole *hole, vb_renderer *renderer,
                                      const vb_operation *operation, vb_bytes *out) {
  const vb_hooks *hooks = renderer->hooks;
  const vb_part *part = &hole->part;
  vb_request request;
  if (part->kind == VB_PART_ARG)
    return hooks->flow->part(renderer->flow, part->function, part->json, out) ? VB_RENDER_FAILED
                                                                              : VB_RENDER_OK;
  vb_request_make(&request, renderer, operation, part->hole);
  return hooks->part(hooks->state, part->function, &request, part->json, out) ? VB_RENDER_FAILED
                                                                              : VB_RENDER_OK;
}

/* One part behind what is in `out`. */
static enum vb_render append_part(const vb_hole *hole, vb_renderer *renderer,
                                  vb_operation *operation, vb_bytes *out) {
  if (vb_hole_is_scripted(hole)) return append_scripted(hole, renderer, operation, out);
  if (hole->part.kind == VB_PART_FIELD || hole->part.kind == VB_PART_QUERY) {
    vb_hole_append_field(hole, operation, out);
    return VB_RENDER_OK;
  }
  char *to = vb_bytes_reserve(out, hole->bound);
  if (hole->part.kind == VB_PART_CURSOR) {
    uint64_t id;
    if (!draw_cursor(hole, operation, &id)) return VB_RENDER_EXHAUSTED;
    out->length += vb_hole_write_key(hole, id, to);
  } else {
    out->length += vb_hole_write(hole, operation, to);
  }
  return VB_RENDER_OK;
}

/* The length that an argument most likely has, to put its header in the right place at once. */
static size_t guess_length(const vb_hole *hole, uint32_t count, const vb_operation *operation) {
  enum { TYPICAL = 16 };
  size_t guess = 0;
  for (uint32_t i = 0; i < count; i++) {
    size_t size = vb_hole_size(&hole[i], operation);
    guess += size != VB_VARIABLE ? size : hole[i].bound < TYPICAL ? hole[i].bound : TYPICAL;
  }
  return guess;
}

/* Puts the header in front of the bytes behind `start`, for which `room` was left. */
static void close_argument(vb_bytes *out, size_t start, size_t room) {
  char header[VB_RESP_HEADER_MAX];
  size_t length = out->length - start - room;
  size_t size = vb_resp_header(header, '$', length);
  (void)vb_bytes_reserve(out, VB_RESP_HEADER_MAX + 2);
  char *at = out->data + start;
  if (size != room) memmove(at + size, at + room, length);
  memcpy(at, header, size);
  memcpy(at + size + length, "\r\n", 2);
  out->length = start + size + length + 2;
}

/* A long value of a dataset: its header and end, with a note of what belongs between. */
static bool borrow_argument(const vb_hole *hole, vb_renderer *renderer,
                            const vb_operation *operation) {
  vb_bytes *out = &renderer->scratch;
  vb_view view;
  vb_hole_view(hole, operation, &view);
  if (view.length < VB_COPY_ONCE) return false;
  out->length += vb_resp_header(vb_bytes_reserve(out, VB_RESP_HEADER_MAX), '$', view.length);
  vb_borrowed borrowed = {out->length, view.data, view.length};
  vb_bytes_append(&renderer->borrowed, &borrowed, sizeof borrowed);
  vb_bytes_append(out, "\r\n", 2);
  return true;
}

static enum vb_render append_argument(const vb_command *command, const vb_argument *argument,
                                      vb_renderer *renderer, vb_operation *operation) {
  vb_bytes *out = &renderer->scratch;
  const vb_hole *hole = &command->holes[argument->first];
  if (renderer->borrows && argument->count == 1 && vb_hole_is_long(hole) &&
      borrow_argument(hole, renderer, operation))
    return VB_RENDER_OK;
  size_t start = out->length;
  size_t room = vb_decimal_width(guess_length(hole, argument->count, operation)) + 3;
  (void)vb_bytes_reserve(out, room);
  out->length += room;
  for (uint32_t i = 0; i < argument->count; i++) {
    enum vb_render why = append_part(hole + i, renderer, operation, out);
    if (why) return why;
  }
  close_argument(out, start, room);
  return VB_RENDER_OK;
}

/* A cursor with `times`: an argument for each id. */
static enum vb_render append_ids(const vb_hole *hole, vb_renderer *renderer,
                                 vb_operation *operation, uint32_t *count) {
  vb_bytes *out = &renderer->scratch;
  uint64_t first = 0, id;
  *count = vb_hole_times(hole, operation);
  for (uint32_t k = 0; k < *count; k++) {
    if (!draw_id(hole, operation, k, first, &id)) return VB_RENDER_EXHAUSTED;
    if (!k) {
      note(operation, hole->keyspace, id);
      first = id;
    }
    size_t start = out->length, room = vb_decimal_width(hole->bound) + 3;
    char *to = vb_bytes_reserve(out, room + hole->bound);
    out->length += room + vb_hole_write_key(hole, id, to + room);
    close_argument(out, start, room);
  }
  return VB_RENDER_OK;
}

/* An argument that stands for as many as there are values. */
static enum vb_render append_several(const vb_command *command, const vb_argument *argument,
                                     vb_renderer *renderer, vb_operation *operation,
                                     uint32_t *count) {
  const vb_hole *hole = &command->holes[argument->first];
  if (hole->part.kind == VB_PART_CURSOR) return append_ids(hole, renderer, operation, count);
  if (!vb_hole_is_scripted(hole)) {
    *count = vb_hole_append_arguments(hole, operation, &renderer->scratch);
    return VB_RENDER_OK;
  }
  vb_request request;
  const vb_hooks *hooks = renderer->hooks;
  uint32_t number = hole->part.function;
  int values;
  if (hole->part.kind == VB_PART_ARG) {
    values = hooks->flow->values(renderer->flow, number, &renderer->scratch);
  } else {
    vb_request_make(&request, renderer, operation, hole->part.hole);
    values = hooks->arguments(hooks->state, number, &request, &renderer->scratch);
  }
  if (values == VB_HOOK_FAILED) return VB_RENDER_FAILED;
  *count = (uint32_t)values;
  return VB_RENDER_OK;
}

static void append_marks(vb_bytes *marks, const vb_argument *argument, uint32_t count) {
  for (uint32_t k = 0; k < count; k++) vb_bytes_append(marks, argument->key ? "k" : ".", 1);
}

/* Copies a block and fills it; how many arguments that were is in *count. */
static enum vb_render append_block(const vb_command *command, const vb_segment *segment,
                                   vb_renderer *renderer, vb_operation *operation, uint32_t *count,
                                   vb_bytes *marks) {
  char *to = vb_bytes_reserve(&renderer->scratch, segment->length);
  memcpy(to, command->skeleton.data + segment->start, segment->length);
  renderer->scratch.length += segment->length;
  for (uint32_t i = 0; i < segment->argument_count; i++) {
    const vb_argument *argument = &segment->arguments[i];
    uint32_t times = argument->several ? command->holes[argument->first].part.times_max : 1;
    *count += times;
    if (marks) append_marks(marks, argument, times);
  }
  if (!segment->patch_count) return VB_RENDER_OK;
  return patch_block(patches_of(command) + segment->first_patch, segment->patch_count, operation,
                     to);
}

static enum vb_render append_segment(const vb_command *command, const vb_segment *segment,
                                     vb_renderer *renderer, vb_operation *operation,
                                     uint32_t *total, vb_bytes *marks) {
  if (segment->length) return append_block(command, segment, renderer, operation, total, marks);
  const vb_argument *argument = segment->arguments;
  uint32_t count = 1;
  enum vb_render why = argument->several
                           ? append_several(command, argument, renderer, operation, &count)
                           : append_argument(command, argument, renderer, operation);
  *total += count;
  if (!why && marks) append_marks(marks, argument, count);
  return why;
}

/* Puts "*N\r\n" in front of the arguments, where room was left. A request of no words would never
 * be answered; an empty word is, with an error that is counted. */
static void begin_request(vb_renderer *renderer, uint32_t total) {
  if (!total) {
    vb_bytes_append(&renderer->scratch, "$0\r\n\r\n", 6);
    total = 1;
  }
  char header[VB_RESP_HEADER_MAX];
  size_t size = vb_resp_header(header, '*', total);
  renderer->start = VB_RESP_HEADER_MAX - size;
  memcpy(renderer->scratch.data + renderer->start, header, size);
}

static enum vb_render render_segments(const vb_command *command, vb_renderer *renderer,
                                      vb_operation *operation, vb_bytes *marks) {
  const vb_segment *segment = (const vb_segment *)(const void *)command->segments.data;
  size_t count = command->segments.length / sizeof *segment;
  size_t room = command->fixed_size ? 0 : VB_RESP_HEADER_MAX; /* a template brings its own header */
  uint32_t total = 0;
  (void)vb_bytes_reserve(&renderer->scratch, VB_RESP_HEADER_MAX);
  renderer->scratch.length = renderer->start = room;
  for (size_t i = 0; i < count; i++) {
    enum vb_render why = append_segment(command, &segment[i], renderer, operation, &total, marks);
    if (why) return why;
  }
  if (room) begin_request(renderer, total);
  return VB_RENDER_OK;
}

enum vb_render vb_command_render_marked(const vb_command *command, vb_renderer *renderer,
                                        vb_operation *operation, vb_bytes *marks) {
  vb_bytes_clear(&renderer->scratch);
  vb_bytes_clear(&renderer->borrowed);
  if (command->draws_first) {
    enum vb_render why = vb_command_draw(command, operation);
    if (why) return why;
  }
  return render_segments(command, renderer, operation, marks);
}

enum vb_render vb_command_render(const vb_command *command, vb_renderer *renderer,
                                 vb_operation *operation) {
  return vb_command_render_marked(command, renderer, operation, NULL);
}

const char *vb_renderer_request(const vb_renderer *renderer, size_t *length) {
  *length = renderer->scratch.length - renderer->start;
  return renderer->scratch.data + renderer->start;
}

size_t vb_command_key(const vb_command *command, const vb_operation *operation, char *to) {
  if (!command->drawn_key) return 0;
  const vb_hole *hole = &command->holes[command->drawn_key->first];
  char *at = to;
  for (uint32_t i = 0; i < command->drawn_key->count; i++) {
    uint64_t id;
    bool current = hole[i].part.kind == VB_PART_CURRENT;
    if (current && vb_operation_current(operation, hole[i].keyspace) == UINT64_MAX) return 0;
    if (hole[i].part.kind != VB_PART_CURSOR)
      at += vb_hole_write(&hole[i], operation, at);
    else if (draw_id(&hole[i], operation, 0, 0, &id))
      at += vb_hole_write_key(&hole[i], id, at);
    else
      return 0;
  }
  return (size_t)(at - to);
}

size_t vb_command_first_key(const vb_command *command, const vb_operation *operation, char *to) {
  const vb_hole *literal = command->literal_key;
  if (!literal) return vb_command_key(command, operation, to);
  if (literal->part.length > VB_KEY_MAX) return 0;
  memcpy(to, literal->part.text, literal->part.length);
  return literal->part.length;
}

int vb_command_slot(const vb_command *command, const vb_operation *operation) {
  char key[VB_KEY_MAX];
  if (command->literal_slot >= 0) return command->literal_slot;
  size_t length = vb_command_key(command, operation, key);
  return length ? (int)vb_slot(key, length) : -1;
}
