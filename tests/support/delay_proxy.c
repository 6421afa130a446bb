/* A TCP proxy that holds back what a server sends by delays of a known distribution: what a
 * measurement is compared with. delay_proxy SERVER_PORT SHIFT_US MEAN_US; it prints its own port,
 * and when SIGTERM ends it the percentiles of the delays as they were, in us: p50 p90 p99 p99.9.
 * Delay number i is SHIFT - MEAN ln(1 - u), u the fractional part of i times the golden ratio: of
 * many, every quantile is that of the shifted exponential distribution.
 * One thread; a reply is what one read brings, so it is for a pipeline of 1. */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS_MAX = 1024, HELD_MAX = 8192, BYTES_MAX = 4096, EVENTS_MAX = 64, DELAYS_MAX = 1 << 20 };

/* Two ends of a connection; file descriptors are below PAIRS_MAX * 2 + some. */
static int peer_of[PAIRS_MAX * 4];
static int is_client[PAIRS_MAX * 4];
static uint64_t last_of[PAIRS_MAX * 4]; /* when the last reply to it goes out: they stay in order */

typedef struct held {
  uint64_t came, when;
  int to;
  size_t length;
  char bytes[BYTES_MAX];
} held;

static held *heap[HELD_MAX];
static size_t heap_size;

static _Noreturn void die(const char *what) {
  (void)fprintf(stderr, "delay_proxy: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t delays[DELAYS_MAX];
static size_t delay_count;

static uint64_t now_ns(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void push(held *one) {
  if (heap_size == HELD_MAX) die("too many replies are held");
  size_t at = heap_size++;
  while (at && heap[(at - 1) / 2]->when > one->when) {
    heap[at] = heap[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  heap[at] = one;
}

static held *pop(void) {
  held *first = heap[0], *moved = heap[--heap_size];
  size_t at = 0;
  for (size_t child; (child = at * 2 + 1) < heap_size; at = child) {
    if (child + 1 < heap_size && heap[child + 1]->when < heap[child]->when) child++;
    if (heap[child]->when >= moved->when) break;
    heap[at] = heap[child];
  }
  heap[at] = moved;
  return first;
}

static uint64_t next_delay(double shift_ns, double mean_ns) {
  static uint64_t count;
  double u = fmod((double)++count * 0.6180339887498949, 1);
  return (uint64_t)(shift_ns - mean_ns * log(1 - u));
}

static int make_socket(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0) die("socket");
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  int fd = make_socket();
  if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, PAIRS_MAX)) die("listen");
  if (getsockname(fd, (struct sockaddr *)&address, &length)) die("getsockname");
  (void)printf("%d\n", ntohs(address.sin_port));
  (void)fflush(stdout);
  return fd;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void take_client(int epoll, int listener, uint16_t port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int one = 1, client = accept(listener, NULL, NULL), server = make_socket();
  if (client < 0 || server >= PAIRS_MAX * 4) die("accept");
  (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(server, (struct sockaddr *)&address, sizeof address)) die("connect");
  peer_of[client] = server;
  peer_of[server] = client;
  is_client[client] = 1;
  is_client[server] = 0;
  last_of[client] = 0;
  watch(epoll, client);
  watch(epoll, server);
}

static void forget(int fd) {
  int peer = peer_of[fd];
  for (size_t i = 0; i < heap_size; i++)
    if (heap[i]->to == fd || heap[i]->to == peer) heap[i]->length = 0;
  (void)close(fd);
  (void)close(peer);
  peer_of[fd] = peer_of[peer] = -1;
}

static void pass_on(int fd, double shift_ns, double mean_ns) {
  held *one = malloc(sizeof *one);
  if (!one) die("malloc");
  ssize_t got = peer_of[fd] < 0 ? 0 : read(fd, one->bytes, sizeof one->bytes);
  if (got <= 0 || is_client[fd]) {
    if (got > 0 && write(peer_of[fd], one->bytes, (size_t)got) != got) die("write");
    if (got <= 0 && peer_of[fd] >= 0) forget(fd);
    free(one);
    return;
  }
  one->to = peer_of[fd];
  one->length = (size_t)got;
  one->came = now_ns();
  one->when = one->came + next_delay(shift_ns, mean_ns);
  if (one->when < last_of[one->to]) one->when = last_of[one->to];
  last_of[one->to] = one->when;
  push(one);
}

static void release_due(void) {
  while (heap_size && heap[0]->when <= now_ns()) {
    held *one = pop();
    if (one->length && write(one->to, one->bytes, one->length) != (ssize_t)one->length)
      die("write");
    if (one->length && delay_count < DELAYS_MAX) delays[delay_count++] = now_ns() - one->came;
    free(one);
  }
}

static int compare(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static void print_percentiles(void) {
  static const double shares[] = {0.5, 0.9, 0.99, 0.999};
  qsort(delays, delay_count, sizeof *delays, compare);
  for (int i = 0; delay_count && i < 4; i++)
    (void)printf("%.1f\n", (double)delays[(size_t)((double)delay_count * shares[i])] / 1e3);
  (void)fflush(stdout);
}

/* Waits until the next reply is due: to the nanosecond, by a timer that the loop watches. */
static void set_timer(int timer) {
  uint64_t when = heap_size ? heap[0]->when : 0; /* 0: never */
  struct itimerspec at = {.it_value = {(time_t)(when / 1000000000u), (long)(when % 1000000000u)}};
  if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL)) die("timerfd_settime");
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  double shift_ns = atof(argv[2]) * 1e3, mean_ns = atof(argv[3]) * 1e3;
  (void)prctl(PR_SET_PDEATHSIG, 9ul, 0ul, 0ul, 0ul);
  (void)prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
  int epoll = epoll_create1(0), listener = listen_anywhere();
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  if (epoll < 0 || timer < 0) die("epoll");
  watch(epoll, listener);
  watch(epoll, timer);
  sigset_t ending;
  (void)sigemptyset(&ending);
  (void)sigaddset(&ending, SIGTERM);
  (void)sigprocmask(SIG_BLOCK, &ending, NULL);
  int signals = signalfd(-1, &ending, 0);
  watch(epoll, signals);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listener)
        take_client(epoll, listener, (uint16_t)atoi(argv[1]));
      else if (fd == signals)
        goto done;
      else if (fd != timer)
        pass_on(fd, shift_ns, mean_ns);
    }
    release_due();
    set_timer(timer);
  }
done:
  print_percentiles();
  return 0;
}
