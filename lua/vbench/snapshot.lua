--- Snapshots: which keys of a keyspace existed at one time. Of main.
-- @api vbench.snapshot
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local tracker = require "vbench.tracker"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local methods = {}
local class = object.class("snapshot", methods)

--- Takes a snapshot, at the speed of memory.
-- @tparam keyspace keyspace
-- @treturn snapshot with `name` (of the keyspace)
-- @local
function M.take(keyspace)
  local out, err = ffi.new("vb_snapshot *[1]"), vbffi.new_error()
  local fine, message = vbffi.check(C.vb_snapshot_take(out, tracker.of(keyspace), err), err)
  if not fine then fault.raise("%s", message) end
  local self = { kind = "snapshot", name = keyspace.name, spec = {}, what = keyspace.name,
                 handle = ffi.gc(out[0], C.vb_snapshot_free) }
  return setmetatable(self, class)
end

--- Gives the memory back now; otherwise the garbage collector does.
-- @function snapshot:close
function methods.close(self)
  if self.handle then C.vb_snapshot_free(ffi.gc(self.handle, nil)) end
  self.handle = false
end

local function handle_of(self)
  if self.handle then return self.handle end
  fault.raise("the snapshot of keyspace '%s' is closed", self.name)
end

local function other_handle(other, what)
  if fields.kind(other) ~= "snapshot" then
    fault.raise("snapshot:%s takes a snapshot, not %s", what, fields.describe(other))
  end
  return handle_of(other)
end

--- How many keys existed.
-- @function snapshot:count
-- @treturn number
function methods.count(self)
  return tonumber(C.vb_snapshot_count(handle_of(self)))
end

--- Whether the key of an id existed.
-- @function snapshot:test
-- @tparam number id
-- @treturn boolean
function methods.test(self, id)
  object.number(id, "an id", { min = 0, integer = true })
  return C.vb_snapshot_test(handle_of(self), id) == 1
end

--- The ids in ascending order: `for id in snapshot:each() do`.
-- @function snapshot:each
-- @treturn function iterator
function methods.each(self)
  local handle, id, from = handle_of(self), ffi.new("uint64_t[1]"), 0
  return function()
    if C.vb_snapshot_next(handle, from, id) == 0 then return nil end
    local found = tonumber(id[0])
    from = found + 1
    return found
  end
end

-- Methods of two snapshots, each also with _count behind its name: what C does, and whether the
-- other one comes first.
local OPERATIONS = {
  intersection = { C.VB_SET_INTERSECTION }, difference = { C.VB_SET_DIFFERENCE },
  added_since = { C.VB_SET_DIFFERENCE }, removed_since = { C.VB_SET_DIFFERENCE, true },
}

--- The ids that existed in both. This and the next three count without listing with `_count` behind
-- their names: `snapshot:intersection_count(other)`.
-- @function snapshot:intersection
-- @tparam snapshot other
-- @treturn reference_set

--- The ids that existed in this one and not in the other.
-- @function snapshot:difference
-- @tparam snapshot other
-- @treturn reference_set

--- The ids that have come since an earlier snapshot.
-- @function snapshot:added_since
-- @tparam snapshot earlier
-- @treturn reference_set

--- The ids that have gone since an earlier snapshot.
-- @function snapshot:removed_since
-- @tparam snapshot earlier
-- @treturn reference_set
for name, how in pairs(OPERATIONS) do
  local operation, other_first = how[1], how[2]
  local function both(self, other, what)
    local a, b = handle_of(self), other_handle(other, what)
    if other_first then a, b = b, a end
    return a, b
  end
  methods[name] = function(self, other)
    local a, b = both(self, other, name)
    return require("vbench.reference_set").made(function(out, err)
      return C.vb_refset_of_snapshots(out, operation, a, b, err)
    end)
  end
  methods[name .. "_count"] = function(self, other)
    local a, b = both(self, other, name .. "_count")
    return tonumber(C.vb_snapshot_combined_count(operation, a, b))
  end
end

return M
