--- Lines that fit: what is longer goes on below, indented.
-- @module vbench.report.wrap
local text = require "vbench.report.text"

local M = {}

local LEAST = 40     -- columns; a terminal that is narrower wraps by itself
local GLUE = "\30"   -- a blank that no line ends at

--- Columns of standard output: the terminal's, else those that reports fit in.
-- @treturn number
function M.columns()
  local columns = text.style().columns
  return columns > 0 and math.max(columns, LEAST) or text.WIDTH
end

--- A text within a line that stays together where it can: quoted, for one.
-- @tparam string part
-- @treturn string for `line`
function M.together(part)
  return (part:gsub(" ", GLUE))
end

-- As much of a word as fits, cut between UTF-8 characters; what is left of it.
local function split(word, room)
  local at, columns = 1, 0
  while at <= #word and columns < room do
    at = word:find("[^\128-\191]", at + 1) or #word + 1
    columns = columns + 1
  end
  return word:sub(1, at - 1), word:sub(at)
end

--- A text of one line or more, broken at blanks; a word with no room on a line of its own is cut.
-- @tparam string words what the line says, with its own indentation
-- @tparam number indent blanks before what goes on below
-- @tparam[opt] number columns default: `columns()`
-- @treturn string lines without a newline at the end
function M.line(words, indent, columns)
  columns = columns or M.columns()
  local lines, line, used, some = {}, "", 0, false
  local function begin()
    lines[#lines + 1] = line
    line, used, some = (" "):rep(indent), indent, false
  end
  for blanks, word in words:gmatch("(%s*)(%S+)") do
    local wide = text.columns(word)
    if some and used + #blanks + wide > columns then
      begin()
      blanks = ""
    end
    line, used = line .. blanks, used + #blanks
    while used + text.columns(word) > columns do
      local head
      head, word = split(word, columns - used)
      line = line .. head
      begin()
    end
    line, used, some = line .. word, used + text.columns(word), true
  end
  lines[#lines + 1] = line
  return (table.concat(lines, "\n"):gsub(GLUE, " "))
end

--- The beginning of a text, with what cannot be shown written as \xHH, and quotes and backslashes
-- behind a backslash.
-- @tparam string bytes
-- @tparam number most columns of it
-- @tparam string class of Lua's patterns: the characters that are not shown as they are
-- @treturn string
-- @treturn boolean whether that is all of it
function M.escaped(bytes, most, class)
  local out, used, at = {}, 0, 1
  while at <= #bytes do
    local character = bytes:match("^[%z\1-\127\194-\244][\128-\191]*", at) or bytes:sub(at, at)
    local shown = character
    if character:find('["\\]') then
      shown = "\\" .. character
    elseif character:find(class) then
      shown = character:gsub(".", function(c) return ("\\x%02x"):format(c:byte()) end)
    end
    used = used + text.columns(shown)
    if used > most then return table.concat(out), false end
    out[#out + 1], at = shown, at + #character
  end
  return table.concat(out), true
end

return M
