#include "engine/reload.h"

#include "engine/worker.h"

enum { REPEATS_MAX = 3 };

static const vb_entry load = {.kind = VB_ENTRY_LOAD};

bool vb_reload_is_needed(const vb_step *step, const vb_reply *reply) {
  static const char word[] = "NOSCRIPT";
  size_t length;
  return reply->error && reply->text && reply->text_length >= sizeof word - 1 &&
         !memcmp(reply->text, word, sizeof word - 1) && vb_command_script(step->command, &length);
}

void vb_reload_send(vb_connection *connection, const vb_step *step) {
  size_t length;
  const char *request = vb_command_script(step->command, &length);
  vb_connection_append(connection, request, length);
  vb_flight *flight = vb_connection_push(connection);
  *flight = (vb_flight){.n = UINT64_MAX,
                        .written = flight->written,
                        .end = connection->outbox.appended,
                        .entry = &load,
                        .step = (uint16_t)step->row,
                        .replies = 1};
}

bool vb_reload_and_repeat(vb_connection *connection, const vb_flight *flight) {
  const vb_entry *entry = flight->entry;
  uint32_t next = flight->step + 1u;
  bool last = next == entry->step_count || entry->steps[next].condition != VB_ALWAYS;
  if (!last || flight->repeats == REPEATS_MAX) return false;
  vb_reload_send(connection, &entry->steps[flight->step]);
  return vb_connection_repeat(connection, flight);
}

void vb_reload_judge(vb_connection *connection, const vb_flight *flight, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  if (!reply->error || lane->counted_from == UINT64_MAX) return;
  vb_lane_count_error_reply(lane, flight->step, connection->node, lane->counted_from, reply);
}
