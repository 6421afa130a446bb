/* Asks the person at the terminal.
 * Main thread, before any other thread exists. Read by Lua through the FFI. */
#ifndef VB_BASE_TERMINAL_H
#define VB_BASE_TERMINAL_H

#include "base/status.h"

/* Writes `prompt` to the terminal of this process and reads a line that is not shown, without its
 * newline, into `out` of `size` bytes. VB_EIO where there is no terminal, or its input ends,
 * VB_EINVAL for a line that does not fit. Signals that come meanwhile end the process only after
 * the terminal shows again. */
VB_API int vb_terminal_ask_secret(const char *prompt, char *out, size_t size, vb_error *err);

#endif
