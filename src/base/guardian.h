/* The guardian: a small process that outlives us just long enough to end the servers that we
 * started and to remove their directory, however we ended: exit, crash, Ctrl-C, SIGKILL.
 * Main thread only; started before any other thread exists, because it is forked. */
#ifndef VB_BASE_GUARDIAN_H
#define VB_BASE_GUARDIAN_H

#include "base/status.h"

typedef struct vb_guardian vb_guardian;

/* Forks the guardian, which makes a private directory vbench-XXXXXX under $TMPDIR or /tmp. It has
 * a session of its own, so that Ctrl-C at the terminal does not reach it. VB_EIO names the call or
 * the directory. */
VB_API int vb_guardian_start(vb_guardian **out, vb_error *err);
/* The private directory, an absolute path; the guardian's, until vb_guardian_stop. */
VB_API const char *vb_guardian_directory(const vb_guardian *guardian);
/* Runs argv[0] (found on PATH) with argc words, in the directory, its output appended to the file
 * log_name there; *pid is its process id. VB_EINVAL: argc < 1, or more than 64 KB of words; VB_EIO
 * names the program and why it does not start. */
VB_API int vb_guardian_spawn(vb_guardian *guardian, int argc, const char *const *argv,
                             const char *log_name, int *pid, vb_error *err);
/* 1 while a process that vb_guardian_spawn started runs, 0 once it has ended (or was none). */
VB_API int vb_guardian_alive(vb_guardian *guardian, int pid);
/* Ends the processes (SIGTERM, after 2 s SIGKILL), removes the directory, frees. Returns when all
 * of it is done. Takes NULL. */
VB_API void vb_guardian_stop(vb_guardian *guardian);

#endif
