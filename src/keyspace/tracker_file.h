/* Files of trackers: what is known of keyspaces, kept from one run to the next.
 * Main, while nobody writes to the trackers. */
#ifndef VB_KEYSPACE_TRACKER_FILE_H
#define VB_KEYSPACE_TRACKER_FILE_H

#include "keyspace/keyspace.h"

/* Format, version 1, in words of 8 bytes, lowest byte first: "VBTRACK1", the number of keyspaces;
 * then for each a section of its length in words, how many ids it may have, how many are unknown,
 * how many blocks of 2^16 ids follow, the lengths of its name and its layout ("key:%012d") in
 * bytes, these two texts, each filled up with zeros, the unknown ids, the blocks, and a checksum of
 * all of that. A block is its number times 2, plus 1 when all its bits are set; else 1024 words of
 * bits follow. */

/* Writes those keyspaces that are tracked, to a file beside `path` that then takes its place.
 * VB_EIO names the file; what was there stays then. */
VB_API int vb_tracker_file_save(const char *path, const vb_keyspace *const *keyspaces,
                                uint32_t count, vb_error *err);
/* Reads what was saved into the trackers of these keyspaces, which lose what they held; those that
 * the file has not stay as they are. *loaded: how many it had. VB_EIO: it cannot be read;
 * VB_EINVAL: it is no such file, of another version, damaged, or of a keyspace that is not among
 * these, or has another size or layout. Names the file; nothing is loaded then. */
VB_API int vb_tracker_file_load(const char *path, const vb_keyspace *const *keyspaces,
                                uint32_t count, uint32_t *loaded, vb_error *err);

#endif
