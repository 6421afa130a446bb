/* dataset/synth: what is drawn has the distribution that was asked for, and is the same for the
 * same seed, whatever was drawn before. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataset/synth.h"

static const char products[] =
    "version: 1\n"
    "record:\n"
    "  fields:\n"
    "    - { name: v, type: vector, dimensions: 40 }\n"
    "    - { name: bytes, type: vector, dtype: uint8, dimensions: 5 }\n"
    "    - { name: bits, type: vector, dtype: binary, dimensions: 11 }\n"
    "    - { name: kind, type: tag, max_bytes: 8 }\n"
    "    - { name: price, type: numeric }\n"
    "    - { name: stock, type: numeric, dtype: int8 }\n"
    "    - { name: about, type: text, length: variable, max_bytes: 100 }\n"
    "    - { name: raw, type: blob, length: variable, max_bytes: 33 }\n"
    "sections: { records: { count: 1 }, queries: { count: 1, query_fields: [price, v] } }\n"
    "field_metadata: { v: { distance_metric: cosine } }\n";
enum { V, BYTES, BITS, KIND, PRICE, STOCK, ABOUT, RAW };

typedef struct rig {
  vb_schema *schema;
  vb_layout layout;
  vb_synth *synth;
  char *record;
} rig;

static rig make(const char *text, uint64_t seed) {
  rig made = {0};
  vb_error err = {0};
  if (vb_schema_parse(&made.schema, text, strlen(text), "x.yaml", &err)) fail_msg("%s", err.text);
  if (vb_layout_init(&made.layout, made.schema, &err)) fail_msg("%s", err.text);
  if (vb_synth_new(&made.synth, made.schema, seed, &err)) fail_msg("%s", err.text);
  made.record = calloc(1, made.layout.record_size);
  return made;
}

static void drop(rig *made) {
  vb_synth_free(made->synth);
  vb_layout_fini(&made->layout);
  vb_schema_free(made->schema);
  free(made->record);
}

static char *draw(rig *of, uint64_t n) {
  memset(of->record, 0, of->layout.record_size);
  vb_synth_record(of->synth, n, of->record);
  return of->record;
}

static double number(const rig *of, uint32_t field) {
  double value;
  memcpy(&value, of->record + of->layout.fields[field].offset, sizeof value);
  return value;
}

static void vector(const rig *of, float *to) {
  memcpy(to, of->record + of->layout.fields[V].offset, 40 * sizeof *to);
}

static void the_same_for_the_same_seed(void **state) {
  (void)state;
  rig one = make(products, 7), two = make(products, 7), other = make(products, 8);
  for (uint64_t n = 0; n < 20; n++) draw(&one, n);
  draw(&one, 5);
  assert_memory_equal(one.record, draw(&two, 5), one.layout.record_size);
  assert_memory_not_equal(one.record, draw(&other, 5), one.layout.record_size);
  assert_memory_not_equal(one.record, draw(&two, 6), one.layout.record_size);
  drop(&one);
  drop(&two);
  drop(&other);
}

/* Records of other machines and compilers are the same: nothing but exact arithmetic is in them. */
static void known_values(void **state) {
  (void)state;
  rig one = make(products, 1);
  draw(&one, 0);
  char key[VB_SYNTH_KEY + 1];
  vb_synth_key(one.synth, 3, key);
  assert_string_equal(key, "abg6t1gw");
  assert_true(number(&one, PRICE) == 42.200047897219775);
  assert_memory_equal(one.record + one.layout.fields[ABOUT].offset + 4, "kukasa", 6);
  drop(&one);
}

static double distance(const float *a, const float *b) {
  double square = 0;
  for (int i = 0; i < 40; i++) square += (double)((a[i] - b[i]) * (a[i] - b[i]));
  return sqrt(square);
}

static void vectors_lie_in_clusters(void **state) {
  (void)state;
  enum { COUNT = 200 };
  rig one = make(products, 3);
  vb_synth_field clusters = {.clusters = 4, .noise = 0.1};
  assert_int_equal(vb_synth_set(one.synth, V, &clusters, NULL), VB_OK);
  static float all[COUNT][40];
  int near = 0, between = 0;
  for (uint64_t n = 0; n < COUNT; n++) {
    draw(&one, n);
    vector(&one, all[n]);
    float zero[40] = {0};
    assert_true(fabs(distance(all[n], zero) - 1) < 1e-5); /* cosine: of length 1 */
  }
  for (int i = 0; i < COUNT; i++)
    for (int j = 0; j < i; j++) {
      double apart = distance(all[i], all[j]);
      near += apart < 0.3;
      between += apart >= 0.3 && apart < 0.8;
    }
  assert_int_equal(between, 0);
  assert_in_range(near, COUNT * COUNT / 8 * 8 / 10, COUNT * COUNT / 8 * 12 / 10); /* a quarter */
  drop(&one);
}

static void vectors_of_other_numbers(void **state) {
  (void)state;
  rig one = make(products, 3);
  uint64_t sum = 0, ones = 0;
  for (uint64_t n = 0; n < 2000; n++) {
    draw(&one, n);
    for (int i = 0; i < 5; i++)
      sum += (unsigned char)one.record[one.layout.fields[BYTES].offset + (uint64_t)i];
    const unsigned char *bits = (void *)(one.record + one.layout.fields[BITS].offset);
    assert_int_equal(bits[1] & 31, 0); /* behind the eleventh */
    ones += (uint64_t)__builtin_popcount(bits[0]) + (uint64_t)__builtin_popcount(bits[1]);
  }
  assert_in_range(sum / 10000, 108, 148);
  assert_in_range(ones, 2000 * 11 / 4, 2000 * 11 * 3 / 4);
  drop(&one);
}

static void numbers_of_a_distribution(void **state) {
  (void)state;
  enum { COUNT = 20000 };
  const vb_synth_field spreads[] = {
      {.spread = VB_SPREAD_UNIFORM, .a = -2, .b = 4, .decimals = 1},
      {.spread = VB_SPREAD_NORMAL, .a = 10, .b = 3, .decimals = -1},
      {.spread = VB_SPREAD_EXPONENTIAL, .a = 5, .decimals = -1},
  };
  const double means[] = {1, 10, 5}, deviations[] = {1.732, 3, 5};
  rig one = make(products, 3);
  for (int i = 0; i < 3; i++) {
    double sum = 0, squares = 0;
    assert_int_equal(vb_synth_set(one.synth, PRICE, &spreads[i], NULL), VB_OK);
    for (uint64_t n = 0; n < COUNT; n++) {
      draw(&one, n);
      double value = number(&one, PRICE);
      if (i == 0) assert_true(value >= -2 && value <= 4 && nearbyint(value * 10) / 10 == value);
      sum += value;
      squares += value * value;
    }
    double mean = sum / COUNT;
    assert_true(fabs(mean - means[i]) < 0.15);
    assert_true(fabs(sqrt(squares / COUNT - mean * mean) - deviations[i]) < 0.15);
  }
  for (uint64_t n = 0; n < 50; n++) { /* the default, of an integer type */
    draw(&one, n);
    assert_in_range(one.record[one.layout.fields[STOCK].offset], 0, 100);
  }
  drop(&one);
}

static void tags_by_their_weights(void **state) {
  (void)state;
  const char *const words[] = {"none", "rare", "often"};
  const double weights[] = {0, 1, 3};
  vb_synth_field tags = {.words = words, .weights = weights, .word_count = 3};
  int counts[3] = {0};
  rig one = make(products, 3);
  assert_int_equal(vb_synth_set(one.synth, KIND, &tags, NULL), VB_OK);
  for (uint64_t n = 0; n < 4000; n++) {
    const char *at = draw(&one, n) + one.layout.fields[KIND].offset;
    for (int i = 0; i < 3; i++) counts[i] += !strncmp(at, words[i], 8);
  }
  assert_int_equal(counts[0], 0);
  assert_in_range(counts[1], 900, 1100);
  assert_int_equal(counts[1] + counts[2], 4000);
  drop(&one);
}

static void texts_of_whole_words(void **state) {
  (void)state;
  const char *const words[] = {"the", "extraordinarily", "of"};
  vb_synth_field text = {.words = words, .word_count = 3, .least = 5, .most = 30};
  uint32_t length, longest = 0, shortest = 100;
  rig one = make(products, 3);
  assert_int_equal(vb_synth_set(one.synth, ABOUT, &text, NULL), VB_OK);
  for (uint64_t n = 0; n < 300; n++) {
    char *at = draw(&one, n) + one.layout.fields[ABOUT].offset, copy[101] = "", *rest = NULL;
    memcpy(&length, at, sizeof length);
    assert_true(length <= 100);
    memcpy(copy, at + 4, length);
    assert_int_equal(strlen(copy), length);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
      assert_true(!strcmp(word, words[0]) || !strcmp(word, words[1]) || !strcmp(word, words[2]));
    if (length > longest) longest = length;
    if (length < shortest) shortest = length;
  }
  assert_true(longest > 80 && shortest < 40);
  drop(&one);
}

static void blobs_of_any_length(void **state) {
  (void)state;
  vb_synth_field blob = {.least = 3, .most = 33};
  uint32_t length, longest = 0, shortest = 100;
  rig one = make(products, 3);
  assert_int_equal(vb_synth_set(one.synth, RAW, &blob, NULL), VB_OK);
  for (uint64_t n = 0; n < 500; n++) {
    memcpy(&length, draw(&one, n) + one.layout.fields[RAW].offset, sizeof length);
    if (length > longest) longest = length;
    if (length < shortest) shortest = length;
  }
  assert_int_equal(longest, 33);
  assert_int_equal(shortest, 3);
  drop(&one);
}

/* Queries are of the records' distributions, but no records. */
static void queries_hold_their_fields(void **state) {
  (void)state;
  rig one = make(products, 3);
  char query[168] = {0};
  double price;
  assert_int_equal(one.layout.query_size, sizeof query);
  draw(&one, 4);
  vb_synth_query(one.synth, 4, query);
  memcpy(&price, query + one.layout.query_fields[PRICE].offset, sizeof price);
  assert_true(price > 0 && price < 100 && price != number(&one, PRICE));
  drop(&one);
}

static void members_of_sets_differ(void **state) {
  (void)state;
  const char *const words[] = {"a", "b", "c", "d", "e", "f"};
  vb_synth_field text = {.words = words, .word_count = 6, .least = 1, .most = 1};
  rig one = make("version: 1\nrecord: { collection: { type: set, max_members: 6, member: { type: "
                 "text, max_bytes: 5 } } }\nsections: { records: { count: 1 } }\n",
                 3);
  uint32_t members, fewest = 9, most = 0;
  assert_int_equal(vb_synth_set(one.synth, 0, &text, NULL), VB_OK);
  assert_int_equal(vb_synth_members(one.synth, 2, 4, NULL), VB_OK);
  for (uint64_t n = 0; n < 200; n++) {
    const char *at = draw(&one, n) + 4;
    unsigned seen = 0;
    memcpy(&members, one.record, sizeof members);
    for (uint32_t i = 0; i < members; i++) seen |= 1u << (at[i * 5] - 'a');
    assert_int_equal(__builtin_popcount(seen), members);
    if (members < fewest) fewest = members;
    if (members > most) most = members;
  }
  assert_int_equal(fewest, 2);
  assert_int_equal(most, 4);
  drop(&one);
}

static int ascending(const void *a, const void *b) {
  return strcmp(a, b);
}

static void no_key_twice(void **state) {
  (void)state;
  enum { COUNT = 20000 };
  rig one = make(products, 3);
  static char keys[COUNT][VB_SYNTH_KEY + 1];
  for (uint64_t n = 0; n < COUNT; n++) vb_synth_key(one.synth, n * 7, keys[n]);
  qsort(keys, COUNT, sizeof *keys, ascending);
  for (int i = 1; i < COUNT; i++) assert_int_not_equal(strcmp(keys[i], keys[i - 1]), 0);
  drop(&one);
}

static void what_cannot_be_drawn(void **state) {
  (void)state;
  const char *const words[] = {"far too long a word"};
  const double weights[] = {-1}, none[] = {0};
  const struct {
    uint32_t field;
    vb_synth_field from;
    const char *message;
  } bad[] = {
      {V, {.clusters = 0}, "field v: clusters must be 1 to 1048576"},
      {V, {.clusters = 1, .noise = -1}, "field v: noise must be 0 or more"},
      {KIND, {0}, "field kind: no words"},
      {KIND,
       {.words = words, .word_count = 1},
       "field kind: the word 'far too long a word' is longer than 8 bytes"},
      {ABOUT,
       {.words = words, .weights = weights, .word_count = 1},
       "field about: the weight of 'far too long a word' must be 0 or more"},
      {ABOUT, {.words = words, .weights = none, .word_count = 1}, "field about: all weights are 0"},
      {ABOUT, {.least = 2, .most = 1}, "field about: the least count is over the greatest"},
      {PRICE, {.a = 2, .b = 1}, "field price: the least is over the greatest"},
      {PRICE,
       {.spread = VB_SPREAD_NORMAL, .a = NAN},
       "field price: a distribution of finite numbers only"},
      {PRICE, {.spread = VB_SPREAD_NORMAL, .b = -1}, "field price: a deviation below 0"},
      {PRICE, {.decimals = 16}, "field price: decimals must be 15 or less"},
      {RAW,
       {.least = 1, .most = 34},
       "field raw: more bytes than it has, or the least count over the greatest"},
  };
  rig one = make(products, 3);
  vb_error err;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(bad); i++) {
    assert_int_equal(vb_synth_set(one.synth, bad[i].field, &bad[i].from, &err), VB_EINVAL);
    assert_string_equal(err.text, bad[i].message);
  }
  assert_int_equal(vb_synth_members(one.synth, 2, 1, &err), VB_EINVAL);
  assert_string_equal(err.text, "members: 2 to 1, where there is room for 0 to 0");
  drop(&one);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_for_the_same_seed),
      cmocka_unit_test(known_values),
      cmocka_unit_test(vectors_lie_in_clusters),
      cmocka_unit_test(vectors_of_other_numbers),
      cmocka_unit_test(numbers_of_a_distribution),
      cmocka_unit_test(tags_by_their_weights),
      cmocka_unit_test(texts_of_whole_words),
      cmocka_unit_test(blobs_of_any_length),
      cmocka_unit_test(queries_hold_their_fields),
      cmocka_unit_test(members_of_sets_differ),
      cmocka_unit_test(no_key_twice),
      cmocka_unit_test(what_cannot_be_drawn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
