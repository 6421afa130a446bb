/* keyspace/parse: which id a key is of, and what SCAN has to match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slots.h"
#include "keyspace/format.h"
#include "keyspace/parse.h"

static vb_keyspace *keyspace_of(vb_keyspace_spec spec) {
  vb_keyspace *keyspace = NULL;
  vb_error err = {0};
  spec.name = "users";
  if (vb_keyspace_new(&keyspace, &spec, &err)) fail_msg("%s", err.text);
  return keyspace;
}

static void expect(const vb_keyspace *keyspace, const char *key, int match, uint64_t id) {
  uint64_t found = 12345;
  int got = vb_keyspace_parse(keyspace, key, strlen(key), &found);
  if (got != match) fail_msg("%s: %d, expected %d", key, got, match);
  bool known = match == VB_KEY_OWN || match == VB_KEY_TAGGED;
  assert_int_equal(found, known ? id : 12345);
}

static void keys_are_read_as_they_are_written(void **state) {
  (void)state;
  vb_keyspace_spec specs[] = {
      {.prefix = "key:", .width = 12, .size = 1000000},
      {.prefix = "k", .width = 0, .size = 1000000},
      {.prefix = "k", .width = 3, .size = 1000000},
      {.pattern = "a:{HASHTAG}:%05d:{HASHTAG}z", .size = 1000000},
      {.prefix = "u:", .width = 4, .size = 1000, .subs = 1000},
      {.prefix = "", .width = 20, .size = UINT64_MAX},
      {.prefix = "k:", .width = 12, .tagged = 1, .size = 1000000},
  };
  char key[VB_KEY_MAX];
  for (size_t i = 0; i < VB_ARRAY_LENGTH(specs); i++) {
    vb_keyspace *keyspace = keyspace_of(specs[i]);
    for (uint64_t n = 0; n < 2000; n++) {
      uint64_t id = n < 20 ? n : vb_below(vb_mix(n), vb_keyspace_size(keyspace)), found = 0;
      size_t length = vb_keyspace_write(keyspace, id, key);
      assert_true(length <= vb_keyspace_key_max(keyspace));
      assert_int_equal(vb_keyspace_parse(keyspace, key, length, &found), VB_KEY_OWN);
      assert_int_equal(found, id);
      assert_int_equal(
          vb_keyspace_parse(keyspace, key, length - 1, &found) == VB_KEY_OWN && found == id, 0);
    }
    vb_keyspace_free(keyspace);
  }
}

static void other_keys_are_foreign(void **state) {
  (void)state;
  vb_keyspace *keyspace =
      keyspace_of((vb_keyspace_spec){.prefix = "key:", .width = 4, .size = 20000});
  expect(keyspace, "key:0042", VB_KEY_OWN, 42);
  expect(keyspace, "key:12345", VB_KEY_OWN, 12345);
  expect(keyspace, "key:20000", VB_KEY_OUTSIDE, 0);
  expect(keyspace, "key:99999999999999999999999", VB_KEY_FOREIGN, 0);
  expect(keyspace, "key:42", VB_KEY_FOREIGN, 0);
  expect(keyspace, "key:00042", VB_KEY_FOREIGN, 0);
  expect(keyspace, "key:0042:x", VB_KEY_FOREIGN, 0);
  expect(keyspace, "key:", VB_KEY_FOREIGN, 0);
  expect(keyspace, "key:-042", VB_KEY_FOREIGN, 0);
  expect(keyspace, "xkey:0042", VB_KEY_FOREIGN, 0);
  expect(keyspace, "", VB_KEY_FOREIGN, 0);
  expect(keyspace, "key:{", VB_KEY_FOREIGN, 0);
  expect(keyspace, "{}key:0042", VB_KEY_FOREIGN, 0);
  vb_keyspace_free(keyspace);
}

static void hash_tags_of_others_are_understood(void **state) {
  (void)state;
  vb_keyspace *keyspace =
      keyspace_of((vb_keyspace_spec){.prefix = "key:", .width = 4, .size = 10000});
  expect(keyspace, "{x9z}key:0042", VB_KEY_TAGGED, 42);
  expect(keyspace, "key:{x9z}:0042", VB_KEY_TAGGED, 42);
  expect(keyspace, "key:{x9z}0042", VB_KEY_FOREIGN, 0);
  vb_keyspace_free(keyspace);
  keyspace = keyspace_of((vb_keyspace_spec){.pattern = "v:{HASHTAG}:%04d", .size = 10000});
  expect(keyspace, "v:{AAB}:0001", VB_KEY_OWN, 1);
  expect(keyspace, "v:{zz}:0001", VB_KEY_TAGGED, 1);
  expect(keyspace, "v:zz:0001", VB_KEY_FOREIGN, 0);
  vb_keyspace_free(keyspace);
}

static void expect_tag(const vb_keyspace *keyspace, const char *key, uint64_t id,
                       const char *want) {
  char tag[4] = "";
  int found = vb_keyspace_tag_of(keyspace, key, strlen(key), id, tag);
  assert_int_equal(found, want != NULL);
  if (want) assert_string_equal(tag, want);
}

static void tags_of_others_are_those_at_our_places(void **state) {
  (void)state;
  vb_keyspace *keyspace =
      keyspace_of((vb_keyspace_spec){.pattern = "{HASHTAG}v:%02d:{HASHTAG}", .size = 1000});
  expect_tag(keyspace, "{x9z}v:07:{x9z}", 7, "x9z");
  expect_tag(keyspace, "{x9z}v:123:{x9z}", 123, "x9z");
  expect_tag(keyspace, "{x9z}v:07:{x9y}", 7, NULL);
  expect_tag(keyspace, "{x9zz}v:07:{x9z}", 7, NULL);
  expect_tag(keyspace, "(x9z)v:07:{x9z}", 7, NULL);
  vb_keyspace_free(keyspace);
  keyspace = keyspace_of((vb_keyspace_spec){.prefix = "k:", .width = 4, .size = 1000});
  expect_tag(keyspace, "k:{x9z}:0007", 7, NULL);
  vb_keyspace_free(keyspace);
}

static void a_learned_tag_is_written_from_then_on(void **state) {
  (void)state;
  vb_keyspace *keyspace =
      keyspace_of((vb_keyspace_spec){.prefix = "k:", .width = 4, .tagged = 1, .size = 5000});
  char key[VB_KEY_MAX], other[VB_KEY_MAX];
  uint64_t bytes = 1;
  assert_int_equal(vb_keyspace_learned(keyspace, &bytes), 0);
  assert_int_equal(bytes, 0);
  size_t length = vb_keyspace_write(keyspace, 8, other);
  assert_int_equal(vb_keyspace_learn(keyspace, 7, "x9z", NULL), VB_OK);
  assert_int_equal(vb_keyspace_learn(keyspace, 4999, "abc", NULL), VB_OK);
  assert_int_equal(vb_keyspace_learn(keyspace, 4999, "abd", NULL), VB_OK);
  assert_int_equal(vb_keyspace_learned(keyspace, &bytes), 2);
  assert_int_equal(bytes, 2 * 4096);
  assert_int_equal(vb_keyspace_write(keyspace, 7, key), length);
  assert_memory_equal(key, "k:{x9z}:0007", length);
  expect(keyspace, "k:{x9z}:0007", VB_KEY_OWN, 7);
  expect(keyspace, "k:{abd}:4999", VB_KEY_OWN, 4999);
  expect(keyspace, "k:{x9z}:0009", VB_KEY_TAGGED, 9);
  assert_int_equal(vb_keyspace_write(keyspace, 8, key), length);
  assert_memory_equal(key, other, length);
  vb_keyspace_patch(keyspace, 4999, key);
  assert_memory_equal(key, "k:{abd}:4999", length);
  vb_keyspace_free(keyspace);
}

static void sub_ids_stand_behind_the_id(void **state) {
  (void)state;
  vb_keyspace *keyspace =
      keyspace_of((vb_keyspace_spec){.prefix = "u:", .width = 3, .size = 100, .subs = 20});
  assert_int_equal(vb_keyspace_size(keyspace), 2000);
  expect(keyspace, "u:007:19", VB_KEY_OWN, 7 * 20 + 19);
  expect(keyspace, "u:007:0", VB_KEY_OWN, 7 * 20);
  expect(keyspace, "u:007:20", VB_KEY_FOREIGN, 0);
  expect(keyspace, "u:007:01", VB_KEY_FOREIGN, 0);
  expect(keyspace, "u:007", VB_KEY_FOREIGN, 0);
  expect(keyspace, "u:100:3", VB_KEY_OUTSIDE, 0);
  vb_keyspace_free(keyspace);
}

static void keys_of_other_slots_are_outside(void **state) {
  (void)state;
  vb_keyspace *keyspace = keyspace_of(
      (vb_keyspace_spec){.prefix = "k", .size = 1000, .slot_first = 0, .slot_last = 8192});
  unsigned own = 0;
  char key[VB_KEY_MAX + 1];
  for (uint64_t id = 0; id < 1000; id++) {
    size_t length = vb_keyspace_write(keyspace, id, key);
    key[length] = 0;
    bool inside = vb_slot(key, length) < 8192;
    expect(keyspace, key, inside ? VB_KEY_OWN : VB_KEY_OUTSIDE, id);
    own += inside;
  }
  assert_true(own > 400 && own < 600);
  vb_keyspace_free(keyspace);
}

static void expect_match(vb_keyspace_spec spec, int anywhere, const char *expected) {
  vb_keyspace *keyspace = keyspace_of(spec);
  char text[100];
  assert_int_equal(vb_keyspace_match(keyspace, anywhere, text, sizeof text), strlen(expected));
  assert_string_equal(text, expected);
  vb_keyspace_free(keyspace);
}

static void patterns_match_the_prefix_literally(void **state) {
  (void)state;
  expect_match((vb_keyspace_spec){.prefix = "key:", .size = 1}, 0, "key:*");
  expect_match((vb_keyspace_spec){.prefix = "key:", .size = 1}, 1, "*key:*");
  expect_match((vb_keyspace_spec){.prefix = "a*[b]?\\", .size = 1}, 0, "a\\*\\[b\\]\\?\\\\*");
  expect_match((vb_keyspace_spec){.prefix = "k:", .tagged = 1, .size = 1}, 0, "k:{*}:*");
  expect_match((vb_keyspace_spec){.pattern = "v:{HASHTAG}:%d:x", .size = 1}, 0, "v:{*}:*");
  vb_keyspace *keyspace = keyspace_of((vb_keyspace_spec){.prefix = "abcdef", .size = 1});
  char text[4];
  assert_int_equal(vb_keyspace_match(keyspace, 0, text, sizeof text), 7);
  assert_string_equal(text, "abc");
  vb_keyspace_free(keyspace);
}

static void a_keyspace_without_a_size_grows(void **state) {
  (void)state;
  vb_keyspace *keyspace = keyspace_of((vb_keyspace_spec){.prefix = "k", .max_size = 1ull << 40});
  vb_tracker *tracker = NULL;
  assert_int_equal(vb_keyspace_track(keyspace, &tracker, NULL), 0);
  assert_int_equal(vb_tracker_size(tracker), 65536);
  assert_int_equal(vb_tracker_add(tracker, 1000000), 1);
  assert_int_equal(vb_tracker_size(tracker), 1 << 20);
  vb_keyspace_free(keyspace);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_are_read_as_they_are_written),
      cmocka_unit_test(other_keys_are_foreign),
      cmocka_unit_test(hash_tags_of_others_are_understood),
      cmocka_unit_test(tags_of_others_are_those_at_our_places),
      cmocka_unit_test(a_learned_tag_is_written_from_then_on),
      cmocka_unit_test(sub_ids_stand_behind_the_id),
      cmocka_unit_test(keys_of_other_slots_are_outside),
      cmocka_unit_test(patterns_match_the_prefix_literally),
      cmocka_unit_test(a_keyspace_without_a_size_grows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
