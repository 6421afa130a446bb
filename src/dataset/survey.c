#include "dataset/survey.h"

#include "dataset/dtype.h"
#include "dataset/list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_ROWS = 8192, SLOTS = 2 * VB_SURVEY_DISTINCT };

typedef struct column {
  vb_survey_column found;
  uint64_t
      *seen; /* hashes of texts, in open slots; NULL before the first and once there are many */
} column;

struct vb_survey {
  vb_source *source;
  column *columns;
  uint32_t count;
};

vb_survey *vb_survey_new(vb_source *source) {
  vb_survey *survey = calloc(1, sizeof *survey);
  if (survey) survey->source = source;
  return survey;
}

void vb_survey_free(vb_survey *survey) {
  if (!survey) return;
  for (uint32_t i = 0; i < survey->count; i++) free(survey->columns[i].seen);
  free(survey->columns);
  free(survey);
}

/* Follows the source: lines of JSON bring new columns. */
static int grow(vb_survey *survey, vb_error *err) {
  const vb_source *source = survey->source;
  column *columns = realloc(survey->columns, source->column_count * sizeof *columns);
  if (!columns) return vb_fail(err, VB_ENOMEM, "%s: out of memory", source->path);
  survey->columns = columns;
  for (; survey->count < source->column_count; survey->count++) {
    const vb_column *of = &source->columns[survey->count];
    columns[survey->count] = (column){.found = {.name = of->name, .dtype = of->dtype}};
    columns[survey->count].found.dimensions = of->dimensions;
  }
  return VB_OK;
}

/* FNV-1a; never 0, which is an empty slot. */
static uint64_t hash_of(const vb_cell *cell) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < cell->length; i++)
    hash = (hash ^ (unsigned char)cell->bytes[i]) * 1099511628211u;
  return hash ? hash : 1;
}

static void count_distinct(column *of, const vb_cell *cell) {
  if (of->found.distinct == VB_SURVEY_DISTINCT) return;
  if (!of->seen) of->seen = calloc(SLOTS, sizeof *of->seen);
  if (!of->seen) {
    of->found.distinct = VB_SURVEY_DISTINCT;
    return;
  }
  uint64_t hash = hash_of(cell), slot = hash % SLOTS;
  while (of->seen[slot] && of->seen[slot] != hash) slot = (slot + 1) % SLOTS;
  of->found.distinct += of->seen[slot] == 0;
  of->seen[slot] = hash;
}

static void see_number(vb_survey_column *found, const vb_cell *cell, double value) {
  found->numbers++;
  found->negative += value < 0;
  found->integers += value == trunc(value) && !memchr(cell->bytes, '.', cell->length) &&
                     !memchr(cell->bytes, 'e', cell->length) &&
                     !memchr(cell->bytes, 'E', cell->length);
  found->wide += fabs(value) >= 9007199254740992.0;
}

/* Whether it is a list of more than one number, or in brackets; then how many. */
static uint64_t list_length(const vb_cell *cell) {
  char unused[8];
  vb_list list = {.dtype = VB_DTYPE_FLOAT64};
  bool brackets = cell->length && *cell->bytes == '[';
  if (vb_list_read(&list, cell->bytes, cell->length, unused, NULL)) return 0;
  return brackets || list.count > 1 ? list.count : 0;
}

static void see_list(vb_survey_column *found, uint64_t length) {
  if (!found->lists) found->dimensions = length;
  if (found->dimensions == length)
    found->lists++;
  else
    found->others++;
}

static void see_text(column *of, const vb_cell *cell) {
  vb_survey_column *found = &of->found;
  double value;
  uint64_t length = 0;
  if (cell->length > found->longest) found->longest = cell->length;
  if (vb_number_read(cell->bytes, cell->length, &value))
    see_number(found, cell, value);
  else if (found->lists + found->others + 1 == found->present && (length = list_length(cell)) > 0)
    see_list(found, length);
  found->padded += cell->length && cell->bytes[cell->length - 1] == 0;
  found->spaces += memchr(cell->bytes, ' ', cell->length) != NULL;
  count_distinct(of, cell);
}

static void see_cell(column *of, const vb_cell *cell) {
  vb_survey_column *found = &of->found;
  double value = 0;
  uint64_t length;
  if (cell->kind == VB_CELL_NONE || cell->kind == VB_CELL_EMPTY) return;
  found->present++;
  if (cell->length > found->longest && cell->kind != VB_CELL_VALUES) found->longest = cell->length;
  if (cell->kind == VB_CELL_TEXT) {
    see_text(of, cell);
  } else if (cell->kind == VB_CELL_NUMBER) {
    if (vb_number_read(cell->bytes, cell->length, &value)) see_number(found, cell, value);
  } else if (cell->kind == VB_CELL_LIST && (length = list_length(cell)) > 0) {
    see_list(found, length);
  } else if (cell->kind == VB_CELL_LIST || cell->kind == VB_CELL_OBJECT) {
    found->others++;
  }
}

int vb_survey_step(vb_survey *survey, vb_error *err) {
  vb_source *source = survey->source;
  for (int i = 0; i < STEP_ROWS; i++) {
    int got = vb_source_next(source, err);
    int status = survey->count < source->column_count ? grow(survey, err) : VB_OK;
    if (status) return status;
    if (got <= 0) return got;
    for (uint32_t j = 0; j < survey->count; j++) see_cell(&survey->columns[j], &source->cells[j]);
  }
  return 1;
}

uint32_t vb_survey_count(const vb_survey *survey) {
  return survey->count;
}

const vb_survey_column *vb_survey_get(const vb_survey *survey, uint32_t at) {
  return at < survey->count ? &survey->columns[at].found : NULL;
}
