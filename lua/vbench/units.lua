--- Numbers with units: durations, sizes, counts, shares. Numbers pass as they are.
-- Each function gives the number, or nil and a message that says what would be right.
-- @module vbench.units
local M = {}

local SECONDS = { us = 1e-6, ms = 1e-3, s = 1, m = 60, h = 3600 }
local BYTES = {
  b = 1, kb = 1e3, mb = 1e6, gb = 1e9, tb = 1e12,
  k = 1e3, m = 1e6, g = 1e9,
  kib = 2 ^ 10, mib = 2 ^ 20, gib = 2 ^ 30, tib = 2 ^ 40,
}
local COUNTS = { k = 1e3, m = 1e6, g = 1e9 }

local function show(value)
  if type(value) == "string" then return ("'%s'"):format(value) end
  return type(value) == "number" and tostring(value) or "a " .. type(value)
end

local function wrong(value, what, examples)
  return nil, ("%s is not a %s; write %s"):format(show(value), what, examples)
end

local function parse(value, factors)
  if type(value) == "number" then return value end
  if type(value) ~= "string" then return nil end
  local digits, unit = value:match("^%s*([%d.eE+]+)%s*(%a*)%s*$")
  if not digits then return nil end
  if digits:find("[eE]$") then return nil end
  local number = tonumber(digits)
  if not number then return nil end
  if unit == "" then return number end
  local factor = factors[unit:lower()]
  return factor and number * factor
end

-- NaN, infinity and what is below 0 are no amounts.
local function amount(number)
  return number and number >= 0 and number < math.huge and number
end

local function whole(number)
  if not amount(number) or number > 2 ^ 53 then return nil end
  local nearest = math.floor(number + 0.5)
  return math.abs(number - nearest) < 1e-6 and nearest
end

--- A duration: "250ms", "30s", "5m", "1h", or seconds.
-- @tparam string|number value
-- @treturn ?number seconds, nil when it is none
-- @treturn ?string message
function M.duration(value)
  local number = amount(parse(value, SECONDS))
  if number then return number end
  return wrong(value, "duration", "30s, 250ms, 5m or a number of seconds")
end

--- A size: "100B", "1KB" (1000), "1KiB" (1024), or bytes.
-- @tparam string|number value
-- @treturn ?number bytes, a whole number, nil when it is none
-- @treturn ?string message
function M.size(value)
  local number = whole(parse(value, BYTES))
  if number then return number end
  return wrong(value, "size", "100, 64B, 1KB (1000), 1KiB (1024) or 2MB")
end

--- A count: "10k", "5m", "1g", or a whole number.
-- @tparam string|number value
-- @treturn ?number a whole number, nil when it is none
-- @treturn ?string message
function M.count(value)
  local number = whole(parse(value, COUNTS))
  if number then return number end
  return wrong(value, "count", "a whole number such as 1000, 10k, 5m or 1g")
end

local MOST_A_SECOND = 1e8 -- beyond that a worker could not even count what falls due

--- A rate: "50k", "0.5", "20k/s", or operations a second, up to 100 million.
-- @tparam string|number value
-- @treturn ?number operations a second, nil when it is none
-- @treturn ?string message
function M.rate(value)
  local text = type(value) == "string" and value:gsub("%s*/%s*s$", "") or value
  local number = amount(parse(text, COUNTS))
  if number and number > MOST_A_SECOND then
    return nil, ("%s is more than the 100,000,000 operations a second that can fall due"):format(
      show(value))
  end
  if number then return number end
  return wrong(value, "rate", "operations a second: 1000, 50k or 0.5")
end

--- A share: "1%" or "1 %" is 0.01, a number is a fraction from 0 to 1.
-- @tparam string|number value
-- @treturn ?number 0 to 1, nil when it is none
-- @treturn ?string message
function M.percent(value)
  local number = amount(parse(value, {}))
  if not number and type(value) == "string" then
    local digits = value:match("^%s*([%d.]+)%s*%%%s*$")
    number = digits and tonumber(digits)
    number = number and number / 100
  end
  if number and number <= 1 then return number end
  return wrong(value, "share", "1% or a fraction such as 0.01")
end

--- The least power of two, times `least`, that is no less than a length.
-- @tparam number length
-- @tparam number least 1 or another to start from
-- @treturn number
function M.power_of_two(length, least)
  local width = least
  while width < length do width = width * 2 end
  return width
end

return M
