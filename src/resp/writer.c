#include "resp/writer.h"

size_t vb_resp_header(char *to, char mark, uint64_t count) {
  to[0] = mark;
  size_t length = 1 + vb_decimal_append(to + 1, count);
  to[length++] = '\r';
  to[length++] = '\n';
  return length;
}

static void append_header(vb_bytes *out, char mark, uint64_t count) {
  char *to = vb_bytes_reserve(out, VB_RESP_HEADER_MAX);
  out->length += vb_resp_header(to, mark, count);
}

void vb_resp_request(vb_bytes *out, int count, const char *const *words, const size_t *lengths) {
  append_header(out, '*', (uint64_t)count);
  for (int i = 0; i < count; i++) {
    size_t length = lengths ? lengths[i] : strlen(words[i]);
    append_header(out, '$', length);
    vb_bytes_append(out, words[i], length);
    vb_bytes_append(out, "\r\n", 2);
  }
}
