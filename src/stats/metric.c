#include "stats/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS = 3 };

static const double scale = 1000;

vb_metric *vb_metric_new(void) {
  vb_metric *metric = calloc(1, sizeof *metric);
  if (!metric) return NULL;
  metric->histogram = vb_histogram_new(DIGITS);
  if (metric->histogram) return metric;
  free(metric);
  return NULL;
}

void vb_metric_free(vb_metric *metric) {
  if (!metric) return;
  vb_histogram_free(metric->histogram);
  free(metric);
}

void vb_metric_reset(vb_metric *metric) {
  vb_histogram *histogram = metric->histogram;
  vb_histogram_reset(histogram);
  *metric = (vb_metric){.histogram = histogram};
}

/* Beyond 64 bits the histogram's top is all the same. */
static uint64_t scaled(double value) {
  double many = value * scale + 0.5;
  return many < 0x1p63 ? (uint64_t)many : UINT64_MAX;
}

int vb_metric_record(vb_metric *metric, double value) {
  if (VB_UNLIKELY(!(value >= 0 && value <= 0x1p1000))) return VB_EINVAL;
  if (!metric->count || value < metric->min) metric->min = value;
  if (!metric->count || value > metric->max) metric->max = value;
  metric->count++;
  metric->sum += value;
  vb_histogram_record(metric->histogram, scaled(value), 1);
  return VB_OK;
}

void vb_metric_merge(vb_metric *into, const vb_metric *from) {
  if (!from->count) return;
  if (!into->count || from->min < into->min) into->min = from->min;
  if (!into->count || from->max > into->max) into->max = from->max;
  into->count += from->count;
  into->sum += from->sum;
  vb_histogram_merge(into->histogram, from->histogram);
}

double vb_metric_mean(const vb_metric *metric) {
  return metric->count ? metric->sum / (double)metric->count : 0;
}

/* As many digits as the histogram knows: the end of a bucket would show some that mean nothing. */
static double significant(double value) {
  char text[32];
  (void)snprintf(text, sizeof text, "%.*g", DIGITS, value);
  return strtod(text, NULL);
}

double vb_metric_percentile(const vb_metric *metric, double percentile) {
  if (!metric->count) return 0;
  double value = (double)vb_histogram_percentile(metric->histogram, percentile) / scale;
  return fmin(fmax(significant(value), metric->min), metric->max);
}
