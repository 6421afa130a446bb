#include "engine/flow.h"

#include "base/slots.h"
#include "engine/effects.h"
#include "engine/flow_judge.h"
#include "engine/reload.h"
#include "engine/sleepers.h"
#include "engine/worker.h"

#include <stdio.h>
#include <stdlib.h>

static const char multi[] = "*1\r\n$5\r\nMULTI\r\n", exec_word[] = "*1\r\n$4\r\nEXEC\r\n";

static const vb_flow_hooks *hooks_of(const vb_lane *lane) {
  return lane->worker->hooks.flow;
}

static uint32_t exec_step(const vb_flow *flow) {
  return vb_program_callable_count(vb_flow_lane(flow)->phase->spec.program);
}

static void fail(vb_flow *flow) {
  vb_worker *worker = vb_flow_lane(flow)->worker;
  vb_lane_fail(vb_flow_lane(flow), VB_ESCRIPT, "%s",
               worker->shared->spec.script->message(worker->hooks.state));
}

static void refuse(vb_flow *flow, const char *message) {
  hooks_of(vb_flow_lane(flow))->refuse(flow->client, message);
  fail(flow);
}

/* The connection is free for another run. */
static void leave(vb_flow *flow) {
  if (!flow->at) return;
  flow->at->open--;
  flow->at->serving = NULL;
  flow->at = NULL;
}

static void arrive(vb_flow *flow, vb_connection *connection) {
  flow->at = connection;
  connection->serving = flow;
}

/* The run is over. True when its own connection has waited for it. */
static bool end_run(vb_flow *flow) {
  bool was_away = flow->at != flow->home;
  leave(flow);
  flow->active = false;
  flow->wake_at = 0;
  return was_away && flow->home->state == VB_CONNECTION_READY;
}

/* The run is over and its operation with it. */
static void end_operation(vb_flow *flow) {
  bool waited_for = end_run(flow);
  vb_retry_end_run(vb_flow_lane(flow), flow->retry);
  vb_lane_operation_ended(vb_flow_lane(flow), flow->entry->row, flow->begun.n);
  if (waited_for) vb_connection_fill(flow->home);
}

/* The run has ended by itself: its whole time is the flow's latency. */
static void end_well(vb_flow *flow) {
  vb_lane *lane = vb_flow_lane(flow);
  if (vb_lane_counts(lane, flow->begun.n)) {
    vb_row *row = &lane->rows[flow->entry->row];
    row->counters.requests++;
    vb_histogram_record(row->latency, lane->worker->now - flow->started, 1);
    if (lane->paced)
      vb_lane_record_response(lane, flow->entry->row, flow->home->node, flow->begun.n,
                              flow->begun.due);
  }
  end_operation(flow);
}

/* The phase is over, and the run will not end in time: it is not counted. */
static void cut(vb_flow *flow) {
  hooks_of(vb_flow_lane(flow))->cut(flow->client);
  (void)end_run(flow);
  vb_retry_end_run(vb_flow_lane(flow), flow->retry);
  vb_lane_leave(vb_flow_lane(flow), flow->begun.n, flow->begun.due);
}

/* When a run that has not ended is cut: half of the drain is left for replies under way. */
static vb_ns deadline(const vb_lane *lane) {
  return lane->drain_until - lane->phase->spec.drain_ns / 2;
}

static bool is_draining(const vb_lane *lane) {
  return atomic_load_explicit(&lane->state, memory_order_relaxed) == VB_LANE_DRAIN;
}

/* Calls */

static enum vb_render write_command(vb_flow *flow, uint32_t place) {
  vb_lane *lane = vb_flow_lane(flow);
  const vb_command *command = vb_flow_step(flow, place)->command;
  vb_operation *operation = &flow->turn.operation;
  char objection[VB_OBJECTION_MAX];
  vb_flow_begin_draw(flow, operation, command, flow->first_draw + place);
  flow->turn.draws++;
  if (VB_UNLIKELY(vb_flow_objects(command, operation, objection))) {
    hooks_of(lane)->refuse(flow->client, objection);
    return VB_RENDER_FAILED;
  }
  enum vb_render why = vb_flow_prepare(command, operation);
  if (why) return why;
  hooks_of(lane)->write(flow->client, place);
  lane->worker->renderer.flow = flow->client;
  return vb_connection_append_command(flow->at, command, operation);
}

static void push(vb_flow *flow, uint32_t step, uint32_t replies, uint64_t before) {
  vb_connection *connection = flow->at;
  vb_flight *flight = vb_connection_push(connection);
  uint64_t n = flow->begun.n;
  flight->n = n;
  flight->due = 0;
  flight->end = connection->outbox.appended;
  flight->entry = flow->entry;
  flight->step = (uint16_t)step;
  flight->replies = (uint16_t)replies;
  uint32_t requests = replies > 1 ? replies - 2 : 1; /* MULTI and EXEC are none */
  vb_lane_count_sent(vb_flow_lane(flow), flow->entry->steps[step].row, n, requests,
                     connection->outbox.appended - before);
}

static enum vb_render call(vb_flow *flow) {
  uint64_t before = flow->at->outbox.appended;
  enum vb_render why = write_command(flow, 0);
  if (VB_LIKELY(!why)) push(flow, flow->turn.commands[0], 1, before);
  return why;
}

/* Whether the cursors of all its commands still give: MULTI is not sent otherwise. */
static enum vb_render draw_all(vb_flow *flow) {
  vb_operation operation = flow->turn.operation;
  enum vb_render why = VB_RENDER_OK;
  for (uint32_t i = 0; i < flow->turn.count && !why; i++) {
    const vb_command *command = vb_flow_step(flow, i)->command;
    vb_flow_begin_draw(flow, &operation, command, flow->first_draw + i);
    why = operation.places ? vb_flow_prepare(command, &operation)
                           : vb_command_draw(command, &operation);
  }
  return why;
}

static enum vb_render exec(vb_flow *flow) {
  vb_connection *connection = flow->at;
  uint64_t before = connection->outbox.appended;
  enum vb_render why = draw_all(flow);
  if (why) return why;
  flow->failed = false;
  vb_connection_append(connection, multi, sizeof multi - 1);
  for (uint32_t i = 0; i < flow->turn.count && !why; i++) why = write_command(flow, i);
  if (why) return why;
  vb_connection_append(connection, exec_word, sizeof exec_word - 1);
  push(flow, exec_step(flow), flow->turn.count + 2, before);
  return VB_RENDER_OK;
}

/* Sleep */

static void rest(vb_flow *flow) {
  vb_lane *lane = vb_flow_lane(flow);
  lane->worker->now = vb_now();
  flow->wake_at = lane->worker->now + flow->turn.sleep_ns;
  if (is_draining(lane) && flow->wake_at > deadline(lane))
    cut(flow);
  else
    vb_sleepers_push(lane, flow);
}

vb_ns vb_lane_next_wake(const vb_lane *lane) {
  return lane->sleeper_count ? lane->sleepers[0].wake_at : UINT64_MAX;
}

/* Nodes */

static int slot_of(vb_flow *flow, uint32_t place) {
  const vb_command *command = vb_flow_step(flow, place)->command;
  vb_lane *lane = vb_flow_lane(flow);
  int number = vb_command_key_arg(command);
  if (number >= 0) {
    vb_bytes *scratch = &lane->worker->renderer.scratch;
    vb_bytes_clear(scratch);
    if (hooks_of(lane)->part(flow->client, (uint32_t)number, false, scratch)) return VB_HOOK_FAILED;
    return (int)vb_slot(scratch->data, scratch->length);
  }
  vb_operation operation = flow->turn.operation;
  vb_flow_begin_draw(flow, &operation, command, flow->first_draw + place);
  (void)vb_command_draw(command, &operation);
  return vb_command_slot(command, &operation);
}

static uint32_t node_of(const vb_flow *flow, int slot) {
  return vb_router_node(&vb_flow_lane(flow)->worker->shared->router, slot, flow->begun.n);
}

/* Waits for a connection of `node`, behind those that wait already. */
static void move(vb_flow *flow, uint32_t node) {
  vb_lane *lane = vb_flow_lane(flow);
  leave(flow);
  flow->node = node;
  flow->next = NULL;
  vb_flow **last = &lane->nodes[node].visitors;
  while (*last) last = &(*last)->next;
  *last = flow;
  vb_connection *connection = vb_lane_take_waiting(lane, node);
  if (!connection) return;
  (void)vb_flow_serve(connection);
  vb_worker_mark_dirty(lane->worker, connection);
}

static void refuse_node(vb_flow *flow, const vb_command *command, uint32_t node) {
  const vb_engine_shared *shared = vb_flow_lane(flow)->worker->shared;
  char message[700];
  (void)snprintf(message, sizeof message,
                 "command '%s': its key is on %s, and the run is on %s: c:on(key) goes there",
                 vb_command_name(command), shared->addresses[node].text,
                 shared->addresses[flow->at->node].text);
  refuse(flow, message);
}

/* Where its commands have to go, by c:on or their keys. True when that is where the run is; else it
 * moves there, or that was a mistake. */
static bool is_at_its_node(vb_flow *flow) {
  if (flow->turn.slot >= 0) {
    uint32_t node = node_of(flow, flow->turn.slot);
    flow->turn.slot = -1;
    flow->settled = true;
    if (node != flow->at->node) {
      move(flow, node);
      return false;
    }
  }
  for (uint32_t i = 0; i < flow->turn.count; i++) {
    const vb_command *command = vb_flow_step(flow, i)->command;
    hooks_of(vb_flow_lane(flow))->write(flow->client, i);
    int slot = slot_of(flow, i);
    if (slot < 0) continue;
    uint32_t node = node_of(flow, slot);
    bool first = !flow->settled;
    flow->settled = true;
    if (node == flow->at->node) continue;
    if (first)
      move(flow, node);
    else
      refuse_node(flow, command, node);
    return false;
  }
  return true;
}

/* What it wants */

/* The run goes no further: a cursor has no more, so that no operation begins any more, or a record
 * cannot be sent. */
static void break_off(vb_flow *flow, enum vb_render why) {
  vb_connection_render_failed(flow->at, flow->entry, why, flow->begun.n);
  hooks_of(vb_flow_lane(flow))->cut(flow->client);
}

/* Main ends everything; until it does, no operation begins here. */
static void stop_all(vb_flow *flow) {
  vb_lane *lane = vb_flow_lane(flow);
  lane->accepting = false;
  vb_phase_ask_to_stop(lane->phase, flow->turn.why);
  vb_worker_notify(lane->worker);
  hooks_of(lane)->cut(flow->client);
  end_operation(flow);
}

/* Sends what it wants to send. False when it goes no further. */
static bool grant(vb_flow *flow) {
  vb_lane *lane = vb_flow_lane(flow);
  if (lane->node_count > 1 && !is_at_its_node(flow)) return !lane->failing;
  enum vb_render why = flow->in_exec ? exec(flow) : call(flow);
  if (VB_LIKELY(!why)) return true;
  if (why == VB_RENDER_FAILED)
    fail(flow);
  else
    break_off(flow, why);
  return false;
}

/* False when the run goes no further and has not been ended. */
static bool act(vb_flow *flow, enum vb_flow_wish wish) {
  switch (wish) {
  case VB_FLOW_CALL:
  case VB_FLOW_EXEC:
    flow->in_exec = wish == VB_FLOW_EXEC;
    flow->reloaded = false;
    flow->first_draw = flow->turn.draws;
    return grant(flow);
  case VB_FLOW_SLEEP: rest(flow); return true;
  case VB_FLOW_DONE: end_well(flow); return true;
  case VB_FLOW_STOP: stop_all(flow); return true;
  case VB_FLOW_EXHAUSTED: break_off(flow, VB_RENDER_EXHAUSTED); return false;
  case VB_FLOW_FAILED: fail(flow); return false;
  }
  return false;
}

static void resume(vb_flow *flow, const vb_reply *reply) {
  vb_lane *lane = vb_flow_lane(flow);
  if (VB_UNLIKELY(is_draining(lane)) && lane->worker->now >= deadline(lane))
    cut(flow);
  else if (!act(flow, hooks_of(lane)->resume(flow->client, reply)) && !lane->failing)
    end_operation(flow);
}

bool vb_flow_serve(vb_connection *connection) {
  vb_flow **first = &connection->lane->nodes[connection->node].visitors, *flow = *first;
  if (!flow || connection->open) return false;
  *first = flow->next;
  connection->open++;
  arrive(flow, connection);
  if (!grant(flow) && !connection->lane->failing) end_operation(flow);
  return true;
}

/* The client of the connection, made at its first run. NULL: out of memory. */
static vb_flow *client_of(vb_connection *connection) {
  vb_flow *flow = connection->flow;
  vb_lane *lane = connection->lane;
  if (!flow) {
    flow = connection->flow = calloc(1, sizeof *flow);
    if (!flow) return NULL;
    flow->home = connection;
  }
  if (!flow->client)
    flow->client =
        hooks_of(lane)->open(lane->worker->hooks.state, lane->first_client + connection->index);
  return flow->client ? flow : NULL;
}

static void begin_turn(vb_flow *flow) {
  vb_flow_turn *turn = &flow->turn;
  turn->program = vb_flow_lane(flow)->phase->spec.program;
  turn->stream = vb_flow_lane(flow)->phase->stream;
  turn->draws = 0;
  turn->slot = -1;
  vb_operation_begin(&turn->operation, turn->stream, flow->begun.n);
  turn->operation.taker =
      (vb_taker){vb_flow_lane(flow)->worker->index, vb_flow_lane(flow)->phase->workers};
}

bool vb_flow_begin(vb_connection *connection, const vb_entry *entry, vb_waiting begun) {
  return vb_flow_begin_again(connection, entry, begun, 0);
}

bool vb_flow_begin_again(vb_connection *connection, const vb_entry *entry, vb_waiting begun,
                         uint32_t retry) {
  vb_lane *lane = connection->lane;
  vb_flow *flow = client_of(connection);
  if (!flow) {
    vb_lane_fail(lane, VB_ENOMEM, "out of memory: a client of a flow");
    return false;
  }
  flow->entry = entry;
  flow->begun = begun;
  flow->retry = retry;
  flow->before = retry ? *vb_retry_progress(lane, retry) : (vb_progress){0, 0, 0};
  flow->started = flow->before.started ? flow->before.started : lane->worker->now;
  flow->calls = 0;
  flow->limit = UINT32_MAX;
  flow->active = true;
  flow->settled = false;
  begin_turn(flow);
  arrive(flow, connection);
  if (act(flow, hooks_of(lane)->begin(flow->client, entry->flow, &flow->turn))) return true;
  flow->active = false;
  flow->at = NULL;
  connection->serving = NULL;
  return false;
}

void vb_lane_wake_flows(vb_lane *lane) {
  lane->worker->now = vb_now();
  while (vb_lane_next_wake(lane) <= lane->worker->now) {
    vb_sleeper first = vb_sleepers_pop(lane);
    vb_flow *flow = first.flow;
    if (flow->wake_at != first.wake_at) continue;
    vb_connection *connection = flow->at;
    flow->wake_at = 0;
    resume(flow, NULL);
    if (lane->failing) return;
    if (connection->state == VB_CONNECTION_READY) vb_connection_fill(connection);
  }
}

/* Replies */

const vb_operation *vb_flow_operation(const vb_connection *connection) {
  return &connection->serving->turn.operation;
}

/* A script that the server has forgotten: loads it and calls it once more. */
static bool calls_again(vb_flow *flow, const vb_step *step, const vb_reply *reply) {
  if (!step->command || flow->reloaded || !vb_reload_is_needed(step, reply)) return false;
  vb_reload_send(flow->at, step);
  flow->reloaded = true;
  flow->turn.draws = flow->first_draw;
  if (call(flow)) fail(flow);
  return true;
}

void vb_flow_take(vb_connection *connection, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  vb_flow *flow = connection->serving;
  vb_flight *head = &connection->ring[connection->head & (connection->ring_size - 1)];
  const vb_step *step = &head->entry->steps[head->step];
  if (vb_lane_shows(lane, head->n)) lane->interval->bytes_received += reply->size;
  if (vb_lane_counts(lane, head->n)) lane->rows[step->row].counters.bytes_received += reply->size;
  if (--head->replies) {
    vb_flow_judge_queued(flow, head, reply);
    return;
  }
  vb_flight flight = *head; /* the ring's place is taken by what follows */
  connection->head++;
  if (VB_UNLIKELY(reply->error) && calls_again(flow, step, reply)) return;
  vb_flow_judge(flow, &flight, reply);
  flow->calls++;
  if (!lane->failing) resume(flow, reply);
}

/* Ends */

void vb_flow_lost(vb_connection *connection, const char *kind, const char *message) {
  vb_flow *flow = connection->serving;
  bool again = vb_flow_judge_lost(flow, kind, message);
  connection->head = connection->tail;
  hooks_of(connection->lane)->close(flow->client);
  flow->client = NULL;
  if (!again)
    end_operation(flow);
  else if (end_run(flow))
    vb_connection_fill(flow->home);
}

void vb_flow_forget(vb_connection *connection) {
  vb_flow *flow = connection->serving;
  if (!flow) return;
  if (connection->head != connection->tail) vb_flow_mark_sent(flow, true);
  hooks_of(connection->lane)->close(flow->client);
  flow->client = NULL;
  flow->active = false;
  flow->wake_at = 0;
  flow->at = NULL;
  connection->serving = NULL;
  vb_lane_leave(connection->lane, flow->begun.n, flow->begun.due);
}

void vb_flow_renew(vb_connection *connection) {
  vb_flow *flow = connection->flow;
  if (!flow || flow->active) return;
  hooks_of(connection->lane)->close(flow->client);
  flow->client = NULL;
}

void vb_flow_reset(vb_connection *connection) {
  vb_flow *flow = connection->flow;
  connection->serving = NULL;
  if (!flow) return;
  if (flow->client) hooks_of(connection->lane)->close(flow->client);
  free(flow);
  connection->flow = NULL;
}

void vb_lane_stop_flows(vb_lane *lane) {
  uint32_t count = lane->sleeper_count, kept = 0;
  vb_sleeper *sleepers = lane->sleepers;
  lane->sleeper_count = 0;
  for (uint32_t i = 0; i < count; i++) {
    vb_sleeper one = sleepers[i];
    if (one.flow->wake_at != one.wake_at) continue;
    if (one.wake_at > deadline(lane))
      cut(one.flow);
    else
      sleepers[kept++] = one;
  }
  for (uint32_t i = 0; i < kept; i++) vb_sleepers_push(lane, sleepers[i].flow);
}

void vb_lane_give_up_flows(vb_lane *lane) {
  for (uint32_t i = 0; i < lane->node_count; i++) {
    vb_flow **first = &lane->nodes[i].visitors;
    while (*first) {
      vb_flow *flow = *first;
      *first = flow->next;
      cut(flow);
    }
  }
}
