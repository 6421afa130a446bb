/* Output: files that are written whole or not at all, and what is a terminal.
 * Main thread. Read by Lua through the FFI. */
#ifndef VB_BASE_OUTPUT_H
#define VB_BASE_OUTPUT_H

#include "base/status.h"

/* Replaces the file `path` by `length` bytes: they are written beside it and renamed, so that a
 * reader sees the old file or the new one, and a failure leaves the old one. What a symbolic link
 * points to is replaced, not the link; a device or pipe is written to. VB_EIO names the path. */
VB_API int vb_output_write(const char *path, const char *data, size_t length, vb_error *err);

/* Whether vb_output_write can do its work there: 0, or VB_EIO with what it would have said. Leaves
 * the file and its directory as they are. */
VB_API int vb_output_check(const char *path, vb_error *err);

/* Whether two paths lead to one file, by links or otherwise; 0 when one of them leads to none. */
VB_API int vb_output_same(const char *path, const char *other);

/* Columns of the terminal behind a file descriptor; 0 when it is none, 80 when it does not say. */
VB_API int vb_output_columns(int fd);

#endif
