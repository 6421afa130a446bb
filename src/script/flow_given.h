/* What a call of a flow gives for the vb.args of its command: taken from the script's table once,
 * when it is checked, and written from here. Private to script/; the worker's thread. */
#ifndef VB_SCRIPT_FLOW_GIVEN_H
#define VB_SCRIPT_FLOW_GIVEN_H

#include "script/flow_client.h"

/* A name of a vb.arg, by the address of its bytes: Lua has each text once. */
typedef struct vb_flow_name {
  const char *text;
  uint32_t number;
} vb_flow_name;

/* The names that a command takes: some of the table's, behind one another. */
typedef struct vb_flow_accepted {
  uint32_t first, count;
} vb_flow_accepted;

/* A value for a vb.arg. */
typedef struct vb_flow_value {
  int type; /* of Lua; LUA_TTABLE: it stands in the script's table only */
  lua_Number number;
  const char *text; /* a string on the coroutine's stack */
  size_t length;
} vb_flow_value;

/* Finds the names that commands take, once `arguments` and `accepted` are there. */
int vb_flow_given_open(vb_flow_table *table, lua_State *lua);
void vb_flow_given_close(vb_flow_table *table);
/* Takes the values of the table at 3, which is the last thing on the stack; leaves its strings
 * behind it. False, with the stack as it was, when something is wrong with it: that is for others
 * to say. */
bool vb_flow_given_take(lua_State *lua, vb_flow_client *client, uint32_t command);
/* Appends what was taken for vb.arg `number` as a bulk string; false when that is to be looked for
 * in the script's table. */
bool vb_flow_given_append(const vb_flow_client *client, uint32_t number, vb_bytes *out);
/* The same as it stands in an argument. */
bool vb_flow_given_append_part(const vb_flow_client *client, uint32_t number, bool escape_json,
                               vb_bytes *out);

#endif
