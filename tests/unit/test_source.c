/* dataset/source: what each format gives, and what is said of files that are not of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

typedef struct example {
  const char *format, *text, *want;
} example;

/* What is read, up to where the text ends or, behind "!", the message begins with. */
static void expect(const char *format, const void *bytes, size_t size, const char *want) {
  static char text[TABLE_TEXT];
  (void)table_read(bytes, size, format, text);
  const char *mark = strchr(want, '!');
  if (mark) text[strlen(want)] = 0;
  assert_string_equal(text, want);
}

static void expect_all(const example *examples, size_t count) {
  for (size_t i = 0; i < count; i++)
    expect(examples[i].format, examples[i].text, strlen(examples[i].text), examples[i].want);
}

static void json_lines_are_read(void **state) {
  (void)state;
  static const example examples[] = {
      {"jsonl", "", ""},
      {"jsonl", "{}\n\n  \n{}", ";;"},
      {"jsonl", "{\"a\": 1.50, \"b\": \"x\"}\n{\"b\":true,\"a\":null}\r\n",
       "a=#1.50,b=x;a=null,b=#true;"},
      {"jsonl", "\xef\xbb\xbf{\"a\":\"b\"}", "a=b;"},
      {"jsonl", "{\"a\":1}\n{\"b\":2}\n", "a=#1;a=null,b=#2;"},
      {"jsonl", "{\"a\":\"q\\\"\\\\\\/\\n\\u00e9\\ud83d\\ude00\"}",
       "a=q\"\\/\n\xc3\xa9\xf0\x9f\x98\x80;"},
      {"jsonl", "{\"a\":[1, [2, {\"x\\\"\": []}]],\"b\":{\"c\":{}}}",
       "a=[1, [2, {\"x\\\"\": []}]],b={\"c\":{}};"},
      {"jsonl", "{\"a\":1,\"a\":2}", "a=#2;"},
  };
  expect_all(examples, VB_ARRAY_LENGTH(examples));
}

static void what_is_no_json_is_told_with_its_line(void **state) {
  (void)state;
  static const example examples[] = {
      {"jsonl", "[1]", "!1: is not a JSON object"},
      {"jsonl", "{\"a\":1}\nx", "a=#1;!2: is not a JSON object"},
      {"jsonl", "{\"a\":1} 2", "!1:9: something else behind the object"},
      {"jsonl", "{\"a\":1,\"a\\u0000bcdefghijklmnopqrstuvw\":2}",
       "! the name of column 'a' holds a NUL byte"},
      {"jsonl", "{\"a\":1", "!1:7: a ',' or '}' was expected"},
      {"jsonl", "{\"a\" 1}", "!1:6: a ':' was expected"},
      {"jsonl", "{a:1}", "!1:2: a string was expected"},
      {"jsonl", "{\"a\":\"b}", "!1:9: a string without its closing quote"},
      {"jsonl", "{\"a\":\"b\tc\"}", "!1:9: a control character in a string"},
      {"jsonl", "{\"a\":\"\\x\"}", "!1:9: an escape that JSON does not know"},
      {"jsonl", "{\"a\":\"\\ud83d\"}", "!1:13: half of a surrogate pair"},
      {"jsonl", "{\"a\":\"\\u12g4\"}", "!1:9: \\u without four"},
      {"jsonl", "{\"a\":NaN}", "!1:6: NaN and Infinity are no JSON"},
      {"jsonl", "{\"a\":[1,-Infinity]}", "!1:9: NaN and Infinity are no JSON"},
      {"jsonl", "{\"a\":01}", "!1:8: a bad number"},
      {"jsonl", "{\"a\":1.}", "!1:8: a bad number"},
      {"jsonl", "{\"a\":[1,]}", "!1:9: a value was expected"},
      {"jsonl", "{\"a\":[1}", "!1:8: a ',' was expected"},
      {"jsonl", "{\"a\":{\"b\":1,}}", "!1:13: a name was expected"},
      {"jsonl", "{\"a\":}", "!1:6: a value was expected"},
      {"jsonl", "{\"a\":tru}", "!1:6: a word that is no JSON"},
  };
  expect_all(examples, VB_ARRAY_LENGTH(examples));
}

static void arrays_are_followed_to_a_limit(void **state) {
  (void)state;
  char text[1024] = "{\"a\":", want[1024];
  memset(text + 5, '[', 128);
  memset(text + 133, ']', 128);
  text[261] = '}';
  (void)snprintf(want, sizeof want, "a=%.256s;", text + 5);
  expect("jsonl", text, 262, want);
  memset(text + 5, '[', 129);
  expect("jsonl", text, 262, "!1:134: more than 128 arrays in each other");
}

static void separated_values_are_read(void **state) {
  (void)state;
  static const example examples[] = {
      {"csv", "a,b\n", ""},
      {"csv", "a,b\n1,2\n3,4", "a=1,b=2;a=3,b=4;"},
      {"csv",
       "\xef\xbb\xbf"
       "a,b\r\n1,\r\n\r\n\"\",x\r\n",
       "a=1,b=empty;a=,b=x;"},
      {"csv", "a,\"b \"\"c\"\"\"\n\"x,\"\"y\"\"\n\",z", "a=x,\"y\"\n,b \"c\"=z;"},
      {"csv", "a\n5\" disk\n", "a=5\" disk;"},
      {"csv", "a\n1\n\n2", "a=1;a=empty;a=2;"},
      {"tsv", "a\tb\n1,2\t3", "a=1,2,b=3;"},
  };
  expect_all(examples, VB_ARRAY_LENGTH(examples));
}

static void bad_separated_values_are_told_with_their_line(void **state) {
  (void)state;
  static const example examples[] = {
      {"csv", "", "! is empty; its first line names the columns"},
      {"csv", "a,b,a\n", "! its header has the column 'a' twice"},
      {"csv", "a,b\n1,2\n3\n", "a=1,b=2;!3: has 1 cells, the header names 2 columns"},
      {"csv", "a,b\n\"1\n2\",3\n4,5,6\n", "a=1\n2,b=3;!4: has 3 cells, the header names 2 columns"},
      {"csv", "a\n1\n\"2\n3", "a=1;!3: a quote of this record is never closed"},
      {"csv", "a\n\"1\"2\n", "!2: something stands behind a closing quote"},
  };
  expect_all(examples, VB_ARRAY_LENGTH(examples));
}

static void a_record_longer_than_the_buffer_is_read(void **state) {
  (void)state;
  enum { LENGTH = 600 * 1024 };
  char *text = malloc(LENGTH + 64);
  int head = sprintf(text, "a,b\n1,\"");
  memset(text + head, 'x', LENGTH);
  int tail = sprintf(text + head + LENGTH, "\"\n2,y\n");
  vb_error err = {.status = 0};
  int fd;
  vb_source *source = table_open(text, (size_t)(head + LENGTH + tail), "csv", &fd, &err);
  assert_non_null(source);
  assert_int_equal(vb_source_next(source, &err), 1);
  assert_int_equal(source->cells[1].length, LENGTH);
  assert_int_equal(vb_source_next(source, &err), 1);
  assert_memory_equal(source->cells[1].bytes, "y", 1);
  assert_int_equal(vb_source_next(source, &err), 0);
  assert_int_equal(source->bytes_taken, source->bytes);
  vb_source_close(source);
  free(text);
}

static void lines_of_text_are_read(void **state) {
  (void)state;
  static const example examples[] = {
      {"text", "", ""},
      {"text", "a\n\n b \r\nc", "text=a;text=;text= b ;text=c;"},
  };
  expect_all(examples, VB_ARRAY_LENGTH(examples));
}

static void rows_with_their_dimension_before_them_are_read(void **state) {
  (void)state;
  struct {
    uint32_t dimensions;
    float values[2];
  } rows[3] = {{2, {1, 2}}, {2, {3, 4.5f}}, {2, {-1, 0}}};
  expect("fvecs", rows, sizeof rows, "vector=1 2;vector=3 4.5;vector=-1 0;");
  expect("fvecs", rows, 12, "vector=1 2;");
  expect("fvecs", rows, sizeof rows - 1,
         "vector=1 2;vector=3 4.5;! is cut short: its 35 bytes end");
  expect("fvecs", rows, 26,
         "vector=1 2;vector=3 4.5;! is cut short: its 26 bytes end inside row 2");
  expect("fvecs", rows, 0, "! is empty");
  rows[1].dimensions = 3;
  expect("fvecs", rows, sizeof rows, "! row 1 has 3 values, the rows before it have 2");
  rows[0].dimensions = 0;
  expect("fvecs", rows, sizeof rows,
         "! its first row says that it has 0 values: not a .fvecs file");
  expect("bvecs", "\2\0\0\0\1\377\2\0\0\0\3\4", 12, "vector=1 255;vector=3 4;");
  expect("ivecs", "\1\0\0\0\377\377\377\377", 8, "vector=-1;");
}

static void rows_behind_a_header_are_read(void **state) {
  (void)state;
  static const char bytes[] = "\2\0\0\0\3\0\0\0\1\2\3\4\5\377";
  expect("u8bin", bytes, 14, "vector=1 2 3;vector=4 5 255;");
  expect("i8bin", bytes, 14, "vector=1 2 3;vector=4 5 -1;");
  expect("u8bin", bytes, 13,
         "! is cut short: 2 rows of 3 bytes and the header take 14 bytes, the file "
         "has 13");
  expect("u8bin", bytes, 15, "! is longer than it says");
  expect("u8bin", bytes, 7, "! has 7 bytes, less than the header of a .u8bin file");
  expect("fbin", "\1\0\0\0\0\0\0\0", 8, "! says that a row has 0 values");
  expect("ibin", "\1\0\0\0\1\0\0\0\7\0\0\0\0\0\200\77", 16, "vector=7;"); /* and a distance */
}

static size_t make_npy(char *to, const char *dict, const void *values, size_t size) {
  size_t length = strlen(dict);
  memcpy(to, "\x93NUMPY\1\0", 8);
  to[8] = (char)length;
  to[9] = 0;
  memcpy(to + 10, dict, length);
  memcpy(to + 10 + length, values, size);
  return 10 + length + size;
}

static void expect_npy(const char *dict, const void *values, size_t size, const char *want) {
  char bytes[1024];
  expect("npy", bytes, make_npy(bytes, dict, values, size), want);
}

static void arrays_of_numpy_are_read(void **state) {
  (void)state;
  float values[4] = {1, 2, 3, 4};
  expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", values, 16,
             "vector=1 2;vector=3 4;");
  expect_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n", "\1\2\3", 3,
             "vector=1;vector=2;vector=3;");
  expect_npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }\n", values, 16,
             "! is in Fortran order; save it with numpy.ascontiguousarray");
  expect_npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2), }\n", values, 16,
             "! values of type '>f4' cannot be read");
  expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2), }\n", values, 16,
             "! an array of 3 dimensions; a table has one or two");
  expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", values, 4,
             "! an array of 0 dimensions");
  expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9, 2), }\n", values, 16,
             "! is cut short: 9 rows of 8 bytes");
  expect_npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }\n", values, 16,
             "! values of type 'a record' cannot be read");
  expect_npy("{'descr': '<f4', 'shape': (4,), }\n", values, 16,
             "! has a header that is no .npy header");
  expect("npy", "\x93NUMPY\1\0\377\377{   ", 14, "! ends inside its header");
  expect("npy", "\x93NUMPY\7\0\1\0{   ", 14, "! .npy of version 7; 1 to 3 can be read");
  expect("npy", "PK", 2, "! does not begin like a .npy file");
}

static void a_format_is_told_by_name_or_start(void **state) {
  (void)state;
  char path[] = "/tmp/vbench-source-XXXXXX";
  vb_error err = {.status = 0};
  vb_source *source = NULL;
  int fd = mkstemp(path);
  FILE *file = fdopen(fd, "wb");
  fwrite("\x93NUMPY", 1, 6, file);
  fclose(file);
  assert_string_equal(vb_source_format_of(path), "npy");
  assert_string_equal(vb_source_format_of("a/b.FVECS"), "fvecs");
  assert_null(vb_source_format_of("a.b/vectors"));
  assert_int_equal(remove(path), 0);
  assert_int_equal(vb_source_open(&source, path, NULL, &err), VB_EIO);
  assert_non_null(strstr(err.text, "No such file"));
  assert_int_equal(vb_source_open(&source, "/tmp", &(vb_source_options){.format = "csv"}, &err),
                   VB_EIO);
  assert_string_equal(err.text, "/tmp: Is a directory");
  assert_int_equal(vb_source_open(&source, "x", &(vb_source_options){.format = "cvs"}, &err),
                   VB_EINVAL);
  assert_null(source);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_lines_are_read),
      cmocka_unit_test(what_is_no_json_is_told_with_its_line),
      cmocka_unit_test(arrays_are_followed_to_a_limit),
      cmocka_unit_test(separated_values_are_read),
      cmocka_unit_test(bad_separated_values_are_told_with_their_line),
      cmocka_unit_test(a_record_longer_than_the_buffer_is_read),
      cmocka_unit_test(lines_of_text_are_read),
      cmocka_unit_test(rows_with_their_dimension_before_them_are_read),
      cmocka_unit_test(rows_behind_a_header_are_read),
      cmocka_unit_test(arrays_of_numpy_are_read),
      cmocka_unit_test(a_format_is_told_by_name_or_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
