#include "keyspace/stored.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

struct vb_stored {
  const vb_dataset *dataset;
  uint64_t places; /* a power of two */
  uint64_t *heads; /* of a place: its first record, plus 1; 0: none */
  uint64_t *next;  /* of a record: the next one of its place, plus 1 */
  vb_view prefix;  /* of the dataset's memory */
};

static uint64_t place_of(const vb_stored *stored, const char *key, size_t length) {
  return vb_hash(0, key, length) & (stored->places - 1);
}

static size_t common(const vb_view *a, const vb_view *b) {
  size_t length = 0, most = a->length < b->length ? a->length : b->length;
  while (length < most && a->data[length] == b->data[length]) length++;
  return length;
}

/* From the last record to the first, so that those of one place ascend. Empty keys are of records
 * that cannot be sent. */
static void fill(vb_stored *stored, uint64_t records) {
  for (uint64_t id = records; id--;) {
    vb_view key;
    vb_dataset_key(stored->dataset, id, &key);
    if (!key.length) continue;
    uint64_t *head = &stored->heads[place_of(stored, key.data, key.length)];
    stored->next[id] = *head;
    *head = id + 1;
    if (!stored->prefix.data) stored->prefix = key;
    stored->prefix.length = common(&stored->prefix, &key);
  }
}

int vb_stored_new(vb_stored **out, const vb_keyspace *keyspace, vb_error *err) {
  uint64_t records = vb_keyspace_size(keyspace);
  vb_stored *stored = calloc(1, sizeof *stored);
  if (!stored) goto fail;
  stored->dataset = vb_keyspace_dataset(keyspace);
  for (stored->places = 1; stored->places < records;) stored->places *= 2;
  stored->heads = calloc(stored->places, sizeof *stored->heads);
  stored->next = calloc(records, sizeof *stored->next);
  if (!stored->heads || !stored->next) goto fail;
  fill(stored, records);
  *out = stored;
  return VB_OK;
fail:
  vb_stored_free(stored);
  return vb_fail(err, VB_ENOMEM,
                 "keyspace '%s': out of memory: to find its stored keys takes "
                 "%.2f GiB",
                 vb_keyspace_name(keyspace), (double)records * 24 / 0x1p30);
}

void vb_stored_free(vb_stored *stored) {
  if (!stored) return;
  free(stored->heads);
  free(stored->next);
  free(stored);
}

uint64_t vb_stored_find(const vb_stored *stored, const char *key, size_t length, uint64_t after) {
  uint64_t at =
      after == VB_STORED_NONE ? stored->heads[place_of(stored, key, length)] : stored->next[after];
  for (; at; at = stored->next[at - 1]) {
    vb_view one;
    vb_dataset_key(stored->dataset, at - 1, &one);
    if (one.length == length && !memcmp(one.data, key, length)) return at - 1;
  }
  return VB_STORED_NONE;
}

size_t vb_stored_prefix_view(const vb_stored *stored, const char **text) {
  *text = stored->prefix.data;
  return stored->prefix.length;
}
