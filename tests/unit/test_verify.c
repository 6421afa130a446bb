/* dataset/verify: which bytes are UTF-8 and ASCII, what is counted, which examples are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataset/verify.h"
#include "dataset/writer.h"
#include "place.h"

/* A dataset of one text a record. */
static vb_dataset *make(const char *encoding, const char *const *texts, size_t count) {
  char yaml[256];
  vb_error err = {.status = 0};
  vb_schema *schema = NULL;
  vb_writer *writer = NULL;
  vb_dataset *dataset = NULL;
  int length = snprintf(yaml, sizeof yaml,
                        "version: 1\nrecord: { fields: [ { name: t, type: text, max_bytes: 8, "
                        "encoding: %s } ] }\nsections: { records: { count: 1 } }\n",
                        encoding);
  assert_int_equal(vb_schema_parse(&schema, yaml, (size_t)length, "x.yaml", &err), VB_OK);
  assert_int_equal(vb_writer_new(&writer, place_base, schema, &err), VB_OK);
  for (size_t i = 0; i < count; i++)
    strcpy(vb_writer_room(writer, VB_SECTION_RECORDS, 8, &err), texts[i]);
  assert_int_equal(vb_writer_finish(writer, &err), VB_OK);
  vb_writer_free(writer);
  vb_schema_free(schema);
  assert_int_equal(vb_dataset_open_base(&dataset, place_base, &err), VB_OK);
  return dataset;
}

/* How many texts are not in their encoding; the first of them into `example`. */
static uint64_t wrong(const char *encoding, const char *const *texts, size_t count, char *example) {
  vb_dataset *dataset = make(encoding, texts, count);
  vb_verify *verify = vb_verify_new(dataset);
  vb_error err = {.status = 0};
  int more;
  do more = vb_verify_step(verify, &err);
  while (more > 0);
  assert_int_equal(more, 0);
  assert_int_equal(vb_verify_done(verify), count);
  uint64_t found = vb_verify_count(verify, VB_FINDING_ENCODING);
  const char *text = vb_verify_example(verify, VB_FINDING_ENCODING, 0);
  strcpy(example, text ? text : "");
  for (int i = 0; i < VB_FINDINGS; i++)
    if (i != VB_FINDING_ENCODING) assert_int_equal(vb_verify_count(verify, i), 0);
  vb_verify_free(verify);
  vb_dataset_close(dataset);
  return found;
}

static void what_is_utf8_passes(void **state) {
  (void)state;
  static const char *const good[] = {
      "",
      "plain",
      "\x7f",
      "\xc2\x80",
      "\xdf\xbf",
      "\xe0\xa0\x80",
      "\xed\x9f\xbf",
      "\xee\x80\x80",
      "\xef\xbf\xbf",
      "\xf0\x90\x80\x80",
      "\xf4\x8f\xbf\xbf",
  };
  char example[256];
  assert_int_equal(wrong("utf8", good, VB_ARRAY_LENGTH(good), example), 0);
}

static void what_is_no_utf8_is_found(void **state) {
  (void)state;
  static const char *const bad[] = {
      "\x80",     /* goes on with nothing */
      "a\xc2",    /* ends early */
      "\xc0\x80", /* overlong forms */
      "\xc1\xbf",
      "\xe0\x9f\xbf",
      "\xf0\x8f\xbf\xbf",
      "\xed\xa0\x80",     /* a surrogate */
      "\xf4\x90\x80\x80", /* past U+10FFFF */
      "\xf5\x80\x80\x80",
      "\xff",
      "\xe2\x82z",
      "\xf0\x9f\x98",
  };
  char example[256];
  for (size_t i = 0; i < VB_ARRAY_LENGTH(bad); i++)
    assert_int_equal(wrong("utf8", &bad[i], 1, example), 1);
  assert_int_equal(wrong("utf8", bad, VB_ARRAY_LENGTH(bad), example), VB_ARRAY_LENGTH(bad));
  assert_string_equal(example, "record 0: t: byte 0, 0x80, is no UTF-8");
}

static void ascii_is_less(void **state) {
  (void)state;
  static const char *const texts[] = {"a\x7f", "a\xc3\xa9"};
  char example[256];
  assert_int_equal(wrong("ascii", texts, 2, example), 1);
  assert_string_equal(example, "record 1: t: byte 1, 0xc3, is no ASCII");
}

static void a_step_is_not_all(void **state) {
  (void)state;
  enum { MANY = 10000 };
  const char **texts = calloc(MANY, sizeof *texts);
  for (size_t i = 0; i < MANY; i++) texts[i] = i % 100 ? "x" : "\xff";
  vb_dataset *dataset = make("utf8", texts, MANY);
  vb_verify *verify = vb_verify_new(dataset);
  int steps = 1;
  while (vb_verify_step(verify, NULL) > 0) steps++;
  assert_int_equal(steps, 3);
  assert_int_equal(vb_verify_count(verify, VB_FINDING_ENCODING), 100);
  assert_non_null(vb_verify_example(verify, VB_FINDING_ENCODING, 4));
  assert_null(vb_verify_example(verify, VB_FINDING_ENCODING, 5));
  assert_null(vb_verify_example(verify, VB_FINDING_ID, 0));
  vb_verify_free(verify);
  vb_dataset_close(dataset);
  free(texts);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_utf8_passes),
      cmocka_unit_test(what_is_no_utf8_is_found),
      cmocka_unit_test(ascii_is_less),
      cmocka_unit_test(a_step_is_not_all),
  };
  return cmocka_run_group_tests(tests, place_make, place_remove);
}
