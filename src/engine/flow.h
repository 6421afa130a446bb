/* Flows on connections: runs of the script's coroutines, one at a time on a connection.
 * The worker's alone. Private to engine/. */
#ifndef VB_ENGINE_FLOW_H
#define VB_ENGINE_FLOW_H

#include "command/flow_hooks.h"
#include "engine/lane.h"

/* A client of flows, and its run when it is in one. It begins each run on its own connection; where
 * several servers share the keys, a run goes on where its keys are. */
struct vb_flow {
  vb_connection *home;    /* whose it is */
  vb_connection *at;      /* where its run is; NULL: it waits for a connection of another node */
  vb_flow_client *client; /* NULL until the first run, and anew behind a lost connection */
  const vb_entry *entry;
  vb_waiting begun;
  vb_ns started, wake_at; /* wake_at 0: it does not sleep */
  vb_progress before;     /* of earlier attempts */
  uint64_t first_draw;    /* of the wish: number of the first command's draw */
  uint32_t node;          /* that it waits for */
  uint32_t calls;         /* with a reply, in this attempt */
  uint32_t limit;         /* by what it has called: how often it may be begun again; UINT32_MAX: as
                             often as the phase says */
  uint32_t retry;         /* its place among the lane's retries; 0: none */
  bool active;            /* in the middle of a run */
  bool in_exec;           /* what it wants is an exec, not a call */
  bool failed;            /* of the exec: a command was refused, which is counted */
  bool reloaded;          /* the call was sent again behind its script */
  bool settled;           /* a key has decided on the node */
  vb_flow *next;          /* that waits for the same node */
  vb_flow_turn turn;
};

/* Begins a run for an operation, on a connection without anything in flight. False when nothing was
 * begun: a cursor ended or the script failed (the lane knows). */
bool vb_flow_begin(vb_connection *connection, const vb_entry *entry, vb_waiting begun);
/* The same for an operation that has a place among the retries: from the start. What was answered
 * in an earlier attempt is not counted again. */
bool vb_flow_begin_again(vb_connection *connection, const vb_entry *entry, vb_waiting begun,
                         uint32_t retry);
/* A reply to the flight at the connection's head: judges it and, when that was the last one, goes
 * on with the run. */
void vb_flow_take(vb_connection *connection, const vb_reply *reply);
/* What the commands of the run on this connection last drew. */
const vb_operation *vb_flow_operation(const vb_connection *connection);
/* The connection is lost, and with it the run that it serves: it begins again later, if what it has
 * called may be done twice, else it is an error of what it was waiting for. */
void vb_flow_lost(vb_connection *connection, const char *kind, const char *message);
/* The connection is closed by ourselves at the end: the run that it serves, if any, is nothing. */
void vb_flow_forget(vb_connection *connection);
/* The connection is opened anew: so is its client, unless that is in a run elsewhere. */
void vb_flow_renew(vb_connection *connection);
/* Forgets the connection's client, between phases. */
void vb_flow_reset(vb_connection *connection);
/* Goes on with the runs that have slept long enough. */
void vb_lane_wake_flows(vb_lane *lane);
/* When the next of them is to be woken; UINT64_MAX: none sleeps. */
vb_ns vb_lane_next_wake(const vb_lane *lane);
/* The phase has ended: runs that would sleep past its drain are cut. */
void vb_lane_stop_flows(vb_lane *lane);
/* The drain is over: cuts those that wait for a connection. */
void vb_lane_give_up_flows(vb_lane *lane);
/* Several servers: serves the run that has waited longest for a connection of this node. False when
 * none waits. */
bool vb_flow_serve(vb_connection *connection);
/* Several servers: whether the connection's own client is in a run elsewhere. */
static inline bool vb_flow_is_away(const vb_connection *connection) {
  return connection->flow && connection->flow->active;
}

#endif
