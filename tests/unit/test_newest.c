/* keyspace/live: draws that begin at the newest existing id, while the newest ones come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "commands.h"
#include "keyspace/cursor.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SIZE = 100000, KEPT = 50000, NEWER = 256, CHANGERS = 4, DRAWS = 300000 };

static vb_keyspace *keys;
static vb_tracker *tracker;
static atomic_bool stop;

static int set_up(void **state) {
  (void)state;
  vb_keyspace_spec spec = {.name = "users", .prefix = "u:", .width = 12, .size = SIZE};
  assert_int_equal(vb_keyspace_new(&keys, &spec, NULL), VB_OK);
  assert_int_equal(vb_keyspace_track(keys, &tracker, NULL), VB_OK);
  atomic_store(&stop, false);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  vb_keyspace_free(keys);
  return 0;
}

/* Ids from KEPT up come and go all the time; those below stay. */
static void *change(void *arg) {
  vb_rng rng = {(uintptr_t)arg};
  while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
    uint64_t random = vb_rng_next(&rng), id = KEPT + (random >> 8) % NEWER;
    if (random & 1)
      (void)vb_tracker_add(tracker, id);
    else
      (void)vb_tracker_remove(tracker, id);
  }
  return NULL;
}

/* Draws beside threads that change what is newest; returns how many draws found nothing. */
static unsigned draws_in_vain(const vb_cursor *cursor) {
  pthread_t threads[CHANGERS];
  unsigned vain = 0;
  for (uintptr_t i = 0; i < CHANGERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, change, (void *)(i + 1)), 0);
  for (uint64_t n = 0; n < DRAWS; n++) {
    uint64_t id;
    vain += !vb_cursor_take(cursor, (vb_taker){0, 1}, n, vb_mix(n + 1), &id);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < CHANGERS; i++) (void)pthread_join(threads[i], NULL);
  return vain;
}

/* 50 000 ids exist all the time: a draw that found none would end a phase for nothing. */
static void what_is_removed_meanwhile_leaves_the_others(void **state) {
  (void)state;
  (void)vb_tracker_add_range(tracker, 0, KEPT);
  const vb_distribution_spec shapes[] = {
      {.shape = VB_SHAPE_EXPONENTIAL, .lambda = 0.1},
      {.shape = VB_SHAPE_LATEST, .share = 0.1, .probability = 0.9},
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(shapes); i++) {
    vb_cursor_spec spec = {.order = VB_ORDER_DRAWN, .filter = VB_PRESENCE_EXISTING};
    spec.distribution = shapes[i];
    vb_cursor *cursor = test_cursor(keys, spec);
    atomic_store(&stop, false);
    assert_int_equal(draws_in_vain(cursor), 0);
    vb_cursor_free(cursor);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_removed_meanwhile_leaves_the_others, set_up,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
