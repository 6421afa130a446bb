/* dataset/layout: offsets and sizes of every type, section and query field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dataset/layout.h"

static vb_schema *parse(const char *text) {
  vb_schema *schema = NULL;
  vb_error err = {0};
  if (vb_schema_parse(&schema, text, strlen(text), "x.yaml", &err)) fail_msg("%s", err.text);
  return schema;
}

static vb_layout lay_out(const vb_schema *schema) {
  vb_layout layout;
  vb_error err = {0};
  if (vb_layout_init(&layout, schema, &err)) fail_msg("%s", err.text);
  return layout;
}

static void expect_place(vb_place place, uint64_t offset, uint64_t size) {
  assert_int_equal(place.offset, offset);
  assert_int_equal(place.size, size);
}

static void fields_follow_each_other(void **state) {
  (void)state;
  vb_schema *schema =
      parse("version: 1\n"
            "record:\n"
            "  fields:\n"
            "    - { name: a, type: vector, dimensions: 3 }\n"
            "    - { name: b, type: vector, dimensions: 9, dtype: binary }\n"
            "    - { name: c, type: numeric, dtype: u32 }\n"
            "    - { name: d, type: text, length: variable, max_bytes: 5 }\n"
            "    - { name: e, type: tag, max_bytes: 7 }\n"
            "    - { name: f, type: vector, dimensions: 3, dtype: float16 }\n"
            "sections:\n"
            "  records: { count: 10, offset: 3 }\n"
            "  keys: { length: variable, max_bytes: 11 }\n"
            "  queries: { count: 4, query_fields: [f, b] }\n"
            "  ground_truth: { neighbors_per_query: 5, id_type: u32, distances: true }\n");
  vb_layout layout = lay_out(schema);
  expect_place(layout.fields[0], 0, 12);
  expect_place(layout.fields[1], 12, 2);
  expect_place(layout.fields[2], 14, 4);
  expect_place(layout.fields[3], 18, 9);
  expect_place(layout.fields[4], 27, 7);
  expect_place(layout.fields[5], 34, 6);
  assert_int_equal(layout.record_size, 40);
  expect_place(layout.query_fields[1], 0, 2); /* in record order, not as listed */
  expect_place(layout.query_fields[5], 2, 6);
  expect_place(layout.query_fields[0], 0, 0);
  expect_place(layout.sections[VB_SECTION_RECORDS], 3, 400);
  expect_place(layout.sections[VB_SECTION_KEYS], 403, 150);
  expect_place(layout.sections[VB_SECTION_QUERIES], 553, 32);
  expect_place(layout.sections[VB_SECTION_TRUTH], 585, 80);
  expect_place(layout.sections[VB_SECTION_DISTANCES], 665, 80);
  assert_int_equal(layout.total, 745);
  vb_layout_fini(&layout);
  vb_schema_free(schema);
}

static void every_dtype_has_its_size(void **state) {
  (void)state;
  const struct {
    const char *name;
    uint64_t size;
  } types[] = {{"float32", 68}, {"float16", 34}, {"float64", 136}, {"int8", 17},
               {"uint8", 17},   {"int32", 68},   {"int64", 136},   {"uint32", 68},
               {"uint64", 136}, {"u32", 68},     {"u64", 136},     {"binary", 3}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(types); i++) {
    char text[200];
    (void)snprintf(
        text, sizeof text,
        "version: 1\nrecord: { fields: [ { name: v, type: vector, dimensions: 17, dtype: "
        "%s } ] }\nsections: { records: { count: 1 } }\n",
        types[i].name);
    vb_schema *schema = parse(text);
    vb_layout layout = lay_out(schema);
    assert_int_equal(layout.total, types[i].size);
    vb_layout_fini(&layout);
    vb_schema_free(schema);
  }
}

static void collections_are_a_count_and_slots(void **state) {
  (void)state;
  vb_schema *schema = parse(
      "version: 1\n"
      "record: { collection: { type: zset, max_members: 10, member: { fields: [ { name: score, "
      "type: numeric }, { name: value, type: text } ] } } }\n"
      "sections: { records: { count: 2 } }\n");
  vb_layout layout = lay_out(schema);
  assert_int_equal(layout.member_size, 72);
  assert_int_equal(layout.record_size, 724);
  expect_place(layout.fields[1], 8, 64);
  vb_layout_fini(&layout);
  vb_schema_free(schema);
}

static void a_record_may_be_padded(void **state) {
  (void)state;
  vb_schema *schema = parse("version: 1\n"
                            "record: { size: 100, fields: [ { name: n, type: numeric } ] }\n"
                            "sections: { records: { count: 2 }, queries: { count: 1 } }\n");
  vb_layout layout = lay_out(schema);
  assert_int_equal(layout.record_size, 100);
  assert_int_equal(layout.query_size, 8);
  assert_int_equal(layout.total, 208);
  vb_layout_fini(&layout);
  vb_schema_free(schema);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_follow_each_other),
      cmocka_unit_test(every_dtype_has_its_size),
      cmocka_unit_test(collections_are_a_count_and_slots),
      cmocka_unit_test(a_record_may_be_padded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
