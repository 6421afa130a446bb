/* resp/scanner: replies end where the protocol says, however the bytes come, and nonsense is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "feed.h"

enum { MAX_REPLY = 1024 * 1024 };

typedef struct example {
  const char *bytes;
  vb_reply want; /* text as the literal, text_length from it; bytes and size are the whole input */
  enum vb_scan scan;
} example;

static const example examples[] = {
    {"+OK\r\n", {.type = '+', .hits = 1, .text = "OK"}, VB_SCAN_REPLY},
    {"+\r\n", {.type = '+', .hits = 1, .text = ""}, VB_SCAN_REPLY},
    {"+QUEUED\r\n", {.type = '+', .hits = 1, .text = "QUEUED"}, VB_SCAN_REPLY},
    {"+123\r\n", {.type = '+', .hits = 1, .text = "123"}, VB_SCAN_REPLY},
    {"-ERR no\r\n", {.type = '-', .error = true, .hits = 1, .text = "ERR no"}, VB_SCAN_REPLY},
    {":1\r\n", {.type = ':', .integer = 1, .hits = 1, .text = "1"}, VB_SCAN_REPLY},
    {":-1\r\n", {.type = ':', .integer = -1, .hits = 1, .text = "-1"}, VB_SCAN_REPLY},
    {":+7\r\n", {.type = ':', .integer = 7, .hits = 1, .text = "+7"}, VB_SCAN_REPLY},
    {":9223372036854775807\r\n",
     {.type = ':', .integer = INT64_MAX, .hits = 1, .text = "9223372036854775807"},
     VB_SCAN_REPLY},
    {":-9223372036854775808\r\n",
     {.type = ':', .integer = INT64_MIN, .hits = 1, .text = "-9223372036854775808"},
     VB_SCAN_REPLY},
    {"$3\r\nxxx\r\n", {.type = '$', .integer = 3, .hits = 1, .text = "xxx"}, VB_SCAN_REPLY},
    {"$0\r\n\r\n", {.type = '$', .integer = 0, .hits = 1, .text = ""}, VB_SCAN_REPLY},
    {"$4\r\n\r\n\r\n\r\n",
     {.type = '$', .integer = 4, .hits = 1, .text = "\r\n\r\n"},
     VB_SCAN_REPLY},
    {"$-1\r\n", {.type = '$', .null = true, .misses = 1}, VB_SCAN_REPLY},
    {"*-1\r\n", {.type = '*', .null = true, .misses = 1}, VB_SCAN_REPLY},
    {"_\r\n", {.type = '_', .null = true, .misses = 1, .text = ""}, VB_SCAN_REPLY},
    {"#t\r\n", {.type = '#', .integer = 1, .hits = 1, .text = "t"}, VB_SCAN_REPLY},
    {"#f\r\n", {.type = '#', .integer = 0, .hits = 1, .text = "f"}, VB_SCAN_REPLY},
    {",1.5e-7\r\n", {.type = ',', .hits = 1, .text = "1.5e-7"}, VB_SCAN_REPLY},
    {",-inf\r\n", {.type = ',', .hits = 1, .text = "-inf"}, VB_SCAN_REPLY},
    {",nan\r\n", {.type = ',', .hits = 1, .text = "nan"}, VB_SCAN_REPLY},
    {",10\r\n", {.type = ',', .hits = 1, .text = "10"}, VB_SCAN_REPLY},
    {"(-349999999999999999999999\r\n",
     {.type = '(', .hits = 1, .text = "-349999999999999999999999"},
     VB_SCAN_REPLY},
    {"!9\r\nSYNTAX no\r\n",
     {.type = '!', .error = true, .integer = 9, .hits = 1, .text = "SYNTAX no"},
     VB_SCAN_REPLY},
    {"=8\r\ntxt:some\r\n", {.type = '=', .integer = 8, .hits = 1, .text = "some"}, VB_SCAN_REPLY},
    {"$?\r\n;4\r\nHell\r\n;2\r\no!\r\n;0\r\n",
     {.type = '$', .integer = 6, .hits = 1},
     VB_SCAN_REPLY},
    {"$?\r\n;0\r\n", {.type = '$', .integer = 0, .hits = 1}, VB_SCAN_REPLY},
    {"*0\r\n", {.type = '*'}, VB_SCAN_REPLY},
    {"*2\r\n$1\r\na\r\n$-1\r\n",
     {.type = '*', .integer = 2, .hits = 1, .misses = 1},
     VB_SCAN_REPLY},
    {"*3\r\n_\r\n*2\r\n$-1\r\n:1\r\n*-1\r\n",
     {.type = '*', .integer = 3, .hits = 1, .misses = 2},
     VB_SCAN_REPLY},
    {"*2\r\n*0\r\n*1\r\n*1\r\n%0\r\n", {.type = '*', .integer = 2, .hits = 2}, VB_SCAN_REPLY},
    {"*1\r\n-ERR in it\r\n", {.type = '*', .integer = 1, .hits = 1}, VB_SCAN_REPLY},
    {"~2\r\n+a\r\n#t\r\n", {.type = '~', .integer = 2, .hits = 2}, VB_SCAN_REPLY},
    {"%2\r\n+a\r\n:1\r\n+b\r\n_\r\n",
     {.type = '%', .integer = 4, .hits = 3, .misses = 1},
     VB_SCAN_REPLY},
    {"*?\r\n:1\r\n_\r\n*?\r\n:3\r\n.\r\n.\r\n",
     {.type = '*', .integer = 3, .hits = 2, .misses = 1},
     VB_SCAN_REPLY},
    {"~?\r\n.\r\n", {.type = '~'}, VB_SCAN_REPLY},
    {"%?\r\n+a\r\n:1\r\n.\r\n", {.type = '%', .integer = 2, .hits = 2}, VB_SCAN_REPLY},
    {"*1\r\n$?\r\n;1\r\na\r\n;0\r\n", {.type = '*', .integer = 1, .hits = 1}, VB_SCAN_REPLY},
    {">2\r\n+message\r\n$1\r\nx\r\n", {.type = '>', .integer = 2, .hits = 2}, VB_SCAN_PUSH},
    {"|1\r\n+ttl\r\n:3600\r\n", {.type = '|', .integer = 2, .hits = 2}, VB_SCAN_ATTRIBUTE},
    {"*2\r\n|1\r\n+ttl\r\n_\r\n:1\r\n|0\r\n|1\r\n+a\r\n*1\r\n_\r\n_\r\n",
     {.type = '*', .integer = 2, .hits = 1, .misses = 1},
     VB_SCAN_REPLY},
};

static void assert_reply(const vb_reply *got, const vb_reply *want, const char *bytes,
                         size_t size) {
  assert_int_equal(got->type, want->type);
  assert_int_equal(got->null, want->null);
  assert_int_equal(got->error, want->error);
  assert_true(got->integer == want->integer);
  assert_int_equal(got->hits, want->hits);
  assert_int_equal(got->misses, want->misses);
  assert_ptr_equal(got->bytes, bytes);
  assert_int_equal(got->size, size);
  if (!want->text) {
    assert_null(got->text);
    assert_int_equal(got->text_length, 0);
    return;
  }
  assert_non_null(got->text);
  assert_int_equal(got->text_length, strlen(want->text));
  assert_memory_equal(got->text, want->text, got->text_length);
}

static void every_type_is_scanned(void **state) {
  (void)state;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(examples); i++) {
    const example *each = &examples[i];
    size_t length = strlen(each->bytes), used = 0;
    for (int keep = 0; keep < 2; keep++) {
      vb_scanner scanner = {.max_reply = MAX_REPLY};
      vb_reply reply;
      assert_int_equal(vb_scanner_next(&scanner, each->bytes, length, keep, &used, &reply),
                       each->scan);
      assert_int_equal(used, length);
      assert_reply(&reply, &each->want, each->bytes, length);
      assert_int_equal(vb_scanner_next(&scanner, each->bytes + length, 0, keep, &used, &reply),
                       VB_SCAN_MORE);
      assert_int_equal(used, 0);
    }
  }
}

/* All examples behind one another, as a pipelined connection brings them. */
static size_t all_examples(char *to) {
  *to = 0;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(examples); i++) strcat(to, examples[i].bytes);
  return strlen(to);
}

static void replies_are_the_same_split_at_every_byte(void **state) {
  (void)state;
  static char data[8192];
  static feed_log whole[2], split;
  size_t length = all_examples(data);
  whole[1].whole = true;
  feed(data, length, NULL, 0, false, MAX_REPLY, &whole[0]);
  feed(data, length, NULL, 0, true, MAX_REPLY, &whole[1]);
  assert_non_null(strstr(whole[0].text, "\nend\n"));
  for (size_t cut = 0; cut <= length; cut++)
    for (int keep = 0; keep < 2; keep++) {
      split.whole = keep;
      feed(data, length, &cut, 1, keep, MAX_REPLY, &split);
      assert_string_equal(split.text, whole[keep].text);
    }
}

static void replies_are_the_same_byte_by_byte(void **state) {
  (void)state;
  static char data[8192];
  static size_t cuts[8192];
  static feed_log whole, split;
  size_t length = all_examples(data);
  for (size_t i = 0; i < length; i++) cuts[i] = i;
  for (int keep = 0; keep < 2; keep++) {
    whole.whole = split.whole = keep;
    feed(data, length, NULL, 0, keep, MAX_REPLY, &whole);
    feed(data, length, cuts, length, keep, MAX_REPLY, &split);
    assert_string_equal(split.text, whole.text);
  }
}

static void nothing_is_read_behind_the_data(void **state) {
  (void)state;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(memory, MAP_FAILED);
  assert_int_equal(mprotect(memory + page, page, PROT_NONE), 0);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(examples); i++)
    for (size_t length = 0; length <= strlen(examples[i].bytes); length++) {
      char *data = memory + page - length;
      memcpy(data, examples[i].bytes, length);
      vb_scanner scanner = {.max_reply = MAX_REPLY};
      vb_reply reply;
      size_t used;
      enum vb_scan scan = vb_scanner_next(&scanner, data, length, true, &used, &reply);
      assert_int_equal(scan, examples[i].bytes[length] ? VB_SCAN_MORE : examples[i].scan);
    }
  munmap(memory, 2 * page);
}

/* Scans the text from a fresh scanner; the scanner is the caller's to look at. */
static enum vb_scan scan_text(vb_scanner *scanner, size_t max_reply, const char *text) {
  size_t used;
  vb_reply reply;
  *scanner = (vb_scanner){.max_reply = max_reply};
  return vb_scanner_next(scanner, text, strlen(text), false, &used, &reply);
}

static void nonsense_is_refused_with_its_bytes(void **state) {
  (void)state;
  static const struct {
    const char *bytes, *reason;
  } cases[] = {
      {"X\x01"
       "abc",
       "bad type byte 'X' (0x58) in \"X\\x01abc\""},
      {"\x01", "bad type byte 0x01 in \"\\x01\""},
      {"HTTP/1.1 400 Bad Request\r\n", "bad type byte 'H' (0x48) in \"HTTP/1.1 400 Bad Req\""},
      {"\r\n", "bad type byte 0x0d in \"\\r\\n\""},
      {"*1\r\n\"", "bad type byte '\"' (0x22) in \"\\\"\""},
      {".\r\n", "bad type byte '.' (0x2e) in \".\\r\\n\""},
      {";0\r\n", "bad type byte ';' (0x3b) in \";0\\r\\n\""},
      {"*1\r\n.\r\n", "bad type byte '.' (0x2e) in \".\\r\\n\""},
      {"*1\r\n>0\r\n", "bad type byte '>' (0x3e) in \">0\\r\\n\""},
      {"$?\r\n+", "bad type byte '+' (0x2b) in \"+\""},
      {"+a\nb\r\n", "LF without CR in \"+a\\nb\\r\\n\""},
      {"+\n", "LF without CR in \"+\\n\""},
      {":\r\n", "a bad value of type ':' in \":\\r\\n\""},
      {":1x\r\n", "a bad value of type ':' in \":1x\\r\\n\""},
      {":9223372036854775808\r\n", "a bad value of type ':' in \":9223372036854775808\""},
      {":-9223372036854775809\r\n", "a bad value of type ':' in \":-922337203685477580\""},
      {"#x\r\n", "a bad value of type '#' in \"#x\\r\\n\""},
      {"#\r\n", "a bad value of type '#' in \"#\\r\\n\""},
      {"#true\r\n", "a bad value of type '#' in \"#true\\r\\n\""},
      {",1,5\r\n", "a bad value of type ',' in \",1,5\\r\\n\""},
      {",\r\n", "a bad value of type ',' in \",\\r\\n\""},
      {"(12a\r\n", "a bad value of type '(' in \"(12a\\r\\n\""},
      {"_x\r\n", "a bad value of type '_' in \"_x\\r\\n\""},
      {"$-2\r\n", "a bad length in \"$-2\\r\\n\""},
      {"$+2\r\n", "a bad length in \"$+2\\r\\n\""},
      {"$\r\n", "a bad length in \"$\\r\\n\""},
      {"$18446744073709551617\r\n", "a bad length in \"$1844674407370955161\""},
      {"=3\r\ntxt\r\n", "a bad length in \"=3\\r\\ntxt\\r\\n\""},
      {"=-1\r\n", "a bad length in \"=-1\\r\\n\""},
      {"!-1\r\n", "a bad length in \"!-1\\r\\n\""},
      {"!?\r\n", "a bad length in \"!?\\r\\n\""},
      {"$?\r\n;-1\r\n", "a bad length in \";-1\\r\\n\""},
      {"*-2\r\n", "a bad count of elements in \"*-2\\r\\n\""},
      {"%-1\r\n", "a bad count of elements in \"%-1\\r\\n\""},
      {">-1\r\n", "a bad count of elements in \">-1\\r\\n\""},
      {"*x\r\n", "a bad count of elements in \"*x\\r\\n\""},
      {"$3\r\nxxxyz", "no CR LF behind a bulk string in \"yz\""},
      {"$3\r\nxxxx\r\n", "no CR LF behind a bulk string in \"x\\r\\n\""},
      {"%?\r\n+a\r\n.\r\n", "a key without a value in \".\\r\\n\""},
      {"*?\r\n.x\r\n", "a bad end of an aggregate in \".x\\r\\n\""},
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(cases); i++) {
    vb_scanner scanner;
    assert_int_equal(scan_text(&scanner, MAX_REPLY, cases[i].bytes), VB_SCAN_BAD);
    assert_string_equal(scanner.reason, cases[i].reason);
  }
}

static void a_reply_over_the_limit_is_refused_before_it_comes(void **state) {
  (void)state;
  static const char *const over[] = {
      "$90\r\n",                  /* 5 + 90 + 2 */
      "$999999999999999999\r\n",  /* alone */
      "$9223372036854775807\r\n", /* near overflow */
      "*2\r\n$40\r\n"
      "0123456789012345678901234567890123456789\r\n"
      "$40\r\n",                  /* summed */
      "*33\r\n",                  /* elements of three bytes */
      "%17\r\n",                  /* pairs of six */
      "*9223372036854775807\r\n", /* counts that overflow */
      "%9223372036854775807\r\n", /* twice that */
      "$?\r\n;40\r\n"
      "0123456789012345678901234567890123456789\r\n"
      ";40\r\n",
      "+01234567890123456789012345678901234567890123456789"
      "01234567890123456789012345678901234567890123456789\r\n",
  };
  for (size_t i = 0; i < VB_ARRAY_LENGTH(over); i++) {
    vb_scanner scanner;
    assert_int_equal(scan_text(&scanner, 96, over[i]), VB_SCAN_BAD);
    assert_non_null(strstr(scanner.reason, "a reply larger than 96 bytes in \""));
  }
  vb_scanner scanner;
  assert_int_equal(scan_text(&scanner, 97, over[0]), VB_SCAN_MORE);
  assert_int_equal(scan_text(&scanner, 8, "$3\r\nxxx\r\n"), VB_SCAN_BAD);
  assert_int_equal(scan_text(&scanner, 9, "$3\r\nxxx\r\n"), VB_SCAN_REPLY);
}

static void the_limit_is_for_one_reply(void **state) {
  (void)state;
  static feed_log log;
  static const char data[] = "$3\r\nabc\r\n*1\r\n:1\r\n|0\r\n$3\r\nabc\r\n";
  feed(data, sizeof data - 1, NULL, 0, false, 9, &log);
  assert_non_null(strstr(log.text, "\nend\n"));
}

static void nesting_is_bounded(void **state) {
  (void)state;
  char text[4 * (VB_SCAN_DEPTH_MAX + 1) + 8] = "";
  for (int i = 0; i < VB_SCAN_DEPTH_MAX; i++) strcat(text, "*1\r\n");
  vb_scanner scanner;
  strcat(text, ":1\r\n");
  assert_int_equal(scan_text(&scanner, MAX_REPLY, text), VB_SCAN_REPLY);
  strcpy(text + 4 * VB_SCAN_DEPTH_MAX, "*1\r\n:1\r\n");
  assert_int_equal(scan_text(&scanner, MAX_REPLY, text), VB_SCAN_BAD);
  assert_string_equal(scanner.reason, "nested deeper than 32 in \"*1\\r\\n:1\\r\\n\"");
}

static void lines_are_bounded(void **state) {
  (void)state;
  static char line[VB_SCAN_LINE_MAX + 2];
  memset(line, 'x', sizeof line);
  line[0] = '+';
  vb_scanner scanner = {.max_reply = MAX_REPLY};
  vb_reply reply;
  size_t used;
  assert_int_equal(vb_scanner_next(&scanner, line, VB_SCAN_LINE_MAX - 1, false, &used, &reply),
                   VB_SCAN_MORE);
  assert_int_equal(used, 0);
  assert_int_equal(vb_scanner_next(&scanner, line, VB_SCAN_LINE_MAX, false, &used, &reply),
                   VB_SCAN_BAD);
  assert_non_null(strstr(scanner.reason, "a line longer than 65536 bytes in \"+xxx"));
  memcpy(line + VB_SCAN_LINE_MAX - 2, "\r\n", 2);
  scanner = (vb_scanner){.max_reply = MAX_REPLY};
  assert_int_equal(vb_scanner_next(&scanner, line, sizeof line, false, &used, &reply),
                   VB_SCAN_REPLY);
  assert_int_equal(reply.text_length, VB_SCAN_LINE_MAX - 3);
}

/* Scans one bulk string of half a megabyte in parts of 1000 bytes; returns the most that was kept.
 */
static size_t most_kept(bool keep, vb_reply *reply) {
  enum { BODY = 500000 };
  static char data[BODY + 32];
  int head = sprintf(data, "*1\r\n$%d\r\n", BODY);
  memset(data + head, 'b', BODY);
  memcpy(data + head + BODY, "\r\n", 2);
  size_t length = (size_t)head + BODY + 2, from = 0, most = 0, used;
  vb_scanner scanner = {.max_reply = MAX_REPLY};
  for (size_t to = 1000;; to += 1000) {
    if (to > length) to = length;
    enum vb_scan scan = vb_scanner_next(&scanner, data + from, to - from, keep, &used, reply);
    from += used;
    if (to - from > most) most = to - from;
    if (scan != VB_SCAN_MORE) {
      assert_int_equal(scan, VB_SCAN_REPLY);
      assert_int_equal(reply->size, length);
      return most;
    }
  }
}

static void what_is_not_kept_costs_no_memory(void **state) {
  (void)state;
  vb_reply reply;
  assert_true(most_kept(false, &reply) <= 2);
  assert_null(reply.bytes);
  assert_true(most_kept(true, &reply) > 500000 - 1000);
  assert_non_null(reply.bytes);
}

static void a_text_that_is_gone_is_not_shown(void **state) {
  (void)state;
  vb_scanner scanner = {.max_reply = MAX_REPLY};
  vb_reply reply;
  size_t used;
  assert_int_equal(vb_scanner_next(&scanner, "$3\r\nab", 6, false, &used, &reply), VB_SCAN_MORE);
  assert_int_equal(used, 6);
  assert_int_equal(vb_scanner_next(&scanner, "c\r\n", 3, false, &used, &reply), VB_SCAN_REPLY);
  assert_null(reply.text);
  assert_null(reply.bytes);
  assert_int_equal(reply.integer, 3);
  assert_int_equal(reply.size, 9);
}

/* An element has the hits and misses of a reply of its own; forgets them. */
static void expect_hits_as_alone(vb_reply *element) {
  vb_scanner scanner = {.max_reply = MAX_REPLY};
  vb_reply alone;
  size_t used;
  assert_int_equal(vb_scanner_next(&scanner, element->bytes, element->size, true, &used, &alone),
                   VB_SCAN_REPLY);
  assert_int_equal(element->hits, alone.hits);
  assert_int_equal(element->misses, alone.misses);
  element->hits = element->misses = 0;
}

static void the_elements_of_an_aggregate_are_read(void **state) {
  (void)state;
  static const char data[] =
      "*9\r\n|1\r\n+ttl\r\n:1\r\n$2\r\nab\r\n:-5\r\n_\r\n*2\r\n:1\r\n%1\r\n+k\r\n,2"
      "\r\n*?\r\n:1\r\n|?\r\n:1\r\n:2\r\n.\r\n.\r\n$?\r\n;2\r\nxy\r\n;0\r\n=5\r\ntxt:z\r\n-ERR "
      "e\r\n"
      "$-1\r\n";
  static const vb_reply want[] = {
      {.type = '$', .integer = 2, .text = "ab", .size = 8},
      {.type = ':', .integer = -5, .text = "-5", .size = 5},
      {.type = '_', .null = true, .text = "", .size = 3},
      {.type = '*', .integer = 2, .size = 20},
      {.type = '*', .integer = 1, .size = 26},
      {.type = '$', .integer = 2, .size = 16},
      {.type = '=', .integer = 5, .text = "z", .size = 11},
      {.type = '-', .error = true, .text = "ERR e", .size = 8},
      {.type = '$', .null = true, .size = 5},
  };
  vb_scanner scanner = {.max_reply = MAX_REPLY};
  vb_reply reply, element;
  size_t used;
  assert_int_equal(vb_scanner_next(&scanner, data, sizeof data - 1, true, &used, &reply),
                   VB_SCAN_REPLY);
  assert_int_equal(reply.integer, VB_ARRAY_LENGTH(want));
  const char *at = vb_reply_first(&reply);
  for (size_t i = 0; i < VB_ARRAY_LENGTH(want); i++) {
    at = vb_reply_element(at, &element);
    expect_hits_as_alone(&element);
    assert_reply(&element, &want[i], at - want[i].size, want[i].size);
  }
  assert_ptr_equal(at, data + sizeof data - 1);
}

static void a_scalar_has_no_elements(void **state) {
  (void)state;
  vb_reply reply = {.type = '$', .bytes = "$1\r\na\r\n"};
  assert_null(vb_reply_first(&reply));
  reply = (vb_reply){.type = '*', .integer = 3};
  assert_null(vb_reply_first(&reply));
}

/* Only what vb_scanner_next would close as a reply, and no error among it. */
static void a_success_is_whole_and_no_error(void **state) {
  (void)state;
  static const char *const common[] = {"+OK\r\n",    ":1\r\n",  "$3\r\nxxx\r\n",
                                       "$0\r\n\r\n", "$-1\r\n", "$4\r\n\r\n\r\n\r\n"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(common); i++) {
    char data[32];
    size_t length = strlen(common[i]);
    (void)snprintf(data, sizeof data, "%s-ERR\r\n", common[i]);
    assert_int_equal(vb_scanner_success(data, strlen(data)), length);
    for (size_t part = 0; part < length; part++)
      assert_int_equal(vb_scanner_success(data, part), 0);
  }
  for (size_t i = 0; i < VB_ARRAY_LENGTH(examples); i++) {
    const example *each = &examples[i];
    size_t size = vb_scanner_success(each->bytes, strlen(each->bytes));
    if (size) assert_int_equal(size, strlen(each->bytes));
    if (size) assert_int_equal(each->scan, VB_SCAN_REPLY);
    if (each->want.error) assert_int_equal(size, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_is_scanned),
      cmocka_unit_test(replies_are_the_same_split_at_every_byte),
      cmocka_unit_test(replies_are_the_same_byte_by_byte),
      cmocka_unit_test(nothing_is_read_behind_the_data),
      cmocka_unit_test(nonsense_is_refused_with_its_bytes),
      cmocka_unit_test(a_reply_over_the_limit_is_refused_before_it_comes),
      cmocka_unit_test(the_limit_is_for_one_reply),
      cmocka_unit_test(nesting_is_bounded),
      cmocka_unit_test(lines_are_bounded),
      cmocka_unit_test(what_is_not_kept_costs_no_memory),
      cmocka_unit_test(a_text_that_is_gone_is_not_shown),
      cmocka_unit_test(the_elements_of_an_aggregate_are_read),
      cmocka_unit_test(a_scalar_has_no_elements),
      cmocka_unit_test(a_success_is_whole_and_no_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
