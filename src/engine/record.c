#include "engine/lane.h"

#include <string.h>

void vb_lane_record_flush(vb_lane *lane) {
  vb_run_length *run = &lane->run;
  if (!run->count) return;
  vb_histogram_record(lane->rows[run->row].latency, run->latency, run->count);
  vb_histogram_record(lane->interval->latency, run->latency, run->count);
  if (lane->node_rows)
    vb_histogram_record(lane->node_rows[run->node].latency, run->latency, run->count);
  run->count = 0;
}

static void note_slow(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns latency,
                      vb_ns now) {
  vb_slow slow = {
      .latency_ns = latency, .n = n, .id = UINT64_MAX, .at_ns = now, .command = row, .node = node};
  const vb_entry *entry = vb_program_pick(lane->phase->spec.program, lane->phase->stream, n);
  vb_operation operation;
  (void)vb_entry_draw(entry, entry->step_count, &operation, lane->phase->stream, n);
  slow.id = operation.id;
  vb_slowest_add(&lane->slowest, &slow);
  lane->slowest_floor = vb_slowest_floor(&lane->slowest);
}

void vb_lane_record(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns latency,
                    vb_ns now) {
  vb_run_length *run = &lane->run;
  if (latency == run->latency && row == run->row && node == run->node) {
    run->count++;
  } else {
    vb_lane_record_flush(lane);
    *run = (vb_run_length){latency, row, node, 1};
  }
  if (VB_UNLIKELY(latency > lane->slowest_floor)) note_slow(lane, row, node, n, latency, now);
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
  if (!strcmp(kind, "timeout")) {
    lane->rows[row].counters.timeouts++;
    lane->interval->timeouts++;
  }
  count_error(lane, row, node);
}

void vb_lane_count_error_reply(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n,
                               const vb_reply *reply) {
  if (!vb_lane_counts(lane, n)) return;
  vb_error_table_reply(&lane->rows[row].errors, reply->text ? reply->text : "", reply->text_length);
  count_error(lane, row, node);
}
