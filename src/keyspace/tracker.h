/* What is known of the keys of a keyspace: which ids exist, which are claimed, protected, unknown.
 * Any thread, lock-free but for what is said to be; made, freed, split and protected by main. */
#ifndef VB_KEYSPACE_TRACKER_H
#define VB_KEYSPACE_TRACKER_H

#include "keyspace/bitmap.h"

/* One bit an id says that it exists. Claims set it too, and it means both, until the tracker is
 * split: then a second bit says that an id is taken, and a claimed id exists only when its command
 * has succeeded. Every existing id is also taken. */
typedef struct vb_tracker vb_tracker;

/* name (copied) is of messages; size 0: grows by doubling up to max_size. Errors of vb_bitmap_new,
 * naming the tracker. */
VB_API int vb_tracker_new(vb_tracker **out, const char *name, uint64_t size, uint64_t max_size,
                          vb_error *err);
VB_API void vb_tracker_free(vb_tracker *tracker);
VB_API const char *vb_tracker_name(const vb_tracker *tracker);
/* The ids that exist, to be read: counts, ranks, neighbours. Lives with the tracker. */
VB_API const vb_bitmap *vb_tracker_existing(const vb_tracker *tracker);

/* A second bitmap for what is claimed. Needed where claims meet draws of existing ids, or go round
 * (vb_tracker_go_round). While nobody else writes; again:
 * nothing. VB_ENOMEM. */
VB_API int vb_tracker_split(vb_tracker *tracker, vb_error *err);
VB_API int vb_tracker_is_split(const vb_tracker *tracker);

VB_API int vb_tracker_exists(const vb_tracker *tracker, uint64_t id);
/* The key of the id is there, or not: 1 when that is new. What was unknown of it is settled. */
VB_API int vb_tracker_add(vb_tracker *tracker, uint64_t id);
VB_API int vb_tracker_remove(vb_tracker *tracker, uint64_t id);
/* As add and remove of every id in [first, last): how many were new. */
VB_API uint64_t vb_tracker_add_range(vb_tracker *tracker, uint64_t first, uint64_t last);
VB_API uint64_t vb_tracker_remove_range(vb_tracker *tracker, uint64_t first, uint64_t last);
/* Nothing exists, is taken or unknown, and claims start over. Returns how many existed. */
VB_API uint64_t vb_tracker_clear(vb_tracker *tracker);
VB_API uint64_t vb_tracker_count(const vb_tracker *tracker);
VB_API uint64_t vb_tracker_count_range(const vb_tracker *tracker, uint64_t first, uint64_t last);
VB_API uint64_t vb_tracker_size(const vb_tracker *tracker);
/* count / size */
VB_API double vb_tracker_density(const vb_tracker *tracker);

/* Takes an id that is neither existing nor taken: 1 when it is the caller's now. */
VB_API int vb_tracker_claim(vb_tracker *tracker, uint64_t id);
/* As vb_bitmap_claim: the next missing ids, up to `want` (1 to 64), in claims of this tracker
 * (NULL: the tracker's own position, over all ids). 0: none is missing. */
VB_API unsigned vb_tracker_claim_next(vb_tracker *tracker, vb_claims *claims, unsigned want,
                                      uint64_t *base, uint64_t *mask);
/* keys:reset_cursor(): the tracker's own position goes back to the first id. */
VB_API void vb_tracker_reset_cursor(vb_tracker *tracker);
/* The command of a claimed id succeeded: it exists. */
VB_API void vb_tracker_confirm(vb_tracker *tracker, uint64_t id);
/* It was given up, or never sent: the id can be claimed again, and is missing unless it existed
 * before. 0 when it was not taken any more: of another round. */
VB_API int vb_tracker_release(vb_tracker *tracker, uint64_t id);

/* A delete in three steps: begun before it is sent (the id does not exist any more), then done or
 * failed (it exists as before). A split tracker lets the id be claimed only when it is done. */
enum vb_removal {
  VB_REMOVAL_ABSENT = 0,    /* did not exist: nothing has changed; done and failed are not called */
  VB_REMOVAL_BEGUN = 1,     /* existed */
  VB_REMOVAL_PROTECTED = -1 /* must not be deleted: counted as skipped */
};
VB_API int vb_tracker_remove_begin(vb_tracker *tracker, uint64_t id);
VB_API void vb_tracker_remove_done(vb_tracker *tracker, uint64_t id);
VB_API void vb_tracker_remove_failed(vb_tracker *tracker, uint64_t id);

/* Whether the key is there cannot be known: the id neither exists nor can be claimed, until add or
 * remove says what holds. Takes a lock; rare. */
VB_API void vb_tracker_unknown(vb_tracker *tracker, uint64_t id);
VB_API uint64_t vb_tracker_unknown_count(const vb_tracker *tracker);
/* Unknown id number `index` in the order of ids; 0 when there are no more. */
VB_API int vb_tracker_unknown_at(const vb_tracker *tracker, uint64_t index, uint64_t *id);

VB_API int vb_tracker_is_protected(const vb_tracker *tracker, uint64_t id);
/* Removals that were not begun since they would have deleted a protected id. */
VB_API uint64_t vb_tracker_skipped_protected(const vb_tracker *tracker);

#ifndef VB_CDEF
/* Whether claims go round from now on, of a split tracker: then `taken` is what this round has
 * handed out, whether it exists or not. Else what exists is taken. While nobody else writes. */
void vb_tracker_go_round(vb_tracker *tracker, int rounds);
/* The next round after a claim gave 0: every id of the claims can be had once more. Existing ids of
 * a split tracker go on to exist. Returns, and `missed`: see vb_bitmap_claim_again. */
int vb_tracker_claim_again(vb_tracker *tracker, vb_claims *claims,
                           void (*missed)(void *context, uint64_t base, uint64_t mask),
                           void *context);
/* The same for one id: 0 when it was not taken. */
int vb_tracker_reopen(vb_tracker *tracker, uint64_t id);
/* How often vb_tracker_clear was called: what is known of rounds before that is no more. */
unsigned vb_tracker_times_cleared(const vb_tracker *tracker);
/* Makes room to bar ids, and splits the tracker: they are neither missing nor can they be claimed,
 * ever. While nobody else writes. VB_ENOMEM. */
int vb_tracker_bar(vb_tracker *tracker, vb_error *err);
int vb_tracker_is_barred(const vb_tracker *tracker);
/* Bars ids of one word, as vb_tracker_add_few. */
void vb_tracker_bar_few(vb_tracker *tracker, uint64_t base, uint64_t mask);
/* Neither existing nor taken; while claims go round: not existing. */
int vb_tracker_is_missing(const vb_tracker *tracker, uint64_t id);
/* The bitmap whose clear bits are the missing ids, and whether that holds: while claims go round
 * barred ones are clear, too. */
const vb_bitmap *vb_tracker_present(const vb_tracker *tracker);
int vb_tracker_ranks_missing(const vb_tracker *tracker);
/* Ids for which contains(set, id) is not 0 are protected; NULL: none. The set outlives the tracker
 * or the next call. Only between phases. */
void vb_tracker_protect(vb_tracker *tracker, int (*contains)(const void *set, uint64_t id),
                        const void *set);
/* As vb_tracker_add of ids of one word: bit i of mask, not 0, is id base + i; base is a multiple of
 * 64. */
void vb_tracker_add_few(vb_tracker *tracker, uint64_t base, uint64_t mask);
/* The bitmap that claims go by; it outlives the tracker's split. For hot code that claims words. */
vb_bitmap *vb_tracker_taken(vb_tracker *tracker);
#endif

#endif
