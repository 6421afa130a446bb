#include "dataset/truth_part.h"

#include "base/affinity.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Records are taken in chunks that stay in a core's cache while every query passes over them: all
 * threads fill the chunk's panels, then each takes groups of queries. Queries are taken in batches,
 * so that what is kept of them has bounded room. */
enum { CHUNK_BYTES = 768 << 10 };
static const uint64_t BATCH_BYTES = 512ull << 20;

typedef struct worker {
  struct vb_truth *truth;
  vb_compare compare;
  double *row;
  pthread_t thread;
  bool started;
} worker;

struct vb_truth {
  vb_truth_job job;
  vb_truth_multiply multiply;
  uint64_t *ids;
  float *distances;
  /* Of the batch of queries that is at work. */
  float *groups;
  vb_keep *keeps;
  vb_nearest *best;
  vb_candidate *pending;
  uint64_t batch; /* queries of a batch, a multiple of VB_GROUP */
  /* Of the chunk of records that is at work. */
  vb_panel *panels;
  float *panel_values;
  uint64_t chunk; /* panels of a chunk */
  worker *workers;
  unsigned threads; /* workers there are */
  unsigned running; /* of which have a thread */
  pthread_barrier_t barrier;
  _Atomic uint64_t next;     /* what is taken next of the step at work */
  _Atomic uint64_t progress; /* records, summed over the batches */
  _Atomic bool cancelled;
  bool stop; /* what the last step's end saw of it, so that all see the same */
  pthread_mutex_t lock;
  pthread_cond_t change; /* of `ended` */
  unsigned ended;        /* workers */
  bool has_barrier;
};

/* --- panels of records ------------------------------------------------------------------------ */

static float as_float(double value, double *greatest) {
  if (value > *greatest) *greatest = value;
  return (float)value;
}

/* A record into lane `lane` of its panel. */
static void add_record(const vb_truth_job *job, vb_panel *panel, size_t lane, const double *row) {
  for (size_t i = 0; i < job->dimensions; i++) panel->values[i * VB_PANEL + lane] = (float)row[i];
  double square = 0;
  for (size_t i = 0; i < job->dimensions; i++) square += row[i] * row[i];
  double length = sqrt(square), scale = 1, bias = 0;
  if (job->distance == VB_DISTANCE_COSINE) {
    scale = length > 0 ? 1 / length : 0;
  } else if (job->distance != VB_DISTANCE_IP) {
    scale = 2;
    bias = square;
  }
  panel->bias[lane] = as_float(bias, &panel->high);
  panel->scale[lane] = as_float(scale, &panel->steep);
  if (length > panel->length) panel->length = length;
  if (scale * length > panel->reach) panel->reach = scale * length;
  if (!(bias <= (double)FLT_MAX && scale <= (double)FLT_MAX && length <= (double)FLT_MAX))
    panel->high = (double)INFINITY; /* not a number as well */
}

static size_t lanes_of(const vb_truth_job *job, uint64_t first) {
  uint64_t left = job->records.count - first;
  return left < VB_PANEL ? left : VB_PANEL;
}

static void fill_panel(worker *self, vb_panel *panel, uint64_t first) {
  const vb_truth_job *job = &self->truth->job;
  size_t lanes = lanes_of(job, first);
  panel->length = panel->steep = panel->reach = panel->high = 0;
  if (lanes < VB_PANEL) {
    memset(panel->values, 0, job->dimensions * VB_PANEL * sizeof *panel->values);
    memset(panel->bias, 0, VB_PANEL * sizeof *panel->bias);
    memset(panel->scale, 0, VB_PANEL * sizeof *panel->scale);
  }
  for (size_t lane = 0; lane < lanes; lane++) {
    vb_truth_load(self->row, job->records.bytes + (first + lane) * job->records.stride, job->dtype,
                  job->dimensions);
    add_record(job, panel, lane, self->row);
  }
}

/* --- groups of queries ------------------------------------------------------------------------ */

static void fill_query(worker *self, uint64_t batch_first, uint64_t slot) {
  vb_truth *truth = self->truth;
  const vb_truth_job *job = &truth->job;
  vb_keep *keep = &truth->keeps[slot];
  float *group = truth->groups + slot / VB_GROUP * VB_GROUP * job->dimensions;
  uint64_t query = batch_first + slot;
  *keep = (vb_keep){.best = truth->best + slot * job->neighbors,
                    .pending = truth->pending + slot * vb_keep_capacity(job),
                    .bound = (double)INFINITY,
                    .query = query};
  if (query < job->queries.count) {
    vb_truth_load(self->row, job->queries.bytes + query * job->queries.stride, job->dtype,
                  job->dimensions);
  } else {
    memset(self->row, 0, job->dimensions * sizeof *self->row);
    keep->bound = -(double)INFINITY;
  }
  for (size_t i = 0; i < job->dimensions; i++)
    group[i * VB_GROUP + slot % VB_GROUP] = (float)self->row[i];
  keep->square = vb_truth_square(self->row, job->dimensions);
  keep->length = sqrt(keep->square);
}

/* --- scores ----------------------------------------------------------------------------------- */

/* How far the scores of a panel may be from the truth for a query (Higham 2002, 3.1): of sums of
 * products in any order, of the roundings behind them, and of what is too small for a float. */
static double slack_of(const vb_truth_job *job, const vb_panel *panel, const vb_keep *keep) {
  double dimensions = (double)job->dimensions;
  if (!(panel->length * keep->length < 1e37) || !(keep->length < 1e37)) return (double)INFINITY;
  return (dimensions + 8) * 0x1p-24 * panel->reach * keep->length + 0x1p-22 * panel->high +
         dimensions * 0x1p-140 * panel->steep * (1 + panel->length + keep->length);
}

/* The least float that is no less. */
static float limit_of(double bound) {
  float limit = (float)bound;
  return limit + fabsf(limit) * 0x1p-22f + FLT_MIN;
}

static void take_near(worker *self, vb_keep *keep, const float *scores, float slack,
                      uint64_t first) {
  const vb_truth_job *job = &self->truth->job;
  size_t lanes = lanes_of(job, first);
  double margin = (double)slack;
  for (size_t lane = 0; lane < lanes; lane++) {
    if ((double)scores[lane] - margin > keep->bound) continue;
    uint64_t id = first + lane;
    if (job->filter && !job->filter(job->context, keep->query, id)) continue;
    keep->pending[keep->pending_count++] = (vb_candidate){scores[lane], slack, id};
    if (keep->pending_count == self->compare.capacity) vb_keep_trim(keep, &self->compare);
  }
}

static void compare_panel(worker *self, uint64_t group, const vb_panel *panel, uint64_t first) {
  vb_truth *truth = self->truth;
  vb_keep *keeps = truth->keeps + group * VB_GROUP;
  double slacks[VB_GROUP];
  vb_tile tile;
  for (size_t i = 0; i < VB_GROUP; i++) {
    slacks[i] = slack_of(&truth->job, panel, &keeps[i]);
    tile.limits[i] = limit_of(keeps[i].bound + slacks[i]);
    tile.near[i] = 0;
  }
  truth->multiply(panel, truth->groups + group * VB_GROUP * truth->job.dimensions,
                  truth->job.dimensions, &tile);
  for (size_t i = 0; i < VB_GROUP; i++)
    if (tile.near[i] && keeps[i].query < truth->job.queries.count)
      take_near(self, &keeps[i], tile.scores[i], (float)(slacks[i] * 1.000001), first);
}

/* --- steps that all threads take together ----------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* Ends a step: everybody waits, and one sets what the next step starts from. */
static void end_step(vb_truth *truth) {
  if (pthread_barrier_wait(&truth->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
    atomic_store(&truth->next, 0);
    truth->stop = truth->cancelled;
  }
  (void)pthread_barrier_wait(&truth->barrier);
}

static bool take(vb_truth *truth, uint64_t end, uint64_t *out) {
  return (*out = atomic_fetch_add(&truth->next, 1)) < end;
}

static void compare_chunk(worker *self, uint64_t first, uint64_t groups) {
  vb_truth *truth = self->truth;
  uint64_t left = truth->job.records.count - first, i;
  uint64_t panels = least(truth->chunk, (left + VB_PANEL - 1) / VB_PANEL);
  while (take(truth, panels, &i)) fill_panel(self, &truth->panels[i], first + i * VB_PANEL);
  end_step(truth);
  while (take(truth, groups, &i))
    for (uint64_t panel = 0; panel < panels; panel++)
      compare_panel(self, i, &truth->panels[panel], first + panel * VB_PANEL);
  if (self == truth->workers)
    atomic_fetch_add(&truth->progress, least(left, truth->chunk * VB_PANEL));
  end_step(truth);
}

static void finish_query(worker *self, vb_keep *keep) {
  vb_truth *truth = self->truth;
  const vb_truth_job *job = &truth->job;
  uint64_t *ids = truth->ids + keep->query * job->neighbors;
  float *distances = truth->distances + keep->query * job->neighbors;
  vb_keep_finish(keep, &self->compare);
  for (uint64_t i = 0; i < job->neighbors; i++) {
    bool found = i < keep->best_count;
    ids[i] = found ? keep->best[i].id : VB_TRUTH_NONE;
    distances[i] =
        found ? (float)vb_truth_distance(keep->best[i].key, keep->square, job->distance) : INFINITY;
  }
}

static void run_batch(worker *self, uint64_t batch_first) {
  vb_truth *truth = self->truth;
  uint64_t count = least(truth->batch, truth->job.queries.count - batch_first), i;
  uint64_t groups = (count + VB_GROUP - 1) / VB_GROUP;
  uint64_t step = truth->chunk * VB_PANEL;
  while (take(truth, groups * VB_GROUP, &i)) fill_query(self, batch_first, i);
  end_step(truth);
  for (uint64_t first = 0; first < truth->job.records.count && !truth->stop; first += step)
    compare_chunk(self, first, groups);
  while (!truth->stop && take(truth, count, &i)) finish_query(self, &truth->keeps[i]);
  end_step(truth);
}

static void *work(void *context) {
  worker *self = context;
  vb_truth *truth = self->truth;
  pthread_mutex_lock(&truth->lock); /* until all are there */
  pthread_mutex_unlock(&truth->lock);
  for (uint64_t i = 0; i < truth->job.queries.count && !truth->stop; i += truth->batch)
    run_batch(self, i);
  pthread_mutex_lock(&truth->lock);
  truth->ended++;
  pthread_cond_broadcast(&truth->change);
  pthread_mutex_unlock(&truth->lock);
  return NULL;
}

/* --- start ------------------------------------------------------------------------------------ */

static int check_vectors(const vb_truth_job *job, const vb_vectors *vectors, const char *which,
                         vb_error *err) {
  uint64_t bytes = vb_dtype_bytes(job->dtype, job->dimensions), all;
  if (vectors->stride < bytes)
    return vb_fail(err, VB_EINVAL,
                   "ground truth: %s of %llu bytes, where %llu dimensions of %s are %llu", which,
                   (unsigned long long)vectors->stride, (unsigned long long)job->dimensions,
                   vb_dtype_name(job->dtype), (unsigned long long)bytes);
  if (__builtin_mul_overflow(vectors->stride, vectors->count, &all) || all > INT64_MAX)
    return vb_fail(err, VB_EINVAL, "ground truth: %s: more than there is memory", which);
  return VB_OK;
}

static int check_job(const vb_truth_job *job, vb_error *err) {
  if (job->dtype < 0 || job->dtype >= VB_DTYPE_COUNT)
    return vb_fail(err, VB_EINVAL, "ground truth: no type of numbers: %d", job->dtype);
  if (job->distance < VB_DISTANCE_NONE || job->distance > VB_DISTANCE_IP)
    return vb_fail(err, VB_EINVAL, "ground truth: no distance: %d", job->distance);
  if (job->dimensions < 1 || job->dimensions > 1 << 24)
    return vb_fail(err, VB_EINVAL, "ground truth: dimensions must be 1 to %d, not %llu", 1 << 24,
                   (unsigned long long)job->dimensions);
  if (job->neighbors < 1 || job->neighbors > VB_TRUTH_NEIGHBORS)
    return vb_fail(err, VB_EINVAL, "ground truth: neighbors must be 1 to %d, not %llu",
                   VB_TRUTH_NEIGHBORS, (unsigned long long)job->neighbors);
  int status = check_vectors(job, &job->records, "records", err);
  return status < 0 ? status : check_vectors(job, &job->queries, "queries", err);
}

static void plan(vb_truth *truth) {
  const vb_truth_job *job = &truth->job;
  uint64_t query = job->dimensions * sizeof(float) + sizeof(vb_keep) +
                   job->neighbors * sizeof(vb_nearest) +
                   vb_keep_capacity(job) * sizeof(vb_candidate);
  uint64_t batch = least(BATCH_BYTES / query, job->queries.count);
  truth->batch = (batch / VB_GROUP + 1) * VB_GROUP;
  truth->chunk = CHUNK_BYTES / (job->dimensions * VB_PANEL * sizeof(float));
  if (truth->chunk == 0) truth->chunk = 1;
  truth->threads = job->threads ? job->threads : (unsigned)vb_cores();
}

static bool make_results(vb_truth *truth) {
  size_t count;
  if (__builtin_mul_overflow(truth->job.queries.count, truth->job.neighbors, &count)) return false;
  truth->ids = calloc(count + 1, sizeof *truth->ids);
  truth->distances = calloc(count + 1, sizeof *truth->distances);
  return truth->ids && truth->distances;
}

static bool make_queries(vb_truth *truth) {
  const vb_truth_job *job = &truth->job;
  truth->groups = calloc(truth->batch, job->dimensions * sizeof *truth->groups);
  truth->keeps = calloc(truth->batch, sizeof *truth->keeps);
  truth->best = calloc(truth->batch, job->neighbors * sizeof *truth->best);
  truth->pending = calloc(truth->batch, vb_keep_capacity(job) * sizeof *truth->pending);
  return truth->groups && truth->keeps && truth->best && truth->pending;
}

static bool make_panels(vb_truth *truth) {
  size_t floats = (truth->job.dimensions + 2) * VB_PANEL;
  truth->panels = calloc(truth->chunk, sizeof *truth->panels);
  truth->panel_values = aligned_alloc(64, truth->chunk * floats * sizeof *truth->panel_values);
  if (!truth->panels || !truth->panel_values) return false;
  for (uint64_t i = 0; i < truth->chunk; i++) {
    vb_panel *panel = &truth->panels[i];
    panel->bias = truth->panel_values + i * floats;
    panel->scale = panel->bias + VB_PANEL;
    panel->values = panel->scale + VB_PANEL;
  }
  return true;
}

static bool make_worker(vb_truth *truth, worker *self) {
  const vb_truth_job *job = &truth->job;
  vb_compare *compare = &self->compare;
  uint32_t capacity = vb_keep_capacity(job);
  self->truth = truth;
  *compare = (vb_compare){
      .job = job,
      .capacity = capacity,
      .query = calloc(job->dimensions, sizeof(double)),
      .record = calloc(job->dimensions, sizeof(double)),
      .scores = calloc(job->neighbors + capacity, sizeof(double)),
      .exact = calloc(job->neighbors + capacity, sizeof(vb_nearest)),
  };
  self->row = calloc(job->dimensions, sizeof *self->row);
  return compare->query && compare->record && compare->scores && compare->exact && self->row;
}

static bool make_workers(vb_truth *truth) {
  truth->workers = calloc(truth->threads, sizeof *truth->workers);
  if (!truth->workers) return false;
  for (unsigned i = 0; i < truth->threads; i++)
    if (!make_worker(truth, &truth->workers[i])) return false;
  return true;
}

static void free_workers(vb_truth *truth) {
  for (unsigned i = 0; truth->workers && i < truth->threads; i++) {
    worker *self = &truth->workers[i];
    if (self->started) pthread_join(self->thread, NULL);
    free(self->compare.query);
    free(self->compare.record);
    free(self->compare.scores);
    free(self->compare.exact);
    free(self->row);
  }
  free(truth->workers);
}

/* The threads wait for the lock, so that all of them know how many there are. */
static int start_threads(vb_truth *truth, vb_error *err) {
  int code = 0;
  unsigned started = 0;
  pthread_mutex_lock(&truth->lock);
  for (; started < truth->threads && !code; started += !code) {
    worker *self = &truth->workers[started];
    code = pthread_create(&self->thread, NULL, work, self);
    self->started = !code;
  }
  truth->running = started;
  if (started) code = pthread_barrier_init(&truth->barrier, NULL, started);
  truth->has_barrier = started && !code;
  truth->stop = !truth->has_barrier;
  pthread_mutex_unlock(&truth->lock);
  if (truth->has_barrier) return VB_OK;
  return vb_fail(err, VB_EIO, "ground truth: no thread can be started: %s", strerror(code));
}

int vb_truth_start(vb_truth **out, const vb_truth_job *job, vb_error *err) {
  int status = check_job(job, err);
  if (status < 0) return status;
  vb_truth *truth = calloc(1, sizeof *truth);
  if (!truth) return vb_fail(err, VB_ENOMEM, "ground truth: out of memory");
  vb_truth_kernel_entry kernels[VB_TRUTH_KERNELS];
  (void)vb_truth_kernels(kernels);
  truth->job = *job;
  truth->multiply = kernels[0].multiply;
  pthread_mutex_init(&truth->lock, NULL);
  pthread_cond_init(&truth->change, NULL);
  plan(truth);
  if (make_results(truth) && make_queries(truth) && make_panels(truth) && make_workers(truth)) {
    status = start_threads(truth, err);
  } else {
    status = vb_fail(err, VB_ENOMEM, "ground truth: out of memory for %llu queries of %llu each",
                     (unsigned long long)job->queries.count, (unsigned long long)job->neighbors);
  }
  if (status < 0) {
    vb_truth_free(truth);
  } else {
    *out = truth;
  }
  return status;
}

/* --- while it runs, and behind ---------------------------------------------------------------- */

int vb_truth_wait(vb_truth *truth, int timeout_ms) {
  struct timespec until;
  (void)clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += timeout_ms / 1000;
  until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&truth->lock);
  int code = 0;
  while (truth->ended < truth->running && !code)
    code = pthread_cond_timedwait(&truth->change, &truth->lock, &until);
  bool done = truth->ended == truth->running;
  pthread_mutex_unlock(&truth->lock);
  return done;
}

uint64_t vb_truth_progress(const vb_truth *truth) {
  const vb_truth_job *job = &truth->job;
  uint64_t batches = (job->queries.count + truth->batch - 1) / truth->batch;
  return batches ? truth->progress / batches : job->records.count;
}

const uint64_t *vb_truth_ids(const vb_truth *truth) {
  return truth->ids;
}

const float *vb_truth_distances(const vb_truth *truth) {
  return truth->distances;
}

void vb_truth_free(vb_truth *truth) {
  if (!truth) return;
  truth->cancelled = true;
  free_workers(truth);
  if (truth->has_barrier) pthread_barrier_destroy(&truth->barrier);
  pthread_mutex_destroy(&truth->lock);
  pthread_cond_destroy(&truth->change);
  free(truth->ids);
  free(truth->distances);
  free(truth->groups);
  free(truth->keeps);
  free(truth->best);
  free(truth->pending);
  free(truth->panels);
  free(truth->panel_values);
  free(truth);
}

const char *vb_truth_kernel(void) {
  vb_truth_kernel_entry kernels[VB_TRUTH_KERNELS];
  (void)vb_truth_kernels(kernels);
  return kernels[0].name;
}
