/* Where a server is and who we are there: the settings that control and data connections share.
 * Read-only once made; any thread. */
#ifndef VB_NET_ENDPOINT_H
#define VB_NET_ENDPOINT_H

#include "base/status.h"

/* Settings of TLS: net/tls.h. */
typedef struct vb_tls vb_tls;

/* Strings and settings belong to the caller and outlive every connection that is made with them. */
typedef struct vb_endpoint {
  const char *host; /* name or address; NULL with a unix socket */
  const char *path; /* of a unix socket, or NULL */
  int port;         /* 1 to 65535 */
  int family;       /* 0 either, 4, 6 */
  vb_tls *tls;      /* NULL: nothing is encrypted */
} vb_endpoint;

typedef struct vb_login {
  const char *user;        /* NULL: "default" */
  const char *password;    /* NULL: no AUTH */
  const char *client_name; /* NULL: no CLIENT SETNAME */
  int database;            /* 0: no SELECT */
  int resp;                /* 2 or 3 */
  int tracking; /* CLIENT TRACKING ON, with RESP3: the server says which read keys change */
  int readonly; /* READONLY, for reads from replicas of a cluster */
} vb_login;

#endif
