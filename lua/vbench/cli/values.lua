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

local ORDERS = { "sequential", "random", "uniform", "zipfian" }

local function iteration(_, text)
  local order, skew = text:lower():match("^(%a+):?(.*)$")
  if order == "zipfian" then
    local number = tonumber(skew ~= "" and skew or 0.99)
    if number and number > 0 and number < math.huge then return "zipfian:" .. number end
  elseif skew == "" then
    for _, known in ipairs(ORDERS) do
      if order == known then return order end
    end
  end
  return nil, ("'%s' is no order of keys; write sequential, random, uniform or zipfian:0.99%s")
    :format(text, nearest.hint(text, ORDERS))
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
