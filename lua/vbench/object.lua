--- Declared things: tables with a `kind`, a `spec` (all that they are, as data) and methods.
-- @module vbench.object
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local nearest = require "vbench.nearest"

local M = {}

--- Makes the metatable of a kind: methods by name, and an error for any other name.
-- @tparam string kind "cursor", for the message
-- @tparam table methods name -> function
-- @treturn table metatable
function M.class(kind, methods)
  return {
    __index = function(_, name)
      local method = methods[name]
      if method then return method end
      fault.raise("a %s has no '%s'%s", kind, tostring(name),
        nearest.hint(tostring(name), fields.names(methods)))
    end,
  }
end

--- A shallow copy of a table.
-- @tparam table t
-- @treturn table
function M.copy(t)
  local out = {}
  for name, value in pairs(t) do out[name] = value end
  return out
end

-- All digits of a whole number.
local function shown(value)
  local whole = value == math.floor(value) and math.abs(value) <= 2 ^ 53
  return whole and ("%.0f"):format(value) or tostring(value)
end

--- Checks a number that a vb.param may stand for.
-- @param value
-- @tparam string what "limit of a cursor", for the message
-- @tparam table range `min`, `above` (exclusive), `max`, `integer`; all optional
-- @return the value
-- @raise at the user's line
function M.number(value, what, range)
  if fields.kind(value) == "param" then return value end
  local fine = type(value) == "number" and value > -math.huge and value < math.huge
    and not (range.integer and value ~= math.floor(value))
    and not (range.min and value < range.min) and not (range.above and value <= range.above)
    and not (range.max and value > range.max)
  if fine then return value end
  local wanted = range.integer and "a whole number" or "a number"
  if range.above then wanted = wanted .. " above " .. range.above end
  if range.min then wanted = wanted .. " from " .. shown(range.min) end
  if range.max and range.max < math.huge then wanted = wanted .. " to " .. shown(range.max) end
  fault.raise("%s is %s; it takes %s", what,
    type(value) == "number" and shown(value) or fields.describe(value), wanted)
end

return M
