/* The encrypted stream, and what it takes from the settings.
 * Private to net/. A stream has one owner, one thread; the settings are read by all. */
#ifndef VB_NET_TLS_STREAM_H
#define VB_NET_TLS_STREAM_H

#include "net/stream.h"

#include <stdatomic.h>

struct ssl_ctx_st;
struct bio_method_st;

struct vb_tls {
  atomic_uint users; /* streams, and who made it */
  struct ssl_ctx_st *context;
  struct bio_method_st *transport; /* OpenSSL's way to the bytes of a plain stream */
  char *sni;                       /* or NULL */
  bool insecure;
};

/* Makes the way to a plain stream's bytes; NULL without memory. */
struct bio_method_st *vb_tls_transport_new(void);

/* Puts TLS over a plain stream that is opening, which it then owns, also when it fails. */
int vb_tls_wrap(vb_stream **out, vb_stream *plain, const vb_address *address, vb_error *err);

#endif
