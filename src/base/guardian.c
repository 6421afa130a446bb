#include "base/guardian.h"

#include "base/guardian_process.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_TIMEOUT_MS = 5000 };

struct vb_guardian {
  pid_t process;
  int socket; /* its end closed, in whatever way, is the order to clean up */
  char directory[VB_GUARDIAN_PATH];
};

/* What the guardian answers, or VB_EIO: it is gone, or silent. */
static int answer(int socket, vb_guardian_answer *out, vb_error *err) {
  struct pollfd wait = {.fd = socket, .events = POLLIN};
  int ready;
  do ready = poll(&wait, 1, ANSWER_TIMEOUT_MS);
  while (ready < 0 && errno == EINTR);
  if (ready == 0) return vb_fail(err, VB_EIO, "the guardian process does not answer");
  if (recv(socket, out, sizeof *out, 0) != (ssize_t)sizeof *out)
    return vb_fail(err, VB_EIO, "the guardian process has ended");
  out->text[sizeof out->text - 1] = '\0';
  if (out->status) return vb_fail(err, out->status, "%s", out->text);
  return VB_OK;
}

int vb_guardian_start(vb_guardian **out, vb_error *err) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
    return vb_fail(err, VB_EIO, "socketpair: %s", strerror(errno));
  vb_guardian *guardian = calloc(1, sizeof *guardian);
  pid_t process = guardian ? fork() : -1;
  if (process == 0) vb_guardian_process(ends[1]);
  close(ends[1]);
  if (process < 0) {
    int status = vb_fail(err, VB_EIO, "cannot start the guardian process: %s", strerror(errno));
    close(ends[0]);
    free(guardian);
    return status;
  }
  guardian->process = process;
  guardian->socket = ends[0];
  vb_guardian_answer hello;
  int status = answer(guardian->socket, &hello, err);
  if (status) {
    vb_guardian_stop(guardian);
    return status;
  }
  memcpy(guardian->directory, hello.text, sizeof guardian->directory);
  *out = guardian;
  return VB_OK;
}

const char *vb_guardian_directory(const vb_guardian *guardian) {
  return guardian->directory;
}

static int ask(vb_guardian *guardian, const void *request, size_t length, vb_guardian_answer *out,
               vb_error *err) {
  if (send(guardian->socket, request, length, MSG_NOSIGNAL) != (ssize_t)length)
    return vb_fail(err, VB_EIO, "the guardian process has ended: %s", strerror(errno));
  return answer(guardian->socket, out, err);
}

/* Appends a word and its NUL; false when there is no room. */
static bool add_word(vb_guardian_request *request, size_t *used, const char *word) {
  size_t length = strlen(word) + 1;
  if (length > sizeof request->words - *used) return false;
  memcpy(request->words + *used, word, length);
  *used += length;
  return true;
}

int vb_guardian_spawn(vb_guardian *guardian, int argc, const char *const *argv,
                      const char *log_name, int *pid, vb_error *err) {
  if (argc < 1 || argc > VB_GUARDIAN_WORDS)
    return vb_fail(err, VB_EINVAL, "a program of %d words cannot be started", argc);
  vb_guardian_request request = {.kind = VB_GUARDIAN_SPAWN, .number = argc};
  size_t used = 0;
  bool fits = add_word(&request, &used, log_name);
  for (int i = 0; fits && i < argc; i++) fits = add_word(&request, &used, argv[i]);
  if (!fits)
    return vb_fail(err, VB_EINVAL, "%s: its arguments are longer than %zu bytes", argv[0],
                   sizeof request.words);
  vb_guardian_answer answered;
  size_t length = offsetof(vb_guardian_request, words) + used;
  int status = ask(guardian, &request, length, &answered, err);
  if (status == VB_OK) *pid = answered.number;
  return status;
}

int vb_guardian_alive(vb_guardian *guardian, int pid) {
  const vb_guardian_request request = {.kind = VB_GUARDIAN_ALIVE, .number = pid};
  vb_guardian_answer answered;
  int status = ask(guardian, &request, offsetof(vb_guardian_request, words), &answered, NULL);
  return status == VB_OK && answered.number;
}

void vb_guardian_stop(vb_guardian *guardian) {
  if (!guardian) return;
  close(guardian->socket);
  while (waitpid(guardian->process, NULL, 0) < 0 && errno == EINTR) {
  }
  free(guardian);
}
