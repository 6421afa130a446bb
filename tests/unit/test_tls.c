/* net/tls: encrypted streams against an OpenSSL server, and what is said when they cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/stream.h"
#include "net/tls.h"
#include "tls.h"

enum { YEAR_S = 365 * 24 * 3600, TIMEOUT_MS = 10000, BIG = 10 * 1024 * 1024 };

static char directory[] = "/tmp/vbench-test-tls-XXXXXX";
static tls_identity ca, other_ca, good, expired, elsewhere, alone, client;

static const vb_tls_spec trusting = {.cacert = ca.certificate_path};

/* A connection to a server: what the client does with what settings. */
typedef struct tls_link {
  vb_tls *tls;
  vb_stream *stream;
  vb_error err;
} tls_link;

static int open_link(tls_link *self, const tls_server *server, const char *host,
                     const vb_tls_spec *spec, int timeout_ms) {
  vb_address address;
  *self = (tls_link){0};
  assert_int_equal(vb_tls_new(&self->tls, spec, &self->err), VB_OK);
  vb_endpoint endpoint = {
      .host = host, .path = server->path, .port = server->port, .tls = self->tls};
  assert_int_equal(vb_address_resolve(&address, &endpoint, &self->err), VB_OK);
  assert_int_equal(vb_stream_connect(&self->stream, &address, &self->err), VB_OK);
  return vb_stream_wait_open(self->stream, address.text, timeout_ms, &self->err);
}

static void close_link(tls_link *self) {
  vb_stream_close(self->stream);
  vb_tls_free(self->tls);
}

static void wait_for(const vb_stream *stream, short events) {
  struct pollfd ready = {.fd = stream->fd, .events = events};
  assert_int_equal(poll(&ready, 1, TIMEOUT_MS), 1);
}

/* The next bytes, or the end; waits for the socket only when the stream has nothing. */
static ssize_t read_some(vb_stream *stream, void *to, size_t size) {
  for (;;) {
    ssize_t got = vb_stream_read(stream, to, size);
    if (got != VB_STREAM_AGAIN) return got;
    wait_for(stream, POLLIN);
  }
}

static void read_exactly(vb_stream *stream, char *to, size_t size) {
  for (size_t all = 0; all < size;) {
    ssize_t got = read_some(stream, to + all, size - all);
    assert_true(got > 0);
    all += (size_t)got;
  }
}

static void assert_echo(vb_stream *stream) {
  char got[16];
  assert_int_equal(vb_stream_write(stream, "ping", 4), 4);
  read_exactly(stream, got, 4);
  assert_memory_equal(got, "ping", 4);
}

/* A handshake that comes to nothing: status, and the message behind the address. */
static void assert_refused(tls_server server, const char *host, const vb_tls_spec *spec, int status,
                           const char *message) {
  tls_link self;
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, host, spec, TIMEOUT_MS), status);
  close_link(&self);
  tls_server_stop(&server);
  assert_false(server.shaken);
  const char *behind = strstr(self.err.text, ": ");
  assert_non_null(behind);
  assert_string_equal(behind + 2, message);
}

/* One that works. */
static void assert_works(tls_server *server, const char *host, const vb_tls_spec *spec) {
  tls_link self;
  tls_server_start(server);
  assert_int_equal(open_link(&self, server, host, spec, TIMEOUT_MS), VB_OK);
  assert_echo(self.stream);
  close_link(&self);
  tls_server_stop(server);
  assert_true(server->shaken);
}

static void bytes_go_both_ways(void **state) {
  (void)state;
  tls_server old = {.identity = &good, .version = TLS1_2_VERSION};
  tls_server recent = {.identity = &good, .version = TLS1_3_VERSION};
  assert_works(&old, "localhost", &trusting);
  assert_works(&recent, "localhost", &trusting);
}

/* Sends and receives 10 MB at once, so that both directions fill up and writes stop half way. */
static void big_values_go_both_ways(void **state) {
  (void)state;
  tls_server server = {.identity = &good};
  tls_link self;
  char *out = malloc(BIG), *in = malloc(BIG);
  size_t sent = 0, received = 0;
  int stopped = 0, room = 64 * 1024;
  for (size_t i = 0; i < BIG; i++) out[i] = (char)(i * 2654435761u >> 13);
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "127.0.0.1", &trusting, TIMEOUT_MS), VB_OK);
  (void)setsockopt(self.stream->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  (void)setsockopt(self.stream->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  while (received < BIG) {
    ssize_t done = sent < BIG ? vb_stream_write(self.stream, out + sent, BIG - sent) : 0;
    assert_true(done >= 0);
    if (sent < BIG && (size_t)done < BIG - sent) stopped++;
    sent += (size_t)done;
    ssize_t got = vb_stream_read(self.stream, in + received, BIG - received);
    assert_true(got >= 0);
    received += (size_t)got;
    if (!done && !got) wait_for(self.stream, sent < BIG ? POLLIN | POLLOUT : POLLIN);
  }
  assert_memory_equal(in, out, BIG);
  assert_true(stopped > 0);
  close_link(&self);
  tls_server_stop(&server);
  free(out);
  free(in);
}

/* Says the size of each record that comes, until 40000 bytes have come. */
static void tell_sizes(SSL *ssl) {
  static char bytes[65536];
  int sizes[16] = {0};
  for (int count = 0, all = 0; all < 40000 && count < 16; count++) {
    sizes[count] = SSL_read(ssl, bytes, sizeof bytes);
    all += sizes[count];
  }
  (void)SSL_write(ssl, sizes, sizeof sizes);
}

static void small_parts_share_a_record(void **state) {
  (void)state;
  static char large[39990];
  tls_server server = {.identity = &good, .serve = tell_sizes};
  tls_link self;
  int sizes[16];
  struct iovec parts[] = {{"ab", 2}, {"", 0}, {"cdefgh", 6}, {large, sizeof large}, {"ij", 2}};
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  assert_int_equal(self.stream->ops->writev(self.stream, parts, 5), 40000);
  read_exactly(self.stream, (char *)sizes, sizeof sizes);
  assert_int_equal(sizes[0], 16384);
  assert_int_equal(sizes[1], 16384);
  assert_int_equal(sizes[2], 40000 - 2 * 16384);
  close_link(&self);
  tls_server_stop(&server);
}

/* Sends one record byte by byte. */
static void trickle(SSL *ssl) {
  char *bytes;
  int fd = SSL_get_fd(ssl);
  SSL_set0_wbio(ssl, BIO_new(BIO_s_mem()));
  (void)SSL_write(ssl, "in-pieces", 9);
  long size = BIO_get_mem_data(SSL_get_wbio(ssl), &bytes);
  for (long i = 0; i < size; i++) {
    (void)send(fd, bytes + i, 1, MSG_NOSIGNAL);
    if (i % 8 == 0) (void)usleep(500);
  }
}

static void a_record_in_pieces_is_put_together(void **state) {
  (void)state;
  tls_server server = {.identity = &good, .serve = trickle};
  tls_link self;
  char got[16];
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  assert_int_equal(read_some(self.stream, got, sizeof got), 9);
  assert_memory_equal(got, "in-pieces", 9);
  close_link(&self);
  tls_server_stop(&server);
}

/* Many records in one go. */
static void burst(SSL *ssl) {
  char piece[100], go;
  int fd = SSL_get_fd(ssl);
  char *bytes;
  memset(piece, 'p', sizeof piece);
  (void)SSL_read(ssl, &go, 1);
  SSL_set0_wbio(ssl, BIO_new(BIO_s_mem()));
  for (int i = 0; i < 50; i++) (void)SSL_write(ssl, piece, sizeof piece);
  long size = BIO_get_mem_data(SSL_get_wbio(ssl), &bytes);
  (void)send(fd, bytes, (size_t)size, MSG_NOSIGNAL);
  (void)SSL_read(ssl, &go, 1);
}

static void a_read_takes_all_that_openssl_holds(void **state) {
  (void)state;
  tls_server server = {.identity = &good, .serve = burst};
  tls_link self;
  char got[8192];
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  assert_int_equal(vb_stream_write(self.stream, "g", 1), 1);
  assert_int_equal(read_some(self.stream, got, sizeof got), 5000);
  assert_int_equal(vb_stream_read(self.stream, got, sizeof got), VB_STREAM_AGAIN);
  close_link(&self);
  tls_server_stop(&server);
}

/* Says goodbye in TLS with the last bytes, and leaves the socket open. */
static void close_half_way(SSL *ssl) {
  char *bytes, go;
  int fd = SSL_get_fd(ssl);
  SSL_set0_wbio(ssl, BIO_new(BIO_s_mem()));
  (void)SSL_write(ssl, "bye", 3);
  (void)SSL_shutdown(ssl);
  long size = BIO_get_mem_data(SSL_get_wbio(ssl), &bytes);
  (void)send(fd, bytes, (size_t)size, MSG_NOSIGNAL);
  (void)recv(fd, &go, 1, 0);
}

static void a_goodbye_behind_bytes_is_pending(void **state) {
  (void)state;
  tls_server server = {.identity = &good, .serve = close_half_way};
  tls_link self;
  char got[16];
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  assert_int_equal(read_some(self.stream, got, sizeof got), 3);
  assert_true(self.stream->pending);
  assert_int_equal(vb_stream_read(self.stream, got, sizeof got), VB_STREAM_CLOSED);
  assert_int_equal(vb_stream_read(self.stream, got, sizeof got), VB_STREAM_CLOSED);
  close_link(&self);
  tls_server_stop(&server);
}

static void die(SSL *ssl) {
  SSL_set_quiet_shutdown(ssl, 1);
}

static void a_server_that_dies_has_closed(void **state) {
  (void)state;
  tls_server server = {.identity = &good, .serve = die};
  tls_link self;
  char got[16];
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  assert_int_equal(read_some(self.stream, got, sizeof got), VB_STREAM_CLOSED);
  tls_server_stop(&server);
  for (int i = 0; i < 20; i++) /* no SIGPIPE */
    (void)vb_stream_write(self.stream, "into nothing", 12);
  close_link(&self);
}

static void send_rubbish(SSL *ssl) {
  char record[] = "\x17\x03\x03\x00\x20 this is not what was encrypted.";
  (void)send(SSL_get_fd(ssl), record, sizeof record - 1, MSG_NOSIGNAL);
  SSL_set_quiet_shutdown(ssl, 1);
}

static void rubbish_is_an_error_with_its_reason(void **state) {
  (void)state;
  tls_server server = {.identity = &good, .serve = send_rubbish};
  tls_link self;
  char got[16], reason[200];
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  assert_int_equal(read_some(self.stream, got, sizeof got), VB_STREAM_ERROR);
  vb_stream_explain(self.stream, reason, sizeof reason);
  assert_string_equal(reason, "TLS fails: decryption failed or bad record mac");
  assert_int_equal(vb_stream_read(self.stream, got, sizeof got), VB_STREAM_ERROR);
  close_link(&self);
  tls_server_stop(&server);
}

/* Asks for new keys (TLS 1.3) or another handshake (TLS 1.2), then echoes. */
static void ask_for_more(SSL *ssl) {
  char bytes[16];
  int got;
  if (SSL_version(ssl) == TLS1_3_VERSION)
    (void)SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
  else
    (void)SSL_renegotiate(ssl);
  (void)SSL_do_handshake(ssl);
  while ((got = SSL_read(ssl, bytes, sizeof bytes)) > 0) (void)SSL_write(ssl, bytes, got);
}

static void new_keys_change_nothing(void **state) {
  (void)state;
  tls_server server = {.identity = &good, .version = TLS1_3_VERSION, .serve = ask_for_more};
  tls_link self;
  char got[16];
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  wait_for(self.stream, POLLIN);
  assert_int_equal(vb_stream_read(self.stream, got, sizeof got), VB_STREAM_AGAIN);
  assert_echo(self.stream);
  assert_echo(self.stream);
  close_link(&self);
  tls_server_stop(&server);
}

static void a_bad_certificate_is_refused_by_name(void **state) {
  (void)state;
  tls_server server = {.identity = &good};
  assert_refused(server, "localhost", &(vb_tls_spec){.cacert = other_ca.certificate_path}, VB_EAUTH,
                 "the server's certificate (CN = good) is refused: unable to get local issuer "
                 "certificate; name its CA with --cacert FILE, or check nothing with --insecure");
  assert_refused(server, "localhost", &(vb_tls_spec){0}, VB_EAUTH,
                 "the server's certificate (CN = good) is refused: unable to get local issuer "
                 "certificate; name its CA with --cacert FILE, or check nothing with --insecure");
  server.identity = &expired;
  assert_refused(server, "localhost", &trusting, VB_EAUTH,
                 "the server's certificate (CN = expired) is refused: certificate has expired; "
                 "--insecure checks nothing");
  server.identity = &alone;
  assert_refused(server, "localhost", &trusting, VB_EAUTH,
                 "the server's certificate (CN = alone) is refused: self-signed certificate; name "
                 "its CA with --cacert FILE, or check nothing with --insecure");
}

static void a_certificate_for_another_host_is_refused(void **state) {
  (void)state;
  tls_server server = {.identity = &elsewhere};
  assert_refused(server, "localhost", &trusting, VB_EAUTH,
                 "the server's certificate (CN = elsewhere) is not for \"localhost\": name what it "
                 "is for with --sni NAME, or check nothing with --insecure");
  assert_refused(server, "127.0.0.1", &trusting, VB_EAUTH,
                 "the server's certificate (CN = elsewhere) is not for \"127.0.0.1\": name what it "
                 "is for with --sni NAME, or check nothing with --insecure");
  vb_tls_spec named = trusting;
  named.sni = "db.example";
  assert_works(&server, "127.0.0.1", &named);
  assert_string_equal(server.asked_name, "db.example");
}

static void the_host_is_the_name_that_is_asked_for(void **state) {
  (void)state;
  tls_server by_name = {.identity = &good}, by_address = {.identity = &good};
  assert_works(&by_name, "localhost", &trusting);
  assert_string_equal(by_name.asked_name, "localhost");
  assert_works(&by_address, "127.0.0.1", &trusting);
  assert_string_equal(by_address.asked_name, "");
}

static void insecure_checks_nothing(void **state) {
  (void)state;
  const tls_identity *all[] = {&good, &expired, &elsewhere, &alone};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(all); i++) {
    tls_server server = {.identity = all[i]};
    assert_works(&server, "localhost", &(vb_tls_spec){.insecure = 1});
  }
}

static void a_unix_socket_has_a_name_only_by_sni(void **state) {
  (void)state;
  char path[64];
  (void)snprintf(path, sizeof path, "%s/s.sock", directory);
  tls_server server = {.identity = &elsewhere, .path = path};
  assert_works(&server, NULL, &trusting);
  vb_tls_spec named = trusting;
  named.sni = "other.example";
  assert_refused((tls_server){.identity = &elsewhere, .path = path}, NULL, &named, VB_EAUTH,
                 "the server's certificate (CN = elsewhere) is not for \"other.example\": name "
                 "what it is for with --sni NAME, or check nothing with --insecure");
}

static void a_certificate_is_shown_to_who_asks(void **state) {
  (void)state;
  tls_server server = {.identity = &good, .client_ca = &ca};
  vb_tls_spec spec = trusting;
  spec.cert = client.certificate_path;
  spec.key = client.key_path;
  assert_works(&server, "localhost", &spec);
  assert_string_equal(server.client_name, "client");
}

static void a_server_that_wants_a_certificate_is_explained(void **state) {
  (void)state;
  assert_refused((tls_server){.identity = &good, .client_ca = &ca, .version = TLS1_2_VERSION},
                 "localhost", &trusting, VB_EPROTOCOL,
                 "the server ends TLS: handshake failure; no cipher is known to both, or it wants "
                 "a certificate (--cert FILE --key FILE)");
  /* TLS 1.3 says so only after our side of the handshake is done. */
  tls_server server = {.identity = &good, .client_ca = &ca, .version = TLS1_3_VERSION};
  tls_link self;
  char got[16], reason[200];
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  assert_int_equal(read_some(self.stream, got, sizeof got), VB_STREAM_ERROR);
  vb_stream_explain(self.stream, reason, sizeof reason);
  assert_string_equal(
      reason, "the server ends TLS: certificate required; it wants a certificate: --cert FILE "
              "--key FILE");
  close_link(&self);
  tls_server_stop(&server);
  assert_false(server.shaken);
}

static void ciphers_are_those_asked_for(void **state) {
  (void)state;
  vb_tls_spec spec = trusting;
  spec.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305";
  spec.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
  tls_server old = {.identity = &good, .version = TLS1_2_VERSION};
  tls_server recent = {.identity = &good, .version = TLS1_3_VERSION};
  assert_works(&old, "localhost", &spec);
  assert_string_equal(old.cipher, "ECDHE-ECDSA-CHACHA20-POLY1305");
  assert_works(&recent, "localhost", &spec);
  assert_string_equal(recent.cipher, "TLS_CHACHA20_POLY1305_SHA256");
  const char *refused = "the server ends TLS: handshake failure; no cipher is known to both, or it "
                        "wants a certificate (--cert FILE --key FILE)";
  assert_refused((tls_server){.identity = &good,
                              .version = TLS1_2_VERSION,
                              .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"},
                 "localhost", &spec, VB_EPROTOCOL, refused);
  assert_refused((tls_server){.identity = &good,
                              .version = TLS1_3_VERSION,
                              .suites = "TLS_AES_128_GCM_SHA256"},
                 "localhost", &spec, VB_EPROTOCOL, refused);
}

/* A listening socket whose first connection gets `answer`, or with NULL stays silent. */
static int listen_plain(tls_server *server) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof in;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
  assert_int_equal(listen(fd, 8), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &size), 0);
  *server = (tls_server){.port = ntohs(in.sin_port)};
  return fd;
}

static void *answer_plainly(void *listener) {
  char bytes[512];
  static const char answer[] = "-ERR unknown command, with args beginning with: \r\n";
  int fd = accept(*(int *)listener, NULL, NULL);
  (void)recv(fd, bytes, sizeof bytes, 0);
  (void)send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
  (void)recv(fd, bytes, sizeof bytes, 0);
  close(fd);
  return NULL;
}

static void a_port_without_tls_is_explained(void **state) {
  (void)state;
  tls_server server;
  int listener = listen_plain(&server);
  pthread_t thread;
  tls_link self;
  assert_int_equal(pthread_create(&thread, NULL, answer_plainly, &listener), 0);
  assert_int_equal(open_link(&self, &server, "127.0.0.1", &trusting, TIMEOUT_MS), VB_EPROTOCOL);
  assert_string_equal(strstr(self.err.text, ": ") + 2, "the server's answer is no TLS: leave out "
                                                       "--tls, or name its port for TLS");
  close_link(&self);
  pthread_join(thread, NULL);
  close(listener);
}

static void a_silent_port_ends_at_the_deadline(void **state) {
  (void)state;
  tls_server server;
  tls_link self;
  int listener = listen_plain(&server);
  assert_int_equal(open_link(&self, &server, "127.0.0.1", &trusting, 80), VB_ETIMEOUT);
  assert_string_equal(strstr(self.err.text, ": ") + 2,
                      "no TLS handshake within 80 ms; is its port one for TLS?");
  close_link(&self);
  close(listener);
}

static void a_certificate_for_a_private_server_can_be_made(void **state) {
  (void)state;
  char path[128];
  vb_error err = {0};
  struct stat status;
  assert_int_equal(vb_tls_make_certificate(directory, &err), VB_OK);
  (void)snprintf(path, sizeof path, "%s/key.pem", directory);
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  tls_identity made = {0};
  FILE *file = fopen(path, "r");
  made.key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
  (void)fclose(file);
  (void)snprintf(path, sizeof path, "%s/cert.pem", directory);
  file = fopen(path, "r");
  made.certificate = PEM_read_X509(file, NULL, NULL, NULL);
  (void)fclose(file);
  vb_tls_spec spec = {.cacert = path};
  tls_server by_name = {.identity = &made}, by_address = {.identity = &made};
  assert_works(&by_name, "localhost", &spec);
  assert_works(&by_address, "127.0.0.1", &spec);
  tls_identity_free(&made);
  assert_int_equal(vb_tls_make_certificate("/none", &err), VB_EIO);
  assert_string_equal(err.text, "/none/key.pem: No such file or directory");
}

static void connections_keep_their_settings(void **state) {
  (void)state;
  tls_server server = {.identity = &good};
  tls_link self;
  tls_server_start(&server);
  assert_int_equal(open_link(&self, &server, "localhost", &trusting, TIMEOUT_MS), VB_OK);
  vb_tls_free(self.tls);
  self.tls = NULL;
  assert_echo(self.stream);
  close_link(&self);
  tls_server_stop(&server);
}

static int make_identities(void **state) {
  (void)state;
  (void)signal(SIGPIPE, SIG_IGN); /* of the server's side */
  assert_non_null(mkdtemp(directory));
  const char *here = "DNS:localhost,IP:127.0.0.1";
  ca = tls_identity_make(directory, "ca", NULL, NULL, YEAR_S);
  other_ca = tls_identity_make(directory, "other-ca", NULL, NULL, YEAR_S);
  good = tls_identity_make(directory, "good", &ca, here, YEAR_S);
  expired = tls_identity_make(directory, "expired", &ca, here, -60);
  elsewhere = tls_identity_make(directory, "elsewhere", &ca, "DNS:db.example", YEAR_S);
  alone = tls_identity_make(directory, "alone", NULL, here, YEAR_S);
  client = tls_identity_make(directory, "client", &ca, "DNS:client", YEAR_S);
  return 0;
}

static int remove_identities(void **state) {
  (void)state;
  char command[64];
  tls_identity *all[] = {&ca, &other_ca, &good, &expired, &elsewhere, &alone, &client};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(all); i++) tls_identity_free(all[i]);
  (void)snprintf(command, sizeof command, "rm -r %s", directory);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_go_both_ways),
      cmocka_unit_test(big_values_go_both_ways),
      cmocka_unit_test(small_parts_share_a_record),
      cmocka_unit_test(a_record_in_pieces_is_put_together),
      cmocka_unit_test(a_read_takes_all_that_openssl_holds),
      cmocka_unit_test(a_goodbye_behind_bytes_is_pending),
      cmocka_unit_test(a_server_that_dies_has_closed),
      cmocka_unit_test(rubbish_is_an_error_with_its_reason),
      cmocka_unit_test(new_keys_change_nothing),
      cmocka_unit_test(a_bad_certificate_is_refused_by_name),
      cmocka_unit_test(a_certificate_for_another_host_is_refused),
      cmocka_unit_test(the_host_is_the_name_that_is_asked_for),
      cmocka_unit_test(insecure_checks_nothing),
      cmocka_unit_test(a_unix_socket_has_a_name_only_by_sni),
      cmocka_unit_test(a_certificate_is_shown_to_who_asks),
      cmocka_unit_test(a_server_that_wants_a_certificate_is_explained),
      cmocka_unit_test(ciphers_are_those_asked_for),
      cmocka_unit_test(a_port_without_tls_is_explained),
      cmocka_unit_test(a_silent_port_ends_at_the_deadline),
      cmocka_unit_test(connections_keep_their_settings),
      cmocka_unit_test(a_certificate_for_a_private_server_can_be_made),
  };
  return cmocka_run_group_tests(tests, make_identities, remove_identities);
}
