/* keyspace/keyspace: the bytes of keys, lengths, and what a pattern may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "keyspace/format.h"

#include <inttypes.h>
#include <stdio.h>

static vb_keyspace *keyspace_of(vb_keyspace_spec spec) {
  vb_keyspace *keyspace = NULL;
  vb_error err = {0};
  spec.name = "users";
  if (vb_keyspace_new(&keyspace, &spec, &err)) fail_msg("%s", err.text);
  return keyspace;
}

/* The key of `id` is `key`; nothing is written behind it; lengths agree. */
static void expect_key(vb_keyspace_spec spec, uint64_t id, const char *key) {
  vb_keyspace *keyspace = keyspace_of(spec);
  char to[VB_KEY_MAX + 2];
  memset(to, '~', sizeof to);
  size_t length = vb_keyspace_write(keyspace, id, to);
  assert_int_equal(length, strlen(key));
  assert_memory_equal(to, key, length);
  assert_int_equal(to[length], '~');
  assert_true(length <= vb_keyspace_key_max(keyspace));
  if (vb_keyspace_key_fixed(keyspace)) assert_int_equal(vb_keyspace_key_fixed(keyspace), length);
  vb_keyspace_free(keyspace);
}

static void expect_error(vb_keyspace_spec spec, const char *text) {
  vb_keyspace *keyspace = (void *)1;
  vb_error err = {0};
  spec.name = "users";
  assert_int_equal(vb_keyspace_new(&keyspace, &spec, &err), VB_EINVAL);
  assert_string_equal(err.text, text);
  assert_ptr_equal(keyspace, (void *)1);
}

static void prefix_and_padded_number(void **state) {
  (void)state;
  vb_keyspace_spec twelve = {.prefix = "key:", .width = 12, .size = 1000000};
  expect_key(twelve, 0, "key:000000000000");
  expect_key(twelve, 7, "key:000000000007");
  expect_key(twelve, 999999, "key:000000999999");
  expect_key((vb_keyspace_spec){.prefix = "k", .width = 3, .size = 1001}, 1000, "k1000");
  expect_key((vb_keyspace_spec){.prefix = "k", .size = 1000}, 0, "k0");
  expect_key((vb_keyspace_spec){.prefix = "k", .size = 1000}, 999, "k999");
  expect_key((vb_keyspace_spec){.prefix = "", .width = 20, .size = UINT64_MAX}, UINT64_MAX - 1,
             "18446744073709551614");
  expect_key((vb_keyspace_spec){.prefix = "100%d{HASHTAG}:", .size = 5}, 4, "100%d{HASHTAG}:4");
}

static void patterns(void **state) {
  (void)state;
  expect_key((vb_keyspace_spec){.pattern = "key:{HASHTAG}:%012d", .size = 1000000}, 17576 + 676 + 1,
             "key:{BAB}:000000018253");
  expect_key((vb_keyspace_spec){.pattern = "%d:{HASHTAG}%%", .size = 1000000}, 17575,
             "17575:{ZZZ}%");
  expect_key((vb_keyspace_spec){.pattern = "{HASHTAG}a%8db{HASHTAG}", .size = 1000000}, 26,
             "{ABA}a00000026b{ABA}");
  expect_key((vb_keyspace_spec){.pattern = "{HASHTAG%d}", .size = 12}, 11, "{HASHTAG11}");
}

static void every_width_writes_its_digits(void **state) {
  (void)state;
  vb_rng rng = {1};
  for (unsigned width = 1; width <= 20; width++) {
    for (int i = 0; i < 2000; i++) {
      uint64_t value = vb_rng_next(&rng) >> (i % 64);
      char want[64], got[64];
      (void)snprintf(want, sizeof want, "%020" PRIu64, value);
      memset(got, '~', sizeof got);
      vb_digits_write(got, value, width);
      assert_memory_equal(got, want + 20 - width, width);
      assert_int_equal(got[width], '~');
    }
  }
}

static void eight_digits_are_exact_for_every_group(void **state) {
  (void)state;
  for (uint64_t value = 0; value < 100000000; value += value % 10000 < 9999 ? 1 : 997 * 10000) {
    char want[16];
    uint64_t got = vb_digits8(value);
    (void)snprintf(want, sizeof want, "%08" PRIu64, value);
    assert_memory_equal(&got, want, 8);
  }
}

static void a_patched_key_is_a_written_one(void **state) {
  (void)state;
  const char *const patterns[] = {"key:%012d", "{HASHTAG}:%7d", "%020d{HASHTAG}", "%6d"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(patterns); i++) {
    vb_keyspace *keyspace =
        keyspace_of((vb_keyspace_spec){.pattern = patterns[i], .size = 1000000});
    size_t length = vb_keyspace_key_fixed(keyspace);
    char patched[64], written[64];
    assert_true(length > 0);
    vb_keyspace_write(keyspace, 0, patched);
    for (uint64_t id = 1; id < 1000000; id += 7919) {
      vb_keyspace_patch(keyspace, id, patched);
      assert_int_equal(vb_keyspace_write(keyspace, id, written), length);
      assert_memory_equal(patched, written, length);
    }
    vb_keyspace_free(keyspace);
  }
}

static void fixed_only_when_every_key_is(void **state) {
  (void)state;
  struct {
    int width;
    uint64_t size;
    size_t fixed, max;
  } const cases[] = {{12, 1000000000000, 14, 14},
                     {12, 1000000000001, 0, 15},
                     {0, 10, 3, 3},
                     {0, 11, 0, 4},
                     {2, 100, 4, 4},
                     {2, 101, 0, 5}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_keyspace *keyspace = keyspace_of(
        (vb_keyspace_spec){.prefix = "k:", .width = cases[i].width, .size = cases[i].size});
    assert_int_equal(vb_keyspace_key_fixed(keyspace), cases[i].fixed);
    assert_int_equal(vb_keyspace_key_max(keyspace), cases[i].max);
    assert_int_equal(vb_keyspace_size(keyspace), cases[i].size);
    vb_keyspace_free(keyspace);
  }
}

static void mistakes_are_named(void **state) {
  (void)state;
  expect_error((vb_keyspace_spec){.prefix = "k", .size = 0},
               "keyspace 'users': size is 0; it is at least 1");
  expect_error((vb_keyspace_spec){.size = 1}, "keyspace 'users': needs a prefix or a pattern");
  expect_error((vb_keyspace_spec){.prefix = "k", .pattern = "%d", .size = 1},
               "keyspace 'users': needs a prefix or a pattern, not both");
  expect_error((vb_keyspace_spec){.prefix = "k", .width = 21, .size = 1},
               "keyspace 'users': width is 21; it is 0 to 20");
  expect_error((vb_keyspace_spec){.prefix = "k", .width = -1, .size = 1},
               "keyspace 'users': width is -1; it is 0 to 20");
  expect_error((vb_keyspace_spec){.pattern = "%21d", .size = 1},
               "keyspace 'users': width is 21; it is 0 to 20");
  expect_error((vb_keyspace_spec){.pattern = "key", .size = 1},
               "keyspace 'users': pattern \"key\" has no number (like %012d)");
  expect_error((vb_keyspace_spec){.pattern = "%d:%d", .size = 1},
               "keyspace 'users': pattern \"%d:%d\" has more than one number");
  expect_error((vb_keyspace_spec){.pattern = "a%xb", .size = 1},
               "keyspace 'users': pattern \"a%xb\": \"%xb\" is neither %d, %Nd, %0Nd nor %%");
  char prefix[1100] = {0};
  memset(prefix, 'k', 1021);
  expect_key((vb_keyspace_spec){.prefix = "k", .width = 12, .size = 1}, 0, "k000000000000");
  expect_error((vb_keyspace_spec){.prefix = prefix, .width = 12, .size = 1},
               "keyspace 'users': keys of 1033 bytes; they may have 1024");
}

static void tags_of_slots_spread_ids_evenly(void **state) {
  (void)state;
  enum { ROUNDS = 3 };
  vb_keyspace *keyspace =
      keyspace_of((vb_keyspace_spec){.prefix = "k:", .width = 12, .tagged = 1, .size = 1000000});
  static unsigned seen[VB_SLOTS];
  char key[VB_KEY_MAX + 1];
  memset(seen, 0, sizeof seen);
  for (uint64_t id = 0; id < ROUNDS * VB_SLOTS; id++) {
    size_t length = vb_keyspace_write(keyspace, id, key);
    assert_int_equal(length, vb_keyspace_key_fixed(keyspace));
    assert_int_equal(length, strlen("k:{xyz}:000000000000"));
    assert_memory_equal(key, "k:{", 3);
    assert_memory_equal(key + 6, "}:0000000", 9);
    seen[vb_slot(key, length)]++;
    char patched[VB_KEY_MAX];
    (void)vb_keyspace_write(keyspace, 0, patched);
    vb_keyspace_patch(keyspace, id, patched);
    assert_memory_equal(patched, key, length);
  }
  for (unsigned slot = 0; slot < VB_SLOTS; slot++) assert_int_equal(seen[slot], ROUNDS);
  vb_keyspace_free(keyspace);
  expect_error((vb_keyspace_spec){.pattern = "k:%d", .tagged = 1, .size = 1},
               "keyspace 'users': tagged keys have a prefix; a pattern has {HASHTAG}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tags_of_slots_spread_ids_evenly),
      cmocka_unit_test(prefix_and_padded_number),
      cmocka_unit_test(patterns),
      cmocka_unit_test(every_width_writes_its_digits),
      cmocka_unit_test(eight_digits_are_exact_for_every_group),
      cmocka_unit_test(a_patched_key_is_a_written_one),
      cmocka_unit_test(fixed_only_when_every_key_is),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
