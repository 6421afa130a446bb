/* The number types of datasets: names, sizes, conversion, reading from text.
 * Any thread: pure functions. Read by Lua through the FFI. */
#ifndef VB_DATASET_DTYPE_H
#define VB_DATASET_DTYPE_H

#include "base/api.h"

/* What a schema calls float32, float16 ... binary (bit-packed, the first value in the highest bit,
 * as numpy.packbits has it). */
enum vb_dtype {
  VB_DTYPE_FLOAT32,
  VB_DTYPE_FLOAT16,
  VB_DTYPE_FLOAT64,
  VB_DTYPE_INT8,
  VB_DTYPE_UINT8,
  VB_DTYPE_INT32,
  VB_DTYPE_INT64,
  VB_DTYPE_UINT32,
  VB_DTYPE_UINT64,
  VB_DTYPE_BINARY,
  VB_DTYPE_COUNT
};

/* "float32" and so on; "?" for a number that is none. */
VB_API const char *vb_dtype_name(int dtype);
/* The dtype of a name of `length` bytes, also of "u32" and "u64"; -1 for another name. */
VB_API int vb_dtype_find(const char *name, size_t length);
/* Bytes of `dimensions` values in a row. */
VB_API uint64_t vb_dtype_bytes(int dtype, uint64_t dimensions);

#ifndef VB_CDEF
double vb_half_to_double(uint16_t half);
/* Rounds to nearest, ties to even; beyond 65504 + half a step it is infinite. */
uint16_t vb_half_from_double(double value);

/* What vb_dtype_convert does with a value that the other type cannot hold. */
enum vb_unfit { VB_UNFIT_STOP, VB_UNFIT_CLAMP };

/* Converts `count` values, unaligned on both sides; neither type is binary. Between floats it
 * rounds; a float with a fraction, or a value out of range, does not fit an integer type; NaN and
 * infinities fit nothing, the same type included. Returns how many values fitted before the first
 * that did not: `count` when all did. With VB_UNFIT_CLAMP it rounds and clamps finite values,
 * counts them in *clamped, and stops at NaN and infinities only. */
typedef struct vb_conversion {
  int from, to;
  enum vb_unfit unfit;
  uint64_t clamped;
} vb_conversion;
size_t vb_dtype_convert(vb_conversion *how, void *to, const void *from, size_t count);

/* Whether no value of a float type is NaN or infinite; true for other types. */
bool vb_dtype_finite(int dtype, const void *values, size_t count);

/* Reads a decimal number that takes all `length` bytes (JSON's grammar, or with a leading + or a
 * missing zero as CSV files have it). False for anything else, "nan" and "inf" among it. */
bool vb_number_read(const char *text, size_t length, double *out);
/* The same into one value of `dtype`, exactly for 64-bit integers. */
enum vb_number_fit { VB_NUMBER_FITS, VB_NUMBER_UNFIT, VB_NUMBER_BAD };
enum vb_number_fit vb_number_store(vb_conversion *how, void *to, const char *text, size_t length);
#endif

#endif
