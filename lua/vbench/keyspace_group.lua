--- Groups of keyspaces: which of them a key is of.
-- @api vbench.keyspace_group
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local tracker = require "vbench.tracker"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local BY = { prefix = true, slots = true }

local methods = {}
local class = object.class("keyspace_group", methods)

local function check_slots(members)
  for i, one in ipairs(members) do
    if not one.slots then
      fault.raise("vb.keyspace_group by slots: keyspace '%s' has none; give it slots = { first, "
        .. "last }", one.name)
    end
    for k = 1, i - 1 do
      local other = members[k].slots
      if one.slots[1] < other[2] and other[1] < one.slots[2] then
        fault.raise("vb.keyspace_group by slots: those of keyspaces '%s' and '%s' overlap",
          members[k].name, one.name)
      end
    end
  end
end

--- Several keyspaces as one.
-- @function vb.keyspace_group
-- @tparam table given keyspaces by position; `by` ("prefix", the default: of those that a key fits,
--   the one of the longest prefix; "slots": keyspaces with `slots`, which do not overlap)
-- @treturn keyspace_group
function M.new(given)
  local spec = fields.read(given, { by = "string" }, "vb.keyspace_group", { positional = true })
  local count = fields.length(given, "vb.keyspace_group")
  if count == 0 then fault.raise("vb.keyspace_group takes keyspaces") end
  local members = {}
  for i = 1, count do
    if fields.kind(given[i]) ~= "keyspace" then
      fault.raise("vb.keyspace_group takes keyspaces, not %s", fields.describe(given[i]))
    end
    members[i] = given[i]
  end
  local by = fields.choose(spec.by or "prefix", BY, "field 'by' of vb.keyspace_group")
  if by == "slots" then check_slots(members) end
  local self = { kind = "keyspace_group", spec = { by = by }, members = members }
  return setmetatable(self, class)
end

local id_out = ffi.new("uint64_t[1]")

local function prefix_length(keyspace)
  return #(keyspace.spec.prefix or keyspace.spec.pattern)
end

--- Which keyspace a key is of.
-- @function keyspace_group:find
-- @tparam string key
-- @treturn ?keyspace nil when it is of none
-- @treturn ?number its id
-- @treturn ?number its sub-id, of a keyspace that has them
function methods.find(self, key)
  local best, id
  for _, keyspace in ipairs(self.members) do
    local match = C.vb_keyspace_parse(keyspace.handle, key, #key, id_out)
    local fits = match == C.VB_KEY_OWN or match == C.VB_KEY_TAGGED
    if fits and (not best or prefix_length(keyspace) > prefix_length(best)) then
      best, id = keyspace, tonumber(id_out[0])
    end
  end
  if not best or not best.subs then return best, id end
  return best, math.floor(id / best.subs), id % best.subs
end

--- Notes that a key exists, in its keyspace.
-- @function keyspace_group:add
-- @tparam string key
-- @treturn ?boolean whether that is new; nil when the key is of none of the keyspaces
function methods.add(self, key)
  local keyspace, id, sub = self:find(key)
  if not keyspace then return nil end
  return keyspace:add(id, sub)
end

--- How many keys exist in all of them.
-- @function keyspace_group:count
-- @treturn number
function methods.count(self)
  local sum = 0
  for _, keyspace in ipairs(self.members) do sum = sum + keyspace:count() end
  return sum
end

--- How many keys there can be in all of them.
-- @function keyspace_group:size
-- @treturn number
function methods.size(self)
  local sum = 0
  for _, keyspace in ipairs(self.members) do sum = sum + keyspace.size end
  return sum
end

--- Which part of the keys exists; of keyspaces that grow, of what they have grown to.
-- @function keyspace_group:density
-- @treturn number 0 to 1
function methods.density(self)
  local size = 0
  for _, one in ipairs(self.members) do
    size = size + tonumber(C.vb_tracker_size(tracker.of(one)))
  end
  return self:count() / size
end

return M
