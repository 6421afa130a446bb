/* The RESP writer: requests as bytes, for set-up and dynamic commands (templates do the hot path).
 * One owner, one thread. */
#ifndef VB_RESP_WRITER_H
#define VB_RESP_WRITER_H

#include "base/bytes.h"

/* Longest "*N\r\n" or "$N\r\n": sign, 20 digits, CR LF. */
enum { VB_RESP_HEADER_MAX = 23 };

/* Writes `mark` ('*' or '$'), count in decimal, CR LF at `to`; returns the bytes written. */
size_t vb_resp_header(char *to, char mark, uint64_t count);
/* Appends a whole request of `count` words to `out`. lengths may be NULL: then words end at NUL. */
void vb_resp_request(vb_bytes *out, int count, const char *const *words, const size_t *lengths);

#endif
