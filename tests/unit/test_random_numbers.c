/* command/numbers: what integers and floats write: shapes (chi-square, fixed seeds), text,
 * mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "part.h"

#include <math.h>
#include <stdio.h>

enum { DRAWS = 60000 };

static double number_of(const vb_command *command, uint64_t n) {
  char *request;
  size_t length;
  double value = strtod(test_value(command, &part_renderer, n, &request, &length), NULL);
  free(request);
  return value;
}

/* Chi-square of DRAWS numbers in `cells` steps from `low` against `share`. */
static double fit(vb_part part, double low, double step, size_t cells, double (*share)(size_t)) {
  uint64_t seen[64] = {0};
  double sum = 0;
  vb_command *command = part_command(part);
  for (uint64_t n = 0; n < DRAWS; n++) {
    double cell = round((number_of(command, n) - low) / step);
    assert_true(cell >= 0 && cell < (double)cells);
    seen[(size_t)cell]++;
  }
  for (size_t i = 0; i < cells; i++) {
    double expected = share(i) * DRAWS, off = (double)seen[i] - expected;
    assert_true(expected >= 5);
    sum += off * off / expected;
  }
  vb_command_free(command);
  return sum;
}

static double tenth(size_t cell) {
  (void)cell;
  return 0.1;
}

static double zipfian_share(size_t rank) {
  double total = 0;
  for (int i = 1; i <= 10; i++) total += pow(i, -1.2);
  return pow((double)rank + 1, -1.2) / total;
}

static double exponential_share(size_t k) {
  return exp(-0.3 * (double)k) * (1 - exp(-0.3)) / (1 - exp(-3.0));
}

static double steeper_share(size_t k) {
  return exp(-0.33 * (double)k) * (1 - exp(-0.33)) / (1 - exp(-3.3));
}

static double normal_mass(double from, double to) {
  return 0.5 * (erfc((4 - to) / (2 * sqrt(2))) - erfc((4 - from) / (2 * sqrt(2))));
}

static double normal_share(size_t k) {
  return normal_mass((double)k - 0.5, (double)k + 0.5) / normal_mass(-0.5, 9.5);
}

static vb_part number(int kind, int distribution, double min, double max) {
  return (vb_part){.kind = kind,
                   .distribution = distribution,
                   .min = min,
                   .max = max,
                   .skew = 1.2,
                   .lambda = 0.3,
                   .mean = min + 4,
                   .deviation = 2};
}

static void integers_have_their_shape(void **state) {
  (void)state;
  assert_true(fit(number(VB_PART_INT, VB_UNIFORM, -5, 4), -5, 1, 10, tenth) < test_chi_limit(9));
  assert_true(fit(number(VB_PART_INT, VB_ZIPFIAN, 1, 10), 1, 1, 10, zipfian_share) <
              test_chi_limit(9));
  vb_part exponential = number(VB_PART_INT, VB_EXPONENTIAL, -3, 6);
  assert_true(fit(exponential, -3, 1, 10, exponential_share) < test_chi_limit(9));
  assert_true(fit(exponential, -3, 1, 10, steeper_share) > test_chi_limit(9));
  assert_true(fit(number(VB_PART_INT, VB_NORMAL, 0, 9), 0, 1, 10, normal_share) <
              test_chi_limit(9));
  vb_part of_id = number(VB_PART_INT, VB_FROM_ID, 100, 109);
  assert_true(fit(of_id, 100, 1, 10, tenth) < test_chi_limit(9));
}

static void floats_have_their_shape_in_steps_of_their_decimals(void **state) {
  (void)state;
  vb_part part = number(VB_PART_FLOAT, VB_UNIFORM, -0.5, 0.4);
  part.decimals = 1;
  assert_true(fit(part, -0.5, 0.1, 10, tenth) < test_chi_limit(9));
  part = number(VB_PART_FLOAT, VB_ZIPFIAN, 1, 1.09);
  part.decimals = 2;
  assert_true(fit(part, 1, 0.01, 10, zipfian_share) < test_chi_limit(9));
  part = number(VB_PART_FLOAT, VB_EXPONENTIAL, 0, 0.9);
  part.decimals = 1;
  part.lambda = 3;
  assert_true(fit(part, 0, 0.1, 10, exponential_share) < test_chi_limit(9));
}

/* The text that operation n writes. */
static void expect_written(vb_part part, uint64_t n, const char *want) {
  vb_command *command = part_command(part);
  char *request;
  size_t length;
  const char *value = test_value(command, &part_renderer, n, &request, &length);
  assert_int_equal(length, strlen(want));
  assert_memory_equal(value, want, length);
  free(request);
  vb_command_free(command);
}

static void numbers_as_text(void **state) {
  (void)state;
  vb_part part = number(VB_PART_INT, VB_CONSTANT, -9007199254740992.0, 0);
  expect_written(part, 0, "-9007199254740992");
  part = number(VB_PART_INT, VB_SEQUENTIAL, -2, 2);
  const char *const five[] = {"-2", "-1", "0", "1", "2"};
  for (uint64_t n = 0; n < 12; n++) expect_written(part, n, five[n % 5]);
  part = number(VB_PART_FLOAT, VB_SEQUENTIAL, 0.5, 2.25);
  part.decimals = 2;
  expect_written(part, 0, "0.50");
  expect_written(part, 1, "1.50");
  expect_written(part, 2, "0.50");
  part = number(VB_PART_FLOAT, VB_CONSTANT, -0.07, 0);
  part.decimals = 2;
  expect_written(part, 0, "-0.07");
  part.decimals = 17;
  part.min = 0.5;
  expect_written(part, 0, "0.50000000000000000");
  part.min = 12.34;
  part.decimals = 0;
  expect_written(part, 0, "12");
  part.decimals = -1;
  expect_written(part, 0, "12.34");
  part.min = 0.1 + 0.2;
  expect_written(part, 0, "0.30000000000000004");
  part.min = 1e300;
  expect_written(part, 0, "1e+300");
}

/* Nothing is rounded past the ends; 0.07 and 0.29 are in although their doubles are beside them. */
static void rounding_keeps_to_the_range(void **state) {
  (void)state;
  vb_part part = number(VB_PART_FLOAT, VB_UNIFORM, 0.07, 0.299);
  part.decimals = 2;
  vb_command *command = part_command(part);
  assert_int_not_equal(vb_command_fixed_size(command), 0);
  double least = 1, most = 0;
  for (uint64_t n = 0; n < 2000; n++) {
    double value = number_of(command, n);
    least = fmin(least, value);
    most = fmax(most, value);
  }
  assert_true(least == 0.07 && most == 0.29);
  vb_command_free(command);
}

static void shortest_floats_stay_in_their_range(void **state) {
  (void)state;
  const int kinds[] = {VB_UNIFORM,     VB_ZIPFIAN,    VB_NORMAL,
                       VB_EXPONENTIAL, VB_SEQUENTIAL, VB_FROM_ID};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(kinds); i++) {
    vb_part part = number(VB_PART_FLOAT, kinds[i], 3, 11.5);
    part.decimals = -1;
    vb_command *command = part_command(part);
    for (uint64_t n = 0; n < 2000; n++) {
      double value = number_of(command, n);
      assert_true(value >= 3 && value <= 11.5);
    }
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

static void mistakes_of_numbers_are_named(void **state) {
  (void)state;
  vb_part part = number(VB_PART_INT, VB_UNIFORM, 5, 4);
  expect_error(part, "min 5 is above max 4");
  part = number(VB_PART_INT, VB_UNIFORM, 0, INFINITY);
  expect_error(part, "min and max are finite numbers");
  part = number(VB_PART_INT, VB_UNIFORM, 0.5, 4);
  expect_error(part, "min 0.5 and max 4 are whole numbers within 2^53");
  part = number(VB_PART_INT, 7, 0, 4);
  expect_error(part, "no such distribution");
  part = number(VB_PART_INT, VB_ZIPFIAN, 0, 4);
  part.skew = 0;
  expect_error(part, "zipfian: skew is 0; it is above 0");
  part = number(VB_PART_INT, VB_EXPONENTIAL, 0, 4);
  part.lambda = -1;
  expect_error(part, "exponential: lambda is -1; it is above 0");
  part = number(VB_PART_INT, VB_NORMAL, 0, 4);
  part.deviation = 0;
  expect_error(part, "normal: deviation is 0; it is above 0");
  part = number(VB_PART_INT, VB_NORMAL, 0, 4);
  part.mean = 40;
  expect_error(part, "normal: less than 1 % of mean 40 and deviation 2 lies between 0 and 4");
  part = number(VB_PART_FLOAT, VB_UNIFORM, 0, 4);
  part.decimals = 18;
  expect_error(part, "decimals is 18; it is at most 17");
  part.decimals = 17;
  part.max = 400;
  expect_error(part, "a number of 400 with 17 decimals has more than 18 digits");
  part = number(VB_PART_FLOAT, VB_UNIFORM, 0.11, 0.19);
  part.decimals = 1;
  expect_error(part, "no number with 1 decimals lies between 0.11 and 0.19");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers_have_their_shape),
      cmocka_unit_test(floats_have_their_shape_in_steps_of_their_decimals),
      cmocka_unit_test(numbers_as_text),
      cmocka_unit_test(rounding_keeps_to_the_range),
      cmocka_unit_test(shortest_floats_stay_in_their_range),
      cmocka_unit_test(mistakes_of_numbers_are_named),
  };
  return cmocka_run_group_tests(tests, part_set_up, part_tear_down);
}
