#include "engine/effects.h"
#include "engine/flow.h"
#include "engine/push.h"
#include "engine/rows.h"
#include "engine/subscriber.h"
#include "engine/worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  OPENING_AT_ONCE = 64, /* a worker's connections that are being opened: below any listen backlog */
  INTERVAL_DIGITS = 2,
  NODE_DIGITS = 2,
  CONNECT_DIGITS = 2,
  HANDSHAKE_FLIGHTS = 4,
  LINGER_MS = 50 /* after the end, for what is on its way to a connection that waits */
};

void vb_lane_set_state(vb_lane *lane, enum vb_lane_state state) {
  atomic_store(&lane->state, state);
  vb_worker_notify(lane->worker);
}

void vb_lane_fail(vb_lane *lane, int status, const char *format, ...) {
  if (lane->failing) return;
  va_list args;
  va_start(args, format);
  lane->error.status = status;
  (void)vsnprintf(lane->error.text, sizeof lane->error.text, format, args);
  va_end(args);
  lane->accepting = false;
  lane->failing = true;
}

void vb_phase_ask_to_stop(vb_phase *phase, const char *reason) {
  int unasked = VB_STOP_UNASKED;
  if (!atomic_compare_exchange_strong(&phase->stop, &unasked, VB_STOP_BEING_ASKED)) return;
  (void)snprintf(phase->stop_reason, sizeof phase->stop_reason, "%s", reason);
  atomic_store(&phase->stop, VB_STOP_ASKED);
}

void vb_lane_operation_ended(vb_lane *lane, uint32_t row, uint64_t n) {
  lane->open--;
  if (VB_UNLIKELY(lane->ledger.count)) vb_lane_forget_ids(lane, n);
  if (vb_lane_shows(lane, n)) lane->interval->operations++;
  if (!vb_lane_counts(lane, n)) return;
  lane->rows[row].counters.operations++;
  lane->last_reply = lane->worker->now;
}

static int fit_nodes(vb_lane *lane, uint32_t count, uint32_t clients) {
  if (!lane->nodes) lane->nodes = calloc(count, sizeof *lane->nodes);
  if (!lane->nodes) return VB_ENOMEM;
  lane->node_count = count;
  for (uint32_t i = 0; i < count; i++) {
    vb_lane_node *node = &lane->nodes[i];
    vb_connection **waiting = realloc(node->waiting, (clients + 1) * sizeof(vb_connection *));
    if (!waiting) return VB_ENOMEM;
    node->waiting = waiting;
    node->waiting_capacity = clients + 1;
    node->waiting_first = node->waiting_count = node->connections = 0;
    node->visitors = NULL;
    vb_queue_clear(&node->queue);
  }
  return VB_OK;
}

static uint32_t flights_of(const vb_phase *phase) {
  const vb_program *program = phase->spec.program;
  uint32_t steps = vb_program_most_steps(program);
  if (vb_program_has_scripts(program)) steps++; /* each may come with its SCRIPT LOAD */
  uint32_t flights = phase->spec.pipeline * steps;
  return flights < HANDSHAKE_FLIGHTS ? HANDSHAKE_FLIGHTS : flights;
}

static void cut_connections(vb_lane *lane, uint32_t count) {
  while (lane->connection_count > count)
    vb_connection_free(lane->connections[--lane->connection_count]);
}

/* Keeps connections that stay on their node, closes those too many, makes those that lack. */
static int fit_connections(vb_lane *lane, uint32_t clients, uint32_t first_client) {
  uint32_t flights = clients ? flights_of(lane->phase) : 0;
  cut_connections(lane, lane->subscribes ? 0 : clients); /* others have not subscribed */
  vb_connection **grown = realloc(lane->connections, (clients + 1) * sizeof(vb_connection *));
  if (!grown) return VB_ENOMEM;
  lane->connections = grown;
  for (uint32_t i = 0; i < clients; i++) {
    uint32_t node = (first_client + i) % lane->node_count;
    if (i < lane->connection_count && grown[i]->node != node) {
      vb_connection_free(grown[i]);
      grown[i] = NULL;
    }
    if (i >= lane->connection_count) grown[i] = NULL;
    if (!grown[i]) grown[i] = vb_connection_new(lane, i, node, flights);
    if (i >= lane->connection_count) lane->connection_count = i + 1;
    if (!grown[i] || vb_connection_resize(grown[i], flights)) {
      cut_connections(lane, i);
      return VB_ENOMEM;
    }
    vb_flow_reset(grown[i]);
    grown[i]->waiting = false;
    grown[i]->left = lane->phase->spec.reconnect;
    grown[i]->attempts = grown[i]->openings = 0;
    lane->nodes[node].connections++;
  }
  return VB_OK;
}

static int fit(vb_lane *lane, uint32_t clients, uint32_t first_client) {
  const vb_engine_shared *shared = lane->worker->shared;
  uint32_t nodes = shared->spec.endpoint_count;
  uint32_t rows = lane->phase ? vb_program_rows(lane->phase->spec.program) : 0;
  lane->paced = lane->phase && vb_phase_is_paced(&lane->phase->spec);
  if (vb_rows_fit(&lane->rows, lane->row_capacity, rows, shared->spec.digits)) return VB_ENOMEM;
  if (rows > lane->row_capacity) lane->row_capacity = rows;
  lane->row_count = rows;
  const vb_phase_spec *spec = rows ? &lane->phase->spec : NULL;
  if (rows && vb_rows_fit_times(lane->rows, NULL, spec, shared->spec.digits)) return VB_ENOMEM;
  if (nodes > 1 && vb_rows_fit(&lane->node_rows, lane->node_count, nodes, NODE_DIGITS))
    return VB_ENOMEM;
  if (fit_nodes(lane, nodes, clients)) return VB_ENOMEM;
  if (!lane->connects) lane->connects = vb_histogram_new(CONNECT_DIGITS);
  if (!lane->connects) return VB_ENOMEM;
  vb_histogram_reset(lane->connects);
  if (vb_push_fit(&lane->delays, lane->worker->writes)) return VB_ENOMEM;
  vb_interval_channel_free(lane->intervals);
  lane->intervals = vb_interval_channel_new(INTERVAL_DIGITS, lane->paced, vb_now());
  if (!lane->intervals) return VB_ENOMEM;
  lane->interval = vb_interval_current(lane->intervals);
  if (vb_lane_fit_schedule(lane)) return VB_ENOMEM;
  return fit_connections(lane, clients, first_client);
}

static void reset(vb_lane *lane) {
  lane->share_ended = lane->accepting = lane->blocked = lane->out_of_numbers = lane->failing =
      false;
  lane->block = (vb_block){0, 0};
  lane->counted_from = UINT64_MAX;
  lane->open = lane->queued = 0;
  lane->asked = lane->waiting = 0;
  lane->next_due = UINT64_MAX;
  lane->sleeper_count = 0;
  lane->run.count = 0;
  lane->slowest.used = lane->unknown.used = lane->pushes.used = 0;
  vb_retry_reset(lane);
  lane->slowest_floor = 0;
  lane->first_issue = lane->last_reply = lane->cpu_start = lane->cpu_end = 0;
  lane->spin_start = lane->spin_end = lane->collector_start = lane->collector_end = 0;
  lane->ended_at = 0;
  lane->lost = 0;
  lane->waits = lane->subscribes = false;
  lane->next_open = 0;
}

void vb_lane_open_more(vb_lane *lane) {
  while (lane->next_open < lane->wanted && lane->opening < OPENING_AT_ONCE) {
    vb_connection *connection = lane->connections[lane->next_open++];
    if (connection->state != VB_CONNECTION_CLOSED) continue;
    vb_connection_open(connection);
    if (lane->failing) return;
  }
  if (atomic_load(&lane->state) == VB_LANE_PREPARE && lane->ready_count == lane->wanted)
    vb_lane_set_state(lane, VB_LANE_READY);
}

int vb_lane_prepare(vb_lane *lane, vb_worker *worker, vb_phase *phase, uint32_t index,
                    uint32_t clients, uint32_t first_client, vb_error *err) {
  lane->worker = worker;
  lane->phase = phase;
  lane->index = index;
  lane->wanted = 0;
  reset(lane);
  lane->first_client = first_client;
  if (phase) {
    lane->waits = vb_program_may_block(phase->spec.program);
    lane->subscribes = vb_program_subscribes(phase->spec.program);
  }
  if (fit(lane, clients, first_client))
    return vb_fail(err, VB_ENOMEM, "out of memory: %u connections", clients);
  if (!phase) {
    vb_lane_set_state(lane, VB_LANE_OFF);
    return VB_OK;
  }
  vb_ledger_reset(&lane->ledger, vb_program_places(phase->spec.program));
  lane->program_ends =
      vb_program_ends(phase->spec.program) || vb_program_may_skip(phase->spec.program);
  lane->bursts = !lane->paced && lane->node_count == 1 && !worker->writes && !phase->spec.reconnect;
  lane->wanted = vb_lane_wanted(lane);
  for (uint32_t i = lane->wanted; i < lane->connection_count; i++)
    vb_connection_retire(lane->connections[i]);
  atomic_store(&lane->state, VB_LANE_PREPARE);
  vb_lane_open_more(lane);
  return VB_OK;
}

void vb_lane_run(vb_lane *lane) {
  vb_worker *worker = lane->worker;
  if (atomic_load(&lane->state) != VB_LANE_READY) return;
  worker->now = vb_now();
  /* A schedule begins at the same time in all workers. */
  lane->interval->start_ns = lane->paced ? lane->phase->start : worker->now;
  lane->next_second = lane->interval->start_ns + VB_NS_PER_S;
  lane->cpu_start = vb_thread_cpu();
  lane->spin_start = worker->spin;
  lane->collector_start = worker->collector;
  lane->counted_from = atomic_load(&lane->phase->numbers.counted_from);
  vb_lane_fit_blocks(lane);
  lane->accepting = !lane->phase->spec.idle && !lane->subscribes;
  vb_lane_set_state(lane, VB_LANE_RUN);
  for (uint32_t i = 0; i < lane->connection_count; i++) {
    lane->connections[i]->answered = 0;
    lane->connections[i]->first = lane->connections[i]->head;
  }
  if (lane->paced) vb_lane_start_schedule(lane);
  for (uint32_t i = 0; i < lane->connection_count; i++)
    if (lane->connections[i]->state == VB_CONNECTION_READY)
      vb_connection_fill(lane->connections[i]);
}

/* How many requests each connection had, where all have the same to do all the time. */
static void measure_spread(vb_lane *lane) {
  vb_spread *spread = &lane->spread;
  bool alike = lane->node_count == 1 && !lane->waits && !lane->subscribes &&
               lane->phase->spec.ramp != VB_RAMP_CLIENTS;
  *spread = (vb_spread){.least = UINT64_MAX};
  for (uint32_t i = 0; alike && i < lane->connection_count; i++) {
    const vb_connection *connection = lane->connections[i];
    uint64_t answered = connection->answered;
    if (connection->state == VB_CONNECTION_READY) answered += connection->head - connection->first;
    if (answered < spread->least) spread->least = answered;
    if (answered > spread->most) spread->most = answered;
    spread->sum += answered;
    spread->count++;
  }
}

/* Only in a phase that has run: of one that cannot begin, the failure tells. */
static void count_lost(vb_lane *lane) {
  for (uint32_t i = 0; lane->cpu_start && i < lane->wanted; i++) {
    const vb_connection *connection = lane->connections[i];
    if (connection->state != VB_CONNECTION_READY && connection->attempts) lane->lost++;
  }
}

/* The last thing that a phase does here: from now on its statistics are main's. */
static void finish(vb_lane *lane, enum vb_lane_state state) {
  count_lost(lane);
  measure_spread(lane);
  vb_retry_give_up(lane);
  vb_lane_record_flush(lane);
  if (lane->ledger.places) {
    vb_lane_forget_all_ids(lane);
    vb_program_give_back(lane->phase->spec.program, lane->worker->index);
  }
  for (uint32_t i = 0; i < lane->connection_count; i++) vb_connection_settle(lane->connections[i]);
  lane->ended_at = lane->worker->now;
  if (lane->cpu_start) lane->cpu_end = vb_thread_cpu();
  lane->spin_end = lane->worker->spin;
  lane->collector_end = lane->worker->collector;
  vb_lane_set_state(lane, state);
}

static bool is_drained(const vb_lane *lane) {
  return !lane->open && (!lane->subscribes || vb_subscriber_is_drained(lane));
}

void vb_lane_stop(vb_lane *lane) {
  int state = atomic_load(&lane->state);
  if (state != VB_LANE_RUN && state != VB_LANE_IDLE && state != VB_LANE_READY &&
      state != VB_LANE_PREPARE)
    return;
  vb_lane_release(lane);
  lane->accepting = false;
  vb_lane_drop_queued(lane);
  vb_retry_give_up(lane);
  lane->drain_until = lane->worker->now + lane->phase->spec.drain_ns;
  atomic_store(&lane->state, VB_LANE_DRAIN);
  vb_lane_stop_flows(lane);
  if (lane->subscribes) vb_subscriber_drain(lane);
  if (is_drained(lane)) finish(lane, VB_LANE_DONE);
}

/* False when main has not taken the last ones: then the current one goes on. */
static bool post_interval(vb_lane *lane) {
  vb_lane_record_flush(lane);
  lane->interval->open_connections = lane->ready_count;
  bool posted = vb_interval_post(lane->intervals, lane->worker->now);
  if (posted) lane->interval = vb_interval_current(lane->intervals);
  return posted;
}

static void post_second(vb_lane *lane) {
  (void)post_interval(lane);
  while (lane->next_second <= lane->worker->now) lane->next_second += VB_NS_PER_S;
}

/* What follows counts. No interval has both: main tells the warm-up's by their start, which is
 * after its own clock only when it is read anew. */
static void begin_to_count(vb_lane *lane, uint64_t counted_from) {
  lane->worker->now = vb_now();
  if (!post_interval(lane)) {
    vb_interval_clear(lane->interval);
    lane->interval->start_ns = lane->worker->now;
  }
  lane->counted_from = counted_from;
  vb_lane_fit_blocks(lane);
  if (lane->paced) vb_lane_drop_queued(lane); /* else what counts would wait for what does not */
  lane->cpu_start = vb_thread_cpu();
  lane->spin_start = lane->worker->spin;
  lane->collector_start = lane->worker->collector;
  lane->next_second = lane->worker->now + VB_NS_PER_S;
}

void vb_lane_follow_warmup(vb_lane *lane) {
  uint64_t from = atomic_load_explicit(&lane->phase->numbers.counted_from, memory_order_relaxed);
  if (VB_UNLIKELY(from != lane->counted_from)) begin_to_count(lane, from);
}

/* What has not ended will not. */
static void leave_all(vb_lane *lane) {
  vb_lane_drop_queued(lane);
  for (uint32_t i = 0; i < lane->connection_count; i++)
    if (lane->connections[i]->open) vb_connection_abandon(lane->connections[i]);
  vb_lane_give_up_flows(lane);
}

void vb_lane_write_off(vb_lane *lane, vb_ns since) {
  vb_lane_record_flush(lane); /* answered before the hook began */
  lane->worker->now = vb_now();
  if (!lane->paced || !lane->phase) return;
  vb_lane_drop_queued(lane);
  for (uint32_t i = 0; i < lane->connection_count; i++) vb_retry_abandon(lane->connections[i]);
  while (lane->open) vb_lane_leave(lane, lane->counted_from, since);
}

void vb_lane_round(vb_lane *lane) {
  int state = atomic_load_explicit(&lane->state, memory_order_relaxed);
  if (VB_UNLIKELY(lane->failing)) {
    leave_all(lane);
    finish(lane, VB_LANE_FAILED);
    return;
  }
  bool runs = state == VB_LANE_RUN || state == VB_LANE_IDLE;
  /* Nothing is sent after a schedule's end: main says so later. */
  if (VB_UNLIKELY(lane->paced) && runs && lane->worker->now >= lane->phase->end) {
    vb_lane_stop(lane);
    return;
  }
  if (state == VB_LANE_DRAIN && is_drained(lane)) finish(lane, VB_LANE_DONE);
  if (!runs) return;
  vb_lane_follow_warmup(lane);
  if (lane->worker->now >= lane->next_second) post_second(lane);
  if (lane->node_count > 1 && !lane->blocked) vb_lane_fill_waiting(lane);
  if (state == VB_LANE_RUN && lane->out_of_numbers && !lane->open)
    vb_lane_set_state(lane, VB_LANE_IDLE);
}

static void time_out(vb_connection *connection, vb_ns limit) {
  const vb_flight *oldest = &connection->ring[connection->head & (connection->ring_size - 1)];
  vb_ns now = connection->lane->worker->now;
  if (connection->state != VB_CONNECTION_READY || connection->head == connection->tail) return;
  if (now < oldest->written + limit || vb_connection_is_blocked(connection)) return;
  char message[80];
  (void)snprintf(message, sizeof message, "no reply within %.3g s",
                 (double)limit / (double)VB_NS_PER_S);
  vb_connection_break(connection, "timeout", message);
}

/* A node without a connection for longer than --connect-timeout ends the run. */
static void check_nodes(vb_lane *lane) {
  vb_worker *worker = lane->worker;
  vb_ns limit = worker->shared->spec.connect_timeout_ns;
  for (uint32_t i = 0; i < lane->node_count; i++) {
    const vb_lane_node *node = &lane->nodes[i];
    if (!node->connections || !node->down_since || worker->now < node->down_since + limit) continue;
    vb_lane_fail(lane, VB_ECONNECT, "%s: gone for %.3g s%s%s", worker->shared->addresses[i].text,
                 (double)limit / (double)VB_NS_PER_S, *node->refusal ? ": " : "", node->refusal);
  }
}

/* A worker without connections lets others have its numbers; one without numbers takes theirs. */
static void share_numbers(vb_lane *lane, int state) {
  vb_numbers *numbers = &lane->phase->numbers;
  if (VB_UNLIKELY(lane->share_ended)) return;
  if (!lane->ready_count && !lane->paced) {
    if (vb_numbers_return(numbers, lane->block)) lane->block = (vb_block){0, 0};
    vb_retry_share(lane);
    lane->out_of_numbers = vb_numbers_all_taken(numbers); /* then nobody has to come back */
    return;
  }
  if (state != VB_LANE_IDLE || !atomic_load(&numbers->returned)) return;
  lane->out_of_numbers = false;
  atomic_store(&lane->state, VB_LANE_RUN);
  for (uint32_t i = 0; i < lane->connection_count; i++)
    if (lane->connections[i]->state == VB_CONNECTION_READY)
      vb_connection_fill(lane->connections[i]);
}

static void give_up_draining(vb_lane *lane) {
  for (uint32_t i = 0; i < lane->connection_count; i++)
    if (lane->connections[i]->open)
      vb_connection_break(lane->connections[i], "timeout", "no reply before the end of the phase");
  vb_lane_give_up_flows(lane);
}

/* Commands that block would keep a phase from ending. What the server had sent by the end has had
 * its time to arrive. */
static void leave_blocked(vb_lane *lane) {
  vb_ns stopped_at = lane->drain_until - lane->phase->spec.drain_ns;
  if (lane->worker->now < stopped_at + LINGER_MS * VB_NS_PER_MS) return;
  for (uint32_t i = 0; i < lane->connection_count; i++)
    if (vb_connection_is_blocked(lane->connections[i])) vb_connection_abandon(lane->connections[i]);
}

void vb_lane_sweep(vb_lane *lane) {
  vb_ns now = lane->worker->now;
  int state = atomic_load(&lane->state);
  if (state == VB_LANE_DRAIN && lane->waits) leave_blocked(lane);
  if (state == VB_LANE_DRAIN && now >= lane->drain_until) give_up_draining(lane);
  if (state == VB_LANE_READY) return;
  vb_ns limit = lane->phase->spec.timeout_ns;
  for (uint32_t i = 0; i < lane->connection_count; i++) {
    if (limit) time_out(lane->connections[i], limit);
    if (state != VB_LANE_DRAIN && i < lane->wanted) vb_connection_sweep(lane->connections[i]);
  }
  if (state != VB_LANE_RUN && state != VB_LANE_IDLE) return;
  if (lane->phase->spec.ramp == VB_RAMP_CLIENTS) vb_lane_follow_ramp(lane);
  if (lane->subscribes) lane->out_of_numbers = vb_numbers_all_taken(&lane->phase->numbers);
  check_nodes(lane);
  vb_retry_wake(lane);
  share_numbers(lane, state);
}

void vb_lane_free(vb_lane *lane) {
  for (uint32_t i = 0; i < lane->connection_count; i++) vb_connection_free(lane->connections[i]);
  free(lane->connections);
  vb_retries_fini(lane);
  free(lane->sleepers);
  for (uint32_t i = 0; lane->nodes && i < lane->node_count; i++) {
    vb_queue_fini(&lane->nodes[i].queue);
    free(lane->nodes[i].waiting);
  }
  free(lane->nodes);
  vb_ledger_fini(&lane->ledger);
  vb_rows_free(lane->rows, lane->row_capacity);
  vb_rows_free(lane->node_rows, lane->node_count);
  vb_histogram_free(lane->connects);
  vb_histogram_free(lane->delays);
  vb_histogram_free(lane->lateness);
  vb_interval_channel_free(lane->intervals);
}
