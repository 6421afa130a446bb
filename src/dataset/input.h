/* A file that is read from its start to its end through a buffer that grows when one item needs it.
 * Private to src/dataset; one owner, one thread. */
#ifndef VB_DATASET_INPUT_H
#define VB_DATASET_INPUT_H

#include "base/status.h"

typedef struct vb_input {
  int fd;
  const char *path; /* the caller's, for messages */
  char *data;
  size_t begin, end, capacity; /* what was read and not yet taken lies between begin and end */
  uint64_t taken;              /* bytes of the file before begin */
  uint64_t size;               /* of the file when it was opened; 0 for a pipe */
  uint64_t line;               /* of vb_input_line: the number of the last, from 1 */
  bool eof;
} vb_input;

/* VB_EIO names the path: a file that is not there or unreadable, a directory. */
int vb_input_open(vb_input *input, const char *path, vb_error *err);
/* Takes a zeroed input too. */
void vb_input_close(vb_input *input);

/* Tries to have `need` bytes at data + begin: the number that is there, fewer only at the end of
 * the file. VB_EIO, or VB_ENOMEM when one item takes more than 2 GB. */
int64_t vb_input_need(vb_input *input, size_t need, vb_error *err);

static inline char *vb_input_at(const vb_input *input) {
  return input->data + input->begin;
}

static inline void vb_input_take(vb_input *input, size_t bytes) {
  input->begin += bytes;
  input->taken += bytes;
}

/* The next line without its line feed, and without a carriage return before it: writable, valid
 * until the next call. 1, 0 at the end of the file, or negative. */
int vb_input_line(vb_input *input, char **line, size_t *length, vb_error *err);

#endif
