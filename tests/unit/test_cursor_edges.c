/* keyspace/cursor, keyspace/subset: filters together, samples of one id a run, what cannot be asked
 * together, and draws that begin at the newest id. */
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

enum { SIZE = 1000 };

static vb_keyspace *keys;
static vb_tracker *tracker;

static int set_up(void **state) {
  (void)state;
  vb_keyspace_spec spec = {.name = "users", .prefix = "u:", .width = 12, .size = SIZE};
  return vb_keyspace_new(&keys, &spec, NULL) || vb_keyspace_track(keys, &tracker, NULL);
}

static int tear_down(void **state) {
  (void)state;
  vb_keyspace_free(keys);
  return 0;
}

static vb_refset *every_third(void) {
  vb_refset *set = NULL;
  uint64_t ids[SIZE / 3];
  for (uint64_t i = 0; i < SIZE / 3; i++) ids[i] = 3 * i;
  assert_int_equal(vb_refset_of_list(&set, ids, SIZE / 3, NULL), VB_OK);
  return set;
}

/* Counts in `seen` what the cursor gives until it ends, and returns how many that is. */
static uint64_t draw_out(vb_cursor_spec spec, unsigned *seen) {
  vb_cursor *cursor = test_cursor(keys, spec);
  uint64_t id, n = 0;
  for (; vb_cursor_draw(cursor, n, 0, &id); n++) seen[id]++;
  vb_cursor_free(cursor);
  return n;
}

static void shares_of_a_set_are_all_of_it(void **state) {
  (void)state;
  vb_refset *set = every_third();
  unsigned of_set[SIZE] = {0}, of_others[SIZE] = {0}, sampled[SIZE] = {0};
  for (uint32_t part = 0; part < 7; part++) {
    vb_cursor_spec spec = {.part = part, .parts = 7, .only = set, .first = 3, .last = 900};
    assert_in_range(draw_out(spec, of_set), 42, 43);
    spec.only = NULL;
    spec.except = set;
    assert_in_range(draw_out(spec, of_others), 85, 86);
    spec.sample = 0.5;
    assert_in_range(draw_out(spec, sampled), 42, 43);
  }
  for (uint64_t id = 0; id < SIZE; id++) {
    bool inside = id >= 3 && id < 900;
    assert_int_equal(of_set[id], inside && id % 3 == 0);
    assert_int_equal(of_others[id], inside && id % 3 != 0);
    assert_true(sampled[id] <= of_others[id]);
  }
  vb_refset_free(set);
}

/* Of each ten ids one, at a place that differs from ten to ten: its last digit is any. */
static void a_sample_is_at_random_places(void **state) {
  (void)state;
  unsigned seen[SIZE] = {0}, digits[10] = {0}, used = 0;
  assert_int_equal(draw_out((vb_cursor_spec){.sample = 0.1, .seed = 5}, seen), SIZE / 10);
  for (unsigned id = 0; id < SIZE; id++) digits[id % 10] += seen[id];
  for (unsigned digit = 0; digit < 10; digit++) {
    used += digits[digit] > 0;
    assert_true(digits[digit] < 30);
  }
  assert_int_equal(used, 10);
}

static void a_sample_of_nearly_all_ids_has_each_once(void **state) {
  (void)state;
  const double parts[] = {0.999, 0.7, 0.5000001, 1.0 / 3, 0.0011};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(parts); i++) {
    unsigned seen[SIZE] = {0};
    uint64_t count = draw_out((vb_cursor_spec){.sample = parts[i], .seed = i}, seen);
    assert_int_equal(count, (uint64_t)(SIZE * parts[i]));
    for (unsigned id = 0; id < SIZE; id++) assert_true(seen[id] <= 1);
  }
}

static void expect_refused(vb_cursor_spec spec, const char *words) {
  vb_cursor *cursor = NULL;
  vb_error err = {0};
  assert_int_equal(vb_cursor_new(&cursor, keys, &spec, &err), VB_EINVAL);
  if (!strstr(err.text, words)) fail_msg("%s", err.text);
  assert_null(cursor);
}

static void what_cannot_be_asked_together_is_named(void **state) {
  (void)state;
  expect_refused((vb_cursor_spec){.overlap = 2, .claim = 1}, "overlapping is for all ids");
  expect_refused((vb_cursor_spec){.overlap = 2, .filter = VB_PRESENCE_EXISTING},
                 "overlapping is for all ids");
  expect_refused((vb_cursor_spec){.claim = 1, .filter = VB_PRESENCE_MISSING},
                 "existing or missing cannot be asked of it");
  vb_refset *none = NULL;
  assert_int_equal(vb_refset_new(&none, NULL), VB_OK);
  expect_refused((vb_cursor_spec){.only = none}, "its filters leave no id");
  vb_refset_free(none);
}

static void filters_that_cannot_be_are_named(void **state) {
  (void)state;
  struct {
    vb_cursor_spec spec;
    const char *text;
  } const cases[] = {
      {{.filter = 4}, "cursor of keyspace 'users': no filter has the number 4"},
      {{.order = VB_ORDER_UNIFORM, .filter = VB_PRESENCE_RATIO, .ratio = 1.5},
       "cursor of keyspace 'users': existing_ratio is 1.5; it is 0 to 1"},
      {{.filter = VB_PRESENCE_RATIO, .ratio = 0.5},
       "cursor of keyspace 'users': existing_ratio draws at random, not in an order"},
      {{.claim = 1, .by_slots = 1},
       "cursor of keyspace 'users': a share by slots is of ids in order or drawn, not of existing, "
       "missing or claimed ones, another share, or overlapping"},
      {{.claim = 1, .order = VB_ORDER_UNIFORM},
       "cursor of keyspace 'users': claim takes the ids that are missing, one after the other: a "
       "distribution cannot be asked of it"}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_cursor *cursor = NULL;
    vb_error err = {0};
    assert_int_equal(vb_cursor_new(&cursor, keys, &cases[i].spec, &err), VB_EINVAL);
    assert_string_equal(err.text, cases[i].text);
  }
}

/* Numbers that others have drawn do not end a cursor that looks at what exists. */
static void a_cursor_over_what_exists_ends_by_itself_or_its_limit(void **state) {
  (void)state;
  uint64_t id = 0;
  (void)vb_tracker_add_range(tracker, 0, SIZE);
  vb_cursor *cursor = test_cursor(keys, (vb_cursor_spec){.filter = VB_PRESENCE_EXISTING});
  assert_int_equal(vb_cursor_take(cursor, (vb_taker){0, 1}, 5 * SIZE, 1, &id), 1);
  assert_int_equal(id, 0);
  vb_cursor_free(cursor);
  cursor = test_cursor(keys, (vb_cursor_spec){.filter = VB_PRESENCE_EXISTING, .limit = 3});
  assert_int_equal(vb_cursor_take(cursor, (vb_taker){0, 1}, 2, 1, &id), 1);
  assert_int_equal(vb_cursor_take(cursor, (vb_taker){0, 1}, 3, 1, &id), 0);
  assert_int_equal(vb_cursor_wants_existing(cursor), 1);
  vb_cursor_free(cursor);
  cursor = test_cursor(keys, (vb_cursor_spec){.filter = VB_PRESENCE_MISSING});
  assert_int_equal(vb_cursor_wants_existing(cursor), 0);
  assert_int_equal(vb_cursor_take(cursor, (vb_taker){0, 1}, 0, 1, &id), 0);
  vb_cursor_free(cursor);
}

static void what_exists_in_order_goes_round(void **state) {
  (void)state;
  const int orders[] = {VB_ORDER_SEQUENTIAL, VB_ORDER_SHUFFLED};
  (void)vb_tracker_add_range(tracker, 100, 300);
  for (int i = 0; i < 2; i++) {
    unsigned seen[SIZE] = {0};
    vb_cursor *cursor = test_cursor(
        keys, (vb_cursor_spec){.filter = VB_PRESENCE_EXISTING, .order = orders[i], .wrap = 1});
    for (uint64_t n = 0, id; n < 600; n++) {
      assert_int_equal(vb_cursor_take(cursor, (vb_taker){0, 1}, n, 1, &id), 1);
      assert_int_equal(seen[id]++, n / 200);
    }
    vb_cursor_free(cursor);
  }
}

/* Where few exist they are found by their ranks, which have the shape: Zipf's law over six. */
static void few_existing_ids_keep_the_shape(void **state) {
  (void)state;
  enum { DRAWS = 24500 };
  unsigned seen[SIZE] = {0};
  for (uint64_t i = 0; i < 6; i++) (void)vb_tracker_add(tracker, 700 + 7 * i);
  vb_cursor_spec spec = {.order = VB_ORDER_DRAWN,
                         .filter = VB_PRESENCE_EXISTING,
                         .distribution = {.shape = VB_SHAPE_ZIPFIAN, .skew = 1}};
  vb_cursor *cursor = test_cursor(keys, spec);
  for (uint64_t n = 0, id; n < DRAWS; n++) {
    assert_int_equal(vb_cursor_take(cursor, (vb_taker){0, 1}, n, vb_mix(n), &id), 1);
    seen[id]++;
  }
  for (unsigned i = 1; i < 6; i++) assert_true(seen[700 + 7 * i] < seen[700 + 7 * (i - 1)]);
  assert_true(seen[700] > DRAWS / 3);
  vb_cursor_free(cursor);
}

/* One draw in ten is of the newest id itself: exp(-0.1 k) / 10.5. */
static void the_newest_existing_id_is_drawn_most(void **state) {
  (void)state;
  enum { DRAWS = 20000, NEWEST = 700 };
  unsigned seen[SIZE] = {0};
  (void)vb_tracker_add_range(tracker, 0, NEWEST + 1);
  vb_cursor *cursor = test_cursor(
      keys, (vb_cursor_spec){.order = VB_ORDER_DRAWN,
                             .filter = VB_PRESENCE_EXISTING,
                             .distribution = {.shape = VB_SHAPE_EXPONENTIAL, .lambda = 0.1}});
  for (uint64_t n = 0, id; n < DRAWS; n++) {
    assert_int_equal(vb_cursor_take(cursor, (vb_taker){0, 1}, n, vb_mix(n), &id), 1);
    seen[id]++;
  }
  assert_in_range(seen[NEWEST], DRAWS * 0.0952 - 210, DRAWS * 0.0952 + 210); /* 5 deviations */
  assert_in_range(seen[NEWEST - 1], DRAWS * 0.0861 - 200, DRAWS * 0.0861 + 200);
  assert_int_equal(seen[NEWEST + 1], 0);
  vb_cursor_free(cursor);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(shares_of_a_set_are_all_of_it),
      TEST(a_sample_is_at_random_places),
      TEST(a_sample_of_nearly_all_ids_has_each_once),
      TEST(what_cannot_be_asked_together_is_named),
      TEST(filters_that_cannot_be_are_named),
      TEST(a_cursor_over_what_exists_ends_by_itself_or_its_limit),
      TEST(what_exists_in_order_goes_round),
      TEST(few_existing_ids_keep_the_shape),
      TEST(the_newest_existing_id_is_drawn_most),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
