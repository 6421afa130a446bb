#include "net/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int vb_port_free(vb_error *err) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int status = fd < 0 || bind(fd, (struct sockaddr *)&address, length) ||
               getsockname(fd, (struct sockaddr *)&address, &length);
  int why = errno;
  if (fd >= 0) close(fd);
  if (status) return vb_fail(err, VB_EIO, "no free port on 127.0.0.1: %s", strerror(why));
  return ntohs(address.sin_port);
}
