/* script/modules: require finds what is linked in, or what VBENCH_LUA_PATH names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "script/modules.h"

static lua_State *new_state(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  assert_int_equal(luaL_dostring(L, "package.path = '/nowhere/?.lua'"), 0);
  vb_modules_register(L);
  assert_int_equal(lua_gettop(L), 0);
  return L;
}

/* What a chunk returns, as text, or its error. */
static void expect(lua_State *L, const char *chunk, const char *want) {
  (void)luaL_dostring(L, chunk);
  const char *got = lua_tostring(L, -1);
  assert_non_null(got);
  if (!strstr(got, want)) fail_msg("%s gives %s, not %s", chunk, got, want);
  lua_settop(L, 0);
}

static void embedded_modules_need_no_file(void **state) {
  (void)state;
  lua_State *L = new_state();
  expect(L, "return type(require('vbench.nearest'))", "table");
  expect(L, "return require('vbench.cdef')", "vb_status_name");
  expect(L, "return type(require('argparse'))", "table");
  expect(L, "return type(require('vbench.scenarios'))", "table");
  lua_close(L);
}

static void a_module_that_is_nowhere_says_where_was_looked(void **state) {
  (void)state;
  lua_State *L = new_state();
  expect(L, "require('vbench.nowhere')", "no module 'vbench.nowhere' in vbench itself");
  expect(L, "require('vbench.nowhere')", "no file '/nowhere/vbench/nowhere.lua'");
  lua_close(L);
}

static void files_of_the_override_come_first(void **state) {
  (void)state;
  char directory[] = "/tmp/test_modules-XXXXXX", path[64];
  assert_non_null(mkdtemp(directory));
  (void)snprintf(path, sizeof path, "%s/argparse.lua", directory);
  FILE *file = fopen(path, "w");
  fputs("return 'mine'", file);
  fclose(file);
  setenv("VBENCH_LUA_PATH", directory, 1);
  lua_State *L = new_state();
  unsetenv("VBENCH_LUA_PATH");
  expect(L, "return require('argparse')", "mine");
  expect(L, "return type(require('vbench.nearest'))", "table");
  lua_close(L);
  unlink(path);
  rmdir(directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(embedded_modules_need_no_file),
      cmocka_unit_test(a_module_that_is_nowhere_says_where_was_looked),
      cmocka_unit_test(files_of_the_override_come_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
