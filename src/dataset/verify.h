/* Checks a data file against its schema, record by record: what readers would have to clamp, and
 * what is not what its encoding says.
 * One owner, one thread. Read by Lua through the FFI. */
#ifndef VB_DATASET_VERIFY_H
#define VB_DATASET_VERIFY_H

#include "dataset/dataset.h"

enum vb_finding {
  VB_FINDING_LENGTH,   /* a length over max_bytes */
  VB_FINDING_MEMBERS,  /* a count over max_members */
  VB_FINDING_ENCODING, /* a text that is no UTF-8, or no ASCII */
  VB_FINDING_NUMBER,   /* NaN or infinity */
  VB_FINDING_ID,       /* a neighbour past the records, or twice for a query */
  VB_FINDING_DISTANCE, /* distances that are not in order, or NaN */
  VB_FINDING_KEY,      /* a stored key that another record has */
  VB_FINDINGS
};

typedef struct vb_verify vb_verify;

/* Begins; the dataset must outlive it. NULL when out of memory. */
VB_API vb_verify *vb_verify_new(const vb_dataset *dataset);
VB_API void vb_verify_free(vb_verify *verify);
/* Looks at some more: 1, 0 at the end, VB_EIO when the file was cut short meanwhile. */
VB_API int vb_verify_step(vb_verify *verify, vb_error *err);
/* Records, then queries, then keys, once for each pass over them, that it has looked at; and all.
 */
VB_API uint64_t vb_verify_done(const vb_verify *verify);
VB_API uint64_t vb_verify_total(const vb_verify *verify);
/* How often something was found; the first of them as texts, numbered from 0, then NULL. */
VB_API uint64_t vb_verify_count(const vb_verify *verify, int finding);
VB_API const char *vb_verify_example(const vb_verify *verify, int finding, int number);
/* Records with nothing that could be sent. */
VB_API uint64_t vb_verify_empty(const vb_verify *verify);

#endif
