/* A free port of the loopback, for a private server.
 * Any thread. */
#ifndef VB_NET_PORT_H
#define VB_NET_PORT_H

#include "base/status.h"

/* A TCP port of 127.0.0.1 that nobody uses at this moment, from the kernel's range; VB_EIO.
 * Somebody else can take it before the caller does: who cannot bind it asks again. */
VB_API int vb_port_free(vb_error *err);

#endif
