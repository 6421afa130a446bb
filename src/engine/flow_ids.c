#include "engine/flow_ids.h"

#include "command/effects.h"
#include "engine/flow_judge.h"
#include "engine/worker.h"

#include <stdio.h>
#include <stdlib.h>

/* A run that has called so many commands of that kind is not begun again, and forgets them. */
enum { CALLS_MOST = 1024, CALLS_LEAST = 8 };

typedef struct call {
  uint64_t index;
  const vb_command *command;
  bool sent; /* and not answered */
} call;

struct vb_flow_ids {
  uint32_t width, count, capacity;
  call *calls;
  uint64_t *places;       /* `width` of each call */
  vb_operation operation; /* when what was sent had no reply: the currents of its commands */
  uint64_t stream;
};

static void *grown(void *array, size_t size) {
  void *larger = realloc(array, size);
  if (larger) return larger;
  (void)fprintf(stderr, "vbench: out of memory: ids of a flow\n");
  exit(1);
}

static uint64_t *places_of(const vb_flow_ids *ids, uint32_t at) {
  return ids->places + (size_t)at * ids->width;
}

static vb_flow_ids *ids_of(const vb_flow *flow) {
  uint64_t *place = vb_ledger_open(&vb_flow_lane(flow)->ledger, flow->begun.n);
  if (*place != VB_UNDRAWN) return (vb_flow_ids *)(uintptr_t)*place;
  vb_flow_ids *ids = grown(NULL, sizeof *ids);
  *ids = (vb_flow_ids){.width = vb_flow_lane(flow)->ledger.places, .stream = flow->turn.stream};
  *place = (uint64_t)(uintptr_t)ids;
  return ids;
}

static void clear_places(const vb_flow_ids *ids, uint32_t at) {
  memset(places_of(ids, at), 0xff, ids->width * sizeof *ids->places);
}

/* Calls of earlier wishes have been answered: without them the run cannot be begun again. */
static void forget_answered(vb_flow *flow, vb_flow_ids *ids) {
  uint32_t kept = 0;
  flow->limit = 0;
  for (uint32_t at = 0; at < ids->count; at++) {
    if (ids->calls[at].index < flow->first_draw) continue;
    ids->calls[kept] = ids->calls[at];
    memmove(places_of(ids, kept++), places_of(ids, at), ids->width * sizeof *ids->places);
  }
  ids->count = kept;
}

static uint32_t add(vb_flow *flow, vb_flow_ids *ids, call what) {
  if (ids->count >= CALLS_MOST) forget_answered(flow, ids);
  if (ids->count == ids->capacity) {
    ids->capacity = ids->capacity ? 2 * ids->capacity : CALLS_LEAST;
    ids->calls = grown(ids->calls, ids->capacity * sizeof *ids->calls);
    ids->places = grown(ids->places, (size_t)ids->capacity * ids->width * sizeof *ids->places);
  }
  ids->calls[ids->count] = what;
  clear_places(ids, ids->count);
  return ids->count++;
}

/* The operation as a call of it has it. */
static vb_operation operation_of(const vb_flow_ids *ids, uint32_t at) {
  vb_operation operation = ids->operation;
  operation.stream = vb_flow_stream(ids->stream, ids->calls[at].index);
  vb_operation_redraw(&operation, ids->calls[at].command);
  operation.places = places_of(ids, at);
  return operation;
}

static void end_call(const vb_flow_ids *ids, uint32_t at) {
  const call *one = &ids->calls[at];
  vb_operation operation = operation_of(ids, at);
  if (one->sent) {
    (void)vb_command_draw(one->command, &operation);
    vb_command_lost(one->command, &operation);
  }
  vb_command_end(one->command, &operation);
}

uint64_t *vb_flow_places(vb_flow *flow, uint64_t index, const vb_command *command) {
  vb_flow_ids *ids = ids_of(flow);
  uint32_t at = ids->count;
  while (at && ids->calls[at - 1].index != index) at--;
  if (!at) return places_of(ids, add(flow, ids, (call){.index = index, .command = command}));
  if (ids->calls[--at].command != command) { /* the run goes another way than before */
    end_call(ids, at);
    ids->calls[at] = (call){.index = index, .command = command};
  }
  return places_of(ids, at);
}

enum vb_render vb_flow_prepare(const vb_command *command, vb_operation *operation) {
  return operation->places ? vb_command_prepare(command, operation) : VB_RENDER_OK;
}

void vb_flow_answered(const vb_command *command, vb_operation *operation, const vb_reply *reply) {
  if (!operation->places) return;
  if (reply->error)
    vb_command_end(command, operation);
  else
    vb_command_succeeded(command, operation, reply);
}

void vb_flow_mark_sent(vb_flow *flow, bool sent) {
  uint64_t *place = vb_ledger_find(&vb_flow_lane(flow)->ledger, flow->begun.n);
  if (!place) return;
  vb_flow_ids *ids = (vb_flow_ids *)(uintptr_t)*place;
  ids->operation = flow->turn.operation;
  for (uint32_t at = 0; at < ids->count; at++)
    if (ids->calls[at].index >= flow->first_draw) ids->calls[at].sent = sent;
}

void vb_flow_ids_end(vb_lane *lane, vb_flow_ids *ids) {
  ids->operation.taker = (vb_taker){lane->worker->index, lane->phase->workers};
  for (uint32_t at = 0; at < ids->count; at++) end_call(ids, at);
  free(ids->calls);
  free(ids->places);
  free(ids);
}
