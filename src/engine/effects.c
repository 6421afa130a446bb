#include "engine/effects.h"

#include "engine/flow_ids.h"
#include "engine/worker.h"

#include <stdio.h>

void vb_lane_recall(const vb_lane *lane, vb_operation *operation) {
  operation->taker = (vb_taker){lane->worker->index, lane->phase->workers};
  operation->places = vb_ledger_find(&lane->ledger, operation->n);
}

static const vb_entry *entry_of(const vb_lane *lane, uint64_t n) {
  return vb_program_pick(lane->phase->spec.program, lane->phase->stream, n);
}

void vb_lane_remember(vb_lane *lane, const vb_entry *entry, uint64_t n) {
  if (entry->live) (void)vb_ledger_open(&lane->ledger, n);
}

enum vb_render vb_lane_prepare_ids(vb_lane *lane, const vb_entry *entry, uint64_t n) {
  vb_operation operation;
  vb_lane_remember(lane, entry, n);
  vb_lane_begin_operation(lane, &operation, n);
  return vb_entry_prepare(entry, &operation);
}

void vb_lane_step_succeeded(vb_lane *lane, const vb_flight *flight, const vb_step *step,
                            const vb_reply *reply) {
  vb_operation operation;
  vb_lane_begin_operation(lane, &operation, flight->n);
  if (flight->step || vb_command_repeats_current(step->command))
    (void)vb_entry_draw_steps(flight->entry, flight->step + 1u, &operation);
  vb_command_succeeded(step->command, &operation, reply);
}

void vb_lane_step_lost(vb_lane *lane, const vb_flight *flight) {
  const vb_entry *entry = flight->entry;
  if (!entry->live) return;
  bool whole = entry->kind == VB_ENTRY_TRANSACTION;
  uint32_t first = whole ? 0 : flight->step, last = whole ? entry->step_count : first + 1;
  vb_operation operation;
  vb_lane_begin_operation(lane, &operation, flight->n);
  if (!operation.places) return;
  (void)vb_entry_draw_steps(entry, last, &operation);
  for (uint32_t i = first; i < last; i++) vb_command_lost(entry->steps[i].command, &operation);
}

void vb_lane_spill(vb_lane *lane, vb_flight *flight) {
  if (!flight->entry || !flight->entry->claims || flight->place == VB_UNDRAWN) return;
  *vb_ledger_open(&lane->ledger, flight->n) = flight->place;
  flight->place = VB_UNDRAWN;
}

void vb_lane_forget_ids(vb_lane *lane, uint64_t n) {
  vb_operation operation;
  vb_lane_begin_operation(lane, &operation, n);
  if (!operation.places) return;
  const vb_entry *entry = entry_of(lane, n);
  if (entry->kind == VB_ENTRY_FLOW)
    vb_flow_ids_end(lane, (vb_flow_ids *)(uintptr_t)*operation.places);
  else
    vb_entry_end(entry, &operation);
  vb_ledger_close(&lane->ledger, n);
}

void vb_lane_forget_all_ids(vb_lane *lane) {
  uint64_t n;
  while (vb_ledger_any(&lane->ledger, &n)) {
    vb_flight flight = {.n = n, .entry = entry_of(lane, n)};
    for (uint32_t i = 0; i < flight.entry->step_count; i++) {
      flight.step = (uint16_t)i;
      vb_lane_step_lost(lane, &flight);
    }
    vb_lane_forget_ids(lane, n);
  }
}

bool vb_flow_objects(const vb_command *command, const vb_operation *operation,
                     char text[VB_OBJECTION_MAX]) {
  const char *name = vb_command_name(command), *lack = vb_command_lacks(command, operation);
  if (lack)
    (void)snprintf(text, VB_OBJECTION_MAX,
                   "command '%s': %s, but neither it nor the flow has drawn one", name, lack);
  return lack != NULL;
}
