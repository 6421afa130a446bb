#include "base/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

struct vb_signals {
  pthread_t thread;
  sigset_t mask;
  atomic_int count;
  atomic_bool ending;
  int fd;
};

static void *wait_for_signals(void *argument) {
  vb_signals *signals = argument;
  for (;;) {
    int number;
    if (sigwait(&signals->mask, &number)) continue;
    if (atomic_load(&signals->ending)) return NULL;
    if (atomic_fetch_add(&signals->count, 1) > 0) _exit(EXIT_INTERRUPTED);
    uint64_t one = 1;
    (void)!write(signals->fd, &one, sizeof one);
  }
}

static int start(vb_signals *signals) {
  (void)sigemptyset(&signals->mask);
  (void)sigaddset(&signals->mask, SIGINT);
  (void)sigaddset(&signals->mask, SIGTERM);
  (void)signal(SIGPIPE, SIG_IGN);
  signals->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (signals->fd < 0) return errno;
  (void)pthread_sigmask(SIG_BLOCK, &signals->mask, NULL);
  return pthread_create(&signals->thread, NULL, wait_for_signals, signals);
}

int vb_signals_new(vb_signals **out, vb_error *err) {
  vb_signals *signals = calloc(1, sizeof *signals);
  if (!signals) return vb_fail(err, VB_ENOMEM, "signals: out of memory");
  int failed = start(signals);
  if (failed) {
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
  (void)close(signals->fd);
  free(signals);
}

int vb_signals_count(const vb_signals *signals) {
  return atomic_load(&signals->count);
}

int vb_signals_fd(const vb_signals *signals) {
  return signals->fd;
}
