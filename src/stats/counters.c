#include "stats/counters.h"

#include <string.h>

enum { OTHER = VB_ERROR_KINDS - 1 };

void vb_counters_add(vb_counters *into, const vb_counters *from) {
  _Static_assert(sizeof *into % sizeof(uint64_t) == 0, "vb_counters holds uint64_t alone");
  uint64_t *to = (uint64_t *)into;
  const uint64_t *more = (const uint64_t *)from;
  for (size_t i = 0; i < sizeof *into / sizeof *to; i++) to[i] += more[i];
}

/* Copies what fits, with '?' for bytes that a terminal or a JSON text would choke on. */
static void copy_printable(char *to, size_t room, const char *from, size_t length) {
  if (length > room - 1) length = room - 1;
  for (size_t i = 0; i < length; i++) to[i] = from[i] >= ' ' && from[i] < 0x7f ? from[i] : '?';
  to[length] = 0;
}

static vb_error_kind *find_kind(vb_error_table *table, const char *name) {
  for (uint32_t i = 0; i < table->used; i++)
    if (!strcmp(table->kinds[i].name, name)) return &table->kinds[i];
  return NULL;
}

/* The entry of a kind; a new one when there is room, else that of "other". */
static vb_error_kind *kind_of(vb_error_table *table, const char *name) {
  vb_error_kind *kind = find_kind(table, name);
  if (!kind && table->used >= OTHER) kind = find_kind(table, name = "other");
  if (kind) return kind;
  kind = &table->kinds[table->used++];
  kind->count = 0;
  copy_printable(kind->name, sizeof kind->name, name, strlen(name));
  return kind;
}

void vb_error_table_count(vb_error_table *table, const char *name, size_t name_length,
                          const char *message, size_t message_length) {
  char printable[VB_ERROR_KIND_LENGTH];
  copy_printable(printable, sizeof printable, name, name_length);
  vb_error_kind *kind = kind_of(table, printable);
  if (!kind->count++) copy_printable(kind->first, sizeof kind->first, message, message_length);
}

void vb_error_table_reply(vb_error_table *table, const char *text, size_t length) {
  const char *space = memchr(text, ' ', length);
  size_t word = space ? (size_t)(space - text) : length;
  if (word)
    vb_error_table_count(table, text, word, text, length);
  else
    vb_error_table_count(table, "ERR", 3, text, length);
}

void vb_error_table_merge(vb_error_table *into, const vb_error_table *from) {
  for (uint32_t i = 0; i < from->used; i++) {
    const vb_error_kind *more = &from->kinds[i];
    vb_error_kind *kind = kind_of(into, more->name);
    if (!kind->count) memcpy(kind->first, more->first, sizeof kind->first);
    kind->count += more->count;
  }
}

uint64_t vb_slowest_floor(const vb_slowest *slowest) {
  return slowest->used < VB_SLOWEST ? 0 : slowest->entries[0].latency_ns;
}

static void swap(vb_slow *a, vb_slow *b) {
  vb_slow kept = *a;
  *a = *b;
  *b = kept;
}

static void sift_up(vb_slow *entries, uint32_t at) {
  for (uint32_t parent; at; at = parent) {
    parent = (at - 1) / 2;
    if (entries[parent].latency_ns <= entries[at].latency_ns) return;
    swap(&entries[parent], &entries[at]);
  }
}

static void sift_down(vb_slow *entries, uint32_t used) {
  for (uint32_t at = 0, child; (child = 2 * at + 1) < used; at = child) {
    if (child + 1 < used && entries[child + 1].latency_ns < entries[child].latency_ns) child++;
    if (entries[at].latency_ns <= entries[child].latency_ns) return;
    swap(&entries[at], &entries[child]);
  }
}

void vb_slowest_add(vb_slowest *slowest, const vb_slow *entry) {
  if (slowest->used < VB_SLOWEST) {
    slowest->entries[slowest->used] = *entry;
    sift_up(slowest->entries, slowest->used++);
  } else if (entry->latency_ns > slowest->entries[0].latency_ns) {
    slowest->entries[0] = *entry;
    sift_down(slowest->entries, slowest->used);
  }
}

void vb_slowest_merge(vb_slowest *into, const vb_slowest *from) {
  for (uint32_t i = 0; i < from->used; i++) vb_slowest_add(into, &from->entries[i]);
}

static bool slower(const vb_slow *a, const vb_slow *b) {
  return a->latency_ns != b->latency_ns ? a->latency_ns > b->latency_ns : a->n < b->n;
}

void vb_slowest_sort(vb_slowest *slowest) {
  for (uint32_t i = 1; i < slowest->used; i++)
    for (uint32_t k = i; k && slower(&slowest->entries[k], &slowest->entries[k - 1]); k--)
      swap(&slowest->entries[k], &slowest->entries[k - 1]);
}
