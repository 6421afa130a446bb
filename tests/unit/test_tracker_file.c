/* keyspace/tracker_file: what was known comes back, and what is wrong with a file is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "keyspace/keyspace.h"
#include "keyspace/tracker_file.h"

enum { SIZE = 300000, FILE_MAX = 1 << 20 };

static char directory[] = "/tmp/vbench-tracker-XXXXXX";
static char path[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(directory)) return -1;
  (void)snprintf(path, sizeof path, "%s/t", directory);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  return rmdir(directory);
}

static vb_keyspace *keyspace_of(vb_keyspace_spec spec) {
  vb_keyspace *keyspace = NULL;
  vb_error err = {0};
  if (vb_keyspace_new(&keyspace, &spec, &err)) fail_msg("%s", err.text);
  return keyspace;
}

static vb_keyspace *users(void) {
  return keyspace_of(
      (vb_keyspace_spec){.name = "users", .prefix = "u:", .width = 12, .size = SIZE});
}

static vb_keyspace *carts(void) {
  return keyspace_of((vb_keyspace_spec){.name = "carts", .prefix = "c:", .size = 100, .subs = 5});
}

static vb_tracker *tracked(const vb_keyspace *keyspace) {
  vb_tracker *tracker = NULL;
  assert_int_equal(vb_keyspace_track(keyspace, &tracker, NULL), 0);
  return tracker;
}

static void save(const vb_keyspace *const *keyspaces, uint32_t count) {
  vb_error err = {0};
  if (vb_tracker_file_save(path, keyspaces, count, &err)) fail_msg("%s", err.text);
}

/* A file of two keyspaces: a full block, a few ids, one unknown. */
static void save_two(void) {
  vb_keyspace *both[] = {users(), carts()};
  (void)vb_tracker_add_range(tracked(both[0]), 0, 70000);
  (void)vb_tracker_add(tracked(both[0]), SIZE - 1);
  vb_tracker_unknown(tracked(both[0]), 200001);
  (void)vb_tracker_add(tracked(both[1]), 77);
  save((const vb_keyspace *const *)both, 2);
  vb_keyspace_free(both[0]);
  vb_keyspace_free(both[1]);
}

static int load(const vb_keyspace *const *keyspaces, uint32_t count, vb_error *err) {
  uint32_t loaded = 99;
  int status = vb_tracker_file_load(path, keyspaces, count, &loaded, err);
  if (!status) assert_int_equal(loaded, 2);
  return status;
}

static void what_was_saved_comes_back(void **state) {
  (void)state;
  save_two();
  vb_keyspace *both[] = {carts(), users()};
  (void)vb_tracker_add(tracked(both[0]), 5); /* is forgotten */
  assert_int_equal(load((const vb_keyspace *const *)both, 2, NULL), 0);
  vb_tracker *of_users = tracked(both[1]), *of_carts = tracked(both[0]);
  assert_int_equal(vb_tracker_count(of_users), 70001);
  assert_int_equal(vb_tracker_count_range(of_users, 0, 70000), 70000);
  assert_int_equal(vb_tracker_exists(of_users, SIZE - 1), 1);
  assert_int_equal(vb_tracker_unknown_count(of_users), 1);
  assert_int_equal(vb_tracker_exists(of_users, 200001), 0);
  assert_int_equal(vb_tracker_claim(of_users, 200001), 0);
  assert_int_equal(vb_tracker_count(of_carts), 1);
  assert_int_equal(vb_tracker_exists(of_carts, 77), 1);
  vb_keyspace_free(both[0]);
  vb_keyspace_free(both[1]);
}

static void a_file_of_nothing_loads_nothing(void **state) {
  (void)state;
  vb_keyspace *keyspace = users();
  uint32_t loaded = 99;
  save((const vb_keyspace *const *)&keyspace, 1);
  assert_int_equal(
      vb_tracker_file_load(path, (const vb_keyspace *const *)&keyspace, 1, &loaded, NULL), 0);
  assert_int_equal(loaded, 0);
  assert_null(vb_keyspace_tracker(keyspace));
  vb_keyspace_free(keyspace);
}

static void expect_error(vb_keyspace_spec spec, const char *message) {
  vb_keyspace *both[] = {keyspace_of(spec), carts()};
  char expected[512];
  vb_error err = {0};
  assert_int_equal(load((const vb_keyspace *const *)both, 2, &err), VB_EINVAL);
  (void)snprintf(expected, sizeof expected, "tracker file %s%s", path, message);
  assert_string_equal(err.text, expected);
  assert_null(vb_keyspace_tracker(both[1])); /* not even what would fit */
  vb_keyspace_free(both[0]);
  vb_keyspace_free(both[1]);
}

static void keyspaces_that_have_changed_are_named(void **state) {
  (void)state;
  save_two();
  expect_error((vb_keyspace_spec){.name = "users", .prefix = "u:", .width = 12, .size = SIZE + 1},
               ": keyspace 'users' has 300000 ids there and 300001 here");
  expect_error((vb_keyspace_spec){.name = "users", .prefix = "v:", .width = 12, .size = SIZE},
               ": keyspace 'users' has keys u:%012d there and v:%012d here");
  expect_error(
      (vb_keyspace_spec){.name = "users", .prefix = "u:", .width = 12, .size = SIZE / 3, .subs = 3},
      ": keyspace 'users' has keys u:%012d there and u:%012d:%d below 3 here");
  expect_error((vb_keyspace_spec){.name = "users",
                                  .prefix = "u:",
                                  .width = 12,
                                  .size = SIZE,
                                  .slot_first = 3,
                                  .slot_last = 9},
               ": keyspace 'users' has keys u:%012d there and u:%012d in slots 3 to 9 here");
  expect_error((vb_keyspace_spec){.name = "others", .prefix = "u:", .width = 12, .size = SIZE},
               " is of a keyspace 'users', which the scenario has not");
}

/* The second one does not fit: the first one is not loaded either. */
static void all_or_nothing_is_loaded(void **state) {
  (void)state;
  save_two();
  vb_keyspace *made[] = {users(), keyspace_of((vb_keyspace_spec){
                                      .name = "carts", .prefix = "c:", .size = 101, .subs = 5})};
  vb_error err = {0};
  (void)vb_tracker_add(tracked(made[0]), 5);
  assert_int_equal(load((const vb_keyspace *const *)made, 2, &err), VB_EINVAL);
  assert_non_null(strstr(err.text, "keyspace 'carts' has 500 ids there and 505 here"));
  assert_int_equal(vb_tracker_count(tracked(made[0])), 1);
  assert_int_equal(vb_tracker_exists(tracked(made[0]), 5), 1);
  vb_keyspace_free(made[0]);
  vb_keyspace_free(made[1]);
}

static size_t read_all(char *to) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t length = fread(to, 1, FILE_MAX, file);
  (void)fclose(file);
  assert_true(length > 0 && length < FILE_MAX);
  return length;
}

static void write_all(const char *from, size_t length) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(from, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

static void expect_refused(const vb_keyspace *const *both, const char *words) {
  vb_error err = {0};
  assert_int_equal(load(both, 2, &err), VB_EINVAL);
  if (!strstr(err.text, words) || !strstr(err.text, path)) fail_msg("%s", err.text);
}

static void damage_is_found_wherever_it_is(void **state) {
  (void)state;
  static char bytes[FILE_MAX];
  vb_keyspace *made[] = {users(), carts()};
  const vb_keyspace *const *both = (const vb_keyspace *const *)made;
  save_two();
  size_t length = read_all(bytes);
  for (size_t at = 8; at < length; at += at < 300 || at > length - 300 ? 1 : 971) {
    bytes[at] ^= 0x10;
    write_all(bytes, length);
    expect_refused(both, "is damaged or cut off");
    bytes[at] ^= 0x10;
    write_all(bytes, at);
    expect_refused(both, "is damaged or cut off");
  }
  vb_keyspace_free(made[0]);
  vb_keyspace_free(made[1]);
}

/* Full blocks take a word, empty ones nothing. */
static void a_file_is_as_large_as_what_is_mixed(void **state) {
  (void)state;
  struct stat about;
  vb_keyspace *keyspace = users();
  (void)vb_tracker_add_range(tracked(keyspace), 0, 3 * 65536);
  save((const vb_keyspace *const *)&keyspace, 1);
  assert_int_equal(stat(path, &about), 0);
  assert_true(about.st_size < 200);
  (void)vb_tracker_remove(tracked(keyspace), 65536);
  save((const vb_keyspace *const *)&keyspace, 1);
  assert_int_equal(stat(path, &about), 0);
  assert_in_range(about.st_size, 8192, 8400);
  vb_keyspace_free(keyspace);
}

/* Changes a word of the first section, counted from its start, and makes its checksum right. */
static void change_word(size_t at, uint64_t to) {
  static uint64_t words[FILE_MAX / 8];
  size_t length = read_all((char *)words);
  uint64_t *section = words + 2, sum = 0, last = section[0] - 1;
  section[at] = to;
  for (uint64_t i = 0; i < last; i++) sum = vb_mix(sum ^ section[i]) + 1;
  section[last] = sum;
  write_all((const char *)words, length);
}

/* Blocks that are out of order, past the size, or more than there are; all else is right. */
static void blocks_that_do_not_fit_are_damage(void **state) {
  (void)state;
  enum { BLOCKS = 3, FIRST = 8, SECOND = FIRST + 1 + 1024 }; /* words */
  const struct {
    size_t at;
    uint64_t to;
  } changes[] = {{FIRST, 3 << 1}, {SECOND, 0}, {SECOND, 5 << 1}, {BLOCKS, 3}, {BLOCKS, 1}};
  vb_keyspace *made[] = {users(), carts()};
  for (size_t i = 0; i <= VB_ARRAY_LENGTH(changes); i++) {
    vb_keyspace *one = users();
    (void)vb_tracker_add(tracked(one), 3);
    (void)vb_tracker_add(tracked(one), 70000);
    save((const vb_keyspace *const *)&one, 1);
    vb_keyspace_free(one);
    if (i < VB_ARRAY_LENGTH(changes)) {
      change_word(changes[i].at, changes[i].to);
      expect_refused((const vb_keyspace *const *)made, "is damaged or cut off");
    } else { /* as it was, it is read */
      uint32_t loaded = 0;
      change_word(FIRST, 0);
      assert_int_equal(
          vb_tracker_file_load(path, (const vb_keyspace *const *)made, 2, &loaded, NULL), VB_OK);
      assert_int_equal(vb_tracker_count(tracked(made[0])), 2);
    }
  }
  vb_keyspace_free(made[0]);
  vb_keyspace_free(made[1]);
}

static void bytes_behind_the_end_are_damage(void **state) {
  (void)state;
  static char bytes[FILE_MAX + 8];
  vb_keyspace *made[] = {users(), carts()};
  save_two();
  size_t length = read_all(bytes);
  for (size_t more = 1; more <= 8; more++) {
    write_all(bytes, length + more);
    expect_refused((const vb_keyspace *const *)made, "is damaged or cut off");
  }
  vb_keyspace_free(made[0]);
  vb_keyspace_free(made[1]);
}

/* A file that cannot take its place leaves nothing beside it. */
static void a_failed_save_leaves_no_file(void **state) {
  (void)state;
  char busy[96], inside[128], left[256];
  vb_keyspace *keyspace = users();
  vb_error err = {0};
  (void)snprintf(busy, sizeof busy, "%s/busy", directory);
  (void)snprintf(inside, sizeof inside, "%s/file", busy);
  (void)snprintf(left, sizeof left, "%s.%ld.new", busy, (long)getpid());
  assert_int_equal(mkdir(busy, 0700), 0);
  assert_int_equal(mkdir(inside, 0700), 0); /* so that it cannot be replaced */
  (void)tracked(keyspace);
  assert_int_equal(vb_tracker_file_save(busy, (const vb_keyspace *const *)&keyspace, 1, &err),
                   VB_EIO);
  assert_non_null(strstr(err.text, "cannot be written"));
  assert_int_equal(access(left, F_OK), -1);
  assert_int_equal(rmdir(inside), 0);
  assert_int_equal(rmdir(busy), 0);
  vb_keyspace_free(keyspace);
}

static void what_is_no_tracker_file_is_named(void **state) {
  (void)state;
  vb_keyspace *made[] = {users(), carts()};
  const vb_keyspace *const *both = (const vb_keyspace *const *)made;
  write_all("", 0);
  expect_refused(both, "is no tracker file");
  write_all("hello, world, hello", 19);
  expect_refused(both, "is no tracker file");
  write_all("VBTRACK9", 8);
  expect_refused(both, "has version '9'; this vbench reads '1'");
  vb_error err = {0};
  uint32_t loaded = 0;
  assert_int_equal(vb_tracker_file_load("/no/such", both, 2, &loaded, &err), VB_EIO);
  assert_string_equal(err.text, "tracker file /no/such cannot be read: No such file or directory");
  assert_int_equal(vb_tracker_file_load("/tmp", both, 2, &loaded, &err), VB_EINVAL);
  assert_int_equal(vb_tracker_file_save("/no/such", both, 2, &err), VB_EIO);
  assert_string_equal(err.text,
                      "tracker file /no/such cannot be written: No such file or directory");
  vb_keyspace_free(made[0]);
  vb_keyspace_free(made[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_saved_comes_back),
      cmocka_unit_test(a_file_of_nothing_loads_nothing),
      cmocka_unit_test(keyspaces_that_have_changed_are_named),
      cmocka_unit_test(damage_is_found_wherever_it_is),
      cmocka_unit_test(all_or_nothing_is_loaded),
      cmocka_unit_test(a_file_is_as_large_as_what_is_mixed),
      cmocka_unit_test(blocks_that_do_not_fit_are_damage),
      cmocka_unit_test(bytes_behind_the_end_are_damage),
      cmocka_unit_test(a_failed_save_leaves_no_file),
      cmocka_unit_test(what_is_no_tracker_file_is_named),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
