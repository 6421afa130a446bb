/* SIGINT and SIGTERM: counted by a thread that waits for them, so that they work while main is in a
 * script. The first is an event for main; the second ends the process at once with 130.
 * Made by main before any other thread, so that all inherit the mask. */
#ifndef VB_BASE_SIGNALS_H
#define VB_BASE_SIGNALS_H

#include "base/status.h"

typedef struct vb_signals vb_signals;

/* Blocks both signals in this thread and those it makes, ignores SIGPIPE, starts the waiting
 * thread. */
VB_API int vb_signals_new(vb_signals **out, vb_error *err);
/* Ends the thread and unblocks the signals. Takes NULL. */
VB_API void vb_signals_free(vb_signals *signals);
/* Signals that came since the start, all that were sent before the call among them. From any thread
 * that blocks them. */
VB_API int vb_signals_count(vb_signals *signals);
/* A descriptor that is readable once a signal came; never read from. */
VB_API int vb_signals_fd(const vb_signals *signals);

#endif
