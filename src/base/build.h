/* What was built: its version, and where what was installed with it lies.
 * Any thread. Read by Lua through the FFI. */
#ifndef VB_BASE_BUILD_H
#define VB_BASE_BUILD_H

#include "base/api.h"

/* "0.1.0". */
VB_API const char *vb_version(void);
/* The directory share/vbench beside the program's bin/, where there is one, else that of the
 * configured prefix; cut to `size` with its NUL. */
VB_API void vb_build_data_directory(char *out, size_t size);
/* The datasets that came with the program: of that directory, else, of a program that runs where it
 * was built, of its sources. */
VB_API void vb_build_datasets_directory(char *out, size_t size);

#endif
