/* What the system says of this process, and places for its files.
 * Any thread. Read by Lua through the FFI. */
#ifndef VB_BASE_PROCESS_H
#define VB_BASE_PROCESS_H

#include "base/status.h"

typedef struct vb_usage {
  double user_s, system_s; /* CPU time of all threads */
  double run_delay_s;      /* all threads' waiting for a core, while they could have run */
  uint64_t major_faults;   /* pages that had to be read from a disk */
  uint64_t threads;        /* that run_delay_s is of; 0 where the system does not tell */
} vb_usage;

/* Since the process began; threads that have ended are missing in run_delay_s. */
VB_API void vb_process_usage(vb_usage *out);
/* The name of this host, cut to `size` with its NUL. */
VB_API void vb_process_host(char *out, size_t size);
/* Makes a directory and those above it, for us alone (0700); one that is there is fine. VB_EIO
 * names it. */
VB_API int vb_directory_make(const char *path, vb_error *err);
/* Makes sure that this process may open `needed` files: raises the soft limit up to the hard one.
 * VB_EIO says how many there may be, and how to have more. */
VB_API int vb_process_files(uint64_t needed, vb_error *err);

#endif
