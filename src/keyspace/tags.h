/* One hash tag for each slot of a cluster, so that ids can be spread over the slots.
 * Any thread. */
#ifndef VB_KEYSPACE_TAGS_H
#define VB_KEYSPACE_TAGS_H

#include "base/slots.h"

enum { VB_SLOT_TAG = 3 };

/* The tag of a slot is VB_SLOT_TAG of 0-9A-Za-z: three letters of one case reach only half of the
 * slots. The table is made at the first call, in some milliseconds, and never changes. */
const char (*vb_slot_tags(void))[VB_SLOT_TAG];

/* The slot of an id: each run of VB_SLOTS ids that begins at a multiple of it has each slot once.
 * Neighbours are far apart (the golden ratio of the slots; Knuth, TAOCP 3, 6.4). */
static inline unsigned vb_slot_of_id(uint64_t id) {
  return (unsigned)(id * 10125 % VB_SLOTS);
}

#endif
