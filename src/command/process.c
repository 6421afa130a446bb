#include "command/effects.h"
#include "command/stamp.h"
#include "command/template.h"

#include <stdio.h>

enum { EXCERPT = 24 };
_Static_assert(VB_QUOTED >= EXCERPT * 4 + 6, "an excerpt in quotes, all of it escaped");

/* Bytes from `from` on in quotes, printable, cut at EXCERPT of them. */
const char *vb_quote(const char *bytes, size_t length, size_t from, char to[VB_QUOTED]) {
  char *at = to;
  *at++ = '"';
  size_t end = length - from > EXCERPT ? from + EXCERPT : length;
  for (size_t i = from; i < end; i++) {
    unsigned char c = (unsigned char)bytes[i];
    at += c >= ' ' && c < 127 ? sprintf(at, "%c", c) : sprintf(at, "\\x%02x", c);
  }
  (void)snprintf(at, 5, "%s", end < length ? "...\"" : "\"");
  return to;
}

/* What came, where no text can be quoted. */
const char *vb_reply_quote(const vb_reply *reply, char to[VB_QUOTED]) {
  if (reply->text) return vb_quote(reply->text, reply->text_length, 0, to);
  if (reply->null) return "nil";
  (void)snprintf(to, VB_QUOTED, "an aggregate '%c' of %lld", reply->type,
                 (long long)reply->integer);
  return to;
}

static void expect(const vb_reply_step *step, const vb_reply *reply, vb_outcome *outcome) {
  if (reply->text && reply->text_length == step->length &&
      !memcmp(reply->text, step->text, step->length))
    return;
  char got[VB_QUOTED], want[VB_QUOTED];
  outcome->failed = "expect";
  (void)snprintf(outcome->message, sizeof outcome->message, "expected %s, got %s",
                 vb_quote(step->text, step->length, 0, want), vb_reply_quote(reply, got));
}

const char *vb_subject_name(const vb_subject *of, char to[VB_QUOTED]) {
  char key[VB_KEY_MAX];
  const vb_hole *hole = of->command->id_hole;
  if (hole && hole->bound <= VB_KEY_MAX && of->command->drawn_key)
    return vb_quote(key, vb_hole_write_key(hole, of->id, key), 0, to);
  size_t length = hole ? 0 : vb_command_key(of->command, of->operation, key);
  if (length) return vb_quote(key, length, 0, to);
  (void)snprintf(to, VB_QUOTED, "id %llu", (unsigned long long)of->id);
  return to;
}

static void mismatch(const vb_subject *of, const vb_reply *reply, const char *want, size_t length,
                     vb_outcome *outcome) {
  size_t shorter = reply->text_length < length ? reply->text_length : length, at = 0;
  char name[VB_QUOTED], wanted[VB_QUOTED], got[VB_QUOTED];
  outcome->failed = "verify";
  if (!reply->text) {
    (void)snprintf(outcome->message, sizeof outcome->message, "%s: expected %s, got %s",
                   vb_subject_name(of, name), vb_quote(want, length, 0, wanted),
                   vb_reply_quote(reply, got));
    return;
  }
  while (at < shorter && reply->text[at] == want[at]) at++;
  (void)snprintf(outcome->message, sizeof outcome->message,
                 "%s: differs at byte %zu of %zu: expected %s, got %s (%zu bytes)",
                 vb_subject_name(of, name), at, length, vb_quote(want, length, at, wanted),
                 vb_quote(reply->text, reply->text_length, at, got), reply->text_length);
}

/* The value of one id; nil is a miss and no mismatch. */
static void verify_one(const vb_reply_step *step, vb_renderer *renderer, const vb_subject *of,
                       const vb_reply *reply, vb_outcome *outcome) {
  if (reply->null) return;
  vb_operation of_id = *of->operation;
  of_id.id = of->id;
  vb_bytes_clear(&renderer->values);
  char *want = vb_bytes_reserve(&renderer->values, step->hole.bound + 1);
  size_t length = vb_hole_write(&step->hole, &of_id, want);
  if (!reply->text || reply->text_length != length || memcmp(reply->text, want, length))
    mismatch(of, reply, want, length, outcome);
}

/* Element i of an array is of the i-th id of the command's first cursor. */
static void verify_each(const vb_reply_step *step, vb_renderer *renderer, vb_subject *of,
                        const vb_reply *reply, vb_outcome *outcome) {
  const vb_hole *hole = of->command->id_hole;
  uint32_t count = hole ? vb_hole_times(hole, of->operation) : 1;
  const char *at = vb_reply_first(reply);
  if (reply->integer != count || !at) {
    outcome->failed = "verify";
    (void)snprintf(outcome->message, sizeof outcome->message, "%lld elements for %u ids",
                   (long long)reply->integer, count);
    return;
  }
  uint64_t first = of->operation->id;
  for (uint32_t k = 0; k < count && !outcome->failed; k++) {
    vb_reply element;
    at = vb_reply_element(at, &element);
    of->id = first;
    if (hole && !vb_hole_draw_id(hole, of->operation, k, first, &of->id)) return;
    if (!k) first = of->id;
    verify_one(step, renderer, of, &element, outcome);
  }
}

static void verify(const vb_command *command, const vb_reply_step *step, vb_renderer *renderer,
                   const vb_operation *operation, const vb_reply *reply, vb_outcome *outcome) {
  vb_subject of = {command, operation, operation->id};
  if (reply->null || (reply->type != '*' && reply->type != '~'))
    verify_one(step, renderer, &of, reply, outcome);
  else
    verify_each(step, renderer, &of, reply, outcome);
}

static void show(const vb_reply_step *step, vb_renderer *renderer, const vb_operation *operation,
                 const vb_reply *reply, vb_outcome *outcome) {
  vb_request request;
  vb_request_make(&request, renderer, operation, step->function);
  if (renderer->hooks->reply(renderer->hooks->state, step->function, reply, &request))
    outcome->failed = "hook";
}

/* One stamp; a request that was not sent before its reply came is the fault of a clock. */
static void measure_age(uint64_t received, uint64_t sent, vb_histogram *ages, vb_outcome *outcome) {
  if (received >= sent) {
    if (ages) vb_histogram_record(ages, received - sent, 1);
    return;
  }
  outcome->failed = "age";
  (void)snprintf(outcome->message, sizeof outcome->message,
                 "a stamp is %.3g s ahead of this host's clock: do the clocks of the hosts differ?",
                 (double)(sent - received) / (double)VB_NS_PER_S);
}

/* The wall time of a monotonic time that has just passed. Between two clocks a thread may lose its
 * core: then they are read again, and in the end the result is late rather than early. */
static uint64_t wall_of(uint64_t monotonic) {
  enum { TRIES = 5, CLOSE_NS = 2000 };
  vb_ns before, after;
  uint64_t wall;
  int tries = TRIES;
  do {
    before = vb_now();
    wall = vb_clock_read(CLOCK_REALTIME);
    after = vb_now();
  } while (after - before > CLOSE_NS && --tries);
  return wall - (before - monotonic);
}

/* Stamps are searched for in the bytes as they came: wherever they stand, in a string, in an array
 * of arrays, inside JSON. Nothing of the protocol can stand between a mark and its digits. */
static void measure_ages(const vb_renderer *renderer, const vb_reply *reply, vb_outcome *outcome) {
  if (!reply->bytes) return;
  const char *at = reply->bytes, *end = at + reply->size;
  uint64_t sent;
  uint64_t received = wall_of(renderer->received_ns);
  while (!outcome->failed && (at = vb_stamp_find(at, (size_t)(end - at), &sent)))
    measure_age(received, sent, renderer->ages, outcome);
}

void vb_command_process(const vb_command *command, vb_renderer *renderer, vb_operation *operation,
                        const vb_reply *reply, vb_outcome *outcome) {
  outcome->hits = outcome->misses = outcome->raced = 0;
  outcome->failed = NULL;
  outcome->message[0] = 0;
  for (uint32_t i = 0; i < command->processor_count && !outcome->failed; i++) {
    const vb_reply_step *step = &command->processors[i];
    switch ((enum vb_processor_kind)step->kind) {
    case VB_REPLY_HITS:
      outcome->hits = reply->hits;
      outcome->raced = reply->misses ? vb_command_raced(command, operation, reply->misses) : 0;
      outcome->misses = reply->misses - outcome->raced;
      break;
    case VB_REPLY_EXPECT: expect(step, reply, outcome); break;
    case VB_REPLY_VERIFY: verify(command, step, renderer, operation, reply, outcome); break;
    case VB_REPLY_RECORD: {
      vb_subject of = {command, operation, operation->id};
      vb_record_verify(step, renderer, &of, reply, outcome);
      break;
    }
    case VB_REPLY_AGE: measure_ages(renderer, reply, outcome); break;
    case VB_REPLY_FUNCTION: show(step, renderer, operation, reply, outcome); break;
    }
  }
}
