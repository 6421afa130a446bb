/* dataset/writer: what is written section by section is a dataset, or no file is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dataset/dataset.h"
#include "dataset/writer.h"
#include "place.h"

static const char vectors[] =
    "version: 1\n"
    "record: { fields: [ { name: v, type: vector, dimensions: 2 }, { name: t, type: text, "
    "max_bytes: 3 } ] }\n"
    "sections: { records: { count: 99 }, keys: { present: true, max_bytes: 4, length: variable },\n"
    "  queries: { present: true, count: 1, query_fields: [v] },\n"
    "  ground_truth: { present: true, neighbors_per_query: 2, id_type: u32, distances: true } }\n";

static vb_writer *open_writer(const char *text) {
  vb_error err = {.status = 0};
  vb_schema *schema = NULL;
  vb_writer *writer = NULL;
  assert_int_equal(vb_schema_parse(&schema, text, strlen(text), "x.yaml", &err), VB_OK);
  assert_int_equal(vb_writer_new(&writer, place_base, schema, &err), VB_OK);
  vb_schema_free(schema);
  return writer;
}

static void put_record(vb_writer *writer, float first, const char *text) {
  float values[2] = {first, 0.5f};
  char *at = vb_writer_room(writer, VB_SECTION_RECORDS, 11, NULL);
  assert_non_null(at);
  memcpy(at, values, sizeof values);
  memcpy(at + 8, text, strlen(text));
}

static void put_query(vb_writer *writer, float first, const uint64_t *ids) {
  float values[2] = {first, 0.25f};
  assert_int_equal(vb_writer_put(writer, VB_SECTION_QUERIES, values, 8, NULL), VB_OK);
  assert_int_equal(vb_writer_ids(writer, ids, 2, NULL), VB_OK);
  assert_int_equal(vb_writer_put(writer, VB_SECTION_DISTANCES, values, 8, NULL), VB_OK);
}

static void expect_view(vb_view view, const void *bytes, size_t length) {
  assert_int_equal(view.length, length);
  assert_memory_equal(view.data, bytes, length);
}

static void sections_may_be_written_by_turns(void **state) {
  (void)state;
  static const uint64_t ids[2][2] = {{1, 0}, {2, UINT64_MAX}};
  char key[8];
  vb_error err = {.status = 0};
  vb_writer *writer = open_writer(vectors);
  put_query(writer, 10, ids[0]);
  for (int i = 0; i < 40000; i++) { /* more than any buffer */
    put_record(writer, (float)i, "ab");
    (void)snprintf(key, sizeof key, "%d", i % 10000);
    assert_int_equal(vb_writer_key(writer, key, strlen(key), &err), VB_OK);
  }
  put_query(writer, 11, ids[1]);
  assert_int_equal(access(place_data, F_OK), -1);
  assert_int_equal(vb_writer_finish(writer, &err), VB_OK);
  vb_writer_free(writer);
  vb_dataset *dataset = NULL;
  vb_view view;
  assert_int_equal(vb_dataset_open(&dataset, place_schema, place_data, &err), VB_OK);
  assert_int_equal(vb_dataset_excess(dataset), 0);
  assert_int_equal(vb_dataset_schema(dataset)->records, 40000);
  assert_int_equal(vb_dataset_schema(dataset)->queries, 2);
  vb_dataset_field(dataset, 39999, 0, &view);
  expect_view(view, (float[2]){39999, 0.5f}, 8);
  vb_dataset_field(dataset, 39999, 1, &view);
  expect_view(view, "ab", 2);
  vb_dataset_key(dataset, 12345, &view);
  expect_view(view, "2345", 4);
  vb_dataset_query(dataset, 1, 0, &view);
  expect_view(view, (float[2]){11, 0.25f}, 8);
  assert_int_equal(vb_dataset_neighbor(dataset, 0, 0), 1);
  assert_true(vb_dataset_neighbor(dataset, 1, 1) == UINT64_MAX);
  assert_true(vb_dataset_distance(dataset, 1, 0) == 11);
  vb_dataset_close(dataset);
}

static void expect_refusal(vb_writer *writer, const char *message) {
  vb_error err = {.status = 0};
  assert_int_equal(vb_writer_finish(writer, &err), VB_EINVAL);
  assert_string_equal(strchr(err.text, ' ') + 1, message);
  vb_writer_free(writer);
}

static void counts_that_do_not_belong_together_are_refused(void **state) {
  (void)state;
  vb_writer *writer = open_writer(vectors);
  put_record(writer, 1, "");
  expect_refusal(writer, "0 keys, but 1 records");
  writer = open_writer(vectors);
  put_record(writer, 1, "");
  assert_int_equal(vb_writer_key(writer, "a", 1, NULL), VB_OK);
  assert_int_equal(vb_writer_put(writer, VB_SECTION_QUERIES, "12345678", 8, NULL), VB_OK);
  expect_refusal(writer, "0 rows of neighbours, but 1 queries");
  writer = open_writer(vectors);
  expect_refusal(writer, "there are no records");
  writer = open_writer(vectors);
  assert_int_equal(vb_writer_put(writer, VB_SECTION_RECORDS, "12345678", 8, NULL), VB_OK);
  expect_refusal(writer, "8 bytes of records, which take 11 bytes each");
}

static void a_key_has_to_fit(void **state) {
  (void)state;
  vb_error err = {.status = 0};
  vb_writer *writer = open_writer(vectors);
  assert_int_equal(vb_writer_key(writer, "abcde", 5, &err), VB_EINVAL);
  assert_string_equal(err.text, "the key 'abcde' has 5 bytes, keys have room for 4");
  vb_writer_free(writer);
  writer = open_writer("version: 1\nrecord: { fields: [ { name: t, type: tag } ] }\n"
                       "sections: { records: { count: 1 }, keys: { present: true } }\n");
  assert_int_equal(vb_writer_key(writer, "a\0b", 3, &err), VB_EINVAL);
  vb_writer_free(writer);
}

/* As a full disk does it: a write that fails half way. */
static void a_write_that_fails_leaves_nothing(void **state) {
  (void)state;
  struct rlimit before, low = {1 << 20, RLIM_INFINITY};
  vb_error err = {.status = 0};
  vb_writer *writer = open_writer(vectors);
  (void)unlink(place_data);
  (void)unlink(place_schema);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  low.rlim_max = before.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
  int status = VB_OK;
  static char block[110 * 1024];
  for (int i = 0; i < 20 && !status; i++)
    status = vb_writer_put(writer, VB_SECTION_RECORDS, block, sizeof block, &err);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, VB_EIO);
  assert_non_null(strstr(err.text, "x.bin: File too large"));
  vb_writer_free(writer);
  assert_int_equal(access(place_data, F_OK), -1);
}

static void the_old_dataset_stays_when_the_schema_cannot_be_written(void **state) {
  (void)state;
  struct rlimit before, low = {64, RLIM_INFINITY}; /* room for a record, not for a schema */
  vb_error err = {.status = 0};
  vb_dataset *dataset = NULL;
  static const char text[] = "version: 1\nrecord: { fields: [ { name: v, type: numeric } ] }\n"
                             "sections: { records: { count: 1 } }\n";
  for (double value = 1; value < 3; value++) {
    vb_writer *writer = open_writer(text);
    assert_int_equal(vb_writer_put(writer, VB_SECTION_RECORDS, &value, sizeof value, &err), VB_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low.rlim_max = before.rlim_max;
    if (value > 1) assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    int status = vb_writer_finish(writer, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, value > 1 ? VB_EIO : VB_OK);
    vb_writer_free(writer);
  }
  assert_non_null(strstr(err.text, "File too large"));
  assert_int_equal(vb_dataset_open(&dataset, place_schema, place_data, &err), VB_OK);
  vb_view view;
  double first = 1;
  vb_dataset_field(dataset, 0, 0, &view);
  expect_view(view, &first, sizeof first);
  vb_dataset_close(dataset);
}

enum { WRITERS = 4, ROUNDS = 40 };

/* The same dataset, again and again. */
static void *write_often(void *failures) {
  static const char text[] = "version: 1\nrecord: { fields: [ { name: v, type: numeric } ] }\n"
                             "sections: { records: { count: 1 } }\n";
  for (int i = 0; i < ROUNDS; i++) {
    vb_error err = {.status = 0};
    vb_schema *schema = NULL;
    vb_writer *writer = NULL;
    double value = 7;
    int status = vb_schema_parse(&schema, text, strlen(text), "x.yaml", &err);
    if (!status) status = vb_writer_new(&writer, place_base, schema, &err);
    if (!status) status = vb_writer_put(writer, VB_SECTION_RECORDS, &value, sizeof value, &err);
    if (!status) status = vb_writer_finish(writer, &err);
    vb_writer_free(writer);
    vb_schema_free(schema);
    if (status) fprintf(stderr, "%s\n", err.text);
    atomic_fetch_add((atomic_int *)failures, status != VB_OK);
  }
  return NULL;
}

/* As the states of a script do that records at load. Once it is there, it can always be opened. */
static void threads_may_write_the_same_dataset(void **state) {
  (void)state;
  pthread_t threads[WRITERS];
  atomic_int failures = 0;
  vb_error err = {.status = 0};
  (void)write_often(&failures);
  for (int i = 0; i < WRITERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, write_often, &failures), 0);
  for (int i = 0; i < ROUNDS; i++) {
    vb_dataset *dataset = NULL;
    assert_int_equal(vb_dataset_open(&dataset, place_schema, place_data, &err), VB_OK);
    vb_dataset_close(dataset);
  }
  for (int i = 0; i < WRITERS; i++) (void)pthread_join(threads[i], NULL);
  assert_int_equal(failures, 0);
}

static void a_place_that_cannot_be_written_to_is_told_at_once(void **state) {
  (void)state;
  vb_error err = {.status = 0};
  vb_schema *schema = NULL;
  vb_writer *writer = NULL;
  assert_int_equal(vb_schema_parse(&schema, vectors, strlen(vectors), "x.yaml", &err), VB_OK);
  assert_int_equal(vb_writer_new(&writer, "/nowhere/x", schema, &err), VB_EIO);
  assert_string_equal(err.text, "/nowhere/x.bin: No such file or directory");
  assert_int_equal(vb_writer_new(&writer, "/tmp/", schema, &err), VB_EINVAL);
  assert_null(writer);
  vb_schema_free(schema);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sections_may_be_written_by_turns),
      cmocka_unit_test(counts_that_do_not_belong_together_are_refused),
      cmocka_unit_test(a_key_has_to_fit),
      cmocka_unit_test(a_write_that_fails_leaves_nothing),
      cmocka_unit_test(the_old_dataset_stays_when_the_schema_cannot_be_written),
      cmocka_unit_test(threads_may_write_the_same_dataset),
      cmocka_unit_test(a_place_that_cannot_be_written_to_is_told_at_once),
  };
  return cmocka_run_group_tests(tests, place_make, place_remove);
}
