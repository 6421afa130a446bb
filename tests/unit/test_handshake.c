/* net/handshake: what is said first on a connection, and what a refusal tells the user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/handshake.h"

/* All requests of a login: words joined with a blank, requests with "; ". */
static const char *said(const vb_login *login) {
  static char text[512];
  size_t length = 0;
  text[0] = 0;
  for (int i = 0; i < vb_handshake_count(login); i++) {
    vb_handshake_request request;
    vb_handshake_get(login, i, &request);
    for (int k = 0; k < request.count; k++)
      length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                 k   ? " "
                                 : i ? "; "
                                     : "",
                                 request.words[k]);
  }
  return text;
}

static void only_what_is_asked_for_is_said(void **state) {
  (void)state;
  assert_string_equal(said(&(vb_login){.resp = 2}), "");
  assert_string_equal(said(&(vb_login){.resp = 2, .password = "p"}), "AUTH p");
  assert_string_equal(said(&(vb_login){.resp = 2, .user = "u", .password = "p"}), "AUTH u p");
  assert_string_equal(said(&(vb_login){.resp = 2, .user = "u"}), "");
  assert_string_equal(
      said(&(vb_login){
          .resp = 2, .password = "p", .client_name = "vbench", .database = 12, .readonly = 1}),
      "AUTH p; CLIENT SETNAME vbench; SELECT 12; READONLY");
  assert_string_equal(said(&(vb_login){.resp = 3}), "HELLO 3");
  assert_string_equal(said(&(vb_login){.resp = 3, .tracking = 1, .database = 2}),
                      "HELLO 3; SELECT 2; CLIENT TRACKING ON");
  assert_string_equal(said(&(vb_login){.resp = 3, .password = "p", .client_name = "n"}),
                      "HELLO 3 AUTH default p SETNAME n");
  assert_string_equal(said(&(vb_login){.resp = 3, .user = "u", .password = "p", .database = 1}),
                      "HELLO 3 AUTH u p; SELECT 1");
}

static void refusals_say_what_would_be_right(void **state) {
  (void)state;
  const vb_login old = {.resp = 2,
                        .user = "bob",
                        .password = "hush",
                        .client_name = "n",
                        .database = 99,
                        .readonly = 1};
  const vb_login new = {.resp = 3, .user = "bob", .password = "hush", .database = 99};
  const vb_login none = {.resp = 3};
  const struct {
    const vb_login *login;
    int index, status;
    const char *text, *message;
  } cases[] = {
      {&none, 0, VB_EAUTH, "NOAUTH HELLO must be called with the client already authenticated",
       "h:1: the server asks for a password: -a/--auth or VBENCH_AUTH"},
      {&old, 0, VB_EAUTH, "WRONGPASS invalid username-password pair or user is disabled.",
       "h:1: the server refuses the password of user \"bob\": WRONGPASS invalid username-password "
       "pair or user is disabled."},
      {&new, 0, VB_EAUTH, "WRONGPASS no",
       "h:1: the server refuses the password of user \"bob\": WRONGPASS no"},
      {&old, 0, VB_EAUTH, "ERR invalid password",
       "h:1: AUTH of user \"bob\": ERR invalid password"},
      {&none, 0, VB_EAUTH, "DENIED Redis is running in protected mode because ...",
       "h:1: the server is in protected mode: it takes connections from its own machine only, "
       "until "
       "it has a password or is set to protected-mode no"},
      {&old, 0, VB_ESERVER, "LOADING Redis is loading the dataset in memory",
       "h:1: LOADING Redis is loading the dataset in memory"},
      {&old, 1, VB_OK, "ERR unknown subcommand", ""},
      {&old, 1, VB_EAUTH, "NOAUTH Authentication required.",
       "h:1: the server asks for a password: -a/--auth or VBENCH_AUTH"},
      {&old, 2, VB_ESERVER, "ERR DB index is out of range",
       "h:1: SELECT 99: ERR DB index is out of range"},
      {&old, 2, VB_EAUTH, "NOPERM no", "h:1: SELECT 99: NOPERM no"},
      {&old, 3, VB_ESERVER, "ERR This instance has cluster support disabled",
       "h:1: READONLY: ERR This instance has cluster support disabled"},
      {&new, 1, VB_ESERVER, "ERR DB index is out of range",
       "h:1: SELECT 99: ERR DB index is out of range"},
      {&none, 0, VB_ESERVER, "NOPROTO unsupported protocol version",
       "h:1: the server is too old for RESP3 (-3): HELLO 3: NOPROTO unsupported protocol version"},
      {&new, 0, VB_ESERVER,
       "ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `bob`, `hush`, ",
       "h:1: the server is too old for RESP3 (-3): HELLO 3: ERR unknown command `HELLO`"},
      {&old, 0, VB_EAUTH, "ERR what is hush?",
       "h:1: AUTH of user \"bob\": an error that repeats the password, left out here"},
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_error err = {0};
    assert_int_equal(vb_handshake_check(cases[i].login, cases[i].index, "h:1", cases[i].text,
                                        strlen(cases[i].text), &err),
                     cases[i].status);
    assert_string_equal(err.text, cases[i].message);
  }
}

static void a_password_that_is_a_common_word_hides_no_kind(void **state) {
  (void)state;
  static const char text[] = "WRONGPASS invalid username-password pair";
  const vb_login login = {.resp = 2, .password = "invalid"};
  vb_error err = {0};
  assert_int_equal(vb_handshake_check(&login, 0, "h:1", text, sizeof text - 1, &err), VB_EAUTH);
  assert_string_equal(err.text,
                      "h:1: the server refuses the password of user \"default\": an error "
                      "that repeats the password, left out here");
}

static void what_is_no_error_is_fine(void **state) {
  (void)state;
  const vb_login login = {.resp = 3};
  vb_error err = {0};
  assert_int_equal(vb_handshake_check(&login, 0, "h:1", NULL, 0, &err), VB_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_what_is_asked_for_is_said),
      cmocka_unit_test(refusals_say_what_would_be_right),
      cmocka_unit_test(a_password_that_is_a_common_word_hides_no_kind),
      cmocka_unit_test(what_is_no_error_is_fine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
