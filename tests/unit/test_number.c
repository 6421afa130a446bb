/* dataset/number: the shortest text that reads back as the same value, of every type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "dataset/number.h"

#include <math.h>
#include <stdio.h>

static const char *text_of(int dtype, const void *value) {
  static char text[VB_NUMBER_BOUND + 1];
  char unaligned[9];
  memcpy(unaligned + 1, value, vb_dtype_bytes(dtype, 1));
  size_t length = vb_number_text(dtype, unaligned + 1, text);
  assert_true(length <= VB_NUMBER_BOUND);
  text[length] = 0;
  return text;
}

static const char *text_of_double(double value) {
  return text_of(VB_DTYPE_FLOAT64, &value);
}

/* As LuaJIT needs it. */
static void every_nan_is_the_same(void **state) {
  (void)state;
  static const uint64_t bits[] = {UINT64_MAX, 0xfffb800012345678, 0x7ff0000000000001};
  const double nan_of_c = (double)NAN;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(bits); i++) {
    static const int dtypes[] = {VB_DTYPE_FLOAT64, VB_DTYPE_FLOAT32, VB_DTYPE_FLOAT16};
    uint64_t wide = bits[i];
    uint32_t single = (uint32_t)(bits[i] >> 32) | 1;
    uint16_t half = (uint16_t)(bits[i] >> 48) | 0x7c01;
    const void *const values[] = {&wide, &single, &half};
    for (size_t j = 0; j < VB_ARRAY_LENGTH(dtypes); j++) {
      double value = vb_number_value(dtypes[j], values[j]);
      assert_memory_equal(&value, &nan_of_c, sizeof value);
    }
  }
}

static void doubles(void **state) {
  (void)state;
  const struct {
    double value;
    const char *text;
  } cases[] = {{0, "0"},
               {-0.0, "-0"},
               {1, "1"},
               {-17, "-17"},
               {12.34, "12.34"},
               {-12.34, "-12.34"},
               {-0.5, "-0.5"},
               {99999999.9999, "99999999.9999"},
               {0.1, "0.1"},
               {0.30000000000000004, "0.30000000000000004"},
               {1.0 / 3, "0.3333333333333333"},
               {1e21, "1e21"},
               {-3e21, "-3e21"},
               {1e-7, "1e-7"},
               {123456789012345680, "1.2345678901234568e17"},
               {9007199254740991, "9007199254740991"},
               {5e-324, "5e-324"},
               {1.7976931348623157e308, "1.7976931348623157e308"}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    const char *text = text_of_double(cases[i].value);
    assert_true(strtod(text, NULL) == cases[i].value);
    assert_string_equal(text, cases[i].text);
  }
  assert_string_equal(text_of_double((double)NAN), "nan");
  assert_string_equal(text_of_double((double)INFINITY), "inf");
  assert_string_equal(text_of_double(-(double)INFINITY), "-inf");
}

static void shorter_floats_have_shorter_texts(void **state) {
  (void)state;
  const float single = 0.1f, large = 16777216, small = 1e-30f;
  const uint16_t tenth = 0x2e66, half = 0x3800;
  assert_string_equal(text_of(VB_DTYPE_FLOAT32, &single), "0.1");
  assert_string_equal(text_of(VB_DTYPE_FLOAT32, &large), "16777216");
  assert_string_equal(text_of(VB_DTYPE_FLOAT32, &small), "1e-30");
  assert_string_equal(text_of(VB_DTYPE_FLOAT16, &tenth), "0.1");
  assert_string_equal(text_of(VB_DTYPE_FLOAT16, &half), "0.5");
}

static void integers(void **state) {
  (void)state;
  const int64_t low = INT64_MIN;
  const uint64_t high = UINT64_MAX;
  const int8_t byte = -128;
  const uint32_t word = UINT32_MAX;
  assert_string_equal(text_of(VB_DTYPE_INT64, &low), "-9223372036854775808");
  assert_string_equal(text_of(VB_DTYPE_UINT64, &high), "18446744073709551615");
  assert_string_equal(text_of(VB_DTYPE_INT8, &byte), "-128");
  assert_string_equal(text_of(VB_DTYPE_UINT32, &word), "4294967295");
}

static void every_value_reads_back(void **state) {
  (void)state;
  vb_rng rng = {7};
  for (int i = 0; i < 200000; i++) {
    uint64_t bits = vb_rng_next(&rng);
    double wide;
    float narrow;
    memcpy(&wide, &bits, sizeof wide);
    memcpy(&narrow, &bits, sizeof narrow);
    if (i % 2) wide = (double)(int64_t)(bits >> 40) / 10000;
    if (isfinite(wide)) assert_true(strtod(text_of_double(wide), NULL) == wide);
    if (isfinite(narrow)) assert_true(strtof(text_of(VB_DTYPE_FLOAT32, &narrow), NULL) == narrow);
  }
  for (unsigned bits = 0; bits < 0x7c00; bits++) {
    uint16_t half = (uint16_t)bits;
    double again = strtod(text_of(VB_DTYPE_FLOAT16, &half), NULL);
    assert_int_equal(vb_half_from_double(again), half);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_nan_is_the_same),
      cmocka_unit_test(doubles),
      cmocka_unit_test(shorter_floats_have_shorter_texts),
      cmocka_unit_test(integers),
      cmocka_unit_test(every_value_reads_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
