/* Client-side caching: when keys were written last, so that the delay of an invalidation is known.
 * Shared by all workers, without locks. Private to engine/. */
#ifndef VB_ENGINE_CACHING_H
#define VB_ENGINE_CACHING_H

#include "base/clock.h"

typedef struct vb_writes vb_writes;

/* NULL when out of memory. */
vb_writes *vb_writes_new(void);
void vb_writes_free(vb_writes *writes);
/* The key is being written now. Of keys that share a place the last one is remembered. */
void vb_writes_note(vb_writes *writes, const char *key, size_t length, vb_ns now);
/* How long before `now` the key was written; false when that is not known. */
bool vb_writes_find(const vb_writes *writes, const char *key, size_t length, vb_ns now,
                    vb_ns *delay);

#endif
