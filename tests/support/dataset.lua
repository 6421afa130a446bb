--- Runs `vbench dataset` in a directory of a spec's own.
local process = require "tests.support.process"
local vbench = require "tests.support.vbench"

local M = {}

--- A new empty directory, removed by `clean`.
-- @treturn table `path`, `:write(name, text)`, `:read(name)`, `:run(...)`, `:files(pattern)`,
-- `:assert_refuses(message, ...)`
function M.new()
  local self = { path = process.directory() }

  function self:write(name, text)
    return process.write(self.path .. "/" .. name, text)
  end

  function self:read(name)
    return process.read(self.path .. "/" .. name)
  end

  --- Runs `vbench dataset ...` there; raises unless it ends well.
  function self:run(...)
    local run = vbench.run { "dataset", cwd = self.path, ... }
    if run.code ~= 0 then error(("it ended with %d: %s"):format(run.code, run.all), 2) end
    return run
  end

  --- Runs it and expects it to fail with one message.
  function self:assert_refuses(message, ...)
    local run = vbench.run { "dataset", cwd = self.path, ... }
    local said = run.err:gsub("^vbench: ", ""):gsub("\n$", "")
    if run.code == 0 or said:sub(1, #message) ~= message then
      error(("it said, with exit code %d: %s"):format(run.code, said), 2)
    end
    return run
  end

  --- Files there, sorted, with a space between two.
  function self:files(pattern)
    return (process.capture(("cd '%s' && ls %s 2>/dev/null || true"):format(self.path,
      pattern or "")):gsub("\n", " "))
  end

  function self:clean()
    process.remove(self.path)
  end

  return self
end

return M
