/* The floor: the least work a client can do for the same requests on the same keys. One epoll loop
 * sends SETs that were rendered beforehand and counts the bytes of the replies; nothing is drawn,
 * parsed or measured per request. What vbench does beyond this is its own cost.
 *
 * usage: bench_floor PORT REQUESTS CONNECTIONS PIPELINE KEYS SIZE random|sequential */
#include "floor_client.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 1 << 20, REPLY = 5 };

static struct {
  long left; /* requests */
  int pipeline;
  long keys;
  int size;
  int sequential;
  char *ring; /* RING requests of `length` bytes, one behind the other */
  size_t length;
  size_t at; /* the next request of the ring */
} load;

static void render(void) {
  char *value = malloc((size_t)load.size + 1);
  memset(value, 'x', (size_t)load.size);
  value[load.size] = '\0';
  const char *format = "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012llu\r\n$%d\r\n%s\r\n";
  load.length = (size_t)snprintf(NULL, 0, format, 0ull, load.size, value);
  load.ring = malloc((size_t)RING * load.length + 1);
  uint64_t state = 1;
  for (long i = 0; i < RING; i++) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    uint64_t key = load.sequential ? (uint64_t)i : state >> 20;
    (void)snprintf(load.ring + (size_t)i * load.length, load.length + 1, format,
                   (unsigned long long)(key % (uint64_t)load.keys), load.size, value);
  }
  free(value);
}

static long send_batch(int fd) {
  long count = load.pipeline < load.left ? load.pipeline : load.left;
  if (!count) return 0;
  if (load.at + (size_t)count > RING) load.at = 0;
  floor_send(fd, load.ring + load.at * load.length, (size_t)count * load.length);
  load.at += (size_t)count;
  load.left -= count;
  return count;
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: bench_floor PORT REQUESTS CONNECTIONS PIPELINE KEYS SIZE "
                    "random|sequential\n");
    return 2;
  }
  load.left = atol(argv[2]);
  load.pipeline = atoi(argv[4]);
  load.keys = atol(argv[5]);
  load.size = atoi(argv[6]);
  load.sequential = strcmp(argv[7], "sequential") == 0;
  render();
  floor_run(&(floor_load){atoi(argv[1]), atoi(argv[3]), REPLY, send_batch});
  return 0;
}
