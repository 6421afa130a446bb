#include "command/program.h"

#include "command/template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 4096 };

/* The hole of the mix's own draw. */
#define MIX_HOLE 0x6d69780000000000ull

typedef struct row {
  const char *name;    /* the command's, or the transaction's or flow's own copy */
  vb_command *command; /* NULL: a transaction or flow */
  bool flow, called;
} row;

struct vb_program {
  vb_entry *entries;
  double *weights;
  char **names; /* of transactions, by entry; else NULL */
  uint32_t entry_count;
  vb_step *callable; /* what flows may call, and one step for MULTI and EXEC */
  uint32_t callable_count;
  row *rows;
  uint32_t row_count, most_steps, places;
  bool ends, flows;
};

vb_program *vb_program_new(void) {
  return calloc(1, sizeof(vb_program));
}

void vb_program_free(vb_program *program) {
  if (!program) return;
  for (uint32_t i = 0; i < program->entry_count; i++) {
    if (program->entries[i].kind != VB_ENTRY_FLOW) free(program->entries[i].steps);
    free(program->names[i]);
  }
  free(program->callable);
  free(program->entries);
  free(program->weights);
  free(program->names);
  free(program->rows);
  free(program);
}

static int no_memory(vb_error *err) {
  return vb_fail(err, VB_ENOMEM, "out of memory: a mix of commands");
}

static int add_entry(vb_program *program, int kind, double weight, const char *name,
                     vb_error *err) {
  if (!(weight > 0) || !isfinite(weight))
    return vb_fail(err, VB_EINVAL, "a mix: weight %g: any number above 0", weight);
  uint32_t count = program->entry_count;
  vb_entry *entries = realloc(program->entries, (count + 1) * sizeof *entries);
  if (entries) program->entries = entries;
  double *weights = realloc(program->weights, (count + 1) * sizeof *weights);
  if (weights) program->weights = weights;
  char **names = realloc(program->names, (count + 1) * sizeof *names);
  if (names) program->names = names;
  char *copy = name ? strdup(name) : NULL;
  if (!entries || !weights || !names || (name && !copy)) {
    free(copy);
    return no_memory(err);
  }
  entries[count] = (vb_entry){.kind = kind, .retries = -1};
  weights[count] = weight;
  names[count] = copy;
  program->entry_count++;
  return VB_OK;
}

int vb_program_entry(vb_program *program, int kind, double weight, const char *name,
                     vb_error *err) {
  if (kind < VB_ENTRY_COMMAND || kind == VB_ENTRY_FLOW || kind > VB_ENTRY_SUBSCRIBER)
    return vb_fail(err, VB_EINVAL, "a mix: no such kind of entry: %d", kind);
  return add_entry(program, kind, weight, name, err);
}

int vb_program_flow(vb_program *program, double weight, const char *name, uint32_t number,
                    vb_error *err) {
  int failed = add_entry(program, VB_ENTRY_FLOW, weight, name, err);
  if (!failed) program->entries[program->entry_count - 1].flow = number;
  program->flows = true;
  return failed;
}

int vb_program_callable(vb_program *program, vb_command *command, int repeatable, int retries,
                        vb_error *err) {
  vb_step *steps =
      realloc(program->callable, (program->callable_count + 2) * sizeof *program->callable);
  if (!steps) return no_memory(err);
  program->callable = steps;
  steps[program->callable_count++] =
      (vb_step){.command = command, .repeatable = repeatable != 0, .retries = retries};
  steps[program->callable_count] = (vb_step){.command = NULL};
  return VB_OK;
}

static bool is_single(const vb_entry *entry) {
  return entry->kind == VB_ENTRY_COMMAND || entry->kind == VB_ENTRY_SUBSCRIBER;
}

int vb_program_step(vb_program *program, vb_command *command, int condition, uint32_t function,
                    vb_error *err) {
  if (!program->entry_count) return vb_fail(err, VB_EINVAL, "a step before the first entry");
  vb_entry *entry = &program->entries[program->entry_count - 1];
  if (condition < VB_ALWAYS || condition > VB_WHEN_FUNCTION)
    return vb_fail(err, VB_EINVAL, "command '%s': no such condition: %d", command->name, condition);
  if (entry->step_count == STEPS_MAX || (entry->step_count && is_single(entry)))
    return vb_fail(err, VB_EINVAL, "command '%s': step %u of an entry; %d are possible",
                   command->name, entry->step_count + 1, is_single(entry) ? 1 : STEPS_MAX);
  vb_step *steps = realloc(entry->steps, (entry->step_count + 1) * sizeof *steps);
  if (!steps) return no_memory(err);
  entry->steps = steps;
  steps[entry->step_count++] =
      (vb_step){.command = command, .function = function, .condition = (uint8_t)condition};
  return VB_OK;
}

void vb_program_repeatable_step(vb_program *program) {
  vb_entry *entry = &program->entries[program->entry_count - 1];
  entry->steps[entry->step_count - 1].repeatable = true;
}

void vb_program_retry(vb_program *program, int retries, int repeatable) {
  vb_entry *entry = &program->entries[program->entry_count - 1];
  entry->retries = retries;
  entry->repeatable = repeatable != 0;
}

static int find_row(vb_program *program, vb_command *command, const char *name, uint32_t *index) {
  for (uint32_t i = 0; command && i < program->row_count; i++) {
    if (program->rows[i].command != command) continue;
    *index = i;
    return VB_OK;
  }
  row *rows = realloc(program->rows, (program->row_count + 1) * sizeof *rows);
  if (!rows) return VB_ENOMEM;
  program->rows = rows;
  *index = program->row_count;
  rows[program->row_count++] = (row){.name = name, .command = command};
  return VB_OK;
}

/* The name of the row of MULTI and EXEC: no command's. */
static const char *exec_name(const vb_program *program) {
  for (uint32_t i = 0; i < program->callable_count; i++)
    if (!strcmp(program->callable[i].command->name, "exec")) return "multi-exec";
  return "exec";
}

static int make_callable_rows(vb_program *program) {
  for (uint32_t i = 0; i <= program->callable_count; i++) {
    vb_step *step = &program->callable[i];
    uint32_t before = program->row_count;
    const char *name = step->command ? step->command->name : exec_name(program);
    if (find_row(program, step->command, name, &step->row)) return VB_ENOMEM;
    if (program->row_count > before) program->rows[before].called = true;
  }
  return VB_OK;
}

static int make_flow_row(vb_program *program, uint32_t index) {
  vb_entry *entry = &program->entries[index];
  entry->steps = program->callable;
  for (uint32_t i = 0; i < index; i++) {
    if (program->entries[i].kind != VB_ENTRY_FLOW || program->entries[i].flow != entry->flow)
      continue;
    entry->row = program->entries[i].row;
    return VB_OK;
  }
  if (find_row(program, NULL, program->names[index], &entry->row)) return VB_ENOMEM;
  program->rows[entry->row].flow = true;
  return VB_OK;
}

/* An entry that only claims an id is as good as plain. */
static void note_plain(vb_entry *entry) {
  const vb_command *first = entry->steps[0].command;
  bool simple = entry->kind == VB_ENTRY_COMMAND && !vb_command_has_processors(first) &&
                !vb_command_is_blocking(first);
  entry->claims = simple && vb_command_claims_one(first);
  entry->plain = simple && (!first->live || entry->claims);
  entry->single = entry->kind == VB_ENTRY_COMMAND && entry->step_count == 1 && !first->live;
}

/* One row a command or flow in order of first use, then one a transaction, then what only flows
 * call. */
static int make_rows(vb_program *program) {
  for (uint32_t i = 0; i < program->entry_count; i++) {
    vb_entry *entry = &program->entries[i];
    if (entry->kind == VB_ENTRY_FLOW) {
      if (make_flow_row(program, i)) return VB_ENOMEM;
      continue;
    }
    for (uint32_t k = 0; k < entry->step_count; k++) {
      vb_step *step = &entry->steps[k];
      if (find_row(program, step->command, step->command->name, &step->row)) return VB_ENOMEM;
    }
    entry->row = entry->steps[0].row;
    note_plain(entry);
  }
  for (uint32_t i = 0; i < program->entry_count; i++) {
    vb_entry *entry = &program->entries[i];
    if (entry->kind != VB_ENTRY_TRANSACTION) continue;
    const char *name = program->names[i] ? program->names[i] : "transaction";
    if (find_row(program, NULL, name, &entry->row)) return VB_ENOMEM;
  }
  return program->flows ? make_callable_rows(program) : VB_OK;
}

static bool draws(const vb_hole *hole, const vb_keyspace *keyspace) {
  return hole->part.kind == VB_PART_CURSOR && (!keyspace || hole->keyspace == keyspace);
}

/* Whether a cursor of the entry up to and with step `last` draws from a keyspace (any: NULL). */
static bool drawn(const vb_entry *entry, uint32_t last, const vb_keyspace *keyspace) {
  for (uint32_t k = 0; k <= last; k++)
    for (uint32_t i = 0; i < entry->steps[k].command->hole_count; i++)
      if (draws(&entry->steps[k].command->holes[i], keyspace)) return true;
  return false;
}

/* Whether a part, or what vb.verify compares with, has the id that it repeats or follows from. */
static int check_id(const vb_entry *entry, uint32_t index, const vb_hole *hole, vb_error *err) {
  bool current = hole->part.kind == VB_PART_CURRENT;
  if (!vb_hole_needs_id(hole) || drawn(entry, index, current ? hole->keyspace : NULL)) return VB_OK;
  return vb_fail(err, VB_EINVAL, "command '%s': %s, but nothing in it or before it draws one",
                 entry->steps[index].command->name,
                 current ? "current() repeats an id of its keyspace" : "a value needs an id");
}

/* The cursor that draws the operation's id, among the steps up to `last`; NULL: none. */
static const vb_cursor *id_cursor(const vb_entry *entry, uint32_t last) {
  for (uint32_t k = 0; k <= last; k++)
    if (entry->steps[k].command->id_hole) return entry->steps[k].command->id_hole->part.cursor;
  return NULL;
}

/* Whether the records of a dataset are as many as the ids that can be drawn. */
static int check_records(const vb_entry *entry, uint32_t index, const vb_hole *hole,
                         vb_error *err) {
  bool record = hole->part.kind == VB_PART_FIELD || hole->part.kind == VB_PART_MEMBERS;
  const vb_cursor *cursor = id_cursor(entry, index);
  if (!record || hole->part.wrap || !cursor) return VB_OK;
  uint64_t last = vb_cursor_last(cursor), records = vb_dataset_schema(hole->part.dataset)->records;
  if (last <= records) return VB_OK;
  return vb_fail(err, VB_EINVAL,
                 "command '%s': ids up to %llu, and %s has %llu records; ds.record(name, \"wrap\") "
                 "begins again behind the last",
                 entry->steps[index].command->name, (unsigned long long)last - 1,
                 vb_dataset_path(hole->part.dataset), (unsigned long long)records);
}

static int check_ids(const vb_entry *entry, uint32_t index, vb_error *err) {
  const vb_command *command = entry->steps[index].command;
  int failed = VB_OK;
  for (uint32_t i = 0; i < command->hole_count && !failed; i++)
    failed = check_id(entry, index, &command->holes[i], err);
  for (uint32_t i = 0; i < command->hole_count && !failed; i++)
    failed = check_records(entry, index, &command->holes[i], err);
  for (uint32_t i = 0; i < command->processor_count && !failed; i++)
    if (command->processors[i].kind == VB_REPLY_VERIFY ||
        command->processors[i].kind == VB_REPLY_RECORD)
      failed = check_id(entry, index, &command->processors[i].hole, err);
  return failed;
}

/* An operation remembers the current ids of so many keyspaces. */
static int check_currents(const vb_entry *entry, vb_error *err) {
  const vb_keyspace *seen[VB_CURRENT_MAX];
  uint32_t count = 0;
  for (uint32_t k = 0; k < entry->step_count; k++) {
    const vb_command *command = entry->steps[k].command;
    for (uint32_t i = 0; i < command->hole_count; i++) {
      const vb_keyspace *keyspace = command->holes[i].keyspace;
      uint32_t at = 0;
      while (at < count && seen[at] != keyspace) at++;
      if (!keyspace || at < count) continue;
      if (count == VB_CURRENT_MAX)
        return vb_fail(err, VB_EINVAL,
                       "command '%s': an operation with keys of more than %d "
                       "keyspaces",
                       command->name, VB_CURRENT_MAX);
      seen[count++] = keyspace;
    }
  }
  return VB_OK;
}

static int check_entry(const vb_program *program, const vb_entry *entry, vb_error *err) {
  if (entry->kind == VB_ENTRY_FLOW) return VB_OK; /* what it calls is known when it does */
  if (!entry->step_count) return vb_fail(err, VB_EINVAL, "nothing to run: an entry has no steps");
  if (entry->kind == VB_ENTRY_SUBSCRIBER && program->entry_count > 1)
    return vb_fail(err, VB_EINVAL, "subscriber '%s' is one of a mix; it runs by itself",
                   entry->steps[0].command->name);
  if (entry->steps[0].condition != VB_ALWAYS)
    return vb_fail(err, VB_EINVAL,
                   "command '%s': when() needs a step before it, whose reply decides",
                   entry->steps[0].command->name);
  for (uint32_t k = 0; k < entry->step_count; k++) {
    if (entry->kind == VB_ENTRY_TRANSACTION && entry->steps[k].condition != VB_ALWAYS)
      return vb_fail(err, VB_EINVAL, "command '%s': when() has no place in a transaction",
                     entry->steps[k].command->name);
    if (vb_command_has_args(entry->steps[k].command))
      return vb_fail(err, VB_EINVAL, "command '%s' has a vb.arg: only a flow can call it",
                     entry->steps[k].command->name);
    int failed = check_ids(entry, k, err);
    if (failed) return failed;
  }
  return check_currents(entry, err);
}

/* Weights as shares of 2^64 - 1, cumulative; the last one takes what rounding leaves. */
static void share(vb_program *program) {
  double sum = 0, below = 0;
  for (uint32_t i = 0; i < program->entry_count; i++) sum += program->weights[i];
  for (uint32_t i = 0; i < program->entry_count; i++) {
    below += program->weights[i] / sum;
    double scaled = below * 0x1p64;
    bool last = i + 1 == program->entry_count || scaled >= 0x1.fffffffffffffp63;
    program->entries[i].below = last ? UINT64_MAX : (uint64_t)scaled;
  }
}

static bool command_ends(const vb_command *command) {
  for (uint32_t i = 0; i < command->hole_count; i++)
    if (command->holes[i].part.kind == VB_PART_CURSOR &&
        vb_cursor_ends(command->holes[i].part.cursor))
      return true;
  return false;
}

/* Whether some command of the program removes ids that this one draws as existing. */
static bool races(const vb_program *program, const vb_command *command) {
  if (!command->id_hole || !vb_cursor_wants_existing(command->id_hole->part.cursor)) return false;
  for (uint32_t i = 0; program->flows && i < program->callable_count; i++)
    if (vb_command_removes(program->callable[i].command, command->id_hole->keyspace)) return true;
  for (uint32_t i = 0; i < program->entry_count; i++)
    for (uint32_t k = 0; k < program->entries[i].step_count; k++)
      if (vb_command_removes(program->entries[i].steps[k].command, command->id_hole->keyspace))
        return true;
  return false;
}

/* Whether it stands beside other commands in an operation. */
static bool has_company(const vb_program *program, const vb_command *command) {
  for (uint32_t i = 0; i < program->entry_count; i++)
    for (uint32_t k = 0; k < program->entries[i].step_count; k++)
      if (program->entries[i].steps[k].command == command && program->entries[i].step_count > 1)
        return true;
  return false;
}

/* A command has its places once, in however many steps it stands; those that stand alone all have
 * the first ones. */
static void give_places(vb_program *program) {
  uint32_t next = 0;
  for (uint32_t i = 0; i < program->row_count; i++) {
    vb_command *command = program->rows[i].command;
    if (!command) continue;
    uint32_t first = has_company(program, command) ? next : 0;
    uint32_t end = vb_command_set_places(command, first);
    if (first || has_company(program, command)) next = end;
    if (end > program->places) program->places = end;
    command->races = races(program, command);
  }
}

int vb_program_compile(vb_program *program, vb_error *err) {
  if (!program->entry_count) return vb_fail(err, VB_EINVAL, "nothing to run: the mix is empty");
  if (program->flows && !program->callable_count)
    return vb_fail(err, VB_EINVAL, "a flow, and no command that it could call");
  for (uint32_t i = 0; i < program->entry_count; i++) {
    vb_entry *entry = &program->entries[i];
    int failed = check_entry(program, entry, err);
    if (failed) return failed;
    if (entry->step_count > program->most_steps) program->most_steps = entry->step_count;
    for (uint32_t k = 0; k < entry->step_count; k++) {
      entry->live |= vb_command_is_live(entry->steps[k].command);
      if (!vb_program_subscribes(program)) program->ends |= command_ends(entry->steps[k].command);
    }
  }
  for (uint32_t i = 0; program->flows && i < program->callable_count; i++)
    program->ends |= command_ends(program->callable[i].command);
  share(program);
  if (make_rows(program)) return no_memory(err);
  give_places(program);
  return VB_OK;
}

uint32_t vb_program_places(const vb_program *program) {
  bool live = false;
  for (uint32_t i = 0; i < program->entry_count; i++) live |= program->entries[i].live;
  for (uint32_t i = 0; program->flows && i < program->callable_count; i++)
    live |= vb_command_is_live(program->callable[i].command);
  return live && !program->places ? 1 : program->places;
}

/* Calls what takes a cursor and a worker for the cursors of a command. */
static void for_cursors(const vb_command *command, uint32_t worker,
                        void (*call)(const vb_cursor *, uint32_t)) {
  for (uint32_t k = 0; command && k < command->hole_count; k++)
    if (command->holes[k].part.kind == VB_PART_CURSOR) call(command->holes[k].part.cursor, worker);
}

/* Whether a cursor of the program has shares; asked of a worker, also that its share has ended. */
static bool any_share(const vb_program *program, const uint32_t *worker) {
  for (uint32_t i = 0; i < program->row_count; i++) {
    const vb_command *command = program->rows[i].command;
    for (uint32_t k = 0; command && k < command->hole_count; k++) {
      const vb_part *part = &command->holes[k].part;
      if (part->kind == VB_PART_CURSOR && vb_cursor_is_shared_out(part->cursor) &&
          (!worker || vb_cursor_share_ended(part->cursor, *worker)))
        return true;
    }
  }
  return false;
}

int vb_program_is_shared_out(const vb_program *program) {
  return any_share(program, NULL);
}

int vb_program_share_ended(const vb_program *program, uint32_t worker) {
  return any_share(program, &worker);
}

void vb_program_give_back(const vb_program *program, uint32_t worker) {
  for (uint32_t i = 0; i < program->row_count; i++)
    for_cursors(program->rows[i].command, worker, vb_cursor_give_back);
}

static void expect(const vb_entry *entry, uint32_t worker, uint64_t operations) {
  for (uint32_t i = 0; entry->live && i < entry->step_count; i++) {
    const vb_command *command = entry->steps[i].command;
    for (uint32_t k = 0; k < command->hole_count; k++) {
      const vb_part *part = &command->holes[k].part;
      uint64_t times = part->times_max > 1 ? part->times_max : 1;
      if (part->kind == VB_PART_CURSOR) vb_cursor_expect(part->cursor, worker, operations * times);
    }
  }
}

void vb_program_expect(const vb_program *program, uint32_t worker, uint64_t stream, uint64_t first,
                       uint64_t end) {
  if (program->flows) return;
  for (uint32_t i = 0; i < program->row_count; i++)
    for_cursors(program->rows[i].command, worker, vb_cursor_expect_anew);
  if (program->entry_count == 1) expect(program->entries, worker, end - first);
  for (uint64_t n = first; program->entry_count > 1 && n < end; n++)
    expect(vb_program_pick(program, stream, n), worker, 1);
}

uint32_t vb_program_rows(const vb_program *program) {
  return program->row_count;
}

const char *vb_program_row_name(const vb_program *program, uint32_t index) {
  return index < program->row_count ? program->rows[index].name : NULL;
}

int vb_program_row_is_transaction(const vb_program *program, uint32_t index) {
  return index < program->row_count && !program->rows[index].command && !program->rows[index].flow;
}

int vb_program_row_is_flow(const vb_program *program, uint32_t index) {
  return index < program->row_count && program->rows[index].flow;
}

uint32_t vb_program_entry_index(const vb_program *program, const vb_entry *entry) {
  return (uint32_t)(entry - program->entries);
}

int vb_program_row_is_called(const vb_program *program, uint32_t index) {
  return index < program->row_count && program->rows[index].called;
}

uint32_t vb_program_callable_count(const vb_program *program) {
  return program->callable_count;
}

int vb_program_has_flows(const vb_program *program) {
  return program->flows;
}

/* Whether a command that blocks, of an entry but a transaction, has this row. */
static bool blocks_in_entry(const vb_program *program, uint32_t index) {
  for (uint32_t i = 0; i < program->entry_count; i++) {
    const vb_entry *entry = &program->entries[i];
    if (entry->kind == VB_ENTRY_TRANSACTION) continue;
    for (uint32_t k = 0; k < entry->step_count; k++)
      if (entry->steps[k].row == index && vb_command_is_blocking(entry->steps[k].command))
        return true;
  }
  return false;
}

int vb_program_row_waits(const vb_program *program, uint32_t index) {
  for (uint32_t i = 0; program->flows && i < program->callable_count; i++)
    if (program->callable[i].row == index && vb_command_is_blocking(program->callable[i].command))
      return 1;
  return blocks_in_entry(program, index);
}

int vb_program_subscribes(const vb_program *program) {
  return program->entries[0].kind == VB_ENTRY_SUBSCRIBER;
}

int vb_program_has_scripts(const vb_program *program) {
  size_t length;
  for (uint32_t i = 0; i < program->row_count; i++)
    if (program->rows[i].command && vb_command_script(program->rows[i].command, &length)) return 1;
  return 0;
}

int vb_program_waits(const vb_program *program) {
  for (uint32_t i = 0; i < program->row_count; i++)
    if (blocks_in_entry(program, i)) return 1;
  return 0;
}

int vb_program_may_block(const vb_program *program) {
  for (uint32_t i = 0; i < program->row_count; i++)
    if (vb_program_row_waits(program, i)) return 1;
  return 0;
}

int vb_program_row_has_ages(const vb_program *program, uint32_t index) {
  const vb_command *command = index < program->row_count ? program->rows[index].command : NULL;
  return command && vb_command_measures_age(command);
}

int vb_program_may_skip(const vb_program *program) {
  for (uint32_t i = 0; i < program->row_count; i++)
    if (program->rows[i].command && program->rows[i].command->may_be_empty) return 1;
  return 0;
}

int vb_program_ends(const vb_program *program) {
  return program->ends;
}

uint32_t vb_program_most_steps(const vb_program *program) {
  return program->most_steps;
}

bool vb_program_is_one(const vb_program *program) {
  return program->entry_count == 1;
}

const vb_entry *vb_program_pick(const vb_program *program, uint64_t stream, uint64_t n) {
  const vb_entry *entry = program->entries;
  if (program->entry_count == 1) return entry;
  uint64_t random = vb_draw(stream, n, MIX_HOLE);
  while (random > entry->below) entry++;
  return entry;
}

enum vb_render vb_entry_draw(const vb_entry *entry, uint32_t step, vb_operation *operation,
                             uint64_t stream, uint64_t n) {
  vb_operation_begin(operation, stream, n);
  return vb_entry_draw_steps(entry, step, operation);
}

enum vb_render vb_entry_draw_steps(const vb_entry *entry, uint32_t step, vb_operation *operation) {
  for (uint32_t i = 0; i < step; i++) {
    enum vb_render why = vb_command_draw(entry->steps[i].command, operation);
    if (why) return why;
  }
  return VB_RENDER_OK;
}

const vb_keyspace *vb_program_keyspace(const vb_program *program, const vb_keyspace *keyspace) {
  const char *name = vb_keyspace_name(keyspace);
  for (uint32_t i = 0; i < program->callable_count; i++) {
    const vb_command *command = program->callable[i].command;
    for (uint32_t k = 0; k < command->hole_count; k++) {
      const vb_keyspace *one = command->holes[k].keyspace;
      if (one && !strcmp(vb_keyspace_name(one), name)) return one;
    }
  }
  return keyspace;
}
