/* keyspace/stored: which records have a key, of a dataset whose keys repeat and may be empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keyspace/parse.h"
#include "keyspace/stored.h"

#include <unistd.h>

enum { RECORDS = 1000, KEY = 8 };

typedef struct fixture {
  vb_dataset *dataset;
  vb_keyspace *keyspace;
  vb_stored *stored;
} fixture;

/* Each key is of two records, but for that of record 3, which is empty. */
static void write_files(const char *schema, const char *data) {
  FILE *file = fopen(schema, "wb");
  assert_non_null(file);
  (void)fprintf(file,
                "version: 1\nrecord: { fields: [ { name: b, type: blob, max_bytes: 1 } ] }\n"
                "sections: { records: { count: %d }, keys: { max_bytes: %d } }\n",
                RECORDS, KEY);
  assert_int_equal(fclose(file), 0);
  file = fopen(data, "wb");
  assert_non_null(file);
  for (int i = 0; i < RECORDS; i++) (void)fputc('b', file);
  for (int i = 0; i < RECORDS; i++) {
    char key[KEY + 8] = "";
    if (i != 3) (void)snprintf(key, sizeof key, "a*%03d", i % (RECORDS / 2));
    assert_int_equal(fwrite(key, KEY, 1, file), 1);
  }
  assert_int_equal(fclose(file), 0);
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  char directory[] = "/tmp/vbench-stored-XXXXXX", schema[64], data[64];
  vb_error err = {0};
  if (!mkdtemp(directory)) return -1;
  (void)snprintf(schema, sizeof schema, "%s/x.yaml", directory);
  (void)snprintf(data, sizeof data, "%s/x.bin", directory);
  write_files(schema, data);
  if (vb_dataset_open(&f->dataset, schema, data, &err)) fail_msg("%s", err.text);
  (void)unlink(schema);
  (void)unlink(data);
  (void)rmdir(directory);
  vb_keyspace_spec spec = {.name = "x", .dataset = f->dataset, .size = RECORDS};
  if (vb_keyspace_new(&f->keyspace, &spec, &err)) fail_msg("%s", err.text);
  if (vb_stored_new(&f->stored, f->keyspace, &err)) fail_msg("%s", err.text);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  vb_stored_free(f->stored);
  vb_stored_free(NULL);
  vb_keyspace_free(f->keyspace);
  vb_dataset_close(f->dataset);
  free(f);
  return 0;
}

static void expect(const fixture *f, const char *key, uint64_t first, uint64_t second) {
  uint64_t found = vb_stored_find(f->stored, key, strlen(key), VB_STORED_NONE);
  assert_true(found == first);
  if (found == VB_STORED_NONE) return;
  found = vb_stored_find(f->stored, key, strlen(key), found);
  assert_true(found == second);
  if (found != VB_STORED_NONE)
    assert_true(vb_stored_find(f->stored, key, strlen(key), found) == VB_STORED_NONE);
}

static void every_key_has_its_records_in_order(void **state) {
  char key[KEY + 8];
  for (uint64_t i = 0; i < RECORDS / 2; i++) {
    (void)snprintf(key, sizeof key, "a*%03d", (int)i);
    expect(*state, key, i == 3 ? i + RECORDS / 2 : i, i == 3 ? VB_STORED_NONE : i + RECORDS / 2);
  }
}

static void other_keys_have_none(void **state) {
  expect(*state, "", VB_STORED_NONE, 0);
  expect(*state, "a*500", VB_STORED_NONE, 0);
  expect(*state, "a*00", VB_STORED_NONE, 0);
  expect(*state, "a*0000", VB_STORED_NONE, 0);
}

static void the_prefix_is_what_all_keys_begin_with(void **state) {
  const char *text;
  char match[16];
  size_t length = vb_stored_prefix_view(((fixture *)*state)->stored, &text);
  assert_int_equal(length, 2);
  assert_int_equal(vb_match_prefix(text, length, match, sizeof match), 4);
  assert_string_equal(match, "a\\**");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key_has_its_records_in_order),
      cmocka_unit_test(other_keys_have_none),
      cmocka_unit_test(the_prefix_is_what_all_keys_begin_with),
  };
  return cmocka_run_group_tests_name("stored", tests, set_up, tear_down);
}
