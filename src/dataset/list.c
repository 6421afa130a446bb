#include "dataset/list.h"

#include <inttypes.h>
#include <strings.h>

static bool is_separator(char c) {
  return c == ' ' || c == ',' || c == '\t' || c == '\n' || c == '\r' || c == ';';
}

static int bad_value(const vb_list *list, const char *text, size_t length, enum vb_number_fit fit,
                     vb_error *err) {
  const char *bare = text + (*text == '-' || *text == '+');
  if (strncasecmp(bare, "nan", 3) == 0 || strncasecmp(bare, "inf", 3) == 0)
    return vb_fail(err, VB_EINVAL, "value %" PRIu64 " is NaN or infinite", list->count);
  return vb_fail(err, VB_EINVAL, "value %" PRIu64 ", '%.*s', %s %s", list->count,
                 (int)(length < 40 ? length : 40), text,
                 fit == VB_NUMBER_BAD ? "is no" : "does not fit",
                 fit == VB_NUMBER_BAD ? "number" : vb_dtype_name(list->dtype));
}

static int read_value(vb_list *list, const char *text, size_t length, char *to, vb_error *err) {
  char unused[8];
  vb_conversion how = {.to = list->dtype, .unfit = list->clamp};
  if (list->count < list->most)
    to += list->count * vb_dtype_bytes(list->dtype, 1);
  else
    to = unused;
  enum vb_number_fit fit = vb_number_store(&how, to, text, length);
  if (fit != VB_NUMBER_FITS) return bad_value(list, text, length, fit, err);
  list->clamped += how.clamped;
  list->count++;
  return VB_OK;
}

int vb_list_read(vb_list *list, const char *text, size_t length, char *to, vb_error *err) {
  const char *at = text, *end = text + length;
  while (at < end && is_separator(*at)) at++;
  while (at < end && is_separator(end[-1])) end--;
  if (end - at >= 2 && *at == '[' && end[-1] == ']') at++, end--;
  for (;;) {
    while (at < end && is_separator(*at)) at++;
    if (at == end) return VB_OK;
    const char *start = at;
    while (at < end && !is_separator(*at)) at++;
    int status = read_value(list, start, (size_t)(at - start), to, err);
    if (status) return status;
  }
}
