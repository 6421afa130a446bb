#include "engine/queue.h"

#include <stdio.h>
#include <stdlib.h>

void vb_queue_fini(vb_queue *queue) {
  free(queue->ring);
  *queue = (vb_queue){0};
}

void vb_queue_grow(vb_queue *queue) {
  uint32_t capacity = queue->capacity ? queue->capacity * 2 : 64, length = vb_queue_length(queue);
  vb_waiting *ring = malloc(capacity * sizeof *ring);
  if (!ring) {
    (void)fprintf(stderr, "vbench: out of memory: a queue of %u operations\n", capacity);
    exit(1);
  }
  for (uint32_t i = 0; i < length; i++)
    ring[i] = queue->ring[(queue->head + i) & (queue->capacity - 1)];
  free(queue->ring);
  *queue = (vb_queue){ring, capacity, 0, length};
}
