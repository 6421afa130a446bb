#include "keyspace/tags.h"

#include <pthread.h>
#include <string.h>

static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum { LETTERS = sizeof letters - 1 };

static char tags[VB_SLOTS][VB_SLOT_TAG];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The first of all tags, in their order, whose slot has none yet. */
static void make(void) {
  for (unsigned i = 0; i < LETTERS * LETTERS * LETTERS; i++) {
    const char tag[VB_SLOT_TAG] = {letters[i / LETTERS / LETTERS], letters[i / LETTERS % LETTERS],
                                   letters[i % LETTERS]};
    char *of_slot = tags[vb_crc16(tag, sizeof tag) % VB_SLOTS];
    if (!*of_slot) memcpy(of_slot, tag, sizeof tag);
  }
}

const char (*vb_slot_tags(void))[VB_SLOT_TAG] {
  (void)pthread_once(&once, make);
  return (const char(*)[VB_SLOT_TAG])tags;
}
