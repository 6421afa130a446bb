/* URIs of servers, as valkey-cli and redis-cli take them.
 * Pure; any thread. */
#ifndef VB_NET_URI_H
#define VB_NET_URI_H

#include "base/status.h"

/* What a URI says. A string that it does not give is empty. */
typedef struct vb_uri {
  char host[256];     /* name or address, without the brackets of IPv6; "" with a unix socket */
  char path[108];     /* of a unix socket, or "" */
  char user[256];     /* percent-decoded, like the password */
  char password[512]; /* "" when none is given */
  int port;           /* 1 to 65535; 6379 when none is given */
  int database;       /* -1 when none is given */
  int tls;            /* 1: rediss, valkeys */
} vb_uri;

/* Reads one of
 *   {valkey,redis,valkeys,rediss}://[[user][:password]@]host[:port][/[database]][?db=database]
 *   {unix,redis-socket,valkey-socket}://[[user][:password]@]path[?db=database]
 * with [..] around an IPv6 address. *out is written only on success. VB_EINVAL names the URI with
 * its password left out, and what is wrong with it. */
VB_API int vb_uri_parse(const char *uri, vb_uri *out, vb_error *err);

#endif
