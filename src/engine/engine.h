/* The engine: worker threads that run phases. Main starts a phase and its background phases, pulls
 * events until they are done, reads the results.
 * Main thread only. C never calls main's Lua: it returns events. */
#ifndef VB_ENGINE_ENGINE_H
#define VB_ENGINE_ENGINE_H

#include "base/signals.h"
#include "command/program.h"
#include "net/endpoint.h"
#include "stats/counters.h"
#include "stats/histogram.h"

enum { VB_WORKERS_MAX = 512, VB_LANES_MAX = 16, VB_NODES_MAX = 1024 };

typedef struct vb_engine vb_engine;

/* How workers get their script states: made by script/factory.h; opaque here. */
typedef struct vb_script_factory vb_script_factory;

typedef struct vb_engine_spec {
  const vb_endpoint *endpoints; /* nodes; several standalone servers share the keys by slot */
  uint32_t endpoint_count;
  vb_login login;
  const vb_script_factory *script; /* NULL: no script, no hooks */
  vb_signals *signals;             /* watched while waiting for events; NULL: none */
  const int *pins;                 /* cores for the workers in turn, or NULL */
  uint32_t pin_count;
  uint64_t connect_timeout_ns, hook_timeout_ns;
  size_t max_reply; /* bytes */
  int digits;       /* of the histograms, 1 to 4 */
} vb_engine_spec;

/* Resolves the addresses and prepares; starts no thread and opens no connection. */
VB_API int vb_engine_new(vb_engine **out, const vb_engine_spec *spec, vb_error *err);
/* Stops the threads, closes the connections. Takes NULL. */
VB_API void vb_engine_free(vb_engine *engine);

/* A stage of a ramp. */
typedef struct vb_stage {
  uint64_t duration_ns; /* above 0 */
  double target;        /* clients, or operations a second, at its end; at least 0 */
  int step;             /* from its begin on; else in a line from the target before it */
} vb_stage;

enum vb_ramp { VB_RAMP_NONE, VB_RAMP_RATE, VB_RAMP_CLIENTS };

typedef struct vb_phase_spec {
  const char *name;
  const vb_program *program;
  uint32_t clients;                /* connections in all */
  uint32_t pipeline;               /* operations in flight on each */
  uint64_t requests;               /* operations; 0: no such end */
  uint64_t duration_ns, warmup_ns; /* 0: none */
  uint64_t start_ns;               /* background: its delay */
  double rate;                     /* operations a second in all: open loop. 0: closed */
  int poisson;                     /* arrivals; else at constant intervals */
  uint64_t backlog;                /* open loop: operations that may wait in a worker */
  int ramp;                        /* enum vb_ramp: what the stages change */
  const vb_stage *stages;
  uint32_t stage_count;
  uint32_t first_clients; /* VB_RAMP_CLIENTS: open at the begin; `clients` are the most */
  uint64_t seed;
  uint64_t timeout_ns, drain_ns; /* of a request (0: none), of the end */
  uint32_t reconnect; /* operations after which a connection is closed and opened anew; 0: never */
  uint32_t retries;   /* how often an operation is sent again, unless its entry says otherwise */
  int stop_on_error;
  int idle; /* opens the connections and sends nothing until it is stopped */
} vb_phase_spec;

#ifndef VB_CDEF
/* Whether operations fall due by a schedule: an open loop. */
static inline bool vb_phase_is_paced(const vb_phase_spec *spec) {
  return spec->rate > 0 || spec->ramp == VB_RAMP_RATE;
}
#endif

/* Threads that the phases of now run on; 0 before the first. */
VB_API uint32_t vb_engine_threads(const vb_engine *engine);

/* Starts a phase (lane 0) with its background phases (lanes 1 ..) on `threads` workers: makes or
 * ends threads and connections as needed, keeps those that stay. Everything in the specs outlives
 * the phase. VB_EINVAL names the phase and the field (more threads than clients, no end, ...);
 * VB_ESCRIPT a worker's script that fails or declares otherwise than main's. */
VB_API int vb_engine_start(vb_engine *engine, uint32_t threads, const vb_phase_spec *phases,
                           uint32_t count, vb_error *err);

enum vb_event_kind {
  VB_EVENT_START,  /* all connections are open, the first operations go out (lane 0) */
  VB_EVENT_TICK,   /* a second of the phase has passed: vb_engine_second is there to read */
  VB_EVENT_DONE,   /* all lanes have ended and drained: results are there to read */
  VB_EVENT_SIGNAL, /* SIGINT or SIGTERM came; the caller decides to stop */
  VB_EVENT_STUCK, /* a hook has not returned within its time: `text` names it; results hold what the
                     workers had published; the workers are lost, and vb_engine_free gives up on
                     them */
  VB_EVENT_FAILED,  /* the run cannot go on (connections, a hook that raised): `text` says why;
                       results are those so far */
  VB_EVENT_TIMEOUT, /* nothing within timeout_ms */
  VB_EVENT_STOP     /* a flow wants everything to end, `text` says why; the caller is to stop */
};

typedef struct vb_event {
  int kind;   /* enum vb_event_kind */
  int status; /* of VB_EVENT_FAILED: enum vb_status; of VB_EVENT_TICK: 1 with the last second */
  char text[2000];
} vb_event;

/* Waits for the next event. timeout_ms < 0 waits for ever. */
VB_API void vb_engine_next(vb_engine *engine, int timeout_ms, vb_event *out);
/* Ends all lanes as if their duration were over; events go on until VB_EVENT_DONE. */
VB_API void vb_engine_stop(vb_engine *engine);

/* A second of a lane, all workers together. */
typedef struct vb_second {
  double t_s;     /* end of it, from the lane's first issue (after its warm-up) */
  double seconds; /* covered */
  uint64_t requests, operations, errors, sent, bytes_sent, bytes_received, timeouts, retries;
  uint64_t hits, misses;
  uint64_t connections;                   /* open at its end */
  double mean_us, p50_us, p99_us, max_us; /* 0 without a request */
  /* Open loop: from the intended start; 0 without an operation that was answered well. */
  double response_mean_us, response_p50_us, response_p99_us, response_max_us;
  double progress; /* 0..1; -1 when the lane has no end that is known */
} vb_second;

/* The latest second of lane `lane`, after VB_EVENT_TICK; 0 when it has none yet, else 1. */
VB_API int vb_engine_second(const vb_engine *engine, uint32_t lane, vb_second *out);

/* What one row (a command, a transaction) or a whole lane did. */
typedef struct vb_row {
  vb_counters counters;
  vb_error_table errors;
  vb_histogram *latency;  /* owned by the engine until the next start, like all of these */
  vb_histogram *response; /* open loop: from the intended start; NULL in a closed one */
  vb_histogram *age;      /* NULL unless the command has vb.age */
  vb_histogram *wait;     /* NULL unless the command blocks: until something came */
} vb_row;

typedef struct vb_lane_result {
  double seconds;           /* from the first issue to the last reply or the end, warm-up apart */
  double drain_seconds;     /* from the end to the last reply */
  double started_wall;      /* seconds since 1970 of the first issue that counts */
  double cpu_seconds;       /* of the workers in that time: user and system */
  double spin_seconds;      /* of it, waiting awake for the next operation to fall due */
  double collector_seconds; /* of it, in the collector of the workers' Lua */
  uint64_t asked;           /* open loop: operations that fell due */
  uint64_t waiting;         /* of them, due and not sent at the end */
  /* Requests that were answered on a connection; of 0 connections where they need not be alike. */
  uint64_t least_of_connection, most_of_connection;
  double mean_of_connection;
  uint32_t counted_connections;
  uint32_t lost_connections; /* broke, and were not made again by the end */
  uint32_t clients, threads, pipeline;
  uint32_t exhausted; /* number of the entry, from 1, whose cursor ended it; 0: none did */
  int interrupted;    /* vb_engine_stop, a signal or a failure ended it */
  uint32_t rows;
} vb_lane_result;

/* Results, after VB_EVENT_DONE, _STUCK or _FAILED. Pointers are the engine's until the next start.
 */
VB_API const vb_lane_result *vb_engine_result(const vb_engine *engine, uint32_t lane);
VB_API const vb_row *vb_engine_row(const vb_engine *engine, uint32_t lane, uint32_t row);
/* All rows together; latency is that of commands and transactions. */
VB_API const vb_row *vb_engine_total(const vb_engine *engine, uint32_t lane);
/* Times of opening a connection, from the connect to the end of the handshake; empty when all were
 * there already. */
VB_API const vb_histogram *vb_engine_connects(const vb_engine *engine, uint32_t lane);
/* How late the workers were for operations that fell due; NULL in a closed loop. */
VB_API const vb_histogram *vb_engine_lateness(const vb_engine *engine, uint32_t lane);
/* With client-side caching, how long it took from a write to its invalidation, where the key was
 * written by this engine; NULL without. */
VB_API const vb_histogram *vb_engine_invalidations(const vb_engine *engine, uint32_t lane);
VB_API const vb_slowest *vb_engine_slowest(const vb_engine *engine, uint32_t lane);
/* Pushes that nobody had asked for, by kind. */
VB_API const vb_error_table *vb_engine_pushes(const vb_engine *engine, uint32_t lane);
/* Operations whose reply was lost and of which nobody knows whether they were done: the first ones,
 * in no order; latency_ns is 0. */
VB_API const vb_slowest *vb_engine_unknown(const vb_engine *engine, uint32_t lane);
VB_API uint32_t vb_engine_nodes(const vb_engine *engine);
/* "127.0.0.1:6379" of a node. */
VB_API const char *vb_engine_node(const vb_engine *engine, uint32_t node);
/* What lane `lane` did on node `node`: counters and latency. */
VB_API const vb_row *vb_engine_node_row(const vb_engine *engine, uint32_t lane, uint32_t node);
/* A worker's part, for the spread: operations and CPU seconds. */
VB_API uint64_t vb_engine_worker_operations(const vb_engine *engine, uint32_t lane,
                                            uint32_t worker);

/* Calls thread.done in every worker and gives what worker `worker` returned, as Lua source of plain
 * data; "" when there is none. Ends the threads' script states: only before vb_engine_free. */
VB_API int vb_engine_finish(vb_engine *engine, vb_error *err);
VB_API const char *vb_engine_thread_result(const vb_engine *engine, uint32_t worker);

/* Reads operation n of the phase as it would be sent, without a server: see vb_program_show. Loads
 * a script state of its own. Texts are the engine's until the next call. */
VB_API int vb_engine_show(vb_engine *engine, const vb_phase_spec *phase, uint64_t n,
                          const char **request, size_t *request_length, const char **keys,
                          size_t *keys_length, vb_error *err);

#endif
