#include "dataset/store.h"

#include "dataset/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int fail_text(vb_error *err, const vb_cell *cell, const char *what) {
  char quoted[96];
  return vb_fail(err, VB_EINVAL, "%s %s", vb_store_quote(cell->bytes, cell->length, quoted), what);
}

const char *vb_store_quote(const char *bytes, size_t length, char *quoted) {
  size_t shown = length < 60 ? length : 60;
  (void)snprintf(quoted, 96, "'%.*s'%s", (int)shown, bytes, shown < length ? "..." : "");
  return quoted;
}

static int no_text(const vb_store *store, const vb_cell *cell, vb_error *err) {
  if (cell->kind == VB_CELL_LIST) return vb_fail(err, VB_EINVAL, "an array stands for a text");
  if (cell->kind == VB_CELL_OBJECT)
    return vb_fail(err, VB_EINVAL, "a nested object stands for a text");
  return vb_fail(err, VB_EINVAL, "numbers stand for a %s", vb_field_type_name(store->field->type));
}

/* --- text, tag, blob -------------------------------------------------------------------------- */

size_t vb_store_whole_characters(const char *text, size_t most) {
  size_t length = most;
  while (length && ((unsigned char)text[length] & 0xc0) == 0x80) length--;
  return most - length < 4 ? length : most;
}

static int check_ascii(const vb_cell *cell, vb_error *err) {
  for (size_t i = 0; i < cell->length; i++)
    if (cell->bytes[i] & 0x80)
      return vb_fail(err, VB_EINVAL, "byte %zu is not ASCII, the encoding of the field", i);
  return VB_OK;
}

static int too_long(const vb_store *store, const vb_cell *cell, vb_error *err) {
  return vb_fail(err, VB_EINVAL,
                 "a text of %zu bytes does not fit max_bytes %" PRIu64 "; --truncate cuts it",
                 cell->length, store->field->max_bytes);
}

/* NULs at the end of a text of a fixed length would be taken for its padding. */
static bool ends_in_padding(const vb_field *field, const char *text, size_t length) {
  return length && text[length - 1] == 0 && !field->variable && field->type != VB_FIELD_BLOB;
}

/* How much of a text is stored: what fits. */
static int fit_text(vb_store *store, const vb_cell *cell, size_t *length, vb_error *err) {
  const vb_field *field = store->field;
  bool utf8 = field->encoding == VB_ENCODING_UTF8 && field->type != VB_FIELD_BLOB;
  *length = cell->length;
  if (*length > field->max_bytes) {
    if (!store->truncate) return too_long(store, cell, err);
    *length = (size_t)field->max_bytes;
    if (utf8) *length = vb_store_whole_characters(cell->bytes, *length);
  }
  if (ends_in_padding(field, cell->bytes, *length)) {
    if (!store->truncate)
      return vb_fail(err, VB_EINVAL,
                     "a text that ends in a NUL byte, like the padding of a fixed length; "
                     "'length: variable' keeps it, --truncate cuts it");
    while (ends_in_padding(field, cell->bytes, *length)) --*length;
  }
  store->truncated += *length < cell->length;
  return VB_OK;
}

static int store_text(vb_store *store, const vb_cell *cell, char *to, vb_error *err) {
  const vb_field *field = store->field;
  size_t length;
  if (cell->kind > VB_CELL_BOOLEAN) return no_text(store, cell, err);
  int status = field->encoding == VB_ENCODING_ASCII ? check_ascii(cell, err) : VB_OK;
  if (!status) status = fit_text(store, cell, &length, err);
  if (status) return status;
  if (field->variable) {
    uint32_t prefix = (uint32_t)length;
    memcpy(to, &prefix, sizeof prefix);
    to += sizeof prefix;
  }
  memcpy(to, cell->bytes, length);
  return VB_OK;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static vb_cell trimmed(vb_cell cell) {
  while (cell.length && (*cell.bytes == ' ' || *cell.bytes == '\t')) cell.bytes++, cell.length--;
  while (cell.length && (cell.bytes[cell.length - 1] == ' ' || cell.bytes[cell.length - 1] == '\t'))
    cell.length--;
  return cell;
}

static int store_number_text(vb_store *store, vb_cell cell, char *to, vb_error *err) {
  vb_conversion how = {.to = store->field->dtype, .unfit = store->truncate};
  char what[64];
  if (cell.kind == VB_CELL_TEXT) cell = trimmed(cell);
  enum vb_number_fit fit = vb_number_store(&how, to, cell.bytes, cell.length);
  store->truncated += how.clamped;
  if (fit == VB_NUMBER_FITS) return VB_OK;
  (void)snprintf(what, sizeof what, fit == VB_NUMBER_BAD ? "is no number" : "does not fit %s",
                 vb_dtype_name(how.to));
  return fail_text(err, &cell, what);
}

static int bad_value(const vb_column *column, const char *values, size_t at, int to,
                     vb_error *err) {
  vb_conversion how = {.from = column->dtype, .to = VB_DTYPE_FLOAT64};
  double value;
  const char *from = values + at * vb_dtype_bytes(column->dtype, 1);
  if (!vb_dtype_convert(&how, &value, from, 1))
    return vb_fail(err, VB_EINVAL, "value %zu is NaN or infinite", at);
  return vb_fail(err, VB_EINVAL, "value %zu is %.17g, which does not fit %s", at, value,
                 vb_dtype_name(to));
}

static int store_values(vb_store *store, const vb_column *column, const vb_cell *cell, char *to,
                        vb_error *err) {
  vb_conversion how = {column->dtype, store->field->dtype, store->truncate, 0};
  size_t count = (size_t)column->dimensions;
  size_t stored = vb_dtype_convert(&how, to, cell->bytes, count);
  store->truncated += how.clamped != 0;
  return stored == count ? VB_OK : bad_value(column, cell->bytes, stored, how.to, err);
}

static int store_number(vb_store *store, const vb_column *column, const vb_cell *cell, char *to,
                        vb_error *err) {
  switch ((enum vb_cell_kind)cell->kind) {
  case VB_CELL_TEXT:
  case VB_CELL_NUMBER: return store_number_text(store, *cell, to, err);
  case VB_CELL_VALUES:
    if (column->dimensions == 1) return store_values(store, column, cell, to, err);
    return vb_fail(err, VB_EINVAL, "%" PRIu64 " values stand for a number", column->dimensions);
  case VB_CELL_LIST: return vb_fail(err, VB_EINVAL, "an array stands for a number");
  case VB_CELL_OBJECT: return vb_fail(err, VB_EINVAL, "a nested object stands for a number");
  case VB_CELL_BOOLEAN:
  case VB_CELL_NONE:
  case VB_CELL_EMPTY: break;
  }
  return fail_text(err, cell, "is no number");
}

/* --- vectors ---------------------------------------------------------------------------------- */

static int wrong_count(const vb_field *field, uint64_t count, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "%" PRIu64 " values, the field has %" PRIu64 " dimensions", count,
                 field->dimensions);
}

/* Bits from bytes that are 0 or 1. */
static int pack_bits(const uint8_t *values, uint64_t count, char *to, vb_error *err) {
  for (uint64_t i = 0; i < count; i++) {
    if (values[i] > 1)
      return vb_fail(err, VB_EINVAL, "value %" PRIu64 " is %u; bits are 0 or 1", i, values[i]);
    to[i / 8] = (char)((unsigned char)to[i / 8] | values[i] << (7 - i % 8));
  }
  return VB_OK;
}

/* As many values as dimensions are bits, as many as bytes are those bytes. */
static int store_bits(const vb_store *store, const uint8_t *values, uint64_t count, char *to,
                      vb_error *err) {
  if (count == store->field->dimensions) return pack_bits(values, count, to, err);
  if (count != store->size) return wrong_count(store->field, count, err);
  memcpy(to, values, (size_t)count);
  return VB_OK;
}

static int store_vector_values(vb_store *store, const vb_column *column, const vb_cell *cell,
                               char *to, vb_error *err) {
  if (store->field->dtype == VB_DTYPE_BINARY) {
    if (column->dtype != VB_DTYPE_UINT8)
      return vb_fail(err, VB_EINVAL, "values of %s stand for bits; uint8 are taken",
                     vb_dtype_name(column->dtype));
    return store_bits(store, (const uint8_t *)cell->bytes, column->dimensions, to, err);
  }
  if (column->dimensions != store->field->dimensions)
    return wrong_count(store->field, column->dimensions, err);
  return store_values(store, column, cell, to, err);
}

static int store_bit_list(const vb_store *store, const vb_cell *cell, char *to, vb_error *err) {
  uint8_t values[4096];
  vb_list list = {.dtype = VB_DTYPE_UINT8, .most = sizeof values};
  int status = vb_list_read(&list, cell->bytes, cell->length, (char *)values, err);
  if (!status && list.count > sizeof values)
    return vb_fail(err, VB_EINVAL, "a list of bits has at most %zu values", sizeof values);
  return status ? status : store_bits(store, values, list.count, to, err);
}

static int store_list(vb_store *store, const vb_cell *cell, char *to, vb_error *err) {
  const vb_field *field = store->field;
  if (field->dtype == VB_DTYPE_BINARY) return store_bit_list(store, cell, to, err);
  vb_list list = {.dtype = field->dtype, .most = field->dimensions, .clamp = store->truncate};
  int status = vb_list_read(&list, cell->bytes, cell->length, to, err);
  if (status) return status;
  store->truncated += list.clamped != 0;
  return list.count == field->dimensions ? VB_OK : wrong_count(field, list.count, err);
}

static int store_vector(vb_store *store, const vb_column *column, const vb_cell *cell, char *to,
                        vb_error *err) {
  if (cell->kind == VB_CELL_VALUES) return store_vector_values(store, column, cell, to, err);
  if (cell->kind == VB_CELL_OBJECT)
    return vb_fail(err, VB_EINVAL, "a nested object stands for a vector");
  return store_list(store, cell, to, err);
}

int vb_store_cell(vb_store *store, const vb_column *column, const vb_cell *cell, char *record,
                  vb_error *err) {
  const vb_field *field = store->field;
  bool text = field->type >= VB_FIELD_TEXT;
  if (cell->kind == VB_CELL_NONE || (cell->kind == VB_CELL_EMPTY && !text)) {
    store->missing++;
    return VB_OK;
  }
  if (cell->kind == VB_CELL_EMPTY) return VB_OK;
  char *to = record + store->offset;
  if (text) return store_text(store, cell, to, err);
  if (field->type == VB_FIELD_VECTOR) return store_vector(store, column, cell, to, err);
  return store_number(store, column, cell, to, err);
}
