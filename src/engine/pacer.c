#include "engine/pacer.h"

#include <math.h>

static const double never = INFINITY, ns_per_s = 1e9;

/* Piece 0 is the warm-up at the first rate; piece i the stage i - 1; the last one has no end. */
static void enter(vb_pacer *pacer, uint32_t piece, double begin) {
  const vb_schedule *schedule = pacer->schedule;
  vb_pace *pace = &pacer->pace;
  const vb_stage *stage =
      piece && piece <= schedule->stage_count ? &schedule->stages[piece - 1] : NULL;
  double from = piece > 1 ? schedule->stages[piece - 2].target : schedule->rate;
  double to = stage ? stage->target : from;
  if (stage && stage->step) from = to;
  pacer->piece = piece;
  pace->begin = begin;
  pace->length = stage ? (double)stage->duration_ns / ns_per_s : never;
  if (!piece && schedule->stage_count) pace->length = (double)schedule->hold / ns_per_s;
  pace->rate = from;
  pace->slope = stage ? (to - from) / pace->length : 0;
}

/* Operations that fall due in the whole piece. */
static double size_of(const vb_pace *pace) {
  if (isinf(pace->length)) return pace->rate > 0 ? never : 0;
  return (pace->rate + pace->slope * pace->length / 2) * pace->length;
}

/* How far into the piece operation `count` of it is due: the root of rate t + slope t^2 / 2 = count
 * in the form that does not cancel (Press et al., Numerical Recipes, 5.6). */
static double reach(const vb_pace *pace, double count) {
  if (count <= 0) return 0;
  double root = pace->rate * pace->rate + 2 * pace->slope * count;
  return 2 * count / (pace->rate + sqrt(root > 0 ? root : 0));
}

static void step(vb_pacer *pacer) {
  if (!pacer->schedule->poisson) {
    pacer->position += pacer->interval;
    return;
  }
  double unit = 1 - vb_unit(vb_rng_next(&pacer->rng)); /* (0, 1] */
  pacer->position -= log(unit) * pacer->interval;
}

void vb_pacer_init(vb_pacer *pacer, const vb_schedule *schedule, vb_ns start, uint32_t worker,
                   uint32_t workers) {
  *pacer = (vb_pacer){.schedule = schedule,
                      .start = start,
                      .position = schedule->poisson ? 0 : worker,
                      .interval = workers,
                      .rng = {vb_draw(schedule->stream, worker, vb_hash(0, "arrivals", 8))}};
  enter(pacer, 0, 0);
  if (schedule->poisson) step(pacer);
}

vb_ns vb_pacer_next(vb_pacer *pacer) {
  double size = size_of(&pacer->pace);
  while (pacer->position >= pacer->before + size) {
    if (pacer->piece > pacer->schedule->stage_count || isinf(pacer->pace.length)) return UINT64_MAX;
    pacer->before += size;
    enter(pacer, pacer->piece + 1, pacer->pace.begin + pacer->pace.length);
    size = size_of(&pacer->pace);
  }
  double due = pacer->pace.begin + reach(&pacer->pace, pacer->position - pacer->before);
  step(pacer);
  return pacer->start + (vb_ns)(due * ns_per_s + 0.5);
}

double vb_stages_at(const vb_stage *stages, uint32_t count, double first, double elapsed) {
  double from = first;
  for (uint32_t i = 0; i < count; i++) {
    double length = (double)stages[i].duration_ns, to = stages[i].target;
    if (elapsed < length) return stages[i].step ? to : from + (to - from) * elapsed / length;
    elapsed -= length;
    from = to;
  }
  return from;
}

uint64_t vb_stages_length(const vb_stage *stages, uint32_t count) {
  uint64_t length = 0;
  for (uint32_t i = 0; i < count; i++) length += stages[i].duration_ns;
  return length;
}
