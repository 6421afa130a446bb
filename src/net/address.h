/* Addresses: names resolved once, at set-up; connecting never waits for a resolver.
 * Set-up path, any thread. */
#ifndef VB_NET_ADDRESS_H
#define VB_NET_ADDRESS_H

#include "net/endpoint.h"

#include <sys/socket.h>

typedef struct vb_address {
  char text[280]; /* "127.0.0.1:6379", "[::1]:6379", "/run/valkey.sock": what messages say */
  struct sockaddr_storage socket;
  socklen_t length;
  const char *host; /* the endpoint's, which TLS checks; NULL with a unix socket */
  vb_tls *tls;      /* the endpoint's */
} vb_address;

/* Resolves an endpoint to its first usable address. VB_ECONNECT names the host and the resolver's
 * reason; VB_EINVAL a path too long for a socket or a port out of range. */
int vb_address_resolve(vb_address *out, const vb_endpoint *endpoint, vb_error *err);

#endif
