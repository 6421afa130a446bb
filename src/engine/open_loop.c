#include "engine/effects.h"
#include "engine/worker.h"

enum { LATENESS_DIGITS = 3, BLOCK_MS = 10 };

int vb_lane_fit_schedule(vb_lane *lane) {
  if (!lane->paced) return VB_OK;
  if (!lane->lateness) lane->lateness = vb_histogram_new(LATENESS_DIGITS);
  if (!lane->lateness) return VB_ENOMEM;
  vb_histogram_reset(lane->lateness);
  return VB_OK;
}

/* In an open loop, numbers for 10 ms: one that takes more at a low rate would have some left when
 * the others have none, and run on alone. */
static uint64_t paced_block_size(const vb_phase *phase) {
  double most = phase->spec.rate;
  for (uint32_t i = 0; i < phase->schedule.stage_count; i++)
    if (phase->schedule.stages[i].target > most) most = phase->schedule.stages[i].target;
  double size = most / phase->workers * BLOCK_MS / 1e3;
  if (size < 1) return 1;
  return size < VB_NUMBERS_BLOCK ? (uint64_t)size : VB_NUMBERS_BLOCK;
}

void vb_lane_fit_blocks(vb_lane *lane) {
  bool warmup = lane->counted_from == UINT64_MAX;
  lane->block_size = lane->paced ? paced_block_size(lane->phase) : VB_NUMBERS_BLOCK;
  if (warmup) lane->block_size = 1;
}

static void follow(vb_lane *lane, vb_ns due) {
  lane->next_due = due < lane->phase->end ? due : UINT64_MAX;
}

void vb_lane_start_schedule(vb_lane *lane) {
  vb_phase *phase = lane->phase;
  vb_pacer_init(&lane->pacer, &phase->schedule, phase->start, lane->worker->index, phase->workers);
  follow(lane, vb_pacer_next(&lane->pacer));
  vb_worker_follow_schedules(lane->worker);
}

static uint32_t first_row(const vb_lane *lane, uint64_t n) {
  return vb_program_pick(lane->phase->spec.program, lane->phase->stream, n)->row;
}

/* An operation falls due. False when there are no more. */
static bool arrive(vb_lane *lane, vb_ns now) {
  uint64_t n;
  if (!vb_lane_next_number(lane, &n)) return false;
  bool counts = vb_lane_counts(lane, n);
  lane->asked += counts;
  if (counts) vb_histogram_record(lane->lateness, now - lane->next_due, 1);
  if (lane->queued < lane->phase->spec.backlog)
    vb_lane_enqueue(lane, vb_lane_route(lane, n), (vb_waiting){n, lane->next_due});
  else
    lane->rows[first_row(lane, n)].counters.dropped += counts;
  return true;
}

void vb_lane_release(vb_lane *lane) {
  if (!lane->paced || !lane->accepting) return;
  vb_ns now = lane->worker->now;
  while (lane->next_due <= now) {
    if (arrive(lane, now))
      follow(lane, vb_pacer_next(&lane->pacer));
    else
      lane->next_due = UINT64_MAX;
  }
}

void vb_lane_record_response(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns due) {
  vb_ns now = lane->worker->now, response = now - due;
  vb_histogram_record(lane->rows[row].response, response, 1);
  vb_histogram_record(lane->interval->response, response, 1);
  vb_lane_note_slow(lane, row, node, n, response, now);
}

void vb_lane_record_age(vb_lane *lane, uint64_t n, vb_ns due, vb_ns now) {
  if (!lane->paced || !vb_lane_counts(lane, n)) return;
  vb_row *row = &lane->rows[first_row(lane, n)];
  vb_histogram_record(row->response, now - due, 1);
  row->counters.unanswered++;
}

static void leave(vb_lane *lane, vb_waiting left, vb_ns until) {
  vb_lane_forget_ids(lane, left.n);
  lane->open--;
  if (!vb_lane_counts(lane, left.n)) return;
  lane->waiting += lane->paced;
  vb_lane_record_age(lane, left.n, left.due, until);
}

void vb_lane_leave(vb_lane *lane, uint64_t n, vb_ns due) {
  leave(lane, (vb_waiting){n, due}, lane->worker->now);
}

void vb_lane_withdraw(vb_lane *lane, uint64_t n) {
  vb_lane_forget_ids(lane, n);
  lane->open--;
  if (lane->paced && vb_lane_counts(lane, n)) lane->asked--;
}

/* What fell due before the end has waited until then; what fell due behind the end of a cursor, for
 * nothing. */
static void drop_queued(vb_lane *lane, vb_queue *queue) {
  vb_ns end = lane->worker->now < lane->phase->end ? lane->worker->now : lane->phase->end;
  uint64_t limit = atomic_load(&lane->phase->numbers.limit);
  lane->queued -= vb_queue_length(queue);
  while (vb_queue_length(queue)) {
    vb_waiting left = vb_queue_pop(queue);
    if (left.n < limit)
      leave(lane, left, end);
    else
      vb_lane_withdraw(lane, left.n);
  }
}

void vb_lane_drop_queued(vb_lane *lane) {
  for (uint32_t i = 0; i < lane->node_count; i++) drop_queued(lane, &lane->nodes[i].queue);
}
