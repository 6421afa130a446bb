/* Runs a command and writes what it cost: wall, user and system seconds, peak memory in KB, and its
 * exit code, as one line to a file.
 * usage: bench_measure FILE COMMAND [ARGUMENT]... */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: bench_measure FILE COMMAND [ARGUMENT]...\n");
    return 2;
  }
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  pid_t child = fork();
  if (child == 0) {
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  int status = 0;
  struct rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) < 0) {
    perror("bench_measure");
    return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &after);
  double wall =
      (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  FILE *file = fopen(argv[1], "w");
  if (!file) {
    perror(argv[1]);
    return 1;
  }
  fprintf(file, "%.6f %.6f %.6f %ld %d\n", wall, seconds(used.ru_utime), seconds(used.ru_stime),
          used.ru_maxrss, code);
  fclose(file);
  return code;
}
