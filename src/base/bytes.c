#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

static const char digit_pairs[] = "0001020304050607080910111213141516171819"
                                  "2021222324252627282930313233343536373839"
                                  "4041424344454647484950515253545556575859"
                                  "6061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";

void vb_bytes_fini(vb_bytes *bytes) {
  free(bytes->data);
  *bytes = (vb_bytes){0};
}

void vb_bytes_grow(vb_bytes *bytes, size_t more) {
  size_t capacity = bytes->capacity ? bytes->capacity : 256;
  if (bytes->data && capacity - bytes->length >= more) return;
  while (capacity - bytes->length < more) capacity *= 2;
  char *data = realloc(bytes->data, capacity);
  if (!data) {
    (void)fprintf(stderr, "vbench: out of memory: a buffer of %zu bytes\n", capacity);
    exit(1);
  }
  bytes->data = data;
  bytes->capacity = capacity;
}

unsigned vb_decimal_width(uint64_t value) {
  static const uint64_t powers[] = {0ull,
                                    10ull,
                                    100ull,
                                    1000ull,
                                    10000ull,
                                    100000ull,
                                    1000000ull,
                                    10000000ull,
                                    100000000ull,
                                    1000000000ull,
                                    10000000000ull,
                                    100000000000ull,
                                    1000000000000ull,
                                    10000000000000ull,
                                    100000000000000ull,
                                    1000000000000000ull,
                                    10000000000000000ull,
                                    100000000000000000ull,
                                    1000000000000000000ull,
                                    10000000000000000000ull};
  unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
  unsigned guess = bits * 1233 >> 12; /* 1233 / 4096 is just above log10(2) */
  return guess + (value >= powers[guess]);
}

void vb_decimal_write(char *to, uint64_t value, unsigned width) {
  while (width >= 2) {
    width -= 2;
    memcpy(to + width, digit_pairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (width) to[0] = (char)('0' + value % 10);
}
