/* base/sha1: the digests by which servers name scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha1.h"

static void assert_digest(const char *data, size_t length, const char *want) {
  char got[VB_SHA1_TEXT];
  vb_sha1(data, length, got);
  assert_string_equal(want, got);
}

static void knows_the_examples_of_the_standard(void **state) {
  (void)state;
  assert_digest("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  assert_digest("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_the_examples_of_the_standard),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
