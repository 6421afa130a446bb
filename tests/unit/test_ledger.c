/* engine/ledger: what operations remember, against a plain table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "engine/ledger.h"

static void operations_keep_their_places(void **state) {
  (void)state;
  enum { NUMBERS = 4096, ROUNDS = 200000 };
  static uint64_t marks[NUMBERS]; /* 0: not open */
  vb_ledger ledger = {0};
  vb_rng rng = {17};
  vb_ledger_reset(&ledger, 3);
  uint32_t open = 0;
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t n = vb_below(vb_rng_next(&rng), NUMBERS);
    /* Numbers that are far apart may share a home. */
    uint64_t key = n % 2 ? n : n << 20;
    uint64_t *places = vb_ledger_find(&ledger, key);
    assert_int_equal(places != NULL, marks[n] != 0);
    if (places) {
      assert_true(places[2] == marks[n]);
      vb_ledger_close(&ledger, key);
      marks[n] = 0;
      open--;
    } else if (open < (uint32_t)NUMBERS / (uint32_t)(i % 3 + 1)) {
      places = vb_ledger_open(&ledger, key);
      assert_true(places[0] == UINT64_MAX && places[2] == UINT64_MAX);
      places[2] = marks[n] = (uint64_t)i + 1;
      assert_ptr_equal(vb_ledger_open(&ledger, key), places);
      open++;
    }
    assert_int_equal(ledger.count, open);
  }
  uint64_t n;
  while (vb_ledger_any(&ledger, &n)) {
    vb_ledger_close(&ledger, n);
    open--;
  }
  assert_int_equal(open, 0);
  vb_ledger_close(&ledger, 5);
  vb_ledger_fini(&ledger);
}

static void an_empty_one_holds_nothing(void **state) {
  (void)state;
  vb_ledger ledger = {0};
  uint64_t n;
  assert_null(vb_ledger_find(&ledger, 0));
  assert_int_equal(vb_ledger_any(&ledger, &n), 0);
  vb_ledger_reset(&ledger, 1);
  *vb_ledger_open(&ledger, 0) = 4;
  vb_ledger_reset(&ledger, 2);
  assert_null(vb_ledger_find(&ledger, 0));
  vb_ledger_fini(&ledger);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operations_keep_their_places),
      cmocka_unit_test(an_empty_one_holds_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
