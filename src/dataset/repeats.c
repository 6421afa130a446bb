#include "dataset/repeats.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

/* A slot of the table is a record and bits of its key's hash, which spare most of the looks into
 * the file. 40 bits are a trillion records, whose keys nobody waits for. */
enum { RECORD_BITS = 40, SLOTS_LEAST = 64 };
static const uint64_t record_mask = (1ull << RECORD_BITS) - 1;

struct vb_repeats {
  const vb_dataset *dataset;
  uint64_t *slots; /* 0: empty, else hash above and record + 1 below */
  uint64_t mask;
  uint64_t passes;
  uint64_t pass; /* whose keys the table holds */
  uint64_t used;
};

/* At most two thirds of the slots are taken. */
static uint64_t room_of(uint64_t slots) {
  return slots / 3 * 2;
}

vb_repeats *vb_repeats_new(const vb_dataset *dataset, size_t bytes) {
  vb_repeats *repeats = calloc(1, sizeof *repeats);
  if (!repeats) return NULL;
  uint64_t records = vb_dataset_schema(dataset)->records, slots = SLOTS_LEAST;
  while (room_of(slots) < records && 2 * slots * sizeof *repeats->slots <= bytes) slots *= 2;
  repeats->dataset = dataset;
  repeats->mask = slots - 1;
  /* Shares are as good as equal: a tenth is more than they differ by. */
  repeats->passes = records <= room_of(slots) ? 1 : records / (room_of(slots) / 10 * 9) + 1;
  repeats->slots = calloc((size_t)slots, sizeof *repeats->slots);
  if (repeats->slots) return repeats;
  vb_repeats_free(repeats);
  return NULL;
}

void vb_repeats_free(vb_repeats *repeats) {
  if (!repeats) return;
  free(repeats->slots);
  free(repeats);
}

uint64_t vb_repeats_passes(const vb_repeats *repeats) {
  return repeats->passes;
}

static void begin_pass(vb_repeats *repeats, uint64_t pass) {
  memset(repeats->slots, 0, (size_t)(repeats->mask + 1) * sizeof *repeats->slots);
  repeats->pass = pass;
  repeats->used = 0;
}

static bool has_key(const vb_repeats *repeats, uint64_t record, const vb_view *key) {
  vb_view other;
  vb_dataset_key(repeats->dataset, record, &other);
  return other.length == key->length && !memcmp(other.data, key->data, key->length);
}

/* Open addressing, linear probing (Knuth, TAOCP 3, 6.4): the slot of an equal key, or an empty one.
 */
static uint64_t *find(const vb_repeats *repeats, uint64_t hash, const vb_view *key) {
  uint64_t at = hash & repeats->mask;
  for (;; at = (at + 1) & repeats->mask) {
    uint64_t slot = repeats->slots[at];
    if (!slot) break;
    if (!((slot ^ hash) & ~record_mask) && has_key(repeats, (slot & record_mask) - 1, key)) break;
  }
  return &repeats->slots[at];
}

uint64_t vb_repeats_look(vb_repeats *repeats, uint64_t pass, uint64_t record) {
  vb_view key;
  vb_dataset_key(repeats->dataset, record, &key);
  if (pass != repeats->pass) begin_pass(repeats, pass);
  if (!key.length) return UINT64_MAX;
  uint64_t hash = vb_hash(0, key.data, key.length);
  /* The share by other bits than the place: a second mix has nothing of the first. */
  if (repeats->passes > 1 && vb_mix(hash) % repeats->passes != pass) return UINT64_MAX;
  uint64_t *slot = find(repeats, hash, &key);
  if (*slot) return (*slot & record_mask) - 1;
  /* Never full, or a search would not end: only keys made for it could come so far. */
  if (record >= record_mask || repeats->used == repeats->mask) return UINT64_MAX;
  *slot = (hash & ~record_mask) | (record + 1);
  repeats->used++;
  return UINT64_MAX;
}
