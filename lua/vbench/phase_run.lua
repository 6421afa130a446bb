--- One phase with those in its background: compiled, started, followed to its end.
-- @module vbench.phase_run
local coverage = require "vbench.coverage"
local datasets = require "vbench.dataset"
local exhaustion = require "vbench.exhaustion"
local failure = require "vbench.failure"
local host_watch = require "vbench.host_watch"
local keyspace_report = require "vbench.keyspace_report"
local measurable = require "vbench.measurable"
local native = require "vbench.ffi"
local params = require "vbench.param"
local phases = require "vbench.phase"
local plan = require "vbench.plan"
local registry = require "vbench.registry"
local result = require "vbench.result"
local scripts = require "vbench.script"
local server_change = require "vbench.server_change"
local thresholds = require "vbench.thresholds"
local ffi, C = native.ffi, native.C

local M = {}

local SPARE_FILES = 64

local function usage(...)
  error(failure.new(failure.USAGE, string.format(...)), 0)
end

local function own_metrics()
  local names = registry.names("metric")
  for _, name in ipairs(registry.names("counter")) do names[#names + 1] = name end
  return names
end

-- Thresholds of the phase, and those of the command line, which hold for every phase.
local function thresholds_of(run, lane, in_background)
  local list, own, phase = {}, in_background and {} or own_metrics(), lane.phase
  local load = { open_loop = lane.settings.open_loop, tracking = run.options.enable_tracking }
  local function add(entry)
    local threshold, message = thresholds.parse(entry, lane.rows, own)
    if not threshold then usage("phase '%s': %s", phase.name, message) end
    local lack = measurable.why_not(threshold.metric, phase.run, load)
    if lack then
      usage("phase '%s': threshold '%s' can never have a value: %s", phase.name, threshold.expr,
        lack)
    end
    list[#list + 1] = threshold
  end
  for _, entry in ipairs(phase.thresholds or {}) do add(entry) end
  if not in_background then
    for _, entry in ipairs(run.options.threshold or {}) do add(entry) end
  end
  return list
end

-- Behind a command that blocks nothing can be sent, and a subscriber sends nothing.
local function narrow(lane, phase)
  local compiled = lane.compiled
  if not compiled.waits and not compiled.subscribes then return end
  local what = compiled.waits and "command that blocks" or "subscriber"
  local own = phases.value(phase, "pipeline")
  if own and own > 1 then
    usage("phase '%s' runs a %s: its pipeline is 1, not %d", phase.name,
      what, own)
  end
  if lane.settings.open_loop then
    usage("phase '%s' runs a %s: it has no rate, since others decide when there is something to " ..
      "get", phase.name, what)
  end
  lane.settings.pipeline = 1
end

local function make_lane(run, phase, in_background)
  local lane = { phase = phase, name = phase.name, timeline = {}, at_s = 0 }
  lane.compiled = run.compile(phase, { seed = run.session.run.seed, background = in_background })
  lane.settings = plan.settings(phase, run.options, run.given, in_background)
  narrow(lane, phase)
  local seconds = lane.compiled.duration_s
  if seconds then plan.end_after(lane.settings, seconds, phase, run.given) end
  lane.rows = lane.compiled.names
  lane.thresholds = thresholds_of(run, lane, in_background)
  lane.watch = thresholds.watch(lane.thresholds)
  local spec = lane.compiled.spec
  spec.name, spec.program = lane.name, lane.compiled.program
  spec.idle = run.options.idle and 1 or 0
  return lane
end

local function make_lanes(run, phase)
  local lanes = { make_lane(run, phase) }
  for _, one in ipairs(phase.background or {}) do lanes[#lanes + 1] = make_lane(run, one, true) end
  return lanes
end

--- Compiles a phase and those in its background.
-- @function lanes
-- @tparam table run `compile options given session`
-- @tparam phase phase
-- @treturn {table,...} of each `phase name compiled settings thresholds`
-- @raise a failure, or the script's own error
M.lanes = make_lanes

-- Descriptors for the connections of all lanes, and for everything else that is open.
local function check_files(name, lanes)
  local connections, err = 0, native.new_error()
  for _, lane in ipairs(lanes) do connections = connections + lane.settings.clients end
  if C.vb_process_files(connections + SPARE_FILES, err) == 0 then return end
  error(failure.new(failure.COULD_NOT_RUN, ("phase '%s' has %d clients: %s"):format(name,
    connections, ffi.string(err.text))), 0)
end

--- Checks what can be known of a phase before anything runs: it compiles, its thresholds exist,
-- there are descriptors for its connections.
-- @tparam table run of `vbench.run`
-- @tparam phase phase
-- @raise a failure, or the script's own error
function M.check(run, phase)
  check_files(phase.name, make_lanes(run, phase))
end

local function usage_now()
  local now = ffi.new("vb_usage")
  C.vb_process_usage(now)
  return now
end

-- The latest second of each lane, when it is a new one.
-- A threshold with abort = true that is not met ends the phase, and says so.
local function abort_on(run, group, lane, second)
  local expr, value = lane.watch(second)
  if not expr then return end
  group.aborted = true
  run.console:note(("phase '%s' was ended early: threshold %s is not met (%.4g)"):format(lane.name,
    expr, value))
end

-- A data file that was cut short reads as zeros from there on: nothing to measure any more.
local function check_datasets(run, group)
  local message = not group.failed and datasets.damaged()
  if not message then return false end
  group.failed, group.damaged = true, true
  run:fail(failure.new(failure.COULD_NOT_RUN, ("phase '%s': %s"):format(group.name, message)))
  return true
end

local function follow_second(run, group, i, second, is_last)
  local lane, entry = group.lanes[i], result.second(second)
  lane.timeline[#lane.timeline + 1] = entry
  run.console:second(lane.name, second, entry, i > 1)
  if not group.aborted and not is_last then abort_on(run, group, lane, second) end
  if i == 1 then run:on_second(entry) end
end

-- Behind the last second there is nothing left to end early.
local function tick(run, group, _, last)
  for i, lane in ipairs(group.lanes) do
    local second = run.engine:second(i - 1)
    if second and second.t_s >= 0 then -- of the warm-up: -1
      lane.at_s = math.max(lane.at_s, second.t_s)
      second.t_s = lane.at_s -- a worker that stopped has stopped earlier than others ended a second
      if group.aside then
        run.console.live:update(lane.name, second)
      else
        follow_second(run, group, i, second, last == 1)
      end
    end
  end
  local damaged = check_datasets(run, group)
  if damaged or group.aborted or run.stopping then run.engine:stop() end
end

local HANDLERS = {
  start = function(_, group)
    group.usage, group.began = usage_now(), C.vb_clock_monotonic()
    group.ticks, group.carried = host_watch.ticks(), host_watch.carried()
  end,
  tick = tick,
  signal = function(run, group)
    group.interrupted = true
    run:interrupt()
    run.engine:stop()
  end,
  stuck = function(run, group, text)
    tick(run, group, nil, 1) -- its last second
    group.failed = true
    run.stuck = true
    run:fail(failure.new(failure.USAGE, ("phase '%s': %s"):format(group.name, text),
      "the results are those that the workers had published until then"))
  end,
  failed = function(run, group, text, status)
    if group.damaged or check_datasets(run, group) then return end
    local code = run.exit_code(status)
    -- An error of the server stops a run only where on_error = "stop" says so.
    if status == C.VB_ESERVER then code = failure.ERRORS end
    group.failed = true
    run:fail(failure.new(code, ("phase '%s': %s"):format(group.name, text)))
  end,
  stop = function(run, group, text)
    run.console:note(("phase '%s' was ended by %s"):format(group.name, text))
    run:stop()
    run.engine:stop()
  end,
  timeout = function() end,
}

local ENDS = { done = true, stuck = true, failed = true }

local function follow(run, group)
  local event, text, status
  repeat
    event, text, status = run.engine:next()
    if event ~= "done" then HANDLERS[event](run, group, text, status) end
  until ENDS[event]
end

local function status_of(group)
  if group.failed or group.aborted then return "failed" end
  return group.interrupted and "interrupted" or "ok"
end

local function usage_since(group)
  local before = group.usage
  if not before then return {} end
  local now, seconds = usage_now(), C.vb_clock_monotonic() - group.began
  return { seconds = seconds,
           network = host_watch.network(group.carried, host_watch.carried(), seconds),
           run_delay_s = math.max(0, now.run_delay_s - before.run_delay_s),
           major_faults = tonumber(now.major_faults - before.major_faults),
           steal = host_watch.steal(group.ticks, host_watch.ticks()),
           shares_cores = group.shares_cores }
end

-- Servers that are reached by the loopback are on this host.
local function shares_cores(run, threads, infos)
  local pids = {}
  for _, fields in ipairs(infos) do pids[#pids + 1] = fields.process_id end
  return run.target.loopback and host_watch.shares_cores(threads, run.pins, pids) or false
end

-- A cursor that ended a phase before what was asked for: more would have been duplicates.
local function note_exhausted(run, lane, phase, entry)
  local settings, early = lane.settings, nil
  if entry == 0 or phase.status ~= "ok" then return end
  if phase.operations < settings.requests then
    early = (" of %d operations"):format(settings.requests)
  elseif phase.duration_s < settings.duration_s then
    early = " operations, before its duration"
  end
  if not early then return end
  run.console:note(("phase '%s': its cursor ended after %d%s; %s"):format(lane.name,
    phase.operations, early, exhaustion.reason(lane.phase.run, entry, phase.operations)))
end

-- What there was none of, in a phase that did nothing.
local function missing_of(lane)
  if lane.compiled.subscribes then return "no message came" end
  if lane.compiled.waits then return "nothing came that its commands wait for" end
  return phases.has_flows(lane.phase.run) and "no run of its flow has ended"
    or "no request was answered"
end

-- Whether a phase did nothing, though it was asked for something; says so. Nothing is asked for
-- with --idle, of a cursor that finds no key, of a schedule on which nothing fell due, of a phase
-- in the background that was to begin later, and where the script ended it.
local function note_idle(run, lane, phase, counted, seconds)
  local idle = phase.status == "ok" and phase.operations + phase.requests + phase.errors == 0
    and counted.exhausted == 0 and not run.options.idle and not run.stopping
    and not (lane.settings.open_loop and counted.asked == 0) and lane.settings.start_s < seconds
  if not idle then return false end
  run.console:note(("phase '%s' did nothing: %s within %.3g s"):format(lane.name, missing_of(lane),
    seconds))
  return true
end

local function keyspaces_of(run, group)
  local list = keyspace_report.entries(group.keyspaces, group.covered)
  if #list == 0 and run.options.workload_snapshot then
    run.console:note(("phase '%s': --workload-snapshot had nothing to count, since no keyspace is "
      .. "tracked: commands track with tracks = \"add\", \"remove\" or \"observe\"")
      :format(group.name))
  end
  return list
end

-- A server that was gone at the end and does not answer: what it left would look like a result.
-- Connections that broke just then, of one that answers, are in the report.
local function check_gone(run, group, after)
  local lost = 0
  for i in ipairs(group.lanes) do lost = lost + run.engine:result(i - 1).lost_connections end
  for _, fields in ipairs(lost > 0 and not group.failed and after or {}) do
    if fields.unreachable then
      group.failed = true
      run:fail(failure.new(failure.COULD_NOT_RUN, ("phase '%s' ended with %d lost %s: %s"):format(
        group.name, lost, lost == 1 and "connection" or "connections", fields.unreachable)))
    end
  end
end

local function results_of(run, group, before, seconds)
  local usage, after = usage_since(group), server_change.read(run.ctl)
  local change, nodes = server_change.between(before, after, seconds)
  check_gone(run, group, after)
  local out = {}
  for i, lane in ipairs(group.lanes) do
    local phase = result.phase {
      engine = run.engine, lane = i - 1, lanes = #group.lanes, name = lane.name, rows = lane.rows,
      called = lane.compiled.called, thresholds = lane.thresholds,
      status = status_of(group), timeline = lane.timeline, percentiles = run.options.percentiles,
      metrics = i == 1 and result.custom(run.session.shared, registry) or {}, usage = usage,
      server_change = change, node_changes = nodes, settings = lane.settings,
    }
    local met
    if i == 1 then phase.keyspaces = keyspaces_of(run, group) end
    phase.thresholds, met = thresholds.evaluate(lane.thresholds, phase)
    local counted = run.engine:result(i - 1)
    run:judge(phase, lane.settings, met, note_idle(run, lane, phase, counted, seconds))
    note_exhausted(run, lane, phase, counted.exhausted)
    out[i] = phase
  end
  return out
end

-- A window takes at least a round trip: what all of them cannot carry is certain before the run.
local function note_rate(run, lane)
  local settings, baseline = lane.settings, run.report.baseline
  local round_trip_us = type(baseline) == "table" and baseline.ping_us
  if not settings.open_loop or type(round_trip_us) ~= "number" then return end
  local asked = math.max(settings.rate, settings.ramp and settings.ramp.most or 0)
  local most = settings.clients * settings.pipeline * 1e6 / round_trip_us
  if asked <= most then return end
  run.console:note(("phase '%s': %.0f operations a second are more than %d clients with pipeline "
    .. "%d can carry: %.0f at a round trip of %.3f ms"):format(lane.name, asked, settings.clients,
      settings.pipeline, most, round_trip_us / 1000))
end

-- What the engine takes: the lanes with their load, and for how many workers.
local function load_of(run, group)
  local specs, settings = {}, {}
  for i, lane in ipairs(group.lanes) do
    specs[i], settings[i] = lane.compiled.spec, lane.settings
  end
  local threads = plan.threads(group.phase, settings, run.options, run.target)
  for i, lane in ipairs(group.lanes) do
    plan.fill(specs[i], lane.settings, run.session.run.seed, threads)
  end
  return specs, threads
end

local function run_group(run, group)
  scripts.load(run.ctl)
  local specs, threads = load_of(run, group)
  for _, lane in ipairs(group.lanes) do note_rate(run, lane) end
  group.keyspaces = keyspace_report.look(run.options.workload_snapshot)
  local before = server_change.read(run.ctl)
  if run.session.shared ~= nil then C.vb_shared_metrics_reset(run.session.shared) end
  local began = C.vb_clock_monotonic()
  group.shares_cores = shares_cores(run, threads, before)
  run.engine:start(threads, specs)
  follow(run, group)
  check_datasets(run, group)
  for _, note in ipairs(datasets.clamped()) do run.console:note(note) end
  return results_of(run, group, before, C.vb_clock_monotonic() - began)
end

-- Runs a phase that is in no report and judged by nobody; thresholds, rate and duration of the
-- command line are not for it. Gives what it counted.
local function run_aside(run, phase)
  local group = { phase = phase, name = phase.name, aside = true, lanes = { make_lane({
    compile = run.compile, session = run.session, given = {},
    options = { timeout = run.options.timeout },
  }, phase) } }
  check_files(group.name, group.lanes)
  local specs, threads = load_of(run, group)
  local began = C.vb_clock_monotonic()
  run.engine:start(threads, specs)
  follow(run, group)
  if group.failed or run.ending then error(failure.ended(), 0) end
  local seconds = C.vb_clock_monotonic() - began
  local counted = result.row(run.engine:total(0), seconds)
  counted.seconds = seconds
  return counted
end

local function set_params(values)
  local before, message = params.set(values)
  if not before then usage("%s", message) end
  return before
end

--- Runs a phase.
-- @tparam table run of `vbench.run`: `engine ctl console compile options given session target`
-- @tparam phase phase
-- @treturn {table,...} the results: of the phase, then of those in its background
-- @raise a failure when it cannot start
function M.run(run, phase)
  local before = set_params(phase.params or {})
  local ok, results = pcall(function()
    local group = { phase = phase, name = phase.name, lanes = make_lanes(run, phase) }
    check_files(group.name, group.lanes)
    group.covered = coverage.prepare(run, phase, function(one) return run_aside(run, one) end)
    return run_group(run, group)
  end)
  set_params(before)
  if not ok then error(results, 0) end
  return results
end

return M
