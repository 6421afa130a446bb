/* Fuzz target of dataset/survey and of the formats of text: the first byte says which format, the
 * others are the file. Any bytes are rows or an error, the same ones each time; what is found in
 * columns goes together. */
#include "dataset/survey.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const formats[] = {"text", "tsv", "csv", "jsonl"};

static void check(bool holds) {
  if (!holds) abort();
}

static void check_column(const vb_survey_column *of, uint64_t rows) {
  check(of->present <= rows && of->numbers <= of->present && of->integers <= of->numbers);
  check(of->negative <= of->numbers && of->wide <= of->numbers);
  check(of->lists + of->others <= of->present && (of->lists == 0) == (of->dimensions == 0));
  check(of->padded <= of->present && of->distinct <= VB_SURVEY_DISTINCT);
}

static void survey(const uint8_t *data, size_t size, const char *format) {
  vb_error err;
  int fd, got;
  vb_source *source = table_open(data, size, format, &fd, &err);
  if (source) {
    vb_survey *found = vb_survey_new(source);
    do got = vb_survey_step(found, &err);
    while (got > 0);
    check(got == 0 || *err.text);
    for (uint32_t i = 0; i < vb_survey_count(found); i++)
      check_column(vb_survey_get(found, i), source->row);
    vb_survey_free(found);
  }
  vb_source_close(source);
  (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char first[TABLE_TEXT], second[TABLE_TEXT];
  if (size == 0) return 0;
  const char *format = formats[data[0] % VB_ARRAY_LENGTH(formats)];
  unsigned rows = table_read(data + 1, size - 1, format, first);
  check(table_read(data + 1, size - 1, format, second) == rows && !strcmp(first, second));
  survey(data + 1, size - 1, format);
  return 0;
}
