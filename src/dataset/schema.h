/* Schemas of datasets: what the bytes of a data file mean (docs/dataset-format.md), as data.
 * Any thread; a schema belongs to the one who made it. Read by Lua through the FFI. */
#ifndef VB_DATASET_SCHEMA_H
#define VB_DATASET_SCHEMA_H

#include "base/status.h"
#include "dataset/dtype.h"

enum vb_field_type {
  VB_FIELD_VECTOR,
  VB_FIELD_NUMERIC,
  VB_FIELD_TEXT,
  VB_FIELD_TAG,
  VB_FIELD_BLOB
};
enum vb_encoding { VB_ENCODING_UTF8, VB_ENCODING_ASCII };
/* VB_DISTANCE_NONE: the schema does not say, which means l2. */
enum vb_distance { VB_DISTANCE_NONE, VB_DISTANCE_L2, VB_DISTANCE_COSINE, VB_DISTANCE_IP };
enum vb_index_type {
  VB_INDEX_NONE,
  VB_INDEX_FULLTEXT,
  VB_INDEX_PREFIX,
  VB_INDEX_SUFFIX,
  VB_INDEX_TAG
};
enum vb_collection {
  VB_COLLECTION_NONE,
  VB_COLLECTION_SET,
  VB_COLLECTION_LIST,
  VB_COLLECTION_ZSET
};
/* How records are sent, in the order of vb_load_names. */
enum vb_load {
  VB_LOAD_NONE, /* not said: by what the record is */
  VB_LOAD_SET,
  VB_LOAD_HSET,
  VB_LOAD_SADD,
  VB_LOAD_RPUSH,
  VB_LOAD_LPUSH,
  VB_LOAD_ZADD
};
/* Why a file may have neighbours of one id type: 4 or 8 bytes. */
enum vb_id_type { VB_ID_U64, VB_ID_U32 };

enum { VB_SCHEMA_VERSION = 1, VB_FIELDS_MAX = 4096, VB_FIELD_BYTES = 64, VB_KEY_BYTES = 64 };

/* A field of a record or of a collection's member. Of a vector: dtype, dimensions, distance; of a
 * numeric: dtype; of text, tag and blob: encoding, variable, max_bytes, optional, index_type. */
typedef struct vb_field {
  const char *name; /* the schema's own; "" for the one field of a set's or list's member */
  int type;         /* enum vb_field_type */
  int dtype;        /* enum vb_dtype */
  int encoding;     /* enum vb_encoding */
  int variable;     /* a length of 4 bytes stands before the bytes */
  int optional;     /* when it is empty, neither its name nor a value are sent */
  int queried;      /* the records of queries hold it */
  int distance;     /* enum vb_distance */
  int index_type;   /* enum vb_index_type */
  uint64_t dimensions;
  uint64_t max_bytes;
} vb_field;

/* A zeroed one with VB_SCHEMA_VERSION, a field and `records` is the smallest. Texts are the
 * schema's own: set them by vb_schema_set. */
typedef struct vb_schema {
  const char *name, *description; /* of its metadata; NULL when absent */
  const char *metadata;           /* its other keys, as YAML; NULL when there are none */
  const char *key_pattern;        /* of keys that are not stored; NULL: the default one */
  vb_field *fields;               /* of a record; with a collection, of a member */
  uint32_t field_count;
  uint32_t version;
  int collection;       /* enum vb_collection */
  int load;             /* enum vb_load */
  uint64_t max_members; /* of a collection */
  uint64_t record_size; /* 0: what the fields take */
  uint64_t records_offset;
  uint64_t records;
  int keys; /* whether keys are stored; then: */
  int key_encoding, key_variable;
  uint64_t key_bytes;
  uint64_t queries;   /* 0: none */
  uint64_t neighbors; /* ids a query in the ground truth; 0: none */
  int id_type;        /* enum vb_id_type */
  int distances;      /* a float32 for each neighbour */
  const char *filter; /* under which neighbours were sought (filter.h); NULL: none */
} vb_schema;

enum vb_schema_text {
  VB_SCHEMA_NAME,
  VB_SCHEMA_DESCRIPTION,
  VB_SCHEMA_METADATA,
  VB_SCHEMA_KEY_PATTERN,
  VB_SCHEMA_FILTER
};

/* An empty schema. NULL when out of memory. */
VB_API vb_schema *vb_schema_new(void);
VB_API void vb_schema_free(vb_schema *schema);
/* A copy that shares nothing. NULL when out of memory. */
VB_API vb_schema *vb_schema_copy(const vb_schema *schema);
/* Copies `text` (NULL: removes it) to where `which` (enum vb_schema_text) says. */
VB_API int vb_schema_set(vb_schema *schema, int which, const char *text, vb_error *err);

/* `type` and its defaults: float32 or float64, 64 bytes fixed, UTF-8. */
VB_API void vb_field_init(vb_field *field, int type);
/* Adds a copy of the field, name included. VB_EINVAL names the field: what it lacks, what does not
 * fit its type, a name twice. */
VB_API int vb_schema_add(vb_schema *schema, const vb_field *field, vb_error *err);
/* Number of the field, -1 when there is none of that name. */
VB_API int vb_schema_find(const vb_schema *schema, const char *name);
/* "; did you mean 'price'?" or "", for a name that is none of its fields; `hint` has 128 bytes. */
VB_API const char *vb_schema_hint(const vb_schema *schema, const char *name, char *hint);
/* What no single field shows: a workload that does not fit, queries of a collection, ground truth
 * without queries, no fields. VB_EINVAL. */
VB_API int vb_schema_check(const vb_schema *schema, vb_error *err);

/* The schema in `length` bytes of YAML; `name` is the file in messages. VB_EINVAL names file, line,
 * column, what is wrong, and the nearest key. */
VB_API int vb_schema_parse(vb_schema **out, const char *text, size_t length, const char *name,
                           vb_error *err);
/* The schema in a file; also VB_EIO. */
VB_API int vb_schema_read(vb_schema **out, const char *path, vb_error *err);
/* The schema as YAML text, for free(): what vb_schema_parse reads back the same. */
VB_API int vb_schema_render(const vb_schema *schema, char **text, size_t *length, vb_error *err);
/* Writes that to a file, whole or not at all. */
VB_API int vb_schema_write(const vb_schema *schema, const char *path, vb_error *err);
/* Whether the file holds what vb_schema_write would write, byte for byte. */
VB_API int vb_schema_is_written(const vb_schema *schema, const char *path);

/* What is said, or what follows from the record: never VB_LOAD_NONE. */
VB_API int vb_schema_load(const vb_schema *schema);
/* The field that SET sends: `value`, else the only one; -1 when there is neither. */
VB_API int vb_schema_value_field(const vb_schema *schema);
/* Pattern of generated keys, the default one included. */
VB_API const char *vb_schema_pattern(const vb_schema *schema);
/* Whether the records of queries hold field number `field`: those that are marked, else all. */
VB_API int vb_schema_queried(const vb_schema *schema, uint32_t field);

/* Names as the schema writes them; "?" for a number that is none. */
VB_API const char *vb_field_type_name(int type);
VB_API const char *vb_distance_name(int distance); /* VB_DISTANCE_NONE: "l2" */
VB_API const char *vb_index_type_name(int type);
VB_API const char *vb_collection_name(int collection);
VB_API const char *vb_load_name(int load); /* "HSET" */

#ifndef VB_CDEF
/* The names by number, up to a NULL; for reading and writing schemas. */
extern const char *const vb_field_types[],
    *const vb_encodings[], *const vb_distances[], *const vb_index_types[],
                                                      *const vb_collections[],
                                                          *const vb_loads[],
                                                              *const vb_load_types[],
                                                                  *const vb_id_types[];
#endif

#endif
