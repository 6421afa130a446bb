/* Writes a dataset: NAME.bin section by section, then NAME.yaml with the true counts. Both appear
 * under their names when all is written, or not at all.
 * One owner, one thread. Read by Lua through the FFI. */
#ifndef VB_DATASET_WRITER_H
#define VB_DATASET_WRITER_H

#include "dataset/layout.h"

typedef struct vb_writer vb_writer;

/* Begins BASE.bin and BASE.yaml (a `base` that ends in either stands for both), beside them under
 * other names. The schema is copied; its counts of records and queries are replaced by what is
 * written. VB_EIO: the directory cannot be written to; VB_EINVAL: the schema is not whole. */
VB_API int vb_writer_new(vb_writer **out, const char *base, const vb_schema *schema, vb_error *err);
/* Removes what was begun and not finished. Takes NULL. */
VB_API void vb_writer_free(vb_writer *writer);

/* Sections may be written in any order and by turns, each from its first entry to its last.
 * Appends bytes to a section (enum vb_section) as they are: records or queries in the schema's
 * layout, ids in its id_type, distances as float32. VB_EIO names the file: a disk that is full. */
VB_API int vb_writer_put(vb_writer *writer, int section, const void *bytes, size_t size,
                         vb_error *err);
/* Room for `size` zero bytes behind what is there, to be filled before the next call: a record to
 * build in place. NULL when it cannot be written out. */
VB_API char *vb_writer_room(vb_writer *writer, int section, size_t size, vb_error *err);
/* Appends a key in the schema's form. VB_EINVAL when it is longer than key_bytes, or holds a NUL
 * byte and has a fixed length. */
VB_API int vb_writer_key(vb_writer *writer, const char *key, size_t length, vb_error *err);
/* Appends neighbours, UINT64_MAX for none, in the schema's id_type. VB_EINVAL for an id that it
 * cannot hold. */
VB_API int vb_writer_ids(vb_writer *writer, const uint64_t *ids, size_t count, vb_error *err);

/* Entries of a section so far: records, keys, queries; rows of neighbours and distances. */
VB_API uint64_t vb_writer_count(const vb_writer *writer, int section);
/* Bytes of a record and of a query as they have to be put. */
VB_API uint64_t vb_writer_record_bytes(const vb_writer *writer);
VB_API uint64_t vb_writer_query_bytes(const vb_writer *writer);
/* The schema that is written; its counts are set by vb_writer_finish. */
VB_API const vb_schema *vb_writer_schema(const vb_writer *writer);
/* BASE.yaml and BASE.bin. */
VB_API const char *vb_writer_schema_path(const vb_writer *writer);
VB_API const char *vb_writer_data_path(const vb_writer *writer);

/* Joins the sections and gives both files their names. VB_EINVAL when counts do not belong
 * together: keys and records, rows of neighbours and queries. The writer can then only be freed. */
VB_API int vb_writer_finish(vb_writer *writer, vb_error *err);

#endif
