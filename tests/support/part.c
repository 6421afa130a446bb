#include "part.h"

vb_keyspace *part_keys;
vb_cursor *part_ordered;
vb_renderer part_renderer;

int part_set_up(void **state) {
  (void)state;
  part_keys = test_keyspace("key:", 12, 1000000);
  part_ordered = test_cursor(part_keys, (vb_cursor_spec){0});
  return 0;
}

int part_tear_down(void **state) {
  (void)state;
  vb_cursor_free(part_ordered);
  vb_keyspace_free(part_keys);
  vb_renderer_fini(&part_renderer);
  return 0;
}

vb_command *part_command(vb_part part) {
  vb_part key = {.kind = VB_PART_CURSOR, .cursor = part_ordered, .hole = 3};
  if (!part.hole) part.hole = 4;
  return TEST_COMMAND("X", {KEY, key}, {ARGUMENT, part});
}
