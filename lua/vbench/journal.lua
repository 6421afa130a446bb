--- The journal of changed settings: what a server had before `ctl:config`, in a file until it is
-- restored, so that a run that crashed leaves a trace.
-- @module vbench.journal
local cjson = require "cjson"
local files = require "vbench.report.files"
local native = require "vbench.ffi"

local M = {}

--- Where journals are: `$XDG_STATE_HOME/vbench`, else `~/.local/state/vbench`.
-- @treturn string a path
function M.directory()
  local state = os.getenv("XDG_STATE_HOME")
  if not state or state == "" then state = (os.getenv("HOME") or "/tmp") .. "/.local/state" end
  return state .. "/vbench"
end

local function path_of(directory, address)
  return ("%s/config-%s.json"):format(directory, (address:gsub("[^%w.-]", "_")))
end

--- Reads the journal of a server.
-- @tparam string directory where journals are
-- @tparam string address of the server
-- @treturn ?table `address`, `values` (name -> what it was), `path`; nil when there is none
function M.read(directory, address)
  local path = path_of(directory, address)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  local ok, entry = pcall(cjson.decode, text)
  if not ok or type(entry) ~= "table" or type(entry.values) ~= "table" then return nil end
  return { address = address, values = entry.values, path = path }
end

--- Keeps what settings were. A value that a journal has already (of a run that crashed) stays.
-- @tparam string directory made when it is missing
-- @tparam string address of the server
-- @tparam table values name -> what it was
-- @treturn ?boolean true
-- @treturn ?string what went wrong, with the path
function M.write(directory, address, values)
  local err = native.new_error()
  local ok, message = native.check(native.C.vb_directory_make(directory, err), err)
  if not ok then return nil, message end
  local before, all = M.read(directory, address), {}
  for name, value in pairs(values) do all[name] = value end
  for name, value in pairs(before and before.values or {}) do
    all[name], values[name] = value, value
  end
  return files.write(path_of(directory, address),
    cjson.encode { address = address, values = all } .. "\n")
end

--- Removes the journal of a server.
-- @tparam string directory where journals are
-- @tparam string address of the server
function M.remove(directory, address)
  os.remove(path_of(directory, address))
end

return M
