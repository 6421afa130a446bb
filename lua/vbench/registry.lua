--- What a script has declared, by kind and name.
-- @module vbench.registry
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local session = require "vbench.session"

local M = {}

-- Kinds that have a place in what the states of a run share, and how many (VB_SHARED_MAX).
local SHARED = {
  param = true, metric = true, counter = true, keyspace = true, reference_set = true,
}
local SHARED_MAX = 256

--- Raises unless the script is being loaded.
-- @tparam string what "vb.command"
function M.need_loading(what)
  if session.phase == "loading" then return end
  fault.raise("%s after the script was loaded: every thread loads the script, and what is " ..
    "declared later in one of them is unknown to the others; declare it at the top of the script",
    what)
end

local function of_kind(kind)
  local all = session.declared[kind]
  if not all then
    all = {}
    session.declared[kind] = all
  end
  return all
end

--- Keeps a declared thing.
-- @tparam string kind "command", "keyspace", "param", "metric", "counter", "option",
--   "reference_set"
-- @tparam string name unique in its kind
-- @tparam table object
-- @treturn table the object
-- @raise when the name is taken, or the script is loaded already
function M.add(kind, name, object)
  M.need_loading(kind == "option" and "vb.options" or "vb." .. kind)
  local all = of_kind(kind)
  if all[name] then
    fault.raise("two %ss are named '%s' (the other at %s): give one of them another name = \"...\"",
      kind, name, all[name].position)
  end
  if SHARED[kind] and #M.names(kind) >= SHARED_MAX then
    fault.raise("a script has at most %d %ss", SHARED_MAX, kind)
  end
  all[name] = { object = object, position = fault.position() }
  return object
end

--- The declared thing of a name.
-- @tparam string kind
-- @tparam string name
-- @treturn ?table the object
function M.get(kind, name)
  local entry = of_kind(kind)[name]
  return entry and entry.object
end

--- Where a thing was declared.
-- @tparam string kind
-- @tparam string name
-- @treturn ?string `file:line`
function M.position(kind, name)
  local entry = of_kind(kind)[name]
  return entry and entry.position
end

--- The names of a kind, sorted: the place of a name in it, from 0, is its number in C.
-- @tparam string kind
-- @treturn {string,...}
function M.names(kind)
  return fields.names(of_kind(kind))
end

--- The number of a name: its place among the sorted names of its kind, from 0.
-- @tparam string kind
-- @tparam string name
-- @treturn ?number
function M.number(kind, name)
  for i, other in ipairs(M.names(kind)) do
    if other == name then return i - 1 end
  end
end

--- Keeps an unnamed thing in the order of declaration (conditions of steps).
-- @tparam string kind
-- @tparam table object
-- @treturn number its place, from 1
function M.append(kind, object)
  local all = of_kind(kind)
  all[#all + 1] = object
  return #all
end

--- The things that `append` kept.
-- @tparam string kind
-- @treturn table list of them
function M.list(kind)
  return of_kind(kind)
end

return M
