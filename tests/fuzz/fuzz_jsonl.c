/* Fuzz target of dataset/source_jsonl: any bytes are rows or an error, and reading them again gives
 * the same. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char first[TABLE_TEXT], second[TABLE_TEXT];
  unsigned rows = table_read(data, size, "jsonl", first);
  if (table_read(data, size, "jsonl", second) != rows || strcmp(first, second) != 0) abort();
  return 0;
}
