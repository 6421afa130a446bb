/* What the floors of tests/bench/ share: connections, one epoll loop that counts the bytes of the
 * replies, and the line that is printed. One thread. */
#ifndef VB_BENCH_FLOOR_CLIENT_H
#define VB_BENCH_FLOOR_CLIENT_H

#include <stddef.h>

/* Prints what errno says of `what`, and ends the process. */
void floor_die(const char *what);

/* Sends all of it. */
void floor_send(int fd, const char *from, size_t length);

typedef struct floor_load {
  int port, connections;
  int reply;            /* bytes of a reply */
  long (*next)(int fd); /* sends a connection's next requests; how many, 0 when none are left */
} floor_load;

/* Opens the connections, goes on until no request is left and all replies are there, and prints one
 * line: requests, seconds, requests a second, CPU (user + system) in us a request. */
void floor_run(const floor_load *load);

#endif
