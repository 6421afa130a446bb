/* A worker's script state, as the files of script/ that call its functions share it.
 * Private to script/; the worker's thread. */
#ifndef VB_SCRIPT_STATE_H
#define VB_SCRIPT_STATE_H

#include "engine/script.h"

#include <lua.h>

/* On the stack of a state's `lua` there is the traceback handler, and nothing else between calls.
 */
enum { VB_STATE_TRACEBACK = 1, VB_STATE_MESSAGE = 2000 };

/* A function of the script: where it is in the registry, and what it is in messages. */
typedef struct vb_function {
  int reference;
  char what[VB_FUNCTION_TEXT];
} vb_function;

typedef struct vb_flow_table vb_flow_table; /* flow.c */

typedef struct vb_state {
  lua_State *lua;
  vb_watch *watch;
  vb_request request;
  vb_reply_view reply;
  size_t heap;    /* bytes, beyond which the collector has to do with what is added */
  uint32_t pause; /* the heap that a cycle of it begins at, in percent of what the last one left */
  uint32_t clock; /* moves on whenever a reply that was shown is gone */
  int request_reference, reply_reference, done_reference;
  vb_function *functions;
  uint32_t function_count;
  vb_flow_table *flows; /* NULL: the script declares none */
  char message[VB_STATE_MESSAGE];
} vb_state;

/* state.c */
/* Takes the error from the stack into the state's message. */
int vb_state_failed(vb_state *s, const char *what, vb_error *err);
/* Leaves require(module)[name] on the stack; not 0: an error instead. */
int vb_state_push(lua_State *lua, const char *module, const char *name);
/* Takes the array of { fn, what } at `index`; how many it has in *count. NULL when out of memory.
 */
vb_function *vb_state_take_functions(lua_State *lua, int index, uint32_t *count);
/* A text, a number, as a bulk string behind what is in `out`. */
void vb_state_append_text(const char *text, size_t length, vb_bytes *out);
void vb_state_append_number(double number, vb_bytes *out);
/* The value at `index` as a bulk string behind what is in `out`. False when it is none. */
bool vb_state_append_value(lua_State *lua, int index, vb_bytes *out);
/* The array at `index`: its values in order, -1 at one that cannot be sent (left on the stack). */
int vb_state_append_table(lua_State *lua, int index, vb_bytes *out);
/* A text, a number, as it stands in an argument; texts of JSON are quoted. */
void vb_state_append_text_part(const char *text, size_t length, bool escape_json, vb_bytes *out);
void vb_state_append_number_part(double number, vb_bytes *out);
/* The value at `index` as it stands in an argument; strings of JSON are quoted. False when it is
 * none. */
bool vb_state_append_part(lua_State *lua, int index, bool escape_json, vb_bytes *out);

/* collector.c */
/* What the functions leave is collected by vb_state_collect from now on. */
void vb_state_begin_collecting(vb_state *s);
/* As `collect` of vb_hooks. */
int vb_state_collect(void *context, uint64_t *took);

/* flow.c */
/* Takes the script's flows, when it has some. VB_ENOMEM, VB_ESCRIPT. */
int vb_flow_table_open(vb_state *s, vb_error *err);
void vb_flow_table_close(vb_state *s);
const struct vb_flow_hooks *vb_flow_table_hooks(const vb_state *s);
/* What flow number `number` is in messages; NULL when there is no such flow. */
const char *vb_flow_table_what(const vb_state *s, uint32_t number);

#endif
