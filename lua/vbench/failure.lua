--- Failures of a run as values: what went wrong, with which exit code it ends the program, and a
-- hint. They pass through pcall and print as their message.
-- @module vbench.failure
local M = {}

-- Exit codes of the program.
M.COULD_NOT_RUN, M.USAGE, M.THRESHOLDS, M.ERRORS, M.INTERRUPTED = 1, 2, 3, 4, 130

local Failure = {}
Failure.__index = Failure

function Failure.__tostring(self)
  return self.message
end

function Failure.__concat(a, b)
  return tostring(a) .. tostring(b)
end

--- Makes a failure.
-- @tparam number exit_code one of those above
-- @tparam string message what went wrong, with address, file or option
-- @tparam[opt] string hint what to do about it
-- @treturn table `message`, `exit_code`, `hint`, and `traceback` where there is one
function M.new(exit_code, message, hint)
  return setmetatable({ message = message, exit_code = exit_code, hint = hint }, Failure)
end

--- Unwinds a main function after an interruption or a stop. Not an error of anybody.
-- @treturn table failure that is not told
function M.ended()
  local stop = M.new(0, "the run has ended")
  stop.stop = true
  return stop
end

--- Raises a mistake on the command line, which is at no line of a script.
-- @tparam string format as of string.format, with its arguments behind it
-- @raise a failure with exit code USAGE
function M.usage(format, ...)
  error(M.new(M.USAGE, format:format(...)), 0)
end

--- Whether a value is a failure.
-- @param value anything that was raised
-- @treturn boolean
function M.is(value)
  return getmetatable(value) == Failure
end

--- Anything that was raised, as a failure. What is none yet is a mistake of the script, unless it
-- was raised at a line of vbench's own, whose traceback is kept. A handler for xpcall.
-- @param raised anything
-- @treturn table failure
function M.of(raised)
  if M.is(raised) then return raised end
  local failure = M.new(M.USAGE, tostring(raised))
  if failure.message:find("^%S*vbench/[%w_/]+%.lua:%d") then
    failure.traceback = debug.traceback("", 2):gsub("^\n", "")
  end
  return failure
end

--- Calls a function of a script; what it raises becomes a failure.
-- @tparam ?string what names it in the hint: "setup"
-- @tparam function fn the function
-- @param ... its arguments
-- @treturn boolean whether it returned
-- @return what it returned first, or the failure: as it was raised, or of exit code 2, with the
--   traceback, for an error of the script itself
function M.guard(what, fn, ...)
  local arguments, count = { ... }, select("#", ...)
  return xpcall(function() return fn(unpack(arguments, 1, count)) end, function(raised)
    local failure = raised
    if not M.is(raised) then
      failure = M.new(M.USAGE, tostring(raised), what and ("in %s of the scenario"):format(what))
    end
    failure.traceback = failure.traceback or debug.traceback("", 2):gsub("^\n", "")
    return failure
  end)
end

return M
