/* JSON Lines: an object a line. Columns are the names of its members, in the order in which they
 * are first seen; lines of white space are passed. */
#include "dataset/input.h"
#include "dataset/json.h"
#include "dataset/source_kind.h"

#include <string.h>

typedef struct jsonl_source {
  vb_source base;
  vb_input input;
} jsonl_source;

static int open_jsonl(vb_source *source, const vb_source_options *options, vb_error *err) {
  jsonl_source *self = (jsonl_source *)source;
  (void)options;
  int status = vb_input_open(&self->input, source->path, err);
  source->bytes = self->input.size;
  return status;
}

static bool is_column(const vb_source *source, size_t at, const char *name, size_t length) {
  const char *have = source->columns[at].name;
  return strlen(have) == length && memcmp(have, name, length) == 0;
}

/* Members mostly come in the order of the line before: `guess` is tried first. */
static int find_column(vb_source *source, size_t guess, const char *name, size_t length,
                       vb_error *err) {
  size_t count = source->column_count;
  if (guess < count && is_column(source, guess, name, length)) return (int)guess;
  for (size_t i = 0; i < count; i++)
    if (is_column(source, i, name, length)) return (int)i;
  return vb_source_add_column(source, name, length, err);
}

static int not_json(const vb_source *source, const vb_json *json, const char *line, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "%s:%llu:%zu: %s", source->path, (unsigned long long)source->line,
                 (size_t)(json->at - line) + 1,
                 json->wrong ? json->wrong : "something else behind the object");
}

static int read_member(vb_source *source, vb_json *json, size_t guess, vb_error *err) {
  char *name;
  size_t length;
  if (!vb_json_string(json, &name, &length)) return VB_EINVAL;
  if (!vb_json_take(json, ':')) {
    json->wrong = "a ':' was expected";
    return VB_EINVAL;
  }
  int column = find_column(source, guess, name, length, err);
  if (column < 0) return column;
  return vb_json_value(json, &source->cells[column]) ? column : VB_EINVAL;
}

static int read_object(vb_source *source, vb_json *json, vb_error *err) {
  size_t guess = 0;
  if (vb_json_take(json, '}')) return VB_OK;
  do {
    int column = read_member(source, json, guess, err);
    if (column < 0) return column;
    guess = (size_t)column + 1;
  } while (vb_json_take(json, ','));
  if (vb_json_take(json, '}')) return VB_OK;
  json->wrong = "a ',' or '}' was expected";
  return VB_EINVAL;
}

static int read_line(vb_source *source, char *line, size_t length, vb_error *err) {
  vb_json json = {.at = line, .end = line + length};
  if (!vb_json_take(&json, '{'))
    return vb_fail(err, VB_EINVAL,
                   "%s:%llu: is not a JSON object: a record is {\"name\": value, "
                   "...} on a line of its own",
                   source->path, (unsigned long long)source->line);
  for (size_t i = 0; i < source->column_count; i++) source->cells[i].kind = VB_CELL_NONE;
  vb_error inner = {.status = 0};
  int status = read_object(source, &json, &inner);
  if (inner.status) return vb_fail(err, status, "%s", inner.text);
  if (status || vb_json_peek(&json) || json.at < json.end)
    return not_json(source, &json, line, err);
  return VB_OK;
}

static bool is_blank(const char *line, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r') return false;
  return true;
}

static const char *skip_mark(const vb_source *source, const char *line, size_t *length) {
  bool mark = source->line == 1 && *length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0;
  if (mark) *length -= 3;
  return mark ? line + 3 : line;
}

static int next_object(vb_source *source, vb_error *err) {
  jsonl_source *self = (jsonl_source *)source;
  char *line;
  size_t length;
  int got;
  do {
    got = vb_input_line(&self->input, &line, &length, err);
    source->bytes_taken = self->input.taken;
    source->line = self->input.line;
    if (got <= 0) return got;
    line = (char *)skip_mark(source, line, &length);
  } while (is_blank(line, length));
  int status = read_line(source, line, length, err);
  return status ? status : 1;
}

static void close_jsonl(vb_source *source) {
  vb_input_close(&((jsonl_source *)source)->input);
}

const vb_source_kind vb_source_jsonl = {
    .name = "jsonl",
    .suffixes = ".jsonl .ndjson .json",
    .size = sizeof(jsonl_source),
    .open = open_jsonl,
    .next = next_object,
    .close = close_jsonl,
};
