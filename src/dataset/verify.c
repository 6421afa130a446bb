#include "dataset/verify.h"

#include "dataset/dtype.h"
#include "dataset/repeats.h"
#include "dataset/store.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES = 5, EXAMPLE_BYTES = 320, KEY_SHOWN = 40, STEP = 4096, KEY_MEMORY = 512 << 20 };

struct vb_verify {
  const vb_dataset *dataset;
  const vb_schema *schema;
  const vb_layout *layout;
  vb_view sections[VB_SECTIONS];
  uint64_t at; /* records, then queries, then the keys of records in each pass over them */
  uint64_t total;
  vb_repeats *repeats; /* NULL: no stored keys */
  uint64_t empty;
  uint64_t counts[VB_FINDINGS];
  char examples[VB_FINDINGS][EXAMPLES][EXAMPLE_BYTES];
};

/* Where something lies: a record or query, and a member of it. */
typedef struct spot {
  const char *entry; /* "record" or "query" */
  uint64_t number;
  int64_t member; /* -1: none */
} spot;

/* Where the text stops being UTF-8; its length when it does not. */
static size_t utf8_until(const char *text, size_t length);

static VB_PRINTF(3, 4) int put(char *text, int length, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int more = vsnprintf(text + length, (size_t)(EXAMPLE_BYTES - length), format, args);
  va_end(args);
  return length + more < EXAMPLE_BYTES ? length + more : EXAMPLE_BYTES - 1;
}

/* The stored key of a record, which is how its record is known in a server. */
static int put_key(const vb_verify *verify, uint64_t record, char *text, int length) {
  vb_view key;
  vb_dataset_key(verify->dataset, record, &key);
  bool cut = key.length > KEY_SHOWN, readable = utf8_until(key.data, key.length) == key.length;
  if (cut) key.length = vb_store_whole_characters(key.data, KEY_SHOWN);
  length = put(text, length, " (key '");
  for (size_t i = 0; i < key.length; i++) {
    unsigned char byte = (unsigned char)key.data[i];
    bool plain = byte >= 0x20 && byte != 0x7f && (byte < 0x80 || readable);
    length = put(text, length, plain ? "%c" : "\\x%02x", byte);
  }
  return put(text, length, cut ? "...')" : "')");
}

static VB_PRINTF(4, 5) void found(vb_verify *verify, int finding, const spot *where,
                                  const char *format, ...) {
  uint64_t count = verify->counts[finding]++;
  if (count >= EXAMPLES) return;
  char *text = verify->examples[finding][count];
  int length = put(text, 0, "%s %" PRIu64, where->entry, where->number);
  if (verify->layout->key_size && *where->entry == 'r')
    length = put_key(verify, where->number, text, length);
  if (where->member >= 0) length = put(text, length, ", member %" PRId64, where->member);
  length = put(text, length, ": ");
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text + length, (size_t)(EXAMPLE_BYTES - length), format, args);
  va_end(args);
}

static int begin_repeats(vb_verify *verify) {
  uint64_t records = verify->schema->records;
  verify->total = records + verify->schema->queries;
  if (!verify->layout->key_size) return VB_OK;
  verify->repeats = vb_repeats_new(verify->dataset, KEY_MEMORY);
  if (!verify->repeats) return VB_ENOMEM;
  verify->total += vb_repeats_passes(verify->repeats) * records;
  return VB_OK;
}

vb_verify *vb_verify_new(const vb_dataset *dataset) {
  vb_verify *verify = calloc(1, sizeof *verify);
  if (!verify) return NULL;
  verify->dataset = dataset;
  verify->schema = vb_dataset_schema(dataset);
  verify->layout = vb_dataset_layout(dataset);
  for (int i = 0; i < VB_SECTIONS; i++) {
    vb_dataset_section(dataset, i, &verify->sections[i]);
    vb_dataset_advise(dataset, i, VB_USE_LOAD);
  }
  if (!begin_repeats(verify)) return verify;
  vb_verify_free(verify);
  return NULL;
}

void vb_verify_free(vb_verify *verify) {
  if (!verify) return;
  vb_repeats_free(verify->repeats);
  free(verify);
}

/* --- texts ------------------------------------------------------------------------------------ */

/* Bytes of the character at `at` by its first byte; 0 when that begins none. */
static size_t character_bytes(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Overlong forms, surrogates and what is past U+10FFFF, by the second byte (RFC 3629). */
static bool second_fits(unsigned char first, unsigned char second) {
  if (first == 0xe0) return second >= 0xa0;
  if (first == 0xed) return second < 0xa0;
  if (first == 0xf0) return second >= 0x90;
  return first != 0xf4 || second < 0x90;
}

static size_t utf8_until(const char *text, size_t length) {
  const unsigned char *bytes = (const unsigned char *)text;
  size_t at = 0;
  while (at < length) {
    size_t size = character_bytes(bytes[at]);
    if (size == 0 || size > length - at) return at;
    if (size > 1 && !second_fits(bytes[at], bytes[at + 1])) return at;
    for (size_t i = 1; i < size; i++)
      if ((bytes[at + i] & 0xc0) != 0x80) return at;
    at += size;
  }
  return at;
}

static size_t ascii_until(const char *text, size_t length) {
  size_t at = 0;
  while (at < length && !(text[at] & 0x80)) at++;
  return at;
}

static void check_encoding(vb_verify *verify, int encoding, const char *name, vb_view text,
                           const spot *where) {
  bool utf8 = encoding == VB_ENCODING_UTF8;
  size_t until = utf8 ? utf8_until(text.data, text.length) : ascii_until(text.data, text.length);
  if (until == text.length) return;
  found(verify, VB_FINDING_ENCODING, where, "%s: byte %zu, 0x%02x, is no %s", name, until,
        (unsigned char)text.data[until], utf8 ? "UTF-8" : "ASCII");
}

/* What a text holds: up to its length, or without the padding. False when it is out of bounds. */
static bool text_of(vb_verify *verify, vb_view *text, uint64_t most, const char *name,
                    const spot *where) {
  uint32_t length;
  memcpy(&length, text->data, sizeof length);
  if (length > most) {
    found(verify, VB_FINDING_LENGTH, where, "%s: its length is %" PRIu32 ", max_bytes is %" PRIu64,
          name, length, most);
    return false;
  }
  text->data += sizeof length;
  text->length = length;
  return true;
}

static void trim(vb_view *text) {
  while (text->length && text->data[text->length - 1] == 0) text->length--;
}

static void check_text(vb_verify *verify, const vb_field *field, vb_view text, const spot *where) {
  const char *name = *field->name ? field->name : "the member";
  if (!field->variable)
    trim(&text);
  else if (!text_of(verify, &text, field->max_bytes, name, where))
    return;
  if (field->type != VB_FIELD_BLOB) check_encoding(verify, field->encoding, name, text, where);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void check_numbers(vb_verify *verify, const vb_field *field, vb_view values,
                          const spot *where) {
  if (field->dtype == VB_DTYPE_BINARY) return;
  size_t size = vb_dtype_bytes(field->dtype, 1), count = values.length / size;
  if (vb_dtype_finite(field->dtype, values.data, count)) return;
  for (size_t i = 0; i < count; i++)
    if (!vb_dtype_finite(field->dtype, values.data + i * size, 1)) {
      found(verify, VB_FINDING_NUMBER, where, "%s: value %zu is NaN or infinite", field->name, i);
      return;
    }
}

static void check_field(vb_verify *verify, const vb_field *field, vb_view bytes,
                        const spot *where) {
  if (field->type >= VB_FIELD_TEXT)
    check_text(verify, field, bytes, where);
  else
    check_numbers(verify, field, bytes, where);
}

/* --- records, queries ------------------------------------------------------------------------- */

static void check_fields(vb_verify *verify, const char *bytes, const vb_place *places,
                         const spot *where) {
  for (uint32_t i = 0; i < verify->schema->field_count; i++) {
    if (!places[i].size) continue;
    vb_view field = {bytes + places[i].offset, (size_t)places[i].size};
    check_field(verify, &verify->schema->fields[i], field, where);
  }
}

static void check_members(vb_verify *verify, const char *record, spot *where) {
  uint32_t count;
  memcpy(&count, record, sizeof count);
  if (count > verify->schema->max_members) {
    found(verify, VB_FINDING_MEMBERS, where, "%" PRIu32 " members, max_members is %" PRIu64, count,
          verify->schema->max_members);
    count = (uint32_t)verify->schema->max_members;
  }
  for (uint32_t i = 0; i < count; i++) {
    where->member = i;
    check_fields(verify, record + sizeof count + i * verify->layout->member_size,
                 verify->layout->fields, where);
  }
  where->member = -1;
}

static void check_key(vb_verify *verify, uint64_t record, const spot *where) {
  const vb_schema *schema = verify->schema;
  vb_view key = {verify->sections[VB_SECTION_KEYS].data + record * verify->layout->key_size,
                 (size_t)verify->layout->key_size};
  if (schema->key_variable) {
    if (!text_of(verify, &key, schema->key_bytes, "the key", where)) return;
  } else {
    key.length = strnlen(key.data, key.length);
  }
  check_encoding(verify, schema->key_encoding, "the key", key, where);
}

static void check_record(vb_verify *verify, uint64_t record) {
  const char *bytes =
      verify->sections[VB_SECTION_RECORDS].data + record * verify->layout->record_size;
  spot where = {"record", record, -1};
  if (verify->schema->collection)
    check_members(verify, bytes, &where);
  else
    check_fields(verify, bytes, verify->layout->fields, &where);
  if (verify->layout->key_size) check_key(verify, record, &where);
  verify->empty += vb_dataset_empty(verify->dataset, record) != 0;
}

static int compare_ids(const void *left, const void *right) {
  const uint64_t *a = left, *b = right;
  return (*a > *b) - (*a < *b);
}

static uint64_t load_id(const vb_verify *verify, uint64_t query, uint64_t rank) {
  size_t size = (size_t)verify->layout->id_size;
  const char *at =
      verify->sections[VB_SECTION_TRUTH].data + (query * verify->schema->neighbors + rank) * size;
  uint64_t id = 0;
  memcpy(&id, at, size);
  return size == 4 && id == UINT32_MAX ? UINT64_MAX : id;
}

static void check_ids(vb_verify *verify, uint64_t query, const spot *where) {
  uint64_t count = verify->schema->neighbors, records = verify->schema->records;
  uint64_t *ids = malloc((size_t)count * sizeof *ids);
  if (!ids) return;
  for (uint64_t i = 0; i < count; i++) {
    ids[i] = load_id(verify, query, i);
    if (ids[i] >= records && ids[i] != UINT64_MAX)
      found(verify, VB_FINDING_ID, where,
            "neighbour %" PRIu64 " is %" PRIu64 "; there are %" PRIu64 " records", i, ids[i],
            records);
  }
  qsort(ids, (size_t)count, sizeof *ids, compare_ids);
  for (uint64_t i = 1; i < count; i++)
    if (ids[i] == ids[i - 1] && ids[i] < records)
      found(verify, VB_FINDING_ID, where, "the neighbour %" PRIu64 " stands there twice", ids[i]);
  free(ids);
}

static void check_distances(vb_verify *verify, uint64_t query, const spot *where) {
  double before = -(double)INFINITY;
  for (uint64_t i = 0; i < verify->schema->neighbors; i++) {
    if (load_id(verify, query, i) == UINT64_MAX) return;
    double distance = vb_dataset_distance(verify->dataset, query, i);
    if (!(distance >= before)) {
      found(verify, VB_FINDING_DISTANCE, where, "distance %" PRIu64 " is %g, the one before it %g",
            i, distance, before);
      return;
    }
    before = distance;
  }
}

static void check_query(vb_verify *verify, uint64_t query) {
  spot where = {"query", query, -1};
  const char *bytes =
      verify->sections[VB_SECTION_QUERIES].data + query * verify->layout->query_size;
  check_fields(verify, bytes, verify->layout->query_fields, &where);
  if (verify->schema->neighbors) check_ids(verify, query, &where);
  if (verify->schema->distances) check_distances(verify, query, &where);
}

static void check_repeats(vb_verify *verify, uint64_t pass, uint64_t record) {
  spot where = {"record", record, -1};
  uint64_t first = vb_repeats_look(verify->repeats, pass, record);
  if (first != UINT64_MAX)
    found(verify, VB_FINDING_KEY, &where, "record %" PRIu64 " has this key, too", first);
}

int vb_verify_step(vb_verify *verify, vb_error *err) {
  uint64_t records = verify->schema->records, queries = verify->schema->queries;
  for (int i = 0; i < STEP && verify->at < verify->total; i++, verify->at++) {
    uint64_t behind = verify->at - records - queries;
    if (verify->at < records)
      check_record(verify, verify->at);
    else if (verify->at < records + queries)
      check_query(verify, verify->at - records);
    else
      check_repeats(verify, behind / records, behind % records);
  }
  int status = vb_dataset_check(verify->dataset, err);
  return status ? status : verify->at < verify->total;
}

uint64_t vb_verify_total(const vb_verify *verify) {
  return verify->total;
}

uint64_t vb_verify_done(const vb_verify *verify) {
  return verify->at;
}

uint64_t vb_verify_count(const vb_verify *verify, int finding) {
  return verify->counts[finding];
}

const char *vb_verify_example(const vb_verify *verify, int finding, int number) {
  bool there = number < EXAMPLES && (uint64_t)number < verify->counts[finding];
  return there ? verify->examples[finding][number] : NULL;
}

uint64_t vb_verify_empty(const vb_verify *verify) {
  return verify->empty;
}
