#include "tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void need(bool done, const char *what) {
  if (done) return;
  (void)fprintf(stderr, "tests/support/tls: cannot %s\n", what);
  abort();
}

static void extend(X509 *certificate, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  need(extension && X509_add_ext(certificate, extension, -1), value);
  X509_EXTENSION_free(extension);
}

static void write_files(tls_identity *identity, const char *directory, const char *name) {
  (void)snprintf(identity->certificate_path, sizeof identity->certificate_path, "%s/%s.pem",
                 directory, name);
  (void)snprintf(identity->key_path, sizeof identity->key_path, "%s/%s.key", directory, name);
  FILE *file = fopen(identity->certificate_path, "w");
  need(file && PEM_write_X509(file, identity->certificate) == 1 && fclose(file) == 0, "write");
  file = fopen(identity->key_path, "w");
  need(file && PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL) == 1 &&
           fclose(file) == 0,
       "write");
}

tls_identity tls_identity_make(const char *directory, const char *name, const tls_identity *issuer,
                               const char *names, long seconds) {
  static long serial = 1;
  tls_identity made = {.certificate = X509_new(), .key = EVP_EC_gen("P-256")};
  if (!issuer) issuer = &made;
  X509 *certificate = made.certificate;
  X509_NAME *subject = X509_get_subject_name(certificate);
  (void)X509_set_version(certificate, X509_VERSION_3);
  (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  (void)X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
  (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                                   0);
  (void)X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
  (void)X509_set_pubkey(certificate, made.key);
  if (names)
    extend(certificate, NID_subject_alt_name, names);
  else
    extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
  need(X509_sign(certificate, issuer->key, EVP_sha256()) > 0, "sign a certificate");
  write_files(&made, directory, name);
  return made;
}

void tls_identity_free(tls_identity *identity) {
  X509_free(identity->certificate);
  EVP_PKEY_free(identity->key);
}

static void echo(SSL *ssl) {
  static const int room = 65536;
  char *bytes = malloc((size_t)room);
  for (int got; (got = SSL_read(ssl, bytes, room)) > 0;)
    if (SSL_write(ssl, bytes, got) <= 0) break;
  free(bytes);
}

static SSL_CTX *make_context(const tls_server *server) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  need(SSL_CTX_use_certificate(context, server->identity->certificate) == 1 &&
           SSL_CTX_use_PrivateKey(context, server->identity->key) == 1,
       "use a certificate");
  if (server->client_ca) {
    (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(context), server->client_ca->certificate);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  }
  if (server->version) {
    (void)SSL_CTX_set_min_proto_version(context, server->version);
    (void)SSL_CTX_set_max_proto_version(context, server->version);
  }
  if (server->ciphers) need(SSL_CTX_set_cipher_list(context, server->ciphers), server->ciphers);
  if (server->suites) need(SSL_CTX_set_ciphersuites(context, server->suites), server->suites);
  return context;
}

static void note(char *to, size_t size, const char *text) {
  (void)snprintf(to, size, "%s", text ? text : "");
}

static void look(tls_server *server, SSL *ssl) {
  X509 *client = SSL_get0_peer_certificate(ssl);
  server->shaken = true;
  note(server->asked_name, sizeof server->asked_name,
       SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
  note(server->cipher, sizeof server->cipher, SSL_get_cipher_name(ssl));
  if (client)
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName,
                                    server->client_name, sizeof server->client_name);
}

static void serve_one(tls_server *server, SSL_CTX *context) {
  SSL *ssl = SSL_new(context);
  int fd = accept(server->listener, NULL, NULL);
  (void)SSL_set_fd(ssl, fd);
  if (SSL_accept(ssl) == 1) {
    look(server, ssl);
    if (server->serve)
      server->serve(ssl);
    else
      echo(ssl);
    (void)SSL_shutdown(ssl);
  }
  SSL_free(ssl);
  close(fd);
}

static void *run(void *argument) {
  tls_server *server = argument;
  SSL_CTX *context = make_context(server);
  int connections = server->connections ? server->connections : 1;
  for (int i = 0; i < connections; i++) serve_one(server, context);
  SSL_CTX_free(context);
  return NULL;
}

void tls_server_start(tls_server *server) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  socklen_t size = sizeof in;
  if (server->path) {
    note(un.sun_path, sizeof un.sun_path, server->path);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(bind(server->listener, (struct sockaddr *)&un, sizeof un) == 0, "bind");
  } else {
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(bind(server->listener, (struct sockaddr *)&in, sizeof in) == 0, "bind");
    (void)getsockname(server->listener, (struct sockaddr *)&in, &size);
    server->port = ntohs(in.sin_port);
  }
  need(listen(server->listener, 8) == 0, "listen");
  need(pthread_create(&server->thread, NULL, run, server) == 0, "start a thread");
}

void tls_server_stop(tls_server *server) {
  pthread_join(server->thread, NULL);
  close(server->listener);
  if (server->path) (void)unlink(server->path);
}
