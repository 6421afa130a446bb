--- What reports for people say of a phase beside its table: what happened to it, what was asked and
-- not done, how the client itself was, which thresholds were met.
-- @module vbench.report.remarks
local metric_list = require "vbench.report.metrics"
local text = require "vbench.report.text"

local M = {}

local STEAL, NETWORK, COLLECTOR = 0.02, 0.9, 0.05
-- Of connections that had so many requests in the mean, one is starved or favoured by this factor.
local EACH, UNEQUAL = 50, 2

local function is_number(value)
  return type(value) == "number"
end

local function list(value)
  return type(value) == "table" and value or {}
end

-- What is worth a word only when it happened: key, one, many.
local EVENTS = {
  { "timeouts", "timeout" }, { "connection_errors", "connection error" },
  { "reconnects", "reconnect" },
  { "lost_connections", "connection lost at the end", "connections lost at the end" },
  { "retries", "retry", "retries" }, { "gave_up", "given up", "given up" },
  { "conflicts", "conflict" },
  { "unknown", "unknown", "unknown" },
  { "raced", "read that met a delete in flight", "reads that met a delete in flight" },
  { "dropped", "dropped", "dropped" }, { "empty", "empty", "empty" },
}

local function events(out, phase)
  local parts = {}
  for _, event in ipairs(EVENTS) do
    local count = phase[event[1]]
    if is_number(count) and count > 0 then
      parts[#parts + 1] = text.plural(count, event[2], event[3])
    end
  end
  if #parts > 0 then out[#out + 1] = "  " .. table.concat(parts, ", ") end
end

local function pushes(out, phase)
  local parts, kinds, all = {}, list(phase.pushes_by_kind), 0
  for name, count in pairs(kinds) do
    parts[#parts + 1] = ("%s %s"):format(text.plain(name), text.count(count))
    all = all + count
  end
  if all == 0 then return end
  table.sort(parts)
  out[#out + 1] = text.cut(("  %s that nobody asked for: %s"):format(
    text.plural(all, "push", "pushes"), table.concat(parts, ", ")), text.WIDTH)
end

-- Connections that were opened again and again.
local function connects(out, phase)
  local self = list(phase.client)
  if not is_number(self.connects) or self.connects <= phase.clients then return end
  local times = self.connect_us
  out[#out + 1] = ("  %s opened, %s/s; connecting, ms: p50 %s, p99 %s, max %s"):format(
    text.plural(self.connects, "connection"), text.rate(self.connects_per_s), text.ms(times.p50),
    text.ms(times.p99), text.ms(times.max))
end

-- Client-side caching.
local function invalidations(out, phase)
  local delays = list(phase.invalidation_us)
  if not delays.count then return end
  local line = "  " .. text.plural(phase.invalidations, "invalidation")
  if delays.count > 0 then
    line = ("%s, after the write: mean %s ms, p50 %s, p99 %s, max %s"):format(line,
      text.ms(delays.mean), text.ms(delays.p50), text.ms(delays.p99), text.ms(delays.max))
  end
  out[#out + 1] = line
end

local function shortfall(out, phase, style)
  if not is_number(phase.rate) or not is_number(phase.sent_rate) then return end
  local line = ("  asked %s/s, sent %s/s"):format(text.rate(phase.rate), text.rate(phase.sent_rate))
  if phase.backlog_at_end > 0 then
    line = line .. (", %s not sent at the end"):format(text.count(phase.backlog_at_end))
  end
  out[#out + 1] = metric_list.is_short(phase) and style:paint("yellow", line) or line
  local late, service = list(phase.lateness_us), list(phase.latency_us)
  if is_number(late.p99) and is_number(service.p99) then
    out[#out + 1] = ("  service time p50 %s ms, p99 %s ms; our own lateness p99 %s ms"):format(
      text.ms(service.p50), text.ms(service.p99), text.ms(late.p99))
  end
end

-- What may have been done or not: those of which the ids are known help to look.
local function unknown(out, phase, verbose)
  if not verbose then return end
  for _, one in ipairs(list(phase.unknown_operations)) do
    out[#out + 1] = text.cut(("  unknown whether it was done: %s%s, node %s, at %s"):format(
      text.plain(one.command), is_number(one.id) and (" of id %.0f"):format(one.id) or "",
      text.plain(one.node or ""), text.plain(one.at or "")), text.WIDTH)
  end
end

local function client(out, phase, style, verbose)
  local self, parts = list(phase.client), {}
  if is_number(self.busy) then parts[1] = "busy " .. text.percent(self.busy) end
  if is_number(self.run_delay) and self.run_delay > 0 then
    parts[#parts + 1] = ("waited for a core %s"):format(text.percent(self.run_delay))
  end
  if is_number(self.collector) and self.collector > (verbose and 0 or COLLECTOR) then
    parts[#parts + 1] = ("Lua's collector %s"):format(text.percent(self.collector))
  end
  local shares = table.concat(parts, ", ")
  if self.bound == true then
    out[#out + 1] = ("  %s (%s): the client was the limit, not the server"):format(
      style:paint("yellow", "client-bound"), shares)
  end
  if not verbose or not is_number(self.cpu_us_per_request) or phase.requests == 0 then return end
  out[#out + 1] = ("  client: %.2f us CPU a request, %s"):format(self.cpu_us_per_request, shares)
end

-- What made the numbers worse than the server is.
local function circumstances(out, phase, style)
  local self = list(phase.client)
  local function warn(format, ...)
    out[#out + 1] = "  " .. style:paint("yellow", format:format(...))
  end
  if self.shares_cores == true then
    warn("the server on this host shares its cores with %s: fewer --threads, or another host",
      text.plural(phase.threads, "worker"))
  end
  if (self.steal or 0) > STEAL then
    warn("%s of this host's time went to other machines (steal)", text.percent(self.steal))
  end
  local network = list(self.network)
  if is_number(network.share) and network.share > NETWORK then
    warn("the network was near its limit: %s carried %s of what it can", text.plain(
      network.interface), text.percent(network.share))
  end
  if (self.major_faults or 0) > 0 then
    warn("%s: pages of the client had to be read from a disk",
      text.plural(self.major_faults, "major fault"))
  end
  local each = list(self.of_connection)
  if is_number(each.mean) and each.mean >= EACH and
    (each.least < each.mean / UNEQUAL or each.most > each.mean * UNEQUAL) then
    warn("connections were not treated alike: %s to %s requests, %s in the mean",
      text.count(each.least), text.count(each.most), text.count(each.mean))
  end
end

local function thresholds(out, phase, style)
  for _, threshold in ipairs(list(phase.thresholds)) do
    local value = is_number(threshold.value)
      and text.at_least(text.number(threshold.value), threshold.at_least) or "no value"
    local word = threshold.ok and style:paint("green", "met    ") or style:paint("red", "NOT MET")
    out[#out + 1] = ("  %s  %s  (%s)"):format(word, text.cut(text.plain(threshold.expr), 60), value)
  end
end

--- Percentiles that were asked for, of each command and of all.
-- @tparam {string,...} out lines, to which it appends
-- @tparam table phase of a report
-- @tparam ?{number,...} asked
function M.percentiles(out, phase, asked)
  if not asked or phase.requests == 0 then return end
  local function line(name, row)
    local times, parts = metric_list.times(row), {}
    for _, percentile in ipairs(asked) do
      local value = times[metric_list.percentile_key(percentile)]
      local least = metric_list.is_least(times, metric_list.percentile_key(percentile))
      if value then
        local shown = text.at_least(text.ms(value), least)
        parts[#parts + 1] = ("p%.10g %s ms"):format(percentile, shown)
      end
    end
    if #parts == 0 then return end
    out[#out + 1] = text.cut(("  %s: %s"):format(text.plain(name), table.concat(parts, ", ")),
      text.WIDTH)
  end
  for _, row in ipairs(phase.commands) do line(row.name, row) end
  if #phase.commands ~= 1 then line("all", phase) end
end

--- What happened to a phase, and what of its schedule was not done.
-- @tparam {string,...} out lines, to which it appends
-- @tparam table phase of a report
-- @tparam table style of vbench.report.text
function M.happened(out, phase, style)
  events(out, phase)
  pushes(out, phase)
  connects(out, phase)
  invalidations(out, phase)
  shortfall(out, phase, style)
end

--- How the client itself was, and what the thresholds say.
-- @tparam {string,...} out lines, to which it appends
-- @tparam table phase of a report
-- @tparam table style of vbench.report.text
-- @tparam ?boolean verbose also the client's CPU, and operations of unknown outcome
function M.judged(out, phase, style, verbose)
  unknown(out, phase, verbose)
  client(out, phase, style, verbose)
  circumstances(out, phase, style)
  thresholds(out, phase, style)
end

return M
