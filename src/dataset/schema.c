#include "dataset/schema.h"

#include "base/nearest.h"
#include "dataset/filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const vb_field_types[] = {"vector", "numeric", "text", "tag", "blob", NULL};
const char *const vb_encodings[] = {"utf8", "ascii", NULL};
const char *const vb_distances[] = {"", "l2", "cosine", "ip", NULL};
const char *const vb_index_types[] = {"", "fulltext", "prefix", "suffix", "tag", NULL};
const char *const vb_collections[] = {"", "set", "list", "zset", NULL};
const char *const vb_loads[] = {"", "SET", "HSET", "SADD", "RPUSH", "LPUSH", "ZADD", NULL};
const char *const vb_load_types[] = {"", "string", "hash", "set", "list", "list", "zset", NULL};
const char *const vb_id_types[] = {"u64", "u32", NULL};

static const char default_pattern[] = "key:{HASHTAG}:%012d";

/* The collection that a way of loading takes. */
static const int load_collections[] = {
    [VB_LOAD_SADD] = VB_COLLECTION_SET,
    [VB_LOAD_RPUSH] = VB_COLLECTION_LIST,
    [VB_LOAD_LPUSH] = VB_COLLECTION_LIST,
    [VB_LOAD_ZADD] = VB_COLLECTION_ZSET,
};

static const char *name_of(const char *const *names, size_t count, int number) {
  return number >= 0 && (size_t)number + 1 < count ? names[number] : "?";
}

const char *vb_field_type_name(int type) {
  return name_of(vb_field_types, VB_ARRAY_LENGTH(vb_field_types), type);
}

const char *vb_distance_name(int distance) {
  if (distance == VB_DISTANCE_NONE) return "l2";
  return name_of(vb_distances, VB_ARRAY_LENGTH(vb_distances), distance);
}

const char *vb_index_type_name(int type) {
  return name_of(vb_index_types, VB_ARRAY_LENGTH(vb_index_types), type);
}

const char *vb_collection_name(int collection) {
  return name_of(vb_collections, VB_ARRAY_LENGTH(vb_collections), collection);
}

const char *vb_load_name(int load) {
  return name_of(vb_loads, VB_ARRAY_LENGTH(vb_loads), load);
}

vb_schema *vb_schema_new(void) {
  vb_schema *schema = calloc(1, sizeof *schema);
  if (!schema) return NULL;
  schema->version = VB_SCHEMA_VERSION;
  schema->key_bytes = VB_KEY_BYTES;
  return schema;
}

static void free_text(const char *text) {
  free((char *)(uintptr_t)text);
}

void vb_schema_free(vb_schema *schema) {
  if (!schema) return;
  for (uint32_t i = 0; i < schema->field_count; i++) free_text(schema->fields[i].name);
  free(schema->fields);
  free_text(schema->name);
  free_text(schema->description);
  free_text(schema->metadata);
  free_text(schema->key_pattern);
  free_text(schema->filter);
  free(schema);
}

static const char **text_of(vb_schema *schema, int which) {
  switch ((enum vb_schema_text)which) {
  case VB_SCHEMA_NAME: return &schema->name;
  case VB_SCHEMA_DESCRIPTION: return &schema->description;
  case VB_SCHEMA_METADATA: return &schema->metadata;
  case VB_SCHEMA_KEY_PATTERN: return &schema->key_pattern;
  case VB_SCHEMA_FILTER: return &schema->filter;
  }
  return NULL;
}

int vb_schema_set(vb_schema *schema, int which, const char *text, vb_error *err) {
  const char **to = text_of(schema, which);
  if (!to) return vb_fail(err, VB_EINVAL, "a schema has no text number %d", which);
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy) return vb_fail(err, VB_ENOMEM, "a schema: out of memory");
  free_text(*to);
  *to = copy;
  return VB_OK;
}

static int copy_texts(vb_schema *copy, const vb_schema *from) {
  for (int which = VB_SCHEMA_NAME; which <= VB_SCHEMA_FILTER; which++) {
    const char *text = *text_of((vb_schema *)(uintptr_t)from, which);
    if (vb_schema_set(copy, which, text, NULL)) return VB_ENOMEM;
  }
  return VB_OK;
}

vb_schema *vb_schema_copy(const vb_schema *schema) {
  vb_schema *copy = vb_schema_new();
  if (!copy) return NULL;
  *copy = *schema;
  copy->fields = NULL;
  copy->field_count = 0;
  copy->name = copy->description = copy->metadata = copy->key_pattern = copy->filter = NULL;
  int failed = copy_texts(copy, schema);
  for (uint32_t i = 0; !failed && i < schema->field_count; i++)
    failed = vb_schema_add(copy, &schema->fields[i], NULL);
  if (!failed) return copy;
  vb_schema_free(copy);
  return NULL;
}

void vb_field_init(vb_field *field, int type) {
  *field = (vb_field){.name = "", .type = type};
  if (type == VB_FIELD_NUMERIC) field->dtype = VB_DTYPE_FLOAT64;
  if (type > VB_FIELD_NUMERIC) field->max_bytes = VB_FIELD_BYTES;
}

static int check_bytes(const vb_field *field, vb_error *err) {
  if (!field->max_bytes)
    return vb_fail(err, VB_EINVAL, "field '%s': max_bytes is 0; it is at least 1", field->name);
  if (field->variable && field->max_bytes > UINT32_MAX)
    return vb_fail(err, VB_EINVAL,
                   "field '%s': max_bytes is %" PRIu64 "; a variable length counts up to %" PRIu32,
                   field->name, field->max_bytes, UINT32_MAX);
  if (field->optional && field->type == VB_FIELD_BLOB && !field->variable)
    return vb_fail(err, VB_EINVAL,
                   "field '%s': a blob of fixed length is never empty and cannot be optional",
                   field->name);
  return VB_OK;
}

static int check_field(const vb_field *field, vb_error *err) {
  bool vector = field->type == VB_FIELD_VECTOR, bytes = field->type > VB_FIELD_NUMERIC;
  if (field->type < VB_FIELD_VECTOR || field->type > VB_FIELD_BLOB)
    return vb_fail(err, VB_EINVAL, "field '%s': no such type", field->name);
  if (field->dtype < 0 || field->dtype >= VB_DTYPE_COUNT)
    return vb_fail(err, VB_EINVAL, "field '%s': no such dtype", field->name);
  if (vector && !field->dimensions)
    return vb_fail(err, VB_EINVAL, "field '%s': a vector needs dimensions, at least 1",
                   field->name);
  if (field->type == VB_FIELD_NUMERIC && field->dtype == VB_DTYPE_BINARY)
    return vb_fail(err, VB_EINVAL, "field '%s': a number is not binary; a vector may be",
                   field->name);
  if (field->optional && !bytes)
    return vb_fail(err, VB_EINVAL, "field '%s': a %s is never empty and cannot be optional",
                   field->name, vb_field_type_name(field->type));
  if (field->distance && !vector)
    return vb_fail(err, VB_EINVAL, "field '%s': distance_metric is of vectors; it is a %s",
                   field->name, vb_field_type_name(field->type));
  if (field->index_type && field->type != VB_FIELD_TEXT && field->type != VB_FIELD_TAG)
    return vb_fail(err, VB_EINVAL, "field '%s': index_type is of text and tags; it is a %s",
                   field->name, vb_field_type_name(field->type));
  return bytes ? check_bytes(field, err) : VB_OK;
}

/* Room for one more field; fields grow at the powers of two. */
static int grow(vb_schema *schema, vb_error *err) {
  uint32_t count = schema->field_count;
  if (count & (count - 1)) return VB_OK;
  vb_field *larger = realloc(schema->fields, (count ? 2 * (size_t)count : 1) * sizeof *larger);
  if (!larger) return vb_fail(err, VB_ENOMEM, "a schema: out of memory");
  schema->fields = larger;
  return VB_OK;
}

int vb_schema_add(vb_schema *schema, const vb_field *field, vb_error *err) {
  int status = check_field(field, err);
  if (status) return status;
  if (vb_schema_find(schema, field->name) >= 0)
    return vb_fail(err, VB_EINVAL, "field '%s' is there twice", field->name);
  if (schema->field_count == VB_FIELDS_MAX)
    return vb_fail(err, VB_EINVAL, "more than %d fields", VB_FIELDS_MAX);
  status = grow(schema, err);
  if (status) return status;
  char *name = strdup(field->name);
  if (!name) return vb_fail(err, VB_ENOMEM, "a schema: out of memory");
  schema->fields[schema->field_count] = *field;
  schema->fields[schema->field_count++].name = name;
  return VB_OK;
}

int vb_schema_find(const vb_schema *schema, const char *name) {
  for (uint32_t i = 0; i < schema->field_count; i++)
    if (!strcmp(schema->fields[i].name, name)) return (int)i;
  return -1;
}

const char *vb_schema_hint(const vb_schema *schema, const char *name, char *hint) {
  const char **names = calloc((size_t)schema->field_count + 1, sizeof *names);
  hint[0] = 0;
  if (!names) return hint;
  for (uint32_t i = 0; i < schema->field_count; i++) names[i] = schema->fields[i].name;
  vb_nearest_hint(name, names, hint);
  free(names);
  return hint;
}

static int check_load(const vb_schema *schema, vb_error *err) {
  if (schema->load < VB_LOAD_NONE || schema->load > VB_LOAD_ZADD)
    return vb_fail(err, VB_EINVAL, "workload: no such command");
  int load = vb_schema_load(schema);
  if (load_collections[load] != schema->collection)
    return vb_fail(err, VB_EINVAL, "workload: %s does not send %s%s", vb_load_name(load),
                   schema->collection ? "a " : "fields",
                   schema->collection ? vb_collection_name(schema->collection) : "");
  if (load == VB_LOAD_SET && vb_schema_value_field(schema) < 0)
    return vb_fail(err, VB_EINVAL,
                   "workload: SET sends the field 'value', and there are %" PRIu32 " others",
                   schema->field_count);
  return VB_OK;
}

static int check_collection(const vb_schema *schema, vb_error *err) {
  bool zset = schema->collection == VB_COLLECTION_ZSET;
  if (!schema->max_members || schema->max_members > UINT32_MAX)
    return vb_fail(err, VB_EINVAL, "collection: max_members is %" PRIu64 "; it is 1 to %" PRIu32,
                   schema->max_members, UINT32_MAX);
  if (!zset && schema->field_count != 1)
    return vb_fail(err, VB_EINVAL, "collection: a member of a %s is one field",
                   vb_collection_name(schema->collection));
  if (zset && (schema->field_count != 2 || strcmp(schema->fields[0].name, "score") != 0 ||
               strcmp(schema->fields[1].name, "value") != 0))
    return vb_fail(err, VB_EINVAL,
                   "collection: a member of a zset is the fields 'score' and 'value'");
  if (zset && schema->fields[0].type != VB_FIELD_NUMERIC)
    return vb_fail(err, VB_EINVAL, "collection: 'score' is a numeric");
  for (uint32_t i = 0; i < schema->field_count; i++)
    if (schema->fields[i].optional)
      return vb_fail(err, VB_EINVAL, "collection: a field of a member cannot be optional");
  return VB_OK;
}

/* What follows a percent sign that is no number: NULL; else what is behind it. */
static const char *skip_number(const char *at) {
  enum { DIGITS_MAX = 20 };
  long width = 0;
  for (; *at >= '0' && *at <= '9' && width <= DIGITS_MAX; at++) width = width * 10 + (*at - '0');
  return *at == 'd' && width <= DIGITS_MAX ? at + 1 : NULL;
}

static int check_pattern(const char *pattern, vb_error *err) {
  int numbers = 0;
  for (const char *at = pattern; *at;) {
    const char *next = *at == '%' && at[1] != '%' ? skip_number(at + 1) : at + 1 + (*at == '%');
    if (!next)
      return vb_fail(
          err, VB_EINVAL,
          "keys: pattern \"%s\": \"%.8s\" is neither %%d, %%Nd, %%0Nd (N up to 20) nor %%%%",
          pattern, at);
    numbers += *at == '%' && at[1] != '%';
    at = next;
  }
  if (numbers == 1) return VB_OK;
  return vb_fail(err, VB_EINVAL, "keys: pattern \"%s\" has %s number%s", pattern,
                 numbers ? "more than one" : "no", numbers ? "" : " (like %012d)");
}

static int check_queries(const vb_schema *schema, vb_error *err) {
  if (schema->queries && schema->collection)
    return vb_fail(err, VB_EINVAL, "queries: they hold fields, and the record is a collection");
  if (schema->neighbors && !schema->queries)
    return vb_fail(err, VB_EINVAL, "ground_truth: there are no queries that it could belong to");
  if (!schema->neighbors || !schema->filter) return VB_OK;
  vb_filter *filter = NULL;
  int status = vb_filter_new(&filter, schema, schema->filter, err);
  vb_filter_free(filter);
  return status;
}

int vb_schema_check(const vb_schema *schema, vb_error *err) {
  if (schema->version != VB_SCHEMA_VERSION)
    return vb_fail(err, VB_EINVAL, "version %" PRIu32 "; this program reads version %d",
                   schema->version, VB_SCHEMA_VERSION);
  if (!schema->field_count) return vb_fail(err, VB_EINVAL, "record: no fields");
  if (!schema->records)
    return vb_fail(err, VB_EINVAL, "sections.records.count is 0; it is at least 1");
  int status = schema->collection ? check_collection(schema, err) : VB_OK;
  if (!status) status = check_load(schema, err);
  if (status) return status;
  if (schema->keys && (!schema->key_bytes || schema->key_bytes > UINT32_MAX))
    return vb_fail(err, VB_EINVAL, "keys: max_bytes is %" PRIu64 "; it is 1 to %" PRIu32,
                   schema->key_bytes, UINT32_MAX);
  if (schema->key_pattern && check_pattern(schema->key_pattern, err)) return VB_EINVAL;
  return check_queries(schema, err);
}

int vb_schema_load(const vb_schema *schema) {
  if (schema->load) return schema->load;
  switch ((enum vb_collection)schema->collection) {
  case VB_COLLECTION_NONE: break;
  case VB_COLLECTION_SET: return VB_LOAD_SADD;
  case VB_COLLECTION_LIST: return VB_LOAD_RPUSH;
  case VB_COLLECTION_ZSET: return VB_LOAD_ZADD;
  }
  return VB_LOAD_HSET;
}

int vb_schema_value_field(const vb_schema *schema) {
  if (schema->field_count == 1) return 0;
  return vb_schema_find(schema, "value");
}

const char *vb_schema_pattern(const vb_schema *schema) {
  return schema->key_pattern ? schema->key_pattern : default_pattern;
}

int vb_schema_queried(const vb_schema *schema, uint32_t field) {
  bool any = false;
  for (uint32_t i = 0; i < schema->field_count; i++) any |= schema->fields[i].queried;
  return !any || schema->fields[field].queried;
}
