/* Ground truth against a brute force that sorts all distances in long double; its threads (pthread)
 * are for the thread sanitizer as well. */
#include "base/random.h"
#include "dataset/truth_part.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- vectors ---------------------------------------------------------------------------------- */

typedef struct set {
  char *bytes; /* odd, so that nothing is aligned */
  char *block;
  uint64_t count, stride;
} set;

static void store(char *to, int dtype, size_t i, double value) {
  switch (dtype) {
  case VB_DTYPE_BINARY:
    if (value > 0) to[i / 8] = (char)(to[i / 8] | 128 >> i % 8);
    break;
  default: {
    vb_conversion how = {.from = VB_DTYPE_FLOAT64, .to = dtype, .unfit = VB_UNFIT_CLAMP};
    size_t size = vb_dtype_bytes(dtype, 1);
    assert_int_equal(vb_dtype_convert(&how, to + i * size, &value, 1), 1);
  }
  }
}

/* Random values of `steps` kinds around `offset`; few kinds make ties. */
static set make(uint64_t seed, uint64_t count, const vb_truth_job *job, double steps,
                double offset) {
  vb_rng rng = {seed};
  set made = {.count = count, .stride = vb_dtype_bytes(job->dtype, job->dimensions) + 3};
  made.block = calloc(count + 1, made.stride);
  made.bytes = made.block + 1;
  for (uint64_t i = 0; i < count; i++)
    for (size_t at = 0; at < job->dimensions; at++) {
      double value = floor(vb_unit(vb_rng_next(&rng)) * steps) - floor(steps / 2) + offset;
      store(made.bytes + i * made.stride, job->dtype, at, value);
    }
  return made;
}

static vb_vectors view(const set *of) {
  return (vb_vectors){of->bytes, of->count, of->stride};
}

/* --- the brute force -------------------------------------------------------------------------- */

typedef struct entry {
  long double distance;
  uint64_t id;
} entry;

static int by_distance(const void *left, const void *right) {
  const entry *a = left, *b = right;
  if (a->distance != b->distance) return a->distance < b->distance ? -1 : 1;
  return a->id < b->id ? -1 : a->id > b->id;
}

static long double distance_of(const double *a, const double *b, const vb_truth_job *job) {
  long double square = 0, product = 0, left = 0, right = 0;
  for (size_t i = 0; i < job->dimensions; i++) {
    long double x = (long double)a[i], y = (long double)b[i];
    square += (x - y) * (x - y);
    product += x * y;
    left += x * x;
    right += y * y;
  }
  if (job->distance == VB_DISTANCE_IP) return 1 - product;
  if (job->distance != VB_DISTANCE_COSINE) return square;
  /* Equal for equal directions: the square of the cosine is a quotient of what is exact. */
  long double part = left > 0 && right > 0 ? product * fabsl(product) / right / left : 0;
  return -part;
}

static void brute(const vb_truth_job *job, uint64_t query, entry *all) {
  double *a = calloc(job->dimensions, sizeof *a), *b = calloc(job->dimensions, sizeof *b);
  vb_truth_load(a, job->queries.bytes + query * job->queries.stride, job->dtype, job->dimensions);
  uint64_t count = 0;
  for (uint64_t i = 0; i < job->records.count; i++) {
    if (job->filter && !job->filter(job->context, query, i)) continue;
    vb_truth_load(b, job->records.bytes + i * job->records.stride, job->dtype, job->dimensions);
    all[count++] = (entry){distance_of(a, b, job), i};
  }
  qsort(all, count, sizeof *all, by_distance);
  for (; count < job->records.count || count < job->neighbors; count++)
    all[count] = (entry){(long double)INFINITY, VB_TRUTH_NONE};
  free(a);
  free(b);
}

static long double reported(const entry *of, const vb_truth_job *job) {
  if (of->id == VB_TRUTH_NONE) return (long double)INFINITY;
  if (job->distance == VB_DISTANCE_IP) return of->distance;
  if (job->distance == VB_DISTANCE_L2) return sqrtl(of->distance);
  return 1 + copysignl(sqrtl(fabsl(of->distance)), of->distance);
}

static vb_truth *run(const vb_truth_job *job) {
  vb_truth *truth = NULL;
  vb_error err = {0};
  assert_int_equal(vb_truth_start(&truth, job, &err), VB_OK);
  while (!vb_truth_wait(truth, 1000)) {
  }
  assert_int_equal(vb_truth_progress(truth), job->records.count);
  return truth;
}

static void check(const vb_truth_job *job) {
  vb_truth *truth = run(job);
  entry *all = calloc(job->records.count + job->neighbors, sizeof *all);
  for (uint64_t query = 0; query < job->queries.count; query++) {
    brute(job, query, all);
    const uint64_t *ids = vb_truth_ids(truth) + query * job->neighbors;
    const float *distances = vb_truth_distances(truth) + query * job->neighbors;
    for (uint64_t i = 0; i < job->neighbors; i++) {
      double expected = (double)reported(&all[i], job);
      assert_int_equal(ids[i], all[i].id);
      if (isinf(expected))
        assert_true(isinf(distances[i]));
      else
        assert_true(fabs((double)distances[i] - expected) <= 1e-6 * (1 + fabs(expected)));
    }
  }
  free(all);
  vb_truth_free(truth);
}

/* --- tests ------------------------------------------------------------------------------------ */

typedef struct shape {
  int dtype;
  uint64_t dimensions, records, queries, neighbors;
  double steps, offset;
} shape;

static void check_distance(const shape *of, int distance) {
  vb_truth_job job = {.dtype = of->dtype,
                      .distance = distance,
                      .dimensions = of->dimensions,
                      .neighbors = of->neighbors,
                      .threads = 2};
  set records = make(1, of->records, &job, of->steps, of->offset);
  set queries = make(2, of->queries, &job, of->steps, of->offset);
  job.records = view(&records);
  job.queries = view(&queries);
  check(&job);
  free(records.block);
  free(queries.block);
}

static void check_shape(const shape *of) {
  for (int distance = VB_DISTANCE_L2; distance <= VB_DISTANCE_IP; distance++)
    check_distance(of, distance);
}

static void every_type_of_numbers_and_distance(void **state) {
  (void)state;
  for (int dtype = 0; dtype < VB_DTYPE_COUNT; dtype++)
    check_shape(&(shape){dtype, 19, 700, 11, 10, 200, 0});
}

static void ties_are_ordered_by_id(void **state) {
  (void)state;
  for (int dtype = 0; dtype < VB_DTYPE_COUNT; dtype++)
    check_shape(&(shape){dtype, 5, 3000, 9, 100, 3, 0});
  check_shape(&(shape){VB_DTYPE_FLOAT32, 4, 2500, 3, 40, 1, 7}); /* all are the same */
}

/* Squares far greater than the differences: float32 alone would say nothing. */
static void values_far_from_zero(void **state) {
  (void)state;
  check_shape(&(shape){VB_DTYPE_FLOAT32, 16, 2000, 9, 20, 1000, 4e6});
  check_shape(&(shape){VB_DTYPE_UINT32, 3, 1000, 9, 20, 1000, 1e5});
  /* Cosines would differ by less than a double can say. */
  check_distance(&(shape){VB_DTYPE_FLOAT64, 16, 1000, 9, 20, 1000, 1e9}, VB_DISTANCE_L2);
  check_distance(&(shape){VB_DTYPE_UINT32, 3, 1000, 9, 20, 1000, 4e9}, VB_DISTANCE_L2);
}

static void more_neighbors_than_wait_at_once(void **state) {
  (void)state;
  check_shape(&(shape){VB_DTYPE_FLOAT32, 8, 5000, 5, 1500, 1e6, 0});
}

static void fewer_records_than_neighbors(void **state) {
  (void)state;
  check_shape(&(shape){VB_DTYPE_FLOAT32, 8, 7, 10, 9, 100, 0});
  check_shape(&(shape){VB_DTYPE_FLOAT32, 8, 0, 1, 2, 100, 0});
}

static void no_queries(void **state) {
  (void)state;
  check_shape(&(shape){VB_DTYPE_FLOAT32, 8, 5, 0, 3, 100, 0});
}

static bool of_one_class(const void *context, uint64_t query, uint64_t record) {
  return record % *(const uint64_t *)context == query;
}

static void a_filter_leaves_some_out(void **state) {
  (void)state;
  uint64_t classes = 90;
  vb_truth_job job = {.distance = VB_DISTANCE_L2,
                      .dimensions = 6,
                      .neighbors = 20,
                      .filter = of_one_class,
                      .context = &classes};
  set records = make(1, 1000, &job, 10, 0), queries = make(2, 90, &job, 10, 0);
  job.records = view(&records);
  job.queries = view(&queries);
  check(&job);
  free(records.block);
  free(queries.block);
}

/* What has no place in a float32, or no length. */
static void numbers_too_large_and_too_small(void **state) {
  (void)state;
  double values[][2] = {{1e300, 1e300}, {2e300, 1}, {-1e200, 3}, {1e-200, 2e-200},
                        {0, 0},         {1e30, 1},  {3e-30, 1},  {1e-50, 0}};
  for (int distance = VB_DISTANCE_L2; distance <= VB_DISTANCE_COSINE; distance++) {
    vb_truth_job job = {.records = {(char *)values, 8, 16},
                        .queries = {(char *)(values + 3), 5, 16},
                        .dtype = VB_DTYPE_FLOAT64,
                        .distance = distance,
                        .dimensions = 2,
                        .neighbors = 8};
    vb_truth *truth = run(&job);
    for (uint64_t query = 0; query < 5; query++) { /* each is there once */
      uint64_t seen = 0;
      for (int i = 0; i < 8; i++) seen |= 1ull << vb_truth_ids(truth)[query * 8 + (uint64_t)i];
      assert_int_equal(seen, 255);
    }
    if (distance == VB_DISTANCE_L2) assert_int_equal(vb_truth_ids(truth)[2 * 8], 5);
    vb_truth_free(truth);
  }
}

static void not_a_number_is_the_farthest(void **state) {
  (void)state;
  float values[] = {NAN, 3, INFINITY, 1, 2}, query = 0;
  vb_truth_job job = {.records = {(char *)values, 5, 4},
                      .queries = {(char *)&query, 1, 4},
                      .dimensions = 1,
                      .neighbors = 5};
  vb_truth *truth = run(&job);
  const uint64_t expected[] = {3, 4, 1, 0, 2};
  assert_memory_equal(vb_truth_ids(truth), expected, sizeof expected);
  vb_truth_free(truth);
}

/* x, 3x and 7x lie in one direction, whatever the roundings of their lengths. */
static void multiples_of_a_vector_are_equal_by_cosine(void **state) {
  (void)state;
  float values[21][3], query[] = {0.3f, -0.1f, 0.7f};
  for (int i = 0; i < 21; i++)
    for (int at = 0; at < 3; at++) values[i][at] = (float)(at * at - 1 + at) * (float)(21 - i);
  vb_truth_job job = {.records = {(char *)values, 21, 12},
                      .queries = {(char *)query, 1, 12},
                      .distance = VB_DISTANCE_COSINE,
                      .dimensions = 3,
                      .neighbors = 21};
  vb_truth *truth = run(&job);
  for (uint64_t i = 0; i < 21; i++) assert_int_equal(vb_truth_ids(truth)[i], i);
  vb_truth_free(truth);
}

static void any_number_of_threads(void **state) {
  (void)state;
  vb_truth_job job = {.dimensions = 24, .neighbors = 30};
  set records = make(1, 6000, &job, 50, 0), queries = make(2, 33, &job, 50, 0);
  job.records = view(&records);
  job.queries = view(&queries);
  vb_truth *one = NULL;
  for (job.threads = 1; job.threads < 9; job.threads += 3) {
    vb_truth *truth = run(&job);
    if (one)
      assert_memory_equal(vb_truth_ids(one), vb_truth_ids(truth), 33 * 30 * sizeof(uint64_t));
    if (one) vb_truth_free(truth);
    if (!one) one = truth;
  }
  vb_truth_free(one);
  free(records.block);
  free(queries.block);
}

static void ending_it_before_it_is_done(void **state) {
  (void)state;
  vb_truth_job job = {.dimensions = 64, .neighbors = 10, .threads = 3};
  set records = make(1, 20000, &job, 50, 0);
  job.records = view(&records);
  job.queries = job.records;
  vb_truth *truth = NULL;
  assert_int_equal(vb_truth_start(&truth, &job, NULL), VB_OK);
  assert_int_equal(vb_truth_wait(truth, 1), 0);
  vb_truth_free(truth);
  free(records.block);
}

static void every_kernel_multiplies(void **state) {
  (void)state;
  enum { DIMENSIONS = 7 };
  _Alignas(64) float values[DIMENSIONS * VB_PANEL], bias[VB_PANEL], scale[VB_PANEL];
  float group[DIMENSIONS * VB_GROUP];
  for (int i = 0; i < DIMENSIONS * VB_PANEL; i++) values[i] = (float)(i % 17 - 8);
  for (int i = 0; i < DIMENSIONS * VB_GROUP; i++) group[i] = (float)(i % 5 - 2);
  for (int i = 0; i < VB_PANEL; i++) bias[i] = (float)i, scale[i] = i % 2 ? 2 : -1;
  vb_panel panel = {.values = values, .bias = bias, .scale = scale};
  vb_truth_kernel_entry kernels[VB_TRUTH_KERNELS];
  size_t count = vb_truth_kernels(kernels);
  assert_string_equal(kernels[0].name, vb_truth_kernel());
  for (size_t k = 0; k < count; k++) {
    vb_tile tile = {.near = {0}};
    for (int row = 0; row < VB_GROUP; row++) tile.limits[row] = row % 2 ? 1e9f : -1e9f;
    tile.limits[4] = NAN;
    kernels[k].multiply(&panel, group, DIMENSIONS, &tile);
    for (int row = 0; row < VB_GROUP; row++) {
      assert_int_equal(tile.near[row] != 0, row % 2 || row == 4);
      for (int lane = 0; lane < VB_PANEL; lane++) {
        float sum = 0;
        for (int i = 0; i < DIMENSIONS; i++)
          sum += values[i * VB_PANEL + lane] * group[i * VB_GROUP + row];
        assert_true(tile.scores[row][lane] == bias[lane] - scale[lane] * sum);
      }
    }
  }
}

static void jobs_that_cannot_be(void **state) {
  (void)state;
  float values[4] = {0};
  const vb_truth_job good = {.records = {(char *)values, 2, 8},
                             .queries = {(char *)values, 2, 8},
                             .dimensions = 2,
                             .neighbors = 1};
  vb_truth_job bad[] = {good, good, good, good, good, good};
  const char *expected[] = {"type of numbers", "distance",   "dimensions must be 1",
                            "neighbors must",  "queries of", "more than there is memory"};
  bad[0].dtype = VB_DTYPE_COUNT;
  bad[1].distance = 9;
  bad[2].dimensions = 0;
  bad[3].neighbors = VB_TRUTH_NEIGHBORS + 1;
  bad[4].queries.stride = 7;
  bad[5].records.count = 1ull << 62;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(bad); i++) {
    vb_truth *truth = NULL;
    vb_error err = {0};
    assert_int_equal(vb_truth_start(&truth, &bad[i], &err), VB_EINVAL);
    assert_non_null(strstr(err.text, expected[i]));
    assert_null(truth);
  }
  vb_truth_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_of_numbers_and_distance),
      cmocka_unit_test(ties_are_ordered_by_id),
      cmocka_unit_test(values_far_from_zero),
      cmocka_unit_test(more_neighbors_than_wait_at_once),
      cmocka_unit_test(fewer_records_than_neighbors),
      cmocka_unit_test(no_queries),
      cmocka_unit_test(a_filter_leaves_some_out),
      cmocka_unit_test(numbers_too_large_and_too_small),
      cmocka_unit_test(not_a_number_is_the_farthest),
      cmocka_unit_test(multiples_of_a_vector_are_equal_by_cosine),
      cmocka_unit_test(any_number_of_threads),
      cmocka_unit_test(ending_it_before_it_is_done),
      cmocka_unit_test(every_kernel_multiplies),
      cmocka_unit_test(jobs_that_cannot_be),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
