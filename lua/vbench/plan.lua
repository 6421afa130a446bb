--- What a run does: which phases, at what load. A phase's own fields win over the command line.
-- @module vbench.plan
local failure = require "vbench.failure"
local nearest = require "vbench.nearest"
local phases = require "vbench.phase"
local native = require "vbench.ffi"
local C = native.C

local M = {}

local NS = 1e9
local REQUESTS, CLIENTS_PER_THREAD = 100000, 16
local DRAIN_S, TIMEOUT_S = 5, 10

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
  { option = "max_errors", flag = "--max-errors", fields = { "max_errors" } },
}

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

-- A phase reads an option unless it, and every phase in its background, sets a field for it.
local function reads(phase, entry)
  if not sets_any(phase, entry.fields) then return true end
  if entry.option == "threads" or entry.option == "requests" or entry.option == "duration" then
    return false -- those in the background have none of these from the command line
  end
  for _, one in ipairs(phase.background or {}) do
    if not sets_any(one, entry.fields) then return true end
  end
  return false
end

local function quoted(names)
  for i, name in ipairs(names) do names[i] = "'" .. name .. "'" end
  if #names < 2 then return names[1] end
  return table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
end

--- Refuses general options that were given and that no phase reads.
-- @tparam {phase,...} list of phases
-- @tparam table given set of the names of the options that were given
-- @raise a failure that names the phases which fix it
function M.check_read(list, given)
  for _, entry in ipairs(READ) do
    local read = not given[entry.option]
    for _, phase in ipairs(list) do read = read or reads(phase, entry) end
    if not read then
      local names = names_of(list)
      failure.usage("%s was given, but no phase reads it: %s %s %s", entry.flag,
        #names == 1 and "phase" or "phases", quoted(names),
        (#names == 1 and "sets %s itself" or "set %s themselves"):format(
          table.concat(entry.fields, " or ")))
    end
  end
end

-- Ends of a phase: its own, else those of the command line, else the default.
local function ends_of(phase, options, given, in_background)
  if in_background or sets_any(phase, { "requests", "duration", "until_exhausted" }) then
    return phases.value(phase, "requests") or 0, phases.value(phase, "duration") or 0
  end
  local requests = options.requests or REQUESTS
  if given.duration and not given.requests then requests = 0 end
  return requests, options.duration or 0
end

--- The load of a phase: its fields, else the command line's.
-- @tparam phase phase
-- @tparam table options general options: `clients pipeline requests duration warmup timeout
--   max_errors`
-- @tparam table given set of the names of the options that were given
-- @tparam[opt] boolean in_background such a phase ends with the one that it runs beside
-- @treturn table `clients pipeline requests duration_s warmup_s start_s timeout_s stop_on_error
--   max_errors`
function M.settings(phase, options, given, in_background)
  local function value(name, default)
    local own = phases.value(phase, name)
    if own ~= nil then return own end
    if options[name] ~= nil then return options[name] end
    return default
  end
  local requests, duration = ends_of(phase, options, given, in_background)
  return {
    clients = value("clients", 50), pipeline = value("pipeline", 1), requests = requests,
    duration_s = duration, warmup_s = value("warmup", 0),
    start_s = phases.value(phase, "start") or 0, timeout_s = value("timeout", TIMEOUT_S),
    stop_on_error = phase.on_error == "stop", max_errors = value("max_errors", 0.01),
  }
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
-- @tparam table settings of `settings`
-- @tparam number seed of the run
function M.fill(spec, settings, seed)
  spec.clients, spec.pipeline = settings.clients, settings.pipeline
  spec.requests = settings.requests
  spec.duration_ns, spec.warmup_ns = settings.duration_s * NS, settings.warmup_s * NS
  spec.start_ns, spec.timeout_ns = settings.start_s * NS, settings.timeout_s * NS
  spec.drain_ns, spec.seed = DRAIN_S * NS, seed
  spec.stop_on_error = settings.stop_on_error and 1 or 0
end

return M
