/* SHA-1 (FIPS 180-4): by which servers name their scripts. Not for anything that is to be secure.
 * Pure; any thread. */
#ifndef VB_BASE_SHA1_H
#define VB_BASE_SHA1_H

#include "base/api.h"

enum { VB_SHA1_TEXT = 41 };

/* Writes the digest of `length` bytes as 40 hexadecimal digits and a NUL. */
VB_API void vb_sha1(const char *data, size_t length, char out[VB_SHA1_TEXT]);

#endif
