#include "resp/client.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "net/handshake.h"
#include "net/stream.h"
#include "resp/scanner.h"
#include "resp/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  READ_SIZE = 16 * 1024,
  BUFFER_KEPT = 1024 * 1024, /* a larger receive buffer is given back after its reply */
  UNASKED_SHOWN = 40
};

struct vb_client {
  vb_address address;
  char local[64];
  vb_stream *stream; /* NULL once closed */
  vb_scanner scanner;
  vb_bytes received;
  bool answered;    /* a reply has come */
  vb_error failure; /* what closed it */
};

/* One call under way. */
typedef struct exchange {
  vb_client *client;
  const char *what; /* the request's first word */
  int timeout_ms;
  vb_ns deadline;
  vb_error *err;
} exchange;

static exchange begin_exchange(vb_client *client, const char *what, int timeout_ms, vb_error *err) {
  return (exchange){client, what, timeout_ms,
                    vb_now() + VB_NS_PER_MS * (unsigned)(timeout_ms > 0 ? timeout_ms : 0), err};
}

static int no_reply(const exchange *call) {
  return vb_fail(call->err, VB_ETIMEOUT, "%s: no reply to %.40s within %d ms",
                 call->client->address.text, call->what, call->timeout_ms);
}

/* For a server that never said a word of RESP: perhaps it speaks TLS, and we do not. Its alert is a
 * record of type 21, version 3. */
static const char *tls_hint(const vb_client *client) {
  const vb_bytes *received = &client->received;
  bool alert = received->length > 1 && received->data[0] == 21 && received->data[1] == 3;
  if (client->address.tls || client->answered || (received->length && !alert)) return "";
  return "; if that is its port for TLS: --tls";
}

static int closed_by_server(const exchange *call) {
  const vb_client *client = call->client;
  const char *when =
      client->received.length ? "in the middle of the reply to" : "instead of a reply to";
  return vb_fail(call->err, VB_ECONNECT, "%s: the server closed the connection %s %.40s%s",
                 client->address.text, when, call->what, tls_hint(client));
}

static int broken(const exchange *call) {
  char reason[640];
  vb_stream_explain(call->client->stream, reason, sizeof reason);
  return vb_fail(call->err, VB_ECONNECT, "%s: %s (during %.40s)%s", call->client->address.text,
                 reason, call->what, tls_hint(call->client));
}

/* Waits for the stream; VB_ETIMEOUT at the deadline. */
static int await(const exchange *call, short events) {
  vb_ns now = vb_now();
  if (now >= call->deadline) return no_reply(call);
  struct pollfd ready = {.fd = call->client->stream->fd, .events = events};
  (void)poll(&ready, 1, (int)((call->deadline - now + VB_NS_PER_MS - 1) / VB_NS_PER_MS));
  return VB_OK;
}

/* Sends all of it. A connection that breaks is left to the reading: what the server said before it
 * closed says more than EPIPE. */
static int send_all(const exchange *call, const char *from, size_t length) {
  for (size_t sent = 0; sent < length;) {
    ssize_t done = vb_stream_write(call->client->stream, from + sent, length - sent);
    if (done > 0)
      sent += (size_t)done;
    else if (done != VB_STREAM_AGAIN)
      return VB_OK;
    else if (await(call, POLLOUT))
      return VB_ETIMEOUT;
  }
  return VB_OK;
}

static int send_request(const exchange *call, int count, const char *const *words,
                        const size_t *lengths) {
  char *request = NULL;
  int length = redisFormatCommandArgv(&request, count, (const char **)words, lengths);
  if (length < 0)
    return vb_fail(call->err, VB_ENOMEM, "%s: no memory for %.40s", call->client->address.text,
                   call->what);
  int failed = send_all(call, request, (size_t)length);
  redisFreeCommand(request);
  return failed;
}

/* Bytes to which no request belongs: an error (protected mode says so at once), or a server that
 * has lost count. */
static int refuse_unasked(const exchange *call, const char *bytes, size_t length) {
  const char *address = call->client->address.text;
  const char *end = memchr(bytes, '\r', length);
  if (*bytes == '-' && end) {
    const vb_login nobody = {.resp = 2};
    return vb_handshake_check(&nobody, VB_HANDSHAKE_UNASKED, address, bytes + 1,
                              (size_t)(end - bytes) - 1, call->err);
  }
  char shown[UNASKED_SHOWN + 1];
  if (length > UNASKED_SHOWN) length = UNASKED_SHOWN;
  for (size_t i = 0; i < length; i++) shown[i] = isprint((unsigned char)bytes[i]) ? bytes[i] : '.';
  shown[length] = 0;
  return vb_fail(call->err, VB_EPROTOCOL, "%s: bytes that nobody asked for: \"%s\"", address,
                 shown);
}

/* Before a request: nothing is there to be read, and the connection stands. */
static int check_quiet(const exchange *call) {
  char bytes[256];
  ssize_t got = vb_stream_read(call->client->stream, bytes, sizeof bytes);
  if (got == VB_STREAM_AGAIN) return VB_OK;
  if (got == VB_STREAM_CLOSED)
    return vb_fail(call->err, VB_ECONNECT, "%s: the server closed the connection before %.40s",
                   call->client->address.text, call->what);
  if (got < 0) return broken(call);
  return refuse_unasked(call, bytes, (size_t)got);
}

/* Reads what is there into the buffer; VB_OK also when that is nothing. */
static int receive(const exchange *call) {
  vb_client *client = call->client;
  char *to = vb_bytes_reserve(&client->received, READ_SIZE);
  ssize_t got = vb_stream_read(client->stream, to, READ_SIZE);
  if (got > 0) client->received.length += (size_t)got;
  if (got == VB_STREAM_AGAIN) return await(call, POLLIN);
  if (got == VB_STREAM_CLOSED) return closed_by_server(call);
  return got < 0 ? broken(call) : VB_OK;
}

static void empty_buffer(vb_client *client) {
  if (client->received.capacity > BUFFER_KEPT) vb_bytes_fini(&client->received);
  vb_bytes_clear(&client->received);
}

static int bad_reply(const exchange *call, int status, const char *why) {
  return vb_fail(call->err, status, "%s: bad reply to %.40s: %s%s", call->client->address.text,
                 call->what, why, tls_hint(call->client));
}

/* Receives until a reply is whole. The scanner judges it before hiredis reads it: it has the
 * limits, and names the bytes that are wrong. */
static int receive_reply(const exchange *call, vb_reply *reply) {
  vb_client *client = call->client;
  size_t used;
  for (;;) {
    enum vb_scan scan = vb_scanner_next(&client->scanner, client->received.data,
                                        client->received.length, true, &used, reply);
    if (scan == VB_SCAN_BAD) return bad_reply(call, VB_EPROTOCOL, client->scanner.reason);
    if (scan != VB_SCAN_MORE) return VB_OK;
    int failed = receive(call);
    if (failed) return failed;
  }
}

static int read_reply(const exchange *call, vb_value **out) {
  vb_bytes *received = &call->client->received;
  vb_error why = {0};
  vb_value *value = NULL;
  vb_reply reply;
  int failed = receive_reply(call, &reply);
  if (failed) return failed;
  if (!strchr("+-:$*", reply.type))
    return bad_reply(call, VB_EPROTOCOL, "a type that RESP2 has not");
  failed = vb_value_read(reply.bytes, reply.size, &value, &why);
  if (failed) return bad_reply(call, failed, why.text);
  if (reply.size < received->length) {
    vb_value_free(value);
    return refuse_unasked(call, received->data + reply.size, received->length - reply.size);
  }
  empty_buffer(call->client);
  call->client->answered = true;
  *out = value;
  return VB_OK;
}

/* Ends the client's use of its connection, and keeps why. */
static int give_up(vb_client *client, int status, const vb_error *err) {
  client->failure = *err;
  vb_stream_close(client->stream);
  client->stream = NULL;
  return status;
}

int vb_client_call(vb_client *client, int count, const char *const *words, const size_t *lengths,
                   int timeout_ms, vb_value **out, vb_error *err) {
  vb_error failure = {0};
  if (count < 1) return vb_fail(err, VB_EINVAL, "a request has at least one word");
  if (!client->stream)
    return vb_fail(err, VB_ECONNECT, "the connection is closed since: %s", client->failure.text);
  exchange call = begin_exchange(client, words[0], timeout_ms, &failure);
  int status = check_quiet(&call);
  if (!status) status = send_request(&call, count, words, lengths);
  if (!status) status = read_reply(&call, out);
  if (!status) return VB_OK;
  give_up(client, status, &failure);
  return vb_fail(err, status, "%s", failure.text);
}

static int shake_hands(vb_client *client, const vb_login *login, vb_ns deadline, vb_error *err) {
  for (int i = 0; i < vb_handshake_count(login); i++) {
    vb_handshake_request request;
    vb_value *reply;
    vb_handshake_get(login, i, &request);
    vb_ns now = vb_now();
    int left_ms = now < deadline ? (int)((deadline - now) / VB_NS_PER_MS) : 0;
    int failed = vb_client_call(client, request.count, request.words, NULL, left_ms, &reply, err);
    if (failed) return failed;
    if (reply->type == VB_VALUE_ERROR)
      failed = vb_handshake_check(login, i, client->address.text, reply->text, reply->length, err);
    vb_value_free(reply);
    if (failed) return failed;
  }
  return VB_OK;
}

static void find_local_address(vb_client *client) {
  struct sockaddr_storage socket = {0};
  socklen_t size = sizeof socket;
  char text[INET6_ADDRSTRLEN] = "";
  if (getsockname(client->stream->fd, (struct sockaddr *)&socket, &size) < 0) return;
  if (socket.ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)&socket;
    (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    (void)snprintf(client->local, sizeof client->local, "%s:%d", text, ntohs(in->sin_port));
  } else if (socket.ss_family == AF_INET6) {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&socket;
    (void)inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
    (void)snprintf(client->local, sizeof client->local, "[%s]:%d", text, ntohs(in->sin6_port));
  }
}

int vb_client_open(vb_client **out, const vb_endpoint *endpoint, const vb_login *login,
                   int timeout_ms, vb_error *err) {
  vb_ns deadline = vb_now() + VB_NS_PER_MS * (unsigned)timeout_ms;
  vb_login resp2 = *login;
  resp2.resp = 2;
  vb_client *client = calloc(1, sizeof *client);
  if (!client) return vb_fail(err, VB_ENOMEM, "no memory for a connection");
  client->scanner.max_reply = VB_CLIENT_REPLY_MAX;
  int status = vb_address_resolve(&client->address, endpoint, err);
  if (!status) status = vb_stream_connect(&client->stream, &client->address, err);
  if (!status) status = vb_stream_wait_open(client->stream, client->address.text, timeout_ms, err);
  if (!status) find_local_address(client);
  if (!status) status = shake_hands(client, &resp2, deadline, err);
  if (status)
    vb_client_close(client);
  else
    *out = client;
  return status;
}

void vb_client_close(vb_client *client) {
  if (!client) return;
  vb_stream_close(client->stream);
  vb_bytes_fini(&client->received);
  free(client);
}

const char *vb_client_address(const vb_client *client) {
  return client->address.text;
}

const char *vb_client_local_address(const vb_client *client) {
  return client->local;
}
