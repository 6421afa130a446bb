/* What the runs of flows remember: the ids of the commands that they call, where these look at
 * trackers or change them. The worker of the lane. Private to engine/. */
#ifndef VB_ENGINE_FLOW_IDS_H
#define VB_ENGINE_FLOW_IDS_H

#include "engine/flow.h"

/* A run's ids, from its first such call until it is over, however often it is begun again: what
 * call number i has drawn it draws once more. The ledger has it by the number of the operation. */
typedef struct vb_flow_ids vb_flow_ids;

/* Where call number `index` of the run remembers its ids. */
uint64_t *vb_flow_places(vb_flow *flow, uint64_t index, const vb_command *command);
/* Draws the ids of a call and begins its removals, before it is written: as vb_entry_prepare. */
enum vb_render vb_flow_prepare(const vb_command *command, vb_operation *operation);
/* The call was answered, its ids drawn: its effects, or the end of what it has claimed. */
void vb_flow_answered(const vb_command *command, vb_operation *operation, const vb_reply *reply);
/* Whether the wish was sent without a reply: what came of it is not known then, unless a later
 * attempt of the run is answered. */
void vb_flow_mark_sent(vb_flow *flow, bool sent);
/* The run is over, or was never begun. */
void vb_flow_ids_end(vb_lane *lane, vb_flow_ids *ids);

#endif
