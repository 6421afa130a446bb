/* Operations that look at trackers, or change them: what they remember, and what becomes of it.
 * The worker of the lane. Private to engine/. */
#ifndef VB_ENGINE_EFFECTS_H
#define VB_ENGINE_EFFECTS_H

#include "command/effects.h"
#include "engine/lane.h"

/* Before operation n is sent: draws all its ids and begins its removals; again for a retry. */
enum vb_render vb_lane_prepare_ids(vb_lane *lane, const vb_entry *entry, uint64_t n);
/* Operation n is to be routed: it keeps the ids that are drawn for that. */
void vb_lane_remember(vb_lane *lane, const vb_entry *entry, uint64_t n);
/* A step of a flight was answered well. */
void vb_lane_step_succeeded(vb_lane *lane, const vb_flight *flight, const vb_step *step,
                            const vb_reply *reply);
/* A flight was sent, and its operation ends without a reply to it. */
void vb_lane_step_lost(vb_lane *lane, const vb_flight *flight);
/* A flight's own place goes to the ledger: what follows is not the usual. */
void vb_lane_spill(vb_lane *lane, vb_flight *flight);
/* Why a flow cannot call a command, in `text`: it lacks an id. False: it can. */
enum { VB_OBJECTION_MAX = 250 };
bool vb_flow_objects(const vb_command *command, const vb_operation *operation,
                     char text[VB_OBJECTION_MAX]);
/* The operation is over, or was never begun. */
void vb_lane_forget_ids(vb_lane *lane, uint64_t n);
/* The phase is over: nobody knows what became of the operations that are not. */
void vb_lane_forget_all_ids(vb_lane *lane);

#endif
