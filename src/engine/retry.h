/* Operations that are to be sent again: the reply was lost, the server was not ready, or nothing of
 * them had been sent. They are kept by number and rendered again.
 * One worker. Private to engine/. */
#ifndef VB_ENGINE_RETRY_H
#define VB_ENGINE_RETRY_H

#include "base/clock.h"

struct vb_connection;
struct vb_flight;
struct vb_lane;
struct vb_reply;

enum {
  VB_RETRY_PLACES = (1 << 28) - 1 /* at most */
};

/* A limit: nothing has been sent, and it is only to be begun. */
#define VB_RETRY_UNSENT (UINT32_MAX - 1)

/* How far the attempts of a flow's run came. Zero: nothing was sent. */
typedef struct vb_progress {
  vb_ns started;  /* the run: its first attempt */
  vb_ns written;  /* the first call without a reply; 0: it was never sent */
  uint32_t calls; /* with a reply: they are counted */
} vb_progress;

/* An operation from its first failure until its replies have come; at a time as many as a lane's
 * windows hold, twice. */
typedef struct vb_retry {
  uint64_t n;
  vb_ns due;            /* its intended start; 0 in a closed loop */
  vb_ns first;          /* its first write, where its response time begins; 0: it was never sent */
  vb_ns not_before;     /* of the next attempt */
  const char *kind;     /* of the error that it is when it is given up; a literal */
  uint16_t tries;       /* used up, of those that it has */
  uint16_t step;        /* where it goes on: the first step without a reply */
  uint8_t put_back;     /* how often nothing of it had been sent, by a connection without a reply */
  bool resent;          /* the next attempt is one: something had been sent before */
  bool aborted;         /* replies of this attempt are still to come, and are nothing any more */
  vb_progress progress; /* of a flow */
} vb_retry;

/* Zeroed memory holds none. Places are from 1 on: flights name them, and 0 is none. */
typedef struct vb_retries {
  vb_retry *slots;
  uint32_t *unused; /* places */
  uint32_t capacity, unused_count;
  uint32_t waiting; /* in the heaps of all nodes */
} vb_retries;

/* Places of what waits for a node: a heap, the earliest first. */
typedef struct vb_retry_heap {
  uint32_t *places;
  uint32_t count, capacity;
} vb_retry_heap;

/* The connection has broken: each operation in flight goes back to where it came from, or is sent
 * again later, or ends as an error of `kind`, which `message` explains. */
void vb_retry_lost(struct vb_connection *connection, const char *kind, const char *message);
/* The phase is over, and the connection closed: each operation in flight is left as it is. */
void vb_retry_abandon(struct vb_connection *connection);
/* Whether an error reply says that the server is not ready, and the flight will be sent again for
 * it; then it gets a place. Counts it as given up when that was done often enough. */
bool vb_retry_refused(struct vb_connection *connection, struct vb_flight *flight,
                      const struct vb_reply *reply);
/* After such a reply, the flight out of the ring: sends the operation again later, when what is
 * still in flight of it has been answered. */
void vb_retry_later(struct vb_connection *connection, const struct vb_flight *flight);
/* A reply of a flight at the head that has a place. True when it is of an aborted attempt: it is
 * nothing, and the flight is out of the ring. */
bool vb_retry_swallows(struct vb_connection *connection, const struct vb_flight *flight);
/* A flight that has a place was answered, and is out of the ring. */
void vb_retry_answered(struct vb_connection *connection, const struct vb_flight *flight);
/* When the response time of a flight begins. */
vb_ns vb_retry_began(const struct vb_connection *connection, const struct vb_flight *flight);
/* A run of a flow has lost its connection; `run` stands for it, with n, due, entry, retry, and as
 * `written` its start. `limit`: as often may it be begun again by what it has called (UINT32_MAX:
 * as the phase says), or VB_RETRY_UNSENT. True when it will be begun again, by a place that `run`
 * gets, or is as if it had never begun; false when it is an error, and has no place any more. */
bool vb_retry_run(struct vb_connection *connection, struct vb_flight *run, const char *kind,
                  uint32_t limit);
/* Of a place; until it is given back. */
vb_progress *vb_retry_progress(const struct vb_lane *lane, uint32_t place);
/* The run of a flow is over: gives back its place, if it has one. */
void vb_retry_end_run(struct vb_lane *lane, uint32_t place);
/* Starts an operation whose time has come; false: there is none. */
bool vb_retry_start(struct vb_connection *connection);
/* Whether so many wait that new operations have to: a server in trouble is not sent ever more. */
bool vb_retry_holds(const struct vb_lane *lane);
/* Offers what waits to connections that have nothing to do. */
void vb_retry_wake(struct vb_lane *lane);
/* Every connection is lost, and perhaps for long: what was never sent is left to other workers. */
void vb_retry_share(struct vb_lane *lane);
/* The phase is over: what waits and was sent ends as an error, the rest was never begun. */
void vb_retry_give_up(struct vb_lane *lane);
/* Before a phase: nothing is kept. */
void vb_retry_reset(struct vb_lane *lane);
void vb_retries_fini(struct vb_lane *lane);

#endif
