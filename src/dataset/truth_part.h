/* Private to ground truth: vectors as numbers, products of matrices, exact distances, and the
 * candidates of a query.
 * A worker of truth.c; what several of them share is only read by them. */
#ifndef VB_DATASET_TRUTH_PART_H
#define VB_DATASET_TRUTH_PART_H

#include "dataset/truth.h"

/* --- vectors as numbers (truth_exact.c) ------------------------------------------------------- */

/* The components of the vector at `from`, unaligned, as doubles; 64-bit integers are rounded. */
void vb_truth_load(double *to, const char *from, int dtype, size_t dimensions);
/* The sum of squares, rounded once. */
double vb_truth_square(const double *vector, size_t dimensions);
/* What orders the neighbours of a query, less being nearer: l2, the square of the distance; ip, the
 * negative product; cosine, the negative product times its size, by the square of the record. Not
 * a number comes out as infinite. */
double vb_truth_key(const double *query, const double *record, size_t dimensions, int distance);
/* A key as vb_truth_distances has it; `square` is the query's. */
double vb_truth_distance(double key, double square, int distance);

/* --- products of matrices (truth_kernel.c) ---------------------------------------------------- */

/* Panels of 48 records and groups of 8 queries, component by component, in float32. */
enum { VB_PANEL = 48, VB_GROUP = 8 };

/* A record's score for a query is bias - scale * product: l2, less the square of the query, the
 * square of the distance; cosine, less the query's length as a factor, the negative cosine; ip, the
 * negative product. Less is nearer. */
typedef struct vb_panel {
  float *values, *bias, *scale; /* at multiples of 64 bytes */
  /* The greatest of its records: length, scale, scale * length, size of the bias. Infinite when
   * something of it has no place in a float. */
  double length, steep, reach, high;
} vb_panel;

typedef struct vb_tile {
  _Alignas(64) float scores[VB_GROUP][VB_PANEL];
  float limits[VB_GROUP];
  uint64_t near[VB_GROUP]; /* not 0 when a score of that query is not over its limit */
} vb_tile;

/* Fills the scores and adds to `near`. The error of a product is at most (dimensions + 2) / 2^24 of
 * that of both lengths, the rounding of both vectors to float32 included. */
typedef void (*vb_truth_multiply)(const vb_panel *panel, const float *group, size_t dimensions,
                                  vb_tile *tile);
typedef struct vb_truth_kernel_entry {
  const char *name;
  vb_truth_multiply multiply;
} vb_truth_kernel_entry;
enum { VB_TRUTH_KERNELS = 3 };
/* Those that this machine can run, the fastest first; how many. */
size_t vb_truth_kernels(vb_truth_kernel_entry out[VB_TRUTH_KERNELS]);

/* --- the candidates of a query (truth_keep.c) ------------------------------------------------- */

/* A record that may be among the nearest: by its key, its score lies in score +- slack. */
typedef struct vb_candidate {
  float score, slack;
  uint64_t id;
} vb_candidate;

typedef struct vb_nearest {
  double key;
  uint64_t id;
} vb_nearest;

typedef struct vb_keep {
  vb_nearest *best;      /* compared exactly, in no order: at most `neighbors` of the job */
  vb_candidate *pending; /* room for `capacity` of the vb_compare */
  uint32_t best_count, pending_count;
  double bound;          /* no record of a higher score can be one of the nearest */
  double square, length; /* of the query */
  uint64_t query;
} vb_keep;

/* What it takes to compare exactly; each worker has its own. */
typedef struct vb_compare {
  const vb_truth_job *job;
  uint32_t capacity;
  double *query, *record; /* `dimensions` numbers each */
  double *scores;         /* room for neighbors + capacity */
  vb_nearest *exact;      /* the same */
} vb_compare;

/* How many candidates of a query wait before they are looked through. */
uint32_t vb_keep_capacity(const vb_truth_job *job);
/* Makes room for at least half of the capacity, and lowers the bound, with as few exact comparisons
 * as that takes. */
void vb_keep_trim(vb_keep *keep, vb_compare *with);
/* Compares all that is left exactly and sorts `best`: nearest first, then by id. */
void vb_keep_finish(vb_keep *keep, vb_compare *with);

#endif
