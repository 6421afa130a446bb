#include "keyspace/subset.h"

#include "base/random.h"

#include <math.h>

/* Ids of `set` in [subset's first, id). */
static uint64_t rank_in(const vb_subset *subset, const vb_refset *set, uint64_t id) {
  return vb_refset_rank(set, id) - subset->below;
}

/* Ids below `id` that the sets leave. */
static uint64_t kept_below(const vb_subset *subset, uint64_t id) {
  const vb_subset_spec *spec = &subset->spec;
  if (spec->only) return rank_in(subset, spec->only, id);
  uint64_t all = id - spec->first;
  return spec->except ? all - rank_in(subset, spec->except, id) : all;
}

void vb_subset_init(vb_subset *subset, const vb_subset_spec *spec) {
  *subset = (vb_subset){.spec = *spec, .first = spec->first};
  const vb_refset *set = spec->only ? spec->only : spec->except;
  if (set) subset->below = vb_refset_rank(set, spec->first);
  subset->kept = kept_below(subset, spec->last);
  uint64_t count = subset->kept;
  if (spec->sample > 0 && spec->sample < 1) count = (uint64_t)((double)count * spec->sample);
  uint64_t end = count;
  if (spec->parts) {
    subset->start = (uint64_t)((unsigned __int128)count * spec->part / spec->parts);
    end = (uint64_t)((unsigned __int128)count * (spec->part + 1) / spec->parts);
  }
  subset->count = end - subset->start;
  subset->is_range = !set && !(spec->sample > 0 && spec->sample < 1);
  if (subset->is_range) subset->first += subset->start;
}

/* Of each run of 1 / sample ids one, at a place that the seed and the run decide. */
static uint64_t sampled(const vb_subset *subset, uint64_t k) {
  double each = 1 / subset->spec.sample;
  uint64_t low = (uint64_t)((double)k * each), high = (uint64_t)((double)(k + 1) * each);
  if (high > subset->kept) high = subset->kept;
  if (low >= high) return subset->kept - 1;
  uint64_t random = vb_mix(subset->spec.seed + k * 0x9e3779b97f4a7c15ull);
  return low + vb_below(random, high - low);
}

/* The k-th id that `except` leaves: the first one with k + 1 such ids up to it, by halving. */
static uint64_t among_others(const vb_subset *subset, uint64_t k) {
  uint64_t low = subset->spec.first + k, high = subset->spec.last - 1;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (kept_below(subset, middle + 1) > k)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

uint64_t vb_subset_id(const vb_subset *subset, uint64_t position) {
  if (subset->is_range) return subset->first + position;
  uint64_t k = subset->start + position, id = 0;
  if (subset->spec.sample > 0 && subset->spec.sample < 1) k = sampled(subset, k);
  if (subset->spec.except) return among_others(subset, k);
  if (!subset->spec.only) return subset->spec.first + k;
  (void)vb_refset_select(subset->spec.only, subset->below + k, &id);
  return id;
}
