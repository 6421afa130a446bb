#include "base/slots.h"

#include <string.h>

/* CRC of each value of a nibble: 16 entries instead of 256 keep the table in half a cache line. */
static const uint16_t nibble[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                    0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};

uint16_t vb_crc16(const char *bytes, size_t length) {
  unsigned crc = 0;
  for (size_t i = 0; i < length; i++) {
    unsigned byte = (unsigned char)bytes[i];
    crc = (crc << 4 & 0xffff) ^ nibble[(crc >> 12) ^ (byte >> 4)];
    crc = (crc << 4 & 0xffff) ^ nibble[(crc >> 12) ^ (byte & 15)];
  }
  return (uint16_t)crc;
}

unsigned vb_slot(const char *key, size_t length) {
  const char *open = length ? memchr(key, '{', length) : NULL;
  if (open) {
    const char *tag = open + 1;
    const char *close = memchr(tag, '}', length - (size_t)(tag - key));
    if (close && close > tag) return vb_crc16(tag, (size_t)(close - tag)) % VB_SLOTS;
  }
  return vb_crc16(key, length) % VB_SLOTS;
}
