/* For tests of TLS: certificates made on the spot, and a server that speaks it in a thread.
 * One test at a time; the server's thread ends with tls_server_stop. */
#ifndef VB_TESTS_TLS_H
#define VB_TESTS_TLS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>

/* A certificate and its key, in memory and as PEM files. */
typedef struct tls_identity {
  X509 *certificate;
  EVP_PKEY *key;
  char certificate_path[128], key_path[128];
} tls_identity;

/* Makes one in a directory, with the files NAME.pem and NAME.key. `issuer` NULL: signed by itself.
 * `names` is a subjectAltName ("DNS:localhost,IP:127.0.0.1"), NULL for a CA. Valid from an hour ago
 * for `seconds`, which may be negative. */
tls_identity tls_identity_make(const char *directory, const char *name, const tls_identity *issuer,
                               const char *names, long seconds);
void tls_identity_free(tls_identity *identity);

typedef struct tls_server {
  /* what it is to be */
  const tls_identity *identity;
  const tls_identity *client_ca; /* NULL: no certificate of the client is asked for */
  const char *ciphers;           /* of TLS 1.2, or NULL */
  const char *suites;            /* of TLS 1.3, or NULL */
  int version;                   /* TLS1_2_VERSION, TLS1_3_VERSION, 0 for both */
  void (*serve)(SSL *ssl);       /* after the handshake; NULL: it echoes until the end */
  const char *path;              /* of a unix socket, or NULL: TCP */
  int connections;               /* served one after the other; 0: one */
  /* what it is, and what it saw */
  int listener, port;
  pthread_t thread;
  bool shaken;
  char asked_name[64], client_name[128], cipher[64];
} tls_server;

/* Listens and serves. */
void tls_server_start(tls_server *server);
/* Waits for the end of the last connection. */
void tls_server_stop(tls_server *server);

#endif
