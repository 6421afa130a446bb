#include "dataset/vocabulary.h"

#include <stdlib.h>
#include <string.h>

static bool copy_words(vb_vocabulary *to, const char *const *words) {
  to->words = calloc(to->count, sizeof *to->words);
  for (uint32_t i = 0; to->words && i < to->count; i++)
    if (!(to->words[i] = strdup(words[i]))) return false;
  return to->words != NULL;
}

bool vb_vocabulary_init(vb_vocabulary *out, const char *const *words, const double *weights,
                        uint32_t count) {
  vb_vocabulary made = {.sums = calloc(count, sizeof(double)), .count = count};
  if (!made.sums || (words && !copy_words(&made, words))) {
    vb_vocabulary_fini(&made);
    return false;
  }
  double sum = 0;
  for (uint32_t i = 0; i < count; i++) made.sums[i] = sum += weights ? weights[i] : 1.0 / (i + 1);
  vb_vocabulary_fini(out);
  *out = made;
  return true;
}

void vb_vocabulary_fini(vb_vocabulary *vocabulary) {
  for (uint32_t i = 0; vocabulary->words && i < vocabulary->count; i++) free(vocabulary->words[i]);
  free(vocabulary->words);
  free(vocabulary->sums);
  *vocabulary = (vb_vocabulary){0};
}

/* Three syllables of two letters. The step has no factor in common with a million, so that no two
 * ranks below it have the same word. */
static const char *make_up(uint64_t rank, char room[VB_WORD]) {
  static const char consonants[] = "bdfgklmnprstvzhjwcxq", vowels[] = "aeiou";
  uint64_t number = (rank * 387420489 + 271828) % 1000000;
  for (int i = 0; i < 3; i++, number /= 100) {
    room[2 * i] = consonants[number % 20];
    room[2 * i + 1] = vowels[number / 20 % 5];
  }
  room[6] = 0;
  return room;
}

const char *vb_vocabulary_draw(const vb_vocabulary *vocabulary, uint64_t draw, char room[VB_WORD]) {
  double wanted = vb_unit(draw) * vocabulary->sums[vocabulary->count - 1];
  uint32_t low = 0, high = vocabulary->count - 1;
  while (low < high) { /* the first whose sum is over it */
    uint32_t middle = low + (high - low) / 2;
    if (vocabulary->sums[middle] > wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return vocabulary->words ? vocabulary->words[low] : make_up(low, room);
}
