/* engine/ over TLS: what a server does to the encryption, seen from a phase. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "net/tls.h"
#include "rig.h"
#include "tls.h"

enum { DAY_S = 24 * 3600, BATCH = 4, REQUEST_SIZE = 36 };

static char directory[] = "/tmp/vbench-test-tls-XXXXXX";
static tls_identity identity;

/* Reads a batch of GETs of 36 bytes each, and answers it. */
static void answer_batch(SSL *ssl) {
  char request[BATCH * REQUEST_SIZE];
  for (int got = 0, step; got < (int)sizeof request; got += step)
    if ((step = SSL_read(ssl, request + got, (int)sizeof request - got)) <= 0) return;
  for (int i = 0; i < BATCH; i++) (void)SSL_write(ssl, "$3\r\nxxx\r\n", 9);
}

/* Its goodbye comes with the answers, in one packet, and it leaves the socket open. */
static void answer_and_say_goodbye(SSL *ssl) {
  char *bytes, byte;
  int fd = SSL_get_fd(ssl);
  SSL_set0_wbio(ssl, BIO_new(BIO_s_mem()));
  answer_batch(ssl);
  (void)SSL_shutdown(ssl);
  long size = BIO_get_mem_data(SSL_get_wbio(ssl), &bytes);
  (void)send(fd, bytes, (size_t)size, MSG_NOSIGNAL);
  while (recv(fd, &byte, 1, 0) > 0) {
  }
}

/* Two batches over two connections, each of which ends with its batch; the third learns that there
 * is nothing left to do. */
static void a_goodbye_behind_replies_is_seen_before_more_is_sent(void **state) {
  (void)state;
  tls_server server = {.identity = &identity, .serve = answer_and_say_goodbye, .connections = 3};
  vb_tls_spec spec = {.cacert = identity.certificate_path};
  vb_error err;
  vb_tls *tls;
  rig self;
  assert_int_equal(vb_tls_new(&tls, &spec, &err), VB_OK);
  tls_server_start(&server);
  rig_make(&self, &(rig_spec){.tls = tls}, &(fake){.port = server.port});
  self.phase.clients = 1;
  self.phase.pipeline = BATCH;
  self.phase.requests = 2 * BATCH;
  rig_run(&self, 1);
  assert_string_equal(self.event.text, "");
  assert_int_equal(rig_total(&self)->requests, 2 * BATCH);
  assert_int_equal(rig_total(&self)->hits, 2 * BATCH);
  assert_int_equal(rig_total(&self)->errors, 0);
  rig_free(&self);
  tls_server_stop(&server);
  vb_tls_free(tls);
}

static void a_certificate_that_is_refused_ends_the_run_with_its_reason(void **state) {
  (void)state;
  tls_server server = {.identity = &identity};
  vb_tls_spec spec = {0};
  vb_error err;
  vb_tls *tls;
  rig self;
  assert_int_equal(vb_tls_new(&tls, &spec, &err), VB_OK);
  tls_server_start(&server);
  rig_make(&self, &(rig_spec){.tls = tls}, &(fake){.port = server.port});
  self.phase.clients = 1;
  rig_run(&self, 1);
  assert_int_equal(self.event.kind, VB_EVENT_FAILED);
  assert_int_equal(self.event.status, VB_EAUTH);
  assert_non_null(strstr(self.event.text, "(CN = engine) is refused: self-signed certificate"));
  rig_free(&self);
  tls_server_stop(&server);
  vb_tls_free(tls);
}

static int make_identity(void **state) {
  (void)state;
  (void)signal(SIGPIPE, SIG_IGN); /* of the server's side */
  assert_non_null(mkdtemp(directory));
  identity = tls_identity_make(directory, "engine", NULL, "IP:127.0.0.1", DAY_S);
  return 0;
}

static int remove_identity(void **state) {
  (void)state;
  char command[64];
  tls_identity_free(&identity);
  (void)snprintf(command, sizeof command, "rm -r %s", directory);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_goodbye_behind_replies_is_seen_before_more_is_sent),
      cmocka_unit_test(a_certificate_that_is_refused_ends_the_run_with_its_reason),
  };
  return cmocka_run_group_tests(tests, make_identity, remove_identity);
}
