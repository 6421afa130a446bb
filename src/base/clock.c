#include "base/clock.h"

#include <errno.h>

static double seconds(clockid_t clock) {
  return (double)vb_clock_read(clock) / (double)VB_NS_PER_S;
}

double vb_clock_monotonic(void) {
  return seconds(CLOCK_MONOTONIC);
}

double vb_clock_wall(void) {
  return seconds(CLOCK_REALTIME);
}

double vb_clock_process_cpu(void) {
  return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void vb_clock_sleep(double seconds) {
  if (!(seconds > 0)) return;
  struct timespec left = {.tv_sec = (time_t)seconds};
  left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}
