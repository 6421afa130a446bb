--- CSV: redis-benchmark's lines, a row a second, a row a phase and command (RFC 4180; times in the
-- units of their columns; an empty field where there is no value).
-- @module vbench.report.csv
local files = require "vbench.report.files"
local metrics = require "vbench.report.metrics"

local M = {}

local function quoted(value)
  return '"' .. tostring(value):gsub('"', '""'):gsub("[%c\127]", "?") .. '"'
end

-- Text is quoted where it has to be; numbers keep what a reader may need of them.
local function field(value)
  if type(value) == "number" then
    if value ~= value or math.abs(value) == math.huge then return "" end
    local integer = value == math.floor(value) and math.abs(value) < 2 ^ 53
    return (integer and "%.0f" or "%.10g"):format(value)
  end
  if type(value) == "cdata" then return (tostring(value):gsub("U?LL$", "")) end
  if type(value) ~= "string" then return "" end
  return value:find('[",%c]') and quoted(value) or value
end

local function line(values, count)
  local fields = {}
  for i = 1, count do fields[i] = field(values[i]) end
  return table.concat(fields, ",") .. "\n"
end

--- The header of redis-benchmark's CSV.
M.HEADER = '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",'
  .. '"p99_latency_ms","max_latency_ms"\n'

local function test_line(title, row)
  local times = metrics.times(row)
  local parts = { quoted(title), quoted(("%.2f"):format(row.qps)) }
  for _, key in ipairs { "mean", "min", "p50", "p95", "p99", "max" } do
    local us = times[key]
    parts[#parts + 1] = quoted(type(us) == "number" and ("%.3f"):format(us / 1000) or "")
  end
  return table.concat(parts, ",") .. "\n"
end

--- redis-benchmark's lines of a phase: one, and one more a command when it has several.
-- @tparam table phase of a report
-- @tparam[opt] string title instead of the phase's name (`SET`)
-- @treturn string lines with their newlines
function M.tests(phase, title)
  title = title or phase.name
  local lines = { test_line(title, phase) }
  if #phase.commands > 1 then
    for _, row in ipairs(phase.commands) do
      lines[#lines + 1] = test_line(title .. " " .. row.name, row)
    end
  end
  return table.concat(lines)
end

local SECOND = { "t_s", "requests", "sent", "errors", "open_connections", "mean_us", "p50_us",
                 "p99_us", "max_us" }

local seconds = {}
seconds.__index = seconds

--- Opens the file of `--csv-seconds` and writes its header.
-- @tparam string path the file, which is emptied; `-` is standard output
-- @treturn ?table with `:row(phase_name, entry)` and `:close()`
-- @treturn ?string what went wrong, with the path
function M.open_seconds(path)
  local stream, message = files.stream(path)
  if not stream then return nil, message end
  local ok
  ok, message = stream:write("phase," .. table.concat(SECOND, ",") .. "\n")
  if not ok then return nil, message end
  return setmetatable({ stream = stream }, seconds)
end

--- Writes the row of a second, at once.
-- @tparam string name of the phase
-- @tparam table entry of its timeline
-- @treturn ?boolean true
-- @treturn ?string what went wrong, with the path
function seconds:row(name, entry)
  local values = { name }
  for i, key in ipairs(SECOND) do
    local empty = entry.requests == 0 and key:find("_us$")
    values[i + 1] = not empty and entry[key] or nil
  end
  return self.stream:write(line(values, #SECOND + 1))
end

--- Ends the file.
function seconds:close()
  self.stream:close()
end

local FIXED = { "phase", "command", "status", "clients", "threads", "pipeline", "duration_s",
                "operations", "requests", "client_bound" }

local function summary_row(phase, row, command)
  local values = { phase.name, command, phase.status, phase.clients, phase.threads, phase.pipeline,
                   phase.duration_s, row.operations, row.requests, phase.client.bound and 1 or 0 }
  for i, metric in ipairs(metrics.list) do
    local timed = row.requests > 0 or not metric.name:find("_[um]s$")
    values[#FIXED + i] = timed and metric.read(row) or nil
  end
  return line(values, #FIXED + #metrics.list)
end

--- The text of `--csv-summary`: a row a phase, with an empty command, and a row a command of it.
-- @tparam table report
-- @treturn string
function M.summary(report)
  local header = {}
  for i, name in ipairs(FIXED) do header[i] = name end
  for _, name in ipairs(metrics.names()) do header[#header + 1] = name end
  local lines = { table.concat(header, ",") .. "\n" }
  for _, phase in ipairs(report.phases) do
    lines[#lines + 1] = summary_row(phase, phase, nil)
    for _, row in ipairs(phase.commands) do
      lines[#lines + 1] = summary_row(phase, row, row.name)
    end
  end
  return table.concat(lines)
end

--- Writes `--csv-summary`, whole or not at all.
-- @tparam table report
-- @tparam string path the file; `-` is standard output
-- @treturn ?boolean true
-- @treturn ?string what went wrong, with the path
function M.write_summary(report, path)
  return files.write(path, M.summary(report))
end

return M
