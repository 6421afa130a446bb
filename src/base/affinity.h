/* Cores: how many there are, and binding a thread to one.
 * Any thread. */
#ifndef VB_BASE_AFFINITY_H
#define VB_BASE_AFFINITY_H

#include "base/status.h"

/* Cores that this process may run on, at least 1. */
VB_API int vb_cores(void);
/* Binds the calling thread to a core; VB_EINVAL names the core when it is not ours. */
int vb_affinity_bind(int core, vb_error *err);

#endif
