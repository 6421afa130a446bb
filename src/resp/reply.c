#include "resp/scanner.h"

#include <string.h>

/* What vb_scanner_next closed is known to be well-formed, whole, and nested no deeper than
 * VB_SCAN_DEPTH_MAX: there is nothing to check here, and recursion is bounded. */

static const char *line_end(const char *at) {
  return (const char *)rawmemchr(at, '\n') + 1;
}

/* The number behind a mark; its sign only before the digits of ':' and of "-1". */
static int64_t read_number(const char *at) {
  bool negative = *at == '-';
  uint64_t sum = 0;
  for (at += *at == '-' || *at == '+'; *at >= '0' && *at <= '9'; at++)
    sum = sum * 10 + (uint64_t)(*at - '0');
  return negative ? (int64_t)(0 - sum) : (int64_t)sum;
}

static const char *read_value(const char *at, vb_reply *out);

static const char *read_bulk(const char *at, vb_reply *out) {
  const char *body = line_end(at);
  if (at[1] == '?') {
    while (body[1] != '0' || read_number(body + 1) != 0) {
      int64_t chunk = read_number(body + 1);
      out->integer += chunk;
      body = line_end(body) + chunk + 2;
    }
    return line_end(body);
  }
  int64_t length = read_number(at + 1);
  out->null = length < 0;
  if (out->null) return body;
  int64_t head = *at == '=' ? 4 : 0;
  out->integer = length;
  out->text = body + head;
  out->text_length = (size_t)(length - head);
  return body + length + 2;
}

/* One element of an aggregate, counted unless it is an attribute, which belongs to none. */
static const char *read_inner(const char *at, vb_reply *out, int64_t *count) {
  vb_reply inner;
  at = read_value(at, &inner);
  if (inner.type == '|') return at;
  *count += 1;
  inner.null ? out->misses++ : out->hits++;
  return at;
}

static const char *read_aggregate(const char *at, vb_reply *out) {
  const char *element = line_end(at);
  if (at[1] == '?') {
    while (*element != '.') element = read_inner(element, out, &out->integer); /* '.' ends it */
    return line_end(element);
  }
  int64_t count = read_number(at + 1);
  out->null = count < 0;
  if (out->null) return element;
  out->integer = *at == '%' || *at == '|' ? 2 * count : count;
  for (int64_t read = 0; read < out->integer;) element = read_inner(element, out, &read);
  return element;
}

static const char *read_line(const char *at, vb_reply *out) {
  const char *next = line_end(at);
  out->null = *at == '_';
  if (*at == ':') out->integer = read_number(at + 1);
  if (*at == '#') out->integer = at[1] == 't';
  out->text = at + 1;
  out->text_length = (size_t)(next - at) - 3;
  return next;
}

/* One value, or one attribute. */
static const char *read_value(const char *at, vb_reply *out) {
  *out = (vb_reply){.type = *at, .error = *at == '-' || *at == '!', .bytes = at};
  const char *next;
  if (strchr("$=!", *at))
    next = read_bulk(at, out);
  else if (strchr("*~%>|", *at))
    next = read_aggregate(at, out);
  else
    next = read_line(at, out);
  if (out->null || !strchr("*~%>|", *at)) out->null ? out->misses++ : out->hits++;
  out->size = (size_t)(next - at);
  return next;
}

const char *vb_reply_first(const vb_reply *reply) {
  if (!reply->bytes || !strchr("*~%>|", reply->type)) return NULL;
  return line_end(reply->bytes);
}

const char *vb_reply_element(const char *at, vb_reply *out) {
  do at = read_value(at, out);
  while (out->type == '|');
  return at;
}
