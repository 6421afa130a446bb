#include "engine/run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
  LOAD_TIMEOUT_S = 30, /* a worker's script to load */
  TICK_SLACK_MS = 20,  /* after a second's end, for the workers to post it */
  TICK_LATE_MS = 200,  /* longer than that no worker is waited for */
  TICK_POLL_MS = 5,
  WATCH_MS = 100,
  LEAD_MS = 1,    /* before a schedule starts, for all workers to hear of it */
  FREEZE_MS = 10, /* longer than a store takes to be seen */
  LOST_MS = 1000  /* for the other workers to stop when one is stuck */
};

static void wait_for_news(vb_engine *engine, int timeout_ms) {
  vb_signals *signals = engine->shared->spec.signals;
  struct pollfd polled[2] = {{.fd = engine->shared->notify_fd, .events = POLLIN}};
  nfds_t count = 1;
  if (signals && vb_signals_count(signals) <= engine->signals_told)
    polled[count++] = (struct pollfd){.fd = vb_signals_fd(signals), .events = POLLIN};
  (void)poll(polled, count, timeout_ms);
  uint64_t value;
  if (polled[0].revents) (void)!read(engine->shared->notify_fd, &value, sizeof value);
}

static int make_shared(vb_engine *engine, const vb_engine_spec *spec, vb_error *err) {
  vb_engine_shared *shared = engine->shared = calloc(1, sizeof *shared);
  if (!shared) return vb_fail(err, VB_ENOMEM, "out of memory: the engine");
  shared->spec = *spec;
  shared->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (shared->notify_fd < 0) return vb_fail(err, VB_EIO, "eventfd: %s", strerror(errno));
  if (spec->endpoint_count < 1 || spec->endpoint_count > VB_NODES_MAX)
    return vb_fail(err, VB_EINVAL, "servers: %u given, 1 to %d are possible", spec->endpoint_count,
                   VB_NODES_MAX);
  if (spec->login.tracking && !(shared->writes = vb_writes_new()))
    return vb_fail(err, VB_ENOMEM, "out of memory: the engine");
  vb_router_init(&shared->router, spec->endpoint_count);
  for (uint32_t i = 0; i < spec->endpoint_count; i++) {
    int failed = vb_address_resolve(&shared->addresses[i], &spec->endpoints[i], err);
    if (failed) return failed;
  }
  return VB_OK;
}

int vb_engine_new(vb_engine **out, const vb_engine_spec *spec, vb_error *err) {
  vb_engine *engine = aligned_alloc(VB_CACHE_LINE, sizeof *engine);
  if (!engine) return vb_fail(err, VB_ENOMEM, "out of memory: the engine");
  memset(engine, 0, sizeof *engine);
  int failed = make_shared(engine, spec, err);
  if (!failed) engine->crew = calloc(VB_WORKERS_MAX, sizeof *engine->crew);
  if (!failed && !engine->crew) failed = vb_fail(err, VB_ENOMEM, "out of memory: the engine");
  if (failed) {
    vb_engine_free(engine);
    return failed;
  }
  *out = engine;
  return VB_OK;
}

bool vb_run_has_lost(const vb_engine *engine) {
  for (uint32_t i = 0; i < engine->threads; i++)
    if (engine->crew[i].lost) return true;
  return false;
}

/* Tells all to end, and waits for those in a call of a script as long as that may take. False when
 * some are lost. */
static bool end_workers(vb_engine *engine) {
  vb_ns limit = engine->shared ? engine->shared->spec.hook_timeout_ns : 0;
  vb_ns until = limit ? vb_now() + limit + LOST_MS * VB_NS_PER_MS : UINT64_MAX;
  for (uint32_t i = 0; i < engine->threads; i++)
    if (!engine->crew[i].lost)
      vb_worker_tell(engine->crew[i].worker, (vb_message){.kind = VB_MESSAGE_QUIT});
  for (uint32_t i = 0; i < engine->threads; i++) {
    vb_crew *crew = &engine->crew[i];
    while (!crew->lost && !atomic_load(&crew->worker->ended)) {
      if (vb_now() > until)
        crew->lost = true;
      else
        wait_for_news(engine, WATCH_MS);
    }
  }
  return !vb_run_has_lost(engine);
}

void vb_engine_free(vb_engine *engine) {
  if (!engine) return;
  /* A lost worker goes on using what is shared: then nothing of it can be freed. */
  bool lost = !end_workers(engine);
  for (uint32_t i = 0; i < engine->threads; i++) {
    if (engine->crew[i].lost)
      vb_worker_abandon(engine->crew[i].worker);
    else
      vb_worker_free(engine->crew[i].worker);
  }
  if (lost) return;
  if (engine->crew) vb_run_free_collected(engine);
  for (uint32_t i = 0; engine->crew && i < VB_WORKERS_MAX; i++) free(engine->crew[i].result);
  if (engine->shared && engine->shared->notify_fd >= 0) (void)close(engine->shared->notify_fd);
  vb_bytes_fini(&engine->show_request);
  vb_bytes_fini(&engine->show_keys);
  if (engine->shared) vb_writes_free(engine->shared->writes);
  free(engine->shared);
  free(engine->crew);
  free(engine);
}

uint32_t vb_engine_threads(const vb_engine *engine) {
  return engine->threads;
}

/* Waits until a worker is in one of two states, or failed. */
static int await_worker(vb_engine *engine, vb_crew *crew, int wanted, const char *what,
                        vb_error *err) {
  vb_ns until = vb_now() + LOAD_TIMEOUT_S * VB_NS_PER_S;
  for (;;) {
    int state = atomic_load(&crew->worker->state);
    if (state == wanted) return VB_OK;
    if (state == VB_WORKER_FAILED)
      return vb_fail(err, crew->worker->error.status, "%s", crew->worker->error.text);
    if (vb_now() > until) {
      crew->lost = true;
      return vb_fail(err, VB_ESCRIPT, "worker %u: %s has not returned for %d s",
                     crew->worker->index, what, LOAD_TIMEOUT_S);
    }
    wait_for_news(engine, WATCH_MS);
  }
}

static int finish_worker(vb_engine *engine, vb_crew *crew, vb_error *err) {
  if (atomic_load(&crew->worker->state) != VB_WORKER_UP) return VB_OK;
  vb_worker_tell(crew->worker, (vb_message){.kind = VB_MESSAGE_FINISH});
  int failed = await_worker(engine, crew, VB_WORKER_FINISHED, "thread.done", err);
  if (failed) return failed;
  const vb_bytes *result = &crew->worker->result;
  free(crew->result);
  crew->result = strndup(result->data ? result->data : "", result->length);
  return VB_OK;
}

int vb_engine_finish(vb_engine *engine, vb_error *err) {
  for (uint32_t i = 0; i < engine->threads; i++) {
    if (engine->crew[i].lost) continue;
    int failed = finish_worker(engine, &engine->crew[i], err);
    if (failed) return failed;
  }
  return VB_OK;
}

const char *vb_engine_thread_result(const vb_engine *engine, uint32_t worker) {
  if (worker >= VB_WORKERS_MAX || !engine->crew[worker].result) return "";
  return engine->crew[worker].result;
}

/* Ends the workers too many, starts those that lack, keeps those that stay. */
static int fit_threads(vb_engine *engine, uint32_t threads, vb_error *err) {
  while (engine->threads > threads) {
    vb_crew *crew = &engine->crew[engine->threads - 1];
    int failed = finish_worker(engine, crew, err);
    if (failed) return failed;
    vb_worker_free(crew->worker);
    crew->worker = NULL;
    engine->threads--;
  }
  while (engine->threads < threads) {
    vb_crew *crew = &engine->crew[engine->threads];
    int failed = vb_worker_start(&crew->worker, engine->shared, engine->threads, err);
    if (failed) return failed;
    engine->threads++;
  }
  for (uint32_t i = 0; i < threads; i++) {
    int failed = await_worker(engine, &engine->crew[i], VB_WORKER_UP, "loading the script", err);
    if (failed) return failed;
  }
  return VB_OK;
}

static void make_track(vb_track *track, const vb_phase_spec *spec, uint32_t threads) {
  vb_phase *phase = &track->phase;
  phase->spec = *spec;
  phase->stream = vb_hash(spec->seed, spec->name, strlen(spec->name));
  vb_numbers_init(&phase->numbers, spec->requests, spec->warmup_ns > 0);
  atomic_store(&phase->exhausted, 0);
  atomic_store(&phase->shares_ended, 0);
  phase->schedule = (vb_schedule){.rate = spec->rate,
                                  .stages = spec->ramp == VB_RAMP_RATE ? spec->stages : NULL,
                                  .stage_count = spec->ramp == VB_RAMP_RATE ? spec->stage_count : 0,
                                  .poisson = spec->poisson != 0,
                                  .hold = spec->warmup_ns,
                                  .stream = phase->stream};
  phase->workers = threads;
  atomic_store(&phase->stop, VB_STOP_UNASKED);
  track->state = VB_TRACK_DELAYED;
  track->run_at = track->counted_at = track->stopped_at = 0;
  track->cut = track->by_time = false;
  track->clients = spec->clients;
}

static void tell_prepare(vb_engine *engine, uint32_t lane) {
  bool used = lane < engine->track_count;
  uint32_t clients = used ? engine->tracks[lane].clients : 0, first = 0;
  for (uint32_t w = 0; w < engine->threads; w++) {
    uint32_t share = clients / engine->threads + (w < clients % engine->threads);
    vb_worker_tell(engine->crew[w].worker,
                   (vb_message){.kind = VB_MESSAGE_PREPARE,
                                .lane = lane,
                                .phase = used ? &engine->tracks[lane].phase : NULL,
                                .clients = share,
                                .first_client = first});
    first += share;
  }
}

int vb_engine_start(vb_engine *engine, uint32_t threads, const vb_phase_spec *phases,
                    uint32_t count, vb_error *err) {
  int failed = vb_run_check(engine, threads, phases, count, err);
  if (!failed) failed = fit_threads(engine, threads, err);
  if (failed) return failed;
  uint32_t lanes = count > engine->track_count ? count : engine->track_count;
  for (uint32_t i = 0; i < count; i++) make_track(&engine->tracks[i], &phases[i], threads);
  engine->track_count = count;
  failed = vb_run_prepare_collecting(engine, err);
  if (failed) return failed;
  /* Workers set the state themselves, later: until then the old one must not be believed. */
  for (uint32_t w = 0; w < threads; w++)
    for (uint32_t i = 0; i < count; i++)
      atomic_store(&engine->crew[w].worker->lanes[i].state, VB_LANE_TOLD);
  for (uint32_t i = 0; i < lanes; i++) tell_prepare(engine, i);
  engine->prepared_at = vb_now();
  engine->started = engine->last_tick_told = engine->stop_told = false;
  engine->running = true;
  engine->failed_status = 0;
  return VB_OK;
}

static int lane_state(const vb_engine *engine, uint32_t worker, uint32_t lane) {
  return atomic_load(&engine->crew[worker].worker->lanes[lane].state);
}

/* Whether lane `lane` of every worker that is not lost is in `state` or, when asked, has failed. */
static bool all_in(const vb_engine *engine, uint32_t lane, int state, bool or_failed) {
  for (uint32_t w = 0; w < engine->threads; w++) {
    int found = lane_state(engine, w, lane);
    if (engine->crew[w].lost || found == state || (or_failed && found == VB_LANE_FAILED)) continue;
    return false;
  }
  return true;
}

static void tell_all(vb_engine *engine, uint32_t lane, int kind) {
  for (uint32_t w = 0; w < engine->threads; w++)
    if (!engine->crew[w].lost)
      vb_worker_tell(engine->crew[w].worker, (vb_message){.kind = kind, .lane = lane});
}

static void run_track(vb_engine *engine, uint32_t lane) {
  vb_track *track = &engine->tracks[lane];
  const vb_phase_spec *spec = &track->phase.spec;
  track->run_at = vb_now();
  if (vb_phase_is_paced(spec)) track->run_at += LEAD_MS * VB_NS_PER_MS;
  track->phase.start = track->run_at;
  track->phase.end =
      spec->duration_ns ? track->run_at + spec->warmup_ns + spec->duration_ns : UINT64_MAX;
  if (!spec->warmup_ns) track->counted_at = track->run_at;
  track->state = VB_TRACK_RUN;
  tell_all(engine, lane, VB_MESSAGE_RUN);
}

static void stop_track(vb_engine *engine, uint32_t lane) {
  vb_track *track = &engine->tracks[lane];
  if (track->state >= VB_TRACK_STOPPED) return;
  track->stopped_at = vb_now();
  track->state = VB_TRACK_STOPPED;
  tell_all(engine, lane, VB_MESSAGE_STOP);
}

static void stop_all(vb_engine *engine) {
  for (uint32_t i = 0; i < engine->track_count; i++) {
    if (engine->tracks[i].state < VB_TRACK_STOPPED) engine->tracks[i].cut = true;
    stop_track(engine, i);
  }
}

void vb_engine_stop(vb_engine *engine) {
  if (engine->running) stop_all(engine);
}

/* Whether no worker has, or can get, another number of a lane. Asked twice: one that was idle may
 * have taken what another gave back. */
static bool all_idle(const vb_engine *engine, uint32_t lane) {
  return all_in(engine, lane, VB_LANE_IDLE, false) &&
         !atomic_load(&engine->tracks[lane].phase.numbers.returned) &&
         all_in(engine, lane, VB_LANE_IDLE, false);
}

/* Warm-up and duration of a lane that runs; the end of one that has no more numbers. */
static void drive_track(vb_engine *engine, uint32_t lane, vb_ns now) {
  vb_track *track = &engine->tracks[lane];
  const vb_phase_spec *spec = &track->phase.spec;
  if (track->state == VB_TRACK_DELAYED) {
    if (now >= engine->tracks[0].run_at + spec->start_ns) run_track(engine, lane);
    return;
  }
  if (track->state != VB_TRACK_RUN) return;
  if (!track->counted_at && now >= track->run_at + spec->warmup_ns) {
    vb_numbers_count(&track->phase.numbers, spec->requests);
    track->counted_at = now;
  }
  if (spec->duration_ns && track->counted_at && now >= track->counted_at + spec->duration_ns) {
    track->by_time = true;
    stop_track(engine, lane);
  } else if (all_idle(engine, lane)) {
    stop_track(engine, lane);
  }
}

static void drive(vb_engine *engine, vb_ns now) {
  for (uint32_t i = 0; i < engine->track_count; i++) drive_track(engine, i, now);
  if (engine->tracks[0].state < VB_TRACK_STOPPED) return;
  for (uint32_t i = 1; i < engine->track_count; i++) stop_track(engine, i);
}

/* A lane that failed stops all; the event comes when the others have drained. */
static void note_failure(vb_engine *engine) {
  if (engine->failed_status) return;
  for (uint32_t w = 0; w < engine->threads; w++) {
    for (uint32_t i = 0; i < engine->track_count; i++) {
      if (lane_state(engine, w, i) != VB_LANE_FAILED) continue;
      const vb_error *error = &engine->crew[w].worker->lanes[i].error;
      engine->failed_status = error->status;
      (void)snprintf(engine->failed_text, sizeof engine->failed_text, "%s", error->text);
      stop_all(engine);
      return;
    }
  }
}

static bool all_ended(const vb_engine *engine) {
  for (uint32_t i = 0; i < engine->track_count; i++)
    if (!all_in(engine, i, VB_LANE_DONE, true)) return false;
  return true;
}

static bool tick(vb_engine *engine, vb_event *out, bool last) {
  vb_run_take_intervals(engine, last);
  vb_run_end_second(engine);
  bool any = false;
  for (uint32_t i = 0; i < engine->track_count; i++) any |= engine->tracks[i].has_second;
  if (any) out->kind = VB_EVENT_TICK;
  out->status = last;
  return any;
}

static void end_run(vb_engine *engine, vb_event *out) {
  vb_run_collect(engine);
  engine->running = false;
  for (uint32_t i = 0; i < engine->track_count; i++) {
    engine->tracks[i].state = VB_TRACK_DONE;
    vb_numbers_fini(&engine->tracks[i].phase.numbers);
  }
  out->kind = engine->failed_status ? VB_EVENT_FAILED : VB_EVENT_DONE;
  out->status = engine->failed_status;
  if (engine->failed_status) (void)snprintf(out->text, sizeof out->text, "%s", engine->failed_text);
}

/* Looks whether a worker has been in one call of a script for too long. */
static vb_crew *find_stuck(vb_engine *engine, vb_ns now) {
  vb_ns limit = engine->shared->spec.hook_timeout_ns;
  for (uint32_t w = 0; limit && w < engine->threads; w++) {
    vb_crew *crew = &engine->crew[w];
    const vb_watch *watch = &crew->worker->watch;
    uint64_t calls = atomic_load(&watch->calls);
    if (calls != crew->calls_seen || !atomic_load(&watch->active)) {
      crew->calls_seen = calls;
      crew->calls_since = now;
    } else if (!crew->lost && now > crew->calls_since + limit) {
      return crew;
    }
  }
  return NULL;
}

void vb_watch_park(void) {
  for (;;) (void)pause();
}

/* Holds a stuck worker where it is. A call that returns at this very moment has been seen to do so
 * after a while; one that returns later sees `frozen`. */
static void freeze(vb_crew *crew) {
  vb_watch *watch = &crew->worker->watch;
  uint64_t calls = atomic_load(&watch->calls);
  atomic_store(&watch->frozen, true);
  usleep(FREEZE_MS * 1000);
  crew->frozen = atomic_load(&watch->active) && atomic_load(&watch->calls) == calls;
  if (!crew->frozen) return;
  vb_ns since = vb_now() - crew->worker->shared->spec.hook_timeout_ns;
  for (uint32_t i = 0; i < VB_LANES_MAX; i++)
    if (crew->worker->lanes[i].intervals) vb_lane_write_off(&crew->worker->lanes[i], since);
}

static void give_up_on(vb_engine *engine, vb_crew *crew, vb_event *out) {
  char what[VB_FUNCTION_TEXT];
  vb_worker *worker = crew->worker;
  engine->shared->spec.script->describe(worker->hooks.state, atomic_load(&worker->watch.active),
                                        what);
  double limit = (double)engine->shared->spec.hook_timeout_ns / (double)VB_NS_PER_S;
  crew->lost = true;
  freeze(crew);
  stop_all(engine);
  vb_ns until = vb_now() + LOST_MS * VB_NS_PER_MS;
  while (!all_ended(engine) && vb_now() < until) wait_for_news(engine, WATCH_MS);
  for (uint32_t w = 0; w < engine->threads; w++)
    for (uint32_t i = 0; i < engine->track_count; i++)
      if (lane_state(engine, w, i) < VB_LANE_DONE) engine->crew[w].lost = true;
  (void)tick(engine, out, true);
  end_run(engine, out);
  out->kind = VB_EVENT_STUCK;
  out->status = VB_ESCRIPT;
  (void)snprintf(out->text, sizeof out->text, "%s has not returned for %.3g s", what, limit);
}

static bool told_of_signal(vb_engine *engine, vb_event *out) {
  vb_signals *signals = engine->shared->spec.signals;
  if (!signals || vb_signals_count(signals) <= engine->signals_told) return false;
  engine->signals_told = vb_signals_count(signals);
  out->kind = VB_EVENT_SIGNAL;
  return true;
}

/* A flow has called c:stop: told once. */
static bool told_to_stop(vb_engine *engine, vb_event *out) {
  for (uint32_t i = 0; i < engine->track_count; i++) {
    vb_phase *phase = &engine->tracks[i].phase;
    if (atomic_load(&phase->stop) != VB_STOP_ASKED || engine->stop_told) continue;
    engine->stop_told = true;
    out->kind = VB_EVENT_STOP;
    (void)snprintf(out->text, sizeof out->text, "%s", phase->stop_reason);
    return true;
  }
  return false;
}

static void fail_opening(vb_engine *engine) {
  uint32_t ready = 0, wanted = 0;
  for (uint32_t i = 0; i < engine->track_count; i++) wanted += engine->tracks[i].clients;
  for (uint32_t w = 0; w < engine->threads; w++)
    for (uint32_t i = 0; i < engine->track_count; i++)
      ready += engine->crew[w].worker->lanes[i].ready_shown;
  engine->failed_status = VB_ETIMEOUT;
  (void)snprintf(engine->failed_text, sizeof engine->failed_text,
                 "%u of %u connections could be opened within %.3g s", ready, wanted,
                 (double)engine->shared->spec.connect_timeout_ns / (double)VB_NS_PER_S);
  stop_all(engine);
}

static bool all_begun(const vb_engine *engine, uint32_t lane) {
  for (uint32_t w = 0; w < engine->threads; w++)
    if (!engine->crew[w].lost && lane_state(engine, w, lane) < VB_LANE_RUN) return false;
  return true;
}

/* Subscribers in the background begin before the others, who may publish what they are to get. True
 * when some were told. */
static bool run_listeners(vb_engine *engine) {
  bool told = false;
  for (uint32_t i = 1; i < engine->track_count; i++) {
    const vb_track *track = &engine->tracks[i];
    const vb_phase_spec *spec = &track->phase.spec;
    if (track->state != VB_TRACK_DELAYED || spec->start_ns || spec->warmup_ns ||
        !vb_program_subscribes(spec->program))
      continue;
    run_track(engine, i);
    told = true;
  }
  return told;
}

/* Before the first operation: until every connection of every lane is open. True with an event. */
static bool step_opening(vb_engine *engine, vb_ns now, vb_event *out) {
  for (uint32_t i = 0; i < engine->track_count; i++) {
    if (engine->tracks[i].state == VB_TRACK_RUN ? all_begun(engine, i)
                                                : all_in(engine, i, VB_LANE_READY, false))
      continue;
    if (!engine->failed_status &&
        now > engine->prepared_at + engine->shared->spec.connect_timeout_ns)
      fail_opening(engine);
    return false;
  }
  if (run_listeners(engine)) return false;
  engine->started = true;
  run_track(engine, 0);
  engine->next_tick = engine->tracks[0].run_at + VB_NS_PER_S + TICK_SLACK_MS * VB_NS_PER_MS;
  out->kind = VB_EVENT_START;
  return true;
}

/* Whether a second is over, and all that happened in it is here, or has kept us waiting. */
static bool is_tick(vb_engine *engine, vb_ns now) {
  if (!engine->started || now < engine->next_tick) return false;
  vb_run_take_intervals(engine, false);
  return vb_run_has_second(engine) || now >= engine->next_tick + TICK_LATE_MS * VB_NS_PER_MS;
}

static bool step(vb_engine *engine, vb_ns now, vb_event *out) {
  if (told_of_signal(engine, out) || told_to_stop(engine, out)) return true;
  note_failure(engine);
  if (!engine->started && !engine->failed_status && engine->tracks[0].state < VB_TRACK_STOPPED)
    return step_opening(engine, now, out);
  if (engine->started) drive(engine, now);
  vb_crew *stuck = find_stuck(engine, now);
  if (stuck) {
    give_up_on(engine, stuck, out);
    return true;
  }
  if (all_ended(engine)) {
    if (!engine->last_tick_told) {
      engine->last_tick_told = true;
      if (tick(engine, out, true)) return true;
    }
    end_run(engine, out);
    return true;
  }
  if (!is_tick(engine, now)) return false;
  engine->next_tick += VB_NS_PER_S;
  return tick(engine, out, false);
}

static vb_ns earlier(vb_ns a, vb_ns b) {
  return a < b ? a : b;
}

/* When main next has something to do by itself. */
static vb_ns next_deadline(const vb_engine *engine, vb_ns now) {
  vb_ns next = now + WATCH_MS * VB_NS_PER_MS;
  vb_ns poll = now + TICK_POLL_MS * VB_NS_PER_MS;
  if (engine->started) next = earlier(next, engine->next_tick > now ? engine->next_tick : poll);
  for (uint32_t i = 0; i < engine->track_count; i++) {
    const vb_track *track = &engine->tracks[i];
    const vb_phase_spec *spec = &track->phase.spec;
    if (track->state == VB_TRACK_DELAYED && engine->started)
      next = earlier(next, engine->tracks[0].run_at + spec->start_ns);
    if (track->state != VB_TRACK_RUN) continue;
    if (!track->counted_at)
      next = earlier(next, track->run_at + spec->warmup_ns);
    else if (spec->duration_ns)
      next = earlier(next, track->counted_at + spec->duration_ns);
  }
  return next;
}

void vb_engine_next(vb_engine *engine, int timeout_ms, vb_event *out) {
  *out = (vb_event){.kind = VB_EVENT_TIMEOUT};
  vb_ns until = timeout_ms < 0 ? UINT64_MAX : vb_now() + (vb_ns)(unsigned)timeout_ms * VB_NS_PER_MS;
  while (engine->running) {
    vb_ns now = vb_now();
    if (step(engine, now, out) || now >= until) return;
    vb_ns next = earlier(next_deadline(engine, now), until);
    wait_for_news(engine, next > now ? (int)((next - now) / VB_NS_PER_MS) + 1 : 0);
  }
}
