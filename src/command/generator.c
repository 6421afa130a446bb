#include "command/template.h"

#include "base/bytes.h"
#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

enum {
  FLOAT_BOUND = 350,
  INTEGER_BOUND = 21,
  TIME_BOUND = 32,
  VECTOR_TEXT_BOUND = 24, /* of one number and its comma */
  DIRECT_MAX = 64         /* bytes that are drawn; longer values are cut from the pool */
};

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

static int complain(const char *where, vb_error *err, const char *what) {
  return vb_fail(err, VB_EINVAL, "%s: %s", where, what);
}

static int check_numbers(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  if (!(part->min <= part->max)) return complain(where, err, "min is above max");
  if (part->max - part->min >= 0x1p63) return complain(where, err, "the range is above 2^63");
  if (part->distribution < VB_UNIFORM || part->distribution > VB_FROM_ID)
    return complain(where, err, "no such distribution");
  if (part->distribution == VB_ZIPFIAN) {
    if (!(part->skew > 0)) return complain(where, err, "the skew is above 0");
    vb_zipf_init(&hole->zipf, (uint64_t)(part->max - part->min) + 1, part->skew);
  }
  if (part->distribution == VB_NORMAL &&
      (!(part->deviation > 0) || part->mean < part->min || part->mean > part->max))
    return complain(where, err, "normal: a mean within the range and a deviation above 0");
  if (part->distribution == VB_EXPONENTIAL && !(part->lambda > 0))
    return complain(where, err, "exponential: lambda is above 0");
  return VB_OK;
}

static int check_choices(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  bool tags = part->kind == VB_PART_TAGS;
  if (!part->choice_count) return complain(where, err, "nothing to choose from");
  for (uint32_t i = 0; i < part->choice_count; i++) {
    double weight = part->choices[i].weight;
    if (tags ? !(weight >= 0 && weight <= 100) : !(weight > 0 && isfinite(weight)))
      return complain(where, err,
                      tags ? "a tag's percentage is 0 to 100" : "a weight is a number above 0");
    hole->weight_sum += weight;
    hole->bound += part->choices[i].length + part->length;
  }
  return VB_OK;
}

static int check_bytes(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  if (!(part->compressible >= 0 && part->compressible <= 1))
    return complain(where, err, "compressible is 0 to 1");
  hole->bound = (size_t)part->max;
  if (part->choice_count) {
    int failed = check_choices(hole, where, err);
    if (failed) return failed;
    hole->bound = 0;
    for (uint32_t i = 0; i < part->choice_count; i++)
      if (part->choices[i].size > hole->bound) hole->bound = part->choices[i].size;
  } else if (!(part->min >= 0 && part->min <= part->max && part->max <= 512.0 * 1024 * 1024)) {
    return complain(where, err, "a size is 0 to 512 MB, min not above max");
  } else if (part->min >= part->max) {
    hole->fixed = hole->bound;
  }
  return VB_OK;
}

static int check_vector(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  if (part->dtype < VB_FLOAT32 || part->dtype > VB_BINARY)
    return complain(where, err, "no such dtype");
  if (!part->dimensions || part->dimensions > 1u << 20)
    return complain(where, err, "a vector has 1 to 1048576 dimensions");
  if (part->json)
    hole->bound = 2 + (size_t)part->dimensions * VECTOR_TEXT_BOUND;
  else
    hole->bound = hole->fixed = vb_vector_bytes(part->dimensions, part->dtype);
  return VB_OK;
}

static int check_text(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  if (!(part->min >= 0 && part->min <= part->max && part->max <= 1e6))
    return complain(where, err, "words: 0 to 1000000, min not above max");
  hole->bound = (size_t)part->max * (VB_WORD_MAX + 1);
  return VB_OK;
}

/* Fills fixed and bound of a key. */
static void measure_key(vb_hole *hole, const vb_keyspace *keyspace) {
  size_t fixed = vb_keyspace_key_fixed(keyspace);
  hole->fixed = fixed ? fixed : VB_VARIABLE;
  hole->bound = vb_keyspace_key_max(keyspace);
}

static int check_kind(vb_hole *hole, const char *where, vb_error *err) {
  const vb_part *part = &hole->part;
  switch ((enum vb_part_kind)part->kind) {
  case VB_PART_LITERAL: hole->fixed = hole->bound = part->length; return VB_OK;
  case VB_PART_CURSOR: measure_key(hole, vb_cursor_keyspace(part->cursor)); return VB_OK;
  case VB_PART_CURRENT: measure_key(hole, part->keyspace); return VB_OK;
  case VB_PART_ID: hole->bound = INTEGER_BOUND; return VB_OK;
  case VB_PART_BYTES: return check_bytes(hole, where, err);
  case VB_PART_INT: hole->bound = INTEGER_BOUND; return check_numbers(hole, where, err);
  case VB_PART_FLOAT:
    hole->bound = FLOAT_BOUND + (part->decimals > 0 ? (size_t)part->decimals : 0);
    if (part->decimals > 100) return complain(where, err, "decimals: at most 100");
    return check_numbers(hole, where, err);
  case VB_PART_TIMESTAMP: hole->bound = TIME_BOUND; return VB_OK;
  case VB_PART_CHOICE:
  case VB_PART_TAGS: return check_choices(hole, where, err);
  case VB_PART_VECTOR: return check_vector(hole, where, err);
  case VB_PART_TEXT: return check_text(hole, where, err);
  case VB_PART_FUNCTION: hole->bound = VB_VARIABLE; return VB_OK;
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

static int copy_choices(vb_hole *hole) {
  vb_part *part = &hole->part;
  vb_choice *copies = calloc(part->choice_count + 1, sizeof *copies);
  const vb_choice *from = part->choices;
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
  hole->part.text = NULL;
  hole->part.choices = NULL;
  int failed = VB_OK;
  if (part->text && !(hole->part.text = copy_text(part->text, part->length))) failed = VB_ENOMEM;
  hole->part.choices = part->choices;
  if (!failed) failed = copy_choices(hole);
  if (failed) return vb_fail(err, failed, "%s: out of memory", where);
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
  return kind == VB_PART_ID || kind == VB_PART_CURRENT || hole->part.from_id ||
         ((kind == VB_PART_INT || kind == VB_PART_FLOAT) && hole->part.distribution == VB_FROM_ID);
}

bool vb_hole_needs_pool(const vb_hole *hole) {
  return hole->part.kind == VB_PART_BYTES && hole->bound > DIRECT_MAX;
}

/* Ten characters of six bits each from one number. */
static void write_characters(char *to, size_t length, vb_rng *rng) {
  while (length) {
    uint64_t bits = vb_rng_next(rng);
    size_t count = length < 10 ? length : 10;
    for (size_t i = 0; i < count; i++, bits >>= 6) *to++ = alphabet[bits & 63];
    length -= count;
  }
}

void vb_pool_fill(char pool[VB_POOL_SIZE], uint64_t seed) {
  vb_rng rng = {seed};
  write_characters(pool, VB_POOL_SIZE, &rng);
}

/* Long values: a drawn beginning, so that no two are equal, then windows of the pool. */
static void write_random(const vb_hole *hole, char *to, size_t length, uint64_t random) {
  vb_rng rng = {random};
  size_t drawn = length < DIRECT_MAX ? length : 20;
  write_characters(to, drawn, &rng);
  for (size_t at = drawn; at < length;) {
    size_t window = length - at < VB_POOL_SIZE / 2 ? length - at : VB_POOL_SIZE / 2;
    memcpy(to + at, hole->pool + vb_below(vb_rng_next(&rng), VB_POOL_SIZE / 2), window);
    at += window;
  }
}

static size_t write_bytes(const vb_hole *hole, const vb_operation *operation, uint64_t random,
                          char *to) {
  size_t size = vb_hole_size(hole, operation);
  size_t repeated = (size_t)((double)size * hole->part.compressible + 0.5);
  write_random(hole, to, size - repeated, vb_mix(random ^ hole->content));
  memset(to + size - repeated, 'x', repeated);
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
  uint64_t words =
      (uint64_t)part->min + vb_below(vb_rng_next(&rng), (uint64_t)(part->max - part->min) + 1);
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

static size_t write_time(const vb_part *part, char *to) {
  static const char *const formats[] = {"%s", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};
  uint64_t now = vb_clock_read(CLOCK_REALTIME) / VB_NS_PER_S;
  if (!part->format) return vb_decimal_append(to, now);
  struct tm parts;
  time_t seconds = (time_t)now;
  return strftime(to, TIME_BOUND, formats[part->format], gmtime_r(&seconds, &parts));
}

/* The number that the content follows from: the hole's draw, or that of the id. */
static uint64_t random_of(const vb_hole *hole, const vb_operation *operation) {
  bool from_id = hole->part.from_id || hole->part.distribution == VB_FROM_ID;
  if (from_id) return vb_draw(hole->seed, operation->id, hole->content);
  return vb_draw(operation->stream, operation->n, hole->part.hole);
}

size_t vb_hole_size(const vb_hole *hole, const vb_operation *operation) {
  const vb_part *part = &hole->part;
  if (hole->fixed != VB_VARIABLE) return hole->fixed;
  if (part->kind != VB_PART_BYTES) return VB_VARIABLE;
  uint64_t random = random_of(hole, operation);
  if (part->choice_count) return choose(hole, random)->size;
  return (size_t)part->min + vb_below(random, (uint64_t)(part->max - part->min) + 1);
}

size_t vb_hole_write(const vb_hole *hole, const vb_operation *operation, char *to) {
  const vb_part *part = &hole->part;
  uint64_t random = random_of(hole, operation);
  switch ((enum vb_part_kind)part->kind) {
  case VB_PART_LITERAL: memcpy(to, part->text, part->length); return part->length;
  case VB_PART_CURRENT:
    return vb_keyspace_write(part->keyspace, vb_operation_current(operation, part->keyspace), to);
  case VB_PART_ID: return vb_decimal_append(to, operation->id);
  case VB_PART_BYTES: return write_bytes(hole, operation, random, to);
  case VB_PART_INT: return vb_integer_write(vb_number_draw(hole, operation, random), to);
  case VB_PART_FLOAT:
    return vb_float_write(vb_number_draw(hole, operation, random), part->decimals, to);
  case VB_PART_TIMESTAMP: return write_time(part, to);
  case VB_PART_CHOICE: {
    const vb_choice *choice = choose(hole, random);
    memcpy(to, choice->text, choice->length);
    return choice->length;
  }
  case VB_PART_TAGS: return write_tags(part, random, to);
  case VB_PART_VECTOR: return vb_vector_write(hole, random, to);
  case VB_PART_TEXT: return write_words(part, random, to);
  case VB_PART_CURSOR:
  case VB_PART_FUNCTION: break;
  }
  return 0;
}
