/* Fields of datasets as parts of commands: of the record of the operation's id, or of its query. */
#include "command/template.h"

#include "dataset/number.h"
#include "resp/writer.h"

enum { ESCAPED = 6 }; /* bytes that a character may take in JSON */

/* --- checking --------------------------------------------------------------------------------- */

static const vb_field *field_of(const vb_hole *hole) {
  return &vb_dataset_schema(hole->part.dataset)->fields[hole->part.field];
}

static size_t json_bound(const vb_field *field) {
  if (field->type == VB_FIELD_VECTOR) return 2 + (size_t)field->dimensions * (VB_NUMBER_BOUND + 1);
  return (size_t)field->max_bytes * ESCAPED;
}

/* How long a value is at most, and whether it always is. */
static void measure_field(vb_hole *hole, const vb_field *field, uint64_t bytes) {
  bool number = field->type == VB_FIELD_NUMERIC && !hole->part.raw;
  bool blob = field->type == VB_FIELD_BLOB && !field->variable;
  hole->bound = (size_t)bytes;
  if (field->type <= VB_FIELD_NUMERIC || blob) hole->fixed = (size_t)bytes;
  if (number || hole->part.json) hole->fixed = VB_VARIABLE;
  if (number)
    hole->bound = VB_NUMBER_BOUND;
  else if (hole->part.json)
    hole->bound = json_bound(field);
}

static int check_field(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  const vb_schema *schema = vb_dataset_schema(part->dataset);
  const vb_layout *layout = vb_dataset_layout(part->dataset);
  bool query = part->kind == VB_PART_QUERY;
  if (schema->collection)
    return vb_fail(err, VB_EINVAL, "%s: the records are a %s; its members are ds.record.members",
                   where, vb_collection_name(schema->collection));
  if (part->field >= schema->field_count)
    return vb_fail(err, VB_EINVAL, "%s: no such field of the dataset", where);
  const vb_place *place = &(query ? layout->query_fields : layout->fields)[part->field];
  if (!place->size)
    return vb_fail(err, VB_EINVAL, "%s: the queries do not hold '%s'", where, field_of(hole)->name);
  measure_field(hole, field_of(hole), place->size);
  if (part->named) hole->fixed = VB_VARIABLE;
  return VB_OK;
}

int vb_hole_init_field(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  if (!part->dataset) return vb_fail(err, VB_EINVAL, "%s: no dataset", where);
  hole->from_id = part->kind != VB_PART_QUERY;
  if (part->kind != VB_PART_MEMBERS) return check_field(hole, where, err);
  if (!vb_dataset_schema(part->dataset)->collection)
    return vb_fail(err, VB_EINVAL, "%s: the records are fields, and have no members", where);
  hole->bound = VB_VARIABLE;
  return VB_OK;
}

/* --- values ----------------------------------------------------------------------------------- */

/* Ids that are past the records were refused when the program was compiled, unless they wrap. */
uint64_t vb_hole_record(const vb_hole *hole, const vb_operation *operation) {
  uint64_t records = vb_dataset_schema(hole->part.dataset)->records;
  return operation->id < records ? operation->id : operation->id % records;
}

uint64_t vb_hole_query(const vb_hole *hole, const vb_operation *operation) {
  uint64_t queries = vb_dataset_schema(hole->part.dataset)->queries;
  if (hole->part.order == VB_ORDER_SEQUENTIAL) return operation->n % queries;
  return vb_below(vb_draw(operation->stream, operation->n, hole->part.hole), queries);
}

void vb_hole_view(const vb_hole *hole, const vb_operation *operation, vb_view *view) {
  const vb_part *part = &hole->part;
  if (part->kind == VB_PART_QUERY)
    vb_dataset_query(part->dataset, vb_hole_query(hole, operation), part->field, view);
  else
    vb_dataset_field(part->dataset, vb_hole_record(hole, operation), part->field, view);
}

bool vb_hole_is_long(const vb_hole *hole) {
  const vb_part *part = &hole->part;
  bool field = part->kind == VB_PART_FIELD || part->kind == VB_PART_QUERY;
  return field && !part->json && !part->named && hole->bound >= VB_COPY_ONCE;
}

static size_t write_array(const vb_field *field, const char *from, char *to) {
  uint64_t step = vb_dtype_bytes(field->dtype, 1);
  char *at = to;
  *at++ = '[';
  for (uint64_t i = 0; i < field->dimensions; i++) {
    if (i) *at++ = ',';
    if (field->dtype == VB_DTYPE_BINARY)
      *at++ = (char)('0' + (from[i / 8] >> (7 - i % 8) & 1));
    else
      at += vb_number_text(field->dtype, from + i * step, at);
  }
  *at++ = ']';
  return (size_t)(at - to);
}

/* The value in the form in which it is sent. */
static size_t write_value(const vb_hole *hole, const vb_field *field, const vb_view *view,
                          char *to) {
  if (field->type == VB_FIELD_NUMERIC && !hole->part.raw)
    return vb_number_text(field->dtype, view->data, to);
  if (hole->part.json && field->type == VB_FIELD_VECTOR) return write_array(field, view->data, to);
  if (hole->part.json) return vb_json_escape(view->data, view->length, to);
  memcpy(to, view->data, view->length);
  return view->length;
}

size_t vb_hole_write_field(const vb_hole *hole, const vb_operation *operation, char *to) {
  vb_view view;
  vb_hole_view(hole, operation, &view);
  return write_value(hole, field_of(hole), &view, to);
}

void vb_hole_append_field(const vb_hole *hole, const vb_operation *operation, vb_bytes *out) {
  vb_view view;
  vb_hole_view(hole, operation, &view);
  size_t room = hole->part.json ? hole->bound : VB_NUMBER_BOUND + view.length;
  char *to = vb_bytes_reserve(out, room);
  out->length += write_value(hole, field_of(hole), &view, to);
}

/* --- arguments -------------------------------------------------------------------------------- */

static void append_argument(vb_bytes *out, const char *data, size_t length) {
  char *to = vb_bytes_reserve(out, VB_RESP_HEADER_MAX + length + 2);
  size_t at = vb_resp_header(to, '$', length);
  if (length) memcpy(to + at, data, length);
  memcpy(to + at + length, "\r\n", 2);
  out->length += at + length + 2;
}

/* A value of a member; numbers as text. */
static void append_value(vb_bytes *out, const vb_field *field, const vb_view *view) {
  char text[VB_NUMBER_BOUND];
  if (field->type != VB_FIELD_NUMERIC)
    append_argument(out, view->data, view->length);
  else
    append_argument(out, text, vb_number_text(field->dtype, view->data, text));
}

static uint32_t append_members(const vb_hole *hole, uint64_t record, vb_bytes *out) {
  const vb_dataset *dataset = hole->part.dataset;
  const vb_schema *schema = vb_dataset_schema(dataset);
  uint32_t members = vb_dataset_members(dataset, record);
  for (uint32_t i = 0; i < members; i++) {
    for (uint32_t k = 0; k < schema->field_count; k++) {
      vb_view view;
      vb_dataset_member(dataset, record, i, k, &view);
      append_value(out, &schema->fields[k], &view);
    }
  }
  return members * schema->field_count;
}

uint32_t vb_hole_append_arguments(const vb_hole *hole, const vb_operation *operation,
                                  vb_bytes *out) {
  if (hole->part.kind == VB_PART_MEMBERS)
    return append_members(hole, vb_hole_record(hole, operation), out);
  vb_view view;
  vb_hole_view(hole, operation, &view);
  if (!view.length) return 0;
  append_argument(out, hole->part.text, hole->part.length);
  append_value(out, field_of(hole), &view);
  return 2;
}

/* --- records that cannot be sent -------------------------------------------------------------- */

static bool is_bare(const vb_hole *hole, const vb_operation *operation) {
  vb_view view;
  vb_hole_view(hole, operation, &view);
  return !view.length;
}

/* Whether a command that is nothing but names and values behind its key has none. */
static bool lacks_fields(const vb_command *command, const vb_operation *operation) {
  uint32_t named = 0;
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    if (!hole->part.named) continue;
    if (!is_bare(hole, operation)) return false;
    named++;
  }
  return named && named + 2 == command->argument_count;
}

static bool has_empty_key(const vb_hole *hole, const vb_operation *operation) {
  char key[VB_KEY_MAX];
  uint64_t id = vb_operation_current(operation, hole->keyspace);
  return id != UINT64_MAX && !vb_keyspace_write(hole->keyspace, id, key);
}

bool vb_hole_may_be_empty(const vb_hole *hole) {
  if (hole->part.kind == VB_PART_MEMBERS || hole->part.named) return true;
  return hole->keyspace && vb_keyspace_dataset(hole->keyspace);
}

bool vb_command_lacks_record(const vb_command *command, const vb_operation *operation) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    if (hole->part.kind == VB_PART_MEMBERS &&
        !vb_dataset_members(hole->part.dataset, vb_hole_record(hole, operation)))
      return true;
    if (hole->keyspace && vb_keyspace_dataset(hole->keyspace) && has_empty_key(hole, operation))
      return true;
  }
  return lacks_fields(command, operation);
}
