/* What the engine asks of scripts: a state for each worker, behind a table of functions.
 * Each function is called on the worker's own thread. */
#ifndef VB_ENGINE_SCRIPT_H
#define VB_ENGINE_SCRIPT_H

#include "command/hooks.h"
#include "engine/engine.h"

#include <stdatomic.h>

/* What a worker is doing in a script, for main's watchdog: compiled Lua cannot be interrupted, so
 * main watches whether the same call lasts too long. Written by the worker, read by main. */
typedef struct vb_watch {
  atomic_uint active; /* 0: not in a script; else the function's number + 1, or VB_WATCH_ */
  atomic_uint_least64_t calls; /* how many calls were begun */
  atomic_bool frozen;          /* by main: a call that returns after all goes no further */
} vb_watch;

enum { VB_WATCH_COLLECT = 0x7ffffffc, VB_WATCH_LOAD, VB_WATCH_INIT, VB_WATCH_DONE };

static inline void vb_watch_enter(vb_watch *watch, unsigned what) {
  uint64_t calls = atomic_load_explicit(&watch->calls, memory_order_relaxed);
  atomic_store_explicit(&watch->calls, calls + 1, memory_order_relaxed);
  atomic_store_explicit(&watch->active, what, memory_order_release);
}

/* Waits for the end of the process. */
void vb_watch_park(void);

static inline void vb_watch_leave(vb_watch *watch) {
  atomic_store_explicit(&watch->active, 0, memory_order_release);
  if (VB_UNLIKELY(atomic_load_explicit(&watch->frozen, memory_order_acquire))) vb_watch_park();
}

enum { VB_FUNCTION_TEXT = 160 };

struct vb_script_factory {
  void *context;
  /* Loads the scenario for worker `worker`, compares its declarations with main's, calls
   * thread.init. Fills *hooks; hooks->state is what the others take. VB_ESCRIPT. */
  int (*open)(void *context, uint32_t worker, vb_watch *watch, vb_hooks *hooks, vb_error *err);
  /* Calls thread.done and appends what it returned, as Lua source. VB_ESCRIPT. */
  int (*finish)(void *state, vb_bytes *out, vb_error *err);
  void (*close)(void *state);
  /* The message of the hook that failed last, with its traceback. */
  const char *(*message)(void *state);
  /* "on_reply of command 'get' (x.lua:12)"; main may ask while the worker is in a script. */
  void (*describe)(void *state, unsigned watched, char to[VB_FUNCTION_TEXT]);
};

#endif
