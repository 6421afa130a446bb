#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HOUR_S = 3600, YEAR_S = 365 * 24 * HOUR_S, PATH_SIZE = 4096 };

static bool add_extension(X509 *certificate, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

/* Its own CA, so that a client trusts it by naming it with --cacert. */
static bool fill(X509 *certificate, EVP_PKEY *key) {
  uint32_t serial;
  X509_NAME *name = X509_get_subject_name(certificate);
  if (RAND_bytes((unsigned char *)&serial, sizeof serial) != 1) return false;
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial + 1ULL) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -HOUR_S) &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), YEAR_S) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    (const unsigned char *)"vbench --local", -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(certificate, NID_subject_alt_name,
                       "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

static int cannot_write(const char *path, int error_number, vb_error *err) {
  return vb_fail(err, VB_EIO, "%s: %s", path, strerror(error_number));
}

/* Writes the certificate, or the key when there is no certificate. */
static int write_pem(const char *directory, const char *name, X509 *certificate, EVP_PKEY *key,
                     vb_error *err) {
  char path[PATH_SIZE];
  if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
    return cannot_write(directory, ENAMETOOLONG, err);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
  if (!file) {
    int error_number = errno;
    if (fd >= 0) (void)close(fd);
    return cannot_write(path, error_number, err);
  }
  int written = certificate ? PEM_write_X509(file, certificate)
                            : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
  if (fclose(file) != 0 || written != 1) return cannot_write(path, errno ? errno : EIO, err);
  return VB_OK;
}

int vb_tls_make_certificate(const char *directory, vb_error *err) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  int failed = VB_OK;
  if (!key || !certificate || !fill(certificate, key))
    failed = vb_fail(err, VB_EIO, "OpenSSL cannot make a certificate");
  if (!failed) failed = write_pem(directory, "key.pem", NULL, key, err);
  if (!failed) failed = write_pem(directory, "cert.pem", certificate, NULL, err);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return failed;
}
