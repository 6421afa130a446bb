/* Reads JSON in place, one value after the other (RFC 8259).
 * Private to src/dataset; any thread. */
#ifndef VB_DATASET_JSON_H
#define VB_DATASET_JSON_H

#include "dataset/source.h"

/* The text must be writable: strings lose their quotes and escapes where they stand. */
typedef struct vb_json {
  char *at, *end;
  const char *wrong; /* what is no JSON, once a function fails */
} vb_json;

/* Skips white space; the next character, 0 at the end. */
char vb_json_peek(vb_json *json);
/* Takes `c` behind white space; false when another character stands there. */
bool vb_json_take(vb_json *json, char c);
/* Takes a string. It then lies at *text, shorter than or as long as it was. */
bool vb_json_string(vb_json *json, char **text, size_t *length);
/* Takes any value. Arrays and objects are checked and left as written; `cell->bytes` points into
 * the text. */
bool vb_json_value(vb_json *json, vb_cell *cell);

#endif
