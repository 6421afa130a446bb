/* A run: the phases that go on together, as main sees them. Private to engine/; main thread only.
 */
#ifndef VB_ENGINE_RUN_H
#define VB_ENGINE_RUN_H

#include "engine/worker.h"

/* Where a lane stands, all its workers together. */
enum vb_track_state {
  VB_TRACK_DELAYED, /* a background phase before its start */
  VB_TRACK_RUN,
  VB_TRACK_STOPPED, /* its workers drain */
  VB_TRACK_DONE
};

/* A lane, all workers together. */
typedef struct vb_track {
  vb_phase phase;
  int state;        /* enum vb_track_state */
  vb_ns run_at;     /* RUN was told */
  vb_ns counted_at; /* the warm-up's end; 0: not yet */
  vb_ns stopped_at;
  bool cut;     /* stopped by vb_engine_stop, a signal's caller or a failure */
  bool by_time; /* stopped by its duration */
  uint32_t clients;
  vb_interval second; /* all intervals taken since the last tick */
  vb_second latest;
  bool has_second;
  vb_histogram *connects, *lateness;
  vb_histogram *delays; /* as of a lane */
  vb_lane_result result;
  vb_row *rows;
  uint32_t row_capacity;
  vb_row total;
  vb_row *node_rows;
  vb_slowest slowest, unknown;
  vb_error_table pushes;
} vb_track;

/* What main knows of a worker besides what the worker shares. */
typedef struct vb_crew {
  vb_worker *worker;
  uint64_t calls_seen;                 /* of the watch */
  vb_ns calls_since;                   /* when it was seen first */
  vb_interval published[VB_LANES_MAX]; /* all intervals of this run: what a lost worker leaves */
  uint64_t operations[VB_LANES_MAX];
  uint64_t connections[VB_LANES_MAX]; /* open at the end of its last interval */
  bool posted;                        /* of lane 0, since the last tick */
  char *result;                       /* of thread.done */
  bool lost;
  bool frozen; /* lost, and it stays where it is: what it had counted can be read */
} vb_crew;

struct vb_engine {
  vb_engine_shared *shared;
  vb_crew *crew; /* VB_WORKERS_MAX */
  uint32_t threads;
  vb_track tracks[VB_LANES_MAX];
  uint32_t track_count;
  bool started; /* RUN was told to lane 0 */
  bool running; /* between vb_engine_start and the last event */
  vb_ns prepared_at, next_tick;
  int signals_told;
  bool last_tick_told, stop_told;
  int failed_status; /* a failure is waiting for the others to drain */
  char failed_text[2000];
  vb_bytes show_request, show_keys;
};

/* Whether the worker's own statistics can be read: it has stopped, or it is frozen. */
static inline bool vb_crew_is_readable(const vb_crew *crew) {
  return !crew->lost || crew->frozen;
}

/* Whether a worker does not answer. */
bool vb_run_has_lost(const vb_engine *engine);

/* check.c */
/* Whether the phases can be started like this. VB_EINVAL names the phase and the field. */
int vb_run_check(const vb_engine *engine, uint32_t threads, const vb_phase_spec *phases,
                 uint32_t count, vb_error *err);

/* collect.c */
/* Takes what the workers have posted; with `rest`, also what they have not (they have stopped). */
void vb_run_take_intervals(vb_engine *engine, bool rest);
/* Whether all workers that run lane 0 have posted since the last tick. */
bool vb_run_has_second(const vb_engine *engine);
/* Makes `latest` of what was taken since the last tick, and begins anew. */
void vb_run_end_second(vb_engine *engine);
/* Merges the workers' statistics into the tracks'. */
void vb_run_collect(vb_engine *engine);
int vb_run_prepare_collecting(vb_engine *engine, vb_error *err);
void vb_run_free_collected(vb_engine *engine);

#endif
