--- The output of the classic tests: what a reader of redis-benchmark's reads at once.
-- @module vbench.report.classic
local keyspaces = require "vbench.report.keyspaces"
local metrics = require "vbench.report.metrics"
local remarks = require "vbench.report.remarks"
local text = require "vbench.report.text"

local M = {}

local function head(out, phase, options)
  out[#out + 1] = ("====== %s ======"):format(text.plain(options.title or phase.name))
  out[#out + 1] = ("  %.0f requests completed in %.2f seconds")
    :format(phase.requests, phase.duration_s)
  out[#out + 1] = ("  %d parallel clients"):format(phase.clients)
  if options.payload then out[#out + 1] = ("  %.0f bytes payload"):format(options.payload) end
  if phase.pipeline > 1 then out[#out + 1] = ("  pipeline of %d"):format(phase.pipeline) end
  if phase.threads > 1 then out[#out + 1] = ("  threads: %d"):format(phase.threads) end
  if phase.status ~= "ok" then out[#out + 1] = "  " .. phase.status end
end

local function errors(out, phase, style)
  local kinds = {}
  for name in pairs(phase.errors_by_kind or {}) do kinds[#kinds + 1] = name end
  table.sort(kinds)
  for _, name in ipairs(kinds) do
    local kind = phase.errors_by_kind[name]
    local label = ("  errors: %s %.0f"):format(text.plain(name), kind.count)
    local lines = text.kind_of_errors(label, text.plain(kind.first or ""), style)
    for _, line in ipairs(lines) do out[#out + 1] = line end
  end
end

local function summary(out, phase)
  local times = metrics.times(phase)
  out[#out + 1] = "Summary:"
  out[#out + 1] = ("  throughput summary: %.2f requests per second"):format(phase.qps)
  if not times.mean then
    out[#out + 1] = "  no request succeeded, so there is no latency to show"
    return
  end
  local names, values = {}, {}
  for i, key in ipairs { "mean", "min", "p50", "p95", "p99", "max" } do
    names[i] = ("%9s"):format(key == "mean" and "avg" or key)
    values[i] = ("%9.3f"):format(times[key] / 1000)
  end
  out[#out + 1] = "  latency summary (msec):"
  out[#out + 1] = "    " .. table.concat(names, " ")
  out[#out + 1] = "    " .. table.concat(values, " ")
end

--- The output of one test.
-- @tparam table phase of a report
-- @tparam[opt] table options `title` (default: the phase's name), `payload` (bytes of a value; left
--   out when the test has none), `quiet` (one line), `verbose` (without remarks), `style`
-- @treturn string lines, with a newline at the end
function M.render(phase, options)
  options = options or {}
  if options.quiet then return text.quiet_line(phase, options.title) end
  local out, style = {}, options.style or text.style(options)
  head(out, phase, options)
  errors(out, phase, style)
  out[#out + 1] = ""
  summary(out, phase)
  if not options.verbose then -- then the longer report follows
    remarks.percentiles(out, phase, options.percentiles)
    remarks.happened(out, phase, style)
    for _, line in ipairs(keyspaces.lines(phase.keyspaces or {})) do out[#out + 1] = line end
    remarks.judged(out, phase, style)
  end
  return table.concat(out, "\n") .. "\n\n"
end

return M
