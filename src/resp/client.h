/* The control plane's client: one request, one reply, never longer than its deadline.
 * One owner, one thread. RESP2 whatever the run uses, so that scripts see one shape of replies.
 * hiredis writes the requests and reads the replies; the bytes go over a net/ stream. */
#ifndef VB_RESP_CLIENT_H
#define VB_RESP_CLIENT_H

#include "net/endpoint.h"

enum vb_value_type {
  VB_VALUE_NIL,
  VB_VALUE_STATUS,
  VB_VALUE_ERROR,
  VB_VALUE_INTEGER,
  VB_VALUE_STRING,
  VB_VALUE_ARRAY
};

typedef struct vb_value {
  int type;                   /* enum vb_value_type */
  int64_t integer;            /* VB_VALUE_INTEGER */
  const char *text;           /* status, error (without '-'), string; NUL-terminated besides */
  size_t length;              /* of text in bytes, or of elements */
  struct vb_value **elements; /* VB_VALUE_ARRAY */
} vb_value;

/* Bytes of one reply; a larger one is VB_EPROTOCOL. */
enum { VB_CLIENT_REPLY_MAX = 64 * 1024 * 1024 };

typedef struct vb_client vb_client;

/* Connects and does the handshake within timeout_ms. VB_ECONNECT, VB_ETIMEOUT, VB_EAUTH, VB_ESERVER
 * with the address in the message. */
VB_API int vb_client_open(vb_client **out, const vb_endpoint *endpoint, const vb_login *login,
                          int timeout_ms, vb_error *err);
/* Takes NULL. */
VB_API void vb_client_close(vb_client *client);
/* Sends `count` words and waits for the reply. lengths may be NULL: then words end at NUL. *out is
 * to be freed with vb_value_free; an error reply is a value (VB_VALUE_ERROR), not a failure. After
 * a failure (VB_ECONNECT, VB_ETIMEOUT, VB_EPROTOCOL, VB_ENOMEM; VB_EAUTH or VB_ESERVER when the
 * server says on its own that it does not want us) the client is closed and further calls say so. A
 * server that sends more than the one reply is a VB_EPROTOCOL, now or at the next call. */
VB_API int vb_client_call(vb_client *client, int count, const char *const *words,
                          const size_t *lengths, int timeout_ms, vb_value **out, vb_error *err);
VB_API void vb_value_free(vb_value *value);
/* "127.0.0.1:6379": the address in messages; the client's own. */
VB_API const char *vb_client_address(const vb_client *client);
/* "127.0.0.1:51234": our end, for MONITOR; "" for a unix socket. The client's own. */
VB_API const char *vb_client_local_address(const vb_client *client);

#endif
