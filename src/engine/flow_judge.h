/* What becomes of the calls of a flow's run: their replies, and runs that lose their connection.
 * The worker of the lane, for flow.c. Private to engine/. */
#ifndef VB_ENGINE_FLOW_JUDGE_H
#define VB_ENGINE_FLOW_JUDGE_H

#include "engine/flow_ids.h"

static inline vb_lane *vb_flow_lane(const vb_flow *flow) {
  return flow->home->lane;
}

/* The step of the `place`-th command of what it wants. */
static inline const vb_step *vb_flow_step(const vb_flow *flow, uint32_t place) {
  return &flow->entry->steps[flow->turn.commands[place]];
}

/* Begins draw number `index` of the run. */
static inline void vb_flow_begin_draw(vb_flow *flow, vb_operation *operation,
                                      const vb_command *command, uint64_t index) {
  operation->stream = vb_flow_stream(flow->turn.stream, index);
  operation->places = vb_command_is_live(command) ? vb_flow_places(flow, index, command) : NULL;
  vb_operation_redraw(operation, command);
}

/* The last reply to a call or exec, the flight out of the ring: counts it. */
void vb_flow_judge(vb_flow *flow, vb_flight *flight, const vb_reply *reply);
/* One reply on the way to EXEC's: of MULTI, then of each command. */
void vb_flow_judge_queued(vb_flow *flow, const vb_flight *flight, const vb_reply *reply);
/* The connection that serves the run is lost. True when the run will be begun again, or need not
 * be; else it is an error of what it was waiting for, which is counted. */
bool vb_flow_judge_lost(vb_flow *flow, const char *kind, const char *message);

#endif
