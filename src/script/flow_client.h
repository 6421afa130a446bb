/* Clients of flows: what a state keeps of its flows, and the `c` that their functions are given.
 * Private to script/; the worker's thread. */
#ifndef VB_SCRIPT_FLOW_CLIENT_H
#define VB_SCRIPT_FLOW_CLIENT_H

#include "command/flow_hooks.h"
#include "script/state.h"

/* Views that a client takes in turn: a prime, so that one kept by a loop of calls does not meet the
 * same place again and again. */
enum { VB_FLOW_VIEWS = 17 };

/* A declared command by the address of its table, which does not move. */
typedef struct vb_flow_command_entry {
  const void *command;
  uint32_t number;
} vb_flow_command_entry;

/* The flows of a state. References are to Lua's registry. */
struct vb_flow_table {
  vb_function *flows;
  uint32_t flow_count;
  uint64_t *holes;                 /* of c.rng, by flow */
  vb_flow_command_entry *commands; /* a hash table, by address */
  size_t mask;
  int *arguments; /* names of vb.arg, by number */
  int *accepted;  /* by command: a set of the names that it takes, or false */
  uint32_t command_count, argument_count, name_count;
  struct vb_flow_accepted *takes; /* by command: see flow_given.h */
  struct vb_flow_name *names;
  int client_reference, draw_reference, draws_reference, duration_reference, complain_reference;
  vb_flow_client *running; /* between a resume and the next wish */
};

struct vb_flow_client {
  vb_state *state;
  vb_flow_table *table;
  lua_State *coroutine; /* NULL before the first run, and behind one that was cut */
  int coroutine_reference, self_reference;
  const void *self; /* the address of `c` */
  int views[VB_FLOW_VIEWS];
  vb_reply_view shown[VB_FLOW_VIEWS];
  uint32_t view; /* the one in use, or used last */
  vb_rng rng;
  vb_flow_turn *turn;
  uint64_t index;
  uint32_t flow;               /* the one that runs */
  uint32_t place;              /* of the command that is being written */
  int wish;                    /* enum vb_flow_wish, -1: none yet */
  bool wished;                 /* in this run, anything */
  bool taken;                  /* `given` is what the call under way gives */
  struct vb_flow_value *given; /* by number of its vb.arg */
  uint32_t *commands, capacity;
};

/* The number of a declared command, -1 when `command` is the address of none. */
int vb_flow_command(const vb_flow_table *table, const void *command);
/* Room for `count` commands of a wish. */
bool vb_flow_client_room(vb_flow_client *client, uint32_t count);
/* Puts c:call and the others into the table on top of the stack. */
void vb_flow_client_methods(lua_State *lua, vb_flow_table *table);

#endif
