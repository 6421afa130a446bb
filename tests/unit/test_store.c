/* dataset/list and dataset/store: what cells become in a record, and what is said of those that do
 * not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "dataset/list.h"
#include "dataset/store.h"

static const vb_column plain = {.dtype = -1};
static char record[64];

/* Stores a cell into a field at byte 3 of a zeroed record; 0, or the message. */
static const char *put(const vb_field *field, const vb_column *column, vb_cell cell, bool truncate,
                       vb_store *kept) {
  static vb_error err;
  uint64_t size = field->type == VB_FIELD_VECTOR ? vb_dtype_bytes(field->dtype, field->dimensions)
                  : field->type == VB_FIELD_NUMERIC ? vb_dtype_bytes(field->dtype, 1)
                                                    : field->max_bytes;
  vb_store store = {.field = field, .offset = 3, .size = size, .truncate = truncate};
  memset(record, 0, sizeof record);
  int status = vb_store_cell(&store, column, &cell, record, &err);
  if (kept) *kept = store;
  return status ? err.text : NULL;
}

static vb_cell cell_of(int kind, const char *text) {
  return (vb_cell){text, strlen(text), kind};
}

static void expect_text(const vb_field *field, int kind, const char *text, const char *bytes,
                        size_t length) {
  const char *wrong = put(field, &plain, cell_of(kind, text), false, NULL);
  assert_null(wrong);
  assert_memory_equal(record + 3, bytes, length);
  assert_memory_equal(record, "\0\0\0", 3);
}

static void expect_wrong(const vb_field *field, int kind, const char *text, const char *message) {
  const char *wrong = put(field, &plain, cell_of(kind, text), false, NULL);
  assert_non_null(wrong);
  assert_string_equal(wrong, message);
}

static void texts_are_padded_or_have_their_length(void **state) {
  (void)state;
  vb_field field;
  vb_field_init(&field, VB_FIELD_TEXT);
  field.max_bytes = 6;
  expect_text(&field, VB_CELL_TEXT, "abc", "abc\0\0\0\0", 7);
  expect_text(&field, VB_CELL_NUMBER, "1.50", "1.50\0\0", 6);
  expect_text(&field, VB_CELL_BOOLEAN, "true", "true\0\0", 6);
  expect_text(&field, VB_CELL_EMPTY, "", "\0\0\0\0\0\0", 6);
  field.variable = 1;
  expect_text(&field, VB_CELL_TEXT, "abc", "\3\0\0\0abc\0\0\0", 10);
  expect_wrong(&field, VB_CELL_OBJECT, "{}", "a nested object stands for a text");
  expect_wrong(&field, VB_CELL_TEXT, "1234567",
               "a text of 7 bytes does not fit max_bytes 6; --truncate cuts it");
  field.encoding = VB_ENCODING_ASCII;
  expect_wrong(&field, VB_CELL_TEXT, "a\xc3\xa9", "byte 1 is not ASCII, the encoding of the field");
}

static void a_text_is_cut_between_two_characters(void **state) {
  (void)state;
  static const struct {
    const char *text, *cut;
    size_t max;
  } examples[] = {{"ab\xc3\xa9", "ab", 3},
                  {"ab\xc3\xa9z", "ab\xc3\xa9", 4},
                  {"\xf0\x9f\x98\x80z", "", 3},
                  {"\xf0\x9f\x98\x80z", "\xf0\x9f\x98\x80", 4},
                  {"a\x80\x80\x80\x80z", "a\x80\x80\x80\x80", 5},
                  {"abcd", "abc", 3}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(examples); i++) {
    vb_field field;
    vb_store store;
    vb_field_init(&field, VB_FIELD_TEXT);
    field.max_bytes = examples[i].max;
    assert_null(put(&field, &plain, cell_of(VB_CELL_TEXT, examples[i].text), true, &store));
    assert_string_equal(record + 3, examples[i].cut);
    assert_int_equal(store.truncated, 1);
  }
}

static void a_missing_value_is_counted(void **state) {
  (void)state;
  vb_field text, number;
  vb_store store;
  vb_field_init(&text, VB_FIELD_TEXT);
  vb_field_init(&number, VB_FIELD_NUMERIC);
  assert_null(put(&text, &plain, cell_of(VB_CELL_NONE, ""), false, &store));
  assert_int_equal(store.missing, 1);
  assert_null(put(&number, &plain, cell_of(VB_CELL_EMPTY, ""), false, &store));
  assert_int_equal(store.missing, 1);
  assert_null(put(&text, &plain, cell_of(VB_CELL_EMPTY, ""), false, &store));
  assert_int_equal(store.missing, 0);
}

static void numbers_are_stored_in_their_type(void **state) {
  (void)state;
  vb_field field;
  vb_store store;
  vb_field_init(&field, VB_FIELD_NUMERIC);
  expect_text(&field, VB_CELL_TEXT, " 2 ", "\0\0\0\0\0\0\0\x40", 8);
  field.dtype = VB_DTYPE_INT8;
  expect_text(&field, VB_CELL_NUMBER, "-1", "\xff\0", 2);
  expect_wrong(&field, VB_CELL_NUMBER, "128", "'128' does not fit int8");
  expect_wrong(&field, VB_CELL_TEXT, "red", "'red' is no number");
  expect_wrong(&field, VB_CELL_TEXT, "", "'' is no number");
  expect_wrong(&field, VB_CELL_BOOLEAN, "true", "'true' is no number");
  expect_wrong(&field, VB_CELL_LIST, "[1]", "an array stands for a number");
  assert_null(put(&field, &plain, cell_of(VB_CELL_NUMBER, "1e9"), true, &store));
  assert_int_equal(record[3], 127);
  assert_int_equal(store.truncated, 1);
  vb_column two = {.dtype = VB_DTYPE_INT8, .dimensions = 2};
  assert_string_equal(put(&field, &two, (vb_cell){"\1\2", 2, VB_CELL_VALUES}, false, NULL),
                      "2 values stand for a number");
}

static void vectors_come_as_lists_or_values(void **state) {
  (void)state;
  vb_field field;
  vb_field_init(&field, VB_FIELD_VECTOR);
  field.dtype = VB_DTYPE_INT8;
  field.dimensions = 3;
  expect_text(&field, VB_CELL_LIST, "[1, -2,3]", "\1\xfe\3", 3);
  expect_text(&field, VB_CELL_TEXT, " 1;-2  3\t", "\1\xfe\3", 3);
  expect_wrong(&field, VB_CELL_LIST, "[1, 2]", "2 values, the field has 3 dimensions");
  expect_wrong(&field, VB_CELL_LIST, "[1, 2, 3, 4, 5]", "5 values, the field has 3 dimensions");
  expect_wrong(&field, VB_CELL_TEXT, "1 x 3", "value 1, 'x', is no number");
  expect_wrong(&field, VB_CELL_TEXT, "1 -inf 3", "value 1 is NaN or infinite");
  expect_wrong(&field, VB_CELL_TEXT, "1 2 200", "value 2, '200', does not fit int8");
  float values[3] = {1, 2, 2.5f};
  vb_column column = {.dtype = VB_DTYPE_FLOAT32, .dimensions = 3};
  vb_cell cell = {(const char *)values, sizeof values, VB_CELL_VALUES};
  assert_string_equal(put(&field, &column, cell, false, NULL),
                      "value 2 is 2.5, which does not fit int8");
  values[2] = 3;
  assert_null(put(&field, &column, cell, false, NULL));
  assert_memory_equal(record + 3, "\1\2\3", 3);
}

static void bits_come_as_bits_or_bytes(void **state) {
  (void)state;
  vb_field field;
  vb_field_init(&field, VB_FIELD_VECTOR);
  field.dtype = VB_DTYPE_BINARY;
  field.dimensions = 9;
  expect_text(&field, VB_CELL_LIST, "[1,0,0,0,0,0,0,1,1]", "\x81\x80", 3);
  expect_text(&field, VB_CELL_LIST, "[129, 128]", "\x81\x80", 3);
  expect_wrong(&field, VB_CELL_LIST, "[1,0,0,0,2,0,0,1,1]", "value 4 is 2; bits are 0 or 1");
  expect_wrong(&field, VB_CELL_LIST, "[1,0,0]", "3 values, the field has 9 dimensions");
  vb_column bytes = {.dtype = VB_DTYPE_UINT8, .dimensions = 2};
  assert_null(put(&field, &bytes, (vb_cell){"\x81\x80", 2, VB_CELL_VALUES}, false, NULL));
  assert_memory_equal(record + 3, "\x81\x80", 3);
}

static void a_list_counts_what_it_has_no_room_for(void **state) {
  (void)state;
  int16_t guard[2] = {-1, -1};
  vb_list list = {.dtype = VB_DTYPE_UINT8, .most = 2};
  assert_int_equal(vb_list_read(&list, "[1,2,3,4]", 9, (char *)guard, NULL), VB_OK);
  assert_int_equal(list.count, 4);
  assert_int_equal(guard[1], -1);
  list = (vb_list){.dtype = VB_DTYPE_UINT8, .most = 2};
  assert_int_equal(vb_list_read(&list, " ", 1, (char *)guard, NULL), VB_OK);
  assert_int_equal(list.count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_are_padded_or_have_their_length),
      cmocka_unit_test(a_text_is_cut_between_two_characters),
      cmocka_unit_test(a_missing_value_is_counted),
      cmocka_unit_test(numbers_are_stored_in_their_type),
      cmocka_unit_test(vectors_come_as_lists_or_values),
      cmocka_unit_test(bits_come_as_bits_or_bytes),
      cmocka_unit_test(a_list_counts_what_it_has_no_room_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
