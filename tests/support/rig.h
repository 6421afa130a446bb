/* What engine tests need around a phase: commands over one keyspace, an engine for a fake server,
 * a run to its end. For tests, one thread; everything fails the test that calls it. */
#ifndef VB_TESTS_RIG_H
#define VB_TESTS_RIG_H

#include "engine/engine.h"
#include "fake.h"

enum { RIG_KEYS = 1000, RIG_COMMANDS = 2 };

/* What may differ from a program of one GET over a uniform cursor. */
typedef struct rig_spec {
  int kind;       /* enum vb_entry_kind */
  int commands;   /* steps, 1 or 2 */
  int condition;  /* of the second */
  size_t value;   /* bytes of a value behind the key: then it is a SET */
  int repeatable; /* the steps, and a transaction of them */
  int sequential; /* the cursor ends by itself */
  int keeps;      /* a processor that wants the reply's bytes: it expects "x..." to be this long */
  uint64_t timeout_ms, connect_ms;
  size_t max_reply;
  vb_login login;
  vb_tls *tls;
  const fake *second;              /* a second server, that shares the keys with the first */
  const vb_script_factory *script; /* its function 0 sees each reply; it may take 0.3 s */
} rig_spec;

typedef struct rig {
  vb_engine *engine;
  vb_program *program;
  vb_command *commands[RIG_COMMANDS];
  vb_keyspace *keys;
  vb_cursor *cursor;
  char *value;
  vb_endpoint endpoints[2];
  vb_phase_spec phase; /* 2 clients, pipeline 4, 40 requests; for the test to change */
  vb_event event;      /* the last one */
  vb_second sum;       /* of all seconds of lane 0 that came after its warm-up */
  int ticks;
} rig;

/* An engine for the fake server, which has been started, and a phase for it. */
void rig_make(rig *self, const rig_spec *spec, const fake *server);
void rig_free(rig *self);
void rig_start(rig *self, uint32_t threads);
/* Events until the phase has ended; at most 20 seconds. */
void rig_finish(rig *self);
/* Start and finish. */
void rig_run(rig *self, uint32_t threads);
const vb_counters *rig_total(const rig *self);
/* How many errors of a kind there were in all, and the first one's message ("" for none). */
uint64_t rig_errors(const rig *self, const char *kind);
const char *rig_first(const rig *self, const char *kind);

#endif
