/* Set algebra on plain words: union, intersection, difference and counts, in vector registers where
 * the machine has them. Pure; any thread. */
#ifndef VB_KEYSPACE_ALGEBRA_H
#define VB_KEYSPACE_ALGEBRA_H

#include "base/api.h"

enum vb_set_operation {
  VB_SET_UNION = 0,
  VB_SET_INTERSECTION = 1,
  VB_SET_DIFFERENCE = 2 /* in the first and not in the second */
};

#ifndef VB_CDEF
enum { VB_SET_OPERATIONS = 3 };

/* One way of doing it. `words` may be any number, and out one of the inputs. */
typedef struct vb_algebra {
  const char *name; /* "avx2", "portable" */
  /* Set bits of a. */
  uint64_t (*count)(const uint64_t *a, size_t words);
  /* By enum vb_set_operation: writes out, and returns how many of its bits are set. */
  uint64_t (*combine[VB_SET_OPERATIONS])(uint64_t *out, const uint64_t *a, const uint64_t *b,
                                         size_t words);
  /* How many would be set. */
  uint64_t (*size[VB_SET_OPERATIONS])(const uint64_t *a, const uint64_t *b, size_t words);
} vb_algebra;

const vb_algebra *vb_algebra_portable(void);
/* NULL when this machine has no such registers. */
const vb_algebra *vb_algebra_avx2(void);
/* The quickest that this machine has. */
const vb_algebra *vb_algebra_best(void);
#endif

#endif
