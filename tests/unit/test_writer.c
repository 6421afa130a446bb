/* resp/writer: requests are the bytes that the protocol asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "resp/writer.h"

static void assert_bytes(const vb_bytes *got, const char *want, size_t length) {
  assert_int_equal(got->length, length);
  assert_memory_equal(got->data, want, length);
}

static void requests_are_appended(void **state) {
  (void)state;
  static const char want[] = "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$0\r\n\r\n";
  vb_bytes out = {0};
  const char *words[] = {"SET", "a\0b", ""};
  vb_resp_request(&out, 1, (const char *[]){"PING"}, NULL);
  vb_resp_request(&out, 3, words, (size_t[]){3, 3, 0});
  assert_bytes(&out, want, sizeof want - 1);
  vb_bytes_fini(&out);
}

static void the_longest_header_fits(void **state) {
  (void)state;
  char to[VB_RESP_HEADER_MAX];
  assert_int_equal(vb_resp_header(to, '$', UINT64_MAX), VB_RESP_HEADER_MAX);
  assert_memory_equal(to, "$18446744073709551615\r\n", VB_RESP_HEADER_MAX);
  assert_int_equal(vb_resp_header(to, '*', 0), 4);
  assert_memory_equal(to, "*0\r\n", 4);
}

static void a_large_word_is_appended(void **state) {
  (void)state;
  static char word[100000];
  memset(word, 'w', sizeof word);
  vb_bytes out = {0};
  vb_resp_request(&out, 1, (const char *[]){word}, (size_t[]){sizeof word});
  assert_int_equal(out.length, 4 + 9 + sizeof word + 2);
  assert_memory_equal(out.data, "*1\r\n$100000\r\nwww", 16);
  assert_memory_equal(out.data + out.length - 3, "w\r\n", 3);
  vb_bytes_fini(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_are_appended),
      cmocka_unit_test(the_longest_header_fits),
      cmocka_unit_test(a_large_word_is_appended),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
