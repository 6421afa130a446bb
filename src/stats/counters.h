/* What is counted beside latency: per command and phase, per worker, merged after the run.
 * One writer; padded by its owner. Read by Lua through the FFI after a merge. */
#ifndef VB_STATS_COUNTERS_H
#define VB_STATS_COUNTERS_H

#include "stats/histogram.h"

/* Everything that sums. Names are those of the report. */
typedef struct vb_counters {
  uint64_t operations;   /* finished, well or not */
  uint64_t requests;     /* commands answered well */
  uint64_t errors;       /* commands not answered well, of every kind */
  uint64_t hits, misses; /* vb.hits */
  uint64_t bytes_sent, bytes_received;
  uint64_t timeouts, connection_errors, reconnects;
  uint64_t retries, gave_up, moved, ask;
  uint64_t unknown, conflicts, raced, dropped, empty, pushes, invalidations;
  /* Open loop: not sent or timed out; their age is in the response times, which were longer. */
  uint64_t unanswered;
} vb_counters;

/* into += from, field by field. */
VB_API void vb_counters_add(vb_counters *into, const vb_counters *from);

enum { VB_ERROR_KINDS = 24, VB_ERROR_KIND_LENGTH = 32, VB_ERROR_FIRST_LENGTH = 256 };

typedef struct vb_error_kind {
  char name[VB_ERROR_KIND_LENGTH];   /* "OOM", "ERR", "verify", "timeout"; NUL-terminated */
  char first[VB_ERROR_FIRST_LENGTH]; /* the first message in full, printable, cut at the end */
  uint64_t count;
} vb_error_kind;

/* Errors by kind. When there are more kinds than room, the last one is "other". */
typedef struct vb_error_table {
  uint32_t used;
  vb_error_kind kinds[VB_ERROR_KINDS];
} vb_error_table;

/* Counts an error of kind `name` (not NUL-terminated). The message is kept when it is the first. */
VB_API void vb_error_table_count(vb_error_table *table, const char *name, size_t name_length,
                                 const char *message, size_t message_length);
/* Counts an error reply: its kind is the first word of `text` (the reply without '-'). */
VB_API void vb_error_table_reply(vb_error_table *table, const char *text, size_t length);
VB_API void vb_error_table_merge(vb_error_table *into, const vb_error_table *from);

enum { VB_SLOWEST = 20 };

typedef struct vb_slow {
  uint64_t latency_ns;
  uint64_t n;       /* operation */
  uint64_t id;      /* its id; UINT64_MAX: none */
  uint64_t at_ns;   /* monotonic time of the reply */
  uint32_t command; /* index in the phase's table of commands */
  uint32_t node;
} vb_slow;

/* The slowest operations seen: a heap whose root is the fastest of them. Zeroed memory is empty. */
typedef struct vb_slowest {
  uint32_t used;
  vb_slow entries[VB_SLOWEST];
} vb_slowest;

/* Latency that a new one must exceed to get in: 0 until there are VB_SLOWEST. */
VB_API uint64_t vb_slowest_floor(const vb_slowest *slowest);
VB_API void vb_slowest_add(vb_slowest *slowest, const vb_slow *entry);
VB_API void vb_slowest_merge(vb_slowest *into, const vb_slowest *from);
/* Slowest first, in place; the heap is then only to be read. */
VB_API void vb_slowest_sort(vb_slowest *slowest);

#endif
