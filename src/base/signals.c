#include "base/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

struct vb_signals {
  pthread_t thread;
  pthread_mutex_t taking;
  sigset_t mask;
  atomic_int count;
  atomic_bool ending;
  int pending; /* a signalfd: what came and was not counted */
  int fd;
};

/* Counts what came, by whoever is first: a signal that was sent before this call is counted behind
 * it, whether or not the thread had a turn. */
static void take(vb_signals *signals) {
  struct signalfd_siginfo info;
  (void)pthread_mutex_lock(&signals->taking);
  while (!atomic_load(&signals->ending) &&
         read(signals->pending, &info, sizeof info) == sizeof info) {
    if (atomic_fetch_add(&signals->count, 1) > 0) _exit(EXIT_INTERRUPTED);
    uint64_t one = 1;
    (void)!write(signals->fd, &one, sizeof one);
  }
  (void)pthread_mutex_unlock(&signals->taking);
}

static void *wait_for_signals(void *argument) {
  vb_signals *signals = argument;
  struct pollfd wait = {.fd = signals->pending, .events = POLLIN};
  while (!atomic_load(&signals->ending))
    if (poll(&wait, 1, -1) > 0) take(signals);
  return NULL;
}

static int start(vb_signals *signals) {
  (void)sigemptyset(&signals->mask);
  (void)sigaddset(&signals->mask, SIGINT);
  (void)sigaddset(&signals->mask, SIGTERM);
  (void)signal(SIGPIPE, SIG_IGN);
  signals->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  signals->pending = signalfd(-1, &signals->mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals->fd < 0 || signals->pending < 0) return errno;
  (void)pthread_sigmask(SIG_BLOCK, &signals->mask, NULL);
  return pthread_create(&signals->thread, NULL, wait_for_signals, signals);
}

static void close_both(const vb_signals *signals) {
  if (signals->fd >= 0) (void)close(signals->fd);
  if (signals->pending >= 0) (void)close(signals->pending);
}

int vb_signals_new(vb_signals **out, vb_error *err) {
  vb_signals *signals = calloc(1, sizeof *signals);
  if (!signals) return vb_fail(err, VB_ENOMEM, "signals: out of memory");
  (void)pthread_mutex_init(&signals->taking, NULL);
  int failed = start(signals);
  if (failed) {
    close_both(signals);
    free(signals);
    return vb_fail(err, VB_EIO, "signals: %s", strerror(failed));
  }
  *out = signals;
  return VB_OK;
}

void vb_signals_free(vb_signals *signals) {
  if (!signals) return;
  atomic_store(&signals->ending, true);
  (void)pthread_kill(signals->thread, SIGTERM);
  (void)pthread_join(signals->thread, NULL);
  (void)pthread_sigmask(SIG_UNBLOCK, &signals->mask, NULL);
  close_both(signals);
  free(signals);
}

int vb_signals_count(vb_signals *signals) {
  take(signals);
  return atomic_load(&signals->count);
}

int vb_signals_fd(const vb_signals *signals) {
  return signals->fd;
}
