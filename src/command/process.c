#include "command/template.h"

#include <stdio.h>

enum { EXCERPT = 40 };

/* Printable, quoted by the caller, cut at EXCERPT bytes from `from`. */
static const char *excerpt(const char *bytes, size_t length, size_t from,
                           char to[EXCERPT * 4 + 4]) {
  char *at = to;
  size_t end = length - from > EXCERPT ? from + EXCERPT : length;
  for (size_t i = from; i < end; i++) {
    unsigned char c = (unsigned char)bytes[i];
    at += c >= ' ' && c < 127 ? sprintf(at, "%c", c) : sprintf(at, "\\x%02x", c);
  }
  (void)snprintf(at, 4, "%s", end < length ? "..." : "");
  return to;
}

static void expect(const vb_reply_step *step, const vb_reply *reply, vb_outcome *outcome) {
  if (reply->text && reply->text_length == step->length &&
      !memcmp(reply->text, step->text, step->length))
    return;
  char got[EXCERPT * 4 + 4] = "nil", want[EXCERPT * 4 + 4];
  if (reply->text)
    (void)excerpt(reply->text, reply->text_length, 0, got);
  else if (!reply->null)
    (void)snprintf(got, sizeof got, "%c with %lld elements", reply->type,
                   (long long)reply->integer);
  outcome->failed = "expect";
  (void)snprintf(outcome->message, sizeof outcome->message, "expected \"%s\", got \"%s\"",
                 excerpt(step->text, step->length, 0, want), got);
}

static void mismatch(const vb_reply *reply, const char *want, size_t length, uint64_t id,
                     vb_outcome *outcome) {
  size_t shorter = reply->text_length < length ? reply->text_length : length, at = 0;
  const char *text = reply->text ? reply->text : "";
  while (at < shorter && text[at] == want[at]) at++;
  char wanted[EXCERPT * 4 + 4], got[EXCERPT * 4 + 4];
  outcome->failed = "verify";
  (void)snprintf(outcome->message, sizeof outcome->message,
                 "id %llu differs at byte %zu (%zu bytes, expected %zu): \"%.60s\", expected "
                 "\"%.60s\"",
                 (unsigned long long)id, at, reply->text_length, length,
                 excerpt(text, reply->text_length, at, got), excerpt(want, length, at, wanted));
}

/* The value of one id; nil is a miss and no mismatch. */
static void verify_one(const vb_reply_step *step, vb_renderer *renderer,
                       const vb_operation *operation, const vb_reply *reply, uint64_t id,
                       vb_outcome *outcome) {
  if (reply->null) return;
  vb_operation of_id = *operation;
  of_id.id = id;
  vb_bytes *values = &renderer->values;
  vb_bytes_clear(values);
  char *want = vb_bytes_reserve(values, step->hole.bound);
  size_t length = vb_hole_write(&step->hole, &of_id, want);
  if (reply->text_length != length || !reply->text || memcmp(reply->text, want, length))
    mismatch(reply, want, length, id, outcome);
}

static void verify(const vb_command *command, const vb_reply_step *step, vb_renderer *renderer,
                   const vb_operation *operation, const vb_reply *reply, vb_outcome *outcome) {
  if (reply->type != '*' && reply->type != '~') {
    verify_one(step, renderer, operation, reply, operation->id, outcome);
    return;
  }
  const char *at = vb_reply_first(reply);
  for (uint32_t k = 0; (int64_t)k < reply->integer && !outcome->failed; k++) {
    vb_reply element;
    uint64_t id = operation->id;
    at = vb_reply_element(at, &element);
    if (command->id_hole && k < vb_hole_times(command->id_hole, operation))
      (void)vb_hole_draw_id(command->id_hole, operation, k, &id);
    verify_one(step, renderer, operation, &element, id, outcome);
  }
}

static void show(const vb_reply_step *step, vb_renderer *renderer, const vb_operation *operation,
                 const vb_reply *reply, vb_outcome *outcome) {
  vb_request request;
  vb_request_make(&request, renderer, operation, step->function);
  if (renderer->hooks->reply(renderer->hooks->state, step->function, reply, &request))
    outcome->failed = "hook";
}

void vb_command_process(const vb_command *command, vb_renderer *renderer, vb_operation *operation,
                        const vb_reply *reply, vb_outcome *outcome) {
  outcome->hits = outcome->misses = 0;
  outcome->failed = NULL;
  if (command->keeps_reply) (void)vb_command_draw(command, operation);
  for (uint32_t i = 0; i < command->processor_count && !outcome->failed; i++) {
    const vb_reply_step *step = &command->processors[i];
    switch ((enum vb_processor_kind)step->kind) {
    case VB_REPLY_HITS:
      outcome->hits = reply->hits;
      outcome->misses = reply->misses;
      break;
    case VB_REPLY_EXPECT: expect(step, reply, outcome); break;
    case VB_REPLY_VERIFY: verify(command, step, renderer, operation, reply, outcome); break;
    case VB_REPLY_FUNCTION: show(step, renderer, operation, reply, outcome); break;
    }
  }
}
