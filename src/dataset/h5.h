/* What a file in HDF5 has, before it is opened as a source.
 * Main thread (the library is not thread-safe everywhere). Read by Lua through the FFI. */
#ifndef VB_DATASET_H5_H
#define VB_DATASET_H5_H

#include "base/status.h"

/* Whether the file has a set for a table (enum vb_source_table); 0 too when it cannot be read. */
VB_API int vb_hdf5_has(const char *path, int table);
/* A text attribute of the file, as "distance". 0 when there is none, or it is longer than `size`.
 */
VB_API int vb_hdf5_text(const char *path, const char *name, char *text, size_t size);

#endif
