/* base/: decimal writing, slots, draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/random.h"
#include "base/slots.h"
#include "base/status.h"

static void decimals_are_those_of_printf(void **state) {
  (void)state;
  uint64_t value = 1;
  for (int i = 0; i < 20000; i++) {
    uint64_t tries[] = {value, value - 1, value + 1, vb_mix(value) >> (i % 64), 0};
    for (size_t k = 0; k < VB_ARRAY_LENGTH(tries); k++) {
      char want[24], got[24] = {0};
      int length = snprintf(want, sizeof want, "%llu", (unsigned long long)tries[k]);
      assert_int_equal(vb_decimal_append(got, tries[k]), length);
      assert_string_equal(got, want);
    }
    value = value > UINT64_MAX / 10 ? (uint64_t)i + 2 : value * 10;
  }
}

static void fixed_width_is_zero_padded(void **state) {
  (void)state;
  char got[13] = {0};
  vb_decimal_write(got, 42, 12);
  assert_string_equal(got, "000000000042");
}

static void slots_are_those_of_the_specification(void **state) {
  (void)state;
  assert_int_equal(vb_crc16("123456789", 9), 0x31c3);
  assert_int_equal(vb_slot("foo", 3), 12182);
  assert_int_equal(vb_slot("{user1000}.following", 20), vb_slot("user1000", 8));
  assert_int_equal(vb_slot("foo{}{bar}", 10), vb_crc16("foo{}{bar}", 10) % VB_SLOTS);
  assert_int_equal(vb_slot("foo{{bar}}zap", 13), vb_slot("{bar", 4));
}

static void draws_differ_in_each_of_their_arguments(void **state) {
  (void)state;
  uint64_t draw = vb_draw(1, 2, 3);
  assert_int_equal(draw, vb_draw(1, 2, 3));
  assert_int_not_equal(draw, vb_draw(2, 2, 3));
  assert_int_not_equal(draw, vb_draw(1, 3, 3));
  assert_int_not_equal(draw, vb_draw(1, 2, 4));
}

static void below_stays_below(void **state) {
  (void)state;
  assert_int_equal(vb_below(UINT64_MAX, 10), 9);
  assert_int_equal(vb_below(0, 10), 0);
  assert_true(vb_unit(UINT64_MAX) < 1.0);
}

static void nothing_of_an_empty_run_is_room(void **state) {
  (void)state;
  vb_bytes bytes = {0};
  assert_non_null(vb_bytes_reserve(&bytes, 0));
  size_t capacity = bytes.capacity;
  char *start = bytes.data;
  for (size_t i = 0; i < capacity; i++) vb_bytes_append(&bytes, "x", 1);
  vb_bytes_append(&bytes, "", 0);
  assert_ptr_equal(vb_bytes_reserve(&bytes, 0), start + capacity);
  assert_int_equal(bytes.capacity, capacity);
  vb_bytes_append(&bytes, "y", 1);
  assert_true(bytes.capacity > capacity);
  assert_memory_equal(bytes.data + capacity - 1, "xy", 2);
  vb_bytes_fini(&bytes);
}

static void a_failure_says_what_and_returns_its_status(void **state) {
  (void)state;
  vb_error err;
  assert_int_equal(vb_fail(&err, VB_EIO, "%s: gone", "a.json"), VB_EIO);
  assert_string_equal(err.text, "a.json: gone");
  assert_string_equal(vb_status_name(VB_EIO), "EIO");
  assert_string_equal(vb_status_name(7), "?");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decimals_are_those_of_printf),
      cmocka_unit_test(fixed_width_is_zero_padded),
      cmocka_unit_test(slots_are_those_of_the_specification),
      cmocka_unit_test(draws_differ_in_each_of_their_arguments),
      cmocka_unit_test(below_stays_below),
      cmocka_unit_test(nothing_of_an_empty_run_is_room),
      cmocka_unit_test(a_failure_says_what_and_returns_its_status),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
