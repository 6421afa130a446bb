/* dataset/filter: conditions under each query's own tags and numbers, and ground truth of a dataset
 * under them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataset/truth_dataset.h"
#include "dataset/writer.h"

static const char text[] =
    "version: 1\n"
    "record:\n"
    "  fields:\n"
    "    - { name: v, type: vector, dimensions: 1 }\n"
    "    - { name: kind, type: tag, max_bytes: 12 }\n"
    "    - { name: price, type: numeric, dtype: int64 }\n"
    "    - { name: rating, type: numeric, dtype: float16 }\n"
    "    - { name: other, type: vector, dimensions: 1, dtype: int8 }\n"
    "sections: { records: { count: 1 }, queries: { count: 1, query_fields: [v, kind, price] } }\n";

typedef struct row {
  float v;
  char kind[12];
  int64_t price;
} row;

static const row records[] = {
    {0, "red", 5},  {1, "blue, RED", 9007199254740993}, {2, "green", 9007199254740992}, {3, "", 7},
    {4, "blue", 8},
};
static const row queries[] = {
    {0.1f, "Red", 9007199254740993}, {3.9f, " green ,blue", 8}, {0, ", ", 7}};

static void put_row(vb_writer *writer, int section, const row *from) {
  char bytes[27] = {0};
  memcpy(bytes, &from->v, 4);
  memcpy(bytes + 4, from->kind, 12);
  memcpy(bytes + 16, &from->price, 8);
  size_t size = section == VB_SECTION_RECORDS ? 27 : 24;
  assert_int_equal(vb_writer_put(writer, section, bytes, size, NULL), VB_OK);
}

static vb_dataset *write_dataset(const char *base) {
  vb_schema *schema = NULL;
  vb_writer *writer = NULL;
  vb_dataset *dataset = NULL;
  vb_error err = {0};
  if (vb_schema_parse(&schema, text, strlen(text), "x.yaml", &err)) fail_msg("%s", err.text);
  if (vb_writer_new(&writer, base, schema, &err)) fail_msg("%s", err.text);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(records); i++)
    put_row(writer, VB_SECTION_RECORDS, &records[i]);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(queries); i++)
    put_row(writer, VB_SECTION_QUERIES, &queries[i]);
  if (vb_writer_finish(writer, &err)) fail_msg("%s", err.text);
  if (vb_dataset_open(&dataset, vb_writer_schema_path(writer), vb_writer_data_path(writer), &err))
    fail_msg("%s", err.text);
  unlink(vb_writer_schema_path(writer));
  unlink(vb_writer_data_path(writer));
  vb_writer_free(writer);
  vb_schema_free(schema);
  return dataset;
}

static int set_up(void **state) {
  char base[] = "/tmp/vbench-filter-XXXXXX";
  close(mkstemp(base));
  unlink(base);
  *state = write_dataset(base);
  return 0;
}

static int tear_down(void **state) {
  vb_dataset_close(*state);
  return 0;
}

/* Records that a query asks for, as bits. */
static unsigned allowed(const vb_dataset *dataset, const char *conditions, uint64_t query) {
  vb_filter *filter = NULL;
  vb_error err = {0};
  if (vb_filter_new(&filter, vb_dataset_schema(dataset), conditions, &err))
    fail_msg("%s", err.text);
  vb_filter_attach(filter, dataset, 0);
  unsigned bits = 0;
  for (uint64_t i = 0; i < VB_ARRAY_LENGTH(records); i++)
    bits |= (unsigned)vb_filter_allows(filter, query, i) << i;
  vb_filter_free(filter);
  return bits;
}

static void a_tag_is_shared(void **state) {
  assert_int_equal(allowed(*state, "kind", 0), 1 | 2);
  assert_int_equal(allowed(*state, "kind=", 1), 2 | 4 | 16);
  assert_int_equal(allowed(*state, "kind", 2), 31); /* a query without tags asks for any */
}

static void numbers_compare_exactly(void **state) {
  assert_int_equal(allowed(*state, "price", 0), 2);
  assert_int_equal(allowed(*state, "price<", 0), 1 | 4 | 8 | 16);
  assert_int_equal(allowed(*state, "price<=", 1), 1 | 8 | 16);
  assert_int_equal(allowed(*state, "price>", 1), 2 | 4);
  assert_int_equal(allowed(*state, "price>=", 1), 2 | 4 | 16);
}

static void all_conditions_hold(void **state) {
  assert_int_equal(allowed(*state, "kind, price>", 1), 2 | 4);
  assert_int_equal(allowed(*state, "*", 1), 16);
}

static void the_text_of_a_filter(void **state) {
  const char *const texts[][2] = {
      {"*", "kind price"}, {" kind ,price<= ", "kind price<="}, {"price=", "price"}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(texts); i++) {
    vb_filter *filter = NULL;
    assert_int_equal(vb_filter_new(&filter, vb_dataset_schema(*state), texts[i][0], NULL), VB_OK);
    assert_string_equal(vb_filter_text(filter), texts[i][1]);
    vb_filter_free(filter);
  }
}

static void conditions_that_cannot_be(void **state) {
  const char *const bad[][2] = {
      {"", "filter: no condition; the queries' tags and numbers are what it may name"},
      {"prise<", "filter: no field 'prise'; did you mean 'price'?"},
      {"rating", "filter: the queries do not hold the field 'rating'"},
      {"v", "filter: 'v' is a vector; conditions are of tags and numbers"},
      {"kind<", "filter: 'kind' is a tag, which is shared or not: write kind"},
      {"price<>", "filter: 'price<>': behind a name stands <, <=, >, >= or nothing"},
      {"price<5", "filter: 'price<5': behind a name stands <, <=, >, >= or nothing"},
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(bad); i++) {
    vb_filter *filter = NULL;
    vb_error err = {0};
    assert_int_equal(vb_filter_new(&filter, vb_dataset_schema(*state), bad[i][0], &err), VB_EINVAL);
    assert_string_equal(err.text, bad[i][1]);
    assert_null(filter);
  }
}

static void ground_truth_of_a_dataset(void **state) {
  vb_filter *filter = NULL;
  vb_truth *truth = NULL;
  uint64_t neighbors = 0;
  vb_error err = {0};
  assert_int_equal(vb_filter_new(&filter, vb_dataset_schema(*state), "kind", NULL), VB_OK);
  vb_truth_choice choice = {.neighbors = 3, .first_query = 1, .filter = filter};
  if (vb_truth_start_dataset(&truth, *state, &choice, &neighbors, &err)) fail_msg("%s", err.text);
  while (!vb_truth_wait(truth, 1000)) {
  }
  const uint64_t expected[] = {4, 2, 1, 0, 1, 2};
  assert_int_equal(neighbors, 3);
  assert_memory_equal(vb_truth_ids(truth), expected, sizeof expected);
  assert_true(fabsf(vb_truth_distances(truth)[1] - 1.9f) < 1e-6f);
  vb_truth_free(truth);
  vb_filter_free(filter);
}

static void truth_that_cannot_be(void **state) {
  const struct {
    vb_truth_choice choice;
    const char *message;
  } bad[] = {
      {{.field = "w"}, "ground truth: no field 'w'"},
      {{.field = "other"}, "ground truth: the queries do not hold the field 'other'"},
      {{.field = "kind"}, "ground truth: 'kind' is a tag, not a vector"},
      {{.first_query = 2, .queries = 2}, "ground truth: queries 2 to 4 of 3"},
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(bad); i++) {
    vb_truth *truth = NULL;
    vb_error err = {0};
    assert_int_equal(vb_truth_start_dataset(&truth, *state, &bad[i].choice, NULL, &err), VB_EINVAL);
    assert_string_equal(err.text, bad[i].message);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_tag_is_shared),           cmocka_unit_test(numbers_compare_exactly),
      cmocka_unit_test(all_conditions_hold),       cmocka_unit_test(the_text_of_a_filter),
      cmocka_unit_test(conditions_that_cannot_be), cmocka_unit_test(ground_truth_of_a_dataset),
      cmocka_unit_test(truth_that_cannot_be),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
