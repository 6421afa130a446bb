/* Records that are collections, from JSON. */
#include "dataset/json.h"
#include "dataset/store.h"

#include <inttypes.h>
#include <string.h>

/* One record that is being filled. */
typedef struct filling {
  const vb_schema *schema;
  const vb_layout *layout;
  vb_store *of_record;
  char *slot; /* of the next member, zero */
  uint64_t count;
} filling;

static const vb_column as_it_comes = {.dtype = -1};

static int store_field(filling *self, uint32_t field, const vb_cell *cell, vb_error *err) {
  const vb_place *place = &self->layout->fields[field];
  vb_store store = {.field = &self->schema->fields[field],
                    .offset = place->offset,
                    .size = place->size,
                    .truncate = self->of_record->truncate};
  int status = vb_store_cell(&store, &as_it_comes, cell, self->slot, err);
  self->of_record->truncated += store.truncated;
  if (!status && store.missing) return vb_fail(err, VB_EINVAL, "null stands for a member");
  return status;
}

static int bad_member(const vb_json *json, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "%s", json->wrong ? json->wrong : "is not as a member must be");
}

/* [score, value], in the order of the fields of the schema. */
static int store_pair(filling *self, vb_json *json, vb_error *err) {
  vb_cell cell;
  for (uint32_t i = 0; i < self->schema->field_count; i++) {
    if (!vb_json_take(json, i ? ',' : '[') || !vb_json_value(json, &cell))
      return vb_fail(err, VB_EINVAL, "a pair of a zset is [score, value]");
    int status = store_field(self, i, &cell, err);
    if (status) return status;
  }
  if (vb_json_take(json, ']')) return VB_OK;
  return vb_fail(err, VB_EINVAL, "a pair of a zset is [score, value]");
}

static int store_named(filling *self, vb_json *json, vb_error *err) {
  char *name, quoted[96], text[64];
  size_t length;
  uint32_t found = 0;
  vb_cell cell;
  (void)vb_json_take(json, '{');
  do {
    if (!vb_json_string(json, &name, &length) || !vb_json_take(json, ':') ||
        !vb_json_value(json, &cell))
      return bad_member(json, err);
    size_t kept = length < sizeof text ? length : sizeof text - 1;
    memcpy(text, name, kept);
    text[kept] = 0;
    int field = vb_schema_find(self->schema, text);
    if (field < 0)
      return vb_fail(err, VB_EINVAL, "a member has no field %s",
                     vb_store_quote(name, length, quoted));
    int status = store_field(self, (uint32_t)field, &cell, err);
    if (status) return status;
    found++;
  } while (vb_json_take(json, ','));
  if (!vb_json_take(json, '}')) return bad_member(json, err);
  return found == self->schema->field_count
             ? VB_OK
             : vb_fail(err, VB_EINVAL, "a member has %u fields, it needs %u", found,
                       self->schema->field_count);
}

static int store_member(filling *self, vb_json *json, vb_error *err) {
  vb_cell cell;
  char first = vb_json_peek(json);
  if (self->schema->collection == VB_COLLECTION_ZSET) {
    if (first == '[') return store_pair(self, json, err);
    if (first == '{') return store_named(self, json, err);
    return vb_fail(err, VB_EINVAL, "a member of a zset is [score, value]");
  }
  if (!vb_json_value(json, &cell)) return bad_member(json, err);
  return store_field(self, 0, &cell, err);
}

/* A member without a slot is read too, and not kept. */
static int next_member(filling *self, vb_json *json, vb_error *err) {
  int status = store_member(self, json, err);
  if (status) return status;
  if (++self->count == self->schema->max_members && vb_json_peek(json) == ',')
    return self->of_record->truncate
               ? VB_OK
               : vb_fail(err, VB_EINVAL, "more than max_members %" PRIu64 "; --truncate cuts them",
                         self->schema->max_members);
  self->slot += self->layout->member_size;
  return VB_OK;
}

static int store_all(filling *self, vb_json *json, vb_error *err) {
  if (!vb_json_take(json, '[')) return vb_fail(err, VB_EINVAL, "members are a JSON array");
  if (vb_json_take(json, ']')) return VB_OK;
  do {
    int status = next_member(self, json, err);
    if (status) return status;
    if (self->count == self->schema->max_members) break;
  } while (vb_json_take(json, ','));
  if (vb_json_take(json, ']')) return VB_OK;
  self->of_record->truncated++;
  return VB_OK;
}

int vb_store_members(vb_store *store, const vb_schema *schema, const vb_layout *layout,
                     const vb_cell *cell, char *record, vb_error *err) {
  filling self = {schema, layout, store, record + sizeof(uint32_t), 0};
  if (cell->kind == VB_CELL_NONE || cell->kind == VB_CELL_EMPTY) {
    store->missing++;
    return VB_OK;
  }
  if (cell->kind != VB_CELL_LIST && cell->kind != VB_CELL_TEXT)
    return vb_fail(err, VB_EINVAL, "members are a JSON array");
  vb_json json = {.at = (char *)(uintptr_t)cell->bytes,
                  .end = (char *)(uintptr_t)cell->bytes + cell->length};
  int status = store_all(&self, &json, err);
  uint32_t count = (uint32_t)self.count;
  memcpy(record, &count, sizeof count);
  return status;
}
