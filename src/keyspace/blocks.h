/* Dense sets of ids: a bit an id in blocks of 2^16, and the count of each block.
 * For snapshots and reference sets: one writer while it is made, then read-only for any thread. */
#ifndef VB_KEYSPACE_BLOCKS_H
#define VB_KEYSPACE_BLOCKS_H

#include "keyspace/algebra.h"
#include "keyspace/bitmap.h"

/* Blocks without a set bit take no memory. */
typedef struct vb_blocks {
  uint64_t *words;
  uint32_t *counts;
  uint64_t blocks; /* ids up to blocks * VB_BITMAP_BLOCK fit in */
  uint64_t count;
} vb_blocks;

/* Room for the ids below `size`; VB_ENOMEM says how much it would take. */
int vb_blocks_new(vb_blocks **out, uint64_t size, vb_error *err);
void vb_blocks_free(vb_blocks *set);
/* Room for ids below `size`, doubling what there was. VB_ENOMEM leaves the set as it was. */
int vb_blocks_grow(vb_blocks *set, uint64_t size, vb_error *err);
/* A copy of a bitmap as it is: of a word at a time beside writers. */
int vb_blocks_copy(vb_blocks **out, const vb_bitmap *bitmap, vb_error *err);
/* `operation` of a and b, of whatever sizes. */
int vb_blocks_combine(vb_blocks **out, int operation, const vb_blocks *a, const vb_blocks *b,
                      vb_error *err);
uint64_t vb_blocks_combined_count(int operation, const vb_blocks *a, const vb_blocks *b);

int vb_blocks_test(const vb_blocks *set, uint64_t id);
/* Whether it changed; an id past the room does not fit in, and changes nothing. */
int vb_blocks_add(vb_blocks *set, uint64_t id);
int vb_blocks_remove(vb_blocks *set, uint64_t id);
void vb_blocks_add_range(vb_blocks *set, uint64_t first, uint64_t last);
/* The lowest id from `from` up, VB_NO_ID when there is none. */
uint64_t vb_blocks_next(const vb_blocks *set, uint64_t from);
/* Id number k in ascending order, VB_NO_ID from count up. */
uint64_t vb_blocks_select(const vb_blocks *set, uint64_t k);
/* How many ids are below `id`. */
uint64_t vb_blocks_rank(const vb_blocks *set, uint64_t id);

#define VB_NO_ID UINT64_MAX

#endif
