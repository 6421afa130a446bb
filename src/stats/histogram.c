#include "stats/histogram.h"
#include "stats/histogram_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Log2 of the counts a bucket: half of the smallest power of two that resolves 2 * 10^digits. */
static unsigned half_magnitude_of(int digits) {
  uint64_t resolved = 2;
  for (int i = 0; i < digits; i++) resolved *= 10;
  return 63u - (unsigned)__builtin_clzll(resolved - 1);
}

/* As many buckets as reach the highest value, as HdrHistogram counts them. */
static size_t counts_of(int digits) {
  unsigned half = half_magnitude_of(digits);
  size_t buckets = 1;
  for (uint64_t beyond = 2ull << half; beyond <= VB_HISTOGRAM_HIGHEST; beyond <<= 1) buckets++;
  return (buckets + 1) << half;
}

size_t vb_histogram_bytes(int digits) {
  if (digits < 1 || digits > 4) return 0;
  return sizeof(vb_histogram) + counts_of(digits) * sizeof(uint64_t);
}

vb_histogram *vb_histogram_new(int digits) {
  size_t bytes = vb_histogram_bytes(digits);
  vb_histogram *histogram = bytes ? calloc(1, bytes) : NULL;
  if (!histogram) return NULL;
  histogram->digits = digits;
  histogram->half_magnitude = half_magnitude_of(digits);
  histogram->mask = (2ull << histogram->half_magnitude) - 1;
  histogram->last = vb_histogram_index(histogram, VB_HISTOGRAM_HIGHEST);
  histogram->min = UINT64_MAX;
  return histogram;
}

void vb_histogram_free(vb_histogram *histogram) {
  free(histogram);
}

static uint32_t clamped_index(const vb_histogram *histogram, uint64_t value) {
  return value < VB_HISTOGRAM_HIGHEST ? vb_histogram_index(histogram, value) : histogram->last;
}

uint32_t vb_histogram_first(const vb_histogram *histogram) {
  return histogram->total ? clamped_index(histogram, histogram->min) : 0;
}

uint32_t vb_histogram_end(const vb_histogram *histogram) {
  return histogram->total ? clamped_index(histogram, histogram->max) + 1 : 0;
}

void vb_histogram_reset(vb_histogram *histogram) {
  uint32_t first = vb_histogram_first(histogram);
  size_t used = vb_histogram_end(histogram) - first;
  memset(histogram->counts + first, 0, used * sizeof(uint64_t));
  histogram->total = 0;
  histogram->min = UINT64_MAX;
  histogram->max = 0;
  histogram->sum = 0;
}

void vb_histogram_record(vb_histogram *histogram, uint64_t value, uint64_t count) {
  if (VB_UNLIKELY(!count)) return;
  value += !value;
  if (VB_UNLIKELY(value < histogram->min)) histogram->min = value;
  if (VB_UNLIKELY(value > histogram->max)) histogram->max = value;
  histogram->sum += (vb_histogram_sum)value * count;
  histogram->total += count;
  histogram->counts[clamped_index(histogram, value)] += count;
}

/* The bucket that count `index` stands in: its values are 2^bucket apart. */
static unsigned bucket_of(const vb_histogram *histogram, uint32_t index) {
  uint32_t bucket = index >> histogram->half_magnitude;
  return bucket ? bucket - 1 : 0;
}

static uint64_t lowest_value(const vb_histogram *histogram, uint32_t index) {
  unsigned bucket = bucket_of(histogram, index);
  return ((uint64_t)index - ((uint64_t)bucket << histogram->half_magnitude)) << bucket;
}

/* The last count is open at its top: all above an hour is in it. */
static uint64_t highest_value(const vb_histogram *histogram, uint32_t index) {
  uint64_t highest = lowest_value(histogram, index) + (1ull << bucket_of(histogram, index)) - 1;
  return index == histogram->last || highest > histogram->max ? histogram->max : highest;
}

static uint64_t middle_value(const vb_histogram *histogram, uint32_t index) {
  return lowest_value(histogram, index) + ((1ull << bucket_of(histogram, index)) >> 1);
}

/* The middle, inside of what was seen: a finer histogram must not count beyond its own max. */
static uint64_t typical_value(const vb_histogram *histogram, uint32_t index) {
  uint64_t middle = middle_value(histogram, index);
  if (middle < histogram->min) return histogram->min;
  return middle > histogram->max ? histogram->max : middle;
}

void vb_histogram_merge(vb_histogram *into, const vb_histogram *from) {
  uint32_t end = vb_histogram_end(from);
  for (uint32_t i = vb_histogram_first(from); i < end; i++) {
    if (!from->counts[i]) continue;
    uint32_t at = into->digits == from->digits ? i : clamped_index(into, typical_value(from, i));
    into->counts[at] += from->counts[i];
  }
  into->total += from->total;
  into->sum += from->sum;
  if (from->min < into->min) into->min = from->min;
  if (from->max > into->max) into->max = from->max;
}

uint64_t vb_histogram_count(const vb_histogram *histogram) {
  return histogram->total;
}

uint64_t vb_histogram_min(const vb_histogram *histogram) {
  return histogram->total ? histogram->min : 0;
}

uint64_t vb_histogram_max(const vb_histogram *histogram) {
  return histogram->max;
}

double vb_histogram_mean(const vb_histogram *histogram) {
  return histogram->total ? (double)histogram->sum / (double)histogram->total : 0;
}

double vb_histogram_stddev(const vb_histogram *histogram) {
  if (!histogram->total) return 0;
  double mean = vb_histogram_mean(histogram), squares = 0;
  uint32_t end = vb_histogram_end(histogram);
  for (uint32_t i = vb_histogram_first(histogram); i < end; i++) {
    double distance = (double)middle_value(histogram, i) - mean;
    squares += distance * distance * (double)histogram->counts[i];
  }
  return sqrt(squares / (double)histogram->total);
}

/* How many counts make `percentile`. One step down first, so that 99.9 % of 1000, which rounds to
 * a hair above 999, is 999 (HdrHistogram does the same). */
static uint64_t rank_of(uint64_t total, double percentile) {
  double exact = nextafter(percentile, 0) / 100 * (double)total;
  uint64_t rank = (uint64_t)ceil(exact);
  if (rank < 1) return 1;
  return rank > total ? total : rank;
}

uint64_t vb_histogram_percentile(const vb_histogram *histogram, double percentile) {
  if (!histogram->total) return 0;
  if (!(percentile > 0)) return histogram->min;
  if (percentile >= 100) return histogram->max;
  uint64_t rank = rank_of(histogram->total, percentile), seen = 0;
  uint32_t end = vb_histogram_end(histogram);
  for (uint32_t i = vb_histogram_first(histogram); i < end; i++) {
    seen += histogram->counts[i];
    if (seen >= rank) return highest_value(histogram, i);
  }
  return histogram->max;
}

uint64_t vb_histogram_count_below(const vb_histogram *histogram, uint64_t value) {
  if (!histogram->total || value < histogram->min) return 0;
  if (value >= histogram->max) return histogram->total;
  uint64_t seen = 0;
  uint32_t stop = clamped_index(histogram, value);
  for (uint32_t i = vb_histogram_first(histogram); i <= stop; i++) seen += histogram->counts[i];
  return seen;
}
