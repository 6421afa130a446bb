/* dataset/dataset: what is read of a data file, what a broken one does, and large ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "dataset/dataset.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELDS                                                                                     \
  "version: 1\n"                                                                                   \
  "record:\n"                                                                                      \
  "  fields:\n"                                                                                    \
  "    - { name: v, type: vector, dimensions: 3 }\n"                                               \
  "    - { name: t, type: text, max_bytes: 5 }\n"                                                  \
  "    - { name: x, type: text, length: variable, max_bytes: 6 }\n"                                \
  "    - { name: b, type: blob, max_bytes: 3 }\n"                                                  \
  "    - { name: n, type: numeric, dtype: int32 }\n"

typedef struct fixture {
  char schema_path[64], data_path[64];
  vb_bytes data;
} fixture;

static int set_up(void **state) {
  static char directory[64];
  fixture *f = calloc(1, sizeof *f);
  (void)snprintf(directory, sizeof directory, "/tmp/vbench-dataset-XXXXXX");
  if (!mkdtemp(directory)) return -1;
  (void)snprintf(f->schema_path, sizeof f->schema_path, "%.40s/x.yaml", directory);
  (void)snprintf(f->data_path, sizeof f->data_path, "%.40s/x.bin", directory);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  (void)unlink(f->schema_path);
  (void)unlink(f->data_path);
  (void)rmdir(f->data_path);
  *strrchr(f->data_path, '/') = 0;
  (void)rmdir(f->data_path);
  vb_bytes_fini(&f->data);
  free(f);
  return 0;
}

static void put(const char *path, const char *data, size_t length) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

static vb_dataset *open_with(fixture *f, const char *schema) {
  vb_dataset *dataset = NULL;
  vb_error err = {0};
  put(f->schema_path, schema, strlen(schema));
  put(f->data_path, f->data.data, f->data.length);
  if (vb_dataset_open(&dataset, f->schema_path, f->data_path, &err)) fail_msg("%s", err.text);
  return dataset;
}

static void add_u32(fixture *f, uint32_t value) {
  vb_bytes_append(&f->data, &value, sizeof value);
}

static void add_record(fixture *f, const char *text, uint32_t length, int32_t number) {
  const float vector[] = {1, -2, (float)number};
  vb_bytes_append(&f->data, vector, sizeof vector);
  vb_bytes_append(&f->data, text, 5);
  add_u32(f, length);
  vb_bytes_append(&f->data, "abcdef", 6);
  vb_bytes_append(&f->data, "\1\0\0", 3);
  vb_bytes_append(&f->data, &number, sizeof number);
}

static void expect_view(vb_view view, const char *bytes, size_t length) {
  assert_int_equal(view.length, length);
  assert_memory_equal(view.data, bytes, length);
}

static void expect_field(const vb_dataset *dataset, uint64_t record, uint32_t field,
                         const char *bytes, size_t length) {
  vb_view view;
  vb_dataset_field(dataset, record, field, &view);
  expect_view(view, bytes, length);
}

static void fields_of_records(void **state) {
  fixture *f = *state;
  add_record(f, "a\0b\0\0", 2, 7);
  add_record(f, "\0\0\0\0\0", 0, -1);
  add_record(f, "12345", 6, 3);
  vb_dataset *dataset = open_with(f, FIELDS "sections: { records: { count: 3 } }\n");
  const float first[] = {1, -2, 7};
  expect_field(dataset, 0, 0, (const char *)first, sizeof first);
  expect_field(dataset, 0, 1, "a\0b", 3);
  expect_field(dataset, 1, 1, "", 0);
  expect_field(dataset, 2, 1, "12345", 5);
  expect_field(dataset, 0, 2, "ab", 2);
  expect_field(dataset, 1, 2, "", 0);
  expect_field(dataset, 2, 2, "abcdef", 6);
  expect_field(dataset, 2, 3, "\1\0\0", 3);
  expect_field(dataset, 1, 4, "\xff\xff\xff\xff", 4);
  assert_int_equal(vb_dataset_clamped(dataset), 0);
  assert_int_equal(vb_dataset_excess(dataset), 0);
  assert_int_equal(vb_dataset_empty(dataset, 0), 0);
  vb_view none;
  vb_dataset_key(dataset, 0, &none);
  assert_int_equal(none.length, 0);
  assert_int_equal(vb_dataset_neighbor(dataset, 0, 0), UINT64_MAX);
  vb_dataset_close(dataset);
}

static void a_length_past_its_field_is_clamped_and_counted(void **state) {
  fixture *f = *state;
  add_record(f, "hello", 7, 1);
  add_record(f, "hello", UINT32_MAX, 1);
  vb_dataset *dataset = open_with(f, FIELDS "sections: { records: { count: 2 } }\n");
  expect_field(dataset, 0, 2, "abcdef", 6);
  expect_field(dataset, 1, 2, "abcdef", 6);
  assert_int_equal(vb_dataset_clamped(dataset), 2);
  vb_dataset_close(dataset);
}

static void keys_queries_and_neighbours(void **state) {
  fixture *f = *state;
  add_record(f, "one\0\0", 0, 1);
  add_record(f, "two\0\0", 0, 2);
  vb_bytes_append(&f->data, "k1\0\0", 4);
  vb_bytes_append(&f->data, "k2\0x", 4);
  vb_bytes_append(&f->data, "q1\0\0\0\5\0\0\0", 9);
  vb_bytes_append(&f->data, "q2\0\0\0\6\0\0\0", 9);
  const uint32_t ids[] = {1, 0, UINT32_MAX, 2};
  const float distances[] = {0.5f, 1.5f, 0, 2};
  vb_bytes_append(&f->data, ids, sizeof ids);
  vb_bytes_append(&f->data, distances, sizeof distances);
  vb_dataset *dataset = open_with(
      f, FIELDS "sections:\n"
                "  records: { count: 2 }\n"
                "  keys: { max_bytes: 4 }\n"
                "  queries: { count: 2, query_fields: [n, t] }\n"
                "  ground_truth: { neighbors_per_query: 2, id_type: u32, distances: true }\n");
  vb_view view;
  vb_dataset_key(dataset, 0, &view);
  expect_view(view, "k1", 2);
  vb_dataset_key(dataset, 1, &view); /* ends at the first NUL */
  expect_view(view, "k2", 2);
  vb_dataset_query(dataset, 1, 1, &view);
  expect_view(view, "q2", 2);
  vb_dataset_query(dataset, 1, 4, &view);
  expect_view(view, "\6\0\0\0", 4);
  vb_dataset_query(dataset, 1, 0, &view);
  assert_int_equal(view.length, 0);
  assert_int_equal(vb_dataset_neighbor(dataset, 0, 0), 1);
  assert_int_equal(vb_dataset_neighbor(dataset, 1, 0), UINT64_MAX);
  assert_int_equal(vb_dataset_clamped(dataset), 0);
  assert_int_equal(vb_dataset_neighbor(dataset, 1, 1), UINT64_MAX); /* past the records */
  assert_int_equal(vb_dataset_clamped(dataset), 1);
  assert_true(vb_dataset_distance(dataset, 0, 1) == 1.5);
  vb_dataset_close(dataset);
}

static void keys_and_ids_of_the_other_kind(void **state) {
  fixture *f = *state;
  add_record(f, "one\0\0", 0, 1);
  add_u32(f, 0);
  vb_bytes_append(&f->data, "key!", 4);
  add_record(f, "ask\0\0", 1, 1);
  const uint64_t id = 0;
  vb_bytes_append(&f->data, &id, sizeof id);
  vb_dataset *dataset = open_with(f, FIELDS "sections:\n"
                                            "  records: { count: 1 }\n"
                                            "  keys: { max_bytes: 4, length: variable }\n"
                                            "  queries: { count: 1 }\n"
                                            "  ground_truth: { neighbors_per_query: 1 }\n");
  vb_view view;
  vb_dataset_key(dataset, 0, &view);
  assert_int_equal(view.length, 0);
  assert_int_equal(vb_dataset_empty(dataset, 0), 1);
  vb_dataset_query(dataset, 0, 2, &view);
  expect_view(view, "a", 1);
  assert_int_equal(vb_dataset_neighbor(dataset, 0, 0), 0);
  assert_true(isnan(vb_dataset_distance(dataset, 0, 0)));
  vb_dataset_close(dataset);
}

static void members_of_collections(void **state) {
  fixture *f = *state;
  const double scores[] = {2.5, 1};
  add_u32(f, 2);
  for (int i = 0; i < 2; i++) {
    vb_bytes_append(&f->data, &scores[i], sizeof scores[i]);
    vb_bytes_append(&f->data, i ? "b\0\0" : "aa\0", 3);
  }
  add_u32(f, 0);
  vb_bytes_append(&f->data, (char[22]){0}, 22);
  add_u32(f, 9);
  vb_bytes_append(&f->data, (char[22]){0}, 22);
  vb_dataset *dataset = open_with(
      f, "version: 1\n"
         "record: { collection: { type: zset, max_members: 2, member: { fields: [ { name: "
         "score, type: numeric }, { name: value, type: text, max_bytes: 3 } ] } } }\n"
         "sections: { records: { count: 3 } }\n");
  vb_view view;
  assert_int_equal(vb_dataset_members(dataset, 0), 2);
  vb_dataset_member(dataset, 0, 0, 1, &view);
  expect_view(view, "aa", 2);
  vb_dataset_member(dataset, 0, 1, 0, &view);
  expect_view(view, (const char *)&scores[1], sizeof scores[1]);
  assert_int_equal(vb_dataset_empty(dataset, 0), 0);
  assert_int_equal(vb_dataset_empty(dataset, 1), 1);
  assert_int_equal(vb_dataset_clamped(dataset), 0);
  assert_int_equal(vb_dataset_members(dataset, 2), 2);
  assert_int_equal(vb_dataset_clamped(dataset), 1);
  vb_dataset_close(dataset);
}

static void files_that_cannot_be(void **state) {
  fixture *f = *state;
  vb_dataset *dataset = (void *)1;
  vb_error err = {0};
  char want[400];
  add_record(f, "hello", 0, 1);
  put(f->schema_path, FIELDS "sections: { records: { count: 2 } }\n",
      strlen(FIELDS "sections: { records: { count: 2 } }\n"));
  assert_int_equal(vb_dataset_open(&dataset, "/nowhere/x.yaml", f->data_path, &err), VB_EIO);
  assert_string_equal(err.text, "/nowhere/x.yaml: No such file or directory");
  assert_int_equal(vb_dataset_open(&dataset, f->schema_path, f->data_path, &err), VB_EIO);
  (void)snprintf(want, sizeof want, "%s: No such file or directory", f->data_path);
  assert_string_equal(err.text, want);
  put(f->data_path, f->data.data, f->data.length);
  assert_int_equal(vb_dataset_open(&dataset, f->schema_path, f->data_path, &err), VB_EINVAL);
  (void)snprintf(want, sizeof want, "%s: 34 bytes, and the schema says 68 (2 records of 34 bytes)",
                 f->data_path);
  assert_string_equal(err.text, want);
  put(f->data_path, "", 0);
  assert_int_equal(vb_dataset_open(&dataset, f->schema_path, f->data_path, &err), VB_EINVAL);
  (void)snprintf(want, sizeof want, "%s: 0 bytes, and the schema says 68 (2 records of 34 bytes)",
                 f->data_path);
  assert_string_equal(err.text, want);
  (void)unlink(f->data_path);
  assert_int_equal(mkdir(f->data_path, 0700), 0);
  assert_int_equal(vb_dataset_open(&dataset, f->schema_path, f->data_path, &err), VB_EIO);
  (void)snprintf(want, sizeof want, "%s: a directory", f->data_path);
  assert_string_equal(err.text, want);
  assert_int_equal(vb_dataset_open(&dataset, f->data_path, f->data_path, &err), VB_EIO);
  (void)snprintf(want, sizeof want, "%s: not a file", f->data_path);
  assert_string_equal(err.text, want);
  assert_ptr_equal(dataset, (void *)1);
}

/* Root may read everything: as somebody else. */
static void a_file_that_may_not_be_read_is_named(void **state) {
  fixture *f = *state;
  vb_dataset *dataset = NULL;
  vb_error err = {0};
  char want[400];
  uid_t user = geteuid();
  add_record(f, "hello", 0, 1);
  put(f->schema_path, FIELDS "sections: { records: { count: 1 } }\n",
      strlen(FIELDS "sections: { records: { count: 1 } }\n"));
  put(f->data_path, f->data.data, f->data.length);
  assert_int_equal(chmod(f->data_path, 0), 0);
  char *directory = strndup(f->data_path, (size_t)(strrchr(f->data_path, '/') - f->data_path));
  assert_int_equal(chmod(directory, 0755), 0);
  free(directory);
  if (!user) assert_int_equal(seteuid(65534), 0);
  int status = vb_dataset_open(&dataset, f->schema_path, f->data_path, &err);
  if (!user) assert_int_equal(seteuid(user), 0);
  assert_int_equal(status, VB_EIO);
  (void)snprintf(want, sizeof want, "%s: Permission denied", f->data_path);
  assert_string_equal(err.text, want);
}

static void a_longer_file_has_an_excess(void **state) {
  fixture *f = *state;
  add_record(f, "hello", 0, 1);
  vb_bytes_append(&f->data, "more", 4);
  vb_dataset *dataset = open_with(f, FIELDS "sections: { records: { count: 1 } }\n");
  assert_int_equal(vb_dataset_excess(dataset), 4);
  vb_dataset_close(dataset);
}

static uint64_t resident_pages(void) {
  unsigned long long all = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file && fscanf(file, "%llu %llu", &all, &resident) != 2) resident = 0;
  if (file) (void)fclose(file);
  return resident;
}

/* A terabyte that takes no room: opened at once, read right at its far end. */
static void a_terabyte_opens_at_once(void **state) {
  fixture *f = *state;
  const uint64_t records = 1024ull * 1024 * 1024 * 1024 / 1000;
  const char schema[] = "version: 1\n"
                        "record: { fields: [ { name: t, type: text, max_bytes: 1000 } ] }\n"
                        "sections: { records: { count: 1099511627 }, keys: { max_bytes: 8 } }\n";
  put(f->schema_path, schema, strlen(schema));
  int fd = open(f->data_path, O_RDWR | O_CREAT, 0600);
  assert_int_equal(ftruncate(fd, (off_t)(records * 1008)), 0);
  assert_int_equal(pwrite(fd, "far", 3, (off_t)((records - 1) * 1000)), 3);
  assert_int_equal(pwrite(fd, "end", 3, (off_t)(records * 1008 - 8)), 3);
  (void)close(fd);
  vb_dataset *dataset = NULL;
  vb_error err = {0};
  uint64_t pages = resident_pages();
  double before = vb_clock_monotonic();
  if (vb_dataset_open(&dataset, f->schema_path, f->data_path, &err)) fail_msg("%s", err.text);
  assert_true(vb_clock_monotonic() - before < 0.1);
  assert_true(resident_pages() - pages < 512);
  vb_view view;
  vb_dataset_field(dataset, records - 1, 0, &view);
  expect_view(view, "far", 3);
  vb_dataset_key(dataset, records - 1, &view);
  expect_view(view, "end", 3);
  vb_dataset_advise(dataset, VB_SECTION_RECORDS, VB_USE_LOAD);
  vb_dataset_close(dataset);
}

static void a_file_cut_short_is_an_error_and_no_crash(void **state) {
  fixture *f = *state;
  enum { RECORDS = 4000 };
  vb_error err = {0};
  char want[200];
  for (int i = 0; i < RECORDS; i++) add_record(f, "hello", 3, i);
  vb_dataset *dataset = open_with(f, FIELDS "sections: { records: { count: 4000 } }\n");
  expect_field(dataset, RECORDS - 1, 1, "hello", 5);
  assert_int_equal(vb_dataset_check(dataset, &err), VB_OK);
  assert_int_equal(truncate(f->data_path, 100), 0);
  expect_field(dataset, RECORDS - 1, 1, "", 0);
  expect_field(dataset, 0, 1, "hello", 5);
  assert_int_equal(vb_dataset_check(dataset, &err), VB_EIO);
  (void)snprintf(want, sizeof want,
                 "%s: cut short while it was in use: it had 136000 bytes, now 100", f->data_path);
  assert_string_equal(err.text, want);
  vb_dataset_close(dataset);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(fields_of_records),
      TEST(a_length_past_its_field_is_clamped_and_counted),
      TEST(keys_queries_and_neighbours),
      TEST(keys_and_ids_of_the_other_kind),
      TEST(members_of_collections),
      TEST(files_that_cannot_be),
      TEST(a_file_that_may_not_be_read_is_named),
      TEST(a_longer_file_has_an_excess),
      TEST(a_terabyte_opens_at_once),
      TEST(a_file_cut_short_is_an_error_and_no_crash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
