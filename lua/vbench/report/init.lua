--- Where the reports of a run go: checked before it, written after it.
-- @module vbench.report
local csv = require "vbench.report.csv"
local files = require "vbench.report.files"
local json = require "vbench.report.json"
local terminal = require "vbench.report.terminal"

local M = {}

--- Whether a report can be written there.
-- @function check_writable
-- @tparam string path the file; `-` is standard output
-- @treturn ?boolean true
-- @treturn ?string what is wrong, with the path
M.check_writable = files.check_writable

-- Options that name a file.
local PATHS = { "json", "output", "csv_seconds", "csv_summary" }

local function flag(name)
  return "--" .. name:gsub("_", "-")
end

--- Checks all files of a run before it, so that no result is lost for a path.
-- @tparam table options general options: `json output csv_seconds csv_summary` (paths), `csv`
--   (boolean: to standard output)
-- @treturn ?boolean true
-- @treturn ?string the first thing wrong, with option and path
function M.check(options)
  local taken = { ["-"] = options.csv and "csv" or nil }
  for _, name in ipairs(PATHS) do
    local path = options[name]
    if path then
      if taken[path] then
        return nil, ("%s and %s both go to %s"):format(flag(taken[path]), flag(name), path)
      end
      taken[path] = name
      local ok, message = files.check_writable(path)
      if not ok then return nil, flag(name) .. ": " .. message end
    end
  end
  return true
end

--- Whether standard output is for data; what is for people then goes to standard error.
-- @tparam table options as in `check`, and `csv` (boolean)
-- @treturn boolean
function M.takes_stdout(options)
  if options.csv then return true end
  for _, name in ipairs(PATHS) do
    if options[name] == "-" then return true end
  end
  return false
end

local function tests_csv(report)
  local lines = { csv.HEADER }
  for _, phase in ipairs(report.phases) do lines[#lines + 1] = csv.tests(phase) end
  return table.concat(lines)
end

local FORMATS = {
  json = json.write,
  csv = function(report, path) return files.write(path, tests_csv(report)) end,
  text = function(report, path, options)
    return terminal.write(report, { path = path, quiet = options.quiet, verbose = options.verbose,
                                    no_color = options.no_color })
  end,
}

--- Writes the files that are written after a run; each is tried, whatever happens to the others.
-- @tparam table report
-- @tparam table options `json csv_summary output` (paths), `output_format` (json, csv or text; the
--   default), `quiet`, `verbose`, `no_color`
-- @treturn {string,...} what went wrong, with the paths; empty when all is well
function M.write(report, options)
  local problems = {}
  local function try(path, writer)
    if not path then return end
    local ok, message = writer(report, path, options)
    if not ok then problems[#problems + 1] = message end
  end
  try(options.json, json.write)
  try(options.csv_summary, csv.write_summary)
  try(options.output, FORMATS[options.output_format or "text"])
  return problems
end

return M
