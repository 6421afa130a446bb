/* Numbers of a dataset as text: the shortest that reads back as the same value.
 * Pure; any thread. Read by Lua through the FFI. */
#ifndef VB_DATASET_NUMBER_H
#define VB_DATASET_NUMBER_H

#include "dataset/dtype.h"

enum { VB_NUMBER_BOUND = 32 };

/* Writes the value at `from` (of a dtype that is not binary, anywhere in memory); at most
 * VB_NUMBER_BOUND bytes. Whole numbers below 2^53 are written as such; NaN as "nan", infinities as
 * "inf". Hot. */
VB_API size_t vb_number_text(int dtype, const char *from, char *to);
/* The value as a double; 64-bit integers are rounded. All NaNs are the one of C: LuaJIT takes
 * others for values of its own, pointers among them, so Lua reads floats of a file through this
 * alone. */
VB_API double vb_number_value(int dtype, const char *from);

#endif
