/* net/uri: what a URI says is what is connected to, and an error never shows the password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "net/uri.h"

typedef struct example {
  const char *uri;
  vb_uri want;
} example;

static const example examples[] = {
    {"redis://localhost", {.host = "localhost", .port = 6379, .database = -1}},
    {"valkey://10.0.0.1:7000/", {.host = "10.0.0.1", .port = 7000, .database = -1}},
    {"rediss://h:1/0", {.host = "h", .port = 1, .database = 0, .tls = 1}},
    {"valkeys://h", {.host = "h", .port = 6379, .database = -1, .tls = 1}},
    {"redis://[::1]", {.host = "::1", .port = 6379, .database = -1}},
    {"redis://[fe80::1]:65535/15", {.host = "fe80::1", .port = 65535, .database = 15}},
    {"redis://h?db=3", {.host = "h", .port = 6379, .database = 3}},
    {"redis://bob:secret@h/2",
     {.host = "h", .user = "bob", .password = "secret", .port = 6379, .database = 2}},
    {"redis://:se:cret@h", {.host = "h", .password = "se:cret", .port = 6379, .database = -1}},
    {"redis://bob@h", {.host = "h", .user = "bob", .port = 6379, .database = -1}},
    {"redis://@h", {.host = "h", .port = 6379, .database = -1}},
    {"redis://b%40b:a%2Fb%3a%25@h",
     {.host = "h", .user = "b@b", .password = "a/b:%", .port = 6379, .database = -1}},
    {"redis://u:p@ss/word@h:1",
     {.host = "h", .user = "u", .password = "p@ss/word", .port = 1, .database = -1}},
    {"unix:///run/valkey.sock", {.path = "/run/valkey.sock", .port = 6379, .database = -1}},
    {"unix:///run/a:b@c.sock", {.path = "/run/a:b@c.sock", .port = 6379, .database = -1}},
    {"unix://relative.sock?db=4", {.path = "relative.sock", .port = 6379, .database = 4}},
    {"redis-socket://u:p@/run/a%20b.sock",
     {.path = "/run/a b.sock", .user = "u", .password = "p", .port = 6379, .database = -1}},
};

static void uris_are_read(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(examples); i++) {
    const vb_uri *want = &examples[i].want;
    vb_uri got;
    vb_error err = {0};
    memset(&got, 'x', sizeof got);
    assert_int_equal(vb_uri_parse(examples[i].uri, &got, &err), VB_OK);
    assert_string_equal(got.host, want->host);
    assert_string_equal(got.path, want->path);
    assert_string_equal(got.user, want->user);
    assert_string_equal(got.password, want->password);
    assert_int_equal(got.port, want->port);
    assert_int_equal(got.database, want->database);
    assert_int_equal(got.tls, want->tls);
  }
}

static void wrong_uris_are_refused_with_the_reason(void **state) {
  (void)state;
  static const struct {
    const char *uri, *message;
  } cases[] = {
      {"http://h", "URI http://h: it is to start with valkey://, redis://, valkeys://, rediss://, "
                   "unix:// or redis-socket://"},
      {"redis:h", "URI redis:h: it is to start with valkey://, redis://, valkeys://, rediss://, "
                  "unix:// or redis-socket://"},
      {"redis://", "URI redis://: it names no host"},
      {"redis://:p@", "URI redis://:***@: it names no host"},
      {"redis://h:0", "URI redis://h:0: its port is not between 1 and 65535"},
      {"redis://h:65536", "URI redis://h:65536: its port is not between 1 and 65535"},
      {"redis://u:hush@h:port", "URI redis://u:***@h:port: its port is not between 1 and 65535"},
      {"redis://h/db", "URI redis://h/db: its database is no number"},
      {"redis://h/-1", "URI redis://h/-1: its database is no number"},
      {"redis://h?user=x", "URI redis://h?user=x: the only parameter known is ?db=N"},
      {"redis://::1", "URI redis://::1: an IPv6 address is to be in brackets"},
      {"redis://[::1", "URI redis://[::1: '[' without ']'"},
      {"redis://[::1]7", "URI redis://[::1]7: ']' is to be followed by a port or a database"},
      {"redis://u:hu%zzsh@h",
       "URI redis://u:***@h: '%' is to be followed by two hexadecimal digits "
       "that are not 00"},
      {"redis://u:hush%00@h",
       "URI redis://u:***@h: '%' is to be followed by two hexadecimal digits "
       "that are not 00"},
      {"redis://u:hush%4@h", "URI redis://u:***@h: '%' is to be followed by two hexadecimal digits "
                             "that are not 00"},
      {"unix://", "URI unix://: it names no path"},
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_uri got = {.port = -7};
    vb_error err = {0};
    assert_int_equal(vb_uri_parse(cases[i].uri, &got, &err), VB_EINVAL);
    assert_string_equal(err.text, cases[i].message);
    assert_int_equal(got.port, -7);
  }
}

static void parts_that_do_not_fit_are_refused(void **state) {
  (void)state;
  char uri[1024] = "redis://";
  memset(uri + 8, 'h', 255);
  vb_uri got;
  vb_error err;
  assert_int_equal(vb_uri_parse(uri, &got, &err), VB_OK);
  assert_int_equal(strlen(got.host), 255);
  uri[8 + 255] = 'h';
  assert_int_equal(vb_uri_parse(uri, &got, &err), VB_EINVAL);
  assert_non_null(strstr(err.text, ": a part of it is too long"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(uris_are_read),
      cmocka_unit_test(wrong_uris_are_refused_with_the_reason),
      cmocka_unit_test(parts_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
