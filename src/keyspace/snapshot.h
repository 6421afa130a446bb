/* Snapshots: which ids of a tracker exist at one time, to compare with what exists later.
 * Made and freed by main, beside whoever writes to the tracker; then read-only for any thread. */
#ifndef VB_KEYSPACE_SNAPSHOT_H
#define VB_KEYSPACE_SNAPSHOT_H

#include "keyspace/algebra.h"
#include "keyspace/tracker.h"

typedef struct vb_snapshot vb_snapshot;

/* Copies at the speed of memory. Between phases it is of one moment; beside writers each word is.
 * VB_ENOMEM says how much it would take. */
VB_API int vb_snapshot_take(vb_snapshot **out, const vb_tracker *tracker, vb_error *err);
VB_API void vb_snapshot_free(vb_snapshot *snapshot);
VB_API uint64_t vb_snapshot_count(const vb_snapshot *snapshot);
/* 1 when the id existed. */
VB_API int vb_snapshot_test(const vb_snapshot *snapshot, uint64_t id);
/* The lowest existing id from `from` up in *id; 0 when there is none. */
VB_API int vb_snapshot_next(const vb_snapshot *snapshot, uint64_t from, uint64_t *id);
/* How many ids vb_refset_of_snapshots would have: counted, not listed. */
VB_API uint64_t vb_snapshot_combined_count(int operation, const vb_snapshot *a,
                                           const vb_snapshot *b);

#ifndef VB_CDEF
struct vb_blocks;
/* The set itself; on loan while the snapshot is there. */
const struct vb_blocks *vb_snapshot_blocks_view(const vb_snapshot *snapshot);
#endif

#endif
