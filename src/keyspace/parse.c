#include "keyspace/parse.h"

#include "keyspace/format.h"

/* What of a key has not been read yet. */
typedef struct rest {
  const char *at, *end;
} rest;

static bool take_text(rest *key, const char *text, size_t length) {
  if ((size_t)(key->end - key->at) < length || memcmp(key->at, text, length) != 0) return false;
  key->at += length;
  return true;
}

/* "{", something, "}". */
static bool take_tag(rest *key) {
  if (key->at == key->end || *key->at != '{') return false;
  const char *close = memchr(key->at, '}', (size_t)(key->end - key->at));
  if (!close || close == key->at + 1) return false;
  key->at = close + 1;
  return true;
}

/* The part of the layout's text in [from, to), with any tag where it has one. */
static bool take_layout(const vb_keyspace *keyspace, rest *key, size_t from, size_t to) {
  for (uint32_t i = 0; i < keyspace->tag_count; i++) {
    size_t tag = keyspace->tags[i];
    if (tag < from || tag >= to) continue;
    if (!take_text(key, keyspace->text + from, tag - from) || !take_tag(key)) return false;
    from = tag + VB_TAG_LENGTH;
  }
  return take_text(key, keyspace->text + from, to - from);
}

/* As it is written: at least `width` digits, and no zero before more than that. */
static bool take_number(rest *key, unsigned width, uint64_t *number) {
  const char *start = key->at;
  uint64_t value = 0;
  for (; key->at < key->end && *key->at >= '0' && *key->at <= '9'; key->at++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(*key->at - '0'), &value))
      return false;
  size_t digits = (size_t)(key->at - start);
  *number = value;
  return digits && digits >= width && (digits == width || digits == 1 || *start != '0');
}

static bool take_sub(const vb_keyspace *keyspace, rest *key, uint64_t *sub) {
  return take_text(key, ":", 1) && take_number(key, 0, sub) && *sub < keyspace->subs;
}

/* What stands behind the prefix; *id is the number that all of it makes. */
static bool take_id(const vb_keyspace *keyspace, rest *key, uint64_t *id) {
  uint64_t number, sub = 0;
  rest before = *key;
  if (keyspace->tag_count || !take_tag(key) || !take_text(key, ":", 1)) *key = before;
  if (!take_number(key, keyspace->width, &number)) return false;
  if (!take_layout(keyspace, key, keyspace->head, keyspace->head + keyspace->tail)) return false;
  if (keyspace->subs && !take_sub(keyspace, key, &sub)) return false;
  uint64_t subs = keyspace->subs ? keyspace->subs : 1;
  if (__builtin_mul_overflow(number, subs, id)) *id = UINT64_MAX;
  if (*id != UINT64_MAX) *id += sub;
  return key->at == key->end;
}

static bool read_key(const vb_keyspace *keyspace, const char *key, size_t length, uint64_t *id) {
  rest all = {key, key + length}, inner = all;
  if (take_layout(keyspace, &inner, 0, keyspace->head) && take_id(keyspace, &inner, id))
    return true;
  inner = all;
  return take_tag(&inner) && take_layout(keyspace, &inner, 0, keyspace->head) &&
         take_id(keyspace, &inner, id);
}

int vb_keyspace_parse(const vb_keyspace *keyspace, const char *key, size_t length, uint64_t *id) {
  uint64_t found;
  char own[VB_KEY_MAX];
  if (keyspace->dataset || keyspace->subs_apart || !read_key(keyspace, key, length, &found))
    return VB_KEY_FOREIGN;
  if (found >= keyspace->size || !vb_keyspace_in_slots(keyspace, found)) return VB_KEY_OUTSIDE;
  *id = found;
  size_t written = vb_keyspace_write(keyspace, found, own);
  return written == length && !memcmp(own, key, length) ? VB_KEY_OWN : VB_KEY_TAGGED;
}

int vb_keyspace_tag_of(const vb_keyspace *keyspace, const char *key, size_t length, uint64_t id,
                       char *tag) {
  char own[VB_KEY_MAX];
  if (!vb_keyspace_learns(keyspace) || vb_keyspace_write(keyspace, id, own) != length) return 0;
  size_t width = length - keyspace->head - keyspace->tail;
  for (uint32_t i = 0; i < keyspace->tag_count; i++) {
    size_t at = keyspace->tags[i] + (keyspace->tags[i] >= keyspace->head ? width : 0) + 1;
    if (!i) memcpy(tag, key + at, VB_SLOT_TAG);
    memcpy(own + at, tag, VB_SLOT_TAG);
  }
  return !memcmp(own, key, length) && !memchr(tag, 0, VB_SLOT_TAG);
}

/* Counts what does not fit, so that the caller learns the length. */
static size_t put(char *to, size_t room, size_t at, char c) {
  if (at + 1 < room) to[at] = c;
  return at + 1;
}

static size_t put_literal(char *to, size_t room, size_t at, char c) {
  if (strchr("*?[]\\^", c)) at = put(to, room, at, '\\');
  return put(to, room, at, c);
}

size_t vb_match_prefix(const char *text, size_t length, char *to, size_t room) {
  size_t at = 0;
  for (size_t i = 0; i < length; i++) at = put_literal(to, room, at, text[i]);
  at = put(to, room, at, '*');
  to[at < room ? at : room - 1] = 0;
  return at;
}

size_t vb_keyspace_match(const vb_keyspace *keyspace, int anywhere, char *to, size_t room) {
  size_t at = anywhere ? put(to, room, 0, '*') : 0;
  for (size_t i = 0, tag = 0; i < keyspace->head; i++) {
    if (tag < keyspace->tag_count && keyspace->tags[tag] == i) {
      at = put(to, room, put(to, room, put(to, room, at, '{'), '*'), '}');
      i += VB_TAG_LENGTH - 1;
      tag++;
    } else {
      at = put_literal(to, room, at, keyspace->text[i]);
    }
  }
  at = put(to, room, at, '*');
  to[at < room ? at : room - 1] = 0;
  return at;
}
