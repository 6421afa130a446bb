--- The one list of metrics: their names, units, which direction is better, and where they stand in
-- the result of a phase. Thresholds, `result:metric`, CSV headers and reports read it.
-- @module vbench.report.metrics
local nearest = require "vbench.nearest"

local M = {}

local function number(value)
  return type(value) == "number" and value or nil
end

local function field(name)
  return function(row) return number(row[name]) end
end

--- Whether a time is only known to be at least what it says: there are operations that were not
-- answered, whose age stands for their time.
-- @tparam table times of a row
-- @tparam string name "p99", "mean", ...
-- @treturn boolean
function M.is_least(times, name)
  local exact = number(times.exact_to)
  if not exact or name == "min" then return false end
  local digits = name:match("^p(%d+)$")
  if not digits then return true end
  local percentile = tonumber(#digits > 2 and digits:sub(1, 2) .. "." .. digits:sub(3) or digits)
  return percentile > exact
end

-- A latency is there only when something was timed: a row without a success has none.
local function latency(group, name)
  return function(row)
    local times = row[group]
    if type(times) ~= "table" then return nil end
    return number(times[name]), M.is_least(times, name)
  end
end

local function quality(name)
  return function(row)
    local all = type(row.quality) == "table" and row.quality or {}
    local value = all[name]
    return number(type(value) == "table" and value.mean or value)
  end
end

local function share(part, rest)
  return function(row)
    local a, b = row[part] or 0, row[rest] or 0
    return a + b > 0 and a / (a + b) or nil
  end
end

--- The metrics in their order. Each has `name`, `unit`, `better` ("higher", "lower", or nil when
-- neither is), `read(row)`, and `phase_only` when a single command has none.
M.list = {
  { name = "qps", unit = "1/s", better = "higher", read = field("qps") },
  { name = "ops_per_s", unit = "1/s", better = "higher", read = field("ops_per_s") },
  { name = "errors", unit = "", better = "lower", read = field("errors") },
  { name = "error_rate", unit = "", better = "lower", read = share("errors", "requests") },
}

local by_name = {}

--- The key of a percentile among the times of a row: 99.5 is "p995".
-- @tparam number percentile 0 to 100
-- @treturn string
function M.percentile_key(percentile)
  return "p" .. ("%.10g"):format(percentile):gsub("%.", "")
end

local function add(metric)
  M.list[#M.list + 1] = metric
end

local TIMES = {
  { "", "latency_us" }, { "response_", "response_us" }, { "wait_", "wait_us" },
  { "age_", "age_us" }, { "invalidation_", "invalidation_us", phase_only = true },
}

for _, kind in ipairs(TIMES) do
  for _, name in ipairs { "p50", "p90", "p95", "p99", "p999", "p9999", "mean", "max" } do
    local read = latency(kind[2], name)
    add { name = kind[1] .. name .. "_us", unit = "us", better = "lower", read = read,
          phase_only = kind.phase_only }
    add { name = kind[1] .. name .. "_ms", unit = "ms", better = "lower",
          phase_only = kind.phase_only,
          read = function(row)
            local us, least = read(row)
            return us and us / 1000, least
          end }
  end
end
for _, name in ipairs { "recall", "map", "ndcg", "mrr" } do
  add { name = name, unit = "", better = "higher", read = quality(name) }
end
add { name = "hit_rate", unit = "", better = "higher", read = share("hits", "misses") }
add { name = "hits", unit = "", better = "higher", read = field("hits") }
add { name = "misses", unit = "", better = "lower", read = field("misses") }
add { name = "invalidations", unit = "", phase_only = true, read = field("invalidations") }
add { name = "bytes_sent", unit = "B", read = field("bytes_sent") }
add { name = "bytes_received", unit = "B", read = field("bytes_received") }
add { name = "cpu_us_per_request", unit = "us", better = "lower", phase_only = true,
      read = function(row)
        return number(type(row.client) == "table" and row.client.cpu_us_per_request)
      end }

for _, metric in ipairs(M.list) do by_name[metric.name] = metric end

--- The times that a row shows: response time where there is one (open loop: what a client would
-- have felt), else latency.
-- @tparam table row a phase or a command of a report
-- @treturn table of microseconds; empty when nothing succeeded
function M.times(row)
  if row.requests == 0 then return {} end
  for _, group in ipairs { "response_us", "latency_us" } do
    local times = row[group]
    if type(times) == "table" and number(times.mean) then return times end
  end
  return {}
end

--- Whether an open loop did less than fell due: more than 1 % was dropped or not sent. Random
-- arrivals are no shortfall, however far they are from their rate.
-- @tparam table phase of a report
-- @treturn boolean
function M.is_short(phase)
  if not number(phase.sent_rate) then return false end
  local left = phase.dropped + phase.backlog_at_end
  return left > 0.01 * (phase.operations + left)
end

--- The names of the list.
-- @treturn {string,...} in order
function M.names()
  local names = {}
  for i, metric in ipairs(M.list) do names[i] = metric.name end
  return names
end

local function contains(list, word)
  for _, name in ipairs(list or {}) do
    if name == word then return true end
  end
  return false
end

-- Parts of a script's own metric; its name alone means its mean, or its count when it only counts.
local OWN_PARTS = { "count", "sum", "min", "max", "mean", "p50", "p90", "p95", "p99" }

local function own_metric(name, own)
  for _, known in ipairs(own or {}) do
    if name == known then return known, nil end
    if name:sub(1, #known + 1) == known .. "." then
      local part = name:sub(#known + 2)
      if contains(OWN_PARTS, part) then return known, part end
      return nil, ("unknown part '%s' of metric '%s'%s")
        :format(part, known, nearest.hint(part, OWN_PARTS))
    end
  end
  return nil
end

local function unknown(name, commands, own)
  local known = M.names()
  for _, metric in ipairs(own or {}) do known[#known + 1] = metric end
  for _, command in ipairs(commands or {}) do
    for _, metric in ipairs(M.list) do
      if not metric.phase_only then known[#known + 1] = command .. "." .. metric.name end
    end
  end
  local hint = nearest.hint(name, known)
  if contains(known, name .. "_ms") then hint = ("; did you mean '%s_ms'?"):format(name) end
  return ("unknown metric '%s'%s"):format(name, hint)
end

--- Finds what a name means, without a result: for thresholds, before a run.
-- @tparam string name `p99_ms`, `get.hit_rate`, or a metric of the script
-- @tparam[opt] {string,...} commands names of the phase's commands; a name before the dot must be
--   one of them
-- @tparam[opt] {string,...} own names of the script's own metrics
-- @treturn ?table `metric` (of the list; nil for one of the script's), `command` (nil: of the
--   phase), `own` and `part` (of the script's)
-- @treturn ?string what is wrong, with the nearest name
function M.resolve(name, commands, own)
  local known, part = own_metric(name, own)
  if known then return { own = known, part = part } end
  if part then return nil, part end
  if by_name[name] then return { metric = by_name[name] } end
  local command, rest = name:match("^(.+)%.([^.]+)$")
  local metric = rest and by_name[rest]
  if not metric or not contains(commands, command) then return nil, unknown(name, commands, own) end
  if metric.phase_only then
    return nil, ("metric '%s' is of a whole phase, not of command '%s'"):format(rest, command)
  end
  return { metric = metric, command = command }
end

local function own_value(phase, found)
  local value = phase.metrics[found.own]
  if type(value) ~= "table" then return number(value) end
  if found.part then return number(value[found.part]) end
  return number(value.mean) or number(value.count)
end

local function keys(map)
  local names = {}
  for name in pairs(map or {}) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function command_row(phase, name)
  for _, row in ipairs(phase.commands or {}) do
    if row.name == name then return row end
  end
end

--- The value of a metric in the result of a phase.
-- @tparam table phase a phase of the report
-- @tparam string name as in `resolve`
-- @treturn ?number nil when the phase has no such value (a latency without a success)
-- @treturn ?boolean it is only known to be at least that
-- @raise for an unknown name, with the nearest one
function M.metric(phase, name)
  local commands = {}
  for i, row in ipairs(phase.commands or {}) do commands[i] = row.name end
  local found, message = M.resolve(name, commands, keys(phase.metrics))
  if not found then error(message, 2) end
  if found.own then return own_value(phase, found) end
  return found.metric.read(found.command and command_row(phase, found.command) or phase)
end

return M
