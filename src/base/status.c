#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

const char *vb_status_name(int status) {
  static const char *const names[] = {"OK",    "EINVAL",   "ENOMEM",    "EIO",     "ECONNECT",
                                      "EAUTH", "ETIMEOUT", "EPROTOCOL", "ESERVER", "ESCRIPT"};
  int index = -status;
  if (index < 0 || index >= (int)VB_ARRAY_LENGTH(names)) return "?";
  return names[index];
}

int vb_fail(vb_error *err, int status, const char *format, ...) {
  if (!err) return status;
  va_list args;
  va_start(args, format);
  err->status = status;
  (void)vsnprintf(err->text, sizeof err->text, format, args);
  va_end(args);
  return status;
}
