/* A server that answers as it is told to, however wrong that is.
 * For tests: the test's thread starts and stops it; it runs in a thread of its own. */
#ifndef VB_TESTS_FAKE_H
#define VB_TESTS_FAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_REPLIES = 8, FAKE_PEERS = 64 };

typedef struct fake_peer {
  int fd;
  uint64_t seen, answered, number; /* requests; which connection it is, from 0 */
  int lines;                       /* of a request, still to come; -1: their number comes next */
} fake_peer;

typedef struct fake {
  /* What it does; set before fake_start. */
  const char *greeting;              /* sent on accept, before anything is asked */
  const char *replies[FAKE_REPLIES]; /* to a connection's requests in turn, again from the first */
  const char *first;                 /* the reply to a connection's first request, when not NULL */
  size_t large;                      /* each reply is a bulk string of so many bytes */
  uint64_t close_after;              /* replies a connection gets; 0: no end */
  uint64_t mute_after;               /* likewise, after which it is silent */
  uint64_t late_after;               /* connections from this one on get `late` first */
  uint64_t late_until;               /* up to this one */
  const char *late;
  unsigned byte_us;  /* replies go out byte by byte with this pause */
  unsigned reply_ms; /* each reply comes so much later; the first of a connection at once */
  unsigned read_us;  /* pause between reads, which are of 64 KB */
  int deaf;          /* accepts and never reads */
  int unix_path;     /* listens on `path` with a backlog of 0 and accepts nothing until told */
  char path[100];
  /* What it has seen. */
  atomic_uint_least64_t accepted, requests;
  atomic_int accepting;
  /* Its own. */
  int listener, port;
  pthread_t thread;
  atomic_int stop;
  fake_peer peers[FAKE_PEERS];
  int peer_count;
} fake;

void fake_start(fake *self);
void fake_stop(fake *self);

#endif
