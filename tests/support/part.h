/* For tests of what one part of a command writes: a keyspace of a million, a cursor, a renderer.
 * One thread. */
#ifndef VB_TESTS_PART_H
#define VB_TESTS_PART_H

#include "commands.h"

extern vb_keyspace *part_keys;
extern vb_cursor *part_ordered;
extern vb_renderer part_renderer;

/* Set-up and tear-down of a group, for cmocka. */
int part_set_up(void **state);
int part_tear_down(void **state);
/* A command of a key (sequential) and the part; the caller's to free. */
vb_command *part_command(vb_part part);

#endif
