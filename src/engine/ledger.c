#include "engine/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_LEAST = 128 };

void vb_ledger_fini(vb_ledger *ledger) {
  free(ledger->entries);
  free(ledger->pool);
  free(ledger->unused);
  *ledger = (vb_ledger){0};
}

void vb_ledger_reset(vb_ledger *ledger, uint32_t places) {
  vb_ledger_fini(ledger);
  ledger->places = places;
}

/* Numbers come in runs, which go to neighbouring entries. */
static uint32_t home_of(const vb_ledger *ledger, uint64_t n) {
  return (uint32_t)n & (ledger->capacity - 1);
}

/* The entry of n, or the empty one where it would be. */
static uint32_t seek(const vb_ledger *ledger, uint64_t n) {
  uint32_t at = home_of(ledger, n);
  while (ledger->entries[at].n && ledger->entries[at].n != n + 1)
    at = (at + 1) & (ledger->capacity - 1);
  return at;
}

static void *grown(void *array, size_t size) {
  void *larger = realloc(array, size);
  if (larger) return larger;
  (void)fprintf(stderr, "vbench: out of memory: ids of operations\n");
  exit(1);
}

static void grow(vb_ledger *ledger) {
  uint32_t before = ledger->capacity, capacity = before ? before * 2 : CAPACITY_LEAST;
  vb_ledger_entry *old = ledger->entries;
  ledger->entries = grown(NULL, capacity * sizeof *ledger->entries);
  memset(ledger->entries, 0, capacity * sizeof *ledger->entries);
  size_t slot_size = ledger->places * sizeof *ledger->pool;
  ledger->pool = grown(ledger->pool, capacity / 2 * slot_size);
  ledger->unused = grown(ledger->unused, capacity / 2 * sizeof *ledger->unused);
  ledger->capacity = capacity;
  for (uint32_t i = 0; i < before; i++)
    if (old[i].n) ledger->entries[seek(ledger, old[i].n - 1)] = old[i];
  /* All slots were in use: the new ones are free. */
  for (uint32_t slot = ledger->count; slot < capacity / 2; slot++)
    ledger->unused[slot - ledger->count] = slot;
  free(old);
}

static uint64_t *slot_at(const vb_ledger *ledger, uint64_t slot) {
  return ledger->pool + slot * ledger->places;
}

uint64_t *vb_ledger_find(const vb_ledger *ledger, uint64_t n) {
  if (!ledger->count) return NULL;
  const vb_ledger_entry *entry = &ledger->entries[seek(ledger, n)];
  return entry->n ? slot_at(ledger, entry->slot) : NULL;
}

uint64_t *vb_ledger_open(vb_ledger *ledger, uint64_t n) {
  uint64_t *known = vb_ledger_find(ledger, n);
  if (known) return known;
  if (ledger->count == ledger->capacity / 2) grow(ledger);
  uint32_t left = ledger->capacity / 2 - ledger->count++;
  uint64_t slot = ledger->unused[left - 1];
  ledger->entries[seek(ledger, n)] = (vb_ledger_entry){n + 1, slot};
  uint64_t *places = slot_at(ledger, slot);
  memset(places, 0xff, ledger->places * sizeof *places);
  return places;
}

/* Moves up what stands behind an entry that is empty now and could have stood there (Knuth, The Art
 * of Computer Programming 3, 6.4, algorithm R). */
static void close_gap(vb_ledger *ledger, uint32_t gap) {
  uint32_t mask = ledger->capacity - 1;
  for (uint32_t at = (gap + 1) & mask; ledger->entries[at].n; at = (at + 1) & mask) {
    uint32_t home = home_of(ledger, ledger->entries[at].n - 1);
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    ledger->entries[gap] = ledger->entries[at];
    ledger->entries[at].n = 0;
    gap = at;
  }
}

void vb_ledger_close(vb_ledger *ledger, uint64_t n) {
  if (!ledger->count) return;
  uint32_t at = seek(ledger, n);
  if (!ledger->entries[at].n) return;
  uint32_t left = ledger->capacity / 2 - ledger->count--;
  ledger->unused[left] = (uint32_t)ledger->entries[at].slot;
  ledger->entries[at].n = 0;
  close_gap(ledger, at);
}

int vb_ledger_any(const vb_ledger *ledger, uint64_t *n) {
  for (uint32_t i = 0; ledger->count && i < ledger->capacity; i++) {
    if (!ledger->entries[i].n) continue;
    *n = ledger->entries[i].n - 1;
    return 1;
  }
  return 0;
}
