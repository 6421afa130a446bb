#include "net/address.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

enum { PORT_MAX = 65535, NAME_MAX_BYTES = 255 };

static int resolve_path(vb_address *out, const char *path, vb_error *err) {
  struct sockaddr_un *un = (struct sockaddr_un *)&out->socket;
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof un->sun_path)
    return vb_fail(err, VB_EINVAL, "socket \"%s\": its path is to have 1 to %zu bytes", path,
                   sizeof un->sun_path - 1);
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path, path, length + 1);
  out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
  (void)snprintf(out->text, sizeof out->text, "%s", path);
  return VB_OK;
}

/* Servers listen on 127.0.0.1 far oftener than on ::1, whatever the resolver puts first. */
static bool is_local_name(const char *host) {
  return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.localdomain") == 0;
}

static const struct addrinfo *choose(const struct addrinfo *found, const char *host) {
  if (!is_local_name(host)) return found;
  for (const struct addrinfo *each = found; each; each = each->ai_next)
    if (each->ai_family == AF_INET) return each;
  return found;
}

static int resolve_name(vb_address *out, const char *host, const vb_endpoint *endpoint,
                        vb_error *err) {
  char service[12];
  (void)snprintf(service, sizeof service, "%d", endpoint->port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
  if (endpoint->family == 4) hints.ai_family = AF_INET;
  if (endpoint->family == 6) hints.ai_family = AF_INET6;
  int failed = getaddrinfo(host, service, &hints, &found);
  if (failed)
    return vb_fail(err, VB_ECONNECT, "cannot resolve \"%s\": %s", host,
                   failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
  const struct addrinfo *chosen = choose(found, host);
  memcpy(&out->socket, chosen->ai_addr, chosen->ai_addrlen);
  out->length = chosen->ai_addrlen;
  freeaddrinfo(found);
  const char *format = strchr(host, ':') ? "[%s]:%d" : "%s:%d";
  (void)snprintf(out->text, sizeof out->text, format, host, endpoint->port);
  return VB_OK;
}

int vb_address_resolve(vb_address *out, const vb_endpoint *endpoint, vb_error *err) {
  vb_address address = {.host = endpoint->path ? NULL : endpoint->host, .tls = endpoint->tls};
  int failed;
  if (endpoint->path) {
    failed = resolve_path(&address, endpoint->path, err);
  } else {
    char host[NAME_MAX_BYTES + 1];
    const char *given = endpoint->host ? endpoint->host : "";
    size_t length = strlen(given);
    if (length > 2 && given[0] == '[' && given[length - 1] == ']') given++, length -= 2;
    if (length == 0 || length >= sizeof host)
      return vb_fail(err, VB_EINVAL, "host \"%.64s\": a name is to have 1 to %d bytes", given,
                     NAME_MAX_BYTES);
    if (endpoint->port < 1 || endpoint->port > PORT_MAX)
      return vb_fail(err, VB_EINVAL, "%s: port %d is not between 1 and %d", given, endpoint->port,
                     PORT_MAX);
    memcpy(host, given, length);
    host[length] = 0;
    failed = resolve_name(&address, host, endpoint, err);
  }
  if (!failed) *out = address;
  return failed;
}
