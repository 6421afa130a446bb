#include "stats/interval.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A ring of one producer and one consumer. It has a place for every interval there is, so a push
 * always finds room. */
typedef struct ring {
  _Alignas(VB_CACHE_LINE) atomic_uint pushed;
  _Alignas(VB_CACHE_LINE) atomic_uint popped;
  vb_interval *places[VB_INTERVALS];
} ring;

struct vb_interval_channel {
  ring posted; /* worker to main */
  ring unused; /* main to worker */
  _Alignas(VB_CACHE_LINE) vb_interval *current;
  vb_interval intervals[VB_INTERVALS];
};

static void push(ring *to, vb_interval *interval) {
  unsigned at = atomic_load_explicit(&to->pushed, memory_order_relaxed);
  to->places[at % VB_INTERVALS] = interval;
  atomic_store_explicit(&to->pushed, at + 1, memory_order_release);
}

/* The place is the producer's again once `popped` is stored: released after the read. */
static vb_interval *pop(ring *from) {
  unsigned at = atomic_load_explicit(&from->popped, memory_order_relaxed);
  if (atomic_load_explicit(&from->pushed, memory_order_acquire) == at) return NULL;
  vb_interval *interval = from->places[at % VB_INTERVALS];
  atomic_store_explicit(&from->popped, at + 1, memory_order_release);
  return interval;
}

vb_interval_channel *vb_interval_channel_new(int digits, bool responses, uint64_t now_ns) {
  vb_interval_channel *channel = aligned_alloc(VB_CACHE_LINE, sizeof *channel);
  if (!channel) return NULL;
  *channel = (vb_interval_channel){.current = &channel->intervals[0]};
  channel->current->start_ns = now_ns;
  for (int i = 0; i < VB_INTERVALS; i++) {
    channel->intervals[i].latency = vb_histogram_new(digits);
    if (responses) channel->intervals[i].response = vb_histogram_new(digits);
    if (!channel->intervals[i].latency || (responses && !channel->intervals[i].response)) goto fail;
    if (i) push(&channel->unused, &channel->intervals[i]);
  }
  return channel;

fail:
  vb_interval_channel_free(channel);
  return NULL;
}

void vb_interval_channel_free(vb_interval_channel *channel) {
  if (!channel) return;
  for (int i = 0; i < VB_INTERVALS; i++) {
    vb_histogram_free(channel->intervals[i].latency);
    vb_histogram_free(channel->intervals[i].response);
  }
  free(channel);
}

vb_interval *vb_interval_current(vb_interval_channel *channel) {
  return channel->current;
}

bool vb_interval_post(vb_interval_channel *channel, uint64_t now_ns) {
  vb_interval *next = pop(&channel->unused);
  if (!next) return false;
  channel->current->end_ns = now_ns;
  push(&channel->posted, channel->current);
  next->start_ns = now_ns;
  channel->current = next;
  return true;
}

vb_interval *vb_interval_take(vb_interval_channel *channel) {
  return pop(&channel->posted);
}

void vb_interval_return(vb_interval_channel *channel, vb_interval *interval) {
  vb_interval_clear(interval);
  push(&channel->unused, interval);
}

void vb_interval_clear(vb_interval *interval) {
  vb_histogram *latency = interval->latency, *response = interval->response;
  vb_histogram_reset(latency);
  if (response) vb_histogram_reset(response);
  *interval = (vb_interval){.latency = latency, .response = response};
}

void vb_interval_merge(vb_interval *into, const vb_interval *from) {
  if (!into->start_ns || from->start_ns < into->start_ns) into->start_ns = from->start_ns;
  if (from->end_ns > into->end_ns) into->end_ns = from->end_ns;
  into->requests += from->requests;
  into->operations += from->operations;
  into->errors += from->errors;
  into->hits += from->hits;
  into->misses += from->misses;
  into->sent += from->sent;
  into->bytes_sent += from->bytes_sent;
  into->bytes_received += from->bytes_received;
  into->open_connections += from->open_connections;
  into->timeouts += from->timeouts;
  into->retries += from->retries;
  vb_histogram_merge(into->latency, from->latency);
  if (into->response && from->response) vb_histogram_merge(into->response, from->response);
}
