/* Which records a query asks for, by the tags and numbers that it holds itself: what filtered
 * ground truth is computed under, and what a schema says of it.
 * Made by one thread; asking is for any. Read by Lua through the FFI.
 *
 * The text is conditions with blanks or commas between, all of which must hold. NAME: a tag field,
 * of which record and query share a tag (tags stand between commas; neither case nor the blanks
 * around them count), or a numeric one that is equal; NAME<, NAME<=, NAME>, NAME>=: a numeric field
 * whose number in the record is less than that in the query, and so on. A query without a tag
 * asks for any. "*" is NAME for every tag and numeric field of the queries. */
#ifndef VB_DATASET_FILTER_H
#define VB_DATASET_FILTER_H

#include "dataset/dataset.h"

typedef struct vb_filter vb_filter;

/* VB_EINVAL: no condition, a field that is none of the queries' tags and numbers (with the nearest
 * name), a sign that is none or that a tag does not have. */
VB_API int vb_filter_new(vb_filter **out, const vb_schema *schema, const char *text, vb_error *err);
/* Takes NULL. */
VB_API void vb_filter_free(vb_filter *filter);
/* The conditions as a schema keeps them, "*" spelt out. The filter's. */
VB_API const char *vb_filter_text(const vb_filter *filter);
/* What vb_filter_allows asks of: a dataset of that schema, which must stay open, and which query of
 * it is number 0. */
VB_API void vb_filter_attach(vb_filter *filter, const vb_dataset *dataset, uint64_t first_query);
/* A vb_truth_filter; `filter` is a vb_filter. */
VB_API bool vb_filter_allows(const void *filter, uint64_t query, uint64_t record);

#endif
