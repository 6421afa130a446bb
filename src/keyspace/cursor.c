#include "keyspace/cursor.h"

#include "keyspace/permute.h"
#include "keyspace/zipf.h"

#include <stdlib.h>

struct vb_cursor {
  const vb_keyspace *keyspace;
  enum vb_order order;
  bool wrap, scatter;
  uint64_t first, count, limit;
  vb_zipf zipf;
  vb_permutation permutation;
};

static int check(const vb_keyspace *keyspace, const vb_cursor_spec *spec, vb_error *err) {
  uint64_t size = vb_keyspace_size(keyspace), last = spec->last ? spec->last : size;
  if (spec->order < VB_ORDER_SEQUENTIAL || spec->order > VB_ORDER_ZIPFIAN)
    return vb_fail(err, VB_EINVAL, "cursor: order %d does not exist", spec->order);
  if (last > size || spec->first >= last)
    return vb_fail(err, VB_EINVAL, "cursor: range %llu to %llu: the keyspace has ids 0 to %llu",
                   (unsigned long long)spec->first, (unsigned long long)last,
                   (unsigned long long)(size - 1));
  if (spec->order == VB_ORDER_ZIPFIAN && !(spec->skew > 0 && spec->skew <= 100))
    return vb_fail(err, VB_EINVAL, "cursor: zipfian(%g): the skew is above 0, usually 0.5 to 2",
                   spec->skew);
  return VB_OK;
}

int vb_cursor_new(vb_cursor **out, const vb_keyspace *keyspace, const vb_cursor_spec *spec,
                  vb_error *err) {
  int failed = check(keyspace, spec, err);
  if (failed) return failed;
  vb_cursor *cursor = calloc(1, sizeof *cursor);
  if (!cursor) return vb_fail(err, VB_ENOMEM, "out of memory: a cursor");
  cursor->keyspace = keyspace;
  cursor->order = (enum vb_order)spec->order;
  cursor->wrap = spec->wrap;
  cursor->first = spec->first;
  cursor->count = (spec->last ? spec->last : vb_keyspace_size(keyspace)) - spec->first;
  cursor->limit = spec->limit ? spec->limit : UINT64_MAX;
  if (spec->order == VB_ORDER_ZIPFIAN) {
    cursor->scatter = spec->scatter;
    vb_zipf_init(&cursor->zipf, cursor->count, spec->skew);
    vb_permutation_init(&cursor->permutation, cursor->count, spec->seed);
  }
  *out = cursor;
  return VB_OK;
}

void vb_cursor_free(vb_cursor *cursor) {
  free(cursor);
}

int vb_cursor_draw(const vb_cursor *cursor, uint64_t index, uint64_t random, uint64_t *id) {
  uint64_t offset = 0;
  if (index >= cursor->limit) return 0;
  switch (cursor->order) {
  case VB_ORDER_SEQUENTIAL:
    if (index >= cursor->count && !cursor->wrap) return 0;
    offset = index < cursor->count ? index : index % cursor->count;
    break;
  case VB_ORDER_UNIFORM: offset = vb_below(random, cursor->count); break;
  case VB_ORDER_ZIPFIAN:
    offset = vb_zipf_draw(&cursor->zipf, random);
    if (cursor->scatter) offset = vb_permute(&cursor->permutation, offset);
    break;
  }
  *id = cursor->first + offset;
  return 1;
}

int vb_cursor_ends(const vb_cursor *cursor) {
  return cursor->limit != UINT64_MAX || (cursor->order == VB_ORDER_SEQUENTIAL && !cursor->wrap);
}

const vb_keyspace *vb_cursor_keyspace(const vb_cursor *cursor) {
  return cursor->keyspace;
}
