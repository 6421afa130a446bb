/* Scans: which ids of a keyspace the servers have keys for, by SCAN on all of them at once.
 * Started, asked and ended by main; a thread of its own for each server. */
#ifndef VB_CLUSTER_SCAN_H
#define VB_CLUSTER_SCAN_H

#include "keyspace/parse.h"
#include "net/endpoint.h"

typedef struct vb_keyscan_spec {
  const vb_keyspace *keyspace;
  const vb_endpoint *endpoints; /* primaries; they, the keyspace and the login outlive the scan */
  uint32_t endpoint_count;
  vb_login login;
  int timeout_ms; /* of a connect, and of each reply */
  int anywhere;   /* 1: also keys with something before the prefix, as {xyz}<prefix><id> */
} vb_keyscan_spec;

/* Keys that were looked at, by what they are. SCAN may give a key several times: then it is counted
 * once in `found`, and each time in the others. */
typedef struct vb_keyscan_counts {
  uint64_t keys; /* that fit the pattern */
  uint64_t found;
  uint64_t tagged, outside, foreign; /* enum vb_key_match */
  /* Known when the scan has been applied. */
  uint64_t learned; /* of those found: under a hash tag that others gave, and written so now */
  uint64_t added;   /* found, and the tracker did not know */
  uint64_t stale;   /* the tracker said yes, the servers no */
  uint32_t running; /* servers that are not through */
} vb_keyscan_counts;

typedef struct vb_keyscan vb_keyscan;

/* VB_ENOMEM names the keyspace. */
VB_API int vb_keyscan_start(vb_keyscan **out, const vb_keyscan_spec *spec, vb_error *err);
/* The counts of now. */
VB_API void vb_keyscan_progress(vb_keyscan *scan, vb_keyscan_counts *counts);
/* Lets the threads end after the reply that they wait for. */
VB_API void vb_keyscan_stop(vb_keyscan *scan);
/* Waits for the threads; then what was found is what exists, and nothing is unknown any more. A
 * server that failed (VB_ECONNECT, VB_ETIMEOUT, VB_ESERVER; the message has its address), a stop,
 * or memory that is out leave the tracker as it was. Main, while nobody else writes to the tracker.
 */
VB_API int vb_keyscan_apply(vb_keyscan *scan, vb_keyscan_counts *counts, vb_error *err);
/* Stops, waits, frees; takes NULL. */
VB_API void vb_keyscan_free(vb_keyscan *scan);

#endif
