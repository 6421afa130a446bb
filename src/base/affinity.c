#include "base/affinity.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

int vb_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set)) return 1;
  return CPU_COUNT(&set);
}

int vb_affinity_bind(int core, vb_error *err) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (core >= 0 && core < CPU_SETSIZE) CPU_SET((size_t)core, &set);
  int failed = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  if (!failed) return VB_OK;
  return vb_fail(err, VB_EINVAL, "--pin: core %d: %s", core, strerror(failed));
}
