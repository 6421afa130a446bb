/* Reads a source to its end to find what its columns hold: what a schema is inferred from.
 * One owner, one thread. Read by Lua through the FFI. */
#ifndef VB_DATASET_SURVEY_H
#define VB_DATASET_SURVEY_H

#include "dataset/source.h"

enum { VB_SURVEY_DISTINCT = 1024 }; /* more different texts are not told apart */

/* What a column holds. Texts that are numbers or lists of numbers, as in CSV, count as such. */
typedef struct vb_survey_column {
  const char *name; /* the source's */
  int dtype;        /* of its values, -1: it comes as text */
  uint64_t dimensions;
  uint64_t present;  /* rows with anything in it */
  uint64_t numbers;  /* rows with a number ... */
  uint64_t integers; /* ... that is an integer, as written ... */
  uint64_t wide;     /* ... which no double holds exactly */
  uint64_t lists;    /* rows with a list of `dimensions` numbers */
  uint64_t others;   /* rows with an object, or a list that is none of numbers or of other length */
  uint64_t longest;  /* text, in bytes */
  uint64_t spaces;   /* texts with a space in them */
  uint64_t distinct; /* different texts, up to VB_SURVEY_DISTINCT */
  uint64_t negative; /* numbers below zero */
  uint64_t padded;   /* texts that end in a NUL byte */
} vb_survey_column;

typedef struct vb_survey vb_survey;

/* Begins to survey a source, which must outlive it. NULL when out of memory. */
VB_API vb_survey *vb_survey_new(vb_source *source);
VB_API void vb_survey_free(vb_survey *survey);
/* Some more rows: 1, 0 at the end, negative for an error of the source. */
VB_API int vb_survey_step(vb_survey *survey, vb_error *err);
/* Columns found so far, in the order of the source. */
VB_API uint32_t vb_survey_count(const vb_survey *survey);
VB_API const vb_survey_column *vb_survey_get(const vb_survey *survey, uint32_t column);

#endif
