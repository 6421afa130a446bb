#include "script/shared.h"

#include <math.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS_MAX = 512, CACHE_LINE = 64 };

typedef struct param {
  _Atomic double number;
  char text[VB_PARAM_TEXT];
} param;

/* A line of its own: workers add to different counters without disturbing each other. */
typedef struct counter {
  alignas(CACHE_LINE) _Atomic double value;
} counter;

/* The metrics of one worker; written by it alone. */
typedef struct worker_metrics {
  vb_metric *metrics[VB_SHARED_MAX];
} worker_metrics;

struct vb_shared {
  counter counters[VB_SHARED_MAX];
  param params[VB_SHARED_MAX];
  worker_metrics *workers[WORKERS_MAX];
  void *objects[VB_SHARED_KINDS][VB_SHARED_MAX];
};

vb_shared *vb_shared_new(void) {
  vb_shared *shared = aligned_alloc(CACHE_LINE, sizeof *shared);
  if (shared) memset(shared, 0, sizeof *shared);
  return shared;
}

void vb_shared_free(vb_shared *shared) {
  if (!shared) return;
  for (size_t w = 0; w < WORKERS_MAX; w++) {
    if (!shared->workers[w]) continue;
    for (size_t i = 0; i < VB_SHARED_MAX; i++) vb_metric_free(shared->workers[w]->metrics[i]);
    free(shared->workers[w]);
  }
  free(shared);
}

void vb_shared_param_set(vb_shared *shared, uint32_t index, double number, const char *text) {
  if (index >= VB_SHARED_MAX) return;
  param *p = &shared->params[index];
  atomic_store_explicit(&p->number, text ? (double)NAN : number, memory_order_relaxed);
  (void)snprintf(p->text, sizeof p->text, "%s", text ? text : "");
}

double vb_shared_param_number(const vb_shared *shared, uint32_t index) {
  if (index >= VB_SHARED_MAX) return (double)NAN;
  return atomic_load_explicit(&shared->params[index].number, memory_order_relaxed);
}

const char *vb_shared_param_text(const vb_shared *shared, uint32_t index) {
  return index < VB_SHARED_MAX ? shared->params[index].text : "";
}

double vb_shared_counter_add(vb_shared *shared, uint32_t index, double amount) {
  if (index >= VB_SHARED_MAX) return (double)NAN;
  _Atomic double *value = &shared->counters[index].value;
  double before = atomic_load_explicit(value, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit(value, &before, before + amount,
                                                memory_order_acq_rel, memory_order_relaxed))
    continue;
  return before + amount;
}

double vb_shared_counter_get(const vb_shared *shared, uint32_t index) {
  if (index >= VB_SHARED_MAX) return (double)NAN;
  return atomic_load_explicit(&shared->counters[index].value, memory_order_acquire);
}

void vb_shared_counter_reset(vb_shared *shared, uint32_t index) {
  if (index < VB_SHARED_MAX)
    atomic_store_explicit(&shared->counters[index].value, 0, memory_order_release);
}

vb_metric *vb_shared_metric(vb_shared *shared, uint32_t worker, uint32_t index) {
  if (worker >= WORKERS_MAX || index >= VB_SHARED_MAX) return NULL;
  worker_metrics **of = &shared->workers[worker];
  if (!*of) *of = calloc(1, sizeof **of);
  if (!*of) return NULL;
  vb_metric **metric = &(*of)->metrics[index];
  if (!*metric) *metric = vb_metric_new();
  return *metric;
}

vb_metric *vb_shared_metric_total(vb_shared *shared, uint32_t index) {
  if (index >= VB_SHARED_MAX) return NULL;
  vb_metric *total = vb_metric_new();
  for (size_t w = 0; total && w < WORKERS_MAX; w++) {
    const worker_metrics *of = shared->workers[w];
    if (of && of->metrics[index]) vb_metric_merge(total, of->metrics[index]);
  }
  return total;
}

void vb_shared_metrics_reset(vb_shared *shared) {
  for (size_t w = 0; w < WORKERS_MAX; w++) {
    for (size_t i = 0; shared->workers[w] && i < VB_SHARED_MAX; i++) {
      vb_metric *metric = shared->workers[w]->metrics[i];
      if (metric) vb_metric_reset(metric);
    }
  }
}

void vb_shared_object_set(vb_shared *shared, uint32_t kind, uint32_t index, void *object) {
  if (kind < VB_SHARED_KINDS && index < VB_SHARED_MAX) shared->objects[kind][index] = object;
}

void *vb_shared_object(const vb_shared *shared, uint32_t kind, uint32_t index) {
  return kind < VB_SHARED_KINDS && index < VB_SHARED_MAX ? shared->objects[kind][index] : NULL;
}
