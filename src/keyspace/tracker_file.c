#include "keyspace/tracker_file.h"

#include "base/random.h"
#include "keyspace/format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_HEAD_WORDS = 2, VERSION_AT = 7, LAYOUT_MAX = VB_KEY_MAX + 128, PATH_ROOM = 4096 };

static const char magic[8] = {'V', 'B', 'T', 'R', 'A', 'C', 'K', '1'};

/* The first words of a section. */
typedef struct section_head {
  uint64_t words; /* of the section, this one and the checksum included */
  uint64_t size, unknown, blocks, name, layout;
} section_head;

enum { HEAD_WORDS = sizeof(section_head) / sizeof(uint64_t) };

static uint64_t words_of(uint64_t bytes) {
  return (bytes + 7) / 8;
}

/* What must be equal for the ids to be of the same keys. */
static void describe(const vb_keyspace *keyspace, char to[LAYOUT_MAX]) {
  const char *text = keyspace->text;
  int length = snprintf(to, LAYOUT_MAX, "%s%.*s%%0%ud%.*s",
                        keyspace->dataset     ? "(stored)"
                        : keyspace->slot_tags ? "(tagged)"
                                              : "",
                        (int)keyspace->head, text, keyspace->width, (int)keyspace->tail,
                        text + keyspace->head);
  if (keyspace->subs)
    length += snprintf(to + length, (size_t)(LAYOUT_MAX - length), "%s below %" PRIu64,
                       keyspace->subs_apart ? " and a sub-id" : ":%d", keyspace->subs);
  if (keyspace->slot_first != keyspace->slot_last)
    (void)snprintf(to + length, (size_t)(LAYOUT_MAX - length), " in slots %u to %u",
                   keyspace->slot_first, keyspace->slot_last);
}

/* A sum that every word changes, and their order. */
static uint64_t checksum(uint64_t sum, const uint64_t *words, size_t count) {
  for (size_t i = 0; i < count; i++) sum = vb_mix(sum ^ words[i]) + 1;
  return sum;
}

/* Writing */

typedef struct writer {
  FILE *file;
  uint64_t sum;
  bool failed;
} writer;

static void put(writer *to, const uint64_t *words, size_t count) {
  to->sum = checksum(to->sum, words, count);
  if (fwrite(words, sizeof *words, count, to->file) != count) to->failed = true;
}

static void put_word(writer *to, uint64_t word) {
  put(to, &word, 1);
}

static void put_text(writer *to, const char *text) {
  uint64_t words[LAYOUT_MAX / 8 + 1] = {0};
  size_t length = strlen(text);
  memcpy(words, text, length);
  put(to, words, words_of(length));
}

/* 0: nothing is set; 1: some bits; 2: all. */
static int look_at_block(const vb_bitmap *bitmap, uint64_t block, uint64_t *words) {
  if (!vb_bitmap_copy_block(bitmap, block, words)) return 0;
  uint64_t any = 0, all = UINT64_MAX;
  for (size_t i = 0; i < VB_BITMAP_WORDS; i++) {
    any |= words[i];
    all &= words[i];
  }
  return !any ? 0 : all == UINT64_MAX ? 2 : 1;
}

static uint64_t blocks_of(const vb_bitmap *bitmap) {
  return (vb_bitmap_size(bitmap) + VB_BITMAP_BLOCK - 1) / VB_BITMAP_BLOCK;
}

static section_head measure(const vb_keyspace *keyspace, const char *layout) {
  const vb_tracker *tracker = vb_keyspace_tracker(keyspace);
  const vb_bitmap *bitmap = vb_tracker_existing(tracker);
  uint64_t words[VB_BITMAP_WORDS];
  section_head head = {.size = keyspace->size,
                       .unknown = vb_tracker_unknown_count(tracker),
                       .name = strlen(keyspace->name),
                       .layout = strlen(layout)};
  head.words = HEAD_WORDS + words_of(head.name) + words_of(head.layout) + head.unknown + 1;
  for (uint64_t block = 0; block < blocks_of(bitmap); block++) {
    int look = look_at_block(bitmap, block, words);
    head.blocks += look > 0;
    head.words += look == 0 ? 0 : look == 2 ? 1 : 1 + VB_BITMAP_WORDS;
  }
  return head;
}

static void write_section(writer *to, const vb_keyspace *keyspace) {
  const vb_tracker *tracker = vb_keyspace_tracker(keyspace);
  const vb_bitmap *bitmap = vb_tracker_existing(tracker);
  uint64_t words[VB_BITMAP_WORDS], id;
  char layout[LAYOUT_MAX];
  describe(keyspace, layout);
  section_head head = measure(keyspace, layout);
  to->sum = 0;
  put(to, (const uint64_t *)&head, HEAD_WORDS);
  put_text(to, keyspace->name);
  put_text(to, layout);
  for (uint64_t i = 0; vb_tracker_unknown_at(tracker, i, &id); i++) put_word(to, id);
  for (uint64_t block = 0; block < blocks_of(bitmap); block++) {
    int look = look_at_block(bitmap, block, words);
    if (look) put_word(to, block * 2 + (look == 2));
    if (look == 1) put(to, words, VB_BITMAP_WORDS);
  }
  put_word(to, to->sum);
}

static int cannot(const char *what, const char *path, vb_error *err) {
  return vb_fail(err, VB_EIO, "tracker file %s cannot be %s: %s", path, what, strerror(errno));
}

static bool write_file(FILE *file, const vb_keyspace *const *keyspaces, uint32_t count) {
  writer to = {.file = file};
  uint64_t tracked = 0;
  for (uint32_t i = 0; i < count; i++) tracked += vb_keyspace_tracker(keyspaces[i]) != NULL;
  to.failed = fwrite(magic, sizeof magic, 1, file) != 1;
  put_word(&to, tracked);
  for (uint32_t i = 0; i < count && !to.failed; i++)
    if (vb_keyspace_tracker(keyspaces[i])) write_section(&to, keyspaces[i]);
  if (fflush(file) || fsync(fileno(file))) to.failed = true;
  return !to.failed;
}

int vb_tracker_file_save(const char *path, const vb_keyspace *const *keyspaces, uint32_t count,
                         vb_error *err) {
  char beside[PATH_ROOM];
  int length = snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
  if (length < 0 || (size_t)length >= sizeof beside)
    return vb_fail(err, VB_EINVAL, "tracker file %.200s...: the name is too long", path);
  FILE *file = fopen(beside, "wb");
  if (!file) return cannot("written", path, err);
  bool written = write_file(file, keyspaces, count);
  int error = errno;
  if (fclose(file)) written = false;
  if (written && !rename(beside, path)) return VB_OK;
  if (!written) errno = error;
  int status = cannot("written", path, err);
  (void)unlink(beside);
  return status;
}

/* Reading: the whole file is looked at before anything is loaded. */

typedef struct reader {
  const char *path;
  const uint64_t *words;
  size_t count;
} reader;

static int damaged(const reader *from, vb_error *err) {
  return vb_fail(err, VB_EINVAL, "tracker file %s is damaged or cut off: scan the server instead",
                 from->path);
}

/* The parts of a section, which are on loan from the file. */
typedef struct section {
  section_head head;
  const char *name, *layout;
  const uint64_t *unknown, *blocks, *end;
} section;

/* Whether the blocks end where the checksum stands, in ascending order and within the size. */
static bool blocks_fit(const section *of) {
  const uint64_t *at = of->blocks;
  uint64_t next = 0, size = of->head.size;
  for (uint64_t i = 0; i < of->head.blocks; i++) {
    if (at >= of->end) return false;
    uint64_t block = *at / 2;
    if (block < next || block > (size - 1) / VB_BITMAP_BLOCK) return false;
    next = block + 1;
    at += *at & 1 ? 1 : 1 + VB_BITMAP_WORDS;
  }
  return at == of->end;
}

static int read_section(const reader *from, size_t *at, section *to, vb_error *err) {
  size_t left = from->count - *at;
  const uint64_t *words = from->words + *at;
  if (left < HEAD_WORDS + 1) return damaged(from, err);
  memcpy(&to->head, words, sizeof to->head);
  const section_head *head = &to->head;
  bool fits = head->words <= left && head->words > HEAD_WORDS && head->size &&
              head->name < left * 8 && head->layout < left * 8 && head->unknown < left;
  uint64_t before = HEAD_WORDS + words_of(head->name) + words_of(head->layout);
  if (!fits || before + head->unknown + 1 > head->words) return damaged(from, err);
  uint64_t sum = checksum(0, words, head->words - 1);
  to->name = (const char *)(words + HEAD_WORDS);
  to->layout = (const char *)(words + HEAD_WORDS + words_of(head->name));
  to->unknown = words + before;
  to->blocks = to->unknown + head->unknown;
  to->end = words + head->words - 1;
  if (sum != *to->end || !blocks_fit(to)) return damaged(from, err);
  *at += head->words;
  return VB_OK;
}

static const vb_keyspace *find(const section *of, const vb_keyspace *const *keyspaces,
                               uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (strlen(keyspaces[i]->name) == of->head.name &&
        !memcmp(keyspaces[i]->name, of->name, of->head.name))
      return keyspaces[i];
  return NULL;
}

static int check_section(const reader *from, const section *of, const vb_keyspace *keyspace,
                         vb_error *err) {
  char layout[LAYOUT_MAX];
  if (!keyspace)
    return vb_fail(err, VB_EINVAL,
                   "tracker file %s is of a keyspace '%.*s', which the scenario has not",
                   from->path, (int)of->head.name, of->name);
  describe(keyspace, layout);
  if (strlen(layout) != of->head.layout || memcmp(layout, of->layout, of->head.layout) != 0)
    return vb_fail(err, VB_EINVAL, "tracker file %s: keyspace '%s' has keys %.*s there and %s here",
                   from->path, keyspace->name, (int)of->head.layout, of->layout, layout);
  if (of->head.size != keyspace->size)
    return vb_fail(err, VB_EINVAL,
                   "tracker file %s: keyspace '%s' has %" PRIu64 " ids there and %" PRIu64 " here",
                   from->path, keyspace->name, of->head.size, keyspace->size);
  return VB_OK;
}

static int load_section(const section *of, const vb_keyspace *keyspace, vb_error *err) {
  vb_tracker *tracker = NULL;
  int status = vb_keyspace_track(keyspace, &tracker, err);
  if (status) return status;
  (void)vb_tracker_clear(tracker);
  for (const uint64_t *at = of->blocks; at < of->end; at += *at & 1 ? 1 : 1 + VB_BITMAP_WORDS) {
    uint64_t first = *at / 2 * VB_BITMAP_BLOCK;
    if (*at & 1)
      (void)vb_tracker_add_range(tracker, first, first + VB_BITMAP_BLOCK);
    else
      for (uint64_t i = 0; i < VB_BITMAP_WORDS; i++)
        if (at[1 + i]) vb_tracker_add_few(tracker, first + 64 * i, at[1 + i]);
  }
  for (uint64_t i = 0; i < of->head.unknown; i++) vb_tracker_unknown(tracker, of->unknown[i]);
  return VB_OK;
}

/* Goes through the sections; loads them, or only looks. */
static int walk(const reader *from, const vb_keyspace *const *keyspaces, uint32_t count,
                uint32_t *loaded, vb_error *err) {
  uint64_t sections = from->words[1], seen = 0;
  for (size_t at = FILE_HEAD_WORDS; at < from->count; seen++) {
    section one;
    int status = read_section(from, &at, &one, err);
    const vb_keyspace *keyspace = status ? NULL : find(&one, keyspaces, count);
    if (!status) status = check_section(from, &one, keyspace, err);
    if (!status && loaded) {
      status = load_section(&one, keyspace, err);
      *loaded += 1;
    }
    if (status) return status;
  }
  return seen == sections ? VB_OK : damaged(from, err);
}

static int read_file(const reader *from, size_t bytes, const vb_keyspace *const *keyspaces,
                     uint32_t count, uint32_t *loaded, vb_error *err) {
  if (bytes < sizeof magic || memcmp(from->words, magic, VERSION_AT) != 0)
    return vb_fail(err, VB_EINVAL, "%s is no tracker file", from->path);
  char version = ((const char *)from->words)[VERSION_AT];
  if (version != magic[VERSION_AT])
    return vb_fail(err, VB_EINVAL, "tracker file %s has version '%c'; this vbench reads '%c'",
                   from->path, version, magic[VERSION_AT]);
  if (bytes % 8 || bytes < 8 * FILE_HEAD_WORDS) return damaged(from, err);
  int status = walk(from, keyspaces, count, NULL, err);
  if (status) return status;
  *loaded = 0;
  return walk(from, keyspaces, count, loaded, err);
}

int vb_tracker_file_load(const char *path, const vb_keyspace *const *keyspaces, uint32_t count,
                         uint32_t *loaded, vb_error *err) {
  struct stat about;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cannot("read", path, err);
  if (fstat(fd, &about) || !S_ISREG(about.st_mode)) {
    (void)close(fd);
    return vb_fail(err, VB_EINVAL, "%s is no tracker file", path);
  }
  size_t bytes = (size_t)about.st_size;
  void *at = bytes ? mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
  int status = at == MAP_FAILED ? cannot("read", path, err) : VB_OK;
  (void)close(fd);
  reader from = {path, at, bytes / 8};
  if (!status) status = read_file(&from, bytes, keyspaces, count, loaded, err);
  if (at && at != MAP_FAILED) (void)munmap(at, bytes);
  return status;
}
