/* command/: what each kind of part writes: bytes, shapes (chi-square, fixed seeds), mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "part.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

static bool is_symbol(char c) {
  return isalnum((unsigned char)c) || c == '-' || c == '_';
}

static void bytes_are_of_64_printable_symbols_evenly(void **state) {
  (void)state;
  const double sizes[] = {0, 1, 7, 8, 9, 64, 65, 1000, 100000};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(sizes); i++) {
    uint64_t seen[128] = {0};
    double chi = 0, draws = 0;
    vb_command *command =
        part_command((vb_part){.kind = VB_PART_BYTES, .min = sizes[i], .max = sizes[i]});
    for (uint64_t n = 0; n < 20000 && draws < 64000; n++) {
      char *request;
      size_t length;
      const char *value = test_value(command, &part_renderer, n, &request, &length);
      assert_int_equal(length, (size_t)sizes[i]);
      for (size_t k = 0; k < length; k++) {
        assert_true(is_symbol(value[k]));
        seen[(int)value[k]]++;
      }
      draws += (double)length;
      free(request);
    }
    for (int c = 0; c < 128; c++)
      if (is_symbol((char)c)) chi += pow((double)seen[c] - draws / 64, 2) / (draws / 64);
    /* Long values are cut from one pool, whose own unevenness comes again and again. */
    if (draws > 0) assert_true(chi < test_chi_limit(63) * (sizes[i] > 64 ? 2 : 1));
    vb_command_free(command);
  }
}

static void sizes_by_range_and_by_weight(void **state) {
  (void)state;
  vb_choice sizes[] = {{NULL, 0, 3, 10}, {NULL, 0, 1, 2000}};
  vb_command *range = part_command((vb_part){.kind = VB_PART_BYTES, .min = 2, .max = 5});
  vb_command *weights =
      part_command((vb_part){.kind = VB_PART_BYTES, .choices = sizes, .choice_count = 2});
  unsigned seen[8] = {0}, small = 0;
  for (uint64_t n = 0; n < 8000; n++) {
    char *request;
    size_t length;
    (void)test_value(range, &part_renderer, n, &request, &length);
    assert_in_range(length, 2, 5);
    seen[length]++;
    free(request);
    (void)test_value(weights, &part_renderer, n, &request, &length);
    assert_true(length == 10 || length == 2000);
    small += length == 10;
    free(request);
  }
  for (int i = 2; i <= 5; i++) assert_in_range(seen[i], 1845, 2155);
  assert_in_range(small, 5845, 6155);
  vb_command_free(range);
  vb_command_free(weights);
}

static void compressible_bytes_repeat_at_the_end(void **state) {
  (void)state;
  vb_command *command =
      part_command((vb_part){.kind = VB_PART_BYTES, .min = 200, .max = 200, .compressible = 0.75});
  char *request;
  size_t length;
  const char *value = test_value(command, &part_renderer, 1, &request, &length);
  for (size_t i = 50; i < 200; i++) assert_int_equal(value[i], value[199]);
  unsigned same = 0;
  for (size_t i = 0; i < 50; i++) same += value[i] == value[199];
  assert_true(same < 10);
  free(request);
  vb_command_free(command);
}

/* The same id, generator and seed make the same content, whatever the hole, the command, the phase
 * and the operation. */
static void content_from_an_id(void **state) {
  (void)state;
  vb_choice words[] = {{"a", 1, 1, 0}, {"b", 1, 1, 0}, {"c", 1, 1, 0}};
  const vb_part parts[] = {
      {.kind = VB_PART_BYTES, .min = 1, .max = 300, .from_id = 1},
      {.kind = VB_PART_BYTES, .min = 20, .max = 20, .from_id = 1},
      {.kind = VB_PART_TEXT, .min = 5, .max = 9, .from_id = 1},
      {.kind = VB_PART_CHOICE, .choices = words, .choice_count = 3, .from_id = 1},
      {.kind = VB_PART_INT, .min = 0, .max = 1e9, .distribution = VB_FROM_ID},
      {.kind = VB_PART_VECTOR, .dimensions = 5, .dtype = VB_DTYPE_INT8, .from_id = 1},
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(parts); i++) {
    vb_part other = parts[i], key = {.kind = VB_PART_CURSOR, .cursor = part_ordered, .hole = 1};
    other.hole = 999;
    vb_cursor *shifted = test_cursor(part_keys, (vb_cursor_spec){.first = 10});
    vb_part later = {.kind = VB_PART_CURSOR, .cursor = shifted, .hole = 2};
    vb_command *one = TEST_COMMAND("X", {KEY, key}, {ARGUMENT, parts[i]});
    vb_command *two = TEST_COMMAND("Y", {KEY, later}, {ARGUMENT, other});
    size_t differ = 0;
    for (uint64_t n = 0; n < 40; n++) {
      char *requests[3];
      size_t lengths[3];
      const char *a = test_value(one, &part_renderer, n + 10, &requests[0], &lengths[0]);
      const char *b = test_value(two, &part_renderer, n, &requests[1], &lengths[1]);
      const char *c = test_value(one, &part_renderer, n, &requests[2], &lengths[2]);
      assert_int_equal(lengths[0], lengths[1]);
      assert_memory_equal(a, b, lengths[0]);
      differ += lengths[0] != lengths[2] || memcmp(a, c, lengths[0]) != 0;
      for (int k = 0; k < 3; k++) free(requests[k]);
    }
    assert_true(differ >= 15);
    vb_command_free(one);
    vb_command_free(two);
    vb_cursor_free(shifted);
  }
}

static void choices_by_weight(void **state) {
  (void)state;
  vb_choice choices[] = {{"one", 3, 1, 0}, {"three", 5, 3, 0}, {"", 0, 4, 0}};
  vb_command *command =
      part_command((vb_part){.kind = VB_PART_CHOICE, .choices = choices, .choice_count = 3});
  unsigned seen[6] = {0};
  for (uint64_t n = 0; n < 8000; n++) {
    char *request;
    size_t length;
    const char *value = test_value(command, &part_renderer, n, &request, &length);
    if (length == 3) assert_memory_equal(value, "one", 3);
    if (length == 5) assert_memory_equal(value, "three", 5);
    seen[length]++;
    free(request);
  }
  assert_in_range(seen[3], 880, 1120);
  assert_in_range(seen[5], 2825, 3175);
  assert_in_range(seen[0], 3820, 4180);
  vb_command_free(command);
}

static void tags_come_independently(void **state) {
  (void)state;
  vb_choice tags[] = {{"a", 1, 30, 0}, {"b", 1, 100, 0}, {"c", 1, 0, 0}, {"d", 1, 60, 0}};
  vb_command *command = part_command((vb_part){
      .kind = VB_PART_TAGS, .choices = tags, .choice_count = 4, .text = ", ", .length = 2});
  unsigned a = 0, d = 0, both = 0;
  for (uint64_t n = 0; n < 8000; n++) {
    char *request;
    size_t length;
    const char *value = test_value(command, &part_renderer, n, &request, &length);
    bool has_a = value[0] == 'a', has_d = value[length - 1] == 'd';
    char want[32];
    (void)snprintf(want, sizeof want, "%sb%s", has_a ? "a, " : "", has_d ? ", d" : "");
    assert_int_equal(length, strlen(want));
    assert_memory_equal(value, want, length);
    a += has_a;
    d += has_d;
    both += has_a && has_d;
    free(request);
  }
  assert_in_range(a, 2235, 2565);
  assert_in_range(d, 4625, 4975);
  assert_in_range(both, 1300, 1580);
  vb_command_free(command);
}

static void text_is_words_between_spaces(void **state) {
  (void)state;
  vb_command *command = part_command((vb_part){.kind = VB_PART_TEXT, .min = 3, .max = 5});
  unsigned seen[8] = {0};
  for (uint64_t n = 0; n < 3000; n++) {
    char *request;
    size_t length;
    const char *value = test_value(command, &part_renderer, n, &request, &length);
    unsigned words = 1;
    for (size_t i = 0; i < length; i++) {
      assert_true(islower((unsigned char)value[i]) || (value[i] == ' ' && i && i + 1 < length));
      words += value[i] == ' ';
    }
    assert_in_range(words, 3, 5);
    seen[words]++;
    free(request);
  }
  for (int i = 3; i <= 5; i++) assert_in_range(seen[i], 890, 1110);
  vb_command_free(command);
}

static double half_value(uint16_t bits) {
  int exponent = bits >> 10 & 31;
  double value = exponent ? ldexp(1024 + (bits & 1023), exponent - 25) : ldexp(bits & 1023, -24);
  return bits & 0x8000 ? -value : value;
}

/* Element i of a vector of floats. */
static double element(const char *bytes, int dtype, size_t i) {
  float single;
  double whole;
  uint16_t half;
  switch (dtype) {
  case VB_DTYPE_FLOAT32: memcpy(&single, bytes + 4 * i, 4); return single;
  case VB_DTYPE_FLOAT16: memcpy(&half, bytes + 2 * i, 2); return half_value(half);
  default: memcpy(&whole, bytes + 8 * i, 8); return whole;
  }
}

static void float_vectors_are_uniform_from_minus_1_to_1(void **state) {
  (void)state;
  const struct {
    int dtype;
    size_t size;
  } kinds[] = {{VB_DTYPE_FLOAT32, 4}, {VB_DTYPE_FLOAT16, 2}, {VB_DTYPE_FLOAT64, 8}};
  for (size_t k = 0; k < VB_ARRAY_LENGTH(kinds); k++) {
    vb_command *command = part_command(
        (vb_part){.kind = VB_PART_VECTOR, .dimensions = 20000, .dtype = kinds[k].dtype});
    char *request;
    size_t length;
    const char *bytes = test_value(command, &part_renderer, 3, &request, &length);
    assert_int_equal(length, 20000 * kinds[k].size);
    unsigned seen[10] = {0};
    for (size_t i = 0; i < 20000; i++) {
      double value = element(bytes, kinds[k].dtype, i);
      assert_true(value >= -1 && value < 1);
      seen[(int)((value + 1) * 5)]++;
    }
    for (int i = 0; i < 10; i++) assert_in_range(seen[i], 1815, 2185);
    free(request);
    vb_command_free(command);
  }
}

static void integer_vectors_fill_every_bit(void **state) {
  (void)state;
  const struct {
    int dtype;
    size_t size;
  } kinds[] = {{VB_DTYPE_INT8, 100},   {VB_DTYPE_UINT8, 100}, {VB_DTYPE_INT32, 400},
               {VB_DTYPE_UINT32, 400}, {VB_DTYPE_INT64, 800}, {VB_DTYPE_UINT64, 800},
               {VB_DTYPE_BINARY, 13}};
  for (size_t k = 0; k < VB_ARRAY_LENGTH(kinds); k++) {
    vb_command *command =
        part_command((vb_part){.kind = VB_PART_VECTOR, .dimensions = 100, .dtype = kinds[k].dtype});
    unsigned char any[800] = {0}, all[800];
    memset(all, 255, sizeof all);
    for (uint64_t n = 0; n < 40; n++) {
      char *request;
      size_t length;
      const char *bytes = test_value(command, &part_renderer, n, &request, &length);
      assert_int_equal(length, kinds[k].size);
      for (size_t i = 0; i < length; i++) {
        any[i] |= (unsigned char)bytes[i];
        all[i] &= (unsigned char)bytes[i];
      }
      free(request);
    }
    for (size_t i = 0; i < kinds[k].size; i++) {
      bool cut = kinds[k].dtype == VB_DTYPE_BINARY && i == 12; /* 4 of 8 bits are no dimensions */
      assert_int_equal(any[i], cut ? 0xf0 : 0xff);
      assert_int_equal(all[i], 0);
    }
    vb_command_free(command);
  }
}

static void vectors_in_json_are_arrays(void **state) {
  (void)state;
  const struct {
    int dtype;
    double least, most;
  } kinds[] = {{VB_DTYPE_FLOAT32, -1, 0.999999},  {VB_DTYPE_INT8, -128, 127},
               {VB_DTYPE_UINT8, 0, 255},          {VB_DTYPE_INT32, -0x1p31, 0x1p31},
               {VB_DTYPE_INT64, -0x1p63, 0x1p63}, {VB_DTYPE_UINT64, 0, 0x1p64},
               {VB_DTYPE_UINT32, 0, 0x1p32},      {VB_DTYPE_BINARY, 0, 1}};
  for (size_t k = 0; k < VB_ARRAY_LENGTH(kinds); k++) {
    vb_command *command = part_command(
        (vb_part){.kind = VB_PART_VECTOR, .dimensions = 500, .dtype = kinds[k].dtype, .json = 1});
    char *request, *end;
    size_t length, count = 0;
    const char *at = test_value(command, &part_renderer, 5, &request, &length),
               *last = at + length - 1;
    double least = 0, most = 0;
    assert_int_equal(*at, '[');
    for (; at < last; at = end, count++) {
      double value = strtod(at + 1, &end);
      assert_true(end > at + 1 && (*end == ',' || *end == ']'));
      least = fmin(least, value);
      most = fmax(most, value);
    }
    assert_int_equal(*last, ']');
    assert_int_equal(count, 500);
    assert_true(least >= kinds[k].least && least <= kinds[k].least * 0.9);
    assert_true(most <= kinds[k].most && most >= kinds[k].most * 0.9);
    free(request);
    vb_command_free(command);
  }
}

static void timestamps_are_the_time_of_writing(void **state) {
  (void)state;
  static const char *const formats[] = {"%s", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};
  for (int format = 0; format < 3; format++) {
    vb_command *command = part_command((vb_part){.kind = VB_PART_TIMESTAMP, .format = format});
    char *request, want[32];
    size_t length;
    bool found = false;
    assert_int_not_equal(vb_command_fixed_size(command), 0);
    for (int attempt = 0; attempt < 3 && !found; attempt++) { /* the second may turn in between */
      time_t now = time(NULL);
      const char *value = test_value(command, &part_renderer, 1, &request, &length);
      if (format)
        (void)strftime(want, sizeof want, formats[format], gmtime(&now));
      else
        (void)snprintf(want, sizeof want, "%lld", (long long)now);
      found = length == strlen(want) && !memcmp(value, want, length);
      free(request);
    }
    assert_true(found);
    vb_command_free(command);
  }
}

static void expect_error(vb_part part, const char *text) {
  vb_command *command = vb_command_new("x");
  vb_error err = {0};
  char want[256];
  (void)snprintf(want, sizeof want, "command 'x', argument 2: %s", text);
  const test_part parts[] = {{ARGUMENT, part}};
  assert_int_equal(test_command_add(command, parts, 1, &err), VB_EINVAL);
  assert_string_equal(err.text, want);
  vb_command_free(command);
}

static void mistakes_of_content_are_named(void **state) {
  (void)state;
  vb_choice none[] = {{"a", 1, 0, 0}}, many[] = {{"a", 1, 101, 0}},
            big[] = {{NULL, 0, 1, 1u << 30}};
  expect_error((vb_part){.kind = VB_PART_BYTES, .min = 9, .max = 8},
               "a size: min 9 is above max 8");
  expect_error((vb_part){.kind = VB_PART_BYTES, .min = -1, .max = 8},
               "a size of -1 to 8; 0 to 536870912 are possible");
  expect_error((vb_part){.kind = VB_PART_BYTES, .max = 8, .compressible = 1.5},
               "compressible is 1.5; it is 0 to 1");
  expect_error((vb_part){.kind = VB_PART_BYTES, .choices = big, .choice_count = 1},
               "a size of 1073741824; 0 to 536870912 are possible");
  expect_error((vb_part){.kind = VB_PART_CHOICE}, "nothing to choose from");
  expect_error((vb_part){.kind = VB_PART_CHOICE, .choices = none, .choice_count = 1},
               "the weight 0; it is any number above 0");
  expect_error((vb_part){.kind = VB_PART_TAGS, .choices = many, .choice_count = 1},
               "the percentage 101 of a tag; it is 0 to 100");
  expect_error((vb_part){.kind = VB_PART_VECTOR},
               "a vector of 0 dimensions; 1 to 1048576 are possible");
  expect_error((vb_part){.kind = VB_PART_VECTOR, .dimensions = 1, .dtype = 10}, "no such dtype");
  expect_error((vb_part){.kind = VB_PART_TEXT, .min = 3, .max = 2}, "words: min 3 is above max 2");
  expect_error((vb_part){.kind = VB_PART_TIMESTAMP, .format = 3}, "no such format of a timestamp");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_are_of_64_printable_symbols_evenly),
      cmocka_unit_test(sizes_by_range_and_by_weight),
      cmocka_unit_test(compressible_bytes_repeat_at_the_end),
      cmocka_unit_test(content_from_an_id),
      cmocka_unit_test(choices_by_weight),
      cmocka_unit_test(tags_come_independently),
      cmocka_unit_test(text_is_words_between_spaces),
      cmocka_unit_test(float_vectors_are_uniform_from_minus_1_to_1),
      cmocka_unit_test(integer_vectors_fill_every_bit),
      cmocka_unit_test(vectors_in_json_are_arrays),
      cmocka_unit_test(timestamps_are_the_time_of_writing),
      cmocka_unit_test(mistakes_of_content_are_named),
  };
  return cmocka_run_group_tests(tests, part_set_up, part_tear_down);
}
