/* What all script states of a process share: values of vb.param, vb.counter, vb.metric, and the C
 * objects that main has made of declarations.
 * Made by main; params and objects are written by main between phases, counters by anyone (atomic),
 * metrics by their worker and merged by main between phases. */
#ifndef VB_SCRIPT_SHARED_H
#define VB_SCRIPT_SHARED_H

#include "stats/metric.h"

enum { VB_SHARED_MAX = 256, VB_PARAM_TEXT = 256 };

typedef struct vb_shared vb_shared;

VB_API vb_shared *vb_shared_new(void);
VB_API void vb_shared_free(vb_shared *shared);

/* Value of param number `index` (order of names, from 0): a number, or a text (number is then NaN).
 */
VB_API void vb_shared_param_set(vb_shared *shared, uint32_t index, double number, const char *text);
VB_API double vb_shared_param_number(const vb_shared *shared, uint32_t index);
VB_API const char *vb_shared_param_text(const vb_shared *shared, uint32_t index);

/* Adds to counter number `index`, atomically; returns the new value. */
VB_API double vb_shared_counter_add(vb_shared *shared, uint32_t index, double amount);
VB_API double vb_shared_counter_get(const vb_shared *shared, uint32_t index);
VB_API void vb_shared_counter_reset(vb_shared *shared, uint32_t index);

/* Metric number `index` of a worker; made at first use. NULL past VB_SHARED_MAX or out of memory.
 */
VB_API vb_metric *vb_shared_metric(vb_shared *shared, uint32_t worker, uint32_t index);
/* Metric number `index` of all workers together; main, between phases. The caller's to free. */
VB_API vb_metric *vb_shared_metric_total(vb_shared *shared, uint32_t index);
VB_API void vb_shared_metrics_reset(vb_shared *shared);

enum vb_shared_kind {
  VB_SHARED_KEYSPACE = 0,
  VB_SHARED_REFSET = 1,
  VB_SHARED_DATASET = 2,
  VB_SHARED_KINDS = 3
};

/* Main's object of a declaration: number `index` of its kind. It stays main's, who keeps it until
 * no worker runs. */
VB_API void vb_shared_object_set(vb_shared *shared, uint32_t kind, uint32_t index, void *object);
/* NULL when main has set none. */
VB_API void *vb_shared_object(const vb_shared *shared, uint32_t kind, uint32_t index);

#endif
