#include "base/nearest.h"
#include "dataset/document.h"
#include "dataset/layout.h"
#include "dataset/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A schema that is being read, and the parts of the document that later checks speak about. */
typedef struct reader {
  const vb_document *document;
  vb_schema *schema;
  vb_node workload, record, collection, sections, queries, truth, keys;
  vb_error *err;
} reader;

/* The names of a mapping's keys, as an enum for the nodes and a list for vb_document_mapping. */
static const char *const root_keys[] = {"version",  "metadata",       "workload", "record",
                                        "sections", "field_metadata", NULL};
enum { ROOT_VERSION, ROOT_METADATA, ROOT_WORKLOAD, ROOT_RECORD, ROOT_SECTIONS, ROOT_FIELDS, ROOTS };

static const char *const field_keys[] = {
    "name", "type", "dtype", "dimensions", "encoding", "length", "max_bytes", "optional", NULL};
enum { NAME, TYPE, DTYPE, DIMENSIONS, ENCODING, LENGTH, MAX_BYTES, OPTIONAL, FIELD_KEYS };

static const char *const lengths[] = {"fixed", "variable", NULL};

/* A check's message (which knows no file) gets the place of `node`. */
static int at(const reader *r, vb_node node, int status, const vb_error *why) {
  if (status != VB_EINVAL) {
    if (status) *r->err = *why;
    return status;
  }
  return vb_document_fail(r->document, node, r->err, "%s", why->text);
}

static int read_number(const reader *r, vb_node node, const char *what, uint64_t *out) {
  return node ? vb_document_number(r->document, node, what, out, r->err) : VB_OK;
}

static int read_boolean(const reader *r, vb_node node, const char *what, int *out) {
  return node ? vb_document_boolean(r->document, node, what, out, r->err) : VB_OK;
}

static int read_choice(const reader *r, vb_node node, const char *what, const char *const *names,
                       int *out) {
  return node ? vb_document_choice(r->document, node, what, names, out, r->err) : VB_OK;
}

static int read_count(const reader *r, vb_node node, const char *what, uint64_t *out) {
  int status = read_number(r, node, what, out);
  if (status || !node || *out) return status;
  return vb_document_fail(r->document, node, r->err, "%s is 0; it is at least 1", what);
}

static int missing(const reader *r, vb_node node, const char *what) {
  return vb_document_fail(r->document, node, r->err, "%s is missing", what);
}

/* --- fields ----------------------------------------------------------------------------------- */

static int read_dtype(const reader *r, vb_node node, int *out) {
  const char *text = "";
  char hint[VB_HINT_MAX];
  const char *names[VB_DTYPE_COUNT + 1] = {0};
  int status = vb_document_text(r->document, node, "dtype", &text, r->err);
  if (status) return status;
  int dtype = vb_dtype_find(text, strlen(text));
  if (dtype >= 0) {
    *out = dtype;
    return VB_OK;
  }
  for (int i = 0; i < VB_DTYPE_COUNT; i++) names[i] = vb_dtype_name(i);
  return vb_document_fail(r->document, node, r->err,
                          "dtype is '%.40s'; it is one of float32, float16, float64, int8, uint8, "
                          "int32, int64, uint32, uint64, binary%s",
                          text, vb_nearest_hint(text, names, hint));
}

/* A key that another type has is a mistake, not something to leave aside. */
static int refuse_foreign(const reader *r, const vb_node *nodes, int type) {
  static const uint8_t allowed[] = {
      [VB_FIELD_VECTOR] = 1 << DTYPE | 1 << DIMENSIONS,
      [VB_FIELD_NUMERIC] = 1 << DTYPE,
      [VB_FIELD_TEXT] = 1 << ENCODING | 1 << LENGTH | 1 << MAX_BYTES | 1 << OPTIONAL,
      [VB_FIELD_TAG] = 1 << ENCODING | 1 << LENGTH | 1 << MAX_BYTES | 1 << OPTIONAL,
      [VB_FIELD_BLOB] = 1 << LENGTH | 1 << MAX_BYTES | 1 << OPTIONAL,
  };
  for (int i = DTYPE; i < FIELD_KEYS; i++)
    if (nodes[i] && !(allowed[type] & 1 << i))
      return vb_document_fail(r->document, nodes[i], r->err, "a %s has no %s",
                              vb_field_type_name(type), field_keys[i]);
  return VB_OK;
}

static int read_field_type(const reader *r, vb_node node, const vb_node *nodes, vb_field *field) {
  int type = 0;
  if (!nodes[TYPE]) return missing(r, node, "a field's type");
  int status = read_choice(r, nodes[TYPE], "type", vb_field_types, &type);
  if (status) return status;
  vb_field_init(field, type);
  return refuse_foreign(r, nodes, type);
}

static int read_field_sizes(const reader *r, const vb_node *nodes, vb_field *field) {
  int status = nodes[DTYPE] ? read_dtype(r, nodes[DTYPE], &field->dtype) : VB_OK;
  if (!status) status = read_count(r, nodes[DIMENSIONS], "dimensions", &field->dimensions);
  if (!status) status = read_choice(r, nodes[ENCODING], "encoding", vb_encodings, &field->encoding);
  if (!status) status = read_choice(r, nodes[LENGTH], "length", lengths, &field->variable);
  if (!status) status = read_count(r, nodes[MAX_BYTES], "max_bytes", &field->max_bytes);
  if (!status) status = read_boolean(r, nodes[OPTIONAL], "optional", &field->optional);
  return status;
}

/* `named`: it has a name, as all but the one field of a set's or list's member. */
static int read_field(const reader *r, vb_node node, bool named) {
  vb_node nodes[FIELD_KEYS];
  vb_field field;
  vb_error why = {0};
  const char *name = "";
  int status = vb_document_mapping(r->document, node, "a field", field_keys, nodes, r->err);
  if (!status) status = read_field_type(r, node, nodes, &field);
  if (!status) status = read_field_sizes(r, nodes, &field);
  if (status) return status;
  if (nodes[NAME] && !named)
    return vb_document_fail(r->document, nodes[NAME], r->err,
                            "the field of a set's or list's member has no name");
  if (named && !nodes[NAME]) return missing(r, node, "a field's name");
  if (named) status = vb_document_text(r->document, nodes[NAME], "name", &name, r->err);
  if (!status && named && !*name) status = missing(r, nodes[NAME], "a field's name");
  if (status) return status;
  field.name = name;
  return at(r, node, vb_schema_add(r->schema, &field, &why), &why);
}

static int read_fields(const reader *r, vb_node node) {
  size_t count = 0;
  int status = vb_document_items(r->document, node, "fields", &count, r->err);
  if (!status && !count)
    return vb_document_fail(r->document, node, r->err,
                            "fields is empty; a record has at least one");
  for (size_t i = 0; !status && i < count; i++)
    status = read_field(r, vb_document_item(r->document, node, i), true);
  return status;
}

/* --- record ----------------------------------------------------------------------------------- */

/* The bytes are score, then value, whatever the order they are given in. */
static void order_zset(vb_schema *schema) {
  if (schema->field_count != 2 || strcmp(schema->fields[1].name, "score") != 0) return;
  vb_field first = schema->fields[0];
  schema->fields[0] = schema->fields[1];
  schema->fields[1] = first;
}

static int read_member(const reader *r, vb_node node) {
  static const char *const keys[] = {"fields", NULL};
  vb_node fields;
  if (r->schema->collection != VB_COLLECTION_ZSET) return read_field(r, node, false);
  int status =
      vb_document_mapping(r->document, node, "the member of a zset", keys, &fields, r->err);
  if (status) return status;
  if (!fields) return missing(r, node, "the member's list of fields, 'score' and 'value',");
  status = read_fields(r, fields);
  if (!status) order_zset(r->schema);
  return status;
}

static int read_collection(reader *r, vb_node node) {
  static const char *const keys[] = {"type", "max_members", "member", NULL};
  vb_node nodes[3];
  int type = 0;
  r->collection = node;
  int status = vb_document_mapping(r->document, node, "collection", keys, nodes, r->err);
  if (status) return status;
  for (int i = 0; i < 3; i++)
    if (!nodes[i])
      return vb_document_fail(r->document, node, r->err, "collection: %s is missing", keys[i]);
  status = read_choice(r, nodes[0], "type", vb_collections + 1, &type);
  if (!status) status = read_count(r, nodes[1], "max_members", &r->schema->max_members);
  if (status) return status;
  r->schema->collection = type + 1;
  return read_member(r, nodes[2]);
}

static int read_record(reader *r, vb_node node) {
  static const char *const keys[] = {"fields", "collection", "size", NULL};
  vb_node nodes[3];
  r->record = node;
  int status = vb_document_mapping(r->document, node, "record", keys, nodes, r->err);
  if (status) return status;
  if (!nodes[0] == !nodes[1])
    return vb_document_fail(r->document, node, r->err,
                            "record: it is either fields or a collection");
  status = read_count(r, nodes[2], "record.size", &r->schema->record_size);
  if (status) return status;
  return nodes[0] ? read_fields(r, nodes[0]) : read_collection(r, nodes[1]);
}

/* --- sections --------------------------------------------------------------------------------- */

static int read_records(const reader *r, vb_node node) {
  static const char *const keys[] = {"count", "offset", NULL};
  vb_node nodes[2];
  int status = vb_document_mapping(r->document, node, "records", keys, nodes, r->err);
  if (status) return status;
  if (!nodes[0]) return missing(r, node, "sections.records.count");
  status = read_count(r, nodes[0], "records.count", &r->schema->records);
  if (!status) status = read_number(r, nodes[1], "records.offset", &r->schema->records_offset);
  return status;
}

enum { KEYS_PRESENT, KEYS_ENCODING, KEYS_LENGTH, KEYS_MAX_BYTES, KEYS_PATTERN, KEYS };
static const char *const keys_keys[] = {"present",   "encoding", "length",
                                        "max_bytes", "pattern",  NULL};

static int read_pattern(const reader *r, const vb_node *nodes) {
  const char *pattern = NULL;
  if (!nodes[KEYS_PATTERN]) return VB_OK;
  if (r->schema->keys)
    return vb_document_fail(r->document, nodes[KEYS_PATTERN], r->err,
                            "keys that are stored have no pattern; generated ones have "
                            "'present: false'");
  int status = vb_document_text(r->document, nodes[KEYS_PATTERN], "pattern", &pattern, r->err);
  if (status) return status;
  return vb_schema_set(r->schema, VB_SCHEMA_KEY_PATTERN, pattern, r->err);
}

static int read_keys(reader *r, vb_node node) {
  vb_node nodes[KEYS];
  vb_schema *schema = r->schema;
  r->keys = node;
  int status = vb_document_mapping(r->document, node, "keys", keys_keys, nodes, r->err);
  schema->keys = !nodes[KEYS_PATTERN];
  if (!status) status = read_boolean(r, nodes[KEYS_PRESENT], "present", &schema->keys);
  if (!status)
    status = read_choice(r, nodes[KEYS_ENCODING], "encoding", vb_encodings, &schema->key_encoding);
  if (!status)
    status = read_choice(r, nodes[KEYS_LENGTH], "length", lengths, &schema->key_variable);
  if (!status) status = read_count(r, nodes[KEYS_MAX_BYTES], "max_bytes", &schema->key_bytes);
  return status ? status : read_pattern(r, nodes);
}

static int find_field(const reader *r, vb_node node, const char *name, int *index) {
  char hint[VB_HINT_MAX];
  *index = vb_schema_find(r->schema, name);
  if (*index >= 0) return VB_OK;
  return vb_document_fail(r->document, node, r->err, "'%.60s' is no field of the record%s", name,
                          vb_schema_hint(r->schema, name, hint));
}

static int read_query_field(const reader *r, vb_node node) {
  const char *name = "";
  int index = 0;
  int status = vb_document_text(r->document, node, "a query field", &name, r->err);
  if (!status) status = find_field(r, node, name, &index);
  if (status) return status;
  if (r->schema->fields[index].queried)
    return vb_document_fail(r->document, node, r->err, "'%.60s' is there twice", name);
  r->schema->fields[index].queried = 1;
  return VB_OK;
}

static int read_query_fields(const reader *r, vb_node node) {
  size_t count = 0;
  int status = vb_document_items(r->document, node, "query_fields", &count, r->err);
  if (!status && !count)
    return vb_document_fail(r->document, node, r->err,
                            "query_fields is empty; without it, queries hold all fields");
  for (size_t i = 0; !status && i < count; i++)
    status = read_query_field(r, vb_document_item(r->document, node, i));
  return status;
}

static int read_queries(reader *r, vb_node node) {
  static const char *const keys[] = {"present", "count", "query_fields", NULL};
  vb_node nodes[3];
  int present = 1;
  r->queries = node;
  int status = vb_document_mapping(r->document, node, "queries", keys, nodes, r->err);
  if (!status) status = read_boolean(r, nodes[0], "present", &present);
  if (!status) status = read_number(r, nodes[1], "queries.count", &r->schema->queries);
  if (!present) r->schema->queries = 0;
  return status || !nodes[2] ? status : read_query_fields(r, nodes[2]);
}

enum { DEFAULT_NEIGHBORS = 100 };

static int read_truth(reader *r, vb_node node) {
  static const char *const keys[] = {
      "present", "neighbors_per_query", "id_type", "distances", "filter", NULL};
  vb_node nodes[5];
  int present = 1;
  const char *filter = NULL;
  vb_schema *schema = r->schema;
  r->truth = node;
  schema->neighbors = DEFAULT_NEIGHBORS;
  int status = vb_document_mapping(r->document, node, "ground_truth", keys, nodes, r->err);
  if (!status) status = read_boolean(r, nodes[0], "present", &present);
  if (!status) status = read_count(r, nodes[1], "neighbors_per_query", &schema->neighbors);
  if (!status) status = read_choice(r, nodes[2], "id_type", vb_id_types, &schema->id_type);
  if (!status) status = read_boolean(r, nodes[3], "distances", &schema->distances);
  if (!status && nodes[4])
    status = vb_document_text(r->document, nodes[4], "filter", &filter, r->err);
  if (!status) status = vb_schema_set(schema, VB_SCHEMA_FILTER, filter, r->err);
  if (!present) schema->neighbors = 0;
  return status;
}

static int read_sections(reader *r, vb_node node) {
  static const char *const keys[] = {"records", "keys", "queries", "ground_truth", NULL};
  vb_node nodes[4];
  r->sections = node;
  int status = vb_document_mapping(r->document, node, "sections", keys, nodes, r->err);
  if (status) return status;
  if (!nodes[0]) return missing(r, node, "sections.records");
  status = read_records(r, nodes[0]);
  if (!status && nodes[1]) status = read_keys(r, nodes[1]);
  if (!status && nodes[2]) status = read_queries(r, nodes[2]);
  if (!status && nodes[3]) status = read_truth(r, nodes[3]);
  return status;
}

/* --- the rest --------------------------------------------------------------------------------- */

static int read_version(const reader *r, vb_node node) {
  uint64_t version = 0;
  int status = read_count(r, node, "version", &version);
  if (status || version == VB_SCHEMA_VERSION) return status;
  return vb_document_fail(r->document, node, r->err,
                          "version is %" PRIu64 "; this program reads version %d", version,
                          VB_SCHEMA_VERSION);
}

static int read_workload(reader *r, vb_node node) {
  static const char *const keys[] = {"type", "command", NULL};
  static const char *const types[] = {"string", "hash", "set", "list", "zset", NULL};
  vb_node nodes[2];
  int type = 0, command = -1;
  r->workload = node;
  int status = vb_document_mapping(r->document, node, "workload", keys, nodes, r->err);
  if (status) return status;
  if (!nodes[0]) return missing(r, node, "workload.type");
  status = read_choice(r, nodes[0], "workload.type", types, &type);
  if (!status) status = read_choice(r, nodes[1], "workload.command", vb_loads + 1, &command);
  if (status) return status;
  int load = VB_LOAD_SET;
  while (strcmp(vb_load_types[load], types[type]) != 0) load++;
  if (command >= 0 && strcmp(vb_load_types[command + 1], types[type]) != 0)
    return vb_document_fail(r->document, nodes[1], r->err, "command %s does not make a %s",
                            vb_loads[command + 1], types[type]);
  r->schema->load = command >= 0 ? command + 1 : load;
  return VB_OK;
}

/* distance_metric is of vectors, index_type of text and tags. */
static int check_metadata_fits(const reader *r, const vb_field *field, const vb_node *nodes) {
  bool words = field->type == VB_FIELD_TEXT || field->type == VB_FIELD_TAG;
  if (nodes[0] && field->type != VB_FIELD_VECTOR)
    return vb_document_fail(r->document, nodes[0], r->err,
                            "distance_metric is of vectors; '%s' is a %s", field->name,
                            vb_field_type_name(field->type));
  if (nodes[1] && !words)
    return vb_document_fail(r->document, nodes[1], r->err,
                            "index_type is of text and tags; '%s' is a %s", field->name,
                            vb_field_type_name(field->type));
  return VB_OK;
}

static int read_field_metadata(const reader *r, const vb_pair *pair) {
  static const char *const keys[] = {"distance_metric", "index_type", NULL};
  vb_node nodes[2];
  int index = 0, distance = 0, type = 0;
  int status = find_field(r, pair->key, pair->text, &index);
  if (!status)
    status = vb_document_mapping(r->document, pair->value, pair->text, keys, nodes, r->err);
  if (status) return status;
  vb_field *field = &r->schema->fields[index];
  status = check_metadata_fits(r, field, nodes);
  if (!status) status = read_choice(r, nodes[0], keys[0], vb_distances + 1, &distance);
  if (!status) status = read_choice(r, nodes[1], keys[1], vb_index_types + 1, &type);
  if (nodes[0]) field->distance = distance + 1;
  if (nodes[1]) field->index_type = type + 1;
  return status;
}

static int read_fields_metadata(const reader *r, vb_node node) {
  size_t count = 0;
  int status = vb_document_pairs(r->document, node, "field_metadata", &count, r->err);
  for (size_t i = 0; !status && i < count; i++) {
    vb_pair pair = {0};
    status = vb_document_pair(r->document, node, i, &pair, r->err);
    if (!status) status = read_field_metadata(r, &pair);
  }
  return status;
}

/* The part of the schema that a check of the whole speaks about. */
static vb_node place_of(const reader *r, const char *message) {
  const struct {
    const char *begin;
    vb_node node;
  } places[] = {{"workload", r->workload},  {"collection", r->collection}, {"queries", r->queries},
                {"ground_truth", r->truth}, {"filter", r->truth},          {"keys", r->keys},
                {"sections", r->sections},  {"record", r->record},         {"field", r->record}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(places); i++)
    if (places[i].node && !strncmp(message, places[i].begin, strlen(places[i].begin)))
      return places[i].node;
  return vb_document_root(r->document);
}

/* What no single key shows: parts that do not fit each other, sizes that no file can have. */
static int check_whole(const reader *r) {
  vb_error why = {0};
  vb_layout layout;
  int status = vb_layout_init(&layout, r->schema, &why);
  if (!status) vb_layout_fini(&layout);
  return at(r, place_of(r, why.text), status, &why);
}

static int read_root(reader *r) {
  vb_node nodes[ROOTS], root = vb_document_root(r->document);
  static const int required[] = {ROOT_VERSION, ROOT_RECORD, ROOT_SECTIONS};
  int status = vb_document_mapping(r->document, root, "the schema", root_keys, nodes, r->err);
  if (!status && nodes[ROOT_VERSION]) status = read_version(r, nodes[ROOT_VERSION]);
  for (size_t i = 0; !status && i < VB_ARRAY_LENGTH(required); i++)
    if (!nodes[required[i]]) status = missing(r, root, root_keys[required[i]]);
  if (!status && nodes[ROOT_METADATA])
    status = vb_metadata_read(r->document, nodes[ROOT_METADATA], r->schema, r->err);
  if (!status) status = read_record(r, nodes[ROOT_RECORD]);
  if (!status) status = read_sections(r, nodes[ROOT_SECTIONS]);
  if (!status && nodes[ROOT_WORKLOAD]) status = read_workload(r, nodes[ROOT_WORKLOAD]);
  if (!status && nodes[ROOT_FIELDS]) status = read_fields_metadata(r, nodes[ROOT_FIELDS]);
  return status ? status : check_whole(r);
}

int vb_schema_parse(vb_schema **out, const char *text, size_t length, const char *name,
                    vb_error *err) {
  vb_document *document = NULL;
  int status = vb_document_parse(&document, text, length, name, err);
  if (status) return status;
  reader r = {.document = document, .schema = vb_schema_new(), .err = err};
  status = r.schema ? read_root(&r) : vb_fail(err, VB_ENOMEM, "%s: out of memory", name);
  vb_document_free(document);
  if (status) {
    vb_schema_free(r.schema);
    return status;
  }
  *out = r.schema;
  return VB_OK;
}

static int read_all(int fd, const char *path, char **text, size_t *length, vb_error *err) {
  struct stat about;
  if (fstat(fd, &about)) return vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno));
  if (!S_ISREG(about.st_mode)) return vb_fail(err, VB_EIO, "%s: not a file", path);
  if (about.st_size > VB_DOCUMENT_SIZE_MAX)
    return vb_fail(err, VB_EINVAL, "%s: %lld bytes; a schema may have %d (is it the data?)", path,
                   (long long)about.st_size, VB_DOCUMENT_SIZE_MAX);
  *text = malloc((size_t)about.st_size + 1);
  if (!*text) return vb_fail(err, VB_ENOMEM, "%s: out of memory", path);
  *length = 0;
  while (*length < (size_t)about.st_size) {
    ssize_t got = read(fd, *text + *length, (size_t)about.st_size - *length);
    if (got < 0) return vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno));
    if (!got) break;
    *length += (size_t)got;
  }
  return VB_OK;
}

int vb_schema_read(vb_schema **out, const char *path, vb_error *err) {
  char *text = NULL;
  size_t length = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno));
  int status = read_all(fd, path, &text, &length, err);
  (void)close(fd);
  if (!status) status = vb_schema_parse(out, text, length, path, err);
  free(text);
  return status;
}
