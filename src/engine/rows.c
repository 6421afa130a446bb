#include "engine/rows.h"

#include <stdlib.h>
#include <string.h>

int vb_rows_fit(vb_row **rows, uint32_t have, uint32_t want, int digits) {
  if (want > have) {
    vb_row *grown = realloc(*rows, want * sizeof *grown);
    if (!grown) return VB_ENOMEM;
    memset(grown + have, 0, (want - have) * sizeof *grown);
    *rows = grown;
  }
  for (uint32_t i = 0; i < want; i++) {
    vb_row *row = &(*rows)[i];
    vb_histogram *latency = row->latency ? row->latency : vb_histogram_new(digits);
    if (!latency) return VB_ENOMEM;
    vb_histogram_reset(latency);
    vb_histogram_free(row->age);
    *row = (vb_row){.latency = latency};
  }
  return VB_OK;
}

static int need_time(vb_histogram **time, int digits) {
  if (!*time) *time = vb_histogram_new(digits);
  return *time ? VB_OK : VB_ENOMEM;
}

int vb_rows_fit_times(vb_row *rows, vb_row *total, const vb_program *program, int digits) {
  for (uint32_t i = 0; i < vb_program_rows(program); i++) {
    if (!vb_program_row_has_ages(program, i)) continue;
    if (need_time(&rows[i].age, digits)) return VB_ENOMEM;
    if (total && need_time(&total->age, digits)) return VB_ENOMEM;
  }
  return VB_OK;
}

void vb_rows_free(vb_row *rows, uint32_t count) {
  for (uint32_t i = 0; rows && i < count; i++) {
    vb_histogram_free(rows[i].latency);
    vb_histogram_free(rows[i].age);
  }
  free(rows);
}

void vb_row_add(vb_row *into, const vb_row *from) {
  vb_counters_add(&into->counters, &from->counters);
  vb_error_table_merge(&into->errors, &from->errors);
  vb_histogram_merge(into->latency, from->latency);
  if (into->age && from->age) vb_histogram_merge(into->age, from->age);
}
