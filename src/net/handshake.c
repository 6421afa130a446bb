#include "net/handshake.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 4 };

enum step {
  STEP_HELLO,
  STEP_AUTH,
  STEP_NAME,
  STEP_SELECT,
  STEP_READONLY,
  STEP_TRACKING,
  STEP_NONE
};

/* The steps that this login asks for, in order; returns how many. */
static int list_steps(const vb_login *login, enum step *steps) {
  int count = 0;
  if (login->resp == 3) {
    steps[count++] = STEP_HELLO;
  } else {
    if (login->password) steps[count++] = STEP_AUTH;
    if (login->client_name) steps[count++] = STEP_NAME;
  }
  if (login->database) steps[count++] = STEP_SELECT;
  if (login->readonly) steps[count++] = STEP_READONLY;
  if (login->tracking && login->resp == 3) steps[count++] = STEP_TRACKING;
  return count;
}

static enum step step_at(const vb_login *login, int index) {
  enum step steps[STEPS_MAX];
  if (index == VB_HANDSHAKE_UNASKED) return STEP_NONE;
  (void)list_steps(login, steps);
  return steps[index];
}

int vb_handshake_count(const vb_login *login) {
  enum step steps[STEPS_MAX];
  return list_steps(login, steps);
}

static void add(vb_handshake_request *request, const char *word) {
  request->words[request->count++] = word;
}

static const char *user_of(const vb_login *login) {
  return login->user ? login->user : "default";
}

static void fill_hello(const vb_login *login, vb_handshake_request *out) {
  add(out, "HELLO");
  add(out, "3");
  if (login->password) {
    add(out, "AUTH");
    add(out, user_of(login));
    add(out, login->password);
  }
  if (login->client_name) {
    add(out, "SETNAME");
    add(out, login->client_name);
  }
}

void vb_handshake_get(const vb_login *login, int index, vb_handshake_request *out) {
  out->count = 0;
  switch (step_at(login, index)) {
  case STEP_HELLO: fill_hello(login, out); break;
  case STEP_AUTH:
    add(out, "AUTH");
    /* Servers before ACLs know no second word. */
    if (login->user) add(out, login->user);
    add(out, login->password);
    break;
  case STEP_NAME:
    add(out, "CLIENT");
    add(out, "SETNAME");
    add(out, login->client_name);
    break;
  case STEP_SELECT:
    (void)snprintf(out->number, sizeof out->number, "%d", login->database);
    add(out, "SELECT");
    add(out, out->number);
    break;
  case STEP_READONLY: add(out, "READONLY"); break;
  case STEP_TRACKING:
    add(out, "CLIENT");
    add(out, "TRACKING");
    add(out, "ON");
    break;
  case STEP_NONE: break;
  }
}

/* An error reply, NUL-terminated, and as far as it can be shown. */
typedef struct error_reply {
  char text[512];
  const char *shown;
} error_reply;

/* Servers repeat the words of a request that they do not know, and one of ours is the password. */
static void hide_password(const vb_login *login, enum step step, error_reply *complaint) {
  complaint->shown = complaint->text;
  if (!login->password || !*login->password || (step != STEP_HELLO && step != STEP_AUTH)) return;
  char *words = strstr(complaint->text, ", with args");
  if (words) *words = 0;
  if (strstr(complaint->text, login->password))
    complaint->shown = "an error that repeats the password, left out here";
}

static bool is_about(const error_reply *complaint, const char *code) {
  return strncmp(complaint->text, code, strlen(code)) == 0;
}

/* Failures that do not depend on what was asked; VB_OK when it is none of them. */
static int check_common(const vb_login *login, const char *address, const error_reply *complaint,
                        vb_error *err) {
  if (is_about(complaint, "NOAUTH"))
    return vb_fail(err, VB_EAUTH, "%s: the server asks for a password: -a/--auth or VBENCH_AUTH",
                   address);
  if (is_about(complaint, "WRONGPASS"))
    return vb_fail(err, VB_EAUTH, "%s: the server refuses the password of user \"%s\": %s", address,
                   user_of(login), complaint->shown);
  if (is_about(complaint, "DENIED"))
    return vb_fail(err, VB_EAUTH,
                   "%s: the server is in protected mode: it takes connections from its own machine "
                   "only, until it has a password or is set to protected-mode no",
                   address);
  if (is_about(complaint, "LOADING"))
    return vb_fail(err, VB_ESERVER, "%s: %s", address, complaint->shown);
  return VB_OK;
}

static int check_step(const vb_login *login, enum step step, const char *address,
                      const error_reply *complaint, vb_error *err) {
  int status = is_about(complaint, "NOPERM") ? VB_EAUTH : VB_ESERVER;
  const char *shown = complaint->shown;
  switch (step) {
  case STEP_NAME: return VB_OK;
  case STEP_AUTH:
    return vb_fail(err, VB_EAUTH, "%s: AUTH of user \"%s\": %s", address, user_of(login), shown);
  case STEP_SELECT:
    return vb_fail(err, status, "%s: SELECT %d: %s", address, login->database, shown);
  case STEP_READONLY: return vb_fail(err, status, "%s: READONLY: %s", address, shown);
  case STEP_TRACKING:
    return vb_fail(err, status, "%s: CLIENT TRACKING (--enable-tracking): %s", address, shown);
  case STEP_NONE: return vb_fail(err, status, "%s: %s", address, shown);
  case STEP_HELLO: break;
  }
  if (strstr(complaint->text, "unknown command") || is_about(complaint, "NOPROTO"))
    return vb_fail(err, status, "%s: the server is too old for RESP3 (-3): HELLO 3: %s", address,
                   shown);
  return vb_fail(err, status, "%s: HELLO 3: %s", address, shown);
}

int vb_handshake_check(const vb_login *login, int index, const char *address, const char *text,
                       size_t length, vb_error *err) {
  if (!text) return VB_OK;
  error_reply complaint;
  enum step step = step_at(login, index);
  if (length >= sizeof complaint.text) length = sizeof complaint.text - 1;
  memcpy(complaint.text, text, length);
  complaint.text[length] = 0;
  hide_password(login, step, &complaint);
  int failed = check_common(login, address, &complaint, err);
  return failed ? failed : check_step(login, step, address, &complaint, err);
}
