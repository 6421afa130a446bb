#include "dataset/legacy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 344, DIMENSIONS_MAX = 1 << 20 };

static uint32_t u32(const unsigned char *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static uint64_t u64(const unsigned char *at) {
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static bool has_magic(const unsigned char *bytes) {
  return u32(bytes) == 0xDECDB001u;
}

/* Bytes of the header that there are; negative when the file cannot be read. */
static ssize_t load(const char *path, unsigned char *bytes, uint64_t *size) {
  struct stat info;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t got = fstat(fd, &info) ? -1 : pread(fd, bytes, HEADER, 0);
  if (size) *size = (uint64_t)info.st_size;
  (void)close(fd);
  return got;
}

int vb_legacy_is(const char *path) {
  unsigned char bytes[HEADER];
  return load(path, bytes, NULL) >= 4 && has_magic(bytes);
}

static int metric_of(unsigned char code) {
  return code == 0 ? VB_DISTANCE_L2 : code == 1 ? VB_DISTANCE_COSINE : VB_DISTANCE_IP;
}

static int bad(const char *path, const char *what, uint64_t value, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "%s: its header says %s %" PRIu64 ", which cannot be", path, what,
                 value);
}

static int check_codes(const char *path, const unsigned char *bytes, vb_error *err) {
  if (bytes[264] > 2) return bad(path, "metric", bytes[264], err);
  if (bytes[265] > 1) return bad(path, "dtype", bytes[265], err);
  if (u32(bytes + 268) == 0 || u32(bytes + 268) > DIMENSIONS_MAX)
    return bad(path, "dimensions", u32(bytes + 268), err);
  if (u64(bytes + 272) == 0) return bad(path, "vectors", 0, err);
  return VB_OK;
}

/* Whether `count` entries of `width` bytes lie at `offset`. */
static bool lies(const vb_legacy *header, uint64_t offset, uint64_t count, uint64_t width) {
  uint64_t bytes;
  return !__builtin_mul_overflow(count, width, &bytes) && offset <= header->size &&
         bytes <= header->size - offset;
}

static int outside(const char *path, const char *what, uint64_t offset, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "%s: its %s at byte %" PRIu64 " reach past its end", path, what,
                 offset);
}

static int check_places(const vb_legacy *header, const char *path, vb_error *err) {
  uint64_t width = vb_dtype_bytes(header->dtype, header->dimensions);
  uint64_t ids = header->neighbors * (uint64_t)sizeof(uint64_t);
  if (!lies(header, header->vectors_offset, header->vectors, width))
    return outside(path, "vectors", header->vectors_offset, err);
  if (!lies(header, header->queries_offset, header->queries, width))
    return outside(path, "queries", header->queries_offset, err);
  if (!lies(header, header->neighbors_offset, header->queries, ids))
    return outside(path, "ground truth", header->neighbors_offset, err);
  return VB_OK;
}

/* Distances follow the ids when there is room for them before the next section, or the end. */
static uint64_t find_distances(const vb_legacy *header, const unsigned char *bytes) {
  uint64_t count = header->queries * header->neighbors, limit = header->size;
  uint64_t at = header->neighbors_offset + count * sizeof(uint64_t);
  for (int field = 296; field <= 336; field += 8) {
    uint64_t offset = u64(bytes + field);
    if (offset > header->neighbors_offset && offset < limit) limit = offset;
  }
  return count && at <= limit && limit - at >= count * sizeof(float) ? at : 0;
}

int vb_legacy_read(vb_legacy *header, const char *path, vb_error *err) {
  unsigned char bytes[HEADER];
  *header = (vb_legacy){.dimensions = 0};
  ssize_t got = load(path, bytes, &header->size);
  if (got < 0) return vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno));
  if (got < 4 || !has_magic(bytes))
    return vb_fail(err, VB_EINVAL, "%s: does not begin with the magic number 0xDECDB001", path);
  if (got < HEADER)
    return vb_fail(err, VB_EINVAL, "%s: has %zd bytes, its header alone takes %d", path, got,
                   HEADER);
  int status = check_codes(path, bytes, err);
  if (status) return status;
  memcpy(header->name, bytes + 8, 256);
  header->distance = metric_of(bytes[264]);
  header->dtype = bytes[265] ? VB_DTYPE_FLOAT16 : VB_DTYPE_FLOAT32;
  header->has_metadata = bytes[266] != 0;
  header->dimensions = u32(bytes + 268);
  header->vectors = u64(bytes + 272);
  header->queries = u64(bytes + 280);
  header->neighbors = u32(bytes + 288);
  header->vectors_offset = u64(bytes + 296);
  header->queries_offset = u64(bytes + 304);
  header->neighbors_offset = u64(bytes + 312);
  status = check_places(header, path, err);
  if (!status) header->distances_offset = find_distances(header, bytes);
  return status;
}

int vb_legacy_schema(vb_schema **out, const vb_legacy *header, vb_error *err) {
  vb_schema *schema = vb_schema_new();
  vb_field field;
  if (!schema) return vb_fail(err, VB_ENOMEM, "a schema: out of memory");
  vb_field_init(&field, VB_FIELD_VECTOR);
  field.name = "embedding";
  field.dtype = header->dtype;
  field.dimensions = header->dimensions;
  field.distance = header->distance;
  field.queried = 1;
  schema->records = header->vectors;
  schema->queries = header->queries;
  schema->neighbors = header->queries ? header->neighbors : 0;
  schema->distances = header->distances_offset != 0;
  int status = vb_schema_add(schema, &field, err);
  if (!status)
    status = vb_schema_set(schema, VB_SCHEMA_NAME, *header->name ? header->name : NULL, err);
  if (!status) status = vb_schema_set(schema, VB_SCHEMA_KEY_PATTERN, "vec:{HASHTAG}:%012d", err);
  if (status) {
    vb_schema_free(schema);
    return status;
  }
  *out = schema;
  return VB_OK;
}
