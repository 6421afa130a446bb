/* A worker: a thread with its own event loop, connections, statistics and script state.
 * Private to engine/. Main talks to it by messages; it talks to main by the states of its lanes. */
#ifndef VB_ENGINE_WORKER_H
#define VB_ENGINE_WORKER_H

#include "engine/caching.h"
#include "engine/lane.h"

#include <pthread.h>

enum { VB_RECEIVE_SIZE = 256 * 1024, VB_MESSAGES_MAX = 64 };

/* What main tells a worker. */
enum vb_message_kind {
  VB_MESSAGE_PREPARE, /* lane, phase, clients, first_client */
  VB_MESSAGE_RUN,     /* lane */
  VB_MESSAGE_STOP,    /* lane */
  VB_MESSAGE_FINISH,  /* thread.done */
  VB_MESSAGE_QUIT
};

typedef struct vb_message {
  int kind; /* enum vb_message_kind */
  uint32_t lane, clients, first_client;
  vb_phase *phase;
} vb_message;

/* Where a worker stands; written by it, read by main. */
enum vb_worker_state {
  VB_WORKER_LOADING, /* its script */
  VB_WORKER_UP,
  VB_WORKER_FINISHED, /* thread.done has run: `result` is there */
  VB_WORKER_FAILED    /* `error` says why */
};

/* What all workers share and none changes. */
typedef struct vb_engine_shared {
  vb_engine_spec spec;
  vb_address addresses[VB_NODES_MAX];
  vb_router router;
  int notify_fd;      /* wakes main */
  vb_writes *writes;  /* with client-side caching, else NULL */
  atomic_size_t kept; /* bytes of unfinished replies that connections hold, all workers together */
} vb_engine_shared;

typedef struct vb_worker {
  _Alignas(VB_CACHE_LINE) vb_watch watch; /* shared */
  vb_engine_shared *shared;
  uint32_t index;
  pthread_t thread;
  int epoll_fd, wake_fd;
  vb_ns now; /* the clock as last read: before a write, after a receive, after a wait */
  vb_ns next_sweep;
  vb_ns next_due;    /* when the next operation of any lane falls due; UINT64_MAX: none */
  vb_ns spin;        /* time spent awake, waiting for it */
  vb_ns collector;   /* time spent collecting what the script's functions left */
  uint64_t calls;    /* of functions, when it was looked for last */
  char *buffer;      /* VB_RECEIVE_SIZE: where all connections receive */
  vb_writes *writes; /* the shared ones */
  vb_chunk_pool pool;
  vb_renderer renderer;
  vb_hooks hooks;
  bool hooked;           /* hooks->state is there */
  vb_connection **dirty; /* to be flushed at the end of the round */
  uint32_t dirty_count, dirty_capacity;
  vb_lane lanes[VB_LANES_MAX];
  uint32_t lane_count; /* lanes that were ever prepared */
  atomic_int state;    /* shared: enum vb_worker_state */
  vb_error error;      /* shared once the state says so */
  vb_bytes result;     /* likewise */
  atomic_bool quit;
  atomic_bool ended;    /* shared: the thread does nothing more */
  pthread_mutex_t lock; /* of the messages */
  vb_message messages[VB_MESSAGES_MAX];
  uint32_t message_count;
} vb_worker;

/* Starts the thread; it loads its script and then waits for messages. */
int vb_worker_start(vb_worker **out, vb_engine_shared *shared, uint32_t index, vb_error *err);
/* Main: sends a message. */
void vb_worker_tell(vb_worker *worker, vb_message message);
/* Main: ends the thread and frees everything; one that is in a call of a script is waited for. */
void vb_worker_free(vb_worker *worker);
/* Main: gives up on a thread that does not answer. */
void vb_worker_abandon(vb_worker *worker);
/* Worker: takes note that a lane's next operation falls due at another time. */
void vb_worker_follow_schedules(vb_worker *worker);
/* Worker: wakes main. */
void vb_worker_notify(const vb_worker *worker);
/* Worker: will flush the connection at the end of the round. */
void vb_worker_mark_dirty(vb_worker *worker, vb_connection *connection);

#endif
