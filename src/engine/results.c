#include "engine/run.h"

int vb_engine_second(const vb_engine *engine, uint32_t lane, vb_second *out) {
  if (lane >= engine->track_count || !engine->tracks[lane].has_second) return 0;
  *out = engine->tracks[lane].latest;
  return 1;
}

const vb_lane_result *vb_engine_result(const vb_engine *engine, uint32_t lane) {
  return lane < engine->track_count ? &engine->tracks[lane].result : NULL;
}

const vb_row *vb_engine_row(const vb_engine *engine, uint32_t lane, uint32_t row) {
  if (lane >= engine->track_count || row >= engine->tracks[lane].result.rows) return NULL;
  return &engine->tracks[lane].rows[row];
}

const vb_row *vb_engine_total(const vb_engine *engine, uint32_t lane) {
  return lane < engine->track_count ? &engine->tracks[lane].total : NULL;
}

const vb_histogram *vb_engine_connects(const vb_engine *engine, uint32_t lane) {
  return lane < engine->track_count ? engine->tracks[lane].connects : NULL;
}

const vb_histogram *vb_engine_lateness(const vb_engine *engine, uint32_t lane) {
  bool paced = lane < engine->track_count && vb_phase_is_paced(&engine->tracks[lane].phase.spec);
  return paced ? engine->tracks[lane].lateness : NULL;
}

const vb_histogram *vb_engine_invalidations(const vb_engine *engine, uint32_t lane) {
  return lane < engine->track_count ? engine->tracks[lane].delays : NULL;
}

const vb_slowest *vb_engine_slowest(const vb_engine *engine, uint32_t lane) {
  return lane < engine->track_count ? &engine->tracks[lane].slowest : NULL;
}

const vb_error_table *vb_engine_pushes(const vb_engine *engine, uint32_t lane) {
  return lane < engine->track_count ? &engine->tracks[lane].pushes : NULL;
}

const vb_slowest *vb_engine_unknown(const vb_engine *engine, uint32_t lane) {
  return lane < engine->track_count ? &engine->tracks[lane].unknown : NULL;
}

uint32_t vb_engine_nodes(const vb_engine *engine) {
  return engine->shared->spec.endpoint_count;
}

const char *vb_engine_node(const vb_engine *engine, uint32_t node) {
  return node < engine->shared->spec.endpoint_count ? engine->shared->addresses[node].text : "";
}

const vb_row *vb_engine_node_row(const vb_engine *engine, uint32_t lane, uint32_t node) {
  if (lane >= engine->track_count || node >= engine->shared->spec.endpoint_count) return NULL;
  return &engine->tracks[lane].node_rows[node];
}

uint64_t vb_engine_worker_operations(const vb_engine *engine, uint32_t lane, uint32_t worker) {
  if (lane >= engine->track_count || worker >= engine->threads) return 0;
  return engine->crew[worker].operations[lane];
}

int vb_engine_show(vb_engine *engine, const vb_phase_spec *phase, uint64_t n, const char **request,
                   size_t *request_length, const char **keys, size_t *keys_length, vb_error *err) {
  const vb_script_factory *script = engine->shared->spec.script;
  vb_renderer renderer = {0};
  vb_hooks hooks;
  vb_watch watch = {0};
  if (script) {
    int failed = script->open(script->context, 0, &watch, &hooks, err);
    if (failed) return failed;
    renderer.hooks = &hooks;
  }
  vb_bytes_clear(&engine->show_request);
  vb_bytes_clear(&engine->show_keys);
  uint64_t stream = vb_hash(phase->seed, phase->name, strlen(phase->name));
  int failed = vb_program_show(phase->program, &renderer, stream, n, &engine->show_request,
                               &engine->show_keys, err);
  if (failed == VB_ESCRIPT) (void)vb_fail(err, failed, "%s", script->message(hooks.state));
  vb_renderer_fini(&renderer);
  if (script) script->close(hooks.state);
  *request = engine->show_request.data;
  *request_length = engine->show_request.length;
  *keys = engine->show_keys.data;
  *keys_length = engine->show_keys.length;
  return failed;
}
