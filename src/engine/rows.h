/* Rows of statistics: counters, errors and latency of a command, a node, a lane.
 * One owner at a time. Private to engine/. */
#ifndef VB_ENGINE_ROWS_H
#define VB_ENGINE_ROWS_H

#include "engine/engine.h"

/* `want` cleared rows in *rows, which holds `have`; never fewer than it held, so that histograms
 * stay allocated. VB_ENOMEM. */
int vb_rows_fit(vb_row **rows, uint32_t have, uint32_t want, int digits);
/* Gives cleared rows of a phase, and its `total` unless that is NULL, the histograms that only some
 * have: response times, ages, waits. VB_ENOMEM. */
int vb_rows_fit_times(vb_row *rows, vb_row *total, const vb_phase_spec *phase, int digits);
/* Frees the histograms of one. */
void vb_row_free_times(vb_row *row);
void vb_rows_free(vb_row *rows, uint32_t count);
/* Without `from`'s latency when that is NULL. */
void vb_row_add(vb_row *into, const vb_row *from);

#endif
