/* What a command is made of once compiled. Private to command/. */
#ifndef VB_COMMAND_TEMPLATE_H
#define VB_COMMAND_TEMPLATE_H

#include "command/command.h"
#include "keyspace/zipf.h"

#define VB_VARIABLE SIZE_MAX /* no fixed size */

/* A part with what its generator needs. */
typedef struct vb_hole {
  vb_part part;         /* its text and choices are the command's own */
  uint32_t cursor_draw; /* which of `times` ids this one is */
  size_t offset;        /* in the skeleton, on the fixed way */
  size_t fixed;         /* bytes, or VB_VARIABLE */
  size_t bound;         /* at most so many bytes; VB_VARIABLE: a function's */
  double weight_sum;
  uint64_t content; /* from_id: a hash of what the generator makes */
  uint64_t seed;    /* of the run */
  const char *pool; /* random characters that long values are cut from, or NULL */
  vb_zipf zipf;
} vb_hole;

typedef struct vb_argument {
  bool key;
  bool several; /* its number of arguments varies: a function alone, or `times` that varies */
  uint32_t first, count; /* holes */
  size_t fixed;          /* bytes, or VB_VARIABLE */
} vb_argument;

typedef struct vb_reply_step {
  int kind; /* enum vb_processor_kind */
  char *text;
  size_t length;
  uint32_t function;
  vb_hole hole; /* verify */
} vb_reply_step;

struct vb_command {
  char *name;
  vb_argument *arguments;
  uint32_t argument_count;
  vb_hole *holes;
  uint32_t hole_count;
  vb_hole **patches; /* the holes to fill on the fixed way: cursors first */
  uint32_t patch_count;
  char *skeleton;
  size_t fixed_size; /* 0: the other way */
  bool several;      /* the number of arguments varies */
  bool draws_first;  /* a part that needs the id stands before the cursor that draws it */
  bool keeps_reply;
  char *pool;
  vb_reply_step *processors;
  uint32_t processor_count;
  const vb_hole *id_hole;  /* its first cursor, or NULL */
  int literal_slot;        /* of a first key that is literal; -1 */
  const vb_hole *key_hole; /* of a first key that is drawn, or NULL */
};

enum { VB_POOL_SIZE = 64 * 1024 };

/* generator.c */
/* Checks a part and fills what its generator needs; `where` names command and argument. */
int vb_hole_init(vb_hole *hole, const vb_part *part, const char *where, vb_error *err);
void vb_hole_fini(vb_hole *hole);
/* Whether its content needs the operation's id. */
bool vb_hole_needs_id(const vb_hole *hole);
/* Whether long values are cut from a pool. */
bool vb_hole_needs_pool(const vb_hole *hole);
void vb_pool_fill(char pool[VB_POOL_SIZE], uint64_t seed);
/* Writes the part for the operation at `to` (room for `bound`); returns its length. Not for cursors
 * and functions. */
size_t vb_hole_write(const vb_hole *hole, const vb_operation *operation, char *to);
/* The length that vb_hole_write will return, when that is known before; else VB_VARIABLE. */
size_t vb_hole_size(const vb_hole *hole, const vb_operation *operation);

/* numbers.c */
/* A number of the part's distribution from `random` for the operation. */
double vb_number_draw(const vb_hole *hole, const vb_operation *operation, uint64_t random);
/* Writes an integer part, or a float with `decimals` digits (below 0: the shortest that reads
 * back). */
size_t vb_integer_write(double value, char *to);
size_t vb_float_write(double value, int decimals, char *to);

/* vector.c */
size_t vb_vector_bytes(uint32_t dimensions, int dtype);
size_t vb_vector_write(const vb_hole *hole, uint64_t random, char *to);

/* render.c */
/* The id that a cursor part draws, its `k`-th. False when the cursor has ended. */
bool vb_hole_draw_id(const vb_hole *hole, const vb_operation *operation, uint32_t k, uint64_t *id);
/* Notes an id that was drawn: the operation's, when it is its first, and its keyspace's current. */
void vb_operation_note(vb_operation *operation, const vb_keyspace *keyspace, uint64_t id);
/* The current id of a keyspace; UINT64_MAX when none was drawn. */
uint64_t vb_operation_current(const vb_operation *operation, const vb_keyspace *keyspace);
/* How many ids a cursor part draws for this operation. */
uint32_t vb_hole_times(const vb_hole *hole, const vb_operation *operation);
/* All ids of a cursor part with `times`, up to `room`; returns how many, 0 when the cursor ended.
 */
uint32_t vb_hole_ids(const vb_hole *hole, const vb_operation *operation, uint64_t *ids,
                     uint32_t room);
void vb_request_make(vb_request *request, const vb_renderer *renderer,
                     const vb_operation *operation, uint64_t hole);

/* words.c */
extern const char *const vb_words[];
extern const uint32_t vb_word_count;
enum { VB_WORD_MAX = 12 };

#endif
