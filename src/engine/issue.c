#include "engine/effects.h"
#include "engine/flow.h"
#include "engine/worker.h"

#include "keyspace/format.h"

/* A node's queue holds at most this many windows of its connections: drawing ahead further would
 * only grow the queue of a node that is slower than the others. */
enum { WINDOWS_AHEAD = 4 };

bool vb_lane_has_number(vb_lane *lane) {
  if (VB_LIKELY(lane->block.first < lane->block.end)) return true;
  lane->out_of_numbers =
      lane->share_ended || !vb_numbers_take(&lane->phase->numbers, lane->block_size, &lane->block);
  if (lane->out_of_numbers) return false;
  vb_lane_follow_warmup(lane);
  if (lane->ledger.places)
    vb_program_expect(lane->phase->spec.program, lane->worker->index, lane->phase->stream,
                      lane->block.first, lane->block.end);
  return true;
}

bool vb_lane_next_number(vb_lane *lane, uint64_t *n) {
  if (!vb_lane_has_number(lane)) return false;
  *n = lane->block.first++;
  return true;
}

/* A cursor of the entry ended at operation n: no other begins after it. */
static void close_numbers(vb_lane *lane, const vb_entry *entry, uint64_t n) {
  unsigned none = 0, number = vb_program_entry_index(lane->phase->spec.program, entry) + 1;
  (void)atomic_compare_exchange_strong(&lane->phase->exhausted, &none, number);
  vb_numbers_close(&lane->phase->numbers, n);
  lane->block = (vb_block){0, 0};
  lane->out_of_numbers = true;
}

/* The worker's share of the ids has ended at operation n, which others may do. The last worker's
 * ends the phase. */
static void end_share(vb_lane *lane, const vb_entry *entry, uint64_t n) {
  vb_phase *phase = lane->phase;
  (void)vb_numbers_return(&phase->numbers, (vb_block){n, n + 1});
  (void)vb_numbers_return(&phase->numbers, lane->block);
  lane->block = (vb_block){0, 0};
  lane->out_of_numbers = true;
  if (!lane->share_ended) (void)atomic_fetch_add(&phase->shares_ended, 1);
  lane->share_ended = true;
  if (atomic_load(&phase->shares_ended) < phase->workers) return;
  close_numbers(lane, entry, n);
  vb_numbers_discard(&phase->numbers);
}

/* An operation is not sent, for it has `what`. Nothing but such ones would keep the worker from
 * everything else. */
static void skip(vb_connection *connection, const vb_entry *entry, const char *what) {
  enum { MOST = 1 << 24 };
  vb_lane *lane = connection->lane;
  if (lane->skipped_at != connection->outbox.appended) lane->skipped_run = 0;
  lane->skipped_at = connection->outbox.appended;
  lane->skipped++;
  if (++lane->skipped_run == MOST)
    vb_lane_fail(lane, VB_EINVAL, "command '%s': %d operations in a row had %s",
                 vb_command_name(entry->steps[0].command), MOST, what);
}

void vb_connection_render_failed(vb_connection *connection, const vb_entry *entry,
                                 enum vb_render why, uint64_t n) {
  vb_lane *lane = connection->lane;
  if (why == VB_RENDER_EMPTY) {
    if (vb_lane_counts(lane, n)) lane->rows[entry->row].counters.empty++;
    skip(connection, entry, "an empty record");
    return;
  }
  if (why == VB_RENDER_PROTECTED) {
    skip(connection, entry, "a protected id");
    return;
  }
  if (why == VB_RENDER_EXHAUSTED) {
    if (vb_program_share_ended(lane->phase->spec.program, lane->worker->index))
      end_share(lane, entry, n);
    else
      close_numbers(lane, entry, n);
    return;
  }
  vb_worker *worker = lane->worker;
  vb_lane_fail(lane, VB_ESCRIPT, "%s", worker->shared->spec.script->message(worker->hooks.state));
}

/* So that the delay of the invalidation that follows is known. */
static void note_write(vb_worker *worker, const vb_command *command,
                       const vb_operation *operation) {
  char key[VB_KEY_MAX];
  if (!vb_command_writes(command)) return;
  size_t length = vb_command_first_key(command, operation, key);
  if (length) vb_writes_note(worker->writes, key, length, vb_now());
}

/* A request that was rendered, with what it borrows: long values go out from where they are. */
static void append_rendered(vb_connection *connection) {
  vb_worker *worker = connection->lane->worker;
  const vb_renderer *renderer = &worker->renderer;
  const vb_borrowed *part = (const vb_borrowed *)(const void *)renderer->borrowed.data;
  size_t count = renderer->borrowed.length / sizeof *part, at = renderer->start;
  for (; count; count--, part++) {
    vb_connection_append(connection, renderer->scratch.data + at, part->at - at);
    at = part->at;
    if (part->length < VB_SEND_IN_PLACE)
      vb_connection_append(connection, part->data, part->length);
    else
      vb_outbox_borrow(&connection->outbox, &worker->pool, part->data, part->length);
  }
  vb_connection_append(connection, renderer->scratch.data + at, renderer->scratch.length - at);
}

enum vb_render vb_connection_append_command(vb_connection *connection, const vb_command *command,
                                            vb_operation *operation) {
  vb_worker *worker = connection->lane->worker;
  if (VB_UNLIKELY(worker->writes)) note_write(worker, command, operation);
  size_t size = vb_command_fixed_size(command);
  if (VB_LIKELY(size)) {
    char *to = vb_outbox_reserve(&connection->outbox, &worker->pool, size);
    enum vb_render why = vb_command_fill(command, &worker->renderer, operation, to);
    if (why) return why;
    vb_outbox_commit(&connection->outbox, size);
    return VB_RENDER_OK;
  }
  worker->renderer.connection = connection->index;
  worker->renderer.borrows = true;
  enum vb_render why = vb_command_render(command, &worker->renderer, operation);
  worker->renderer.borrows = false;
  if (!why) append_rendered(connection);
  return why;
}

void vb_connection_append(vb_connection *connection, const char *request, size_t size) {
  vb_worker *worker = connection->lane->worker;
  memcpy(vb_outbox_reserve(&connection->outbox, &worker->pool, size), request, size);
  vb_outbox_commit(&connection->outbox, size);
}

static void push_flight(vb_connection *connection, const vb_entry *entry, uint32_t step,
                        vb_waiting begun, uint32_t replies) {
  vb_flight *flight = vb_connection_push(connection);
  flight->n = begun.n;
  flight->due = begun.due;
  flight->end = connection->outbox.appended;
  flight->entry = entry;
  flight->step = (uint16_t)step;
  flight->replies = (uint16_t)replies;
}

void vb_lane_count_sent(vb_lane *lane, uint32_t row, uint64_t n, uint32_t requests,
                        uint64_t bytes) {
  if (vb_lane_shows(lane, n)) {
    lane->interval->sent += requests;
    lane->interval->bytes_sent += bytes;
  }
  if (vb_lane_counts(lane, n)) {
    lane->rows[row].counters.bytes_sent += bytes;
    if (VB_UNLIKELY(!lane->first_issue)) lane->first_issue = lane->worker->now;
  }
}

static uint32_t begin_transaction(vb_connection *connection, const vb_entry *entry,
                                  vb_waiting begun) {
  static const char multi[] = "*1\r\n$5\r\nMULTI\r\n", exec[] = "*1\r\n$4\r\nEXEC\r\n";
  vb_lane *lane = connection->lane;
  uint64_t n = begun.n;
  vb_operation operation;
  enum vb_render why = entry->live ? vb_lane_prepare_ids(lane, entry, n) : VB_RENDER_OK;
  vb_lane_begin_operation(lane, &operation, n);
  if (!why) why = vb_entry_draw_steps(entry, entry->step_count, &operation);
  uint64_t before = connection->outbox.appended;
  vb_lane_begin_operation(lane, &operation, n);
  if (!why) vb_connection_append(connection, multi, sizeof multi - 1);
  for (uint32_t i = 0; !why && i < entry->step_count; i++)
    why = vb_connection_append_command(connection, entry->steps[i].command, &operation);
  if (why) {
    vb_connection_render_failed(connection, entry, why, n);
    return 0;
  }
  vb_connection_append(connection, exec, sizeof exec - 1);
  push_flight(connection, entry, 0, begun, entry->step_count + 2);
  vb_lane_count_sent(lane, entry->row, n, entry->step_count, connection->outbox.appended - before);
  return 1;
}

/* The ids that the steps before `step` drew; and, before a sequence begins, whether all its cursors
 * still give: an operation is sent whole or not at all. */
static enum vb_render draw_before(vb_lane *lane, const vb_entry *entry, uint32_t step,
                                  vb_operation *operation, uint64_t n) {
  enum vb_render why = VB_RENDER_OK;
  if (VB_UNLIKELY(entry->live) && !step) why = vb_lane_prepare_ids(lane, entry, n);
  vb_lane_begin_operation(lane, operation, n);
  if (!why && !step && entry->step_count > 1 && lane->program_ends) {
    why = vb_entry_draw_steps(entry, entry->step_count, operation);
    vb_lane_begin_operation(lane, operation, n);
  }
  return !why && step ? vb_entry_draw_steps(entry, step, operation) : why;
}

/* An operation that claims an id and is nothing special besides: its flight remembers the id. */
static uint32_t begin_claim(vb_connection *connection, const vb_entry *entry, vb_waiting begun) {
  vb_lane *lane = connection->lane;
  uint64_t place = VB_UNDRAWN, before = connection->outbox.appended;
  vb_operation operation;
  vb_lane_begin_operation(lane, &operation, begun.n);
  if (VB_LIKELY(!operation.places)) operation.places = &place;
  enum vb_render why =
      vb_connection_append_command(connection, entry->steps[0].command, &operation);
  if (why) {
    if (place != VB_UNDRAWN) *vb_ledger_open(&lane->ledger, begun.n) = place;
    vb_connection_render_failed(connection, entry, why, begun.n);
    return 0;
  }
  push_flight(connection, entry, 0, begun, 1);
  connection->ring[(connection->tail - 1) & (connection->ring_size - 1)].place = place;
  vb_lane_count_sent(lane, entry->row, begun.n, 1, connection->outbox.appended - before);
  return 1;
}

/* The most common operation: one command, of which nothing has to be remembered. */
static inline uint32_t begin_single(vb_connection *connection, const vb_entry *entry,
                                    vb_waiting begun) {
  vb_lane *lane = connection->lane;
  uint64_t before = connection->outbox.appended;
  vb_operation operation;
  vb_operation_begin(&operation, lane->phase->stream, begun.n);
  enum vb_render why = vb_connection_append_command(connection, entry->steps->command, &operation);
  if (VB_UNLIKELY(why)) {
    vb_connection_render_failed(connection, entry, why, begun.n);
    return 0;
  }
  push_flight(connection, entry, 0, begun, 1);
  vb_lane_count_sent(lane, entry->row, begun.n, 1, connection->outbox.appended - before);
  return 1;
}

uint32_t vb_connection_begin(vb_connection *connection, const vb_entry *entry, uint32_t step,
                             vb_waiting begun) {
  if (VB_LIKELY(entry->single)) return begin_single(connection, entry, begun);
  if (VB_UNLIKELY(entry->kind == VB_ENTRY_FLOW)) return vb_flow_begin(connection, entry, begun);
  if (entry->kind == VB_ENTRY_TRANSACTION) return begin_transaction(connection, entry, begun);
  if (VB_UNLIKELY(entry->claims)) return begin_claim(connection, entry, begun);
  vb_lane *lane = connection->lane;
  uint64_t n = begun.n;
  vb_operation operation;
  enum vb_render why = draw_before(lane, entry, step, &operation, n);
  uint32_t sent = 0;
  while (!why) {
    uint64_t before = connection->outbox.appended;
    why = vb_connection_append_command(connection, entry->steps[step].command, &operation);
    if (why) break;
    push_flight(connection, entry, step, begun, 1);
    vb_lane_count_sent(lane, entry->steps[step].row, n, 1, connection->outbox.appended - before);
    sent++;
    if (++step == entry->step_count || entry->steps[step].condition != VB_ALWAYS) return sent;
  }
  vb_connection_render_failed(connection, entry, why, n);
  return 0;
}

bool vb_connection_repeat(vb_connection *connection, const vb_flight *flight) {
  vb_lane *lane = connection->lane;
  const vb_entry *entry = flight->entry;
  const vb_step *step = &entry->steps[flight->step];
  vb_operation operation;
  uint64_t before = connection->outbox.appended;
  vb_lane_begin_operation(lane, &operation, flight->n);
  enum vb_render why = vb_entry_draw_steps(entry, flight->step, &operation);
  if (!why) why = vb_connection_append_command(connection, step->command, &operation);
  if (why) {
    vb_connection_render_failed(connection, entry, why, flight->n);
    return false;
  }
  push_flight(connection, entry, flight->step, (vb_waiting){flight->n, flight->due}, 1);
  vb_flight *again = &connection->ring[(connection->tail - 1) & (connection->ring_size - 1)];
  again->repeats = (flight->repeats + 1u) & 15;
  again->retry = flight->retry;
  vb_lane_count_sent(lane, step->row, flight->n, 1, connection->outbox.appended - before);
  if (vb_lane_shows(lane, flight->n)) lane->interval->retries++;
  if (vb_lane_counts(lane, flight->n)) lane->rows[step->row].counters.retries++;
  return true;
}

/* The first steps of an operation on this connection. */
static bool start(vb_connection *connection, vb_waiting begun) {
  vb_lane *lane = connection->lane;
  const vb_entry *entry = vb_program_pick(lane->phase->spec.program, lane->phase->stream, begun.n);
  uint64_t skipped = lane->skipped;
  connection->open++;
  if (VB_UNLIKELY(lane->phase->spec.reconnect)) connection->left--;
  if (VB_LIKELY(vb_connection_begin(connection, entry, 0, begun))) return true;
  connection->open--;
  if (lane->failing) {
    vb_lane_leave(lane, begun.n, begun.due);
    return false;
  }
  if (lane->skipped == skipped) {
    vb_lane_withdraw(lane, begun.n);
    return false;
  }
  vb_lane_operation_ended(lane, entry->row, begun.n);
  return true;
}

uint32_t vb_lane_route(vb_lane *lane, uint64_t n) {
  if (lane->node_count == 1) return 0;
  const vb_entry *entry = vb_program_pick(lane->phase->spec.program, lane->phase->stream, n);
  vb_operation operation;
  if (entry->kind == VB_ENTRY_FLOW) /* it goes where its first call wants, later */
    return vb_router_node(&lane->worker->shared->router, -1, n);
  vb_lane_remember(lane, entry, n);
  vb_lane_begin_operation(lane, &operation, n);
  const vb_command *command = entry->steps[0].command;
  if (vb_command_draw(command, &operation)) return 0; /* ended: whoever writes it will find out */
  return vb_router_node(&lane->worker->shared->router, vb_command_slot(command, &operation), n);
}

void vb_connection_wait_for_work(vb_connection *connection) {
  vb_lane_node *node = &connection->lane->nodes[connection->node];
  if (connection->waiting) return;
  connection->waiting = true;
  node->waiting[(node->waiting_first + node->waiting_count++) % node->waiting_capacity] =
      connection;
}

static vb_connection *pop_waiting(vb_lane_node *node) {
  vb_connection *connection = node->waiting[node->waiting_first];
  node->waiting_first = (node->waiting_first + 1) % node->waiting_capacity;
  node->waiting_count--;
  connection->waiting = false;
  return connection;
}

/* The head of a node's queue, on a connection of it that has room. */
static bool start_queued(vb_connection *connection) {
  vb_lane *lane = connection->lane;
  vb_queue *queue = &lane->nodes[connection->node].queue;
  if (!vb_queue_length(queue)) return false;
  lane->blocked = false;
  lane->queued--;
  return start(connection, vb_queue_pop(queue));
}

/* The connection of the node that has waited for work longest and is not lost; NULL: none. */
vb_connection *vb_lane_take_waiting(vb_lane *lane, uint32_t index) {
  vb_lane_node *node = &lane->nodes[index];
  while (node->waiting_count) {
    vb_connection *connection = pop_waiting(node);
    if (connection->state == VB_CONNECTION_READY && connection->index < lane->wanted &&
        connection->open < lane->phase->spec.pipeline)
      return connection;
  }
  return NULL;
}

/* How many operations may be open on it: those that it has and those that it may still begin, at
 * most the pipeline. */
static uint32_t window_of(const vb_connection *connection) {
  const vb_lane *lane = connection->lane;
  const vb_phase_spec *spec = &lane->phase->spec;
  if (connection->index >= lane->wanted) return 0;
  uint32_t whole = connection->open + connection->left;
  return VB_UNLIKELY(spec->reconnect) && whole < spec->pipeline ? whole : spec->pipeline;
}

void vb_lane_enqueue(vb_lane *lane, uint32_t node_index, vb_waiting begun) {
  vb_lane_node *node = &lane->nodes[node_index];
  vb_queue_push(&node->queue, begun);
  lane->queued++;
  lane->open++;
  vb_connection *connection = vb_lane_take_waiting(lane, node_index);
  if (connection && vb_flow_is_away(connection)) {
    vb_connection_wait_for_work(connection);
  } else if (connection) {
    (void)start_queued(connection);
    if (connection->open < window_of(connection)) vb_connection_wait_for_work(connection);
    vb_worker_mark_dirty(lane->worker, connection);
  }
  uint64_t most = (uint64_t)WINDOWS_AHEAD * node->connections * lane->phase->spec.pipeline;
  lane->blocked = !lane->paced && vb_queue_length(&node->queue) >= most;
}

/* The next operation that is this connection's; others join their nodes' queues. */
static bool draw_for(vb_connection *connection, uint64_t *n) {
  vb_lane *lane = connection->lane;
  uint32_t window = lane->phase->spec.pipeline;
  /* What joins another node's queue may set a flow free that takes this connection. */
  while (connection->open < window && lane->accepting && !lane->blocked &&
         vb_lane_next_number(lane, n)) {
    uint32_t node = vb_lane_route(lane, *n);
    if (node == connection->node) {
      lane->open++;
      return true;
    }
    vb_lane_enqueue(lane, node, (vb_waiting){*n, 0});
  }
  return false;
}

static bool start_one(vb_connection *connection) {
  vb_lane *lane = connection->lane;
  if (VB_UNLIKELY(lane->node_count > 1)) {
    if (vb_flow_serve(connection)) return true;
    if (vb_flow_is_away(connection)) return false;
  }
  if (VB_UNLIKELY(lane->retries.waiting)) {
    if (vb_retry_start(connection)) return true;
    if (vb_retry_holds(lane)) return false;
  }
  if (VB_UNLIKELY(lane->queued) && vb_queue_length(&lane->nodes[connection->node].queue))
    return start_queued(connection);
  if (lane->paced) return false;
  uint64_t n;
  return draw_for(connection, &n) && start(connection, (vb_waiting){n, 0});
}

/* It has begun all that it may, and all has ended: a new connection takes its place. */
static bool is_spent(const vb_connection *connection) {
  const vb_lane *lane = connection->lane;
  return lane->phase->spec.reconnect && !connection->left && !connection->open &&
         connection->index < lane->wanted && connection->state == VB_CONNECTION_READY &&
         atomic_load_explicit(&lane->state, memory_order_relaxed) == VB_LANE_RUN;
}

void vb_connection_fill(vb_connection *connection) {
  vb_lane *lane = connection->lane;
  uint32_t window = window_of(connection);
  if (VB_UNLIKELY(!window) && is_spent(connection)) {
    vb_connection_renew(connection);
    return;
  }
  if (atomic_load_explicit(&lane->state, memory_order_relaxed) == VB_LANE_RUN) {
    do {
      vb_connection_begin_burst(connection, window);
    } while (connection->open < window && start_one(connection));
  }
  if ((lane->node_count > 1 || lane->paced) && connection->open < window)
    vb_connection_wait_for_work(connection);
  vb_connection_flush(connection);
}

void vb_lane_fill_waiting(vb_lane *lane) {
  for (uint32_t i = 0; i < lane->node_count && !lane->blocked; i++) {
    vb_lane_node *node = &lane->nodes[i];
    for (uint32_t left = node->waiting_count; left && node->waiting_count; left--) {
      vb_connection *connection = pop_waiting(node);
      if (connection->state == VB_CONNECTION_READY) vb_connection_fill(connection);
    }
  }
}
