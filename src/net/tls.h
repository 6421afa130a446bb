/* TLS settings: what all encrypted connections of a run share; and a certificate for a private
 * server. Made once, on the set-up path; read-only afterwards, by any thread. */
#ifndef VB_NET_TLS_H
#define VB_NET_TLS_H

#include "net/endpoint.h"

/* NULL wherever nothing is asked for. */
typedef struct vb_tls_spec {
  const char *cacert;       /* PEM file of CAs to trust */
  const char *cacertdir;    /* directory of them, hashed as `openssl rehash` does */
  const char *cert;         /* PEM file of our certificate, its chain behind it */
  const char *key;          /* PEM file of its key; NULL: it is in `cert` */
  const char *passphrase;   /* of the key */
  const char *sni;          /* name to ask for and to check, instead of the endpoint's host */
  const char *ciphers;      /* of TLS 1.2, OpenSSL's list: "ECDHE-RSA-AES128-GCM-SHA256:..." */
  const char *ciphersuites; /* of TLS 1.3: "TLS_AES_128_GCM_SHA256:..." */
  int insecure;             /* check no certificate */
} vb_tls_spec;

/* Reads the files. Trusts cacert and cacertdir, the system's CAs without either; speaks TLS 1.2 and
 * 1.3. Free with vb_tls_free; connections that are there keep what they need. VB_EINVAL and VB_EIO
 * name the option, the file and what is wrong with it. */
VB_API int vb_tls_new(vb_tls **out, const vb_tls_spec *spec, vb_error *err);
/* Takes NULL. */
VB_API void vb_tls_free(vb_tls *tls);

/* Makes a key and a certificate that it signs itself, for 127.0.0.1, ::1 and localhost, for a year:
 * the files cert.pem and key.pem (readable by the owner alone) of a directory. VB_EIO. */
VB_API int vb_tls_make_certificate(const char *directory, vb_error *err);

#endif
