/* Cursors: a keyspace as a stream of ids. What is drawn is a function of the operation's number,
 * unless the cursor looks at which ids exist. Made by main; drawing is for any thread. */
#ifndef VB_KEYSPACE_CURSOR_H
#define VB_KEYSPACE_CURSOR_H

#include "keyspace/distribution.h"
#include "keyspace/keyspace.h"
#include "keyspace/refset.h"

enum vb_order {
  VB_ORDER_SEQUENTIAL, /* operation n gives the n-th id */
  VB_ORDER_UNIFORM,    /* with replacement, endless */
  VB_ORDER_SHUFFLED,   /* each id once, in an order that the seed decides; no table */
  VB_ORDER_DRAWN       /* from another distribution, with replacement, endless */
};

/* What is asked of the tracker before an id is drawn. */
enum vb_presence {
  VB_PRESENCE_ANY,
  VB_PRESENCE_EXISTING,
  VB_PRESENCE_MISSING, /* neither existing nor claimed */
  VB_PRESENCE_RATIO    /* existing with the probability `ratio`, else missing; at random only */
};

typedef struct vb_cursor_spec {
  int order; /* enum vb_order */
  vb_distribution_spec distribution;
  uint64_t first, last;           /* half-open range of ids; last 0: the keyspace's size */
  const vb_refset *only, *except; /* NULL: all; they outlive the cursor and stay as they are */
  double sample;        /* above 0 to 1: a random part of the ids, that the seed decides; 0: all */
  uint32_t overlap;     /* ordered, without filter: 1 to 1024 draws in a row give one id; 0: 1 */
  int by_slots;         /* each worker has the ids whose keys are in its share of the slots */
  uint32_t part, parts; /* share number `part` (from 0) of `parts` equal ones; parts 0: all */
  uint64_t limit;       /* ids that it gives in all; 0: no limit of its own. A limit above their
                           number makes a shuffled cursor go round */
  int wrap;             /* ordered: starts over at the end instead of ending */
  uint64_t seed;        /* of shuffling and sampling */
  int filter;           /* enum vb_presence */
  double ratio;         /* 0 to 1 */
  int claim;            /* test and set of missing ids: each is handed out once, to all workers
                           together; with wrap (of a split tracker) every id is handed out once in
                           each round: the next begins when all ids of one have been */
} vb_cursor_spec;

typedef struct vb_cursor vb_cursor;

/* VB_EINVAL names the keyspace and the field, also for filters that leave nothing. The keyspace
 * outlives the cursor. */
VB_API int vb_cursor_new(vb_cursor **out, const vb_keyspace *keyspace, const vb_cursor_spec *spec,
                         vb_error *err);
VB_API void vb_cursor_free(vb_cursor *cursor);
/* The id of draw number `index` (operation n x draws an operation + which of them) with the random
 * number `random`, in *id; 0 when the cursor has no more, else 1. Hot. */
VB_API int vb_cursor_draw(const vb_cursor *cursor, uint64_t index, uint64_t random, uint64_t *id);
/* The id behind the last one of its range. */
VB_API uint64_t vb_cursor_last(const vb_cursor *cursor);
/* 1 when it looks at the tracker, or who draws: then draws come from vb_cursor_take, and are kept
 * by who draws. */
VB_API int vb_cursor_is_live(const vb_cursor *cursor);
/* 1 when the cursor ends by itself, so that a phase over it needs no other end. */
VB_API int vb_cursor_ends(const vb_cursor *cursor);
VB_API const vb_keyspace *vb_cursor_keyspace(const vb_cursor *cursor);

#ifndef VB_CDEF
/* Who draws: worker number `worker` of `workers`. */
typedef struct vb_taker {
  uint32_t worker, workers;
} vb_taker;

/* A draw for a worker. Of a cursor that looks at the tracker each call gives another
 * id, of any other it is vb_cursor_draw. 0 when there is no more, or no id passes its filters. A
 * claimed id is the caller's until the tracker confirms or releases it. Hot. */
int vb_cursor_take(const vb_cursor *cursor, vb_taker taker, uint64_t index, uint64_t random,
                   uint64_t *id);
/* How many ids the worker is about to draw, at most, of a cursor that looks at the tracker: it
 * takes no more ahead, so that n draws of all workers are the first n ids. Adds to what was
 * expected, or begins anew. A worker of which nothing was ever expected takes up to 64 ahead. */
void vb_cursor_expect(const vb_cursor *cursor, uint32_t worker, uint64_t draws);
void vb_cursor_expect_anew(const vb_cursor *cursor, uint32_t worker);
/* 1 when the worker's share has given all that it has; others' may have more. */
int vb_cursor_share_ended(const vb_cursor *cursor, uint32_t worker);
/* 1 when each worker draws from a share of its own. */
int vb_cursor_is_shared_out(const vb_cursor *cursor);
/* A claimed id was given up, or never used: it is handed out once more. */
void vb_cursor_release(const vb_cursor *cursor, uint64_t id);
/* The worker draws no more: what it has claimed ahead can be claimed again. */
void vb_cursor_give_back(const vb_cursor *cursor, uint32_t worker);
int vb_cursor_claims(const vb_cursor *cursor);
/* 1 when it draws only existing ids. */
int vb_cursor_wants_existing(const vb_cursor *cursor);
/* The id behind `id` in the cursor's range; behind the last one comes the first. Only of cursors
 * without other filters. */
uint64_t vb_cursor_following(const vb_cursor *cursor, uint64_t id);
/* 1 when its ids are a whole range. */
int vb_cursor_is_range(const vb_cursor *cursor);
#endif

#endif
