/* Hooks: what a script's functions look like to the layers that call them.
 * A table a worker, called on its thread alone. Entries are never NULL where a command names a
 * function; a scenario without functions never comes here. */
#ifndef VB_COMMAND_HOOKS_H
#define VB_COMMAND_HOOKS_H

#include "base/random.h"
#include "keyspace/cursor.h"
#include "resp/scanner.h"

/* What an argument function or a reply hook sees as `req`; numbers as doubles. */
typedef struct vb_request {
  double n;          /* the operation */
  double id;         /* its id; -1 when it has none */
  double sub;        /* its sub-id; -1 when its keyspace has none */
  double query;      /* its query; -1 when it has none */
  double thread;     /* worker, from 0 */
  double connection; /* of this worker and phase, from 0 */
  vb_rng rng;        /* seeded by (seed, phase, n, hole) */
} vb_request;

/* What on_reply, a condition and a flow see as `reply`: Lua's methods hang on this type, so that
 * names like `type` are theirs. Valid during the call, in a flow until it wants something else:
 * afterwards it is zeroed, and the clock moves on for the views of its elements. */
typedef struct vb_reply_view {
  vb_reply reply;
  const uint32_t *clock; /* of the script state; NULL: it does not end */
  uint32_t taken;        /* what the clock shows while the reply is there */
} vb_reply_view;

/* What c:draw draws from: a cursor, the hole that its draws are of, and the keyspace as the
 * commands of the phase have it (NULL: not yet looked up). */
typedef struct vb_flow_draw {
  const vb_cursor *cursor;
  uint64_t hole;
  const vb_keyspace *keyspace;
} vb_flow_draw;

#ifndef VB_CDEF
#include "base/bytes.h"

enum { VB_HOOK_FAILED = -1 };

struct vb_flow_hooks; /* command/flow_hooks.h */

typedef struct vb_hooks {
  void *state; /* the worker's script state */
  /* Calls function `function`; appends each value that it returns to `out` as a bulk string
   * ("$3\r\nabc\r\n") and returns how many, or VB_HOOK_FAILED (the state keeps the message). */
  int (*arguments)(void *state, uint32_t function, const vb_request *request, vb_bytes *out);
  /* The same for a part of an argument: appends the bytes of one value, JSON-escaped on request. */
  int (*part)(void *state, uint32_t function, const vb_request *request, bool escape_json,
              vb_bytes *out);
  /* Shows a reply to function `function`: 0, or VB_HOOK_FAILED. */
  int (*reply)(void *state, uint32_t function, const vb_reply *reply, const vb_request *request);
  /* Asks function `function` whether the next step is to run: 1, 0, or VB_HOOK_FAILED. */
  int (*condition)(void *state, uint32_t function, const vb_reply *reply,
                   const vb_request *request);
  /* Collects what the functions have left since it was called last, and says how many nanoseconds
   * that took: 0, or VB_HOOK_FAILED when a finalizer raised. To be called often; until then nothing
   * is collected. NULL: there is nothing to collect. */
  int (*collect)(void *state, uint64_t *took);
  const struct vb_flow_hooks *flow; /* NULL: the script declares no flow */
} vb_hooks;
#endif

#endif
