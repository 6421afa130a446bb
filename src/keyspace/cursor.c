#include "keyspace/cursor.h"

#include "keyspace/permute.h"
#include "keyspace/zipf.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

struct vb_cursor {
  int order;
  bool scattered;
  uint64_t first, count; /* of its range */
  uint64_t end;          /* draws that it gives; UINT64_MAX: endless */
  const vb_keyspace *keyspace;
  vb_zipf zipf;
  vb_permutation permutation;
};

static int check(const vb_keyspace *keyspace, const vb_cursor_spec *spec, vb_error *err) {
  const char *name = vb_keyspace_name(keyspace);
  uint64_t size = vb_keyspace_size(keyspace);
  if (spec->order < VB_ORDER_SEQUENTIAL || spec->order > VB_ORDER_ZIPFIAN)
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': no order has the number %d", name,
                   spec->order);
  if (spec->order == VB_ORDER_ZIPFIAN && !(spec->skew > 0 && isfinite(spec->skew)))
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': skew is %g; it is above 0", name,
                   spec->skew);
  if (spec->last > size)
    return vb_fail(err, VB_EINVAL,
                   "cursor of keyspace '%s': range ends at %" PRIu64 ", behind its %" PRIu64 " ids",
                   name, spec->last, size);
  if (spec->first >= (spec->last ? spec->last : size))
    return vb_fail(err, VB_EINVAL,
                   "cursor of keyspace '%s': range %" PRIu64 " to %" PRIu64 " is empty", name,
                   spec->first, spec->last ? spec->last : size);
  return VB_OK;
}

int vb_cursor_new(vb_cursor **out, const vb_keyspace *keyspace, const vb_cursor_spec *spec,
                  vb_error *err) {
  int status = check(keyspace, spec, err);
  if (status) return status;
  vb_cursor *cursor = calloc(1, sizeof *cursor);
  if (!cursor)
    return vb_fail(err, VB_ENOMEM, "cursor of keyspace '%s': out of memory",
                   vb_keyspace_name(keyspace));
  uint64_t last = spec->last ? spec->last : vb_keyspace_size(keyspace);
  cursor->order = spec->order;
  cursor->keyspace = keyspace;
  cursor->first = spec->first;
  cursor->count = last - spec->first;
  cursor->end = spec->limit ? spec->limit : UINT64_MAX;
  if (spec->order == VB_ORDER_SEQUENTIAL && !spec->wrap && cursor->count < cursor->end)
    cursor->end = cursor->count;
  if (spec->order == VB_ORDER_ZIPFIAN) {
    vb_zipf_init(&cursor->zipf, cursor->count, spec->skew);
    cursor->scattered = spec->scatter;
    vb_permutation_init(&cursor->permutation, cursor->count, spec->seed);
  }
  *out = cursor;
  return VB_OK;
}

void vb_cursor_free(vb_cursor *cursor) {
  free(cursor);
}

static uint64_t draw_zipfian(const vb_cursor *cursor, uint64_t random) {
  uint64_t rank = vb_zipf_draw(&cursor->zipf, random);
  return cursor->scattered ? vb_permute(&cursor->permutation, rank) : rank;
}

int vb_cursor_draw(const vb_cursor *cursor, uint64_t index, uint64_t random, uint64_t *id) {
  if (VB_UNLIKELY(index >= cursor->end)) return 0;
  switch ((enum vb_order)cursor->order) {
  case VB_ORDER_SEQUENTIAL:
    *id = cursor->first + (index < cursor->count ? index : index % cursor->count);
    return 1;
  case VB_ORDER_UNIFORM: *id = cursor->first + vb_below(random, cursor->count); return 1;
  case VB_ORDER_ZIPFIAN: *id = cursor->first + draw_zipfian(cursor, random); return 1;
  }
  return 0;
}

uint64_t vb_cursor_following(const vb_cursor *cursor, uint64_t id) {
  return id + 1 < cursor->first + cursor->count ? id + 1 : cursor->first;
}

uint64_t vb_cursor_last(const vb_cursor *cursor) {
  return cursor->first + cursor->count;
}

int vb_cursor_ends(const vb_cursor *cursor) {
  return cursor->end != UINT64_MAX;
}

const vb_keyspace *vb_cursor_keyspace(const vb_cursor *cursor) {
  return cursor->keyspace;
}
