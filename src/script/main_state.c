#include "script/main_state.h"

#include "script/modules.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

static int add_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (!message && luaL_callmeta(L, 1, "__tostring")) message = lua_tostring(L, -1);
  luaL_traceback(L, L, message ? message : "an error that is no text", 1);
  return 1;
}

static void push_words(lua_State *L, int argc, char **argv) {
  lua_createtable(L, argc, 0);
  for (int i = 1; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
}

/* In C, under its own pcall: a module that is missing is told like any other error. */
static int run_main(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "vbench.main");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "run");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

int vb_main_state_run(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  if (!L) {
    (void)fputs("vbench: out of memory\n", stderr);
    return 1;
  }
  luaL_openlibs(L);
  vb_modules_register(L);
  lua_pushcfunction(L, add_traceback);
  lua_pushcfunction(L, run_main);
  push_words(L, argc, argv);
  int code = 1;
  if (lua_pcall(L, 1, 1, 1) == 0) {
    code = (int)lua_tointeger(L, -1);
  } else {
    (void)fprintf(stderr, "vbench: %s\n", lua_tostring(L, -1));
  }
  lua_close(L);
  return code;
}
