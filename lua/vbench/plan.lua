--- What a run does: which phases, at what load. A phase's own fields win over the command line.
-- @module vbench.plan
local failure = require "vbench.failure"
local nearest = require "vbench.nearest"
local phases = require "vbench.phase"
local ramps = require "vbench.ramp"
local native = require "vbench.ffi"
local C = native.C

local M = {}

local NS = 1e9
local REQUESTS, CLIENTS_PER_THREAD = 100000, 16
local DRAIN_S, TIMEOUT_S, RETRIES = 5, 10, 10
local BACKLOG = 1000000 -- operations that may wait in a worker

-- General options that phases read, and the fields that win over each.
local READ = {
  { option = "clients", flag = "-c/--clients", fields = { "clients" } },
  { option = "threads", flag = "--threads", fields = { "threads" } },
  { option = "pipeline", flag = "-P/--pipeline", fields = { "pipeline" } },
  { option = "requests", flag = "-n/--requests",
    fields = { "requests", "duration", "until_exhausted" } },
  { option = "duration", flag = "--duration",
    fields = { "requests", "duration", "until_exhausted" } },
  { option = "warmup", flag = "--warmup", fields = { "warmup" } },
  { option = "timeout", flag = "--timeout", fields = { "timeout" } },
  { option = "reconnect", flag = "--reconnect", fields = { "reconnect" } },
  { option = "max_errors", flag = "--max-errors", fields = { "max_errors" } },
  { option = "rate", flag = "--rate", fields = { "rate" } },
  { option = "arrivals", flag = "--arrivals", fields = { "arrivals" }, open_loop = true },
  { option = "burst", flag = "--burst", fields = { "burst" }, open_loop = true },
  { option = "backlog", flag = "--backlog", fields = {}, open_loop = true },
}
-- What phases in the background do not take from the command line.
local OWN = { threads = true, requests = true, duration = true, rate = true }

local function words_of(value)
  if type(value) == "table" then return value end
  local words = {}
  for word in (value or ""):gmatch("[^,%s]+") do words[#words + 1] = word end
  return words
end

local function names_of(list)
  local names = {}
  for i, phase in ipairs(list) do names[i] = phase.name end
  return names
end

local function set_of(flag, words, names)
  local known, set = {}, {}
  for _, name in ipairs(names) do known[name] = true end
  for _, word in ipairs(words) do
    if not known[word] then
      failure.usage("%s: there is no phase '%s'%s (there are: %s)", flag, word,
        nearest.hint(word, names), table.concat(names, ", "))
    end
    set[word] = true
  end
  return set
end

--- The phases that are left of a scenario.
-- `--phases` names those to run, `--skip` those not to run.
-- @tparam {phase,...} list of the scenario
-- @tparam table options general options: `phases`, `skip` (lists, or texts with commas)
-- @treturn {phase,...} in the order of the scenario
-- @raise a failure for a name that no phase has, or when nothing is left
function M.select(list, options)
  local names, out = names_of(list), {}
  local only = options.phases and set_of("--phases", words_of(options.phases), names)
  local skip = set_of("--skip", words_of(options.skip), names)
  for _, phase in ipairs(list) do
    if (not only or only[phase.name]) and not skip[phase.name] then out[#out + 1] = phase end
  end
  if #out == 0 then
    failure.usage("--phases and --skip leave no phase of %s", table.concat(names, ", "))
  end
  return out
end

local function sets_any(phase, fields)
  for _, name in ipairs(fields) do
    if phase[name] ~= nil then return true end
  end
  return false
end

local function ramps_of(phase, kind)
  return phase.ramp ~= nil and phase.ramp.kind == kind
end

-- Whether a phase by itself reads an option: it sets no field for it, and has a use for it.
local function has_use(phase, entry, rate_given)
  if sets_any(phase, entry.fields) then return false end
  if entry.option == "pipeline" and phases.has_flows(phase.run) then return false end
  if entry.option == "requests" or entry.option == "duration" then return phase.ramp == nil end
  if entry.option == "reconnect" and phase.run.kind == "subscriber" then return false end
  if entry.option == "clients" or entry.option == "rate" then
    return not ramps_of(phase, "clients")
  end
  return not entry.open_loop or rate_given or phase.rate ~= nil or ramps_of(phase, "rate")
end

local function reads(phase, entry, rate_given)
  if has_use(phase, entry, rate_given) then return true end
  if OWN[entry.option] then return false end
  for _, one in ipairs(phase.background or {}) do
    if has_use(one, entry, false) then return true end
  end
  return false
end

local function quoted(names)
  for i, name in ipairs(names) do names[i] = "'" .. name .. "'" end
  if #names < 2 then return names[1] end
  return table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
end

-- Where the phases run subscribers it is no field either.
local function refuse_reconnect(list, flag)
  for _, phase in ipairs(list) do
    if phase.run.kind == "subscriber" then
      failure.usage("%s was given, but phase '%s' runs a subscriber, which begins no operations",
        flag, phase.name)
    end
  end
end

-- Where the phases run flows it is not a field that stands in the way.
local function refuse_pipeline(list, flag)
  for _, phase in ipairs(list) do
    if phases.has_flows(phase.run) then
      failure.usage("%s was given, but phase '%s' runs flows: a connection is in one of them at " ..
        "a time", flag, phase.name)
    end
  end
end

--- Refuses general options that were given and that no phase reads.
-- @tparam {phase,...} list of phases
-- @tparam table given set of the names of the options that were given
-- @raise a failure that names the phases which fix it
function M.check_read(list, given)
  for _, entry in ipairs(READ) do
    local read = not given[entry.option]
    for _, phase in ipairs(list) do read = read or reads(phase, entry, given.rate) end
    if not read and entry.open_loop then
      failure.usage("%s was given, but no phase takes it: it is for an open loop; give --rate",
        entry.flag)
    end
    if not read then
      local names = names_of(list)
      if entry.option == "pipeline" then refuse_pipeline(list, entry.flag) end
      if entry.option == "reconnect" then refuse_reconnect(list, entry.flag) end
      failure.usage("%s was given, but no phase reads it: %s %s %s", entry.flag,
        #names == 1 and "phase" or "phases", quoted(names),
        (#names == 1 and "sets %s itself" or "set %s themselves"):format(
          table.concat(entry.fields, " or ")))
    end
  end
end

-- Ends of a phase: its own, else those of the command line, else the default.
local function ends_of(phase, options, given, in_background)
  local own = { "requests", "duration", "until_exhausted" }
  if phase.ramp and not sets_any(phase, own) then return 0, ramps.resolve(phase).seconds end
  if in_background or sets_any(phase, own) then
    return phases.value(phase, "requests") or 0, phases.value(phase, "duration") or 0
  end
  local requests = options.requests or REQUESTS
  if given.duration and not given.requests then requests = 0 end
  return requests, options.duration or 0
end

-- What a ramp makes of clients and rate.
local function shape(phase, settings)
  local ramp = settings.ramp
  if ramp and ramp.kind == "clients" then
    settings.first_clients = phases.value(phase, "clients") or 1
    settings.clients = math.max(settings.first_clients, ramp.most)
    settings.rate = 0
  end
  settings.open_loop = settings.rate > 0 or ramp ~= nil and ramp.kind == "rate"
  for _, name in ipairs { "arrivals", "burst" } do
    if phase[name] ~= nil and not settings.open_loop then
      failure.usage("phase '%s' has the field '%s' and no rate: it is for an open loop", phase.name,
        name)
    end
  end
  return settings
end

--- The load of a phase: its fields, else the command line's.
-- @tparam phase phase
-- @tparam table options general options: `clients pipeline requests duration warmup timeout
--   max_errors rate arrivals burst backlog`
-- @tparam table given set of the names of the options that were given
-- @tparam[opt] boolean in_background such a phase ends with the one that it runs beside
-- @treturn table `clients pipeline requests duration_s warmup_s start_s timeout_s stop_on_error
--   max_errors retries reconnect`; `rate` (0: a closed loop, unless a ramp changes it), `poisson`,
--   `burst` (0: none), `backlog` (of a worker), `ramp` (of vbench.ramp, nil: none),
--   its `first_clients`
-- @raise a failure for what only an open loop has, in a closed one
function M.settings(phase, options, given, in_background)
  local function value(name, default)
    local own = phases.value(phase, name)
    if own ~= nil then return own end
    if options[name] ~= nil then return options[name] end
    return default
  end
  local requests, duration = ends_of(phase, options, given, in_background)
  local settings = {
    clients = value("clients", 50),
    pipeline = phases.has_flows(phase.run) and 1 or value("pipeline", 1), requests = requests,
    duration_s = duration, warmup_s = value("warmup", 0),
    start_s = phases.value(phase, "start") or 0, timeout_s = value("timeout", TIMEOUT_S),
    stop_on_error = phase.on_error == "stop", max_errors = value("max_errors", 0.01),
    rate = phases.value(phase, "rate") or (not in_background and options.rate) or 0,
    poisson = value("arrivals", "constant") == "poisson", burst = value("burst", 0),
    backlog = options.backlog or BACKLOG, ramp = phase.ramp and ramps.resolve(phase),
    retries = phases.value(phase, "retry") or RETRIES, reconnect = value("reconnect", 0),
  }
  return shape(phase, settings)
end

--- Ends a phase after the time of a cursor, unless something ends it earlier.
-- @tparam table settings of `settings`, which it changes
-- @tparam number seconds
-- @tparam phase phase
-- @tparam table given set of the names of the options that were given
function M.end_after(settings, seconds, phase, given)
  if phase.requests == nil and not given.requests then settings.requests = 0 end
  local own = settings.duration_s
  settings.duration_s = own > 0 and math.min(own, seconds) or seconds
end

--- How many workers a phase runs on.
-- @tparam phase phase
-- @tparam {table,...} lanes settings of the phase and of those in its background
-- @tparam table options general options: `threads` (0 or nil: the default)
-- @tparam table target `loopback` (the server shares our cores), `endpoints`
-- @treturn number
function M.threads(phase, lanes, options, target)
  local own = phases.value(phase, "threads")
  if own then return own end
  if options.threads and options.threads > 0 then return options.threads end
  local cores = C.vb_cores()
  if target.loopback then cores = cores / 2 end
  local threads = math.min(cores, lanes[1].clients / CLIENTS_PER_THREAD)
  for _, lane in ipairs(lanes) do threads = math.min(threads, lane.clients / #target.endpoints) end
  return math.max(1, math.floor(threads))
end

--- Writes the load of a phase to its vb_phase_spec.
-- @tparam cdata spec vb_phase_spec
-- @tparam table settings of `settings`; keeps what the spec points to
-- @tparam number seed of the run
-- @tparam[opt] number threads of the phase, which share its burst; default 1
function M.fill(spec, settings, seed, threads)
  spec.clients, spec.pipeline = settings.clients, settings.pipeline
  spec.requests = settings.requests
  spec.duration_ns, spec.warmup_ns = settings.duration_s * NS, settings.warmup_s * NS
  spec.start_ns, spec.timeout_ns = settings.start_s * NS, settings.timeout_s * NS
  spec.drain_ns, spec.seed = DRAIN_S * NS, seed
  spec.stop_on_error, spec.retries = settings.stop_on_error and 1 or 0, settings.retries
  spec.reconnect = settings.reconnect
  spec.rate, spec.poisson = settings.rate, settings.poisson and 1 or 0
  local burst = settings.burst > 0 and math.ceil(settings.burst / (threads or 1)) or math.huge
  spec.backlog = math.min(settings.backlog, burst)
  local ramp = settings.ramp
  if not ramp then return end
  spec.ramp, spec.stages, spec.stage_count = ramps.number(ramp), ramp.stages, ramp.count
  spec.first_clients = settings.first_clients or 0
end

return M
