/* Hash slots of a cluster: CRC16 of the key, or of its hash tag, modulo 16384.
 * Any thread. Source: the Redis Cluster specification, "Key distribution model". */
#ifndef VB_BASE_SLOTS_H
#define VB_BASE_SLOTS_H

#include "base/api.h"

enum { VB_SLOTS = 16384 };

/* CRC-16/XMODEM: polynomial 0x1021, initial value 0. */
VB_API uint16_t vb_crc16(const char *bytes, size_t length);
/* The slot of a key, 0 to 16383: of the bytes between the first '{' and the next '}' when there
 * are any, of the whole key otherwise. */
VB_API unsigned vb_slot(const char *key, size_t length);

#endif
