/* What operations do to the trackers of their keyspaces: what is claimed, added, removed, observed.
 * Workers, for operations of their own; the trackers are everybody's. */
#ifndef VB_COMMAND_EFFECTS_H
#define VB_COMMAND_EFFECTS_H

#include "command/program.h"

/* An operation that has effects, or draws from cursors that look at the tracker, remembers its ids
 * from its beginning to its end, in as many places as vb_program_places says; each begins as
 * VB_UNDRAWN. A retry finds them there. */
#define VB_UNDRAWN UINT64_MAX

/* Draws all ids of the operation, which remembers them, and begins its removals: before anything is
 * sent of it. VB_RENDER_EXHAUSTED; VB_RENDER_PROTECTED when it would delete a protected id. Again:
 * only what is not done yet. */
enum vb_render vb_entry_prepare(const vb_entry *entry, vb_operation *operation);
/* The same of one command. */
enum vb_render vb_command_prepare(const vb_command *command, vb_operation *operation);
/* Whether the effects of a command need the ids of the operation's currents. */
bool vb_command_repeats_current(const vb_command *command);
/* The place of an entry that claims, when the operation has ended well. Hot. */
void vb_command_claim_used(const vb_command *command, uint64_t place);
/* The command was answered well. The ids of the steps before it have been drawn. */
void vb_command_succeeded(const vb_command *command, vb_operation *operation,
                          const vb_reply *reply);
/* The command was sent, and nobody knows what came of it. */
void vb_command_lost(const vb_command *command, vb_operation *operation);
/* The operation is over: ids that it has claimed and not used can be claimed again, and what it did
 * not delete exists as before. */
void vb_entry_end(const vb_entry *entry, vb_operation *operation);
/* The same of one command. */
void vb_command_end(const vb_command *command, vb_operation *operation);
/* Of `misses` of a command, those of ids that were drawn as existing and were being removed. */
uint32_t vb_command_raced(const vb_command *command, const vb_operation *operation,
                          uint32_t misses);

#endif
