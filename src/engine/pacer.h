/* The schedule of an open loop: when operations fall due, whatever the server does; and the stages
 * of a ramp.
 * A pacer is one worker's; stages are read-only and shared. */
#ifndef VB_ENGINE_PACER_H
#define VB_ENGINE_PACER_H

#include "base/clock.h"
#include "base/random.h"
#include "engine/engine.h"

/* What all workers of a phase share: together their schedules are that of the phase. */
typedef struct vb_schedule {
  double rate;            /* operations a second, all workers together: before the stages */
  const vb_stage *stages; /* of the rate; the last target stays */
  uint32_t stage_count;
  bool poisson;    /* else at constant intervals */
  uint64_t hold;   /* ns from the start in which the stages have not begun: the warm-up */
  uint64_t stream; /* seed of the arrivals */
} vb_schedule;

/* A piece of the schedule on which the rate is a line: `rate` at its begin, changing by `slope`. */
typedef struct vb_pace {
  double begin, length; /* seconds from the start of the phase */
  double rate, slope;   /* operations a second, and their change a second */
} vb_pace;

typedef struct vb_pacer {
  const vb_schedule *schedule;
  vb_ns start;
  uint32_t piece;  /* 0: before the stages */
  vb_pace pace;    /* of the piece */
  double before;   /* operations of the phase that are due before the piece */
  double position; /* the next one of this worker, counted over all workers */
  double interval; /* between two of its own at constant intervals, in operations of all */
  vb_rng rng;
} vb_pacer;

/* The schedule of worker `worker` of `workers`, from the clock's `start` on. */
void vb_pacer_init(vb_pacer *pacer, const vb_schedule *schedule, vb_ns start, uint32_t worker,
                   uint32_t workers);
/* When the next operation of this worker falls due; UINT64_MAX: never. Constant: operation k of the
 * phase is due where the integral of the rate is k, and is worker k mod workers's. Poisson: the
 * same with exponential distances (a thinned Poisson process is Poisson). Each call is the next. */
vb_ns vb_pacer_next(vb_pacer *pacer);

/* What stages of clients or rate come to `elapsed` ns after their begin, from `first` on. */
double vb_stages_at(const vb_stage *stages, uint32_t count, double first, double elapsed);
/* How long they take, in ns. */
uint64_t vb_stages_length(const vb_stage *stages, uint32_t count);

#endif
