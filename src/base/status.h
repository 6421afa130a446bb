/* Status codes, and the message that goes with a failure.
 * Any thread; a vb_error belongs to the caller that passes it. */
#ifndef VB_BASE_STATUS_H
#define VB_BASE_STATUS_H

#include "base/api.h"

enum vb_status {
  VB_OK = 0,
  VB_EINVAL = -1,    /* misuse: an argument, field or option that cannot be */
  VB_ENOMEM = -2,    /* memory */
  VB_EIO = -3,       /* a file or device */
  VB_ECONNECT = -4,  /* nobody answers, or the connection broke */
  VB_EAUTH = -5,     /* the server refuses who we are */
  VB_ETIMEOUT = -6,  /* a deadline passed */
  VB_EPROTOCOL = -7, /* bytes that are no RESP */
  VB_ESERVER = -8,   /* an error reply */
  VB_ESCRIPT = -9    /* a Lua error */
};

/* Filled by a function that fails; untouched by one that does not. text is NUL-terminated and
 * names the file, option, address or call. */
typedef struct vb_error {
  int status;
  char text[1020];
} vb_error;

/* The name of a status, "EINVAL" for VB_EINVAL; "?" for a number that is none. */
VB_API const char *vb_status_name(int status);

/* Writes status and the formatted message to err (may be NULL) and returns status, so that a
 * caller can `return vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno))`. A message longer than
 * the buffer is cut. */
VB_API int vb_fail(vb_error *err, int status, const char *format, ...) VB_PRINTF(3, 4);

#endif
