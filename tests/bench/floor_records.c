/* The floor of loading a dataset: one epoll loop sends HSETs whose value is copied once, from a
 * cold mapping of the file into the send buffer, and counts the bytes of the replies; nothing else
 * is done for a request. What vbench does beyond this is its own cost.
 *
 * usage: bench_floor_records PORT FILE RECORDS BYTES CONNECTIONS PIPELINE
 * Sends each record of BYTES bytes once, in order, as HSET vec:NNNNNNNNNNNN v <bytes>. */
#include "floor_client.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { REPLY = 4 }; /* ":1\r\n", or ":0\r\n" */

static long records, record;
static size_t bytes;
static int pipeline;
static const char *data;
static char *buffer;

/* The parts before a record, with the digits of its number where the template has zeros. */
static size_t render(char *to, long number) {
  static char head[128];
  static size_t length;
  if (!length)
    length = (size_t)snprintf(head, sizeof head,
                              "*4\r\n$4\r\nHSET\r\n$16\r\nvec:000000000000\r\n$1\r\nv\r\n$%zu\r\n",
                              bytes);
  memcpy(to, head, length);
  for (int at = 34; number; number /= 10) to[at--] = (char)('0' + number % 10);
  return length;
}

static long send_batch(int fd) {
  long count = pipeline < records - record ? pipeline : records - record;
  char *at = buffer;
  for (long i = 0; i < count; i++, record++) {
    at += render(at, record);
    memcpy(at, data + (size_t)record * bytes, bytes);
    memcpy(at + bytes, "\r\n", 2);
    at += bytes + 2;
  }
  floor_send(fd, buffer, (size_t)(at - buffer));
  return count;
}

static void map(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) floor_die(path);
  void *mapped = mmap(NULL, (size_t)records * bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) floor_die("mmap");
  (void)madvise(mapped, (size_t)records * bytes, MADV_SEQUENTIAL);
  data = mapped;
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: bench_floor_records PORT FILE RECORDS BYTES CONNECTIONS PIPELINE\n");
    return 2;
  }
  records = atol(argv[3]);
  bytes = (size_t)atol(argv[4]);
  pipeline = atoi(argv[6]);
  map(argv[2]);
  buffer = malloc((size_t)pipeline * (bytes + 128));
  floor_run(&(floor_load){atoi(argv[1]), atoi(argv[5]), REPLY, send_batch});
  return 0;
}
