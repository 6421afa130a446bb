#include "keyspace/refset.h"

#include "keyspace/blocks.h"
#include "keyspace/sorted.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Fewer than one id in 64 take less memory as numbers than as bits. */
enum { SPARSE = 64, DENSE_LEAST = 4096 };
static const uint64_t id_max = (1ull << 40) - 1;

struct vb_refset {
  vb_blocks *dense; /* NULL: ids are what there is */
  uint64_t *ids;    /* ascending */
  size_t count, capacity;
};

static int no_memory(vb_error *err) {
  return vb_fail(err, VB_ENOMEM, "a reference set: out of memory");
}

static int too_large(uint64_t id, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "a reference set with id %" PRIu64 ": ids go up to %" PRIu64, id,
                 id_max);
}

int vb_refset_new(vb_refset **out, vb_error *err) {
  vb_refset *set = calloc(1, sizeof *set);
  if (!set) return no_memory(err);
  *out = set;
  return VB_OK;
}

void vb_refset_free(vb_refset *set) {
  if (!set) return;
  vb_blocks_free(set->dense);
  free(set->ids);
  free(set);
}

static int of_blocks(vb_refset **out, vb_blocks *blocks, vb_error *err) {
  int status = vb_refset_new(out, err);
  if (status)
    vb_blocks_free(blocks);
  else
    (*out)->dense = blocks;
  return status;
}

static int reserve(vb_refset *set, size_t capacity, vb_error *err) {
  if (capacity <= set->capacity) return VB_OK;
  uint64_t *ids = realloc(set->ids, capacity * sizeof *ids);
  if (!ids) return no_memory(err);
  set->ids = ids;
  set->capacity = capacity;
  return VB_OK;
}

/* One past the highest id. */
static uint64_t extent(const vb_refset *set) {
  if (set->dense) return set->dense->blocks * VB_BITMAP_BLOCK;
  return set->count ? set->ids[set->count - 1] + 1 : 0;
}

static int to_blocks(vb_blocks **out, const vb_refset *set, uint64_t size, vb_error *err) {
  int status = vb_blocks_new(out, size, err);
  for (size_t i = 0; !status && i < set->count; i++) (void)vb_blocks_add(*out, set->ids[i]);
  return status;
}

/* Bits instead of numbers, once there are many for their range. */
static int settle_form(vb_refset *set, vb_error *err) {
  if (set->dense || set->count < DENSE_LEAST || set->count < extent(set) / SPARSE) return VB_OK;
  int status = to_blocks(&set->dense, set, extent(set), err);
  if (status) return status;
  free(set->ids);
  set->ids = NULL;
  set->count = set->capacity = 0;
  return VB_OK;
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static size_t without_repeats(uint64_t *ids, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (!kept || ids[i] != ids[kept - 1]) ids[kept++] = ids[i];
  return kept;
}

static int fill(vb_refset *set, const uint64_t *ids, size_t count, vb_error *err) {
  if (!count) return VB_OK;
  int status = reserve(set, count, err);
  if (status) return status;
  memcpy(set->ids, ids, count * sizeof *ids);
  qsort(set->ids, count, sizeof *set->ids, ascending);
  if (set->ids[count - 1] > id_max) return too_large(set->ids[count - 1], err);
  set->count = without_repeats(set->ids, count);
  return settle_form(set, err);
}

int vb_refset_of_list(vb_refset **out, const uint64_t *ids, size_t count, vb_error *err) {
  vb_refset *set = NULL;
  int status = vb_refset_new(&set, err);
  if (!status) status = fill(set, ids, count, err);
  if (status)
    vb_refset_free(set);
  else
    *out = set;
  return status;
}

int vb_refset_of_range(vb_refset **out, uint64_t first, uint64_t last, vb_error *err) {
  if (first < last && last > id_max + 1) return too_large(last - 1, err);
  vb_blocks *blocks = NULL;
  int status = vb_blocks_new(&blocks, last, err);
  if (status) return status;
  vb_blocks_add_range(blocks, first, last);
  return of_blocks(out, blocks, err);
}

int vb_refset_of_snapshots(vb_refset **out, int operation, const vb_snapshot *a,
                           const vb_snapshot *b, vb_error *err) {
  vb_blocks *blocks = NULL;
  int status = vb_blocks_combine(&blocks, operation, vb_snapshot_blocks_view(a),
                                 vb_snapshot_blocks_view(b), err);
  return status ? status : of_blocks(out, blocks, err);
}

/* Where an id is among the numbers, or would be. */
static size_t place_of(const vb_refset *set, uint64_t id) {
  return vb_sorted_place(set->ids, set->count, id);
}

int vb_refset_contains(const vb_refset *set, uint64_t id) {
  if (set->dense) return vb_blocks_test(set->dense, id);
  size_t place = place_of(set, id);
  return place < set->count && set->ids[place] == id;
}

/* The ids of `a` of which `in` holds whether `b` has them. */
static int filtered(vb_refset **out, const vb_refset *a, const vb_refset *b, int in,
                    vb_error *err) {
  vb_refset *set = NULL;
  int status = vb_refset_new(&set, err);
  if (!status) status = reserve(set, a->count, err);
  if (status) {
    vb_refset_free(set);
    return status;
  }
  for (size_t i = 0; i < a->count; i++)
    if (vb_refset_contains(b, a->ids[i]) == in) set->ids[set->count++] = a->ids[i];
  *out = set;
  return VB_OK;
}

/* Takes two ascending lists; those in both come once. */
static void merge(vb_refset *to, const vb_refset *a, const vb_refset *b) {
  size_t i = 0, k = 0;
  while (i < a->count || k < b->count) {
    bool from_a = k == b->count || (i < a->count && a->ids[i] <= b->ids[k]);
    uint64_t id = from_a ? a->ids[i] : b->ids[k];
    i += i < a->count && a->ids[i] == id;
    k += k < b->count && b->ids[k] == id;
    to->ids[to->count++] = id;
  }
}

static int united_lists(vb_refset **out, const vb_refset *a, const vb_refset *b, vb_error *err) {
  vb_refset *set = NULL;
  int status = vb_refset_new(&set, err);
  if (!status) status = reserve(set, a->count + b->count, err);
  if (!status) {
    merge(set, a, b);
    status = settle_form(set, err);
  }
  if (status)
    vb_refset_free(set);
  else
    *out = set;
  return status;
}

/* As bits, of which one side may first have to be made. */
static int combined_bits(vb_refset **out, int operation, const vb_refset *a, const vb_refset *b,
                         vb_error *err) {
  vb_blocks *made_a = NULL, *made_b = NULL, *blocks = NULL;
  int status = a->dense ? VB_OK : to_blocks(&made_a, a, extent(a), err);
  if (!status && !b->dense) status = to_blocks(&made_b, b, extent(b), err);
  if (!status)
    status = vb_blocks_combine(&blocks, operation, a->dense ? a->dense : made_a,
                               b->dense ? b->dense : made_b, err);
  vb_blocks_free(made_a);
  vb_blocks_free(made_b);
  return status ? status : of_blocks(out, blocks, err);
}

int vb_refset_combine(vb_refset **out, int operation, const vb_refset *a, const vb_refset *b,
                      vb_error *err) {
  if (operation == VB_SET_UNION)
    return a->dense || b->dense ? combined_bits(out, operation, a, b, err)
                                : united_lists(out, a, b, err);
  if (operation == VB_SET_DIFFERENCE && !a->dense) return filtered(out, a, b, 0, err);
  if (operation == VB_SET_INTERSECTION && !a->dense) return filtered(out, a, b, 1, err);
  if (operation == VB_SET_INTERSECTION && !b->dense) return filtered(out, b, a, 1, err);
  return combined_bits(out, operation, a, b, err);
}

static uint64_t shared_count(const vb_refset *a, const vb_refset *b) {
  if (a->dense && b->dense)
    return vb_blocks_combined_count(VB_SET_INTERSECTION, a->dense, b->dense);
  const vb_refset *list = a->dense ? b : a, *other = a->dense ? a : b;
  uint64_t count = 0;
  for (size_t i = 0; i < list->count; i++)
    count += (uint64_t)vb_refset_contains(other, list->ids[i]);
  return count;
}

uint64_t vb_refset_combined_count(int operation, const vb_refset *a, const vb_refset *b) {
  uint64_t both = shared_count(a, b);
  if (operation == VB_SET_INTERSECTION) return both;
  uint64_t of_a = vb_refset_count(a) - both;
  return operation == VB_SET_DIFFERENCE ? of_a : of_a + vb_refset_count(b);
}

/* A snapshot as a set: on loan, not to be changed or freed. */
static vb_refset snapshot_view(const vb_snapshot *snapshot) {
  return (vb_refset){.dense = (vb_blocks *)(uintptr_t)vb_snapshot_blocks_view(snapshot)};
}

int vb_refset_in_snapshot(vb_refset **out, int operation, const vb_refset *set,
                          const vb_snapshot *snapshot, vb_error *err) {
  vb_refset existing = snapshot_view(snapshot);
  return vb_refset_combine(out, operation, set, &existing, err);
}

uint64_t vb_refset_in_snapshot_count(int operation, const vb_refset *set,
                                     const vb_snapshot *snapshot) {
  vb_refset existing = snapshot_view(snapshot);
  return vb_refset_combined_count(operation, set, &existing);
}

static int insert(vb_refset *set, uint64_t id, vb_error *err) {
  size_t place = place_of(set, id);
  int status = VB_OK;
  if (set->count == set->capacity) status = reserve(set, set->count ? 2 * set->count : 16, err);
  if (status) return status;
  memmove(set->ids + place + 1, set->ids + place, (set->count - place) * sizeof *set->ids);
  set->ids[place] = id;
  set->count++;
  return set->count == set->capacity ? settle_form(set, err) : VB_OK;
}

int vb_refset_add(vb_refset *set, uint64_t id, int *changed, vb_error *err) {
  if (id > id_max) return too_large(id, err);
  int is_new = !vb_refset_contains(set, id), status = VB_OK;
  if (is_new && set->dense) {
    if (id >= extent(set)) status = vb_blocks_grow(set->dense, id + 1, err);
    if (!status) (void)vb_blocks_add(set->dense, id);
  } else if (is_new) {
    status = insert(set, id, err);
  }
  if (!status && changed) *changed = is_new;
  return status;
}

int vb_refset_remove(vb_refset *set, uint64_t id) {
  if (set->dense) return vb_blocks_remove(set->dense, id);
  size_t place = place_of(set, id);
  if (place == set->count || set->ids[place] != id) return 0;
  set->count--;
  memmove(set->ids + place, set->ids + place + 1, (set->count - place) * sizeof *set->ids);
  return 1;
}

uint64_t vb_refset_count(const vb_refset *set) {
  return set->dense ? set->dense->count : set->count;
}

uint64_t vb_refset_rank(const vb_refset *set, uint64_t id) {
  if (!set->dense) return place_of(set, id);
  return id < extent(set) ? vb_blocks_rank(set->dense, id) : set->dense->count;
}

uint64_t vb_refset_outside(const vb_refset *set, uint64_t size) {
  if (!set->dense) return set->count - place_of(set, size);
  return size < extent(set) ? set->dense->count - vb_blocks_rank(set->dense, size) : 0;
}

int vb_refset_next(const vb_refset *set, uint64_t from, uint64_t *id) {
  uint64_t found = VB_NO_ID;
  if (set->dense) {
    found = vb_blocks_next(set->dense, from);
  } else {
    size_t place = place_of(set, from);
    if (place < set->count) found = set->ids[place];
  }
  if (found == VB_NO_ID) return 0;
  *id = found;
  return 1;
}

int vb_refset_select(const vb_refset *set, uint64_t k, uint64_t *id) {
  if (k >= vb_refset_count(set)) return 0;
  *id = set->dense ? vb_blocks_select(set->dense, k) : set->ids[k];
  return 1;
}

uint64_t vb_refset_tracked_count(const vb_refset *set, const vb_tracker *tracker) {
  uint64_t count = 0;
  for (uint64_t id = 0; vb_refset_next(set, id, &id); id++)
    count += (uint64_t)vb_tracker_exists(tracker, id);
  return count;
}

uint64_t vb_refset_restore(const vb_refset *set, vb_tracker *tracker) {
  uint64_t changed = 0;
  for (uint64_t id = 0; vb_refset_next(set, id, &id); id++)
    changed += (uint64_t)vb_tracker_add(tracker, id);
  return changed;
}

static int contains(const void *set, uint64_t id) {
  return vb_refset_contains(set, id);
}

void vb_refset_protect(const vb_refset *set, vb_tracker *tracker) {
  vb_tracker_protect(tracker, set ? contains : NULL, set);
}
