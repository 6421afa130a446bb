#include "keyspace/format.h"

#include <inttypes.h>
#include <stdlib.h>

/* Ids of a keyspace with slots that are looked at, to know which are missing: a minute's work. */
static const uint64_t others_max = 1ull << 30;

static const char hashtag[] = "{HASHTAG}";

/* Room for what a text can become: a tag is shorter than the word for it. */
static int reserve(vb_keyspace *keyspace, const vb_keyspace_spec *spec, const char *text,
                   vb_error *err) {
  size_t length = strlen(text) + (spec->tagged ? VB_TAG_LENGTH + 1 : 0);
  keyspace->name = strdup(spec->name);
  keyspace->text = malloc(length + 1);
  keyspace->tags = calloc(length / (sizeof hashtag - 1) + 1, sizeof *keyspace->tags);
  keyspace->tracker = calloc(1, sizeof *keyspace->tracker);
  keyspace->live = calloc(1, sizeof *keyspace->live);
  keyspace->learned = calloc(1, sizeof(vb_learned *));
  if (!keyspace->name || !keyspace->text || !keyspace->tags || !keyspace->tracker ||
      !keyspace->live || !keyspace->learned)
    return vb_fail(err, VB_ENOMEM, "keyspace '%s': out of memory", spec->name);
  return VB_OK;
}

static void append_text(vb_keyspace *keyspace, bool numbered, const char *text, size_t length) {
  memcpy(keyspace->text + keyspace->head + keyspace->tail, text, length);
  *(numbered ? &keyspace->tail : &keyspace->head) += length;
}

static void append_tag(vb_keyspace *keyspace, bool numbered) {
  keyspace->tags[keyspace->tag_count++] = keyspace->head + keyspace->tail;
  append_text(keyspace, numbered, "{AAA}", VB_TAG_LENGTH);
}

static void append_prefix(vb_keyspace *keyspace, const vb_keyspace_spec *spec) {
  append_text(keyspace, false, spec->prefix, strlen(spec->prefix));
  if (!spec->tagged) return;
  keyspace->slot_tags = vb_slot_tags();
  append_tag(keyspace, false);
  append_text(keyspace, false, ":", 1);
}

/* Reads "12d" of "%12d"; NULL when it is no number. */
static const char *read_number(const char *at, unsigned *width) {
  unsigned digits = 0;
  for (; *at >= '0' && *at <= '9' && digits < 1000; at++)
    digits = digits * 10 + (unsigned)(*at - '0');
  if (*at != 'd') return NULL;
  *width = digits;
  return at + 1;
}

static int parse_number(vb_keyspace *keyspace, const char **at, bool *numbered, const char *pattern,
                        vb_error *err) {
  const char *end = read_number(*at + 1, &keyspace->width);
  if (!end)
    return vb_fail(err, VB_EINVAL,
                   "keyspace '%s': pattern \"%s\": \"%.8s\" is neither %%d, %%Nd, %%0Nd nor %%%%",
                   keyspace->name, pattern, *at);
  if (*numbered)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': pattern \"%s\" has more than one number",
                   keyspace->name, pattern);
  *numbered = true;
  *at = end;
  return VB_OK;
}

static int parse_pattern(vb_keyspace *keyspace, const char *pattern, vb_error *err) {
  bool numbered = false;
  for (const char *at = pattern; *at;) {
    if (at[0] == '%' && at[1] == '%') {
      append_text(keyspace, numbered, "%", 1);
      at += 2;
    } else if (*at == '%') {
      int status = parse_number(keyspace, &at, &numbered, pattern, err);
      if (status) return status;
    } else if (!strncmp(at, hashtag, sizeof hashtag - 1)) {
      append_tag(keyspace, numbered);
      at += sizeof hashtag - 1;
    } else {
      append_text(keyspace, numbered, at++, 1);
    }
  }
  if (numbered) return VB_OK;
  return vb_fail(err, VB_EINVAL, "keyspace '%s': pattern \"%s\" has no number (like %%012d)",
                 keyspace->name, pattern);
}

/* Keys that a dataset stores. */
static int check_stored(const vb_keyspace_spec *spec, vb_error *err) {
  const vb_schema *schema = vb_dataset_schema(spec->dataset);
  if (spec->prefix || spec->pattern)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': keys that are stored have no prefix or pattern",
                   spec->name);
  if (!schema->keys || spec->size != schema->records)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': the dataset does not store that many keys",
                   spec->name);
  if (schema->key_bytes > VB_KEY_MAX)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': keys of %llu bytes; they may have %d",
                   spec->name, (unsigned long long)schema->key_bytes, VB_KEY_MAX);
  return VB_OK;
}

static int check(const vb_keyspace_spec *spec, vb_error *err) {
  if (!spec->name) return vb_fail(err, VB_EINVAL, "a keyspace without a name");
  if (spec->dataset) return check_stored(spec, err);
  if (!spec->prefix == !spec->pattern)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': needs a prefix or a pattern%s", spec->name,
                   spec->prefix ? ", not both" : "");
  if (spec->tagged && !spec->prefix)
    return vb_fail(err, VB_EINVAL,
                   "keyspace '%s': tagged keys have a prefix; a pattern has {HASHTAG}", spec->name);
  if (spec->size < 1 && spec->max_size < 1)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': size is 0; it is at least 1", spec->name);
  if (spec->slot_last > VB_SLOTS || spec->slot_first > spec->slot_last)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': slots %u to %u; they are 0 to %d", spec->name,
                   spec->slot_first, spec->slot_last, VB_SLOTS);
  return VB_OK;
}

static int set_size(vb_keyspace *keyspace, const vb_keyspace_spec *spec, vb_error *err) {
  keyspace->grows = !spec->size;
  keyspace->subs = spec->subs;
  keyspace->subs_apart = spec->subs_apart;
  keyspace->slot_first = spec->slot_first;
  keyspace->slot_last = spec->slot_last;
  keyspace->size = spec->size ? spec->size : spec->max_size;
  if (!spec->subs || !__builtin_mul_overflow(keyspace->size, spec->subs, &keyspace->size))
    return VB_OK;
  return vb_fail(err, VB_EINVAL, "keyspace '%s': %llu ids with %llu sub-ids each are too many",
                 spec->name, (unsigned long long)spec->size, (unsigned long long)spec->subs);
}

/* What holds of the layout, whether it came from a prefix or a pattern. */
static int finish(vb_keyspace *keyspace, long width, vb_error *err) {
  if (width < 0 || width > 20)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': width is %ld; it is 0 to 20", keyspace->name,
                   width);
  keyspace->width = (unsigned)width;
  if (vb_keyspace_key_max(keyspace) > VB_KEY_MAX)
    return vb_fail(err, VB_EINVAL, "keyspace '%s': keys of %zu bytes; they may have %d",
                   keyspace->name, vb_keyspace_key_max(keyspace), VB_KEY_MAX);
  unsigned widest = vb_decimal_width(keyspace->size - 1);
  unsigned least = width ? keyspace->width : 1;
  if (widest <= least && !keyspace->subs) keyspace->fixed = keyspace->head + least + keyspace->tail;
  return VB_OK;
}

int vb_keyspace_new(vb_keyspace **out, const vb_keyspace_spec *spec, vb_error *err) {
  int status = check(spec, err);
  if (status) return status;
  vb_keyspace *keyspace = calloc(1, sizeof *keyspace);
  if (!keyspace) return vb_fail(err, VB_ENOMEM, "keyspace '%s': out of memory", spec->name);
  keyspace->dataset = spec->dataset;
  const char *text = spec->dataset ? "" : spec->prefix ? spec->prefix : spec->pattern;
  status = set_size(keyspace, spec, err);
  if (!status) status = reserve(keyspace, spec, text, err);
  if (status) goto fail;
  if (spec->prefix)
    append_prefix(keyspace, spec);
  else if (spec->pattern)
    status = parse_pattern(keyspace, text, err);
  if (!status && !spec->dataset)
    status = finish(keyspace, spec->prefix ? spec->width : (long)keyspace->width, err);
  if (status) goto fail;
  *out = keyspace;
  return VB_OK;
fail:
  vb_keyspace_free(keyspace);
  return status;
}

void vb_keyspace_free(vb_keyspace *keyspace) {
  if (!keyspace) return;
  if (keyspace->live) vb_live_destroy(*keyspace->live);
  free(keyspace->live);
  if (keyspace->tracker) vb_tracker_free(atomic_load(keyspace->tracker));
  free(keyspace->tracker);
  if (keyspace->learned) vb_learned_free(*keyspace->learned);
  free((void *)keyspace->learned);
  free(keyspace->name);
  free(keyspace->text);
  free(keyspace->tags);
  free(keyspace);
}

const char *vb_keyspace_name(const vb_keyspace *keyspace) {
  return keyspace->name;
}

uint64_t vb_keyspace_size(const vb_keyspace *keyspace) {
  return keyspace->size;
}

const vb_dataset *vb_keyspace_dataset(const vb_keyspace *keyspace) {
  return keyspace->dataset;
}

size_t vb_keyspace_key_max(const vb_keyspace *keyspace) {
  if (keyspace->dataset) return vb_dataset_schema(keyspace->dataset)->key_bytes;
  uint64_t subs = keyspace->subs ? keyspace->subs : 1;
  unsigned widest = vb_decimal_width((keyspace->size - 1) / subs);
  if (widest < keyspace->width) widest = keyspace->width;
  bool in_key = keyspace->subs && !keyspace->subs_apart;
  unsigned of_sub = in_key ? 1 + vb_decimal_width(subs - 1) : 0;
  return keyspace->head + widest + keyspace->tail + of_sub;
}

size_t vb_keyspace_key_fixed(const vb_keyspace *keyspace) {
  return keyspace->fixed;
}

vb_tracker *vb_keyspace_tracker(const vb_keyspace *keyspace) {
  return atomic_load_explicit(keyspace->tracker, memory_order_acquire);
}

/* Of several that come first, the one that is quickest makes it for all. */
int vb_keyspace_track(const vb_keyspace *keyspace, vb_tracker **tracker, vb_error *err) {
  vb_tracker *there = vb_keyspace_tracker(keyspace), *made = NULL;
  if (!there) {
    uint64_t size = keyspace->size, start = keyspace->grows ? 0 : size;
    int status = vb_tracker_new(&made, keyspace->name, start, size, err);
    if (status) return status;
    if (atomic_compare_exchange_strong(keyspace->tracker, &there, made))
      there = made;
    else
      vb_tracker_free(made);
  }
  *tracker = there;
  return VB_OK;
}

int vb_keyspace_learns(const vb_keyspace *keyspace) {
  return keyspace->tag_count && !keyspace->subs;
}

int vb_keyspace_learn(const vb_keyspace *keyspace, uint64_t id, const char *tag, vb_error *err) {
  if (!*keyspace->learned) {
    int status = vb_learned_new(keyspace->learned, keyspace->size, err);
    if (status) return status;
  }
  vb_learned_set(*keyspace->learned, id, tag);
  return VB_OK;
}

uint64_t vb_keyspace_learned(const vb_keyspace *keyspace, uint64_t *bytes) {
  const vb_learned *learned = *keyspace->learned;
  *bytes = learned ? vb_learned_bytes(learned) : 0;
  return learned ? vb_bitmap_count(learned->ids) : 0;
}

static size_t write_stored(const vb_keyspace *keyspace, uint64_t id, char *to) {
  vb_view key;
  vb_dataset_key(keyspace->dataset, id, &key);
  memcpy(to, key.data, key.length);
  return key.length;
}

static size_t write_id(const vb_keyspace *keyspace, uint64_t id, char *to) {
  if (VB_UNLIKELY(keyspace->dataset)) return write_stored(keyspace, id, to);
  unsigned width = vb_decimal_width(id);
  if (width < keyspace->width) width = keyspace->width;
  memcpy(to, keyspace->text, keyspace->head);
  vb_digits_write(to + keyspace->head, id, width);
  memcpy(to + keyspace->head + width, keyspace->text + keyspace->head, keyspace->tail);
  for (uint32_t i = 0; i < keyspace->tag_count; i++) {
    size_t at = keyspace->tags[i];
    vb_tag_write(keyspace, id, to + at + (at >= keyspace->head ? width : 0));
  }
  return keyspace->head + width + keyspace->tail;
}

int vb_keyspace_in_slots(const vb_keyspace *keyspace, uint64_t id) {
  if (keyspace->slot_first == keyspace->slot_last) return 1;
  char key[VB_KEY_MAX];
  unsigned slot = vb_slot(key, vb_keyspace_write(keyspace, id, key));
  return slot >= keyspace->slot_first && slot < keyspace->slot_last;
}

/* Bit i: id base + i is of other slots. */
static uint64_t others_of_word(const vb_keyspace *keyspace, uint64_t base) {
  uint64_t mask = 0;
  for (unsigned i = 0; i < 64 && base + i < keyspace->size; i++)
    mask |= (uint64_t)!vb_keyspace_in_slots(keyspace, base + i) << i;
  return mask;
}

int vb_keyspace_bar_others(const vb_keyspace *keyspace, vb_error *err) {
  vb_tracker *tracker = NULL;
  if (keyspace->slot_first == keyspace->slot_last) return VB_OK;
  if (keyspace->size > others_max)
    return vb_fail(err, VB_EINVAL,
                   "keyspace '%s' has slots and %" PRIu64 " ids: which of them are missing can be "
                   "told of up to %" PRIu64 "; give it a smaller size or max_size",
                   keyspace->name, keyspace->size, others_max);
  int status = vb_keyspace_track(keyspace, &tracker, err);
  if (status || vb_tracker_is_barred(tracker)) return status;
  status = vb_tracker_bar(tracker, err);
  for (uint64_t base = 0; !status && base < keyspace->size; base += 64) {
    uint64_t others = others_of_word(keyspace, base);
    if (others) vb_tracker_bar_few(tracker, base, others);
  }
  return status;
}

static size_t write_pair(const vb_keyspace *keyspace, uint64_t id, char *to) {
  size_t length = write_id(keyspace, id / keyspace->subs, to);
  if (keyspace->subs_apart) return length;
  to[length++] = ':';
  return length + vb_decimal_append(to + length, id % keyspace->subs);
}

size_t vb_keyspace_write(const vb_keyspace *keyspace, uint64_t id, char *to) {
  if (VB_UNLIKELY(keyspace->subs)) return write_pair(keyspace, id, to);
  return write_id(keyspace, id, to);
}
