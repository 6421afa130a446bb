/* The handshake: what is said first on every connection, control and data alike.
 * Pure functions over a vb_login; any thread.
 *
 * The caller writes the requests in order (each an array of words), reads one reply for each, and
 * lets vb_handshake_check judge it. With RESP3 one HELLO 3 [AUTH ..] [SETNAME ..] comes first; with
 * RESP2 AUTH, CLIENT SETNAME; then SELECT, READONLY, each only when asked for. */
#ifndef VB_NET_HANDSHAKE_H
#define VB_NET_HANDSHAKE_H

#include "net/endpoint.h"

enum { VB_HANDSHAKE_WORDS = 8 };
/* Instead of an index: an error that the server sent on its own, as protected mode does. */
enum { VB_HANDSHAKE_UNASKED = -1 };

typedef struct vb_handshake_request {
  int count;                             /* of words */
  const char *words[VB_HANDSHAKE_WORDS]; /* borrowed from the login, or static */
  char number[12];                       /* room for a database number that a word points to */
} vb_handshake_request;

/* How many requests this login needs, 0 to 4. */
int vb_handshake_count(const vb_login *login);
/* Fills request `index` (0 to count - 1); its words stay valid as long as login and *out. */
void vb_handshake_get(const vb_login *login, int index, vb_handshake_request *out);
/* Judges the reply to request `index`: VB_OK, or a failure whose message names the address, the
 * request (never the password) and what would be right: WRONGPASS, NOAUTH, NOPERM, DENIED
 * (protected mode) -> VB_EAUTH; others VB_ESERVER. `text` is the error reply without its '-', NULL
 * when the reply was no error. A failed CLIENT SETNAME is forgiven (old servers, ACLs). */
int vb_handshake_check(const vb_login *login, int index, const char *address, const char *text,
                       size_t length, vb_error *err);

#endif
