--- Which metrics a phase can have a value of: a threshold on another one is a mistake that is known
-- before anything runs.
-- @module vbench.measurable
local metrics = require "vbench.report.metrics"
local phases = require "vbench.phase"

local M = {}

local function has_processor(thing, what)
  for _, processor in ipairs(thing.spec and thing.spec.processors or {}) do
    if processor.what == what then return true end
  end
  return false
end

-- What a thing that has a row of statistics measures.
local MEASURES = {
  latency = function(thing, inside) -- the commands of a transaction are timed as one
    return thing.kind ~= "subscriber" and not inside
      and not (thing.kind == "command" and thing.spec.blocking)
  end,
  wait = function(thing) return thing.kind == "command" and thing.spec.blocking end,
  age = function(thing) return has_processor(thing, "age") end,
  hits = function(thing) return has_processor(thing, "hits") end,
  quality = function(thing) return has_processor(thing, "recall") end,
}

local LACKS = {
  latency = "times are of requests, and this waits for what comes",
  transaction = "the commands of a transaction are timed as one, under its name",
  wait = "waits are of commands that block",
  age = "ages are of replies with vb.age()",
  hits = "hits are counted by vb.hits()",
  quality = "no reply is compared with true neighbours",
  response = "response times are of an open loop: a rate, or a ramp of one",
  invalidation = "invalidations are counted with --enable-tracking",
}

local GROUPS = {
  hits = "hits", misses = "hits", hit_rate = "hits", invalidations = "invalidation",
  recall = "quality", map = "quality", ndcg = "quality", mrr = "quality",
}

-- What a metric is measured by; nil for what every phase has.
local function group_of(name)
  return GROUPS[name] or name:match("^(%a+)_%w+_[um]s$") or name:find("_[um]s$") and "latency"
    or nil
end

-- Whether a row of that name, or any row, measures it; what it lacks.
local function is_measured(run, command, group)
  local found, within = false, false
  phases.each_row(run, function(name, thing, inside)
    if command and name ~= command then return end
    found = found or MEASURES[group](thing, inside)
    within = within or inside
  end)
  return found, within and command and group == "latency" and "transaction" or group
end

--- Why a phase can never have a value of a metric.
-- @tparam string name as of `vbench.report.metrics.resolve`
-- @param run what the phase runs
-- @tparam table load `open_loop`, `tracking`: whether there is a schedule, client-side caching
-- @treturn ?string nil when it can
function M.why_not(name, run, load)
  local rows = {}
  phases.each_row(run, function(row) rows[#rows + 1] = row end)
  local found = metrics.resolve(name, rows, {})
  if not found then return nil end -- of the script's own
  local group = group_of(found.metric.name)
  if not group then return nil end
  if group == "invalidation" then return not load.tracking and LACKS[group] or nil end
  if group == "response" and not load.open_loop then return LACKS[group] end
  local measured, lack = is_measured(run, found.command, group == "response" and "latency" or group)
  return not measured and LACKS[lack] or nil
end

return M
