#include "base/build.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char beside[] = "/share/vbench";

const char *vb_version(void) {
  return VBENCH_VERSION;
}

/* Writes the prefix of a program in prefix/bin; 0 when it lies elsewhere. */
static int own_prefix(char *out, size_t size) {
  ssize_t length = readlink("/proc/self/exe", out, size - 1);
  if (length <= 0) return 0;
  out[length] = 0;
  for (int above = 0; above < 2; above++) {
    char *slash = strrchr(out, '/');
    if (!slash) return 0;
    *slash = 0;
  }
  return 1;
}

/* An install may be moved as a whole, so what lies beside the program wins. */
void vb_build_data_directory(char *out, size_t size) {
  char path[PATH_MAX];
  if (own_prefix(path, sizeof path - sizeof beside)) {
    memcpy(path + strlen(path), beside, sizeof beside);
    if (access(path, R_OK) == 0) {
      (void)snprintf(out, size, "%s", path);
      return;
    }
  }
  (void)snprintf(out, size, "%s", VBENCH_DATA_DIR);
}

void vb_build_datasets_directory(char *out, size_t size) {
  static const char folder[] = "datasets";
  char path[PATH_MAX];
  vb_build_data_directory(path, sizeof path);
  int written = snprintf(out, size, "%s/%s", path, folder);
  bool installed = written > 0 && (size_t)written < size && access(out, R_OK) == 0;
  if (!installed && own_prefix(path, sizeof path)) (void)snprintf(out, size, "%s/%s", path, folder);
}
