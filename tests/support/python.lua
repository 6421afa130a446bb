--- Python for tests, with NumPy and h5py: the first python3, else the system's.
local process = require "tests.support.process"

local M = {}

local function finds(program, modules)
  return pcall(process.capture, ("%s -c 'import %s' 2>/dev/null"):format(program, modules))
end

for _, program in ipairs { "python3", "/usr/bin/python3" } do
  if not M.program and finds(program, "numpy, h5py") then M.program = program end
end

--- Runs a program text; raises with what it prints when it fails.
-- @tparam string text Python
-- @tparam ?string directory to run it in
-- @treturn string what it prints
function M.run(text, directory)
  local path = os.tmpname()
  process.write(path, text)
  local out = process.capture(("cd '%s' && %s '%s' 2>&1"):format(directory or ".", M.program, path))
  os.remove(path)
  return out
end

return M
