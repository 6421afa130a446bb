/* What one call of a script's function costs, without a network: ns a call.
 * usage: bench_hooks [CALLS]   from the project's root */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/script.h"
#include "script/factory.h"
#include "script/modules.h"

static const char script[] =
    "local vb = require 'vbench'\n"
    "local number = vb.command { 'A', function(req) return req.n end, name = 'a' }\n"
    "local text = vb.command { 'B', function(req) return 'v:' .. req.n end, name = 'b' }\n"
    "local reply = vb.command { 'C', name = 'c', on_reply = function() end }\n"
    "local typed = vb.command { 'D', name = 'd', on_reply = function(r) return #r.type end }\n"
    "local run = vb.mix { { 1, number }, { 1, text }, { 1, reply }, { 1, typed } }\n"
    "return vb.scenario { phases = { vb.phase { name = 'p', run = run } } }\n";

/* Loads the script as main does: its environment for workers, and its canonical text. */
static const char load[] =
    "local path, shared = ...\n"
    "local ffi = require('vbench.ffi').ffi\n"
    "local session = require 'vbench.session'\n"
    "session.enter { role = 'main', path = path, run = { id = 'b', started = 1, seed = 1 },\n"
    "  shared = ffi.cast('vb_shared *', shared) }\n"
    "assert(require('vbench.loader').load(path))\n"
    "require('vbench.declarations').finish()\n"
    "return session.environment(), require('vbench.canonical').all()\n";

static void die(const char *what) {
  (void)fprintf(stderr, "bench_hooks: %s\n", what);
  exit(1);
}

static vb_script_factory *make_factory(vb_shared *shared, const char *path) {
  lua_State *lua = luaL_newstate();
  size_t environment_length, text_length;
  luaL_openlibs(lua);
  vb_modules_register(lua);
  if (luaL_loadstring(lua, load)) die(lua_tostring(lua, -1));
  lua_pushstring(lua, path);
  lua_pushlightuserdata(lua, shared);
  if (lua_pcall(lua, 2, 2, 0)) die(lua_tostring(lua, -1));
  const char *environment = lua_tolstring(lua, -2, &environment_length);
  const char *text = lua_tolstring(lua, -1, &text_length);
  vb_script_factory *factory =
      vb_script_factory_new(shared, environment, environment_length, text, text_length);
  lua_close(lua);
  return factory;
}

enum { ROUND = 16 }; /* calls between two looks at what is to be collected */

static double call(const vb_hooks *hooks, uint32_t function, bool reply, long calls) {
  static vb_bytes out;
  const vb_reply ok = {.type = '+', .text = "OK", .text_length = 2, .size = 5};
  uint64_t took;
  vb_ns start = vb_thread_cpu();
  for (long i = 0; i < calls; i++) {
    const vb_request request = {.n = (double)i, .id = (double)i, .query = -1};
    vb_bytes_clear(&out);
    int code = reply ? hooks->reply(hooks->state, function, &ok, &request)
                     : hooks->arguments(hooks->state, function, &request, &out);
    if (code == VB_HOOK_FAILED) die("a hook failed");
    if (i % ROUND == 0 && hooks->collect(hooks->state, &took)) die("a finalizer failed");
  }
  return (double)(vb_thread_cpu() - start) / (double)calls;
}

int main(int argc, char **argv) {
  static const char *const names[] = {"argument, a number", "argument, a string", "on_reply, empty",
                                      "on_reply, reads the type"};
  long calls = argc > 1 ? atol(argv[1]) : 3000000;
  char path[] = "/tmp/vbench-bench-XXXXXX";
  FILE *file = fdopen(mkstemp(path), "w");
  if (!file || fputs(script, file) < 0 || fclose(file)) die("cannot write a script");
  vb_shared *shared = vb_shared_new();
  vb_script_factory *factory = make_factory(shared, path);
  vb_watch watch = {0};
  vb_hooks hooks;
  vb_error err;
  if (factory->open(factory->context, 0, &watch, &hooks, &err)) die(err.text);
  for (uint32_t i = 0; i < 4; i++) {
    (void)call(&hooks, i, i >= 2, calls / 10);
    (void)printf("%-26s %6.1f ns\n", names[i], call(&hooks, i, i >= 2, calls));
  }
  factory->close(hooks.state);
  vb_script_factory_free(factory);
  vb_shared_free(shared);
  (void)remove(path);
  return 0;
}
