#include "engine/effects.h"
#include "engine/flow.h"
#include "engine/worker.h"

#include <stdio.h>
#include <stdlib.h>

enum {
  BACKOFF_MIN_MS = 10,
  BACKOFF_MAX_MS = 500,
  SHARE_AFTER_MS = 100,
  PUT_BACK_MAX = 10, /* by connections that bring nothing; then it is a failure */
  TIMEOUT_SHARE = 3  /* a timeout uses up this part of the tries: it has cost time already */
};

/* Error replies by which a server says that it is not ready: the command was not executed. */
static const char *const TRANSIENT[] = {"LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN"};

static const char *transient_kind(const vb_reply *reply) {
  const char *text = reply->text;
  size_t length = 0;
  while (text && length < reply->text_length && text[length] != ' ') length++;
  for (size_t i = 0; length && i < VB_ARRAY_LENGTH(TRANSIENT); i++)
    if (strlen(TRANSIENT[i]) == length && !memcmp(TRANSIENT[i], text, length)) return TRANSIENT[i];
  return NULL;
}

static void mark(vb_flight *flight, uint32_t place) {
  flight->retry = place & VB_RETRY_PLACES;
}

static vb_retry *slot_at(const vb_lane *lane, uint32_t place) {
  return &lane->retries.slots[place - 1];
}

static void out_of_memory(uint32_t count) {
  (void)fprintf(stderr, "vbench: out of memory: %u operations to be sent again\n", count);
  exit(1);
}

static void grow_slots(vb_retries *retries) {
  uint32_t before = retries->capacity, capacity = before ? before * 2 : 64;
  vb_retry *slots = realloc(retries->slots, capacity * sizeof *slots);
  uint32_t *unused = realloc(retries->unused, capacity * sizeof *unused);
  if (!slots || !unused) out_of_memory(capacity);
  retries->slots = slots;
  retries->unused = unused;
  retries->capacity = capacity;
  for (uint32_t place = capacity; place > before; place--) unused[retries->unused_count++] = place;
}

static uint32_t take_place(vb_lane *lane, uint64_t n) {
  vb_retries *retries = &lane->retries;
  if (!retries->unused_count) grow_slots(retries);
  uint32_t place = retries->unused[--retries->unused_count];
  *slot_at(lane, place) = (vb_retry){.n = n, .kind = "connection"};
  return place;
}

static void free_place(vb_lane *lane, uint32_t place) {
  if (place) lane->retries.unused[lane->retries.unused_count++] = place;
}

static bool is_before(const vb_lane *lane, uint32_t a, uint32_t b) {
  const vb_retry *x = slot_at(lane, a), *y = slot_at(lane, b);
  return x->not_before < y->not_before || (x->not_before == y->not_before && x->n < y->n);
}

static void push(vb_lane *lane, uint32_t node, uint32_t place) {
  vb_retry_heap *heap = &lane->nodes[node].retries;
  if (heap->count == heap->capacity) {
    uint32_t capacity = heap->capacity ? heap->capacity * 2 : 64;
    uint32_t *places = realloc(heap->places, capacity * sizeof *places);
    if (!places) out_of_memory(capacity);
    heap->places = places;
    heap->capacity = capacity;
  }
  uint32_t at = heap->count++;
  for (; at && is_before(lane, place, heap->places[(at - 1) / 2]); at = (at - 1) / 2)
    heap->places[at] = heap->places[(at - 1) / 2];
  heap->places[at] = place;
  lane->retries.waiting++;
}

static uint32_t pop(vb_lane *lane, vb_retry_heap *heap) {
  uint32_t top = heap->places[0], last = heap->places[--heap->count], at = 0, child;
  while ((child = 2 * at + 1) < heap->count) {
    if (child + 1 < heap->count && is_before(lane, heap->places[child + 1], heap->places[child]))
      child++;
    if (!is_before(lane, heap->places[child], last)) break;
    heap->places[at] = heap->places[child];
    at = child;
  }
  heap->places[at] = last;
  lane->retries.waiting--;
  return top;
}

/* Exponential from 10 ms to 500 ms, each jittered to between half and the whole of it. */
static vb_ns backoff(const vb_lane *lane, const vb_retry *slot) {
  uint64_t limit_ms = BACKOFF_MIN_MS;
  for (uint32_t i = 1; i < slot->tries && limit_ms < BACKOFF_MAX_MS; i++) limit_ms *= 2;
  if (limit_ms > BACKOFF_MAX_MS) limit_ms = BACKOFF_MAX_MS;
  uint64_t half = limit_ms * VB_NS_PER_MS / 2;
  return half + vb_below(vb_draw(lane->worker->now, slot->n, half), half);
}

/* Whether an operation of the lane may wait: later there is nobody to send it. */
static bool can_wait(const vb_lane *lane) {
  return atomic_load_explicit(&lane->state, memory_order_relaxed) == VB_LANE_RUN && !lane->failing;
}

static uint32_t limit_of(const vb_lane *lane, const vb_entry *entry) {
  return entry->retries < 0 ? lane->phase->spec.retries : (uint32_t)entry->retries;
}

/* A transaction, or a run of a flow: not one step after the other. */
static bool is_whole(const vb_entry *entry) {
  return entry->kind == VB_ENTRY_TRANSACTION || entry->kind == VB_ENTRY_FLOW;
}

static uint32_t row_of(const vb_flight *flight) {
  const vb_entry *entry = flight->entry;
  return is_whole(entry) ? entry->row : entry->steps[flight->step].row;
}

static uint16_t step_of(const vb_flight *flight) {
  return is_whole(flight->entry) ? 0 : flight->step;
}

static bool is_repeatable(const vb_flight *flight) {
  const vb_entry *entry = flight->entry;
  return entry->kind == VB_ENTRY_TRANSACTION ? entry->repeatable
                                             : entry->steps[flight->step].repeatable;
}

static vb_flight *flight_at(const vb_connection *connection, uint32_t at) {
  return &connection->ring[at & (connection->ring_size - 1)];
}

/* Behind the flights, from `at` on, of operation n: those of an operation stand together. */
static uint32_t end_of(const vb_connection *connection, uint32_t at, uint64_t n) {
  while (at != connection->tail && flight_at(connection, at)->entry &&
         flight_at(connection, at)->n == n)
    at++;
  return at;
}

static void count_gave_up(vb_lane *lane, const vb_flight *flight) {
  if (vb_lane_counts(lane, flight->n)) lane->rows[row_of(flight)].counters.gave_up++;
}

/* The operation ends: its flights from `at` to `end` are errors. What was executed or not is not
 * known of those that were sent and that are not the same when they are done twice. */
static void fail_flights(vb_connection *connection, uint32_t at, uint32_t end, const char *kind,
                         const char *message) {
  vb_lane *lane = connection->lane;
  uint64_t n = flight_at(connection, at)->n;
  uint32_t row = flight_at(connection, at)->entry->row;
  vb_ns due = flight_at(connection, at)->due;
  for (; at != end; at++) {
    const vb_flight *flight = flight_at(connection, at);
    bool sent = (int32_t)(connection->unstamped - at) > 0;
    vb_lane_count_error(lane, row_of(flight), connection->node, n, kind, message);
    if (sent) vb_lane_step_lost(lane, flight);
    if (sent && !is_repeatable(flight))
      vb_lane_count_unknown(lane, row_of(flight), connection->node, n);
  }
  if (!strcmp(kind, "timeout")) vb_lane_record_age(lane, n, due, lane->worker->now);
  vb_lane_operation_ended(lane, row, n);
}

static bool all_repeatable(const vb_connection *connection, uint32_t at, uint32_t end) {
  for (; at != end; at++)
    if (!is_repeatable(flight_at(connection, at))) return false;
  return true;
}

/* Those of flights at .. end - 1 that were sent. */
static uint32_t end_of_sent(const vb_connection *connection, uint32_t at, uint32_t end) {
  while (at != end && (int32_t)(connection->unstamped - at) > 0) at++;
  return at;
}

/* The operation goes back to its node's queue, as it was before it was written. False when so many
 * connections in a row had not a single reply. */
static bool put_back(vb_connection *connection, vb_flight *flight) {
  vb_lane *lane = connection->lane;
  if (!flight->retry) mark(flight, take_place(lane, flight->n));
  vb_retry *slot = slot_at(lane, flight->retry);
  if (!slot->aborted) {
    if (slot->put_back == PUT_BACK_MAX) return false;
    slot->put_back += !connection->fruitful;
    slot->due = flight->due;
    slot->step = step_of(flight);
  }
  slot->aborted = false;
  if (slot->not_before < lane->worker->now) slot->not_before = lane->worker->now;
  push(lane, connection->node, flight->retry);
  return true;
}

/* Takes a place for a flight that failed, and notes the failure. `cost`: of its tries. */
static uint32_t note_failure(vb_lane *lane, const vb_flight *flight, const char *kind,
                             uint32_t cost) {
  uint32_t place = flight->retry ? flight->retry : take_place(lane, flight->n);
  vb_retry *slot = slot_at(lane, place);
  slot->kind = kind;
  slot->due = flight->due;
  slot->step = step_of(flight);
  slot->tries = (uint16_t)(slot->tries + cost);
  if (!slot->first) slot->first = flight->written;
  slot->not_before = lane->worker->now + backoff(lane, slot);
  slot->resent = true;
  return place;
}

static uint32_t tries_of(const vb_lane *lane, const vb_flight *flight) {
  return flight->retry ? slot_at(lane, flight->retry)->tries : 0;
}

/* It was sent and has no reply, and it may be sent again `limit` times at most. Without a place
 * when it is not. */
static bool postpone(vb_connection *connection, vb_flight *flight, const char *kind,
                     uint32_t limit) {
  vb_lane *lane = connection->lane;
  bool timeout = !strcmp(kind, "timeout"), may = limit && strcmp(kind, "protocol") != 0;
  uint32_t cost = timeout ? (limit + TIMEOUT_SHARE - 1) / TIMEOUT_SHARE : 1;
  if (may && can_wait(lane) && tries_of(lane, flight) + cost <= limit) {
    if (timeout) vb_lane_count_timeout(lane, row_of(flight), flight->n);
    mark(flight, note_failure(lane, flight, timeout ? "timeout" : "connection", cost));
    push(lane, connection->node, flight->retry);
    return true;
  }
  if (may) count_gave_up(lane, flight);
  free_place(lane, flight->retry);
  flight->retry = 0;
  return false;
}

/* What was sent of flights at .. end - 1 has no reply. */
static void lose_sent(vb_connection *connection, uint32_t at, uint32_t end, const char *kind,
                      const char *message) {
  vb_lane *lane = connection->lane;
  vb_flight *flight = flight_at(connection, at);
  bool may = all_repeatable(connection, at, end_of_sent(connection, at, end));
  if (postpone(connection, flight, kind, may ? limit_of(lane, flight->entry) : 0)) return;
  fail_flights(connection, at, end, kind, message);
}

/* The flights at .. end - 1 are all that is in flight of an operation. */
static void lose_operation(vb_connection *connection, uint32_t at, uint32_t end, const char *kind,
                           const char *message) {
  vb_lane *lane = connection->lane;
  vb_flight *flight = flight_at(connection, at);
  bool aborted = flight->retry && slot_at(lane, flight->retry)->aborted;
  bool sent = end_of_sent(connection, at, end) != at;
  if (can_wait(lane) && (aborted || !sent)) {
    if (put_back(connection, flight)) return;
  } else if (!sent && !step_of(flight) && !tries_of(lane, flight)) {
    free_place(lane, flight->retry);
    vb_lane_leave(lane, flight->n, flight->due);
    return;
  }
  lose_sent(connection, at, end, kind, message);
}

static void spill_all(vb_connection *connection) {
  for (uint32_t at = connection->head; at != connection->tail; at++)
    vb_lane_spill(connection->lane, flight_at(connection, at));
}

/* Whether an operation is in flight at the connection's head, whose flights end before `end`. */
static bool heads_operation(const vb_connection *connection, uint32_t *end) {
  const vb_flight *flight = flight_at(connection, connection->head);
  *end = connection->head + 1;
  if (!flight->entry || flight->entry->kind == VB_ENTRY_LOAD) return false;
  *end = end_of(connection, connection->head, flight->n);
  return true;
}

void vb_retry_lost(vb_connection *connection, const char *kind, const char *message) {
  spill_all(connection);
  for (uint32_t end; connection->head != connection->tail; connection->head = end)
    if (heads_operation(connection, &end))
      lose_operation(connection, connection->head, end, kind, message);
  connection->open = 0;
}

/* The flights at .. end - 1 of an operation will not be answered. */
static void leave(vb_connection *connection, uint32_t at, uint32_t end) {
  const vb_flight *first = flight_at(connection, at);
  uint32_t sent = end_of_sent(connection, at, end);
  for (; at != sent; at++) vb_lane_step_lost(connection->lane, flight_at(connection, at));
  vb_lane_leave(connection->lane, first->n, first->due);
}

void vb_retry_abandon(vb_connection *connection) {
  spill_all(connection);
  for (uint32_t end; connection->head != connection->tail; connection->head = end)
    if (heads_operation(connection, &end) &&
        flight_at(connection, connection->head)->entry->kind != VB_ENTRY_FLOW)
      leave(connection, connection->head, end);
  connection->open = 0;
}

bool vb_retry_run(vb_connection *connection, vb_flight *run, const char *kind, uint32_t limit) {
  vb_lane *lane = connection->lane;
  bool unsent = limit == VB_RETRY_UNSENT;
  if (unsent && can_wait(lane) && put_back(connection, run)) return true;
  if (unsent && !can_wait(lane) && !tries_of(lane, run)) {
    free_place(lane, run->retry);
    run->retry = 0;
    vb_lane_leave(lane, run->n, run->due);
    return true;
  }
  return postpone(connection, run, kind,
                  limit >= VB_RETRY_UNSENT ? limit_of(lane, run->entry) : limit);
}

vb_progress *vb_retry_progress(const vb_lane *lane, uint32_t place) {
  return &slot_at(lane, place)->progress;
}

void vb_retry_end_run(vb_lane *lane, uint32_t place) {
  free_place(lane, place);
}

/* Flights of the operation that are in the ring behind one that is out of it. */
static uint32_t end_of_rest(const vb_connection *connection, const vb_flight *flight) {
  bool alone = flight->entry->kind != VB_ENTRY_SEQUENCE;
  return alone ? connection->head : end_of(connection, connection->head, flight->n);
}

bool vb_retry_refused(vb_connection *connection, vb_flight *flight, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  const char *kind = transient_kind(reply);
  uint32_t limit = limit_of(lane, flight->entry);
  if (!kind || !limit) return false;
  /* What follows it is on its way and will be done, and once more with the retry. */
  if (!all_repeatable(connection, connection->head, end_of_rest(connection, flight))) return false;
  if (!can_wait(lane) || tries_of(lane, flight) >= limit) {
    count_gave_up(lane, flight);
    return false;
  }
  mark(flight, note_failure(lane, flight, kind, 1));
  return true;
}

static void later(vb_connection *connection, uint32_t place) {
  vb_lane *lane = connection->lane;
  vb_retry *slot = slot_at(lane, place);
  slot->aborted = false;
  connection->open--;
  push(lane, connection->node, place);
  if (!can_wait(lane)) vb_retry_give_up(lane);
}

void vb_retry_later(vb_connection *connection, const vb_flight *flight) {
  uint32_t end = end_of_rest(connection, flight);
  if (end == connection->head) {
    later(connection, flight->retry);
    return;
  }
  slot_at(connection->lane, flight->retry)->aborted = true;
  for (uint32_t at = connection->head; at != end; at++)
    mark(flight_at(connection, at), flight->retry);
}

bool vb_retry_swallows(vb_connection *connection, const vb_flight *flight) {
  if (!slot_at(connection->lane, flight->retry)->aborted) return false;
  uint32_t place = flight->retry;
  uint64_t n = flight->n;
  connection->head++;
  if (end_of(connection, connection->head, n) == connection->head) later(connection, place);
  return true;
}

void vb_retry_answered(vb_connection *connection, const vb_flight *flight) {
  const vb_flight *next = flight_at(connection, connection->head);
  bool more = connection->head != connection->tail && next->retry == flight->retry;
  if (!more) free_place(connection->lane, flight->retry);
}

vb_ns vb_retry_began(const vb_connection *connection, const vb_flight *flight) {
  vb_ns first = slot_at(connection->lane, flight->retry)->first;
  return first ? first : flight->written;
}

/* An operation that has a place: what it sends at first is marked by it. */
static bool begin(vb_connection *connection, uint32_t place) {
  vb_lane *lane = connection->lane;
  vb_retry *slot = slot_at(lane, place);
  const vb_entry *entry = vb_program_pick(lane->phase->spec.program, lane->phase->stream, slot->n);
  vb_waiting begun = {slot->n, slot->due};
  bool resent = slot->resent;
  slot->resent = false;
  if (VB_UNLIKELY(entry->kind == VB_ENTRY_FLOW)) {
    if (resent) vb_lane_count_retry(lane, entry->row, begun.n);
    return vb_flow_begin_again(connection, entry, begun, place);
  }
  uint32_t at = connection->tail;
  bool began = vb_connection_begin(connection, entry, slot->step, begun);
  for (; at != connection->tail; at++) mark(flight_at(connection, at), place);
  if (began && resent) vb_lane_count_retry(lane, row_of(flight_at(connection, at - 1)), begun.n);
  return began;
}

bool vb_retry_start(vb_connection *connection) {
  vb_lane *lane = connection->lane;
  vb_retry_heap *heap = &lane->nodes[connection->node].retries;
  if (!heap->count || slot_at(lane, heap->places[0])->not_before > lane->worker->now) return false;
  uint32_t place = pop(lane, heap);
  uint64_t n = slot_at(lane, place)->n;
  connection->open++;
  if (!begin(connection, place)) {
    connection->open--;
    vb_lane_leave(lane, n, slot_at(lane, place)->due);
    free_place(lane, place);
    return false;
  }
  if (lane->phase->spec.reconnect && connection->left) connection->left--;
  return true;
}

bool vb_retry_holds(const vb_lane *lane) {
  return lane->retries.waiting >= (uint64_t)lane->wanted * lane->phase->spec.pipeline;
}

void vb_retry_wake(vb_lane *lane) {
  for (uint32_t i = 0; lane->retries.waiting && i < lane->connection_count; i++)
    if (lane->connections[i]->state == VB_CONNECTION_READY)
      vb_connection_fill(lane->connections[i]);
}

/* Whether any worker can begin the operation as well as this one. */
static bool is_unbegun(const vb_retry *slot) {
  return !slot->tries && !slot->step && !slot->due;
}

static void share_node(vb_lane *lane, uint32_t node) {
  vb_retry_heap *heap = &lane->nodes[node].retries;
  uint32_t count = heap->count;
  heap->count = 0;
  lane->retries.waiting -= count;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t place = heap->places[i]; /* what is pushed goes to places before it */
    uint64_t n = slot_at(lane, place)->n;
    if (is_unbegun(slot_at(lane, place)) &&
        vb_numbers_return(&lane->phase->numbers, (vb_block){n, n + 1})) {
      vb_lane_forget_ids(lane, n);
      lane->open--;
      free_place(lane, place);
    } else {
      push(lane, node, place);
    }
  }
}

void vb_retry_share(vb_lane *lane) {
  vb_ns since = lane->worker->now - SHARE_AFTER_MS * VB_NS_PER_MS;
  if (vb_program_is_shared_out(lane->phase->spec.program)) return; /* the ids are this worker's */
  for (uint32_t i = 0; i < lane->node_count && lane->retries.waiting; i++)
    if (lane->nodes[i].down_since < since) share_node(lane, i);
}

static void give_up(vb_lane *lane, uint32_t node, uint32_t place) {
  const vb_retry *slot = slot_at(lane, place);
  const vb_entry *entry = vb_program_pick(lane->phase->spec.program, lane->phase->stream, slot->n);
  const vb_flight flight = {.n = slot->n, .entry = entry, .step = slot->step};
  if (slot->tries || slot->step) {
    count_gave_up(lane, &flight);
    vb_lane_step_lost(lane, &flight);
    vb_lane_count_error(lane, row_of(&flight), node, slot->n, slot->kind,
                        "the phase ended before it could be sent again");
    if (!strcmp(slot->kind, "timeout"))
      vb_lane_record_age(lane, slot->n, slot->due, lane->worker->now);
    vb_lane_operation_ended(lane, entry->row, slot->n);
  } else {
    vb_lane_leave(lane, slot->n, slot->due);
  }
  free_place(lane, place);
}

void vb_retry_give_up(vb_lane *lane) {
  for (uint32_t i = 0; i < lane->node_count; i++) {
    vb_retry_heap *heap = &lane->nodes[i].retries;
    while (heap->count) give_up(lane, i, pop(lane, heap));
  }
}

void vb_retry_reset(vb_lane *lane) {
  vb_retries *retries = &lane->retries;
  retries->waiting = retries->unused_count = 0;
  for (uint32_t place = retries->capacity; place; place--)
    retries->unused[retries->unused_count++] = place;
  for (uint32_t i = 0; lane->nodes && i < lane->node_count; i++) lane->nodes[i].retries.count = 0;
}

void vb_retries_fini(vb_lane *lane) {
  for (uint32_t i = 0; lane->nodes && i < lane->node_count; i++)
    free(lane->nodes[i].retries.places);
  free(lane->retries.slots);
  free(lane->retries.unused);
}
