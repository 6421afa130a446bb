/* Intervals: what a worker posts each second, and the channel that carries them to main.
 * One writer (the worker) and one reader (main), without locks; each function says whose it is.
 *
 * A channel owns a few preallocated intervals. The worker fills one; to post it, it takes a free
 * one. When main is late and none is free, the worker goes on with the one it has, which then
 * covers more than a second: nothing is lost and nobody waits. */
#ifndef VB_STATS_INTERVAL_H
#define VB_STATS_INTERVAL_H

#include "stats/histogram.h"

enum { VB_INTERVALS = 4 };

typedef struct vb_interval {
  uint64_t start_ns, end_ns; /* monotonic; end is written when it is posted */
  uint64_t requests;         /* commands answered well */
  uint64_t operations;       /* finished, well or not */
  uint64_t errors;
  uint64_t hits, misses; /* vb.hits */
  uint64_t sent;         /* commands written */
  uint64_t bytes_sent, bytes_received;
  uint64_t open_connections; /* at its end */
  uint64_t timeouts, retries;
  vb_histogram *latency;  /* of requests, in ns */
  vb_histogram *response; /* open loop: from the intended start; else NULL */
} vb_interval;

typedef struct vb_interval_channel vb_interval_channel;

/* A channel whose first interval starts at now_ns, with histograms of `digits` digits (2 is
 * usual), also of responses when asked. NULL when out of memory. Made and freed when no worker uses
 * it. */
VB_API vb_interval_channel *vb_interval_channel_new(int digits, bool responses, uint64_t now_ns);
VB_API void vb_interval_channel_free(vb_interval_channel *channel);

/* Worker: the interval to fill; the same until a post succeeds. When the worker has stopped, main
 * reads what is left here. */
VB_API vb_interval *vb_interval_current(vb_interval_channel *channel);
/* Worker: ends the current interval, hands it to main and starts the next. False when none is
 * free: the current one goes on. */
VB_API bool vb_interval_post(vb_interval_channel *channel, uint64_t now_ns);

/* Main: the oldest interval posted, NULL when there is none; main's until it is returned. */
VB_API vb_interval *vb_interval_take(vb_interval_channel *channel);
/* Main: gives back what take gave, in any order; empties it. */
VB_API void vb_interval_return(vb_interval_channel *channel, vb_interval *interval);

/* Forgets what it holds; the histograms stay. */
VB_API void vb_interval_clear(vb_interval *interval);
/* into += from; the span becomes that of both. `into` starts zeroed, with histograms. */
VB_API void vb_interval_merge(vb_interval *into, const vb_interval *from);

#endif
