/* command/stamp: what is written is found, wherever it stands; what only looks like it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/stamp.h"

/* The stamps in a text, of which not a byte more is there: the sanitizer sees what is read behind.
 */
static int count(const char *text, uint64_t *last) {
  size_t length = strlen(text);
  char *copy = malloc(length + !length);
  assert_non_null(copy);
  memcpy(copy, text, length);
  const char *at = copy, *end = copy + length;
  int found = 0;
  while ((at = vb_stamp_find(at, (size_t)(end - at), last))) found++;
  free(copy);
  return found;
}

static void a_stamp_holds_the_time_of_now(void **state) {
  (void)state;
  char text[VB_STAMP_SIZE + 1] = {0};
  uint64_t ns, before = vb_clock_read(CLOCK_REALTIME);
  vb_stamp_write(text);
  assert_int_equal(strlen(text), VB_STAMP_SIZE);
  assert_int_equal(count(text, &ns), 1);
  assert_in_range(ns, before, vb_clock_read(CLOCK_REALTIME));
}

static void stamps_are_found_wherever_they_stand(void **state) {
  (void)state;
  uint64_t ns;
  assert_int_equal(count("*2\r\n$1\r\nq\r\n$22\r\nvb@1234567890123456789\r\n", &ns), 1);
  assert_true(ns == 1234567890123456789u);
  assert_int_equal(count("vb@vb@0000000000000000007vb@0000000000000000008", &ns), 2);
  assert_true(ns == 8);
}

static void what_only_looks_like_a_stamp_is_none(void **state) {
  (void)state;
  uint64_t ns;
  const char *texts[] = {"",
                         "v",
                         "vb@",
                         "vb@123456789012345678",
                         "vb@12345678901234567x9",
                         "vb@ 1234567890123456789",
                         "VB@1234567890123456789",
                         "xxxxxxxxxxxxxxxxxxxxxxvb@"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(texts); i++) assert_int_equal(count(texts[i], &ns), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_stamp_holds_the_time_of_now),
      cmocka_unit_test(stamps_are_found_wherever_they_stand),
      cmocka_unit_test(what_only_looks_like_a_stamp_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
