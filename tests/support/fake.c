#include "fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024, POLL_MS = 10 };

static void die(const char *what) {
  perror(what);
  abort();
}

/* All of it, unless the other side is gone or the server is to stop. */
static void send_all(fake *self, int fd, const char *bytes, size_t length) {
  while (length && !atomic_load(&self->stop)) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes += sent;
      length -= (size_t)sent;
    } else if (errno == EAGAIN) {
      struct pollfd ready = {.fd = fd, .events = POLLOUT};
      (void)poll(&ready, 1, POLL_MS);
    } else {
      return;
    }
  }
}

static void send_text(fake *self, int fd, const char *text) {
  size_t length = strlen(text), step = self->byte_us ? 1 : length;
  for (size_t i = 0; i < length && !atomic_load(&self->stop); i += step) {
    send_all(self, fd, text + i, step);
    if (self->byte_us) usleep(self->byte_us);
  }
}

static void send_large(fake *self, int fd) {
  char header[32];
  char *body = malloc(self->large + 2);
  if (!body) die("malloc");
  memset(body, 'x', self->large);
  memcpy(body + self->large, "\r\n", 2);
  (void)snprintf(header, sizeof header, "$%zu\r\n", self->large);
  send_text(self, fd, header);
  send_all(self, fd, body, self->large + 2);
  free(body);
}

static const char *reply_to(const fake *self, const fake_peer *peer) {
  if (!peer->answered && self->late && peer->number >= self->late_after &&
      peer->number < self->late_until)
    return self->late;
  if (!peer->answered && self->first) return self->first;
  size_t count = 0;
  while (count < FAKE_REPLIES && self->replies[count]) count++;
  return count ? self->replies[peer->answered % count] : NULL;
}

/* False when the connection has had what it is to get. */
static int answer(fake *self, fake_peer *peer) {
  while (peer->answered < peer->seen) {
    if (self->close_after && peer->answered == self->close_after) return 0;
    if (self->mute_after && peer->answered == self->mute_after) return 1;
    const char *reply = reply_to(self, peer);
    if (peer->answered++ && self->reply_ms) usleep(self->reply_ms * 1000);
    if (self->large)
      send_large(self, peer->fd);
    else if (reply)
      send_text(self, peer->fd, reply);
  }
  return !self->close_after || peer->answered < self->close_after;
}

/* Whether a request ends with this byte: "*2" and then two lines for each of its two words, none of
 * which holds a line feed. */
static int read_byte(fake_peer *peer, char byte) {
  if (peer->lines < 0) peer->lines = 1 + 2 * (byte - '0');
  if (!peer->lines && byte == '*') peer->lines = -1;
  return byte == '\n' && peer->lines > 0 && --peer->lines == 0;
}

/* False when the connection is over. */
static int serve(fake *self, fake_peer *peer) {
  static _Thread_local char bytes[READ_SIZE];
  if (self->deaf) return 1;
  if (self->read_us) usleep(self->read_us);
  ssize_t got = recv(peer->fd, bytes, sizeof bytes, 0);
  if (got <= 0) return 0;
  for (ssize_t i = 0; i < got; i++) {
    if (!read_byte(peer, bytes[i])) continue;
    peer->seen++;
    (void)atomic_fetch_add(&self->requests, 1);
  }
  return answer(self, peer);
}

static void take_peer(fake *self) {
  int fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC), one = 1;
  if (fd < 0) return;
  if (self->peer_count == FAKE_PEERS) die("too many connections");
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fake_peer *peer = &self->peers[self->peer_count++];
  *peer = (fake_peer){.fd = fd, .number = atomic_fetch_add(&self->accepted, 1)};
  if (self->greeting) send_text(self, fd, self->greeting);
}

static void drop_peer(fake *self, int index) {
  (void)close(self->peers[index].fd);
  self->peers[index] = self->peers[--self->peer_count];
}

static void *run(void *argument) {
  fake *self = argument;
  while (!atomic_load(&self->stop)) {
    struct pollfd polled[FAKE_PEERS + 1];
    int peers = self->peer_count;
    for (int i = 0; i < peers; i++)
      polled[i] = (struct pollfd){.fd = self->peers[i].fd, .events = self->deaf ? 0 : POLLIN};
    polled[peers] = (struct pollfd){.fd = atomic_load(&self->accepting) ? self->listener : -1,
                                    .events = POLLIN};
    (void)poll(polled, (nfds_t)peers + 1, POLL_MS);
    for (int i = peers - 1; i >= 0; i--)
      if (polled[i].revents && !serve(self, &self->peers[i])) drop_peer(self, i);
    if (polled[peers].revents) take_peer(self);
  }
  while (self->peer_count) drop_peer(self, 0);
  return NULL;
}

static void listen_unix(fake *self) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  (void)snprintf(self->path, sizeof self->path, "/tmp/vbench-fake-%d.sock", (int)getpid());
  (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", self->path);
  (void)unlink(self->path);
  self->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(self->listener, (struct sockaddr *)&address, sizeof address)) die("bind");
  if (listen(self->listener, 0)) die("listen");
}

static void listen_tcp(fake *self) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int small = READ_SIZE;
  self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (self->deaf || self->read_us)
    (void)setsockopt(self->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (bind(self->listener, (struct sockaddr *)&address, sizeof address)) die("bind");
  if (listen(self->listener, FAKE_PEERS)) die("listen");
  if (getsockname(self->listener, (struct sockaddr *)&address, &size)) die("getsockname");
  self->port = ntohs(address.sin_port);
}

void fake_start(fake *self) {
  atomic_store(&self->accepting, !self->unix_path);
  if (self->unix_path)
    listen_unix(self);
  else
    listen_tcp(self);
  if (pthread_create(&self->thread, NULL, run, self)) die("pthread_create");
}

void fake_stop(fake *self) {
  atomic_store(&self->stop, 1);
  (void)pthread_join(self->thread, NULL);
  (void)close(self->listener);
  if (self->unix_path) (void)unlink(self->path);
}
