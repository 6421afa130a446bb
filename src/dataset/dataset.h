/* A dataset: a schema and its data file, mapped read-only. Opened and closed by main; reading is
 * for any thread, takes no lock, and never leaves a record whatever its bytes say.
 * Read by Lua through the FFI. */
#ifndef VB_DATASET_DATASET_H
#define VB_DATASET_DATASET_H

#include "dataset/layout.h"

typedef struct vb_dataset vb_dataset;

/* Bytes in the mapping: valid until the dataset is closed. */
typedef struct vb_view {
  const char *data;
  size_t length;
} vb_view;

/* Opens the schema and the data; the work and the memory are those of the schema alone. VB_EINVAL,
 * VB_EIO: a file, its line, or a data file that is shorter than the schema says. */
VB_API int vb_dataset_open(vb_dataset **out, const char *schema_path, const char *data_path,
                           vb_error *err);
/* The same by the name that people give: BASE, BASE.yaml or BASE.bin. A BASE.bin in the old format
 * of one file is opened in place when no schema is beside it. NAME and datasets/NAME that are not
 * there are looked for among the datasets that came with the program. */
VB_API int vb_dataset_open_base(vb_dataset **out, const char *path, vb_error *err);
/* The same with a schema at hand, of which a copy is kept. `layout` says where things lie when it
 * is not where the schema puts them (an older format), else it is NULL; it is copied. */
VB_API int vb_dataset_attach(vb_dataset **out, const vb_schema *schema, const vb_layout *layout,
                             const char *data_path, vb_error *err);
VB_API void vb_dataset_close(vb_dataset *dataset);
VB_API const vb_schema *vb_dataset_schema(const vb_dataset *dataset);
VB_API const vb_layout *vb_dataset_layout(const vb_dataset *dataset);
VB_API const char *vb_dataset_path(const vb_dataset *dataset); /* of the data */
/* Bytes of the file behind those that the schema speaks of: more than 0 is worth a warning. */
VB_API uint64_t vb_dataset_excess(const vb_dataset *dataset);
/* VB_EIO when the file was cut short while it was mapped; what is missing reads as zeros. */
VB_API int vb_dataset_check(const vb_dataset *dataset, vb_error *err);
/* Lengths and counts that were over what the schema allows, and were read as that, until now. */
VB_API uint64_t vb_dataset_clamped(const vb_dataset *dataset);

enum vb_dataset_use { VB_USE_NORMAL, VB_USE_LOAD, VB_USE_RANDOM };
/* Tells the kernel how `section` (enum vb_section) will be read: in order and soon, or at random.
 */
VB_API void vb_dataset_advise(const vb_dataset *dataset, int section, int use);

/* Reading. Numbers of records, fields, members and queries are those of the schema: the caller
 * checks them. A field's value is what is sent of it: of text and tags, and of members of these
 * types, without the padding; of a variable one its length; vectors, numbers and fixed blobs
 * whole. Hot. */
VB_API void vb_dataset_field(const vb_dataset *dataset, uint64_t record, uint32_t field,
                             vb_view *out);
/* Members of a record of a collection. */
VB_API uint32_t vb_dataset_members(const vb_dataset *dataset, uint64_t record);
VB_API void vb_dataset_member(const vb_dataset *dataset, uint64_t record, uint32_t member,
                              uint32_t field, vb_view *out);
/* A stored key; its length is 0 where the schema stores none. */
VB_API void vb_dataset_key(const vb_dataset *dataset, uint64_t record, vb_view *out);
/* A field of a query; NULL and 0 when queries do not hold it. */
VB_API void vb_dataset_query(const vb_dataset *dataset, uint64_t query, uint32_t field,
                             vb_view *out);
/* Neighbour `rank` (from 0) of a query: UINT64_MAX when there is none. Ids past the records are
 * clamped to that, and counted. */
VB_API uint64_t vb_dataset_neighbor(const vb_dataset *dataset, uint64_t query, uint64_t rank);
/* Its distance; NaN when the dataset has none. */
VB_API double vb_dataset_distance(const vb_dataset *dataset, uint64_t query, uint64_t rank);
/* 1 when the record has nothing that could be sent: a collection without members, or an empty
 * stored key. */
VB_API int vb_dataset_empty(const vb_dataset *dataset, uint64_t record);
/* The bytes of a section, for tools; NULL and 0 when it is absent. */
VB_API void vb_dataset_section(const vb_dataset *dataset, int section, vb_view *out);

#endif
