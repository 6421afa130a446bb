#include "script/factory.h"

#include "resp/writer.h"
#include "script/modules.h"
#include "script/state.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Source of what hooks get as `req` and `reply`. References, not pointers: reply[1] would be the
 * memory behind a pointer's target, and not go through the metatype. */
static const char make_views[] = "local ffi = require('vbench.ffi').ffi\n"
                                 "local request, reply = ...\n"
                                 "return ffi.cast('vb_request *', request)[0], "
                                 "ffi.cast('vb_reply_view *', reply)[0]\n";

enum { TRACEBACK = VB_STATE_TRACEBACK, NUMBER_SIZE = 40 };

typedef struct factory {
  vb_script_factory base;
  vb_shared *shared;
  vb_bytes environment, canonical;
} factory;

static int traceback(lua_State *lua) {
  if (!lua_isstring(lua, 1)) {
    lua_pushfstring(lua, "(an error that is a %s)", luaL_typename(lua, 1));
    lua_replace(lua, 1);
  }
  luaL_traceback(lua, lua, lua_tostring(lua, 1), 1);
  return 1;
}

int vb_state_failed(vb_state *s, const char *what, vb_error *err) {
  const char *text = lua_tostring(s->lua, -1);
  (void)snprintf(s->message, sizeof s->message, "%s%s%s", what ? what : "", what ? ": " : "",
                 text ? text : "unknown error");
  lua_settop(s->lua, TRACEBACK);
  return vb_fail(err, VB_ESCRIPT, "%s", s->message);
}

/* Calls what stands on the stack below its arguments, watched as `watched`. */
static int call(vb_state *s, unsigned watched, int arguments, int results) {
  vb_watch_enter(s->watch, watched);
  int code = lua_pcall(s->lua, arguments, results, TRACEBACK);
  vb_watch_leave(s->watch);
  return code;
}

void vb_state_append_text(const char *text, size_t length, vb_bytes *out) {
  char *to = vb_bytes_reserve(out, VB_RESP_HEADER_MAX + length + 2);
  size_t at = 4;
  if (VB_LIKELY(length < 10))
    memcpy(to, (char[]){'$', (char)('0' + length), '\r', '\n'}, at);
  else
    at = vb_resp_header(to, '$', length);
  memcpy(to + at, text, length);
  memcpy(to + at + length, "\r\n", 2);
  out->length += at + length + 2;
}

/* Integers below 2^53 as integers, other numbers so that they read back the same. */
static size_t write_number(char *to, double number) {
  if (fabs(number) < 0x1p53 && number == (double)(int64_t)number) {
    int64_t whole = (int64_t)number;
    bool negative = whole < 0;
    if (negative) *to++ = '-';
    return vb_decimal_append(to, (uint64_t)(negative ? -whole : whole)) + negative;
  }
  return (size_t)snprintf(to, NUMBER_SIZE, "%.17g", number);
}

static int value_failed(vb_state *s, uint32_t number, int index) {
  (void)snprintf(s->message, sizeof s->message,
                 "%s returned a %s: a command takes strings, numbers, and tables of them",
                 s->functions[number].what, luaL_typename(s->lua, index));
  lua_settop(s->lua, TRACEBACK);
  return VB_HOOK_FAILED;
}

void vb_state_append_number(double number, vb_bytes *out) {
  char text[NUMBER_SIZE];
  vb_state_append_text(text, write_number(text, number), out);
}

bool vb_state_append_value(lua_State *lua, int index, vb_bytes *out) {
  size_t length;
  int type = lua_type(lua, index);
  if (type == LUA_TNUMBER) {
    vb_state_append_number(lua_tonumber(lua, index), out);
  } else if (type == LUA_TSTRING) {
    const char *text = lua_tolstring(lua, index, &length);
    vb_state_append_text(text, length, out);
  } else {
    return false;
  }
  return true;
}

int vb_state_append_table(lua_State *lua, int index, vb_bytes *out) {
  int count = (int)lua_objlen(lua, index);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(lua, index, i);
    if (!vb_state_append_value(lua, -1, out)) return -1;
    lua_pop(lua, 1);
  }
  return count;
}

/* Pushes function `number` and calls it with the request, behind `before` arguments it has pushed.
 */
static int call_function(vb_state *s, uint32_t number, const vb_request *request, bool with_reply,
                         int results) {
  lua_State *lua = s->lua;
  s->request = *request;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, s->functions[number].reference);
  if (with_reply) lua_rawgeti(lua, LUA_REGISTRYINDEX, s->reply_reference);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, s->request_reference);
  if (VB_LIKELY(!call(s, number + 1, with_reply ? 2 : 1, results))) return VB_OK;
  (void)vb_state_failed(s, s->functions[number].what, NULL);
  return VB_HOOK_FAILED;
}

/* A return that was forgotten: who wants no argument says so with an empty table. */
static int nothing_failed(vb_state *s, uint32_t number) {
  (void)snprintf(s->message, sizeof s->message,
                 "%s returned nothing: return a value, several, or {} for no argument",
                 s->functions[number].what);
  return VB_HOOK_FAILED;
}

static int hook_arguments(void *context, uint32_t number, const vb_request *request,
                          vb_bytes *out) {
  vb_state *s = context;
  lua_State *lua = s->lua;
  if (call_function(s, number, request, false, LUA_MULTRET)) return VB_HOOK_FAILED;
  int count = 0, top = lua_gettop(lua);
  if (VB_UNLIKELY(top == TRACEBACK)) return nothing_failed(s, number);
  for (int i = TRACEBACK + 1; i <= top; i++) {
    if (VB_LIKELY(vb_state_append_value(lua, i, out))) {
      count++;
      continue;
    }
    if (lua_type(lua, i) != LUA_TTABLE) return value_failed(s, number, i);
    int values = vb_state_append_table(lua, i, out);
    if (values < 0) return value_failed(s, number, -1);
    count += values;
  }
  lua_settop(lua, TRACEBACK);
  return count;
}

static void append_escaped(vb_bytes *out, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    char escape[8];
    if (c == '"' || c == '\\') {
      escape[0] = '\\';
      escape[1] = (char)c;
      vb_bytes_append(out, escape, 2);
    } else if (c < ' ') {
      (void)snprintf(escape, sizeof escape, "\\u%04x", c);
      vb_bytes_append(out, escape, 6);
    } else {
      vb_bytes_append(out, text + i, 1);
    }
  }
}

void vb_state_append_text_part(const char *text, size_t length, bool escape_json, vb_bytes *out) {
  if (!escape_json) {
    vb_bytes_append(out, text, length);
    return;
  }
  vb_bytes_append(out, "\"", 1);
  append_escaped(out, text, length);
  vb_bytes_append(out, "\"", 1);
}

void vb_state_append_number_part(double number, vb_bytes *out) {
  char text[NUMBER_SIZE];
  vb_bytes_append(out, text, write_number(text, number));
}

bool vb_state_append_part(lua_State *lua, int index, bool escape_json, vb_bytes *out) {
  size_t length;
  int type = lua_type(lua, index);
  if (type == LUA_TNUMBER) {
    vb_state_append_number_part(lua_tonumber(lua, index), out);
  } else if (type == LUA_TSTRING) {
    const char *text = lua_tolstring(lua, index, &length);
    vb_state_append_text_part(text, length, escape_json, out);
  } else {
    return false;
  }
  return true;
}

static int hook_part(void *context, uint32_t number, const vb_request *request, bool escape_json,
                     vb_bytes *out) {
  vb_state *s = context;
  if (call_function(s, number, request, false, 1)) return VB_HOOK_FAILED;
  if (!vb_state_append_part(s->lua, -1, escape_json, out)) return value_failed(s, number, -1);
  lua_settop(s->lua, TRACEBACK);
  return 0;
}

/* Calls function `number` with a view of the reply, which ends with the call. */
static int show_reply(vb_state *s, uint32_t number, const vb_reply *reply,
                      const vb_request *request, int results) {
  s->reply = (vb_reply_view){*reply, &s->clock, s->clock};
  int code = call_function(s, number, request, true, results);
  s->reply.reply = (vb_reply){0};
  s->clock++;
  return code;
}

static int hook_reply(void *context, uint32_t number, const vb_reply *reply,
                      const vb_request *request) {
  vb_state *s = context;
  return show_reply(s, number, reply, request, 0);
}

static int hook_condition(void *context, uint32_t number, const vb_reply *reply,
                          const vb_request *request) {
  vb_state *s = context;
  int code = show_reply(s, number, reply, request, 1);
  if (code) return code;
  int answer = lua_toboolean(s->lua, -1);
  lua_settop(s->lua, TRACEBACK);
  return answer;
}

vb_function *vb_state_take_functions(lua_State *lua, int index, uint32_t *count) {
  *count = (uint32_t)lua_objlen(lua, index);
  vb_function *functions = calloc(*count + 1, sizeof *functions);
  for (uint32_t i = 0; functions && i < *count; i++) {
    lua_rawgeti(lua, index, (int)i + 1);
    lua_getfield(lua, -1, "what");
    const char *what = lua_tostring(lua, -1);
    (void)snprintf(functions[i].what, VB_FUNCTION_TEXT, "%s", what ? what : "a function");
    lua_pop(lua, 1);
    lua_getfield(lua, -1, "fn");
    functions[i].reference = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_pop(lua, 1);
  }
  return functions;
}

static int make_pointers(vb_state *s) {
  lua_State *lua = s->lua;
  if (luaL_loadstring(lua, make_views)) return 1;
  lua_pushlightuserdata(lua, &s->request);
  lua_pushlightuserdata(lua, &s->reply);
  if (lua_pcall(lua, 2, 2, TRACEBACK)) return 1;
  s->reply_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
  s->request_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

int vb_state_push(lua_State *lua, const char *module, const char *name) {
  lua_getglobal(lua, "require");
  lua_pushstring(lua, module);
  if (lua_pcall(lua, 1, 1, TRACEBACK)) return 1;
  lua_getfield(lua, -1, name);
  lua_remove(lua, -2);
  return 0;
}

static int differs(vb_state *s, const factory *from, int worker_text, vb_error *err) {
  lua_State *lua = s->lua;
  lua_pushvalue(lua, worker_text);
  lua_insert(lua, TRACEBACK + 1);
  lua_settop(lua, TRACEBACK + 1);
  if (vb_state_push(lua, "vbench.canonical", "difference")) return vb_state_failed(s, NULL, err);
  lua_pushlstring(lua, from->canonical.data, from->canonical.length);
  lua_pushvalue(lua, TRACEBACK + 1);
  (void)lua_pcall(lua, 2, 1, TRACEBACK);
  return vb_state_failed(s, NULL, err);
}

static bool same_declarations(const vb_state *s, const factory *from, int index) {
  size_t length;
  const char *text = lua_tolstring(s->lua, index, &length);
  return text && length == from->canonical.length && !memcmp(text, from->canonical.data, length);
}

/* boot() has left: canonical text, functions, init, done. */
static int take_boot(vb_state *s, const factory *from, vb_error *err) {
  lua_State *lua = s->lua;
  int first = TRACEBACK + 1;
  if (!same_declarations(s, from, first)) return differs(s, from, first, err);
  s->functions = vb_state_take_functions(lua, first + 1, &s->function_count);
  if (!s->functions) return vb_fail(err, VB_ENOMEM, "out of memory: hooks");
  s->done_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
  if (lua_isfunction(lua, -1) && call(s, VB_WATCH_INIT, 0, 0))
    return vb_state_failed(s, "thread.init", err);
  lua_settop(lua, TRACEBACK);
  if (make_pointers(s)) return vb_state_failed(s, NULL, err);
  int code = vb_flow_table_open(s, err);
  if (code) return code;
  vb_state_begin_collecting(s);
  return VB_OK;
}

static int boot(vb_state *s, const factory *from, uint32_t worker, vb_error *err) {
  lua_State *lua = s->lua;
  luaL_openlibs(lua);
  vb_modules_register(lua);
  lua_pushcfunction(lua, traceback);
  lua_insert(lua, TRACEBACK);
  if (vb_state_push(lua, "vbench.worker", "boot")) return vb_state_failed(s, NULL, err);
  lua_pushlstring(lua, from->environment.data, from->environment.length);
  lua_pushinteger(lua, (lua_Integer)worker);
  lua_pushlightuserdata(lua, from->shared);
  if (call(s, VB_WATCH_LOAD, 3, 4)) return vb_state_failed(s, NULL, err);
  return take_boot(s, from, err);
}

static void close_state(void *context) {
  vb_state *s = context;
  vb_flow_table_close(s);
  lua_close(s->lua);
  free(s->functions);
  free(s);
}

static int open_state(void *context, uint32_t worker, vb_watch *watch, vb_hooks *hooks,
                      vb_error *err) {
  vb_state *s = calloc(1, sizeof *s);
  lua_State *lua = s ? luaL_newstate() : NULL;
  if (!lua) {
    free(s);
    return vb_fail(err, VB_ENOMEM, "out of memory: a script state");
  }
  s->lua = lua;
  s->watch = watch;
  s->done_reference = LUA_NOREF;
  /* Strings of hooks die young: collecting without a pause keeps them in the cache (150 ns a string
   * built, against 190 with the default pause of 200 and 500 with 1000). */
  s->pause = 100;
  int code = boot(s, context, worker, err);
  if (code) {
    close_state(s);
    return code;
  }
  *hooks = (vb_hooks){.state = s,
                      .arguments = hook_arguments,
                      .part = hook_part,
                      .reply = hook_reply,
                      .condition = hook_condition,
                      .collect = vb_state_collect,
                      .flow = vb_flow_table_hooks(s)};
  return VB_OK;
}

static int finish_state(void *context, vb_bytes *out, vb_error *err) {
  vb_state *s = context;
  lua_State *lua = s->lua;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, s->done_reference);
  if (lua_isfunction(lua, -1)) {
    if (call(s, VB_WATCH_DONE, 0, 1)) return vb_state_failed(s, "thread.done", err);
    size_t length;
    const char *text = lua_tolstring(lua, -1, &length);
    if (text) vb_bytes_append(out, text, length);
  }
  lua_settop(lua, TRACEBACK);
  return VB_OK;
}

static const char *state_message(void *context) {
  return ((vb_state *)context)->message;
}

static void describe(void *context, unsigned watched, char to[VB_FUNCTION_TEXT]) {
  const vb_state *s = context;
  const char *what = "a hook";
  switch (watched) {
  case VB_WATCH_COLLECT: what = "a finalizer (ffi.gc, __gc)"; break;
  case VB_WATCH_LOAD: what = "loading the script"; break;
  case VB_WATCH_INIT: what = "thread.init"; break;
  case VB_WATCH_DONE: what = "thread.done"; break;
  default:
    if (watched && watched <= s->function_count)
      what = s->functions[watched - 1].what;
    else if (vb_flow_table_what(s, watched - s->function_count - 1))
      what = vb_flow_table_what(s, watched - s->function_count - 1);
  }
  (void)snprintf(to, VB_FUNCTION_TEXT, "%s", what);
}

vb_script_factory *vb_script_factory_new(vb_shared *shared, const char *environment,
                                         size_t environment_length, const char *canonical,
                                         size_t canonical_length) {
  factory *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->base = (vb_script_factory){.context = made,
                                   .open = open_state,
                                   .finish = finish_state,
                                   .close = close_state,
                                   .message = state_message,
                                   .describe = describe};
  made->shared = shared;
  vb_bytes_append(&made->environment, environment, environment_length);
  vb_bytes_append(&made->canonical, canonical, canonical_length);
  return &made->base;
}

void vb_script_factory_free(vb_script_factory *base) {
  if (!base) return;
  factory *made = base->context;
  vb_bytes_fini(&made->environment);
  vb_bytes_fini(&made->canonical);
  free(made);
}
