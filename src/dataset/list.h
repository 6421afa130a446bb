/* Lists of numbers in text: a JSON array, or numbers between spaces or commas.
 * Private to src/dataset; any thread. */
#ifndef VB_DATASET_LIST_H
#define VB_DATASET_LIST_H

#include "base/status.h"
#include "dataset/dtype.h"

typedef struct vb_list {
  int dtype;        /* of the values that are made; not binary */
  bool clamp;       /* what does not fit, and count it */
  uint64_t most;    /* values that there is room for; those behind are counted only */
  uint64_t count;   /* that there are */
  uint64_t clamped; /* of them */
} vb_list;

/* Reads the list into `to`, one value behind the other. VB_EINVAL names the first value that is no
 * number, or does not fit. */
int vb_list_read(vb_list *list, const char *text, size_t length, char *to, vb_error *err);

#endif
