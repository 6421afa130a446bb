#include "net/uri.h"

#include <string.h>

enum { PORT_DEFAULT = 6379, PORT_MAX = 65535, DATABASE_MAX = 1000000 };

/* A part of the URI that is not terminated. */
typedef struct part {
  const char *from, *to;
} part;

typedef struct scheme {
  const char *name;
  int tls;
  bool socket;
} scheme;

static const scheme schemes[] = {{"valkey", 0, false},      {"redis", 0, false},
                                 {"valkeys", 1, false},     {"rediss", 1, false},
                                 {"unix", 0, true},         {"redis-socket", 0, true},
                                 {"valkey-socket", 0, true}};

static const char *find_last(part in, char byte) {
  return in.from < in.to ? memrchr(in.from, byte, (size_t)(in.to - in.from)) : NULL;
}

static const char *find_first(part in, char byte) {
  return in.from < in.to ? memchr(in.from, byte, (size_t)(in.to - in.from)) : NULL;
}

/* "user:password": all before the last '@', empty without one. A path of a socket that starts at
 * once has none, whatever is in it. */
static part credentials(part rest) {
  const char *at = rest.from < rest.to && *rest.from != '/' ? find_last(rest, '@') : NULL;
  return (part){rest.from, at ? at : rest.from};
}

static int refuse(vb_error *err, const char *uri, const char *why) {
  const char *body = strstr(uri, "://");
  part login = {uri, uri};
  if (body) login = credentials((part){body + 3, uri + strlen(uri)});
  const char *colon = find_first(login, ':');
  if (!colon) return vb_fail(err, VB_EINVAL, "URI %s: %s", uri, why);
  return vb_fail(err, VB_EINVAL, "URI %.*s:***%s: %s", (int)(colon - uri), uri, login.to, why);
}

static int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

/* Percent-decodes into a field of `size`; says what is wrong, or NULL. */
static const char *decode(part in, char *to, size_t size) {
  size_t length = 0;
  for (const char *at = in.from; at < in.to; at++) {
    if (length + 1 >= size) return "a part of it is too long";
    char byte = *at;
    if (byte == '%') {
      int high = in.to - at > 2 ? hex_digit(at[1]) : -1;
      int low = high >= 0 ? hex_digit(at[2]) : -1;
      if (low < 0 || (high == 0 && low == 0))
        return "'%' is to be followed by two hexadecimal digits that are not 00";
      byte = (char)(high * 16 + low);
      at += 2;
    }
    to[length++] = byte;
  }
  to[length] = 0;
  return NULL;
}

static bool read_integer(part in, int most, int *number) {
  if (in.from == in.to || in.to - in.from > 7) return false;
  int sum = 0;
  for (const char *at = in.from; at < in.to; at++) {
    if (*at < '0' || *at > '9') return false;
    sum = sum * 10 + (*at - '0');
  }
  *number = sum;
  return sum <= most;
}

static const char *take_database(part in, vb_uri *out) {
  if (in.from == in.to || read_integer(in, DATABASE_MAX, &out->database)) return NULL;
  return "its database is no number";
}

/* Takes "user:password@" off the front of *rest. */
static const char *take_login(part *rest, vb_uri *out) {
  part login = credentials(*rest);
  if (login.to == login.from && *login.to != '@') return NULL;
  rest->from = login.to + 1;
  const char *colon = find_first(login, ':');
  const char *wrong =
      decode((part){login.from, colon ? colon : login.to}, out->user, sizeof out->user);
  if (wrong || !colon) return wrong;
  return decode((part){colon + 1, login.to}, out->password, sizeof out->password);
}

/* Takes "?db=N" off the end of *rest. */
static const char *take_query(part *rest, vb_uri *out) {
  const char *mark = find_first(*rest, '?');
  if (!mark) return NULL;
  part query = {mark + 1, rest->to};
  rest->to = mark;
  if (query.to - query.from < 3 || memcmp(query.from, "db=", 3) != 0)
    return "the only parameter known is ?db=N";
  query.from += 3;
  return take_database(query, out);
}

static const char *take_port(part in, vb_uri *out) {
  if (in.from == in.to) return NULL;
  if (*in.from != ':') return "']' is to be followed by a port or a database";
  in.from++;
  if (read_integer(in, PORT_MAX, &out->port) && out->port > 0) return NULL;
  return "its port is not between 1 and 65535";
}

static const char *take_address(part rest, vb_uri *out) {
  const char *slash = find_first(rest, '/');
  part host = {rest.from, slash ? slash : rest.to};
  const char *wrong = slash ? take_database((part){slash + 1, rest.to}, out) : NULL;
  if (wrong) return wrong;
  const char *end = find_last(host, ':');
  if (host.from < host.to && *host.from == '[') {
    const char *close = find_first(host, ']');
    if (!close) return "'[' without ']'";
    wrong = take_port((part){close + 1, host.to}, out);
    host = (part){host.from + 1, close};
  } else {
    if (end && end != find_first(host, ':')) return "an IPv6 address is to be in brackets";
    if (end) wrong = take_port((part){end, host.to}, out);
    if (end) host.to = end;
  }
  if (wrong) return wrong;
  if (host.from == host.to) return "it names no host";
  return decode(host, out->host, sizeof out->host);
}

static const scheme *find_scheme(const char *uri, size_t length) {
  for (size_t i = 0; i < VB_ARRAY_LENGTH(schemes); i++)
    if (strlen(schemes[i].name) == length && memcmp(schemes[i].name, uri, length) == 0)
      return &schemes[i];
  return NULL;
}

int vb_uri_parse(const char *uri, vb_uri *out, vb_error *err) {
  vb_uri parsed = {.port = PORT_DEFAULT, .database = -1};
  const char *body = strstr(uri, "://");
  const scheme *known = body ? find_scheme(uri, (size_t)(body - uri)) : NULL;
  if (!known)
    return refuse(err, uri,
                  "it is to start with valkey://, redis://, valkeys://, rediss://, unix:// or "
                  "redis-socket://");
  parsed.tls = known->tls;
  part rest = {body + 3, uri + strlen(uri)};
  const char *wrong = take_login(&rest, &parsed);
  if (!wrong) wrong = take_query(&rest, &parsed);
  if (!wrong && !known->socket) wrong = take_address(rest, &parsed);
  if (!wrong && known->socket) {
    if (rest.from == rest.to)
      wrong = "it names no path";
    else
      wrong = decode(rest, parsed.path, sizeof parsed.path);
  }
  if (wrong) return refuse(err, uri, wrong);
  *out = parsed;
  return VB_OK;
}
