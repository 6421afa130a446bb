#include "engine/run.h"

#include <unistd.h>

static int check_flows(const vb_engine *engine, const vb_phase_spec *phase, vb_error *err) {
  if (!vb_program_has_flows(phase->program)) return VB_OK;
  if (!engine->shared->spec.script)
    return vb_fail(err, VB_EINVAL, "phase '%s': flows need a script", phase->name);
  if (phase->pipeline == 1) return VB_OK;
  return vb_fail(err, VB_EINVAL,
                 "phase '%s': pipeline %u: a connection runs one flow at a time, so it is 1",
                 phase->name, phase->pipeline);
}

static int check_phase(const vb_engine *engine, const vb_phase_spec *phase, uint32_t threads,
                       vb_error *err) {
  uint64_t least = (uint64_t)threads * engine->shared->spec.endpoint_count;
  if (phase->clients < least)
    return vb_fail(err, VB_EINVAL,
                   "phase '%s': %u clients are too few for %u threads and %u server%s: at least "
                   "%llu, or fewer threads",
                   phase->name, phase->clients, threads, engine->shared->spec.endpoint_count,
                   engine->shared->spec.endpoint_count == 1 ? "" : "s", (unsigned long long)least);
  if (phase->pipeline < 1 || phase->pipeline > 100000)
    return vb_fail(err, VB_EINVAL, "phase '%s': pipeline %u: 1 to 100000 are possible", phase->name,
                   phase->pipeline);
  if (phase->pipeline > 1 && vb_program_waits(phase->program))
    return vb_fail(err, VB_EINVAL,
                   "phase '%s': pipeline %u: behind a command that blocks nothing can be sent, so "
                   "it is 1",
                   phase->name, phase->pipeline);
  if (vb_phase_is_paced(phase) && vb_program_is_shared_out(phase->program))
    return vb_fail(
        err, VB_EINVAL,
        "phase '%s': partition(\"slots\") has no place in an open loop: the shares of the "
        "threads end at different times",
        phase->name);
  return check_flows(engine, phase, err);
}

/* Latency histograms are the memory that grows with commands, threads and digits: reckoned before
 * the run, at most half of what the machine has. */
static int check_memory(const vb_engine *engine, uint32_t threads, const vb_phase_spec *phases,
                        uint32_t count, vb_error *err) {
  double rows = 0, one = (double)vb_histogram_bytes(engine->shared->spec.digits);
  for (uint32_t i = 0; i < count; i++) {
    const vb_program *program = phases[i].program;
    for (uint32_t row = 0; row < vb_program_rows(program); row++)
      rows += 1 + vb_program_row_has_ages(program, row) + vb_program_row_waits(program, row) +
              vb_phase_is_paced(&phases[i]);
  }
  double wanted = rows * (threads + 1) * one;
  double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (wanted <= memory / 2) return VB_OK;
  return vb_fail(err, VB_EINVAL,
                 "phase '%s': histograms of %.0f commands on %u threads with %d digits take %.1f "
                 "GB, more than half of this machine's %.1f GB: fewer threads, or --precision %d",
                 phases->name, rows, threads, engine->shared->spec.digits, wanted / 0x1p30,
                 memory / 0x1p30, engine->shared->spec.digits - 1);
}

int vb_run_check(const vb_engine *engine, uint32_t threads, const vb_phase_spec *phases,
                 uint32_t count, vb_error *err) {
  if (engine->running)
    return vb_fail(err, VB_EINVAL, "phase '%s': the one before it still runs", phases->name);
  if (vb_run_has_lost(engine))
    return vb_fail(err, VB_EINVAL, "phase '%s': a thread does not answer", phases->name);
  if (threads < 1 || threads > VB_WORKERS_MAX)
    return vb_fail(err, VB_EINVAL, "threads: %u: 1 to %d are possible", threads, VB_WORKERS_MAX);
  if (count < 1 || count > VB_LANES_MAX)
    return vb_fail(err, VB_EINVAL, "phase '%s': %u background phases: at most %d", phases->name,
                   count - 1, VB_LANES_MAX - 1);
  const vb_phase_spec *main_phase = &phases[0];
  if (!main_phase->requests && !main_phase->duration_ns && !main_phase->idle &&
      !vb_program_ends(main_phase->program))
    return vb_fail(err, VB_EINVAL, "phase '%s' has no end: give requests or duration",
                   main_phase->name);
  for (uint32_t i = 0; i < count; i++) {
    int failed = check_phase(engine, &phases[i], threads, err);
    if (failed) return failed;
  }
  return check_memory(engine, threads, phases, count, err);
}
