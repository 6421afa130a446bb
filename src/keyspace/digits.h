/* Decimal digits of a fixed width, eight at a time: what a request with a key costs is mostly this.
 * Pure; any thread. */
#ifndef VB_KEYSPACE_DIGITS_H
#define VB_KEYSPACE_DIGITS_H

#include "base/bytes.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "digits are stored lowest byte first");

/* The eight digits of value < 10^8 as text, the first in the lowest byte. Divides by 10^4, 100 and
 * 10 in parallel lanes by multiplying with rounded-up reciprocals, exact for these ranges. */
static inline uint64_t vb_digits8(uint64_t value) {
  uint64_t fours = value / 10000 | (value % 10000) << 32;
  uint64_t high = fours * 10486 >> 20 & 0x0000007f0000007full;
  uint64_t pairs = high | (fours - 100 * high) << 16;
  uint64_t tens = pairs * 103 >> 10 & 0x000f000f000f000full;
  return (tens | (pairs - 10 * tens) << 8) + 0x3030303030303030ull;
}

/* Writes the lowest `width` digits of value, zero-padded; writes `width` bytes, no more. */
static inline void vb_digits_write(char *to, uint64_t value, unsigned width) {
  if (VB_UNLIKELY(width < 8 || width > 16)) {
    vb_decimal_write(to, value, width);
    return;
  }
  uint64_t low = vb_digits8(value % 100000000);
  uint64_t high = 0x3030303030303030ull; /* zeros: most keyspaces are below 10^8 */
  if (value >= 100000000) high = vb_digits8(value / 100000000 % 100000000);
  if (width > 8) {
    high >>= 8 * (16 - width); /* the bytes past its digits are overwritten by the low ones */
    memcpy(to, &high, 8);
  }
  memcpy(to + width - 8, &low, 8);
}

#endif
