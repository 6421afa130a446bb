--- `reply`, what reply hooks, conditions and flows are given: a view of the server's bytes. Valid
-- during the call of the hook, in a flow until its next call, exec or sleep.
--
-- `reply.type` is "status", "error", "integer", "string", "array", "map", "set", "nil", "double",
-- "boolean", "bignumber", "verbatim" or "push"; `reply.integer` the number of an integer or boolean
-- (1, 0), else nil; `reply.string` a copy of the text of a scalar, nil for others; `reply.error`
-- that of an error, nil for others. `#reply` is the number of elements (a map's keys and values
-- count each), of a string its bytes. `reply[i]` is a view of element i, from 1.
-- @api vbench.reply
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

-- By the byte that marks the type in RESP2 and RESP3.
local TYPES = {
  [("+"):byte()] = "status", [("-"):byte()] = "error", [("!"):byte()] = "error",
  [(":"):byte()] = "integer", [("$"):byte()] = "string", [("*"):byte()] = "array",
  [("%"):byte()] = "map", [("~"):byte()] = "set", [("_"):byte()] = "nil",
  [(","):byte()] = "double", [("#"):byte()] = "boolean", [("("):byte()] = "bignumber",
  [("="):byte()] = "verbatim", [(">"):byte()] = "push",
}
local INTEGER, BOOLEAN = (":"):byte(), ("#"):byte()

local view_type

-- A view that was kept too long has a reply no more, or one of another time.
local function check(view)
  if view.reply.type ~= 0 and (view.clock == nil or view.clock[0] == view.taken) then return end
  error("a reply is there only during the call of its hook, in a flow until its next call: take " ..
    "what is needed of it before", 3)
end

local function type_of(view)
  if view.reply.null then return "nil" end
  return TYPES[view.reply.type]
end

local function integer_of(view)
  local mark = view.reply.type
  if mark == INTEGER or mark == BOOLEAN then return tonumber(view.reply.integer) end
  return nil
end

local function string_of(view)
  if view.reply.text == nil then return nil end
  return ffi.string(view.reply.text, view.reply.text_length)
end

local function error_of(view)
  return view.reply.error and (string_of(view) or "") or nil
end

local methods = {}

--- The bytes of the reply as they came, marks and all: a copy.
-- @function reply:raw
-- @treturn string
function methods.raw(view)
  if view.reply.bytes == nil then return "" end
  return ffi.string(view.reply.bytes, view.reply.size)
end

local function length_of(view)
  local kind = type_of(view)
  if kind == "array" or kind == "map" or kind == "set" or kind == "push" then
    return tonumber(view.reply.integer)
  end
  return tonumber(view.reply.text_length)
end

-- A view for elements of another, which ends with it.
local function new_element(view)
  local element = view_type()
  element.clock, element.taken = view.clock, view.taken
  return element
end

local function element_of(view, index)
  local at = C.vb_reply_first(view.reply)
  if at == nil or index < 1 or index > tonumber(view.reply.integer) then return nil end
  local element = new_element(view)
  for _ = 1, index do at = C.vb_reply_element(at, element.reply) end
  return element
end

--- The elements one after the other: `for element in reply:each() do ... end`. All of them are one
-- view, moved on: take from it what is needed before the next.
-- @function reply:each
-- @treturn function iterator
function methods.each(view)
  local at = C.vb_reply_first(view.reply)
  local left = at ~= nil and tonumber(view.reply.integer) or 0
  local element = new_element(view)
  return function()
    if left == 0 then return nil end
    check(view)
    left = left - 1
    at = C.vb_reply_element(at, element.reply)
    return element
  end
end

-- The arrays of entries in a reply to XREAD or XREADGROUP: RESP2 has an array of { name, entries },
-- RESP3 a map.
local function streams_of(view)
  local list, kind = {}, type_of(view)
  if kind ~= "array" and kind ~= "map" then return list end
  for i = 1, length_of(view) do
    local one = element_of(view, i)
    if kind == "array" then one = one.type == "array" and one[2] end
    if one and (kind == "array" or i % 2 == 0) then list[#list + 1] = one end
  end
  return list
end

--- The ids of the entries in a reply to XREAD or XREADGROUP, of all its streams one after the
-- other: `for id, fields in reply:each_id() do ... end`. None when the reply is nil or an error.
-- @function reply:each_id
-- @treturn function iterator: the id, and a view of the array of the entry's fields and values
function methods.each_id(view)
  local streams, at, next_entry = streams_of(view), 0, nil
  return function()
    while true do
      local entry = next_entry and next_entry()
      if entry then return entry[1].string, entry[2] end
      at = at + 1
      if not streams[at] then return nil end
      next_entry = streams[at]:each()
    end
  end
end

local function index(view, key)
  check(view)
  if key == "type" then return type_of(view) end
  if key == "integer" then return integer_of(view) end
  if key == "string" then return string_of(view) end
  if key == "error" then return error_of(view) end
  if type(key) == "number" then return element_of(view, key) end
  local method = methods[key]
  if method then return method end
  error(("a reply has no '%s': type, integer, string, error, raw(), each(), each_id(), [i]"):format(
    tostring(key)), 2)
end

local function checked_length(view)
  check(view)
  return length_of(view)
end

-- A type takes its methods once in a process; busted loads modules anew for each file of specs.
pcall(ffi.metatype, "vb_reply_view", { __index = index, __len = checked_length })
view_type = ffi.typeof("vb_reply_view")

return M
