#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void must(int status, const vb_error *err) {
  if (!status) return;
  (void)fprintf(stderr, "%s\n", err->text);
  abort();
}

vb_keyspace *test_keyspace(const char *prefix, int width, uint64_t size) {
  vb_keyspace_spec spec = {.name = prefix, .prefix = prefix, .width = width, .size = size};
  vb_keyspace *keyspace = NULL;
  vb_error err;
  must(vb_keyspace_new(&keyspace, &spec, &err), &err);
  return keyspace;
}

vb_cursor *test_cursor(const vb_keyspace *keyspace, vb_cursor_spec spec) {
  vb_cursor *cursor = NULL;
  vb_error err;
  must(vb_cursor_new(&cursor, keyspace, &spec, &err), &err);
  return cursor;
}

int test_command_add(vb_command *command, const test_part *parts, size_t count, vb_error *err) {
  const char *name = vb_command_name(command);
  const vb_part word = {.kind = VB_PART_LITERAL, .text = name, .length = strlen(name)};
  must(vb_command_argument(command, 0, err), err);
  must(vb_command_part(command, &word, err), err);
  for (size_t i = 0; i < count; i++) {
    vb_part part = parts[i].part;
    if (!part.hole) part.hole = vb_hash(1, &i, sizeof i);
    if (parts[i].place != BEHIND)
      must(vb_command_argument(command, parts[i].place == KEY, err), err);
    int failed = vb_command_part(command, &part, err);
    if (failed) return failed;
  }
  return VB_OK;
}

vb_command *test_command(const char *name, const test_part *parts, size_t count) {
  vb_command *command = vb_command_new(name);
  vb_error err;
  must(test_command_add(command, parts, count, &err), &err);
  must(vb_command_compile(command, 7, &err), &err);
  return command;
}

static char *copy(const char *request, size_t length) {
  char *text = malloc(length + 1);
  memcpy(text, request, length);
  text[length] = 0;
  return text;
}

char *test_write(const vb_command *command, vb_renderer *renderer, uint64_t n, size_t *length) {
  vb_operation operation;
  vb_operation_begin(&operation, 1, n);
  *length = vb_command_fixed_size(command);
  if (!*length) {
    if (vb_command_render(command, renderer, &operation)) return NULL;
    const char *request = vb_renderer_request(renderer, length);
    return copy(request, *length);
  }
  char *to = malloc(*length + 1); /* not a byte more: the sanitizer sees what is written behind */
  enum vb_render why = vb_command_fill(command, renderer, &operation, to);
  to[*length] = 0;
  if (!why) return to;
  free(to);
  return NULL;
}

const char *test_value(const vb_command *command, vb_renderer *renderer, uint64_t n, char **request,
                       size_t *length) {
  size_t size;
  *request = test_write(command, renderer, n, &size);
  if (!*request || memcmp(*request, "*3\r\n", 4)) abort();
  const char *at = *request;
  for (int i = 0; i < 2; i++) {
    at = strchr(at, '$') + 1;
    at = strchr(at, '\n') + strtoul(at, NULL, 10) + 3;
  }
  *length = strtoul(at + 1, NULL, 10);
  at = strchr(at, '\n') + 1;
  if (at + *length + 2 != *request + size) abort();
  return at;
}

/* Wilson, Hilferty 1931. */
double test_chi_limit(double freedom) {
  double part = 2 / (9 * freedom);
  return freedom * pow(1 - part + 4.265 * sqrt(part), 3);
}
