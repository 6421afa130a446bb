/* keyspace/cursor: which ids a cursor gives, and when it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "keyspace/cursor.h"

static int set_up(void **state) {
  vb_keyspace_spec spec = {.name = "users", .prefix = "u:", .width = 12, .size = 100};
  return vb_keyspace_new((vb_keyspace **)state, &spec, NULL);
}

static int tear_down(void **state) {
  vb_keyspace_free(*state);
  return 0;
}

static vb_cursor *cursor_of(void **state, vb_cursor_spec spec) {
  vb_cursor *cursor = NULL;
  vb_error err = {0};
  if (vb_cursor_new(&cursor, *state, &spec, &err)) fail_msg("%s", err.text);
  assert_ptr_equal(vb_cursor_keyspace(cursor), *state);
  return cursor;
}

static vb_distribution_spec zipfian(double skew) {
  return (vb_distribution_spec){.shape = VB_SHAPE_ZIPFIAN, .skew = skew};
}

static uint64_t drawn(const vb_cursor *cursor, uint64_t index, uint64_t random) {
  uint64_t id = UINT64_MAX;
  assert_int_equal(vb_cursor_draw(cursor, index, random, &id), 1);
  return id;
}

static void expect_end(const vb_cursor *cursor, uint64_t index) {
  uint64_t id = 12345;
  assert_int_equal(vb_cursor_draw(cursor, index, 99, &id), 0);
  assert_int_equal(id, 12345);
}

static void sequential_gives_each_id_once_and_ends(void **state) {
  vb_cursor *cursor = cursor_of(state, (vb_cursor_spec){0});
  for (uint64_t n = 0; n < 100; n++) assert_int_equal(drawn(cursor, n, n * 77), n);
  expect_end(cursor, 100);
  expect_end(cursor, UINT64_MAX);
  assert_int_equal(vb_cursor_ends(cursor), 1);
  vb_cursor_free(cursor);
}

static void sequential_within_a_range(void **state) {
  vb_cursor *cursor = cursor_of(state, (vb_cursor_spec){.first = 10, .last = 13});
  assert_int_equal(drawn(cursor, 0, 0), 10);
  assert_int_equal(drawn(cursor, 2, 0), 12);
  expect_end(cursor, 3);
  assert_int_equal(vb_cursor_following(cursor, 11), 12);
  assert_int_equal(vb_cursor_following(cursor, 12), 10);
  vb_cursor_free(cursor);
}

static void wrap_starts_over(void **state) {
  vb_cursor *cursor = cursor_of(state, (vb_cursor_spec){.first = 90, .wrap = 1});
  assert_int_equal(drawn(cursor, 9, 0), 99);
  assert_int_equal(drawn(cursor, 10, 0), 90);
  assert_int_equal(drawn(cursor, 1234567, 0), 97);
  assert_int_equal(vb_cursor_ends(cursor), 0);
  vb_cursor_free(cursor);
}

static void limit_ends_any_order(void **state) {
  for (int order = VB_ORDER_SEQUENTIAL; order <= VB_ORDER_DRAWN; order++) {
    vb_cursor_spec spec = {.order = order, .distribution = zipfian(1), .limit = 250, .wrap = 1};
    vb_cursor *cursor = cursor_of(state, spec);
    assert_true(drawn(cursor, 249, 5) < 100);
    expect_end(cursor, 250);
    assert_int_equal(vb_cursor_ends(cursor), 1);
    vb_cursor_free(cursor);
  }
  vb_cursor *cursor = cursor_of(state, (vb_cursor_spec){.limit = 250});
  expect_end(cursor, 100);
  vb_cursor_free(cursor);
}

static void uniform_reaches_both_ends_evenly(void **state) {
  vb_cursor *cursor =
      cursor_of(state, (vb_cursor_spec){.order = VB_ORDER_UNIFORM, .first = 20, .last = 30});
  enum { DRAWS = 100000 };
  unsigned counts[100] = {0};
  vb_rng rng = {42};
  for (uint64_t n = 0; n < DRAWS; n++) counts[drawn(cursor, n, vb_rng_next(&rng))]++;
  for (unsigned id = 0; id < 100; id++) {
    bool inside = id >= 20 && id < 30;
    assert_in_range(counts[id], inside ? 9600 : 0, inside ? 10400 : 0); /* 4 deviations */
  }
  assert_int_equal(vb_cursor_ends(cursor), 0);
  vb_cursor_free(cursor);
}

static void zipfian_prefers_the_lowest_ids_unless_scattered(void **state) {
  vb_cursor_spec spec = {.order = VB_ORDER_DRAWN, .distribution = zipfian(0.99), .first = 50};
  vb_cursor *plain = cursor_of(state, spec);
  spec.distribution.scatter = 1;
  spec.distribution.seed = 7;
  vb_cursor *scattered = cursor_of(state, spec);
  spec.distribution.seed = 8;
  vb_cursor *other = cursor_of(state, spec);
  uint64_t to[100], differ = 0;
  memset(to, 0xff, sizeof to);
  vb_rng rng = {3};
  for (uint64_t n = 0; n < 20000; n++) {
    uint64_t random = vb_rng_next(&rng), id = drawn(plain, n, random);
    assert_in_range(id, 50, 99);
    uint64_t there = drawn(scattered, n, random);
    assert_in_range(there, 50, 99);
    if (to[id] != UINT64_MAX) assert_int_equal(to[id], there);
    to[id] = there;
    differ += there != drawn(other, n, random);
  }
  assert_true(differ > 15000);
  assert_true(to[50] != 50 || to[51] != 51 || to[52] != 52);
  vb_cursor_free(plain);
  vb_cursor_free(scattered);
  vb_cursor_free(other);
}

static void shuffled_gives_each_id_once_in_an_order_of_its_seed(void **state) {
  vb_cursor_spec spec = {.order = VB_ORDER_SHUFFLED, .first = 10, .last = 60, .seed = 5};
  vb_cursor *one = cursor_of(state, spec);
  spec.seed = 6;
  vb_cursor *other = cursor_of(state, spec);
  unsigned seen[100] = {0}, moved = 0, differ = 0;
  for (uint64_t n = 0; n < 50; n++) {
    uint64_t id = drawn(one, n, n * 31);
    seen[id]++;
    moved += id != 10 + n;
    differ += id != drawn(other, n, n);
  }
  for (unsigned id = 0; id < 100; id++) assert_int_equal(seen[id], id >= 10 && id < 60);
  assert_true(moved > 40 && differ > 40);
  expect_end(one, 50);
  assert_int_equal(vb_cursor_ends(one), 1);
  vb_cursor_free(one);
  vb_cursor_free(other);
}

static void shuffled_goes_round_each_time_in_another_order(void **state) {
  vb_cursor *cursor = cursor_of(state, (vb_cursor_spec){.order = VB_ORDER_SHUFFLED, .limit = 250});
  unsigned seen[100] = {0}, same = 0;
  for (uint64_t n = 0; n < 200; n++) {
    uint64_t id = drawn(cursor, n, 0);
    assert_int_equal(seen[id]++, n / 100);
    same += n >= 100 && id == drawn(cursor, n - 100, 0);
  }
  assert_true(same < 10);
  expect_end(cursor, 250);
  vb_cursor_free(cursor);
}

static vb_refset *set_of(const uint64_t *ids, size_t count) {
  vb_refset *set = NULL;
  assert_int_equal(vb_refset_of_list(&set, ids, count, NULL), 0);
  return set;
}

static void only_and_except_are_the_ids_of_a_set_and_the_others(void **state) {
  const uint64_t ids[] = {2, 10, 11, 12, 40, 98, 99};
  vb_refset *set = set_of(ids, VB_ARRAY_LENGTH(ids));
  vb_cursor *only = cursor_of(state, (vb_cursor_spec){.only = set, .first = 10, .last = 99});
  for (uint64_t n = 0; n < 5; n++) assert_int_equal(drawn(only, n, 0), ids[n + 1]);
  expect_end(only, 5);
  vb_cursor *except = cursor_of(state, (vb_cursor_spec){.except = set, .first = 9, .last = 100});
  uint64_t n = 0;
  for (uint64_t id = 9; id < 100; id++)
    if (!vb_refset_contains(set, id)) assert_int_equal(drawn(except, n++, 0), id);
  assert_int_equal(n, 85);
  expect_end(except, n);
  vb_cursor_spec drawn_only = {.order = VB_ORDER_UNIFORM, .only = set};
  vb_cursor *uniform = cursor_of(state, drawn_only);
  vb_rng rng = {8};
  for (int i = 0; i < 500; i++)
    assert_true(vb_refset_contains(set, drawn(uniform, 0, vb_rng_next(&rng))));
  vb_cursor_free(uniform);
  vb_cursor_free(except);
  vb_cursor_free(only);
  vb_refset_free(set);
}

static void a_sample_is_that_part_of_the_ids_each_once(void **state) {
  for (uint64_t seed = 1; seed < 50; seed++) {
    vb_cursor *cursor = cursor_of(state, (vb_cursor_spec){.sample = 0.3, .seed = seed});
    uint64_t before = drawn(cursor, 0, 0);
    assert_in_range(before, 0, 3);
    for (uint64_t n = 1; n < 30; n++) {
      uint64_t id = drawn(cursor, n, 0);
      assert_true(id > before && id < 100);
      before = id;
    }
    assert_in_range(before, 96, 99);
    expect_end(cursor, 30);
    vb_cursor_free(cursor);
  }
}

static void shares_are_all_ids_and_do_not_overlap(void **state) {
  unsigned seen[100] = {0};
  for (uint32_t part = 0; part < 7; part++) {
    vb_cursor *cursor = cursor_of(state, (vb_cursor_spec){.part = part, .parts = 7});
    uint64_t id, n = 0;
    while (vb_cursor_draw(cursor, n++, 0, &id)) seen[id]++;
    assert_in_range(n - 1, 14, 15);
    vb_cursor_free(cursor);
  }
  for (unsigned id = 0; id < 100; id++) assert_int_equal(seen[id], 1);
}

static void mistakes_are_named(void **state) {
  struct {
    vb_cursor_spec spec;
    const char *text;
  } const cases[] = {
      {{.order = 4}, "cursor of keyspace 'users': no order has the number 4"},
      {{.order = -1}, "cursor of keyspace 'users': no order has the number -1"},
      {{.order = VB_ORDER_DRAWN, .distribution = zipfian(0)},
       "cursor of keyspace 'users': skew is 0; it is above 0"},
      {{.order = VB_ORDER_DRAWN, .distribution = zipfian(-1)},
       "cursor of keyspace 'users': skew is -1; it is above 0"},
      {{.sample = 1.5}, "cursor of keyspace 'users': sample is 1.5; it is above 0 to 1"},
      {{.part = 3, .parts = 3}, "cursor of keyspace 'users': there is no share 4 of 3"},
      {{.part = 0, .parts = 200}, "cursor of keyspace 'users': its filters leave no id"},
      {{.last = 101}, "cursor of keyspace 'users': range ends at 101, behind its 100 ids"},
      {{.first = 5, .last = 5}, "cursor of keyspace 'users': range 5 to 5 is empty"},
      {{.first = 100}, "cursor of keyspace 'users': range 100 to 100 is empty"}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_cursor *cursor = NULL;
    vb_error err = {0};
    assert_int_equal(vb_cursor_new(&cursor, *state, &cases[i].spec, &err), VB_EINVAL);
    assert_string_equal(err.text, cases[i].text);
    assert_null(cursor);
  }
}

static void overlapping_draws_meet_at_an_id(void **state) {
  vb_cursor *cursor = cursor_of(state, (vb_cursor_spec){.first = 10, .last = 12, .overlap = 3});
  uint64_t expected[] = {10, 10, 10, 11, 11, 11};
  for (uint64_t n = 0; n < 6; n++) assert_int_equal(drawn(cursor, n, 5), expected[n]);
  expect_end(cursor, 6);
  vb_cursor_free(cursor);
  vb_error err = {0};
  vb_cursor_spec random = {.order = VB_ORDER_UNIFORM, .overlap = 3}, many = {.overlap = 1025};
  assert_int_equal(vb_cursor_new(&cursor, *state, &random, &err), VB_EINVAL);
  assert_non_null(strstr(err.text, "overlapping is for all ids in order"));
  assert_int_equal(vb_cursor_new(&cursor, *state, &many, &err), VB_EINVAL);
  assert_non_null(strstr(err.text, "at most 1024"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sequential_gives_each_id_once_and_ends),
      cmocka_unit_test(sequential_within_a_range),
      cmocka_unit_test(wrap_starts_over),
      cmocka_unit_test(overlapping_draws_meet_at_an_id),
      cmocka_unit_test(limit_ends_any_order),
      cmocka_unit_test(uniform_reaches_both_ends_evenly),
      cmocka_unit_test(zipfian_prefers_the_lowest_ids_unless_scattered),
      cmocka_unit_test(shuffled_gives_each_id_once_in_an_order_of_its_seed),
      cmocka_unit_test(shuffled_goes_round_each_time_in_another_order),
      cmocka_unit_test(only_and_except_are_the_ids_of_a_set_and_the_others),
      cmocka_unit_test(a_sample_is_that_part_of_the_ids_each_once),
      cmocka_unit_test(shares_are_all_ids_and_do_not_overlap),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
