#include "keyspace/cursor_state.h"
#include "keyspace/format.h"

#include <inttypes.h>
#include <stdlib.h>

enum { OVERLAP_MAX = 1024 };

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
  bool ordered = spec->order == VB_ORDER_SEQUENTIAL || spec->order == VB_ORDER_SHUFFLED;
  if (spec->overlap > OVERLAP_MAX)
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': %u draws of one id: at most %d", name,
                   spec->overlap, OVERLAP_MAX);
  if (spec->overlap > 1 && (!ordered || spec->filter || spec->claim))
    return vb_fail(err, VB_EINVAL,
                   "cursor of keyspace '%s': overlapping is for all ids in order, or shuffled",
                   name);
  if (spec->by_slots && (spec->parts || spec->overlap > 1 || spec->filter || spec->claim))
    return vb_fail(err, VB_EINVAL,
                   "cursor of keyspace '%s': a share by slots is of ids in order or drawn, not of "
                   "existing, missing or claimed ones, another share, or overlapping",
                   name);
  if (spec->parts && spec->part >= spec->parts)
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': there is no share %u of %u", name,
                   spec->part + 1, spec->parts);
  return check_range(keyspace, spec, err);
}

/* What looks at the tracker. */
static int check_filter(const vb_keyspace *keyspace, const vb_cursor_spec *spec, vb_error *err) {
  const char *name = vb_keyspace_name(keyspace);
  bool random = spec->order == VB_ORDER_UNIFORM || spec->order == VB_ORDER_DRAWN;
  if (spec->filter < VB_PRESENCE_ANY || spec->filter > VB_PRESENCE_RATIO)
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': no filter has the number %d", name,
                   spec->filter);
  if (spec->filter == VB_PRESENCE_RATIO && !(spec->ratio >= 0 && spec->ratio <= 1))
    return vb_fail(err, VB_EINVAL, "cursor of keyspace '%s': existing_ratio is %g; it is 0 to 1",
                   name, spec->ratio);
  if (spec->filter == VB_PRESENCE_RATIO && !random)
    return vb_fail(err, VB_EINVAL,
                   "cursor of keyspace '%s': existing_ratio draws at random, not in an order",
                   name);
  if (spec->claim && (random || spec->filter))
    return vb_fail(err, VB_EINVAL,
                   "cursor of keyspace '%s': claim takes the ids that are missing, one after the "
                   "other: %s cannot be asked of it",
                   name, random ? "a distribution" : "existing or missing");
  return VB_OK;
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
  cursor->filter = spec->filter;
  cursor->ratio = spec->ratio;
  cursor->claims = spec->claim != 0;
  cursor->wraps = spec->wrap != 0;
  cursor->end = spec->limit ? spec->limit : UINT64_MAX;
  cursor->overlap = spec->overlap ? spec->overlap : 1;
  bool once =
      spec->order == VB_ORDER_SEQUENTIAL || (spec->order == VB_ORDER_SHUFFLED && !spec->limit);
  bool live = spec->filter || spec->claim || spec->by_slots;
  cursor->goes_round = spec->wrap || !once;
  cursor->ends = spec->limit || (once && !spec->wrap);
  /* What looks at the tracker has an end of its own, wherever the numbers are then. */
  uint64_t round = cursor->count * cursor->overlap;
  if (once && !spec->wrap && !live && round < cursor->end) cursor->end = round;
  if (spec->order == VB_ORDER_DRAWN)
    vb_distribution_init(&cursor->distribution, &spec->distribution, cursor->count);
  if (spec->order == VB_ORDER_SHUFFLED)
    vb_permutation_init(&cursor->permutation, cursor->count, spec->seed);
}

int vb_cursor_new(vb_cursor **out, const vb_keyspace *keyspace, const vb_cursor_spec *spec,
                  vb_error *err) {
  int status = check(keyspace, spec, err);
  if (!status) status = check_filter(keyspace, spec, err);
  if (status) return status;
  vb_cursor *cursor = calloc(1, sizeof *cursor);
  if (!cursor)
    return vb_fail(err, VB_ENOMEM, "cursor of keyspace '%s': out of memory",
                   vb_keyspace_name(keyspace));
  cursor->keyspace = keyspace;
  status = narrow(cursor, spec, err);
  if (!status) arrange(cursor, spec);
  if (!status && spec->by_slots && !(cursor->shares = vb_shares_new()))
    status = vb_fail(err, VB_ENOMEM, "cursor of keyspace '%s': out of memory",
                     vb_keyspace_name(keyspace));
  if (!status && (spec->filter || spec->claim)) status = vb_live_new(cursor, err);
  if (status) {
    vb_cursor_free(cursor);
    return status;
  }
  *out = cursor;
  return VB_OK;
}

void vb_cursor_free(vb_cursor *cursor) {
  if (cursor && !cursor->shares_live) vb_live_destroy(cursor->live);
  if (cursor) vb_shares_free(cursor->shares);
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

uint64_t vb_cursor_id_at(const vb_cursor *cursor, uint64_t index) {
  bool in_order = cursor->order == VB_ORDER_SEQUENTIAL;
  return vb_cursor_id(cursor, in_order ? index % cursor->count : shuffled(cursor, index));
}

static __attribute__((noinline)) int draw(const vb_cursor *cursor, uint64_t index, uint64_t random,
                                          uint64_t *id) {
  uint64_t at = 0;
  if (VB_UNLIKELY(cursor->overlap > 1)) index /= cursor->overlap;
  switch ((enum vb_order)cursor->order) {
  case VB_ORDER_SEQUENTIAL: at = index < cursor->count ? index : index % cursor->count; break;
  case VB_ORDER_UNIFORM: at = vb_below(random, cursor->count); break;
  case VB_ORDER_SHUFFLED: at = shuffled(cursor, index); break;
  case VB_ORDER_DRAWN: at = vb_distribution_draw(&cursor->distribution, random); break;
  }
  *id = VB_LIKELY(cursor->is_range) ? cursor->first + at : vb_subset_id(&cursor->subset, at);
  return 1;
}

int vb_cursor_draw(const vb_cursor *cursor, uint64_t index, uint64_t random, uint64_t *id) {
  if (VB_UNLIKELY(index >= cursor->end)) return 0;
  if (!cursor->is_range || cursor->order != VB_ORDER_UNIFORM)
    return draw(cursor, index, random, id);
  *id = cursor->first + vb_below(random, cursor->count);
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

int vb_cursor_is_live(const vb_cursor *cursor) {
  return cursor->live || cursor->shares;
}

int vb_cursor_is_shared_out(const vb_cursor *cursor) {
  return cursor->shares != NULL;
}

int vb_cursor_claims(const vb_cursor *cursor) {
  return cursor->claims;
}

int vb_cursor_wants_existing(const vb_cursor *cursor) {
  return cursor->filter == VB_PRESENCE_EXISTING;
}

int vb_cursor_ends(const vb_cursor *cursor) {
  return cursor->ends;
}

const vb_keyspace *vb_cursor_keyspace(const vb_cursor *cursor) {
  return cursor->keyspace;
}
