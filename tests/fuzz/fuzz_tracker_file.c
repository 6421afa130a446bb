/* Fuzz target of keyspace/tracker_file: whatever the bytes, they are refused with the file's name
 * and load nothing, or what they load is saved and loaded again as the same. Checksums are set
 * right before, or no change would come past them. */
#include "base/random.h"
#include "keyspace/tracker_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MAX = 1 << 16, FIRST_SECTION = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
  if (!holds) abort();
}

/* As the format in tracker_file.h says it. */
static void set_checksums(uint64_t *words, size_t count) {
  for (size_t at = FIRST_SECTION; at < count && words[at] > 1 && words[at] <= count - at;) {
    uint64_t sum = 0, last = words[at] - 1;
    for (size_t i = 0; i < last; i++) sum = vb_mix(sum ^ words[at + i]) + 1;
    words[at + last] = sum;
    at += last + 1;
  }
}

static vb_keyspace *keyspace_of(const char *name, uint64_t size) {
  vb_keyspace_spec spec = {.name = name, .prefix = "k:", .width = 12, .size = size};
  vb_keyspace *keyspace = NULL;
  check(vb_keyspace_new(&keyspace, &spec, NULL) == VB_OK);
  return keyspace;
}

static uint64_t count_of(const vb_keyspace *keyspace) {
  return vb_keyspace_tracker(keyspace) ? vb_tracker_count(vb_keyspace_tracker(keyspace)) : 0;
}

static void expect_same(const vb_keyspace *const *keyspaces) {
  char path[] = "/tmp/vbench-fuzz-XXXXXX";
  int fd = mkstemp(path);
  check(fd >= 0 && !close(fd));
  vb_keyspace *again[] = {keyspace_of("a", 200000), keyspace_of("b", 100)};
  uint32_t loaded = 0;
  check(vb_tracker_file_save(path, keyspaces, 2, NULL) == VB_OK);
  check(vb_tracker_file_load(path, (const vb_keyspace *const *)again, 2, &loaded, NULL) == VB_OK);
  check(!unlink(path));
  for (int i = 0; i < 2; i++) {
    check(count_of(again[i]) == count_of(keyspaces[i]));
    vb_keyspace_free(again[i]);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint64_t words[WORDS_MAX];
  if (size > sizeof words) return 0;
  memcpy(words, data, size);
  set_checksums(words, size / sizeof *words);
  char path[64];
  int fd = memfd_create("tracker", MFD_CLOEXEC);
  check(fd >= 0 && write(fd, words, size) == (ssize_t)size);
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  vb_keyspace *made[] = {keyspace_of("a", 200000), keyspace_of("b", 100)};
  const vb_keyspace *const *keyspaces = (const vb_keyspace *const *)made;
  vb_error err = {0};
  uint32_t loaded = 0;
  if (vb_tracker_file_load(path, keyspaces, 2, &loaded, &err)) {
    check(strstr(err.text, path) != NULL);
    check(!vb_keyspace_tracker(made[0]) && !vb_keyspace_tracker(made[1]));
  } else {
    expect_same(keyspaces);
  }
  (void)close(fd);
  vb_keyspace_free(made[0]);
  vb_keyspace_free(made[1]);
  return 0;
}
