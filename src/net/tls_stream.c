#include "net/tls_stream.h"

#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_SIZE = 16 * 1024, SUBJECT_SHOWN = 200, REASON_SIZE = 600 };

#define NO_TLS "; is its port one for TLS?"

typedef struct tls_stream {
  vb_stream stream;
  vb_stream *plain;
  vb_tls *settings;
  SSL *ssl;
  bool connected; /* the plain stream is open */
  bool shaken;    /* the handshake is done */
  bool drained;   /* in this read the socket has given all it had */
  bool eof;       /* the server has closed the socket */
  int end;        /* VB_STREAM_CLOSED or VB_STREAM_ERROR once it has come, else 0 */
  int refused;    /* X509_V_ERR_ of a certificate, else 0 */
  char *subject;  /* of the certificate that is refused */
  char *reason;   /* stream.reason, REASON_SIZE */
  char *address;
  char *name; /* that the certificate is to have; NULL: any */
} tls_stream;

/* --- the way to the socket: recv and send of the plain stream, which raise no SIGPIPE --- */

static int transport_read(BIO *bio, char *to, int size) {
  tls_stream *tls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  ssize_t got = tls->drained ? VB_STREAM_AGAIN : vb_stream_read(tls->plain, to, (size_t)size);
  if (got > 0) {
    tls->drained = got < size; /* saves the call that would say EAGAIN */
    return (int)got;
  }
  if (got == VB_STREAM_AGAIN) BIO_set_retry_read(bio);
  tls->eof = got == VB_STREAM_CLOSED;
  return tls->eof ? 0 : -1;
}

static int transport_write(BIO *bio, const char *from, int size) {
  tls_stream *tls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  ssize_t sent = vb_stream_write(tls->plain, from, (size_t)size);
  if (sent > 0) return (int)sent;
  if (sent == VB_STREAM_AGAIN) BIO_set_retry_write(bio);
  return -1;
}

static long transport_control(BIO *bio, int command, long number, void *pointer) {
  const tls_stream *tls = BIO_get_data(bio);
  (void)number;
  (void)pointer;
  if (command == BIO_CTRL_EOF) return tls->eof;
  return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *vb_tls_transport_new(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "vbench stream");
  if (!method) return NULL;
  (void)BIO_meth_set_read(method, transport_read);
  (void)BIO_meth_set_write(method, transport_write);
  (void)BIO_meth_set_ctrl(method, transport_control);
  return method;
}

/* --- what a failure says --- */

static void give_reason(tls_stream *tls, const char *format, ...) VB_PRINTF(2, 3);

static void give_reason(tls_stream *tls, const char *format, ...) {
  va_list args;
  if (!tls->reason) tls->reason = malloc(REASON_SIZE);
  if (!tls->reason) return;
  va_start(args, format);
  (void)vsnprintf(tls->reason, REASON_SIZE, format, args);
  va_end(args);
  tls->stream.reason = tls->reason;
}

static char *show_subject(X509 *certificate) {
  char *text = calloc(1, SUBJECT_SHOWN + 1);
  BIO *memory = BIO_new(BIO_s_mem());
  if (text && memory && certificate) {
    (void)X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE);
    (void)BIO_read(memory, text, SUBJECT_SHOWN);
  }
  BIO_free(memory);
  return text;
}

/* OpenSSL asks about each certificate of the chain; the first that is bad ends the handshake. */
static int judge_certificate(int good, X509_STORE_CTX *store) {
  if (good) return 1;
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  tls_stream *tls = SSL_get_app_data(ssl);
  tls->refused = X509_STORE_CTX_get_error(store);
  free(tls->subject);
  tls->subject = show_subject(X509_STORE_CTX_get_current_cert(store));
  return 0;
}

static void explain_certificate(tls_stream *tls) {
  const char *subject = tls->subject && *tls->subject ? tls->subject : "without a name";
  switch (tls->refused) {
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    give_reason(tls,
                "the server's certificate (%s) is not for \"%s\": name what it is for with --sni "
                "NAME, or check nothing with --insecure",
                subject, tls->name);
    return;
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID:
    give_reason(tls, "the server's certificate (%s) is refused: %s; --insecure checks nothing",
                subject, X509_verify_cert_error_string(tls->refused));
    return;
  default:
    give_reason(tls,
                "the server's certificate (%s) is refused: %s; name its CA with --cacert FILE, or "
                "check nothing with --insecure",
                subject, X509_verify_cert_error_string(tls->refused));
  }
}

static const char *alert_hint(int alert) {
  switch (alert) {
  case SSL_AD_CERTIFICATE_REQUIRED: return "; it wants a certificate: --cert FILE --key FILE";
  case SSL_AD_HANDSHAKE_FAILURE:
    return "; no cipher is known to both, or it wants a certificate (--cert FILE --key FILE)";
  case SSL_AD_UNKNOWN_CA: return "; it does not know the CA of the certificate of --cert";
  case SSL_AD_BAD_CERTIFICATE:
  case SSL_AD_CERTIFICATE_EXPIRED:
  case SSL_AD_CERTIFICATE_REVOKED: return "; it refuses the certificate of --cert";
  case SSL_AD_UNRECOGNIZED_NAME: return "; it does not know the name of --sni";
  default: return "";
  }
}

/* OpenSSL 3.0 has no words for this one. */
static const char *alert_text(int alert) {
  if (alert == SSL_AD_CERTIFICATE_REQUIRED) return "certificate required";
  return SSL_alert_desc_string_long(alert);
}

/* From OpenSSL's queue of errors, whose first says most. */
static void explain(tls_stream *tls) {
  unsigned long code = ERR_peek_error();
  int reason = ERR_GET_REASON(code);
  const char *text = ERR_reason_error_string(code);
  if (ERR_GET_LIB(code) != ERR_LIB_SSL)
    give_reason(tls, "TLS fails: %s", text ? text : "for no reason that OpenSSL gives");
  else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    explain_certificate(tls);
  else if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
    give_reason(tls, "the server ends TLS: %s%s", alert_text(reason - SSL_AD_REASON_OFFSET),
                alert_hint(reason - SSL_AD_REASON_OFFSET));
  else if (!tls->shaken && (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
                            reason == SSL_R_PACKET_LENGTH_TOO_LONG))
    give_reason(tls, "the server's answer is no TLS: leave out --tls, or name its port for TLS");
  else
    give_reason(tls, "TLS fails: %s", text ? text : "for no reason that OpenSSL gives");
}

/* What a call of OpenSSL that did not succeed comes to. */
static int judge(tls_stream *tls, int result) {
  switch (SSL_get_error(tls->ssl, result)) {
  case SSL_ERROR_WANT_READ:
  case SSL_ERROR_WANT_WRITE: return VB_STREAM_AGAIN;
  case SSL_ERROR_ZERO_RETURN: tls->end = VB_STREAM_CLOSED; break;
  case SSL_ERROR_SYSCALL:
    tls->stream.error_number = tls->plain->error_number;
    tls->end = tls->eof ? VB_STREAM_CLOSED : VB_STREAM_ERROR;
    break;
  default: explain(tls); tls->end = VB_STREAM_ERROR;
  }
  return tls->end;
}

/* --- the stream --- */

static enum vb_stream_state open_failed(const tls_stream *tls, vb_error *err) {
  char text[REASON_SIZE] = "the server closed the connection in the TLS handshake" NO_TLS;
  int status = VB_ECONNECT;
  if (tls->end == VB_STREAM_ERROR) vb_stream_explain(&tls->stream, text, sizeof text);
  if (tls->stream.reason) status = tls->refused ? VB_EAUTH : VB_EPROTOCOL;
  (void)vb_fail(err, status, "%s: %s", tls->address, text);
  return VB_STREAM_FAILED;
}

static enum vb_stream_state tls_open(vb_stream *stream, vb_error *err) {
  tls_stream *tls = (tls_stream *)stream;
  if (tls->shaken) return VB_STREAM_READY;
  if (!tls->connected) {
    enum vb_stream_state state = tls->plain->ops->open(tls->plain, err);
    if (state != VB_STREAM_READY) return state;
    tls->connected = true;
    stream->stage = "TLS handshake";
    stream->hint = NO_TLS; /* servers wait for the end of what they take for a request */
  }
  tls->drained = false;
  ERR_clear_error();
  int result = SSL_do_handshake(tls->ssl);
  if (result == 1) {
    tls->shaken = true;
    return VB_STREAM_READY;
  }
  if (judge(tls, result) != VB_STREAM_AGAIN) return open_failed(tls, err);
  return SSL_want_write(tls->ssl) ? VB_STREAM_WANT_WRITE : VB_STREAM_WANT_READ;
}

static ssize_t tls_read(vb_stream *stream, void *to, size_t size) {
  tls_stream *tls = (tls_stream *)stream;
  size_t got = 0, step;
  stream->pending = false;
  if (tls->end) return tls->end;
  tls->drained = false;
  ERR_clear_error();
  while (got < size) {
    int result = SSL_read_ex(tls->ssl, (char *)to + got, size - got, &step);
    if (result == 1) {
      got += step;
      continue;
    }
    int end = judge(tls, result);
    if (!got) return end;
    stream->pending = end != VB_STREAM_AGAIN;
    break;
  }
  return (ssize_t)got;
}

/* One record at most. */
static ssize_t write_record(tls_stream *tls, const char *from, size_t size) {
  size_t sent;
  ERR_clear_error();
  int result = SSL_write_ex(tls->ssl, from, size < RECORD_SIZE ? size : RECORD_SIZE, &sent);
  return result == 1 ? (ssize_t)sent : judge(tls, result);
}

/* What goes into the next record: the first part itself where that fills one or is the last, else
 * small parts together in `room`. A record that OpenSSL could not send whole is built again from
 * the same bytes, perhaps with more behind them, as OpenSSL asks for. */
static struct iovec next_record(const struct iovec *parts, int count, size_t skip, char *room) {
  struct iovec record = {(char *)parts->iov_base + skip, parts->iov_len - skip};
  if (count == 1 || record.iov_len >= RECORD_SIZE) return record;
  size_t used = 0;
  for (int i = 0; i < count && used < RECORD_SIZE; i++, skip = 0) {
    size_t left = parts[i].iov_len - skip;
    size_t size = left < RECORD_SIZE - used ? left : RECORD_SIZE - used;
    memcpy(room + used, (const char *)parts[i].iov_base + skip, size);
    used += size;
  }
  return (struct iovec){room, used};
}

static ssize_t tls_writev(vb_stream *stream, const struct iovec *parts, int count) {
  tls_stream *tls = (tls_stream *)stream;
  char room[RECORD_SIZE];
  ssize_t all = 0;
  size_t skip = 0; /* bytes of the first part that are sent */
  for (;;) {
    while (count && parts->iov_len == skip) parts++, count--, skip = 0;
    if (!count) return all;
    struct iovec record = next_record(parts, count, skip, room);
    ssize_t sent = write_record(tls, record.iov_base, record.iov_len);
    if (sent <= 0) return all ? all : sent;
    all += sent;
    for (skip += (size_t)sent; count > 1 && skip >= parts->iov_len; parts++, count--)
      skip -= parts->iov_len;
  }
}

static ssize_t tls_write(vb_stream *stream, const void *from, size_t size) {
  return tls_writev(stream, &(struct iovec){(void *)from, size}, 1);
}

static void tls_close(vb_stream *stream) {
  tls_stream *tls = (tls_stream *)stream;
  /* close_notify, as far as it goes at once; nobody waits for the server's. */
  if (tls->shaken && tls->end != VB_STREAM_ERROR) (void)SSL_shutdown(tls->ssl);
  SSL_free(tls->ssl);
  ERR_clear_error();
  vb_stream_close(tls->plain);
  vb_tls_free(tls->settings);
  free(tls->subject);
  free(tls->reason);
  free(tls->address);
  free(tls->name);
  free(tls);
}

static const vb_stream_ops tls_ops = {.open = tls_open,
                                      .read = tls_read,
                                      .write = tls_write,
                                      .writev = tls_writev,
                                      .close = tls_close};

static bool is_address(const char *name) {
  unsigned char bytes[sizeof(struct in6_addr)];
  return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* The name that is asked for, and that the certificate is to have: --sni, else the host; for a unix
 * socket only --sni. An address is checked, but is no name that may be asked for. */
static bool set_name(tls_stream *tls, const char *sni, const char *host) {
  const char *from = sni ? sni : host;
  if (!from) return true;
  size_t length = strlen(from);
  if (length > 2 && from[0] == '[' && from[length - 1] == ']') from++, length -= 2;
  tls->name = strndup(from, length);
  if (!tls->name) return false;
  if (is_address(tls->name))
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), tls->name) == 1;
  return SSL_set_tlsext_host_name(tls->ssl, tls->name) == 1 &&
         SSL_set1_host(tls->ssl, tls->name) == 1;
}

static bool make_session(tls_stream *tls, const vb_address *address) {
  const vb_tls *settings = address->tls;
  tls->address = strdup(address->text);
  tls->ssl = SSL_new(settings->context);
  BIO *bio = BIO_new(settings->transport);
  if (!bio) return false;
  BIO_set_data(bio, tls);
  BIO_set_init(bio, 1);
  if (!tls->ssl || !tls->address) {
    BIO_free(bio);
    return false;
  }
  SSL_set_bio(tls->ssl, bio, bio);
  SSL_set_connect_state(tls->ssl);
  (void)SSL_set_app_data(tls->ssl, tls);
  SSL_set_verify(tls->ssl, settings->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                 settings->insecure ? NULL : judge_certificate);
  return set_name(tls, settings->sni, address->host);
}

int vb_tls_wrap(vb_stream **out, vb_stream *plain, const vb_address *address, vb_error *err) {
  tls_stream *tls = calloc(1, sizeof *tls);
  if (!tls) {
    vb_stream_close(plain);
    return vb_fail(err, VB_ENOMEM, "%s: no memory for a connection", address->text);
  }
  tls->stream =
      (vb_stream){.ops = &tls_ops, .fd = plain->fd, .stage = plain->stage, .hint = plain->hint};
  tls->plain = plain;
  tls->settings = address->tls;
  (void)atomic_fetch_add(&tls->settings->users, 1);
  if (!make_session(tls, address)) {
    tls_close(&tls->stream);
    return vb_fail(err, VB_EINVAL, "%s: TLS cannot ask for the name that --sni or the host gives",
                   address->text);
  }
  *out = &tls->stream;
  return VB_OK;
}
