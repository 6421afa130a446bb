/* Ground truth of random vectors on one thread, for tests/bench/ground-truth.sh: writes them where
 * NumPy reads them, prints the seconds and which code the products ran on.
 * usage: bench_truth DIRECTORY [RECORDS DIMENSIONS QUERIES NEIGHBORS] */
#include "base/clock.h"
#include "base/random.h"
#include "dataset/truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float *draw(uint64_t seed, uint64_t count) {
  float *values = malloc(count * sizeof *values);
  vb_rng rng = {seed};
  for (uint64_t i = 0; values && i < count; i++)
    values[i] = (float)(vb_unit(vb_rng_next(&rng)) + vb_unit(vb_rng_next(&rng)) - 1);
  return values;
}

static int save(const char *directory, const char *name, const void *bytes, size_t size) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "wb");
  int good = file && fwrite(bytes, 1, size, file) == size;
  if (file) good = fclose(file) == 0 && good;
  if (!good) perror(path);
  return good;
}

int main(int argc, char **argv) {
  uint64_t sizes[] = {100000, 128, 1000, 100};
  for (int i = 2; i < argc && i < 6; i++) sizes[i - 2] = strtoull(argv[i], NULL, 10);
  uint64_t dimensions = sizes[1];
  float *records = draw(1, sizes[0] * dimensions), *queries = draw(2, sizes[2] * dimensions);
  vb_truth_job job = {.records = {(char *)records, sizes[0], dimensions * sizeof(float)},
                      .queries = {(char *)queries, sizes[2], dimensions * sizeof(float)},
                      .dimensions = dimensions,
                      .neighbors = sizes[3],
                      .threads = 1};
  vb_truth *truth = NULL;
  vb_error err;
  if (argc < 2 || !records || !queries) return 2;
  vb_ns start = vb_now();
  if (vb_truth_start(&truth, &job, &err) < 0) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  while (!vb_truth_wait(truth, 1000)) {
  }
  printf("%.3f %s\n", (double)(vb_now() - start) / 1e9, vb_truth_kernel());
  int good = save(argv[1], "records", records, sizes[0] * dimensions * sizeof *records) &&
             save(argv[1], "queries", queries, sizes[2] * dimensions * sizeof *queries) &&
             save(argv[1], "ids", vb_truth_ids(truth), sizes[2] * sizes[3] * sizeof(uint64_t));
  vb_truth_free(truth);
  free(records);
  free(queries);
  return !good;
}
