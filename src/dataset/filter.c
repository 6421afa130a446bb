#include "dataset/filter.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the record's number must be, by how it compares with the query's. */
enum sign { LESS = 1, EQUAL = 2, GREATER = 4 };

typedef struct condition {
  uint32_t field;
  unsigned signs; /* enum sign; of tags EQUAL */
} condition;

struct vb_filter {
  const vb_dataset *dataset;
  condition *conditions;
  uint32_t count;
  uint64_t first_query;
  vb_field *fields; /* of the schema: type and dtype are read */
  vb_bytes text;
};

/* --- asking ----------------------------------------------------------------------------------- */

/* The next tag of a list between commas, without the blanks around it; false behind the last. */
static bool next_tag(vb_view *list, vb_view *tag) {
  if (!list->data) return false;
  const char *comma = list->length ? memchr(list->data, ',', list->length) : NULL;
  size_t length = comma ? (size_t)(comma - list->data) : list->length;
  *tag = (vb_view){list->data, length};
  *list = comma ? (vb_view){comma + 1, list->length - length - 1} : (vb_view){NULL, 0};
  for (; tag->length && *tag->data == ' '; tag->data++) tag->length--;
  while (tag->length && tag->data[tag->length - 1] == ' ') tag->length--;
  return true;
}

static bool has_tag(vb_view list, const vb_view *wanted) {
  vb_view tag;
  while (next_tag(&list, &tag))
    if (tag.length == wanted->length && !strncasecmp(tag.data, wanted->data, tag.length))
      return true;
  return false;
}

static bool share_tag(const vb_view *record, vb_view query) {
  vb_view tag;
  bool asks = false;
  while (next_tag(&query, &tag)) {
    if (tag.length == 0) continue;
    asks = true;
    if (has_tag(*record, &tag)) return true;
  }
  return !asks;
}

#define COMPARE(type)                                                                              \
  do {                                                                                             \
    type a, b;                                                                                     \
    memcpy(&a, left, sizeof a);                                                                    \
    memcpy(&b, right, sizeof b);                                                                   \
    return (a < b ? LESS : 0) | (a == b ? EQUAL : 0) | (a > b ? GREATER : 0);                      \
  } while (0)

/* enum sign; 0 when one is not a number. */
static unsigned compare(int dtype, const char *left, const char *right) {
  switch ((enum vb_dtype)dtype) {
  case VB_DTYPE_FLOAT32: COMPARE(float);
  case VB_DTYPE_FLOAT64: COMPARE(double);
  case VB_DTYPE_INT8: COMPARE(int8_t);
  case VB_DTYPE_UINT8: COMPARE(uint8_t);
  case VB_DTYPE_INT32: COMPARE(int32_t);
  case VB_DTYPE_INT64: COMPARE(int64_t);
  case VB_DTYPE_UINT32: COMPARE(uint32_t);
  case VB_DTYPE_UINT64: COMPARE(uint64_t);
  case VB_DTYPE_FLOAT16:
  case VB_DTYPE_BINARY:
  case VB_DTYPE_COUNT: break;
  }
  uint16_t halves[2];
  memcpy(&halves[0], left, sizeof halves[0]);
  memcpy(&halves[1], right, sizeof halves[1]);
  double a = vb_half_to_double(halves[0]), b = vb_half_to_double(halves[1]);
  return (a < b ? LESS : 0) | (a == b ? EQUAL : 0) | (a > b ? GREATER : 0);
}

bool vb_filter_allows(const void *context, uint64_t query, uint64_t record) {
  const vb_filter *filter = context;
  for (uint32_t i = 0; i < filter->count; i++) {
    const condition *asked = &filter->conditions[i];
    const vb_field *field = &filter->fields[asked->field];
    vb_view mine, wanted;
    vb_dataset_field(filter->dataset, record, asked->field, &mine);
    vb_dataset_query(filter->dataset, filter->first_query + query, asked->field, &wanted);
    bool holds = field->type == VB_FIELD_TAG
                     ? share_tag(&mine, wanted)
                     : (compare(field->dtype, mine.data, wanted.data) & asked->signs) != 0;
    if (!holds) return false;
  }
  return true;
}

/* --- making ----------------------------------------------------------------------------------- */

static const char separators[] = " ,\t\n";

static bool is_asked(const vb_schema *schema, uint32_t field) {
  int type = schema->fields[field].type;
  return (type == VB_FIELD_TAG || type == VB_FIELD_NUMERIC) && vb_schema_queried(schema, field);
}

static int find_field(const vb_schema *schema, const char *name, uint32_t *out, vb_error *err) {
  char hint[128];
  int field = vb_schema_find(schema, name);
  if (field < 0)
    return vb_fail(err, VB_EINVAL, "filter: no field '%s'%s", name,
                   vb_schema_hint(schema, name, hint));
  *out = (uint32_t)field;
  if (is_asked(schema, *out)) return VB_OK;
  if (!vb_schema_queried(schema, *out))
    return vb_fail(err, VB_EINVAL, "filter: the queries do not hold the field '%s'", name);
  return vb_fail(err, VB_EINVAL, "filter: '%s' is a %s; conditions are of tags and numbers", name,
                 vb_field_type_name(schema->fields[field].type));
}

static int read_signs(const char *text, const char *name, bool tag, unsigned *out, vb_error *err) {
  static const struct {
    const char *text;
    unsigned signs;
  } known[] = {{"", EQUAL},          {"=", EQUAL},   {"<", LESS},
               {"<=", LESS | EQUAL}, {">", GREATER}, {">=", GREATER | EQUAL}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(known); i++) {
    if (strcmp(text, known[i].text) != 0) continue;
    *out = known[i].signs;
    if (!tag || *out == EQUAL) return VB_OK;
    return vb_fail(err, VB_EINVAL, "filter: '%s' is a tag, which is shared or not: write %s", name,
                   name);
  }
  return vb_fail(err, VB_EINVAL, "filter: '%s%s': behind a name stands <, <=, >, >= or nothing",
                 name, text);
}

static void add_text(vb_filter *filter, const char *name, unsigned signs) {
  static const char *const texts[] = {"", "<", "", "<=", ">", "", ">="};
  if (filter->text.length) vb_bytes_append(&filter->text, " ", 1);
  vb_bytes_append(&filter->text, name, strlen(name));
  vb_bytes_append(&filter->text, texts[signs], strlen(texts[signs]));
}

static void add_condition(vb_filter *filter, const vb_schema *schema, uint32_t field,
                          unsigned signs) {
  filter->conditions[filter->count++] = (condition){field, signs};
  add_text(filter, schema->fields[field].name, signs);
}

static int add_word(vb_filter *filter, const vb_schema *schema, char *word, vb_error *err) {
  char signs_text[64] = "";
  size_t length = strcspn(word, "<>=");
  uint32_t field = 0;
  unsigned signs = EQUAL;
  strncpy(signs_text, word + length, sizeof signs_text - 1);
  word[length] = 0;
  int status = find_field(schema, word, &field, err);
  bool tag = !status && schema->fields[field].type == VB_FIELD_TAG;
  if (!status) status = read_signs(signs_text, word, tag, &signs, err);
  if (!status) add_condition(filter, schema, field, signs);
  return status;
}

static void add_all(vb_filter *filter, const vb_schema *schema) {
  for (uint32_t i = 0; i < schema->field_count; i++)
    if (is_asked(schema, i)) add_condition(filter, schema, i, EQUAL);
}

static int add_words(vb_filter *filter, const vb_schema *schema, char *text, vb_error *err) {
  char *rest = NULL;
  int status = VB_OK;
  for (char *word = strtok_r(text, separators, &rest); word && !status;
       word = strtok_r(NULL, separators, &rest)) {
    if (strcmp(word, "*") == 0) {
      add_all(filter, schema);
    } else {
      status = add_word(filter, schema, word, err);
    }
  }
  if (!status && !filter->count)
    status = vb_fail(err, VB_EINVAL,
                     "filter: no condition; the queries' tags and numbers are "
                     "what it may name");
  return status;
}

int vb_filter_new(vb_filter **out, const vb_schema *schema, const char *text, vb_error *err) {
  vb_filter *filter = calloc(1, sizeof *filter);
  char *copy = strdup(text);
  int status = VB_OK;
  if (filter && copy) {
    /* No word adds more conditions than there are fields. */
    size_t words = strlen(text) / 2 + 1;
    filter->conditions = calloc(words * ((size_t)schema->field_count + 1), sizeof(condition));
    filter->fields = calloc((size_t)schema->field_count + 1, sizeof *filter->fields);
  }
  if (!filter || !copy || !filter->conditions || !filter->fields) {
    status = vb_fail(err, VB_ENOMEM, "filter: out of memory");
  } else {
    if (schema->field_count)
      memcpy(filter->fields, schema->fields, schema->field_count * sizeof *filter->fields);
    status = add_words(filter, schema, copy, err);
    vb_bytes_append(&filter->text, "", 1);
  }
  free(copy);
  if (status) {
    vb_filter_free(filter);
  } else {
    *out = filter;
  }
  return status;
}

void vb_filter_free(vb_filter *filter) {
  if (!filter) return;
  free(filter->conditions);
  free(filter->fields);
  vb_bytes_fini(&filter->text);
  free(filter);
}

const char *vb_filter_text(const vb_filter *filter) {
  return filter->text.data;
}

void vb_filter_attach(vb_filter *filter, const vb_dataset *dataset, uint64_t first_query) {
  filter->dataset = dataset;
  filter->first_query = first_query;
}
