--- Reference sets: any set of ids, such as a ground truth to protect, hot keys, what to fill in.
-- @api vbench.reference_set
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local registry = require "vbench.registry"
local session = require "vbench.session"
local tracker = require "vbench.tracker"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local methods = {}
local FIELDS = { name = "string", ids = "table", range = "table" }
local ID_MAX = 2 ^ 40 - 1

local function check_id(id, what)
  return object.number(id, what, { min = 0, max = ID_MAX, integer = true })
end

local function make(call)
  local out, err = ffi.new("vb_refset *[1]"), vbffi.new_error()
  local fine, message = vbffi.check(call(out, err), err)
  if not fine then fault.raise("%s", message) end
  return ffi.gc(out[0], C.vb_refset_free)
end

-- A worker uses main's set; main's own was made where it was declared.
local function shared_handle(self)
  local number = registry.number("reference_set", self.name)
  local handle = session.phase ~= "loading" and number and session.shared ~= nil
    and C.vb_shared_object(session.shared, C.VB_SHARED_REFSET, number)
  if not handle or handle == nil then
    fault.raise("reference set '%s' is used in hooks, not while the script is loaded", self.name)
  end
  rawset(self, "handle", ffi.cast("vb_refset *", handle))
  return self.handle
end

local class = object.class("reference set", methods)
local by_method = class.__index

-- What a worker has not yet is looked for when it is used.
class.__index = function(self, name)
  if name == "handle" then return (shared_handle(self)) end
  local method = by_method(self, name)
  return method
end

local function new(fields_of_it)
  fields_of_it.kind = "reference_set"
  return setmetatable(fields_of_it, class)
end

--- A set that a call of C makes. Of main, without a name.
-- @tparam function call gets a vb_refset*[1] and a vb_error*, returns a status
-- @treturn reference_set
-- @local
function M.made(call)
  return new { name = "(made)", spec = {}, handle = make(call) }
end

local function list_of(ids)
  local list = ffi.new("uint64_t[?]", math.max(#ids, 1))
  for i, id in ipairs(ids) do
    list[i - 1] = check_id(id, ("id %d of vb.reference_set"):format(i))
  end
  return list
end

local function check_range(range)
  local first, last = range[1], range[2]
  check_id(first, "the start of the range of vb.reference_set")
  object.number(last, "the end of the range of vb.reference_set",
    { min = first + 1, max = ID_MAX + 1, integer = true })
  if #range ~= 2 then fault.raise("the range of vb.reference_set is { first, last }") end
  return first, last
end

-- What C calls to make it, and a text that is equal for equal sets.
local function recipe(given)
  if (given.ids == nil) == (given.range == nil) then
    fault.raise("vb.reference_set takes either ids or range")
  end
  if given.range then
    local first, last = check_range(given.range)
    return function(out, err) return C.vb_refset_of_range(out, first, last, err) end,
      ("range %.0f %.0f"):format(first, last)
  end
  local count, list = #given.ids, list_of(given.ids)
  return function(out, err) return C.vb_refset_of_list(out, list, count, err) end,
    ("%d ids %s"):format(count, tostring(C.vb_hash(0, list, count * 8)))
end

-- A set of this state: declared while the script is loaded, and then made by main alone.
local function keep(name, text, call)
  if session.phase ~= "loading" then
    return new { name = name or "(made)", spec = { what = text }, handle = make(call) }
  end
  local self = new { name = name, spec = { name = name, what = text } }
  if session.role ~= "worker" then rawset(self, "handle", make(call)) end
  return registry.add("reference_set", name, self)
end

--- A set of ids. Declared with the script, it can stand in cursors and hooks; made later, it is
-- main's.
-- @function vb.reference_set
-- @tparam table given `ids` (a list, in any order) or `range` ({ first, last }, last not part of
--   it); `name` (required while the script is loaded)
-- @treturn reference_set
function M.declare(given)
  local spec = fields.read(given, FIELDS, "vb.reference_set")
  local call, text = recipe(spec)
  if session.phase == "loading" and not spec.name then
    fault.raise("vb.reference_set needs a name")
  end
  return keep(spec.name, text, call)
end

-- Every neighbour of every query: numbers of records.
local function truth_of(dataset)
  local ranks, count = dataset.neighbors_per_query, 0
  local list = ffi.new("uint64_t[?]", math.max(ranks * dataset.query_count, 1))
  for q = 0, dataset.query_count - 1 do
    for rank = 0, ranks - 1 do
      local id = C.vb_dataset_neighbor(dataset.handle, q, rank)
      if id < dataset.count then list[count], count = id, count + 1 end
    end
  end
  return list, count
end

--- The records that a dataset's ground truth names: `ds:truth_ids()`. One set a dataset.
-- @tparam dataset dataset
-- @treturn reference_set
-- @local
function M.of_truth(dataset)
  local name = ("truth of %s"):format(dataset.name)
  local known = registry.get("reference_set", name)
  if known then return known end
  if dataset.neighbors_per_query == 0 then
    fault.raise("dataset '%s' has no ground truth", dataset.name)
  end
  return keep(name, name, function(out, err)
    local list, count = truth_of(dataset)
    return C.vb_refset_of_list(out, list, count, err)
  end)
end

--- The numbers of a dataset's queries: `ds:query_ids()`. One set a dataset.
-- @tparam dataset dataset
-- @treturn reference_set
-- @local
function M.of_queries(dataset)
  local name = ("queries of %s"):format(dataset.name)
  local known = registry.get("reference_set", name)
  if known then return known end
  if dataset.query_count == 0 then fault.raise("dataset '%s' has no queries", dataset.name) end
  return keep(name, name, function(out, err)
    return C.vb_refset_of_range(out, 0, dataset.query_count, err)
  end)
end

--- Gives main's declared sets to the states of the workers. In main, before they load.
-- @local
function M.publish()
  for i, name in ipairs(registry.names("reference_set")) do
    C.vb_shared_object_set(session.shared, C.VB_SHARED_REFSET, i - 1,
      ffi.cast("void *", registry.get("reference_set", name).handle))
  end
end

--- Whether an id is in the set. For hooks too.
-- @function reference_set:contains
-- @tparam number id
-- @treturn boolean
function methods.contains(self, id)
  if not (id >= 0) then return false end
  local found = C.vb_refset_contains(self.handle, id)
  return found == 1
end

--- How many ids it has.
-- @function reference_set:count
-- @treturn number
function methods.count(self)
  return tonumber(C.vb_refset_count(self.handle))
end

local function need_main(self, what)
  if session.role ~= "worker" then return end
  fault.raise("reference set '%s': %s is for main; workers read it", self.name, what)
end

--- Adds an id.
-- @function reference_set:add
-- @tparam number id
-- @treturn boolean whether it is new
function methods.add(self, id)
  need_main(self, "add")
  check_id(id, "an id of a reference set")
  local changed, err = ffi.new("int[1]"), vbffi.new_error()
  local fine, message = vbffi.check(C.vb_refset_add(self.handle, id, changed, err), err)
  if not fine then fault.raise("%s", message) end
  return changed[0] == 1
end

--- Takes an id out.
-- @function reference_set:remove
-- @tparam number id
-- @treturn boolean whether it was in
function methods.remove(self, id)
  need_main(self, "remove")
  check_id(id, "an id of a reference set")
  return C.vb_refset_remove(self.handle, id) == 1
end

--- The ids in ascending order: `for id in set:each() do`.
-- @function reference_set:each
-- @treturn function iterator
function methods.each(self)
  local handle, id, from = self.handle, ffi.new("uint64_t[1]"), 0
  return function()
    local anchored = self -- the set lives while it is walked
    if C.vb_refset_next(anchored and handle, from, id) == 0 then return nil end
    local found = tonumber(id[0])
    from = found + 1
    return found
  end
end

local function check_set(other, what)
  if fields.kind(other) == "reference_set" then return other.handle end
  fault.raise("reference_set:%s takes a reference set, not %s", what, fields.describe(other))
end

-- Methods that make a set of two, and those that count it, by the names of the operations.
local OPERATIONS = {
  union = C.VB_SET_UNION, intersection = C.VB_SET_INTERSECTION, difference = C.VB_SET_DIFFERENCE,
}

--- The ids of either set.
-- @function reference_set:union
-- @tparam reference_set other
-- @treturn reference_set

--- The ids of both sets.
-- @function reference_set:intersection
-- @tparam reference_set other
-- @treturn reference_set

--- The ids that the other set has not.
-- @function reference_set:difference
-- @tparam reference_set other
-- @treturn reference_set

--- How many ids the two have together; also `intersection_count`, `difference_count`.
-- @function reference_set:union_count
-- @tparam reference_set other
-- @treturn number
for name, operation in pairs(OPERATIONS) do
  methods[name] = function(self, other)
    local b = check_set(other, name)
    local set = M.made(function(out, err)
      return C.vb_refset_combine(out, operation, self.handle, b, err)
    end)
    return set
  end
  methods[name .. "_count"] = function(self, other)
    local b = check_set(other, name .. "_count")
    return tonumber(C.vb_refset_combined_count(operation, self.handle, b))
  end
end

-- A snapshot as it is; of a keyspace, one of now.
local function snapshot_of(place, what)
  local kind = fields.kind(place)
  if kind == "snapshot" then return place end
  if kind == "keyspace" then return place:snapshot() end
  fault.raise("reference_set:%s takes a snapshot or a keyspace, not %s", what,
    fields.describe(place))
end

local function within(name, operation)
  methods[name] = function(self, place)
    local snapshot = snapshot_of(place, name)
    local set = M.made(function(out, err)
      return C.vb_refset_in_snapshot(out, operation, self.handle, snapshot.handle, err)
    end)
    return set
  end
  methods[name .. "_count"] = function(self, place)
    local snapshot = snapshot_of(place, name .. "_count")
    return tonumber(C.vb_refset_in_snapshot_count(operation, self.handle, snapshot.handle))
  end
end

--- The ids of the set whose keys exist; `existing_in_count` counts them.
-- @function reference_set:existing_in
-- @tparam snapshot|keyspace place a keyspace: as it is now
-- @treturn reference_set
within("existing_in", C.VB_SET_INTERSECTION)

--- The ids of the set whose keys do not exist; `missing_in_count` counts them.
-- @function reference_set:missing_in
-- @tparam snapshot|keyspace place
-- @treturn reference_set
within("missing_in", C.VB_SET_DIFFERENCE)

local function need_keyspace(keyspace, what)
  if fields.kind(keyspace) == "keyspace" then return tracker.of(keyspace) end
  fault.raise("reference_set:%s takes a keyspace, not %s", what, fields.describe(keyspace))
end

--- Notes that the keys of all ids of the set exist. Writes nothing to the server.
-- @function reference_set:restore
-- @tparam keyspace keyspace
-- @treturn number how many did not exist before; ids past the keyspace's size are left out
function methods.restore(self, keyspace)
  local bits = need_keyspace(keyspace, "restore")
  return tonumber(C.vb_refset_restore(self.handle, bits))
end

--- How much of the set exists in a keyspace.
-- @function reference_set:coverage
-- @tparam keyspace keyspace
-- @treturn table `existing`, `missing`, `outside` (of the missing, those past the keyspace's size),
--   `ratio` (existing of all; 1 for an empty set)
function methods.coverage(self, keyspace)
  local bits, count = need_keyspace(keyspace, "coverage"), self:count()
  local existing = tonumber(C.vb_refset_tracked_count(self.handle, bits))
  return {
    existing = existing, missing = count - existing, ratio = count > 0 and existing / count or 1,
    outside = tonumber(C.vb_refset_outside(self.handle, keyspace.size)),
  }
end

return M
