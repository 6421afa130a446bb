/* Pushes of RESP3: invalidations of cached keys, and what nobody asked for, by kind.
 * The worker's alone. Private to engine/. */
#ifndef VB_ENGINE_PUSH_H
#define VB_ENGINE_PUSH_H

#include "engine/lane.h"

/* Empties the histogram of delays for a phase, with client-side caching. VB_ENOMEM. */
int vb_push_fit(vb_histogram **delays, bool caching);
/* Counts a push that came: an invalidation, or what nobody asked for. */
void vb_push_take(vb_connection *connection, const vb_reply *reply);

#endif
