/* net/tls: settings, and what is wrong with their files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "net/tls.h"
#include "tls.h"

enum { DAY_S = 24 * 3600 };

static char directory[] = "/tmp/vbench-test-tls-XXXXXX";
static tls_identity good, client;

static void assert_unusable(const vb_tls_spec *spec, int status, const char *message) {
  vb_tls *tls = NULL;
  vb_error err = {0};
  assert_int_equal(vb_tls_new(&tls, spec, &err), status);
  assert_null(tls);
  const char *shown = strstr(err.text, message);
  if (!shown) assert_string_equal(err.text, message);
}

static void write_text(char *path, size_t size, const char *name, const char *text) {
  (void)snprintf(path, size, "%s/%s", directory, name);
  FILE *file = fopen(path, "w");
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static void unusable_settings_name_file_and_reason(void **state) {
  (void)state;
  char text[128], locked[128];
  write_text(text, sizeof text, "text", "no certificate\n");
  (void)snprintf(locked, sizeof locked, "%s/locked.key", directory);
  FILE *file = fopen(locked, "w");
  assert_int_equal(
      PEM_write_PrivateKey(file, client.key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)"open!"), 1);
  (void)fclose(file);
  const char *cert = client.certificate_path;
  assert_unusable(&(vb_tls_spec){.cacert = "/none"}, VB_EIO,
                  "--cacert /none: no such file or directory");
  assert_unusable(&(vb_tls_spec){.cacert = "/tmp"}, VB_EIO, "--cacert /tmp: is a directory");
  assert_unusable(&(vb_tls_spec){.cacert = text}, VB_EINVAL,
                  "text: there is no certificate in PEM in it");
  assert_unusable(&(vb_tls_spec){.cacertdir = text}, VB_EIO, "text: not a directory");
  assert_unusable(&(vb_tls_spec){.cert = "/none"}, VB_EIO,
                  "--cert /none: no such file or directory");
  assert_unusable(&(vb_tls_spec){.cert = text}, VB_EINVAL, "there is no certificate in PEM in it");
  assert_unusable(&(vb_tls_spec){.cert = cert}, VB_EINVAL, "there is no private key in PEM in it");
  assert_unusable(&(vb_tls_spec){.cert = cert, .key = good.key_path}, VB_EINVAL,
                  "good.key: it does not belong to the certificate of --cert");
  assert_unusable(&(vb_tls_spec){.key = client.key_path}, VB_EINVAL,
                  "client.key was given without its certificate: --cert FILE");
  assert_unusable(&(vb_tls_spec){.cert = cert, .key = locked}, VB_EINVAL,
                  "it has a passphrase: put that into VBENCH_KEY_PASSPHRASE");
  assert_unusable(&(vb_tls_spec){.cert = cert, .key = locked, .passphrase = "guess"}, VB_EINVAL,
                  "the passphrase in VBENCH_KEY_PASSPHRASE does not open it");
  assert_unusable(&(vb_tls_spec){.ciphers = "NONE-SUCH"}, VB_EINVAL,
                  "--tls-ciphers NONE-SUCH: OpenSSL has none of them");
  assert_unusable(&(vb_tls_spec){.ciphersuites = "TLS_NONE_SUCH"}, VB_EINVAL,
                  "--tls-ciphersuites TLS_NONE_SUCH: OpenSSL does not have them all");
  assert_unusable(&(vb_tls_spec){.sni = ""}, VB_EINVAL, "--sni: the name is empty");
  vb_tls *tls = NULL;
  vb_tls_spec opened = {.cert = cert, .key = locked, .passphrase = "open!"};
  assert_int_equal(vb_tls_new(&tls, &opened, NULL), VB_OK);
  vb_tls_free(tls);
  vb_tls_free(NULL);
}

static int make_identities(void **state) {
  (void)state;
  assert_non_null(mkdtemp(directory));
  good = tls_identity_make(directory, "good", NULL, NULL, DAY_S);
  client = tls_identity_make(directory, "client", NULL, "DNS:client", DAY_S);
  return 0;
}

static int remove_identities(void **state) {
  (void)state;
  char command[64];
  tls_identity_free(&good);
  tls_identity_free(&client);
  (void)snprintf(command, sizeof command, "rm -r %s", directory);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(unusable_settings_name_file_and_reason)};
  return cmocka_run_group_tests(tests, make_identities, remove_identities);
}
