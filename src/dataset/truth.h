/* Ground truth: the exact nearest neighbours of queries among vectors, by brute force.
 * The one who starts it waits for it; it has threads of its own. Read by Lua through the FFI.
 *
 * What is exact: every distance that decides an order is computed in doubled precision (Ogita,
 * Rump, Oishi 2005) and rounded once to a double, so that vectors at the same distance are equal
 * there, whatever the order of their components; equal ones are ordered by id. Most vectors are
 * ruled out before, by products of matrices in float32 whose error is bounded. */
#ifndef VB_DATASET_TRUTH_H
#define VB_DATASET_TRUTH_H

#include "base/status.h"
#include "dataset/dtype.h"
#include "dataset/schema.h"

/* Vectors in memory: the first at `bytes`, unaligned, the next `stride` bytes on. */
typedef struct vb_vectors {
  const char *bytes;
  uint64_t count;
  uint64_t stride;
} vb_vectors;

/* Whether `record` may be a neighbour of `query`. Called by several threads. */
typedef bool (*vb_truth_filter)(const void *context, uint64_t query, uint64_t record);

typedef struct vb_truth_job {
  vb_vectors records, queries; /* they must stay until vb_truth_free */
  int dtype;                   /* enum vb_dtype; of binary, the components are its bits, 0 or 1 */
  int distance;                /* enum vb_distance; VB_DISTANCE_NONE is l2 */
  uint64_t dimensions;
  uint64_t neighbors;     /* for each query, at most VB_TRUTH_NEIGHBORS */
  unsigned threads;       /* 0: as many as there are cores */
  vb_truth_filter filter; /* NULL: every record may be a neighbour */
  const void *context;    /* of the filter */
} vb_truth_job;

enum { VB_TRUTH_NEIGHBORS = 65536 };
#define VB_TRUTH_NONE UINT64_MAX

typedef struct vb_truth vb_truth;

/* Starts the threads. VB_EINVAL: a job that cannot be; VB_ENOMEM; VB_EIO: no thread. */
VB_API int vb_truth_start(vb_truth **out, const vb_truth_job *job, vb_error *err);
/* Waits up to timeout_ms: 1 once all is done, 0 while it is not. */
VB_API int vb_truth_wait(vb_truth *truth, int timeout_ms);
/* Records that every query has been compared with so far. */
VB_API uint64_t vb_truth_progress(const vb_truth *truth);
/* Once all is done: query after query, the ids of its neighbours, nearest first, and behind the
 * last of fewer VB_TRUTH_NONE. The truth's, until vb_truth_free. */
VB_API const uint64_t *vb_truth_ids(const vb_truth *truth);
/* Their distances: l2, the root of the sum of squares; cosine, 1 - cosine (1 when a vector has no
 * length); ip, 1 - inner product; infinite where there is no neighbour. */
VB_API const float *vb_truth_distances(const vb_truth *truth);
/* Ends it, done or not. Takes NULL. */
VB_API void vb_truth_free(vb_truth *truth);
/* Which code the products of matrices run on here: "AVX-512", "AVX2" or "portable". */
VB_API const char *vb_truth_kernel(void);

#endif
