#include "command/template.h"

#include "base/clock.h"
#include "command/stamp.h"

enum { DRAWN = 24 }; /* bytes that begin a value cut from the pool */

/* Eight characters 0-9 A-Z a-z - _ from the low six bits of each byte: lanes are compared with
 * where the runs begin (0x80 - start carries into bit 7) and moved by the difference of the codes.
 */
static uint64_t characters(uint64_t bits) {
  const uint64_t ones = 0x0101010101010101ull;
  uint64_t six = bits & ones * 63;
  uint64_t upper = (six + ones * (0x80 - 10)) >> 7 & ones;
  uint64_t lower = (six + ones * (0x80 - 36)) >> 7 & ones;
  uint64_t dash = (six + ones * (0x80 - 62)) >> 7 & ones;
  uint64_t line = (six + ones * (0x80 - 63)) >> 7 & ones;
  return six + ones * '0' + upper * ('A' - '9' - 1) + lower * ('a' - 'Z' - 1) -
         dash * ('z' + 1 - '-') + line * ('_' - '-' - 1);
}

static void write_characters(char *to, size_t length, vb_rng *rng) {
  for (; length >= 8; length -= 8, to += 8) {
    uint64_t eight = characters(vb_rng_next(rng));
    memcpy(to, &eight, 8);
  }
  if (!length) return;
  uint64_t rest = characters(vb_rng_next(rng));
  for (; length; length--, rest >>= 8) *to++ = (char)(rest & 255);
}

void vb_pool_fill(char pool[VB_POOL_SIZE], uint64_t seed) {
  vb_rng rng = {seed};
  write_characters(pool, VB_POOL_SIZE, &rng);
}

/* Values with a pool: a drawn beginning, so that no two are equal, then windows of the pool (a
 * memory copy, so that a client's cost hardly depends on the size). */
static void write_random(const vb_hole *hole, char *to, size_t length, uint64_t random) {
  vb_rng rng = {random};
  size_t drawn = hole->pool && length > DRAWN ? DRAWN : length;
  write_characters(to, drawn, &rng);
  for (size_t at = drawn; at < length;) {
    size_t window = length - at < VB_POOL_SIZE / 2 ? length - at : VB_POOL_SIZE / 2;
    memcpy(to + at, hole->pool + vb_below(vb_rng_next(&rng), VB_POOL_SIZE / 2), window);
    at += window;
  }
}

static size_t write_bytes(const vb_hole *hole, const vb_operation *operation, uint64_t random,
                          char *to) {
  size_t size = vb_hole_size(hole, operation), repeated = 0;
  if (VB_UNLIKELY(hole->part.compressible > 0))
    repeated = (size_t)((double)size * hole->part.compressible + 0.5);
  write_random(hole, to, size - repeated, random ^ hole->content);
  if (repeated) memset(to + size - repeated, 'x', repeated);
  return size;
}

static const vb_choice *choose(const vb_hole *hole, uint64_t random) {
  double left = vb_unit(random) * hole->weight_sum;
  const vb_part *part = &hole->part;
  for (uint32_t i = 0; i + 1 < part->choice_count; i++) {
    left -= part->choices[i].weight;
    if (left < 0) return &part->choices[i];
  }
  return &part->choices[part->choice_count - 1];
}

static size_t write_tags(const vb_part *part, uint64_t random, char *to) {
  vb_rng rng = {random};
  char *at = to;
  for (uint32_t i = 0; i < part->choice_count; i++) {
    const vb_choice *tag = &part->choices[i];
    if (vb_unit(vb_rng_next(&rng)) * 100 >= tag->weight) continue;
    if (at != to) {
      memcpy(at, part->text, part->length);
      at += part->length;
    }
    memcpy(at, tag->text, tag->length);
    at += tag->length;
  }
  return (size_t)(at - to);
}

static size_t write_words(const vb_part *part, uint64_t random, char *to) {
  vb_rng rng = {random};
  uint64_t words = (uint64_t)part->min +
                   vb_below(vb_rng_next(&rng), (uint64_t)part->max - (uint64_t)part->min + 1);
  char *at = to;
  for (uint64_t i = 0; i < words; i++) {
    const char *word = vb_words[vb_below(vb_rng_next(&rng), vb_word_count)];
    size_t length = strlen(word);
    if (i) *at++ = ' ';
    memcpy(at, word, length);
    at += length;
  }
  return (size_t)(at - to);
}

/* Days since 1970 as year, month, day of the Gregorian calendar, on years that begin in March (H.
 * Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013); gmtime_r would take a lock. */
static void write_date(uint64_t days, char *to) {
  uint64_t since = days + 719468; /* 1 March of the year 0 */
  uint64_t era = since / 146097, day = since % 146097;
  uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  day -= 365 * year + year / 4 - year / 100;
  uint64_t month = (5 * day + 2) / 153;
  vb_decimal_write(to, year + era * 400 + (month >= 10), 4);
  vb_decimal_write(to + 5, month < 10 ? month + 3 : month - 9, 2);
  vb_decimal_write(to + 8, day - (153 * month + 2) / 5 + 1, 2);
  to[4] = to[7] = '-';
}

static size_t write_time(int format, char *to) {
  uint64_t now = vb_clock_read(CLOCK_REALTIME) / VB_NS_PER_S;
  if (!format) {
    vb_digits_write(to, now, 10);
    return 10;
  }
  write_date(now / 86400, to);
  if (format == 2) return 10;
  memcpy(to + 10, "T00:00:00Z", 10);
  vb_decimal_write(to + 11, now % 86400 / 3600, 2);
  vb_decimal_write(to + 14, now % 3600 / 60, 2);
  vb_decimal_write(to + 17, now % 60, 2);
  return 20;
}

size_t vb_json_escape(const char *text, size_t length, char *to) {
  static const char hex[] = "0123456789abcdef";
  char *at = to;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < ' ') {
      memcpy(at, "\\u00", 4);
      at[4] = hex[c >> 4];
      at[5] = hex[c & 15];
      at += 6;
      continue;
    }
    if (c == '"' || c == '\\') *at++ = '\\';
    *at++ = (char)c;
  }
  return (size_t)(at - to);
}

size_t vb_hole_write_key(const vb_hole *hole, uint64_t id, char *to) {
  if (VB_LIKELY(!hole->escapes)) return vb_keyspace_write(hole->keyspace, id, to);
  char key[VB_KEY_MAX];
  return vb_json_escape(key, vb_keyspace_write(hole->keyspace, id, key), to);
}

/* The number that the content follows from: the hole's draw, or that of the id. */
static uint64_t random_of(const vb_hole *hole, const vb_operation *operation) {
  if (hole->from_id) return vb_draw(hole->seed, operation->id, hole->content);
  return vb_draw(operation->stream, operation->n, hole->part.hole);
}

size_t vb_hole_size(const vb_hole *hole, const vb_operation *operation) {
  const vb_part *part = &hole->part;
  if (hole->fixed != VB_VARIABLE) return hole->fixed;
  if (part->kind != VB_PART_BYTES) return VB_VARIABLE;
  uint64_t random = random_of(hole, operation);
  if (part->choice_count) return choose(hole, random)->size;
  return (size_t)part->min + vb_below(random, (uint64_t)part->max - (uint64_t)part->min + 1);
}

static size_t write_choice(const vb_hole *hole, uint64_t random, char *to) {
  const vb_choice *choice = choose(hole, random);
  memcpy(to, choice->text, choice->length);
  return choice->length;
}

static size_t write_current(const vb_hole *hole, const vb_operation *operation, char *to) {
  uint64_t id = vb_operation_current(operation, hole->keyspace);
  return hole->part.sub ? vb_decimal_append(to, id % hole->keyspace->subs)
                        : vb_hole_write_key(hole, id, to);
}

size_t vb_hole_write(const vb_hole *hole, const vb_operation *operation, char *to) {
  const vb_part *part = &hole->part;
  switch ((enum vb_part_kind)part->kind) {
  case VB_PART_LITERAL: memcpy(to, part->text, part->length); return part->length;
  case VB_PART_CURRENT: return write_current(hole, operation, to);
  case VB_PART_ID: return vb_decimal_append(to, vb_operation_id(operation));
  case VB_PART_BYTES: return write_bytes(hole, operation, random_of(hole, operation), to);
  case VB_PART_INT:
  case VB_PART_FLOAT: return vb_number_write(hole, operation, random_of(hole, operation), to);
  case VB_PART_TIMESTAMP: return write_time(part->format, to);
  case VB_PART_CHOICE: return write_choice(hole, random_of(hole, operation), to);
  case VB_PART_TAGS: return write_tags(part, random_of(hole, operation), to);
  case VB_PART_VECTOR: return vb_vector_write(hole, random_of(hole, operation), to);
  case VB_PART_TEXT: return write_words(part, random_of(hole, operation), to);
  case VB_PART_STAMP: vb_stamp_write(to); return VB_STAMP_SIZE;
  case VB_PART_FIELD:
  case VB_PART_QUERY: return vb_hole_write_field(hole, operation, to);
  case VB_PART_CURSOR:
  case VB_PART_MEMBERS:
  case VB_PART_FUNCTION:
  case VB_PART_ARG: break;
  }
  return 0;
}
