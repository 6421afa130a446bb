#include "engine/numbers.h"

/* `limit` while vb_numbers_count moves the boundary: takers wait the few instructions out. */
#define FROZEN (UINT64_MAX - 1)

static uint64_t limit_of(uint64_t from, uint64_t requests) {
  return requests && requests < UINT64_MAX / 2 ? from + requests : UINT64_MAX / 2;
}

void vb_numbers_init(vb_numbers *numbers, uint64_t requests, bool warmup) {
  atomic_init(&numbers->next, 0);
  atomic_init(&numbers->limit, warmup ? limit_of(0, 0) : limit_of(0, requests));
  atomic_init(&numbers->counted_from, warmup ? UINT64_MAX : 0);
  atomic_init(&numbers->returned, 0);
  (void)pthread_mutex_init(&numbers->lock, NULL);
}

void vb_numbers_fini(vb_numbers *numbers) {
  (void)pthread_mutex_destroy(&numbers->lock);
}

void vb_numbers_count(vb_numbers *numbers, uint64_t requests) {
  atomic_store(&numbers->limit, FROZEN);
  uint64_t from = atomic_load(&numbers->next);
  atomic_store(&numbers->counted_from, from);
  atomic_store(&numbers->limit, limit_of(from, requests));
}

static uint64_t settled_limit(vb_numbers *numbers) {
  uint64_t limit;
  while ((limit = atomic_load(&numbers->limit)) == FROZEN) {
  }
  return limit;
}

static bool take_returned(vb_numbers *numbers, vb_block *out) {
  bool found = false;
  (void)pthread_mutex_lock(&numbers->lock);
  unsigned count = atomic_load(&numbers->returned);
  if (count) {
    *out = numbers->returns[count - 1];
    atomic_store(&numbers->returned, count - 1);
    found = true;
  }
  (void)pthread_mutex_unlock(&numbers->lock);
  return found;
}

bool vb_numbers_take(vb_numbers *numbers, uint64_t most, vb_block *out) {
  if (atomic_load_explicit(&numbers->returned, memory_order_relaxed) && take_returned(numbers, out))
    return true;
  uint64_t first = atomic_load(&numbers->next), end;
  do {
    uint64_t limit = settled_limit(numbers);
    if (first >= limit) return false;
    end = limit - first < most ? limit : first + most;
  } while (!atomic_compare_exchange_weak(&numbers->next, &first, end));
  /* The boundary may have moved between reading the limit and taking the block. */
  uint64_t limit = settled_limit(numbers);
  *out = (vb_block){first, end < limit ? end : limit};
  return out->first < out->end;
}

bool vb_numbers_return(vb_numbers *numbers, vb_block block) {
  if (block.first >= block.end) return true;
  (void)pthread_mutex_lock(&numbers->lock);
  unsigned count = atomic_load(&numbers->returned);
  bool room = count < VB_NUMBERS_RETURNS;
  if (room) {
    numbers->returns[count] = block;
    atomic_store(&numbers->returned, count + 1);
  }
  (void)pthread_mutex_unlock(&numbers->lock);
  return room;
}

void vb_numbers_discard(vb_numbers *numbers) {
  (void)pthread_mutex_lock(&numbers->lock);
  atomic_store(&numbers->returned, 0);
  (void)pthread_mutex_unlock(&numbers->lock);
}

void vb_numbers_close(vb_numbers *numbers, uint64_t n) {
  uint64_t limit = settled_limit(numbers);
  while (n < limit && !atomic_compare_exchange_weak(&numbers->limit, &limit, n)) {
    if (limit == FROZEN) limit = settled_limit(numbers);
  }
}

bool vb_numbers_all_taken(vb_numbers *numbers) {
  return !atomic_load(&numbers->returned) && atomic_load(&numbers->next) >= settled_limit(numbers);
}

uint64_t vb_numbers_taken(const vb_numbers *numbers) {
  uint64_t from = atomic_load(&numbers->counted_from), next = atomic_load(&numbers->next);
  return next > from ? next - from : 0;
}
