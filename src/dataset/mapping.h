/* Files mapped read-only, and what happens when one is cut short while it is in use: its missing
 * pages read as zeros from then on, and vb_mapping_check says so. Made and closed by main; reading
 * is for any thread. */
#ifndef VB_DATASET_MAPPING_H
#define VB_DATASET_MAPPING_H

#include "base/status.h"

enum { VB_MAPPINGS_MAX = 1024 };

typedef struct vb_mapping {
  char *path;
  const char *data; /* NULL when the file is empty */
  uint64_t size;    /* of the file when it was mapped */
  int slot;         /* in the table that the signal handler sees */
  int fd;           /* for vb_mapping_check; -1 when closed */
} vb_mapping;

/* VB_EIO names the path: not there, unreadable, a directory. Pages are not read. */
int vb_mapping_open(vb_mapping *mapping, const char *path, vb_error *err);
/* Takes a zeroed one. */
void vb_mapping_close(vb_mapping *mapping);
/* VB_EIO when the file is shorter than it was, or a page of it could not be read. */
int vb_mapping_check(const vb_mapping *mapping, vb_error *err);

enum vb_access { VB_ACCESS_NORMAL, VB_ACCESS_SEQUENTIAL, VB_ACCESS_RANDOM };
/* Tells the kernel how the bytes from `offset` will be read; advice, so it cannot fail. */
void vb_mapping_advise(const vb_mapping *mapping, uint64_t offset, uint64_t size,
                       enum vb_access access);

#endif
