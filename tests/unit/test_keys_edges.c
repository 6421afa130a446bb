/* keyspace/keyspace, keyspace/parse: slots, sub-ids, tags, numbers without digits, and patterns for
 * SCAN that have no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static void expect_error(vb_keyspace_spec spec, const char *text) {
  vb_keyspace *keyspace = NULL;
  vb_error err = {0};
  spec.name = "users";
  assert_int_equal(vb_keyspace_new(&keyspace, &spec, &err), VB_EINVAL);
  assert_string_equal(err.text, text);
  assert_null(keyspace);
}

static void slots_and_sub_ids_that_cannot_be_are_named(void **state) {
  (void)state;
  vb_keyspace_spec spec = {.prefix = "k", .size = 10, .slot_first = 0, .slot_last = 16385};
  expect_error(spec, "keyspace 'users': slots 0 to 16385; they are 0 to 16384");
  spec.slot_first = 9;
  spec.slot_last = 5;
  expect_error(spec, "keyspace 'users': slots 9 to 5; they are 0 to 16384");
  expect_error((vb_keyspace_spec){.prefix = "k", .size = 1ull << 40, .subs = 1ull << 40},
               "keyspace 'users': 1099511627776 ids with 1099511627776 sub-ids each are too many");
}

/* Of a range of one slot, the ids of this slot and no other are its own. */
static void slots_are_a_half_open_range(void **state) {
  (void)state;
  char key[VB_KEY_MAX];
  vb_keyspace *all = keyspace_of((vb_keyspace_spec){.prefix = "k", .size = 100000});
  unsigned slot = vb_slot(key, vb_keyspace_write(all, 7, key)), own = 0;
  vb_keyspace *one = keyspace_of(
      (vb_keyspace_spec){.prefix = "k", .size = 100000, .slot_first = slot, .slot_last = slot + 1});
  for (uint64_t id = 0; id < 100000; id++) {
    bool is_own = vb_slot(key, vb_keyspace_write(all, id, key)) == slot;
    assert_int_equal(vb_keyspace_in_slots(one, id), is_own);
    assert_int_equal(vb_keyspace_in_slots(all, id), 1);
    own += is_own;
  }
  assert_in_range(own, 1, 20);
  vb_keyspace_free(all);
  vb_keyspace_free(one);
}

static void expect_key(vb_keyspace_spec spec, uint64_t id, const char *expected) {
  vb_keyspace *keyspace = keyspace_of(spec);
  char key[VB_KEY_MAX];
  size_t length = vb_keyspace_write(keyspace, id, key);
  assert_int_equal(length, strlen(expected));
  assert_memory_equal(key, expected, length);
  assert_true(length <= vb_keyspace_key_max(keyspace));
  if (vb_keyspace_key_fixed(keyspace)) assert_int_equal(vb_keyspace_key_fixed(keyspace), length);
  vb_keyspace_free(keyspace);
}

static void sub_ids_stand_in_the_key_or_apart(void **state) {
  (void)state;
  vb_keyspace_spec spec = {.prefix = "u:", .width = 3, .size = 5, .subs = 20};
  expect_key(spec, 2 * 20 + 7, "u:002:7");
  expect_key(spec, 4 * 20 + 19, "u:004:19");
  spec.subs_apart = 1;
  expect_key(spec, 2 * 20 + 7, "u:002");
}

/* The first of all tags that has the slot, so that later versions address the keys of earlier ones.
 */
static void tags_of_slots_stay_what_they_are(void **state) {
  (void)state;
  vb_keyspace_spec spec = {.prefix = "doc:", .width = 12, .tagged = 1, .size = 1000000};
  expect_key(spec, 42, "doc:{34B}:000000000042");
  expect_key(spec, 16384 + 42, "doc:{34B}:000000016426");
}

static void expect_parsed(vb_keyspace_spec spec, const char *key, int match, uint64_t id) {
  vb_keyspace *keyspace = keyspace_of(spec);
  uint64_t found = 12345;
  assert_int_equal(vb_keyspace_parse(keyspace, key, strlen(key), &found), match);
  assert_int_equal(found, match == VB_KEY_OWN || match == VB_KEY_TAGGED ? id : 12345);
  vb_keyspace_free(keyspace);
}

static void keys_at_the_edge_of_what_is_read(void **state) {
  (void)state;
  vb_keyspace_spec plain = {.prefix = "k:", .size = 1000};
  expect_parsed(plain, "k:", VB_KEY_FOREIGN, 0);
  expect_parsed(plain, "k:0", VB_KEY_OWN, 0);
  expect_parsed(plain, "k:00", VB_KEY_FOREIGN, 0);
  expect_parsed(plain, "k:1000", VB_KEY_OUTSIDE, 0);
  vb_keyspace_spec subs = {.prefix = "k:", .size = 1000, .subs = 16};
  expect_parsed(subs, "k:1152921504606846976:3", VB_KEY_OUTSIDE, 0); /* 2^60 x 16 is 0 */
  vb_keyspace_spec tagged = {.pattern = "v:{HASHTAG}:%d", .size = 1000};
  expect_parsed(tagged, "v:{AAB}:1", VB_KEY_OWN, 1);
  expect_parsed(tagged, "v:{AAC}:1", VB_KEY_TAGGED, 1); /* of one length with its own */
  expect_parsed(tagged, "v:{AAB}:{x}:1", VB_KEY_FOREIGN, 0);
}

/* What does not fit is cut; nothing is written behind the room. */
static void patterns_for_scan_keep_to_their_room(void **state) {
  (void)state;
  vb_keyspace *keyspace = keyspace_of((vb_keyspace_spec){.prefix = "ab*", .size = 1});
  for (size_t room = 1; room < 8; room++) {
    char text[9];
    memset(text, '~', sizeof text);
    assert_int_equal(vb_keyspace_match(keyspace, 0, text, room), 5);
    assert_memory_equal(text, "ab\\**", room - 1 < 5 ? room - 1 : 5);
    assert_int_equal(text[room - 1 < 5 ? room - 1 : 5], 0);
    assert_int_equal(text[room], '~');
  }
  vb_keyspace_free(keyspace);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slots_and_sub_ids_that_cannot_be_are_named),
      cmocka_unit_test(slots_are_a_half_open_range),
      cmocka_unit_test(sub_ids_stand_in_the_key_or_apart),
      cmocka_unit_test(tags_of_slots_stay_what_they_are),
      cmocka_unit_test(keys_at_the_edge_of_what_is_read),
      cmocka_unit_test(patterns_for_scan_keep_to_their_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
