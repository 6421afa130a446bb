/* Flows as the engine sees them: clients of the script, each a coroutine that is begun for an
 * operation and resumed with each reply. A table a worker, called on its thread alone. */
#ifndef VB_COMMAND_FLOW_HOOKS_H
#define VB_COMMAND_FLOW_HOOKS_H

#include "command/program.h"

enum { VB_FLOW_WHY = 200 };

/* The script's side of a client: its coroutine, its `c`. */
typedef struct vb_flow_client vb_flow_client;

/* What a flow wants when it has come to a stop. */
enum vb_flow_wish {
  VB_FLOW_DONE,      /* the run has ended */
  VB_FLOW_CALL,      /* command `commands[0]` */
  VB_FLOW_EXEC,      /* `count` commands between MULTI and EXEC */
  VB_FLOW_SLEEP,     /* `sleep_ns` */
  VB_FLOW_STOP,      /* the whole run is to end: `why` */
  VB_FLOW_EXHAUSTED, /* it drew from a cursor that has no more */
  VB_FLOW_FAILED     /* it raised: the state says why */
};

/* A run, as the engine and the script both see it. The engine's; the script fills what it wants. */
typedef struct vb_flow_turn {
  vb_operation operation; /* of what was drawn last: stream (see vb_flow_stream), n, ids */
  const vb_program *program;
  uint64_t stream;          /* of the phase */
  uint64_t draws;           /* calls and draws of this run so far */
  const uint32_t *commands; /* numbers of declared commands; until the next turn */
  uint32_t count;
  int slot; /* of c:on, -1: none */
  uint64_t sleep_ns;
  char why[VB_FLOW_WHY];
} vb_flow_turn;

/* The stream of call or draw number `index` of a run, so that two of one run differ. */
static inline uint64_t vb_flow_stream(uint64_t stream, uint64_t index) {
  return vb_draw(stream, index, 0x666c6f7700000000ull);
}

typedef struct vb_flow_hooks {
  /* Client number `index` of a phase; NULL when out of memory. */
  vb_flow_client *(*open)(void *state, uint64_t index);
  /* Takes NULL. In the middle of a run, that ends there. */
  void (*close)(vb_flow_client *client);
  /* Ends the run where it is; the client stays. */
  void (*cut)(vb_flow_client *client);
  /* Begins a run of flow `number`, up to its first wish; `turn` outlives the run. */
  enum vb_flow_wish (*begin)(vb_flow_client *client, uint32_t number, vb_flow_turn *turn);
  /* Goes on with the reply of what it wanted; NULL behind a sleep. */
  enum vb_flow_wish (*resume)(vb_flow_client *client, const vb_reply *reply);
  /* Which of the wish's commands is written next, for the two below. */
  void (*write)(vb_flow_client *client, uint32_t place);
  /* What the flow has given for vb.arg `number`: its values as bulk strings; how many, or
   * VB_HOOK_FAILED. */
  int (*values)(vb_flow_client *client, uint32_t number, vb_bytes *out);
  /* The same for a part of an argument, one value: 0, or VB_HOOK_FAILED. */
  int (*part)(vb_flow_client *client, uint32_t number, bool escape_json, vb_bytes *out);
  /* The wish cannot be granted: makes an error of the script of it, at the line of the call. */
  void (*refuse)(vb_flow_client *client, const char *message);
} vb_flow_hooks;

#endif
