/* Latency histogram: log-linear buckets, 1 ns to one hour, 1 to 4 significant decimal digits.
 * One writer; merged by its owner after the writer is done with it.
 * Layout and rounding are those of HdrHistogram (Gil Tene), so its own tools read what we write. */
#ifndef VB_STATS_HISTOGRAM_H
#define VB_STATS_HISTOGRAM_H

#include "base/status.h"

typedef struct vb_histogram vb_histogram;

/* A histogram of `digits` significant digits (1 to 4), for values 1 to 3.6e12 (an hour in ns);
 * NULL when out of memory. Memory: vb_histogram_bytes. */
VB_API vb_histogram *vb_histogram_new(int digits);
VB_API void vb_histogram_free(vb_histogram *histogram);
VB_API size_t vb_histogram_bytes(int digits);
/* Forgets everything. Costs in proportion to the range in use. */
VB_API void vb_histogram_reset(vb_histogram *histogram);
/* Counts `count` times `value`. 0 counts as 1; above an hour counts as an hour, and max stays
 * true. */
VB_API void vb_histogram_record(vb_histogram *histogram, uint64_t value, uint64_t count);
/* Adds what `from` holds; the digits may differ (then values are those of the middle of a bucket).
 */
VB_API void vb_histogram_merge(vb_histogram *into, const vb_histogram *from);

VB_API uint64_t vb_histogram_count(const vb_histogram *histogram);
VB_API uint64_t vb_histogram_min(const vb_histogram *histogram); /* 0 when empty; exact */
VB_API uint64_t vb_histogram_max(const vb_histogram *histogram); /* 0 when empty; exact */
VB_API double
vb_histogram_mean(const vb_histogram *histogram); /* exact sum / count; 0 when empty */
VB_API double vb_histogram_stddev(const vb_histogram *histogram);
/* The value that `percentile` (0 to 100) of the counts are at or below: the highest value
 * equivalent to its bucket, never above max; min at 0. Above an hour it is max. 0 when empty. */
VB_API uint64_t vb_histogram_percentile(const vb_histogram *histogram, double percentile);
/* Counts of values at or below `value`, with all of its bucket. */
VB_API uint64_t vb_histogram_count_below(const vb_histogram *histogram, uint64_t value);

/* The HdrHistogram V2 compressed encoding in base64, NUL-terminated, to be freed with vb_text_free;
 * NULL when out of memory. */
VB_API char *vb_histogram_encode(const vb_histogram *histogram);
VB_API void vb_text_free(char *text);

#endif
