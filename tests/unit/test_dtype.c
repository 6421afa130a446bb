/* dataset/dtype: half precision, conversion, numbers in text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dataset/dtype.h"

static void names_lead_back_to_their_types(void **state) {
  (void)state;
  for (int i = 0; i < VB_DTYPE_COUNT; i++)
    assert_int_equal(vb_dtype_find(vb_dtype_name(i), strlen(vb_dtype_name(i))), i);
  assert_int_equal(vb_dtype_find("u32", 3), VB_DTYPE_UINT32);
  assert_int_equal(vb_dtype_find("float3", 6), -1);
  assert_int_equal(vb_dtype_bytes(VB_DTYPE_BINARY, 9), 2);
  assert_int_equal(vb_dtype_bytes(VB_DTYPE_FLOAT16, 9), 18);
}

static void every_half_goes_through_a_double_and_back(void **state) {
  (void)state;
  for (unsigned bits = 0; bits < 65536; bits++) {
    double value = vb_half_to_double((uint16_t)bits);
    if (!isnan(value)) assert_int_equal(vb_half_from_double(value), bits);
  }
  assert_int_equal(vb_half_from_double(65519.99), 0x7bff);
  assert_int_equal(vb_half_from_double(65520), 0x7c00);
  assert_int_equal(vb_half_from_double(1 + 0x1p-11), 0x3c00); /* a tie goes to even */
  assert_int_equal(vb_half_from_double(1 + 3 * 0x1p-11), 0x3c02);
}

static void what_does_not_fit_stops_or_is_clamped(void **state) {
  (void)state;
  float from[] = {1, -128, 127, 128, 2.5f, NAN};
  int8_t to[6];
  vb_conversion how = {VB_DTYPE_FLOAT32, VB_DTYPE_INT8, VB_UNFIT_STOP, 0};
  assert_int_equal(vb_dtype_convert(&how, to, from, 6), 3);
  assert_int_equal(to[1], -128);
  how.unfit = VB_UNFIT_CLAMP;
  assert_int_equal(vb_dtype_convert(&how, to, from, 6), 5);
  assert_int_equal(how.clamped, 2);
  assert_int_equal(to[3], 127);
  assert_int_equal(to[4], 2);
}

static void values_of_the_same_type_are_copied_up_to_a_nan(void **state) {
  (void)state;
  char from[13], to[13];
  float values[3] = {1, 2, INFINITY};
  memcpy(from + 1, values, sizeof values);
  vb_conversion how = {VB_DTYPE_FLOAT32, VB_DTYPE_FLOAT32, VB_UNFIT_STOP, 0};
  assert_int_equal(vb_dtype_convert(&how, to + 1, from + 1, 3), 2);
  assert_memory_equal(to + 1, from + 1, 8);
}

static void integers_of_64_bits_keep_their_low_bits(void **state) {
  (void)state;
  int64_t from[] = {9007199254740993, -1};
  uint64_t to[2];
  vb_conversion how = {VB_DTYPE_INT64, VB_DTYPE_UINT64, VB_UNFIT_STOP, 0};
  assert_int_equal(vb_dtype_convert(&how, to, from, 2), 1);
  assert_int_equal(to[0], 9007199254740993);
}

static void expect_number(const char *text, double want) {
  double value;
  assert_true(vb_number_read(text, strlen(text), &value));
  assert_memory_equal(&value, &want, sizeof want);
}

static void numbers_are_read_as_strtod_reads_them(void **state) {
  (void)state;
  static const char *const texts[] = {"0",
                                      "-0",
                                      "1",
                                      "-1.5",
                                      "+3",
                                      ".5",
                                      "5.",
                                      "1e22",
                                      "1e23",
                                      "0.1",
                                      "1e-22",
                                      "1e-5",
                                      "1e400",
                                      "123456789012345678901234567890",
                                      "2.2250738585072011e-308",
                                      "9007199254740993",
                                      "0.000000000000000000000000000000012345",
                                      "1e-400",
                                      "179769313486231580793728971405301e276"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(texts); i++)
    expect_number(texts[i], strtod(texts[i], NULL));
  char text[64];
  uint64_t bits = 1;
  for (int i = 0; i < 20000; i++) {
    double value;
    bits = bits * 6364136223846793005u + 1442695040888963407u;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    (void)snprintf(text, sizeof text, "%.*g", 1 + i % 17, value);
    expect_number(text, strtod(text, NULL));
  }
}

static void what_is_no_number_is_none(void **state) {
  (void)state;
  static const char *const texts[] = {"",     "-",  ".",  "1e",  "1x",  "nan",  "inf",
                                      "0x10", " 1", "1 ", "--1", "1e+", "1.2.3"};
  double value;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(texts); i++)
    assert_false(vb_number_read(texts[i], strlen(texts[i]), &value));
}

static enum vb_number_fit put(int dtype, const char *text, void *to) {
  vb_conversion how = {.to = dtype};
  return vb_number_store(&how, to, text, strlen(text));
}

static void numbers_are_stored_exactly_or_do_not_fit(void **state) {
  (void)state;
  uint64_t u64;
  int64_t i64;
  uint8_t u8;
  assert_int_equal(put(VB_DTYPE_UINT64, "18446744073709551615", &u64), VB_NUMBER_FITS);
  assert_true(u64 == UINT64_MAX);
  assert_int_equal(put(VB_DTYPE_INT64, "-9223372036854775808", &i64), VB_NUMBER_FITS);
  assert_true(i64 == INT64_MIN);
  assert_int_equal(put(VB_DTYPE_UINT64, "18446744073709551616", &u64), VB_NUMBER_UNFIT);
  assert_int_equal(put(VB_DTYPE_UINT64, "-1", &u64), VB_NUMBER_UNFIT);
  assert_int_equal(put(VB_DTYPE_UINT8, "1e2", &u8), VB_NUMBER_FITS);
  assert_int_equal(u8, 100);
  assert_int_equal(put(VB_DTYPE_UINT8, "1.5", &u8), VB_NUMBER_UNFIT);
  assert_int_equal(put(VB_DTYPE_UINT8, "red", &u8), VB_NUMBER_BAD);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_lead_back_to_their_types),
      cmocka_unit_test(every_half_goes_through_a_double_and_back),
      cmocka_unit_test(what_does_not_fit_stops_or_is_clamped),
      cmocka_unit_test(values_of_the_same_type_are_copied_up_to_a_nan),
      cmocka_unit_test(integers_of_64_bits_keep_their_low_bits),
      cmocka_unit_test(numbers_are_read_as_strtod_reads_them),
      cmocka_unit_test(what_is_no_number_is_none),
      cmocka_unit_test(numbers_are_stored_exactly_or_do_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
