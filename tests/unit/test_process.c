/* base/process: what a run says of itself, and the directory of its journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "place.h"

static void counts_cpu_time(void **state) {
  (void)state;
  vb_usage before, after;
  vb_process_usage(&before);
  for (double until = vb_clock_process_cpu() + 0.03; vb_clock_process_cpu() < until;)
    ;
  vb_process_usage(&after);
  double used = after.user_s + after.system_s - before.user_s - before.system_s;
  assert_true(used >= 0.02 && used < 1);
  assert_true(after.run_delay_s >= before.run_delay_s);
  assert_true(after.major_faults >= before.major_faults);
}

static void says_how_many_threads_it_saw(void **state) {
  (void)state;
  vb_usage usage;
  if (access("/proc/self/task", R_OK)) skip();
  vb_process_usage(&usage);
  assert_true(usage.threads >= 1);
}

static void names_the_host(void **state) {
  (void)state;
  char whole[256], cut[2];
  vb_process_host(whole, sizeof whole);
  assert_true(strlen(whole) > 0);
  vb_process_host(cut, sizeof cut);
  assert_true(strlen(cut) <= 1);
}

static void makes_directories_for_us_alone(void **state) {
  (void)state;
  struct stat info;
  assert_int_equal(VB_OK, vb_directory_make("a/b/c", NULL));
  assert_int_equal(0, stat("a/b/c", &info));
  assert_int_equal(0700, info.st_mode & 0777);
  assert_int_equal(VB_OK, vb_directory_make("a/b/c", NULL));
  assert_int_equal(VB_OK, vb_directory_make("a/b/d/", NULL));
}

static void names_what_is_in_the_way(void **state) {
  (void)state;
  vb_error err;
  FILE *file = fopen("file", "w");
  assert_non_null(file);
  fclose(file);
  assert_int_equal(VB_EIO, vb_directory_make("file", &err));
  assert_string_equal("file: is no directory", err.text);
  assert_int_equal(VB_EIO, vb_directory_make("file/x", &err));
  assert_non_null(strstr(err.text, "file/x: "));
}

static void raises_the_limit_of_files_or_says_how_far_it_goes(void **state) {
  (void)state;
  struct rlimit before, after;
  vb_error err;
  assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &before));
  assert_true(before.rlim_max > 64);
  assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &(struct rlimit){64, before.rlim_max}));
  assert_int_equal(VB_OK, vb_process_files(64, &err));
  assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &after));
  assert_int_equal(64, after.rlim_cur);
  assert_int_equal(VB_OK, vb_process_files(65, &err));
  assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &after));
  assert_int_equal(before.rlim_max, after.rlim_cur);
  if (before.rlim_max != RLIM_INFINITY) {
    char limit[32];
    snprintf(limit, sizeof limit, "may have %llu:", (unsigned long long)before.rlim_max);
    assert_int_equal(VB_EIO, vb_process_files(before.rlim_max + 1, &err));
    assert_non_null(strstr(err.text, limit));
    assert_non_null(strstr(err.text, "ulimit -n"));
  }
  (void)setrlimit(RLIMIT_NOFILE, &before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_cpu_time),
      cmocka_unit_test(says_how_many_threads_it_saw),
      cmocka_unit_test(names_the_host),
      cmocka_unit_test(makes_directories_for_us_alone),
      cmocka_unit_test(names_what_is_in_the_way),
      cmocka_unit_test(raises_the_limit_of_files_or_says_how_far_it_goes),
  };
  return cmocka_run_group_tests(tests, place_enter, place_leave);
}
