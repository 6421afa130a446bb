/* The scanner: finds where replies end, without building anything.
 * One owner, one thread. No I/O, no allocation: bytes in, one reply at a time out.
 *
 * RESP2 and RESP3 whole: simple strings, errors, integers, bulk strings, arrays, nulls, doubles,
 * booleans, big numbers, blob errors, verbatim strings, maps, sets, pushes, attributes, streamed
 * strings and aggregates. Source: the RESP3 specification.
 *
 * The contract of memory. The caller keeps the unconsumed bytes together and calls again with them
 * and more behind. `*used` says how many bytes at the front are done with:
 *   - VB_SCAN_REPLY, _PUSH, _ATTRIBUTE: the bytes of that reply (from `data` when it lay whole in
 *     them); the next call starts behind them.
 *   - VB_SCAN_MORE: what need not be kept. With `keep` false the scanner lets go of all that it has
 *     read but an unfinished line (under VB_SCAN_LINE_MAX bytes), so a bulk string of a gigabyte
 *     costs nothing; with `keep` true it lets go of nothing of an unfinished reply, and goes on
 *     where it stopped without reading a byte twice.
 * `keep` may differ from reply to reply, but not within one. */
#ifndef VB_RESP_SCANNER_H
#define VB_RESP_SCANNER_H

#include "base/status.h"

enum { VB_SCAN_DEPTH_MAX = 32, VB_SCAN_LINE_MAX = 64 * 1024 };

enum vb_scan { VB_SCAN_MORE, VB_SCAN_REPLY, VB_SCAN_PUSH, VB_SCAN_ATTRIBUTE, VB_SCAN_BAD };

typedef struct vb_scanner_level {
  int64_t left; /* elements still to come; streamed: -1 less those that came, ends with '.' */
  char type;    /* the aggregate's mark; a '|' below the top is no element of what it stands in */
} vb_scanner_level;

/* Zeroed memory, with max_reply set, is a fresh scanner. The other fields are the scanner's. */
typedef struct vb_scanner {
  size_t max_reply; /* bytes of one reply that is kept or skipped; larger is VB_SCAN_BAD */
  bool busy;        /* in the middle of a reply */
  bool null;        /* of the top-level value, like all down to text_length */
  bool has_text;
  char type; /* 0 until its mark was read */
  int64_t integer;
  uint32_t hits, misses;
  size_t text; /* offset from the caller's data */
  size_t text_length;
  size_t position;    /* where the next token starts, from the caller's data */
  size_t released;    /* bytes of this reply that the caller was told to let go of */
  size_t searched;    /* bytes of the unfinished line at position that hold no LF */
  uint64_t skip;      /* bulk bytes and their CR LF still to pass over */
  bool streamed_bulk; /* between "$?" and ";0" */
  int depth;
  vb_scanner_level levels[VB_SCAN_DEPTH_MAX];
  char reason[160]; /* after VB_SCAN_BAD: what was wrong, with the bytes, printable */
} vb_scanner;

/* One value that was closed. Views point into the caller's data and die with its next change. */
typedef struct vb_reply {
  char type;  /* the mark of the top-level value: + - : $ * _ # , ( ! = % ~ > | */
  bool null;  /* $-1, *-1, _ */
  bool error; /* - or ! */
  /* The value of ':' and '#'; the length of a bulk; the elements of an aggregate (pairs count
   * twice); 0 for all others and for nulls. */
  int64_t integer;
  /* Scalars: 1 and 0, or 0 and 1 when null. Aggregates: their direct elements that are not null,
   * and those that are. */
  uint32_t hits, misses;
  /* Of a top-level scalar that lay whole in data, always so for + - : , ( # _: without marks, a
   * verbatim string also without its "txt:". Else NULL, 0; also for a streamed string, whose chunks
   * lie apart. */
  const char *text;
  size_t text_length;
  const char *bytes; /* the reply as it came, marks and all, when it lay whole in data; else NULL */
  size_t size;       /* its length, also when bytes is NULL */
} vb_reply;

/* Scans `length` bytes at `data`. Fills *used always, *reply for _REPLY, _PUSH and _ATTRIBUTE.
 * After VB_SCAN_BAD the scanner is not to be used again. */
enum vb_scan vb_scanner_next(vb_scanner *scanner, const char *data, size_t length, bool keep,
                             size_t *used, vb_reply *reply);

/* The size of a whole reply at the front of `data` that says no more than that all is well, of the
 * kinds that are the most common: "+OK", a number that is not negative, a bulk string or its null.
 * 0: something else, or part of one. Only between replies. */
size_t vb_scanner_success(const char *data, size_t length);

/* Reads into a complete aggregate, element by element: `at` starts at vb_reply_first(reply), which
 * is NULL when the reply is no aggregate or its bytes are gone; vb_reply_element returns where the
 * next one is. Ask for reply->integer elements, no more. Fills *out like a reply, but for hits and
 * misses, which are 0. Attributes are passed over. Only for what vb_scanner_next has closed. */
VB_API const char *vb_reply_first(const vb_reply *reply);
VB_API const char *vb_reply_element(const char *at, vb_reply *out);

#endif
