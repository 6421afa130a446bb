/* Comma- and tab-separated values with a header (RFC 4180): cells may stand between quotes, and
 * then hold separators, line feeds and, doubled, quotes. */
#include "dataset/input.h"
#include "dataset/source_kind.h"

#include <stdlib.h>
#include <string.h>

/* A cell as it stands in the buffer. */
typedef struct raw_cell {
  const char *bytes;
  size_t length;
  bool quoted, doubled; /* quotes around it; quotes written twice in it */
} raw_cell;

typedef struct csv_source {
  vb_source base;
  vb_input input;
  uint64_t next_line;
  raw_cell *raw; /* of the record that is being read */
  size_t raw_count, raw_room;
} csv_source;

/* A record that is being read: where it is in the buffer. The buffer may move and the record be
 * read again from its start, so nothing is changed before all of it is there. */
typedef struct record {
  const char *at, *end;
  uint64_t lines;
  bool last; /* nothing follows what is in the buffer */
} record;

enum scan { SCAN_CELL, SCAN_RECORD, SCAN_MORE, SCAN_UNCLOSED, SCAN_BEHIND_QUOTE, SCAN_NO_MEMORY };

/* What ends a cell: SCAN_RECORD for a line's end. Passes it. */
static enum scan end_of_cell(record *rec, char separator) {
  if (rec->at == rec->end) return rec->last ? SCAN_RECORD : SCAN_MORE;
  if (*rec->at == separator) return rec->at++, SCAN_CELL;
  if (*rec->at == '\r') {
    if (rec->at + 1 == rec->end && !rec->last) return SCAN_MORE;
    rec->at++;
    if (rec->at == rec->end || *rec->at != '\n') return SCAN_RECORD;
  }
  if (*rec->at != '\n') return SCAN_BEHIND_QUOTE;
  rec->at++;
  rec->lines++;
  return SCAN_RECORD;
}

static enum scan scan_quoted(record *rec, char separator, raw_cell *cell) {
  cell->quoted = true;
  cell->bytes = ++rec->at;
  for (;; rec->at++) {
    if (rec->at == rec->end) return rec->last ? SCAN_UNCLOSED : SCAN_MORE;
    if (*rec->at == '\n') rec->lines++;
    if (*rec->at != '"') continue;
    if (rec->at + 1 == rec->end && !rec->last) return SCAN_MORE;
    if (rec->at + 1 == rec->end || rec->at[1] != '"') break;
    cell->doubled = true;
    rec->at++;
  }
  cell->length = (size_t)(rec->at++ - cell->bytes);
  return end_of_cell(rec, separator);
}

static enum scan scan_cell(record *rec, char separator, raw_cell *cell) {
  *cell = (raw_cell){.bytes = rec->at};
  if (rec->at < rec->end && *rec->at == '"') return scan_quoted(rec, separator, cell);
  while (rec->at < rec->end && *rec->at != separator && *rec->at != '\n' && *rec->at != '\r')
    rec->at++;
  cell->length = (size_t)(rec->at - cell->bytes);
  return end_of_cell(rec, separator);
}

static size_t undouble(char *text, size_t length) {
  size_t to = 0;
  for (size_t i = 0; i < length; i++) {
    text[to++] = text[i];
    if (text[i] == '"') i++;
  }
  return to;
}

static char separator_of(const vb_source *source) {
  return source->kind == &vb_source_tsv ? '\t' : ',';
}

static raw_cell *new_raw(csv_source *self) {
  if (self->raw_count == self->raw_room) {
    size_t room = self->raw_room ? self->raw_room * 2 : 16;
    raw_cell *raw = realloc(self->raw, room * sizeof *raw);
    if (!raw) return NULL;
    self->raw = raw;
    self->raw_room = room;
  }
  return &self->raw[self->raw_count++];
}

static enum scan scan_record(csv_source *self, record *rec) {
  char separator = separator_of(&self->base);
  enum scan scan;
  self->raw_count = 0;
  do {
    raw_cell *cell = new_raw(self);
    if (!cell) return SCAN_NO_MEMORY;
    scan = scan_cell(rec, separator, cell);
  } while (scan == SCAN_CELL);
  return scan;
}

static int cannot_read(const vb_source *source, enum scan scan, vb_error *err) {
  const char *what = scan == SCAN_NO_MEMORY  ? "out of memory"
                     : scan == SCAN_UNCLOSED ? "a quote of this record is never closed"
                                             : "something stands behind a closing quote; a quote "
                                               "within a quoted cell is written twice";
  return vb_fail(err, scan == SCAN_NO_MEMORY ? VB_ENOMEM : VB_EINVAL, "%s:%llu: %s", source->path,
                 (unsigned long long)source->line, what);
}

/* The next record's cells into `raw`; 0 at the end of the file. */
static int read_record(csv_source *self, vb_error *err) {
  vb_input *input = &self->input;
  self->base.line = self->next_line + 1;
  for (size_t need = 1;; need = input->end - input->begin + 1) {
    int64_t there = vb_input_need(input, need, err);
    if (there <= 0) return (int)there;
    const char *start = vb_input_at(input);
    record rec = {.at = start, .end = start + there, .last = input->eof};
    enum scan scan = scan_record(self, &rec);
    if (scan == SCAN_MORE) continue;
    if (scan != SCAN_RECORD) return cannot_read(&self->base, scan, err);
    self->next_line += rec.lines;
    vb_input_take(input, (size_t)(rec.at - start));
    self->base.bytes_taken = input->taken;
    return 1;
  }
}

/* Undoes doubled quotes, in the buffer. */
static size_t clean_cell(const raw_cell *cell) {
  return cell->doubled ? undouble((char *)(uintptr_t)cell->bytes, cell->length) : cell->length;
}

static int check_name(const vb_source *source, const char *name, size_t length, vb_error *err) {
  for (size_t i = 0; i < source->column_count; i++)
    if (strlen(source->columns[i].name) == length &&
        memcmp(source->columns[i].name, name, length) == 0)
      return vb_fail(err, VB_EINVAL, "%s: its header has the column '%.*s' twice", source->path,
                     (int)length, name);
  return VB_OK;
}

static int read_header(csv_source *self, vb_error *err) {
  vb_source *source = &self->base;
  int64_t there = vb_input_need(&self->input, 3, err);
  if (there >= 3 && memcmp(vb_input_at(&self->input), "\xef\xbb\xbf", 3) == 0)
    vb_input_take(&self->input, 3);
  int got = read_record(self, err);
  if (got < 0) return got;
  if (got == 0)
    return vb_fail(err, VB_EINVAL, "%s: is empty; its first line names the columns", source->path);
  for (size_t i = 0; i < self->raw_count; i++) {
    size_t length = clean_cell(&self->raw[i]);
    int status = check_name(source, self->raw[i].bytes, length, err);
    if (status) return status;
    status = vb_source_add_column(source, self->raw[i].bytes, length, err);
    if (status < 0) return status;
  }
  return VB_OK;
}

static int open_csv(vb_source *source, const vb_source_options *options, vb_error *err) {
  csv_source *self = (csv_source *)source;
  (void)options;
  int status = vb_input_open(&self->input, source->path, err);
  if (status) return status;
  source->bytes = self->input.size;
  return read_header(self, err);
}

static bool is_blank(const csv_source *self) {
  return self->raw_count == 1 && self->base.column_count > 1 && self->raw[0].length == 0 &&
         !self->raw[0].quoted;
}

static int next_record(vb_source *source, vb_error *err) {
  csv_source *self = (csv_source *)source;
  int got;
  do got = read_record(self, err);
  while (got > 0 && is_blank(self));
  if (got <= 0) return got;
  if (self->raw_count != source->column_count)
    return vb_fail(err, VB_EINVAL, "%s:%llu: has %zu cells, the header names %zu columns",
                   source->path, (unsigned long long)source->line, self->raw_count,
                   source->column_count);
  for (size_t i = 0; i < source->column_count; i++) {
    const raw_cell *raw = &self->raw[i];
    int kind = raw->length || raw->quoted ? VB_CELL_TEXT : VB_CELL_EMPTY;
    source->cells[i] = (vb_cell){raw->bytes, clean_cell(raw), kind};
  }
  return 1;
}

static void close_csv(vb_source *source) {
  csv_source *self = (csv_source *)source;
  vb_input_close(&self->input);
  free(self->raw);
}

#define SEPARATED(kind)                                                                            \
  const vb_source_kind vb_source_##kind = {                                                        \
      .name = #kind,                                                                               \
      .suffixes = "." #kind,                                                                       \
      .size = sizeof(csv_source),                                                                  \
      .open = open_csv,                                                                            \
      .next = next_record,                                                                         \
      .close = close_csv,                                                                          \
  }
SEPARATED(csv);
SEPARATED(tsv);
