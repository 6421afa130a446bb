--- What is known of a keyspace's keys: methods of a keyspace for setup, main, teardown and hooks.
--
-- The bits are one for all threads: what a hook of a worker adds, main sees. `keys:claim(id)` takes
-- an id; without one it is a cursor.
-- @api vbench.tracker
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local registry = require "vbench.registry"
local session = require "vbench.session"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local methods = {}
local SIZE_MAX = 2 ^ 53

-- Main's keyspace: that of this state where there is only one.
local function shared_handle(self)
  if session.role ~= "worker" then return self.handle end
  local number = registry.number("keyspace", self.name)
  local handle = C.vb_shared_object(session.shared, C.VB_SHARED_KEYSPACE, number)
  if handle == nil then fault.raise("keyspace '%s' is not that of a run", self.name) end
  return ffi.cast("vb_keyspace *", handle)
end

-- Makes the tracker at its first use.
local function open(self)
  if session.phase == "loading" and session.role ~= "plain" then
    fault.raise("which keys of keyspace '%s' exist is asked in setup, main and hooks, not while " ..
      "the script is loaded", self.name)
  end
  local out, err = ffi.new("vb_tracker *[1]"), vbffi.new_error()
  local fine, message = vbffi.check(C.vb_keyspace_track(shared_handle(self), out, err), err)
  if not fine then fault.raise("%s", message) end
  self.tracker = out[0]
  return self.tracker
end

--- The C object.
-- @tparam keyspace self
-- @treturn cdata vb_tracker*, made when there was none
-- @local
function M.of(self)
  return self.tracker or open(self)
end

--- Gives main's keyspaces to the states of the workers. In main, before they load.
-- @local
function M.publish()
  for i, name in ipairs(registry.names("keyspace")) do
    C.vb_shared_object_set(session.shared, C.VB_SHARED_KEYSPACE, i - 1,
      ffi.cast("void *", registry.get("keyspace", name).handle))
  end
end

local function wrong_id(self, id)
  fault.raise("keyspace '%s' has no id %s: ids are whole numbers from 0 to %.0f", self.name,
    type(id) == "number" and tostring(id) or fields.describe(id), self.size - 1)
end

local function check_id(self, id)
  if type(id) ~= "number" or not (id >= 0 and id < self.size and id % 1 == 0) then
    wrong_id(self, id)
  end
end

local function check_range(self, first, last)
  object.number(first, "the start of a range", { min = 0, max = SIZE_MAX, integer = true })
  object.number(last, "the end of a range", { min = 0, max = SIZE_MAX, integer = true })
  if first > last then
    fault.raise("the range %.0f to %.0f of keyspace '%s' ends before it begins", first, last,
      self.name)
  end
  if last > self.size then
    fault.raise("the range ends at %.0f, past the %.0f ids of keyspace '%s'", last, self.size,
      self.name)
  end
end

--- Notes that the key of an id exists.
-- @function keyspace:add
-- @tparam number id
-- @treturn boolean whether that is new
function methods.add(self, id)
  check_id(self, id)
  local changed = C.vb_tracker_add(self.tracker or open(self), id)
  return changed == 1
end

--- Notes that the key of an id does not exist. Deletes nothing.
-- @function keyspace:remove
-- @tparam number id
-- @treturn boolean whether that is new
function methods.remove(self, id)
  check_id(self, id)
  local changed = C.vb_tracker_remove(self.tracker or open(self), id)
  return changed == 1
end

--- Whether the key of an id exists, as far as is known.
-- @function keyspace:exists
-- @tparam number id
-- @treturn boolean
function methods.exists(self, id)
  check_id(self, id)
  local there = C.vb_tracker_exists(self.tracker or open(self), id)
  return there == 1
end

--- Takes an id that neither exists nor is taken: of all threads one gets it. Without an id this is
-- the cursor `:claim()`.
-- @function keyspace:claim
-- @tparam number id
-- @treturn boolean whether it is the caller's now
function M.claim(self, id)
  check_id(self, id)
  local changed = C.vb_tracker_claim(self.tracker or open(self), id)
  return changed == 1
end

--- How many keys exist.
-- @function keyspace:count
-- @tparam[opt] number first of a range of ids
-- @tparam[opt] number last its end, not part of it
-- @treturn number
function methods.count(self, first, last)
  if first == nil and last == nil then return tonumber(C.vb_tracker_count(M.of(self))) end
  check_range(self, first or 0, last or self.size)
  return tonumber(C.vb_tracker_count_range(M.of(self), first or 0, last or self.size))
end

--- Which part of the ids exists: count / size.
-- @function keyspace:density
-- @treturn number 0 to 1
function methods.density(self)
  local density = C.vb_tracker_density(M.of(self))
  return density
end

--- Notes that the keys of a range of ids exist.
-- @function keyspace:add_range
-- @tparam number first
-- @tparam number last not part of the range
-- @treturn number how many were new
function methods.add_range(self, first, last)
  check_range(self, first, last)
  return tonumber(C.vb_tracker_add_range(M.of(self), first, last))
end

--- Notes that the keys of a range of ids do not exist. Deletes nothing.
-- @function keyspace:remove_range
-- @tparam number first
-- @tparam number last not part of the range
-- @treturn number how many existed
function methods.remove_range(self, first, last)
  check_range(self, first, last)
  return tonumber(C.vb_tracker_remove_range(M.of(self), first, last))
end

--- Forgets all keys, and starts claims over. Deletes nothing.
-- @function keyspace:clear
-- @treturn number how many existed
function methods.clear(self)
  return tonumber(C.vb_tracker_clear(M.of(self)))
end

--- Lets claims start over at the lowest id.
-- @function keyspace:reset_cursor
function methods.reset_cursor(self)
  C.vb_tracker_reset_cursor(M.of(self))
end

--- The ids of which it is not known whether their keys exist: a reply was lost.
-- @function keyspace:unknown
-- @treturn {number,...} ascending
function methods.unknown(self)
  local list, id, tracker = {}, ffi.new("uint64_t[1]"), M.of(self)
  while C.vb_tracker_unknown_at(tracker, #list, id) == 1 do list[#list + 1] = tonumber(id[0]) end
  return list
end

--- Which keys exist now: a copy that does not change.
-- @function keyspace:snapshot
-- @treturn snapshot
function methods.snapshot(self)
  return require("vbench.snapshot").take(self)
end

--- Protects ids: no command that tracks removals is sent for one of them.
-- @function keyspace:protect
-- @tparam ?reference_set set nil: none is protected
function methods.protect(self, set)
  if session.role == "worker" then
    fault.raise("keyspace '%s': ids are protected in main, not in a worker", self.name)
  end
  if set ~= nil and fields.kind(set) ~= "reference_set" then
    fault.raise("keys:protect takes a reference set, not %s", fields.describe(set))
  end
  self.protected = set or false -- the set lives as long as it protects
  C.vb_refset_protect(set and set.handle or nil, M.of(self))
end

--- Adds the methods to those of keyspaces, which has those of cursors.
-- @tparam table keyspace_methods
-- @local
function M.install(keyspace_methods)
  for name, method in pairs(methods) do keyspace_methods[name] = method end
  local cursor = keyspace_methods.claim
  keyspace_methods.claim = function(self, id)
    local claim = id == nil and cursor or M.claim
    local made = claim(self, id)
    return made
  end
end

return M
