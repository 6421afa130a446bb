/* net/address, net/stream: connecting over TCP and unix sockets, and what a failure says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/stream.h"

/* A listening socket on 127.0.0.1; *port is the one that it got. */
static int listen_tcp(int backlog, int *port) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof in;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
  assert_int_equal(listen(fd, backlog), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &size), 0);
  *port = ntohs(in.sin_port);
  return fd;
}

static int listen_unix(int backlog, char *path, size_t size) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  (void)snprintf(path, size, "/tmp/vbench-test-stream-%d.sock", (int)getpid());
  (void)unlink(path);
  (void)snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
  assert_int_equal(listen(fd, backlog), 0);
  return fd;
}

static vb_address resolve(const vb_endpoint *endpoint) {
  vb_address address;
  vb_error err = {0};
  assert_int_equal(vb_address_resolve(&address, endpoint, &err), VB_OK);
  return address;
}

static void assert_unresolved(const vb_endpoint *endpoint, int status, const char *message) {
  vb_address address;
  vb_error err = {0};
  assert_int_equal(vb_address_resolve(&address, endpoint, &err), status);
  if (message) assert_string_equal(err.text, message);
}

static void addresses_are_resolved(void **state) {
  (void)state;
  vb_address address = resolve(&(vb_endpoint){.host = "127.0.0.1", .port = 6379});
  assert_string_equal(address.text, "127.0.0.1:6379");
  assert_int_equal(address.socket.ss_family, AF_INET);
  address = resolve(&(vb_endpoint){.host = "::1", .port = 6379});
  assert_string_equal(address.text, "[::1]:6379");
  assert_int_equal(address.socket.ss_family, AF_INET6);
  assert_string_equal(resolve(&(vb_endpoint){.host = "[::1]", .port = 1}).text, "[::1]:1");
  address = resolve(&(vb_endpoint){.host = "localhost", .port = 7});
  assert_string_equal(address.text, "localhost:7");
  assert_int_equal(address.socket.ss_family, AF_INET);
  address = resolve(&(vb_endpoint){.path = "/run/valkey.sock"});
  assert_string_equal(address.text, "/run/valkey.sock");
  assert_int_equal(address.socket.ss_family, AF_UNIX);
}

static void what_cannot_be_an_address_is_refused(void **state) {
  (void)state;
  char path[109];
  memset(path, 'p', sizeof path - 1);
  path[sizeof path - 1] = 0;
  assert_unresolved(&(vb_endpoint){.host = "h", .port = 0}, VB_EINVAL,
                    "h: port 0 is not between 1 and 65535");
  assert_unresolved(&(vb_endpoint){.host = "h", .port = 65536}, VB_EINVAL, NULL);
  assert_unresolved(&(vb_endpoint){.host = "", .port = 1}, VB_EINVAL, NULL);
  assert_unresolved(&(vb_endpoint){.path = ""}, VB_EINVAL,
                    "socket \"\": its path is to have 1 to 107 bytes");
  assert_unresolved(&(vb_endpoint){.path = path}, VB_EINVAL, NULL);
  assert_unresolved(&(vb_endpoint){.host = "127.0.0.1", .port = 1, .family = 6}, VB_ECONNECT, NULL);
  vb_address address;
  vb_error err = {0};
  const vb_endpoint nowhere = {.host = "no-such-host.invalid", .port = 1};
  assert_int_equal(vb_address_resolve(&address, &nowhere, &err), VB_ECONNECT);
  assert_non_null(strstr(err.text, "cannot resolve \"no-such-host.invalid\": "));
}

static void wait_readable(const vb_stream *stream) {
  struct pollfd ready = {.fd = stream->fd, .events = POLLIN};
  assert_int_equal(poll(&ready, 1, 5000), 1);
}

/* Connects to what listens at `listener`, and sends bytes both ways. */
static void assert_echo(int listener, const vb_address *address) {
  vb_stream *stream;
  vb_error err = {0};
  char got[16];
  assert_int_equal(vb_stream_connect(&stream, address, &err), VB_OK);
  assert_int_equal(vb_stream_wait_open(stream, address->text, 5000, &err), VB_OK);
  int peer = accept(listener, NULL, NULL);
  assert_int_equal(vb_stream_read(stream, got, sizeof got), VB_STREAM_AGAIN);
  assert_int_equal(vb_stream_write(stream, "ping", 4), 4);
  struct iovec parts[] = {{"-", 1}, {"more", 4}};
  assert_int_equal(stream->ops->writev(stream, parts, 2), 5);
  assert_int_equal(recv(peer, got, 9, MSG_WAITALL), 9);
  assert_memory_equal(got, "ping-more", 9);
  assert_int_equal(send(peer, "pong", 4, 0), 4);
  wait_readable(stream);
  assert_int_equal(vb_stream_read(stream, got, sizeof got), 4);
  assert_memory_equal(got, "pong", 4);
  close(peer);
  wait_readable(stream);
  assert_int_equal(vb_stream_read(stream, got, sizeof got), VB_STREAM_CLOSED);
  vb_stream_close(stream);
}

static void bytes_go_both_ways_over_tcp(void **state) {
  (void)state;
  int port, listener = listen_tcp(8, &port);
  vb_address address = resolve(&(vb_endpoint){.host = "localhost", .port = port});
  assert_echo(listener, &address);
  close(listener);
}

static void bytes_go_both_ways_over_a_unix_socket(void **state) {
  (void)state;
  char path[64];
  int listener = listen_unix(8, path, sizeof path);
  vb_address address = resolve(&(vb_endpoint){.path = path});
  assert_echo(listener, &address);
  close(listener);
  unlink(path);
}

static void tcp_connections_do_not_delay_small_writes(void **state) {
  (void)state;
  int port, listener = listen_tcp(8, &port), no_delay = 0;
  socklen_t size = sizeof no_delay;
  vb_address address = resolve(&(vb_endpoint){.host = "127.0.0.1", .port = port});
  vb_stream *stream;
  assert_int_equal(vb_stream_connect(&stream, &address, NULL), VB_OK);
  assert_int_equal(getsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  assert_int_not_equal(no_delay, 0);
  vb_stream_close(stream);
  close(listener);
}

static void a_refused_connection_names_the_address(void **state) {
  (void)state;
  int port;
  close(listen_tcp(1, &port));
  vb_address address = resolve(&(vb_endpoint){.host = "127.0.0.1", .port = port});
  vb_stream *stream = NULL;
  vb_error err = {0};
  char want[64];
  (void)snprintf(want, sizeof want, "127.0.0.1:%d: connection refused", port);
  int status = vb_stream_connect(&stream, &address, &err);
  if (status == VB_OK) status = vb_stream_wait_open(stream, address.text, 5000, &err);
  assert_int_equal(status, VB_ECONNECT);
  assert_string_equal(err.text, want);
  vb_stream_close(stream);
  address = resolve(&(vb_endpoint){.path = "/tmp/vbench-no-such.sock"});
  assert_int_equal(vb_stream_connect(&stream, &address, &err), VB_ECONNECT);
  assert_string_equal(err.text, "/tmp/vbench-no-such.sock: no such file or directory");
}

/* Connects until the backlog of a listener that accepts nothing is full: the last does not open. */
static vb_stream *connect_until_full(const vb_address *address, vb_stream **streams, int most,
                                     vb_error *err) {
  for (int i = 0; i < most; i++) {
    assert_int_equal(vb_stream_connect(&streams[i], address, err), VB_OK);
    int status = vb_stream_wait_open(streams[i], address->text, 60, err);
    if (status == VB_OK) continue;
    assert_int_equal(status, VB_ETIMEOUT);
    return streams[i];
  }
  return NULL;
}

static void connecting_ends_at_its_deadline(void **state) {
  (void)state;
  int port, listener = listen_tcp(0, &port);
  vb_address address = resolve(&(vb_endpoint){.host = "127.0.0.1", .port = port});
  vb_stream *streams[16] = {0};
  vb_error err = {0};
  char want[64];
  (void)snprintf(want, sizeof want, "127.0.0.1:%d: no connection within 60 ms", port);
  assert_non_null(connect_until_full(&address, streams, 16, &err));
  assert_string_equal(err.text, want);
  for (int i = 0; i < 16; i++) vb_stream_close(streams[i]);
  close(listener);
}

static void a_full_unix_socket_is_tried_again(void **state) {
  (void)state;
  char path[64];
  int listener = listen_unix(0, path, sizeof path);
  vb_address address = resolve(&(vb_endpoint){.path = path});
  vb_stream *streams[16] = {0};
  vb_error err = {0};
  vb_stream *late = connect_until_full(&address, streams, 16, &err);
  assert_non_null(late);
  int peer = accept(listener, NULL, NULL);
  assert_int_equal(vb_stream_wait_open(late, address.text, 5000, &err), VB_OK);
  for (int i = 0; i < 16; i++) vb_stream_close(streams[i]);
  close(peer);
  close(listener);
  unlink(path);
}

static void a_broken_connection_is_an_error_and_no_signal(void **state) {
  (void)state;
  int port, listener = listen_tcp(8, &port);
  vb_address address = resolve(&(vb_endpoint){.host = "127.0.0.1", .port = port});
  vb_stream *stream;
  vb_error err = {0};
  char byte;
  assert_int_equal(vb_stream_connect(&stream, &address, &err), VB_OK);
  assert_int_equal(vb_stream_wait_open(stream, address.text, 5000, &err), VB_OK);
  int peer = accept(listener, NULL, NULL);
  struct linger reset = {.l_onoff = 1};
  assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  close(peer);
  wait_readable(stream);
  assert_int_equal(vb_stream_read(stream, &byte, 1), VB_STREAM_ERROR);
  assert_int_equal(stream->error_number, ECONNRESET);
  assert_int_equal(vb_stream_write(stream, "x", 1), VB_STREAM_ERROR);
  assert_int_equal(stream->error_number, EPIPE);
  vb_stream_close(stream);
  close(listener);
}

static void closing_nothing_is_nothing(void **state) {
  (void)state;
  vb_stream_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(addresses_are_resolved),
      cmocka_unit_test(what_cannot_be_an_address_is_refused),
      cmocka_unit_test(bytes_go_both_ways_over_tcp),
      cmocka_unit_test(bytes_go_both_ways_over_a_unix_socket),
      cmocka_unit_test(tcp_connections_do_not_delay_small_writes),
      cmocka_unit_test(a_refused_connection_names_the_address),
      cmocka_unit_test(connecting_ends_at_its_deadline),
      cmocka_unit_test(a_full_unix_socket_is_tried_again),
      cmocka_unit_test(a_broken_connection_is_an_error_and_no_signal),
      cmocka_unit_test(closing_nothing_is_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
