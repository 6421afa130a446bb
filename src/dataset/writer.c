#include "dataset/writer.h"

#include "base/bytes.h"
#include "dataset/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 128 * 1024 };

/* A section: written through a buffer to a file. Records go to the data file itself, the others to
 * files without a name whose bytes are put behind it in the end. */
typedef struct section {
  int fd; /* -1 until the first bytes leave the buffer */
  char *buffer;
  size_t used, room;
  uint64_t bytes; /* in all, the buffer among them */
  uint64_t width; /* of an entry; 0: the schema has none */
} section;

struct vb_writer {
  vb_schema *schema;
  char schema_path[PATH_MAX], data_path[PATH_MAX];
  char temporary[PATH_MAX + 32]; /* "" when there is no such file */
  section sections[VB_SECTIONS];
};

static const char *const names[] = {"records", "keys", "queries", "rows of neighbours",
                                    "rows of distances"};

static int failed(const char *path, vb_error *err) {
  return vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno));
}

/* --- paths ------------------------------------------------------------------------------------ */

static bool ends_in(const char *text, size_t length, const char *end) {
  size_t size = strlen(end);
  return length > size && memcmp(text + length - size, end, size) == 0;
}

/* Whether the last part of a path is a name that a file can have, with ".bin" behind it. */
static bool has_name(const char *path, size_t length) {
  size_t start = length;
  while (start && path[start - 1] != '/') start--;
  for (size_t i = start; i < length; i++)
    if (path[i] != '.') return true;
  return false;
}

static int set_paths(vb_writer *writer, const char *base, vb_error *err) {
  size_t length = strlen(base);
  if (ends_in(base, length, ".yaml"))
    length -= 5;
  else if (ends_in(base, length, ".bin"))
    length -= 4;
  if (!has_name(base, length))
    return vb_fail(err, VB_EINVAL, "'%s' is no name of a dataset; write DIRECTORY/NAME", base);
  if (length + 5 >= PATH_MAX) return errno = ENAMETOOLONG, failed(base, err);
  (void)snprintf(writer->schema_path, PATH_MAX, "%.*s.yaml", (int)length, base);
  (void)snprintf(writer->data_path, PATH_MAX, "%.*s.bin", (int)length, base);
  return VB_OK;
}

static int open_temporary(const char *path) {
  return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

/* A directory in the place of a file is found now, not after hours of writing. */
static int check_place(const char *path, vb_error *err) {
  struct stat info;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return errno = EISDIR, failed(path, err);
  return VB_OK;
}

static int open_data(vb_writer *writer, vb_error *err) {
  int status = check_place(writer->data_path, err);
  if (!status) status = check_place(writer->schema_path, err);
  if (status) return status;
  (void)snprintf(writer->temporary, sizeof writer->temporary, "%s.%ld.tmp", writer->data_path,
                 (long)gettid());  /* states of one process may write the same */
  (void)unlink(writer->temporary); /* left by a thread of the same number that was killed */
  int fd = open_temporary(writer->temporary);
  if (fd < 0) {
    writer->temporary[0] = 0;
    return failed(writer->data_path, err);
  }
  writer->sections[VB_SECTION_RECORDS].fd = fd;
  return VB_OK;
}

/* --- sections --------------------------------------------------------------------------------- */

static int open_spool(const vb_writer *writer, section *to, int which, vb_error *err) {
  char path[PATH_MAX + 64];
  (void)snprintf(path, sizeof path, "%s.%d", writer->temporary, which);
  (void)unlink(path);
  to->fd = open_temporary(path);
  if (to->fd < 0) return failed(path, err);
  (void)unlink(path);
  return VB_OK;
}

static int write_out(vb_writer *writer, int which, const char *bytes, size_t size, vb_error *err) {
  section *to = &writer->sections[which];
  if (to->fd < 0) {
    int status = open_spool(writer, to, which, err);
    if (status) return status;
  }
  while (size) {
    ssize_t wrote = write(to->fd, bytes, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return failed(writer->data_path, err);
    bytes += wrote;
    size -= (size_t)wrote;
  }
  return VB_OK;
}

static int flush(vb_writer *writer, int which, vb_error *err) {
  section *to = &writer->sections[which];
  if (!to->used) return VB_OK;
  int status = write_out(writer, which, to->buffer, to->used, err);
  if (!status) to->used = 0;
  return status;
}

char *vb_writer_room(vb_writer *writer, int which, size_t size, vb_error *err) {
  section *to = &writer->sections[which];
  if (to->room - to->used < size) {
    if (flush(writer, which, err)) return NULL;
    if (to->room < size) {
      size_t room = size > BUFFER ? size : BUFFER;
      char *buffer = realloc(to->buffer, room);
      if (!buffer) return vb_fail(err, VB_ENOMEM, "%s: out of memory", writer->data_path), NULL;
      to->buffer = buffer;
      to->room = room;
    }
  }
  char *at = to->buffer + to->used;
  memset(at, 0, size);
  to->used += size;
  to->bytes += size;
  return at;
}

int vb_writer_put(vb_writer *writer, int which, const void *bytes, size_t size, vb_error *err) {
  section *to = &writer->sections[which];
  if (size >= BUFFER / 2) {
    int status = flush(writer, which, err);
    if (!status) status = write_out(writer, which, bytes, size, err);
    if (!status) to->bytes += size;
    return status;
  }
  if (size == 0) return VB_OK;
  char *at = vb_writer_room(writer, which, size, err);
  if (!at) return VB_EIO;
  memcpy(at, bytes, size);
  return VB_OK;
}

int vb_writer_key(vb_writer *writer, const char *key, size_t length, vb_error *err) {
  const vb_schema *schema = writer->schema;
  if (length > schema->key_bytes)
    return vb_fail(err, VB_EINVAL, "the key '%.*s%s' has %zu bytes, keys have room for %llu",
                   (int)(length < 40 ? length : 40), key, length > 40 ? "..." : "", length,
                   (unsigned long long)schema->key_bytes);
  if (!schema->key_variable && memchr(key, 0, length))
    return vb_fail(err, VB_EINVAL,
                   "the key '%s' holds a NUL byte, where keys of a fixed length end", key);
  char *at = vb_writer_room(writer, VB_SECTION_KEYS, writer->sections[VB_SECTION_KEYS].width, err);
  if (!at) return VB_EIO;
  uint32_t prefix = (uint32_t)length;
  if (schema->key_variable) {
    memcpy(at, &prefix, sizeof prefix);
    at += sizeof prefix;
  }
  memcpy(at, key, length);
  return VB_OK;
}

int vb_writer_ids(vb_writer *writer, const uint64_t *ids, size_t count, vb_error *err) {
  if (writer->schema->id_type == VB_ID_U64)
    return vb_writer_put(writer, VB_SECTION_TRUTH, ids, count * sizeof *ids, err);
  char *at = vb_writer_room(writer, VB_SECTION_TRUTH, count * sizeof(uint32_t), err);
  if (!at) return VB_EIO;
  for (size_t i = 0; i < count; i++) {
    if (ids[i] >= UINT32_MAX && ids[i] != UINT64_MAX)
      return vb_fail(err, VB_EINVAL, "the neighbour %llu does not fit an id of 32 bits",
                     (unsigned long long)ids[i]);
    uint32_t id = (uint32_t)ids[i];
    memcpy(at + i * sizeof id, &id, sizeof id);
  }
  return VB_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int set_widths(vb_writer *writer, vb_error *err) {
  vb_layout layout;
  vb_schema *schema = writer->schema;
  schema->records = 1; /* so that each section has a width */
  schema->queries = !schema->collection;
  schema->records_offset = 0;
  int status = vb_layout_init(&layout, schema, err);
  if (status) return status;
  section *to = writer->sections;
  to[VB_SECTION_RECORDS].width = layout.record_size;
  to[VB_SECTION_KEYS].width = layout.key_size;
  to[VB_SECTION_QUERIES].width = layout.query_size;
  to[VB_SECTION_TRUTH].width = schema->neighbors * layout.id_size;
  to[VB_SECTION_DISTANCES].width = schema->distances ? schema->neighbors * sizeof(float) : 0;
  vb_layout_fini(&layout);
  return VB_OK;
}

int vb_writer_new(vb_writer **out, const char *base, const vb_schema *schema, vb_error *err) {
  vb_writer *writer = calloc(1, sizeof *writer);
  if (!writer) return vb_fail(err, VB_ENOMEM, "%s: out of memory", base);
  for (int i = 0; i < VB_SECTIONS; i++) writer->sections[i].fd = -1;
  writer->schema = vb_schema_copy(schema);
  int status = writer->schema ? VB_OK : vb_fail(err, VB_ENOMEM, "%s: out of memory", base);
  if (!status) status = set_widths(writer, err);
  if (!status) status = set_paths(writer, base, err);
  if (!status) status = open_data(writer, err);
  if (status) {
    vb_writer_free(writer);
    return status;
  }
  *out = writer;
  return VB_OK;
}

void vb_writer_free(vb_writer *writer) {
  if (!writer) return;
  for (int i = 0; i < VB_SECTIONS; i++) {
    if (writer->sections[i].fd >= 0) (void)close(writer->sections[i].fd);
    free(writer->sections[i].buffer);
  }
  if (writer->temporary[0]) (void)unlink(writer->temporary);
  vb_schema_free(writer->schema);
  free(writer);
}

uint64_t vb_writer_count(const vb_writer *writer, int which) {
  const section *of = &writer->sections[which];
  return of->width ? of->bytes / of->width : 0;
}

uint64_t vb_writer_record_bytes(const vb_writer *writer) {
  return writer->sections[VB_SECTION_RECORDS].width;
}

uint64_t vb_writer_query_bytes(const vb_writer *writer) {
  return writer->sections[VB_SECTION_QUERIES].width;
}

const vb_schema *vb_writer_schema(const vb_writer *writer) {
  return writer->schema;
}

const char *vb_writer_schema_path(const vb_writer *writer) {
  return writer->schema_path;
}

const char *vb_writer_data_path(const vb_writer *writer) {
  return writer->data_path;
}

/* Each of `which` belongs to one of `of`. */
static int check_counts(const vb_writer *writer, int which, int of, vb_error *err) {
  uint64_t have = vb_writer_count(writer, which), want = vb_writer_count(writer, of);
  if (writer->sections[which].width == 0 || have == want) return VB_OK;
  return vb_fail(err, VB_EINVAL, "%s: %llu %s, but %llu %s", writer->data_path,
                 (unsigned long long)have, names[which], (unsigned long long)want, names[of]);
}

static int check_whole(const vb_writer *writer, int which, vb_error *err) {
  const section *of = &writer->sections[which];
  if (of->width ? of->bytes % of->width == 0 : of->bytes == 0) return VB_OK;
  return vb_fail(err, VB_EINVAL, "%s: %llu bytes of %s, which take %llu bytes each",
                 writer->data_path, (unsigned long long)of->bytes, names[which],
                 (unsigned long long)of->width);
}

static int complete_schema(vb_writer *writer, vb_error *err) {
  vb_schema *schema = writer->schema;
  int status = check_counts(writer, VB_SECTION_KEYS, VB_SECTION_RECORDS, err);
  for (int i = 0; !status && i < VB_SECTIONS; i++) status = check_whole(writer, i, err);
  schema->records = vb_writer_count(writer, VB_SECTION_RECORDS);
  schema->queries = vb_writer_count(writer, VB_SECTION_QUERIES);
  if (!status) status = check_counts(writer, VB_SECTION_TRUTH, VB_SECTION_QUERIES, err);
  if (!status) status = check_counts(writer, VB_SECTION_DISTANCES, VB_SECTION_QUERIES, err);
  if (schema->queries == 0) schema->neighbors = 0, schema->distances = 0;
  if (!status && schema->records == 0)
    status = vb_fail(err, VB_EINVAL, "%s: there are no records", writer->data_path);
  return status;
}

/* Within the kernel where it can, which may share the blocks. */
static int append(vb_writer *writer, const section *from, vb_error *err) {
  char buffer[16 * 1024];
  int to = writer->sections[VB_SECTION_RECORDS].fd;
  off_t at = 0;
  for (uint64_t left = from->bytes; left;) {
    size_t most = left < (1u << 30) ? (size_t)left : 1u << 30;
    ssize_t got = copy_file_range(from->fd, &at, to, NULL, most, 0);
    if (got <= 0) {
      got = pread(from->fd, buffer, sizeof buffer, at);
      if (got <= 0) return failed(writer->data_path, err);
      int status = write_out(writer, VB_SECTION_RECORDS, buffer, (size_t)got, err);
      if (status) return status;
      at += got;
    }
    left -= (uint64_t)got;
  }
  return VB_OK;
}

/* A section that never left its buffer needs no file. */
static int join(vb_writer *writer, int which, vb_error *err) {
  section *from = &writer->sections[which];
  if (from->fd < 0) return write_out(writer, VB_SECTION_RECORDS, from->buffer, from->used, err);
  int status = flush(writer, which, err);
  return status ? status : append(writer, from, err);
}

/* Both files are whole. Another schema that was there goes first: between the two names there is no
 * dataset, never an old schema with new data. */
static int rename_both(vb_writer *writer, const char *schema, bool other, vb_error *err) {
  if (other && unlink(writer->schema_path) && errno != ENOENT)
    return failed(writer->schema_path, err);
  if (rename(writer->temporary, writer->data_path)) return failed(writer->data_path, err);
  writer->temporary[0] = 0;
  return rename(schema, writer->schema_path) ? failed(writer->schema_path, err) : VB_OK;
}

static int give_names(vb_writer *writer, vb_error *err) {
  section *data = &writer->sections[VB_SECTION_RECORDS];
  char path[sizeof writer->temporary + 8];
  int bad = close(data->fd);
  data->fd = -1;
  if (bad) return failed(writer->data_path, err);
  (void)snprintf(path, sizeof path, "%s.yaml", writer->temporary);
  int status = vb_schema_write(writer->schema, path, err);
  bool other = !vb_schema_is_written(writer->schema, writer->schema_path);
  if (!status) status = rename_both(writer, path, other, err);
  if (status) (void)unlink(path);
  return status;
}

int vb_writer_finish(vb_writer *writer, vb_error *err) {
  int status = complete_schema(writer, err);
  if (!status) status = flush(writer, VB_SECTION_RECORDS, err);
  for (int i = VB_SECTION_KEYS; !status && i < VB_SECTIONS; i++) status = join(writer, i, err);
  return status ? status : give_names(writer, err);
}
