#include "keyspace/algebra.h"

#include "base/bits.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* The operation is a constant wherever this is inlined. */
static ALWAYS_INLINE uint64_t combined(int operation, uint64_t a, uint64_t b) {
  if (operation == VB_SET_UNION) return a | b;
  return operation == VB_SET_INTERSECTION ? a & b : a & ~b;
}

static ALWAYS_INLINE uint64_t combine_words(int operation, uint64_t *out, const uint64_t *a,
                                            const uint64_t *b, size_t words) {
  uint64_t count = 0;
  for (size_t i = 0; i < words; i++) {
    uint64_t word = combined(operation, a[i], b[i]);
    count += vb_bits_count(word);
    if (out) out[i] = word;
  }
  return count;
}

static uint64_t count_portable(const uint64_t *a, size_t words) {
  return combine_words(VB_SET_UNION, NULL, a, a, words);
}

static uint64_t unite_portable(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t words) {
  return combine_words(VB_SET_UNION, out, a, b, words);
}

static uint64_t intersect_portable(uint64_t *out, const uint64_t *a, const uint64_t *b,
                                   size_t words) {
  return combine_words(VB_SET_INTERSECTION, out, a, b, words);
}

static uint64_t subtract_portable(uint64_t *out, const uint64_t *a, const uint64_t *b,
                                  size_t words) {
  return combine_words(VB_SET_DIFFERENCE, out, a, b, words);
}

static uint64_t united_portable(const uint64_t *a, const uint64_t *b, size_t words) {
  return combine_words(VB_SET_UNION, NULL, a, b, words);
}

static uint64_t shared_portable(const uint64_t *a, const uint64_t *b, size_t words) {
  return combine_words(VB_SET_INTERSECTION, NULL, a, b, words);
}

static uint64_t left_portable(const uint64_t *a, const uint64_t *b, size_t words) {
  return combine_words(VB_SET_DIFFERENCE, NULL, a, b, words);
}

const vb_algebra *vb_algebra_portable(void) {
  static const vb_algebra portable = {
      .name = "portable",
      .count = count_portable,
      .combine = {unite_portable, intersect_portable, subtract_portable},
      .size = {united_portable, shared_portable, left_portable},
  };
  return &portable;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* Set bits of each byte, by two look-ups of four bits (Mula, Kurz, Lemire, "Faster population
 * counts using AVX2 instructions", 2018), summed to four numbers. */
static ALWAYS_INLINE AVX2 __m256i count_vector(__m256i v) {
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                          2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_set1_epi8(0x0f);
  __m256i halves =
      _mm256_add_epi8(_mm256_shuffle_epi8(counts, _mm256_and_si256(v, low)),
                      _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
  return _mm256_sad_epu8(halves, _mm256_setzero_si256());
}

static ALWAYS_INLINE AVX2 __m256i combined_vector(int operation, __m256i a, __m256i b) {
  if (operation == VB_SET_UNION) return _mm256_or_si256(a, b);
  return operation == VB_SET_INTERSECTION ? _mm256_and_si256(a, b) : _mm256_andnot_si256(b, a);
}

static ALWAYS_INLINE AVX2 uint64_t combine_vectors(int operation, uint64_t *out, const uint64_t *a,
                                                   const uint64_t *b, size_t words) {
  __m256i sums = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 4 <= words; i += 4) {
    __m256i v = combined_vector(operation, _mm256_loadu_si256((const __m256i *)(a + i)),
                                _mm256_loadu_si256((const __m256i *)(b + i)));
    sums = _mm256_add_epi64(sums, count_vector(v));
    if (out) _mm256_storeu_si256((__m256i *)(out + i), v);
  }
  uint64_t four[4];
  _mm256_storeu_si256((__m256i *)four, sums);
  return four[0] + four[1] + four[2] + four[3] +
         combine_words(operation, out ? out + i : NULL, a + i, b + i, words - i);
}

static AVX2 uint64_t count_avx2(const uint64_t *a, size_t words) {
  return combine_vectors(VB_SET_UNION, NULL, a, a, words);
}

static AVX2 uint64_t unite_avx2(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t words) {
  return combine_vectors(VB_SET_UNION, out, a, b, words);
}

static AVX2 uint64_t intersect_avx2(uint64_t *out, const uint64_t *a, const uint64_t *b,
                                    size_t words) {
  return combine_vectors(VB_SET_INTERSECTION, out, a, b, words);
}

static AVX2 uint64_t subtract_avx2(uint64_t *out, const uint64_t *a, const uint64_t *b,
                                   size_t words) {
  return combine_vectors(VB_SET_DIFFERENCE, out, a, b, words);
}

static AVX2 uint64_t united_avx2(const uint64_t *a, const uint64_t *b, size_t words) {
  return combine_vectors(VB_SET_UNION, NULL, a, b, words);
}

static AVX2 uint64_t shared_avx2(const uint64_t *a, const uint64_t *b, size_t words) {
  return combine_vectors(VB_SET_INTERSECTION, NULL, a, b, words);
}

static AVX2 uint64_t left_avx2(const uint64_t *a, const uint64_t *b, size_t words) {
  return combine_vectors(VB_SET_DIFFERENCE, NULL, a, b, words);
}

const vb_algebra *vb_algebra_avx2(void) {
  static const vb_algebra avx2 = {
      .name = "avx2",
      .count = count_avx2,
      .combine = {unite_avx2, intersect_avx2, subtract_avx2},
      .size = {united_avx2, shared_avx2, left_avx2},
  };
  return __builtin_cpu_supports("avx2") ? &avx2 : NULL;
}
#else
const vb_algebra *vb_algebra_avx2(void) {
  return NULL;
}
#endif

const vb_algebra *vb_algebra_best(void) {
  const vb_algebra *avx2 = vb_algebra_avx2();
  return avx2 ? avx2 : vb_algebra_portable();
}
