/* resp/client: replies of a real server as values, and every way in which a server can fail us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "resp/client.h"
#include "resp/value.h"

enum { REPLIES_MAX = 4, TIMEOUT_MS = 5000 };

static const vb_login nobody = {.resp = 2};

/* A listening socket on a free port of the loopback. */
static int listen_free(int *port) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof in;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
  assert_int_equal(listen(fd, 8), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &size), 0);
  *port = ntohs(in.sin_port);
  return fd;
}

/* --- a server that says what the test wants, to one connection --- */

typedef struct fake {
  int listener, port;
  pthread_t thread;
  const char *greeting;             /* sent before anything is read, or NULL */
  const char *replies[REPLIES_MAX]; /* one for each request; NULL ends them */
  bool hold;                        /* stay silent afterwards, instead of closing */
} fake;

static void *run_fake(void *argument) {
  const fake *self = argument;
  char request[4096];
  int fd = accept(self->listener, NULL, NULL);
  if (self->greeting) (void)send(fd, self->greeting, strlen(self->greeting), MSG_NOSIGNAL);
  for (int i = 0; i < REPLIES_MAX && self->replies[i]; i++) {
    if (recv(fd, request, sizeof request, 0) <= 0) break;
    (void)send(fd, self->replies[i], strlen(self->replies[i]), MSG_NOSIGNAL);
  }
  if (!self->hold) (void)recv(fd, request, sizeof request, MSG_DONTWAIT);
  while (self->hold && recv(fd, request, sizeof request, 0) > 0) {
  }
  close(fd);
  return NULL;
}

static void start_fake(fake *self) {
  self->listener = listen_free(&self->port);
  assert_int_equal(pthread_create(&self->thread, NULL, run_fake, self), 0);
}

static void stop_fake(fake *self) {
  pthread_join(self->thread, NULL);
  close(self->listener);
}

/* What a call of one word comes to at a fake: the status, and the message behind the address. */
static int call_fake(fake *self, const vb_login *login, int timeout_ms, vb_error *err) {
  vb_client *client = NULL;
  vb_value *value = NULL;
  start_fake(self);
  vb_endpoint endpoint = {.host = "127.0.0.1", .port = self->port};
  int status = vb_client_open(&client, &endpoint, login, timeout_ms, err);
  if (!status)
    status = vb_client_call(client, 1, (const char *[]){"PING"}, NULL, timeout_ms, &value, err);
  vb_value_free(value);
  vb_client_close(client);
  stop_fake(self);
  char address[32];
  int length = snprintf(address, sizeof address, "127.0.0.1:%d: ", self->port);
  if (status) {
    assert_memory_equal(err->text, address, (size_t)length);
    memmove(err->text, err->text + length, strlen(err->text + length) + 1);
  }
  return status;
}

static void assert_call(fake self, const vb_login *login, int status, const char *message) {
  vb_error err = {0};
  assert_int_equal(call_fake(&self, login, status == VB_ETIMEOUT ? 80 : TIMEOUT_MS, &err), status);
  assert_string_equal(err.text, message);
}

static void a_server_that_closes_is_an_error(void **state) {
  (void)state;
  vb_error err = {0};
  fake at_once = {0};
  assert_int_equal(call_fake(&at_once, &nobody, TIMEOUT_MS, &err), VB_ECONNECT);
  assert_call(
      (fake){.replies = {""}}, &nobody, VB_ECONNECT,
      "the server closed the connection instead of a reply to PING; if that is its port for "
      "TLS: --tls");
  assert_call((fake){.replies = {"$10\r\nhalf"}}, &nobody, VB_ECONNECT,
              "the server closed the connection in the middle of the reply to PING");
}

static void silence_ends_at_the_deadline(void **state) {
  (void)state;
  vb_ns start = vb_now();
  assert_call((fake){.hold = true}, &nobody, VB_ETIMEOUT, "no reply to PING within 80 ms");
  assert_call((fake){.hold = true, .replies = {"*2\r\n:1\r\n"}}, &nobody, VB_ETIMEOUT,
              "no reply to PING within 80 ms");
  double waited_ms = (double)(vb_now() - start) / 1e6;
  assert_true(waited_ms >= 160 && waited_ms < 3000);
}

static void nonsense_is_refused_with_its_bytes(void **state) {
  (void)state;
  assert_call((fake){.hold = true, .replies = {"X\x01huh"}}, &nobody, VB_EPROTOCOL,
              "bad reply to PING: bad type byte 'X' (0x58) in \"X\\x01huh\"");
  assert_call((fake){.hold = true, .replies = {"$999999999999\r\n"}}, &nobody, VB_EPROTOCOL,
              "bad reply to PING: a reply larger than 67108864 bytes in \"$999999999999\\r\\n\"");
  assert_call((fake){.hold = true, .replies = {"*2147483647\r\n"}}, &nobody, VB_EPROTOCOL,
              "bad reply to PING: a reply larger than 67108864 bytes in \"*2147483647\\r\\n\"");
  assert_call((fake){.hold = true, .replies = {"%1\r\n+a\r\n+b\r\n"}}, &nobody, VB_EPROTOCOL,
              "bad reply to PING: a type that RESP2 has not");
}

static void a_reply_that_nobody_asked_for_is_refused(void **state) {
  (void)state;
  assert_call((fake){.hold = true, .replies = {"+PONG\r\n+MORE\r\n"}}, &nobody, VB_EPROTOCOL,
              "bytes that nobody asked for: \"+MORE..\"");
}

static void refusals_at_the_handshake_are_explained(void **state) {
  (void)state;
  const vb_login bob = {.resp = 2, .user = "bob", .password = "hush"};
  assert_call((fake){.replies = {"-WRONGPASS invalid username-password pair\r\n"}}, &bob, VB_EAUTH,
              "the server refuses the password of user \"bob\": WRONGPASS invalid "
              "username-password pair");
  assert_call((fake){.replies = {"-LOADING Redis is loading the dataset in memory\r\n"}}, &bob,
              VB_ESERVER, "LOADING Redis is loading the dataset in memory");
  assert_call((fake){.replies = {"-ERR unknown command 'AUTH', with args beginning with: 'bob' "
                                 "'hush'\r\n"}},
              &bob, VB_EAUTH, "AUTH of user \"bob\": ERR unknown command 'AUTH'");
}

static void protected_mode_is_explained(void **state) {
  (void)state;
  static const char denied[] = "-DENIED Redis is running in protected mode because ...\r\n";
  static const char message[] =
      "the server is in protected mode: it takes connections from its own machine only, until it "
      "has a password or is set to protected-mode no";
  const vb_login bob = {.resp = 2, .password = "hush"};
  assert_call((fake){.greeting = denied}, &bob, VB_EAUTH, message);
  assert_call((fake){.greeting = denied, .hold = true}, &bob, VB_EAUTH, message);
}

static void after_a_failure_the_client_stays_closed(void **state) {
  (void)state;
  fake server = {.replies = {"?"}, .hold = true};
  start_fake(&server);
  vb_client *client;
  vb_value *value = NULL;
  vb_error err = {0};
  const vb_endpoint endpoint = {.host = "127.0.0.1", .port = server.port};
  const char *words[] = {"PING"};
  char want[160];
  assert_int_equal(vb_client_open(&client, &endpoint, &nobody, TIMEOUT_MS, &err), VB_OK);
  assert_int_equal(vb_client_call(client, 1, words, NULL, TIMEOUT_MS, &value, &err), VB_EPROTOCOL);
  (void)snprintf(want, sizeof want,
                 "the connection is closed since: 127.0.0.1:%d: bad reply to PING: bad type byte "
                 "'?' (0x3f) in \"?\"",
                 server.port);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(vb_client_call(client, 1, words, NULL, TIMEOUT_MS, &value, &err), VB_ECONNECT);
    assert_string_equal(err.text, want);
  }
  vb_client_close(client);
  stop_fake(&server);
}

static void a_refused_connection_names_the_address(void **state) {
  (void)state;
  int port;
  close(listen_free(&port));
  vb_client *client = NULL;
  vb_error err = {0};
  char want[64];
  const vb_endpoint endpoint = {.host = "127.0.0.1", .port = port};
  (void)snprintf(want, sizeof want, "127.0.0.1:%d: connection refused", port);
  assert_int_equal(vb_client_open(&client, &endpoint, &nobody, TIMEOUT_MS, &err), VB_ECONNECT);
  assert_string_equal(err.text, want);
  assert_null(client);
}

static void large_arrays_of_values_keep_all_elements(void **state) {
  (void)state;
  enum { COUNT = 1000 };
  static char bytes[COUNT * 8 + 16];
  size_t length = (size_t)sprintf(bytes, "*%d\r\n", COUNT);
  for (int i = 0; i < COUNT; i++) length += (size_t)sprintf(bytes + length, ":%d\r\n", i);
  vb_value *value;
  vb_error err = {0};
  assert_int_equal(vb_value_read(bytes, length, &value, &err), VB_OK);
  assert_int_equal(value->length, COUNT);
  for (int i = 0; i < COUNT; i++) assert_int_equal(value->elements[i]->integer, i);
  vb_value_free(value);
  assert_int_equal(vb_value_read(bytes, length - 1, &value, &err), VB_EPROTOCOL);
}

/* --- a real server --- */

typedef struct server {
  pid_t pid; /* 0 when there is none */
  int port;
  char directory[64];
} server;

static const char *find_server(void) {
  static const char *const names[] = {"redis-server", "valkey-server"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(names); i++) {
    char command[64];
    (void)snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", names[i]);
    if (system(command) == 0) return names[i];
  }
  return NULL;
}

static void exec_server(const server *self, const char *name) {
  char port[16], path[128];
  (void)snprintf(port, sizeof port, "%d", self->port);
  (void)snprintf(path, sizeof path, "%s/server.sock", self->directory);
  (void)execlp(name, name, "--port", port, "--bind", "127.0.0.1", "--dir", self->directory,
               "--unixsocket", path, "--save", "", "--logfile", "server.log", "--user", "reader",
               "on", ">hush", "~*", "+@all", (char *)NULL);
  _exit(127);
}

static int start_server(void **state) {
  static server self;
  *state = &self;
  const char *name = find_server();
  if (!name) {
    print_message("SKIP: no redis-server or valkey-server on PATH\n");
    return 0;
  }
  close(listen_free(&self.port));
  strcpy(self.directory, "/tmp/vbench-test-client-XXXXXX");
  if (!mkdtemp(self.directory)) return -1;
  self.pid = fork();
  if (self.pid == 0) exec_server(&self, name);
  const vb_endpoint endpoint = {.host = "127.0.0.1", .port = self.port};
  for (int i = 0; i < 200; i++) {
    vb_client *client;
    if (vb_client_open(&client, &endpoint, &nobody, 1000, NULL) == VB_OK) {
      vb_client_close(client);
      return 0;
    }
    usleep(20000);
  }
  return -1;
}

static int stop_server(void **state) {
  const server *self = *state;
  char command[96];
  if (!self->pid) return 0;
  kill(self->pid, SIGKILL);
  waitpid(self->pid, NULL, 0);
  (void)snprintf(command, sizeof command, "rm -rf %s", self->directory);
  return system(command);
}

/* A client of the real server; skips the test without one. */
static vb_client *open_real(void **state, const vb_login *login) {
  const server *self = *state;
  if (!self->pid) skip();
  const vb_endpoint endpoint = {.host = "127.0.0.1", .port = self->port};
  vb_client *client;
  vb_error err = {0};
  int status = vb_client_open(&client, &endpoint, login, TIMEOUT_MS, &err);
  assert_string_equal(err.text, "");
  assert_int_equal(status, VB_OK);
  return client;
}

/* Calls with words up to NULL. */
static vb_value *call_real(vb_client *client, const char *const *words) {
  vb_value *value = NULL;
  vb_error err = {0};
  int count = 0;
  while (words[count]) count++;
  int status = vb_client_call(client, count, words, NULL, TIMEOUT_MS, &value, &err);
  assert_string_equal(err.text, "");
  assert_int_equal(status, VB_OK);
  return value;
}

#define CALL(client, ...) call_real(client, (const char *[]){__VA_ARGS__, NULL})

static void assert_text(vb_value *value, int type, const char *text) {
  assert_int_equal(value->type, type);
  assert_int_equal(value->length, strlen(text));
  assert_string_equal(value->text, text);
  vb_value_free(value);
}

static void every_type_of_reply_is_a_value(void **state) {
  vb_client *client = open_real(state, &nobody);
  assert_text(CALL(client, "PING"), VB_VALUE_STATUS, "PONG");
  assert_text(CALL(client, "ECHO", "text"), VB_VALUE_STRING, "text");
  assert_text(CALL(client, "NOSUCH"), VB_VALUE_ERROR,
              "ERR unknown command 'NOSUCH', with args beginning with: ");
  vb_value *value = CALL(client, "GET", "vbench:none");
  assert_int_equal(value->type, VB_VALUE_NIL);
  vb_value_free(value);
  value = CALL(client, "EVAL", "return {1, 'two', {false, {err = 'three'}}, {}}", "0");
  assert_int_equal(value->type, VB_VALUE_ARRAY);
  assert_int_equal(value->length, 4);
  assert_int_equal(value->elements[0]->type, VB_VALUE_INTEGER);
  assert_int_equal(value->elements[0]->integer, 1);
  assert_string_equal(value->elements[1]->text, "two");
  const vb_value *inner = value->elements[2];
  assert_int_equal(inner->length, 2);
  assert_int_equal(inner->elements[0]->type, VB_VALUE_NIL);
  assert_int_equal(inner->elements[1]->type, VB_VALUE_ERROR);
  assert_int_equal(value->elements[3]->type, VB_VALUE_ARRAY);
  assert_int_equal(value->elements[3]->length, 0);
  vb_value_free(value);
  vb_client_close(client);
}

static void large_and_binary_words_arrive(void **state) {
  enum { SIZE = 3 * 1024 * 1024 };
  vb_client *client = open_real(state, &nobody);
  char *large = malloc(SIZE);
  for (size_t i = 0; i < SIZE; i++) large[i] = (char)(i * 7);
  const char *set[] = {"SET", "vbench:large", large}, *get[] = {"GET", "vbench:large"};
  vb_value *value = NULL;
  vb_error err = {0};
  assert_int_equal(
      vb_client_call(client, 3, set, (size_t[]){3, 12, SIZE}, TIMEOUT_MS, &value, &err), VB_OK);
  assert_text(value, VB_VALUE_STATUS, "OK");
  assert_int_equal(vb_client_call(client, 2, get, NULL, TIMEOUT_MS, &value, &err), VB_OK);
  assert_int_equal(value->length, SIZE);
  assert_memory_equal(value->text, large, SIZE);
  assert_int_equal(value->text[SIZE], 0);
  vb_value_free(value);
  free(large);
  vb_client_close(client);
}

static void who_we_are_is_what_the_server_sees(void **state) {
  const vb_login login = {
      .resp = 3, .user = "reader", .password = "hush", .client_name = "vbench-test", .database = 7};
  vb_client *client = open_real(state, &login);
  vb_value *list = CALL(client, "CLIENT", "LIST");
  char *line = strstr(list->text, "name=vbench-test ");
  assert_non_null(line);
  assert_non_null(strstr(line, " db=7 "));
  assert_non_null(strstr(line, " user=reader "));
  char address[96];
  (void)snprintf(address, sizeof address, " addr=%s ", vb_client_local_address(client));
  assert_non_null(strstr(list->text, address));
  vb_value_free(list);
  vb_client_close(client);
}

static void a_wrong_password_is_refused_and_not_shown(void **state) {
  const server *self = *state;
  if (!self->pid) skip();
  const vb_endpoint endpoint = {.host = "127.0.0.1", .port = self->port};
  const vb_login login = {.resp = 2, .user = "reader", .password = "loud-secret"};
  vb_client *client = NULL;
  vb_error err = {0};
  assert_int_equal(vb_client_open(&client, &endpoint, &login, TIMEOUT_MS, &err), VB_EAUTH);
  assert_non_null(
      strstr(err.text, ": the server refuses the password of user \"reader\": WRONGPASS"));
  assert_null(strstr(err.text, "loud-secret"));
}

static void a_unix_socket_serves_as_well(void **state) {
  const server *self = *state;
  if (!self->pid) skip();
  char path[96];
  (void)snprintf(path, sizeof path, "%s/server.sock", self->directory);
  const vb_endpoint endpoint = {.path = path};
  vb_client *client;
  vb_error err = {0};
  assert_int_equal(vb_client_open(&client, &endpoint, &nobody, TIMEOUT_MS, &err), VB_OK);
  assert_text(CALL(client, "PING"), VB_VALUE_STATUS, "PONG");
  assert_string_equal(vb_client_address(client), path);
  assert_string_equal(vb_client_local_address(client), "");
  vb_client_close(client);
}

static void a_slow_command_ends_at_the_deadline(void **state) {
  vb_client *client = open_real(state, &nobody);
  const char *words[] = {"BLPOP", "vbench:never", "0"};
  vb_value *value = NULL;
  vb_error err = {0};
  assert_int_equal(vb_client_call(client, 3, words, NULL, 50, &value, &err), VB_ETIMEOUT);
  assert_non_null(strstr(err.text, ": no reply to BLPOP within 50 ms"));
  assert_null(value);
  vb_client_close(client);
}

static void a_connection_that_the_server_ended_is_noticed(void **state) {
  vb_client *victim = open_real(state, &nobody), *killer = open_real(state, &nobody);
  const char *words[] = {"SET", "k", "v"};
  vb_value *value = NULL;
  vb_error err = {0};
  vb_value *killed = CALL(killer, "CLIENT", "KILL", vb_client_local_address(victim));
  assert_text(killed, VB_VALUE_STATUS, "OK");
  usleep(50000);
  assert_int_equal(vb_client_call(victim, 3, words, NULL, TIMEOUT_MS, &value, &err), VB_ECONNECT);
  assert_non_null(strstr(err.text, ": the server closed the connection before SET"));
  vb_client_close(victim);
  vb_client_close(killer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_server_that_closes_is_an_error),
      cmocka_unit_test(silence_ends_at_the_deadline),
      cmocka_unit_test(nonsense_is_refused_with_its_bytes),
      cmocka_unit_test(a_reply_that_nobody_asked_for_is_refused),
      cmocka_unit_test(refusals_at_the_handshake_are_explained),
      cmocka_unit_test(protected_mode_is_explained),
      cmocka_unit_test(after_a_failure_the_client_stays_closed),
      cmocka_unit_test(a_refused_connection_names_the_address),
      cmocka_unit_test(large_arrays_of_values_keep_all_elements),
      cmocka_unit_test(every_type_of_reply_is_a_value),
      cmocka_unit_test(large_and_binary_words_arrive),
      cmocka_unit_test(who_we_are_is_what_the_server_sees),
      cmocka_unit_test(a_wrong_password_is_refused_and_not_shown),
      cmocka_unit_test(a_unix_socket_serves_as_well),
      cmocka_unit_test(a_slow_command_ends_at_the_deadline),
      cmocka_unit_test(a_connection_that_the_server_ended_is_noticed),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
