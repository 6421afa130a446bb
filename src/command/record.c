/* Comparing what a server returns with the record of a dataset that was loaded. */
#include "command/template.h"

#include "dataset/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A member as the record has it, or as the server returned it. */
typedef struct member {
  const char *data;
  size_t length;
  double score;
  uint32_t place;
} member;

typedef struct check {
  const vb_subject *of;
  const vb_dataset *dataset;
  const vb_schema *schema;
  uint64_t record;
  vb_outcome *outcome;
} check;

static void differs(const check *c, const char *what, const char *want, const char *got) {
  char name[VB_QUOTED];
  c->outcome->failed = "verify";
  (void)snprintf(c->outcome->message, sizeof c->outcome->message,
                 "%.70s: %.60s: expected %.50s, got %.50s", vb_subject_name(c->of, name), what,
                 want, got);
}

/* The value as it was sent; numbers are written to `text`. */
static vb_view sent_of(const vb_field *field, vb_view view, char text[VB_NUMBER_BOUND]) {
  if (field->type != VB_FIELD_NUMERIC) return view;
  return (vb_view){text, vb_number_text(field->dtype, view.data, text)};
}

static void check_field(const check *c, uint32_t index, const vb_reply *reply) {
  const vb_field *field = &c->schema->fields[index];
  char text[VB_NUMBER_BOUND], what[VB_QUOTED], want[VB_QUOTED], got[VB_QUOTED];
  vb_view view;
  vb_dataset_field(c->dataset, c->record, index, &view);
  view = sent_of(field, view, text);
  bool absent = field->optional && !view.length;
  if (absent && reply->null) return;
  if (reply->text && reply->text_length == view.length &&
      !memcmp(reply->text, view.data, view.length))
    return;
  size_t at = 0, shorter = reply->text_length < view.length ? reply->text_length : view.length;
  while (reply->text && at < shorter && reply->text[at] == view.data[at]) at++;
  (void)snprintf(what, sizeof what, "field '%.60s', byte %zu of %zu", field->name, at, view.length);
  differs(c, what, absent ? "nil" : vb_quote(view.data, view.length, at, want),
          reply->text ? vb_quote(reply->text, reply->text_length, at, got)
                      : vb_reply_quote(reply, got));
}

static void check_count(const check *c, const vb_reply *reply, uint64_t want) {
  char wanted[32], got[VB_QUOTED];
  if (vb_reply_first(reply) && (uint64_t)reply->integer == want) return;
  (void)snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)want);
  differs(c, "elements", wanted, vb_reply_quote(reply, got));
}

static void check_fields(const check *c, const vb_reply *reply) {
  check_count(c, reply, c->schema->field_count);
  const char *at = c->outcome->failed ? NULL : vb_reply_first(reply);
  for (uint32_t i = 0; at && i < c->schema->field_count && !c->outcome->failed; i++) {
    vb_reply element;
    at = vb_reply_element(at, &element);
    check_field(c, i, &element);
  }
}

/* --- collections ------------------------------------------------------------------------------ */

/* Members of the record behind each other in `room`, with their texts of numbers behind them. */
static member *expected_members(const check *c, vb_bytes *room, uint32_t count) {
  bool zset = c->schema->collection == VB_COLLECTION_ZSET;
  const vb_field *field = &c->schema->fields[zset];
  vb_bytes_clear(room);
  (void)vb_bytes_reserve(room, (size_t)count * (sizeof(member) + VB_NUMBER_BOUND) + 1);
  member *members = (member *)(void *)room->data;
  char *text = room->data + (size_t)count * sizeof *members;
  for (uint32_t i = 0; i < count; i++, text += VB_NUMBER_BOUND) {
    vb_view value, score;
    vb_dataset_member(c->dataset, c->record, i, zset, &value);
    value = sent_of(field, value, text);
    members[i] = (member){value.data, value.length, 0, i};
    if (!zset) continue;
    vb_dataset_member(c->dataset, c->record, i, 0, &score);
    members[i].score = vb_number_value(c->schema->fields[0].dtype, score.data);
  }
  return members;
}

static int by_bytes(const void *first, const void *second) {
  const member *a = first, *b = second;
  int order = memcmp(a->data, b->data, a->length < b->length ? a->length : b->length);
  if (order) return order;
  return a->length < b->length ? -1 : a->length > b->length;
}

static int by_bytes_and_place(const void *first, const void *second) {
  const member *a = first, *b = second;
  int order = by_bytes(first, second);
  return order ? order : a->place < b->place ? -1 : a->place > b->place;
}

/* Sorted, each once: of equal ones the last, whose score a server keeps. */
static uint32_t make_unique(member *members, uint32_t count) {
  uint32_t kept = 0;
  qsort(members, count, sizeof *members, by_bytes_and_place);
  for (uint32_t i = 0; i < count; i++)
    if (i + 1 == count || by_bytes(&members[i], &members[i + 1]) != 0) members[kept++] = members[i];
  return kept;
}

static double score_of(const vb_reply *reply) {
  char text[64];
  if (!reply->text || reply->text_length >= sizeof text) return (double)NAN;
  memcpy(text, reply->text, reply->text_length);
  text[reply->text_length] = 0;
  return strtod(text, NULL);
}

/* What the server returned as member number `place`, at `*at`: a text, in RESP2 a score behind it,
 * in RESP3 both in an array. */
static member read_member(const char **at, bool zset, uint32_t place) {
  vb_reply value, score = {0};
  *at = vb_reply_element(*at, &value);
  const char *inner = zset ? vb_reply_first(&value) : NULL;
  if (inner) inner = vb_reply_element(inner, &value);
  if (inner)
    (void)vb_reply_element(inner, &score);
  else if (zset)
    *at = vb_reply_element(*at, &score);
  return (member){value.text ? value.text : "", value.text ? value.text_length : 0,
                  zset ? score_of(&score) : 0, place};
}

static void check_member(const check *c, const member *want, const member *got) {
  char what[VB_QUOTED], wanted[VB_QUOTED], found[VB_QUOTED];
  if (by_bytes(want, got) != 0) {
    (void)snprintf(what, sizeof what, "member %u", want->place);
    differs(c, what, vb_quote(want->data, want->length, 0, wanted),
            vb_quote(got->data, got->length, 0, found));
  } else if (want->score != got->score && !(isnan(want->score) && isnan(got->score))) {
    (void)snprintf(what, sizeof what, "score of %s",
                   vb_quote(want->data, want->length > 12 ? 12 : want->length, 0, found));
    (void)snprintf(wanted, sizeof wanted, "%.17g", want->score);
    (void)snprintf(found, sizeof found, "%.17g", got->score);
    differs(c, what, wanted, found);
  }
}

/* Elements that `count` members are: RESP2 writes a member and its score behind each other. */
static uint64_t elements_of(const vb_reply *reply, bool zset, uint32_t count) {
  vb_reply element;
  const char *at = vb_reply_first(reply);
  if (!zset || !at || !reply->integer) return count;
  (void)vb_reply_element(at, &element);
  return vb_reply_first(&element) ? count : 2ull * count;
}

/* In the order of the list. */
static void check_list(const check *c, const vb_reply *reply, const member *want, uint32_t count) {
  bool reversed = vb_schema_load(c->schema) == VB_LOAD_LPUSH;
  const char *at = vb_reply_first(reply);
  for (uint32_t i = 0; i < count && !c->outcome->failed; i++) {
    member got = read_member(&at, false, i);
    check_member(c, &want[reversed ? count - 1 - i : i], &got);
  }
}

/* In any order: both are sorted. */
static void check_set(const check *c, const vb_reply *reply, const member *want, uint32_t count,
                      vb_bytes *room) {
  bool zset = c->schema->collection == VB_COLLECTION_ZSET;
  const char *at = vb_reply_first(reply);
  vb_bytes_clear(room);
  member *got = (member *)(void *)vb_bytes_reserve(room, count * sizeof *got + 1);
  for (uint32_t i = 0; i < count; i++) got[i] = read_member(&at, zset, i);
  qsort(got, count, sizeof *got, by_bytes);
  for (uint32_t i = 0; i < count && !c->outcome->failed; i++) check_member(c, &want[i], &got[i]);
}

static void check_collection(const check *c, vb_renderer *renderer, const vb_reply *reply) {
  bool list = c->schema->collection == VB_COLLECTION_LIST;
  bool zset = c->schema->collection == VB_COLLECTION_ZSET;
  uint32_t count = vb_dataset_members(c->dataset, c->record);
  member *want = expected_members(c, &renderer->values, count);
  if (!list) count = make_unique(want, count);
  check_count(c, reply, elements_of(reply, zset, count));
  if (c->outcome->failed) return;
  if (list)
    check_list(c, reply, want, count);
  else
    check_set(c, reply, want, count, &renderer->scratch);
}

void vb_record_verify(const vb_reply_step *step, vb_renderer *renderer, const vb_subject *of,
                      const vb_reply *reply, vb_outcome *outcome) {
  const vb_dataset *dataset = step->hole.part.dataset;
  check c = {of, dataset, vb_dataset_schema(dataset), vb_hole_record(&step->hole, of->operation),
             outcome};
  if (c.schema->collection)
    check_collection(&c, renderer, reply);
  else if (vb_schema_load(c.schema) == VB_LOAD_SET)
    check_field(&c, (uint32_t)vb_schema_value_field(c.schema), reply);
  else
    check_fields(&c, reply);
}
