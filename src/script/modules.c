#include "script/modules.h"

#include "script/embedded.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

/* NULL where no lua-cjson is linked in (the build says so): then it is found on the path. */
extern int luaopen_cjson(lua_State *L) __attribute__((weak));

/* A searcher as package.loaders wants it: a loader, or a text that says where it looked. */
static int find_embedded(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  for (const vb_embedded_module *m = vb_embedded; m->name; m++) {
    if (strcmp(m->name, name) != 0) continue;
    if (luaL_loadbuffer(L, (const char *)m->bytecode, m->size, name)) return lua_error(L);
    return 1;
  }
  lua_pushfstring(L, "\n\tno module '%s' in vbench itself", name);
  return 1;
}

/* Puts find_embedded at `place` of package.loaders, and what stood there behind it. */
static void add_searcher(lua_State *L, int place) {
  lua_getfield(L, -1, "loaders");
  for (int i = (int)lua_objlen(L, -1); i >= place; i--) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, find_embedded);
  lua_rawseti(L, -2, place);
  lua_pop(L, 1);
}

static void prepend_path(lua_State *L, const char *more) {
  lua_getfield(L, -1, "path");
  const char *path = lua_tostring(L, -1);
  if (strchr(more, '?')) {
    lua_pushfstring(L, "%s;%s", more, path);
  } else {
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", more, more, path);
  }
  lua_setfield(L, -3, "path");
  lua_pop(L, 1);
}

void vb_modules_register(lua_State *L) {
  const char *override = getenv("VBENCH_LUA_PATH");
  lua_getglobal(L, "package");
  if (override && *override) {
    prepend_path(L, override);
    lua_getfield(L, -1, "loaders");
    int last = (int)lua_objlen(L, -1);
    lua_pop(L, 1);
    add_searcher(L, last + 1);
  } else {
    add_searcher(L, 2); /* behind package.preload */
  }
  if (luaopen_cjson) {
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_cjson);
    lua_setfield(L, -2, "cjson");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}
