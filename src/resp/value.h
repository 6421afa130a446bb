/* Reply values, built by hiredis' reader from the bytes of one reply.
 * For resp/client.c and tests; any thread. */
#ifndef VB_RESP_VALUE_H
#define VB_RESP_VALUE_H

#include "resp/client.h"

/* Builds the value of the one RESP2 reply that bytes[0, length) are; to be freed with
 * vb_value_free. VB_EPROTOCOL, VB_ENOMEM with hiredis' words. */
int vb_value_read(const char *bytes, size_t length, vb_value **out, vb_error *err);

#endif
