/* A real server for unit tests: redis-server, else valkey-server, on a free port of the loopback.
 * For tests, main thread. */
#ifndef VB_TESTS_REAL_H
#define VB_TESTS_REAL_H

#include "resp/client.h"

#include <sys/types.h>

typedef struct real {
  pid_t pid; /* 0: neither program is installed */
  int port;
} real;

/* 0, also when there is no server to be had; -1 when there is no port. */
int real_start(real *server);
/* Ends it as a crash would. Harmless when it does not run. */
void real_kill(real *server);
/* A client of it; NULL when it does not answer within a second. */
vb_client *real_client(const real *server);

#endif
