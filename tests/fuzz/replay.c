/* Runs a fuzz target over the files of a directory, without a fuzzer: each file as it is, cut short
 * at every byte, and with every byte replaced by each of some that mean much.
 * usage: PROGRAM DIRECTORY      fails when the directory has no files */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 16 * 1024, MUTATED_MAX = 512 };

static const char replacements[] = "*$+-:%|>~_#,(!=;.?019\r\nx\xff";

static size_t read_file(const char *path, uint8_t *to) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  size_t size = fread(to, 1, FILE_MAX, file);
  (void)fclose(file);
  return size;
}

static unsigned replay(uint8_t *data, size_t size) {
  unsigned runs = 1;
  (void)LLVMFuzzerTestOneInput(data, size);
  for (size_t at = 0; at < size && size <= MUTATED_MAX; at++) {
    uint8_t original = data[at];
    (void)LLVMFuzzerTestOneInput(data, at);
    for (size_t i = 0; i < sizeof replacements; i++) {
      data[at] = (uint8_t)replacements[i];
      (void)LLVMFuzzerTestOneInput(data, size);
    }
    data[at] = original;
    runs += 1 + (unsigned)sizeof replacements;
  }
  return runs;
}

int main(int argc, char **argv) {
  static uint8_t data[FILE_MAX];
  DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
  if (!directory) {
    fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  unsigned files = 0, runs = 0;
  for (struct dirent *entry; (entry = readdir(directory));) {
    char path[1024];
    if (entry->d_name[0] == '.') continue;
    (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    runs += replay(data, read_file(path, data));
    files++;
  }
  (void)closedir(directory);
  printf("%u files, %u inputs\n", files, runs);
  return files ? 0 : 1;
}
