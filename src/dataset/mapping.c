#include "dataset/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the signal handler needs to know of a mapping. A handler has no argument of ours, so this is
 * the process's; `end` is written last and cleared first. */
typedef struct slot {
  _Atomic uintptr_t begin, end;
  atomic_bool lost;
} slot;

static slot slots[VB_MAPPINGS_MAX];
static atomic_size_t slots_used; /* those that were ever taken */
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
static long page_size;

static slot *find_slot(uintptr_t address) {
  for (size_t i = 0; i < atomic_load(&slots_used); i++)
    if (address < atomic_load(&slots[i].end) && address >= atomic_load(&slots[i].begin))
      return &slots[i];
  return NULL;
}

/* A page of a mapping that the file does not have: zeros take its place, so that the thread goes on
 * and main can end the run in an orderly way. Anything else is a crash as without us. */
static void on_bus_error(int number, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  uintptr_t page = (uintptr_t)info->si_addr & ~((uintptr_t)page_size - 1);
  slot *of = find_slot((uintptr_t)info->si_addr);
  void *put = MAP_FAILED;
  if (of)
    put = mmap((void *)page, (size_t)page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
               -1, 0);
  if (put == MAP_FAILED)
    (void)signal(number, SIG_DFL); /* the access is made again, and ends the process */
  else
    atomic_store(&of->lost, true);
  errno = saved;
}

/* With every mapping, so that whoever else sets it has it for no longer. */
static void install_handler(void) {
  struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
  page_size = sysconf(_SC_PAGESIZE);
  (void)sigemptyset(&action.sa_mask);
  (void)sigaction(SIGBUS, &action, NULL);
}

static int take_slot(vb_mapping *mapping, vb_error *err) {
  (void)pthread_mutex_lock(&slots_lock);
  install_handler();
  int i = 0;
  while (i < VB_MAPPINGS_MAX && atomic_load(&slots[i].end)) i++;
  if (i < VB_MAPPINGS_MAX) {
    uintptr_t begin = (uintptr_t)mapping->data;
    atomic_store(&slots[i].lost, false);
    atomic_store(&slots[i].begin, begin);
    atomic_store(&slots[i].end, begin + mapping->size);
    if ((size_t)i >= atomic_load(&slots_used)) atomic_store(&slots_used, (size_t)i + 1);
    mapping->slot = i;
  }
  (void)pthread_mutex_unlock(&slots_lock);
  if (i < VB_MAPPINGS_MAX) return VB_OK;
  return vb_fail(err, VB_ENOMEM, "%s: more than %d data files are open", mapping->path,
                 VB_MAPPINGS_MAX);
}

static int map(vb_mapping *mapping, int fd, vb_error *err) {
  struct stat about;
  if (fstat(fd, &about)) return vb_fail(err, VB_EIO, "%s: %s", mapping->path, strerror(errno));
  if (S_ISDIR(about.st_mode)) return vb_fail(err, VB_EIO, "%s: a directory", mapping->path);
  if (!S_ISREG(about.st_mode))
    return vb_fail(err, VB_EIO, "%s: not a file that can be mapped", mapping->path);
  mapping->size = (uint64_t)about.st_size;
  if (!mapping->size) return VB_OK;
  void *data = mmap(NULL, mapping->size, PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED)
    return vb_fail(err, VB_EIO, "%s: mapping %" PRIu64 " bytes: %s", mapping->path, mapping->size,
                   strerror(errno));
  mapping->data = data;
  return take_slot(mapping, err);
}

int vb_mapping_open(vb_mapping *mapping, const char *path, vb_error *err) {
  *mapping = (vb_mapping){.path = strdup(path), .slot = -1, .fd = -1};
  if (!mapping->path) return vb_fail(err, VB_ENOMEM, "%s: out of memory", path);
  mapping->fd = open(path, O_RDONLY | O_CLOEXEC);
  int status = VB_OK;
  if (mapping->fd < 0)
    status = vb_fail(err, VB_EIO, "%s: %s", path, strerror(errno));
  else
    status = map(mapping, mapping->fd, err);
  if (status) vb_mapping_close(mapping);
  return status;
}

void vb_mapping_close(vb_mapping *mapping) {
  if (mapping->path && mapping->slot >= 0) atomic_store(&slots[mapping->slot].end, 0);
  if (mapping->data) (void)munmap((void *)(uintptr_t)mapping->data, mapping->size);
  if (mapping->path && mapping->fd >= 0) (void)close(mapping->fd);
  free(mapping->path);
  *mapping = (vb_mapping){0};
}

int vb_mapping_check(const vb_mapping *mapping, vb_error *err) {
  struct stat about;
  if (!mapping->data) return VB_OK;
  if (!fstat(mapping->fd, &about) && (uint64_t)about.st_size < mapping->size)
    return vb_fail(err, VB_EIO,
                   "%s: cut short while it was in use: it had %" PRIu64 " bytes, now %lld",
                   mapping->path, mapping->size, (long long)about.st_size);
  if (!atomic_load(&slots[mapping->slot].lost)) return VB_OK;
  return vb_fail(err, VB_EIO, "%s: a page could not be read while it was in use", mapping->path);
}

void vb_mapping_advise(const vb_mapping *mapping, uint64_t offset, uint64_t size,
                       enum vb_access access) {
  static const int advice[] = {MADV_NORMAL, MADV_SEQUENTIAL, MADV_RANDOM};
  if (!mapping->data || offset >= mapping->size) return;
  if (size > mapping->size - offset) size = mapping->size - offset;
  uint64_t before = offset & ((uint64_t)page_size - 1); /* from the start of a page */
  void *begin = (void *)((uintptr_t)mapping->data + (uintptr_t)(offset - before));
  (void)madvise(begin, size + before, advice[access]);
}
