/* A growable run of bytes, and decimal writing for hot paths.
 * One owner, one thread. */
#ifndef VB_BASE_BYTES_H
#define VB_BASE_BYTES_H

#include "base/api.h"

#include <string.h>

typedef struct vb_bytes {
  char *data;
  size_t length;
  size_t capacity;
} vb_bytes;

/* Zeroed memory is an empty vb_bytes. Out of memory ends the process with a message (a client that
 * cannot hold its own requests has nothing to report). */
void vb_bytes_fini(vb_bytes *bytes);
/* Slow path of vb_bytes_reserve: makes room where there is none, growing by doubling. */
void vb_bytes_grow(vb_bytes *bytes, size_t more);

/* Room for `more` bytes behind what is there; returns where they go. Does not change length. That
 * what just fits takes the slow path keeps no bytes of an empty vb_bytes from being NULL + 0, which
 * C does not define, and costs the others nothing. */
static inline char *vb_bytes_reserve(vb_bytes *bytes, size_t more) {
  if (VB_UNLIKELY(bytes->capacity - bytes->length <= more)) vb_bytes_grow(bytes, more);
  return bytes->data + bytes->length;
}

static inline void vb_bytes_append(vb_bytes *bytes, const void *from, size_t length) {
  char *to = vb_bytes_reserve(bytes, length);
  if (length) memcpy(to, from, length);
  bytes->length += length;
}

static inline void vb_bytes_clear(vb_bytes *bytes) {
  bytes->length = 0;
}

/* Digits of value in decimal, 1 to 20. */
unsigned vb_decimal_width(uint64_t value);
/* Writes value with exactly `width` digits, zero-padded (the low digits when it has more). */
void vb_decimal_write(char *to, uint64_t value, unsigned width);

/* Writes value without padding; returns the digits written (at most 20). */
static inline unsigned vb_decimal_append(char *to, uint64_t value) {
  unsigned width = vb_decimal_width(value);
  vb_decimal_write(to, value, width);
  return width;
}

#endif
