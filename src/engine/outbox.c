#include "engine/outbox.h"

#include <stdio.h>
#include <stdlib.h>

enum { PARTS_MAX = 64 };

static unsigned class_of(size_t capacity) {
  return (unsigned)(63 - __builtin_clzll((unsigned long long)capacity));
}

/* A chunk of `capacity` bytes, a power of two, or 1 for one that will borrow. */
static vb_chunk *take_chunk(vb_chunk_pool *pool, size_t capacity) {
  vb_chunk **free_list = &pool->free[class_of(capacity)];
  vb_chunk *chunk = *free_list;
  if (chunk) {
    *free_list = chunk->next;
  } else {
    chunk = malloc(sizeof *chunk + capacity);
    if (!chunk) {
      (void)fprintf(stderr, "vbench: out of memory: a send queue of %zu bytes\n", capacity);
      exit(1);
    }
    chunk->capacity = capacity;
  }
  chunk->next = NULL;
  chunk->used = chunk->sent = 0;
  chunk->bytes = chunk->data;
  return chunk;
}

static void give_chunk(vb_chunk_pool *pool, vb_chunk *chunk) {
  if (VB_UNLIKELY(chunk->bytes != chunk->data)) chunk->capacity = 1;
  vb_chunk **free_list = &pool->free[class_of(chunk->capacity)];
  chunk->next = *free_list;
  *free_list = chunk;
}

void vb_chunk_pool_fini(vb_chunk_pool *pool) {
  for (unsigned i = 0; i < VB_CHUNK_CLASSES; i++) {
    while (pool->free[i]) {
      vb_chunk *chunk = pool->free[i];
      pool->free[i] = chunk->next;
      free(chunk);
    }
  }
}

static vb_chunk *add_chunk(vb_outbox *outbox, vb_chunk *chunk) {
  if (outbox->last)
    outbox->last->next = chunk;
  else
    outbox->first = chunk;
  return outbox->last = chunk;
}

char *vb_outbox_extend(vb_outbox *outbox, vb_chunk_pool *pool, size_t size) {
  size_t capacity = VB_CHUNK_SIZE;
  while (capacity < size) capacity *= 2;
  return add_chunk(outbox, take_chunk(pool, capacity))->data;
}

/* Its capacity is what it borrows: nothing more is put into it. */
void vb_outbox_borrow(vb_outbox *outbox, vb_chunk_pool *pool, const char *bytes, size_t length) {
  vb_chunk *chunk = add_chunk(outbox, take_chunk(pool, 1));
  chunk->bytes = bytes;
  chunk->capacity = chunk->used = length;
  outbox->appended += length;
}

static void drop_sent(vb_outbox *outbox, vb_chunk_pool *pool, size_t sent) {
  outbox->sent += sent;
  while (outbox->first) {
    vb_chunk *chunk = outbox->first;
    size_t left = chunk->used - chunk->sent;
    if (sent < left) {
      chunk->sent += sent;
      return;
    }
    sent -= left;
    outbox->first = chunk->next;
    if (!outbox->first) outbox->last = NULL;
    give_chunk(pool, chunk);
  }
}

ssize_t vb_outbox_flush(vb_outbox *outbox, vb_chunk_pool *pool, vb_stream *stream) {
  vb_chunk *chunk = outbox->first;
  ssize_t done;
  if (VB_LIKELY(!chunk->next)) {
    done = vb_stream_write(stream, chunk->bytes + chunk->sent, chunk->used - chunk->sent);
  } else {
    struct iovec parts[PARTS_MAX];
    int count = 0;
    for (; chunk && count < PARTS_MAX; chunk = chunk->next)
      parts[count++] =
          (struct iovec){(char *)(uintptr_t)chunk->bytes + chunk->sent, chunk->used - chunk->sent};
    done = stream->ops->writev(stream, parts, count);
  }
  if (done > 0) drop_sent(outbox, pool, (size_t)done);
  return done;
}

void vb_outbox_reset(vb_outbox *outbox, vb_chunk_pool *pool) {
  while (outbox->first) {
    vb_chunk *chunk = outbox->first;
    outbox->first = chunk->next;
    give_chunk(pool, chunk);
  }
  *outbox = (vb_outbox){0};
}
