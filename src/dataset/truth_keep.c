#include "dataset/truth_part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t vb_keep_capacity(const vb_truth_job *job) {
  return (uint32_t)(2 * job->neighbors + 256);
}

/* --- what is known of a candidate ------------------------------------------------------------- */

static bool is_known(const vb_candidate *candidate) {
  return isfinite(candidate->score) && isfinite(candidate->slack);
}

static double highest(const vb_candidate *candidate) {
  if (!is_known(candidate)) return (double)INFINITY;
  return (double)candidate->score + (double)candidate->slack;
}

static double lowest(const vb_candidate *candidate) {
  if (!is_known(candidate)) return -(double)INFINITY;
  return (double)candidate->score - (double)candidate->slack;
}

/* The score of a key, and a little more, for what its own sums lose. */
static double score_of(const vb_keep *keep, double key, int distance) {
  if (distance == VB_DISTANCE_COSINE) key = copysign(sqrt(fabs(key)), key);
  double square = distance == VB_DISTANCE_COSINE || distance == VB_DISTANCE_IP ? 0 : keep->square;
  return key - square + 0x1p-50 * (fabs(key) + square);
}

/* --- the nth of numbers ----------------------------------------------------------------------- */

static double median_of(double a, double b, double c) {
  return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Hoare 1961, "Find": the number that stands at `n` when they are sorted. Moves them. */
static double nth_of(double *numbers, size_t count, size_t n) {
  size_t low = 0, high = count - 1;
  while (low < high) {
    double pivot = median_of(numbers[low], numbers[low + (high - low) / 2], numbers[high]);
    size_t i = low, j = high;
    for (;;) {
      while (numbers[i] < pivot) i++;
      while (numbers[j] > pivot) j--;
      if (i >= j) break;
      double moved = numbers[i];
      numbers[i++] = numbers[j];
      numbers[j--] = moved;
    }
    if (n <= j) {
      high = j;
    } else {
      low = j + 1;
    }
  }
  return numbers[n];
}

/* --- looking through -------------------------------------------------------------------------- */

/* Lowers the bound to the highest score that the last of the nearest can have. */
static void lower_bound(vb_keep *keep, vb_compare *with) {
  size_t count = 0, neighbors = with->job->neighbors;
  for (uint32_t i = 0; i < keep->best_count; i++)
    with->scores[count++] = score_of(keep, keep->best[i].key, with->job->distance);
  for (uint32_t i = 0; i < keep->pending_count; i++)
    with->scores[count++] = highest(&keep->pending[i]);
  if (count < neighbors) return;
  double bound = nth_of(with->scores, count, neighbors - 1);
  if (bound < keep->bound) keep->bound = bound;
}

static void drop_far(vb_keep *keep) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < keep->pending_count; i++)
    if (lowest(&keep->pending[i]) <= keep->bound) keep->pending[kept++] = keep->pending[i];
  keep->pending_count = kept;
}

static int nearer(const void *left, const void *right) {
  const vb_nearest *a = left, *b = right;
  if (a->key != b->key) return a->key < b->key ? -1 : 1;
  return a->id < b->id ? -1 : a->id > b->id;
}

static double key_of(const vb_compare *with, uint64_t id) {
  const vb_truth_job *job = with->job;
  vb_truth_load(with->record, job->records.bytes + id * job->records.stride, job->dtype,
                job->dimensions);
  return vb_truth_key(with->query, with->record, job->dimensions, job->distance);
}

static void compare_all(vb_keep *keep, vb_compare *with) {
  const vb_truth_job *job = with->job;
  vb_truth_load(with->query, job->queries.bytes + keep->query * job->queries.stride, job->dtype,
                job->dimensions);
  size_t count = keep->best_count;
  if (count) memcpy(with->exact, keep->best, count * sizeof *keep->best);
  for (uint32_t i = 0; i < keep->pending_count; i++) {
    uint64_t id = keep->pending[i].id;
    with->exact[count++] = (vb_nearest){key_of(with, id), id};
  }
  qsort(with->exact, count, sizeof *with->exact, nearer);
  if (count > job->neighbors) count = job->neighbors;
  memcpy(keep->best, with->exact, count * sizeof *keep->best);
  keep->best_count = (uint32_t)count;
  keep->pending_count = 0;
  if (count < job->neighbors) return;
  double bound = score_of(keep, keep->best[count - 1].key, job->distance);
  if (bound < keep->bound) keep->bound = bound;
}

void vb_keep_trim(vb_keep *keep, vb_compare *with) {
  lower_bound(keep, with);
  drop_far(keep);
  if (keep->pending_count > with->capacity / 2) compare_all(keep, with);
}

void vb_keep_finish(vb_keep *keep, vb_compare *with) {
  lower_bound(keep, with);
  drop_far(keep);
  compare_all(keep, with);
}
