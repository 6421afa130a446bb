--- Thresholds: what a phase has to reach ("p99_ms < 2"), judged at its end or while it runs.
-- @module vbench.thresholds
local cjson = require "cjson"
local metrics = require "vbench.report.metrics"
local nearest = require "vbench.nearest"
local units = require "vbench.units"

local M = {}

local COMPARE = {
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  [">="] = function(a, b) return a >= b end,
  ["=="] = function(a, b) return a == b end,
  ["!="] = function(a, b) return a ~= b end,
}

-- What is known of a phase while it runs: times and rates of its last second, errors and hits since
-- its start.
local LIVE = {
  qps = function(s) return s.qps end,
  ops_per_s = function(s) return s.ops_per_s end,
  errors = function(s) return s.all_errors end,
  error_rate = function(s)
    local all = s.all_errors + s.all_requests
    return all > 0 and s.all_errors / all or nil
  end,
}
for _, name in ipairs { "hits", "misses" } do
  LIVE[name] = function(s) return s["all_" .. name] end
end
function LIVE.hit_rate(s)
  local all = s.all_hits + s.all_misses
  return all > 0 and s.all_hits / all or nil
end
local TIMES = { "mean", "p50", "p99", "max", "response_mean", "response_p50", "response_p99",
                "response_max" }
for _, name in ipairs(TIMES) do
  LIVE[name .. "_us"] = function(s) return s[name .. "_us"] end
  LIVE[name .. "_ms"] = function(s)
    local us = s[name .. "_us"]
    return us and us / 1000
  end
end

local FIELDS = { "abort", "delay" }

local function bound_of(text)
  local number, percent = text:match("^(%-?[%d.]+[eE]?[-+]?%d*)%s*(%%?)$")
  number = number and tonumber(number)
  if number and percent == "%" then return number / 100 end
  return number or units.count(text)
end

local function fields_of(entry)
  if type(entry) == "string" then return { expr = entry, delay = 0 } end
  if type(entry) == "table" and entry.text then -- of a phase: its fields are read already
    return { expr = entry.text, abort = entry.abort or nil, delay = entry.delay or 0 }
  end
  if type(entry) ~= "table" or type(entry[1]) ~= "string" then
    return nil, "a threshold is a text such as \"p99_ms < 2\", or { text, abort = true }"
  end
  for key in pairs(entry) do
    if key ~= 1 and key ~= "abort" and key ~= "delay" then
      return nil, ("threshold '%s': unknown field '%s'%s"):format(entry[1], tostring(key),
        nearest.hint(tostring(key), FIELDS))
    end
  end
  local delay, message = units.duration(entry.delay or 0)
  if not delay then return nil, ("threshold '%s': delay: %s"):format(entry[1], message) end
  return { expr = entry[1], abort = entry.abort and true or nil, delay = delay }
end

local function live_names()
  local names = {}
  for name in pairs(LIVE) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

--- Reads a threshold.
-- @tparam string|table entry `p99_ms < 2`, or { text, abort = true, delay = duration }, or one of a
--   phase: { text = , abort = , delay = seconds }
-- @tparam[opt] {string,...} commands names of the phase's commands
-- @tparam[opt] {string,...} own names of the script's metrics and counters
-- @treturn ?table `expr metric op bound abort delay`
-- @treturn ?string what is wrong with it, with the nearest metric
function M.parse(entry, commands, own)
  local out, message = fields_of(entry)
  if not out then return nil, message end
  local name, op, bound = out.expr:match("^%s*([%w_.:%-]+)%s*([<>=!]=?)%s*(.-)%s*$")
  if not name or not COMPARE[op] then
    return nil, ("threshold '%s': write a metric, one of < <= > >= == !=, and a number"):format(
      out.expr)
  end
  out.metric, out.op, out.bound = name, op, bound_of(bound)
  if not out.bound then
    return nil, ("threshold '%s': '%s' is no number"):format(out.expr, bound)
  end
  local found
  found, message = metrics.resolve(name, commands, own)
  if not found then return nil, ("threshold '%s': %s"):format(out.expr, message) end
  if out.abort and not LIVE[name] then
    return nil, ("threshold '%s' cannot abort: while a phase runs there are %s"):format(out.expr,
      live_names())
  end
  return out
end

--- Judges the result of a phase. A metric without a value (a latency without a success) is not met,
-- and one that is only known to be at least so much does not meet an upper bound.
-- @tparam table list of `parse`
-- @tparam table phase a result (`vbench.result`)
-- @treturn table list of `expr value ok`, as in the report; `at_least` when the value is a bound
-- @treturn boolean whether all are met
function M.evaluate(list, phase)
  local out, all = {}, true
  for i, threshold in ipairs(list) do
    local value, least = metrics.metric(phase, threshold.metric)
    local ok = value ~= nil and COMPARE[threshold.op](value, threshold.bound)
    if least and threshold.op:find("^<") then ok = false end
    out[i] = { expr = threshold.expr, value = value == nil and cjson.null or value, ok = ok,
               at_least = least or nil }
    all = all and ok
  end
  return out, all
end

--- Begins to watch the thresholds of a phase that can abort it.
-- @tparam table list of `parse`
-- @treturn function to be called with each vb_second; gives the expression that is not met, once
--   its delay is over, else nil
function M.watch(list)
  local all = { requests = 0, errors = 0, hits = 0, misses = 0 }
  return function(second)
    for name, count in pairs(all) do all[name] = count + tonumber(second[name]) end
    local some, span = second.requests > 0, math.max(second.seconds, 1e-9)
    local view = {
      all_requests = all.requests, all_errors = all.errors, all_hits = all.hits,
      all_misses = all.misses, qps = tonumber(second.requests) / span,
      ops_per_s = tonumber(second.operations) / span,
    }
    for _, name in ipairs(TIMES) do
      local value = tonumber(second[name .. "_us"])
      view[name .. "_us"] = some and value and value > 0 and value or nil
    end
    for _, threshold in ipairs(list) do
      if threshold.abort and second.t_s >= threshold.delay then
        local value = LIVE[threshold.metric](view)
        if value and not COMPARE[threshold.op](value, threshold.bound) then
          return threshold.expr, value
        end
      end
    end
  end
end

return M
