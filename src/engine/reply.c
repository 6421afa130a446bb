#include "engine/effects.h"
#include "engine/flow.h"
#include "engine/push.h"
#include "engine/reload.h"
#include "engine/worker.h"

#include <stdio.h>

static void count_success(vb_connection *connection, uint64_t n, uint32_t row,
                          const vb_outcome *outcome) {
  vb_lane *lane = connection->lane;
  vb_counters *counters = &lane->rows[row].counters;
  if (vb_lane_shows(lane, n)) lane->interval->requests++;
  if (!vb_lane_counts(lane, n)) return;
  counters->requests++;
  if (lane->node_rows) lane->node_rows[connection->node].counters.requests++;
  if (!outcome) return;
  counters->hits += outcome->hits;
  counters->misses += outcome->misses;
  counters->raced += outcome->raced;
  lane->interval->hits += outcome->hits;
  lane->interval->misses += outcome->misses;
}

static void hook_failed(vb_lane *lane) {
  vb_worker *worker = lane->worker;
  vb_lane_fail(lane, VB_ESCRIPT, "%s", worker->shared->spec.script->message(worker->hooks.state));
}

bool vb_connection_process(vb_connection *connection, const vb_step *step, vb_operation *operation,
                           const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  vb_renderer *renderer = &lane->worker->renderer;
  vb_outcome outcome;
  renderer->connection = connection->index;
  renderer->received_ns = lane->worker->now;
  renderer->ages = vb_lane_counts(lane, operation->n) ? lane->rows[step->row].age : NULL;
  vb_command_process(step->command, renderer, operation, reply, &outcome);
  if (VB_LIKELY(!outcome.failed)) {
    count_success(connection, operation->n, step->row, &outcome);
    return true;
  }
  if (!strcmp(outcome.failed, "hook")) {
    hook_failed(lane);
    return false;
  }
  vb_lane_count_error(lane, step->row, connection->node, operation->n, outcome.failed,
                      outcome.message);
  return false;
}

/* The operation as it was when the flight was written. */
static void draw_again(const vb_connection *connection, const vb_flight *flight,
                       vb_operation *operation) {
  if (flight->entry->kind == VB_ENTRY_FLOW) {
    *operation = *vb_flow_operation(connection);
    return;
  }
  vb_lane_begin_operation(connection->lane, operation, flight->n);
  if (flight->step) (void)vb_entry_draw_steps(flight->entry, flight->step, operation);
}

bool vb_connection_judge(vb_connection *connection, const vb_flight *flight, const vb_step *step,
                         const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  if (VB_UNLIKELY(reply->error)) {
    vb_lane_count_error_reply(lane, step->row, connection->node, flight->n, reply);
    if (vb_reload_is_needed(step, reply)) vb_reload_send(connection, step);
    return false;
  }
  if (VB_UNLIKELY(flight->entry->live)) vb_lane_step_succeeded(lane, flight, step, reply);
  if (!vb_command_has_processors(step->command)) {
    count_success(connection, flight->n, step->row, NULL);
    return true;
  }
  vb_operation operation;
  draw_again(connection, flight, &operation);
  if (vb_command_keeps_reply(step->command)) (void)vb_command_draw(step->command, &operation);
  return vb_connection_process(connection, step, &operation, reply);
}

static int ask_condition(vb_connection *connection, const vb_step *step, const vb_reply *reply,
                         const vb_flight *flight) {
  vb_worker *worker = connection->lane->worker;
  vb_operation operation;
  vb_lane_begin_operation(connection->lane, &operation, flight->n);
  (void)vb_entry_draw_steps(flight->entry, flight->step + 1u, &operation);
  vb_request request = {.n = (double)flight->n,
                        .query = operation.query == UINT64_MAX ? -1 : (double)operation.query,
                        .thread = worker->index,
                        .connection = connection->index,
                        .rng = {vb_draw(operation.stream, flight->n, step->function)}};
  vb_operation_ids(&operation, &request.id, &request.sub);
  int answer = worker->hooks.condition(worker->hooks.state, step->function, reply, &request);
  if (answer == VB_HOOK_FAILED) hook_failed(connection->lane);
  return answer;
}

/* Whether a step runs after the reply of the step before it. */
static bool runs_after(vb_connection *connection, const vb_step *step, const vb_reply *reply,
                       const vb_flight *flight) {
  switch ((enum vb_condition)step->condition) {
  case VB_ALWAYS: return true;
  case VB_WHEN_OK: return !reply->error;
  case VB_WHEN_HIT: return !reply->error && reply->hits && !reply->misses;
  case VB_WHEN_MISS: return !reply->error && (reply->misses || !reply->hits);
  case VB_WHEN_FUNCTION: return ask_condition(connection, step, reply, flight) == 1;
  }
  return false;
}

/* Open loop: the operation has ended well, with the reply for `row`. */
static inline void respond(vb_connection *connection, const vb_flight *flight, uint32_t row) {
  vb_lane *lane = connection->lane;
  if (VB_UNLIKELY(lane->paced) && vb_lane_counts(lane, flight->n))
    vb_lane_record_response(lane, row, connection->node, flight->n, flight->due);
}

/* What comes after a step's reply: nothing when the next is on its way already; else the next one
 * that is to run; else the operation has ended. */
static void advance(vb_connection *connection, const vb_flight *flight, const vb_reply *reply,
                    bool well) {
  const vb_entry *entry = flight->entry;
  uint32_t next = flight->step + 1u;
  if (next < entry->step_count && entry->steps[next].condition == VB_ALWAYS) return;
  while (next < entry->step_count && !runs_after(connection, &entry->steps[next], reply, flight))
    next++;
  vb_waiting begun = {flight->n, flight->due};
  if (next < entry->step_count && vb_connection_begin(connection, entry, next, begun)) return;
  connection->open--;
  if (well) respond(connection, flight, entry->steps[flight->step].row);
  vb_lane_operation_ended(connection->lane, entry->row, flight->n);
}

static bool is_queued(const vb_reply *reply) {
  static const char word[] = "QUEUED";
  return reply->text && reply->text_length == sizeof word - 1 &&
         !memcmp(reply->text, word, sizeof word - 1);
}

/* One reply of a transaction on its way to EXEC: +OK, then +QUEUED or an error for each step. */
static void judge_queued(vb_connection *connection, vb_flight *flight, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  uint32_t index = flight->entry->step_count + 1u - flight->replies;
  uint32_t row = index ? flight->entry->steps[index - 1].row : flight->entry->row;
  if (reply->error) {
    if (flight->failed == VB_FAILED_REFUSED) return; /* one reason is enough */
    if (index && !flight->failed && vb_retry_refused(connection, flight, reply)) {
      flight->failed = VB_FAILED_REFUSED;
      return;
    }
    vb_lane_count_error_reply(lane, row, connection->node, flight->n, reply);
    flight->failed = VB_FAILED_COUNTED;
  } else if (index && !flight->failed && !is_queued(reply)) {
    vb_lane_count_error(lane, row, connection->node, flight->n, "protocol",
                        "a command between MULTI and EXEC was not queued");
    flight->failed = VB_FAILED_COUNTED;
  }
}

/* Each element of EXEC's array is the reply of its command. True when all were answered well. */
static bool judge_elements(vb_connection *connection, const vb_flight *flight,
                           const vb_reply *reply) {
  const vb_entry *entry = flight->entry;
  const char *at = vb_reply_first(reply);
  bool well = true;
  if (!at || reply->integer != entry->step_count) {
    vb_lane_count_error(connection->lane, entry->row, connection->node, flight->n, "protocol",
                        "EXEC's reply has not one element for each command");
    return false;
  }
  for (uint32_t i = 0; i < entry->step_count; i++) {
    vb_reply element;
    vb_flight step = *flight;
    step.step = (uint16_t)i;
    at = vb_reply_element(at, &element);
    well &= vb_connection_judge(connection, &step, &entry->steps[i], &element);
  }
  return well;
}

/* From its write, or from the first one of what was sent again. */
static vb_ns latency_of(const vb_connection *connection, const vb_flight *flight) {
  vb_ns began = VB_LIKELY(!flight->retry) ? flight->written : vb_retry_began(connection, flight);
  return connection->lane->worker->now - began;
}

static void judge_exec(vb_connection *connection, vb_flight *flight, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  vb_worker *worker = lane->worker;
  const vb_entry *entry = flight->entry;
  bool counts = vb_lane_counts(lane, flight->n);
  if (flight->failed == VB_FAILED_REFUSED ||
      (reply->error && !flight->failed && vb_retry_refused(connection, flight, reply))) {
    vb_retry_later(connection, flight);
    flight->retry = 0; /* it keeps its place */
    return;
  }
  if (flight->failed) {
    /* counted already; EXEC only says so again */
  } else if (reply->error) {
    vb_lane_count_error_reply(lane, entry->row, connection->node, flight->n, reply);
  } else if (reply->null) {
    if (counts) lane->rows[entry->row].counters.conflicts++;
  } else if (judge_elements(connection, flight, reply) && counts) {
    lane->rows[entry->row].counters.requests++;
    vb_lane_record(lane, entry->row, connection->node, flight->n, latency_of(connection, flight),
                   worker->now);
    respond(connection, flight, entry->row);
  }
  connection->open--;
  vb_lane_operation_ended(lane, entry->row, flight->n);
}

/* The most common reply: the success of an operation that is one command and asks nothing more. */
static void take_plain(vb_connection *connection, const vb_flight *flight, uint64_t bytes) {
  vb_lane *lane = connection->lane;
  connection->head++;
  connection->open--;
  lane->open--;
  vb_lane_record_plain(lane, flight->entry->row, connection->node, flight->n,
                       lane->worker->now - flight->written, bytes);
  respond(connection, flight, flight->entry->row);
}

/* What came of a command that blocks; the server's own time-out brings nothing. */
static bool brings_nothing(const vb_reply *reply) {
  bool aggregate = reply->type && strchr("*~%>", reply->type);
  return reply->null || (aggregate && !reply->integer);
}

void vb_connection_record(vb_connection *connection, const vb_flight *flight, const vb_step *step,
                          const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  vb_ns now = lane->worker->now, time = latency_of(connection, flight);
  vb_histogram *wait = lane->rows[step->row].wait;
  if (VB_LIKELY(!wait))
    vb_lane_record(lane, step->row, connection->node, flight->n, time, now);
  else if (!brings_nothing(reply))
    vb_histogram_record(wait, time, 1);
}

/* Whether an error reply is no end: the script has to be loaded first, or the server is not ready.
 */
static bool comes_again(vb_connection *connection, vb_flight *flight, const vb_step *step,
                        const vb_reply *reply) {
  if (vb_reload_is_needed(step, reply) && vb_reload_and_repeat(connection, flight)) return true;
  if (!vb_retry_refused(connection, flight, reply)) return false;
  vb_retry_later(connection, flight);
  return true;
}

/* The reply of a command or of a step of a sequence. */
static void judge_step(vb_connection *connection, vb_flight *flight, const vb_reply *reply) {
  const vb_step *step = &flight->entry->steps[flight->step];
  if (VB_UNLIKELY(reply->error) && comes_again(connection, flight, step, reply)) {
    flight->retry = 0; /* it keeps its place */
    return;
  }
  bool well = vb_connection_judge(connection, flight, step, reply);
  if (VB_LIKELY(well && vb_lane_counts(connection->lane, flight->n)))
    vb_connection_record(connection, flight, step, reply);
  advance(connection, flight, reply, well);
}

/* The id that it claimed is used. False when more has to be known of the operation than its flight
 * says: it may be among the slowest, or has been sent before. */
static bool use_claim(const vb_connection *connection, const vb_flight *flight) {
  const vb_lane *lane = connection->lane;
  if (lane->paced || flight->place == VB_UNDRAWN) return false;
  if (lane->worker->now - flight->written > lane->slowest_floor) return false;
  vb_command_claim_used(flight->entry->steps[0].command, flight->place);
  return true;
}

static void judge(vb_connection *connection, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  vb_flight *head = &connection->ring[connection->head & (connection->ring_size - 1)];
  bool counts = vb_lane_counts(lane, head->n);
  if (VB_LIKELY(counts && head->entry->plain && !reply->error && !head->retry) &&
      (VB_LIKELY(!head->entry->claims) || use_claim(connection, head))) {
    take_plain(connection, head, reply->size);
    return;
  }
  if (VB_UNLIKELY(head->entry->kind == VB_ENTRY_FLOW)) {
    vb_flow_take(connection, reply);
    return;
  }
  if (VB_UNLIKELY(head->entry->claims)) vb_lane_spill(lane, head);
  if (vb_lane_shows(lane, head->n)) lane->interval->bytes_received += reply->size;
  if (head->entry->kind == VB_ENTRY_TRANSACTION && --head->replies) {
    if (counts) lane->rows[head->entry->row].counters.bytes_received += reply->size;
    judge_queued(connection, head, reply);
    return;
  }
  if (VB_UNLIKELY(head->retry) && vb_retry_swallows(connection, head)) return;
  vb_flight flight = *head; /* the ring's place may be taken by what follows */
  connection->head++;
  if (flight.entry->kind == VB_ENTRY_LOAD) {
    vb_reload_judge(connection, &flight, reply);
    return;
  }
  uint32_t row = flight.entry->row;
  if (flight.entry->kind == VB_ENTRY_TRANSACTION) {
    judge_exec(connection, &flight, reply);
  } else {
    row = flight.entry->steps[flight.step].row;
    judge_step(connection, &flight, reply);
  }
  if (VB_UNLIKELY(flight.retry)) vb_retry_answered(connection, &flight);
  if (counts) lane->rows[row].counters.bytes_received += reply->size;
}

static void protocol_error(vb_connection *connection, const char *message) {
  vb_connection_break(connection, "protocol", message);
}

/* A reply begins: whether one is waited for, and whether its bytes are wanted. A transaction's
 * first replies come while its last commands may still be on their way out. */
static void begin_reply(vb_connection *connection) {
  const vb_flight *head = &connection->ring[connection->head & (connection->ring_size - 1)];
  connection->asked = connection->head != connection->unstamped;
  connection->keep = true; /* nobody asked: to be shown */
  if (connection->head == connection->tail) return;
  if (head->entry->kind == VB_ENTRY_TRANSACTION || head->entry->kind == VB_ENTRY_FLOW)
    connection->asked |= head->replies > 1;
  else if (head->entry->kind <= VB_ENTRY_SEQUENCE)
    connection->keep = vb_command_keeps_reply(head->entry->steps[head->step].command) ||
                       connection->lane->delays; /* it may be an invalidation */
}

/* An error of its own when nothing is in flight that could fail with it. */
static void unasked(vb_connection *connection, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  bool idle = connection->head == connection->tail;
  char message[160], text[400];
  (void)snprintf(message, sizeof message, "a reply that nobody asked for: \"%c%.*s\"", reply->type,
                 (int)(reply->text_length < 80 ? reply->text_length : 80),
                 reply->text ? reply->text : "");
  protocol_error(connection, message);
  if (!idle || lane->counted_from == UINT64_MAX) return;
  (void)snprintf(text, sizeof text, "%s: %s", vb_connection_address(connection), message);
  vb_lane_count_error(lane, 0, connection->node, lane->counted_from, "protocol", text);
}

/* One thing that the scanner closed. False when the connection was closed over it. */
static bool take(vb_connection *connection, enum vb_scan scan, const vb_reply *reply) {
  switch (scan) {
  case VB_SCAN_PUSH: vb_push_take(connection, reply); return true;
  case VB_SCAN_ATTRIBUTE: return true;
  case VB_SCAN_BAD: protocol_error(connection, connection->scanner.reason); return false;
  case VB_SCAN_MORE: return true;
  case VB_SCAN_REPLY: break;
  }
  if (VB_UNLIKELY(!connection->asked)) {
    unasked(connection, reply);
    return false;
  }
  judge(connection, reply);
  return connection->state == VB_CONNECTION_READY;
}

ssize_t vb_connection_receive(vb_connection *connection, const char *data, size_t length) {
  size_t used = 0;
  bool begun = connection->scanner.busy || connection->tail_bytes.length;
  while (used < length) {
    vb_reply reply;
    size_t step;
    if (!begun) {
      used += vb_connection_take_burst(connection, data + used, length - used);
      if (used == length) break;
      begin_reply(connection);
    }
    begun = false;
    enum vb_scan scan = vb_scanner_next(&connection->scanner, data + used, length - used,
                                        connection->keep, &step, &reply);
    used += step;
    if (scan == VB_SCAN_MORE) break;
    if (!take(connection, scan, &reply)) return -1;
  }
  vb_lane_record_flush(connection->lane);
  return (ssize_t)used;
}
