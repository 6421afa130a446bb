/* Ascending lists of ids.
 * Pure; any thread. */
#ifndef VB_KEYSPACE_SORTED_H
#define VB_KEYSPACE_SORTED_H

#include "base/api.h"

/* Where `id` is in the list, or would be: how many ids are below it. */
static inline size_t vb_sorted_place(const uint64_t *ids, size_t count, uint64_t id) {
  size_t low = 0;
  while (low < count) {
    size_t middle = low + (count - low) / 2;
    if (ids[middle] < id)
      low = middle + 1;
    else
      count = middle;
  }
  return low;
}

#endif
