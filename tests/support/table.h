/* Sources from bytes: writes them to a file in memory, reads all rows, as text.
 * For tests, one thread. */
#ifndef VB_TESTS_TABLE_H
#define VB_TESTS_TABLE_H

#include "dataset/source.h"

enum { TABLE_TEXT = 16 * 1024 };

/* Opens a source of `format` over the bytes, which is called /proc/self/fd/N in messages. *fd is to
 * be closed after it. NULL, with a message, when it cannot be opened. */
vb_source *table_open(const void *bytes, size_t size, const char *format, int *fd, vb_error *err);
/* The rows, "name=value,name=value;" each, values of text as they are, of values as numbers; then
 * "!" and the message without the file's name when it ends badly. Writes to `text`, TABLE_TEXT
 * long, and cuts what is longer. How many rows there were. */
unsigned table_read(const void *bytes, size_t size, const char *format, char *text);

#endif
