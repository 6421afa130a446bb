--- Phases: what is run at what load, as plain data. May be made at any time in main.
-- @api vbench.phase
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local nearest = require "vbench.nearest"
local object = require "vbench.object"
local param = require "vbench.param"
local ramp = require "vbench.ramp"
local registry = require "vbench.registry"
local thresholds = require "vbench.thresholds"
local units = require "vbench.units"

local M = {}

local FIELDS = {
  name = "string", run = "command|mix|sequence|transaction|flow|subscriber",
  clients = "count", threads = "count", pipeline = "count",
  requests = "count", duration = "duration", until_exhausted = "boolean",
  rate = "rate", arrivals = "string", burst = "count", ramp = "table",
  warmup = "duration", start = "duration", timeout = "duration",
  on_error = "string", max_errors = "percent", retry = "count",
  reconnect = "count",
  background = "table", params = "table", thresholds = "table",
}
local ARRIVALS = { constant = true, poisson = true }
local RETRIES_MAX = 1000
local ON_ERROR = { count = true, stop = true }
local AT_LEAST_ONE = { "clients", "threads", "pipeline", "requests", "burst" }

local methods = {}
local class = { __index = methods }

--- Calls a function for each thing that has statistics of its own in something that runs.
-- @param run what a phase runs
-- @tparam function visit gets its name, the thing (its name where there is none), and whether it
--   stands in a transaction
-- @local
function M.each_row(run, visit)
  if run.kind == "flow" then
    visit(run.name, run)
    for _, name in ipairs(registry.names("command")) do
      visit(name, registry.get("command", name))
    end
    visit(registry.get("command", "exec") and "multi-exec" or "exec", "exec")
  elseif run.kind == "mix" then
    for _, entry in ipairs(run.spec.entries) do M.each_row(entry.what, visit) end
  elseif run.kind ~= "sequence" then
    visit(run.name, run)
  end
  for _, step in ipairs(run.spec.steps or {}) do
    visit(step.command.name, step.command, run.kind == "transaction")
  end
end

local function row_names(run)
  local out = {}
  M.each_row(run, function(name) out[#out + 1] = name end)
  return out
end

-- A transaction has a row beside those of its commands.
local function check_rows(run, where)
  local known = {}
  M.each_row(run, function(name, thing)
    if known[name] and known[name] ~= thing then
      fault.raise("%s runs two things that are named '%s', a %s and a %s: give one of them another "
        .. "name = \"...\"", where, name, known[name].kind, thing.kind)
    end
    known[name] = thing
  end)
end

-- The entries stay as they were written: vbench.run reads them with those of the command line.
local function check_thresholds(list, run, where)
  local own = registry.names("metric")
  for _, name in ipairs(registry.names("counter")) do own[#own + 1] = name end
  local names = row_names(run)
  for i = 1, fields.length(list, "thresholds of " .. where) do
    local parsed, message = thresholds.parse(list[i], names, own)
    if not parsed then fault.raise("%s: %s", where, message) end
  end
end

local function read_background(list, where)
  local phases = fields.kind(list) and { list } or list
  for i = 1, fields.length(phases, "background of " .. where) do
    local one = phases[i]
    if fields.kind(one) ~= "phase" then
      fault.raise("background of %s takes phases, not %s", where, fields.describe(one))
    end
    if one.background then
      fault.raise("phase '%s' in the background of %s has a background itself: one level only",
        one.name, where)
    end
    if one.params then
      fault.raise("phase '%s' in the background of %s has params: they are those of %s", one.name,
        where, where)
    end
    if one.threads then
      fault.raise("phase '%s' in the background of %s has threads: it runs on those of %s",
        one.name,
        where, where)
    end
  end
  return phases
end

local function check_numbers(self, where)
  for _, name in ipairs(AT_LEAST_ONE) do
    if self[name] == 0 then
      fault.raise("field '%s' of %s is 0; it takes 1 or more", name, where)
    end
  end
  if type(self.retry) == "number" and self.retry > RETRIES_MAX then
    fault.raise("field 'retry' of %s is %d; it takes up to %d", where, self.retry, RETRIES_MAX)
  end
  if self.duration == 0 then fault.raise("field 'duration' of %s is 0", where) end
  if self.rate == 0 then
    fault.raise("field 'rate' of %s is 0: nothing would fall due; without it the loop is closed",
      where)
  end
  if self.clients and self.threads and type(self.clients) == "number"
    and type(self.threads) == "number" and self.threads > self.clients then
    fault.raise("%s has %d threads and %d clients: each thread needs one", where, self.threads,
      self.clients)
  end
end

--- Calls a function for each command that a phase sends. A flow may send any that was declared.
-- @param run what a phase runs
-- @tparam function visit gets the command
-- @local
function M.each_command(run, visit)
  if run.kind == "mix" then
    for _, entry in ipairs(run.spec.entries) do M.each_command(entry.what, visit) end
  elseif run.kind == "flow" then
    for _, name in ipairs(registry.names("command")) do visit(registry.get("command", name)) end
  elseif run.spec.steps then
    for _, step in ipairs(run.spec.steps) do visit(step.command) end
  elseif run.kind == "command" then
    visit(run)
  end
end

--- Whether flows are run: a connection is in one at a time, whatever the pipeline.
-- @param run what a phase runs
-- @treturn boolean
-- @local
function M.has_flows(run)
  if run.kind == "flow" then return true end
  for _, entry in ipairs(run.kind == "mix" and run.spec.entries or {}) do
    if entry.what.kind == "flow" then return true end
  end
  return false
end

local function check_flows(self, where)
  if type(self.pipeline) ~= "number" or self.pipeline == 1 or not M.has_flows(self.run) then
    return
  end
  fault.raise("%s has pipeline = %d and runs flows: a connection is in one of them at a time",
    where, self.pipeline)
end

-- What has no effect on clients of these kinds.
local USELESS = {
  { "subscriber", "reconnect", "a subscriber begins no operations; messages come by themselves" },
  { "subscriber", "retry", "a subscriber sends nothing that could be sent again" },
}

local function check_useful(self, where)
  for _, row in ipairs(USELESS) do
    if self.run.kind == row[1] and self[row[2]] ~= nil then
      fault.raise("field '%s' of %s has no effect: %s", row[2], where, row[3])
    end
  end
end

local function check(self)
  local where = ("phase '%s'"):format(self.name)
  if self.run == nil then fault.raise("%s has nothing to run: run = a command, mix, ...", where) end
  if self.on_error then fields.choose(self.on_error, ON_ERROR, "field 'on_error' of " .. where) end
  check_numbers(self, where)
  if self.arrivals then fields.choose(self.arrivals, ARRIVALS, "field 'arrivals' of " .. where) end
  if self.ramp then self.ramp = ramp.read(self.ramp, where) end
  if self.ramp and self.ramp.kind == "clients" and (self.rate or self.arrivals or self.burst) then
    fault.raise("%s has a ramp of clients and a rate: a ramp of an open loop is one of the rate",
      where)
  end
  check_flows(self, where)
  check_rows(self.run, where)
  check_useful(self, where)
  if self.thresholds then check_thresholds(self.thresholds, self.run, where) end
  if self.background then self.background = read_background(self.background, where) end
  if self.params then
    local fine, message = param.check(self.params)
    if not fine then fault.raise("params of %s: %s", where, message) end
  end
  return self
end

local function remember_given(self)
  self.given = {}
  for name in pairs(FIELDS) do self.given[name] = self[name] ~= nil or nil end
  return self
end

--- Makes a phase.
-- @function vb.phase
-- @tparam table given `run` (command, mix, sequence, transaction, flow or subscriber; required),
--   `name` (that of what it runs), `clients`, `threads`, `pipeline` (counts; totals), `requests`
--   (operations), `duration`, `until_exhausted`, `warmup` (not counted), `start` (of a background
--   phase: its delay), `rate` (operations a second in all: an open loop, in which they fall due
--   whatever the server does), `arrivals` ("constant" or "poisson"), `burst` (operations that may
--   wait; those beyond are dropped), `ramp` (list of stages `{ duration=, rate= | clients=, step=
--   }`: in a line from the target before, which at first is `rate` or `clients`, or at once with
--   `step = true`), `timeout` (of a request), `retry` (how often an operation is sent again),
--   `reconnect` (operations after which a connection is closed and opened anew), `on_error`
--   ("count" or "stop"), `max_errors` (a share), `background` (list of phases that run beside it),
--   `params` (name -> value of vb.params in this run), `thresholds` (list of "p99_ms < 2" or
--   `{"p99_ms < 2", abort = true, delay = "5s"}`). What is left out is taken from the command line.
-- @treturn phase with `:with{...}`
-- @raise on unknown fields and values that cannot be
function M.new(given)
  local name = type(given) == "table" and rawget(given, "name")
  local run = type(given) == "table" and rawget(given, "run")
  if type(name) ~= "string" then name = fields.kind(run) and run.name end
  local where = name and ("phase '%s'"):format(name) or "vb.phase"
  local self = fields.read(given, FIELDS, where, { params = true })
  self.kind, self.name, self.position = "phase", name or "phase", fault.position()
  return setmetatable(check(remember_given(self)), class)
end

local function refuse(name, where)
  local known = fields.names(FIELDS)
  for _, one in ipairs(registry.names("param")) do known[#known + 1] = one end
  fault.raise("unknown field or param '%s' in %s%s", name, where, nearest.hint(name, known))
end

--- A copy with other fields and params: `phase:with { clients = 10, ef = 64 }`.
-- @function phase:with
-- @tparam table changes fields of a phase, and values of vb.params by name
-- @treturn phase
-- @raise on a name that is neither
function methods.with(self, changes)
  local where = ("phase '%s'"):format(self.name)
  if type(changes) ~= "table" then fault.raise("phase:with takes a table of fields and params") end
  local known, given, params = FIELDS, {}, object.copy(self.params or {})
  for _, name in ipairs(fields.names(changes)) do
    if known[name] then
      given[name] = changes[name]
    elseif registry.get("param", name) then
      params[name] = changes[name]
    else
      refuse(name, where)
    end
  end
  for name, value in pairs(given.params or {}) do params[name] = value end
  local out = setmetatable({ kind = "phase", position = fault.position() }, class)
  for name in pairs(FIELDS) do out[name] = self[name] end
  for name, value in pairs(fields.read(given, FIELDS, where, { params = true })) do
    out[name] = value
  end
  out.params = next(params) and params or nil
  local made = check(remember_given(out))
  return made
end

--- The value of a field now: a vb.param resolved and its unit read.
-- @tparam phase phase
-- @tparam string name of a field
-- @treturn ?number nil when the phase does not set it
-- @raise `phase 'x', field 'clients': ...` when the param's value is none for it
-- @local
function M.value(phase, name)
  local value = phase[name]
  if fields.kind(value) ~= "param" then return value end
  local parse = units[FIELDS[name]]
  local now, message = param.resolve(value), nil
  if parse then now, message = parse(now) end
  if now == nil then
    error(("phase '%s', field '%s' (param '%s'): %s"):format(phase.name, name, value.name, message),
      0)
  end
  return now
end

return M
