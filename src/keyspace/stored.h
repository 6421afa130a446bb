/* Stored keys read back: which records of a dataset have a key. For scans.
 * Made and freed by main; then read-only for any thread. */
#ifndef VB_KEYSPACE_STORED_H
#define VB_KEYSPACE_STORED_H

#include "keyspace/keyspace.h"

/* A hash table of the dataset's keys, 16 to 24 bytes a record. */
typedef struct vb_stored vb_stored;

/* Of a keyspace of stored keys, which outlives it. VB_ENOMEM says how much it takes. */
int vb_stored_new(vb_stored **out, const vb_keyspace *keyspace, vb_error *err);
void vb_stored_free(vb_stored *stored);
/* The lowest record above `after` (VB_STORED_NONE: of all) with this key; several may have it.
 * VB_STORED_NONE: there is no more. */
uint64_t vb_stored_find(const vb_stored *stored, const char *key, size_t length, uint64_t after);
/* What all keys begin with, in *text, which is on loan: its length. */
size_t vb_stored_prefix_view(const vb_stored *stored, const char **text);

#define VB_STORED_NONE UINT64_MAX

#endif
