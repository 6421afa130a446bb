--- The arguments of a command: literals, keys, cursors, generators, functions, and what is composed
-- of them.
-- @api vbench.argument
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local registry = require "vbench.registry"

local M = {}

local EXACT = 2 ^ 53

-- Kinds that may stand as an argument, and those that may be parts of one.
local PARTS = {
  field = true, cursor = true, generator = true, param = true, key = true, arg = true,
}
local ARGUMENTS = { field = true, cursor = true, generator = true, param = true, key = true,
  concat = true, json = true, arg = true }

--- A value as the bytes that are sent: integers below 2^53 as integers, other numbers so that they
-- read back the same.
-- @tparam string|number value
-- @treturn string
-- @local
function M.bytes_of(value)
  if type(value) == "string" then return value end
  if value == math.floor(value) and math.abs(value) < EXACT then return ("%d"):format(value) end
  local short = ("%.15g"):format(value)
  return tonumber(short) == value and short or ("%.17g"):format(value)
end

local function check_literal(value, where)
  local finite = type(value) ~= "number" or (value == value and math.abs(value) < math.huge)
  if finite then return end
  fault.raise("%s is %s: no number that can be sent", where, tostring(value))
end

local function check(value, kinds, where)
  local kind = fields.kind(value)
  if kind and kinds[kind] then return value end
  local plain = type(value)
  if plain == "string" or plain == "number" then
    check_literal(value, where)
    return value
  end
  if plain == "function" then return value end
  local hint = ""
  if kind == "keyspace" then
    hint = "; draw from it: keys:uniform(), keys:sequential(), keys:zipfian(0.99)"
  elseif plain == "table" and not kind then
    hint = "; several parts of one argument are vb.concat { ... }"
  end
  fault.raise("%s is %s: an argument is a string, a number, a cursor, a generator or a function%s",
    where, fields.describe(value), hint)
end

--- Checks an argument of a command.
-- @param value
-- @tparam string where "argument 2 of command 'set'"
-- @return the value
-- @raise when it can be no argument
-- @local
function M.check(value, where)
  return check(value, ARGUMENTS, where)
end

--- Says that a literal is a key, by which the request is routed.
-- @function vb.key
-- @tparam string|number|param text
-- @treturn key
function M.key(text)
  local kind = fields.kind(text) or type(text)
  if kind ~= "string" and kind ~= "number" and kind ~= "param" then
    fault.raise("vb.key takes a string, not %s; a cursor is a key by itself", fields.describe(text))
  end
  return { kind = "key", spec = { value = text } }
end

--- A hole that a flow fills when it calls the command: a string, a number, or a table, which gives
-- several arguments.
-- @function vb.arg
-- @tparam string name
-- @treturn arg
function M.arg(name)
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") then
    fault.raise("vb.arg takes a name of letters, digits and _, not %s",
      type(name) == "string" and ("'%s'"):format(name) or fields.describe(name))
  end
  return { kind = "arg", spec = { name = name } }
end

local INSIDE = { concat = "parts", json = "document" }

local function gather(value, names, seen)
  local kind = fields.kind(value)
  if kind == "arg" then
    local name = value.spec.name
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  elseif INSIDE[kind or ""] then
    gather(value.spec[INSIDE[kind]], names, seen)
  elseif kind == "object" or kind == "array" then
    gather(value.spec, names, seen)
  elseif type(value) == "table" and not kind then
    for _, one in ipairs(value) do gather(one, names, seen) end
  end
end

--- The names of the vb.args among arguments, each once.
-- @tparam table arguments of a command
-- @treturn {string,...}
-- @local
function M.names_of(arguments)
  local names = {}
  gather(arguments, names, {})
  return names
end

--- The names of all vb.args that were declared, sorted: a place in it, from 0, is a number in C.
-- @treturn {string,...}
-- @local
function M.names()
  local all = {}
  for _, name in ipairs(registry.names("command")) do
    for _, one in ipairs(M.names_of(registry.get("command", name).spec.arguments)) do
      all[one] = true
    end
  end
  return fields.names(all)
end

local function check_single(value, where)
  if fields.kind(value) == "field" and value.what == "members" then
    fault.raise("%s: the members of a record are several arguments, not one", where)
  end
  return value
end

--- One argument of several parts.
-- @function vb.concat
-- @tparam table parts strings, numbers, cursors, generators, functions (one value)
-- @treturn concat
-- @raise when a part is nil, or is itself composed
function M.concat(parts)
  if type(parts) ~= "table" or fields.kind(parts) then
    fault.raise("vb.concat takes a list of parts")
  end
  fields.refuse_unknown(parts, {}, "vb.concat")
  local length, out = fields.length(parts, "vb.concat"), {}
  if length == 0 then fault.raise("vb.concat takes at least one part") end
  for i = 1, length do
    out[i] = check(parts[i], PARTS, ("part %d of vb.concat"):format(i))
    if fields.kind(out[i]) == "cursor" and not out[i].spec.current and out[i].spec.times_min then
      fault.raise("part %d of vb.concat: several keys are several arguments, not one", i)
    end
    check_single(out[i], ("part %d of vb.concat"):format(i))
  end
  return { kind = "concat", spec = { parts = out } }
end

local check_document

local function check_member(pair, i, where)
  if type(pair) ~= "table" or fields.kind(pair) or type(pair[1]) ~= "string" then
    fault.raise("member %d of %s is %s; it takes { \"field\", value }", i, where,
      fields.describe(pair))
  end
  if pair[2] == nil then
    fault.raise("field '%s' of %s has no value: a variable that is not set?", pair[1], where)
  end
  if table.maxn(pair) > 2 then
    fault.raise("field '%s' of %s has more than one value; a list is one table", pair[1], where)
  end
  return { pair[1], check_document(pair[2], ("%s.%s"):format(where, pair[1])) }
end

-- Members of an object are { "field", value }; a list of anything else is an array.
local function is_object(list)
  local first = list[1]
  return first == nil or (type(first) == "table" and not fields.kind(first)
    and type(first[1]) == "string" and #first == 2)
end

local function check_list(list, where, object)
  local out = {}
  fields.refuse_unknown(list, {}, where)
  for i = 1, fields.length(list, where) do
    out[i] = object and check_member(list[i], i, where)
      or check_document(list[i], ("%s[%d]"):format(where, i))
  end
  return { kind = object and "object" or "array", spec = out }
end

function check_document(value, where)
  if type(value) == "boolean" then return value end
  if type(value) == "table" and not fields.kind(value) then
    return check_list(value, where, is_object(value))
  end
  return check_single(check(value, PARTS, where), where)
end

--- One argument that holds a JSON document.
-- @function vb.json
-- @tparam table members list of `{field, value}`; a value is a string, number, boolean, cursor,
--   generator, function (one value), a list of members (an object) or a list of values (an array).
--   Strings are escaped; vectors are arrays.
-- @treturn json
function M.json(members)
  if type(members) ~= "table" or fields.kind(members) then
    fault.raise("vb.json takes a list of { field, value } pairs")
  end
  return { kind = "json", spec = { document = check_list(members, "vb.json", true) } }
end

return M
