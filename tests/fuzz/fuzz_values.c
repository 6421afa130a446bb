/* Fuzz target of the formats of numbers: the first byte says which, the others are the file. Any
 * bytes are rows or an error, the same ones each time. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const formats[] = {"fvecs", "bvecs", "ivecs", "fbin",
                                      "u8bin", "ibin",  "npy",   "legacy"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char first[TABLE_TEXT], second[TABLE_TEXT];
  if (size == 0) return 0;
  const char *format = formats[data[0] % VB_ARRAY_LENGTH(formats)];
  unsigned rows = table_read(data + 1, size - 1, format, first);
  if (table_read(data + 1, size - 1, format, second) != rows || strcmp(first, second) != 0) abort();
  return 0;
}
