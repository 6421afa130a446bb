--- Strict reading of table arguments: types are checked, units parsed, unknown fields refused.
-- Errors are raised at the user's line.
-- @module vbench.fields
local fault = require "vbench.fault"
local nearest = require "vbench.nearest"
local units = require "vbench.units"

local M = {}

local PARSED = {
  duration = units.duration, size = units.size, count = units.count, percent = units.percent,
  rate = units.rate,
}

-- What a vb.param may stand for.
local NUMERIC = { number = true, duration = true, size = true, count = true, percent = true,
                  rate = true }

--- The names of a table, sorted: nothing here depends on the order of pairs.
-- @tparam table t
-- @treturn {string,...}
function M.names(t)
  local list = {}
  for name in pairs(t) do list[#list + 1] = tostring(name) end
  table.sort(list)
  return list
end

--- What a value is, in a message: "a number", "nil", "a command".
-- @param value
-- @treturn string
function M.describe(value)
  if value == nil then return "nil" end
  local kind = type(value) == "table" and rawget(value, "kind") or type(value)
  return (kind:find("^[aeiou]") and "an " or "a ") .. kind
end

--- The kind of a declared thing ("command", "keyspace", "param", ...).
-- @param value anything
-- @treturn ?string nil when it is none
function M.kind(value)
  return type(value) == "table" and rawget(value, "kind") or nil
end

local function wrong_type(name, value, wanted, where)
  fault.raise("field '%s' of %s is %s; it takes %s", name, where, M.describe(value), wanted)
end

local function matches(value, wanted)
  return type(value) == wanted or M.kind(value) == wanted
end

local function read_plain(name, value, wanted, where)
  for one in wanted:gmatch("[^|]+") do
    if matches(value, one) then return value end
  end
  wrong_type(name, value, "a " .. wanted:gsub("|", " or a "), where)
end

local function read_field(name, value, wanted, where)
  local parse = PARSED[wanted]
  if not parse then return read_plain(name, value, wanted, where) end
  local parsed, message = parse(value)
  if parsed == nil then fault.raise("field '%s' of %s: %s", name, where, message) end
  return parsed
end

--- Refuses fields that are not known.
-- @tparam table given what the user wrote; its positional values are not looked at
-- @tparam table known set of names
-- @tparam string where "phase 'fill'", for the message
-- @raise `unknown field 'request' in phase 'fill'; did you mean 'requests'?`
function M.refuse_unknown(given, known, where)
  for _, name in ipairs(M.names(given)) do
    if not tonumber(name) and known[name] == nil then
      fault.raise("unknown field '%s' in %s%s", name, where,
        nearest.hint(name, M.names(known)))
    end
  end
end

--- Reads a table of named fields.
-- @tparam table given what the user wrote
-- @tparam table known name -> type: "string", "number|table" (Lua's types or kinds of declared
--   things), or "duration", "size", "count", "percent", "rate", which are parsed
-- @tparam string where "phase 'fill'", for messages
-- @tparam ?table options `params` = true: a vb.param may stand for a number, and stays;
--   `positional` = true: positional values are allowed (and not copied)
-- @treturn table the fields that were given, parsed
-- @raise on unknown fields and wrong types, at the user's line
function M.read(given, known, where, options)
  options = options or {}
  if type(given) ~= "table" or (M.kind(given) and not known.kind) then
    fault.raise("%s takes a table of fields, not %s", where, M.describe(given))
  end
  if not options.positional and given[1] ~= nil then
    fault.raise("%s takes named fields, not a list", where)
  end
  M.refuse_unknown(given, known, where)
  local out = {}
  for _, name in ipairs(M.names(given)) do
    local value = given[name]
    if value ~= nil and known[name] then
      local is_param = options.params and NUMERIC[known[name]] and M.kind(value) == "param"
      out[name] = is_param and value or read_field(name, value, known[name], where)
    end
  end
  return out
end

--- Checks that a value is one of some words.
-- @tparam string word
-- @tparam table words set or map with these names
-- @tparam string where "field 'dist' of vb.int"
-- @treturn string the word
-- @raise with the nearest one
function M.choose(word, words, where)
  if type(word) == "string" and words[word] ~= nil then return word end
  local hint = type(word) == "string" and nearest.hint(word, M.names(words)) or ""
  fault.raise("%s is %s%s; it is one of %s", where,
    type(word) == "string" and ("'%s'"):format(word) or M.describe(word), hint,
    table.concat(M.names(words), ", "))
end

--- A list without holes: how many values a table has by position.
-- @tparam table list
-- @tparam string where "command 'set'"
-- @treturn number
-- @raise when one of them is nil
function M.length(list, where)
  local length = table.maxn(list)
  for i = 1, length do
    if list[i] == nil then
      fault.raise("argument %d of %s is nil: a variable that is not set, or a misspelt field?", i,
        where)
    end
  end
  return length
end

--- Makes a table that raises on names that it does not have.
-- @tparam table t plain values by name
-- @tparam string what "option", for "unknown option 'sise'"
-- @treturn table the same table
function M.strict(t, what)
  return setmetatable(t, {
    __index = function(_, name)
      fault.raise("unknown %s '%s'%s", what, tostring(name),
        nearest.hint(tostring(name), M.names(t)))
    end,
  })
end

return M
