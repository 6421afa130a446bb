#include "resp/scanner.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The smallest element there is: a mark, CR, LF. */
enum { ELEMENT_MIN = 3 };
/* Digits that always fit an int64_t. */
enum { DIGITS_SAFE = 18 };
/* Bytes that a reason quotes. */
enum { QUOTE_BYTES = 20 };

enum step { STEP_ON, STEP_MORE, STEP_DONE, STEP_BAD };

typedef struct scan_input {
  const char *data;
  size_t length;
  bool keep;
} scan_input;

typedef struct scan_token {
  const char *at;   /* its mark */
  const char *next; /* behind its CR LF */
  bool counted;     /* number is read */
  int64_t number;
} scan_token;

/* Bytes as C quotes them. `to` has room for 4 * QUOTE_BYTES + 1. */
static void quote(char *to, const char *from, size_t length) {
  if (length > QUOTE_BYTES) length = QUOTE_BYTES;
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)from[i];
    if (byte == '\r')
      to += sprintf(to, "\\r");
    else if (byte == '\n')
      to += sprintf(to, "\\n");
    else if (byte == '"' || byte == '\\')
      to += sprintf(to, "\\%c", byte);
    else if (byte >= 0x20 && byte < 0x7f)
      *to++ = (char)byte;
    else
      to += sprintf(to, "\\x%02x", byte);
  }
  *to = 0;
}

/* Writes why, with the bytes from `at` on, and says so. */
static enum step bad(vb_scanner *scanner, const scan_input *in, const char *at, const char *format,
                     ...) VB_PRINTF(4, 5);

static enum step bad(vb_scanner *scanner, const scan_input *in, const char *at, const char *format,
                     ...) {
  char what[64], bytes[4 * QUOTE_BYTES + 1];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(what, sizeof what, format, args);
  va_end(args);
  quote(bytes, at, (size_t)(in->data + in->length - at));
  (void)snprintf(scanner->reason, sizeof scanner->reason, "%s in \"%s\"", what, bytes);
  return STEP_BAD;
}

/* Bytes that this reply may still have behind what was read of it. */
static uint64_t room(const vb_scanner *scanner) {
  size_t size = scanner->released + scanner->position;
  return size < scanner->max_reply ? scanner->max_reply - size : 0;
}

static enum step too_large(vb_scanner *scanner, const scan_input *in, const char *at) {
  return bad(scanner, in, at, "a reply larger than %zu bytes", scanner->max_reply);
}

/* Digits and CR LF, whole before `end` and surely without overflow: returns what is behind them.
 * NULL: something else, which the slow way is to judge. */
static inline const char *read_digits(const char *at, const char *end, int64_t *number) {
  const char *first = at;
  const char *stop = end - at > DIGITS_SAFE ? at + DIGITS_SAFE : end;
  uint64_t sum = 0;
  while (at < stop && (unsigned char)(*at - '0') < 10)
    sum = sum * 10 + (unsigned char)(*at++ - '0');
  if (at == first || end - at < 2 || at[0] != '\r' || at[1] != '\n') return NULL;
  *number = (int64_t)sum;
  return at + 2;
}

/* A whole number in [from, to), with a sign when `sign`; false when it is none or overflows. */
static bool read_number(const char *from, const char *to, bool sign, int64_t *number) {
  bool negative = sign && from < to && *from == '-';
  if (sign && from < to && (*from == '-' || *from == '+')) from++;
  if (from == to) return false;
  uint64_t sum = 0, most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
  for (; from < to; from++) {
    unsigned digit = (unsigned char)(*from - '0');
    if (digit > 9 || sum > (most - digit) / 10) return false;
    sum = sum * 10 + digit;
  }
  *number = negative ? (int64_t)(0 - sum) : (int64_t)sum;
  return true;
}

/* Finds the end of the line that starts at position, without looking at a byte twice. */
static enum step find_line(vb_scanner *scanner, const scan_input *in, scan_token *token) {
  size_t have = in->length - scanner->position;
  size_t limit = have < VB_SCAN_LINE_MAX ? have : VB_SCAN_LINE_MAX;
  const char *lf = NULL;
  if (limit > scanner->searched)
    lf = memchr(token->at + scanner->searched, '\n', limit - scanner->searched);
  if (!lf) {
    if (have >= VB_SCAN_LINE_MAX)
      return bad(scanner, in, token->at, "a line longer than %d bytes", VB_SCAN_LINE_MAX);
    scanner->searched = have;
    return STEP_MORE;
  }
  if (lf - token->at < 2 || lf[-1] != '\r') return bad(scanner, in, token->at, "LF without CR");
  scanner->searched = 0;
  token->next = lf + 1;
  return STEP_ON;
}

static bool is_mark(const vb_scanner *scanner, char byte) {
  if (scanner->streamed_bulk) return byte == ';';
  switch (byte) {
  case '+':
  case '-':
  case ':':
  case '$':
  case '*':
  case '_':
  case '#':
  case ',':
  case '(':
  case '!':
  case '=':
  case '%':
  case '~':
  case '|': return true;
  case '>': return scanner->depth == 0;
  case '.': return scanner->depth > 0 && scanner->levels[scanner->depth - 1].left < 0;
  default: return false;
  }
}

static enum step read_token(vb_scanner *scanner, const scan_input *in, scan_token *token) {
  const char *end = in->data + in->length;
  token->at = in->data + scanner->position;
  if (token->at == end) return STEP_MORE;
  if (!is_mark(scanner, *token->at)) {
    unsigned char byte = (unsigned char)*token->at;
    if (byte > 0x20 && byte < 0x7f)
      return bad(scanner, in, token->at, "bad type byte '%c' (0x%02x)", byte, byte);
    return bad(scanner, in, token->at, "bad type byte 0x%02x", byte);
  }
  token->counted = false;
  if (!scanner->searched) {
    token->next = read_digits(token->at + 1, end, &token->number);
    token->counted = token->next != NULL;
  }
  enum step step = token->counted ? STEP_ON : find_line(scanner, in, token);
  if (step != STEP_ON) return step;
  scanner->position = (size_t)(token->next - in->data);
  if (scanner->released + scanner->position > scanner->max_reply)
    return too_large(scanner, in, token->at);
  return STEP_ON;
}

/* A value is complete at this depth: counts it where it stands, closes what it fills. */
static enum step close_value(vb_scanner *scanner, bool null) {
  while (scanner->depth > 0) {
    vb_scanner_level *level = &scanner->levels[scanner->depth - 1];
    if (scanner->depth == 1) null ? scanner->misses++ : scanner->hits++;
    if (--level->left != 0) return STEP_ON;
    scanner->depth--;
    if (level->type == '|' && scanner->depth > 0) return STEP_ON;
    null = false;
  }
  return STEP_DONE;
}

static enum step close_scalar(vb_scanner *scanner, bool null) {
  if (scanner->depth == 0) {
    scanner->null = null;
    null ? scanner->misses++ : scanner->hits++;
  }
  return close_value(scanner, null);
}

/* The text of a top-level scalar. */
static void set_text(vb_scanner *scanner, const char *data, const char *text, size_t length) {
  scanner->has_text = true;
  scanner->text = (size_t)(text - data);
  scanner->text_length = length;
}

static bool is_double(const char *at, const char *end) {
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (end - at == 3 && (memcmp(at, "inf", 3) == 0 || memcmp(at, "nan", 3) == 0)) return true;
  bool digit = false;
  for (; at < end; at++) {
    if (*at >= '0' && *at <= '9')
      digit = true;
    else if (!memchr(".eE+-", *at, 5))
      return false;
  }
  return digit;
}

static bool is_big_number(const char *at, const char *end) {
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end) return false;
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at == end;
}

/* Whether the rest of a line is what its mark asks for; its number with ':' and '#'. */
static bool line_is_valid(scan_token *token) {
  const char *at = token->at + 1, *end = token->next - 2;
  switch (*token->at) {
  case ':': return token->counted || read_number(at, end, true, &token->number);
  case '#': token->number = *at == 't'; return end - at == 1 && (*at == 't' || *at == 'f');
  case ',': return is_double(at, end);
  case '(': return is_big_number(at, end);
  case '_': return at == end;
  default: return true;
  }
}

static enum step take_line(vb_scanner *scanner, const scan_input *in, scan_token *token) {
  char type = *token->at;
  if (!line_is_valid(token)) return bad(scanner, in, token->at, "a bad value of type '%c'", type);
  if (scanner->depth == 0) {
    if (type == ':' || type == '#') scanner->integer = token->number;
    set_text(scanner, in->data, token->at + 1, (size_t)(token->next - token->at) - 3);
  }
  return close_scalar(scanner, type == '_');
}

static bool is_rest(const scan_token *token, const char *rest) {
  size_t length = strlen(rest);
  return (size_t)(token->next - token->at) == length + 3 &&
         memcmp(token->at + 1, rest, length) == 0;
}

/* The length or count of a bulk string, chunk or aggregate, which is not negative. */
static bool take_count(scan_token *token) {
  return token->counted || read_number(token->at + 1, token->next - 2, false, &token->number);
}

/* Passes over what is left of a bulk string and its CR LF. */
static enum step pass_bulk(vb_scanner *scanner, const scan_input *in) {
  size_t have = in->length - scanner->position;
  if (have < scanner->skip) {
    size_t take = have < scanner->skip - 2 ? have : (size_t)scanner->skip - 2;
    if (!in->keep) {
      scanner->position += take;
      scanner->skip -= take;
    }
    return STEP_MORE;
  }
  scanner->position += (size_t)scanner->skip;
  scanner->skip = 0;
  const char *tail = in->data + scanner->position - 2;
  if (tail[0] != '\r' || tail[1] != '\n')
    return bad(scanner, in, tail, "no CR LF behind a bulk string");
  return scanner->streamed_bulk ? STEP_ON : close_scalar(scanner, false);
}

static enum step take_bulk(vb_scanner *scanner, const scan_input *in, scan_token *token) {
  char type = *token->at;
  if (type == '$' && is_rest(token, "-1")) return close_scalar(scanner, true);
  if (type == '$' && is_rest(token, "?")) {
    scanner->streamed_bulk = true;
    return STEP_ON;
  }
  size_t head = type == '=' ? 4 : 0; /* "txt:" */
  if (!take_count(token) || token->number < (int64_t)head)
    return bad(scanner, in, token->at, "a bad length");
  if ((uint64_t)token->number + 2 > room(scanner)) return too_large(scanner, in, token->at);
  if (scanner->depth == 0) {
    scanner->integer = token->number;
    set_text(scanner, in->data, token->next + head, (size_t)token->number - head);
  }
  scanner->skip = (uint64_t)token->number + 2;
  return pass_bulk(scanner, in);
}

static enum step take_chunk(vb_scanner *scanner, const scan_input *in, scan_token *token) {
  if (!take_count(token)) return bad(scanner, in, token->at, "a bad length");
  if (token->number == 0) {
    scanner->streamed_bulk = false;
    return close_scalar(scanner, false);
  }
  if ((uint64_t)token->number + 2 > room(scanner)) return too_large(scanner, in, token->at);
  if (scanner->depth == 0) scanner->integer += token->number;
  scanner->skip = (uint64_t)token->number + 2;
  return pass_bulk(scanner, in);
}

static enum step open_level(vb_scanner *scanner, const scan_input *in, const scan_token *token,
                            int64_t left) {
  if (scanner->depth == VB_SCAN_DEPTH_MAX)
    return bad(scanner, in, token->at, "nested deeper than %d", VB_SCAN_DEPTH_MAX);
  scanner->levels[scanner->depth++] = (vb_scanner_level){.left = left, .type = *token->at};
  return STEP_ON;
}

static enum step take_aggregate(vb_scanner *scanner, const scan_input *in, scan_token *token) {
  char type = *token->at;
  if (type == '*' && is_rest(token, "-1")) return close_scalar(scanner, true);
  if (is_rest(token, "?")) return open_level(scanner, in, token, -1);
  if (!take_count(token)) return bad(scanner, in, token->at, "a bad count of elements");
  int64_t width = type == '%' || type == '|' ? 2 : 1;
  if ((uint64_t)token->number > room(scanner) / ELEMENT_MIN / (uint64_t)width)
    return too_large(scanner, in, token->at);
  int64_t count = token->number * width;
  if (scanner->depth == 0) scanner->integer = count;
  if (count) return open_level(scanner, in, token, count);
  if (type == '|' && scanner->depth > 0) return STEP_ON;
  return close_value(scanner, false);
}

/* The '.' behind the elements of a streamed aggregate. */
static enum step take_end(vb_scanner *scanner, const scan_input *in, const scan_token *token) {
  const vb_scanner_level *level = &scanner->levels[scanner->depth - 1];
  int64_t count = -1 - level->left;
  bool pairs = level->type == '%' || level->type == '|';
  if (!is_rest(token, "")) return bad(scanner, in, token->at, "a bad end of an aggregate");
  if (pairs && count % 2) return bad(scanner, in, token->at, "a key without a value");
  scanner->depth--;
  if (scanner->depth == 0) scanner->integer = count;
  if (level->type == '|' && scanner->depth > 0) return STEP_ON;
  return close_value(scanner, false);
}

static enum step take_token(vb_scanner *scanner, const scan_input *in) {
  scan_token token;
  enum step step = read_token(scanner, in, &token);
  if (step != STEP_ON) return step;
  if (!scanner->type) scanner->type = *token.at;
  switch (*token.at) {
  case '$':
  case '=':
  case '!': return take_bulk(scanner, in, &token);
  case '*':
  case '~':
  case '%':
  case '>':
  case '|': return take_aggregate(scanner, in, &token);
  case ';': return take_chunk(scanner, in, &token);
  case '.': return take_end(scanner, in, &token);
  default: return take_line(scanner, in, &token);
  }
}

/* All state but the limit and the reason, which nobody reads before it is written. */
static void begin(vb_scanner *scanner) {
  scanner->null = scanner->has_text = scanner->streamed_bulk = false;
  scanner->type = 0;
  scanner->integer = 0;
  scanner->hits = scanner->misses = 0;
  scanner->text = scanner->text_length = 0;
  scanner->position = scanner->released = scanner->searched = 0;
  scanner->skip = 0;
  scanner->depth = 0;
}

static enum vb_scan finish(vb_scanner *scanner, const char *data, size_t *used, vb_reply *reply) {
  bool whole = scanner->released == 0;
  bool text = whole && scanner->has_text;
  *reply = (vb_reply){
      .type = scanner->type,
      .null = scanner->null,
      .error = scanner->type == '-' || scanner->type == '!',
      .integer = scanner->integer,
      .hits = scanner->hits,
      .misses = scanner->misses,
      .text = text ? data + scanner->text : NULL,
      .text_length = text ? scanner->text_length : 0,
      .bytes = whole ? data : NULL,
      .size = scanner->released + scanner->position,
  };
  *used = scanner->position;
  scanner->busy = false;
  if (scanner->type == '>') return VB_SCAN_PUSH;
  return scanner->type == '|' ? VB_SCAN_ATTRIBUTE : VB_SCAN_REPLY;
}

static enum vb_scan hold(vb_scanner *scanner, bool keep, size_t *used) {
  scanner->busy = true;
  *used = 0;
  if (!keep) {
    *used = scanner->position;
    scanner->released += scanner->position;
    scanner->position = 0;
  }
  return VB_SCAN_MORE;
}

static enum vb_scan scan(vb_scanner *scanner, const scan_input *in, size_t *used, vb_reply *reply) {
  if (!scanner->busy) begin(scanner);
  enum step step = STEP_ON;
  while (step == STEP_ON) step = scanner->skip ? pass_bulk(scanner, in) : take_token(scanner, in);
  if (step == STEP_DONE) return finish(scanner, in->data, used, reply);
  if (step == STEP_MORE) return hold(scanner, in->keep, used);
  *used = 0;
  return VB_SCAN_BAD;
}

/* The replies that a benchmark gets by the million, when they lie whole in the data: "+OK", a
 * number that is not negative, a bulk string, its null. 0: something else. Otherwise the reply's
 * size. */
static inline size_t scan_common(const char *data, size_t length, vb_reply *reply) {
  if (length < 4) return 0;
  const char *end = data + length, *text = data + 1, *next;
  int64_t number = 0;
  size_t text_length;
  switch (data[0]) {
  case '+':
    if (length < 5 || memcmp(data, "+OK\r\n", 5) != 0) return 0;
    next = data + 5;
    text_length = 2;
    break;
  case ':':
    next = read_digits(text, end, &number);
    if (!next) return 0;
    text_length = (size_t)(next - text) - 2;
    break;
  case '$':
    if (data[1] == '-') {
      if (length < 5 || memcmp(data, "$-1\r\n", 5) != 0) return 0;
      *reply = (vb_reply){.type = '$', .null = true, .misses = 1, .bytes = data, .size = 5};
      return 5;
    }
    text = read_digits(text, end, &number);
    if (!text || end - text < number + 2) return 0;
    next = text + number + 2;
    if (next[-2] != '\r' || next[-1] != '\n') return 0;
    text_length = (size_t)number;
    break;
  default: return 0;
  }
  size_t size = (size_t)(next - data);
  *reply = (vb_reply){.type = data[0],
                      .integer = number,
                      .hits = 1,
                      .text = text,
                      .text_length = text_length,
                      .bytes = data,
                      .size = size};
  return size;
}

size_t vb_scanner_success(const char *data, size_t length) {
  static const char ok[] = "+OK\r\n";
  vb_reply reply;
  if (VB_LIKELY(length >= sizeof ok - 1 && !memcmp(data, ok, sizeof ok - 1))) return sizeof ok - 1;
  return scan_common(data, length, &reply);
}

enum vb_scan vb_scanner_next(vb_scanner *scanner, const char *data, size_t length, bool keep,
                             size_t *used, vb_reply *reply) {
  if (VB_LIKELY(!scanner->busy)) {
    size_t size = scan_common(data, length, reply);
    if (VB_LIKELY(size && size <= scanner->max_reply)) {
      *used = size;
      return VB_SCAN_REPLY;
    }
    if (!length) {
      *used = 0;
      return VB_SCAN_MORE;
    }
  }
  return scan(scanner, &(scan_input){data, length, keep}, used, reply);
}
