/* base/output: a file is the old one or the new one, never half of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/output.h"
#include "place.h"

static void assert_file_is(const char *path, const char *want) {
  char got[64] = {0};
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  got[fread(got, 1, sizeof got - 1, file)] = 0;
  fclose(file);
  assert_string_equal(got, want);
}

static int files_here(void) {
  int count = 0;
  DIR *here = opendir(".");
  for (struct dirent *entry; (entry = readdir(here));) count += entry->d_name[0] != '.';
  closedir(here);
  return count;
}

static void a_file_is_replaced_with_its_mode(void **state) {
  (void)state;
  vb_error err;
  struct stat info;
  assert_int_equal(vb_output_write("a", "one", 3, &err), VB_OK);
  assert_int_equal(chmod("a", 0600), 0);
  assert_int_equal(vb_output_write("a", "second", 6, &err), VB_OK);
  assert_file_is("a", "second");
  assert_int_equal(stat("a", &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_int_equal(files_here(), 1);
}

static void two_names_of_a_file_are_the_same(void **state) {
  (void)state;
  vb_error err;
  assert_int_equal(vb_output_write("a", "x", 1, &err), VB_OK);
  assert_int_equal(vb_output_write("b", "x", 1, &err), VB_OK);
  assert_int_equal(symlink("a", "c"), 0);
  assert_int_equal(vb_output_same("a", "./a"), 1);
  assert_int_equal(vb_output_same("c", "a"), 1);
  assert_int_equal(vb_output_same("a", "b"), 0);
  assert_int_equal(vb_output_same("a", "none"), 0);
  assert_int_equal(vb_output_same("none", "none"), 0);
}

static void a_link_stays_a_link(void **state) {
  (void)state;
  vb_error err;
  struct stat info;
  assert_int_equal(vb_output_write("real", "one", 3, &err), VB_OK);
  assert_int_equal(symlink("real", "link"), 0);
  assert_int_equal(vb_output_write("link", "two", 3, &err), VB_OK);
  assert_int_equal(lstat("link", &info), 0);
  assert_true(S_ISLNK(info.st_mode));
  assert_file_is("real", "two");
}

static void a_device_is_written_to_and_stays(void **state) {
  (void)state;
  vb_error err;
  struct stat info;
  assert_int_equal(vb_output_check("/dev/null", &err), VB_OK);
  assert_int_equal(vb_output_write("/dev/null", "x", 1, &err), VB_OK);
  assert_int_equal(stat("/dev/null", &info), 0);
  assert_true(S_ISCHR(info.st_mode));
  assert_int_equal(vb_output_write("/dev/full", "x", 1, &err), VB_EIO);
  assert_string_equal(err.text, "/dev/full: No space left on device");
}

/* A limit on file sizes stands for a full disk. */
static void a_full_disk_leaves_the_old_file(void **state) {
  (void)state;
  vb_error err;
  struct rlimit old, small;
  char large[4096] = {0};
  assert_int_equal(vb_output_write("a", "old", 3, &err), VB_OK);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small = (struct rlimit){.rlim_cur = 1000, .rlim_max = old.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  int status = vb_output_write("a", large, sizeof large, &err);
  setrlimit(RLIMIT_FSIZE, &old);
  assert_int_equal(status, VB_EIO);
  assert_string_equal(err.text, "a: File too large");
  assert_file_is("a", "old");
  assert_int_equal(files_here(), 1);
}

static void what_cannot_be_written_is_known_before(void **state) {
  (void)state;
  vb_error err;
  assert_int_equal(vb_output_check("no/such/file", &err), VB_EIO);
  assert_string_equal(err.text, "no/such/file: No such file or directory");
  assert_int_equal(vb_output_check(".", &err), VB_EIO);
  assert_string_equal(err.text, ".: Is a directory");
  assert_int_equal(vb_output_write(".", "x", 1, &err), VB_EIO);
  assert_int_equal(vb_output_check("new", &err), VB_OK);
  assert_int_equal(files_here(), 0);
}

static void a_file_is_no_terminal(void **state) {
  (void)state;
  int fd = open("/dev/null", O_RDONLY);
  assert_int_equal(vb_output_columns(fd), 0);
  close(fd);
}

static void a_terminal_has_its_columns(void **state) {
  (void)state;
  int controller = posix_openpt(O_RDWR | O_NOCTTY);
  assert_true(controller >= 0 && grantpt(controller) == 0 && unlockpt(controller) == 0);
  int fd = open(ptsname(controller), O_RDWR | O_NOCTTY);
  assert_true(fd >= 0);
  assert_int_equal(vb_output_columns(fd), 80);
  struct winsize size = {.ws_col = 132, .ws_row = 40};
  assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
  assert_int_equal(vb_output_columns(fd), 132);
  close(fd);
  close(controller);
}

#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, place_enter, place_leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_A_DIRECTORY(a_file_is_replaced_with_its_mode),
      IN_A_DIRECTORY(two_names_of_a_file_are_the_same),
      IN_A_DIRECTORY(a_link_stays_a_link),
      IN_A_DIRECTORY(a_device_is_written_to_and_stays),
      IN_A_DIRECTORY(a_full_disk_leaves_the_old_file),
      IN_A_DIRECTORY(what_cannot_be_written_is_known_before),
      cmocka_unit_test(a_file_is_no_terminal),
      cmocka_unit_test(a_terminal_has_its_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
