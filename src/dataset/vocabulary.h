/* Words that are drawn by weights.
 * Made by one thread; drawing is for any. */
#ifndef VB_DATASET_VOCABULARY_H
#define VB_DATASET_VOCABULARY_H

#include "base/api.h"
#include "base/random.h"

enum { VB_WORD = 16 };

typedef struct vb_vocabulary {
  char **words;   /* NULL: those of a made-up language */
  double *sums;   /* of the weights up to each word */
  uint32_t count; /* of words; 0: empty */
} vb_vocabulary;

/* Copies words and weights; NULL weights are 1, 1/2, 1/3 ... (Zipf 1949), NULL words the `count`
 * first ones of a made-up language. False when out of memory. */
bool vb_vocabulary_init(vb_vocabulary *out, const char *const *words, const double *weights,
                        uint32_t count);
void vb_vocabulary_fini(vb_vocabulary *vocabulary);
/* The word of a draw: with its NUL, in `room` when it is made up. */
const char *vb_vocabulary_draw(const vb_vocabulary *vocabulary, uint64_t draw, char room[VB_WORD]);

#endif
