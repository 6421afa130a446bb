/* Synthetic records and queries: for each field a distribution, and what is drawn is a function of
 * the seed, the field's name and the record's number alone.
 * Made by one thread; drawing is for any. Read by Lua through the FFI. */
#ifndef VB_DATASET_SYNTH_H
#define VB_DATASET_SYNTH_H

#include "dataset/layout.h"

enum vb_spread { VB_SPREAD_UNIFORM, VB_SPREAD_NORMAL, VB_SPREAD_EXPONENTIAL };

/* What a field's values are drawn from; zeros mean what vb_synth_new sets. */
typedef struct vb_synth_field {
  /* A vector: normal around one of `clusters` centres, which are normal around 0; `noise` is the
   * deviation of a component from its centre's, in those of the centres. With the metric cosine
   * the vectors of floats have length 1. Integers are in steps of 1/32 of it, unsigned ones around
   * 128; the bits of binary ones say what is positive. */
  uint32_t clusters;
  double noise;
  /* A number: uniform from a to b, normal of mean a and deviation b, or exponential of mean a;
   * rounded to `decimals` where they are not negative. */
  int spread; /* enum vb_spread */
  int decimals;
  double a, b;
  /* Words: a tag is one of them, by `weights`; a text has `least` to `most` of them with blanks
   * between, by their weights, or without weights by Zipf's law in their order. Cut at the last
   * word that fits. Without words a text takes those of a made-up language. */
  const char *const *words;
  const double *weights;
  uint32_t word_count;
  uint32_t least, most; /* of a blob: bytes */
} vb_synth_field;

typedef struct vb_synth vb_synth;

/* For records of this schema, which is copied. Fields begin as: vectors of 16 clusters and noise
 * 0.35; numbers uniform from 0 to 100, of integer types in whole steps; tags of eight words; texts
 * of 1 to as many words as fit, 12 at most; blobs of all their bytes. VB_EINVAL, VB_ENOMEM. */
VB_API int vb_synth_new(vb_synth **out, const vb_schema *schema, uint64_t seed, vb_error *err);
/* Takes NULL. */
VB_API void vb_synth_free(vb_synth *synth);
/* What a field is drawn from; everything is copied. VB_EINVAL names the field: a number out of its
 * range, a tag without words, a word that is longer than the field. */
VB_API int vb_synth_set(vb_synth *synth, uint32_t field, const vb_synth_field *from, vb_error *err);
/* How many members a record of a collection has: `least` to `most`; at first 1 to its maximum.
 * Those of sets and sorted sets differ. VB_EINVAL: more than max_members, or least over most. */
VB_API int vb_synth_members(vb_synth *synth, uint64_t least, uint64_t most, vb_error *err);

/* Record number n into `to`, zeroed bytes of the schema's record size. */
VB_API void vb_synth_record(const vb_synth *synth, uint64_t n, char *to);
/* Query number n into `to`, zeroed bytes of the size of a query. */
VB_API void vb_synth_query(const vb_synth *synth, uint64_t n, char *to);

enum { VB_SYNTH_KEY = 8 };
/* Eight letters and digits that no other number below 36^8 has, for stored keys; and a NUL. */
VB_API void vb_synth_key(const vb_synth *synth, uint64_t n, char to[VB_SYNTH_KEY + 1]);

#endif
