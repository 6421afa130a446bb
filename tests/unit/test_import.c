/* dataset/import and dataset/survey over sources in memory: which bytes a dataset gets, how far it
 * is, what is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataset/dataset.h"
#include "dataset/import.h"
#include "dataset/survey.h"
#include "place.h"
#include "table.h"

static const char yaml[] =
    "version: 1\n"
    "record: { fields: [ { name: n, type: numeric, dtype: int32 }, { name: v, type: vector, "
    "dimensions: 2, dtype: uint8 } ] }\n"
    "sections: { records: { count: 1 }, keys: { present: true, max_bytes: 2 } }\n";

static vb_source *open_text(const char *text, size_t size, const char *format) {
  vb_error err = {.status = 0};
  int fd;
  vb_source *source = table_open(text, size, format, &fd, &err);
  assert_non_null(source);
  (void)close(fd); /* the source has one of its own */
  return source;
}

/* An import of a CSV with numbers and keys beside rows of two bytes. */
static vb_import *begin(const char *csv, const char *rows, size_t size, bool truncate) {
  vb_error err = {.status = 0};
  vb_schema *schema = NULL;
  vb_import *import = NULL;
  vb_import_options options = {.truncate = truncate};
  assert_int_equal(vb_schema_parse(&schema, yaml, sizeof yaml - 1, "x.yaml", &err), VB_OK);
  assert_int_equal(vb_import_new(&import, place_base, schema, &options, &err), VB_OK);
  vb_schema_free(schema);
  vb_source *table = open_text(csv, strlen(csv), "csv"), *vectors = open_text(rows, size, "bvecs");
  assert_int_equal(vb_import_add(import, VB_TABLE_RECORDS, table, &err), 0);
  assert_int_equal(vb_import_add(import, VB_TABLE_RECORDS, vectors, &err), 1);
  assert_int_equal(vb_import_bind(import, VB_TABLE_RECORDS, 0, "n", 0, &err), VB_OK);
  assert_int_equal(vb_import_bind(import, VB_TABLE_RECORDS, 0, "k", VB_IMPORT_KEY, &err), VB_OK);
  assert_int_equal(vb_import_bind(import, VB_TABLE_RECORDS, 1, "vector", 1, &err), VB_OK);
  assert_int_equal(vb_import_bind(import, VB_TABLE_RECORDS, 0, "x", 0, &err), VB_EINVAL);
  return import;
}

static int run(vb_import *import, vb_error *err) {
  int more;
  do more = vb_import_step(import, err);
  while (more > 0);
  return more ? more : vb_import_finish(import, err);
}

static const char rows[] = "\2\0\0\0\1\2\2\0\0\0\3\4";

static void columns_of_two_files_become_records(void **state) {
  (void)state;
  vb_error err = {.status = 0};
  vb_import *import = begin("k,n\na,5\nbb,-1\n", rows, 12, false);
  assert_int_equal(run(import, &err), VB_OK);
  uint64_t done, total, count;
  (void)vb_import_progress(import, &done, &total, &count);
  assert_int_equal(count, 2);
  assert_int_equal(done, total);
  vb_import_free(import);
  vb_dataset *dataset = NULL;
  vb_view view;
  assert_int_equal(vb_dataset_open_base(&dataset, place_base, &err), VB_OK);
  vb_dataset_section(dataset, VB_SECTION_RECORDS, &view);
  assert_int_equal(view.length, 12);
  assert_memory_equal(view.data, "\5\0\0\0\1\2\377\377\377\377\3\4", 12);
  vb_dataset_section(dataset, VB_SECTION_KEYS, &view);
  assert_memory_equal(view.data, "a\0bb", 4);
  vb_dataset_close(dataset);
}

static void expect_failure(const char *csv, const char *message) {
  vb_error err = {.status = 0};
  vb_import *import = begin(csv, rows, 12, false);
  assert_int_equal(run(import, &err), VB_EINVAL);
  assert_non_null(strstr(err.text, message));
  vb_import_free(import);
}

static void what_does_not_fit_is_told_with_its_place(void **state) {
  (void)state;
  expect_failure("k,n\na,5\nb,x\n", ":3: record 1, field 'n': 'x' is no number");
  expect_failure("k,n\na,5\nb,4000000000\n", ":3: record 1, field 'n': '4000000000' does not fit");
  expect_failure("k,n\nabc,5\nb,4\n",
                 ":2: record 0, the key: the key 'abc' has 3 bytes, keys have room for 2");
  expect_failure("k,n\na,5\n", " has 1 rows, ");
  expect_failure("k,n\na,5\nb,4\nc,3\n", " has 2 rows, ");
}

static void what_is_lost_is_counted(void **state) {
  (void)state;
  vb_error err = {.status = 0};
  uint64_t missing, truncated;
  vb_import *import = begin("k,n\nabc,\n,4000000000\n", rows, 12, true);
  assert_int_equal(run(import, &err), VB_OK);
  vb_import_losses(import, VB_TABLE_RECORDS, 0, &missing, &truncated);
  assert_int_equal(missing, 1);
  assert_int_equal(truncated, 1);
  vb_import_losses(import, VB_TABLE_RECORDS, VB_IMPORT_KEY, &missing, &truncated);
  assert_int_equal(missing, 1);
  assert_int_equal(truncated, 1);
  vb_import_losses(import, VB_TABLE_QUERIES, 0, &missing, &truncated);
  assert_int_equal(missing + truncated, 0);
  vb_import_free(import);
}

static const vb_survey_column *column(const vb_survey *survey, const char *name) {
  for (uint32_t i = 0; i < vb_survey_count(survey); i++)
    if (strcmp(vb_survey_get(survey, i)->name, name) == 0) return vb_survey_get(survey, i);
  fail_msg("there is no column '%s'", name);
  return NULL;
}

static void a_survey_counts_what_columns_hold(void **state) {
  (void)state;
  static const char text[] = "{\"n\":1.5,\"t\":\"ab c\",\"v\":[1,2]}\n"
                             "{\"n\":-2,\"t\":\"ab c\",\"v\":[3,4],\"o\":{}}\n"
                             "{\"n\":9007199254740993,\"t\":null,\"v\":[5],\"o\":[\"x\"]}\n";
  vb_error err = {.status = 0};
  vb_source *source = open_text(text, sizeof text - 1, "jsonl");
  vb_survey *survey = vb_survey_new(source);
  assert_int_equal(vb_survey_step(survey, &err), 0);
  const vb_survey_column *n = column(survey, "n"), *t = column(survey, "t");
  const vb_survey_column *v = column(survey, "v"), *o = column(survey, "o");
  assert_int_equal(n->numbers, 3);
  assert_int_equal(n->integers, 2);
  assert_int_equal(n->wide, 1);
  assert_int_equal(n->negative, 1);
  assert_int_equal(t->present, 2);
  assert_int_equal(t->distinct, 1);
  assert_int_equal(t->longest, 4);
  assert_int_equal(t->spaces, 2);
  assert_int_equal(v->lists, 2);
  assert_int_equal(v->dimensions, 2);
  assert_int_equal(v->others, 1);
  assert_int_equal(o->others, 2);
  vb_survey_free(survey);
  vb_source_close(source);
}

static void texts_of_csv_may_be_numbers_and_lists(void **state) {
  (void)state;
  static const char text[] = "n,v,t\n1,1 2,a\n2,\"[3, 4]\",1 x\n";
  vb_error err = {.status = 0};
  vb_source *source = open_text(text, sizeof text - 1, "csv");
  vb_survey *survey = vb_survey_new(source);
  assert_int_equal(vb_survey_step(survey, &err), 0);
  assert_int_equal(column(survey, "n")->numbers, 2);
  assert_int_equal(column(survey, "v")->lists, 2);
  assert_int_equal(column(survey, "v")->dimensions, 2);
  assert_int_equal(column(survey, "t")->lists, 0);
  assert_null(vb_survey_get(survey, 3));
  vb_survey_free(survey);
  vb_source_close(source);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_of_two_files_become_records),
      cmocka_unit_test(what_does_not_fit_is_told_with_its_place),
      cmocka_unit_test(what_is_lost_is_counted),
      cmocka_unit_test(a_survey_counts_what_columns_hold),
      cmocka_unit_test(texts_of_csv_may_be_numbers_and_lists),
  };
  return cmocka_run_group_tests(tests, place_make, place_remove);
}
