#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[32];

char place_base[64], place_schema[80], place_data[80];

int place_make(void **state) {
  (void)state;
  (void)snprintf(directory, sizeof directory, "/tmp/vbench-unit-XXXXXX");
  if (!mkdtemp(directory)) return -1;
  (void)snprintf(place_base, sizeof place_base, "%s/x", directory);
  (void)snprintf(place_schema, sizeof place_schema, "%s.yaml", place_base);
  (void)snprintf(place_data, sizeof place_data, "%s.bin", place_base);
  return 0;
}

int place_remove(void **state) {
  (void)state;
  (void)unlink(place_schema);
  (void)unlink(place_data);
  return rmdir(directory);
}

int place_enter(void **state) {
  return place_make(state) || chdir(directory);
}

int place_leave(void **state) {
  (void)state;
  char command[64];
  (void)snprintf(command, sizeof command, "rm -r '%s'", directory);
  return chdir("/") || system(command);
}
