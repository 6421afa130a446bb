/* NumPy's .npy (numpy.lib.format, versions 1 to 3): a header that is a Python dict, then an array
 * of one or two dimensions in C order. */
#include "dataset/dtype.h"
#include "dataset/raw_rows.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 64 * 1024, TEXT_MAX = 64 };

typedef struct header {
  char descr[TEXT_MAX];
  bool fortran;
  unsigned axes;
  uint64_t shape[2];
} header;

static int bad_header(const vb_source *source, const char *what, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "%s: %s", source->path, what);
}

/* Where the value of a key of the dict begins; NULL when it is not there. */
static const char *value_of(const char *text, const char *key) {
  const char *at = strstr(text, key);
  if (!at) return NULL;
  at += strlen(key);
  at += strspn(at, "'\" ");
  if (*at++ != ':') return NULL;
  return at + strspn(at, " ");
}

static bool read_shape(header *head, const char *at) {
  if (!at || *at++ != '(') return false;
  for (;;) {
    at += strspn(at, " ,");
    if (*at == ')') return true;
    char *end;
    unsigned long long axis = strtoull(at, &end, 10);
    if (end == at || *at == '-') return false;
    if (head->axes < 2) head->shape[head->axes] = axis;
    head->axes++;
    at = end + (*end == 'L'); /* as Python 2 wrote it */
  }
}

static bool read_dict(header *head, const char *text) {
  const char *descr = value_of(text, "'descr'"), *order = value_of(text, "'fortran_order'");
  if (!descr || !order) return false;
  size_t length = *descr == '\'' ? strcspn(descr + 1, "'") : 0;
  if (length >= sizeof head->descr) return false;
  memcpy(head->descr, descr + (length != 0), length);
  head->fortran = strncmp(order, "True", 4) == 0;
  return read_shape(head, value_of(text, "'shape'"));
}

static int dtype_of(const char *descr) {
  static const struct {
    const char *name;
    int dtype;
  } names[] = {
      {"f4", VB_DTYPE_FLOAT32}, {"f2", VB_DTYPE_FLOAT16}, {"f8", VB_DTYPE_FLOAT64},
      {"i1", VB_DTYPE_INT8},    {"u1", VB_DTYPE_UINT8},   {"i4", VB_DTYPE_INT32},
      {"i8", VB_DTYPE_INT64},   {"u4", VB_DTYPE_UINT32},  {"u8", VB_DTYPE_UINT64},
      {"b1", VB_DTYPE_UINT8},
  };
  if (*descr != '<' && *descr != '|') return -1;
  for (size_t i = 0; i < VB_ARRAY_LENGTH(names); i++)
    if (strcmp(descr + 1, names[i].name) == 0) return names[i].dtype;
  return -1;
}

static int add_column(vb_source *source, const header *head, vb_error *err) {
  if (head->axes == 0 || head->axes > 2)
    return vb_fail(err, VB_EINVAL, "%s: an array of %u dimensions; a table has one or two",
                   source->path, head->axes);
  if (head->fortran && head->axes == 2)
    return bad_header(source, "is in Fortran order; save it with numpy.ascontiguousarray", err);
  int dtype = dtype_of(head->descr);
  if (dtype < 0)
    return vb_fail(err, VB_EINVAL,
                   "%s: values of type '%s' cannot be read; little-endian float16, float32, "
                   "float64, int8, int32, int64, uint8, uint32, uint64 and bool can",
                   source->path, head->descr[0] ? head->descr : "a record");
  return vb_source_add_values(source, "vector", dtype, head->axes == 2 ? head->shape[1] : 1, err);
}

/* The bytes before the dict, and its length. */
static int64_t find_dict(vb_raw_source *self, size_t *before, vb_error *err) {
  int64_t there = vb_input_need(&self->input, 12, err);
  if (there < 0) return there;
  const unsigned char *at = (const unsigned char *)vb_input_at(&self->input);
  if (there < 12 || memcmp(at, "\x93NUMPY", 6) != 0)
    return bad_header(&self->base, "does not begin like a .npy file", err);
  if (at[6] < 1 || at[6] > 3)
    return vb_fail(err, VB_EINVAL, "%s: .npy of version %d; 1 to 3 can be read", self->base.path,
                   at[6]);
  *before = at[6] == 1 ? 10 : 12;
  int64_t length = at[8] | at[9] << 8;
  if (at[6] > 1) length |= (int64_t)at[10] << 16 | (int64_t)at[11] << 24;
  return length > HEADER_MAX ? bad_header(&self->base, "has a header that is too long", err)
                             : length;
}

static int open_npy(vb_source *source, const vb_source_options *options, vb_error *err) {
  vb_raw_source *self = (vb_raw_source *)source;
  header head = {.axes = 0};
  size_t before = 0;
  (void)options;
  int status = vb_input_open(&self->input, source->path, err);
  if (status) return status;
  int64_t length = find_dict(self, &before, err);
  if (length < 0) return (int)length;
  int64_t there = vb_input_need(&self->input, before + (size_t)length, err);
  if (there < 0) return (int)there;
  char *text = (size_t)there < before + (size_t)length
                   ? NULL
                   : strndup(vb_input_at(&self->input) + before, (size_t)length);
  if (!text) return bad_header(source, "ends inside its header", err);
  bool good = read_dict(&head, text);
  free(text);
  if (!good) return bad_header(source, "has a header that is no .npy header", err);
  status = add_column(source, &head, err);
  if (status) return status;
  return vb_raw_begin(source, before + (size_t)length, head.shape[0], 0, err);
}

const vb_source_kind vb_source_npy = {
    .name = "npy",
    .suffixes = ".npy",
    .size = sizeof(vb_raw_source),
    .open = open_npy,
    .next = vb_raw_next,
    .block = vb_raw_block,
    .close = vb_raw_close,
};
