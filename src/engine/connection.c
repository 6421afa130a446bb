#include "engine/effects.h"
#include "engine/flow.h"
#include "engine/subscriber.h"
#include "engine/worker.h"

#include "net/handshake.h"
#include "resp/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum {
  SMALL_TAIL = 16 * 1024, /* unfinished bytes up to here are joined in the worker's buffer */
  READ_SIZE = 64 * 1024,  /* room for one receive behind a longer tail */
  BACKOFF_MIN_MS = 10,
  BACKOFF_MAX_MS = 1000,
  KEPT_MAX_GB = 1,
  OPENINGS_MAX = 4, /* of a connection that is lost before its phase runs */
  RECEIVES_MAX = 16 /* for one event: other connections have a turn, and so has main */
};

const char *vb_connection_address(const vb_connection *connection) {
  return connection->lane->worker->shared->addresses[connection->node].text;
}

static uint32_t power_of_two(uint32_t least) {
  uint32_t size = 4;
  while (size < least) size *= 2;
  return size;
}

int vb_connection_resize(vb_connection *connection, uint32_t flights) {
  uint32_t size = power_of_two(flights);
  if (size == connection->ring_size) return VB_OK;
  vb_flight *ring = calloc(size, sizeof *ring);
  if (!ring) return VB_ENOMEM;
  free(connection->ring);
  connection->ring = ring;
  connection->ring_size = size;
  connection->head = connection->tail = connection->unstamped = 0;
  return VB_OK;
}

vb_connection *vb_connection_new(vb_lane *lane, uint32_t index, uint32_t node, uint32_t flights) {
  vb_connection *connection = aligned_alloc(VB_CACHE_LINE, sizeof *connection);
  if (!connection) return NULL;
  memset(connection, 0, sizeof *connection);
  connection->lane = lane;
  connection->index = index;
  connection->node = node;
  if (vb_connection_resize(connection, flights)) {
    free(connection);
    return NULL;
  }
  return connection;
}

static void set_tail(vb_connection *connection, size_t length) {
  vb_engine_shared *shared = connection->lane->worker->shared;
  size_t before = connection->tail_bytes.length;
  connection->tail_bytes.length = length;
  if (length > before) (void)atomic_fetch_add(&shared->kept, length - before);
  if (length < before) (void)atomic_fetch_sub(&shared->kept, before - length);
}

static void close_stream(vb_connection *connection) {
  vb_lane *lane = connection->lane;
  if (connection->state == VB_CONNECTION_READY) {
    connection->fruitful = connection->head != connection->first;
    connection->answered += connection->head - connection->first;
    connection->first = connection->head;
    lane->ready_count--;
    if (--lane->nodes[connection->node].ready == 0)
      lane->nodes[connection->node].down_since = lane->worker->now;
  }
  if (connection->state == VB_CONNECTION_OPENING || connection->state == VB_CONNECTION_HANDSHAKE)
    lane->opening--;
  atomic_store_explicit(&lane->ready_shown, lane->ready_count, memory_order_relaxed);
  vb_stream_close(connection->stream);
  connection->stream = NULL;
  connection->state = VB_CONNECTION_CLOSED;
  connection->retry_at = lane->worker->now; /* at once, unless the caller knows better */
  connection->wants_write = connection->parked = connection->unread = false;
  vb_outbox_reset(&connection->outbox, &lane->worker->pool);
  set_tail(connection, 0);
}

void vb_connection_free(vb_connection *connection) {
  if (!connection) return;
  close_stream(connection);
  vb_flow_reset(connection);
  vb_bytes_fini(&connection->tail_bytes);
  free(connection->ring);
  free(connection);
}

vb_flight *vb_connection_push(vb_connection *connection) {
  vb_flight *flight = &connection->ring[connection->tail++ & (connection->ring_size - 1)];
  flight->written = connection->lane->worker->now;
  flight->retry = flight->repeats = 0;
  return flight;
}

/* Exponential from 10 ms to 1 s, each jittered to between half and the whole of it. */
static vb_ns backoff(const vb_connection *connection) {
  uint64_t limit_ms = BACKOFF_MIN_MS;
  for (uint32_t i = 1; i < connection->attempts && limit_ms < BACKOFF_MAX_MS; i++) limit_ms *= 2;
  uint64_t half = limit_ms * VB_NS_PER_MS / 2;
  return half + vb_below(vb_draw(connection->lane->worker->now, connection->index, half), half);
}

static int register_stream(vb_connection *connection, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  return epoll_ctl(connection->lane->worker->epoll_fd, operation, connection->stream->fd, &event);
}

static void want_write(vb_connection *connection, bool wanted) {
  if (connection->wants_write == wanted) return;
  connection->wants_write = wanted;
  (void)register_stream(connection, EPOLL_CTL_MOD, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static bool is_preparing(const vb_lane *lane) {
  return atomic_load(&lane->state) == VB_LANE_PREPARE;
}

/* Why a node cannot be had, without its address. */
static void note_refusal(vb_connection *connection, const char *text) {
  vb_lane_node *node = &connection->lane->nodes[connection->node];
  const char *address = vb_connection_address(connection);
  size_t length = strlen(address);
  if (!strncmp(text, address, length) && !strncmp(text + length, ": ", 2)) text += length + 2;
  (void)snprintf(node->refusal, sizeof node->refusal, "%.199s", text);
}

/* An attempt to open that failed. The first round of a phase takes a refusal as final: whoever
 * misspelt a port should not wait; later the server is given --connect-timeout to come back. */
static void open_failed(vb_connection *connection, const vb_error *error) {
  vb_lane *lane = connection->lane;
  close_stream(connection);
  connection->attempts++;
  connection->retry_at = lane->worker->now + backoff(connection);
  note_refusal(connection, error->text);
  if (is_preparing(lane) || error->status == VB_EAUTH || error->status == VB_ESERVER)
    vb_lane_fail(lane, error->status, "%s", error->text);
}

void vb_connection_open(vb_connection *connection) {
  vb_worker *worker = connection->lane->worker;
  vb_error error;
  connection->head = connection->tail = connection->unstamped = connection->open = 0;
  connection->scanner = (vb_scanner){.max_reply = worker->shared->spec.max_reply};
  connection->keep = true;
  connection->asked = false;
  connection->unconfirmed = 0;
  connection->opened_at = worker->now = vb_now();
  connection->retry_at = worker->now + worker->shared->spec.connect_timeout_ns;
  if (vb_stream_connect(&connection->stream, &worker->shared->addresses[connection->node],
                        &error)) {
    open_failed(connection, &error);
    return;
  }
  connection->state = VB_CONNECTION_OPENING;
  connection->lane->opening++;
  connection->wants_write = true;
  if (register_stream(connection, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT)) {
    (void)vb_fail(&error, VB_EIO, "%s: epoll: %s", vb_connection_address(connection),
                  strerror(errno));
    open_failed(connection, &error);
  }
}

void vb_connection_become_ready(vb_connection *connection) {
  vb_lane *lane = connection->lane;
  vb_lane_node *node = &lane->nodes[connection->node];
  if (connection->attempts && !is_preparing(lane)) lane->rows[0].counters.reconnects++;
  connection->state = VB_CONNECTION_READY;
  vb_histogram_record(lane->connects, lane->worker->now - connection->opened_at, 1);
  lane->opening--;
  connection->attempts = 0;
  connection->left = lane->phase->spec.reconnect;
  connection->first = connection->head;
  lane->ready_count++;
  atomic_store_explicit(&lane->ready_shown, lane->ready_count, memory_order_relaxed);
  node->ready++;
  node->down_since = 0;
  node->refusal[0] = 0;
  if (is_preparing(lane))
    vb_lane_open_more(lane);
  else
    vb_connection_fill(connection);
}

static void handshake_done(vb_connection *connection) {
  if (connection->lane->subscribes)
    vb_subscriber_ask(connection);
  else
    vb_connection_become_ready(connection);
}

void vb_connection_renew(vb_connection *connection) {
  vb_flow_renew(connection);
  close_stream(connection);
  vb_connection_open(connection);
}

static void send_handshake(vb_connection *connection) {
  vb_worker *worker = connection->lane->worker;
  const vb_login *login = &worker->shared->spec.login;
  int count = vb_handshake_count(login);
  vb_bytes *scratch = &worker->renderer.scratch;
  for (int i = 0; i < count; i++) {
    vb_handshake_request request;
    vb_handshake_get(login, i, &request);
    vb_bytes_clear(scratch);
    vb_resp_request(scratch, request.count, request.words, NULL);
    char *to = vb_outbox_reserve(&connection->outbox, &worker->pool, scratch->length);
    memcpy(to, scratch->data, scratch->length);
    vb_outbox_commit(&connection->outbox, scratch->length);
    vb_flight *flight = vb_connection_push(connection);
    flight->entry = NULL;
    flight->step = (uint16_t)i;
    flight->replies = 1;
    flight->end = connection->outbox.appended;
  }
  connection->state = VB_CONNECTION_HANDSHAKE;
  if (count)
    vb_connection_flush(connection);
  else
    handshake_done(connection);
}

static bool starts_with(const vb_reply *reply, const char *word) {
  size_t length = strlen(word);
  return reply->error && reply->text && reply->text_length >= length &&
         !memcmp(reply->text, word, length);
}

/* The reply to a request of the handshake. */
static void judge_handshake(vb_connection *connection, const vb_flight *flight,
                            const vb_reply *reply) {
  vb_worker *worker = connection->lane->worker;
  vb_error error;
  const vb_login *login = &worker->shared->spec.login;
  bool full = starts_with(reply, "ERR max number of clients");
  if (vb_handshake_check(login, full ? VB_HANDSHAKE_UNASKED : flight->step,
                         vb_connection_address(connection), reply->error ? reply->text : NULL,
                         reply->text_length, &error)) {
    /* Once a phase runs, a server that is full, or not up again yet, is waited for. */
    if (!is_preparing(connection->lane) && (full || starts_with(reply, "LOADING")))
      error.status = VB_ECONNECT;
    open_failed(connection, &error);
    return;
  }
  if (flight->step + 1 == vb_handshake_count(login)) handshake_done(connection);
}

/* Replies while the handshake goes on; the scanner's data is the caller's. */
static ssize_t receive_handshake(vb_connection *connection, const char *data, size_t length) {
  size_t used = 0;
  while (connection->state == VB_CONNECTION_HANDSHAKE && used < length) {
    vb_reply reply;
    size_t step;
    enum vb_scan scan =
        vb_scanner_next(&connection->scanner, data + used, length - used, true, &step, &reply);
    used += step;
    if (scan == VB_SCAN_MORE) break;
    if (scan == VB_SCAN_BAD) {
      vb_error error;
      (void)vb_fail(&error, VB_EPROTOCOL, "%s: %s", vb_connection_address(connection),
                    connection->scanner.reason);
      open_failed(connection, &error);
      return -1;
    }
    if (scan == VB_SCAN_REPLY)
      judge_handshake(connection,
                      &connection->ring[connection->head++ & (connection->ring_size - 1)], &reply);
  }
  return connection->state == VB_CONNECTION_CLOSED ? -1 : (ssize_t)used;
}

/* A unix socket whose server has no room yet hangs up at once, all the time: the sweep asks again
 * later, so that the event loop can rest. */
static void park(vb_connection *connection) {
  if (connection->parked) return;
  (void)register_stream(connection, EPOLL_CTL_DEL, 0);
  connection->parked = true;
}

static void unpark(vb_connection *connection) {
  if (!connection->parked) return;
  connection->parked = false;
  connection->wants_write = true;
  (void)register_stream(connection, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void go_on_opening(vb_connection *connection, uint32_t events) {
  vb_error error;
  connection->lane->worker->now = vb_now();
  switch (connection->stream->ops->open(connection->stream, &error)) {
  case VB_STREAM_READY:
    unpark(connection);
    want_write(connection, false);
    send_handshake(connection);
    return;
  case VB_STREAM_WANT_READ: want_write(connection, false); return;
  case VB_STREAM_WANT_WRITE:
    if (events & EPOLLHUP)
      park(connection);
    else
      want_write(connection, true);
    return;
  case VB_STREAM_FAILED: open_failed(connection, &error); return;
  }
}

static uint32_t in_flight(const vb_connection *connection) {
  return connection->tail - connection->head;
}

void vb_connection_break(vb_connection *connection, const char *kind, const char *message) {
  vb_lane *lane = connection->lane;
  if (connection->state == VB_CONNECTION_CLOSED) return;
  vb_lane_record_flush(lane);
  bool was_open =
      connection->state == VB_CONNECTION_READY || connection->state == VB_CONNECTION_HANDSHAKE;
  if (is_preparing(lane) && was_open && connection->openings < OPENINGS_MAX) {
    close_stream(connection);
    connection->openings++;
    vb_connection_open(connection);
    return;
  }
  char text[800];
  (void)snprintf(text, sizeof text, "%s: %s", vb_connection_address(connection), message);
  if (connection->state != VB_CONNECTION_READY || is_preparing(lane)) {
    vb_error error;
    (void)vb_fail(&error, VB_ECONNECT, "%s", text);
    open_failed(connection, &error);
    return;
  }
  close_stream(connection);
  connection->attempts = 1;
  connection->retry_at = lane->worker->now + backoff(connection);
  if (lane->counted_from != UINT64_MAX) lane->rows[0].counters.connection_errors++;
  if (VB_UNLIKELY(connection->serving)) vb_flow_lost(connection, kind, text);
  vb_flow_renew(connection);
  vb_retry_lost(connection, kind, text);
}

void vb_connection_abandon(vb_connection *connection) {
  vb_flow_forget(connection);
  close_stream(connection);
  vb_retry_abandon(connection);
}

bool vb_connection_is_blocked(const vb_connection *connection) {
  if (connection->state != VB_CONNECTION_READY || !in_flight(connection)) return false;
  const vb_flight *head = &connection->ring[connection->head & (connection->ring_size - 1)];
  int kind = head->entry->kind;
  if (kind > VB_ENTRY_SEQUENCE && kind != VB_ENTRY_FLOW) return false;
  const vb_command *command = head->entry->steps[head->step].command;
  return command && vb_command_is_blocking(command);
}

/* Notes the time of the write for each flight whose last byte went out with it. */
static void stamp(vb_connection *connection, vb_ns now) {
  uint64_t sent = connection->outbox.sent;
  uint32_t mask = connection->ring_size - 1;
  uint32_t at = connection->unstamped;
  while (at != connection->tail && connection->ring[at & mask].end <= sent)
    connection->ring[at++ & mask].written = now;
  connection->unstamped = at;
}

/* What a failed read or write comes to. */
static void break_stream(vb_connection *connection, ssize_t failed, const char *when) {
  char reason[640], text[680];
  if (failed == VB_STREAM_CLOSED)
    (void)snprintf(reason, sizeof reason, "the server closed the connection");
  else
    vb_stream_explain(connection->stream, reason, sizeof reason);
  (void)snprintf(text, sizeof text, "%s%s", when, reason);
  vb_connection_break(connection, "connection", text);
}

void vb_connection_flush(vb_connection *connection) {
  vb_worker *worker = connection->lane->worker;
  while (!vb_outbox_empty(&connection->outbox)) {
    worker->now = vb_now();
    ssize_t done = vb_outbox_flush(&connection->outbox, &worker->pool, connection->stream);
    if (done > 0) {
      stamp(connection, worker->now);
      continue;
    }
    if (done == VB_STREAM_AGAIN)
      want_write(connection, true);
    else
      break_stream(connection, done, "while sending: ");
    return;
  }
  want_write(connection, false);
}

/* Keeps what was not used for the next receive. */
static void keep_tail(vb_connection *connection, const char *rest, size_t length) {
  vb_bytes *tail = &connection->tail_bytes;
  if (!length && !tail->length) return;
  if (length)
    memmove(vb_bytes_reserve(tail, length > tail->length ? length - tail->length : 0) -
                tail->length,
            rest, length);
  set_tail(connection, length);
  if (!length && tail->capacity > SMALL_TAIL) vb_bytes_fini(tail);
}

/* Where the next bytes go: behind what is left over, in the worker's buffer when that is short,
 * else in the connection's own. */
static char *receive_room(vb_connection *connection, size_t *tail, size_t *room) {
  vb_worker *worker = connection->lane->worker;
  vb_bytes *kept = &connection->tail_bytes;
  *tail = kept->length;
  if (kept->length <= SMALL_TAIL) {
    if (kept->length) memcpy(worker->buffer, kept->data, kept->length);
    *room = VB_RECEIVE_SIZE - kept->length;
    return worker->buffer;
  }
  char *end = vb_bytes_reserve(kept, READ_SIZE);
  *room = kept->capacity - kept->length;
  return end - kept->length;
}

static ssize_t receive_into(vb_connection *connection, const char *data, size_t length) {
  if (connection->unconfirmed ||
      (connection->lane->subscribes && connection->state == VB_CONNECTION_READY))
    return vb_subscriber_receive(connection, data, length);
  return connection->state == VB_CONNECTION_HANDSHAKE
             ? receive_handshake(connection, data, length)
             : vb_connection_receive(connection, data, length);
}

static bool keeps_too_much(const vb_connection *connection) {
  return atomic_load(&connection->lane->worker->shared->kept) > (size_t)KEPT_MAX_GB << 30;
}

/* Receives once. True when there may be more to receive. */
static bool receive_once(vb_connection *connection) {
  vb_worker *worker = connection->lane->worker;
  size_t tail, room;
  char *data = receive_room(connection, &tail, &room);
  ssize_t got = vb_stream_read(connection->stream, data + tail, room);
  if (got == VB_STREAM_AGAIN) return false;
  worker->now = vb_now();
  if (got < 0) {
    break_stream(connection, got, "");
    return false;
  }
  bool more = (size_t)got == room || connection->stream->pending;
  size_t length = tail + (size_t)got, done = 0;
  while (done < length) {
    enum vb_connection_state state = connection->state;
    ssize_t used = receive_into(connection, data + done, length - done);
    if (used < 0) return false;
    done += (size_t)used;
    if (connection->state == state) break; /* else the handshake ended before the data did */
  }
  keep_tail(connection, data + done, length - done);
  if (keeps_too_much(connection)) {
    vb_connection_break(connection, "protocol", "unfinished replies hold more than 1 GB");
    return false;
  }
  return more;
}

static void receive(vb_connection *connection) {
  bool more = true;
  for (int i = 0; more && i < RECEIVES_MAX; i++) more = receive_once(connection);
  connection->unread = more;
}

/* Between phases nothing is asked: what comes is the end, or what nobody will look at. The next
 * phase opens it again. */
static void event_between_phases(vb_connection *connection) {
  vb_worker *worker = connection->lane->worker;
  worker->now = vb_now();
  if (vb_stream_read(connection->stream, worker->buffer, VB_RECEIVE_SIZE) != VB_STREAM_AGAIN)
    close_stream(connection);
}

void vb_connection_retire(vb_connection *connection) {
  if (connection->state != VB_CONNECTION_CLOSED && !connection->open) close_stream(connection);
}

void vb_connection_settle(vb_connection *connection) {
  bool idle = connection->state == VB_CONNECTION_READY && !in_flight(connection) &&
              !connection->lane->subscribes && vb_outbox_empty(&connection->outbox) &&
              !connection->scanner.busy && !connection->tail_bytes.length;
  if (!idle) close_stream(connection);
}

void vb_connection_sweep(vb_connection *connection) {
  vb_lane *lane = connection->lane;
  bool late = lane->worker->now >= connection->retry_at;
  switch ((enum vb_connection_state)connection->state) {
  case VB_CONNECTION_CLOSED:
    if (late && !is_preparing(lane)) vb_connection_open(connection);
    return;
  case VB_CONNECTION_OPENING:
    if (connection->parked) go_on_opening(connection, EPOLLHUP);
    break;
  case VB_CONNECTION_HANDSHAKE: break;
  case VB_CONNECTION_READY: return;
  }
  if (late && connection->state != VB_CONNECTION_READY && !is_preparing(lane))
    vb_connection_break(connection, "connection", "no connection within --connect-timeout");
}

static bool lane_works(const vb_lane *lane) {
  int state = atomic_load_explicit(&lane->state, memory_order_relaxed);
  return state == VB_LANE_PREPARE || state == VB_LANE_RUN || state == VB_LANE_IDLE ||
         state == VB_LANE_DRAIN || (state == VB_LANE_READY && lane->subscribes);
}

void vb_connection_event(vb_connection *connection, uint32_t events) {
  if (connection->state == VB_CONNECTION_CLOSED) return;
  if (VB_UNLIKELY(!lane_works(connection->lane))) {
    event_between_phases(connection);
    return;
  }
  if (connection->state == VB_CONNECTION_OPENING) {
    go_on_opening(connection, events);
    return;
  }
  if (connection->unread || events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(connection);
  if (connection->state == VB_CONNECTION_READY)
    vb_connection_fill(connection);
  else if (connection->state == VB_CONNECTION_HANDSHAKE)
    vb_connection_flush(connection);
  /* What a stream holds by itself wakes nobody: being writable does. */
  if (VB_UNLIKELY(connection->unread) && connection->state != VB_CONNECTION_CLOSED)
    want_write(connection, true);
}
