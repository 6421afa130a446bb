#include "keyspace/blocks.h"

#include "base/bits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *map(size_t bytes) {
  void *at =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? NULL : at;
}

static size_t words_bytes(const vb_blocks *set) {
  return set->blocks * VB_BITMAP_BLOCK / 8;
}

static uint64_t *words_of(const vb_blocks *set, uint64_t block) {
  return set->words + block * VB_BITMAP_WORDS;
}

int vb_blocks_new(vb_blocks **out, uint64_t size, vb_error *err) {
  vb_blocks *set = calloc(1, sizeof *set);
  if (!set) return vb_fail(err, VB_ENOMEM, "a set of ids: out of memory");
  set->blocks = (size + VB_BITMAP_BLOCK - 1) / VB_BITMAP_BLOCK;
  if (!set->blocks) set->blocks = 1;
  set->words = map(words_bytes(set));
  set->counts = map(set->blocks * sizeof *set->counts);
  if (!set->words || !set->counts) {
    int status = vb_fail(err, VB_ENOMEM, "a set of ids: out of memory: it takes %.2f GiB",
                         (double)words_bytes(set) / 0x1p30);
    vb_blocks_free(set);
    return status;
  }
  *out = set;
  return VB_OK;
}

void vb_blocks_free(vb_blocks *set) {
  if (!set) return;
  if (set->words) (void)munmap(set->words, words_bytes(set));
  if (set->counts) (void)munmap(set->counts, set->blocks * sizeof *set->counts);
  free(set);
}

/* Makes the memory at *at larger; what is new is zero. */
static bool extend(void **at, size_t bytes, size_t wanted) {
  void *moved = mremap(*at, bytes, wanted, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) return false;
  *at = moved;
  return true;
}

int vb_blocks_grow(vb_blocks *set, uint64_t size, vb_error *err) {
  uint64_t blocks = (size + VB_BITMAP_BLOCK - 1) / VB_BITMAP_BLOCK, old = set->blocks;
  if (blocks < 2 * old) blocks = 2 * old;
  size_t counted = sizeof *set->counts, bytes = VB_BITMAP_BLOCK / 8;
  void *words = set->words, *counts = set->counts;
  bool grown = extend(&counts, old * counted, blocks * counted);
  if (grown) set->counts = counts;
  if (!grown || !extend(&words, old * bytes, blocks * bytes))
    return vb_fail(err, VB_ENOMEM, "a set of ids: out of memory at %.2f GiB",
                   (double)(blocks * bytes) / 0x1p30);
  set->words = words;
  set->blocks = blocks;
  return VB_OK;
}

static void note_count(vb_blocks *set, uint64_t block, uint64_t count) {
  set->counts[block] = (uint32_t)count;
  set->count += count;
}

/* Pages of 2 MB where most of the memory will be written: a page fault costs more than the copy of
 * what is in it. Not for a few ids in a billion, which would each take one. */
static void prefer_large_pages(vb_blocks *set, uint64_t used) {
  if (used >= set->blocks / 4) (void)madvise(set->words, words_bytes(set), MADV_HUGEPAGE);
}

int vb_blocks_copy(vb_blocks **out, const vb_bitmap *bitmap, vb_error *err) {
  vb_blocks *set = NULL;
  int status = vb_blocks_new(&set, vb_bitmap_size(bitmap), err);
  if (status) return status;
  prefer_large_pages(set, vb_bitmap_count(bitmap) / VB_BITMAP_BLOCK);
  const vb_algebra *algebra = vb_algebra_best();
  for (uint64_t block = 0; block < set->blocks; block++) {
    uint64_t *words = words_of(set, block);
    if (vb_bitmap_copy_block(bitmap, block, words))
      note_count(set, block, algebra->count(words, VB_BITMAP_WORDS));
  }
  *out = set;
  return VB_OK;
}

static uint32_t count_of(const vb_blocks *set, uint64_t block) {
  return block < set->blocks ? set->counts[block] : 0;
}

/* What a block of the result holds when only one side has bits in it: -1 when both have. */
static int64_t one_sided(int operation, uint32_t a, uint32_t b) {
  if (a && b) return -1;
  if (operation == VB_SET_INTERSECTION) return 0;
  return operation == VB_SET_UNION ? (int64_t)a + b : a;
}

static uint64_t blocks_of_both(const vb_blocks *a, const vb_blocks *b) {
  return a->blocks > b->blocks ? a->blocks : b->blocks;
}

static uint64_t combine_block(vb_blocks *set, int operation, const vb_blocks *a, const vb_blocks *b,
                              uint64_t block) {
  int64_t alone = one_sided(operation, count_of(a, block), count_of(b, block));
  uint64_t *to = words_of(set, block);
  if (alone < 0)
    return vb_algebra_best()->combine[operation](to, words_of(a, block), words_of(b, block),
                                                 VB_BITMAP_WORDS);
  const vb_blocks *from = count_of(a, block) ? a : b;
  if (alone) memcpy(to, words_of(from, block), VB_BITMAP_BLOCK / 8);
  return (uint64_t)alone;
}

int vb_blocks_combine(vb_blocks **out, int operation, const vb_blocks *a, const vb_blocks *b,
                      vb_error *err) {
  vb_blocks *set = NULL;
  uint64_t blocks = blocks_of_both(a, b);
  int status = vb_blocks_new(&set, blocks * VB_BITMAP_BLOCK, err);
  if (status) return status;
  prefer_large_pages(set, vb_blocks_combined_count(operation, a, b) / VB_BITMAP_BLOCK);
  for (uint64_t block = 0; block < blocks; block++)
    note_count(set, block, combine_block(set, operation, a, b, block));
  *out = set;
  return VB_OK;
}

uint64_t vb_blocks_combined_count(int operation, const vb_blocks *a, const vb_blocks *b) {
  const vb_algebra *algebra = vb_algebra_best();
  uint64_t count = 0, blocks = blocks_of_both(a, b);
  for (uint64_t block = 0; block < blocks; block++) {
    int64_t alone = one_sided(operation, count_of(a, block), count_of(b, block));
    count += alone >= 0 ? (uint64_t)alone
                        : algebra->size[operation](words_of(a, block), words_of(b, block),
                                                   VB_BITMAP_WORDS);
  }
  return count;
}

int vb_blocks_test(const vb_blocks *set, uint64_t id) {
  if (id / VB_BITMAP_BLOCK >= set->blocks) return 0;
  return (int)(set->words[id / 64] >> id % 64 & 1);
}

int vb_blocks_add(vb_blocks *set, uint64_t id) {
  if (id / VB_BITMAP_BLOCK >= set->blocks || vb_blocks_test(set, id)) return 0;
  set->words[id / 64] |= 1ull << id % 64;
  set->counts[id / VB_BITMAP_BLOCK]++;
  set->count++;
  return 1;
}

int vb_blocks_remove(vb_blocks *set, uint64_t id) {
  if (!vb_blocks_test(set, id)) return 0;
  set->words[id / 64] &= ~(1ull << id % 64);
  set->counts[id / VB_BITMAP_BLOCK]--;
  set->count--;
  return 1;
}

void vb_blocks_add_range(vb_blocks *set, uint64_t first, uint64_t last) {
  while (first < last && first / VB_BITMAP_BLOCK < set->blocks) {
    uint64_t end = (first / 64 + 1) * 64 < last ? (first / 64 + 1) * 64 : last;
    uint64_t *word = &set->words[first / 64], before = *word;
    *word |= vb_bits_between((unsigned)(first % 64), (unsigned)(end - first / 64 * 64));
    unsigned more = vb_bits_count(*word) - vb_bits_count(before);
    set->counts[first / VB_BITMAP_BLOCK] += more;
    set->count += more;
    first = end;
  }
}

/* The lowest id from `from` up in its block, VB_NO_ID when that has no more. */
static uint64_t next_within(const vb_blocks *set, uint64_t from) {
  uint64_t end = (from / VB_BITMAP_BLOCK + 1) * VB_BITMAP_WORDS;
  uint64_t word = from / 64, bits = set->words[word] >> from % 64 << from % 64;
  while (!bits && ++word < end) bits = set->words[word];
  return bits ? word * 64 + vb_bits_lowest(bits) : VB_NO_ID;
}

uint64_t vb_blocks_next(const vb_blocks *set, uint64_t from) {
  for (uint64_t block = from / VB_BITMAP_BLOCK; block < set->blocks; block++) {
    uint64_t id = set->counts[block] ? next_within(set, from) : VB_NO_ID;
    if (id != VB_NO_ID) return id;
    from = (block + 1) * VB_BITMAP_BLOCK;
  }
  return VB_NO_ID;
}

static uint64_t select_within(const vb_blocks *set, uint64_t block, uint64_t k) {
  for (uint64_t word = block * VB_BITMAP_WORDS;; word++) {
    unsigned count = vb_bits_count(set->words[word]);
    if (k < count) return word * 64 + vb_bits_select(set->words[word], (unsigned)k);
    k -= count;
  }
}

uint64_t vb_blocks_select(const vb_blocks *set, uint64_t k) {
  for (uint64_t block = 0; block < set->blocks; block++) {
    if (k < set->counts[block]) return select_within(set, block, k);
    k -= set->counts[block];
  }
  return VB_NO_ID;
}

uint64_t vb_blocks_rank(const vb_blocks *set, uint64_t id) {
  uint64_t rank = 0, last = id / VB_BITMAP_BLOCK;
  for (uint64_t block = 0; block < last && block < set->blocks; block++) rank += set->counts[block];
  if (last >= set->blocks) return rank;
  for (uint64_t word = last * VB_BITMAP_WORDS; word < id / 64; word++)
    rank += vb_bits_count(set->words[word]);
  return rank + (id % 64 ? vb_bits_count(set->words[id / 64] << (64 - id % 64)) : 0);
}
