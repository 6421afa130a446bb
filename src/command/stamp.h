/* Stamps: the time at which a request was put together, written into it, found again in a reply.
 * Any thread. */
#ifndef VB_COMMAND_STAMP_H
#define VB_COMMAND_STAMP_H

#include "base/clock.h"

/* "vb@" and 19 digits: nanoseconds since 1970, which take 19 until the year 2286. A fixed length,
 * so that templates stay of fixed size; a mark that generators do not make by chance ('@' is in no
 * vb.bytes); nothing that JSON or RESP would have to escape. */
enum { VB_STAMP_SIZE = 22 };

/* Writes the time of now. Wall time, so that a stamp means something on another host, and to
 * another run, as far as their clocks agree. */
void vb_stamp_write(char to[VB_STAMP_SIZE]);

/* The next stamp in `length` bytes at `at`: returns where it ends and fills *ns; NULL when there is
 * none. */
const char *vb_stamp_find(const char *at, size_t length, uint64_t *ns);

#endif
