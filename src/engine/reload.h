/* Scripts that a server has forgotten (SCRIPT FLUSH, a restart): loaded again on the connection
 * that found out. The worker's alone. Private to engine/. */
#ifndef VB_ENGINE_RELOAD_H
#define VB_ENGINE_RELOAD_H

#include "engine/lane.h"

/* Whether a reply says that the server does not know the step's script. */
bool vb_reload_is_needed(const vb_step *step, const vb_reply *reply);
/* Sends the script behind what is in flight. */
void vb_reload_send(vb_connection *connection, const vb_step *step);
/* Sends the script and the step again, unless that has been done too often or other steps of the
 * operation are on their way behind it: false, and the reply is an error like others. */
bool vb_reload_and_repeat(vb_connection *connection, const vb_flight *flight);
/* The reply to SCRIPT LOAD. */
void vb_reload_judge(vb_connection *connection, const vb_flight *flight, const vb_reply *reply);

#endif
