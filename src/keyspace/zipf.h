/* Zipfian ranks: P(k) ~ 1 / k^skew for k = 1 .. size, in constant time and memory at any size.
 * Made once, then read-only; drawing is pure and for any thread.
 * Source: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone
 * discrete distributions", ACM TOMACS 6(3), 1996. */
#ifndef VB_KEYSPACE_ZIPF_H
#define VB_KEYSPACE_ZIPF_H

#include "base/random.h"

typedef struct vb_zipf {
  double skew; /* > 0 */
  double size;
  double first;  /* H(1.5) - 1 */
  double span;   /* H(size + 0.5) - first */
  double accept; /* a rank this close to its x is taken without evaluating H */
} vb_zipf;

void vb_zipf_init(vb_zipf *zipf, uint64_t size, double skew);
/* A rank from 0 (the most frequent) to size - 1. */
uint64_t vb_zipf_draw(const vb_zipf *zipf, uint64_t random);

#endif
