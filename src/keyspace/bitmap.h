/* Bitmaps of ids: one atomic bit an id, and a count for every 2^16 ids.
 * Any thread, lock-free, while no one frees it; made and freed by main. */
#ifndef VB_KEYSPACE_BITMAP_H
#define VB_KEYSPACE_BITMAP_H

#include "base/status.h"

/* Memory is reserved as addresses and filled in where a bit is first set: a bitmap of which nothing
 * is used costs nothing, a full one 1 bit an id.
 *
 * Counts are exact while nobody writes. Beside writers they may be off by the writes in flight, and
 * so may what is found by them: select and next. Ids are given as [first, last); what is
 * past the size is neither set nor counted. */
typedef struct vb_bitmap vb_bitmap;

/* size: ids at the beginning; max_size: up to where it grows by doubling when an id past its size
 * is added (equal: not at all). size 0 begins with 2^16. max_size is 1 to 2^40.
 * VB_EINVAL; VB_ENOMEM says how much it would take and what the machine has. */
VB_API int vb_bitmap_new(vb_bitmap **out, uint64_t size, uint64_t max_size, vb_error *err);
VB_API void vb_bitmap_free(vb_bitmap *bitmap);
VB_API uint64_t vb_bitmap_size(const vb_bitmap *bitmap);
VB_API uint64_t vb_bitmap_max(const vb_bitmap *bitmap);
/* Set bits in all: a sum over the blocks, some microseconds for a billion ids. */
VB_API uint64_t vb_bitmap_count(const vb_bitmap *bitmap);
VB_API uint64_t vb_bitmap_count_range(const vb_bitmap *bitmap, uint64_t first, uint64_t last);

/* 1 when it is set. */
VB_API int vb_bitmap_test(const vb_bitmap *bitmap, uint64_t id);
/* Set or clear a bit: 1 when it changed. An id from max_size up changes nothing. */
VB_API int vb_bitmap_add(vb_bitmap *bitmap, uint64_t id);
VB_API int vb_bitmap_remove(vb_bitmap *bitmap, uint64_t id);
/* How many changed. Word by word, not as a whole: others see parts of it. */
VB_API uint64_t vb_bitmap_add_range(vb_bitmap *bitmap, uint64_t first, uint64_t last);
VB_API uint64_t vb_bitmap_remove_range(vb_bitmap *bitmap, uint64_t first, uint64_t last);

/* The first set (or clear) bit from `from` up, below `last`; `last` when there is none. */
VB_API uint64_t vb_bitmap_next_set(const vb_bitmap *bitmap, uint64_t from, uint64_t last);
VB_API uint64_t vb_bitmap_next_unset(const vb_bitmap *bitmap, uint64_t from, uint64_t last);
/* The 64 bits of the word that holds `id`, the lowest for id / 64 * 64: to list ids quickly. */
VB_API uint64_t vb_bitmap_word(const vb_bitmap *bitmap, uint64_t id);
/* Set (or clear) bit number k, from 0, of [first, last); `last` when there are no more than k. */
VB_API uint64_t vb_bitmap_select(const vb_bitmap *bitmap, uint64_t first, uint64_t last,
                                 uint64_t k);
VB_API uint64_t vb_bitmap_select_unset(const vb_bitmap *bitmap, uint64_t first, uint64_t last,
                                       uint64_t k);

/* Where the claims of a range of ids go on, shared by all who claim there. */
typedef struct vb_claims vb_claims;

/* Claims in [first, last) of bitmaps of that size or more; NULL when memory is out. */
VB_API vb_claims *vb_claims_new(uint64_t first, uint64_t last);
VB_API void vb_claims_free(vb_claims *claims);
/* Claiming goes on from the start of the range. */
VB_API void vb_claims_reset(vb_claims *claims);
/* Sets the next missing bits, up to `want` (1 to 64) of them, all of one word: bit i of *mask is id
 * *base + i, the caller's alone. Returns how many; 0 when a whole pass of the range found none.
 * Ids come lowest first; those that were removed behind the position come in the next pass. */
VB_API unsigned vb_bitmap_claim(vb_bitmap *bitmap, vb_claims *claims, unsigned want, uint64_t *base,
                                uint64_t *mask);

#ifndef VB_CDEF
/* How a round of claims ends. */
typedef struct vb_round_end {
  const vb_bitmap *keep; /* ids that stay set; NULL: none */
  /* Told of ids of the range that were not set when they were to be cleared, bit i of mask is id
   * base + i: they were released meanwhile. NULL: nobody. */
  void (*missed)(void *context, uint64_t base, uint64_t mask);
  void *context;
} vb_round_end;

/* After vb_bitmap_claim gave 0: clears the range and starts the next round, unless another claimer
 * has done so, or has begun another pass: then 0, else 1. Waits for one that is at it. how NULL:
 * all are cleared. */
int vb_bitmap_claim_again(vb_bitmap *bitmap, vb_claims *claims, const vb_round_end *how);
/* Begins to note whether bits are cleared from now on: the mark to ask with. */
uint64_t vb_bitmap_mark(vb_bitmap *bitmap);
/* 1 when bits were cleared, or another mark was set behind such, since. */
int vb_bitmap_cleared_since(const vb_bitmap *bitmap, uint64_t mark);
/* As vb_bitmap_remove_range, but for what is set in `keep`, which may be NULL. */
uint64_t vb_bitmap_remove_others(vb_bitmap *bitmap, const vb_bitmap *keep, uint64_t first,
                                 uint64_t last);
/* Sets ids of one word, bit i of mask, which is not 0, is id base + i; base is a multiple of 64.
 * Returns how many were not set; 0 when one of them is past max_size. */
unsigned vb_bitmap_add_few(vb_bitmap *bitmap, uint64_t base, uint64_t mask);

enum { VB_BITMAP_BLOCK = 1 << 16, VB_BITMAP_WORDS = VB_BITMAP_BLOCK / 64 };

/* For copies (snapshots): `words` gets the VB_BITMAP_WORDS words of block number `block`, which
 * holds ids from block * VB_BITMAP_BLOCK up. Returns 0, and leaves words alone, when no bit is set.
 */
int vb_bitmap_copy_block(const vb_bitmap *bitmap, uint64_t block, uint64_t *words);
#endif

#endif
