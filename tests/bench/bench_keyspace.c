/* What trackers, draws and set algebra cost, beside the line of "Costs to keep" that each has to
 * meet. Usage: bench_keyspace [--large]: --large is about ten billion ids instead (2.5 GB, some
 * seconds). */
#include "base/bits.h"
#include "base/clock.h"
#include "base/random.h"
#include "keyspace/cursor.h"
#include "keyspace/refset.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { IDS = 10000000, FLUSH = 64 << 20, THREADS_MAX = 64, ROUNDS = 5 };

static volatile uint64_t sink;

/* Puts the bitmap out of the caches, as it is when a phase begins. */
static void make_cold(void) {
  char *memory = malloc(FLUSH);
  if (!memory) return;
  memset(memory, (int)sink, FLUSH);
  sink += (unsigned char)memory[FLUSH / 2];
  free(memory);
}

/* This thread's time on a core: what others on the machine do is no part of it. */
static vb_ns now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (vb_ns)time.tv_sec * 1000000000 + (vb_ns)time.tv_nsec;
}

static double seconds_since(vb_ns start) {
  return (double)(now() - start) / 1e9;
}

static void print_rate(const char *what, double count, double seconds, const char *target) {
  printf("  %-44s %9.1f M/s %7.2f ns   (%s)\n", what, count / seconds / 1e6, seconds / count * 1e9,
         target);
}

/* Ids in an order that no prefetcher foresees, made before the clock runs. */
static uint64_t *shuffled_ids(void) {
  uint64_t *ids = malloc(IDS * sizeof *ids);
  if (!ids) abort();
  for (uint64_t i = 0; i < IDS; i++) ids[i] = vb_below(vb_mix(i), IDS);
  return ids;
}

static vb_tracker *tracker_of(uint64_t size) {
  vb_tracker *tracker = NULL;
  vb_error err = {0};
  if (vb_tracker_new(&tracker, "bench", size, size, &err)) {
    printf("  %s\n", err.text);
    exit(1);
  }
  return tracker;
}

static void time_bits(const char *what, vb_tracker *tracker, const uint64_t *ids,
                      int (*operation)(vb_tracker *, uint64_t)) {
  make_cold();
  uint64_t changed = 0;
  vb_ns start = now();
  for (size_t i = 0; i < IDS; i++) changed += (uint64_t)operation(tracker, ids[i]);
  print_rate(what, IDS, seconds_since(start), "over 50 M/s");
  sink += changed;
}

static int exists(vb_tracker *tracker, uint64_t id) {
  return vb_tracker_exists(tracker, id);
}

static void bench_bits(void) {
  vb_tracker *tracker = tracker_of(IDS);
  uint64_t *ids = shuffled_ids();
  printf("bits of 10 M ids, in random order\n");
  time_bits("add", tracker, ids, vb_tracker_add);
  time_bits("exists", tracker, ids, exists);
  time_bits("remove", tracker, ids, vb_tracker_remove);
  free(ids);
  vb_tracker_free(tracker);
}

typedef struct claimer {
  vb_tracker *tracker;
  uint64_t claimed;
  double seconds;
} claimer;

static void *claim_all(void *argument) {
  claimer *self = argument;
  uint64_t base, mask, sum = 0;
  vb_ns start = now();
  while (vb_tracker_claim_next(self->tracker, NULL, 64, &base, &mask))
    for (; mask; mask &= mask - 1, self->claimed++) sum += base + vb_bits_lowest(mask);
  self->seconds = seconds_since(start);
  return (void *)(uintptr_t)sum;
}

static void bench_claims(int threads) {
  enum { CLAIMS = 20 * IDS };
  vb_tracker *tracker = tracker_of(CLAIMS);
  pthread_t ids[THREADS_MAX];
  claimer claimers[THREADS_MAX];
  char what[64];
  double seconds = 0;
  for (int i = 0; i < threads; i++) {
    claimers[i] = (claimer){.tracker = tracker};
    if (pthread_create(&ids[i], NULL, claim_all, &claimers[i])) abort();
  }
  for (int i = 0; i < threads; i++) {
    (void)pthread_join(ids[i], NULL);
    seconds += claimers[i].seconds;
  }
  (void)snprintf(what, sizeof what, "claim, %d thread%s", threads, threads > 1 ? "s" : "");
  print_rate(what, CLAIMS, seconds, "over 20 M/s a thread, of its own time");
  vb_tracker_free(tracker);
}

static void bench_draw(const char *what, uint64_t size, vb_cursor_spec spec, const char *target) {
  vb_keyspace_spec layout = {.name = "bench", .prefix = "k:", .width = 13, .size = size};
  vb_keyspace *keyspace = NULL;
  vb_cursor *cursor = NULL;
  if (vb_keyspace_new(&keyspace, &layout, NULL)) abort();
  if (vb_cursor_new(&cursor, keyspace, &spec, NULL)) abort();
  uint64_t id = 0, sum = 0;
  vb_ns start = now();
  for (uint64_t n = 0; n < IDS; n++) {
    (void)vb_cursor_draw(cursor, n, vb_draw(7, n, 1), &id);
    sum += id;
  }
  print_rate(what, IDS, seconds_since(start), target);
  sink += sum;
  vb_cursor_free(cursor);
  vb_keyspace_free(keyspace);
}

static void bench_draws(void) {
  const uint64_t million = 1000000, trillion = million * million;
  vb_cursor_spec uniform = {.order = VB_ORDER_UNIFORM};
  vb_cursor_spec zipfian = {.order = VB_ORDER_DRAWN,
                            .distribution = {.shape = VB_SHAPE_ZIPFIAN, .skew = 0.99}};
  vb_cursor_spec scattered = zipfian;
  scattered.distribution.scatter = 1;
  printf("draws, with the random number of each\n");
  bench_draw("uniform of 10^6", million, uniform, "under 10 ns");
  bench_draw("uniform of 10^12", trillion, uniform, "under 10 ns");
  bench_draw("zipfian 0.99 of 10^6", million, zipfian, "under 25 ns");
  bench_draw("zipfian 0.99 of 10^12", trillion, zipfian, "under 25 ns");
  bench_draw("zipfian 0.99 of 10^6, scattered", million, scattered, "under 60 ns");
  bench_draw("zipfian 0.99 of 10^12, scattered", trillion, scattered, "under 60 ns");
}

static double copy_gb_per_s(size_t bytes) {
  char *from = malloc(bytes), *to = malloc(bytes);
  if (!from || !to) abort();
  memset(from, 1, bytes);
  memset(to, 2, bytes);
  double best = 0;
  for (int i = 0; i < ROUNDS; i++) {
    vb_ns start = now();
    memcpy(to, from, bytes);
    double speed = (double)bytes / seconds_since(start) / 1e9;
    if (speed > best) best = speed;
    sink += (unsigned char)to[bytes / 3];
  }
  free(from);
  free(to);
  return best;
}

/* Bytes read and written; a copy does both. */
static void print_speed(const char *what, double moved, double seconds, double copy) {
  double speed = moved / seconds / 1e9;
  printf("  %-44s %9.2f GB/s %5.2f of memcpy   (memory bandwidth)\n", what, speed,
         speed / copy / 2);
}

static vb_snapshot *snapshot_of(const vb_tracker *tracker) {
  vb_snapshot *snapshot = NULL;
  if (vb_snapshot_take(&snapshot, tracker, NULL)) abort();
  return snapshot;
}

/* The same into memory that is as new as a snapshot's: its pages are made while they are written.
 */
static double copy_to_new_gb_per_s(size_t bytes) {
  char *from = malloc(bytes);
  if (!from) abort();
  memset(from, 1, bytes);
  double best = 0;
  for (int i = 0; i < ROUNDS; i++) {
    char *to = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (to == MAP_FAILED) abort();
    (void)madvise(to, bytes, MADV_HUGEPAGE);
    vb_ns start = now();
    memcpy(to, from, bytes);
    double speed = (double)bytes / seconds_since(start) / 1e9;
    if (speed > best) best = speed;
    (void)munmap(to, bytes);
  }
  free(from);
  return best;
}

static vb_snapshot *best_snapshot(const vb_tracker *tracker, double bytes) {
  vb_snapshot *snapshot = NULL;
  double best = 1e9;
  for (int i = 0; i < ROUNDS; i++) {
    vb_snapshot_free(snapshot);
    vb_ns start = now();
    snapshot = snapshot_of(tracker);
    if (seconds_since(start) < best) best = seconds_since(start);
  }
  double copy = copy_to_new_gb_per_s((size_t)bytes);
  printf("  %-44s %9.2f GB/s %5.2f of memcpy into new pages\n", "snapshot", 2 * bytes / best / 1e9,
         bytes / best / 1e9 / copy);
  return snapshot;
}

static void bench_algebra(const vb_algebra *algebra, double copy) {
  enum { ALGEBRA_WORDS = 8 << 20 };
  static const char *const names[] = {"union", "intersection", "difference"};
  uint64_t *a = malloc(ALGEBRA_WORDS * 8ul), *b = malloc(ALGEBRA_WORDS * 8ul);
  uint64_t *out = malloc(ALGEBRA_WORDS * 8ul);
  if (!a || !b || !out) abort();
  for (size_t i = 0; i < ALGEBRA_WORDS; i++) a[i] = vb_mix(i), b[i] = out[i] = ~a[i];
  for (int operation = 0; operation < VB_SET_OPERATIONS; operation++) {
    char what[64];
    vb_ns start = now();
    sink += algebra->combine[operation](out, a, b, ALGEBRA_WORDS);
    (void)snprintf(what, sizeof what, "%s, %s", names[operation], algebra->name);
    print_speed(what, ALGEBRA_WORDS * 24.0, seconds_since(start), copy);
  }
  free(a);
  free(b);
  free(out);
}

static void bench_sets(void) {
  enum { SIZE = 1 << 30 };
  double copy = copy_gb_per_s(SIZE / 8);
  vb_tracker *tracker = tracker_of(SIZE);
  for (uint64_t id = 0; id < SIZE; id += 64 * 1024)
    (void)vb_tracker_add_range(tracker, id, id + 64 * 1000);
  printf("sets of 10^9 ids; memory read and written: memcpy %.2f GB/s\n", 2 * copy);
  vb_snapshot *a = best_snapshot(tracker, SIZE / 8.0);
  (void)vb_tracker_remove_range(tracker, 1000, 5000000);
  vb_snapshot *b = snapshot_of(tracker);
  vb_ns start = now();
  sink += vb_snapshot_combined_count(VB_SET_DIFFERENCE, a, b);
  print_speed("removed since, counted", SIZE / 4.0, seconds_since(start), copy);
  bench_algebra(vb_algebra_portable(), copy);
  if (vb_algebra_avx2()) bench_algebra(vb_algebra_avx2(), copy);
  vb_snapshot_free(a);
  vb_snapshot_free(b);
  vb_tracker_free(tracker);
}

/* Each set bit listed, by its id. */
static void bench_scan(uint64_t every) {
  enum { SIZE = 1 << 28 };
  vb_tracker *tracker = tracker_of(SIZE);
  const vb_bitmap *existing = vb_tracker_existing(tracker);
  char what[64];
  uint64_t sum = 0;
  for (uint64_t id = 0; id < SIZE; id++)
    if (vb_mix(id) % every == 0) (void)vb_tracker_add(tracker, id);
  vb_ns start = now();
  for (uint64_t id = 0; (id = vb_bitmap_next_set(existing, id, SIZE)) < SIZE; id = (id | 63) + 1)
    for (uint64_t bits = vb_bitmap_word(existing, id); bits; bits &= bits - 1)
      sum += (id & ~63ull) + vb_bits_lowest(bits);
  (void)snprintf(what, sizeof what, "one id in %d set", (int)every);
  printf("  %-44s %9.2f G/s               (over 1 G bits a second)\n", what,
         SIZE / seconds_since(start) / 1e9);
  sink += sum;
  vb_tracker_free(tracker);
}

static void bench_sparse(void) {
  enum { DRAWS = 100000 };
  const uint64_t size = 1000000000;
  vb_tracker *tracker = tracker_of(size);
  for (uint64_t i = 0; i < 10; i++) (void)vb_tracker_add(tracker, vb_below(vb_mix(i + 1), size));
  vb_ns start = now();
  for (uint64_t n = 0; n < DRAWS; n++)
    sink += vb_bitmap_select(vb_tracker_existing(tracker), 0, size, n % 10);
  printf("ten ids in 10^9\n");
  print_rate("ranked draw", DRAWS, seconds_since(start), "over 0.1 M/s");
  vb_tracker_free(tracker);
}

static double resident_gb(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  if (fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
  (void)fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGE_SIZE) / 1e9;
}

/* The first one takes memory that the machine may have to find first. */
static void snapshot_large(const vb_tracker *tracker, double bytes) {
  static const char *const which[] = {"first", "second", "third"};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(which); i++) {
    vb_ns start = now();
    vb_snapshot *snapshot = snapshot_of(tracker);
    double seconds = seconds_since(start);
    printf("  %s snapshot, of %llu ids: %.2f s, %.2f GB/s read and written, %.2f GB resident\n",
           which[i], (unsigned long long)vb_snapshot_count(snapshot), seconds,
           2 * bytes / seconds / 1e9, resident_gb());
    vb_snapshot_free(snapshot);
  }
}

static void bench_large(void) {
  enum { LAST = 100000 };
  const uint64_t size = 10000000000;
  vb_tracker *tracker = tracker_of(size);
  printf("ten billion ids\n");
  vb_ns start = now();
  (void)vb_tracker_add_range(tracker, 0, size - LAST);
  printf("  fill all but the last %d: %.2f s, %.2f GB resident\n", LAST, seconds_since(start),
         resident_gb());
  start = now();
  claimer self = {.tracker = tracker};
  (void)claim_all(&self);
  printf("  claim the last %llu at the far end: %.3f s\n", (unsigned long long)self.claimed,
         seconds_since(start));
  snapshot_large(tracker, (double)size / 8);
  start = now();
  if (vb_tracker_split(tracker, NULL)) abort();
  printf("  split for claims beside draws: %.2f s, %.2f GB resident\n", seconds_since(start),
         resident_gb());
  vb_tracker_free(tracker);
}

static void print_machine(void) {
  char line[256];
  FILE *file = fopen("/proc/cpuinfo", "r");
  while (file && fgets(line, sizeof line, file))
    if (!strncmp(line, "model name", 10)) {
      printf("%s%ld cores\n", strchr(line, ':') + 2, sysconf(_SC_NPROCESSORS_ONLN));
      break;
    }
  if (file) (void)fclose(file);
}

int main(int count, char **arguments) {
  print_machine();
  if (count > 1 && !strcmp(arguments[1], "--large")) {
    bench_large();
    return 0;
  }
  bench_bits();
  printf("claims of 200 M ids\n");
  for (int threads = 1; threads <= 8; threads *= 2) bench_claims(threads);
  bench_draws();
  bench_sets();
  printf("scan of set bits, each listed\n");
  bench_scan(2);
  bench_scan(100);
  bench_sparse();
  return 0;
}
