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
    *row = (vb_row){.latency = latency};
  }
  return VB_OK;
}

void vb_rows_free(vb_row *rows, uint32_t count) {
  for (uint32_t i = 0; rows && i < count; i++) vb_histogram_free(rows[i].latency);
  free(rows);
}

void vb_row_add(vb_row *into, const vb_row *from) {
  vb_counters_add(&into->counters, &from->counters);
  vb_error_table_merge(&into->errors, &from->errors);
  vb_histogram_merge(into->latency, from->latency);
}
