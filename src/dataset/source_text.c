/* Plain text: a line a record, in the one column "text". */
#include "dataset/input.h"
#include "dataset/source_kind.h"

typedef struct text_source {
  vb_source base;
  vb_input input;
} text_source;

static int open_text(vb_source *source, const vb_source_options *options, vb_error *err) {
  text_source *self = (text_source *)source;
  (void)options;
  int status = vb_input_open(&self->input, source->path, err);
  if (status) return status;
  source->bytes = self->input.size;
  int column = vb_source_add_column(source, "text", 4, err);
  return column < 0 ? column : VB_OK;
}

static int next_line(vb_source *source, vb_error *err) {
  text_source *self = (text_source *)source;
  char *line;
  size_t length;
  int got = vb_input_line(&self->input, &line, &length, err);
  source->bytes_taken = self->input.taken;
  source->line = self->input.line;
  if (got > 0) source->cells[0] = (vb_cell){line, length, VB_CELL_TEXT};
  return got;
}

static void close_text(vb_source *source) {
  vb_input_close(&((text_source *)source)->input);
}

const vb_source_kind vb_source_text = {
    .name = "text",
    .suffixes = ".txt .text",
    .size = sizeof(text_source),
    .open = open_text,
    .next = next_line,
    .close = close_text,
};
