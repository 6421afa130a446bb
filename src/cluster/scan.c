#include "cluster/scan.h"

#include "keyspace/learned.h"
#include "keyspace/refset.h"
#include "keyspace/stored.h"
#include "resp/client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MATCH_MAX = 2100, CURSOR_MAX = 24 };

/* What is read of one server, by its thread. */
typedef struct scanner {
  struct vb_keyscan *scan;
  pthread_t thread;
  bool started;
  const vb_endpoint *endpoint;
  _Atomic uint64_t keys, tagged, outside, foreign;
  _Atomic bool done;
  vb_error err;
} scanner;

struct vb_keyscan {
  vb_keyscan_spec spec;
  char match[MATCH_MAX];
  vb_tracker *found;
  vb_learned *learned; /* tags that others gave, of keyspaces that can have them; or NULL */
  vb_stored *stored;   /* of a dataset's stored keys; or NULL */
  _Atomic bool stop;
  uint32_t count;
  scanner scanners[];
};

static void add(_Atomic uint64_t *to, uint64_t more) {
  (void)atomic_fetch_add_explicit(to, more, memory_order_relaxed);
}

static uint64_t read_count(_Atomic uint64_t *of) {
  return atomic_load_explicit(of, memory_order_relaxed);
}

static void take_stored(scanner *self, const vb_value *key) {
  const vb_stored *stored = self->scan->stored;
  uint64_t id = vb_stored_find(stored, key->text, key->length, VB_STORED_NONE);
  if (id == VB_STORED_NONE) add(&self->foreign, 1);
  for (; id != VB_STORED_NONE; id = vb_stored_find(stored, key->text, key->length, id))
    (void)vb_tracker_add(self->scan->found, id);
}

static void take_tagged(scanner *self, const vb_value *key, uint64_t id) {
  char tag[VB_SLOT_TAG];
  const vb_keyspace *keyspace = self->scan->spec.keyspace;
  if (self->scan->learned && vb_keyspace_tag_of(keyspace, key->text, key->length, id, tag))
    vb_learned_set(self->scan->learned, id, tag);
  else
    add(&self->tagged, 1);
}

static void take_key(scanner *self, const vb_value *key) {
  uint64_t id;
  if (self->scan->stored) {
    take_stored(self, key);
    return;
  }
  switch (vb_keyspace_parse(self->scan->spec.keyspace, key->text, key->length, &id)) {
  case VB_KEY_OWN: (void)vb_tracker_add(self->scan->found, id); break;
  case VB_KEY_TAGGED: take_tagged(self, key, id); break;
  case VB_KEY_OUTSIDE: add(&self->outside, 1); break;
  default: add(&self->foreign, 1); break;
  }
}

/* A reply of SCAN: the next cursor, and keys. */
static int take_page(scanner *self, const vb_value *page, char cursor[CURSOR_MAX]) {
  if (page->type == VB_VALUE_ERROR) return vb_fail(&self->err, VB_ESERVER, "SCAN: %s", page->text);
  bool fits = page->type == VB_VALUE_ARRAY && page->length == 2 &&
              page->elements[0]->type == VB_VALUE_STRING &&
              page->elements[0]->length < CURSOR_MAX && page->elements[1]->type == VB_VALUE_ARRAY;
  if (!fits) return vb_fail(&self->err, VB_EPROTOCOL, "SCAN: a reply that is no page of keys");
  const vb_value *keys = page->elements[1];
  for (size_t i = 0; i < keys->length; i++)
    if (keys->elements[i]->type == VB_VALUE_STRING) take_key(self, keys->elements[i]);
  add(&self->keys, keys->length);
  memcpy(cursor, page->elements[0]->text, page->elements[0]->length + 1);
  return VB_OK;
}

static int read_pages(scanner *self, vb_client *client) {
  const vb_keyscan_spec *spec = &self->scan->spec;
  char cursor[CURSOR_MAX] = "0";
  do {
    const char *words[] = {"SCAN", cursor, "MATCH", self->scan->match, "COUNT", "10000"};
    vb_value *page = NULL;
    int status = vb_client_call(client, VB_ARRAY_LENGTH(words), words, NULL, spec->timeout_ms,
                                &page, &self->err);
    if (!status) status = take_page(self, page, cursor);
    vb_value_free(page);
    if (status) return status;
  } while (strcmp(cursor, "0") != 0 && !atomic_load(&self->scan->stop));
  return VB_OK;
}

static void *scan_server(void *argument) {
  scanner *self = argument;
  const vb_keyscan_spec *spec = &self->scan->spec;
  vb_client *client = NULL;
  if (!vb_client_open(&client, self->endpoint, &spec->login, spec->timeout_ms, &self->err) &&
      read_pages(self, client) && !strstr(self->err.text, vb_client_address(client))) {
    vb_error inner = self->err;
    (void)vb_fail(&self->err, inner.status, "%.800s (%s)", inner.text, vb_client_address(client));
  }
  vb_client_close(client);
  atomic_store(&self->done, true);
  return NULL;
}

static int start_threads(vb_keyscan *scan, vb_error *err) {
  for (uint32_t i = 0; i < scan->spec.endpoint_count; i++) {
    scanner *one = &scan->scanners[i];
    one->scan = scan;
    one->endpoint = &scan->spec.endpoints[i];
    if (pthread_create(&one->thread, NULL, scan_server, one))
      return vb_fail(err, VB_ENOMEM, "scan of keyspace '%s': no thread can be made",
                     vb_keyspace_name(scan->spec.keyspace));
    one->started = true;
    scan->count++;
  }
  return VB_OK;
}

/* How the keys are told from others: by their text, or by a table of those that are stored. */
static int prepare(vb_keyscan *scan, vb_error *err) {
  const vb_keyspace *keyspace = scan->spec.keyspace;
  const char *prefix;
  if (!vb_keyspace_dataset(keyspace)) {
    (void)vb_keyspace_match(keyspace, scan->spec.anywhere, scan->match, sizeof scan->match);
    if (!vb_keyspace_learns(keyspace)) return VB_OK;
    return vb_learned_new(&scan->learned, vb_keyspace_size(keyspace), err);
  }
  int status = vb_stored_new(&scan->stored, keyspace, err);
  if (status) return status;
  size_t length = vb_stored_prefix_view(scan->stored, &prefix);
  (void)vb_match_prefix(prefix, length, scan->match, sizeof scan->match);
  return VB_OK;
}

int vb_keyscan_start(vb_keyscan **out, const vb_keyscan_spec *spec, vb_error *err) {
  vb_tracker *tracker = NULL;
  int status = vb_keyspace_track(spec->keyspace, &tracker, err);
  if (status) return status;
  vb_keyscan *scan = calloc(1, sizeof *scan + spec->endpoint_count * sizeof *scan->scanners);
  if (!scan)
    return vb_fail(err, VB_ENOMEM, "scan of keyspace '%s': out of memory",
                   vb_keyspace_name(spec->keyspace));
  scan->spec = *spec;
  status = prepare(scan, err);
  if (!status)
    status = vb_tracker_new(&scan->found, vb_keyspace_name(spec->keyspace),
                            vb_tracker_size(tracker), vb_keyspace_size(spec->keyspace), err);
  if (!status) status = start_threads(scan, err);
  if (status)
    vb_keyscan_free(scan);
  else
    *out = scan;
  return status;
}

void vb_keyscan_progress(vb_keyscan *scan, vb_keyscan_counts *counts) {
  memset(counts, 0, sizeof *counts);
  for (uint32_t i = 0; i < scan->count; i++) {
    scanner *one = &scan->scanners[i];
    counts->running += !atomic_load(&one->done);
    counts->keys += read_count(&one->keys);
    counts->tagged += read_count(&one->tagged);
    counts->outside += read_count(&one->outside);
    counts->foreign += read_count(&one->foreign);
  }
  counts->found = vb_tracker_count(scan->found);
}

void vb_keyscan_stop(vb_keyscan *scan) {
  atomic_store(&scan->stop, true);
}

static int join(vb_keyscan *scan, vb_error *err) {
  int status = VB_OK;
  for (uint32_t i = 0; i < scan->count; i++) {
    scanner *one = &scan->scanners[i];
    if (one->started) (void)pthread_join(one->thread, NULL);
    one->started = false;
    if (!status && one->err.status)
      status = vb_fail(err, one->err.status, "scan of keyspace '%s': %.900s",
                       vb_keyspace_name(scan->spec.keyspace), one->err.text);
  }
  if (!status && atomic_load(&scan->stop))
    status = vb_fail(err, VB_ETIMEOUT, "scan of keyspace '%s': stopped before its end",
                     vb_keyspace_name(scan->spec.keyspace));
  return status;
}

/* Known or not, it is now. */
static void settle_unknown(vb_keyscan *scan, vb_tracker *tracker) {
  uint64_t id;
  while (vb_tracker_unknown_at(tracker, 0, &id)) {
    if (vb_tracker_exists(scan->found, id))
      (void)vb_tracker_add(tracker, id);
    else
      (void)vb_tracker_remove(tracker, id);
  }
}

/* The ids of `a` that `b` has not. */
static int ids_only_in(vb_refset **out, const vb_tracker *a, const vb_tracker *b, vb_error *err) {
  vb_snapshot *of_a = NULL, *of_b = NULL;
  int status = vb_snapshot_take(&of_a, a, err);
  if (!status) status = vb_snapshot_take(&of_b, b, err);
  if (!status) status = vb_refset_of_snapshots(out, VB_SET_DIFFERENCE, of_a, of_b, err);
  vb_snapshot_free(of_a);
  vb_snapshot_free(of_b);
  return status;
}

/* Ids whose keys exist under tags of others exist, and are written so from now on; but not those
 * that have their own key, too. */
static int adopt(vb_keyscan *scan, vb_keyscan_counts *counts, vb_error *err) {
  const vb_learned *learned = scan->learned;
  char tag[VB_SLOT_TAG];
  for (uint64_t id = 0; (id = vb_bitmap_next_set(learned->ids, id, learned->size)) < learned->size;
       id++) {
    if (vb_tracker_exists(scan->found, id)) {
      counts->tagged++;
      continue;
    }
    (void)vb_learned_write(learned, id, tag);
    int status = vb_keyspace_learn(scan->spec.keyspace, id, tag, err);
    if (status) return status;
    (void)vb_tracker_add(scan->found, id);
    counts->learned++;
  }
  counts->found = vb_tracker_count(scan->found);
  return VB_OK;
}

static int replace(vb_keyscan *scan, vb_keyscan_counts *counts, vb_error *err) {
  vb_tracker *tracker = vb_keyspace_tracker(scan->spec.keyspace);
  vb_refset *added = NULL, *stale = NULL;
  int status = scan->learned ? adopt(scan, counts, err) : VB_OK;
  if (!status) status = ids_only_in(&added, scan->found, tracker, err);
  if (!status) status = ids_only_in(&stale, tracker, scan->found, err);
  if (!status) {
    counts->added = vb_refset_count(added);
    counts->stale = vb_refset_count(stale);
    settle_unknown(scan, tracker);
    (void)vb_refset_restore(added, tracker);
    for (uint64_t id = 0; vb_refset_next(stale, id, &id); id++)
      (void)vb_tracker_remove(tracker, id);
  }
  vb_refset_free(added);
  vb_refset_free(stale);
  return status;
}

int vb_keyscan_apply(vb_keyscan *scan, vb_keyscan_counts *counts, vb_error *err) {
  int status = join(scan, err);
  vb_keyscan_progress(scan, counts);
  return status ? status : replace(scan, counts, err);
}

void vb_keyscan_free(vb_keyscan *scan) {
  if (!scan) return;
  vb_keyscan_stop(scan);
  (void)join(scan, NULL);
  vb_tracker_free(scan->found);
  vb_stored_free(scan->stored);
  vb_learned_free(scan->learned);
  free(scan);
}
