#include "command/stamp.h"
#include "command/template.h"

#include <math.h>
#include <stdlib.h>

enum { ID_BOUND = 20, VECTOR_TEXT_BOUND = VB_STEPS_BOUND + 1, ESCAPED = 6, WORDS_MAX = 1 << 20 };

static const double size_max = 512.0 * 1024 * 1024; /* of a value, as servers have it */

/* Longest value that is drawn afresh; longer ones are cut from the pool. */
static const size_t direct_max = 64;

static int complain(const char *where, vb_error *err, const char *what) {
  return vb_fail(err, VB_EINVAL, "%s: %s", where, what);
}

static int check_choices(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  bool tags = part->kind == VB_PART_TAGS;
  if (!part->choice_count) return complain(where, err, "nothing to choose from");
  for (uint32_t i = 0; i < part->choice_count; i++) {
    double weight = part->choices[i].weight;
    if (tags ? !(weight >= 0 && weight <= 100) : !(weight > 0 && isfinite(weight)))
      return vb_fail(err, VB_EINVAL,
                     tags ? "%s: the percentage %g of a tag; it is 0 to 100"
                          : "%s: the weight %g; it is any number above 0",
                     where, weight);
    hole->weight_sum += weight;
  }
  return VB_OK;
}

static int check_choice(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  int failed = check_choices(hole, where, err);
  if (failed) return failed;
  hole->fixed = part->choices[0].length;
  for (uint32_t i = 0; i < part->choice_count; i++) {
    size_t length = part->choices[i].length;
    if (length > hole->bound) hole->bound = length;
    if (length != part->choices[0].length) hole->fixed = VB_VARIABLE;
  }
  return VB_OK;
}

static int check_tags(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  for (uint32_t i = 0; i < part->choice_count; i++)
    hole->bound += part->choices[i].length + part->length;
  return check_choices(hole, where, err);
}

static int check_range(const vb_part *part, double most, const char *what, const char *where,
                       vb_error *err) {
  if (!(part->min >= 0 && part->max <= most))
    return vb_fail(err, VB_EINVAL, "%s: %s of %g to %g; 0 to %.0f are possible", where, what,
                   part->min, part->max, most);
  if (part->min > part->max)
    return vb_fail(err, VB_EINVAL, "%s: %s: min %g is above max %g", where, what, part->min,
                   part->max);
  return VB_OK;
}

static int check_sizes(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  for (uint32_t i = 0; i < part->choice_count; i++) {
    if ((double)part->choices[i].size > size_max)
      return vb_fail(err, VB_EINVAL, "%s: a size of %llu; 0 to %.0f are possible", where,
                     (unsigned long long)part->choices[i].size, size_max);
    if (part->choices[i].size > hole->bound) hole->bound = part->choices[i].size;
  }
  if (part->choice_count == 1) hole->fixed = hole->bound;
  return check_choices(hole, where, err);
}

static int check_bytes(vb_hole *hole, const char *where, vb_error *err) {
  vb_part *part = &hole->part;
  if (!(part->compressible >= 0 && part->compressible <= 1))
    return vb_fail(err, VB_EINVAL, "%s: compressible is %g; it is 0 to 1", where,
                   part->compressible);
  if (part->choice_count) return check_sizes(hole, where, err);
  int failed = check_range(part, size_max, "a size", where, err);
  if (failed) return failed;
  hole->bound = (size_t)part->max;
  if ((size_t)part->min == hole->bound) hole->fixed = hole->bound;
  return VB_OK;
}

static int check_vector(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  if (part->dtype < VB_DTYPE_FLOAT32 || part->dtype > VB_DTYPE_BINARY)
    return complain(where, err, "no such dtype");
  if (!part->dimensions || part->dimensions > 1u << 20)
    return vb_fail(err, VB_EINVAL, "%s: a vector of %u dimensions; 1 to %u are possible", where,
                   part->dimensions, 1u << 20);
  if (part->json)
    hole->bound = 2 + (size_t)part->dimensions * VECTOR_TEXT_BOUND;
  else
    hole->bound = hole->fixed = vb_dtype_bytes(part->dtype, part->dimensions);
  return VB_OK;
}

static int check_text(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  hole->bound = (size_t)fmin(fmax(part->max, 0), WORDS_MAX) * (VB_WORD_MAX + 1);
  return check_range(part, WORDS_MAX, "words", where, err);
}

static int check_timestamp(vb_hole *hole, const char *where, vb_error *err) {
  static const uint8_t lengths[] = {10, 20, 10};
  int format = hole->part.format;
  if (format < 0 || format >= (int)VB_ARRAY_LENGTH(lengths))
    return complain(where, err, "no such format of a timestamp");
  hole->fixed = hole->bound = lengths[format];
  return VB_OK;
}

/* Whether keys of the keyspace have a character that JSON writes another way. */
static bool has_to_escape(const vb_keyspace *keyspace) {
  if (vb_keyspace_dataset(keyspace)) return true;
  for (size_t i = 0; i < keyspace->head + keyspace->tail; i++) {
    unsigned char c = (unsigned char)keyspace->text[i];
    if (c < ' ' || c == '"' || c == '\\') return true;
  }
  return false;
}

static int check_key(vb_hole *hole, const char *where, vb_error *err) {
  vb_part *part = &hole->part;
  bool cursor = part->kind == VB_PART_CURSOR;
  if (cursor && part->cursor) hole->keyspace = vb_cursor_keyspace(part->cursor);
  if (!cursor) hole->keyspace = part->keyspace;
  if (!hole->keyspace)
    return complain(where, err, cursor ? "no cursor to draw from" : "no keyspace of current()");
  if (!part->times_min) part->times_min = 1;
  if (!part->times_max) part->times_max = part->times_min;
  if (part->times_min > part->times_max || part->times_max > VB_TIMES_MAX)
    return vb_fail(err, VB_EINVAL, "%s: times %u to %u; 1 to %d are possible, min not above max",
                   where, part->times_min, part->times_max, VB_TIMES_MAX);
  if (part->same_slot && !vb_cursor_is_range(part->cursor))
    return complain(where, err, "times with same_slot goes with a range of ids, not a part of one");
  if (part->sub) {
    if (!hole->keyspace->subs) return complain(where, err, "a sub-id of a keyspace without them");
    hole->bound = vb_decimal_width(hole->keyspace->subs - 1);
    return VB_OK;
  }
  size_t fixed = vb_keyspace_key_fixed(hole->keyspace);
  hole->escapes = part->json && has_to_escape(hole->keyspace);
  hole->fixed = fixed && !hole->escapes ? fixed : VB_VARIABLE;
  hole->bound = vb_keyspace_key_max(hole->keyspace) * (hole->escapes ? ESCAPED : 1);
  return VB_OK;
}

static int check_kind(vb_hole *hole, const char *where, vb_error *err) {
  switch ((enum vb_part_kind)hole->part.kind) {
  case VB_PART_LITERAL: hole->fixed = hole->bound = hole->part.length; return VB_OK;
  case VB_PART_CURSOR:
  case VB_PART_CURRENT: return check_key(hole, where, err);
  case VB_PART_ID: hole->bound = ID_BOUND; return VB_OK;
  case VB_PART_BYTES: return check_bytes(hole, where, err);
  case VB_PART_INT:
  case VB_PART_FLOAT: return vb_number_init(hole, where, err);
  case VB_PART_TIMESTAMP: return check_timestamp(hole, where, err);
  case VB_PART_STAMP: hole->fixed = hole->bound = VB_STAMP_SIZE; return VB_OK;
  case VB_PART_CHOICE: return check_choice(hole, where, err);
  case VB_PART_TAGS: return check_tags(hole, where, err);
  case VB_PART_VECTOR: return check_vector(hole, where, err);
  case VB_PART_TEXT: return check_text(hole, where, err);
  case VB_PART_FUNCTION:
  case VB_PART_ARG: hole->bound = VB_VARIABLE; return VB_OK;
  case VB_PART_FIELD:
  case VB_PART_MEMBERS:
  case VB_PART_QUERY: return vb_hole_init_field(hole, where, err);
  }
  return complain(where, err, "no such kind of argument");
}

static char *copy_text(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) return NULL;
  if (length) memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

static int copy_choices(vb_part *part, const vb_choice *from) {
  vb_choice *copies = calloc(part->choice_count + 1, sizeof *copies);
  part->choices = copies;
  if (!copies) return VB_ENOMEM;
  for (uint32_t i = 0; i < part->choice_count; i++) {
    copies[i] = from[i];
    copies[i].text = copy_text(from[i].text, from[i].length);
    if (!copies[i].text) return VB_ENOMEM;
  }
  return VB_OK;
}

/* What makes two generators give the same content for an id: all but where they stand. */
static uint64_t content_hash(const vb_part *part) {
  double numbers[] = {part->min, part->max, part->skew, part->compressible, part->decimals};
  int kinds[] = {part->kind, part->dtype, (int)part->dimensions};
  uint64_t hash = vb_hash(0, numbers, sizeof numbers);
  hash = vb_hash(hash, kinds, sizeof kinds);
  for (uint32_t i = 0; i < part->choice_count; i++) {
    hash = vb_hash(hash ^ part->choices[i].size, part->choices[i].text, part->choices[i].length);
    hash = vb_hash(hash, &part->choices[i].weight, sizeof part->choices[i].weight);
  }
  return hash;
}

int vb_hole_init(vb_hole *hole, const vb_part *part, const char *where, vb_error *err) {
  *hole = (vb_hole){.part = *part, .fixed = VB_VARIABLE};
  hole->part.choices = NULL;
  hole->part.text = copy_text(part->text, part->length);
  if (!hole->part.text || copy_choices(&hole->part, part->choices))
    return vb_fail(err, VB_ENOMEM, "%s: out of memory", where);
  bool number = part->kind == VB_PART_INT || part->kind == VB_PART_FLOAT;
  hole->from_id = part->from_id || (number && part->distribution == VB_FROM_ID);
  hole->content = content_hash(&hole->part);
  return check_kind(hole, where, err);
}

void vb_hole_fini(vb_hole *hole) {
  free((char *)(uintptr_t)hole->part.text);
  for (uint32_t i = 0; hole->part.choices && i < hole->part.choice_count; i++)
    free((char *)(uintptr_t)hole->part.choices[i].text);
  free((vb_choice *)(uintptr_t)hole->part.choices);
}

bool vb_hole_needs_id(const vb_hole *hole) {
  int kind = hole->part.kind;
  bool key = kind == VB_PART_CURSOR || kind == VB_PART_LITERAL;
  return kind == VB_PART_ID || kind == VB_PART_CURRENT || (hole->from_id && !key);
}

bool vb_hole_needs_pool(const vb_hole *hole) {
  return hole->part.kind == VB_PART_BYTES && hole->bound > direct_max;
}
