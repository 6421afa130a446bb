#include "floor_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, FDS = 20100 };

static long waiting[FDS]; /* bytes of replies that each connection still gets, by its fd */
static long sent;

void floor_die(const char *what) {
  perror(what);
  exit(1);
}

static double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void floor_send(int fd, const char *from, size_t length) {
  for (ssize_t put; length; length -= (size_t)put, from += put) {
    put = send(fd, from, length, 0);
    if (put < 0) floor_die("send");
  }
}

static int connect_to(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || fd >= FDS) floor_die("socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) floor_die("connect");
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)) floor_die("TCP_NODELAY");
  return fd;
}

/* True when the connection has something to wait for. */
static int go_on(const floor_load *load, int fd) {
  long count = load->next(fd);
  waiting[fd] = count * load->reply;
  sent += count;
  return count > 0;
}

/* True when the connection has had its last reply. */
static int receive(const floor_load *load, int fd) {
  static char buffer[65536];
  ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  if (got <= 0) floor_die("recv");
  if (buffer[0] == '-') {
    fprintf(stderr, "error reply: %.*s", (int)got, buffer);
    exit(1);
  }
  waiting[fd] -= got;
  return waiting[fd] == 0 && !go_on(load, fd);
}

static void loop(const floor_load *load, int epoll, int busy) {
  struct epoll_event events[EVENTS];
  while (busy > 0) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) floor_die("epoll_wait");
    for (int i = 0; i < ready; i++) busy -= receive(load, events[i].data.fd);
  }
}

void floor_run(const floor_load *load) {
  int epoll = epoll_create1(0), *fds = malloc((size_t)load->connections * sizeof *fds), busy = 0;
  for (int i = 0; i < load->connections; i++) {
    fds[i] = connect_to(load->port);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event)) floor_die("epoll_ctl");
  }
  double started = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < load->connections; i++) busy += go_on(load, fds[i]);
  loop(load, epoll, busy);
  double took = seconds_of(CLOCK_MONOTONIC) - started;
  cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("%ld requests, %.3f s, %.0f requests/s, %.4f us CPU a request\n", sent, took,
         (double)sent / took, cpu * 1e6 / (double)sent);
  free(fds);
}
