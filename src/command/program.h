/* A program: what the operations of a phase may be. A mix of entries; an entry is a command, a
 * sequence or a transaction, as a list of steps, or a flow of the script. Operation n picks one.
 * Made by main before a phase; read-only and shared by the workers while it runs. */
#ifndef VB_COMMAND_PROGRAM_H
#define VB_COMMAND_PROGRAM_H

#include "command/command.h"

enum vb_entry_kind {
  VB_ENTRY_COMMAND,
  VB_ENTRY_SEQUENCE,
  VB_ENTRY_TRANSACTION,
  VB_ENTRY_FLOW,
  VB_ENTRY_SUBSCRIBER, /* its only step subscribes; alone in its program */
  VB_ENTRY_LOAD        /* of no program: a SCRIPT LOAD that the engine sends by itself */
};

/* When a step of a sequence runs, judged by the reply of the step before it. */
enum vb_condition { VB_ALWAYS, VB_WHEN_HIT, VB_WHEN_MISS, VB_WHEN_OK, VB_WHEN_FUNCTION };

typedef struct vb_program vb_program;

VB_API vb_program *vb_program_new(void);
/* Frees the program, not the commands. */
VB_API void vb_program_free(vb_program *program);
/* Begins an entry with a weight > 0, not for flows. `name` is the transaction's, else NULL. */
VB_API int vb_program_entry(vb_program *program, int kind, double weight, const char *name,
                            vb_error *err);
/* Adds a step to the entry begun last. The (compiled) command outlives the program. */
VB_API int vb_program_step(vb_program *program, vb_command *command, int condition,
                           uint32_t function, vb_error *err);
/* Says of the step added last that doing it twice is the same as doing it once. */
VB_API void vb_program_repeatable_step(vb_program *program);
/* Says of the entry begun last how often it may be sent again (-1: as the phase says; that is so
 * when nothing is said), and whether a transaction done twice is the same as done once. */
VB_API void vb_program_retry(vb_program *program, int retries, int repeatable);
/* Adds an entry that is flow number `number` of the script. */
VB_API int vb_program_flow(vb_program *program, double weight, const char *name, uint32_t number,
                           vb_error *err);
/* Adds a command that flows may call, in the order of their numbers; it outlives the program.
 * `repeatable`: doing it twice is the same as doing it once. `retries`: how often a run that has
 * called it may be begun again; -1: as the phase says. */
VB_API int vb_program_callable(vb_program *program, vb_command *command, int repeatable,
                               int retries, vb_error *err);
VB_API uint32_t vb_program_callable_count(const vb_program *program);
/* Checks (a current() that has nothing to repeat, an entry without steps, a first step with a
 * condition) and finishes. */
VB_API int vb_program_compile(vb_program *program, vb_error *err);
/* Rows of statistics: one a command or flow in order of first use, then one a transaction; where
 * there are flows, one more a command that only they call, and one for MULTI and EXEC of flows. */
VB_API uint32_t vb_program_rows(const vb_program *program);
VB_API const char *vb_program_row_name(const vb_program *program, uint32_t row);
/* Of a transaction, or of MULTI and EXEC of flows: its commands are counted in rows of their own.
 */
VB_API int vb_program_row_is_transaction(const vb_program *program, uint32_t row);
/* Whether the row has times of waiting in place of a latency: its command blocks, outside of a
 * transaction, in which none does. */
VB_API int vb_program_row_waits(const vb_program *program, uint32_t row);
/* Whether the row has ages besides its latency: its command has VB_REPLY_AGE. */
VB_API int vb_program_row_has_ages(const vb_program *program, uint32_t row);
/* Of whole runs of a flow, whose calls are counted and timed in rows of their own. */
VB_API int vb_program_row_is_flow(const vb_program *program, uint32_t row);
/* Of something that only flows call: a phase may well not use it. */
VB_API int vb_program_row_is_called(const vb_program *program, uint32_t row);
VB_API int vb_program_has_flows(const vb_program *program);
/* 1 when a cursor of the program ends by itself, so that a phase needs no other end. */
VB_API int vb_program_ends(const vb_program *program);

/* Whether its operations are the messages of a subscription. */
VB_API int vb_program_subscribes(const vb_program *program);
/* Whether some command runs a script. */
VB_API int vb_program_has_scripts(const vb_program *program);
/* The same of the whole program, calls of flows included. */
VB_API int vb_program_may_block(const vb_program *program);
/* Whether a command or sequence may wait for as long as the server likes. */
VB_API int vb_program_waits(const vb_program *program);

/* 1 when operations may be skipped because their record cannot be sent. */
VB_API int vb_program_may_skip(const vb_program *program);
/* Steps of its longest entry. */
VB_API uint32_t vb_program_most_steps(const vb_program *program);

#ifndef VB_CDEF
typedef struct vb_step {
  vb_command *command;
  uint32_t row;      /* of the command's statistics */
  uint32_t function; /* VB_WHEN_FUNCTION */
  uint8_t condition; /* enum vb_condition */
  bool repeatable;   /* done twice it leaves what it leaves when it is done once */
  int retries;       /* of what a flow may call: as of an entry */
} vb_step;

typedef struct vb_entry {
  int kind;        /* enum vb_entry_kind */
  bool plain;      /* one command without reply processors, that does not block */
  bool single;     /* one command, of which nothing has to be remembered */
  bool repeatable; /* a transaction: as of a step */
  bool claims;     /* plain, but for one id that it claims, which its flight may remember */
  bool live;       /* its operations remember their ids: see command/effects.h */
  int retries;     /* how often it may be sent again; -1: as often as the phase says */
  uint32_t row;    /* of the transaction's or flow's statistics; else of the first step's */
  uint32_t step_count;
  /* A flow has none of its own: here are the commands that it may call, by number, and behind them
   * one without a command that stands for MULTI and EXEC. */
  vb_step *steps;
  uint32_t flow;  /* its number */
  uint64_t below; /* drawn when the mix draw is at or below this: cumulative, scaled to 2^64 - 1 */
} vb_entry;

/* The entry of operation n; one compare when there is only one. Hot. */
const vb_entry *vb_program_pick(const vb_program *program, uint64_t stream, uint64_t n);
/* Which one an entry of the program is, from 0, in the order in which they were added. */
uint32_t vb_program_entry_index(const vb_program *program, const vb_entry *entry);
/* Whether there is one entry, which all operations are of. */
bool vb_program_is_one(const vb_program *program);
/* The keyspace of a name as the commands that flows call have it; `keyspace` when none has it. */
const vb_keyspace *vb_program_keyspace(const vb_program *program, const vb_keyspace *keyspace);
/* How many ids its operations remember at most, all entries together; 0: none has to. */
uint32_t vb_program_places(const vb_program *program);
/* The worker is about to do operations first .. end - 1: its cursors take no more ids ahead than
 * these draw. Not of flows, of which nobody knows. */
void vb_program_expect(const vb_program *program, uint32_t worker, uint64_t stream, uint64_t first,
                       uint64_t end);
/* Whether each worker draws from a share of its own; whether that of a worker has ended. */
int vb_program_is_shared_out(const vb_program *program);
int vb_program_share_ended(const vb_program *program, uint32_t worker);
/* The worker draws no more in this phase. */
void vb_program_give_back(const vb_program *program, uint32_t worker);
/* The same for an operation that has begun: draws the ids of the steps before `step`. */
enum vb_render vb_entry_draw_steps(const vb_entry *entry, uint32_t step, vb_operation *operation);
/* Begins operation n and draws the ids of the steps of `entry` before `step`. */
enum vb_render vb_entry_draw(const vb_entry *entry, uint32_t step, vb_operation *operation,
                             uint64_t stream, uint64_t n);
/* Appends operation n's request (every step, MULTI and EXEC included; of a flow what it sends
 * before the first reply) to `out`, and to `keys` one byte an argument: 'k' a key, '.' another, and
 * '\n' behind each step; for `check`. VB_ESCRIPT when a hook fails, VB_EINVAL when a cursor has
 * ended. */
int vb_program_show(const vb_program *program, vb_renderer *renderer, uint64_t stream, uint64_t n,
                    vb_bytes *out, vb_bytes *keys, vb_error *err);
#endif

#endif
