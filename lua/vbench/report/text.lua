--- How reports write numbers, tables and colour for people.
-- @module vbench.report.text
local c = require "vbench.ffi"
local metrics = require "vbench.report.metrics"

local M = {}

--- Columns that every report fits in.
M.WIDTH = 100

local CODES = { bold = 1, dim = 2, red = 31, green = 32, yellow = 33 }

local style = {}
style.__index = style

--- Text in a colour, or as it is where colour is off.
-- @tparam string name bold, dim, red, green or yellow
-- @tparam string text what to paint
-- @treturn string
function style:paint(name, text)
  if not self.color then return text end
  return ("\27[%dm%s\27[0m"):format(CODES[name], text)
end

--- How to write to a file descriptor: colour only on a terminal, and there only when neither
-- `--no-color`, `NO_COLOR` (https://no-color.org) nor `TERM=dumb` is set.
-- @tparam[opt] table options `no_color` (boolean), `fd` (1), `columns` (for tests: of the terminal;
--   0 is none)
-- @treturn table style with `color`, `terminal`, `columns`, `:paint(name, text)`
function M.style(options)
  options = options or {}
  local columns = options.columns or c.C.vb_output_columns(options.fd or 1)
  local forbidden = options.no_color or (os.getenv("NO_COLOR") or "") ~= ""
    or os.getenv("TERM") == "dumb"
  return setmetatable({
    terminal = columns > 0, columns = columns, color = columns > 0 and not forbidden,
  }, style)
end

--- Text without what would move a terminal's cursor.
-- @tparam string text from a script or a server
-- @treturn string
function M.plain(text)
  return (tostring(text):gsub("[%c\127]", "?"))
end

--- Text of at most some columns.
-- @tparam string text in any encoding that extends ASCII; cut between UTF-8 characters
-- @tparam number width columns
-- @treturn string with "..." where it was cut
function M.cut(text, width)
  if #text <= width then return text end
  local head = text:sub(1, math.max(width - 3, 0))
  if text:find("^[\128-\191]", #head + 1) then
    head = head:gsub("[\192-\255]?[\128-\191]*$", "")
  end
  return head .. "..."
end

--- A kind of errors with its first message: on one line, or on two where one has no room for it.
-- @tparam string label the kind and how many there were
-- @tparam string first message; "" for none
-- @tparam table style
-- @treturn {string,...} one line or two
function M.kind_of_errors(label, first, style)
  local shown = style:paint("red", label)
  if first == "" then return { shown } end
  local rest = ", first: " .. first
  if #label + #rest <= M.WIDTH then return { shown .. rest } end
  return { shown, M.cut("    first: " .. first, M.WIDTH) }
end

local function with_commas(digits)
  local first = (#digits - 1) % 3 + 1
  return digits:sub(1, first) .. digits:sub(first + 1):gsub("%d%d%d", ",%0")
end

--- A count: `1,234,567`, and `1.235G` from a thousand million up.
-- @tparam number value
-- @treturn string
function M.count(value)
  if value >= 1e15 then return ("%.3fP"):format(value / 1e15) end
  if value >= 1e12 then return ("%.3fT"):format(value / 1e12) end
  if value >= 1e9 then return ("%.3fG"):format(value / 1e9) end
  return with_commas(("%.0f"):format(value))
end

--- A count with what is counted: `1 client`, `2 clients`.
-- @tparam number count
-- @tparam string one
-- @tparam[opt] string many default: one with an s
-- @treturn string
function M.plural(count, one, many)
  return ("%s %s"):format(M.count(count), count == 1 and one or many or one .. "s")
end

--- A rate: two decimals below 10, one below 10,000, none above.
-- @tparam number value
-- @treturn string
function M.rate(value)
  if value < 10 then return ("%.2f"):format(value) end
  if value < 9999.95 then
    local whole, part = ("%.1f"):format(value):match("^(%d+)(%.%d)$")
    return with_commas(whole) .. part
  end
  return M.count(value)
end

--- Milliseconds of a time in microseconds: 3 decimals below 10 ms, none from 1 s up.
-- @tparam ?number us nil gives ""
-- @treturn string
function M.ms(us)
  if type(us) ~= "number" then return "" end
  local ms = us / 1000
  local decimals = ms < 9.9995 and 3 or ms < 99.995 and 2 or ms < 999.95 and 1 or 0
  return ("%." .. decimals .. "f"):format(ms)
end

--- A share in percent, one decimal; what is not nothing and not all is not written as such.
-- @tparam number share 0 to 1
-- @treturn string
function M.percent(share)
  if share > 0 and share < 0.0005 then return "<0.1 %" end
  if share < 1 and share > 0.9995 then return ">99.9 %" end
  return ("%.1f %%"):format(share * 100)
end

--- A duration: `9.6 s`, `12 min 5 s`, `3 h 7 min`.
-- @tparam number seconds
-- @treturn string
function M.duration(seconds)
  if seconds < 99.95 then return ("%.1f s"):format(seconds) end
  local whole = math.floor(seconds + 0.5)
  if whole < 3600 then return ("%d min %d s"):format(math.floor(whole / 60), whole % 60) end
  return ("%d h %d min"):format(math.floor(whole / 3600), math.floor(whole % 3600 / 60))
end

--- A number with the digits that a value of unknown size deserves.
-- @tparam number value
-- @treturn string
function M.number(value)
  if value == math.floor(value) and math.abs(value) < 1e15 then return ("%.0f"):format(value) end
  return ("%.4g"):format(value)
end

--- A value that is only known to be at least so much.
-- @tparam string value as it is printed; "" for none
-- @tparam ?boolean least
-- @treturn string
function M.at_least(value, least)
  return least and value ~= "" and "\226\137\165" .. value or value -- the sign of "at least"
end

--- Columns that a text takes: its characters, in UTF-8.
-- @tparam string cell
-- @treturn number
function M.columns(cell)
  local _, continued = cell:gsub("[\128-\191]", "")
  return #cell - continued
end

local function widths(rows)
  local wide = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do wide[i] = math.max(wide[i] or 0, M.columns(cell)) end
  end
  return wide
end

-- What the other columns and their gaps leave of the limit for the first one.
local function first_width(wide, limit, gap)
  for i = 2, #wide do limit = limit - (wide[i] > 0 and wide[i] + gap or 0) end
  return math.max(math.min(wide[1], limit), 6)
end

local function width_of(wide, gap)
  local all = wide[1]
  for i = 2, #wide do all = all + (wide[i] > 0 and wide[i] + gap or 0) end
  return all
end

--- Aligns rows: the first column to the left, others to the right; a column that is empty in all
-- rows but the first is left out. A table that would not fit has its first column cut, then the
-- gaps between the others narrowed.
-- @tparam {{string,...},...} rows all of one length; the first one holds the names of the columns
-- @tparam string indent before each line
-- @treturn {string,...} lines
function M.table(rows, indent)
  local body = {}
  for i = 2, #rows do body[#body + 1] = rows[i] end
  local used, wide = widths(body), widths(rows)
  for i = 2, #wide do wide[i] = (used[i] or 0) > 0 and wide[i] or 0 end
  local limit, gap, lines = M.WIDTH - #indent, 2, {}
  wide[1] = first_width(wide, limit, gap)
  if width_of(wide, gap) > limit then gap = 1 end
  for n, row in ipairs(rows) do
    local cells = { ("%-" .. wide[1] .. "s"):format(M.cut(row[1], wide[1])) }
    for i = 2, #row do
      if wide[i] > 0 then cells[#cells + 1] = (" "):rep(wide[i] - M.columns(row[i])) .. row[i] end
    end
    lines[n] = indent .. (table.concat(cells, (" "):rep(gap)):gsub("%s+$", ""))
  end
  return lines
end

--- The line of a phase under `-q`, as redis-benchmark writes it, with errors where there are any.
-- @tparam table phase of a report
-- @tparam[opt] string title instead of the phase's name
-- @treturn string one line with its newline
function M.quiet_line(phase, title)
  local times = metrics.times(phase)
  local line = ("%s: %.2f requests per second"):format(M.plain(title or phase.name), phase.qps)
  if times.p50 then line = line .. (", p50=%.3f msec"):format(times.p50 / 1000) end
  if phase.errors > 0 then line = line .. (", errors=%.0f"):format(phase.errors) end
  if (phase.lost_connections or 0) > 0 then
    line = ("%s, lost=%d"):format(line, phase.lost_connections)
  end
  if metrics.is_short(phase) then
    line = line .. (", asked=%.2f per second"):format(phase.rate)
  end
  if type(phase.client) == "table" and phase.client.bound then line = line .. ", client-bound" end
  for _, threshold in ipairs(phase.thresholds or {}) do
    if not threshold.ok then line = line .. ", not met: " .. M.plain(threshold.expr) end
  end
  if phase.status and phase.status ~= "ok" then line = line .. ", " .. phase.status end
  return line .. "\n"
end

return M
