/* A node's queue of operations that wait for a connection with room: first in, first out, 16 bytes
 * each.
 * One worker. */
#ifndef VB_ENGINE_QUEUE_H
#define VB_ENGINE_QUEUE_H

#include "base/clock.h"

typedef struct vb_waiting {
  uint64_t n;
  vb_ns due; /* intended start; 0 in a closed loop */
} vb_waiting;

/* A ring that doubles; zeroed memory is an empty queue. */
typedef struct vb_queue {
  vb_waiting *ring;
  uint32_t capacity; /* a power of two, or 0 */
  uint32_t head, tail;
} vb_queue;

void vb_queue_fini(vb_queue *queue);
/* Makes room for one more. */
void vb_queue_grow(vb_queue *queue);

static inline uint32_t vb_queue_length(const vb_queue *queue) {
  return queue->tail - queue->head;
}

static inline void vb_queue_push(vb_queue *queue, vb_waiting waiting) {
  if (VB_UNLIKELY(vb_queue_length(queue) == queue->capacity)) vb_queue_grow(queue);
  queue->ring[queue->tail++ & (queue->capacity - 1)] = waiting;
}

/* Only when the length is not 0. */
static inline vb_waiting vb_queue_pop(vb_queue *queue) {
  return queue->ring[queue->head++ & (queue->capacity - 1)];
}

static inline void vb_queue_clear(vb_queue *queue) {
  queue->head = queue->tail = 0;
}

#endif
