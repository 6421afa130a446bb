/* keyspace/distribution: shapes by chi-square with fixed seeds. A wrong exponent, swapped
 * parameters or an off-by-one at either end fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commands.h"
#include "keyspace/distribution.h"

#include <math.h>

enum { DRAWS = 400000, CELLS = 20 };

/* The share of a position, by the distribution's parameters; need not sum to 1. */
typedef double (*share_fn)(const vb_distribution_spec *spec, double position, double count);

/* Chi-square of draws of `spec` against the shares of `against`, in CELLS cells of one size. */
static double fit(const vb_distribution_spec *spec, uint64_t count, share_fn share,
                  const vb_distribution_spec *against) {
  uint64_t seen[CELLS] = {0};
  double shares[CELLS] = {0}, total = 0, sum = 0;
  vb_distribution distribution;
  vb_rng rng = {4711};
  vb_distribution_init(&distribution, spec, count);
  for (int i = 0; i < DRAWS; i++) {
    uint64_t at = vb_distribution_draw(&distribution, vb_rng_next(&rng));
    assert_true(at < count);
    seen[at * CELLS / count]++;
  }
  for (uint64_t i = 0; i < count; i++) {
    double part = share(against, (double)i, (double)count);
    shares[i * CELLS / count] += part;
    total += part;
  }
  for (int i = 0; i < CELLS; i++) {
    double expected = shares[i] / total * DRAWS, off = (double)seen[i] - expected;
    assert_true(expected >= 5);
    sum += off * off / expected;
  }
  return sum;
}

static double exponential_share(const vb_distribution_spec *spec, double position, double count) {
  return exp(-spec->lambda * (count - 1 - position));
}

static double normal_share(const vb_distribution_spec *spec, double position, double count) {
  double scale = spec->deviation * count * sqrt(2);
  return erfc((spec->mean * count - position - 1) / scale) -
         erfc((spec->mean * count - position) / scale);
}

static double part_share(const vb_distribution_spec *spec, double position, double count) {
  double part = round(spec->share * count);
  return position < part ? spec->probability / part : (1 - spec->probability) / (count - part);
}

static double latest_share(const vb_distribution_spec *spec, double position, double count) {
  return part_share(spec, count - 1 - position, count);
}

static double even_share(const vb_distribution_spec *spec, double position, double count) {
  (void)spec, (void)position, (void)count;
  return 1;
}

/* The shape fits its own parameters and none of `others`. */
static void expect_shape(vb_distribution_spec spec, uint64_t count, share_fn share,
                         const vb_distribution_spec *others, size_t other_count) {
  double limit = test_chi_limit(CELLS - 1);
  assert_int_equal(vb_distribution_check(&spec, NULL), VB_OK);
  assert_true(fit(&spec, count, share, &spec) < limit);
  for (size_t i = 0; i < other_count; i++)
    assert_true(fit(&spec, count, share, &others[i]) > limit);
}

static void uniform_is_even_to_both_ends(void **state) {
  (void)state;
  vb_distribution_spec spec = {.shape = VB_SHAPE_UNIFORM};
  expect_shape(spec, CELLS, even_share, NULL, 0);
  expect_shape(spec, 1000000, even_share, NULL, 0);
}

static void exponential_falls_from_the_newest(void **state) {
  (void)state;
  vb_distribution_spec spec = {.shape = VB_SHAPE_EXPONENTIAL, .lambda = 0.3};
  const vb_distribution_spec others[] = {{.lambda = 0.31}, {.lambda = 0.29}, {.lambda = -0.3}};
  expect_shape(spec, CELLS, exponential_share, others, VB_ARRAY_LENGTH(others));
  spec.lambda = 0.003;
  const vb_distribution_spec flat[] = {{.lambda = 0.0031}, {.lambda = 0.0029}};
  expect_shape(spec, 1000, exponential_share, flat, VB_ARRAY_LENGTH(flat));
}

static void exponential_over_a_huge_range_is_exact_at_the_newest(void **state) {
  (void)state;
  const uint64_t count = 1000000000000;
  vb_distribution_spec spec = {.shape = VB_SHAPE_EXPONENTIAL, .lambda = 0.1};
  vb_distribution distribution;
  vb_distribution_init(&distribution, &spec, count);
  vb_rng rng = {9};
  unsigned newest = 0, tenth = 0;
  for (int i = 0; i < DRAWS; i++) {
    uint64_t behind = count - 1 - vb_distribution_draw(&distribution, vb_rng_next(&rng));
    newest += behind == 0;
    tenth += behind == 10;
  }
  double first = 1 - exp(-0.1);
  assert_in_range(newest, (uint64_t)(DRAWS * first) - 800, (uint64_t)(DRAWS * first) + 800);
  first *= exp(-1);
  assert_in_range(tenth, (uint64_t)(DRAWS * first) - 500, (uint64_t)(DRAWS * first) + 500);
}

static void normal_has_its_mean_and_deviation(void **state) {
  (void)state;
  vb_distribution_spec spec = {.shape = VB_SHAPE_NORMAL, .mean = 0.4, .deviation = 0.25};
  const vb_distribution_spec others[] = {{.mean = 0.25, .deviation = 0.4},
                                         {.mean = 0.41, .deviation = 0.25},
                                         {.mean = 0.4, .deviation = 0.26}};
  expect_shape(spec, 1000, normal_share, others, VB_ARRAY_LENGTH(others));
  expect_shape(spec, 100, normal_share, others, VB_ARRAY_LENGTH(others));
}

static void a_narrow_normal_at_the_end_stays_inside(void **state) {
  (void)state;
  vb_distribution_spec spec = {.shape = VB_SHAPE_NORMAL, .mean = 1, .deviation = 1e-17};
  vb_distribution distribution;
  vb_distribution_init(&distribution, &spec, 1000);
  for (uint64_t i = 0; i < 1000; i++)
    assert_in_range(vb_distribution_draw(&distribution, i), 998, 999);
}

static void hotspot_is_the_first_part(void **state) {
  (void)state;
  vb_distribution_spec spec = {.shape = VB_SHAPE_HOTSPOT, .share = 0.2, .probability = 0.8};
  const vb_distribution_spec others[] = {{.share = 0.8, .probability = 0.2},
                                         {.share = 0.2, .probability = 0.79},
                                         {.share = 0.25, .probability = 0.8}};
  expect_shape(spec, CELLS, part_share, others, VB_ARRAY_LENGTH(others));
  expect_shape(spec, 1000, part_share, others, VB_ARRAY_LENGTH(others));
}

static void latest_is_the_last_part(void **state) {
  (void)state;
  vb_distribution_spec spec = {.shape = VB_SHAPE_LATEST, .share = 0.1, .probability = 0.9};
  const vb_distribution_spec others[] = {{.share = 0.9, .probability = 0.1},
                                         {.share = 0.1, .probability = 0.91}};
  expect_shape(spec, CELLS, latest_share, others, VB_ARRAY_LENGTH(others));
  expect_shape(spec, 1000, latest_share, others, VB_ARRAY_LENGTH(others));
}

static void parts_of_few_positions(void **state) {
  (void)state;
  vb_distribution_spec spec = {.shape = VB_SHAPE_HOTSPOT, .share = 0.001, .probability = 0.5};
  vb_distribution distribution;
  unsigned hot = 0;
  vb_distribution_init(&distribution, &spec, 10);
  for (uint64_t i = 0; i < 10000; i++) hot += vb_distribution_draw(&distribution, vb_mix(i)) == 0;
  assert_in_range(hot, 4800, 5200);
  spec.share = 1;
  spec.probability = 0;
  vb_distribution_init(&distribution, &spec, 1);
  assert_int_equal(vb_distribution_draw(&distribution, 7), 0);
}

/* The most frequent positions, in the order of how often they come. */
static void scattering_moves_the_hot_ones_and_nothing_else(void **state) {
  (void)state;
  vb_distribution_spec spec = {.shape = VB_SHAPE_HOTSPOT, .share = 0.1, .probability = 0.9};
  vb_distribution plain, scattered;
  vb_distribution_init(&plain, &spec, 1000);
  spec.scatter = 1;
  spec.seed = 77;
  vb_distribution_init(&scattered, &spec, 1000);
  uint64_t to[1000], low = 0;
  memset(to, 0xff, sizeof to);
  for (uint64_t i = 0; i < 100000; i++) {
    uint64_t from = vb_distribution_draw(&plain, vb_mix(i));
    uint64_t there = vb_distribution_draw(&scattered, vb_mix(i));
    if (to[from] != UINT64_MAX) assert_int_equal(to[from], there);
    to[from] = there;
  }
  for (int i = 0; i < 100; i++) low += to[i] < 100;
  assert_true(low < 30); /* 10 are expected by chance */
}

static void exponential_and_latest_are_never_scattered(void **state) {
  (void)state;
  for (int shape = VB_SHAPE_EXPONENTIAL; shape <= VB_SHAPE_LATEST; shape++) {
    if (shape == VB_SHAPE_HOTSPOT) continue;
    vb_distribution_spec spec = {.shape = shape,
                                 .lambda = 0.1,
                                 .mean = 0.5,
                                 .deviation = 0.1,
                                 .share = 0.1,
                                 .probability = 0.5};
    vb_distribution plain, scattered;
    vb_distribution_init(&plain, &spec, 1000);
    spec.scatter = 1;
    vb_distribution_init(&scattered, &spec, 1000);
    for (uint64_t i = 0; i < 1000; i++)
      assert_int_equal(vb_distribution_draw(&plain, vb_mix(i)),
                       vb_distribution_draw(&scattered, vb_mix(i)));
  }
}

static void mistakes_are_named(void **state) {
  (void)state;
  const struct {
    vb_distribution_spec spec;
    const char *text;
  } cases[] = {
      {{.shape = 6}, "no distribution has the number 6"},
      {{.shape = VB_SHAPE_ZIPFIAN, .skew = 0}, "skew is 0; it is above 0"},
      {{.shape = VB_SHAPE_EXPONENTIAL, .lambda = -1}, "lambda is -1; it is above 0"},
      {{.shape = VB_SHAPE_EXPONENTIAL, .lambda = NAN}, "lambda is nan; it is above 0"},
      {{.shape = VB_SHAPE_NORMAL, .mean = 1.5, .deviation = 0.1}, "mean is 1.5; it is 0 to 1"},
      {{.shape = VB_SHAPE_NORMAL, .mean = 0.5}, "deviation is 0; it is above 0 to 1"},
      {{.shape = VB_SHAPE_HOTSPOT, .share = 20, .probability = 0.8},
       "share is 20; it is above 0 to 1"},
      {{.shape = VB_SHAPE_LATEST, .share = 0.2, .probability = -0.5},
       "probability is -0.5; it is 0 to 1"}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_error err = {0};
    assert_int_equal(vb_distribution_check(&cases[i].spec, &err), VB_EINVAL);
    assert_string_equal(err.text, cases[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(uniform_is_even_to_both_ends),
      cmocka_unit_test(exponential_falls_from_the_newest),
      cmocka_unit_test(exponential_over_a_huge_range_is_exact_at_the_newest),
      cmocka_unit_test(normal_has_its_mean_and_deviation),
      cmocka_unit_test(a_narrow_normal_at_the_end_stays_inside),
      cmocka_unit_test(hotspot_is_the_first_part),
      cmocka_unit_test(latest_is_the_last_part),
      cmocka_unit_test(parts_of_few_positions),
      cmocka_unit_test(scattering_moves_the_hot_ones_and_nothing_else),
      cmocka_unit_test(exponential_and_latest_are_never_scattered),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
