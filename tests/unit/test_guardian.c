/* base/guardian: processes gone and directory removed, however we end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guardian.h"

#define SHELL(...) ((const char *const[]){"sh", "-c", __VA_ARGS__})

/* What an owner that is about to end tells the test. */
typedef struct told {
  int pid;
  char directory[512];
} told;

enum ending { BY_EXIT, BY_SIGKILL };

static bool exists(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0;
}

/* Within 5 s. */
static bool process_gone_soon(int pid) {
  for (int i = 0; i < 500; i++) {
    if (kill(pid, 0) && errno == ESRCH) return true;
    usleep(10000);
  }
  return false;
}

static bool path_gone_soon(const char *path) {
  for (int i = 0; i < 500; i++) {
    if (!exists(path)) return true;
    usleep(10000);
  }
  return false;
}

static vb_guardian *started(void) {
  vb_guardian *guardian = NULL;
  vb_error err = {0};
  assert_int_equal(vb_guardian_start(&guardian, &err), VB_OK);
  return guardian;
}

static int spawned(vb_guardian *guardian, const char *script) {
  int pid = 0;
  vb_error err = {0};
  int status = vb_guardian_spawn(guardian, 3, SHELL(script), "log", &pid, &err);
  if (status) fail_msg("%s", err.text);
  return pid;
}

static void stop_ends_the_processes_and_removes_the_directory(void **state) {
  (void)state;
  vb_guardian *guardian = started();
  char directory[512];
  (void)snprintf(directory, sizeof directory, "%s", vb_guardian_directory(guardian));
  int first = spawned(guardian, "mkdir -p deep/er; ln -s /etc link; exec sleep 100");
  int second = spawned(guardian, "sleep 100 & wait");
  assert_true(exists(directory));
  assert_int_equal(vb_guardian_alive(guardian, first), 1);
  assert_int_equal(vb_guardian_alive(guardian, second), 1);
  vb_guardian_stop(guardian);
  assert_int_equal(kill(first, 0), -1);
  assert_int_equal(kill(-second, 0), -1);
  assert_false(exists(directory));
  assert_true(exists("/etc/passwd"));
}

/* A process of its own that starts a guardian with a server, and ends. */
static told owner_that_ends(enum ending how) {
  int report[2];
  assert_int_equal(pipe(report), 0);
  pid_t owner = fork();
  if (owner == 0) {
    told what = {0};
    vb_guardian *guardian = started();
    (void)snprintf(what.directory, sizeof what.directory, "%s", vb_guardian_directory(guardian));
    what.pid = spawned(guardian, "exec sleep 100");
    (void)!write(report[1], &what, sizeof what);
    if (how == BY_SIGKILL) raise(SIGKILL);
    _exit(0);
  }
  close(report[1]);
  told what = {0};
  assert_int_equal(read(report[0], &what, sizeof what), sizeof what);
  /* The end of the file shows that the guardian keeps nothing open that was its parent's. */
  char byte;
  assert_int_equal(read(report[0], &byte, 1), 0);
  close(report[0]);
  waitpid(owner, NULL, 0);
  return what;
}

static void an_exit_of_the_owner_cleans_up(void **state) {
  (void)state;
  told what = owner_that_ends(BY_EXIT);
  assert_true(process_gone_soon(what.pid));
  assert_true(path_gone_soon(what.directory));
}

static void sigkill_of_the_owner_cleans_up(void **state) {
  (void)state;
  told what = owner_that_ends(BY_SIGKILL);
  assert_true(process_gone_soon(what.pid));
  assert_true(path_gone_soon(what.directory));
}

static void a_process_that_ignores_sigterm_is_killed(void **state) {
  (void)state;
  vb_guardian *guardian = started();
  int pid = spawned(guardian, "trap '' TERM; exec sleep 100");
  usleep(100000);
  vb_guardian_stop(guardian);
  assert_int_equal(kill(pid, 0), -1);
}

static void an_ended_process_is_not_alive(void **state) {
  (void)state;
  vb_guardian *guardian = started();
  int pid = spawned(guardian, "exit 3");
  for (int i = 0; i < 500 && vb_guardian_alive(guardian, pid); i++) usleep(10000);
  assert_int_equal(vb_guardian_alive(guardian, pid), 0);
  assert_int_equal(vb_guardian_alive(guardian, 1), 0);
  vb_guardian_stop(guardian);
}

static void output_goes_to_the_log_in_the_directory(void **state) {
  (void)state;
  vb_guardian *guardian = started();
  char path[600], text[64] = {0};
  (void)snprintf(path, sizeof path, "%s/log", vb_guardian_directory(guardian));
  int pid = spawned(guardian, "pwd >&2; echo out");
  for (int i = 0; i < 500 && vb_guardian_alive(guardian, pid); i++) usleep(10000);
  int log = open(path, O_RDONLY);
  assert_true(read(log, text, sizeof text - 1) > 0);
  close(log);
  assert_non_null(strstr(text, "/vbench-"));
  assert_non_null(strstr(text, "\nout\n"));
  vb_guardian_stop(guardian);
}

static void a_program_that_does_not_exist_is_named(void **state) {
  (void)state;
  vb_guardian *guardian = started();
  vb_error err = {0};
  int pid = 0;
  const char *const argv[] = {"no-such-server"};
  assert_int_equal(vb_guardian_spawn(guardian, 1, argv, "log", &pid, &err), VB_EIO);
  assert_string_equal(err.text, "cannot start no-such-server: No such file or directory");
  assert_int_equal(vb_guardian_spawn(guardian, 0, argv, "log", &pid, &err), VB_EINVAL);
  vb_guardian_stop(guardian);
}

static void arguments_that_are_too_long_are_refused(void **state) {
  (void)state;
  vb_guardian *guardian = started();
  vb_error err = {0};
  int pid = 0;
  char *word = malloc(70000);
  memset(word, 'x', 69999);
  word[69999] = '\0';
  const char *const argv[] = {"echo", word};
  assert_int_equal(vb_guardian_spawn(guardian, 2, argv, "log", &pid, &err), VB_EINVAL);
  free(word);
  vb_guardian_stop(guardian);
}

static void a_directory_that_cannot_be_is_named(void **state) {
  (void)state;
  setenv("TMPDIR", "/nowhere/at/all", 1);
  vb_guardian *guardian = NULL;
  vb_error err = {0};
  int status = vb_guardian_start(&guardian, &err);
  unsetenv("TMPDIR");
  assert_int_equal(status, VB_EIO);
  assert_null(guardian);
  assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

static void another_directory_under_its_name_is_left_alone(void **state) {
  (void)state;
  vb_guardian *guardian = started();
  char ours[512], moved[520];
  (void)snprintf(ours, sizeof ours, "%s", vb_guardian_directory(guardian));
  (void)snprintf(moved, sizeof moved, "%s-moved", ours);
  assert_int_equal(rename(ours, moved), 0);
  assert_int_equal(mkdir(ours, 0700), 0);
  vb_guardian_stop(guardian);
  assert_true(exists(ours));
  assert_int_equal(rmdir(ours), 0);
  assert_int_equal(rmdir(moved), 0);
}

static void ctrl_c_and_sigterm_of_the_guardian(void **state) {
  (void)state;
  vb_guardian *guardian = started();
  int pid = spawned(guardian, "exec sleep 100");
  assert_int_not_equal(getsid(pid), getsid(0));
  assert_int_not_equal(getpgid(pid), getpgrp());
  char directory[512];
  (void)snprintf(directory, sizeof directory, "%s", vb_guardian_directory(guardian));
  pid_t process = getsid(pid); /* the guardian leads its session */
  assert_int_equal(kill(process, SIGINT), 0);
  usleep(50000);
  assert_int_equal(vb_guardian_alive(guardian, pid), 1);
  assert_int_equal(kill(process, SIGTERM), 0);
  assert_true(process_gone_soon(pid));
  assert_true(path_gone_soon(directory));
  vb_error err = {0};
  assert_int_equal(vb_guardian_spawn(guardian, 3, SHELL("true"), "log", &pid, &err), VB_EIO);
  vb_guardian_stop(guardian);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stop_ends_the_processes_and_removes_the_directory),
      cmocka_unit_test(an_exit_of_the_owner_cleans_up),
      cmocka_unit_test(sigkill_of_the_owner_cleans_up),
      cmocka_unit_test(a_process_that_ignores_sigterm_is_killed),
      cmocka_unit_test(an_ended_process_is_not_alive),
      cmocka_unit_test(output_goes_to_the_log_in_the_directory),
      cmocka_unit_test(a_program_that_does_not_exist_is_named),
      cmocka_unit_test(arguments_that_are_too_long_are_refused),
      cmocka_unit_test(a_directory_that_cannot_be_is_named),
      cmocka_unit_test(another_directory_under_its_name_is_left_alone),
      cmocka_unit_test(ctrl_c_and_sigterm_of_the_guardian),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
