#include "engine/rows.h"

#include <stdlib.h>
#include <string.h>

/* Frees the histograms that not every row has. */
static void free_some(vb_row *row) {
  vb_histogram_free(row->response);
  vb_histogram_free(row->age);
  vb_histogram_free(row->wait);
}

void vb_row_free_times(vb_row *row) {
  vb_histogram_free(row->latency);
  free_some(row);
}

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
    free_some(row);
    *row = (vb_row){.latency = latency};
  }
  return VB_OK;
}

static bool lacks(vb_histogram **time, int digits) {
  if (!*time) *time = vb_histogram_new(digits);
  return !*time;
}

static int fit_row(vb_row *row, const vb_phase_spec *phase, uint32_t index, int digits) {
  const vb_program *program = phase->program;
  if (vb_phase_is_paced(phase) && lacks(&row->response, digits)) return VB_ENOMEM;
  if (vb_program_row_has_ages(program, index) && lacks(&row->age, digits)) return VB_ENOMEM;
  if (vb_program_row_waits(program, index) && lacks(&row->wait, digits)) return VB_ENOMEM;
  return VB_OK;
}

int vb_rows_fit_times(vb_row *rows, vb_row *total, const vb_phase_spec *phase, int digits) {
  for (uint32_t i = 0; i < vb_program_rows(phase->program); i++) {
    if (fit_row(&rows[i], phase, i, digits)) return VB_ENOMEM;
    if (total && fit_row(total, phase, i, digits)) return VB_ENOMEM;
  }
  return VB_OK;
}

void vb_rows_free(vb_row *rows, uint32_t count) {
  for (uint32_t i = 0; rows && i < count; i++) vb_row_free_times(&rows[i]);
  free(rows);
}

static void merge(vb_histogram *into, const vb_histogram *from) {
  if (into && from) vb_histogram_merge(into, from);
}

void vb_row_add(vb_row *into, const vb_row *from) {
  vb_counters_add(&into->counters, &from->counters);
  vb_error_table_merge(&into->errors, &from->errors);
  if (from->latency) vb_histogram_merge(into->latency, from->latency);
  merge(into->response, from->response);
  merge(into->age, from->age);
  merge(into->wait, from->wait);
}
