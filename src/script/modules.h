/* Makes the Lua side that is linked in available to `require`.
 * Called once for each Lua state, by the thread that owns it, before any script runs. */
#ifndef VB_SCRIPT_MODULES_H
#define VB_SCRIPT_MODULES_H

struct lua_State;

/* After luaL_openlibs. Embedded modules (script/embedded.h) come before files on package.path. With
 * $VBENCH_LUA_PATH (a directory, or templates as in LUA_PATH) its files come first, then the other
 * files, then what is embedded: for work on the Lua side without rebuilding. Where lua-cjson is
 * linked in, "cjson" is it. */
void vb_modules_register(struct lua_State *L);

#endif
