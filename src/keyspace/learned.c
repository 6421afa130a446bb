#include "keyspace/learned.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGE_TAGS = PAGE / 4 };

static size_t bytes_of(const vb_learned *learned) {
  return learned->size * sizeof *learned->tags;
}

int vb_learned_new(vb_learned **out, uint64_t size, vb_error *err) {
  vb_learned *learned = calloc(1, sizeof *learned);
  if (!learned) return vb_fail(err, VB_ENOMEM, "hash tags: out of memory");
  learned->size = size;
  int status = vb_bitmap_new(&learned->ids, 0, size, err);
  void *at = status ? MAP_FAILED
                    : mmap(NULL, bytes_of(learned), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    vb_learned_free(learned);
    return status ? status : vb_fail(err, VB_ENOMEM, "hash tags: out of memory");
  }
  learned->tags = at;
  *out = learned;
  return VB_OK;
}

void vb_learned_free(vb_learned *learned) {
  if (!learned) return;
  if (learned->tags) (void)munmap((void *)learned->tags, bytes_of(learned));
  vb_bitmap_free(learned->ids);
  free(learned);
}

void vb_learned_set(vb_learned *learned, uint64_t id, const char *tag) {
  uint32_t packed = 0;
  memcpy(&packed, tag, VB_SLOT_TAG);
  atomic_store_explicit(&learned->tags[id], packed, memory_order_relaxed);
  (void)vb_bitmap_add(learned->ids, id);
}

uint64_t vb_learned_bytes(const vb_learned *learned) {
  uint64_t pages = 0, id = 0;
  while ((id = vb_bitmap_next_set(learned->ids, id, learned->size)) < learned->size) {
    id = (id / PAGE_TAGS + 1) * PAGE_TAGS;
    pages++;
  }
  return pages * PAGE;
}
