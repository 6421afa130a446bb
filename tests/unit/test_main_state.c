/* script/main_state, base/build: the program's frame around its Lua side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/build.h"
#include "script/main_state.h"

/* Runs a vbench.main of our own; gives its exit code. */
static int run_instead(const char *code, int argc, char **argv) {
  char directory[] = "/tmp/test_main_state-XXXXXX", path[64], command[64];
  assert_non_null(mkdtemp(directory));
  (void)snprintf(command, sizeof command, "mkdir %s/vbench", directory);
  assert_int_equal(system(command), 0);
  (void)snprintf(path, sizeof path, "%s/vbench/main.lua", directory);
  FILE *file = fopen(path, "w");
  fputs(code, file);
  fclose(file);
  setenv("VBENCH_LUA_PATH", directory, 1);
  int exit_code = vb_main_state_run(argc, argv);
  unsetenv("VBENCH_LUA_PATH");
  (void)snprintf(command, sizeof command, "rm -r %s", directory);
  assert_int_equal(system(command), 0);
  return exit_code;
}

static void gives_the_words_and_returns_the_exit_code(void **state) {
  (void)state;
  char *argv[] = {"vbench", "a", "b c", NULL};
  assert_int_equal(run_instead("return { run = function(argv) "
                               "return #argv == 2 and argv[2] == 'b c' and 42 or 7 end }",
                               3, argv),
                   42);
  assert_int_equal(run_instead("return { run = function(argv) return #argv end }", 1, argv), 0);
}

static void an_error_is_exit_code_1_with_a_traceback(void **state) {
  (void)state;
  char *argv[] = {"vbench", NULL}, text[2000] = "";
  FILE *caught = tmpfile();
  int before = dup(2);
  dup2(fileno(caught), 2);
  int code = run_instead("return { run = function() error('it broke') end }", 1, argv);
  dup2(before, 2);
  close(before);
  rewind(caught);
  assert_true(fread(text, 1, sizeof text - 1, caught) > 0);
  fclose(caught);
  assert_int_equal(code, 1);
  assert_non_null(strstr(text, "it broke"));
  assert_non_null(strstr(text, "stack traceback"));
  assert_non_null(strstr(text, "main.lua:1"));
}

static void says_its_version_and_where_its_files_are(void **state) {
  (void)state;
  char directory[256], cut[4];
  assert_string_equal(vb_version(), VBENCH_VERSION);
  vb_build_data_directory(directory, sizeof directory);
  assert_non_null(strstr(directory, "/share/vbench"));
  vb_build_data_directory(cut, sizeof cut);
  assert_int_equal(strlen(cut), 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gives_the_words_and_returns_the_exit_code),
      cmocka_unit_test(an_error_is_exit_code_1_with_a_traceback),
      cmocka_unit_test(says_its_version_and_where_its_files_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
