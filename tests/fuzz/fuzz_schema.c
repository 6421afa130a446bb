/* Fuzz target of dataset/schema: whatever the text, it is refused with its place, or what is read
 * can be laid out, is written, and reads back as the same. */
#include "dataset/layout.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
  if (!holds) abort();
}

static void expect_same(const vb_schema *schema, const char *text, size_t length) {
  vb_schema *again = NULL;
  char *second = NULL;
  size_t second_length = 0;
  vb_error err;
  check(vb_schema_parse(&again, text, length, "again", &err) == VB_OK);
  check(vb_schema_render(again, &second, &second_length, &err) == VB_OK);
  check(length == second_length && !memcmp(text, second, length));
  check(again->field_count == schema->field_count);
  free(second);
  vb_schema_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  vb_schema *schema = NULL;
  vb_error err = {0};
  char *text = NULL;
  size_t length = 0;
  int status = vb_schema_parse(&schema, (const char *)data, size, "x", &err);
  if (status) {
    check(status == VB_EINVAL && !strncmp(err.text, "x:", 2) && !schema);
    return 0;
  }
  vb_layout layout;
  check(vb_layout_init(&layout, schema, &err) == VB_OK);
  check(layout.total >= layout.record_size);
  vb_layout_fini(&layout);
  check(vb_schema_render(schema, &text, &length, &err) == VB_OK);
  expect_same(schema, text, length);
  free(text);
  vb_schema_free(schema);
  return 0;
}
