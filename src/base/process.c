#include "base/process.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 64 };

static double seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* schedstat has "ns on a core, ns waiting for one, turns" (Linux, Documentation/scheduler). */
static double thread_delay_s(const char *thread) {
  char path[NAME_SIZE * 2];
  unsigned long long ran = 0, waited = 0;
  (void)snprintf(path, sizeof path, "/proc/self/task/%.60s/schedstat", thread);
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  int fields = fscanf(file, "%llu %llu", &ran, &waited);
  (void)fclose(file);
  return fields == 2 ? (double)waited / 1e9 : 0;
}

static void read_run_delay(vb_usage *out) {
  DIR *threads = opendir("/proc/self/task");
  if (!threads) return;
  for (struct dirent *entry; (entry = readdir(threads));) {
    if (entry->d_name[0] == '.') continue;
    out->run_delay_s += thread_delay_s(entry->d_name);
    out->threads++;
  }
  (void)closedir(threads);
}

void vb_process_usage(vb_usage *out) {
  struct rusage usage;
  *out = (vb_usage){.threads = 0};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    out->user_s = seconds(usage.ru_utime);
    out->system_s = seconds(usage.ru_stime);
    out->major_faults = (uint64_t)usage.ru_majflt;
  }
  read_run_delay(out);
}

void vb_process_host(char *out, size_t size) {
  if (gethostname(out, size)) (void)snprintf(out, size, "?");
  out[size - 1] = 0;
}

static int make_one(const char *path, vb_error *err) {
  if (mkdir(path, 0700) == 0 || errno == EEXIST) return VB_OK;
  return vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno));
}

int vb_directory_make(const char *path, vb_error *err) {
  char part[PATH_MAX];
  struct stat info;
  if (strlen(path) >= sizeof part) return vb_fail(err, VB_EIO, "%s: the name is too long", path);
  strcpy(part, path);
  for (char *slash = part + 1; *part && (slash = strchr(slash, '/')); slash++) {
    *slash = 0;
    int failed = make_one(part, err);
    if (failed) return failed;
    *slash = '/';
  }
  int failed = make_one(part, err);
  if (failed) return failed;
  if (stat(part, &info) == 0 && S_ISDIR(info.st_mode)) return VB_OK;
  return vb_fail(err, VB_EIO, "%s: is no directory", path);
}

int vb_process_files(uint64_t needed, vb_error *err) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) return VB_OK;
  if (limit.rlim_cur >= needed) return VB_OK;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= needed) return VB_OK;
  return vb_fail(err, VB_EIO,
                 "%llu open files are needed, and this process may have %llu: see ulimit -n, "
                 "LimitNOFILE, /etc/security/limits.conf",
                 (unsigned long long)needed, (unsigned long long)limit.rlim_max);
}
