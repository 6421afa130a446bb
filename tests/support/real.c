#include "real.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/port.h"

enum { TRIES = 200, WAIT_US = 20000, CONNECT_MS = 1000 };

vb_client *real_client(const real *server) {
  static const vb_login nobody = {.resp = 2, .client_name = "vbench"};
  const vb_endpoint endpoint = {.host = "127.0.0.1", .port = server->port};
  vb_client *client;
  return vb_client_open(&client, &endpoint, &nobody, CONNECT_MS, NULL) ? NULL : client;
}

static void run_server(int number) {
  static const char *const names[] = {"redis-server", "valkey-server"};
  char port[16];
  (void)snprintf(port, sizeof port, "%d", number);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(names); i++)
    (void)execlp(names[i], names[i], "--port", port, "--bind", "127.0.0.1", "--save", "",
                 "--logfile", "/dev/null", "--maxclients", "20000", (char *)NULL);
  _exit(127);
}

int real_start(real *server) {
  vb_error err;
  server->port = vb_port_free(&err);
  if (server->port < 1) return -1;
  server->pid = fork();
  if (server->pid == 0) run_server(server->port);
  for (int i = 0; i < TRIES; i++) {
    vb_client *client = real_client(server);
    vb_client_close(client);
    if (client) return 0;
    if (waitpid(server->pid, NULL, WNOHANG) == server->pid) break;
    (void)usleep(WAIT_US);
  }
  server->pid = 0;
  return 0;
}

void real_kill(real *server) {
  if (!server->pid) return;
  (void)kill(server->pid, SIGKILL);
  (void)waitpid(server->pid, NULL, 0);
  server->pid = 0;
}
