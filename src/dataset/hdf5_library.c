#ifdef VBENCH_HDF5

#include "dataset/hdf5_library.h"

#include <dlfcn.h>
#include <string.h>

static struct {
  vb_hdf5 library;
  bool loaded;
} h5;

static int lacks(const char *reason, vb_error *err) {
  return vb_fail(err, VB_EINVAL,
                 "HDF5 needs the library %s, which cannot be loaded (%s); install it (Debian: "
                 "libhdf5-dev)",
                 VBENCH_HDF5, reason);
}

/* Symbols are data to dlsym, functions among them. */
static int find(void *handle, const char *name, void *to, vb_error *err) {
  void *symbol = dlsym(handle, name);
  if (!symbol) return lacks(dlerror(), err);
  memcpy(to, &symbol, sizeof symbol);
  return VB_OK;
}

static int find_all(void *handle, vb_hdf5 *library, vb_error *err) {
#define FIND(name)                                                                                 \
  if (find(handle, #name, &library->name, err)) return VB_EINVAL;
  VB_HDF5_FUNCTIONS(FIND)
  VB_HDF5_IDS(FIND)
#undef FIND
  return VB_OK;
}

const vb_hdf5 *vb_hdf5_load(vb_error *err) {
  if (h5.loaded) return &h5.library;
  void *handle = dlopen(VBENCH_HDF5, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    (void)lacks(dlerror(), err);
    return NULL;
  }
  if (find_all(handle, &h5.library, err)) {
    (void)dlclose(handle);
    return NULL;
  }
  (void)h5.library.H5open();
  (void)h5.library.H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* what goes wrong is said by us */
  h5.loaded = true;
  return &h5.library;
}

#endif
