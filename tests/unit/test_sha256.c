/* base/sha256: the digests that other programs make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"

static void assert_digest(const char *data, size_t length, const char *want) {
  char got[VB_SHA256_TEXT];
  vb_sha256(data, length, got);
  assert_string_equal(want, got);
}

static void knows_the_examples_of_the_standard(void **state) {
  (void)state;
  assert_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void agrees_with_sha256sum_at_every_length(void **state) {
  (void)state;
  char data[200], command[300], want[VB_SHA256_TEXT];
  memset(data, 'x', sizeof data);
  for (int length = 50; length < 200; length += 7) {
    snprintf(command, sizeof command, "printf %.*s | sha256sum", length, data);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    if (!fgets(want, sizeof want, pipe)) skip();
    pclose(pipe);
    assert_digest(data, (size_t)length, want);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_the_examples_of_the_standard),
      cmocka_unit_test(agrees_with_sha256sum_at_every_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
