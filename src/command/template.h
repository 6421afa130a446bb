/* What a command is made of once compiled. Private to src/command/.
 * Written by main while a command is made, read-only for workers. */
#ifndef VB_COMMAND_TEMPLATE_H
#define VB_COMMAND_TEMPLATE_H

#include "command/command.h"
#include "keyspace/format.h"
#include "keyspace/zipf.h"

#define VB_VARIABLE SIZE_MAX /* no fixed size */

enum { VB_TIMES_MAX = 1 << 20 };

/* A part with what its generator needs. */
typedef struct vb_hole {
  vb_part part; /* its text and choices are the command's own; times are at least 1 */
  const vb_keyspace *keyspace; /* of a key */
  bool remembered;             /* its ids are kept with the operation, from `place` on */
  bool tracked;                /* its ids are what the command's effects are about */
  uint32_t place;              /* among those of the program */
  vb_tracker *tracker;         /* tracked: of its keyspace */
  size_t fixed;                /* bytes, or VB_VARIABLE */
  size_t bound;                /* at most so many bytes; VB_VARIABLE: a function's */
  bool escapes;                /* keys that JSON has to escape */
  bool from_id;                /* content follows from the id alone */
  double weight_sum;
  uint64_t content;  /* from_id: a hash of what the generator makes */
  uint64_t seed;     /* of the run */
  const char *pool;  /* random characters that long values are cut from, or NULL */
  int64_t low, high; /* numbers: the ends in steps of 1 / scale */
  uint64_t scale;    /* 10^decimals */
  vb_zipf zipf;
} vb_hole;

/* Where a hole is filled in the skeleton; `k`: with which of its `times` ids. */
typedef struct vb_patch {
  const vb_hole *hole;
  size_t offset;
  uint32_t k;
} vb_patch;

typedef struct vb_argument {
  bool key;
  bool several;          /* stands for a number of arguments: a function alone, or `times` */
  uint32_t first, count; /* holes */
  size_t fixed;          /* bytes (of each of several), or VB_VARIABLE */
} vb_argument;

/* Bytes of the skeleton that are copied: between long holes, which are written anyway. */
typedef struct vb_run {
  size_t start, length;
} vb_run;

/* A run of arguments of fixed length, copied as a block of the skeleton, or one that is written. */
typedef struct vb_segment {
  const vb_argument *arguments;
  uint32_t argument_count;
  size_t start, length; /* of the block; length 0: an argument that is written */
  uint32_t first_patch, patch_count;
} vb_segment;

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
  vb_bytes skeleton, patches, segments; /* the latter of vb_patch, vb_segment */
  vb_bytes runs;                        /* vb_run: of one block, when it has long holes */
  size_t fixed_size;                    /* 0: not one block */
  const vb_patch *only_key; /* one block whose only hole is a key without tags: the most common */
  vb_bytes load;            /* SCRIPT LOAD of its script; empty: it runs none */
  bool borrows;             /* it needs an id, or repeats one, that it does not draw itself */
  bool draws_first;  /* a part that needs an id stands before the cursor that draws it, or a record
                        may be empty, or functions want to know the query */
  bool may_be_empty; /* of a record that cannot be sent */
  const vb_hole *query_hole; /* its first part of a query, or NULL */
  bool keeps_reply, measures_age, blocking;
  int tracks;           /* enum vb_tracks */
  bool live;            /* an operation with it has something to remember, or effects */
  bool has_tracked;     /* some hole is */
  bool repeats_current; /* effects are about a current id */
  bool races;           /* draws existing ids that its program removes */
  char *pool;
  vb_reply_step *processors;
  uint32_t processor_count;
  const vb_hole *id_hole;     /* its first cursor, or NULL */
  const vb_hole *literal_key; /* a first key that is literal, or NULL */
  bool writes;
  int literal_slot;             /* of a first key that is literal; -1 */
  const vb_argument *drawn_key; /* a first key that is drawn, or NULL */
};

enum { VB_POOL_SIZE = 64 * 1024 };

/* check.c */
/* Checks a part and fills what its generator needs; `where` names command and argument. */
int vb_hole_init(vb_hole *hole, const vb_part *part, const char *where, vb_error *err);
void vb_hole_fini(vb_hole *hole);
/* Whether its content needs the operation's id. */
bool vb_hole_needs_id(const vb_hole *hole);
/* Whether its bytes come from the script: a function's, or what a flow gives. */
static inline bool vb_hole_is_scripted(const vb_hole *hole) {
  return hole->part.kind == VB_PART_FUNCTION || hole->part.kind == VB_PART_ARG;
}
/* Whether long values are cut from a pool. */
bool vb_hole_needs_pool(const vb_hole *hole);

/* effects.c */
/* Which ids its effects are about; makes the trackers. VB_EINVAL when there are none. */
int vb_command_find_effects(vb_command *command, vb_error *err);
/* Gives its holes places from `first` on; the next free one. */
uint32_t vb_command_set_places(vb_command *command, uint32_t first);
/* Whether all that it remembers, and all its effects are about, is one id that it claims. */
bool vb_command_claims_one(const vb_command *command);
/* Whether it removes ids of the keyspace. */
bool vb_command_removes(const vb_command *command, const vb_keyspace *keyspace);
/* The id of a hole that is remembered: the one that the operation has, or a new one. False when the
 * cursor has no more. */
bool vb_hole_remember(const vb_hole *hole, const vb_operation *operation, uint32_t k,
                      uint64_t index, uint64_t random, uint64_t *id);
/* operation.c */
/* Sets `borrows`. */
void vb_command_note_borrows(vb_command *command);

/* layout.c */
/* Makes skeleton, patches and segments of what was added. */
void vb_command_lay_out(vb_command *command);

/* generator.c */
void vb_pool_fill(char pool[VB_POOL_SIZE], uint64_t seed);
/* Writes the part for the operation at `to` (room for `bound`); returns its length. Not for cursors
 * and functions. */
size_t vb_hole_write(const vb_hole *hole, const vb_operation *operation, char *to);
/* Writes the key of `id`; for cursors and current ids. */
size_t vb_hole_write_key(const vb_hole *hole, uint64_t id, char *to);
/* Writes `text` as it stands inside a JSON string (up to 6 bytes a character); its length. */
size_t vb_json_escape(const char *text, size_t length, char *to);
/* The length that vb_hole_write will return, when that is known before; else VB_VARIABLE. */
size_t vb_hole_size(const vb_hole *hole, const vb_operation *operation);

/* numbers.c */
/* Checks a number's part and fills low, high, scale, fixed and bound. */
int vb_number_init(vb_hole *hole, const char *where, vb_error *err);
/* Writes a number of the part's distribution from `random`. */
size_t vb_number_write(const vb_hole *hole, const vb_operation *operation, uint64_t random,
                       char *to);
/* Writes value / 10^decimals; at most VB_STEPS_BOUND bytes. */
enum { VB_STEPS_BOUND = 24 };
size_t vb_steps_write(int64_t value, unsigned decimals, char *to);

/* field.c */
/* Checks a part of a dataset, fills fixed and bound. */
int vb_hole_init_field(vb_hole *hole, const char *where, vb_error *err);
/* Number of the record of the operation's id; of the operation's query. */
uint64_t vb_hole_record(const vb_hole *hole, const vb_operation *operation);
uint64_t vb_hole_query(const vb_hole *hole, const vb_operation *operation);
/* Writes the value at `to` (room for `bound`); returns its length. */
size_t vb_hole_write_field(const vb_hole *hole, const vb_operation *operation, char *to);
/* The same behind what is in `out`, with room for what there is. */
void vb_hole_append_field(const vb_hole *hole, const vb_operation *operation, vb_bytes *out);
/* The value's bytes in the dataset, for values that are sent as they lie. */
void vb_hole_view(const vb_hole *hole, const vb_operation *operation, vb_view *out);
/* Whether values may be as long as VB_COPY_ONCE and are sent as they lie. */
bool vb_hole_is_long(const vb_hole *hole);
/* Appends members, or name and value, as arguments; how many that were. */
uint32_t vb_hole_append_arguments(const vb_hole *hole, const vb_operation *operation,
                                  vb_bytes *out);
/* Whether some records have nothing to send for this part, and whether the operation's is such a
 * one (its ids are drawn). */
bool vb_hole_may_be_empty(const vb_hole *hole);
bool vb_command_lacks_record(const vb_command *command, const vb_operation *operation);

/* vector.c */
size_t vb_vector_write(const vb_hole *hole, uint64_t random, char *to);

/* render.c */
/* vb_command_render, with one mark an argument ('k' a key, '.' another) appended to `marks` unless
 * that is NULL. */
enum vb_render vb_command_render_marked(const vb_command *command, vb_renderer *renderer,
                                        vb_operation *operation, vb_bytes *marks);
/* The id that a cursor part draws, its `k`-th; `first`: the one with k 0, for same_slot. False when
 * the cursor has ended. */
bool vb_hole_draw_id(const vb_hole *hole, const vb_operation *operation, uint32_t k, uint64_t first,
                     uint64_t *id);
/* How many ids a cursor part draws for this operation. */
uint32_t vb_hole_times(const vb_hole *hole, const vb_operation *operation);
/* The current id of a keyspace; UINT64_MAX when none was drawn. */
uint64_t vb_operation_current(const vb_operation *operation, const vb_keyspace *keyspace);
/* Writes the first key of the command; its length, or 0 when a function makes it. `to` has room for
 * VB_KEY_MAX. */
size_t vb_command_key(const vb_command *command, const vb_operation *operation, char *to);
void vb_request_make(vb_request *request, const vb_renderer *renderer,
                     const vb_operation *operation, uint64_t hole);

/* process.c */
enum { VB_QUOTED = 104 };
/* Bytes from `from` on in quotes, printable, cut. */
const char *vb_quote(const char *bytes, size_t length, size_t from, char to[VB_QUOTED]);
/* What came, also where no text can be quoted. */
const char *vb_reply_quote(const vb_reply *reply, char to[VB_QUOTED]);
/* What a mismatch is about. */
typedef struct vb_subject {
  const vb_command *command;
  const vb_operation *operation;
  uint64_t id;
} vb_subject;
/* The key of the id where the command has one, else the id. */
const char *vb_subject_name(const vb_subject *of, char to[VB_QUOTED]);

/* record.c */
/* VB_REPLY_RECORD: compares every field or member of a record. */
void vb_record_verify(const vb_reply_step *step, vb_renderer *renderer, const vb_subject *of,
                      const vb_reply *reply, vb_outcome *outcome);

/* words.c */
extern const char *const vb_words[];
extern const uint32_t vb_word_count;
enum { VB_WORD_MAX = 12 };

#endif
