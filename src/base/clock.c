#include "base/clock.h"

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
