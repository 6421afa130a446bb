#include "dataset/truth_part.h"

/* The registers of three machines. The compiler's vectors, split where a machine has smaller ones,
 * do not stay in registers: hence a type for each. */
typedef float lanes_512 __attribute__((vector_size(64), may_alias));
typedef float lanes_256 __attribute__((vector_size(32), may_alias));
typedef float lanes_128 __attribute__((vector_size(16), may_alias));
typedef int32_t flags_512 __attribute__((vector_size(64), may_alias));
typedef int32_t flags_256 __attribute__((vector_size(32), may_alias));
typedef int32_t flags_128 __attribute__((vector_size(16), may_alias));

/* ROWS rows of the tile by three registers of columns at a time, so that the sums stay in registers
 * and what is loaded serves for all of them. A macro, since the registers' type differs. */
#define MULTIPLY(name, lanes, flags, ROWS)                                                         \
  static void name(const vb_panel *panel, const float *group, size_t dimensions, vb_tile *tile) {  \
    enum { WIDTH = sizeof(lanes) / sizeof(float) };                                                \
    for (int row = 0; row < VB_GROUP; row += ROWS)                                                 \
      for (int column = 0; column < VB_PANEL; column += 3 * WIDTH) {                               \
        lanes sums[ROWS][3] = {0};                                                                 \
        for (size_t i = 0; i < dimensions; i++) {                                                  \
          const lanes *at = (const void *)(panel->values + i * VB_PANEL + column);                 \
          const float *query = group + i * VB_GROUP + row;                                         \
          for (int r = 0; r < ROWS; r++)                                                           \
            for (int v = 0; v < 3; v++) sums[r][v] += query[r] * at[v];                            \
        }                                                                                          \
        const lanes *bias = (const void *)(panel->bias + column);                                  \
        const lanes *scale = (const void *)(panel->scale + column);                                \
        for (int r = 0; r < ROWS; r++) {                                                           \
          lanes *to = (void *)(tile->scores[row + r] + column);                                    \
          union {                                                                                  \
            flags all;                                                                             \
            uint64_t parts[sizeof(flags) / sizeof(uint64_t)];                                      \
          } near = {{0}};                                                                          \
          for (int v = 0; v < 3; v++) {                                                            \
            to[v] = bias[v] - scale[v] * sums[r][v];                                               \
            near.all |= ~(to[v] > tile->limits[row + r]);                                          \
          }                                                                                        \
          for (size_t i = 0; i < sizeof(flags) / sizeof(uint64_t); i++)                            \
            tile->near[row + r] |= near.parts[i];                                                  \
        }                                                                                          \
      }                                                                                            \
  }

#if defined(__x86_64__)
__attribute__((target("avx512f"))) MULTIPLY(multiply_512, lanes_512, flags_512, 8)
    __attribute__((target("avx2,fma"))) MULTIPLY(multiply_256, lanes_256, flags_256, 4)
#endif
        MULTIPLY(multiply_128, lanes_128, flags_128, 4)

            size_t vb_truth_kernels(vb_truth_kernel_entry out[VB_TRUTH_KERNELS]) {
  size_t count = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    out[count++] = (vb_truth_kernel_entry){"AVX-512", multiply_512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    out[count++] = (vb_truth_kernel_entry){"AVX2", multiply_256};
#endif
  out[count++] = (vb_truth_kernel_entry){"portable", multiply_128};
  return count;
}
