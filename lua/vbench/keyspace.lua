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
}
local WIDTH, WIDTH_MAX = 12, 20
local SIZE_MAX = 2 ^ 53

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
  local size = self.spec.keyspace.size
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

-- The C object, which finds what is wrong with a pattern.
local function open(spec, dataset)
  local out, err, c = ffi.new("vb_keyspace *[1]"), vbffi.new_error(), ffi.new("vb_keyspace_spec")
  c.name, c.prefix, c.pattern = spec.name, spec.prefix, spec.pattern
  c.width, c.size, c.dataset = spec.width or 0, spec.size, dataset
  local opened, message = vbffi.check(C.vb_keyspace_new(out, c, err), err)
  if not opened then fault.raise("%s", message) end
  return ffi.gc(out[0], C.vb_keyspace_free)
end

--- The keys of a dataset's records, declared under the dataset's name.
-- @tparam table spec `name`, `size`, and either `pattern`, `prefix` or `stored` (true)
-- @tparam cdata dataset vb_dataset*
-- @treturn keyspace
-- @local
function M.of_dataset(spec, dataset)
  if spec.prefix then spec.width = WIDTH end
  local self = {
    kind = "keyspace", name = spec.name, size = spec.size, spec = spec, tracker = false,
    handle = open(spec, spec.stored and dataset or nil),
  }
  return registry.add("keyspace", spec.name, setmetatable(self, keyspace_class))
end

--- Declares ids 0 .. size-1, and how a key is written from one.
-- @function vb.keyspace
-- @tparam table given `size` (a count, required); either `prefix` (the key is prefix and id) with
--   `width` (digits, zero-padded; 12; 0: no padding), or `pattern` ("vec:%012d"); `name` (the
--   prefix or pattern unless given)
-- @treturn keyspace with `name`, `size`, the methods of a cursor and those of `vbench.tracker`
-- @raise on unknown fields, and when another keyspace has the name
function M.declare(given)
  local spec = fields.read(given, FIELDS, "vb.keyspace")
  spec.name = spec.name or spec.prefix or spec.pattern
  local where = ("keyspace '%s'"):format(spec.name or "?")
  check_format(spec, where)
  if not spec.size then fault.raise("%s needs a size: how many ids it has", where) end
  object.number(spec.size, "the size of " .. where, { min = 1, max = SIZE_MAX, integer = true })
  local self = {
    kind = "keyspace", name = spec.name, size = spec.size, spec = spec, handle = open(spec),
    tracker = false,
  }
  return registry.add("keyspace", spec.name, setmetatable(self, keyspace_class))
end

return M
