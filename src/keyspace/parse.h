/* Keys read back: which id of a keyspace a key is of. For scans, groups, replies.
 * Pure; any thread. */
#ifndef VB_KEYSPACE_PARSE_H
#define VB_KEYSPACE_PARSE_H

#include "keyspace/keyspace.h"

enum vb_key_match {
  VB_KEY_FOREIGN = 0, /* no key of this keyspace */
  VB_KEY_OWN = 1,     /* the key that the keyspace writes for *id */
  VB_KEY_TAGGED = 2,  /* of *id, but with another hash tag: {xyz}<prefix><id> of older tools,
                         <prefix>{xyz}:<id>, or a tag of the pattern that is not ours */
  VB_KEY_OUTSIDE = 3  /* an id from the keyspace's size up, or a key of another node's slots */
};

/* The keys that a dataset stores (stored.h finds them), and those without their sub-ids, are all
 * foreign: nothing in them says their id.
 * Numbers are read as they are written: "key:5" is foreign where ids have 12 digits. *id is set
 * unless the key is foreign or outside. */
VB_API int vb_keyspace_parse(const vb_keyspace *keyspace, const char *key, size_t length,
                             uint64_t *id);
/* The pattern for SCAN's MATCH that all keys of the keyspace fit, NUL-terminated; anywhere: also
 * those with something before the prefix. Returns its length; longer than `room` - 1: cut. */
VB_API size_t vb_keyspace_match(const vb_keyspace *keyspace, int anywhere, char *to, size_t room);

#ifndef VB_CDEF
/* Of a key that is VB_KEY_TAGGED: whether it is the keyspace's own but for its tag, of 3 bytes as
 * ours, which `tag` then gets. */
int vb_keyspace_tag_of(const vb_keyspace *keyspace, const char *key, size_t length, uint64_t id,
                       char *tag);
/* The same of all keys that begin with a text. */
size_t vb_match_prefix(const char *text, size_t length, char *to, size_t room);
#endif

#endif
