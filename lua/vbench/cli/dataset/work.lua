--- Long work of C, step by step: with a progress bar on a terminal, ended by Ctrl-C.
-- @module vbench.cli.dataset.work
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local ffi, C = native.ffi, native.C

local M = {}

local EVERY_S, BAR = 0.2, 20

local function amount(value)
  for _, unit in ipairs { "", "k", "M", "G", "T" } do
    if value < 999.5 then return ((value < 9.95 and unit ~= "") and "%.1f" or "%.0f"):format(value)
      .. unit end
    value = value / 1000
  end
  return ("%.0fP"):format(value)
end

local function duration(seconds)
  if seconds < 90 then return ("%.0f s"):format(seconds) end
  if seconds < 5400 then return ("%.0f min"):format(seconds / 60) end
  return ("%.1f h"):format(seconds / 3600)
end

local Bar = {}
Bar.__index = Bar

--- The line that shows how far it is.
-- @tparam string what is being made: "records"
-- @tparam table at `done` and `total` (any unit; total 0 when unknown), `rows`
-- @tparam number seconds since the start
-- @treturn string
function M.line(what, at, seconds)
  local parts = { ("%s %s"):format(amount(at.rows), what) }
  if seconds > 0 then parts[2] = ("%s/s"):format(amount(at.rows / seconds)) end
  if at.total > 0 then
    local share = math.min(at.done / at.total, 1)
    local full = math.floor(share * BAR)
    table.insert(parts, 1, ("[%s%s] %3.0f %%"):format(("#"):rep(full), ("."):rep(BAR - full),
      share * 100))
    if share > 0 and seconds > 1 then
      parts[#parts + 1] = duration(seconds / share - seconds) .. " left"
    end
  end
  return table.concat(parts, "  ")
end

function Bar:show(what, at)
  local now = C.vb_clock_monotonic()
  if what ~= self.what then self.what, self.began, self.shown = what, now, now end
  if not self.columns or now - self.shown < EVERY_S then return end
  self.shown, self.drawn = now, true
  io.stderr:write("\r", M.line(what, at, now - self.began):sub(1, self.columns - 1), "\27[K")
  io.stderr:flush()
end

function Bar:clear()
  if self.drawn then io.stderr:write("\r\27[K") end
  self.drawn = false
end

local function new_bar(quiet)
  local columns = C.vb_output_columns(2)
  return setmetatable({ columns = not quiet and columns > 0 and columns or nil }, Bar)
end

-- Signals are blocked and waited for by a thread, so that work ends between two steps and what was
-- begun is removed.
local signals

local function begin_signals()
  if signals then return end
  local out, err = ffi.new("vb_signals *[1]"), native.new_error()
  if C.vb_signals_new(out, err) == 0 then signals = ffi.gc(out[0], C.vb_signals_free) end
end

--- Whether Ctrl-C was pressed.
-- @treturn boolean
function M.interrupted()
  return signals ~= nil and C.vb_signals_count(signals) > 0
end

--- Runs steps until there are no more.
-- @tparam function step one of them: true while there are more; raises a failure
-- @tparam function where gives what is being made and how far it is, as `line` takes it
-- @tparam[opt] boolean quiet no bar
-- @raise what a step raises; a failure of exit code 130 after Ctrl-C
function M.run(step, where, quiet)
  local bar = new_bar(quiet)
  begin_signals()
  local ok, raised = pcall(function()
    while step() and not M.interrupted() do bar:show(where()) end
  end)
  bar:clear()
  -- Ctrl-C also ends what writes into a pipe that is read: its end, or an error of what was cut
  -- short, is no end of the work then.
  if M.interrupted() then
    error(failure.new(failure.INTERRUPTED, "interrupted; nothing was written"), 0)
  end
  if not ok then error(raised, 0) end
end

--- Turns the status of a call into a failure of the command line.
-- @tparam number status of the call
-- @tparam cdata err its vb_error
-- @treturn number status
-- @raise a failure of exit code 1
function M.check(status, err)
  if status >= 0 then return status end
  error(failure.new(failure.COULD_NOT_RUN, ffi.string(err.text)), 0)
end

--- Says a line on standard error.
-- @tparam string format as of string.format, with its arguments behind it
function M.note(format, ...)
  io.stderr:write("vbench: ", format:format(...), "\n")
end

return M
