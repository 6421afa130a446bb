--- The report for people: a table a phase, errors, thresholds, a verdict; 100 columns.
-- @module vbench.report.terminal
local files = require "vbench.report.files"
local keyspaces = require "vbench.report.keyspaces"
local metric_list = require "vbench.report.metrics"
local remarks = require "vbench.report.remarks"
local text = require "vbench.report.text"

local M = {}

-- Kinds of errors that are shown without -v.
local KINDS = 5

local function is_number(value)
  return type(value) == "number"
end

local function list(value)
  return type(value) == "table" and value or {}
end

local function has_hits(row)
  return (row.hits or 0) + (row.misses or 0) > 0
end

local function head(out, phase, style)
  local parts = { text.plural(phase.clients, "client"), text.plural(phase.threads, "thread"),
                  "pipeline " .. phase.pipeline, text.duration(phase.duration_s) }
  if phase.status ~= "ok" then parts[#parts + 1] = phase.status end
  local name = text.cut(text.plain(phase.name), 40)
  out[#out + 1] = ("%s: %s"):format(style:paint("bold", name), table.concat(parts, ", "))
end

local function cells(name, row)
  local times = metric_list.times(row)
  local line = {
    text.plain(name), text.count(row.requests), text.rate(row.qps),
    has_hits(row) and text.percent(row.hits / (row.hits + row.misses)) or "",
    text.count(row.errors),
  }
  for _, key in ipairs { "mean", "p50", "p95", "p99", "p999", "max" } do
    line[#line + 1] = text.at_least(text.ms(times[key]), metric_list.is_least(times, key))
  end
  return line
end

local function columns_of(phase)
  local times = metric_list.times(phase)
  local what = times == phase.response_us and "response, ms" or "latency, ms"
  return { times.mean and what or "", "count", "req/s", "hits", "errors", "mean", "p50",
           "p95", "p99", "p99.9", "max" }
end

local function rows_of(phase)
  local rows = { columns_of(phase) }
  for _, row in ipairs(phase.commands) do rows[#rows + 1] = cells(row.name, row) end
  if #phase.commands ~= 1 then rows[#rows + 1] = cells("all", phase) end
  return rows
end

local function commands(out, phase, style)
  for i, line in ipairs(text.table(rows_of(phase), "  ")) do
    out[#out + 1] = i == 1 and style:paint("dim", line) or line
  end
end

-- What is timed besides latency, and only for some commands: the field, and what it is called.
local OTHER_TIMES = {
  { "wait_us", "wait, ms", "every wait ended without anything" },
  { "age_us", "age, ms", "no reply held a stamp, so there is no age" },
}

local function other_times(out, phase, style)
  for _, kind in ipairs(OTHER_TIMES) do
    local rows = { { kind[2], "count", "mean", "p50", "p95", "p99", "p99.9", "max" } }
    for _, row in ipairs(phase.commands) do
      local times = list(row[kind[1]])
      if times.count == 0 and row.requests > 0 then
        out[#out + 1] = ("  %s: %s"):format(text.plain(row.name), style:paint("yellow", kind[3]))
      elseif times.count and times.count > 0 then
        local line = { text.plain(row.name), text.count(times.count) }
        for _, key in ipairs { "mean", "p50", "p95", "p99", "p999", "max" } do
          line[#line + 1] = text.ms(times[key])
        end
        rows[#rows + 1] = line
      end
    end
    if #rows > 1 then
      for i, line in ipairs(text.table(rows, "  ")) do
        out[#out + 1] = i == 1 and style:paint("dim", line) or line
      end
    end
  end
end

local function no_success(out, phase, style)
  if phase.requests > 0 then return end
  local why = phase.errors > 0 and "no request succeeded, so there is no latency to show"
    or "no request was answered, so there is nothing to show"
  out[#out + 1] = "  " .. style:paint("red", why)
end

local function no_hit(out, phase, style)
  if not has_hits(phase) or phase.hits > 0 then return end
  out[#out + 1] = "  " .. style:paint("yellow", ("nothing was hit: none of %s found its key")
    :format(text.plural(phase.misses, "request")))
  out[#out + 1] = "  fill the keyspace first (with the same prefix and size), or scan for the keys"
    .. " that exist"
end

local function sorted_kinds(by_kind)
  local kinds = {}
  for name, kind in pairs(list(by_kind)) do
    kinds[#kinds + 1] = { name = name, count = kind.count, first = kind.first or "" }
  end
  table.sort(kinds, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.name < b.name
  end)
  return kinds
end

local function append(out, lines)
  for _, line in ipairs(lines) do out[#out + 1] = line end
end

local function errors(out, phase, style, verbose)
  local kinds = sorted_kinds(phase.errors_by_kind)
  local shown = verbose and #kinds or math.min(#kinds, KINDS)
  local all = phase.requests + phase.errors
  for i = 1, shown do
    local kind = kinds[i]
    local label = ("  %s: %s"):format(text.plain(kind.name), text.plural(kind.count, "error"))
    if all > 0 then label = label .. (" (%s)"):format(text.percent(kind.count / all)) end
    append(out, text.kind_of_errors(label, text.plain(kind.first), style))
  end
  if shown < #kinds then
    out[#out + 1] = ("  and %d more kinds of errors (-v shows all)"):format(#kinds - shown)
  end
end

local function quality(out, phase)
  local all = list(phase.quality)
  if not is_number(all.queries) or all.queries == 0 then return end
  local parts = { text.plural(all.queries, "query", "queries") }
  for _, name in ipairs { "recall", "map", "ndcg", "mrr" } do
    local value = all[name]
    if type(value) == "table" then value = value.mean end
    if is_number(value) then parts[#parts + 1] = ("%s %.4f"):format(name, value) end
  end
  out[#out + 1] = "  " .. table.concat(parts, ", ")
end

-- What a node has not (null) is an empty cell, and a column of these is left out.
local function known(value)
  return (type(value) == "string" or is_number(value)) and text.plain(value) or ""
end

local function nodes(out, phase)
  if #list(phase.nodes) < 2 then return end
  local rows = { { "node", "role", "zone", "slots", "count", "errors", "p50", "p99", "max" } }
  for _, node in ipairs(phase.nodes) do
    local times = list(node.latency_us)
    rows[#rows + 1] = {
      text.plain(node.address), known(node.role), known(node.zone), known(node.slots),
      text.count(node.requests), text.count(node.errors),
      text.ms(times.p50), text.ms(times.p99), text.ms(times.max),
    }
  end
  append(out, text.table(rows, "  "))
end

local function shown(value)
  return is_number(value) and text.number(value) or text.plain(value)
end

-- `name: key value, key value`, of those keys that are there.
local function facts(name, fields, keys)
  local parts = {}
  for _, key in ipairs(keys) do
    local value = fields[key]
    if is_number(value) or type(value) == "string" then
      parts[#parts + 1] = ("%s %s"):format(text.plain(key), shown(value))
    end
  end
  return text.cut(("  %s: %s"):format(text.plain(name), table.concat(parts, ", ")), text.WIDTH)
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(list(map)) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function metrics(out, phase)
  for _, name in ipairs(sorted_keys(phase.metrics)) do
    local value = phase.metrics[name]
    local fields = is_number(value) and { count = value } or list(value)
    local unit = type(fields.unit) == "string" and fields.unit ~= "" and ", " .. fields.unit or ""
    if is_number(value) or fields.count ~= 0 then
      out[#out + 1] = facts("metric " .. name .. unit, fields,
        { "count", "mean", "p50", "p95", "p99", "max" })
    end
  end
end

local function slowest(out, phase, verbose)
  if not verbose or #list(phase.slowest) == 0 then return end
  local rows = { { "slowest", "id", "node", "at", "ms" } }
  for _, slow in ipairs(phase.slowest) do
    local id = is_number(slow.id) and ("%.0f"):format(slow.id) or ""
    rows[#rows + 1] = { text.plain(slow.command), id, text.plain(slow.node or ""),
                        text.plain(slow.at or ""), text.ms(slow.response_us) }
  end
  append(out, text.table(rows, "  "))
end

--- The part of a report about one phase.
-- @tparam table phase of a report
-- @tparam[opt] table options `quiet` (one line), `verbose` (slowest operations, all errors),
--   `percentiles` (more of them, a list),
--   `style` (vbench.report.text; default: that of standard output)
-- @treturn string lines, with a newline at the end
function M.phase(phase, options)
  options = options or {}
  if options.quiet then return text.quiet_line(phase) end
  local style, out = options.style or text.style(options), {}
  head(out, phase, style)
  commands(out, phase, style)
  other_times(out, phase, style)
  remarks.percentiles(out, phase, options.percentiles)
  no_success(out, phase, style)
  no_hit(out, phase, style)
  errors(out, phase, style, options.verbose)
  remarks.happened(out, phase, style)
  quality(out, phase)
  nodes(out, phase)
  append(out, keyspaces.lines(list(phase.keyspaces)))
  metrics(out, phase)
  slowest(out, phase, options.verbose)
  remarks.judged(out, phase, style, options.verbose)
  return table.concat(out, "\n") .. "\n"
end

--- What there is to say of connections that were only kept open.
-- @tparam table phase of a report
-- @tparam[opt] table options as in `phase`
-- @treturn string lines, with a newline at the end
function M.idle(phase, options)
  options = options or {}
  local out = { ("%s kept idle on %s%s"):format(text.plural(phase.clients, "connection"),
    text.plural(phase.threads, "thread"), phase.status ~= "ok" and ", " .. phase.status or "") }
  remarks.happened(out, phase, options.style or text.style(options))
  return table.concat(out, "\n") .. "\n"
end

--- The base round trip.
-- @tparam table report
-- @treturn string a line, "" when it was not measured
function M.baseline(report)
  local baseline = list(report.baseline)
  if not is_number(baseline.ping_us) then return "" end
  local line = ("base round trip: PING %s ms"):format(text.ms(baseline.ping_us))
  if is_number(baseline.get_miss_us) then
    line = ("%s, GET of a missing key %s ms"):format(line, text.ms(baseline.get_miss_us))
  end
  return line .. "\n"
end

--- What stands above the phases: what ran, against what, and the base round trip.
-- @tparam table report
-- @tparam[opt] table options as in `phase`
-- @treturn string "" when quiet
function M.header(report, options)
  options = options or {}
  if options.quiet then return "" end
  local style = options.style or text.style(options)
  local server = list(report.server)
  local title = text.plain(report.title ~= "" and report.title or list(report.scenario).name or "")
  local parts = { "vbench " .. report.vbench, "seed " .. text.number(report.seed) }
  if server.version then
    parts[#parts + 1] = ("%s %s, %s"):format(text.plain(server.name or "server"),
      text.plain(server.version), text.plain(server.mode or "standalone"))
  end
  return style:paint("bold", title) .. (title ~= "" and "  " or "")
    .. "(" .. table.concat(parts, ", ") .. ")\n" .. M.baseline(report)
end

local function count_thresholds(report)
  local all, missed = 0, 0
  for _, phase in ipairs(report.phases) do
    for _, threshold in ipairs(list(phase.thresholds)) do
      all = all + 1
      if not threshold.ok then missed = missed + 1 end
    end
  end
  return all, missed
end

local function error_verdict(report)
  for _, phase in ipairs(report.phases) do
    if phase.requests == 0 then
      return ("no request of phase '%s' succeeded"):format(text.plain(phase.name))
    end
  end
  return "more errors than --max-errors allows"
end

--- The last lines: whether the run was interrupted, had too many errors, met its thresholds.
-- @tparam table report with `status`, `exit_code`, `phases`
-- @tparam[opt] table options as in `phase`
-- @treturn string "" when there is nothing to say
function M.verdict(report, options)
  options = options or {}
  if options.quiet then return "" end
  local style, out = options.style or text.style(options), {}
  local all, missed = count_thresholds(report)
  if report.status == "interrupted" then
    out[#out + 1] = style:paint("yellow", "interrupted: results are those until then")
  end
  if report.exit_code == 4 then out[#out + 1] = style:paint("red", error_verdict(report)) end
  if missed > 0 then
    local line = ("%d of %s not met"):format(missed, text.plural(all, "threshold"))
    out[#out + 1] = style:paint("red", line)
  elseif all > 0 then
    out[#out + 1] = style:paint("green", all == 1 and "the threshold is met"
      or ("all %d thresholds are met"):format(all))
  end
  return #out > 0 and table.concat(out, "\n") .. "\n" or ""
end

--- A whole report.
-- @tparam table report
-- @tparam[opt] table options as in `phase`
-- @treturn string
function M.render(report, options)
  options = options or {}
  local parts = { M.header(report, options) }
  for _, phase in ipairs(report.phases) do parts[#parts + 1] = M.phase(phase, options) end
  parts[#parts + 1] = M.verdict(report, options)
  local said = {}
  for _, part in ipairs(parts) do
    if part ~= "" then said[#said + 1] = part end
  end
  return table.concat(said, options.quiet and "" or "\n")
end

--- Writes a whole report to standard output.
-- @tparam table report
-- @tparam[opt] table options as in `phase`, and `path` for a file instead (without colour)
-- @treturn ?boolean true
-- @treturn ?string what went wrong
function M.write(report, options)
  options = options or {}
  if not options.path or options.path == "-" then
    return files.write("-", M.render(report, options))
  end
  local plain = { quiet = options.quiet, verbose = options.verbose,
                  style = text.style { columns = 0 } }
  return files.write(options.path, M.render(report, plain))
end

return M
