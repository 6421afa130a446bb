#include "keyspace/cursor.h"

#include "keyspace/subset.h"

#include <inttypes.h>
#include <stdlib.h>

struct vb_cursor {
  int order;
  bool is_range;         /* position k is id first + k */
  uint64_t first, count; /* of that range; positions */
  uint64_t end;          /* draws that it gives; UINT64_MAX: endless */
  const vb_keyspace *keyspace;
  vb_subset subset;
  vb_distribution distribution;
  vb_permutation permutation;
};

static int check_range(const vb_keyspace *keyspace, const vb_cursor_spec *spec, vb_error *err) {
  const char *name = vb_keyspace_name(keyspace);
  uint64_t size = vb_keyspace_size(keyspace);
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

static int check(const vb_keyspace *keyspace, const vb_cursor_spec *spec, vb_error *err) {
  const char *name = vb_keyspace_name(keyspace);
  vb_error inner = {0};
  if (spec->order < VB_ORDER_SEQUENTIAL || spec->order > VB_ORDER_DRAWN)
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': no order has the number %d", name,
                   spec->order);
  if (spec->order == VB_ORDER_DRAWN && vb_distribution_check(&spec->distribution, &inner))
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': %s", name, inner.text);
  if (!(spec->sample >= 0 && spec->sample <= 1))
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': sample is %g; it is above 0 to 1",
                   name, spec->sample);
  if (spec->parts && spec->part >= spec->parts)
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': there is no share %u of %u", name,
                   spec->part + 1, spec->parts);
  return check_range(keyspace, spec, err);
}

/* Which ids there are. */
static int narrow(vb_cursor *cursor, const vb_cursor_spec *spec, vb_error *err) {
  vb_subset_spec subset = {.first = spec->first,
                           .last = spec->last ? spec->last : vb_keyspace_size(cursor->keyspace),
                           .only = spec->only,
                           .except = spec->except,
                           .sample = spec->sample,
                           .seed = spec->seed,
                           .part = spec->part,
                           .parts = spec->parts};
  vb_subset_init(&cursor->subset, &subset);
  cursor->is_range = cursor->subset.is_range;
  cursor->first = cursor->subset.first;
  cursor->count = cursor->subset.count;
  if (cursor->count) return VB_OK;
  return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': its filters leave no id",
                 vb_keyspace_name(cursor->keyspace));
}

static void arrange(vb_cursor *cursor, const vb_cursor_spec *spec) {
  cursor->order = spec->order;
  cursor->end = spec->limit ? spec->limit : UINT64_MAX;
  bool once =
      spec->order == VB_ORDER_SEQUENTIAL || (spec->order == VB_ORDER_SHUFFLED && !spec->limit);
  if (once && !spec->wrap && cursor->count < cursor->end) cursor->end = cursor->count;
  if (spec->order == VB_ORDER_DRAWN)
    vb_distribution_init(&cursor->distribution, &spec->distribution, cursor->count);
  if (spec->order == VB_ORDER_SHUFFLED)
    vb_permutation_init(&cursor->permutation, cursor->count, spec->seed);
}

int vb_cursor_new(vb_cursor **out, const vb_keyspace *keyspace, const vb_cursor_spec *spec,
                  vb_error *err) {
  int status = check(keyspace, spec, err);
  if (status) return status;
  vb_cursor *cursor = calloc(1, sizeof *cursor);
  if (!cursor)
    return vb_fail(err, VB_ENOMEM, "cursor of keyspace '%s': out of memory",
                   vb_keyspace_name(keyspace));
  cursor->keyspace = keyspace;
  status = narrow(cursor, spec, err);
  if (status) {
    vb_cursor_free(cursor);
    return status;
  }
  arrange(cursor, spec);
  *out = cursor;
  return VB_OK;
}

void vb_cursor_free(vb_cursor *cursor) {
  free(cursor);
}

/* Each round in an order of its own: the permutation, turned. */
static uint64_t shuffled(const vb_cursor *cursor, uint64_t index) {
  uint64_t count = cursor->count;
  if (index < count) return vb_permute(&cursor->permutation, index);
  uint64_t turn = vb_below(vb_mix(index / count), count);
  uint64_t at = vb_permute(&cursor->permutation, index % count);
  return at < count - turn ? at + turn : at - (count - turn);
}

int vb_cursor_draw(const vb_cursor *cursor, uint64_t index, uint64_t random, uint64_t *id) {
  if (VB_UNLIKELY(index >= cursor->end)) return 0;
  uint64_t at = 0;
  switch ((enum vb_order)cursor->order) {
  case VB_ORDER_SEQUENTIAL: at = index < cursor->count ? index : index % cursor->count; break;
  case VB_ORDER_UNIFORM: at = vb_below(random, cursor->count); break;
  case VB_ORDER_SHUFFLED: at = shuffled(cursor, index); break;
  case VB_ORDER_DRAWN: at = vb_distribution_draw(&cursor->distribution, random); break;
  }
  *id = VB_LIKELY(cursor->is_range) ? cursor->first + at : vb_subset_id(&cursor->subset, at);
  return 1;
}

uint64_t vb_cursor_following(const vb_cursor *cursor, uint64_t id) {
  return id + 1 < cursor->first + cursor->count ? id + 1 : cursor->first;
}

uint64_t vb_cursor_last(const vb_cursor *cursor) {
  return cursor->subset.spec.last;
}

int vb_cursor_is_range(const vb_cursor *cursor) {
  return cursor->is_range;
}

int vb_cursor_ends(const vb_cursor *cursor) {
  return cursor->end != UINT64_MAX;
}

const vb_keyspace *vb_cursor_keyspace(const vb_cursor *cursor) {
  return cursor->keyspace;
}
