--- Keyspaces: ids, and how keys are written from them.
-- @api vbench.keyspace
local cursor = require "vbench.cursor"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local registry = require "vbench.registry"
local tracker = require "vbench.tracker"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local FIELDS = {
  name = "string", prefix = "string", pattern = "string", width = "number", size = "count",
  max_size = "count", max_sub_id = "count", slots = "table",
  sub = "string", tag = "boolean",
}
local SUB = { key = true, argument = true }
local WIDTH, WIDTH_MAX = 12, 20
local SIZE_MAX, TRACKED_MAX, SLOTS = 2 ^ 53, 2 ^ 40, 16384

local keyspace_methods = {}
local keyspace_class = object.class("keyspace", keyspace_methods)

--- A cursor over the whole keyspace, in order.
-- @function keyspace:cursor
-- @treturn cursor
function keyspace_methods.cursor(self)
  return cursor.new { keyspace = self, order = "sequential" }
end

--- The id that the operation has drawn from this keyspace already, as its key.
-- @function keyspace:current
-- @treturn cursor which has only `:value()`
function keyspace_methods.current(self)
  return cursor.new { keyspace = self, current = true }
end

--- The sub-id of the pair that the operation has drawn from this keyspace, in decimal: the field
-- of a hash, an index in a JSON path. Data, and not a key.
-- @function keyspace:sub
-- @treturn cursor
-- @raise for a keyspace without `max_sub_id`
function keyspace_methods.sub(self)
  if not self.subs then
    fault.raise("keyspace '%s' has no sub-ids: it is declared without max_sub_id", self.name)
  end
  return cursor.new { keyspace = self, current = true, sub = true, as_value = true }
end

-- Every order and filter may stand straight on the keyspace.
for name, method in pairs(cursor.methods) do
  if not cursor.LAST[name] then
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
  if spec.tag and not spec.prefix then
    fault.raise("%s: tag = true puts a hash tag behind a prefix; in a pattern it is {HASHTAG}",
      where)
  end
  if spec.tag and spec.prefix:find("{", 1, true) then
    fault.raise("%s: the hash tag of a key begins at its first {, which is in the prefix: with "
      .. "tag = true the prefix has none", where)
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
  object.number(spec.size or spec.max_size,
    ("the %s of %s"):format(spec.size and "size" or "max_size", where),
    { min = 1, max = spec.size and SIZE_MAX or TRACKED_MAX, integer = true })
  if spec.sub then fields.choose(spec.sub, SUB, "field 'sub' of " .. where) end
  if spec.sub and not spec.max_sub_id then
    fault.raise("%s: sub says where sub-ids stand, and goes with max_sub_id", where)
  end
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
  c.tagged, c.subs_apart = spec.tag and 1 or 0, spec.sub == "argument" and 1 or 0
  if spec.slots then c.slot_first, c.slot_last = spec.slots[1], spec.slots[2] end
  local opened, message = vbffi.check(C.vb_keyspace_new(out, c, err), err)
  if not opened then fault.raise("%s", message) end
  return ffi.gc(out[0], C.vb_keyspace_free)
end

local function add(spec, handle)
  local self = {
    kind = "keyspace", name = spec.name, size = tonumber(C.vb_keyspace_size(handle)),
    ids = spec.size or spec.max_size, subs = spec.max_sub_id or false, slots = spec.slots or false,
    spec = spec, handle = handle, tracker = false, scanned = false, protected = false,
    always_protected = false,
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
--   padding) and `tag` (true: `<prefix>{xyz}:<id>`, with tags that spread the ids evenly over the
--   slots of a cluster), or `pattern` ("vec:%012d"); `max_sub_id` (each id has sub-ids from 0 up
--   to, but not including, it; the key then ends in ":sub", unless `sub` is "argument" and it
--   stands in one, as `keys:sub()`); `slots` ({ first, last }, last not part of it: only keys in
--   these slots are its own); `name` (the prefix or pattern unless given)
-- @treturn keyspace with `name`, `size` (of keys: ids times sub-ids), `ids`, the methods of a
--   cursor and those of `vbench.tracker`
-- @raise on unknown fields, and when another keyspace has the name
function M.declare(given)
  local spec = fields.read(given, FIELDS, "vb.keyspace")
  spec.name = spec.name or spec.prefix or spec.pattern
  local where = spec.name and ("keyspace '%s'"):format(spec.name) or "vb.keyspace"
  check_format(spec, where)
  check_size(spec, where)
  check_slots(spec, where)
  return add(spec, open(spec))
end

--- What is likely a mistake in the keyspaces of a script: keys of one prefix that are written in
-- two ways. After loading.
-- @treturn {string,...} a line each
-- @local
function M.warnings()
  local by_prefix, list = {}, {}
  for _, name in ipairs(registry.names("keyspace")) do
    local one = registry.get("keyspace", name)
    local prefix = one.spec.prefix
    local other = prefix and by_prefix[prefix]
    if other and other.spec.width ~= one.spec.width then
      list[#list + 1] = ("keyspaces '%s' and '%s' both have the prefix '%s', with numbers of %d "
        .. "and %d digits: they are different keys"):format(other.name, name, prefix,
        other.spec.width, one.spec.width)
    end
    if prefix then by_prefix[prefix] = other or one end
  end
  return list
end

return M
