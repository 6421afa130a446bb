/* Runs of flows that sleep: a heap of who is to be woken when.
 * The worker of the lane. Private to engine/. */
#ifndef VB_ENGINE_SLEEPERS_H
#define VB_ENGINE_SLEEPERS_H

#include "engine/lane.h"

/* Keeps a flow until its `wake_at`. Ends vbench when out of memory. */
void vb_sleepers_push(vb_lane *lane, vb_flow *flow);
/* Takes the one that is to be woken first; there is one. When its time is not its flow's any more,
 * it is of a run that was cut. */
vb_sleeper vb_sleepers_pop(vb_lane *lane);

#endif
