/* What runs in the guardian's process, and the messages between it and us.
 * Called by base/guardian.c, in the process that it has just forked. */
#ifndef VB_BASE_GUARDIAN_PROCESS_H
#define VB_BASE_GUARDIAN_PROCESS_H

#include "base/status.h"

enum { VB_GUARDIAN_PATH = 512, VB_GUARDIAN_WORDS = 512 };
enum vb_guardian_kind { VB_GUARDIAN_SPAWN, VB_GUARDIAN_ALIVE };

/* One datagram; only the part of `words` that is used is sent. */
typedef struct vb_guardian_request {
  int kind;          /* enum vb_guardian_kind */
  int number;        /* SPAWN: how many words; ALIVE: the process id */
  char words[65536]; /* SPAWN: the log's name, then argv, each with its NUL */
} vb_guardian_request;

typedef struct vb_guardian_answer {
  int status;                  /* enum vb_status */
  int number;                  /* SPAWN: the process id; ALIVE: 1 or 0 */
  char text[VB_GUARDIAN_PATH]; /* a failure's message; the first answer: the directory */
} vb_guardian_answer;

/* Serves requests until the other end of `socket` closes, then cleans up and ends the process. */
_Noreturn void vb_guardian_process(int socket);

#endif
