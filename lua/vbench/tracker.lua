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
    type(id) == "number" and tostring(id) or fields.describe(id), self.ids - 1)
end

local function wrong_sub(self, sub)
  if not self.subs then
    fault.raise("keyspace '%s' has no sub-ids: it is declared without max_sub_id", self.name)
  end
  fault.raise("keyspace '%s' has no sub-id %s: it takes an id and a sub-id from 0 to %.0f",
    self.name, type(sub) == "number" and tostring(sub) or fields.describe(sub), self.subs - 1)
end

-- The number that stands for an id, or for an id and its sub-id.
local function number_of(self, id, sub)
  if type(id) ~= "number" or not (id >= 0 and id < self.ids and id % 1 == 0) then
    wrong_id(self, id)
  end
  if not self.subs and sub == nil then return id end
  if not self.subs or type(sub) ~= "number"
      or not (sub >= 0 and sub < self.subs and sub % 1 == 0) then
    wrong_sub(self, sub)
  end
  return id * self.subs + sub
end

-- Keys of other slots are not this keyspace's to count.
local function is_own(self, number)
  return not self.slots or C.vb_keyspace_in_slots(self.handle, number) == 1
end

-- Ranges are of ids, with all of their sub-ids.
local function check_range(self, first, last)
  object.number(first, "the start of a range", { min = 0, max = SIZE_MAX, integer = true })
  object.number(last, "the end of a range", { min = 0, max = SIZE_MAX, integer = true })
  if first > last then
    fault.raise("the range %.0f to %.0f of keyspace '%s' ends before it begins", first, last,
      self.name)
  end
  if last > self.ids then
    fault.raise("the range ends at %.0f, past the %.0f ids of keyspace '%s'", last, self.ids,
      self.name)
  end
  local subs = self.subs or 1
  return first * subs, last * subs
end

--- Notes that the key of an id exists.
-- @function keyspace:add
-- @tparam number id
-- @tparam[opt] number sub of a keyspace with sub-ids
-- @treturn boolean whether that is new
function methods.add(self, id, sub)
  local number = number_of(self, id, sub)
  if not is_own(self, number) then return false end
  local changed = C.vb_tracker_add(self.tracker or open(self), number)
  return changed == 1
end

--- Notes that the key of an id does not exist. Deletes nothing.
-- @function keyspace:remove
-- @tparam number id
-- @tparam[opt] number sub of a keyspace with sub-ids
-- @treturn boolean whether that is new
function methods.remove(self, id, sub)
  local number = number_of(self, id, sub)
  if not is_own(self, number) then return false end
  local changed = C.vb_tracker_remove(self.tracker or open(self), number)
  return changed == 1
end

--- Whether the key of an id exists, as far as is known.
-- @function keyspace:exists
-- @tparam number id
-- @tparam[opt] number sub of a keyspace with sub-ids
-- @treturn boolean
function methods.exists(self, id, sub)
  local number = number_of(self, id, sub)
  local there = C.vb_tracker_exists(self.tracker or open(self), number)
  return there == 1
end

--- Takes an id that neither exists nor is taken: of all threads one gets it. Without an id this is
-- the cursor `:claim()`.
-- @function keyspace:claim
-- @tparam number id
-- @tparam[opt] number sub of a keyspace with sub-ids
-- @treturn boolean whether it is the caller's now
function M.claim(self, id, sub)
  local number = number_of(self, id, sub)
  if not is_own(self, number) then return false end
  local changed = C.vb_tracker_claim(self.tracker or open(self), number)
  return changed == 1
end

--- How many keys exist.
-- @function keyspace:count
-- @tparam[opt] number first of a range of ids
-- @tparam[opt] number last its end, not part of it
-- @treturn number
function methods.count(self, first, last)
  if first == nil and last == nil then return tonumber(C.vb_tracker_count(M.of(self))) end
  first, last = check_range(self, first or 0, last or self.ids)
  return tonumber(C.vb_tracker_count_range(M.of(self), first, last))
end

--- Which part of the ids exists: count / size; of a keyspace that grows, the size up to now.
-- @function keyspace:density
-- @treturn number 0 to 1
function methods.density(self)
  local density = C.vb_tracker_density(M.of(self))
  return density
end

local function add_own(self, first, last)
  local changed, bits = 0, M.of(self)
  for number = first, last - 1 do
    if is_own(self, number) then changed = changed + C.vb_tracker_add(bits, number) end
  end
  return changed
end

--- Notes that the keys of a range of ids exist.
-- @function keyspace:add_range
-- @tparam number first
-- @tparam number last not part of the range
-- @treturn number how many were new
function methods.add_range(self, first, last)
  first, last = check_range(self, first, last)
  if self.slots then return add_own(self, first, last) end
  return tonumber(C.vb_tracker_add_range(M.of(self), first, last))
end

--- Notes that the keys of a range of ids do not exist. Deletes nothing.
-- @function keyspace:remove_range
-- @tparam number first
-- @tparam number last not part of the range
-- @treturn number how many existed
function methods.remove_range(self, first, last)
  first, last = check_range(self, first, last)
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

local function protect(self, set)
  self.protected = set or false -- the set lives as long as it protects
  C.vb_refset_protect(set and set.handle or nil, M.of(self))
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
  local always = self.always_protected
  protect(self, set and always and set:union(always) or set or always)
end

--- Protects ids in any case, whatever the script protects besides.
-- @tparam keyspace self
-- @tparam reference_set set
-- @local
function methods.protect_always(self, set)
  self.always_protected = set
  methods.protect(self, self.protected or nil)
end

--- Adds the methods to those of keyspaces, which has those of cursors.
-- @tparam table keyspace_methods
-- @local
function M.install(keyspace_methods)
  for name, method in pairs(methods) do keyspace_methods[name] = method end
  local cursor = keyspace_methods.claim
  keyspace_methods.claim = function(self, id, sub)
    local claim = id == nil and cursor or M.claim
    local made = claim(self, id, sub)
    return made
  end
end

return M
