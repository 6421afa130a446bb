/* A command: a template compiled from parts, and what is done with its reply.
 * Made by main before a phase; read-only and shared by the workers while it runs. */
#ifndef VB_COMMAND_COMMAND_H
#define VB_COMMAND_COMMAND_H

#include "command/hooks.h"
#include "command/part.h"
#include "stats/histogram.h"

typedef struct vb_command vb_command;

/* Begins a command. `name` is copied. NULL when out of memory. */
VB_API vb_command *vb_command_new(const char *name);
VB_API void vb_command_free(vb_command *command);
/* Begins the next argument; `key`: it is a key, of which routing takes the slot. */
VB_API int vb_command_argument(vb_command *command, int key, vb_error *err);
/* Adds a part to the argument begun last; several make one argument (vb.concat, vb.json). What it
 * points to is copied, but cursors and keyspaces, which outlive the command. VB_EINVAL names
 * command, argument and field. */
VB_API int vb_command_part(vb_command *command, const vb_part *part, vb_error *err);

enum vb_processor_kind {
  VB_REPLY_HITS,    /* nil is a miss; arrays count their elements */
  VB_REPLY_EXPECT,  /* the reply's text is `text` */
  VB_REPLY_VERIFY,  /* the reply (or element i of it) is what `part` gives for the id (the i-th) */
  VB_REPLY_AGE,     /* how old the stamps in the reply are */
  VB_REPLY_RECORD,  /* the reply holds the whole record of the id in `part`'s dataset: to GET, HMGET
                       of  all fields, SMEMBERS, LRANGE or ZRANGE WITHSCORES of all members */
  VB_REPLY_FUNCTION /* on_reply: Lua function number `function` */
};

typedef struct vb_processor {
  int kind; /* enum vb_processor_kind */
  const char *text;
  size_t length;
  const vb_part *part;
  uint32_t function;
} vb_processor;

/* Adds a reply processor; they run in this order. Copies what it points to. */
VB_API int vb_command_processor(vb_command *command, const vb_processor *processor, vb_error *err);
/* Compiles; nothing may be added after it. `seed` is the run's, for content made from ids. */
VB_API int vb_command_compile(vb_command *command, uint64_t seed, vb_error *err);
/* Says that it changes its keys. */
VB_API void vb_command_set_writes(vb_command *command, int writes);
/* Says that the server may hold its reply back until there is something to reply (BLPOP). */
VB_API void vb_command_set_blocking(vb_command *command, int blocking);
enum vb_tracks {
  VB_TRACKS_NOTHING,
  VB_TRACKS_ADD,    /* success: its ids exist */
  VB_TRACKS_REMOVE, /* its ids do not exist from before it is sent; failure: they do as before */
  VB_TRACKS_OBSERVE /* a hit says that an id exists, a miss that it does not */
};
/* What success does to the trackers of the keyspaces that its keys are of; before it is compiled.
 */
VB_API void vb_command_set_tracks(vb_command *command, int tracks);
/* Says that the command runs a script by its digest: `source` is what a server that does not know
 * it is told. VB_ENOMEM does not come back: see base/bytes.h. */
VB_API void vb_command_set_script(vb_command *command, const char *source, size_t length);
VB_API const char *vb_command_name(const vb_command *command);

#ifndef VB_CDEF
enum { VB_CURRENT_MAX = 16 };

/* The operation that is being written or judged: begun with its number, filled by draws. */
typedef struct vb_operation {
  uint64_t stream; /* hash of (seed, phase name) */
  uint64_t n;
  uint64_t id;      /* drawn by the operation's first cursor; UINT64_MAX: none */
  uint64_t query;   /* of the first dataset that it asks; UINT64_MAX: none */
  vb_taker taker;   /* who runs it, for cursors that look at the tracker or have shares */
  uint64_t *places; /* where it remembers its ids: see command/effects.h; NULL: nowhere */
  uint32_t currents;
  struct {
    const vb_keyspace *keyspace;
    uint64_t id; /* first one drawn of that keyspace in this operation */
  } current[VB_CURRENT_MAX];
} vb_operation;

static inline void vb_operation_begin(vb_operation *operation, uint64_t stream, uint64_t n) {
  operation->stream = stream;
  operation->n = n;
  operation->id = UINT64_MAX;
  operation->query = UINT64_MAX;
  operation->places = NULL;
  operation->currents = 0;
}

/* The operation's id, which it has, without its sub-id. */
uint64_t vb_operation_id(const vb_operation *operation);
/* The operation's id and sub-id as a request shows them: -1 for none. */
void vb_operation_ids(const vb_operation *operation, double *id, double *sub);

/* Values of datasets: from so many bytes on they are not put together with the rest of a request
 * first, and from so many on they are sent from where they lie. Measured on loopback, client CPU of
 * loading: no difference at 4 KB, at pipeline 16 a tenth less at 8 KB, a fifth at 16 KB and more.
 */
enum { VB_COPY_ONCE = 512, VB_SEND_IN_PLACE = 8 * 1024 };

/* Bytes of a dataset that belong into a request, in front of what stands at `at` in scratch. */
typedef struct vb_borrowed {
  size_t at;
  const char *data;
  size_t length;
} vb_borrowed;

/* What a worker brings to the writing of commands. */
typedef struct vb_renderer {
  const vb_hooks *hooks;       /* NULL: no functions */
  vb_bytes scratch;            /* dynamic commands are put together here */
  vb_bytes values;             /* what vb.verify compares a reply with */
  size_t start;                /* of the request in scratch */
  bool borrows;                /* whether values of datasets may be left where they are, in */
  vb_bytes borrowed;           /* vb_borrowed, in order */
  double thread, connection;   /* for vb_request */
  vb_histogram *ages;          /* where VB_REPLY_AGE records; NULL: nowhere */
  uint64_t received_ns;        /* monotonic time of the receive that brought the reply */
  struct vb_flow_client *flow; /* whose call is being written: it fills the holes of vb.arg */
} vb_renderer;

void vb_renderer_fini(vb_renderer *renderer);

enum vb_render {
  VB_RENDER_OK,
  VB_RENDER_EXHAUSTED, /* a cursor has no more: nothing was written */
  VB_RENDER_FAILED,    /* a hook failed: its state says why */
  VB_RENDER_EMPTY,     /* its record cannot be sent (no members, no key): nothing was written */
  VB_RENDER_PROTECTED  /* it would delete an id that is protected: nothing was written */
};

/* Bytes of the request when every one has the same length (the fast way), else 0. */
size_t vb_command_fixed_size(const vb_command *command);
/* The fast way: copies the template to `to` (fixed_size bytes) and patches the holes. Hot. */
enum vb_render vb_command_fill(const vb_command *command, vb_renderer *renderer,
                               vb_operation *operation, char *to);
/* The same for `count` operations from n on, behind each other, which are begun here: of commands
 * that are not live. How many: fewer than `count` when the next one cannot be written. Hot. */
uint32_t vb_command_fill_run(const vb_command *command, uint64_t stream, uint64_t n, uint32_t count,
                             char *to);
/* The other way: leaves the request in renderer->scratch. No allocation once warm. */
enum vb_render vb_command_render(const vb_command *command, vb_renderer *renderer,
                                 vb_operation *operation);
/* What vb_command_render left; valid until the next one. Where the renderer borrows, what is in
 * `borrowed` goes between. */
const char *vb_renderer_request(const vb_renderer *renderer, size_t *length);
/* Draws what the command draws (ids, currents) without writing: for routing, later steps, replies.
 */
enum vb_render vb_command_draw(const vb_command *command, vb_operation *operation);
/* Before a command that a flow calls: what the command draws itself is not what was drawn before.
 */
void vb_operation_redraw(vb_operation *operation, const vb_command *command);
/* NULL, or which id the command repeats or needs that neither it nor the operation has drawn. */
const char *vb_command_lacks(const vb_command *command, const vb_operation *operation);
/* The number of the vb.arg that is its first key, -1 when that is no vb.arg alone. */
int vb_command_key_arg(const vb_command *command);
/* Whether it has holes of vb.arg: then only a flow can call it. */
bool vb_command_has_args(const vb_command *command);
/* Notes an id that a flow draws: the operation's and its keyspace's from now on. */
void vb_operation_note(vb_operation *operation, const vb_keyspace *keyspace, uint64_t id);
/* The slot of the command's first key for this operation (drawn before), -1 when it has no key that
 * is known without calling a function. */
int vb_command_slot(const vb_command *command, const vb_operation *operation);

/* The request that loads its script (SCRIPT LOAD); NULL when it runs none. */
const char *vb_command_script(const vb_command *command, size_t *length);
bool vb_command_writes(const vb_command *command);
/* Writes the first key for this operation (drawn before) to `to`, which has room for VB_KEY_MAX;
 * returns its length, 0 when it is longer, or known only by calling a function. */
size_t vb_command_first_key(const vb_command *command, const vb_operation *operation, char *to);
bool vb_command_is_blocking(const vb_command *command);
/* Whether it has effects, or draws what has to be remembered: see command/effects.h. */
bool vb_command_is_live(const vb_command *command);
/* Whether VB_RENDER_EMPTY can come of it. */
bool vb_command_may_be_empty(const vb_command *command);
/* Whether any processor is there, and whether one wants the reply's bytes (vb_scanner_next's
 * `keep`). */
bool vb_command_has_processors(const vb_command *command);
bool vb_command_keeps_reply(const vb_command *command);
/* Whether one is VB_REPLY_AGE. */
bool vb_command_measures_age(const vb_command *command);

typedef struct vb_outcome {
  uint32_t hits, misses; /* counted only when the command asks for vb.hits */
  uint32_t raced;        /* misses of ids that were being removed; not among the misses */
  const char *failed;    /* NULL, or the kind of error: "verify", "expect", "age",
                            "hook" */
  char message[256];     /* when failed: what was wanted and what came, printable */
} vb_outcome;

/* Runs the processors over a reply that is no error; the ids of the operation are drawn. */
void vb_command_process(const vb_command *command, vb_renderer *renderer, vb_operation *operation,
                        const vb_reply *reply, vb_outcome *outcome);
#endif

#endif
