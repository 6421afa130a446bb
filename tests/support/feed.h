/* Feeds a scanner the way a connection does, in parts, and writes down what it says.
 * For tests, one thread. */
#ifndef VB_TESTS_FEED_H
#define VB_TESTS_FEED_H

#include "resp/scanner.h"

#include <stdlib.h>

enum { FEED_LOG_MAX = 64 * 1024 };

/* Where the replies of one feed are written, a line each. With `whole`, text and bytes too, which
 * only replies that lie whole in the data have. */
typedef struct feed_log {
  bool whole;
  size_t length;
  char text[FEED_LOG_MAX];
} feed_log;

/* Scans data[0, length) as if it came in parts that end at the `count` ascending offsets `cuts`,
 * and then at `length`. Each part is scanned at an address of its own, so that a byte that was let
 * go of, or one that is not there yet, cannot be read unnoticed under the address sanitizer. */
void feed(const char *data, size_t length, const size_t *cuts, size_t count, bool keep,
          size_t max_reply, feed_log *log);

#endif
