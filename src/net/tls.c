#include "net/tls.h"

#include "net/tls_stream.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A passphrase that may be asked for while a key is read. */
typedef struct passphrase {
  const char *given;
  bool asked;
} passphrase;

static int bad_file(const char *option, const char *path, int error_number, vb_error *err) {
  char reason[128];
  vb_stream_reason(reason, sizeof reason, error_number);
  return vb_fail(err, VB_EIO, "%s %s: %s", option, path, reason);
}

/* What OpenSSL says of files that are no PEM at all helps nobody. */
static bool is_no_pem(unsigned long code) {
  int reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) == ERR_LIB_PEM) return reason == PEM_R_NO_START_LINE;
  if (ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER) return reason == ERR_R_UNSUPPORTED;
  return ERR_GET_LIB(code) == ERR_LIB_X509 && reason == X509_R_NO_CERTIFICATE_OR_CRL_FOUND;
}

static int bad_content(const char *option, const char *path, const char *wanted, vb_error *err) {
  unsigned long code = ERR_peek_error();
  const char *reason = ERR_reason_error_string(code);
  if (!reason || is_no_pem(code))
    return vb_fail(err, VB_EINVAL, "%s %s: there is no %s in PEM in it", option, path, wanted);
  return vb_fail(err, VB_EINVAL, "%s %s: no %s can be read from it: %s", option, path, wanted,
                 reason);
}

static int check_readable(const char *option, const char *path, bool directory, vb_error *err) {
  struct stat status;
  FILE *file = fopen(path, "rb");
  if (!file) return bad_file(option, path, errno, err);
  int failed = fstat(fileno(file), &status) < 0 ? errno : 0;
  (void)fclose(file);
  if (failed) return bad_file(option, path, failed, err);
  if (directory && !S_ISDIR(status.st_mode)) return bad_file(option, path, ENOTDIR, err);
  if (!directory && S_ISDIR(status.st_mode)) return bad_file(option, path, EISDIR, err);
  return VB_OK;
}

static int set_trust(SSL_CTX *context, const vb_tls_spec *spec, vb_error *err) {
  int failed = VB_OK;
  if (spec->cacert) {
    failed = check_readable("--cacert", spec->cacert, false, err);
    if (!failed && !SSL_CTX_load_verify_file(context, spec->cacert))
      failed = bad_content("--cacert", spec->cacert, "certificate", err);
  }
  if (!failed && spec->cacertdir) {
    failed = check_readable("--cacertdir", spec->cacertdir, true, err);
    if (!failed && !SSL_CTX_load_verify_dir(context, spec->cacertdir))
      failed = bad_content("--cacertdir", spec->cacertdir, "certificate", err);
  }
  if (!failed && !spec->cacert && !spec->cacertdir && !SSL_CTX_set_default_verify_paths(context))
    failed = vb_fail(err, VB_EIO, "TLS: the system's CAs cannot be used; name yours with --cacert");
  return failed;
}

static int give_passphrase(char *to, int size, int writing, void *data) {
  passphrase *secret = data;
  (void)writing;
  secret->asked = true;
  if (!secret->given) return -1;
  int length = (int)strnlen(secret->given, (size_t)size);
  memcpy(to, secret->given, (size_t)length);
  return length;
}

/* The key of --key, else the one in the file of --cert. */
static int read_key(EVP_PKEY **out, const vb_tls_spec *spec, vb_error *err) {
  const char *given = spec->passphrase, *option = spec->key ? "--key" : "--cert";
  const char *path = spec->key ? spec->key : spec->cert;
  passphrase secret = {.given = given};
  BIO *file = BIO_new_file(path, "r");
  if (!file) return bad_file(option, path, errno, err);
  *out = PEM_read_bio_PrivateKey(file, NULL, give_passphrase, &secret);
  BIO_free(file);
  if (*out) return VB_OK;
  if (secret.asked && !given)
    return vb_fail(err, VB_EINVAL,
                   "%s %s: it has a passphrase: put that into VBENCH_KEY_PASSPHRASE", option, path);
  if (secret.asked)
    return vb_fail(err, VB_EINVAL,
                   "%s %s: the passphrase in VBENCH_KEY_PASSPHRASE does not open it", option, path);
  if (spec->key) return bad_content(option, path, "private key", err);
  return vb_fail(err, VB_EINVAL,
                 "--cert %s was given without --key FILE, and there is no private key in PEM in it",
                 path);
}

static int set_key(SSL_CTX *context, const vb_tls_spec *spec, vb_error *err) {
  EVP_PKEY *key;
  const char *path = spec->key ? spec->key : spec->cert;
  int failed = check_readable(spec->key ? "--key" : "--cert", path, false, err);
  if (!failed) failed = read_key(&key, spec, err);
  if (failed) return failed;
  if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1)
    failed = vb_fail(err, VB_EINVAL, "--key %s: it does not belong to the certificate of --cert %s",
                     path, spec->cert);
  else if (SSL_CTX_use_PrivateKey(context, key) != 1)
    failed = bad_content("--key", path, "usable key", err);
  EVP_PKEY_free(key);
  return failed;
}

static int set_identity(SSL_CTX *context, const vb_tls_spec *spec, vb_error *err) {
  if (!spec->cert && spec->key)
    return vb_fail(err, VB_EINVAL, "--key %s was given without its certificate: --cert FILE",
                   spec->key);
  if (!spec->cert) return VB_OK;
  int failed = check_readable("--cert", spec->cert, false, err);
  if (failed) return failed;
  if (SSL_CTX_use_certificate_chain_file(context, spec->cert) != 1)
    return bad_content("--cert", spec->cert, "certificate", err);
  return set_key(context, spec, err);
}

static int set_ciphers(SSL_CTX *context, const vb_tls_spec *spec, vb_error *err) {
  if (spec->ciphers && !SSL_CTX_set_cipher_list(context, spec->ciphers))
    return vb_fail(err, VB_EINVAL,
                   "--tls-ciphers %s: OpenSSL has none of them (`openssl ciphers -tls1_2` lists "
                   "what there is)",
                   spec->ciphers);
  if (spec->ciphersuites && !SSL_CTX_set_ciphersuites(context, spec->ciphersuites))
    return vb_fail(err, VB_EINVAL,
                   "--tls-ciphersuites %s: OpenSSL does not have them all (`openssl ciphers -s "
                   "-tls1_3` lists what there is)",
                   spec->ciphersuites);
  return VB_OK;
}

static void set_modes(SSL_CTX *context) {
  (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  /* Renegotiation would have a write wait for a read. A server that dies sends no close_notify:
   * that is an end like any other, since RESP says by itself whether a reply is whole. */
  (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);
}

static int fill(vb_tls *tls, const vb_tls_spec *spec, vb_error *err) {
  tls->insecure = spec->insecure != 0;
  tls->transport = vb_tls_transport_new();
  tls->context = SSL_CTX_new(TLS_client_method());
  if (spec->sni) tls->sni = strdup(spec->sni);
  if (!tls->transport || !tls->context || (spec->sni && !tls->sni))
    return vb_fail(err, VB_ENOMEM, "no memory for TLS");
  set_modes(tls->context);
  int failed = tls->insecure ? VB_OK : set_trust(tls->context, spec, err);
  if (!failed) failed = set_identity(tls->context, spec, err);
  if (!failed) failed = set_ciphers(tls->context, spec, err);
  return failed;
}

int vb_tls_new(vb_tls **out, const vb_tls_spec *spec, vb_error *err) {
  if (spec->sni && !*spec->sni) return vb_fail(err, VB_EINVAL, "--sni: the name is empty");
  /* At exit a worker that a script holds may still use what OpenSSL would free. */
  (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
  ERR_clear_error();
  vb_tls *tls = calloc(1, sizeof *tls);
  if (!tls) return vb_fail(err, VB_ENOMEM, "no memory for TLS");
  atomic_init(&tls->users, 1);
  int failed = fill(tls, spec, err);
  ERR_clear_error();
  if (failed)
    vb_tls_free(tls);
  else
    *out = tls;
  return failed;
}

void vb_tls_free(vb_tls *tls) {
  if (!tls || atomic_fetch_sub(&tls->users, 1) > 1) return;
  SSL_CTX_free(tls->context);
  BIO_meth_free(tls->transport);
  free(tls->sni);
  free(tls);
}
