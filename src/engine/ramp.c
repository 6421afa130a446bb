#include "engine/worker.h"

uint32_t vb_lane_wanted(const vb_lane *lane) {
  const vb_phase *phase = lane->phase;
  const vb_phase_spec *spec = &phase->spec;
  if (spec->ramp != VB_RAMP_CLIENTS) return lane->connection_count;
  vb_ns begin = phase->start + spec->warmup_ns, now = lane->worker->now;
  bool runs = atomic_load(&lane->state) == VB_LANE_RUN || atomic_load(&lane->state) == VB_LANE_IDLE;
  double elapsed = runs && now > begin ? (double)(now - begin) : 0;
  double all = vb_stages_at(spec->stages, spec->stage_count, spec->first_clients, elapsed);
  uint32_t total = (uint32_t)(all + 0.5), index = lane->worker->index;
  uint32_t share = total / phase->workers + (index < total % phase->workers);
  if (share < lane->node_count) share = lane->node_count;
  return share < lane->connection_count ? share : lane->connection_count;
}

void vb_lane_follow_ramp(vb_lane *lane) {
  lane->wanted = vb_lane_wanted(lane);
  for (uint32_t i = lane->wanted; i < lane->connection_count; i++)
    vb_connection_retire(lane->connections[i]);
}
