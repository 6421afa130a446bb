#include "command/effects.h"

#include "command/template.h"

/* Above the id in a place: the operation has claimed it, or has begun to remove it. */
#define CLAIMED (1ull << 62)
#define BEGUN (1ull << 61)
#define ID_MASK (BEGUN - 1)

static bool is_drawn(const vb_hole *hole) {
  return hole->part.kind == VB_PART_CURSOR;
}

static uint32_t times_of(const vb_hole *hole, const vb_operation *operation) {
  return is_drawn(hole) && hole->part.times_max > 1 ? vb_hole_times(hole, operation) : 1;
}

static uint64_t *place_of(const vb_hole *hole, const vb_operation *operation, uint32_t k) {
  return hole->remembered ? &operation->places[hole->place + k] : NULL;
}

/* Id number k of a hole; false when it has none. */
static bool id_of(const vb_hole *hole, const vb_operation *operation, uint32_t k, uint64_t *id) {
  if (is_drawn(hole)) {
    uint64_t first = 0;
    if (k && hole->part.same_slot && !vb_hole_draw_id(hole, operation, 0, 0, &first)) return false;
    return vb_hole_draw_id(hole, operation, k, first, id);
  }
  *id = vb_operation_current(operation, hole->keyspace);
  return *id != UINT64_MAX;
}

/* The same, of an id whose key is for the keyspace to count. */
static bool own_id(const vb_hole *hole, const vb_operation *operation, uint32_t k, uint64_t *id) {
  return id_of(hole, operation, k, id) && vb_keyspace_in_slots(hole->keyspace, *id);
}

bool vb_hole_remember(const vb_hole *hole, const vb_operation *operation, uint32_t k,
                      uint64_t index, uint64_t random, uint64_t *id) {
  const vb_cursor *cursor = hole->part.cursor;
  if (!operation->places) return vb_cursor_draw(cursor, index, random, id);
  uint64_t *place = &operation->places[hole->place + k];
  if (*place != VB_UNDRAWN) {
    *id = *place & ID_MASK;
    return true;
  }
  if (!vb_cursor_take(cursor, operation->taker, index, random, id)) return false;
  *place = *id | (vb_cursor_claims(cursor) ? CLAIMED : 0);
  return true;
}

/* Draws the ids behind the first one of a hole with `times`. */
static enum vb_render draw_others(const vb_command *command, const vb_operation *operation) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    uint32_t times = hole->remembered ? times_of(hole, operation) : 0;
    for (uint32_t k = 1; k < times; k++) {
      uint64_t id;
      if (!id_of(hole, operation, k, &id)) return VB_RENDER_EXHAUSTED;
    }
  }
  return VB_RENDER_OK;
}

static enum vb_render begin_removal(const vb_hole *hole, const vb_operation *operation) {
  uint32_t times = times_of(hole, operation);
  for (uint32_t k = 0; k < times; k++) {
    uint64_t id, *place = place_of(hole, operation, k);
    if (!id_of(hole, operation, k, &id)) continue;
    if (*place == VB_UNDRAWN) *place = id;
    if (*place & BEGUN) continue;
    int begun = vb_tracker_remove_begin(hole->tracker, id);
    if (begun == VB_REMOVAL_PROTECTED) return VB_RENDER_PROTECTED;
    if (begun == VB_REMOVAL_BEGUN) *place |= BEGUN;
  }
  return VB_RENDER_OK;
}

static enum vb_render begin_removals(const vb_command *command, const vb_operation *operation) {
  if (command->tracks != VB_TRACKS_REMOVE) return VB_RENDER_OK;
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    enum vb_render why = hole->tracker ? begin_removal(hole, operation) : VB_RENDER_OK;
    if (why) return why;
  }
  return VB_RENDER_OK;
}

enum vb_render vb_command_prepare(const vb_command *command, vb_operation *operation) {
  enum vb_render why = vb_command_draw(command, operation);
  if (!why && command->live) why = draw_others(command, operation);
  return why ? why : begin_removals(command, operation);
}

enum vb_render vb_entry_prepare(const vb_entry *entry, vb_operation *operation) {
  enum vb_render why = VB_RENDER_OK;
  for (uint32_t i = 0; i < entry->step_count && !why; i++)
    why = vb_command_prepare(entry->steps[i].command, operation);
  return why;
}

void vb_command_claim_used(const vb_command *command, uint64_t place) {
  vb_tracker *tracker = command->id_hole->tracker;
  if (tracker) vb_tracker_confirm(tracker, place & ID_MASK);
}

bool vb_command_repeats_current(const vb_command *command) {
  return command->repeats_current;
}

/* Whether the reply says that the key is there: nothing, an empty collection and 0 say that not. */
static bool says_there(const vb_reply *reply) {
  bool counted = reply->type && strchr("*~%:", reply->type);
  return !reply->null && !(counted && !reply->integer);
}

static void observe(const vb_hole *hole, uint64_t id, bool there) {
  if (there)
    (void)vb_tracker_add(hole->tracker, id);
  else
    (void)vb_tracker_remove(hole->tracker, id);
}

/* One element for each id, or one reply for all. */
static void observe_hole(const vb_hole *hole, const vb_operation *operation,
                         const vb_reply *reply) {
  uint32_t times = times_of(hole, operation);
  const char *at = times > 1 && reply->integer == times ? vb_reply_first(reply) : NULL;
  for (uint32_t k = 0; k < times; k++) {
    uint64_t id;
    vb_reply element = *reply;
    if (at) at = vb_reply_element(at, &element);
    if (times > 1 && !at && says_there(reply)) return; /* of which ones is not said */
    if (own_id(hole, operation, k, &id)) observe(hole, id, says_there(&element));
  }
}

static void add_ids(const vb_hole *hole, const vb_operation *operation) {
  uint32_t times = times_of(hole, operation);
  for (uint32_t k = 0; k < times; k++) {
    uint64_t id;
    const uint64_t *place = place_of(hole, operation, k);
    if (!own_id(hole, operation, k, &id)) continue;
    if (place && *place & CLAIMED)
      vb_tracker_confirm(hole->tracker, id);
    else
      (void)vb_tracker_add(hole->tracker, id);
  }
}

static void remove_ids(const vb_hole *hole, const vb_operation *operation) {
  uint32_t times = times_of(hole, operation);
  for (uint32_t k = 0; k < times; k++) {
    uint64_t *place = place_of(hole, operation, k);
    if (*place == VB_UNDRAWN || !(*place & BEGUN)) continue;
    *place &= ~BEGUN;
    vb_tracker_remove_done(hole->tracker, *place & ID_MASK);
  }
}

/* What was claimed for the command has been used. */
static void keep_claims(const vb_hole *hole, const vb_operation *operation) {
  if (!hole->remembered || !is_drawn(hole)) return;
  for (uint32_t k = 0; k < hole->part.times_max; k++) {
    uint64_t *place = place_of(hole, operation, k);
    if (*place != VB_UNDRAWN) *place &= ~CLAIMED;
  }
}

void vb_command_succeeded(const vb_command *command, vb_operation *operation,
                          const vb_reply *reply) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    if (hole->tracker) {
      switch ((enum vb_tracks)command->tracks) {
      case VB_TRACKS_NOTHING: break;
      case VB_TRACKS_ADD: add_ids(hole, operation); break;
      case VB_TRACKS_REMOVE: remove_ids(hole, operation); break;
      case VB_TRACKS_OBSERVE: observe_hole(hole, operation, reply); break;
      }
    }
    keep_claims(hole, operation);
  }
}

/* A key that existed before it was written exists in any case. */
static void lose(const vb_command *command, const vb_hole *hole, const vb_operation *operation,
                 uint32_t k) {
  uint64_t id, *place = place_of(hole, operation, k);
  bool pending = place && *place != VB_UNDRAWN && *place & (CLAIMED | BEGUN);
  if (pending) {
    id = *place & ID_MASK;
    *place &= ~(CLAIMED | BEGUN);
  } else if (!hole->tracker || command->tracks != VB_TRACKS_ADD ||
             !own_id(hole, operation, k, &id) || vb_tracker_exists(hole->tracker, id)) {
    return;
  }
  vb_tracker *tracker = hole->tracker ? hole->tracker : vb_keyspace_tracker(hole->keyspace);
  vb_tracker_unknown(tracker, id);
}

void vb_command_lost(const vb_command *command, vb_operation *operation) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    const vb_hole *hole = &command->holes[i];
    uint32_t times = hole->remembered || hole->tracker ? times_of(hole, operation) : 0;
    for (uint32_t k = 0; k < times; k++) lose(command, hole, operation, k);
  }
}

static void end_hole(const vb_hole *hole, const vb_operation *operation) {
  uint32_t times = is_drawn(hole) ? hole->part.times_max : 1;
  for (uint32_t k = 0; k < times; k++) {
    uint64_t *place = place_of(hole, operation, k);
    if (*place == VB_UNDRAWN) continue;
    uint64_t id = *place & ID_MASK;
    vb_tracker *tracker = vb_keyspace_tracker(hole->keyspace);
    if (*place & BEGUN) vb_tracker_remove_failed(tracker, id);
    if (*place & CLAIMED) vb_cursor_release(hole->part.cursor, id);
    *place = VB_UNDRAWN;
  }
}

void vb_command_end(const vb_command *command, vb_operation *operation) {
  for (uint32_t i = 0; i < command->hole_count; i++)
    if (command->holes[i].remembered) end_hole(&command->holes[i], operation);
}

void vb_entry_end(const vb_entry *entry, vb_operation *operation) {
  for (uint32_t i = 0; i < entry->step_count; i++)
    vb_command_end(entry->steps[i].command, operation);
}

uint32_t vb_command_raced(const vb_command *command, const vb_operation *operation,
                          uint32_t misses) {
  const vb_hole *hole = command->id_hole;
  if (!hole || !operation->places || !vb_cursor_wants_existing(hole->part.cursor)) return 0;
  if (command->races) return misses;
  if (command->tracks == VB_TRACKS_OBSERVE) return 0; /* the key is gone since this reply says so */
  const vb_tracker *tracker = vb_keyspace_tracker(hole->keyspace);
  uint32_t raced = 0, times = times_of(hole, operation);
  for (uint32_t k = 0; k < times && raced < misses; k++) {
    uint64_t id;
    raced += id_of(hole, operation, k, &id) && !vb_tracker_exists(tracker, id);
  }
  return raced;
}

static void find_tracked(vb_command *command, bool keys) {
  for (uint32_t i = 0; i < command->argument_count; i++) {
    const vb_argument *argument = &command->arguments[i];
    for (uint32_t k = 0; k < argument->count; k++) {
      vb_hole *hole = &command->holes[argument->first + k];
      bool has_id = is_drawn(hole) || hole->part.kind == VB_PART_CURRENT;
      if (has_id && (argument->key || !keys)) hole->tracked = true;
      command->has_tracked |= hole->tracked;
    }
  }
}

int vb_command_find_effects(vb_command *command, vb_error *err) {
  if (command->tracks) find_tracked(command, true);
  if (command->tracks && !command->has_tracked) find_tracked(command, false);
  if (command->tracks && !command->has_tracked)
    return vb_fail(err, VB_EINVAL,
                   "command '%s': tracks, but none of its arguments is a key of a "
                   "keyspace",
                   command->name);
  for (uint32_t i = 0; i < command->hole_count; i++) {
    vb_hole *hole = &command->holes[i];
    bool looks = is_drawn(hole) && vb_cursor_is_live(hole->part.cursor);
    int failed = hole->tracked ? vb_keyspace_track(hole->keyspace, &hole->tracker, err) : VB_OK;
    if (failed) return failed;
    hole->remembered = looks || (hole->tracked && command->tracks == VB_TRACKS_REMOVE);
    command->live |= hole->remembered || hole->tracked;
    command->repeats_current |= hole->tracked && !is_drawn(hole);
    command->keeps_reply |=
        command->tracks == VB_TRACKS_OBSERVE && hole->tracked && hole->part.times_max > 1;
  }
  return VB_OK;
}

bool vb_command_claims_one(const vb_command *command) {
  const vb_hole *one = command->id_hole;
  bool fits = command->tracks <= VB_TRACKS_ADD && one && one->remembered &&
              vb_cursor_claims(one->part.cursor) && one->part.times_max == 1;
  for (uint32_t i = 0; fits && i < command->hole_count; i++)
    fits =
        &command->holes[i] == one || !(command->holes[i].remembered || command->holes[i].tracked);
  return fits;
}

uint32_t vb_command_set_places(vb_command *command, uint32_t first) {
  for (uint32_t i = 0; i < command->hole_count; i++) {
    vb_hole *hole = &command->holes[i];
    hole->place = first;
    if (hole->remembered) first += is_drawn(hole) ? hole->part.times_max : 1;
  }
  return first;
}

bool vb_command_removes(const vb_command *command, const vb_keyspace *keyspace) {
  for (uint32_t i = 0; i < command->hole_count; i++)
    if (command->tracks == VB_TRACKS_REMOVE && command->holes[i].tracked &&
        command->holes[i].keyspace == keyspace)
      return true;
  return false;
}
