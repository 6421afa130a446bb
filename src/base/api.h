/* What a header that Lua's FFI reads too may start from: export mark, attributes, fixed-width
 * types. Any thread.
 *
 * Headers that script/ffi.h includes are read twice: by the C compiler, and, preprocessed with
 * VB_CDEF, by LuaJIT. They keep to declarations, structs and enums; what the FFI cannot read stands
 * between #ifndef VB_CDEF and #endif. */
#ifndef VB_BASE_API_H
#define VB_BASE_API_H

#ifdef VB_CDEF
#define VB_API
#define VB_PRINTF(text, first)
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define VB_API __attribute__((visibility("default")))
#define VB_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define VB_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define VB_LIKELY(x) __builtin_expect(!!(x), 1)
#define VB_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define VB_CACHE_LINE 64
#endif

#endif
