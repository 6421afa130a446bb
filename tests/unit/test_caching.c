/* engine/caching: when keys were written last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/caching.h"

static const vb_ns now = 123456789012345678u;

static void a_write_is_found_with_its_delay(void **state) {
  (void)state;
  vb_ns delay = 0;
  vb_writes *writes = vb_writes_new();
  assert_false(vb_writes_find(writes, "a", 1, now, &delay));
  vb_writes_note(writes, "a", 1, now);
  vb_writes_note(writes, "b", 1, now + 5000);
  assert_true(vb_writes_find(writes, "a", 1, now + 70000, &delay));
  assert_in_range(delay, 70000 - 16, 70000 + 16);
  assert_true(vb_writes_find(writes, "b", 1, now + 70000, &delay));
  assert_in_range(delay, 65000 - 16, 65000 + 16);
  assert_false(vb_writes_find(writes, "c", 1, now, &delay));
  vb_writes_note(writes, "a", 1, now + 60000);
  assert_true(vb_writes_find(writes, "a", 1, now + 60000 + 3600 * VB_NS_PER_S, &delay));
  assert_in_range(delay, 3600 * VB_NS_PER_S - 16, 3600 * VB_NS_PER_S + 16);
  vb_writes_free(writes);
}

/* More keys than places: each is found as what was noted last there, or not at all. */
static void no_key_is_taken_for_another(void **state) {
  (void)state;
  const uint64_t keys = 200000;
  vb_writes *writes = vb_writes_new();
  char key[16];
  vb_ns delay;
  for (uint64_t i = 0; i < keys; i++)
    vb_writes_note(writes, key, (size_t)snprintf(key, sizeof key, "key:%u", (unsigned)i),
                   now + i * VB_NS_PER_US);
  int found = 0;
  for (uint64_t i = 0; i < keys; i++) {
    size_t length = (size_t)snprintf(key, sizeof key, "key:%u", (unsigned)i);
    if (!vb_writes_find(writes, key, length, now + keys * VB_NS_PER_US, &delay)) continue;
    assert_in_range(delay, (keys - i) * VB_NS_PER_US - 16, (keys - i) * VB_NS_PER_US + 16);
    found++;
  }
  assert_in_range(found, 50000, 1 << 16);
  for (uint64_t i = 0; i < keys; i++)
    assert_false(vb_writes_find(
        writes, key, (size_t)snprintf(key, sizeof key, "no:%u", (unsigned)i), now, &delay));
  vb_writes_free(writes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_write_is_found_with_its_delay),
      cmocka_unit_test(no_key_is_taken_for_another),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
