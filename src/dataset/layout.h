/* Where everything lies in a data file: computed once from the schema, with overflow checked.
 * Made by main, then read-only. Read by Lua through the FFI. */
#ifndef VB_DATASET_LAYOUT_H
#define VB_DATASET_LAYOUT_H

#include "dataset/schema.h"

typedef struct vb_place {
  uint64_t offset, size;
} vb_place;

enum vb_section {
  VB_SECTION_RECORDS,
  VB_SECTION_KEYS,
  VB_SECTION_QUERIES,
  VB_SECTION_TRUTH,
  VB_SECTION_DISTANCES,
  VB_SECTIONS
};

/* Sizes in bytes; those of what is absent are 0. */
typedef struct vb_layout {
  vb_place sections[VB_SECTIONS]; /* in the file */
  uint64_t record_size;           /* from one record to the next */
  uint64_t key_size, query_size, id_size;
  uint64_t member_size;   /* of a collection; the first lies behind the count of 4 bytes */
  vb_place *fields;       /* within a record, or within a member; field_count of them */
  vb_place *query_fields; /* within a query; size 0: queries do not hold it */
  uint32_t field_count;
  uint64_t total; /* bytes that the file has at least */
} vb_layout;

/* VB_EINVAL: the schema fails vb_schema_check, record.size is less than its fields take, or a size
 * is over 2^63. */
VB_API int vb_layout_init(vb_layout *layout, const vb_schema *schema, vb_error *err);
VB_API void vb_layout_fini(vb_layout *layout);
/* "records", "keys" ...; "?" for a number that is none. */
VB_API const char *vb_section_name(int section);

#endif
