#include "base/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64 };

static unsigned least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

static int lower(char c) {
  return tolower((unsigned char)c);
}

/* Edits (insert, delete, replace, swap two neighbours) that make b of a; Damerau 1964, by rows. */
static unsigned distance(const char *a, const char *b) {
  unsigned rows[3][WORD_MAX + 1];
  size_t a_length = strlen(a), b_length = strlen(b);
  for (size_t j = 0; j <= b_length; j++) rows[0][j] = (unsigned)j;
  for (size_t i = 1; i <= a_length; i++) {
    unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= b_length; j++) {
      unsigned same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = least(row[j], two_above[j - 2] + 1);
    }
  }
  return rows[a_length % 3][b_length];
}

const char *vb_nearest(const char *word, const char *const *names) {
  const char *best = NULL;
  unsigned fewest = 0;
  if (strlen(word) > WORD_MAX) return NULL;
  for (; *names; names++) {
    if (strlen(*names) > WORD_MAX) continue;
    unsigned off = distance(word, *names);
    size_t longer = strlen(word) > strlen(*names) ? strlen(word) : strlen(*names);
    if (off * 3 > longer || (best && off >= fewest)) continue;
    best = *names;
    fewest = off;
  }
  return best;
}

const char *vb_nearest_hint(const char *word, const char *const *names, char hint[VB_HINT_MAX]) {
  const char *name = vb_nearest(word, names);
  hint[0] = 0;
  if (name) (void)snprintf(hint, VB_HINT_MAX, "; did you mean '%s'?", name);
  return hint;
}
