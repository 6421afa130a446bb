/* base/nearest: the name that somebody probably meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *const names[] = {"record", "records", "sections", "max_bytes", "version", NULL};

static void near_words_are_found(void **state) {
  (void)state;
  assert_string_equal(vb_nearest("recrod", names), "record");
  assert_string_equal(vb_nearest("Record", names), "record");
  assert_string_equal(vb_nearest("recordss", names), "records");
  assert_string_equal(vb_nearest("maxbytes", names), "max_bytes");
  assert_string_equal(vb_nearest("vesion", names), "version");
}

static void far_words_are_not(void **state) {
  (void)state;
  char longest[200] = {0};
  memset(longest, 'x', sizeof longest - 1);
  assert_null(vb_nearest("banana", names));
  assert_null(vb_nearest("", names));
  assert_null(vb_nearest(longest, names));
}

static void hints(void **state) {
  (void)state;
  char hint[VB_HINT_MAX];
  assert_string_equal(vb_nearest_hint("recrod", names, hint), "; did you mean 'record'?");
  assert_string_equal(vb_nearest_hint("banana", names, hint), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(near_words_are_found),
      cmocka_unit_test(far_words_are_not),
      cmocka_unit_test(hints),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
