--- The result of a phase: from what the engine counted to the plain table that reports take, in the
-- shape of the JSON report. Times are microseconds to the nanosecond; what does not apply is null.
-- @module vbench.result
local cjson = require "cjson"
local fault = require "vbench.fault"
local metrics = require "vbench.report.metrics"
local native = require "vbench.ffi"
local ffi, C = native.ffi, native.C

local M = {}

local null = cjson.null
local NO_ID = 0xffffffffffffffffULL
local BOUND_BUSY, BOUND_DELAY = 0.90, 0.05
local SHORT_S = 0.1 -- less says nothing about shares of time

local Result = {}
Result.__index = Result

-- To 1/parts: by division, which leaves no dust.
local function rounded(value, parts)
  return math.floor(value * parts + 0.5) / parts
end

-- Three decimals of a microsecond, free of the dust of division.
local function us(ns)
  return math.floor(tonumber(ns) + 0.5) / 1000
end

local function rate(count, time)
  return time > 0 and rounded(count / time, 1000) or 0
end

local PERCENTILES = {
  { "p50", 50 }, { "p90", 90 }, { "p95", 95 }, { "p99", 99 }, { "p999", 99.9 }, { "p9999", 99.99 },
}

--- The times of a histogram.
-- @tparam cdata histogram a vb_histogram; nil is an empty one
-- @tparam[opt] {number,...} more percentiles besides the usual ones
-- @treturn table `min mean stddev p50 p90 p95 p99 p999 p9999 max` in microseconds; none
--   of them when it is empty
function M.times(histogram, more)
  if histogram == nil or C.vb_histogram_count(histogram) == 0 then return {} end
  local function value(fn, ...)
    return us(fn(histogram, ...))
  end
  local out = {
    min = value(C.vb_histogram_min), max = value(C.vb_histogram_max),
    mean = value(C.vb_histogram_mean), stddev = value(C.vb_histogram_stddev),
  }
  for _, entry in ipairs(PERCENTILES) do
    out[entry[1]] = value(C.vb_histogram_percentile, entry[2])
  end
  for _, percentile in ipairs(more or {}) do
    out[metrics.percentile_key(percentile)] = value(C.vb_histogram_percentile, percentile)
  end
  return out
end

-- Times that only some commands have: how many there are, and their percentiles.
local function counted_times(histogram, percentiles)
  if histogram == nil then return null end
  local out = M.times(histogram, percentiles)
  out.count = tonumber(C.vb_histogram_count(histogram))
  return out
end

local function encoded(histogram)
  if histogram == nil then return null end
  local text = C.vb_histogram_encode(histogram)
  if text == nil then return null end
  local copy = ffi.string(text)
  C.vb_text_free(text)
  return copy
end

local function errors_by_kind(errors)
  local kinds = {}
  for i = 0, errors.used - 1 do
    local kind = errors.kinds[i]
    kinds[ffi.string(kind.name)] = { count = tonumber(kind.count), first = ffi.string(kind.first) }
  end
  return kinds
end

local function pushes_by_kind(pushes)
  local kinds = {}
  for name, kind in pairs(errors_by_kind(pushes)) do kinds[name] = kind.count end
  return kinds
end

local COUNTS = {}
for name in ([[operations requests errors retries gave_up timeouts connection_errors reconnects
    empty hits misses bytes_sent bytes_received unknown conflicts raced dropped]]):gmatch("%S+") do
  COUNTS[#COUNTS + 1] = name
end

-- Response times, where operations fall due by a schedule. Those of what was not answered are ages:
-- percentiles above `exact_to`, the mean and the maximum were at least that long.
local function responses(row, percentiles)
  if row.response == nil then return null end
  local out, unanswered = M.times(row.response, percentiles), tonumber(row.counters.unanswered)
  if unanswered > 0 then
    local all = tonumber(C.vb_histogram_count(row.response))
    out.exact_to = rounded(100 * (1 - unanswered / all), 1000)
  end
  return out
end

--- What a row of the engine (a command, a transaction, a node, a whole phase) counted.
-- @tparam cdata row a vb_row
-- @tparam number time seconds that it covers
-- @tparam[opt] {number,...} percentiles besides the usual ones
-- @treturn table the keys that phases and commands share
function M.row(row, time, percentiles)
  local counters, out = row.counters, {}
  for _, name in ipairs(COUNTS) do out[name] = tonumber(counters[name]) end
  out.ops_per_s, out.qps = rate(out.operations, time), rate(out.requests, time)
  out.redirects = { moved = tonumber(counters.moved), ask = tonumber(counters.ask) }
  out.errors_by_kind = errors_by_kind(row.errors)
  out.latency_us = M.times(row.latency, percentiles)
  out.response_us, out.lateness_us = responses(row, percentiles), null
  if out.response_us ~= null then out.unanswered = tonumber(counters.unanswered) end
  out.wait_us = counted_times(row.wait, percentiles)
  out.age_us = counted_times(row.age, percentiles)
  out.histogram = encoded(row.latency)
  return out
end

--- A second of a phase, as in its timeline; its times are response times in an open loop.
-- @tparam cdata second a vb_second
-- @treturn table
function M.second(second)
  local some = second.requests > 0
  local times = (second.response_max_us or 0) > 0 and "response_" or ""
  local function time(name)
    local value = second[times .. name]
    return some and value > 0 and rounded(value, 1000) or null -- what blocks has no latency
  end
  return {
    t_s = rounded(second.t_s, 1000), requests = tonumber(second.requests),
    sent = tonumber(second.sent), errors = tonumber(second.errors),
    open_connections = tonumber(second.connections), mean_us = time "mean_us",
    p50_us = time "p50_us", p99_us = time "p99_us", max_us = time "max_us",
    recall = null,
  }
end

--- Time of day as reports write it.
-- @tparam number wall seconds since 1970
-- @treturn string `2026-01-02T03:04:05.678Z`
function M.time_of_day(wall)
  local whole = math.floor(wall)
  local ms = math.min(999, math.floor((wall - whole) * 1000))
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. (".%03dZ"):format(ms)
end

-- A list of operations, in their order in the engine's.
local function operations_of(from, source)
  local list, offset = {}, C.vb_clock_wall() - C.vb_clock_monotonic()
  for i = 0, from.used - 1 do
    local one = from.entries[i]
    list[i + 1] = {
      command = source.rows[one.command + 1] or "?",
      id = one.id == NO_ID and null or tonumber(one.id),
      node = source.engine:node(one.node),
      at = M.time_of_day(tonumber(one.at_ns) / 1e9 + offset),
    }
  end
  return list
end

local function slowest_of(slowest, source)
  local copy = ffi.new("vb_slowest")
  ffi.copy(copy, slowest, ffi.sizeof(copy))
  C.vb_slowest_sort(copy)
  local list = operations_of(copy, source)
  for i, one in ipairs(list) do one.response_us = us(copy.entries[i - 1].latency_ns) end
  return list
end

-- Whether a row of something that a flow may call says anything: it did, or it was asked about.
local function is_told(source, name, row)
  if row.requests + row.errors + row.bytes_sent > 0 then return true end
  for _, threshold in ipairs(source.thresholds or {}) do
    if threshold.metric:match("^(.+)%.[^.]+$") == name then return true end
  end
  return false
end

local function commands_of(source, lane, percentiles)
  local list, called = {}, source.called or {}
  for i, name in ipairs(source.rows) do
    local row = M.row(source.engine:row(source.lane, i - 1), lane.seconds, percentiles)
    row.name = name
    row.connection_errors, row.reconnects = null, null -- of no command
    if not called[i - 1] or is_told(source, name, row) then list[#list + 1] = row end
  end
  return list
end

local function nodes_of(source, lane)
  local list = {}
  for i = 0, source.engine:nodes() - 1 do
    local row = M.row(source.engine:node_row(source.lane, i), lane.seconds)
    list[i + 1] = {
      address = source.engine:node(i), role = "primary", zone = null, slots = null,
      requests = row.requests, errors = row.errors, latency_us = row.latency_us,
      server_change = source.node_changes and source.node_changes[i + 1] or {},
    }
  end
  return list
end

-- Requests that were answered on each connection: the least, the mean, the most; null where they
-- need not be alike.
local function of_connection(lane)
  if lane.counted_connections == 0 then return null end
  return { least = tonumber(lane.least_of_connection), most = tonumber(lane.most_of_connection),
           mean = rounded(lane.mean_of_connection, 10) }
end

local function network_of(usage)
  local most = usage.network
  return most and { interface = most.interface, share = rounded(most.share, 10000) } or null
end

-- How the client itself was; busy and run delay are shares of the workers' time, CPU that of all
-- lanes, which share the workers.
local function client_of(source, lane)
  local requests = 0
  for i = 0, (source.lanes or 1) - 1 do
    requests = requests + tonumber(source.engine:total(i).counters.requests)
  end
  local opened = source.engine:connects(source.lane)
  local connects = opened ~= nil and tonumber(C.vb_histogram_count(opened)) or 0
  local usage, workers = source.usage or {}, math.max(lane.threads, 1)
  local long = lane.seconds >= SHORT_S
  local awake = math.max(0, lane.cpu_seconds - lane.spin_seconds)
  local busy = long and awake / (lane.seconds * workers) or 0
  local collector = long and lane.collector_seconds / (lane.seconds * workers) or 0
  local delay = long and usage.seconds and usage.run_delay_s / (usage.seconds * workers) or 0
  return {
    cpu_us_per_request = requests > 0 and rounded(lane.cpu_seconds * 1e6 / requests, 1000) or null,
    busy = rounded(busy, 10000), collector = rounded(collector, 10000),
    run_delay = rounded(delay, 10000),
    lateness_p99_us = M.times(source.engine:lateness(source.lane)).p99 or null,
    major_faults = usage.major_faults or 0, steal = rounded(usage.steal or 0, 10000),
    network = network_of(usage),
    shares_cores = usage.shares_cores or false, of_connection = of_connection(lane),
    bound = busy > BOUND_BUSY or delay > BOUND_DELAY,
    connects = connects, connects_per_s = rate(connects, lane.seconds),
    connect_us = M.times(opened),
  }
end

--- The value of a metric of this result.
-- @tparam string name `p99_ms`, `get.hit_rate`, or a metric of the script (`vbench.report.metrics`)
-- @treturn ?number nil when there is no such value (a latency without a success)
-- @raise for an unknown name, with the nearest one
function Result:metric(name)
  local commands, own = {}, {}
  for i, row in ipairs(self.commands) do commands[i] = row.name end
  for key in pairs(self.metrics) do own[#own + 1] = key end
  local found, message = metrics.resolve(name, commands, own)
  if not found then fault.raise("%s", message) end
  return metrics.metric(self, name)
end

-- What was asked of an open loop, and what of it was sent.
local function follow_schedule(out, source, lane)
  out.rate, out.sent_rate, out.backlog_at_end = null, null, tonumber(lane.waiting)
  local settings = source.settings
  if not settings or not settings.open_loop then return end
  local asked = tonumber(lane.asked)
  out.rate = settings.ramp and rate(asked, lane.seconds) or settings.rate
  out.sent_rate = rate(asked - out.dropped - out.backlog_at_end, lane.seconds)
  out.lateness_us = M.times(source.engine:lateness(source.lane))
end

--- Makes the result of a phase that has ended.
-- @tparam table source `engine` (`vbench.engine`); `lane` (0 the phase itself, from 1 those in its
--   background), `lanes` (how many there are); `name`; `rows` (names of commands and transactions);
--   `status` ("ok", "interrupted", "failed"); `timeline` (list of `second`); `metrics` (`custom`);
--   `percentiles` (more of them); `usage` since its start {seconds,
--   run_delay_s, major_faults, steal, network, shares_cores};
--   `server_change`, `node_changes` (`vbench.server_change`); `settings` of `vbench.plan`
-- @treturn table the phase as in the JSON report, with `:metric(name)`
function M.phase(source)
  local lane = source.engine:result(source.lane)
  local out = M.row(source.engine:total(source.lane), lane.seconds, source.percentiles)
  out.name, out.status = source.name, source.status
  out.clients, out.threads, out.pipeline = lane.clients, lane.threads, lane.pipeline
  follow_schedule(out, source, lane)
  out.duration_s = rounded(lane.seconds, 1e6)
  out.quality = null
  out.lost_connections = lane.lost_connections
  out.invalidations = tonumber(source.engine:total(source.lane).counters.invalidations)
  out.invalidation_us = counted_times(source.engine:invalidations(source.lane), source.percentiles)
  out.slowest = slowest_of(source.engine:slowest(source.lane), source)
  out.pushes_by_kind = pushes_by_kind(source.engine:pushes(source.lane))
  out.unknown_operations = operations_of(source.engine:unknown(source.lane), source)
  out.commands = commands_of(source, lane, source.percentiles)
  out.keyspaces, out.nodes = {}, nodes_of(source, lane)
  out.timeline = source.timeline or {}
  out.client = client_of(source, lane)
  out.server_change = source.server_change or {}
  out.thresholds, out.metrics = {}, source.metrics or {}
  return setmetatable(out, Result)
end

--- A script's own metric, all workers together.
-- @tparam cdata metric a vb_metric
-- @tparam table declared `unit`, `better`, `kind` ("histogram" or "counter")
-- @treturn table `count sum min max mean p50 p90 p95 p99 unit better`; null for what is not known
function M.metric(metric, declared)
  local some = metric ~= nil and metric.count > 0
  local out = { count = some and tonumber(metric.count) or 0, sum = some and metric.sum or 0,
                unit = declared.unit or null, better = declared.better or null }
  if declared.kind == "counter" then
    out.count = out.sum -- it only counts: what was added, not how often
    return out
  end
  out.min, out.max = some and metric.min or null, some and metric.max or null
  out.mean = some and C.vb_metric_mean(metric) or null
  for _, entry in ipairs { { "p50", 50 }, { "p90", 90 }, { "p95", 95 }, { "p99", 99 } } do
    out[entry[1]] = some and C.vb_metric_percentile(metric, entry[2]) or null
  end
  return out
end

--- All metrics and counters that the script declared.
-- @tparam ?cdata shared vb_shared; nil: there are none
-- @tparam table registry `vbench.registry`
-- @treturn table name -> `metric`, or the number of a counter
function M.custom(shared, registry)
  local out = {}
  if shared == nil then return out end
  for i, name in ipairs(registry.names("metric")) do
    local total = C.vb_shared_metric_total(shared, i - 1)
    out[name] = M.metric(total, registry.get("metric", name).spec)
    if total ~= nil then C.vb_metric_free(total) end
  end
  for i, name in ipairs(registry.names("counter")) do
    out[name] = C.vb_shared_counter_get(shared, i - 1)
  end
  return out
end

return M
