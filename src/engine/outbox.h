/* The send queue of a connection: chunks that do not move or change until they are sent.
 * One owner, one worker. A pool of chunks a worker serves all its connections, so that what is
 * written next is warm in the cache. */
#ifndef VB_ENGINE_OUTBOX_H
#define VB_ENGINE_OUTBOX_H

#include "net/stream.h"

enum { VB_CHUNK_SIZE = 16 * 1024, VB_CHUNK_CLASSES = 40 };

typedef struct vb_chunk {
  struct vb_chunk *next;
  size_t
      capacity; /* of data: VB_CHUNK_SIZE, or a larger power of two for a request that needs it */
  size_t used, sent;
  const char *bytes; /* data, or bytes that are somebody else's until they are sent */
  char data[];
} vb_chunk;

/* Free chunks by power of two (0: without data of their own); zeroed memory is an empty pool. */
typedef struct vb_chunk_pool {
  vb_chunk *free[VB_CHUNK_CLASSES];
} vb_chunk_pool;

void vb_chunk_pool_fini(vb_chunk_pool *pool);

/* Zeroed memory is an empty queue. */
typedef struct vb_outbox {
  vb_chunk *first, *last;
  uint64_t appended, sent; /* bytes since the connection opened */
} vb_outbox;

/* A chunk with room for `size` bytes at the end of the queue. */
char *vb_outbox_extend(vb_outbox *outbox, vb_chunk_pool *pool, size_t size);

/* Where the next `size` bytes go; they count when committed. */
static inline char *vb_outbox_reserve(vb_outbox *outbox, vb_chunk_pool *pool, size_t size) {
  vb_chunk *last = outbox->last;
  if (VB_LIKELY(last && last->capacity - last->used >= size)) return last->data + last->used;
  return vb_outbox_extend(outbox, pool, size);
}

static inline void vb_outbox_commit(vb_outbox *outbox, size_t size) {
  outbox->last->used += size;
  outbox->appended += size;
}

/* Appends bytes that stay where they are and as they are until they are sent, or until the outbox
 * is reset. */
void vb_outbox_borrow(vb_outbox *outbox, vb_chunk_pool *pool, const char *bytes, size_t length);

static inline bool vb_outbox_empty(const vb_outbox *outbox) {
  return outbox->sent == outbox->appended;
}

/* Writes what is there to the stream with one call. Returns the bytes written, or a VB_STREAM_
 * result; sent chunks go back to the pool. */
ssize_t vb_outbox_flush(vb_outbox *outbox, vb_chunk_pool *pool, vb_stream *stream);
/* Forgets everything and counts from 0 again. */
void vb_outbox_reset(vb_outbox *outbox, vb_chunk_pool *pool);

#endif
