#include "engine/subscriber.h"

#include "engine/push.h"
#include "engine/worker.h"

#include <stdlib.h>

/* What the first word of a message says. */
enum word { MESSAGE, CONFIRMED, REVOKED, PONG, OTHER };

static const vb_step *step_of(const vb_lane *lane) {
  return vb_program_pick(lane->phase->spec.program, lane->phase->stream, 0)->steps;
}

/* Which client of the phase a connection is: its channels are those of the operation of that
 * number. */
static uint64_t client_of(const vb_connection *connection) {
  return connection->lane->first_client + connection->index;
}

static void draw_channels(const vb_connection *connection, vb_operation *operation) {
  const vb_lane *lane = connection->lane;
  vb_operation_begin(operation, lane->phase->stream, client_of(connection));
  (void)vb_command_draw(step_of(lane)->command, operation);
}

static void ask_failed(vb_connection *connection, enum vb_render why) {
  vb_lane *lane = connection->lane;
  vb_worker *worker = lane->worker;
  if (why == VB_RENDER_EXHAUSTED)
    vb_lane_fail(lane, VB_EINVAL,
                 "the cursor of subscriber '%s' ends before client %llu: fewer clients, or "
                 "cursor:wrap()",
                 vb_command_name(step_of(lane)->command),
                 (unsigned long long)client_of(connection) + 1);
  else
    vb_lane_fail(lane, VB_ESCRIPT, "%s", worker->shared->spec.script->message(worker->hooks.state));
}

void vb_subscriber_ask(vb_connection *connection) {
  vb_lane *lane = connection->lane;
  vb_renderer *renderer = &lane->worker->renderer;
  vb_operation operation;
  vb_operation_begin(&operation, lane->phase->stream, client_of(connection));
  renderer->connection = connection->index;
  enum vb_render why = vb_command_render(step_of(lane)->command, renderer, &operation);
  if (why) {
    ask_failed(connection, why);
    return;
  }
  size_t size;
  const char *request = vb_renderer_request(renderer, &size);
  connection->unconfirmed = (uint32_t)strtoul(request + 1, NULL, 10) - 1;
  vb_connection_append(connection, request, size);
  vb_connection_flush(connection);
}

static enum word read_word(const vb_reply *first) {
  static const struct {
    const char *text;
    enum word word;
  } known[] = {
      {"message", MESSAGE},     {"pmessage", MESSAGE},     {"smessage", MESSAGE},
      {"subscribe", CONFIRMED}, {"psubscribe", CONFIRMED}, {"ssubscribe", CONFIRMED},
      {"unsubscribe", REVOKED}, {"punsubscribe", REVOKED}, {"sunsubscribe", REVOKED},
      {"pong", PONG},
  };
  for (size_t i = 0; first->text && i < VB_ARRAY_LENGTH(known); i++)
    if (first->text_length == strlen(known[i].text) &&
        !memcmp(first->text, known[i].text, first->text_length))
      return known[i].word;
  return OTHER;
}

/* A message is an operation when the phase runs and has a number for it. */
static void take_message(vb_connection *connection, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  vb_operation operation;
  vb_block block;
  int state = atomic_load_explicit(&lane->state, memory_order_relaxed);
  if (state != VB_LANE_RUN && state != VB_LANE_DRAIN) return;
  if (!vb_numbers_take(&lane->phase->numbers, 1, &block)) {
    lane->out_of_numbers = true;
    return;
  }
  uint64_t n = block.first;
  vb_lane_follow_warmup(lane);
  draw_channels(connection, &operation);
  operation.n = n;
  const vb_step *step = step_of(lane);
  if (vb_lane_shows(lane, n)) lane->interval->bytes_received += reply->size;
  if (vb_lane_counts(lane, n)) {
    lane->rows[step->row].counters.bytes_received += reply->size;
    if (!lane->first_issue) lane->first_issue = lane->worker->now;
  }
  (void)vb_connection_process(connection, step, &operation, reply);
  lane->open++;
  vb_lane_operation_ended(lane, step->row, n);
}

void vb_subscriber_drain(vb_lane *lane) {
  static const char ping[] = "*1\r\n$4\r\nPING\r\n";
  for (uint32_t i = 0; i < lane->connection_count; i++) {
    vb_connection *connection = lane->connections[i];
    if (connection->state != VB_CONNECTION_READY) continue;
    connection->unconfirmed = 1;
    vb_connection_append(connection, ping, sizeof ping - 1);
    vb_connection_flush(connection);
  }
}

bool vb_subscriber_is_drained(const vb_lane *lane) {
  if (lane->worker->now >= lane->drain_until) return true;
  for (uint32_t i = 0; i < lane->connection_count; i++) {
    const vb_connection *connection = lane->connections[i];
    if (connection->state == VB_CONNECTION_READY && connection->unconfirmed) return false;
  }
  return true;
}

static void refused(vb_connection *connection, const vb_reply *reply) {
  static const char no_permission[] = "NOPERM";
  const char *text = reply->text ? reply->text : "";
  size_t length = reply->text_length;
  bool forbidden =
      length >= sizeof no_permission - 1 && !memcmp(text, no_permission, sizeof no_permission - 1);
  vb_lane_fail(connection->lane, forbidden ? VB_EAUTH : VB_ECONNECT,
               "%s: subscriber '%s' is refused: %.*s", vb_connection_address(connection),
               vb_command_name(step_of(connection->lane)->command),
               (int)(length < 300 ? length : 300), text);
}

/* One value that the server sent. False when the connection was closed over it. */
static bool take(vb_connection *connection, const vb_reply *reply) {
  const char *at = vb_reply_first(reply);
  vb_reply first;
  if (!at && connection->state == VB_CONNECTION_READY && connection->unconfirmed) {
    connection->unconfirmed = 0; /* +PONG of RESP3, or that PING is refused */
    return true;
  }
  if (reply->error) {
    refused(connection, reply);
    return true;
  }
  if (!at || !reply->integer || (reply->type != '>' && reply->integer < 2)) {
    vb_connection_break(connection, "protocol", "a subscriber got what is no message");
    return false;
  }
  (void)vb_reply_element(at, &first);
  switch (read_word(&first)) {
  case MESSAGE: take_message(connection, reply); break;
  case CONFIRMED:
    if (connection->unconfirmed && !--connection->unconfirmed)
      vb_connection_become_ready(connection);
    break;
  case REVOKED:
    vb_connection_break(connection, "connection", "the server ended the subscription");
    return false;
  case PONG: connection->unconfirmed = 0; break;
  case OTHER: vb_push_take(connection, reply); break;
  }
  return true;
}

ssize_t vb_subscriber_receive(vb_connection *connection, const char *data, size_t length) {
  size_t used = 0;
  while (used < length) {
    vb_reply reply;
    size_t step;
    enum vb_scan scan =
        vb_scanner_next(&connection->scanner, data + used, length - used, true, &step, &reply);
    used += step;
    if (scan == VB_SCAN_MORE) break;
    if (scan == VB_SCAN_ATTRIBUTE) continue;
    if (scan == VB_SCAN_BAD) {
      vb_connection_break(connection, "protocol", connection->scanner.reason);
      return -1;
    }
    if (!take(connection, &reply)) return -1;
  }
  return (ssize_t)used;
}
