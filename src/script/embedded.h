/* The Lua modules that are linked in, as bytecode; made by cmake/embed.lua.
 * Read-only; any thread. */
#ifndef VB_SCRIPT_EMBEDDED_H
#define VB_SCRIPT_EMBEDDED_H

#include <stddef.h>

typedef struct vb_embedded_module {
  const char *name; /* as in require; NULL ends the table */
  const unsigned char *bytecode;
  size_t size;
} vb_embedded_module;

extern const vb_embedded_module vb_embedded[];

#endif
