/* dataset/repeats: which keys stand in a dataset twice, with a table for all of them and with less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "dataset/repeats.h"
#include "dataset/writer.h"
#include "place.h"

enum { RECORDS = 3000, ROOM = 16 };

/* A dataset of so many records; those of which `key_of` gives no text have no key. */
static vb_dataset *make(uint64_t count, void (*key_of)(uint64_t record, char *key)) {
  static const char yaml[] =
      "version: 1\nrecord: { fields: [ { name: t, type: text, max_bytes: 1 "
      "} ] }\nsections: { records: { count: 1 }, keys: { max_bytes: 12 } }\n";
  vb_error err = {.status = 0};
  vb_schema *schema = NULL;
  vb_writer *writer = NULL;
  vb_dataset *dataset = NULL;
  assert_int_equal(vb_schema_parse(&schema, yaml, sizeof yaml - 1, "x.yaml", &err), VB_OK);
  assert_int_equal(vb_writer_new(&writer, place_base, schema, &err), VB_OK);
  for (uint64_t i = 0; i < count; i++) {
    char key[ROOM] = "";
    key_of(i, key);
    *(char *)vb_writer_room(writer, VB_SECTION_RECORDS, 1, &err) = 'x';
    assert_int_equal(vb_writer_key(writer, key, strlen(key), &err), VB_OK);
  }
  assert_int_equal(vb_writer_finish(writer, &err), VB_OK);
  vb_writer_free(writer);
  vb_schema_free(schema);
  assert_int_equal(vb_dataset_open_base(&dataset, place_base, &err), VB_OK);
  return dataset;
}

/* How many keys came before; what `firsts` says of a record must be so. */
static uint64_t repeats_of(vb_dataset *dataset, uint64_t count, size_t bytes,
                           uint64_t (*first_of)(uint64_t record)) {
  vb_repeats *repeats = vb_repeats_new(dataset, bytes);
  uint64_t found = 0;
  for (uint64_t pass = 0; pass < vb_repeats_passes(repeats); pass++)
    for (uint64_t i = 0; i < count; i++) {
      uint64_t first = vb_repeats_look(repeats, pass, i);
      if (first == UINT64_MAX) continue;
      assert_int_equal(first, first_of(i));
      found++;
    }
  vb_repeats_free(repeats);
  return found;
}

/* Every key of the last third is one of the first third. */
static void key_of_third(uint64_t record, char *key) {
  (void)snprintf(key, ROOM, "k:%u", (unsigned)(record % 2000));
}

static uint64_t first_of_third(uint64_t record) {
  return record - 2000;
}

static void every_repeat_is_found_in_any_memory(void **state) {
  (void)state;
  vb_dataset *dataset = make(RECORDS, key_of_third);
  static const size_t bytes[] = {1 << 20, 32768, 16384, 1024, 0};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(bytes); i++)
    assert_int_equal(repeats_of(dataset, RECORDS, bytes[i], first_of_third), 1000);
  vb_dataset_close(dataset);
}

static void memory_is_what_was_given(void **state) {
  (void)state;
  vb_dataset *dataset = make(RECORDS, key_of_third);
  static const struct {
    size_t bytes;
    uint64_t least, most;
  } cases[] = {{65536, 1, 1}, {32768, 2, 2}, {8192, 5, 6}, {512, 80, 90}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_repeats *repeats = vb_repeats_new(dataset, cases[i].bytes);
    assert_in_range(vb_repeats_passes(repeats), cases[i].least, cases[i].most);
    vb_repeats_free(repeats);
  }
  vb_dataset_close(dataset);
}

static void key_of_three(uint64_t record, char *key) {
  if (record % 2) strcpy(key, "same");
}

static uint64_t always_the_second(uint64_t record) {
  (void)record;
  return 1;
}

static void the_first_is_named_and_empty_keys_are_none(void **state) {
  (void)state;
  vb_dataset *dataset = make(7, key_of_three);
  assert_int_equal(repeats_of(dataset, 7, 1 << 20, always_the_second), 2);
  vb_dataset_close(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_repeat_is_found_in_any_memory),
      cmocka_unit_test(memory_is_what_was_given),
      cmocka_unit_test(the_first_is_named_and_empty_keys_are_none),
  };
  return cmocka_run_group_tests(tests, place_make, place_remove);
}
