/* The floor of loading a dataset: one epoll loop sends HSETs whose value is copied once, from a
 * cold mapping of the file into the send buffer, and counts the bytes of the replies; nothing else
 * is done for a request. What vbench does beyond this is its own cost.
 *
 * usage: bench_floor_records PORT FILE RECORDS BYTES CONNECTIONS PIPELINE
 * Sends each record of BYTES bytes once, in order, as HSET vec:NNNNNNNNNNNN v <bytes>. Prints one
 * line: requests, seconds, requests a second, CPU (user + system) in us a request. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPLY = 4, EVENTS = 256, FDS = 4096 }; /* ":1\r\n", or ":0\r\n" */

static long records, sent;
static size_t bytes;
static int pipeline;
static const char *data;
static char *buffer;
static long waiting[FDS];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The parts before a record, with the digits of its number where the template has zeros. */
static size_t render(char *to, long record) {
  static char head[128];
  static size_t length;
  if (!length)
    length = (size_t)snprintf(head, sizeof head,
                              "*4\r\n$4\r\nHSET\r\n$16\r\nvec:000000000000\r\n$1\r\nv\r\n$%zu\r\n",
                              bytes);
  memcpy(to, head, length);
  for (int at = 34; record; record /= 10) to[at--] = (char)('0' + record % 10);
  return length;
}

static void send_batch(int fd) {
  long count = pipeline < records - sent ? pipeline : records - sent;
  char *at = buffer;
  for (long i = 0; i < count; i++, sent++) {
    at += render(at, sent);
    memcpy(at, data + (size_t)sent * bytes, bytes);
    memcpy(at + bytes, "\r\n", 2);
    at += bytes + 2;
  }
  waiting[fd] = count * REPLY;
  for (const char *from = buffer; from < at;) {
    ssize_t put = send(fd, from, (size_t)(at - from), 0);
    if (put < 0) die("send");
    from += put;
  }
}

static void receive(int fd) {
  static char replies[65536];
  ssize_t got = recv(fd, replies, sizeof replies, 0);
  if (got <= 0 || replies[0] == '-') die("recv");
  waiting[fd] -= got;
  if (!waiting[fd]) send_batch(fd);
}

static int connect_to(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || fd >= FDS) die("socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)) die("TCP_NODELAY");
  return fd;
}

static void map(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) die(path);
  void *mapped = mmap(NULL, (size_t)records * bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) die("mmap");
  (void)madvise(mapped, (size_t)records * bytes, MADV_SEQUENTIAL);
  data = mapped;
}

static void run(int epoll) {
  struct epoll_event events[EVENTS];
  for (int busy = 1; busy;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < ready; i++) receive(events[i].data.fd);
    busy = sent < records;
    for (int fd = 0; fd < FDS && !busy; fd++) busy = waiting[fd] > 0;
  }
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: bench_floor_records PORT FILE RECORDS BYTES CONNECTIONS PIPELINE\n");
    return 2;
  }
  records = atol(argv[3]);
  bytes = (size_t)atol(argv[4]);
  pipeline = atoi(argv[6]);
  map(argv[2]);
  buffer = malloc((size_t)pipeline * (bytes + 128));
  int epoll = epoll_create1(0), connections = atoi(argv[5]);
  int fds[FDS];
  for (int i = 0; i < connections; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i] = connect_to(atoi(argv[1]))};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event)) die("epoll_ctl");
  }
  double start = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < connections; i++) send_batch(fds[i]);
  run(epoll);
  double took = seconds_of(CLOCK_MONOTONIC) - start;
  cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("%ld requests, %.3f s, %.0f requests/s, %.3f us CPU/request\n", sent, took,
         (double)sent / took, cpu / (double)sent * 1e6);
  return 0;
}
