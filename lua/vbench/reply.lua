--- `reply`, what reply hooks and conditions are given: a view of the server's bytes. Valid during
-- the call of the hook, and no longer.
--
-- `reply.type` is "status", "error", "integer", "string", "array", "map", "set", "nil", "double",
-- "boolean", "bignumber", "verbatim" or "push"; `reply.integer` the number of an integer or boolean
-- (1, 0), else nil; `reply.string` a copy of the text of a scalar, nil for others. `#reply` is the
-- number of elements (a map's keys and values count each), of a string its bytes. `reply[i]` is a
-- view of element i, from 1.
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

local function type_of(view)
  if view.reply.null then return "nil" end
  local name = TYPES[view.reply.type]
  if not name then error("a reply is there only during the call of its hook", 3) end
  return name
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

local view_type

local function element_of(view, index)
  local at = C.vb_reply_first(view.reply)
  if at == nil or index < 1 or index > tonumber(view.reply.integer) then return nil end
  local element = view_type()
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
  local element = view_type()
  return function()
    if left == 0 then return nil end
    left = left - 1
    at = C.vb_reply_element(at, element.reply)
    return element
  end
end

local function index(view, key)
  if key == "type" then return type_of(view) end
  if key == "integer" then return integer_of(view) end
  if key == "string" then return string_of(view) end
  if type(key) == "number" then return element_of(view, key) end
  local method = methods[key]
  if method then return method end
  error(("a reply has no '%s': type, integer, string, raw(), each(), [i]"):format(tostring(key)), 2)
end

-- A type takes its methods once in a process; busted loads modules anew for each file of specs.
pcall(ffi.metatype, "vb_reply_view", { __index = index, __len = length_of })
view_type = ffi.typeof("vb_reply_view")

return M
