/* Finds stored keys that stand in a dataset more than once, in bounded memory.
 * One owner, one thread. */
#ifndef VB_DATASET_REPEATS_H
#define VB_DATASET_REPEATS_H

#include "dataset/dataset.h"

typedef struct vb_repeats vb_repeats;

/* A table of at most `bytes` bytes: keys that it has no room for at once take several passes over
 * the records, each for the keys of its share. NULL when out of memory. */
vb_repeats *vb_repeats_new(const vb_dataset *dataset, size_t bytes);
void vb_repeats_free(vb_repeats *repeats);
uint64_t vb_repeats_passes(const vb_repeats *repeats);
/* The record with the key of `record` that came first; UINT64_MAX when there was none before. Asked
 * for every record in order, once in each pass, pass by pass. Empty keys are no keys. */
uint64_t vb_repeats_look(vb_repeats *repeats, uint64_t pass, uint64_t record);

#endif
