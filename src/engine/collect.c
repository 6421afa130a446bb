#include "engine/push.h"
#include "engine/rows.h"
#include "engine/run.h"

#include <stdlib.h>

enum { INTERVAL_DIGITS = 2, CONNECT_DIGITS = 2, LATENESS_DIGITS = 3 };

static const double ns_per_us = 1e3;

static int ready_interval(vb_interval *interval) {
  if (!interval->latency) interval->latency = vb_histogram_new(INTERVAL_DIGITS);
  if (!interval->response) interval->response = vb_histogram_new(INTERVAL_DIGITS);
  if (!interval->latency || !interval->response) return VB_ENOMEM;
  vb_interval_clear(interval);
  return VB_OK;
}

static int ready_track(vb_engine *engine, vb_track *track) {
  const vb_engine_spec *spec = &engine->shared->spec;
  uint32_t rows = vb_program_rows(track->phase.spec.program), had = track->row_capacity;
  vb_row *total = &track->total, *nodes = track->node_rows;
  if (vb_rows_fit(&track->rows, had, rows, spec->digits)) return VB_ENOMEM;
  if (rows > had) track->row_capacity = rows;
  if (vb_rows_fit(&nodes, nodes ? spec->endpoint_count : 0, spec->endpoint_count, spec->digits))
    return VB_ENOMEM;
  track->node_rows = nodes;
  if (vb_rows_fit(&total, 1, 1, spec->digits)) return VB_ENOMEM;
  if (vb_rows_fit_times(track->rows, total, &track->phase.spec, spec->digits)) return VB_ENOMEM;
  track->slowest.used = track->unknown.used = track->pushes.used = 0;
  if (!track->connects) track->connects = vb_histogram_new(CONNECT_DIGITS);
  if (!track->lateness) track->lateness = vb_histogram_new(LATENESS_DIGITS);
  if (!track->connects || !track->lateness) return VB_ENOMEM;
  if (vb_push_fit(&track->delays, engine->shared->writes)) return VB_ENOMEM;
  vb_histogram_reset(track->connects);
  vb_histogram_reset(track->lateness);
  track->has_second = false;
  return ready_interval(&track->second);
}

int vb_run_prepare_collecting(vb_engine *engine, vb_error *err) {
  for (uint32_t i = 0; i < engine->track_count; i++) {
    bool failed = ready_track(engine, &engine->tracks[i]) != VB_OK;
    for (uint32_t w = 0; !failed && w < engine->threads; w++)
      failed = ready_interval(&engine->crew[w].published[i]) != VB_OK;
    if (failed) return vb_fail(err, VB_ENOMEM, "out of memory: statistics of a phase");
  }
  return VB_OK;
}

/* An interval is all of the warm-up or all of what counts: a second is not to mix them. */
static void add_interval(vb_track *track, vb_crew *crew, uint32_t lane, vb_interval *interval) {
  bool warmup = !track->counted_at || interval->start_ns < track->counted_at;
  crew->connections[lane] = interval->open_connections;
  if (!warmup) vb_interval_merge(&crew->published[lane], interval);
  if (!warmup || !track->counted_at) vb_interval_merge(&track->second, interval);
}

/* What a worker that has stopped has not posted. */
static void take_current(vb_track *track, vb_crew *crew, uint32_t lane) {
  const vb_lane *ended = &crew->worker->lanes[lane];
  vb_interval *current = vb_interval_current(ended->intervals);
  bool replied = ended->last_reply > current->start_ns;
  current->end_ns = replied ? ended->last_reply : ended->ended_at;
  if (!current->end_ns) current->end_ns = crew->worker->now; /* held up within its first reply */
  current->open_connections = atomic_load(&ended->ready_shown);
  if (replied || current->sent || current->operations || current->errors)
    add_interval(track, crew, lane, current);
  vb_interval_clear(current);
}

static void take_from(vb_engine *engine, vb_crew *crew, uint32_t lane, bool rest) {
  vb_track *track = &engine->tracks[lane];
  vb_interval_channel *channel = crew->worker->lanes[lane].intervals;
  if (!channel) return;
  vb_interval *interval;
  while ((interval = vb_interval_take(channel))) {
    add_interval(track, crew, lane, interval);
    crew->posted |= !lane;
    vb_interval_return(channel, interval);
  }
  if (rest && vb_crew_is_readable(crew)) take_current(track, crew, lane);
}

void vb_run_take_intervals(vb_engine *engine, bool rest) {
  for (uint32_t w = 0; w < engine->threads; w++)
    for (uint32_t lane = 0; lane < engine->track_count; lane++)
      take_from(engine, &engine->crew[w], lane, rest);
}

bool vb_run_has_second(const vb_engine *engine) {
  for (uint32_t w = 0; w < engine->threads; w++) {
    const vb_crew *crew = &engine->crew[w];
    int state = atomic_load(&crew->worker->lanes[0].state);
    bool runs = state == VB_LANE_RUN || state == VB_LANE_IDLE;
    if (runs && !crew->lost && !crew->posted) return false;
  }
  return true;
}

static double progress(const vb_track *track) {
  const vb_phase_spec *spec = &track->phase.spec;
  if (!track->counted_at) return 0;
  double by_time = 0, by_count = 0;
  if (spec->duration_ns)
    by_time = (double)(vb_now() - track->counted_at) / (double)spec->duration_ns;
  if (spec->requests)
    by_count = (double)vb_numbers_taken(&track->phase.numbers) / (double)spec->requests;
  if (!spec->duration_ns && !spec->requests) return -1;
  double most = by_time > by_count ? by_time : by_count;
  return most < 1 ? most : 1;
}

static double us(uint64_t ns) {
  return (double)ns / ns_per_us;
}

/* Connections that the workers last said were open. */
static uint64_t open_connections(const vb_engine *engine, uint32_t lane) {
  uint64_t open = 0;
  for (uint32_t w = 0; w < engine->threads; w++) open += engine->crew[w].connections[lane];
  return open;
}

static void end_second(vb_engine *engine, uint32_t lane) {
  vb_track *track = &engine->tracks[lane];
  const vb_interval *from = &track->second;
  vb_ns zero = track->counted_at ? track->counted_at : track->run_at;
  double t = ((double)from->end_ns - (double)zero) / (double)VB_NS_PER_S;
  track->latest =
      (vb_second){.t_s = track->counted_at ? t : -1,
                  .seconds = (double)(from->end_ns - from->start_ns) / (double)VB_NS_PER_S,
                  .requests = from->requests,
                  .operations = from->operations,
                  .errors = from->errors,
                  .sent = from->sent,
                  .bytes_sent = from->bytes_sent,
                  .bytes_received = from->bytes_received,
                  .timeouts = from->timeouts,
                  .retries = from->retries,
                  .hits = from->hits,
                  .misses = from->misses,
                  .connections = open_connections(engine, lane),
                  .mean_us = vb_histogram_mean(from->latency) / ns_per_us,
                  .p50_us = us(vb_histogram_percentile(from->latency, 50)),
                  .p99_us = us(vb_histogram_percentile(from->latency, 99)),
                  .max_us = us(vb_histogram_max(from->latency)),
                  .response_mean_us = vb_histogram_mean(from->response) / ns_per_us,
                  .response_p50_us = us(vb_histogram_percentile(from->response, 50)),
                  .response_p99_us = us(vb_histogram_percentile(from->response, 99)),
                  .response_max_us = us(vb_histogram_max(from->response)),
                  .progress = progress(track)};
  track->has_second = from->end_ns > from->start_ns;
  vb_interval_clear(&track->second);
}

void vb_run_end_second(vb_engine *engine) {
  for (uint32_t i = 0; i < engine->track_count; i++) end_second(engine, i);
  for (uint32_t w = 0; w < engine->threads; w++) engine->crew[w].posted = false;
}

/* A worker that does not answer has left what it published: one row for all its commands. */
static void collect_lost(vb_track *track, const vb_interval *published) {
  vb_row row = {.latency = published->latency, .response = published->response};
  row.counters.requests = published->requests;
  row.counters.operations = published->operations;
  row.counters.errors = published->errors;
  row.counters.bytes_sent = published->bytes_sent;
  row.counters.bytes_received = published->bytes_received;
  vb_row_add(&track->rows[0], &row);
  track->result.asked += published->operations;
}

static void add_unknown(vb_slowest *into, const vb_slowest *from) {
  for (uint32_t i = 0; i < from->used && into->used < VB_SLOWEST; i++)
    into->entries[into->used++] = from->entries[i];
}

static void add_spread(vb_lane_result *result, const vb_spread *spread) {
  if (!spread->count) return;
  uint32_t before = result->counted_connections;
  double sum = result->mean_of_connection * before + (double)spread->sum;
  if (!before || spread->least < result->least_of_connection)
    result->least_of_connection = spread->least;
  if (spread->most > result->most_of_connection) result->most_of_connection = spread->most;
  result->counted_connections = before + spread->count;
  result->mean_of_connection = sum / result->counted_connections;
}

static void collect_lane(vb_track *track, const vb_lane *lane) {
  for (uint32_t i = 0; i < lane->row_count; i++) vb_row_add(&track->rows[i], &lane->rows[i]);
  for (uint32_t i = 0; lane->node_rows && i < lane->node_count; i++)
    vb_row_add(&track->node_rows[i], &lane->node_rows[i]);
  vb_slowest_merge(&track->slowest, &lane->slowest);
  add_unknown(&track->unknown, &lane->unknown);
  vb_error_table_merge(&track->pushes, &lane->pushes);
  add_spread(&track->result, &lane->spread);
  vb_histogram_merge(track->connects, lane->connects);
  if (track->delays) vb_histogram_merge(track->delays, lane->delays);
  if (lane->paced) vb_histogram_merge(track->lateness, lane->lateness);
  vb_lane_result *result = &track->result;
  result->lost_connections += lane->lost;
  result->asked += lane->asked;
  result->waiting += lane->waiting;
  if (lane->cpu_end <= lane->cpu_start) return;
  result->cpu_seconds += (double)(lane->cpu_end - lane->cpu_start) / (double)VB_NS_PER_S;
  result->collector_seconds +=
      (double)(lane->collector_end - lane->collector_start) / (double)VB_NS_PER_S;
  result->spin_seconds += (double)(lane->spin_end - lane->spin_start) / (double)VB_NS_PER_S;
}

/* Rows of transactions stand beside those of their commands: counted once, timed as one. Those of
 * flows stand beside their calls, which are timed one by one. */
static void add_up(vb_track *track) {
  const vb_program *program = track->phase.spec.program;
  for (uint32_t i = 0; i < track->result.rows; i++) {
    vb_row row = track->rows[i];
    bool flow = vb_program_row_is_flow(program, i) != 0;
    if (flow || vb_program_row_is_transaction(program, i)) row.counters.requests = 0;
    if (flow) row.latency = NULL;
    vb_row_add(&track->total, &row);
  }
}

/* Seconds from the first issue to the end: of its time, when that ended it, else the last reply. A
 * schedule begins and ends by itself. */
static void measure(vb_engine *engine, vb_track *track, uint32_t lane_index) {
  vb_ns first = UINT64_MAX, last = 0;
  for (uint32_t w = 0; w < engine->threads; w++) {
    const vb_lane *lane = &engine->crew[w].worker->lanes[lane_index];
    if (!vb_crew_is_readable(&engine->crew[w])) continue;
    if (lane->first_issue && lane->first_issue < first) first = lane->first_issue;
    if (lane->last_reply > last) last = lane->last_reply;
  }
  vb_lane_result *result = &track->result;
  bool paced = track->run_at && vb_phase_is_paced(&track->phase.spec);
  vb_ns begin = track->phase.start + track->phase.spec.warmup_ns;
  if (paced && begin < first) first = begin;
  if (first == UINT64_MAX) return;
  bool timed = track->by_time || track->cut || !last;
  vb_ns end = timed && track->stopped_at > first ? track->stopped_at : last;
  if (paced && track->by_time) end = track->phase.end;
  result->seconds = end > first ? (double)(end - first) / (double)VB_NS_PER_S : 0;
  result->drain_seconds = last > end ? (double)(last - end) / (double)VB_NS_PER_S : 0;
  result->started_wall = vb_clock_wall() - (double)(vb_now() - first) / (double)VB_NS_PER_S;
}

static void collect_track(vb_engine *engine, uint32_t index) {
  vb_track *track = &engine->tracks[index];
  const vb_phase_spec *spec = &track->phase.spec;
  track->result = (vb_lane_result){.clients = spec->clients,
                                   .threads = engine->threads,
                                   .pipeline = spec->pipeline,
                                   .exhausted = atomic_load(&track->phase.exhausted),
                                   .interrupted = track->cut,
                                   .rows = vb_program_rows(spec->program)};
  for (uint32_t w = 0; w < engine->threads; w++) {
    vb_crew *crew = &engine->crew[w];
    crew->operations[index] = crew->published[index].operations;
    if (vb_crew_is_readable(crew))
      collect_lane(track, &crew->worker->lanes[index]);
    else
      collect_lost(track, &crew->published[index]);
  }
  add_up(track);
  if (engine->shared->spec.endpoint_count == 1) vb_row_add(&track->node_rows[0], &track->total);
  vb_slowest_sort(&track->slowest);
  measure(engine, track, index);
}

void vb_run_collect(vb_engine *engine) {
  for (uint32_t i = 0; i < engine->track_count; i++) collect_track(engine, i);
}

static void free_published(vb_interval *published) {
  vb_histogram_free(published->latency);
  vb_histogram_free(published->response);
}

void vb_run_free_collected(vb_engine *engine) {
  for (uint32_t i = 0; i < VB_LANES_MAX; i++) {
    vb_track *track = &engine->tracks[i];
    vb_rows_free(track->rows, track->row_capacity);
    vb_rows_free(track->node_rows, engine->shared->spec.endpoint_count);
    vb_row_free_times(&track->total);
    vb_histogram_free(track->second.latency);
    vb_histogram_free(track->second.response);
    vb_histogram_free(track->lateness);
    vb_histogram_free(track->connects);
    vb_histogram_free(track->delays);
    for (uint32_t w = 0; w < VB_WORKERS_MAX; w++) free_published(&engine->crew[w].published[i]);
  }
}
