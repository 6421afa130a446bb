/* Fuzz target of resp/scanner: however the bytes come, the replies are the same; what it closed can
 * be walked; hiredis' reader gets through it. */
#include "feed.h"
#include "resp/value.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_REPLY = 4096, CUTS_MAX = 256 };

static void check(bool holds) {
  if (!holds) abort();
}

/* Reads the elements, and those within them. */
static void walk(const vb_reply *reply) {
  const char *at = vb_reply_first(reply);
  vb_reply element;
  for (int64_t i = 0; at && i < reply->integer; i++) {
    at = vb_reply_element(at, &element);
    check(element.bytes >= reply->bytes && at <= reply->bytes + reply->size);
    check(element.bytes + element.size == at);
    walk(&element);
  }
}

/* Walks and reads all replies that lie in the data. */
static void use_replies(const char *data, size_t size) {
  vb_scanner scanner = {.max_reply = MAX_REPLY};
  size_t used;
  vb_reply reply;
  enum vb_scan scan;
  for (size_t at = 0;; at += used) {
    scan = vb_scanner_next(&scanner, data + at, size - at, true, &used, &reply);
    if (scan == VB_SCAN_MORE || scan == VB_SCAN_BAD) break;
    check(reply.bytes == data + at && reply.size == used && used <= size - at);
    walk(&reply);
    vb_value *value = NULL;
    vb_error err;
    if (vb_value_read(reply.bytes, reply.size, &value, &err) == VB_OK) vb_value_free(value);
  }
  if (scan == VB_SCAN_BAD)
    check(*scanner.reason && memchr(scanner.reason, 0, sizeof scanner.reason));
}

/* Ascending offsets that depend on the data, about one for every `each` bytes. */
static size_t choose_cuts(const uint8_t *data, size_t size, size_t each, size_t *cuts) {
  size_t count = 0;
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < size && count < CUTS_MAX; i++) {
    hash = (hash ^ data[i]) * 16777619u;
    if ((hash >> 8) % each == 0) cuts[count++] = i;
  }
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static feed_log whole, split;
  static const size_t densities[] = {1, 3, 17};
  const char *bytes = (const char *)data;
  size_t cuts[CUTS_MAX];
  char *copy = malloc(size ? size : 1);
  if (size) memcpy(copy, bytes, size);
  use_replies(copy, size);
  free(copy);
  for (int keep = 0; keep < 2; keep++) {
    whole.whole = split.whole = keep;
    feed(bytes, size, NULL, 0, keep, MAX_REPLY, &whole);
    for (size_t i = 0; i < VB_ARRAY_LENGTH(densities); i++) {
      size_t count = choose_cuts(data, size, densities[i], cuts);
      feed(bytes, size, cuts, count, keep, MAX_REPLY, &split);
      check(strcmp(whole.text, split.text) == 0);
    }
  }
  return 0;
}
