--- Texts of the command line as values, by the types of vbench.cli.options.
-- @module vbench.cli.values
local nearest = require "vbench.nearest"
local units = require "vbench.units"
local words = require "vbench.words"

local M = {}

local MOST_CORE = 4095

local function within(row, value)
  if (row.least and value < row.least) or (row.most and value > row.most) then
    return nil, ("%s is not possible; it takes %s"):format(tostring(value),
      row.most and ("%d to %d"):format(row.least or 0, row.most)
      or ("%d or more"):format(row.least))
  end
  return value
end

local function count(row, text)
  local value, message = units.count(text)
  if not value then return nil, message end
  return within(row, value)
end

local function split(text)
  local list = {}
  for word in text:gmatch("[^,]+") do list[#list + 1] = word:match("^%s*(.-)%s*$") end
  if #list == 0 then return nil, ("'%s' holds no name"):format(text) end
  return list
end

local function numbers(row, text)
  local list = {}
  for word in text:gmatch("[^,]+") do
    local value = tonumber(word)
    if not value then return nil, ("'%s' is not a number"):format(word) end
    local message
    list[#list + 1], message = within(row, value)
    if message then return nil, message end
  end
  return list
end

local function cores(_, text)
  local list = {}
  for part in text:gmatch("[^,]+") do
    local first, last = part:match("^(%d+)%-(%d+)$")
    first, last = tonumber(first or part:match("^%d+$")), tonumber(last or part:match("^%d+$"))
    if not first or first > last or last > MOST_CORE then
      return nil, ("'%s' is not a list of cores; write 0,2-5"):format(text)
    end
    for core = first, last do list[#list + 1] = core end
  end
  if #list == 0 then return nil, "it is empty; write 0,2-5" end
  return list
end

local function choice(row, text)
  for _, one in ipairs(row.choices) do
    if one == text:lower() then return one end
  end
  return nil, ("'%s' is none of %s%s"):format(text, table.concat(row.choices, ", "),
    nearest.hint(text, row.choices))
end

local function range(_, text)
  local from, to = text:match("^(%d+)%-(%d+)$")
  from, to = tonumber(from or text:match("^%d+$")), tonumber(to or text:match("^%d+$"))
  if not from or from < 1 or from > to then
    return nil, ("'%s' is not a range of seconds; write 60-3600"):format(text)
  end
  return { min = from, max = to }
end

local function pair(_, text)
  local name, value = text:match("^([^=]+)=(.*)$")
  if not name then return nil, ("'%s' is not name=value"):format(text) end
  return { name, value }
end

-- What stands behind an order: the defaults of its numbers, how large they may be, and which of
-- them is above 0.
local ORDERS = {
  sequential = {}, random = {}, uniform = {}, shuffled = {}, web_cache = {}, session_store = {},
  zipfian = { 0.99, above = 1 }, exponential = { 0.1, above = 1 },
  normal = { 0.5, 0.1, most = 1, above = 2 },
  hotspot = { 0.2, 0.8, most = 1, above = 1 }, latest = { 0.1, 0.9, most = 1, above = 1 },
  subset = { false, false, whole = true },
}
local ORDER_NAMES = {
  "sequential", "random", "uniform", "zipfian", "exponential", "normal", "hotspot", "latest",
  "shuffled", "subset", "web_cache", "session_store",
}

local function order_number(given, rule, i)
  local number = tonumber(given or rule[i])
  if not number or number < 0 or number > (rule.most or 2 ^ 53) then return nil end
  if rule.above == i and number == 0 then return nil end
  if rule.whole and number % 1 ~= 0 then return nil end
  return number
end

-- "zipfian" is "zipfian:0.99".
local function iteration(_, text)
  local order, rest = text:lower():match("^([%a_]+)(.*)$")
  local rule, given = ORDERS[order], {}
  for one in (rest or ""):gmatch(":([^:]*)") do given[#given + 1] = one end
  local written = ":" .. table.concat(given, ":")
  if rule and #given <= #rule and (rest == "" or written == rest) then
    local out = { order }
    for i = 1, #rule do
      out[i + 1] = order_number(given[i], rule, i)
      if not out[i + 1] then break end
    end
    if #out == #rule + 1 then return table.concat(out, ":") end
  end
  return nil, ("'%s' is no order of keys; write sequential, random, shuffled, zipfian:0.99, " ..
    "exponential:0.1, normal:0.5:0.1, hotspot:0.2:0.8, latest:0.1:0.9 or subset:0:1000%s")
    :format(text, nearest.hint(order or text, ORDER_NAMES))
end

local function text(_, value)
  return value
end

local function path(_, value)
  if value == "" then return nil, "it is empty; write the path of a file" end
  return value
end

local function command(_, value)
  local list, message = words.split(value)
  if list and #list == 0 then return nil, "it is empty" end
  return list, message
end

local function size(row, value)
  local bytes, message = units.size(value)
  if bytes and bytes < (row.least or 0) then
    return nil, ("'%s' is too small; it takes %d or more"):format(value, row.least)
  end
  if bytes and row.most and bytes > row.most then
    return nil, ("'%s' is too large; it takes at most %d MiB"):format(value, row.most / 2 ^ 20)
  end
  return bytes, message
end

local PARSERS = {
  text = text, path = path, optional = text, count = count, numbers = numbers, cores = cores,
  choice = choice, range = range, pair = pair, iteration = iteration, command = command,
  words = function(_, value) return split(value) end,
  size = size,
  duration = function(_, value) return units.duration(value) end,
  percent = function(_, value) return units.percent(value) end,
  rate = function(_, value) return units.rate(value) end,
}

--- Reads a text.
-- @tparam table row of vbench.cli.options, not a flag
-- @tparam string value as typed
-- @return the value, nil when it is none
-- @treturn ?string message with the text
function M.read(row, value)
  return PARSERS[row.type](row, value)
end

return M
