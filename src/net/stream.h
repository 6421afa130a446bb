/* A stream: bytes to and from one server, non-blocking, plain or encrypted behind one interface.
 * One owner, one thread. Hot: read and write go through a const table, nothing else does.
 *
 * A stream is opening until `open` says VB_STREAM_READY (connect done, and for TLS its handshake
 * too). read and write never block and never raise SIGPIPE. TLS holds decrypted bytes that no poll
 * shows, so read fills its buffer as far as it can, and a reader reads until VB_STREAM_AGAIN or a
 * short read without `pending`. What write has said VB_STREAM_AGAIN to is written next. */
#ifndef VB_NET_STREAM_H
#define VB_NET_STREAM_H

#include "net/address.h"

#include <sys/uio.h>

enum vb_stream_state {
  VB_STREAM_READY,
  VB_STREAM_WANT_READ,
  VB_STREAM_WANT_WRITE,
  VB_STREAM_FAILED
};

/* Results of read and write besides a count of bytes, which is positive. */
enum { VB_STREAM_AGAIN = 0, VB_STREAM_CLOSED = -1, VB_STREAM_ERROR = -2 };

typedef struct vb_stream vb_stream;

typedef struct vb_stream_ops {
  /* Goes on connecting; call when the descriptor is ready for what it last wanted. */
  enum vb_stream_state (*open)(vb_stream *stream, vb_error *err);
  ssize_t (*read)(vb_stream *stream, void *to, size_t size);
  ssize_t (*write)(vb_stream *stream, const void *from, size_t size);
  ssize_t (*writev)(vb_stream *stream, const struct iovec *parts, int count);
  void (*close)(vb_stream *stream);
} vb_stream_ops;

struct vb_stream {
  const vb_stream_ops *ops;
  int fd;             /* -1 when closed; for polling only */
  int error_number;   /* errno of the last VB_STREAM_ERROR; 0 where `reason` says more */
  bool pending;       /* after a read: its end is known, though no poll shows it; read again */
  const char *stage;  /* while it opens, what there is not yet: "connection", "TLS handshake" */
  const char *hint;   /* why that may never be: "; is ...?", or "" */
  const char *reason; /* what TLS says of the last VB_STREAM_ERROR, or NULL; the stream's own */
};

/* Starts a connection (TCP with TCP_NODELAY, or unix) to a resolved address, encrypted when that
 * has TLS settings. *out is to be closed with vb_stream_close. VB_ECONNECT names the address and
 * the reason. */
int vb_stream_connect(vb_stream **out, const vb_address *address, vb_error *err);
/* Closes and frees; takes NULL. */
void vb_stream_close(vb_stream *stream);
/* Waits for an opening stream until it is ready or `timeout_ms` has passed (set-up and control
 * plane only). VB_ECONNECT, VB_ETIMEOUT; with TLS also VB_EAUTH (a certificate is refused),
 * VB_EPROTOCOL. `what` names the address in messages. */
int vb_stream_wait_open(vb_stream *stream, const char *what, int timeout_ms, vb_error *err);

/* Writes why the last read or write was VB_STREAM_ERROR, as messages say it behind an address. */
void vb_stream_explain(const vb_stream *stream, char *to, size_t size);
/* Writes what an errno means, as messages say it behind an address: "connection refused". */
void vb_stream_reason(char *to, size_t size, int error_number);

static inline ssize_t vb_stream_read(vb_stream *stream, void *to, size_t size) {
  return stream->ops->read(stream, to, size);
}

static inline ssize_t vb_stream_write(vb_stream *stream, const void *from, size_t size) {
  return stream->ops->write(stream, from, size);
}

#endif
