#include "script/flow_given.h"

#include "base/slots.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Clients */

static int protected_client(lua_State *lua) {
  vb_flow_client *client = lua_touserdata(lua, 1);
  lua_settop(lua, 0);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, client->table->client_reference);
  lua_pushnumber(lua, (lua_Number)client->index);
  lua_pushnumber(lua, (lua_Number)(uintptr_t)&client->rng);
  lua_pushnumber(lua, (lua_Number)(uintptr_t)client->shown);
  lua_call(lua, 3, 1 + VB_FLOW_VIEWS);
  for (int i = VB_FLOW_VIEWS; i--;) client->views[i] = luaL_ref(lua, LUA_REGISTRYINDEX);
  client->self = lua_topointer(lua, -1);
  client->self_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

static int protected_coroutine(lua_State *lua) {
  vb_flow_client *client = lua_touserdata(lua, 1);
  client->coroutine = lua_newthread(lua);
  client->coroutine_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

static void drop_coroutine(vb_flow_client *client) {
  luaL_unref(client->state->lua, LUA_REGISTRYINDEX, client->coroutine_reference);
  client->coroutine_reference = LUA_NOREF;
  client->coroutine = NULL;
}

static void close_client(vb_flow_client *client) {
  if (!client) return;
  lua_State *lua = client->state->lua;
  drop_coroutine(client);
  luaL_unref(lua, LUA_REGISTRYINDEX, client->self_reference);
  for (int i = 0; i < VB_FLOW_VIEWS; i++) luaL_unref(lua, LUA_REGISTRYINDEX, client->views[i]);
  free(client->commands);
  free(client->given);
  free(client);
}

static vb_flow_client *open_client(void *context, uint64_t index) {
  vb_state *s = context;
  vb_flow_client *client = calloc(1, sizeof *client);
  if (!client) return NULL;
  client->state = s;
  client->table = s->flows;
  client->index = index;
  client->self_reference = client->coroutine_reference = LUA_NOREF;
  for (int i = 0; i < VB_FLOW_VIEWS; i++) client->views[i] = LUA_NOREF;
  client->given = calloc(client->table->argument_count + 1, sizeof *client->given);
  if (!client->given || !vb_flow_client_room(client, 1) ||
      lua_cpcall(s->lua, protected_client, client)) {
    lua_settop(s->lua, VB_STATE_TRACEBACK);
    close_client(client);
    return NULL;
  }
  return client;
}

bool vb_flow_client_room(vb_flow_client *client, uint32_t count) {
  if (count <= client->capacity) return true;
  uint32_t *grown = realloc(client->commands, count * sizeof *grown);
  if (!grown) return false;
  client->commands = grown;
  client->capacity = count;
  return true;
}

static void cut(vb_flow_client *client) {
  drop_coroutine(client);
}

/* Runs */

static const char *what_of(const vb_flow_client *client) {
  return client->table->flows[client->flow].what;
}

static enum vb_flow_wish failed(vb_flow_client *client, const char *message) {
  vb_state *s = client->state;
  luaL_traceback(s->lua, client->coroutine, message, 0);
  (void)vb_state_failed(s, what_of(client), NULL);
  return VB_FLOW_FAILED;
}

static enum vb_flow_wish raised(vb_flow_client *client) {
  const char *text = lua_tostring(client->coroutine, -1);
  return failed(client, text ? text : "an error that is no text");
}

/* Where the script's own line is that the run has come to; "" when none is on the stack. */
static void position(lua_State *coroutine, char *to, size_t size) {
  lua_Debug frame;
  *to = 0;
  for (int level = 0; lua_getstack(coroutine, level, &frame); level++) {
    (void)lua_getinfo(coroutine, "Sl", &frame);
    if (frame.currentline <= 0) continue;
    (void)snprintf(to, size, "%s:%d: ", frame.short_src, frame.currentline);
    return;
  }
}

static void refuse(vb_flow_client *client, const char *message) {
  char where[100], text[600];
  position(client->coroutine, where, sizeof where);
  (void)snprintf(text, sizeof text, "%s%s", where, message);
  (void)failed(client, text);
}

/* A run without a call would be begun again at once, for ever. */
static enum vb_flow_wish ended(vb_flow_client *client) {
  lua_settop(client->coroutine, 0);
  if (client->wished) return VB_FLOW_DONE;
  vb_state *s = client->state;
  lua_pushliteral(s->lua, "a run ended without a c:call, c:exec or c:sleep: it does nothing");
  (void)vb_state_failed(s, what_of(client), NULL);
  return VB_FLOW_FAILED;
}

static enum vb_flow_wish yielded(vb_flow_client *client) {
  if (client->wish < 0) {
    refuse(client, "a flow is left by c:call, c:exec and c:sleep, not by coroutine.yield");
    return VB_FLOW_FAILED;
  }
  client->wished = true;
  client->turn->commands = client->commands;
  return (enum vb_flow_wish)client->wish;
}

/* The reply of the last wish is gone: so are its views. */
static void hide(vb_flow_client *client) {
  client->shown[client->view].reply.type = 0;
  client->state->clock++;
}

/* Goes on with what stands on the coroutine's stack. */
static enum vb_flow_wish run(vb_flow_client *client, int arguments) {
  vb_state *s = client->state;
  client->wish = -1;
  client->taken = false;
  client->table->running = client;
  vb_watch_enter(s->watch, s->function_count + client->flow + 1);
  int code = lua_resume(client->coroutine, arguments);
  vb_watch_leave(s->watch);
  client->table->running = NULL;
  hide(client);
  if (VB_LIKELY(code == LUA_YIELD)) return yielded(client);
  return code ? raised(client) : ended(client);
}

static enum vb_flow_wish begin(vb_flow_client *client, uint32_t number, vb_flow_turn *turn) {
  vb_flow_table *table = client->table;
  lua_State *lua = client->state->lua;
  client->turn = turn;
  client->flow = number;
  client->wished = false;
  client->rng.state = vb_draw(turn->stream, turn->operation.n, table->holes[number]);
  if (VB_UNLIKELY(!client->coroutine) && lua_cpcall(lua, protected_coroutine, client)) {
    (void)vb_state_failed(client->state, what_of(client), NULL);
    return VB_FLOW_FAILED;
  }
  lua_rawgeti(client->coroutine, LUA_REGISTRYINDEX, table->flows[number].reference);
  lua_rawgeti(client->coroutine, LUA_REGISTRYINDEX, client->self_reference);
  return run(client, 1);
}

/* Shows a reply by the next of the client's views: one that was kept from an earlier call is not
 * this one, and says so when it is looked at. */
static void push_view(vb_flow_client *client, const vb_reply *reply) {
  client->view = (client->view + 1) % VB_FLOW_VIEWS;
  client->shown[client->view] =
      (vb_reply_view){*reply, &client->state->clock, client->state->clock};
  lua_rawgeti(client->coroutine, LUA_REGISTRYINDEX, client->views[client->view]);
}

static enum vb_flow_wish resume(vb_flow_client *client, const vb_reply *reply) {
  lua_settop(client->coroutine, 0);
  if (!reply) return run(client, 0);
  if (VB_UNLIKELY(client->wish == VB_FLOW_EXEC && reply->null))
    lua_pushnil(client->coroutine);
  else
    push_view(client, reply);
  return run(client, 1);
}

/* Arguments */

static void write_place(vb_flow_client *client, uint32_t place) {
  client->place = place;
}

/* Leaves on the coroutine's stack what the call gives for vb.arg `number`. c:call has yielded
 * itself, the command and its arguments; c:exec itself and a list of { command, arguments }. */
static void push_value(const vb_flow_client *client, uint32_t number) {
  lua_State *coroutine = client->coroutine;
  (void)lua_checkstack(coroutine, 6);
  if (client->wish == VB_FLOW_EXEC) {
    lua_rawgeti(coroutine, 2, (int)client->place + 1);
    lua_rawgeti(coroutine, -1, 2);
  } else {
    lua_pushvalue(coroutine, 3);
  }
  lua_rawgeti(coroutine, LUA_REGISTRYINDEX, client->table->arguments[number]);
  lua_rawget(coroutine, -2);
}

static int refuse_value(vb_flow_client *client, uint32_t number, const char *wanted) {
  char text[300];
  lua_State *coroutine = client->coroutine;
  const char *type = luaL_typename(coroutine, -1);
  lua_rawgeti(coroutine, LUA_REGISTRYINDEX, client->table->arguments[number]);
  (void)snprintf(text, sizeof text, "vb.arg '%s' is a %s: it takes %s", lua_tostring(coroutine, -1),
                 type, wanted);
  refuse(client, text);
  return VB_HOOK_FAILED;
}

static int values(vb_flow_client *client, uint32_t number, vb_bytes *out) {
  if (VB_LIKELY(vb_flow_given_append(client, number, out))) return 1;
  lua_State *coroutine = client->coroutine;
  int top = lua_gettop(coroutine), count = 1;
  push_value(client, number);
  if (!vb_state_append_value(coroutine, -1, out)) {
    bool table = lua_istable(coroutine, -1);
    count = table ? vb_state_append_table(coroutine, lua_gettop(coroutine), out) : -1;
    if (count < 0) return refuse_value(client, number, "a string, a number, or a table of them");
  }
  lua_settop(coroutine, top);
  return count;
}

static int part(vb_flow_client *client, uint32_t number, bool escape_json, vb_bytes *out) {
  if (VB_LIKELY(vb_flow_given_append_part(client, number, escape_json, out))) return 0;
  lua_State *coroutine = client->coroutine;
  int top = lua_gettop(coroutine);
  push_value(client, number);
  if (!vb_state_append_part(coroutine, -1, escape_json, out))
    return refuse_value(client, number, "a string or a number here");
  lua_settop(coroutine, top);
  return 0;
}

/* The table of a state */

static const vb_flow_hooks hooks = {.open = open_client,
                                    .close = close_client,
                                    .cut = cut,
                                    .begin = begin,
                                    .resume = resume,
                                    .write = write_place,
                                    .values = values,
                                    .part = part,
                                    .refuse = refuse};

const struct vb_flow_hooks *vb_flow_table_hooks(const vb_state *s) {
  return s->flows ? &hooks : NULL;
}

const char *vb_flow_table_what(const vb_state *s, uint32_t number) {
  return s->flows && number < s->flows->flow_count ? s->flows->flows[number].what : NULL;
}

static size_t place_of(const vb_flow_table *table, const void *command) {
  return (size_t)(((uintptr_t)command >> 3) * 0x9e3779b97f4a7c15ull >> 32) & table->mask;
}

int vb_flow_command(const vb_flow_table *table, const void *command) {
  size_t at = place_of(table, command);
  while (table->commands[at].command && table->commands[at].command != command)
    at = (at + 1) & table->mask;
  return table->commands[at].command ? (int)table->commands[at].number : -1;
}

static void add_command(vb_flow_table *table, const void *command, uint32_t number) {
  size_t at = place_of(table, command);
  while (table->commands[at].command) at = (at + 1) & table->mask;
  table->commands[at] = (vb_flow_command_entry){command, number};
}

/* References to the values of the list in field `name` of the table at `index`; LUA_NOREF where it
 * has false. */
static int *take_list(lua_State *lua, int index, const char *name, uint32_t *count) {
  lua_getfield(lua, index, name);
  *count = (uint32_t)lua_objlen(lua, -1);
  int *list = calloc(*count + 1, sizeof *list);
  for (uint32_t i = 0; list && i < *count; i++) {
    lua_rawgeti(lua, -1, (int)i + 1);
    list[i] = lua_toboolean(lua, -1) ? luaL_ref(lua, LUA_REGISTRYINDEX) : LUA_NOREF;
    if (list[i] == LUA_NOREF) lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
  return list;
}

static int take_function(lua_State *lua, int index, const char *name) {
  lua_getfield(lua, index, name);
  return luaL_ref(lua, LUA_REGISTRYINDEX);
}

static int take_commands(vb_flow_table *table, lua_State *lua, int index) {
  lua_getfield(lua, index, "commands");
  uint32_t count = (uint32_t)lua_objlen(lua, -1), size = 16;
  while (size < 2 * count) size *= 2;
  table->mask = size - 1;
  table->commands = calloc(size, sizeof *table->commands);
  for (uint32_t i = 0; table->commands && i < count; i++) {
    lua_rawgeti(lua, -1, (int)i + 1);
    add_command(table, lua_topointer(lua, -1), i);
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1); /* they stay: the script's declarations hold them */
  return table->commands ? VB_OK : VB_ENOMEM;
}

static int take_holes(vb_flow_table *table, lua_State *lua, int index) {
  table->holes = calloc(table->flow_count + 1, sizeof *table->holes);
  lua_getfield(lua, index, "names");
  for (uint32_t i = 0; table->holes && i < table->flow_count; i++) {
    size_t length;
    lua_rawgeti(lua, -1, (int)i + 1);
    const char *name = lua_tolstring(lua, -1, &length);
    table->holes[i] = vb_hash(0, name, length);
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
  return table->holes ? VB_OK : VB_ENOMEM;
}

static int take_table(vb_state *s, int index) {
  vb_flow_table *table = s->flows;
  lua_State *lua = s->lua;
  lua_getfield(lua, index, "functions");
  table->flows = vb_state_take_functions(lua, lua_gettop(lua), &table->flow_count);
  lua_pop(lua, 1);
  table->arguments = take_list(lua, index, "arguments", &table->argument_count);
  table->accepted = take_list(lua, index, "accepted", &table->command_count);
  table->client_reference = take_function(lua, index, "client");
  table->draw_reference = take_function(lua, index, "draw");
  table->draws_reference = take_function(lua, index, "draws");
  table->duration_reference = take_function(lua, index, "duration");
  table->complain_reference = take_function(lua, index, "complain");
  lua_getfield(lua, index, "methods");
  vb_flow_client_methods(lua, table);
  lua_pop(lua, 1);
  if (!table->flows || !table->arguments || !table->accepted) return VB_ENOMEM;
  if (vb_flow_given_open(table, lua)) return VB_ENOMEM;
  return take_commands(table, lua, index) || take_holes(table, lua, index) ? VB_ENOMEM : VB_OK;
}

int vb_flow_table_open(vb_state *s, vb_error *err) {
  lua_State *lua = s->lua;
  int code = VB_OK;
  if (vb_state_push(lua, "vbench.flow", "of_state") || lua_pcall(lua, 0, 1, VB_STATE_TRACEBACK))
    return vb_state_failed(s, NULL, err);
  if (lua_istable(lua, -1)) {
    /* Tables of arguments are collected less often than hooks' strings: of a call with one, 0.3 us
     * less than without a pause. */
    s->pause = 200;
    s->flows = calloc(1, sizeof *s->flows);
    code = s->flows ? take_table(s, lua_gettop(lua)) : VB_ENOMEM;
    if (code) (void)vb_fail(err, code, "out of memory: flows");
  }
  lua_settop(lua, VB_STATE_TRACEBACK);
  return code;
}

void vb_flow_table_close(vb_state *s) {
  vb_flow_table *table = s->flows;
  if (!table) return;
  free(table->flows);
  free(table->holes);
  free(table->arguments);
  free(table->accepted);
  free(table->commands);
  vb_flow_given_close(table);
  free(table);
  s->flows = NULL;
}
