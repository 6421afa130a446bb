/* The most common operations, several at once: of what is the same for all of them, each pays its
 * part only. Whatever is not the most common stops a burst, and goes the general way. */
#include "engine/effects.h"
#include "engine/worker.h"

/* Successes in a row that were written at once, and are of one entry. */
typedef struct success_run {
  const vb_entry *entry;
  vb_ns written;
  uint32_t count;
  uint64_t bytes;
} success_run;

static void push_flights(vb_connection *connection, const vb_entry *entry, vb_block block,
                         size_t size) {
  uint32_t mask = connection->ring_size - 1, at = connection->tail;
  vb_ns now = connection->lane->worker->now;
  uint64_t end = connection->outbox.appended;
  for (uint64_t n = block.first; n < block.end; n++) {
    vb_flight *flight = &connection->ring[at++ & mask];
    end += size;
    flight->n = n;
    flight->due = 0;
    flight->written = now;
    flight->end = end;
    flight->entry = entry;
    flight->step = 0;
    flight->replies = 1;
    flight->retry = flight->repeats = 0;
  }
  connection->tail = at;
}

/* Writes operations that claim an id each, which their flights remember. How many; what the next
 * one claimed before it failed is the general way's. */
static uint32_t fill_claims(vb_connection *connection, const vb_entry *entry, vb_block block,
                            char *to) {
  vb_lane *lane = connection->lane;
  const vb_command *command = entry->steps->command;
  size_t size = vb_command_fixed_size(command);
  uint32_t mask = connection->ring_size - 1, at = connection->tail;
  for (uint64_t n = block.first; n < block.end; n++, at++, to += size) {
    vb_flight *flight = &connection->ring[at & mask];
    vb_operation operation;
    flight->place = VB_UNDRAWN;
    vb_operation_begin(&operation, lane->phase->stream, n);
    operation.taker = (vb_taker){lane->worker->index, lane->phase->workers};
    operation.places = &flight->place;
    if (VB_LIKELY(!vb_command_fill(command, &lane->worker->renderer, &operation, to))) continue;
    flight->n = n;
    flight->entry = entry;
    vb_lane_spill(lane, flight);
    return (uint32_t)(n - block.first);
  }
  return (uint32_t)(block.end - block.first);
}

/* Begins the operations of a block, which are all of one entry. How many: fewer when the next
 * cannot be written, which the general way is to judge. */
static uint32_t begin_block(vb_connection *connection, const vb_entry *entry, vb_block block) {
  vb_lane *lane = connection->lane;
  vb_outbox *outbox = &connection->outbox;
  const vb_command *command = entry->steps->command;
  size_t size = vb_command_fixed_size(command);
  uint32_t count = (uint32_t)(block.end - block.first);
  char *to = vb_outbox_reserve(outbox, &lane->worker->pool, size * count);
  if (VB_UNLIKELY(entry->claims))
    count = fill_claims(connection, entry, block, to);
  else
    count = vb_command_fill_run(command, lane->phase->stream, block.first, count, to);
  if (VB_UNLIKELY(!count)) return 0;
  block.end = block.first + count;
  push_flights(connection, entry, block, size);
  vb_outbox_commit(outbox, size * count);
  vb_lane_count_sent(lane, entry->row, block.first, count, size * count);
  connection->open += count;
  lane->open += count;
  lane->block.first += count;
  return count;
}

static inline uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* The next operations of an entry: numbers in hand, as many as fit into the window and into a chunk
 * of the outbox, all before or all after the end of the warm-up. */
static vb_block next_block(const vb_connection *connection, size_t size, uint32_t window) {
  const vb_lane *lane = connection->lane;
  vb_block block = lane->block;
  uint64_t from = lane->counted_from;
  uint64_t most = vb_program_is_one(lane->phase->spec.program) ? window - connection->open : 1;
  if (VB_UNLIKELY(most * size > VB_CHUNK_SIZE))
    most = size < VB_CHUNK_SIZE ? VB_CHUNK_SIZE / size : 1;
  block.end = least(block.end, block.first + most);
  if (VB_UNLIKELY(block.first < from)) block.end = least(block.end, from);
  return block;
}

void vb_connection_begin_burst(vb_connection *connection, uint32_t window) {
  vb_lane *lane = connection->lane;
  if (!lane->bursts || !lane->accepting || lane->retries.waiting || lane->queued) return;
  while (connection->open < window && vb_lane_has_number(lane)) {
    const vb_entry *entry =
        vb_program_pick(lane->phase->spec.program, lane->phase->stream, lane->block.first);
    bool fits = entry->single || entry->claims;
    size_t size = fits ? vb_command_fixed_size(entry->steps->command) : 0;
    if (!size) return;
    vb_block block = next_block(connection, size, window);
    if (begin_block(connection, entry, block) < block.end - block.first) return;
  }
}

/* Whether successes of a flight's entry that were written with it are nothing but counted. */
static inline bool begins_run(const vb_lane *lane, const vb_flight *flight) {
  return flight->entry->plain && lane->worker->now - flight->written <= lane->slowest_floor;
}

static void end_run(vb_connection *connection, const success_run *run) {
  vb_lane *lane = connection->lane;
  if (!run->count) return;
  connection->head += run->count;
  connection->open -= run->count;
  lane->open -= run->count;
  vb_lane_record_run(lane, &(vb_run_length){.latency = lane->worker->now - run->written,
                                            .row = run->entry->row,
                                            .node = connection->node,
                                            .count = run->count,
                                            .plain = run->count,
                                            .bytes = run->bytes});
}

size_t vb_connection_take_burst(vb_connection *connection, const char *data, size_t length) {
  vb_lane *lane = connection->lane;
  uint32_t mask = connection->ring_size - 1;
  success_run run = {0};
  size_t used = 0;
  if (!lane->bursts) return 0;
  for (uint32_t at = connection->head; at != connection->unstamped; at++) {
    const vb_flight *flight = &connection->ring[at & mask];
    if (flight->entry != run.entry || flight->written != run.written) {
      end_run(connection, &run);
      run = (success_run){.entry = flight->entry, .written = flight->written};
      if (!begins_run(lane, flight)) break;
    }
    bool claims = flight->entry->claims;
    if (VB_UNLIKELY(flight->retry || flight->n < lane->counted_from)) break;
    if (VB_UNLIKELY(claims) && flight->place == VB_UNDRAWN) break;
    size_t size = vb_scanner_success(data + used, length - used);
    if (!size || VB_UNLIKELY(size > connection->scanner.max_reply)) break;
    if (VB_UNLIKELY(claims)) vb_command_claim_used(flight->entry->steps->command, flight->place);
    used += size;
    run.bytes += size;
    run.count++;
  }
  end_run(connection, &run);
  return used;
}
