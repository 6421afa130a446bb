#include "engine/flow_judge.h"

#include "engine/worker.h"

/* How often a run with this call may be begun again. */
static uint32_t limit_of(const vb_flow *flow, const vb_step *step) {
  if (!step->repeatable) return 0;
  return step->retries < 0 ? vb_flow_lane(flow)->phase->spec.retries : (uint32_t)step->retries;
}

/* The same of what the run wants, or wanted: all of it was sent. */
static uint32_t limit_of_wish(const vb_flow *flow) {
  uint32_t limit = UINT32_MAX;
  for (uint32_t i = 0; i < flow->turn.count; i++) {
    uint32_t one = limit_of(flow, vb_flow_step(flow, i));
    if (one < limit) limit = one;
  }
  return limit;
}

/* Something that the run has called was done: the run may be begun again only if that may be. */
static void restrict_to(vb_flow *flow, uint32_t limit) {
  if (limit < flow->limit) flow->limit = limit;
}

/* Whether an earlier attempt has had the reply to this call: it was counted then. */
static bool was_counted(const vb_flow *flow) {
  return VB_UNLIKELY(flow->calls < flow->before.calls);
}

/* The time of the call that an earlier attempt was broken off in began there. */
static void take_time_from(const vb_flow *flow, vb_flight *flight) {
  if (VB_UNLIKELY(flow->before.written) && flow->calls == flow->before.calls)
    flight->written = flow->before.written;
}

static void judge_call(vb_connection *connection, const vb_flight *flight, const vb_reply *reply) {
  const vb_step *step = &flight->entry->steps[flight->step];
  if (vb_connection_judge(connection, flight, step, reply) &&
      vb_lane_counts(connection->lane, flight->n))
    vb_connection_record(connection, flight, step, reply);
}

void vb_flow_judge_queued(vb_flow *flow, const vb_flight *flight, const vb_reply *reply) {
  uint32_t index = flow->turn.count + 1u - flight->replies;
  uint32_t row =
      index ? vb_flow_step(flow, index - 1)->row : flight->entry->steps[flight->step].row;
  if (!reply->error) return;
  if (!was_counted(flow))
    vb_lane_count_error_reply(vb_flow_lane(flow), row, flow->at->node, flight->n, reply);
  flow->failed = true;
}

/* The ids of the `place`-th command of the wish, as they were when it was written. */
static void draw_again(vb_flow *flow, uint32_t place) {
  const vb_command *command = vb_flow_step(flow, place)->command;
  vb_flow_begin_draw(flow, &flow->turn.operation, command, flow->first_draw + place);
  (void)vb_command_draw(command, &flow->turn.operation);
}

/* What the commands of EXEC do to their trackers, and what becomes of the ids that they have
 * claimed: also when an earlier attempt had the reply. */
static void settle_exec(vb_flow *flow, const vb_reply *reply) {
  const vb_reply refused = {.error = true};
  bool all = !reply->error && !reply->null && reply->integer == flow->turn.count;
  const char *at = all ? vb_reply_first(reply) : NULL;
  for (uint32_t i = 0; i < flow->turn.count; i++) {
    const vb_command *command = vb_flow_step(flow, i)->command;
    vb_reply element = refused;
    if (at) at = vb_reply_element(at, &element);
    if (!vb_command_is_live(command)) continue;
    draw_again(flow, i);
    vb_flow_answered(command, &flow->turn.operation, &element);
  }
}

/* Each element of EXEC's array is the reply of its command. True when all were answered well. */
static bool judge_elements(vb_flow *flow, const vb_flight *flight, const vb_reply *reply) {
  vb_connection *connection = flow->at;
  const char *at = vb_reply_first(reply);
  bool well = true;
  if (!at || reply->integer != flow->turn.count) {
    vb_lane_count_error(connection->lane, flight->entry->steps[flight->step].row, connection->node,
                        flight->n, "protocol", "EXEC's reply has not one element for each command");
    return false;
  }
  for (uint32_t i = 0; i < flow->turn.count; i++) {
    vb_reply element;
    const vb_step *step = vb_flow_step(flow, i);
    at = vb_reply_element(at, &element);
    draw_again(flow, i);
    well &= vb_connection_judge(connection, flight, step, &element);
  }
  return well;
}

static void judge_exec(vb_flow *flow, const vb_flight *flight, const vb_reply *reply) {
  vb_lane *lane = vb_flow_lane(flow);
  uint32_t row = flight->entry->steps[flight->step].row;
  bool counts = vb_lane_counts(lane, flight->n);
  vb_ns now = lane->worker->now;
  if (flow->failed) return; /* counted already; EXEC only says so again */
  if (reply->error) {
    vb_lane_count_error_reply(lane, row, flow->at->node, flight->n, reply);
  } else if (reply->null) {
    if (counts) lane->rows[row].counters.conflicts++;
  } else if (judge_elements(flow, flight, reply) && counts) {
    lane->rows[row].counters.requests++;
    vb_lane_record(lane, row, flow->at->node, flight->n, now - flight->written, now);
  }
}

void vb_flow_judge(vb_flow *flow, vb_flight *flight, const vb_reply *reply) {
  const vb_step *step = &flight->entry->steps[flight->step];
  take_time_from(flow, flight);
  if (VB_LIKELY(step->command)) {
    restrict_to(flow, limit_of(flow, step));
    vb_flow_answered(step->command, &flow->turn.operation, reply);
    if (!was_counted(flow)) judge_call(flow->at, flight, reply);
  } else {
    /* without an array of replies nothing was done */
    if (!reply->null && !reply->error) restrict_to(flow, limit_of_wish(flow));
    if (!was_counted(flow)) judge_exec(flow, flight, reply);
    settle_exec(flow, reply);
  }
  if (VB_UNLIKELY(flow->retry)) vb_flow_mark_sent(flow, false);
}

/* Lost connections */

/* The flight of what the run is waiting for; NULL: it sleeps. What loads a script is before it. */
static const vb_flight *last_flight(const vb_connection *connection) {
  const vb_flight *last = &connection->ring[(connection->tail - 1) & (connection->ring_size - 1)];
  bool waits = connection->head != connection->tail && last->entry->kind == VB_ENTRY_FLOW;
  return waits ? last : NULL;
}

/* What the run was waiting for is an error: a reply of its request in flight, or its sleep. */
static void count_lost(const vb_flow *flow, const vb_flight *flight, bool sent, const char *kind,
                       const char *message) {
  vb_lane *lane = vb_flow_lane(flow);
  const vb_step *step = flight ? &flight->entry->steps[flight->step] : NULL;
  uint32_t row = step ? step->row : flow->entry->row, node = flow->at->node;
  vb_lane_count_error(lane, row, node, flow->begun.n, kind, message);
  bool repeatable = true;
  for (uint32_t i = 0; sent && i < flow->turn.count; i++)
    repeatable &= vb_flow_step(flow, i)->repeatable;
  if (!repeatable) vb_lane_count_unknown(lane, row, node, flow->begun.n);
  if (flow->begun.due && !strcmp(kind, "timeout"))
    vb_lane_record_age(lane, flow->begun.n, flow->begun.due, lane->worker->now);
}

/* Where the next attempt goes on to count: each call counts once, from its first write. */
static void note_progress(const vb_flow *flow, const vb_flight *flight, bool sent) {
  vb_progress *progress = vb_retry_progress(vb_flow_lane(flow), flow->retry);
  if (flow->calls || sent) progress->started = flow->started;
  if (flow->calls < flow->before.calls) return;
  bool first = flow->calls > progress->calls || !progress->written;
  progress->calls = flow->calls;
  if (first) progress->written = sent ? flight->written : 0;
}

/* Whether the run is begun again, or need not be. */
static bool comes_again(vb_flow *flow, const vb_flight *flight, bool sent, const char *kind) {
  if (sent) restrict_to(flow, limit_of_wish(flow));
  vb_flight run = {.n = flow->begun.n, .due = flow->begun.due, .entry = flow->entry};
  run.retry = flow->retry & VB_RETRY_PLACES;
  run.written = flow->started;
  uint32_t limit = flow->calls || sent ? flow->limit : VB_RETRY_UNSENT;
  bool again = vb_retry_run(flow->at, &run, kind, limit);
  flow->retry = run.retry;
  if (again && flow->retry) note_progress(flow, flight, sent);
  return again;
}

bool vb_flow_judge_lost(vb_flow *flow, const char *kind, const char *message) {
  const vb_connection *connection = flow->at;
  const vb_flight *flight = last_flight(connection);
  bool sent = flight && connection->unstamped == connection->tail;
  if (sent) vb_flow_mark_sent(flow, true);
  if (comes_again(flow, flight, sent, kind)) return true;
  count_lost(flow, flight, sent, kind, message);
  return false;
}
