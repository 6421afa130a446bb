#include "table.h"

#include "dataset/dtype.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

vb_source *table_open(const void *bytes, size_t size, const char *format, int *fd, vb_error *err) {
  char path[64];
  vb_source *source = NULL;
  *fd = memfd_create("table", MFD_CLOEXEC);
  if (*fd < 0 || write(*fd, bytes, size) != (ssize_t)size || lseek(*fd, 0, SEEK_SET)) abort();
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
  vb_source_options options = {.format = format};
  return vb_source_open(&source, path, &options, err) ? NULL : source;
}

static VB_PRINTF(2, 3) void put(char *text, const char *format, ...) {
  size_t length = strlen(text);
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text + length, TABLE_TEXT - length, format, args);
  va_end(args);
}

static void put_values(char *text, const vb_column *column, const vb_cell *cell) {
  size_t size = vb_dtype_bytes(column->dtype, 1);
  vb_conversion how = {.from = column->dtype, .to = VB_DTYPE_FLOAT64};
  for (uint64_t i = 0; i < column->dimensions; i++) {
    double value = 0;
    size_t fits = vb_dtype_convert(&how, &value, cell->bytes + i * size, 1);
    put(text, i ? " " : "");
    if (fits)
      put(text, "%g", value);
    else
      put(text, "?");
  }
}

static void put_row(char *text, const vb_source *source) {
  static const char *const marks[] = {"null", "empty", "", "#", "#", "", "", ""};
  for (size_t i = 0; i < source->column_count; i++) {
    const vb_cell *cell = &source->cells[i];
    bool has_bytes = cell->kind != VB_CELL_NONE && cell->kind != VB_CELL_EMPTY;
    put(text, "%s%s=%s", i ? "," : "", source->columns[i].name, marks[cell->kind]);
    if (cell->kind == VB_CELL_VALUES)
      put_values(text, &source->columns[i], cell);
    else if (has_bytes)
      put(text, "%.*s", (int)cell->length, cell->bytes);
  }
  put(text, ";");
}

/* Without the path, which stands first. */
static const char *message(const vb_error *err) {
  const char *at = strstr(err->text, "/proc/self/fd/");
  return at ? at + strcspn(at, ":") + 1 : err->text;
}

unsigned table_read(const void *bytes, size_t size, const char *format, char *text) {
  vb_error err = {.status = 0};
  int fd, got = -1;
  *text = 0;
  vb_source *source = table_open(bytes, size, format, &fd, &err);
  while (source && (got = vb_source_next(source, &err)) > 0) put_row(text, source);
  unsigned rows = source ? (unsigned)source->row : 0;
  if (got < 0) put(text, "!%s", message(&err));
  vb_source_close(source);
  (void)close(fd);
  return rows;
}
