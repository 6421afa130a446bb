/* Ground truth of a dataset: the job that its schema and a few choices describe.
 * As truth.h. Read by Lua through the FFI. */
#ifndef VB_DATASET_TRUTH_DATASET_H
#define VB_DATASET_TRUTH_DATASET_H

#include "dataset/filter.h"
#include "dataset/truth.h"

typedef struct vb_truth_choice {
  const char *field;             /* a vector; NULL: the first one that the queries hold */
  int distance;                  /* enum vb_distance; VB_DISTANCE_NONE: the field's */
  unsigned threads;              /* 0: as many as there are cores */
  uint64_t neighbors;            /* 0: as many as the schema says, else 100 */
  uint64_t first_query, queries; /* which; 0 queries: all that follow */
  vb_filter *filter;             /* NULL: any record; attached here, and must stay */
} vb_truth_choice;

/* Starts it; the dataset must stay open until vb_truth_free. *neighbors, unless NULL, becomes how
 * many ids a query has. VB_EINVAL: no queries, no vector that they hold, no such field. */
VB_API int vb_truth_start_dataset(vb_truth **out, const vb_dataset *dataset,
                                  const vb_truth_choice *choice, uint64_t *neighbors,
                                  vb_error *err);

#endif
