#include "keyspace/snapshot.h"

#include "keyspace/blocks.h"

#include <stdlib.h>

struct vb_snapshot {
  vb_blocks *blocks;
};

/* Where one bit means existing and taken, the unknown ones have it too. */
static void drop_unknown(vb_blocks *blocks, const vb_tracker *tracker) {
  uint64_t id;
  if (vb_tracker_is_split(tracker)) return;
  for (uint64_t i = 0; vb_tracker_unknown_at(tracker, i, &id); i++)
    (void)vb_blocks_remove(blocks, id);
}

int vb_snapshot_take(vb_snapshot **out, const vb_tracker *tracker, vb_error *err) {
  vb_error inner = {0};
  vb_snapshot *snapshot = calloc(1, sizeof *snapshot);
  int status = VB_ENOMEM;
  if (snapshot) status = vb_blocks_copy(&snapshot->blocks, vb_tracker_existing(tracker), &inner);
  if (status) {
    vb_snapshot_free(snapshot);
    return vb_fail(err, status, "snapshot of keyspace '%s': %s", vb_tracker_name(tracker),
                   inner.status ? inner.text : "out of memory");
  }
  drop_unknown(snapshot->blocks, tracker);
  *out = snapshot;
  return VB_OK;
}

void vb_snapshot_free(vb_snapshot *snapshot) {
  if (!snapshot) return;
  vb_blocks_free(snapshot->blocks);
  free(snapshot);
}

uint64_t vb_snapshot_count(const vb_snapshot *snapshot) {
  return snapshot->blocks->count;
}

int vb_snapshot_test(const vb_snapshot *snapshot, uint64_t id) {
  return vb_blocks_test(snapshot->blocks, id);
}

int vb_snapshot_next(const vb_snapshot *snapshot, uint64_t from, uint64_t *id) {
  uint64_t found = vb_blocks_next(snapshot->blocks, from);
  if (found == VB_NO_ID) return 0;
  *id = found;
  return 1;
}

uint64_t vb_snapshot_combined_count(int operation, const vb_snapshot *a, const vb_snapshot *b) {
  return vb_blocks_combined_count(operation, a->blocks, b->blocks);
}

const vb_blocks *vb_snapshot_blocks_view(const vb_snapshot *snapshot) {
  return snapshot->blocks;
}
