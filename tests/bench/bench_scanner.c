/* What the scanner costs for a reply, in ns: bursts of 16 as a pipeline brings them.
 * usage: bench_scanner [SECONDS for each line] */
#include "base/clock.h"
#include "resp/scanner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BURST = 16, ROUND = 1000 };

static uint64_t scan_burst(vb_scanner *scanner, const char *data, size_t length, bool keep) {
  uint64_t sum = 0;
  size_t used;
  vb_reply reply;
  for (size_t at = 0; at < length; at += used) {
    if (vb_scanner_next(scanner, data + at, length - at, keep, &used, &reply) != VB_SCAN_REPLY)
      abort();
    sum += reply.hits + reply.size;
  }
  return sum;
}

static void measure(const char *name, const char *reply, bool keep, double seconds) {
  size_t length = strlen(reply);
  char *data = malloc(length * BURST);
  for (size_t i = 0; i < BURST; i++) memcpy(data + i * length, reply, length);
  vb_scanner scanner = {.max_reply = 64 << 20};
  volatile uint64_t sink = 0;
  double best = 1e9;
  for (vb_ns end = vb_now() + (vb_ns)(seconds * 1e9); vb_now() < end;) {
    vb_ns start = vb_now();
    for (int i = 0; i < ROUND; i++) sink += scan_burst(&scanner, data, length * BURST, keep);
    double each = (double)(vb_now() - start) / (BURST * ROUND);
    if (each < best) best = each;
  }
  printf("%-28s %8.2f ns a reply\n", name, best);
  free(data);
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 0.2;
  static char array[4096] = "*100\r\n";
  for (int i = 0; i < 100; i++) strcat(array, "$8\r\nabcdefgh\r\n");
  measure("+OK", "+OK\r\n", false, seconds);
  measure(":1", ":1\r\n", false, seconds);
  measure("$3 xxx", "$3\r\nxxx\r\n", false, seconds);
  measure("$-1", "$-1\r\n", false, seconds);
  measure("+QUEUED", "+QUEUED\r\n", false, seconds);
  measure("_", "_\r\n", false, seconds);
  measure("*2 of $8", "*2\r\n$8\r\nabcdefgh\r\n$8\r\nabcdefgh\r\n", false, seconds);
  measure("*100 of $8, skipped", array, false, seconds);
  measure("*100 of $8, kept", array, true, seconds);
  return 0;
}
