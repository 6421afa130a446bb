--- Files that reports go to: written whole or not at all, or row by row while a run goes on.
-- @module vbench.report.files
local c = require "vbench.ffi"

local M = {}

local function write_stdout(text)
  local ok, message = io.stdout:write(text)
  if ok then ok, message = io.stdout:flush() end
  if ok then return true end
  return nil, "standard output: " .. tostring(message)
end

--- Replaces a file by a text; a failure leaves what was there.
-- @tparam string path the file; `-` is standard output
-- @tparam string text all of it
-- @treturn ?boolean true
-- @treturn ?string what went wrong, with the path
function M.write(path, text)
  if path == "-" then return write_stdout(text) end
  local err = c.new_error()
  return c.check(c.C.vb_output_write(path, text, #text, err), err)
end

--- Whether a report can be written there; asked before a run, which else would be lost.
-- @tparam string path the file; `-` is standard output
-- @treturn ?boolean true
-- @treturn ?string what is wrong, with the path
function M.check_writable(path)
  if path == "-" then return true end
  local err = c.new_error()
  return c.check(c.C.vb_output_check(path, err), err)
end

local stream = {}
stream.__index = stream

--- Writes text and hands it to the system at once: a run that is killed leaves its rows.
-- @tparam string text whole rows
-- @treturn ?boolean true
-- @treturn ?string what went wrong, with the path
function stream:write(text)
  local ok, message = self.file:write(text)
  if ok then ok, message = self.file:flush() end
  if ok then return true end
  return nil, self.path .. ": " .. (tostring(message):gsub("^.*: ", ""))
end

-- A flush that fails in compiled code is done once more by the interpreter, which then finds
-- nothing to write and takes it for done: a full disk would go unnoticed.
jit.off(write_stdout)
jit.off(stream.write)

--- Ends the file. Harmless when it was ended.
function stream:close()
  if self.file and self.path ~= "-" then self.file:close() end
  self.file = nil
end

--- Opens a file that grows while a run goes on.
-- @tparam string path the file, which is emptied; `-` is standard output
-- @treturn ?table with `:write(text)` and `:close()`
-- @treturn ?string what went wrong, with the path
function M.stream(path)
  local file, message = io.stdout, nil
  if path ~= "-" then file, message = io.open(path, "wb") end
  if not file then return nil, message end
  return setmetatable({ file = file, path = path }, stream)
end

return M
