/* base/terminal: a secret is asked for on the terminal and not shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/terminal.h"

enum { TEXT_MAX = 1000 };

/* In a child whose terminal is ours: asks, and says what it got in its exit code. */
static void ask_and_exit(size_t size, const char *want) {
  char out[64];
  vb_error err;
  int status = vb_terminal_ask_secret("word: ", out, size, &err);
  _exit(status == VB_OK && strcmp(out, want) == 0 ? 42 : 1);
}

/* Reads what the terminal shows until `until` is in it, or it is closed. */
static void read_until(int terminal, char *text, const char *until) {
  size_t length = strlen(text);
  while (!until || !strstr(text, until)) {
    ssize_t got = read(terminal, text + length, TEXT_MAX - 1 - length);
    if (got <= 0) return;
    length += (size_t)got;
    text[length] = 0;
  }
}

static int exchange(const char *typed, size_t size, const char *want, char *text) {
  int terminal, status = 0;
  pid_t child = forkpty(&terminal, NULL, NULL, NULL);
  assert_true(child >= 0);
  if (child == 0) ask_and_exit(size, want);
  text[0] = 0;
  read_until(terminal, text, "word: ");
  assert_int_equal(write(terminal, typed, strlen(typed)), strlen(typed));
  read_until(terminal, text, NULL);
  assert_int_equal(waitpid(child, &status, 0), child);
  close(terminal);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void reads_a_line_that_is_not_shown(void **state) {
  (void)state;
  char text[TEXT_MAX];
  assert_int_equal(exchange("hunter2\n", 64, "hunter2", text), 42);
  assert_string_equal(text, "word: \r\n");
}

static void refuses_what_is_too_long_and_takes_an_empty_line(void **state) {
  (void)state;
  char text[TEXT_MAX];
  assert_int_equal(exchange("hunter2\n", 8, "hunter2", text), 42);
  assert_int_equal(exchange("hunter2\n", 7, "hunter", text), 1);
  assert_int_equal(exchange("\n", 64, "", text), 42);
}

static void tells_the_end_of_input_and_a_missing_terminal(void **state) {
  (void)state;
  char text[TEXT_MAX], out[64];
  vb_error err;
  assert_int_equal(exchange("\4", 64, "", text), 1);
  pid_t child = fork();
  if (child == 0) {
    setsid();
    _exit(vb_terminal_ask_secret("word: ", out, sizeof out, &err) == VB_EIO ? 42 : 1);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(WEXITSTATUS(status), 42);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_a_line_that_is_not_shown),
      cmocka_unit_test(refuses_what_is_too_long_and_takes_an_empty_line),
      cmocka_unit_test(tells_the_end_of_input_and_a_missing_terminal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
