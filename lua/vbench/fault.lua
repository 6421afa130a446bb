--- Errors whose position is the line of the user's script, however deep in vbench they are found.
-- @module vbench.fault
local M = {}

-- vbench's own modules lie beside this one: "@vbench/" linked in, "@.../lua/vbench/" from files.
local home = debug.getinfo(1, "S").source:match("^(.*/)")

-- File of the scenario that is being loaded; set by vbench.session.
local scenario_path

local function is_users(info)
  return info.what ~= "C" and info.source:sub(1, #home) ~= home
end

-- A chunk that ends in `return vb.scenario{...}` has left the stack: its line is the return's.
local function returning_line(path)
  local file = path and io.open(path, "r")
  if not file then return nil end
  local number, found = 0, nil
  for line in file:lines() do
    number = number + 1
    if line:find("^return%f[%W]") then found = number end
  end
  file:close()
  return found and ("%s:%d"):format(path, found)
end

local function users_frame()
  for level = 3, 200 do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    if is_users(info) and info.currentline > 0 then return info end
  end
end

--- Tells which file the user's lines are in when none of them is on the stack any more.
-- @tparam ?string path of the scenario
function M.set_scenario(path)
  scenario_path = path
end

--- Where the user's script calls us from.
-- @treturn string `file:line`; "" when no script is on the stack
function M.position()
  local info = users_frame()
  if info then return ("%s:%d"):format(info.short_src, info.currentline) end
  return returning_line(scenario_path) or ""
end

--- Where a function was written.
-- @tparam function fn
-- @treturn string `file:line`
function M.written(fn)
  local info = debug.getinfo(fn, "S")
  return ("%s:%d"):format(info.short_src, info.linedefined)
end

--- Raises an error at the user's line.
-- @tparam string format as of string.format
-- @param ... its values
-- @raise always: `file:line: message`
function M.raise(format, ...)
  local message = select("#", ...) > 0 and format:format(...) or format
  local position = M.position()
  error(position == "" and message or position .. ": " .. message, 0)
end

--- Raises an error at a position kept from before (of a declaration whose mistake shows later).
-- @tparam string position from M.position()
-- @tparam string format as of string.format
-- @param ... its values
-- @raise always
function M.raise_at(position, format, ...)
  local message = select("#", ...) > 0 and format:format(...) or format
  error(position == "" and message or position .. ": " .. message, 0)
end

return M
