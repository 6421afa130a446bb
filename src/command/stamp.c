#include "command/stamp.h"

#include "base/bytes.h"

#include <string.h>

static const char mark[] = "vb@";

enum { MARK = sizeof mark - 1, DIGITS = VB_STAMP_SIZE - MARK };

void vb_stamp_write(char to[VB_STAMP_SIZE]) {
  memcpy(to, mark, MARK);
  vb_decimal_write(to + MARK, vb_clock_read(CLOCK_REALTIME), DIGITS);
}

static bool read_digits(const char *at, uint64_t *value) {
  *value = 0;
  for (int i = 0; i < DIGITS; i++) {
    if (at[i] < '0' || at[i] > '9') return false;
    *value = *value * 10 + (uint64_t)(at[i] - '0');
  }
  return true;
}

const char *vb_stamp_find(const char *at, size_t length, uint64_t *ns) {
  const char *end = at + length;
  while ((at = memmem(at, (size_t)(end - at), mark, MARK)) && end - at >= VB_STAMP_SIZE) {
    if (read_digits(at + MARK, ns)) return at + VB_STAMP_SIZE;
    at += MARK;
  }
  return NULL;
}
