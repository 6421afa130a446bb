--- The live line: how far a phase is, how fast, how well, how long still.
--
-- On a terminal one line, drawn anew each second; elsewhere nothing, or with `verbose` a plain line
-- in ten seconds. With `per_second` a plain line each second, wherever it goes.
-- @module vbench.report.live
local text = require "vbench.report.text"

local M = {}

local PLAIN_EVERY_S = 10

local live = {}
live.__index = live

--- Makes the live line of a run.
-- @tparam[opt] table options `quiet` (nothing, unless `per_second`), `verbose` (plain lines where
--   there is no terminal), `per_second`, `no_color`, `fd` and `file` (2 and standard error, so that
--   standard output stays data), `style`
-- @treturn table with `:update(name, second)` and `:clear()`
function M.new(options)
  options = options or {}
  local fd = options.fd or 2
  return setmetatable({
    style = options.style or text.style { fd = fd, no_color = options.no_color },
    file = options.file or io.stderr, quiet = options.quiet, verbose = options.verbose,
    per_second = options.per_second, drawn = false, said_s = 0,
  }, live)
end

local function left(second)
  local progress = second.progress
  if not (progress > 0.01 and progress < 1) then return nil end
  return text.duration(second.t_s * (1 - progress) / progress) .. " left"
end

--- The text of a live line.
-- @tparam string name of the phase
-- @tparam table|cdata second a vb_second: `t_s seconds requests errors p50_us p99_us progress`
-- @treturn string without newline or colour
function M.render(name, second)
  local requests, errors = tonumber(second.requests), tonumber(second.errors)
  local parts = { text.cut(text.plain(name), 24) }
  if second.progress >= 0 then
    parts[#parts + 1] = ("%3.0f %%"):format(math.min(second.progress, 1) * 100)
  end
  parts[#parts + 1] = text.rate(second.seconds > 0 and requests / second.seconds or 0) .. " req/s"
  if requests > 0 then
    local open = (tonumber(second.response_max_us) or 0) > 0
    parts[#parts + 1] = ("p50 %s ms  p99 %s ms"):format(
      text.ms(open and second.response_p50_us or second.p50_us),
      text.ms(open and second.response_p99_us or second.p99_us))
  end
  if errors > 0 then
    parts[#parts + 1] = ("%s %s"):format(text.count(errors), errors == 1 and "error" or "errors")
  end
  parts[#parts + 1] = left(second)
  return table.concat(parts, "  ")
end

-- The last column stays free: a terminal that wraps there would need two lines to be cleared.
function live:draw(line)
  line = text.cut(line, self.style.columns - 1)
  if os.getenv("TERM") == "dumb" then
    local width = self.style.columns - 1
    self.file:write("\r", line, (" "):rep(width - #line))
  else
    self.file:write("\r", line, "\27[K")
  end
  self.file:flush()
  self.drawn = true
end

function live:say(name, second)
  self.file:write(("%6.1f s  "):format(second.t_s), M.render(name, second), "\n")
  self.file:flush()
end

--- Shows a second of a phase.
-- @tparam string name of the phase
-- @tparam table|cdata second as in `render`
function live:update(name, second)
  if self.per_second then return self:say(name, second) end
  if self.quiet then return end
  if self.style.terminal then return self:draw(M.render(name, second)) end
  if second.t_s < self.said_s then self.said_s = 0 end
  if not self.verbose or second.t_s - self.said_s < PLAIN_EVERY_S - 0.5 then return end
  self.said_s = second.t_s
  self:say(name, second)
end

--- Takes the line away; before anything else is printed.
function live:clear()
  self.said_s = 0
  if not self.drawn then return end
  self:draw("")
  self.file:write("\r")
  self.file:flush()
  self.drawn = false
end

return M
