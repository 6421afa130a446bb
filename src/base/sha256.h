/* SHA-256 (FIPS 180-4): which script a report came from.
 * Pure; any thread. */
#ifndef VB_BASE_SHA256_H
#define VB_BASE_SHA256_H

#include "base/api.h"

enum { VB_SHA256_TEXT = 65 };

/* Writes the digest of `length` bytes as 64 hexadecimal digits and a NUL. */
VB_API void vb_sha256(const char *data, size_t length, char out[VB_SHA256_TEXT]);

#endif
