/* The floor: the least work a client can do for the same requests on the same keys. One epoll loop
 * sends SETs that were rendered beforehand and counts the bytes of the replies; nothing is drawn,
 * parsed or measured per request. What vbench does beyond this is its own cost.
 *
 * usage: bench_floor PORT REQUESTS CONNECTIONS PIPELINE KEYS SIZE random|sequential
 * Prints one line: requests, seconds, requests a second, CPU (user + system) in us a request. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RING = 1 << 20, REPLY = 5, EVENTS = 256, MAX_CONNECTIONS = 20000 };

typedef struct load {
  long requests; /* in all */
  int connections;
  int pipeline;
  long keys;
  int size;
  int sequential;
  char *ring; /* RING requests of `length` bytes, one behind the other */
  size_t length;
  size_t at; /* the next request of the ring */
  long sent;
  long waiting[MAX_CONNECTIONS]; /* bytes of replies that each connection still gets, by its fd */
} load;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void render(load *l) {
  char *value = malloc((size_t)l->size + 1);
  memset(value, 'x', (size_t)l->size);
  value[l->size] = '\0';
  const char *format = "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012llu\r\n$%d\r\n%s\r\n";
  l->length = (size_t)snprintf(NULL, 0, format, 0ull, l->size, value);
  l->ring = malloc((size_t)RING * l->length + 1);
  uint64_t state = 1;
  for (long i = 0; i < RING; i++) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    uint64_t key = l->sequential ? (uint64_t)i : state >> 20;
    (void)snprintf(l->ring + (size_t)i * l->length, l->length + 1, format,
                   (unsigned long long)(key % (uint64_t)l->keys), l->size, value);
  }
  free(value);
}

static void send_batch(load *l, int fd) {
  long count = l->pipeline;
  if (count > l->requests - l->sent) count = l->requests - l->sent;
  if (count == 0) return;
  if (l->at + (size_t)count > RING) l->at = 0;
  size_t length = (size_t)count * l->length;
  const char *from = l->ring + l->at * l->length;
  for (ssize_t put; length; length -= (size_t)put, from += put) {
    put = send(fd, from, length, 0);
    if (put < 0) die("send");
  }
  l->at += (size_t)count;
  l->sent += count;
  l->waiting[fd] = count * REPLY;
}

static void receive(load *l, int fd) {
  static char buffer[65536];
  ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  if (got <= 0) die("recv");
  if (buffer[0] == '-') {
    fprintf(stderr, "error reply: %.*s", (int)got, buffer);
    exit(1);
  }
  l->waiting[fd] -= got;
  if (l->waiting[fd] == 0) send_batch(l, fd);
}

static int connect_to(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || fd >= MAX_CONNECTIONS) die("socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)) die("TCP_NODELAY");
  return fd;
}

static void run(load *l, int epoll) {
  struct epoll_event events[EVENTS];
  long busy = l->connections < l->requests ? l->connections : l->requests;
  while (busy > 0) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < ready; i++) {
      receive(l, events[i].data.fd);
      if (l->waiting[events[i].data.fd] <= 0) busy--;
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: bench_floor PORT REQUESTS CONNECTIONS PIPELINE KEYS SIZE "
                    "random|sequential\n");
    return 2;
  }
  static load l;
  l.requests = atol(argv[2]);
  l.connections = atoi(argv[3]);
  l.pipeline = atoi(argv[4]);
  l.keys = atol(argv[5]);
  l.size = atoi(argv[6]);
  l.sequential = strcmp(argv[7], "sequential") == 0;
  render(&l);
  int epoll = epoll_create1(0), fds[MAX_CONNECTIONS];
  for (int i = 0; i < l.connections; i++) {
    fds[i] = connect_to(atoi(argv[1]));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event)) die("epoll_ctl");
  }
  double started = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < l.connections; i++) send_batch(&l, fds[i]);
  run(&l, epoll);
  double took = seconds_of(CLOCK_MONOTONIC) - started;
  cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("%ld requests, %.3f s, %.0f requests/s, %.4f us CPU a request\n", l.requests, took,
         (double)l.requests / took, cpu * 1e6 / (double)l.requests);
  return 0;
}
