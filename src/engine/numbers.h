/* Operation numbers: every operation of a phase has one, and everything random in it is a function
 * of it. Workers take them in blocks from the phase's one counter.
 * Shared by all workers (lock-free); main opens and closes. */
#ifndef VB_ENGINE_NUMBERS_H
#define VB_ENGINE_NUMBERS_H

#include "base/api.h"

#include <pthread.h>
#include <stdatomic.h>

enum { VB_NUMBERS_BLOCK = 64, VB_NUMBERS_RETURNS = 1024 };

/* Numbers first .. end - 1. */
typedef struct vb_block {
  uint64_t first, end;
} vb_block;

typedef struct vb_numbers {
  _Alignas(VB_CACHE_LINE) atomic_uint_least64_t next;
  _Alignas(VB_CACHE_LINE) atomic_uint_least64_t limit; /* the first number not to be drawn */
  atomic_uint_least64_t counted_from; /* numbers from here count; UINT64_MAX during warm-up */
  _Alignas(VB_CACHE_LINE) atomic_uint returned; /* blocks in `returns`; read before the lock */
  pthread_mutex_t lock;
  vb_block returns[VB_NUMBERS_RETURNS];
} vb_numbers;

/* Starts at 0. `requests` operations count (0: as many as come); with warm-up, numbers are drawn
 * and not counted until vb_numbers_count. */
void vb_numbers_init(vb_numbers *numbers, uint64_t requests, bool warmup);
void vb_numbers_fini(vb_numbers *numbers);
/* Ends the warm-up: the numbers not yet taken count, and there are exactly `requests` of them. */
void vb_numbers_count(vb_numbers *numbers, uint64_t requests);
/* Takes up to `most` numbers (VB_NUMBERS_BLOCK is usual); false when there are no more. */
bool vb_numbers_take(vb_numbers *numbers, uint64_t most, vb_block *out);
/* Gives back what was taken and not used, for others to take. False: there is no room for more. */
bool vb_numbers_return(vb_numbers *numbers, vb_block block);
/* What was given back is nobody's any more. */
void vb_numbers_discard(vb_numbers *numbers);
/* No number from `n` on is to be drawn (a cursor ended there). */
void vb_numbers_close(vb_numbers *numbers, uint64_t n);
/* Whether nothing is left to take: the limit is reached and nothing was given back. */
bool vb_numbers_all_taken(vb_numbers *numbers);
/* How many of the counted numbers have been taken. */
uint64_t vb_numbers_taken(const vb_numbers *numbers);

#endif
