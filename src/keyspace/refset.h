/* Reference sets: any set of ids, such as a ground truth to protect, hot keys, what to fill in.
 * Made and changed by one thread; while nobody changes it, read by any. */
#ifndef VB_KEYSPACE_REFSET_H
#define VB_KEYSPACE_REFSET_H

#include "keyspace/snapshot.h"

/* Sorted ids while there are few for their range, else a bit an id. Ids are below 2^40. */
typedef struct vb_refset vb_refset;

/* An empty set. All that make a set: VB_ENOMEM, and VB_EINVAL for ids from 2^40 up. */
VB_API int vb_refset_new(vb_refset **out, vb_error *err);
VB_API void vb_refset_free(vb_refset *set);
/* Ids in any order, also several times. */
VB_API int vb_refset_of_list(vb_refset **out, const uint64_t *ids, size_t count, vb_error *err);
/* first <= id < last */
VB_API int vb_refset_of_range(vb_refset **out, uint64_t first, uint64_t last, vb_error *err);
/* What enum vb_set_operation makes of two snapshots: the difference of a later and an earlier one
 * is what was added since, that of the earlier and the later one what was removed. */
VB_API int vb_refset_of_snapshots(vb_refset **out, int operation, const vb_snapshot *a,
                                  const vb_snapshot *b, vb_error *err);
VB_API int vb_refset_combine(vb_refset **out, int operation, const vb_refset *a, const vb_refset *b,
                             vb_error *err);
/* How many that would be, without listing them. */
VB_API uint64_t vb_refset_combined_count(int operation, const vb_refset *a, const vb_refset *b);
/* Of the set, what exists in a snapshot (VB_SET_INTERSECTION) or is missing (VB_SET_DIFFERENCE). */
VB_API int vb_refset_in_snapshot(vb_refset **out, int operation, const vb_refset *set,
                                 const vb_snapshot *snapshot, vb_error *err);
VB_API uint64_t vb_refset_in_snapshot_count(int operation, const vb_refset *set,
                                            const vb_snapshot *snapshot);

/* 1 when it is in the set. Hot: O(1), or O(log count) for few ids. */
VB_API int vb_refset_contains(const vb_refset *set, uint64_t id);
/* *changed (may be NULL): 1 when it did. */
VB_API int vb_refset_add(vb_refset *set, uint64_t id, int *changed, vb_error *err);
/* Whether it changed. */
VB_API int vb_refset_remove(vb_refset *set, uint64_t id);
VB_API uint64_t vb_refset_count(const vb_refset *set);
/* How many of its ids are below `id`. */
VB_API uint64_t vb_refset_rank(const vb_refset *set, uint64_t id);
/* How many ids are from `size` up: outside of a keyspace of that size. */
VB_API uint64_t vb_refset_outside(const vb_refset *set, uint64_t size);
/* The lowest id from `from` up in *id; 0 when there is none. */
VB_API int vb_refset_next(const vb_refset *set, uint64_t from, uint64_t *id);
/* Id number k, from 0, in ascending order in *id; 0 from count up. */
VB_API int vb_refset_select(const vb_refset *set, uint64_t k, uint64_t *id);

/* How many of the set exist now. */
VB_API uint64_t vb_refset_tracked_count(const vb_refset *set, const vb_tracker *tracker);
/* Every id of the set that the tracker has room for exists: how many did not before. */
VB_API uint64_t vb_refset_restore(const vb_refset *set, vb_tracker *tracker);
/* No removal of an id of the set begins from here on (NULL: of any). Between phases; the set
 * outlives the tracker, or the next call, and does not change. */
VB_API void vb_refset_protect(const vb_refset *set, vb_tracker *tracker);

#endif
