/* A lane: one phase as one worker runs it. Connections, operations in flight, statistics.
 * The worker's alone, but for what is marked shared. Private to engine/. */
#ifndef VB_ENGINE_LANE_H
#define VB_ENGINE_LANE_H

#include "cluster/router.h"
#include "command/flow_hooks.h"
#include "engine/ledger.h"
#include "engine/numbers.h"
#include "engine/outbox.h"
#include "engine/pacer.h"
#include "engine/queue.h"
#include "engine/retry.h"
#include "engine/script.h"
#include "stats/interval.h"

/* A phase as all workers see it; made by main for a run, shared. */
typedef struct vb_phase {
  vb_phase_spec spec;
  uint64_t stream; /* hash of seed and name */
  vb_numbers numbers;
  atomic_uint shares_ended; /* of its workers */
  atomic_uint exhausted;    /* a cursor of that entry, from 1, ended it; 0: none */
  vb_schedule schedule;     /* open loop */
  uint32_t workers;
  vb_ns start, end; /* of the schedule: nothing falls due from `end` on; set before it runs */
  atomic_int stop;  /* enum vb_phase_stop: a flow ends everything */
  char stop_reason[VB_FLOW_WHY];
} vb_phase;

enum vb_phase_stop { VB_STOP_UNASKED, VB_STOP_BEING_ASKED, VB_STOP_ASKED };

/* A worker asks main to end everything; the first one's reason is kept. */
void vb_phase_ask_to_stop(vb_phase *phase, const char *reason);

/* Where a lane stands. Written by the worker, but for VB_LANE_TOLD; main is told of changes. */
enum vb_lane_state {
  VB_LANE_OFF,     /* no phase */
  VB_LANE_TOLD,    /* main has told it to prepare, and the worker has not begun */
  VB_LANE_PREPARE, /* connections are being opened */
  VB_LANE_READY,   /* all are open */
  VB_LANE_RUN,
  VB_LANE_IDLE,  /* no more numbers, nothing in flight */
  VB_LANE_DRAIN, /* stopped: waiting for what is in flight */
  VB_LANE_DONE,
  VB_LANE_FAILED /* `error` says why */
};

/* One request, or one transaction, that waits for its replies. */
typedef struct vb_flight {
  uint64_t n;
  vb_ns due;             /* intended start; 0 in a closed loop */
  vb_ns written;         /* clock before the write that carried its last byte; until then, when
                            it was put in the queue */
  uint64_t end;          /* where its last byte ends in the outbox's count */
  uint64_t place;        /* of an entry that claims: its id, until the ledger has it */
  const vb_entry *entry; /* NULL: part of the handshake */
  union {
    uint16_t step;   /* of the entry; of the handshake */
    uint16_t failed; /* transaction: enum vb_failed */
  };
  uint16_t replies;     /* still to come */
  uint32_t retry : 28;  /* its place among the lane's retries; 0: none */
  uint32_t repeats : 4; /* how often the step has been sent again at once */
} vb_flight;

/* What the replies before EXEC's have come to. */
enum vb_failed {
  VB_FAILED_NOT,
  VB_FAILED_COUNTED, /* an error that was counted */
  VB_FAILED_REFUSED  /* the server is not ready: it will be sent again */
};

enum vb_connection_state {
  VB_CONNECTION_CLOSED,
  VB_CONNECTION_OPENING,
  VB_CONNECTION_HANDSHAKE,
  VB_CONNECTION_READY
};

typedef struct vb_flow vb_flow; /* engine/flow.h */

/* A flow that sleeps, in its lane's heap. */
typedef struct vb_sleeper {
  vb_ns wake_at;
  vb_flow *flow;
} vb_sleeper;

/* What every request touches stands first, in two lines of the cache. */
typedef struct vb_connection {
  _Alignas(VB_CACHE_LINE) struct vb_lane *lane;
  vb_stream *stream;
  vb_outbox outbox;
  vb_flight *ring; /* in flight, a power of two */
  uint32_t ring_size, head, tail;
  uint32_t unstamped; /* first flight whose last byte is not written */
  uint32_t open;      /* operations in its window */
  uint32_t left;      /* operations to begin before it is renewed, when the phase says so */
  uint32_t index, node;
  uint8_t state;        /* enum vb_connection_state */
  bool wants_write;     /* registered for writability */
  bool waiting;         /* on its node's list of connections with room */
  bool dirty;           /* on the worker's list of connections to flush */
  bool unread;          /* receiving stopped before there was nothing left */
  bool parked;          /* out of the event loop: the sweep goes on opening it */
  bool asked;           /* the reply under way began when one was waited for */
  bool fruitful;        /* before it was closed there was a reply */
  bool keep;            /* the bytes of the reply under way are wanted */
  uint8_t openings;     /* in this phase, before it runs */
  uint32_t unconfirmed; /* what a subscriber has asked for: channels, at the end a PONG */
  vb_bytes tail_bytes;  /* the unfinished end of what was received */
  vb_scanner scanner;   /* of which a request touches the beginning */
  uint32_t first;       /* `head` when it became ready, or the phase began */
  uint64_t answered;    /* in this phase, before that */
  uint32_t attempts;    /* failed ones in a row */
  vb_ns opened_at;      /* when opening began */
  vb_ns retry_at;       /* when closed: next attempt to open; while opening: when it is given up */
  vb_flow *flow;        /* its own client of flows; NULL until there is a flow */
  vb_flow *serving;     /* whose run it is in the middle of, or NULL */
} vb_connection;

typedef struct vb_lane_node {
  vb_queue queue;
  vb_retry_heap retries;
  vb_connection **waiting; /* a ring of connections with room and nothing to do */
  uint32_t waiting_first, waiting_count, waiting_capacity;
  uint32_t connections, ready;
  vb_flow *visitors; /* runs of flows that wait for a connection of this node */
  vb_ns down_since;  /* no connection is ready since; 0: some is */
  char refusal[200]; /* why the last attempt to open one failed */
} vb_lane_node;

/* Equal successes in a row (replies of one write, read together) are recorded at once. */
typedef struct vb_run_length {
  vb_ns latency;
  uint32_t row, node;
  uint64_t count;
  uint64_t plain,
      bytes; /* of `count`: operations of one command, counted here alone; their bytes */
} vb_run_length;

/* Requests that were answered on each of so many connections. */
typedef struct vb_spread {
  uint64_t least, most, sum;
  uint32_t count;
} vb_spread;

typedef struct vb_lane {
  struct vb_worker *worker;
  vb_phase *phase;
  uint32_t index;
  bool accepting;        /* operations may be started */
  bool failing;          /* `error` says why; the round's end makes it VB_LANE_FAILED */
  bool share_ended;      /* its share of the ids: it takes no more numbers */
  bool out_of_numbers;   /* no more to take */
  bool program_ends;     /* a cursor may end, or a record be empty, in the middle of a sequence */
  bool paced;            /* open loop: operations fall due by the schedule */
  bool bursts;           /* operations may be begun and answered several at once: see burst.c */
  bool blocked;          /* a node's queue is full: others wait for it */
  bool waits;            /* some commands block */
  bool subscribes;       /* its operations are messages */
  uint32_t first_client; /* of its connections among those of the phase */
  vb_retries retries;
  vb_ledger ledger;     /* of operations that look at trackers */
  vb_block block;       /* numbers in hand */
  uint64_t block_size;  /* numbers to take at once */
  uint64_t skipped;     /* operations whose record was empty */
  uint64_t skipped_at;  /* bytes that the connection had appended then, and */
  uint32_t skipped_run; /* how many were in a row since */
  vb_pacer pacer;
  vb_ns next_due;          /* when the next operation falls due; UINT64_MAX: none */
  uint64_t queued;         /* operations in the nodes' queues */
  uint64_t asked, waiting; /* open loop: as in vb_lane_result */
  uint64_t counted_from;   /* copy of the phase's, read once a round */
  uint64_t open;           /* operations begun and not finished, queued ones included */
  vb_lane_node *nodes;
  uint32_t node_count;
  vb_connection **connections;
  uint32_t connection_count, ready_count, opening;
  uint32_t wanted;      /* of the connections, those to be open now: a ramp changes it */
  vb_sleeper *sleepers; /* flows: a heap */
  uint32_t sleeper_count, sleeper_capacity;
  uint32_t next_open; /* the first whose opening has not begun in this phase */
  vb_row *rows;       /* one a row of the program */
  uint32_t row_count, row_capacity;
  vb_row *node_rows;      /* counters and latency by node, when there are several; else NULL */
  vb_histogram *connects; /* times from the connect to the end of the handshake */
  vb_histogram *lateness; /* of our own for operations that fell due; NULL until an open loop */
  vb_histogram *delays;   /* of invalidations, from the write; NULL without client-side caching */
  vb_run_length run;
  vb_slowest slowest;
  uint64_t slowest_floor; /* latency; in an open loop response time */
  vb_slowest unknown;     /* the first ones; no heap */
  vb_spread spread;       /* of requests over the connections, once the phase has ended */
  uint32_t lost;          /* connections that broke and were not made again by its end */
  vb_error_table pushes;  /* that nobody asked for, by kind */
  vb_interval_channel *intervals;
  vb_interval *interval; /* the current one */
  vb_ns next_second, first_issue, last_reply, drain_until, ended_at;
  vb_ns cpu_start, cpu_end, spin_start, spin_end, collector_start, collector_end;
  atomic_int state;        /* shared: enum vb_lane_state */
  atomic_uint ready_shown; /* shared: connections ready, for messages */
  vb_error error;          /* shared once state is VB_LANE_FAILED */
} vb_lane;

/* lane.c: its life. */
/* Fits rows, nodes and connections to the phase and starts to connect. VB_ENOMEM. */
int vb_lane_prepare(vb_lane *lane, struct vb_worker *worker, vb_phase *phase, uint32_t index,
                    uint32_t clients, uint32_t first_client, vb_error *err);
void vb_lane_run(vb_lane *lane);
/* Begins no more operations, drops the queued ones. */
void vb_lane_stop(vb_lane *lane);
/* After each round of events: what has changed state. */
void vb_lane_round(vb_lane *lane);
/* By main, of a worker that a hook holds up since `since` for good: counts what it has begun. */
void vb_lane_write_off(vb_lane *lane, vb_ns since);
/* Every 10 to 100 ms: timeouts, reconnection, numbers to share. */
void vb_lane_sweep(vb_lane *lane);
/* Begins to open the connections whose turn has come. */
void vb_lane_open_more(vb_lane *lane);
/* Whether an operation counts (it is not of the warm-up). */
static inline bool vb_lane_counts(const vb_lane *lane, uint64_t n) {
  return n >= lane->counted_from;
}
/* Whether it is in the seconds: during the warm-up everything is, then what counts. */
static inline bool vb_lane_shows(const vb_lane *lane, uint64_t n) {
  return n >= lane->counted_from || lane->counted_from == UINT64_MAX;
}
/* effects.c: where the operation remembers its ids. */
void vb_lane_recall(const vb_lane *lane, vb_operation *operation);
/* Begins operation n: to be written, judged, or drawn again. */
static inline void vb_lane_begin_operation(const vb_lane *lane, vb_operation *operation,
                                           uint64_t n) {
  vb_operation_begin(operation, lane->phase->stream, n);
  if (VB_UNLIKELY(lane->ledger.places)) vb_lane_recall(lane, operation);
}
/* Follows the end of the warm-up: after each block of numbers, so that all that count are seen to.
 */
void vb_lane_follow_warmup(vb_lane *lane);
/* The lane cannot go on: keeps the first reason; main is told at the end of the round. */
void vb_lane_fail(vb_lane *lane, int status, const char *format, ...) VB_PRINTF(3, 4);
void vb_lane_set_state(vb_lane *lane, enum vb_lane_state state);
/* An operation has ended, well or not; `row` is its entry's. */
void vb_lane_operation_ended(vb_lane *lane, uint32_t row, uint64_t n);
void vb_lane_free(vb_lane *lane);

/* record.c: statistics. */
void vb_lane_record(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns latency,
                    vb_ns now);
/* The same for the success of an operation that is one command without processors, the most common
 * kind: its counters and the bytes of its reply go with the run. */
void vb_lane_record_plain(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns latency,
                          uint64_t bytes);
/* The same for a whole run of equal ones, none of which is among the slowest. */
void vb_lane_record_run(vb_lane *lane, const vb_run_length *more);
void vb_lane_record_flush(vb_lane *lane);
/* Keeps an operation that took `time` when it is among the slowest. */
void vb_lane_note_slow(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns time,
                       vb_ns now);
/* Open loop: an operation that was due at `due` has ended well. */
void vb_lane_record_response(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, vb_ns due);
/* Counts an error of operation n that is no error reply. */
void vb_lane_count_error(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n, const char *kind,
                         const char *message);
/* Counts an error reply. */
void vb_lane_count_error_reply(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n,
                               const vb_reply *reply);
/* Counts a push that nobody asked for, by its kind, which is its first element. */
void vb_lane_count_push(vb_lane *lane, const vb_reply *reply);
/* Counts what happened to operation n besides: a request that was sent again, one without a reply
 * in time, one of which nobody knows whether it was done. */
void vb_lane_count_retry(vb_lane *lane, uint32_t row, uint64_t n);
void vb_lane_count_timeout(vb_lane *lane, uint32_t row, uint64_t n);
void vb_lane_count_unknown(vb_lane *lane, uint32_t row, uint32_t node, uint64_t n);

/* issue.c: operations on their way out. */
/* Starts operations until the connection's window is full or there is nothing to start, and writes
 * them. */
void vb_connection_fill(vb_connection *connection);
/* Begins the steps of an operation from `step` on, up to one that waits for a reply. Returns how
 * many requests went out; 0 when a cursor ended or a hook failed (the lane knows). */
uint32_t vb_connection_begin(vb_connection *connection, const vb_entry *entry, uint32_t step,
                             vb_waiting begun);
/* Puts bytes behind what is to be sent. */
void vb_connection_append(vb_connection *connection, const char *request, size_t size);
/* Sends one step again, as a retry. False when that cannot be; the lane knows why. */
bool vb_connection_repeat(vb_connection *connection, const vb_flight *flight);
/* Appends the request of one command. */
enum vb_render vb_connection_append_command(vb_connection *connection, const vb_command *command,
                                            vb_operation *operation);
/* What comes of a request of operation n that could not be written. */
void vb_connection_render_failed(vb_connection *connection, const vb_entry *entry,
                                 enum vb_render why, uint64_t n);
/* Counts what was written for operation n: so many requests; or for as many operations from n on,
 * which are all counted or none. */
void vb_lane_count_sent(vb_lane *lane, uint32_t row, uint64_t n, uint32_t requests, uint64_t bytes);
/* Several nodes, or an open loop: there is room on the connection, and nothing to do. */
void vb_connection_wait_for_work(vb_connection *connection);
/* The connection of the node that has waited for work longest, is not lost and has room; NULL:
 * none.
 */
vb_connection *vb_lane_take_waiting(vb_lane *lane, uint32_t node);
/* Fills connections that waited for room elsewhere. */
void vb_lane_fill_waiting(vb_lane *lane);
/* Whether there are numbers in `block`; takes the next ones when there are none. */
bool vb_lane_has_number(vb_lane *lane);
/* The number of the next operation; false when there are no more. */
bool vb_lane_next_number(vb_lane *lane, uint64_t *n);
/* The node that operation n goes to. */
uint32_t vb_lane_route(vb_lane *lane, uint64_t n);
/* The operation waits in `node`'s queue, or goes out when a connection there has room. */
void vb_lane_enqueue(vb_lane *lane, uint32_t node, vb_waiting begun);

/* burst.c: the most common operations, several at once. */
/* Begins operations until the window is full or the next one is not of that kind, or cannot begin.
 */
void vb_connection_begin_burst(vb_connection *connection, uint32_t window);
/* Takes the replies at the front of `data` that are whole, successes, and nothing but counted;
 * returns their bytes. No reply is under way. */
size_t vb_connection_take_burst(vb_connection *connection, const char *data, size_t length);

/* ramp.c: connections by stages. */
/* How many connections of this worker are to be open now: at least one a node. */
uint32_t vb_lane_wanted(const vb_lane *lane);
/* Opens what is wanted and not open, closes what is open, idle and not wanted. */
void vb_lane_follow_ramp(vb_lane *lane);

/* open_loop.c: operations by schedule. */
/* Fits statistics to an open loop, or to none. VB_ENOMEM. */
int vb_lane_fit_schedule(vb_lane *lane);
void vb_lane_start_schedule(vb_lane *lane);
/* How many numbers to take at once. In the warm-up one, since all that are in hand at its end are
 * of it, and slow operations would take long to use them up. */
void vb_lane_fit_blocks(vb_lane *lane);
/* Begins what has fallen due until now: at most what the backlog holds. */
void vb_lane_release(vb_lane *lane);
/* Empties the queues at the end; what waits there is counted, with its age as response time. */
void vb_lane_drop_queued(vb_lane *lane);
/* The phase is over, and an operation that was begun has not ended: it is counted with what waits
 * at the end, and its age until now enters response time. */
void vb_lane_leave(vb_lane *lane, uint64_t n, vb_ns due);
/* A cursor had ended before operation n: nobody asked for it. */
void vb_lane_withdraw(vb_lane *lane, uint64_t n);
/* The age of an operation that will not be answered any more enters response time. */
void vb_lane_record_age(vb_lane *lane, uint64_t n, vb_ns due, vb_ns now);

/* reply.c: replies on their way in. */
/* The replies that are in `data`; returns the bytes used, -1 after closing the connection. */
ssize_t vb_connection_receive(vb_connection *connection, const char *data, size_t length);
/* Records the time of a command that was answered well. */
void vb_connection_record(vb_connection *connection, const vb_flight *flight, const vb_step *step,
                          const vb_reply *reply);
/* Judges the reply of one command. True when it was answered well. */
bool vb_connection_judge(vb_connection *connection, const vb_flight *flight, const vb_step *step,
                         const vb_reply *reply);

/* What the command of a step wants to know of a reply that is no error: processors, counts. The ids
 * of the operation are drawn. False when it was not answered well. */
bool vb_connection_process(vb_connection *connection, const vb_step *step, vb_operation *operation,
                           const vb_reply *reply);

/* connection.c: opening, writing, closing. */
vb_connection *vb_connection_new(vb_lane *lane, uint32_t index, uint32_t node, uint32_t pipeline);
void vb_connection_free(vb_connection *connection);
/* Room for `pipeline` operations of up to `steps` requests; only when nothing is in flight. */
int vb_connection_resize(vb_connection *connection, uint32_t flights);
void vb_connection_open(vb_connection *connection);
/* It can be used: the handshake is over. */
void vb_connection_become_ready(vb_connection *connection);
/* Closes and opens again, which is part of the load: no error. Only when nothing is in flight. */
void vb_connection_renew(vb_connection *connection);
/* Closes; what was in flight is counted as errors of `kind`. It will be opened again. */
void vb_connection_break(vb_connection *connection, const char *kind, const char *message);
/* The phase is over, and what is in flight may wait for ever: closes, and leaves it. */
void vb_connection_abandon(vb_connection *connection);
/* Whether the next reply is that of a command that blocks. */
bool vb_connection_is_blocked(const vb_connection *connection);
/* Writes what is in the outbox and notes when. */
void vb_connection_flush(vb_connection *connection);
/* Readiness from the event loop. */
void vb_connection_event(vb_connection *connection, uint32_t events);
/* Every 10 to 100 ms: goes on opening, gives that up, or begins it anew. */
void vb_connection_sweep(vb_connection *connection);
/* Closes it when nothing is in flight: a ramp goes down. */
void vb_connection_retire(vb_connection *connection);
/* The phase is over: closes it unless it can serve the next one as it is. */
void vb_connection_settle(vb_connection *connection);
/* Puts a flight behind the others. */
vb_flight *vb_connection_push(vb_connection *connection);
const char *vb_connection_address(const vb_connection *connection);

#endif
