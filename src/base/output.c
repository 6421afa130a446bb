#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the bytes go first, and what then takes their place. */
typedef struct target {
  char path[PATH_MAX];           /* behind symbolic links */
  char temporary[PATH_MAX + 32]; /* "" when `path` is no regular file and is written to */
  mode_t mode;                   /* of the file that is replaced; 0: there is none */
} target;

static int failed(const char *path, vb_error *err) {
  return vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno));
}

static int find_target(target *to, const char *path, vb_error *err) {
  struct stat info;
  *to = (target){.mode = 0};
  if (stat(path, &info) == 0) {
    if (!realpath(path, to->path)) return failed(path, err);
    to->mode = info.st_mode & 07777;
    if (S_ISDIR(info.st_mode)) return errno = EISDIR, failed(path, err);
    if (!S_ISREG(info.st_mode)) return VB_OK;
    if (access(to->path, W_OK)) return failed(path, err);
  } else if (errno != ENOENT || strlen(path) >= sizeof to->path) {
    return failed(path, err);
  } else {
    strcpy(to->path, path);
  }
  snprintf(to->temporary, sizeof to->temporary, "%s.%ld.tmp", to->path, (long)getpid());
  return VB_OK;
}

static int open_target(const target *to) {
  if (!to->temporary[0]) return open(to->path, O_WRONLY | O_CLOEXEC);
  (void)unlink(to->temporary); /* left by a process of the same number that was killed */
  int fd = open(to->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd >= 0 && to->mode) (void)fchmod(fd, to->mode);
  return fd;
}

static int write_all(int fd, const char *data, size_t length) {
  while (length) {
    ssize_t wrote = write(fd, data, length);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return -1;
    data += wrote;
    length -= (size_t)wrote;
  }
  return 0;
}

/* A full disk may show as late as here. */
static int finish(int fd, const target *to) {
  if (to->temporary[0] && fsync(fd) && errno != EINVAL) return -1;
  return 0;
}

int vb_output_write(const char *path, const char *data, size_t length, vb_error *err) {
  target to;
  int status = find_target(&to, path, err);
  if (status) return status;
  int fd = open_target(&to);
  if (fd < 0) return failed(path, err);
  int bad = write_all(fd, data, length) || finish(fd, &to);
  int why = errno;
  if (close(fd) && !bad) bad = 1, why = errno;
  if (!bad && to.temporary[0] && rename(to.temporary, to.path)) bad = 1, why = errno;
  if (!bad) return VB_OK;
  if (to.temporary[0]) (void)unlink(to.temporary);
  errno = why;
  return failed(path, err);
}

int vb_output_check(const char *path, vb_error *err) {
  target to;
  int status = find_target(&to, path, err);
  if (status) return status;
  if (!to.temporary[0]) return access(to.path, W_OK) ? failed(path, err) : VB_OK;
  int fd = open_target(&to);
  if (fd < 0) return failed(path, err);
  (void)close(fd);
  (void)unlink(to.temporary);
  return VB_OK;
}

int vb_output_same(const char *path, const char *other) {
  struct stat one, two;
  if (stat(path, &one) || stat(other, &two)) return 0;
  return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

int vb_output_columns(int fd) {
  struct winsize size;
  if (!isatty(fd)) return 0;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}
