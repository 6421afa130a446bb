#include "dataset/json.h"

#include <string.h>

enum { DEPTH_MAX = 128 };

static bool wrong(vb_json *json, const char *what) {
  if (!json->wrong) json->wrong = what;
  return false;
}

static void skip_space(vb_json *json) {
  while (json->at < json->end &&
         (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r'))
    json->at++;
}

char vb_json_peek(vb_json *json) {
  skip_space(json);
  return json->at < json->end ? *json->at : 0;
}

bool vb_json_take(vb_json *json, char c) {
  skip_space(json);
  if (json->at == json->end || *json->at != c) return false;
  json->at++;
  return true;
}

/* --- strings ---------------------------------------------------------------------------------- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind \u; -1 when there are not so many. */
static int read_unit(const char *at, const char *end) {
  int unit = 0;
  if (end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit;
}

static char *put_utf8(char *to, unsigned code) {
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xc0 | code >> 6);
    *to++ = (char)(0x80 | (code & 63));
  } else if (code < 0x10000) {
    *to++ = (char)(0xe0 | code >> 12);
    *to++ = (char)(0x80 | (code >> 6 & 63));
    *to++ = (char)(0x80 | (code & 63));
  } else {
    *to++ = (char)(0xf0 | code >> 18);
    *to++ = (char)(0x80 | (code >> 12 & 63));
    *to++ = (char)(0x80 | (code >> 6 & 63));
    *to++ = (char)(0x80 | (code & 63));
  }
  return to;
}

/* At the digits behind \u: one unit, or two of a pair. */
static bool take_unicode(vb_json *json, char **to) {
  int high = read_unit(json->at, json->end), low;
  if (high < 0) return wrong(json, "\\u without four hexadecimal digits");
  json->at += 4;
  if (high < 0xd800 || high > 0xdfff) {
    *to = put_utf8(*to, (unsigned)high);
    return true;
  }
  if (high > 0xdbff || json->end - json->at < 6 || json->at[0] != '\\' || json->at[1] != 'u' ||
      (low = read_unit(json->at + 2, json->end)) < 0xdc00 || low > 0xdfff)
    return wrong(json, "half of a surrogate pair");
  json->at += 6;
  *to = put_utf8(*to, 0x10000u + ((unsigned)(high - 0xd800) << 10) + (unsigned)(low - 0xdc00));
  return true;
}

static bool take_escape(vb_json *json, char **to) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  if (json->at == json->end) return wrong(json, "a string without its closing quote");
  char c = *json->at++;
  if (c == 'u') return take_unicode(json, to);
  const char *name = c ? strchr(names, c) : NULL;
  if (!name) return wrong(json, "an escape that JSON does not know");
  *(*to)++ = values[name - names];
  return true;
}

/* The bytes up to a quote, a backslash or a control character. */
static char *find_special(char *at, const char *end) {
  while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) at++;
  return at;
}

bool vb_json_string(vb_json *json, char **text, size_t *length) {
  if (!vb_json_take(json, '"')) return wrong(json, "a string was expected");
  char *to = json->at;
  *text = to;
  for (;;) {
    char *special = find_special(json->at, json->end);
    size_t plain = (size_t)(special - json->at);
    if (to != json->at && plain) memmove(to, json->at, plain);
    to += plain;
    json->at = special;
    if (special == json->end) return wrong(json, "a string without its closing quote");
    json->at++;
    if (*special == '"') break;
    if (*special != '\\') return wrong(json, "a control character in a string");
    if (!take_escape(json, &to)) return false;
  }
  *length = (size_t)(to - *text);
  return true;
}

/* Passes a string without changing it: inside arrays and objects, which stay as written. */
static bool skip_string(vb_json *json) {
  for (json->at++; json->at < json->end; json->at++) {
    if (*json->at == '"') return json->at++, true;
    if ((unsigned char)*json->at < 0x20) return wrong(json, "a control character in a string");
    if (*json->at == '\\' && ++json->at == json->end) break;
  }
  return wrong(json, "a string without its closing quote");
}

/* --- numbers, words --------------------------------------------------------------------------- */

static bool skip_digits(vb_json *json) {
  char *first = json->at;
  while (json->at < json->end && *json->at >= '0' && *json->at <= '9') json->at++;
  return json->at > first;
}

static bool skip_number(vb_json *json) {
  json->at += *json->at == '-';
  bool zero = json->at < json->end && *json->at == '0';
  char *first = json->at;
  if (!skip_digits(json) || (zero && json->at > first + 1)) return wrong(json, "a bad number");
  if (json->at < json->end && *json->at == '.') {
    json->at++;
    if (!skip_digits(json)) return wrong(json, "a bad number");
  }
  if (json->at < json->end && (*json->at | 32) == 'e') {
    json->at++;
    json->at += json->at < json->end && (*json->at == '-' || *json->at == '+');
    if (!skip_digits(json)) return wrong(json, "a bad number");
  }
  return true;
}

static bool take_word(vb_json *json, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(json->end - json->at) < length || memcmp(json->at, word, length) != 0)
    return wrong(json, "a word that is no JSON");
  json->at += length;
  return true;
}

/* What Python's json writes for NaN and infinities. */
static int not_finite(vb_json *json) {
  (void)wrong(json, "NaN and Infinity are no JSON");
  return -1;
}

static int skip_scalar(vb_json *json) {
  switch (vb_json_peek(json)) {
  case '"': return skip_string(json) ? VB_CELL_TEXT : -1;
  case 't': return take_word(json, "true") ? VB_CELL_BOOLEAN : -1;
  case 'f': return take_word(json, "false") ? VB_CELL_BOOLEAN : -1;
  case 'n': return take_word(json, "null") ? VB_CELL_NONE : -1;
  case '-':
    if (json->end - json->at > 1 && json->at[1] == 'I') return not_finite(json);
  /* fall through */
  case '0' ... '9': return skip_number(json) ? VB_CELL_NUMBER : -1;
  case 'N':
  case 'I': return not_finite(json);
  default: return wrong(json, "a value was expected"), -1;
  }
}

/* --- arrays and objects ----------------------------------------------------------------------- */

/* What closes each of the arrays and objects that are open. */
typedef struct nesting {
  char closers[DEPTH_MAX];
  unsigned depth;
} nesting;

/* Before a value or a member: the name, where there must be one. */
static bool enter_member(vb_json *json, const nesting *open) {
  if (open->closers[open->depth - 1] == ']') return true;
  if (vb_json_peek(json) != '"') return wrong(json, "a name was expected");
  if (!skip_string(json)) return false;
  return vb_json_take(json, ':') || wrong(json, "a ':' was expected");
}

static bool open_nested(vb_json *json, nesting *open, char c) {
  if (open->depth == DEPTH_MAX) return wrong(json, "more than 128 arrays in each other");
  open->closers[open->depth++] = c == '[' ? ']' : '}';
  json->at++;
  return true;
}

/* Behind a value: closes what is closed. False when the outermost was, or something is wrong. */
static bool go_on(vb_json *json, nesting *open) {
  while (open->depth && vb_json_take(json, open->closers[open->depth - 1])) open->depth--;
  if (open->depth == 0) return false;
  return vb_json_take(json, ',') || wrong(json, "a ',' was expected");
}

static bool skip_nested(vb_json *json) {
  nesting open = {.depth = 0};
  for (;;) {
    char c = vb_json_peek(json);
    if (c == '[' || c == '{') {
      if (!open_nested(json, &open, c)) return false;
      if (vb_json_peek(json) != open.closers[open.depth - 1]) {
        if (!enter_member(json, &open)) return false;
        continue;
      }
    } else if (skip_scalar(json) < 0) {
      return false;
    }
    if (!go_on(json, &open)) return json->wrong == NULL;
    if (!enter_member(json, &open)) return false;
  }
}

bool vb_json_value(vb_json *json, vb_cell *cell) {
  char first = vb_json_peek(json), *text;
  if (first == '"') {
    cell->kind = VB_CELL_TEXT;
    bool good = vb_json_string(json, &text, &cell->length);
    cell->bytes = text;
    return good;
  }
  char *start = json->at;
  if (first == '[' || first == '{') {
    cell->kind = first == '[' ? VB_CELL_LIST : VB_CELL_OBJECT;
    if (!skip_nested(json)) return false;
  } else {
    cell->kind = skip_scalar(json);
    if (cell->kind < 0) return false;
  }
  cell->bytes = start;
  cell->length = (size_t)(json->at - start);
  return true;
}
