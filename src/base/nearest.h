/* The name that somebody probably meant, as lua/vbench/nearest.lua finds it.
 * Pure; any thread. */
#ifndef VB_BASE_NEAREST_H
#define VB_BASE_NEAREST_H

#include "base/api.h"

/* The one of `names` (up to a NULL) that is nearest to `word`, whatever the case; NULL when every
 * one has more than a third of its letters off. The first of equally near ones. */
const char *vb_nearest(const char *word, const char *const *names);

enum { VB_HINT_MAX = 128 };

/* What goes behind "unknown key 'word'": "; did you mean 'name'?" in `hint`, or "". Returns it. */
const char *vb_nearest_hint(const char *word, const char *const *names, char hint[VB_HINT_MAX]);

#endif
