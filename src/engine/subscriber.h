/* Subscribers: clients in subscribed state, whose messages are their operations.
 * The worker's alone. Private to engine/. */
#ifndef VB_ENGINE_SUBSCRIBER_H
#define VB_ENGINE_SUBSCRIBER_H

#include "engine/lane.h"

/* After the handshake: asks for the channels. The connection is ready when all are confirmed, so
 * that a publisher beside it does not begin before. */
void vb_subscriber_ask(vb_connection *connection);
/* The phase is over: sends PING, whose answer comes behind all messages that were published before.
 */
void vb_subscriber_drain(vb_lane *lane);
/* Whether it has come on every connection, or has been waited for long enough. */
bool vb_subscriber_is_drained(const vb_lane *lane);
/* The confirmations and messages that are in `data`, of RESP2 and RESP3; returns the bytes used, -1
 * after closing the connection. */
ssize_t vb_subscriber_receive(vb_connection *connection, const char *data, size_t length);

#endif
