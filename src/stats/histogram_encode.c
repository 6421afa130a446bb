/* HdrHistogram's V2 compressed encoding: a header and the counts (ZigZag LEB128, runs of zeros as
 * one negative number), deflated behind a header of their own, in base64. */
#include "base/bytes.h"
#include "stats/histogram_layout.h"

#include <stdlib.h>
#include <zlib.h>

/* 0x10 is the word size of a variable-length encoding. */
#define COOKIE_V2 (0x1c849303u | 0x10u)
#define COOKIE_V2_COMPRESSED (0x1c849304u | 0x10u)
enum { COMPRESSED_HEADER = 8 };

static void append_big_endian(vb_bytes *out, uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) {
    char byte = (char)(value >> (8 * i));
    vb_bytes_append(out, &byte, 1);
  }
}

/* Seven bits a byte, low first; the ninth byte, when it comes to that, has all eight. */
static void append_zigzag(vb_bytes *out, int64_t value) {
  uint64_t rest = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
  for (int i = 0; i < 8; i++) {
    char byte = (char)(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    vb_bytes_append(out, &byte, 1);
    if (rest < 0x80) return;
    rest >>= 7;
  }
  char last = (char)rest;
  vb_bytes_append(out, &last, 1);
}

static void append_counts(vb_bytes *out, const vb_histogram *histogram) {
  uint32_t end = vb_histogram_end(histogram);
  for (uint32_t i = 0; i < end;) {
    uint32_t run = i;
    while (run < end && !histogram->counts[run]) run++;
    if (run == i) {
      append_zigzag(out, (int64_t)histogram->counts[i++]);
    } else {
      append_zigzag(out, run - i > 1 ? -(int64_t)(run - i) : 0);
      i = run;
    }
  }
}

static void append_plain(vb_bytes *out, const vb_histogram *histogram) {
  vb_bytes counts = {0};
  append_counts(&counts, histogram);
  append_big_endian(out, COOKIE_V2, 4);
  append_big_endian(out, counts.length, 4);
  append_big_endian(out, 0, 4); /* normalizing index offset */
  append_big_endian(out, (uint64_t)histogram->digits, 4);
  append_big_endian(out, VB_HISTOGRAM_LOWEST, 8);
  append_big_endian(out, VB_HISTOGRAM_HIGHEST, 8);
  append_big_endian(out, 0x3ff0000000000000ull, 8); /* 1.0: our values are integers */
  vb_bytes_append(out, counts.data, counts.length);
  vb_bytes_fini(&counts);
}

static char *base64(const unsigned char *from, size_t length) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *text = malloc((length + 2) / 3 * 4 + 1), *to = text;
  if (!text) return NULL;
  for (size_t i = 0; i < length; i += 3) {
    size_t have = length - i < 3 ? length - i : 3;
    uint32_t three = (uint32_t)from[i] << 16;
    if (have > 1) three |= (uint32_t)from[i + 1] << 8;
    if (have > 2) three |= from[i + 2];
    *to++ = digits[three >> 18];
    *to++ = digits[three >> 12 & 63];
    *to++ = have > 1 ? digits[three >> 6 & 63] : '=';
    *to++ = have > 2 ? digits[three & 63] : '=';
  }
  *to = 0;
  return text;
}

char *vb_histogram_encode(const vb_histogram *histogram) {
  vb_bytes plain = {0}, packed = {0};
  char *text = NULL;
  append_plain(&plain, histogram);
  uLongf length = compressBound(plain.length);
  char *to = vb_bytes_reserve(&packed, COMPRESSED_HEADER + length);
  Bytef *body = (Bytef *)to + COMPRESSED_HEADER;
  if (compress2(body, &length, (Bytef *)plain.data, plain.length, Z_DEFAULT_COMPRESSION) == Z_OK) {
    append_big_endian(&packed, COOKIE_V2_COMPRESSED, 4);
    append_big_endian(&packed, length, 4);
    text = base64((unsigned char *)packed.data, packed.length + length);
  }
  vb_bytes_fini(&packed);
  vb_bytes_fini(&plain);
  return text;
}

void vb_text_free(char *text) {
  free(text);
}
