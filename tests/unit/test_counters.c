/* stats/counters: sums, errors by kind, the slowest operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "stats/counters.h"

static void every_counter_is_added(void **state) {
  (void)state;
  uint64_t from[sizeof(vb_counters) / sizeof(uint64_t)], into[VB_ARRAY_LENGTH(from)];
  vb_counters a, b;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(from); i++) from[i] = i + 1, into[i] = 100 * (i + 1);
  memcpy(&a, into, sizeof a);
  memcpy(&b, from, sizeof b);
  vb_counters_add(&a, &b);
  memcpy(into, &a, sizeof a);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(from); i++) assert_int_equal(into[i], 101 * (i + 1));
}

static void reply(vb_error_table *table, const char *text) {
  vb_error_table_reply(table, text, strlen(text));
}

static void error_replies_are_counted_by_their_first_word(void **state) {
  (void)state;
  vb_error_table table = {0};
  reply(&table, "OOM command not allowed");
  reply(&table, "WRONGTYPE Operation against a key");
  reply(&table, "OOM another text");
  reply(&table, "LOADING");
  reply(&table, "");
  assert_int_equal(table.used, 4);
  assert_string_equal(table.kinds[0].name, "OOM");
  assert_string_equal(table.kinds[0].first, "OOM command not allowed");
  assert_int_equal(table.kinds[0].count, 2);
  assert_string_equal(table.kinds[2].name, "LOADING");
  assert_string_equal(table.kinds[3].name, "ERR");
}

static void messages_are_printable_and_cut(void **state) {
  (void)state;
  vb_error_table table = {0};
  char text[1000];
  memset(text, 'x', sizeof text);
  memcpy(text, "a\x1b[2J\n\xff", 7);
  vb_error_table_count(&table, "verify", 6, text, sizeof text);
  vb_error_table_reply(&table, text + 7, sizeof text - 7);
  assert_memory_equal(table.kinds[0].first, "a?[2J??xxx", 10);
  assert_int_equal(strlen(table.kinds[0].first), VB_ERROR_FIRST_LENGTH - 1);
  assert_int_equal(strlen(table.kinds[1].name), VB_ERROR_KIND_LENGTH - 1);
}

static void kinds_beyond_the_room_are_other(void **state) {
  (void)state;
  vb_error_table table = {0}, more = {0};
  for (int i = 0; i < VB_ERROR_KINDS + 10; i++) {
    char text[32];
    snprintf(text, sizeof text, "K%d message", i);
    reply(&table, text);
  }
  assert_int_equal(table.used, VB_ERROR_KINDS);
  assert_string_equal(table.kinds[VB_ERROR_KINDS - 2].name, "K22");
  assert_string_equal(table.kinds[VB_ERROR_KINDS - 1].name, "other");
  assert_string_equal(table.kinds[VB_ERROR_KINDS - 1].first, "K23 message");
  assert_int_equal(table.kinds[VB_ERROR_KINDS - 1].count, 11);
  reply(&more, "NEW kind");
  reply(&more, "K0 again");
  vb_error_table_merge(&table, &more);
  assert_int_equal(table.kinds[VB_ERROR_KINDS - 1].count, 12);
  assert_int_equal(table.kinds[0].count, 2);
  assert_string_equal(table.kinds[0].first, "K0 message");
}

static void a_table_never_has_two_kinds_of_one_name(void **state) {
  (void)state;
  vb_error_table table = {0};
  vb_error_table_count(&table, "other", 5, "", 0);
  for (int i = 0; i < VB_ERROR_KINDS + 10; i++) {
    char text[32];
    snprintf(text, sizeof text, "K%d message", i);
    reply(&table, text);
  }
  for (uint32_t i = 0; i < table.used; i++)
    for (uint32_t k = 0; k < i; k++)
      assert_string_not_equal(table.kinds[i].name, table.kinds[k].name);
  assert_int_equal(table.kinds[0].count, 1 + VB_ERROR_KINDS + 10 - (VB_ERROR_KINDS - 2));
}

static void merging_into_nothing_keeps_the_first_message(void **state) {
  (void)state;
  vb_error_table into = {0}, from = {0};
  reply(&from, "OOM one");
  reply(&from, "OOM two");
  vb_error_table_merge(&into, &from);
  assert_int_equal(into.used, 1);
  assert_int_equal(into.kinds[0].count, 2);
  assert_string_equal(into.kinds[0].first, "OOM one");
}

static void add_all(vb_slowest *slowest, uint64_t from, uint64_t step) {
  for (uint64_t n = from; n < 5000; n += step) {
    vb_slow entry = {.latency_ns = 1 + vb_draw(1, n, 0) % 100000, .n = n, .id = UINT64_MAX};
    if (entry.latency_ns > vb_slowest_floor(slowest)) vb_slowest_add(slowest, &entry);
  }
}

static void the_slowest_are_kept_in_order_however_they_come(void **state) {
  (void)state;
  vb_slowest all = {0}, even = {0}, odd = {0};
  add_all(&all, 0, 1);
  add_all(&even, 0, 2);
  add_all(&odd, 1, 2);
  vb_slowest_merge(&even, &odd);
  vb_slowest_sort(&all);
  vb_slowest_sort(&even);
  assert_int_equal(all.used, VB_SLOWEST);
  for (int i = 0; i < VB_SLOWEST; i++) {
    assert_int_equal(all.entries[i].latency_ns, even.entries[i].latency_ns);
    if (i) assert_true(all.entries[i].latency_ns <= all.entries[i - 1].latency_ns);
  }
  uint64_t above = 0, least = all.entries[VB_SLOWEST - 1].latency_ns;
  for (uint64_t n = 0; n < 5000; n++) above += 1 + vb_draw(1, n, 0) % 100000 > least;
  assert_true(above < VB_SLOWEST);
}

static void the_floor_is_zero_until_there_are_enough(void **state) {
  (void)state;
  vb_slowest slowest = {0};
  for (uint64_t i = 0; i < VB_SLOWEST; i++) {
    assert_int_equal(vb_slowest_floor(&slowest), 0);
    vb_slowest_add(&slowest, &(vb_slow){.latency_ns = 100 - i});
  }
  assert_int_equal(vb_slowest_floor(&slowest), 100 - VB_SLOWEST + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_counter_is_added),
      cmocka_unit_test(error_replies_are_counted_by_their_first_word),
      cmocka_unit_test(messages_are_printable_and_cut),
      cmocka_unit_test(kinds_beyond_the_room_are_other),
      cmocka_unit_test(a_table_never_has_two_kinds_of_one_name),
      cmocka_unit_test(merging_into_nothing_keeps_the_first_message),
      cmocka_unit_test(the_slowest_are_kept_in_order_however_they_come),
      cmocka_unit_test(the_floor_is_zero_until_there_are_enough),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
