/* dataset/schema: what is read and defaulted, what is written back, and every complaint. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataset/schema.h"

#define RECORD "record: { fields: [ { name: v, type: vector, dimensions: 2 } ] }\n"
#define SECTIONS "sections: { records: { count: 10 } }\n"

static const char products[] =
    "version: 1\n"
    "metadata: { name: products, description: \"product catalogue\" }\n"
    "workload: { type: hash, command: HSET }\n"
    "record:\n"
    "  fields:\n"
    "    - { name: embedding,   type: vector,  dtype: float32, dimensions: 768 }\n"
    "    - { name: description, type: text,    encoding: utf8, length: variable, max_bytes: 4096 "
    "}\n"
    "    - { name: category,    type: tag,     max_bytes: 64 }\n"
    "    - { name: price,       type: numeric, dtype: float64 }\n"
    "    - { name: payload,     type: blob,    length: fixed, max_bytes: 256 }\n"
    "sections:\n"
    "  records: { count: 5000000 }\n"
    "  keys:    { present: true, encoding: utf8, length: fixed, max_bytes: 64 }\n"
    "  queries: { present: true, count: 10000, query_fields: [embedding] }\n"
    "  ground_truth: { present: true, neighbors_per_query: 100, id_type: u64, distances: false }\n"
    "field_metadata:\n"
    "  embedding:   { distance_metric: cosine }\n"
    "  description: { index_type: fulltext }\n";

static vb_schema *parse(const char *text) {
  vb_schema *schema = NULL;
  vb_error err = {0};
  if (vb_schema_parse(&schema, text, strlen(text), "x.yaml", &err)) fail_msg("%s", err.text);
  return schema;
}

static void expect_error(const char *text, const char *message) {
  vb_schema *schema = (void *)1;
  vb_error err = {0};
  assert_int_equal(vb_schema_parse(&schema, text, strlen(text), "x.yaml", &err), VB_EINVAL);
  assert_string_equal(err.text, message);
  assert_ptr_equal(schema, (void *)1);
}

static void the_example_of_the_format(void **state) {
  (void)state;
  vb_schema *schema = parse(products);
  assert_string_equal(schema->name, "products");
  assert_string_equal(schema->description, "product catalogue");
  assert_null(schema->metadata);
  assert_int_equal(schema->load, VB_LOAD_HSET);
  assert_int_equal(schema->field_count, 5);
  const vb_field *fields = schema->fields;
  assert_string_equal(fields[0].name, "embedding");
  assert_int_equal(fields[0].type, VB_FIELD_VECTOR);
  assert_int_equal(fields[0].dimensions, 768);
  assert_int_equal(fields[0].distance, VB_DISTANCE_COSINE);
  assert_int_equal(fields[1].variable, 1);
  assert_int_equal(fields[1].max_bytes, 4096);
  assert_int_equal(fields[1].index_type, VB_INDEX_FULLTEXT);
  assert_int_equal(fields[3].dtype, VB_DTYPE_FLOAT64);
  assert_int_equal(fields[4].max_bytes, 256);
  assert_int_equal(schema->records, 5000000);
  assert_int_equal(schema->keys, 1);
  assert_int_equal(schema->queries, 10000);
  assert_int_equal(vb_schema_queried(schema, 0), 1);
  assert_int_equal(vb_schema_queried(schema, 1), 0);
  assert_int_equal(schema->neighbors, 100);
  vb_schema_free(schema);
}

static void defaults(void **state) {
  (void)state;
  vb_schema *schema = parse("version: 1\n"
                            "record:\n"
                            "  fields:\n"
                            "    - { name: v, type: vector, dimensions: 2 }\n"
                            "    - { name: n, type: numeric }\n"
                            "    - { name: t, type: text }\n"
                            "sections:\n"
                            "  records: { count: 3 }\n"
                            "  keys: {}\n"
                            "  queries: { count: 4 }\n"
                            "  ground_truth: {}\n");
  assert_int_equal(schema->fields[0].dtype, VB_DTYPE_FLOAT32);
  assert_string_equal(vb_distance_name(schema->fields[0].distance), "l2");
  assert_int_equal(schema->fields[1].dtype, VB_DTYPE_FLOAT64);
  assert_int_equal(schema->fields[2].max_bytes, 64);
  assert_int_equal(schema->fields[2].variable, 0);
  assert_int_equal(schema->fields[2].encoding, VB_ENCODING_UTF8);
  assert_int_equal(schema->keys, 1);
  assert_int_equal(schema->key_bytes, 64);
  assert_int_equal(schema->key_variable, 0);
  assert_int_equal(schema->neighbors, 100);
  assert_int_equal(schema->id_type, VB_ID_U64);
  assert_int_equal(schema->distances, 0);
  assert_int_equal(vb_schema_queried(schema, 2), 1);
  assert_int_equal(vb_schema_load(schema), VB_LOAD_HSET);
  assert_string_equal(vb_schema_pattern(schema), "key:{HASHTAG}:%012d");
  vb_schema_free(schema);
}

static void queries_without_a_count_are_absent(void **state) {
  (void)state;
  const char *const queries[] = {"{}", "{ count: 0 }", "{ present: false, count: 5 }"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(queries); i++) {
    char text[300];
    (void)snprintf(
        text, sizeof text,
        "version: 1\n" RECORD
        "sections: { records: { count: 1 }, queries: %s, ground_truth: { present: false } }",
        queries[i]);
    vb_schema *schema = parse(text);
    assert_int_equal(schema->queries, 0);
    assert_int_equal(schema->neighbors, 0);
    vb_schema_free(schema);
  }
}

static void collections(void **state) {
  (void)state;
  vb_schema *set = parse("version: 1\n"
                         "record:\n"
                         "  collection: { type: set, max_members: 8, member: { type: text, "
                         "encoding: ascii } }\n" SECTIONS);
  assert_int_equal(set->collection, VB_COLLECTION_SET);
  assert_int_equal(set->max_members, 8);
  assert_string_equal(set->fields[0].name, "");
  assert_int_equal(set->fields[0].encoding, VB_ENCODING_ASCII);
  assert_int_equal(vb_schema_load(set), VB_LOAD_SADD);
  vb_schema_free(set);
  vb_schema *zset = parse("version: 1\n"
                          "record:\n"
                          "  collection:\n"
                          "    type: zset\n"
                          "    max_members: 10\n"
                          "    member: { fields: [ { name: value, type: text },\n"
                          "                        { name: score, type: numeric } ] }\n" SECTIONS);
  assert_string_equal(zset->fields[0].name, "score");
  assert_string_equal(zset->fields[1].name, "value");
  assert_int_equal(vb_schema_load(zset), VB_LOAD_ZADD);
  vb_schema_free(zset);
  vb_schema *list =
      parse("version: 1\n"
            "workload: { type: list, command: lpush }\n"
            "record:\n"
            "  collection: { type: list, max_members: 2, member: { type: blob } }\n" SECTIONS);
  assert_int_equal(vb_schema_load(list), VB_LOAD_LPUSH);
  vb_schema_free(list);
}

static void aliases_are_followed(void **state) {
  (void)state;
  vb_schema *schema =
      parse("version: 1\n"
            "metadata: { width: &w 32 }\n"
            "record: { fields: [ { name: a, type: text, max_bytes: *w }, { name: b, "
            "type: tag, max_bytes: *w } ] }\n" SECTIONS);
  assert_int_equal(schema->fields[0].max_bytes, 32);
  assert_int_equal(schema->fields[1].max_bytes, 32);
  assert_string_equal(schema->metadata, "width: 32");
  vb_schema_free(schema);
}

/* What is written reads back as the same, and is then written as the same. */
static void expect_same_again(const char *text) {
  char *first = NULL, *second = NULL;
  size_t length = 0;
  vb_error err = {0};
  vb_schema *schema = parse(text);
  if (vb_schema_render(schema, &first, &length, &err)) fail_msg("%s", err.text);
  assert_int_equal(length, strlen(first));
  vb_schema_free(schema);
  schema = parse(first);
  if (vb_schema_render(schema, &second, &length, &err)) fail_msg("%s", err.text);
  assert_string_equal(first, second);
  vb_schema_free(schema);
  free(first);
  free(second);
}

static void written_back(void **state) {
  (void)state;
  expect_same_again(products);
  expect_same_again(
      "version: 1\n"
      "metadata: { name: \"5\", url: 'https://x/y?a=\"b\"', made: { by: [a, 2, ~, "
      "\"no\"], at: \"\\u0085\\t\\x7f\" }, \"yes\": no }\n"
      "record:\n"
      "  size: 1000\n"
      "  collection: { type: set, max_members: 3, member: { type: vector, dimensions: "
      "5, dtype: binary } }\n"
      "sections: { records: { count: 7, offset: 512 }, keys: { present: false, "
      "pattern: \"v:%d # {HASHTAG}\" } }\n");
  expect_same_again("version: 1\n"
                    "record: { fields: [ { name: \"a b: c\", type: text, optional: true }, { name: "
                    "\"true\", type: blob, length: variable, optional: true, max_bytes: 9 } ] }\n"
                    "sections: { records: { count: 1 }, keys: { length: variable, encoding: ascii, "
                    "max_bytes: 12 }, queries: { count: 2, query_fields: [\"true\", \"a b: c\"] }, "
                    "ground_truth: { id_type: u32, distances: true, neighbors_per_query: 3 } }\n"
                    "field_metadata: { \"a b: c\": { index_type: suffix } }\n");
  expect_same_again("version: 1\n"
                    "record: { fields: [ { name: v, type: vector, dimensions: 2 }, { name: price, "
                    "type: numeric }, { name: kind, type: tag } ] }\n"
                    "sections: { records: { count: 9 }, queries: { count: 2 }, ground_truth: { "
                    "filter: \"kind price<=\" } }\n");
}

static void written_as_a_person_would(void **state) {
  (void)state;
  char *text = NULL;
  size_t length = 0;
  vb_error err = {0};
  vb_schema *schema = parse(products);
  assert_int_equal(vb_schema_render(schema, &text, &length, &err), VB_OK);
  assert_non_null(
      strstr(text, "metadata: { name: products, description: \"product catalogue\" }\n"));
  assert_non_null(strstr(text, "    - { name: price, type: numeric, dtype: float64 }\n"));
  assert_non_null(strstr(text, "query_fields: [embedding] }\n"));
  free(text);
  vb_schema_free(schema);
}

static void a_file_is_as_it_is_written(void **state) {
  (void)state;
  char path[] = "/tmp/vbench-schema-XXXXXX";
  vb_error err = {0};
  vb_schema *schema = parse(products);
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(vb_schema_is_written(schema, path), 0);
  assert_int_equal(vb_schema_write(schema, path, &err), VB_OK);
  assert_int_equal(vb_schema_is_written(schema, path), 1);
  (void)close(fd);
  fd = open(path, O_WRONLY | O_APPEND);
  assert_int_equal(write(fd, "#\n", 2), 2);
  assert_int_equal(vb_schema_is_written(schema, path), 0);
  (void)close(fd);
  (void)unlink(path);
  assert_int_equal(vb_schema_is_written(schema, path), 0);
  vb_schema_free(schema);
}

static void made_without_a_file(void **state) {
  (void)state;
  vb_error err = {0};
  vb_field field;
  vb_schema *schema = vb_schema_new();
  vb_field_init(&field, VB_FIELD_TEXT);
  field.name = "body";
  assert_int_equal(vb_schema_add(schema, &field, &err), VB_OK);
  assert_int_equal(vb_schema_add(schema, &field, &err), VB_EINVAL);
  assert_string_equal(err.text, "field 'body' is there twice");
  assert_int_equal(vb_schema_check(schema, &err), VB_EINVAL);
  assert_string_equal(err.text, "sections.records.count is 0; it is at least 1");
  schema->records = 1;
  assert_int_equal(vb_schema_set(schema, VB_SCHEMA_NAME, "articles", &err), VB_OK);
  vb_schema *copy = vb_schema_copy(schema);
  vb_schema_free(schema);
  assert_int_equal(vb_schema_check(copy, &err), VB_OK);
  assert_string_equal(copy->name, "articles");
  assert_int_equal(vb_schema_find(copy, "body"), 0);
  vb_schema_free(copy);
}

static void not_yaml(void **state) {
  (void)state;
  expect_error("", "x.yaml: empty; a schema begins with 'version: 1'");
  expect_error("version: [1\n",
               "x.yaml:2:1: not YAML: did not find expected ',' or ']' while parsing "
               "a flow sequence");
  expect_error("a: b: c\n", "x.yaml:1:5: not YAML: mapping values are not allowed in this context");
  expect_error("- 1\n", "x.yaml:1:1: the schema is a list; it is a mapping");
  expect_error("hello\n", "x.yaml:1:1: the schema is 'hello'; it is a mapping");
  expect_error("version: 1\n---\nversion: 1\n", "x.yaml:3:1: a second document; it takes one");
  expect_error("version: 1\n" SECTIONS "record: *r\n",
               "x.yaml:3:9: not YAML: found undefined alias");
}

static void limits_of_aliases(void **state) {
  (void)state;
  expect_error("metadata: &a { x: *a }\n",
               "x.yaml:1:11: nested more than 32 deep (an alias of itself?)");
  expect_error("metadata:\n"
               "  a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
               "  b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
               "  c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
               "  d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
               "  e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
               "  f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n",
               "x.yaml:2:10: more than 200000 nodes when aliases are followed");
}

static void keys_missing_and_unknown(void **state) {
  (void)state;
  expect_error(RECORD SECTIONS, "x.yaml:1:1: version is missing");
  expect_error("version: 1\n" SECTIONS, "x.yaml:1:1: record is missing");
  expect_error("version: 1\n" RECORD, "x.yaml:1:1: sections is missing");
  expect_error("version: 1\nrecrod: {}\n",
               "x.yaml:2:1: unknown key 'recrod' in the schema; did you mean 'record'?");
  expect_error("version: 1\nversion: 1\n", "x.yaml:2:1: 'version' twice in the schema");
  expect_error("version: 1\n" SECTIONS
               "record:\n  fields:\n    - { name: a, type: text, max_byte: 3 }\n",
               "x.yaml:5:30: unknown key 'max_byte' in a field; did you mean 'max_bytes'?");
  expect_error("version: 1\n" SECTIONS "record: {}\n",
               "x.yaml:3:9: record: it is either fields or a collection");
  expect_error("version: 1\n" SECTIONS "record: { fields: [] }\n",
               "x.yaml:3:19: fields is empty; a record has at least one");
  expect_error("version: 1\n" SECTIONS "record: { fields: [ { type: text } ] }\n",
               "x.yaml:3:21: a field's name is missing");
  expect_error("version: 1\n" SECTIONS "record: { fields: [ { name: a } ] }\n",
               "x.yaml:3:21: a field's type is missing");
  expect_error("version: 1\n" SECTIONS "record: { fields: [ { name: a, type: vector } ] }\n",
               "x.yaml:3:21: field 'a': a vector needs dimensions, at least 1");
  expect_error("version: 1\n" RECORD "sections: { records: {} }\n",
               "x.yaml:3:22: sections.records.count is missing");
  expect_error("version: 1\n" RECORD "sections: {}\n", "x.yaml:3:11: sections.records is missing");
  expect_error("version: 1\n" SECTIONS "record: { collection: { type: set, max_members: 2 } }\n",
               "x.yaml:3:23: collection: member is missing");
  expect_error("version: 1\nworkload: {}\n" RECORD SECTIONS,
               "x.yaml:2:11: workload.type is missing");
}

static void wrong_types(void **state) {
  (void)state;
  expect_error("version: one\n" RECORD SECTIONS,
               "x.yaml:1:10: version is 'one'; it is a whole number");
  expect_error("version: \"1\"\n" RECORD SECTIONS,
               "x.yaml:1:10: version is the text \"1\"; write it without quotes");
  expect_error("version: [1]\n" RECORD SECTIONS, "x.yaml:1:10: version is a list; it is a value");
  expect_error("version: 1\nrecord: 5\n" SECTIONS, "x.yaml:2:9: record is '5'; it is a mapping");
  expect_error("version: 1\nrecord: { fields: text }\n" SECTIONS,
               "x.yaml:2:19: fields is 'text'; it is a list");
  expect_error("version: 1\n" RECORD "sections: { records: { count: 1.5 } }\n",
               "x.yaml:3:31: records.count is '1.5'; it is a whole number");
  expect_error("version: 1\n" RECORD "sections: { records: { count: 1 }, keys: { present: 1 } }\n",
               "x.yaml:3:53: present is '1'; it is true or false");
  expect_error("version: 1\nrecord: { fields: [ { name: a, type: string } ] }\n" SECTIONS,
               "x.yaml:2:38: type is 'string'; it is one of vector, numeric, text, tag, blob");
  expect_error(
      "version: 1\nrecord: { fields: [ { name: a, type: vectr } ] }\n" SECTIONS,
      "x.yaml:2:38: type is 'vectr'; it is one of vector, numeric, text, tag, blob; did you "
      "mean 'vector'?");
  expect_error(
      "version: 1\nrecord: { fields: [ { name: a, type: numeric, dtype: flaot32 } ] }\n" SECTIONS,
      "x.yaml:2:54: dtype is 'flaot32'; it is one of float32, float16, float64, int8, uint8, "
      "int32, "
      "int64, uint32, uint64, binary; did you mean 'float32'?");
  expect_error("version: 1\nmetadata: { ? [a] : b }\n" RECORD SECTIONS,
               "x.yaml:2:15: a key is a list; it is a value");
  expect_error("version: 1\nmetadata: { name: \"a\\0b\" }\n" RECORD SECTIONS,
               "x.yaml:2:19: name holds a NUL");
}

static void numbers_out_of_range(void **state) {
  (void)state;
  expect_error("version: 2\n" RECORD SECTIONS,
               "x.yaml:1:10: version is 2; this program reads version 1");
  expect_error("version: 0\n" RECORD SECTIONS, "x.yaml:1:10: version is 0; it is at least 1");
  expect_error("version: 1\n" RECORD "sections: { records: { count: 0 } }\n",
               "x.yaml:3:31: records.count is 0; it is at least 1");
  expect_error("version: 1\n" RECORD "sections: { records: { count: -5 } }\n",
               "x.yaml:3:31: records.count is '-5'; it is a whole number");
  expect_error("version: 1\n" RECORD "sections: { records: { count: 18446744073709551616 } }\n",
               "x.yaml:3:31: records.count is 18446744073709551616; that is over 64 bits");
  expect_error("version: 1\n" RECORD "sections: { records: { count: 18446744073709551615 } }\n",
               "x.yaml:3:11: sections.records: the file would be larger than 2^63 bytes");
  expect_error("version: 1\nrecord:\n  fields:\n    - { name: a, type: vector, dimensions: "
               "9000000000000000000 }\n" SECTIONS,
               "x.yaml:3:3: field 'a': the record would be larger than 2^63 bytes");
  expect_error("version: 1\nrecord:\n  fields: [ { name: a, type: text, max_bytes: "
               "9223372036854775807 }, { name: b, type: tag } ]\n" SECTIONS,
               "x.yaml:3:3: field 'b': the record would be larger than 2^63 bytes");
  expect_error("version: 1\nrecord: { collection: { type: set, max_members: 4294967295, member: { "
               "type: text, max_bytes: 4294967296 } } }\n" SECTIONS,
               "x.yaml:2:23: collection: the record would be larger than 2^63 bytes");
  expect_error("version: 1\n" RECORD
               "sections: { records: { count: 1 }, queries: { count: 9000000000000000000 } }\n",
               "x.yaml:3:11: sections.queries: the file would be larger than 2^63 bytes");
  expect_error(
      "version: 1\nrecord: { fields: [ { name: a, type: text, max_bytes: 0 } ] }\n" SECTIONS,
      "x.yaml:2:55: max_bytes is 0; it is at least 1");
  expect_error(
      "version: 1\nrecord: { fields: [ { name: a, type: text, length: variable, max_bytes: "
      "4294967296 } ] }\n" SECTIONS,
      "x.yaml:2:21: field 'a': max_bytes is 4294967296; a variable length counts up to "
      "4294967295");
  expect_error("version: 1\nrecord: { size: 7, fields: [ { name: a, type: numeric } ] }\n" SECTIONS,
               "x.yaml:2:9: record.size is 7, and what the record holds takes 8");
}

static void parts_that_do_not_fit(void **state) {
  (void)state;
  expect_error("version: 1\nrecord: { fields: [ { name: a, type: text }, { name: a, type: tag } ] "
               "}\n" SECTIONS,
               "x.yaml:2:46: field 'a' is there twice");
  expect_error("version: 1\nrecord: { fields: [ { name: a, type: vector, dimensions: 2, max_bytes: "
               "3 } ] }\n" SECTIONS,
               "x.yaml:2:72: a vector has no max_bytes");
  expect_error(
      "version: 1\nrecord: { fields: [ { name: a, type: text, dtype: int8 } ] }\n" SECTIONS,
      "x.yaml:2:51: a text has no dtype");
  expect_error("version: 1\n" RECORD
               "sections: { records: { count: 1 }, queries: { count: 1, query_fields: [w] } }\n",
               "x.yaml:3:72: 'w' is no field of the record");
  expect_error(
      "version: 1\nrecord: { fields: [ { name: embedding, type: text } ] }\n"
      "sections: { records: { count: 1 }, queries: { count: 1, query_fields: [embeding] } }\n",
      "x.yaml:3:72: 'embeding' is no field of the record; did you mean 'embedding'?");
  expect_error("version: 1\n" RECORD SECTIONS "field_metadata: { w: { distance_metric: l2 } }\n",
               "x.yaml:4:19: 'w' is no field of the record");
  expect_error("version: 1\n" RECORD SECTIONS "field_metadata: { v: { index_type: tag } }\n",
               "x.yaml:4:36: index_type is of text and tags; 'v' is a vector");
  expect_error("version: 1\n" RECORD SECTIONS "field_metadata: { v: { distance_metric: l3 } }\n",
               "x.yaml:4:41: distance_metric is 'l3'; it is one of l2, cosine, ip");
  expect_error("version: 1\nworkload: { type: set }\n" RECORD SECTIONS,
               "x.yaml:2:11: workload: SADD does not send fields");
  expect_error("version: 1\nworkload: { type: hash, command: SET }\n" RECORD SECTIONS,
               "x.yaml:2:34: command SET does not make a hash");
  expect_error(
      "version: 1\nworkload: { type: string }\nrecord: { fields: [ { name: a, type: text }, "
      "{ name: b, type: text } ] }\n" SECTIONS,
      "x.yaml:2:11: workload: SET sends the field 'value', and there are 2 others");
  expect_error("version: 1\n" RECORD "sections: { records: { count: 1 }, ground_truth: {} }\n",
               "x.yaml:3:50: ground_truth: there are no queries that it could belong to");
  expect_error("version: 1\n" RECORD "sections: { records: { count: 1 }, queries: { count: 1 }, "
               "ground_truth: { filter: w } }\n",
               "x.yaml:3:73: filter: no field 'w'");
  expect_error("version: 1\n" RECORD
               "sections: { records: { count: 1 }, keys: { present: true, pattern: \"%d\" } }\n",
               "x.yaml:3:68: keys that are stored have no pattern; generated ones have 'present: "
               "false'");
  expect_error(
      "version: 1\nrecord: { collection: { type: list, max_members: 1, member: { type: tag "
      "} } }\nsections: { records: { count: 1 }, queries: { count: 1 } }\n",
      "x.yaml:3:45: queries: they hold fields, and the record is a collection");
  expect_error(
      "version: 1\nrecord: { collection: { type: zset, max_members: 1, member: { fields: [ "
      "{ name: score, type: text }, { name: value, type: text } ] } } }\n" SECTIONS,
      "x.yaml:2:23: collection: 'score' is a numeric");
  expect_error(
      "version: 1\nrecord: { collection: { type: zset, max_members: 1, member: { fields: [ "
      "{ name: score, type: numeric } ] } } }\n" SECTIONS,
      "x.yaml:2:23: collection: a member of a zset is the fields 'score' and 'value'");
  expect_error("version: 1\n" RECORD
               "sections: { records: { count: 1 }, keys: { pattern: \"k\" } }\n",
               "x.yaml:3:42: keys: pattern \"k\" has no number (like %012d)");
  expect_error("version: 1\n" RECORD
               "sections: { records: { count: 1 }, keys: { pattern: \"%d:%3d\" } }\n",
               "x.yaml:3:42: keys: pattern \"%d:%3d\" has more than one number");
  expect_error(
      "version: 1\n" RECORD
      "sections: { records: { count: 1 }, keys: { pattern: \"100%x%%d\" } }\n",
      "x.yaml:3:42: keys: pattern \"100%x%%d\": \"%x%%d\" is neither %d, %Nd, %0Nd (N up to "
      "20) nor %%");
  expect_error("version: 1\nrecord: { fields: [ { name: a, type: numeric, optional: true } ] "
               "}\n" SECTIONS,
               "x.yaml:2:57: a numeric has no optional");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_example_of_the_format),
      cmocka_unit_test(defaults),
      cmocka_unit_test(queries_without_a_count_are_absent),
      cmocka_unit_test(collections),
      cmocka_unit_test(aliases_are_followed),
      cmocka_unit_test(written_back),
      cmocka_unit_test(written_as_a_person_would),
      cmocka_unit_test(a_file_is_as_it_is_written),
      cmocka_unit_test(made_without_a_file),
      cmocka_unit_test(not_yaml),
      cmocka_unit_test(limits_of_aliases),
      cmocka_unit_test(keys_missing_and_unknown),
      cmocka_unit_test(wrong_types),
      cmocka_unit_test(numbers_out_of_range),
      cmocka_unit_test(parts_that_do_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
