--- A run: owns the engine, drives the scenario through its phases, judges, reports.
-- @api vbench.run
local baseline = require "vbench.baseline"
local console = require "vbench.console"
local coverage = require "vbench.coverage"
local declarations = require "vbench.declarations"
local describe = require "vbench.describe"
local engines = require "vbench.engine"
local failure = require "vbench.failure"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local keyspaces = require "vbench.keyspace"
local nearest = require "vbench.nearest"
local native = require "vbench.ffi"
local params = require "vbench.param"
local phase_run = require "vbench.phase_run"
local plain = require "vbench.plain"
local plan = require "vbench.plan"
local registry = require "vbench.registry"
local tracker_file = require "vbench.tracker_file"
local ffi, C = native.ffi, native.C

local M = {}

local HOOK_TIMEOUT_S, CONNECT_TIMEOUT_S = 5, 5

-- When several hold, the first of these is the exit code.
local PRECEDENCE = { failure.INTERRUPTED, failure.USAGE, failure.COULD_NOT_RUN, failure.ERRORS,
                     failure.THRESHOLDS }

-- How the process ends when a worker cannot be joined; a field, for specs.
M.exit = os.exit

local Run = {}
Run.__index = Run
Run.exit_code = engines.exit_code

--- Makes a run.
-- @tparam table spec `scenario` (loaded), `session` (`vbench.session`), `options` (general options;
--   default session.args), `given` (set of the names that were given), `target` (`vbench.server`),
--   `ctl`, `name` (of the scenario), `signals` (vb_signals *; made when there is none), `forms` (of
--   `vbench.console`); for specs also `engine`, `compile`, `console`
-- @treturn table run
-- @raise a failure: phases, params, options or thresholds that cannot be
-- @local
function M.new(spec)
  local session = spec.session or require("vbench.session")
  local self = setmetatable({
    scenario = spec.scenario, session = session, options = spec.options or session.args,
    given = spec.given or {}, target = spec.target, ctl = spec.ctl, engine = spec.engine,
    compile = spec.compile or require("vbench.compile").phase,
    name = spec.name, signals = spec.signals, codes = {}, results = {}, ran = {},
  }, Run)
  self.console = spec.console
  if not self.console then
    local message
    self.console, message = console.new(self.options, spec.forms)
    if not self.console then error(failure.new(failure.USAGE, message), 0) end
  end
  self:check()
  return self
end

local function check_params(values)
  local names = registry.names("param")
  for _, name in ipairs(fields.names(values)) do
    if not registry.get("param", name) then
      error(failure.new(failure.USAGE, ("--param %s: the scenario has no such param%s"):format(name,
        nearest.hint(name, names))), 0)
    end
  end
end

--- What can be known to be wrong before anything runs. By `new`.
-- @local
function Run:check()
  check_params(self.session.param_values or {})
  tracker_file.check(self.options)
  coverage.check(self.options)
  if self.scenario.main then
    for _, name in ipairs { "phases", "skip" } do
      if self.options[name] and #self.options[name] > 0 then
        error(failure.new(failure.USAGE, ("--%s: the scenario has a main function, which decides "
          .. "what runs"):format(name)), 0)
      end
    end
  elseif type(self.scenario.phases) == "table" then
    self.phases = self:choose(self.scenario.phases)
  end
end

-- The phases to run, checked.
function Run:choose(list)
  plan.check_read(list, self.given)
  local chosen = plan.select(list, self.options)
  for _, phase in ipairs(chosen) do phase_run.check(self, phase) end
  return chosen
end

--- Notes that the run is interrupted: no further phase starts.
-- @local
function Run:interrupt()
  self.codes[failure.INTERRUPTED] = true
  self.ending = true
end

--- Notes a failure, says it, and lets no further phase start.
-- @tparam table failed `vbench.failure`
-- @local
function Run:fail(failed)
  self.ending = true
  if failed.stop then return end
  self.codes[failed.exit_code] = true
  if failed.exit_code == failure.INTERRUPTED then return end
  self.console:note(failed.message)
  if failed.hint then self.console:note("  " .. failed.hint) end
  if failed.traceback and self.options.verbose then self.console:note(failed.traceback) end
end

--- Ends the run: the phase that is running, if any, and those to come.
function Run:stop()
  self.stopping, self.ending = true, true
end

--- Judges the result of a phase: its thresholds, its errors, whether it did anything.
-- @tparam table phase result
-- @tparam table settings of `vbench.plan`
-- @tparam boolean met whether its thresholds are met
-- @tparam ?boolean idle whether it did nothing, though it was asked for something
-- @local
function Run:judge(phase, settings, met, idle)
  if not met then self.codes[failure.THRESHOLDS] = true end
  local all = phase.requests + phase.errors
  if phase.errors > 0 and phase.errors / all > settings.max_errors then
    self.codes[failure.ERRORS] = true
  elseif idle or phase.requests == 0 and phase.status == "ok" and phase.operations > 0
    and not self.stopping then
    self.codes[failure.ERRORS] = true
  end
  if phase.status == "failed" then self.ending = true end
end

--- Calls the scenario's on_second; what it raises ends the run.
-- @tparam table entry of the timeline
-- @local
function Run:on_second(entry)
  if not self.scenario.on_second or self.stopping then return end
  local ok, failed = failure.guard("on_second", self.scenario.on_second, entry)
  if ok then return end
  self:fail(failed)
  self.stopping = true
end

-- Whether a signal came while main was in a script.
function Run:signalled()
  if self.signals == nil or C.vb_signals_count(self.signals) == 0 then return false end
  self:interrupt()
  return true
end

--- Runs a phase: for main functions.
-- @tparam phase phase
-- @treturn table its result, with `:metric(name)`
-- @raise when it cannot start, and when the run has ended (which main need not handle)
function Run:phase(phase)
  if fields.kind(phase) ~= "phase" then
    fault.raise("run:phase takes a phase, not %s", fields.describe(phase))
  end
  if self.ending or self:signalled() then error(failure.ended(), 0) end
  self.ran[#self.ran + 1] = phase
  local results = phase_run.run(self, phase)
  for _, one in ipairs(results) do
    self.results[#self.results + 1] = one
    self.results[one.name] = one
    self.report.phases[#self.report.phases + 1] = one
    self.console:phase(one)
  end
  return results[1]
end

local function script_factory(self)
  local session = self.session
  local environment = session.environment()
  local canonical = require("vbench.canonical").all()
  return ffi.gc(C.vb_script_factory_new(session.shared, environment, #environment, canonical,
    #canonical), C.vb_script_factory_free)
end

-- Cores for the workers: "0,2" or { 0, 2 }.
local function pins_of(value)
  if value == nil then return nil end
  local pins = {}
  for core in (type(value) == "table" and table.concat(value, ",") or tostring(value))
    :gmatch("%d+") do
    pins[#pins + 1] = tonumber(core)
  end
  return #pins > 0 and pins or nil
end

local function open_engine(self)
  if self.engine then return end
  local options, session = self.options, self.session
  if session.shared == nil then session.shared = ffi.gc(C.vb_shared_new(), C.vb_shared_free) end
  declarations.publish()
  if self.signals == nil then
    local out, err = ffi.new("vb_signals *[1]"), native.new_error()
    if C.vb_signals_new(out, err) ~= 0 then
      error(failure.new(failure.COULD_NOT_RUN, ffi.string(err.text)), 0)
    end
    self.signals = ffi.gc(out[0], C.vb_signals_free)
  end
  self.factory = script_factory(self)
  self.pins = pins_of(options.pin)
  self.engine = engines.new {
    target = self.target, script = self.factory, signals = self.signals,
    pins = self.pins, connect_timeout_s = options.connect_timeout or CONNECT_TIMEOUT_S,
    hook_timeout_s = options.hook_timeout or HOOK_TIMEOUT_S, digits = options.precision,
    max_reply = options.max_reply,
  }
end

-- setup, whose table sets params.
local function set_up(self)
  if not self.scenario.setup then return end
  local ok, values = failure.guard("setup", self.scenario.setup, self.ctl)
  if not ok then error(values, 0) end
  if values == nil then return end
  local message = "setup returned " .. fields.describe(values) .. "; it returns a table of params"
  local before
  if type(values) == "table" then before, message = params.set(values) end
  if not before then error(failure.new(failure.USAGE, "setup: " .. message), 0) end
end

local function run_list(self, list)
  repeat
    for _, phase in ipairs(list) do
      if self.ending or self:signalled() then return end
      self:phase(phase)
    end
  until not self.options.loop
end

local function run_phases(self)
  local scenario = self.scenario
  if scenario.main then
    local ok, failed = failure.guard("main", scenario.main, self)
    if not ok then self:fail(failed) end
    return
  end
  if not self.phases then
    local list = scenario.phases()
    require("vbench.scenario").check_phases(list)
    self.phases = self:choose(list)
  end
  if self.options.idle then
    self.console:note("idle: the connections are open and nothing is sent; Ctrl-C ends it")
    return self:phase(self.phases[1])
  end
  run_list(self, self.phases)
end

-- What the workers' thread.done returned.
local function thread_results(self)
  local thread = self.scenario.thread
  if not thread or not thread.done or self.stuck or not self.engine then return {} end
  local ok, sources = pcall(self.engine.finish, self.engine)
  if not ok then
    self:fail(failure.is(sources) and sources or failure.new(failure.USAGE, tostring(sources)))
    return {}
  end
  local out = {}
  for i, source in ipairs(sources) do
    local value
    if source ~= "" then value = plain.read(source) end
    if value == nil then value = false end
    out[i] = value
  end
  return out
end

local function tear_down(self)
  self.results.threads = thread_results(self)
  if self.scenario.teardown and self.set_up then
    local ok, failed = failure.guard("teardown", self.scenario.teardown, self.ctl, self.results)
    if not ok then self:fail(failed) end
  end
  if self.tracking then
    local ok, failed = failure.guard(nil, tracker_file.finish, self)
    if not ok then self:fail(failed) end
  end
  for _, problem in ipairs(self.ctl:restore()) do
    self:fail(failure.new(failure.COULD_NOT_RUN, problem))
  end
end

local function begin(self)
  local session = self.session
  self.report = describe.report {
    scenario = describe.scenario(session.path, self.name), run = session.run,
    server = describe.server(session.server, self.ctl), args = self.options,
    script_args = session.script_args,
  }
  for _, line in ipairs(keyspaces.warnings()) do self.console:note(line) end
  local shared = self.ctl.shared
  if not shared then return end
  shared.interrupted = function() return self:signalled() end
  shared.say = function(line)
    if not self.options.quiet then self.console:note(line) end
  end
end

local function work(self)
  open_engine(self)
  tracker_file.begin(self)
  self.tracking = true
  coverage.begin(self)
  set_up(self)
  self.set_up = true
  if not self.options.no_baseline and not self:signalled() then
    self.report.baseline = baseline.measure(self.ctl, self.session.run.id)
  end
  self.console:begin(self.report)
  run_phases(self)
end

local function exit_code(self)
  for _, code in ipairs(PRECEDENCE) do
    if self.codes[code] then return code end
  end
  return 0
end

-- What new checks for a list of phases can be known of a main function only afterwards.
local function note_unread(self)
  if not self.scenario.main or #self.ran == 0 then return end
  local ok, failed = pcall(plan.check_read, self.ran, self.given)
  if not ok then self.console:note(failed.message) end
end

local function finish(self)
  note_unread(self)
  local report, code = self.report, exit_code(self)
  report.exit_code = code
  report.status = code == 0 and "ok" or code == failure.INTERRUPTED and "interrupted" or "failed"
  if not self.console:finish(report) then
    self.codes[failure.COULD_NOT_RUN] = true
    code = exit_code(self)
  end
  return code
end

local function from_beginning_to_end(self)
  begin(self)
  local ok, failed = failure.guard(nil, work, self)
  if not ok then self:fail(failed) end
  tear_down(self)
  return finish(self)
end

--- Runs the scenario: setup, phases or main, teardown, reports.
-- @treturn number exit code: 0; 1 could not run; 2 mistake of script or command line; 3 thresholds
--   not met; 4 too many errors; 130 interrupted
-- @local
function Run:execute()
  local ok, code = xpcall(from_beginning_to_end, debug.traceback, self)
  if ok and self.stuck then
    io.stdout:flush()
    M.exit(code) -- not a return: the worker that is lost would be waited for
  end
  -- Here, and before anything that it uses: the collector frees in any order.
  if self.engine then self.engine:free() end
  self.ctl:close()
  if not ok then error(code, 0) end
  return code
end

return M
