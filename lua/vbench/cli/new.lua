--- `vbench new NAME`: a scenario to start from.
-- @module vbench.cli.new
local failure = require "vbench.failure"
local files = require "vbench.report.files"

local M = {}

local TEMPLATE = [[
-- Sets keys, then reads them: say here what your scenario shows.
local vb = require "vbench"

local opt = vb.options { size = { "bytes", default = "100B", help = "size of a value" } }
local keys = vb.keyspace { prefix = "key:", size = vb.args.keyspace }

local set = vb.command { "SET", keys:uniform(), vb.bytes(opt.size) }
local get = vb.command { "GET", keys:zipfian(0.99), reply = vb.hits() }

return vb.scenario {
  description = "Sets keys, then reads them",
  phases = {
    vb.phase { name = "fill", run = set },
    vb.phase { name = "read", run = get, thresholds = { "errors == 0" } },
  },
}
]]

--- Writes a new scenario, never over a file.
-- @tparam string name of the scenario; ".lua" is added where it is missing
-- @treturn number exit code
-- @raise a failure when the file is there, or cannot be written
function M.run(name)
  local path = name:find("%.lua$") and name or name .. ".lua"
  local there = io.open(path, "r")
  if there then
    there:close()
    error(failure.new(failure.USAGE, path .. " is there already"), 0)
  end
  local ok, message = files.write(path, TEMPLATE)
  if not ok then error(failure.new(failure.COULD_NOT_RUN, message), 0) end
  print(("%s is written; try: vbench check %s"):format(path, path))
  return 0
end

return M
