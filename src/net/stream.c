#include "net/stream.h"

#include "base/clock.h"
#include "net/tls_stream.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A TCP or unix socket. */
typedef struct plain_stream {
  vb_stream stream;
  bool connected;
  bool retry; /* connect again: a unix socket whose backlog is full */
  vb_address address;
} plain_stream;

void vb_stream_reason(char *to, size_t size, int error_number) {
  (void)snprintf(to, size, "%s", strerror(error_number));
  to[0] = (char)tolower((unsigned char)to[0]);
}

void vb_stream_explain(const vb_stream *stream, char *to, size_t size) {
  if (stream->reason)
    (void)snprintf(to, size, "%s", stream->reason);
  else
    vb_stream_reason(to, size, stream->error_number);
}

/* "127.0.0.1:6390: connection refused". */
static int connect_failed(const char *address, int error_number, vb_error *err) {
  char reason[128];
  vb_stream_reason(reason, sizeof reason, error_number);
  return vb_fail(err, VB_ECONNECT, "%s: %s", address, reason);
}

/* Connects as far as that goes at once; 0 or an errno that ends the matter. */
static int start_connect(plain_stream *plain) {
  int done;
  do
    done =
        connect(plain->stream.fd, (struct sockaddr *)&plain->address.socket, plain->address.length);
  while (done < 0 && errno == EINTR);
  plain->connected = done == 0;
  plain->retry = done < 0 && errno == EAGAIN;
  if (done == 0 || plain->retry || errno == EINPROGRESS) return 0;
  return errno;
}

/* How a TCP connection under way has come out: 0 or an errno; EINPROGRESS while it has not. */
static int check_connect(plain_stream *plain) {
  struct pollfd ready = {.fd = plain->stream.fd, .events = POLLOUT};
  int error_number = 0;
  socklen_t size = sizeof error_number;
  if (poll(&ready, 1, 0) <= 0) return EINPROGRESS;
  if (getsockopt(plain->stream.fd, SOL_SOCKET, SO_ERROR, &error_number, &size) < 0) return errno;
  plain->connected = error_number == 0;
  return error_number;
}

static enum vb_stream_state plain_open(vb_stream *stream, vb_error *err) {
  plain_stream *plain = (plain_stream *)stream;
  if (plain->connected) return VB_STREAM_READY;
  int error_number = plain->retry ? start_connect(plain) : check_connect(plain);
  if (plain->connected) return VB_STREAM_READY;
  if (error_number == 0 || error_number == EINPROGRESS) return VB_STREAM_WANT_WRITE;
  stream->error_number = error_number;
  (void)connect_failed(plain->address.text, error_number, err);
  return VB_STREAM_FAILED;
}

/* What a failed system call comes to; EINTR is the caller's. */
static ssize_t failed_call(vb_stream *stream) {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return VB_STREAM_AGAIN;
  stream->error_number = errno;
  return VB_STREAM_ERROR;
}

/* recv and send as the system has them. In a program with threads glibc's are points where a thread
 * may be cancelled, which costs four locked instructions a request at pipeline 1. */
static ssize_t plain_read(vb_stream *stream, void *to, size_t size) {
  ssize_t got;
  do got = syscall(SYS_recvfrom, stream->fd, to, size, 0, NULL, NULL);
  while (got < 0 && errno == EINTR);
  if (got > 0) return got;
  return got == 0 ? VB_STREAM_CLOSED : failed_call(stream);
}

static ssize_t plain_write(vb_stream *stream, const void *from, size_t size) {
  ssize_t sent;
  do sent = syscall(SYS_sendto, stream->fd, from, size, MSG_NOSIGNAL, NULL, 0);
  while (sent < 0 && errno == EINTR);
  return sent >= 0 ? sent : failed_call(stream);
}

static ssize_t plain_writev(vb_stream *stream, const struct iovec *parts, int count) {
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
  ssize_t sent;
  do sent = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0 ? sent : failed_call(stream);
}

static void plain_close(vb_stream *stream) {
  if (stream->fd >= 0) (void)close(stream->fd);
  free(stream);
}

static const vb_stream_ops plain_ops = {.open = plain_open,
                                        .read = plain_read,
                                        .write = plain_write,
                                        .writev = plain_writev,
                                        .close = plain_close};

int vb_stream_connect(vb_stream **out, const vb_address *address, vb_error *err) {
  plain_stream *plain = calloc(1, sizeof *plain);
  if (!plain) return vb_fail(err, VB_ENOMEM, "%s: no memory for a connection", address->text);
  plain->stream.ops = &plain_ops;
  plain->stream.stage = "connection";
  plain->stream.hint = "";
  plain->address = *address;
  int family = address->socket.ss_family, one = 1;
  plain->stream.fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int error_number = plain->stream.fd < 0 ? errno : start_connect(plain);
  if (error_number) {
    vb_stream_close(&plain->stream);
    return connect_failed(address->text, error_number, err);
  }
  if (family != AF_UNIX)
    (void)setsockopt(plain->stream.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (address->tls) return vb_tls_wrap(out, &plain->stream, address, err);
  *out = &plain->stream;
  return VB_OK;
}

void vb_stream_close(vb_stream *stream) {
  if (stream) stream->ops->close(stream);
}

/* Waits until the descriptor is ready for what the stream wants, or the deadline. */
static void wait_ready(const vb_stream *stream, enum vb_stream_state state, vb_ns deadline) {
  vb_ns now = vb_now();
  if (now >= deadline) return;
  struct pollfd ready = {.fd = stream->fd,
                         .events = state == VB_STREAM_WANT_READ ? POLLIN : POLLOUT};
  (void)poll(&ready, 1, (int)((deadline - now + VB_NS_PER_MS - 1) / VB_NS_PER_MS));
  /* A unix socket whose peer has no room yet hangs up at once, all the time. */
  if (ready.revents & POLLHUP)
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)VB_NS_PER_MS}, NULL);
}

int vb_stream_wait_open(vb_stream *stream, const char *what, int timeout_ms, vb_error *err) {
  vb_ns deadline = vb_now() + VB_NS_PER_MS * (unsigned)timeout_ms;
  for (;;) {
    vb_error failure = {.status = VB_ECONNECT};
    enum vb_stream_state state = stream->ops->open(stream, &failure);
    if (state == VB_STREAM_READY) return VB_OK;
    if (state == VB_STREAM_FAILED) return vb_fail(err, failure.status, "%s", failure.text);
    if (vb_now() >= deadline)
      return vb_fail(err, VB_ETIMEOUT, "%s: no %s within %d ms%s", what, stream->stage, timeout_ms,
                     stream->hint);
    wait_ready(stream, state, deadline);
  }
}
