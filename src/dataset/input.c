#include "dataset/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small enough to stay in the second-level cache while what was read is converted and written. */
enum { BUFFER = 256 * 1024 };
#define MOST ((size_t)2 << 30)

static int failed(const vb_input *input, vb_error *err) {
  return vb_fail(err, VB_EIO, "%s: %s", input->path, strerror(errno));
}

int vb_input_open(vb_input *input, const char *path, vb_error *err) {
  *input = (vb_input){.fd = -1, .path = path};
  struct stat info;
  input->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (input->fd < 0) return failed(input, err);
  int bad = fstat(input->fd, &info) ? errno : S_ISDIR(info.st_mode) ? EISDIR : 0;
  if (!bad) input->data = malloc(BUFFER);
  if (!bad && !input->data) bad = ENOMEM;
  if (bad) {
    vb_input_close(input);
    return vb_fail(err, VB_EIO, "%s: %s", path, strerror(bad));
  }
  input->capacity = BUFFER;
  if (S_ISREG(info.st_mode)) {
    input->size = (uint64_t)info.st_size;
    (void)posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  return VB_OK;
}

void vb_input_close(vb_input *input) {
  if (input->path && input->fd >= 0) (void)close(input->fd);
  free(input->data);
  *input = (vb_input){.fd = -1};
}

static int make_room(vb_input *input, size_t need, vb_error *err) {
  if (input->begin) {
    memmove(input->data, input->data + input->begin, input->end - input->begin);
    input->end -= input->begin;
    input->begin = 0;
  }
  if (need <= input->capacity) return VB_OK;
  size_t capacity = input->capacity;
  while (capacity < need && capacity <= MOST) capacity *= 2;
  char *data = capacity > MOST ? NULL : realloc(input->data, capacity);
  if (!data)
    return vb_fail(err, VB_ENOMEM, "%s: one item at byte %llu takes more than %zu bytes",
                   input->path, (unsigned long long)input->taken, input->capacity);
  input->data = data;
  input->capacity = capacity;
  return VB_OK;
}

int64_t vb_input_need(vb_input *input, size_t need, vb_error *err) {
  if (input->end - input->begin >= need || input->eof) return (int64_t)(input->end - input->begin);
  if (input->begin == input->end) input->begin = input->end = 0;
  if (input->capacity - input->begin < need) {
    int status = make_room(input, need, err);
    if (status) return status;
  }
  while (input->end - input->begin < need && !input->eof) {
    ssize_t got = read(input->fd, input->data + input->end, input->capacity - input->end);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(input, err);
    input->eof = got == 0;
    input->end += (size_t)got;
  }
  return (int64_t)(input->end - input->begin);
}

int vb_input_line(vb_input *input, char **line, size_t *length, vb_error *err) {
  size_t seen = 0;
  char *newline = NULL;
  for (;;) {
    size_t there = input->end - input->begin;
    if (there > seen) newline = memchr(vb_input_at(input) + seen, '\n', there - seen);
    if (newline || input->eof) break;
    seen = there;
    int64_t got = vb_input_need(input, there + 1, err);
    if (got < 0) return (int)got;
  }
  size_t bytes = newline ? (size_t)(newline - vb_input_at(input)) : input->end - input->begin;
  if (!newline && bytes == 0) return 0;
  *line = vb_input_at(input);
  *length = bytes && (*line)[bytes - 1] == '\r' ? bytes - 1 : bytes;
  vb_input_take(input, bytes + (newline != NULL));
  input->line++;
  return 1;
}
