/* What operations remember from their beginning to their end: ids, by the operation's number.
 * One worker. Private to engine/. */
#ifndef VB_ENGINE_LEDGER_H
#define VB_ENGINE_LEDGER_H

#include "base/api.h"

typedef struct vb_ledger_entry {
  uint64_t n;    /* + 1; 0: nothing is here */
  uint64_t slot; /* of the pool */
} vb_ledger_entry;

/* Zeroed memory holds nothing. */
typedef struct vb_ledger {
  uint32_t places; /* ids of each operation; 0: none is remembered */
  uint32_t count, capacity;
  vb_ledger_entry *entries; /* open addressing, at most half full */
  uint64_t *pool;           /* capacity / 2 slots of `places` ids */
  uint32_t *unused;         /* slots */
} vb_ledger;

/* Holds nothing, and has so many places for each operation from here on. */
void vb_ledger_reset(vb_ledger *ledger, uint32_t places);
void vb_ledger_fini(vb_ledger *ledger);
/* The places of operation n; NULL when it has none. Until the next operation gets places. */
uint64_t *vb_ledger_find(const vb_ledger *ledger, uint64_t n);
/* The same; it has them now: all bits are set in new ones. Ends the program when memory is out. */
uint64_t *vb_ledger_open(vb_ledger *ledger, uint64_t n);
void vb_ledger_close(vb_ledger *ledger, uint64_t n);
/* Some operation that has places, in *n; 0 when there is none. */
int vb_ledger_any(const vb_ledger *ledger, uint64_t *n);

#endif
