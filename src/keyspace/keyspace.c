#include "keyspace/keyspace.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECES_MAX = 8, TAG_LENGTH = 5, DIGITS_MAX = 20 };

enum piece_kind { PIECE_TEXT, PIECE_TAG, PIECE_NUMBER };

typedef struct piece {
  enum piece_kind kind;
  const char *text; /* in the keyspace's own copy */
  size_t length;
  unsigned width; /* of the number; 0: no padding */
} piece;

struct vb_keyspace {
  char *name, *text; /* text: the pattern's literal parts, behind each other */
  uint64_t size;
  size_t key_max, key_fixed;
  unsigned piece_count;
  piece pieces[PIECES_MAX];
};

static int complain(const vb_keyspace_spec *spec, vb_error *err, const char *what) {
  return vb_fail(err, VB_EINVAL, "keyspace '%s': %s", spec->name ? spec->name : "", what);
}

static piece *add_piece(vb_keyspace *keyspace, enum piece_kind kind) {
  if (keyspace->piece_count == PIECES_MAX) return NULL;
  piece *added = &keyspace->pieces[keyspace->piece_count++];
  *added = (piece){.kind = kind};
  return added;
}

/* Adds one character of literal text, whose place is behind what is there. */
static int add_character(vb_keyspace *keyspace, char *to, char character) {
  piece *last = keyspace->piece_count ? &keyspace->pieces[keyspace->piece_count - 1] : NULL;
  if (!last || last->kind != PIECE_TEXT) last = add_piece(keyspace, PIECE_TEXT);
  if (!last) return VB_EINVAL;
  if (!last->length) last->text = to;
  *to = character;
  last->length++;
  return VB_OK;
}

/* Reads what follows a '%': [0][width]d. Returns its length, 0 when it is not that. */
static size_t read_number(const char *at, unsigned *width) {
  size_t length = 0;
  *width = 0;
  while (at[length] >= '0' && at[length] <= '9' && length < 4)
    *width = *width * 10 + (unsigned)(at[length++] - '0');
  return at[length] == 'd' ? length + 1 : 0;
}

static int add_number(vb_keyspace *keyspace, const vb_keyspace_spec *spec, unsigned width,
                      vb_error *err) {
  for (unsigned i = 0; i < keyspace->piece_count; i++)
    if (keyspace->pieces[i].kind == PIECE_NUMBER)
      return complain(spec, err, "the pattern has two numbers, exactly one is right");
  if (width > DIGITS_MAX) return complain(spec, err, "width: 0 to 20 digits are possible");
  piece *number = add_piece(keyspace, PIECE_NUMBER);
  if (!number) return complain(spec, err, "the pattern has too many parts");
  number->width = width;
  return VB_OK;
}

static int read_pattern(vb_keyspace *keyspace, const vb_keyspace_spec *spec, vb_error *err) {
  static const char hashtag[] = "{HASHTAG}";
  char *to = keyspace->text;
  bool numbered = false;
  for (const char *at = spec->pattern; *at;) {
    unsigned width;
    size_t length = at[0] == '%' ? read_number(at + 1, &width) : 0;
    if (length) {
      int failed = add_number(keyspace, spec, width, err);
      if (failed) return failed;
      numbered = true;
      at += length + 1;
    } else if (!strncmp(at, hashtag, sizeof hashtag - 1)) {
      if (!add_piece(keyspace, PIECE_TAG))
        return complain(spec, err, "the pattern has too many parts");
      at += sizeof hashtag - 1;
    } else {
      if (at[0] == '%' && at[1] != '%')
        return complain(spec, err, "the pattern has a '%' that is neither %d, %012d nor %%");
      if (add_character(keyspace, to++, *at))
        return complain(spec, err, "the pattern has too many parts");
      at += at[0] == '%' ? 2 : 1;
    }
  }
  return numbered ? VB_OK : complain(spec, err, "the pattern has no number: %d or %012d");
}

static int read_prefix(vb_keyspace *keyspace, const vb_keyspace_spec *spec, vb_error *err) {
  if (spec->width < 0 || spec->width > DIGITS_MAX)
    return complain(spec, err, "width: 0 to 20 digits are possible");
  char *to = keyspace->text;
  for (const char *at = spec->prefix; *at; at++) (void)add_character(keyspace, to++, *at);
  return add_number(keyspace, spec, (unsigned)spec->width, err);
}

static void measure(vb_keyspace *keyspace) {
  unsigned digits = vb_decimal_width(keyspace->size - 1);
  bool fixed = true;
  for (unsigned i = 0; i < keyspace->piece_count; i++) {
    const piece *p = &keyspace->pieces[i];
    switch (p->kind) {
    case PIECE_TEXT: keyspace->key_max += p->length; break;
    case PIECE_TAG: keyspace->key_max += TAG_LENGTH; break;
    case PIECE_NUMBER:
      keyspace->key_max += p->width > digits ? p->width : digits;
      fixed = digits == 1 || p->width >= digits;
      break;
    }
  }
  keyspace->key_fixed = fixed ? keyspace->key_max : 0;
}

int vb_keyspace_new(vb_keyspace **out, const vb_keyspace_spec *spec, vb_error *err) {
  if (!spec->prefix == !spec->pattern) return complain(spec, err, "give either prefix or pattern");
  if (!spec->size) return complain(spec, err, "size: at least 1");
  const char *text = spec->pattern ? spec->pattern : spec->prefix;
  vb_keyspace *keyspace = calloc(1, sizeof *keyspace);
  if (keyspace) keyspace->name = strdup(spec->name ? spec->name : "");
  if (keyspace) keyspace->text = malloc(strlen(text) + 1);
  int failed = VB_OK;
  if (!keyspace || !keyspace->name || !keyspace->text)
    failed = vb_fail(err, VB_ENOMEM, "out of memory: a keyspace");
  else
    failed = spec->pattern ? read_pattern(keyspace, spec, err) : read_prefix(keyspace, spec, err);
  if (failed) {
    vb_keyspace_free(keyspace);
    return failed;
  }
  keyspace->size = spec->size;
  measure(keyspace);
  *out = keyspace;
  return VB_OK;
}

void vb_keyspace_free(vb_keyspace *keyspace) {
  if (!keyspace) return;
  free(keyspace->name);
  free(keyspace->text);
  free(keyspace);
}

uint64_t vb_keyspace_size(const vb_keyspace *keyspace) {
  return keyspace->size;
}

size_t vb_keyspace_key_max(const vb_keyspace *keyspace) {
  return keyspace->key_max;
}

size_t vb_keyspace_key_fixed(const vb_keyspace *keyspace) {
  return keyspace->key_fixed;
}

/* Braces around three letters A to Z, written from id % 26^3, as datasets.md says. */
static void write_tag(uint64_t id, char *to) {
  unsigned n = (unsigned)(id % (26 * 26 * 26));
  to[0] = '{';
  to[1] = (char)('A' + n / 676);
  to[2] = (char)('A' + n / 26 % 26);
  to[3] = (char)('A' + n % 26);
  to[4] = '}';
}

static size_t write_piece(const piece *p, uint64_t id, char *to) {
  switch (p->kind) {
  case PIECE_TEXT: memcpy(to, p->text, p->length); return p->length;
  case PIECE_TAG: write_tag(id, to); return TAG_LENGTH;
  case PIECE_NUMBER: break;
  }
  unsigned digits = vb_decimal_width(id), width = p->width > digits ? p->width : digits;
  vb_decimal_write(to, id, width);
  return width;
}

size_t vb_keyspace_write(const vb_keyspace *keyspace, uint64_t id, char *to) {
  size_t length = 0;
  for (unsigned i = 0; i < keyspace->piece_count; i++)
    length += write_piece(&keyspace->pieces[i], id, to + length);
  return length;
}
