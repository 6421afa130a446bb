--- The program: reads the command line and does what it says.
-- @module vbench.main
local native = require "vbench.ffi"

local M = {}

--- Prints the version.
-- @treturn number exit code
function M.version()
  print("vbench " .. native.ffi.string(native.C.vb_version()))
  return 0
end

--- Runs the program.
-- @tparam {string,...} argv words behind the program's name
-- @treturn number exit code
function M.run(argv)
  if argv[1] == "version" or argv[1] == "--version" then return M.version() end
  io.stderr:write("usage: vbench [options] SCENARIO [scenario options]\n")
  return 2
end

return M
