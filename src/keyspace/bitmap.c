#include "keyspace/bitmap.h"

#include "base/bits.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* `at` of claims: the word that the next claim looks at, above the low bits of what the bitmap's
 * epoch was when this pass began. Words go up to 2^34, so no position is CLEARING. */
enum { EPOCH_BITS = 29 };
/* Blocks whose counts are added up at a time. */
enum { GROUP = 16 };
/* Copies: words of a cache line, and how far ahead of them memory is asked for. */
enum { LINE_WORDS = VB_CACHE_LINE / 8, AHEAD = 16 * LINE_WORDS };
#define EPOCH_MASK ((1ull << EPOCH_BITS) - 1)
#define CLEARING UINT64_MAX

static const uint64_t size_max = 1ull << 40;

struct vb_bitmap {
  _Atomic uint64_t *words;
  _Atomic int32_t *counts; /* of a block; below 0 while a removal overtakes the count of its add */
  uint64_t max;
  size_t words_bytes, counts_bytes;
  _Atomic uint64_t size;
  /* Odd when a bit was cleared since the last pass of claims began: a pass that ends begins anew
   * when this is not what it was. Read by every removal, written once a pass. */
  alignas(VB_CACHE_LINE) _Atomic uint64_t epoch;
};

struct vb_claims {
  uint64_t first, last;
  alignas(VB_CACHE_LINE) _Atomic uint64_t at;
};

static uint64_t words_of(uint64_t ids) {
  return (ids + 63) / 64;
}

static uint64_t blocks_of(uint64_t ids) {
  return (ids + VB_BITMAP_BLOCK - 1) / VB_BITMAP_BLOCK;
}

static void *map(size_t bytes) {
  void *at =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? NULL : at;
}

static double machine_gib(void) {
  return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE) / 0x1p30;
}

static int no_memory(uint64_t ids, vb_error *err) {
  return vb_fail(err, VB_ENOMEM,
                 "a tracker of %" PRIu64 " ids takes %.2f GiB; this machine has %.2f GiB", ids,
                 (double)ids / 8 / 0x1p30, machine_gib());
}

static int check(uint64_t size, uint64_t max, vb_error *err) {
  if (max < 1 || max > size_max)
    return vb_fail(err, VB_EINVAL, "a tracker of %" PRIu64 " ids: 1 to %" PRIu64 " are possible",
                   max, size_max);
  if (size > max)
    return vb_fail(err, VB_EINVAL, "a tracker of %" PRIu64 " ids that may have %" PRIu64, size,
                   max);
  /* A fixed size is meant to be used; one that grows is refused when it gets there. */
  if (size == max && (double)size / 8 / 0x1p30 > machine_gib()) return no_memory(size, err);
  return VB_OK;
}

int vb_bitmap_new(vb_bitmap **out, uint64_t size, uint64_t max_size, vb_error *err) {
  int status = check(size, max_size, err);
  if (status) return status;
  vb_bitmap *bitmap = aligned_alloc(VB_CACHE_LINE, sizeof *bitmap);
  if (!bitmap) return no_memory(max_size, err);
  memset(bitmap, 0, sizeof *bitmap);
  bitmap->max = max_size;
  /* Whole blocks, so that copies need no special last one. */
  bitmap->words_bytes = blocks_of(max_size) * VB_BITMAP_BLOCK / 8;
  bitmap->counts_bytes = blocks_of(max_size) * sizeof *bitmap->counts;
  bitmap->words = map(bitmap->words_bytes);
  bitmap->counts = map(bitmap->counts_bytes);
  if (!bitmap->words || !bitmap->counts) {
    vb_bitmap_free(bitmap);
    return no_memory(max_size, err);
  }
  if (!size) size = max_size < VB_BITMAP_BLOCK ? max_size : VB_BITMAP_BLOCK;
  atomic_init(&bitmap->size, size);
  *out = bitmap;
  return VB_OK;
}

void vb_bitmap_free(vb_bitmap *bitmap) {
  if (!bitmap) return;
  if (bitmap->words) (void)munmap((void *)bitmap->words, bitmap->words_bytes);
  if (bitmap->counts) (void)munmap((void *)bitmap->counts, bitmap->counts_bytes);
  free(bitmap);
}

uint64_t vb_bitmap_size(const vb_bitmap *bitmap) {
  return atomic_load_explicit(&bitmap->size, memory_order_relaxed);
}

uint64_t vb_bitmap_max(const vb_bitmap *bitmap) {
  return bitmap->max;
}

static uint64_t load_word(const vb_bitmap *bitmap, uint64_t word) {
  return atomic_load_explicit(&bitmap->words[word], memory_order_relaxed);
}

/* Never below 0 or above what a block holds, whatever is in flight. */
static uint64_t block_count(const vb_bitmap *bitmap, uint64_t block) {
  int32_t count = atomic_load_explicit(&bitmap->counts[block], memory_order_relaxed);
  return count < 0 ? 0 : (uint64_t)count;
}

static void count_more(vb_bitmap *bitmap, uint64_t word, int32_t more) {
  (void)atomic_fetch_add_explicit(&bitmap->counts[word / VB_BITMAP_WORDS], more,
                                  memory_order_relaxed);
}

/* Sizes up to where `last` is inside; the last one is the maximum. */
static void grow(vb_bitmap *bitmap, uint64_t last) {
  uint64_t size = vb_bitmap_size(bitmap);
  while (size < last) {
    uint64_t doubled = size * 2 < bitmap->max ? size * 2 : bitmap->max;
    if (atomic_compare_exchange_weak_explicit(&bitmap->size, &size, doubled, memory_order_relaxed,
                                              memory_order_relaxed))
      size = doubled;
  }
}

static void make_room(vb_bitmap *bitmap, uint64_t last) {
  if (VB_UNLIKELY(last > vb_bitmap_size(bitmap))) grow(bitmap, last);
}

/* Tells the claims that there is something to find behind them. Sequentially consistent, as is the
 * write before it: either this sees that a new pass has begun, or that pass sees the cleared bit.
 */
static void note_cleared(vb_bitmap *bitmap) {
  uint64_t epoch = atomic_load_explicit(&bitmap->epoch, memory_order_seq_cst);
  if (!(epoch & 1)) (void)atomic_compare_exchange_strong(&bitmap->epoch, &epoch, epoch + 1);
}

int vb_bitmap_test(const vb_bitmap *bitmap, uint64_t id) {
  if (VB_UNLIKELY(id >= bitmap->max)) return 0;
  return (int)(load_word(bitmap, id / 64) >> id % 64 & 1);
}

int vb_bitmap_add(vb_bitmap *bitmap, uint64_t id) {
  if (VB_UNLIKELY(id >= bitmap->max)) return 0;
  make_room(bitmap, id + 1);
  uint64_t bit = 1ull << id % 64;
  uint64_t before = atomic_fetch_or_explicit(&bitmap->words[id / 64], bit, memory_order_acq_rel);
  if (before & bit) return 0;
  count_more(bitmap, id / 64, 1);
  return 1;
}

/* Clears bits of a word: the count goes down before claims are told, so that none of them passes a
 * block that it takes for full. */
static unsigned clear_bits(vb_bitmap *bitmap, uint64_t word, uint64_t bits) {
  uint64_t before = atomic_fetch_and(&bitmap->words[word], ~bits);
  unsigned cleared = vb_bits_count(before & bits);
  if (!cleared) return 0;
  (void)atomic_fetch_sub(&bitmap->counts[word / VB_BITMAP_WORDS], (int32_t)cleared);
  note_cleared(bitmap);
  return cleared;
}

int vb_bitmap_remove(vb_bitmap *bitmap, uint64_t id) {
  if (!vb_bitmap_test(bitmap, id)) return 0;
  return (int)clear_bits(bitmap, id / 64, 1ull << id % 64);
}

static unsigned set_bits(vb_bitmap *bitmap, uint64_t word, uint64_t bits) {
  if (!(bits & ~load_word(bitmap, word))) return 0;
  uint64_t before = atomic_fetch_or_explicit(&bitmap->words[word], bits, memory_order_acq_rel);
  return vb_bits_count(bits & ~before);
}

unsigned vb_bitmap_add_few(vb_bitmap *bitmap, uint64_t base, uint64_t mask) {
  uint64_t end = base + 64 - (uint64_t)__builtin_clzll(mask);
  if (end > bitmap->max) return 0;
  make_room(bitmap, end);
  unsigned added = set_bits(bitmap, base / 64, mask);
  if (added) count_more(bitmap, base / 64, (int32_t)added);
  return added;
}

/* The bits of a word that `keep` has; 0 when that is NULL. */
static uint64_t kept(const vb_bitmap *keep, uint64_t word) {
  return keep && word < words_of(keep->max) ? load_word(keep, word) : 0;
}

static unsigned unset_bits(vb_bitmap *bitmap, uint64_t word, uint64_t bits) {
  if (!(bits & load_word(bitmap, word))) return 0;
  return vb_bits_count(bits & atomic_fetch_and(&bitmap->words[word], ~bits));
}

/* The bits of word number `word` that are in [first, last), which it touches. */
static uint64_t bits_within(uint64_t word, uint64_t first, uint64_t last) {
  unsigned from = first > word * 64 ? (unsigned)(first - word * 64) : 0;
  unsigned to = last < word * 64 + 64 ? (unsigned)(last - word * 64) : 64;
  return vb_bits_between(from, to);
}

/* Where the block of an id ends, or the range. */
static uint64_t end_of_block(uint64_t id, uint64_t last) {
  uint64_t end = (id / VB_BITMAP_BLOCK + 1) * VB_BITMAP_BLOCK;
  return end < last ? end : last;
}

static uint64_t clipped(const vb_bitmap *bitmap, uint64_t last) {
  uint64_t size = vb_bitmap_size(bitmap);
  return last < size ? last : size;
}

/* One block's part of a range: the count is written once. */
static uint64_t set_within_block(vb_bitmap *bitmap, uint64_t first, uint64_t last) {
  uint64_t changed = 0;
  for (uint64_t word = first / 64; word < words_of(last); word++)
    changed += set_bits(bitmap, word, bits_within(word, first, last));
  if (changed) count_more(bitmap, first / 64, (int32_t)changed);
  return changed;
}

uint64_t vb_bitmap_add_range(vb_bitmap *bitmap, uint64_t first, uint64_t last) {
  if (last > bitmap->max) last = bitmap->max;
  uint64_t changed = 0;
  if (first < last) make_room(bitmap, last);
  for (uint64_t end; first < last; first = end) {
    end = end_of_block(first, last);
    changed += set_within_block(bitmap, first, end);
  }
  return changed;
}

static uint64_t unset_within_block(vb_bitmap *bitmap, const vb_bitmap *keep, uint64_t first,
                                   uint64_t last) {
  uint64_t changed = 0;
  for (uint64_t word = first / 64; word < words_of(last); word++)
    changed += unset_bits(bitmap, word, bits_within(word, first, last) & ~kept(keep, word));
  if (changed) {
    (void)atomic_fetch_sub(&bitmap->counts[first / VB_BITMAP_BLOCK], (int32_t)changed);
    note_cleared(bitmap);
  }
  return changed;
}

/* Blocks that were never written are not looked at, so that they stay without memory. */
uint64_t vb_bitmap_remove_others(vb_bitmap *bitmap, const vb_bitmap *keep, uint64_t first,
                                 uint64_t last) {
  last = clipped(bitmap, last);
  uint64_t changed = 0;
  for (uint64_t end; first < last; first = end) {
    end = end_of_block(first, last);
    if (atomic_load(&bitmap->counts[first / VB_BITMAP_BLOCK]))
      changed += unset_within_block(bitmap, keep, first, end);
  }
  return changed;
}

uint64_t vb_bitmap_remove_range(vb_bitmap *bitmap, uint64_t first, uint64_t last) {
  return vb_bitmap_remove_others(bitmap, NULL, first, last);
}

static uint64_t count_words(const vb_bitmap *bitmap, uint64_t first, uint64_t last) {
  uint64_t count = 0;
  for (uint64_t word = first / 64; word < words_of(last); word++)
    count += vb_bits_count(load_word(bitmap, word) & bits_within(word, first, last));
  return count;
}

/* Set bits of one block's part of a range: from its count when it is the whole block. */
static uint64_t count_within_block(const vb_bitmap *bitmap, uint64_t first, uint64_t last) {
  uint64_t block = first / VB_BITMAP_BLOCK, count = block_count(bitmap, block);
  bool whole = first % VB_BITMAP_BLOCK == 0 &&
               (last == end_of_block(first, UINT64_MAX) || last == vb_bitmap_size(bitmap));
  return whole || !count ? count : count_words(bitmap, first, last);
}

uint64_t vb_bitmap_count_range(const vb_bitmap *bitmap, uint64_t first, uint64_t last) {
  last = clipped(bitmap, last);
  uint64_t count = 0;
  for (uint64_t end; first < last; first = end) {
    end = end_of_block(first, last);
    count += count_within_block(bitmap, first, end);
  }
  return count;
}

uint64_t vb_bitmap_count(const vb_bitmap *bitmap) {
  int64_t count = 0;
  uint64_t blocks = blocks_of(vb_bitmap_size(bitmap));
  for (uint64_t block = 0; block < blocks; block++)
    count += atomic_load_explicit(&bitmap->counts[block], memory_order_relaxed);
  return count < 0 ? 0 : (uint64_t)count;
}

/* The words of a bitmap, or of its complement: flip is all ones then. */
static uint64_t next_within(const vb_bitmap *bitmap, uint64_t flip, uint64_t from, uint64_t last) {
  for (uint64_t word = from / 64; word < words_of(last); word++) {
    uint64_t bits = (load_word(bitmap, word) ^ flip) & bits_within(word, from, last);
    if (bits) return word * 64 + vb_bits_lowest(bits);
  }
  return last;
}

static uint64_t next_bit(const vb_bitmap *bitmap, uint64_t flip, uint64_t from, uint64_t last) {
  uint64_t size = clipped(bitmap, last);
  if (VB_LIKELY(from < size)) { /* in most words of a scan there are several */
    uint64_t bits = (load_word(bitmap, from / 64) ^ flip) >> from % 64;
    if (bits) {
      uint64_t found = from + vb_bits_lowest(bits);
      return found < size ? found : last;
    }
  }
  for (uint64_t end; from < size; from = end) {
    end = end_of_block(from, size);
    uint64_t count = block_count(bitmap, from / VB_BITMAP_BLOCK);
    if (count == (flip ? VB_BITMAP_BLOCK : 0)) continue;
    uint64_t found = next_within(bitmap, flip, from, end);
    if (found < end) return found;
  }
  return last;
}

uint64_t vb_bitmap_next_set(const vb_bitmap *bitmap, uint64_t from, uint64_t last) {
  return next_bit(bitmap, 0, from, last);
}

uint64_t vb_bitmap_next_unset(const vb_bitmap *bitmap, uint64_t from, uint64_t last) {
  return next_bit(bitmap, UINT64_MAX, from, last);
}

/* Bit number *k of one block's part of a range; else its end, and *k less by what it has. */
static uint64_t select_within(const vb_bitmap *bitmap, uint64_t flip, uint64_t first, uint64_t last,
                              uint64_t *k) {
  for (uint64_t word = first / 64; word < words_of(last); word++) {
    uint64_t bits = (load_word(bitmap, word) ^ flip) & bits_within(word, first, last);
    unsigned count = vb_bits_count(bits);
    if (*k < count) return word * 64 + vb_bits_select(bits, (unsigned)*k);
    *k -= count;
  }
  return last;
}

/* Passes whole groups of blocks that bit number *k is not in: this is what ranks in large bitmaps
 * cost, so a group is added up without a branch. Returns where to go on. */
static uint64_t pass_groups(const vb_bitmap *bitmap, uint64_t flip, uint64_t first, uint64_t last,
                            uint64_t *k) {
  const uint64_t group = (uint64_t)GROUP * VB_BITMAP_BLOCK;
  if (first % VB_BITMAP_BLOCK) return first;
  for (; last - first >= group; first += group) {
    int64_t sum = 0;
    for (uint64_t i = 0, block = first / VB_BITMAP_BLOCK; i < GROUP; i++)
      sum += atomic_load_explicit(&bitmap->counts[block + i], memory_order_relaxed);
    uint64_t count = sum < 0 ? 0 : (uint64_t)sum;
    if (flip) count = count < group ? group - count : 0;
    if (*k < count) break;
    *k -= count;
  }
  return first;
}

static uint64_t select_bit(const vb_bitmap *bitmap, uint64_t flip, uint64_t first, uint64_t last,
                           uint64_t k) {
  uint64_t size = clipped(bitmap, last);
  for (uint64_t end; first < size; first = end) {
    first = pass_groups(bitmap, flip, first, size, &k);
    if (first >= size) break;
    end = end_of_block(first, size);
    uint64_t count = count_within_block(bitmap, first, end);
    if (flip) count = count < end - first ? end - first - count : 0;
    if (k >= count) {
      k -= count;
      continue;
    }
    uint64_t found = select_within(bitmap, flip, first, end, &k);
    if (found < end) return found;
  }
  return last;
}

uint64_t vb_bitmap_select(const vb_bitmap *bitmap, uint64_t first, uint64_t last, uint64_t k) {
  return select_bit(bitmap, 0, first, last, k);
}

uint64_t vb_bitmap_select_unset(const vb_bitmap *bitmap, uint64_t first, uint64_t last,
                                uint64_t k) {
  return select_bit(bitmap, UINT64_MAX, first, last, k);
}

uint64_t vb_bitmap_word(const vb_bitmap *bitmap, uint64_t id) {
  return id < bitmap->max ? load_word(bitmap, id / 64) : 0;
}

int vb_bitmap_copy_block(const vb_bitmap *bitmap, uint64_t block, uint64_t *words) {
  if (!atomic_load_explicit(&bitmap->counts[block], memory_order_acquire)) return 0;
  const _Atomic uint64_t *from = bitmap->words + block * VB_BITMAP_WORDS;
  for (uint64_t i = 0; i < VB_BITMAP_WORDS; i += LINE_WORDS) {
    __builtin_prefetch((const void *)(from + i + AHEAD));
    for (uint64_t k = 0; k < LINE_WORDS; k++)
      words[i + k] = atomic_load_explicit(&from[i + k], memory_order_relaxed);
  }
  return 1;
}

vb_claims *vb_claims_new(uint64_t first, uint64_t last) {
  vb_claims *claims = aligned_alloc(VB_CACHE_LINE, sizeof *claims);
  if (!claims) return NULL;
  claims->first = first;
  claims->last = last;
  atomic_init(&claims->at, first / 64 << EPOCH_BITS);
  return claims;
}

void vb_claims_free(vb_claims *claims) {
  free(claims);
}

void vb_claims_reset(vb_claims *claims) {
  uint64_t at = atomic_load(&claims->at);
  do {
    if (at == CLEARING) return;
  } while (!atomic_compare_exchange_weak(&claims->at, &at,
                                         claims->first / 64 << EPOCH_BITS | (at & EPOCH_MASK)));
}

uint64_t vb_bitmap_mark(vb_bitmap *bitmap) {
  uint64_t epoch = atomic_load(&bitmap->epoch);
  while (epoch & 1 && !atomic_compare_exchange_weak(&bitmap->epoch, &epoch, epoch + 1)) continue;
  return epoch + (epoch & 1);
}

/* Where a pass over the bitmap begins, after what was cleared up to now has been noted. */
static uint64_t begin_pass(vb_bitmap *bitmap, const vb_claims *claims) {
  return claims->first / 64 << EPOCH_BITS | (vb_bitmap_mark(bitmap) & EPOCH_MASK);
}

/* Moves the position from `at`, unless another has moved it. */
static uint64_t advance(vb_claims *claims, uint64_t at, uint64_t word) {
  uint64_t to = word << EPOCH_BITS | (at & EPOCH_MASK);
  return atomic_compare_exchange_strong(&claims->at, &at, to) ? to : at;
}

/* Sets the lowest `want` missing bits of a word in the range of the claims. */
static uint64_t take_from_word(vb_bitmap *bitmap, const vb_claims *claims, uint64_t word,
                               unsigned want) {
  uint64_t within = bits_within(word, claims->first, claims->last);
  uint64_t now = atomic_load(&bitmap->words[word]), bits;
  do {
    bits = vb_bits_lowest_few(~now & within, want);
    if (!bits) return 0;
  } while (!atomic_compare_exchange_weak(&bitmap->words[word], &now, now | bits));
  count_more(bitmap, word, (int32_t)vb_bits_count(bits));
  return bits;
}

/* The word behind one in which nothing is missing: behind its block when that is full. */
static uint64_t word_behind(const vb_bitmap *bitmap, uint64_t word) {
  if (word % VB_BITMAP_WORDS == 0 &&
      atomic_load(&bitmap->counts[word / VB_BITMAP_WORDS]) == VB_BITMAP_BLOCK)
    return word + VB_BITMAP_WORDS;
  return word + 1;
}

/* The position, once nobody is clearing the range. */
static uint64_t position(vb_claims *claims) {
  uint64_t at;
  while ((at = atomic_load(&claims->at)) == CLEARING) (void)sched_yield();
  return at;
}

/* At the end of a pass: the start of another one, or `at` when there is nothing to find. */
static uint64_t pass_again(vb_bitmap *bitmap, vb_claims *claims, uint64_t at) {
  uint64_t epoch = atomic_load(&bitmap->epoch);
  if ((epoch & EPOCH_MASK) == (at & EPOCH_MASK)) return at;
  uint64_t to = begin_pass(bitmap, claims);
  if (!atomic_compare_exchange_strong(&claims->at, &at, to)) to = position(claims);
  return to;
}

unsigned vb_bitmap_claim(vb_bitmap *bitmap, vb_claims *claims, unsigned want, uint64_t *base,
                         uint64_t *mask) {
  uint64_t end = words_of(claims->last < bitmap->max ? claims->last : bitmap->max);
  uint64_t at = position(claims);
  for (;;) {
    if (at == CLEARING) at = position(claims);
    uint64_t word = at >> EPOCH_BITS;
    if (VB_UNLIKELY(word >= end)) {
      uint64_t again = pass_again(bitmap, claims, at);
      if (again == at) return 0;
      at = again;
      continue;
    }
    uint64_t bits = take_from_word(bitmap, claims, word, want);
    if (bits) {
      make_room(bitmap, word * 64 + 64 < bitmap->max ? word * 64 + 64 : bitmap->max);
      *base = word * 64;
      *mask = bits;
      return vb_bits_count(bits);
    }
    at = advance(claims, at, word_behind(bitmap, word));
  }
}

/* Clears one word of a round that has ended; returns how many bits were set. */
static unsigned end_word(vb_bitmap *bitmap, uint64_t word, uint64_t within,
                         const vb_round_end *how) {
  within &= ~kept(how->keep, word);
  uint64_t set = atomic_fetch_and(&bitmap->words[word], ~within) & within;
  if (set != within && how->missed) how->missed(how->context, word * 64, within & ~set);
  return vb_bits_count(set);
}

static void end_round(vb_bitmap *bitmap, uint64_t first, uint64_t last, const vb_round_end *how) {
  for (uint64_t end; first < last; first = end) {
    unsigned cleared = 0;
    end = end_of_block(first, last);
    for (uint64_t word = first / 64; word < words_of(end); word++)
      cleared += end_word(bitmap, word, bits_within(word, first, end), how);
    (void)atomic_fetch_sub(&bitmap->counts[first / VB_BITMAP_BLOCK], (int32_t)cleared);
  }
}

int vb_bitmap_claim_again(vb_bitmap *bitmap, vb_claims *claims, const vb_round_end *how) {
  static const vb_round_end plain = {NULL, NULL, NULL};
  uint64_t last = claims->last < bitmap->max ? claims->last : bitmap->max;
  uint64_t at = position(claims);
  if (at >> EPOCH_BITS < words_of(last)) return 0;
  if (!atomic_compare_exchange_strong(&claims->at, &at, CLEARING)) return 0;
  end_round(bitmap, claims->first, last, how ? how : &plain);
  note_cleared(bitmap);
  atomic_store(&claims->at, begin_pass(bitmap, claims));
  return 1;
}

int vb_bitmap_cleared_since(const vb_bitmap *bitmap, uint64_t mark) {
  return atomic_load(&bitmap->epoch) != mark;
}
