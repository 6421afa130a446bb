/* The clocks: monotonic nanoseconds for measuring, CPU time of a thread, wall time for reports.
 * Any thread. */
#ifndef VB_BASE_CLOCK_H
#define VB_BASE_CLOCK_H

#include "base/api.h"

#ifndef VB_CDEF
#include <time.h>
typedef uint64_t vb_ns;

#define VB_NS_PER_S 1000000000ull
#define VB_NS_PER_MS 1000000ull
#define VB_NS_PER_US 1000ull

static inline vb_ns vb_clock_read(clockid_t clock) {
  struct timespec now;
  (void)clock_gettime(clock, &now);
  return (vb_ns)now.tv_sec * VB_NS_PER_S + (vb_ns)now.tv_nsec;
}

/* Monotonic time in nanoseconds; its zero means nothing. About 20 ns a call. */
static inline vb_ns vb_now(void) {
  return vb_clock_read(CLOCK_MONOTONIC);
}

/* CPU time, user and system, of the calling thread in nanoseconds. */
static inline vb_ns vb_thread_cpu(void) {
  return vb_clock_read(CLOCK_THREAD_CPUTIME_ID);
}
#endif

/* Monotonic seconds, for Lua. */
VB_API double vb_clock_monotonic(void);
/* Seconds since 1970, for Lua. */
VB_API double vb_clock_wall(void);
/* CPU seconds, user and system, of this process. */
VB_API double vb_clock_process_cpu(void);
/* Waits; for Lua's set-up code. A signal does not shorten it. */
VB_API void vb_clock_sleep(double seconds);

#endif
