#include "feed.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void note(feed_log *log, const char *format, ...) VB_PRINTF(2, 3);

static void note(feed_log *log, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(log->text + log->length, sizeof log->text - log->length, format, args);
  va_end(args);
  log->length += (size_t)n;
  if (log->length >= sizeof log->text) log->length = sizeof log->text - 1;
}

static void note_reply(feed_log *log, enum vb_scan scan, const vb_reply *reply) {
  static const char *const names[] = {"more", "reply", "push", "attribute", "bad"};
  note(log, "%s %c%s%s integer=%lld hits=%u misses=%u size=%zu", names[scan], reply->type,
       reply->null ? " null" : "", reply->error ? " error" : "", (long long)reply->integer,
       reply->hits, reply->misses, reply->size);
  if (log->whole && reply->text) note(log, " text=%.*s", (int)reply->text_length, reply->text);
  if (log->whole) note(log, " bytes=%.*s", reply->bytes ? (int)reply->size : 0, reply->bytes);
  note(log, "\n");
}

/* Scans the bytes [from, to) until more are needed; returns where the unconsumed ones begin. */
static size_t feed_part(vb_scanner *scanner, const char *data, size_t from, size_t to, bool keep,
                        feed_log *log, bool *bad) {
  char *part = malloc(to - from ? to - from : 1);
  memcpy(part, data + from, to - from);
  size_t at = 0, used;
  enum vb_scan scan;
  do {
    vb_reply reply;
    scan = vb_scanner_next(scanner, part + at, to - from - at, keep, &used, &reply);
    at += used;
    if (at > to - from) abort();
    if (scan != VB_SCAN_MORE && scan != VB_SCAN_BAD) note_reply(log, scan, &reply);
  } while (scan != VB_SCAN_MORE && scan != VB_SCAN_BAD);
  *bad = scan == VB_SCAN_BAD;
  if (keep && scan == VB_SCAN_MORE && used != 0) abort();
  if (!keep && scan == VB_SCAN_MORE && to - from - at >= VB_SCAN_LINE_MAX) abort();
  free(part);
  return from + at;
}

void feed(const char *data, size_t length, const size_t *cuts, size_t count, bool keep,
          size_t max_reply, feed_log *log) {
  vb_scanner scanner = {.max_reply = max_reply};
  size_t from = 0;
  bool bad = false;
  log->length = 0;
  log->text[0] = 0;
  for (size_t i = 0; i <= count && !bad; i++)
    from = feed_part(&scanner, data, from, i < count ? cuts[i] : length, keep, log, &bad);
  note(log, bad ? "bad\n" : "end\n");
}
