/* keyspace/share: cursors of which each worker has the ids of its own slots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slots.h"
#include "commands.h"
#include "keyspace/cursor.h"

enum { WORKERS = 3 };

static vb_keyspace *keys;

static void make_keys(uint64_t size) {
  vb_keyspace_spec spec = {.name = "users", .prefix = "u:", .width = 12, .size = size};
  assert_int_equal(vb_keyspace_new(&keys, &spec, NULL), VB_OK);
}

static int tear_down(void **state) {
  (void)state;
  vb_keyspace_free(keys);
  keys = NULL;
  return 0;
}

/* Ids that the workers of a cursor with shares get until all of these have ended. */
static void expect_shares(vb_cursor_spec spec, uint64_t most, unsigned times) {
  spec.by_slots = 1;
  vb_cursor *cursor = test_cursor(keys, spec);
  uint64_t size = vb_keyspace_size(keys), id;
  unsigned *seen = calloc(size, sizeof *seen);
  for (uint32_t worker = 0; worker < WORKERS; worker++) {
    vb_taker taker = {worker, WORKERS};
    for (uint64_t n = 0; n < most && vb_cursor_take(cursor, taker, 0, vb_mix(n), &id); n++) {
      char key[64];
      unsigned slot = vb_slot(key, vb_keyspace_write(keys, id, key));
      assert_in_range(slot, 16384 * worker / WORKERS, 16384 * (worker + 1) / WORKERS - 1);
      assert_int_equal(vb_cursor_share_ended(cursor, worker), 0);
      seen[id]++;
    }
    assert_int_equal(vb_cursor_share_ended(cursor, worker), most == UINT64_MAX);
  }
  for (id = spec.first; id < size && times; id++) assert_int_equal(seen[id], times);
  free(seen);
  vb_cursor_free(cursor);
}

static void a_share_has_the_ids_of_its_slots(void **state) {
  (void)state;
  make_keys(2000);
  expect_shares((vb_cursor_spec){.first = 100}, UINT64_MAX, 1);
  expect_shares((vb_cursor_spec){.order = VB_ORDER_SHUFFLED, .seed = 3}, UINT64_MAX, 1);
  expect_shares((vb_cursor_spec){.order = VB_ORDER_UNIFORM}, 5000, 0);
  expect_shares((vb_cursor_spec){.wrap = 1}, 5000, 0);
}

static void a_share_without_ids_has_ended(void **state) {
  (void)state;
  make_keys(1);
  uint64_t id;
  const int orders[] = {VB_ORDER_SEQUENTIAL, VB_ORDER_SHUFFLED, VB_ORDER_UNIFORM};
  for (int i = 0; i < 3; i++) {
    unsigned found = 0;
    vb_cursor *cursor =
        test_cursor(keys, (vb_cursor_spec){.order = orders[i], .by_slots = 1, .wrap = 1});
    for (uint32_t worker = 0; worker < WORKERS; worker++)
      for (int n = 0; n < 3; n++)
        found += vb_cursor_take(cursor, (vb_taker){worker, WORKERS}, 0, 7, &id) != 0;
    assert_int_equal(found, 3);
    vb_cursor_free(cursor);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_share_has_the_ids_of_its_slots, tear_down),
      cmocka_unit_test_teardown(a_share_without_ids_has_ended, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
