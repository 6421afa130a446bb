/* libhdf5, loaded when the first file in HDF5 is opened: it brings some thirty libraries with it,
 * which would cost every other run a third of its start. Main thread. */
#ifndef VB_DATASET_HDF5_LIBRARY_H
#define VB_DATASET_HDF5_LIBRARY_H

#include "base/status.h"

#include <hdf5.h>

/* Its constants call H5open and H5check_version, unless told not to: here that is done once. */
#undef H5CHECK
#undef H5OPEN
#define H5CHECK
#define H5OPEN

/* What is used of it. The types stand for H5T_IEEE_F32LE and so on, which are no constants. */
#define VB_HDF5_FUNCTIONS(X)                                                                       \
  X(H5open)                                                                                        \
  X(H5free_memory)                                                                                 \
  X(H5Aclose)                                                                                      \
  X(H5Aexists)                                                                                     \
  X(H5Aget_type)                                                                                   \
  X(H5Aopen)                                                                                       \
  X(H5Aread)                                                                                       \
  X(H5Dclose)                                                                                      \
  X(H5Dget_create_plist)                                                                           \
  X(H5Dget_space)                                                                                  \
  X(H5Dget_type)                                                                                   \
  X(H5Dopen2)                                                                                      \
  X(H5Dread)                                                                                       \
  X(H5Eset_auto2)                                                                                  \
  X(H5Fclose)                                                                                      \
  X(H5Fopen)                                                                                       \
  X(H5Lexists)                                                                                     \
  X(H5Pclose)                                                                                      \
  X(H5Pcreate)                                                                                     \
  X(H5Pget_chunk)                                                                                  \
  X(H5Pset_chunk_cache)                                                                            \
  X(H5Sclose)                                                                                      \
  X(H5Screate_simple)                                                                              \
  X(H5Sget_simple_extent_dims)                                                                     \
  X(H5Sget_simple_extent_ndims)                                                                    \
  X(H5Sselect_hyperslab)                                                                           \
  X(H5Tclose)                                                                                      \
  X(H5Tcopy)                                                                                       \
  X(H5Tget_class)                                                                                  \
  X(H5Tget_sign)                                                                                   \
  X(H5Tget_size)                                                                                   \
  X(H5Tis_variable_str)                                                                            \
  X(H5Tset_order)
#define VB_HDF5_IDS(X)                                                                             \
  X(H5P_CLS_DATASET_ACCESS_ID_g)                                                                   \
  X(H5T_IEEE_F32LE_g)                                                                              \
  X(H5T_IEEE_F64LE_g)                                                                              \
  X(H5T_STD_I8LE_g)                                                                                \
  X(H5T_STD_U8LE_g)                                                                                \
  X(H5T_STD_I32LE_g)                                                                               \
  X(H5T_STD_U32LE_g)                                                                               \
  X(H5T_STD_I64LE_g)                                                                               \
  X(H5T_STD_U64LE_g)

#define VB_HDF5_MEMBER(name) __typeof__(name) *name;
typedef struct vb_hdf5 {
  VB_HDF5_FUNCTIONS(VB_HDF5_MEMBER)
  VB_HDF5_IDS(VB_HDF5_MEMBER)
} vb_hdf5;

/* The library, ready for use, for as long as the program runs. NULL, with VB_EINVAL, when it is not
 * installed. */
const vb_hdf5 *vb_hdf5_load(vb_error *err);

#endif
