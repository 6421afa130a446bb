#include "script/flow_client.h"

#include "base/clock.h"
#include "base/slots.h"
#include "script/flow_given.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

static const double sleep_max_s = 1e6;

/* Whose method is called: `c` is there only in its own flow. */
static vb_flow_client *client_of(lua_State *lua) {
  const vb_flow_table *table = lua_touserdata(lua, lua_upvalueindex(1));
  vb_flow_client *client = table->running;
  if (VB_UNLIKELY(!client || lua_topointer(lua, 1) != client->self))
    (void)luaL_error(lua, "c is there only in the run of its flow: c:call(...), with a colon");
  if (VB_UNLIKELY(lua != client->coroutine))
    (void)luaL_error(lua, "c is not for coroutines that the flow makes itself");
  return client;
}

/* Raises at the user's line: `what` ("command", "argument") is wrong with the value on top. */
static void complain(lua_State *lua, const vb_flow_client *client, const char *what,
                     uint32_t command) {
  lua_rawgeti(lua, LUA_REGISTRYINDEX, client->table->complain_reference);
  lua_insert(lua, -2);
  lua_pushstring(lua, what);
  lua_insert(lua, -2);
  lua_pushnumber(lua, command);
  lua_call(lua, 3, 0);
}

static uint32_t take_command(lua_State *lua, const vb_flow_client *client, int index) {
  int number = vb_flow_command(client->table, lua_topointer(lua, index));
  if (VB_LIKELY(number >= 0)) return (uint32_t)number;
  lua_pushvalue(lua, index);
  complain(lua, client, "command", 0);
  return 0;
}

static bool is_value(lua_State *lua, int index) {
  int type = lua_type(lua, index);
  return type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TTABLE;
}

/* Looks for each argument in the set below, which the command takes; how many there were. */
static uint32_t check_given(lua_State *lua, const vb_flow_client *client, int index, int accepted,
                            uint32_t command) {
  uint32_t count = 0;
  for (lua_pushnil(lua); lua_next(lua, index); count++) {
    if (!is_value(lua, -1)) {
      lua_pop(lua, 1);
      complain(lua, client, "value", command);
    }
    lua_pop(lua, 1);
    lua_pushvalue(lua, -1);
    lua_rawget(lua, accepted);
    if (lua_isnil(lua, -1)) {
      lua_pop(lua, 1);
      complain(lua, client, "argument", command);
    }
    lua_pop(lua, 1);
  }
  return count;
}

/* Checks the arguments at `index`, a table or nil, against what the command takes. */
static void check_arguments(lua_State *lua, const vb_flow_client *client, int index,
                            uint32_t command) {
  int type = lua_type(lua, index), reference = client->table->accepted[command];
  if (VB_LIKELY(reference == LUA_NOREF && type == LUA_TNIL)) return;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, reference);
  int accepted = lua_gettop(lua);
  bool none = !lua_istable(lua, accepted);
  if (VB_UNLIKELY(type != LUA_TTABLE && type != LUA_TNIL)) {
    lua_pushvalue(lua, index);
    complain(lua, client, "table", command);
  }
  if (type == LUA_TTABLE && none) {
    lua_pushnil(lua);
    if (!lua_next(lua, index)) return;
    lua_pop(lua, 1);
    complain(lua, client, "argument", command);
  }
  if (none) return;
  uint32_t given = type == LUA_TTABLE ? check_given(lua, client, index, accepted, command) : 0;
  if (given == lua_objlen(lua, accepted)) return;
  lua_pushvalue(lua, index);
  complain(lua, client, "missing", command);
}

static int wish(lua_State *lua, vb_flow_client *client, enum vb_flow_wish what, int results) {
  client->wish = (int)what;
  return lua_yield(lua, results);
}

static int c_call(lua_State *lua) {
  vb_flow_client *client = client_of(lua);
  uint32_t command = take_command(lua, client, 2);
  client->commands[0] = command;
  client->turn->count = 1;
  if (lua_gettop(lua) == 2 && client->table->accepted[command] == LUA_NOREF)
    return wish(lua, client, VB_FLOW_CALL, 0);
  lua_settop(lua, 3);
  if (VB_LIKELY(vb_flow_given_take(lua, client, command)))
    return wish(lua, client, VB_FLOW_CALL, lua_gettop(lua));
  check_arguments(lua, client, 3, command);
  lua_settop(lua, 3);
  return wish(lua, client, VB_FLOW_CALL, 3);
}

/* Takes entry `place` of c:exec's list: { command, arguments }. */
static void take_entry(lua_State *lua, vb_flow_client *client, uint32_t place) {
  lua_rawgeti(lua, 2, (int)place + 1);
  if (!lua_istable(lua, -1)) complain(lua, client, "entry", place + 1);
  lua_rawgeti(lua, -1, 1);
  if (lua_isnil(lua, -1)) {
    lua_pop(lua, 1);
    complain(lua, client, "entry", place + 1);
  }
  uint32_t command = take_command(lua, client, -1);
  lua_rawgeti(lua, -2, 2);
  check_arguments(lua, client, lua_gettop(lua), command);
  client->commands[place] = command;
  lua_settop(lua, 2);
}

static int c_exec(lua_State *lua) {
  enum { COMMANDS_MAX = 4096 };
  vb_flow_client *client = client_of(lua);
  lua_settop(lua, 2);
  uint32_t count = lua_istable(lua, 2) ? (uint32_t)lua_objlen(lua, 2) : 0;
  if (!count || count > COMMANDS_MAX)
    return luaL_error(lua, "c:exec takes a list of 1 to %d { command, arguments }", COMMANDS_MAX);
  if (!vb_flow_client_room(client, count)) return luaL_error(lua, "out of memory: c:exec");
  for (uint32_t i = 0; i < count; i++) take_entry(lua, client, i);
  client->turn->count = count;
  return wish(lua, client, VB_FLOW_EXEC, 2);
}

/* Leaves the vb_flow_draw of the cursor at `index` on the stack: made at its first draw. */
static vb_flow_draw *push_draw(lua_State *lua, const vb_flow_client *client, int index) {
  lua_rawgeti(lua, LUA_REGISTRYINDEX, client->table->draws_reference);
  lua_pushvalue(lua, index);
  lua_rawget(lua, -2);
  if (VB_UNLIKELY(lua_isnil(lua, -1))) {
    lua_pop(lua, 1);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, client->table->draw_reference);
    lua_pushvalue(lua, index);
    lua_call(lua, 1, 1);
  }
  return (vb_flow_draw *)(uintptr_t)lua_topointer(lua, -1);
}

static int c_draw(lua_State *lua) {
  vb_flow_client *client = client_of(lua);
  vb_flow_turn *turn = client->turn;
  if (lua_isnoneornil(lua, 2)) return luaL_error(lua, "c:draw takes a cursor, not nil");
  vb_flow_draw *from = push_draw(lua, client, 2);
  uint64_t stream = vb_flow_stream(turn->stream, turn->draws++), n = turn->operation.n, id;
  if (!vb_cursor_draw(from->cursor, n, vb_draw(stream, n, from->hole), &id))
    return wish(lua, client, VB_FLOW_EXHAUSTED, 0);
  if (VB_UNLIKELY(!from->keyspace)) /* a script state has keyspaces of its own */
    from->keyspace = vb_program_keyspace(turn->program, vb_cursor_keyspace(from->cursor));
  vb_operation_note(&turn->operation, from->keyspace, id);
  lua_pushnumber(lua, (lua_Number)id);
  return 1;
}

/* Seconds of the duration at `index`, a number or a text such as "10ms". */
static double take_duration(lua_State *lua, const vb_flow_client *client, int index) {
  double seconds = lua_tonumber(lua, index);
  if (lua_type(lua, index) != LUA_TNUMBER) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, client->table->duration_reference);
    lua_pushvalue(lua, index);
    lua_call(lua, 1, 1);
    seconds = lua_tonumber(lua, -1);
  }
  if (!(seconds >= 0 && seconds <= sleep_max_s))
    (void)luaL_error(lua, "c:sleep takes a duration from 0 to 1000000 s");
  return seconds;
}

static int c_sleep(lua_State *lua) {
  vb_flow_client *client = client_of(lua);
  double seconds = take_duration(lua, client, 2);
  client->turn->sleep_ns = (uint64_t)(seconds * (double)VB_NS_PER_S);
  return wish(lua, client, VB_FLOW_SLEEP, 0);
}

static int c_stop(lua_State *lua) {
  vb_flow_client *client = client_of(lua);
  const char *why = luaL_optstring(lua, 2, "");
  (void)snprintf(client->turn->why, sizeof client->turn->why, "%s%s%s",
                 client->table->flows[client->flow].what, *why ? ": " : "", why);
  return wish(lua, client, VB_FLOW_STOP, 0);
}

static int c_on(lua_State *lua) {
  vb_flow_client *client = client_of(lua);
  size_t length;
  const char *key = luaL_checklstring(lua, 2, &length);
  client->turn->slot = (int)vb_slot(key, length);
  return 0;
}

void vb_flow_client_methods(lua_State *lua, vb_flow_table *table) {
  static const luaL_Reg methods[] = {{"call", c_call},   {"exec", c_exec}, {"draw", c_draw},
                                     {"sleep", c_sleep}, {"stop", c_stop}, {"on", c_on}};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(methods); i++) {
    lua_pushlightuserdata(lua, table);
    lua_pushcclosure(lua, methods[i].func, 1);
    lua_setfield(lua, -2, methods[i].name);
  }
}
