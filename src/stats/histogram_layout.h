/* The inside of a histogram, shared by the files that count and that encode it.
 * src/stats/ alone; one thread at a time. */
#ifndef VB_STATS_HISTOGRAM_LAYOUT_H
#define VB_STATS_HISTOGRAM_LAYOUT_H

#include "stats/histogram.h"

#define VB_HISTOGRAM_LOWEST 1ull
#define VB_HISTOGRAM_HIGHEST 3600000000000ull /* an hour in ns */

typedef unsigned __int128 vb_histogram_sum;

/* Buckets double in range; each has `half` counts (the first has two halves: it starts at 0).
 * Value v of bucket b is in count (b << half_magnitude) + (v >> b). */
struct vb_histogram {
  int digits;
  unsigned half_magnitude; /* log2 of the counts a bucket */
  uint64_t mask;           /* the values of the first bucket */
  uint32_t last;           /* the count of an hour and all above */
  uint64_t total;
  uint64_t min, max; /* UINT64_MAX and 0 when empty */
  vb_histogram_sum sum;
  uint64_t counts[];
};

static inline uint32_t vb_histogram_index(const vb_histogram *histogram, uint64_t value) {
  unsigned significant = 64u - (unsigned)__builtin_clzll(value | histogram->mask);
  unsigned bucket = significant - histogram->half_magnitude - 1;
  return (uint32_t)(((uint64_t)bucket << histogram->half_magnitude) + (value >> bucket));
}

/* The counts that may differ from 0: [first, end). Both 0 when empty. */
uint32_t vb_histogram_first(const vb_histogram *histogram);
uint32_t vb_histogram_end(const vb_histogram *histogram);

#endif
