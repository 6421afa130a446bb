--- Keyspaces, and the cursors that draw ids from them.
-- @api vbench.keyspace
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local registry = require "vbench.registry"
local tracker = require "vbench.tracker"
local units = require "vbench.units"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local FIELDS = {
  name = "string", prefix = "string", pattern = "string", width = "number", size = "count",
  max_size = "count", max_sub_id = "count", slots = "table",
}
local WIDTH, WIDTH_MAX = 12, 20
local SIZE_MAX, TRACKED_MAX, SLOTS = 2 ^ 53, 2 ^ 40, 16384

local cursor_methods, keyspace_methods = {}, {}
local cursor_class = object.class("cursor", cursor_methods)
local keyspace_class = object.class("keyspace", keyspace_methods)

local function new_cursor(spec)
  return setmetatable({ kind = "cursor", spec = spec }, cursor_class)
end

-- A changed copy: cursors never change, so that one may stand in several commands.
local function changed(self, changes)
  local spec = object.copy(self.spec)
  if spec.current then
    fault.raise("keys:current() repeats an id that was drawn: it has no order, range or count")
  end
  for name, value in pairs(changes) do spec[name] = value end
  return new_cursor(spec)
end

--- Ids in order: operation n gives the n-th. Ends after the last one unless `:wrap()`.
-- @function cursor:sequential
-- @treturn cursor
function cursor_methods.sequential(self)
  return changed(self, { order = "sequential" })
end

--- Ids with equal probability, with replacement, endless.
-- @function cursor:uniform
-- @treturn cursor
function cursor_methods.uniform(self)
  return changed(self, { order = "uniform" })
end

cursor_methods.random = cursor_methods.uniform

--- Ids by Zipf's law, with replacement, endless; O(1) at any size.
-- @function cursor:zipfian
-- @tparam ?number skew exponent above 0, 0.99 unless given
-- @tparam ?table options `scatter` (true): spread the ranks over the ids by a seeded permutation;
--   false: the lowest ids are the hot ones
-- @treturn cursor
function cursor_methods.zipfian(self, skew, options)
  local given = fields.read(options or {}, { scatter = "boolean" }, "zipfian")
  return changed(self, {
    order = "zipfian",
    skew = object.number(skew == nil and 0.99 or skew, "the skew of zipfian", { above = 0 }),
    scatter = given.scatter ~= false,
  })
end

--- Only ids from `first` up to, but not including, `last`.
-- @function cursor:range
-- @tparam number first
-- @tparam number last
-- @treturn cursor
function cursor_methods.range(self, first, last)
  object.number(first, "the start of a range", { min = 0, integer = true })
  object.number(last, "the end of a range", { min = 1, integer = true, max = SIZE_MAX })
  local size = self.spec.keyspace.ids
  if type(first) == "number" and type(last) == "number" and first >= last then
    fault.raise("the range %d to %d holds no id: the end is not part of it", first, last)
  end
  if type(last) == "number" and last > size then
    fault.raise("the range ends at %d, past the %d ids of keyspace '%s'", last, size,
      self.spec.keyspace.name)
  end
  return changed(self, { first = first, last = last })
end

--- At most `n` ids in all, in a run of a phase.
-- @function cursor:limit
-- @tparam number|string n a count, such as 1000 or "10k"
-- @treturn cursor
function cursor_methods.limit(self, n)
  local count = type(n) == "string" and units.count(n) or n
  return changed(self, {
    limit = object.number(count, "the limit of a cursor", { min = 1, integer = true }),
  })
end

--- Starts over at the end instead of ending.
-- @function cursor:wrap
-- @treturn cursor
function cursor_methods.wrap(self)
  return changed(self, { wrap = true })
end

--- Draws of its own: other numbers than a like cursor with another seed gives.
-- @function cursor:seed
-- @tparam number n whole
-- @treturn cursor
function cursor_methods.seed(self, n)
  return changed(self, { seed = object.number(n, "the seed of a cursor", { integer = true }) })
end

--- Several ids, each an argument.
-- @function cursor:times
-- @tparam number|table n how many, or `{min=, max=}`: drawn for each operation
-- @tparam ?string slot "same_slot": all of the slot of the first one
-- @treturn cursor
function cursor_methods.times(self, n, slot)
  if slot ~= nil and slot ~= "same_slot" then
    fault.raise("times takes \"same_slot\" as its second argument, not %s",
      type(slot) == "string" and ("'%s'"):format(slot) or fields.describe(slot))
  end
  local from, to = n, n
  if type(n) == "table" and not fields.kind(n) then
    local given = fields.read(n, { min = "count", max = "count" }, "times", { params = true })
    from, to = given.min or 1, given.max
    if to == nil then fault.raise("times takes a number or { min =, max = }: max is missing") end
  end
  local range = { min = 1, integer = true, max = 2 ^ 20 }
  object.number(from, "the least of times", range)
  object.number(to, "the number of times", range)
  if type(from) == "number" and type(to) == "number" and from > to then
    fault.raise("times: min %d is above max %d", from, to)
  end
  return changed(self, { times_min = from, times_max = to, same_slot = slot ~= nil })
end

--- As data and not as a key: the member of a sorted set, a field.
-- @function cursor:value
-- @treturn cursor
function cursor_methods.value(self)
  local spec = object.copy(self.spec)
  spec.as_value = true
  return new_cursor(spec)
end

--- A cursor over the whole keyspace, in order.
-- @function keyspace:cursor
-- @treturn cursor
function keyspace_methods.cursor(self)
  return new_cursor { keyspace = self, order = "sequential" }
end

--- The id that the operation has drawn from this keyspace already, as its key.
-- @function keyspace:current
-- @treturn cursor which has only `:value()`
function keyspace_methods.current(self)
  return new_cursor { keyspace = self, current = true }
end

-- Every order and filter may stand straight on the keyspace.
for name, method in pairs(cursor_methods) do
  if name ~= "value" and name ~= "times" then
    keyspace_methods[name] = function(self, ...)
      local made = method(self:cursor(), ...)
      return made
    end
  end
end

tracker.install(keyspace_methods)

local function check_format(spec, where)
  if (spec.prefix == nil) == (spec.pattern == nil) then
    fault.raise("%s takes either prefix or pattern", where)
  end
  if spec.pattern and spec.width then
    fault.raise("%s: the width of a pattern is in the pattern (%%012d)", where)
  end
  if spec.prefix then
    spec.width = spec.width or WIDTH
    object.number(spec.width, "the width of " .. where,
      { min = 0, max = WIDTH_MAX, integer = true })
  end
end

local function check_size(spec, where)
  if spec.size and spec.max_size then
    fault.raise("%s has either a size or a max_size, up to which its tracker grows", where)
  end
  if not spec.size then spec.max_size = spec.max_size or TRACKED_MAX end
  object.number(spec.size or spec.max_size, "the size of " .. where,
    { min = 1, max = spec.size and SIZE_MAX or TRACKED_MAX, integer = true })
  if not spec.max_sub_id then return end
  object.number(spec.max_sub_id, "max_sub_id of " .. where, { min = 1, integer = true })
  if (spec.size or spec.max_size) * spec.max_sub_id > SIZE_MAX then
    fault.raise("%s: %.0f ids with %.0f sub-ids each are too many", where,
      spec.size or spec.max_size, spec.max_sub_id)
  end
end

local function check_slots(spec, where)
  if not spec.slots then return end
  local range, what = { min = 0, max = SLOTS, integer = true }, "of the slots of " .. where
  object.number(spec.slots[1], "the start " .. what, range)
  object.number(spec.slots[2], "the end " .. what, range)
  if spec.slots[1] >= spec.slots[2] or #spec.slots ~= 2 then
    fault.raise("slots of %s is { first, last }, last not part of it", where)
  end
end

-- The C object, which finds what is wrong with a pattern.
local function open(spec, dataset)
  local out, err, c = ffi.new("vb_keyspace *[1]"), vbffi.new_error(), ffi.new("vb_keyspace_spec")
  c.name, c.prefix, c.pattern = spec.name, spec.prefix, spec.pattern
  c.width, c.size, c.max_size = spec.width or 0, spec.size or 0, spec.max_size or 0
  c.subs, c.dataset = spec.max_sub_id or 0, dataset
  if spec.slots then c.slot_first, c.slot_last = spec.slots[1], spec.slots[2] end
  local opened, message = vbffi.check(C.vb_keyspace_new(out, c, err), err)
  if not opened then fault.raise("%s", message) end
  return ffi.gc(out[0], C.vb_keyspace_free)
end

local function add(spec, handle)
  local self = {
    kind = "keyspace", name = spec.name, size = tonumber(C.vb_keyspace_size(handle)),
    ids = spec.size or spec.max_size, subs = spec.max_sub_id or false, slots = spec.slots or false,
    spec = spec, handle = handle, tracker = false, scanned = false,
  }
  return registry.add("keyspace", spec.name, setmetatable(self, keyspace_class))
end

--- The keys of a dataset's records, declared under the dataset's name.
-- @tparam table spec `name`, `size`, and either `pattern`, `prefix` or `stored` (true)
-- @tparam cdata dataset vb_dataset*
-- @treturn keyspace
-- @local
function M.of_dataset(spec, dataset)
  if spec.prefix then spec.width = WIDTH end
  return add(spec, open(spec, spec.stored and dataset or nil))
end

--- Declares ids 0 .. size-1, and how a key is written from one.
-- @function vb.keyspace
-- @tparam table given `size` (a count; without it the tracker grows by doubling up to `max_size`,
--   2^40); either `prefix` (the key is prefix and id) with `width` (digits, zero-padded; 12; 0: no
--   padding), or `pattern` ("vec:%012d"); `max_sub_id` (each id has sub-ids from 0 up to, but not
--   including, it; the key then ends in ":sub"); `slots` ({ first, last }, last not part of it:
--   only keys in these slots are its own); `name` (the prefix or pattern unless given)
-- @treturn keyspace with `name`, `size` (of keys: ids times sub-ids), `ids`, the methods of a
--   cursor and those of `vbench.tracker`
-- @raise on unknown fields, and when another keyspace has the name
function M.declare(given)
  local spec = fields.read(given, FIELDS, "vb.keyspace")
  spec.name = spec.name or spec.prefix or spec.pattern
  local where = ("keyspace '%s'"):format(spec.name or "?")
  check_format(spec, where)
  check_size(spec, where)
  check_slots(spec, where)
  return add(spec, open(spec))
end

return M
