/* A script's own metric (vb.metric): numbers that its hooks record, with exact sums and
 * percentiles. One writer, a metric a worker; merged after the run. Fields are to be read by Lua.
 */
#ifndef VB_STATS_METRIC_H
#define VB_STATS_METRIC_H

#include "stats/histogram.h"

typedef struct vb_metric {
  uint64_t count;
  double sum, min, max;    /* of what was recorded, exact; 0 when nothing was */
  vb_histogram *histogram; /* value * 1000, rounded; 3 digits */
} vb_metric;

/* An empty metric; NULL when out of memory. */
VB_API vb_metric *vb_metric_new(void);
VB_API void vb_metric_free(vb_metric *metric);
VB_API void vb_metric_reset(vb_metric *metric);
/* Records a value. A negative or infinite one or no number is VB_EINVAL and changes nothing. */
VB_API int vb_metric_record(vb_metric *metric, double value);
VB_API void vb_metric_merge(vb_metric *into, const vb_metric *from);
/* 0 when empty. */
VB_API double vb_metric_mean(const vb_metric *metric);
/* The value that `percentile` (0 to 100) of the values are at or below, to 0.1 % of it or 0.001,
 * whichever is more; above 3.6e9 it is max. 0 when empty. */
VB_API double vb_metric_percentile(const vb_metric *metric, double percentile);

#endif
