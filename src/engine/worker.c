#include "engine/worker.h"
#include "engine/flow.h"

#include "base/affinity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
  EVENTS_MAX = 256,
  SWEEP_MS = 100,
  SWEEP_BUSY_MS = 10,
  SPIN_US = 50 /* before an operation falls due: a timer wakes later than that */
};

void vb_worker_notify(const vb_worker *worker) {
  uint64_t one = 1;
  (void)!write(worker->shared->notify_fd, &one, sizeof one);
}

void vb_worker_mark_dirty(vb_worker *worker, vb_connection *connection) {
  if (connection->dirty) return;
  if (worker->dirty_count == worker->dirty_capacity) {
    uint32_t capacity = worker->dirty_capacity ? worker->dirty_capacity * 2 : 64;
    vb_connection **grown = realloc(worker->dirty, capacity * sizeof(vb_connection *));
    if (!grown) {
      (void)fprintf(stderr, "vbench: out of memory: %u connections to flush\n", capacity);
      exit(1);
    }
    worker->dirty = grown;
    worker->dirty_capacity = capacity;
  }
  connection->dirty = true;
  worker->dirty[worker->dirty_count++] = connection;
}

static void flush_dirty(vb_worker *worker) {
  for (uint32_t i = 0; i < worker->dirty_count; i++) {
    vb_connection *connection = worker->dirty[i];
    connection->dirty = false;
    if (connection->state == VB_CONNECTION_READY) vb_connection_flush(connection);
  }
  worker->dirty_count = 0;
}

static void fail(vb_worker *worker) {
  atomic_store(&worker->state, VB_WORKER_FAILED);
  vb_worker_notify(worker);
}

static void run_done_hook(vb_worker *worker) {
  const vb_script_factory *script = worker->shared->spec.script;
  if (worker->hooked && script->finish(worker->hooks.state, &worker->result, &worker->error)) {
    fail(worker);
    return;
  }
  atomic_store(&worker->state, VB_WORKER_FINISHED);
  vb_worker_notify(worker);
}

static void obey(vb_worker *worker, const vb_message *message) {
  vb_lane *lane = &worker->lanes[message->lane];
  switch ((enum vb_message_kind)message->kind) {
  case VB_MESSAGE_PREPARE: {
    vb_error error;
    if (message->lane >= worker->lane_count) worker->lane_count = message->lane + 1;
    if (vb_lane_prepare(lane, worker, message->phase, message->lane, message->clients,
                        message->first_client, &error))
      vb_lane_fail(lane, error.status, "%s", error.text);
    return;
  }
  case VB_MESSAGE_RUN: vb_lane_run(lane); return;
  case VB_MESSAGE_STOP: vb_lane_stop(lane); return;
  case VB_MESSAGE_FINISH: run_done_hook(worker); return;
  case VB_MESSAGE_QUIT: atomic_store(&worker->quit, true); return;
  }
}

static void read_messages(vb_worker *worker) {
  uint64_t count;
  (void)!read(worker->wake_fd, &count, sizeof count);
  vb_message messages[VB_MESSAGES_MAX];
  (void)pthread_mutex_lock(&worker->lock);
  uint32_t taken = worker->message_count;
  memcpy(messages, worker->messages, taken * sizeof *messages);
  worker->message_count = 0;
  (void)pthread_mutex_unlock(&worker->lock);
  worker->now = vb_now();
  for (uint32_t i = 0; i < taken; i++) obey(worker, &messages[i]);
}

static bool lane_is_up(const vb_lane *lane) {
  int state = atomic_load_explicit(&lane->state, memory_order_relaxed);
  return state != VB_LANE_OFF && state != VB_LANE_TOLD && state != VB_LANE_DONE &&
         state != VB_LANE_FAILED;
}

/* When the next flow that sleeps is to be woken, on lanes that go on. */
static vb_ns next_wake(const vb_worker *worker) {
  vb_ns next = UINT64_MAX;
  for (uint32_t i = 0; i < worker->lane_count; i++) {
    vb_ns wake = lane_is_up(&worker->lanes[i]) ? vb_lane_next_wake(&worker->lanes[i]) : next;
    if (wake < next) next = wake;
  }
  return next;
}

static void wake_flows(vb_worker *worker) {
  if (VB_LIKELY(next_wake(worker) == UINT64_MAX)) return;
  for (uint32_t i = 0; i < worker->lane_count; i++)
    if (lane_is_up(&worker->lanes[i])) vb_lane_wake_flows(&worker->lanes[i]);
}

/* Milliseconds to wait for events: until the next sweep, or for ever when nothing goes on. Sweeps
 * come thick while connections are missing or an end is near. */
static int patience(vb_worker *worker) {
  bool up = false, busy = false;
  for (uint32_t i = 0; i < worker->lane_count; i++) {
    const vb_lane *lane = &worker->lanes[i];
    if (!lane_is_up(lane)) continue;
    up = true;
    bool draining = atomic_load_explicit(&lane->state, memory_order_relaxed) == VB_LANE_DRAIN;
    busy |= draining || lane->ready_count < lane->wanted || lane->retries.waiting;
    busy |= lane->phase->spec.ramp == VB_RAMP_CLIENTS;
  }
  if (!up) return -1;
  vb_ns soon = worker->now + (busy ? SWEEP_BUSY_MS : SWEEP_MS) * VB_NS_PER_MS;
  if (worker->next_sweep > soon) worker->next_sweep = soon;
  if (worker->next_sweep <= worker->now) return 0;
  return (int)((worker->next_sweep - worker->now) / VB_NS_PER_MS) + 1;
}

static void sweep(vb_worker *worker) {
  for (uint32_t i = 0; i < worker->lane_count; i++)
    if (lane_is_up(&worker->lanes[i])) vb_lane_sweep(&worker->lanes[i]);
  worker->next_sweep = worker->now + SWEEP_MS * VB_NS_PER_MS;
}

static void end_round(vb_worker *worker) {
  for (uint32_t i = 0; i < worker->lane_count; i++)
    if (lane_is_up(&worker->lanes[i])) vb_lane_round(&worker->lanes[i]);
  if (worker->dirty_count) flush_dirty(worker);
}

void vb_worker_follow_schedules(vb_worker *worker) {
  worker->next_due = UINT64_MAX;
  for (uint32_t i = 0; i < worker->lane_count; i++)
    if (worker->lanes[i].next_due < worker->next_due) worker->next_due = worker->lanes[i].next_due;
}

/* Begins what has fallen due. */
static void release_due(vb_worker *worker) {
  for (uint32_t i = 0; i < worker->lane_count; i++) vb_lane_release(&worker->lanes[i]);
  vb_worker_follow_schedules(worker);
  flush_dirty(worker);
}

static int wait_until(vb_worker *worker, struct epoll_event *events, vb_ns until) {
  vb_ns wait = until > worker->now ? until - worker->now : 0;
#ifdef VB_HAVE_EPOLL_PWAIT2
  struct timespec time = {(time_t)(wait / VB_NS_PER_S), (long)(wait % VB_NS_PER_S)};
  int count = epoll_pwait2(worker->epoll_fd, events, EVENTS_MAX, &time, NULL);
  if (count >= 0 || errno != ENOSYS) return count;
#endif
  return epoll_wait(worker->epoll_fd, events, EVENTS_MAX, (int)(wait / VB_NS_PER_MS));
}

/* Waits for events until an operation falls due; the last moments awake, since to be woken takes
 * longer than that. */
static int wait_for_schedule(vb_worker *worker, struct epoll_event *events) {
  worker->now = vb_now();
  if (worker->now >= worker->next_due) release_due(worker);
  vb_ns wake = worker->next_due - SPIN_US * VB_NS_PER_US;
  vb_ns begun = worker->now;
  vb_ns other = next_wake(worker);
  if (worker->next_sweep < other) other = worker->next_sweep;
  int count = wait_until(worker, events, wake < other ? wake : other);
  if (count || begun < wake) return count;
  vb_ns spun = vb_now() - begun;
  if (spun < SPIN_US * VB_NS_PER_US) worker->spin += spun; /* longer: another had the core */
  return 0;
}

static int wait_for_events(vb_worker *worker, struct epoll_event *events) {
  int timeout = patience(worker);
  if (worker->next_due != UINT64_MAX) return wait_for_schedule(worker, events);
  vb_ns wake = next_wake(worker);
  if (VB_UNLIKELY(wake != UINT64_MAX)) {
    worker->now = vb_now();
    return wait_until(worker, events, wake < worker->next_sweep ? wake : worker->next_sweep);
  }
  return epoll_wait(worker->epoll_fd, events, EVENTS_MAX, timeout);
}

/* Between the rounds: what the script's functions have left. */
static void collect(vb_worker *worker) {
  uint64_t calls = atomic_load_explicit(&worker->watch.calls, memory_order_relaxed), took = 0;
  if (VB_LIKELY(calls == worker->calls) || !worker->hooks.collect) return;
  int failed = worker->hooks.collect(worker->hooks.state, &took);
  worker->calls = atomic_load_explicit(&worker->watch.calls, memory_order_relaxed);
  worker->collector += took;
  for (uint32_t i = 0; failed && i < worker->lane_count; i++)
    if (lane_is_up(&worker->lanes[i]))
      vb_lane_fail(&worker->lanes[i], VB_ESCRIPT, "%s",
                   worker->shared->spec.script->message(worker->hooks.state));
}

static void loop(vb_worker *worker) {
  struct epoll_event events[EVENTS_MAX];
  while (!atomic_load_explicit(&worker->quit, memory_order_relaxed)) {
    int count = wait_for_events(worker, events);
    if (count <= 0) worker->now = vb_now();
    bool told = false;
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr)
        vb_connection_event(events[i].data.ptr, events[i].events);
      else
        told = true;
      if (VB_UNLIKELY(worker->now >= worker->next_due)) release_due(worker);
    }
    /* Last, since a message may free connections that events of this round are for. */
    if (told) read_messages(worker);
    wake_flows(worker);
    end_round(worker);
    if (worker->now >= worker->next_sweep) {
      sweep(worker);
      end_round(worker);
    }
    collect(worker);
  }
}

static int load_script(vb_worker *worker) {
  const vb_script_factory *script = worker->shared->spec.script;
  if (!script) return VB_OK;
  int failed =
      script->open(script->context, worker->index, &worker->watch, &worker->hooks, &worker->error);
  if (failed) return failed;
  worker->hooked = true;
  worker->renderer.hooks = &worker->hooks;
  worker->renderer.thread = worker->index;
  return VB_OK;
}

static void *run_thread(void *argument) {
  vb_worker *worker = argument;
  const vb_engine_spec *spec = &worker->shared->spec;
  int failed = 0;
  (void)prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul); /* ns: wakes for a schedule are on time */
  if (spec->pin_count)
    failed = vb_affinity_bind(spec->pins[worker->index % spec->pin_count], &worker->error);
  if (failed || load_script(worker)) {
    fail(worker);
  } else {
    atomic_store(&worker->state, VB_WORKER_UP);
    vb_worker_notify(worker);
  }
  loop(worker);
  for (uint32_t i = 0; i < VB_LANES_MAX; i++) vb_lane_free(&worker->lanes[i]);
  if (worker->hooked) spec->script->close(worker->hooks.state);
  atomic_store(&worker->ended, true);
  vb_worker_notify(worker);
  return NULL;
}

static void release(vb_worker *worker) {
  if (worker->epoll_fd >= 0) (void)close(worker->epoll_fd);
  if (worker->wake_fd >= 0) (void)close(worker->wake_fd);
  vb_chunk_pool_fini(&worker->pool);
  vb_renderer_fini(&worker->renderer);
  vb_bytes_fini(&worker->result);
  (void)pthread_mutex_destroy(&worker->lock);
  free(worker->dirty);
  free(worker->buffer);
  free(worker);
}

static int set_up(vb_worker *worker) {
  (void)pthread_mutex_init(&worker->lock, NULL);
  worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  worker->buffer = malloc(VB_RECEIVE_SIZE);
  if (!worker->buffer) return ENOMEM;
  if (worker->epoll_fd < 0 || worker->wake_fd < 0) return errno;
  worker->now = vb_now();
  for (uint32_t i = 0; i < VB_LANES_MAX; i++) {
    worker->lanes[i].worker = worker;
    worker->lanes[i].next_due = UINT64_MAX;
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd, &event)) return errno;
  return pthread_create(&worker->thread, NULL, run_thread, worker);
}

int vb_worker_start(vb_worker **out, vb_engine_shared *shared, uint32_t index, vb_error *err) {
  vb_worker *worker = aligned_alloc(VB_CACHE_LINE, sizeof *worker);
  if (!worker) return vb_fail(err, VB_ENOMEM, "out of memory: worker %u", index);
  memset(worker, 0, sizeof *worker);
  worker->shared = shared;
  worker->writes = shared->writes;
  worker->index = index;
  worker->next_due = UINT64_MAX;
  int failed = set_up(worker);
  if (failed) {
    release(worker);
    return vb_fail(err, VB_EIO, "worker %u: %s", index, strerror(failed));
  }
  *out = worker;
  return VB_OK;
}

void vb_worker_tell(vb_worker *worker, vb_message message) {
  (void)pthread_mutex_lock(&worker->lock);
  if (worker->message_count < VB_MESSAGES_MAX) worker->messages[worker->message_count++] = message;
  (void)pthread_mutex_unlock(&worker->lock);
  uint64_t one = 1;
  (void)!write(worker->wake_fd, &one, sizeof one);
}

void vb_worker_free(vb_worker *worker) {
  vb_worker_tell(worker, (vb_message){.kind = VB_MESSAGE_QUIT});
  (void)pthread_join(worker->thread, NULL);
  release(worker);
}

void vb_worker_abandon(vb_worker *worker) {
  (void)pthread_detach(worker->thread);
}
