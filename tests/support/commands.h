/* Commands made of parts, for tests: what a script's command is once it has reached C.
 * One thread. What cannot be made ends the program with the error. */
#ifndef VB_TESTS_COMMANDS_H
#define VB_TESTS_COMMANDS_H

#include "command/program.h"

#include <string.h>

/* Where a part stands: alone or first in an argument (a key or not), or behind the one before. */
enum test_place { ARGUMENT, KEY, BEHIND };

typedef struct test_part {
  enum test_place place;
  vb_part part;
} test_part;

#define LITERAL(string)                                                                            \
  { .kind = VB_PART_LITERAL, .text = (string), .length = sizeof(string) - 1 }

vb_keyspace *test_keyspace(const char *prefix, int width, uint64_t size);
vb_cursor *test_cursor(const vb_keyspace *keyspace, vb_cursor_spec spec);
/* A command of its name as a literal and these parts, not yet compiled; the parts with a hole of 0
 * get one of their place. Returns what vb_command_part did. */
int test_command_add(vb_command *command, const test_part *parts, size_t count, vb_error *err);
/* The same compiled, with the seed 7. */
vb_command *test_command(const char *name, const test_part *parts, size_t count);
/* Writes operation n of the stream 1, whichever way the command goes; the request, with a NUL
 * behind it, is the caller's to free, NULL when a cursor ended or a function failed. */
char *test_write(const vb_command *command, vb_renderer *renderer, uint64_t n, size_t *length);

/* The last of the three arguments of operation n of the stream 1; *request is the caller's to free.
 */
const char *test_value(const vb_command *command, vb_renderer *renderer, uint64_t n, char **request,
                       size_t *length);
/* What chi-square exceeds once in 10^5 times with `freedom` degrees. */
double test_chi_limit(double freedom);

#define TEST_COMMAND(name, ...)                                                                    \
  test_command(name, (const test_part[]){__VA_ARGS__},                                             \
               sizeof((const test_part[]){__VA_ARGS__}) / sizeof(test_part))

#endif
