#include "engine/worker.h"

#include <string.h>

static void count_plain(vb_lane *lane, const vb_run_length *run) {
  vb_counters *counters = &lane->rows[run->row].counters;
  lane->interval->requests += run->plain;
  lane->interval->operations += run->plain;
  lane->interval->bytes_received += run->bytes;
  counters->operations += run->plain;
  counters->requests += run->plain;
  counters->bytes_received += run->bytes;
  if (lane->node_rows) lane->node_rows[run->node].counters.requests += run->plain;
  lane->last_reply = lane->worker->now;
}

void vb_lane_record_flush(vb_lane *lane) {
  vb_run_length *run = &lane->run;
  if (!run->count) return;
  if (run->plain) count_plain(lane, run);
  vb_histogram_record(lane->rows[run->row].latency, run->latency, run->count);
  vb_histogram_record(lane->interval->latency, run->latency, run->count);
  if (lane->node_rows)
    vb_histogram_record(lane->node_rows[run->node].latency, run->latency, run->count);
  run->count = run->plain = run->bytes = 0;
}

/* The id that operation n draws. */
static uint64_t id_of(const vb_lane *lane, uint64_t n) {
  const vb_entry *entry = vb_program_pick(lane->phase->spec.program, lane->phase->stream, n);
  vb_operation operation;
  vb_lane_begin_operation(lane, &operation, n);
  (void)vb_entry_draw_steps(entry, entry->step_count, &operation);
  return operation.id;
}

void vb_lane_note_slow(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns time,
                       vb_ns now) {
  if (VB_LIKELY(time <= lane->slowest_floor)) return;
  vb_slow slow = {
      .latency_ns = time, .n = n, .id = id_of(lane, n), .at_ns = now, .command = row, .node = node};
  vb_slowest_add(&lane->slowest, &slow);
  lane->slowest_floor = vb_slowest_floor(&lane->slowest);
}

/* The run that a success joins: the one that goes on, or the next, which begins. */
static inline vb_run_length *find_run(vb_lane *lane, uint32_t row, uint32_t node, vb_ns latency) {
  vb_run_length *run = &lane->run;
  if (latency != run->latency || row != run->row || node != run->node) {
    vb_lane_record_flush(lane);
    run->latency = latency;
    run->row = row;
    run->node = node;
  }
  return run;
}

void vb_lane_record(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns latency,
                    vb_ns now) {
  find_run(lane, row, node, latency)->count++;
  if (VB_UNLIKELY(latency > lane->slowest_floor) && !lane->paced)
    vb_lane_note_slow(lane, row, node, n, latency, now);
}

void vb_lane_record_plain(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns latency,
                          uint64_t bytes) {
  vb_run_length *run = find_run(lane, row, node, latency);
  run->count++;
  run->plain++;
  run->bytes += bytes;
  if (VB_UNLIKELY(latency > lane->slowest_floor) && !lane->paced)
    vb_lane_note_slow(lane, row, node, n, latency, lane->worker->now);
}

void vb_lane_record_run(vb_lane *lane, const vb_run_length *more) {
  vb_run_length *run = find_run(lane, more->row, more->node, more->latency);
  run->count += more->count;
  run->plain += more->plain;
  run->bytes += more->bytes;
}

static void count_error(vb_lane *lane, uint32_t row, uint32_t node) {
  lane->rows[row].counters.errors++;
  lane->interval->errors++;
  if (lane->node_rows) lane->node_rows[node].counters.errors++;
  if (lane->phase->spec.stop_on_error)
    vb_lane_fail(lane, VB_ESERVER, "on_error = \"stop\": %s",
                 lane->rows[row].errors.kinds[lane->rows[row].errors.used - 1].first);
}

void vb_lane_count_error(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, const char *kind,
                         const char *message) {
  if (!vb_lane_counts(lane, n)) return;
  vb_error_table_count(&lane->rows[row].errors, kind, strlen(kind), message, strlen(message));
  if (!strcmp(kind, "timeout")) vb_lane_count_timeout(lane, row, n);
  count_error(lane, row, node);
}

void vb_lane_count_error_reply(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n,
                               const vb_reply *reply) {
  if (!vb_lane_counts(lane, n)) return;
  vb_error_table_reply(&lane->rows[row].errors, reply->text ? reply->text : "", reply->text_length);
  count_error(lane, row, node);
}

void vb_lane_count_retry(vb_lane *lane, uint32_t row, uint64_t n) {
  if (!vb_lane_counts(lane, n)) return;
  lane->rows[row].counters.retries++;
  lane->interval->retries++;
}

void vb_lane_count_timeout(vb_lane *lane, uint32_t row, uint64_t n) {
  if (!vb_lane_counts(lane, n)) return;
  lane->rows[row].counters.timeouts++;
  lane->interval->timeouts++;
}

void vb_lane_count_unknown(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n) {
  if (!vb_lane_counts(lane, n)) return;
  lane->rows[row].counters.unknown++;
  if (lane->unknown.used == VB_SLOWEST) return;
  lane->unknown.entries[lane->unknown.used++] = (vb_slow){
      .n = n, .id = id_of(lane, n), .at_ns = lane->worker->now, .command = row, .node = node};
}

void vb_lane_count_push(vb_lane *lane, const vb_reply *reply) {
  const char *at = vb_reply_first(reply);
  vb_reply kind = {0};
  if (lane->counted_from == UINT64_MAX) return;
  lane->rows[0].counters.pushes++;
  if (at) (void)vb_reply_element(at, &kind);
  if (!kind.text || !kind.text_length) kind = (vb_reply){.text = "unnamed", .text_length = 7};
  vb_error_table_count(&lane->pushes, kind.text, kind.text_length, "", 0);
}
