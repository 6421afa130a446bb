--- Lowers a cursor to C, params as they are now.
-- @module vbench.lower_cursor
local cursor = require "vbench.cursor"
local registry = require "vbench.registry"
local tracker = require "vbench.tracker"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local ORDERS = {
  sequential = C.VB_ORDER_SEQUENTIAL, uniform = C.VB_ORDER_UNIFORM, shuffled = C.VB_ORDER_SHUFFLED,
}
local SHAPES = {
  uniform = C.VB_SHAPE_UNIFORM, zipfian = C.VB_SHAPE_ZIPFIAN,
  exponential = C.VB_SHAPE_EXPONENTIAL, normal = C.VB_SHAPE_NORMAL,
  hotspot = C.VB_SHAPE_HOTSPOT, latest = C.VB_SHAPE_LATEST,
}
local FILTERS = {
  existing = C.VB_PRESENCE_EXISTING, missing = C.VB_PRESENCE_MISSING, ratio = C.VB_PRESENCE_RATIO,
}
local PARAMETERS = { "skew", "lambda", "mean", "deviation", "share", "probability" }

local function hash(seed, text)
  return C.vb_hash(seed, text, #text)
end

local function fill_distribution(c, spec, number)
  c.shape, c.scatter = SHAPES[spec.order] or C.VB_SHAPE_UNIFORM, spec.scatter and 1 or 0
  for _, name in ipairs(PARAMETERS) do
    if spec[name] then c[name] = number(spec[name], ("the %s of a cursor"):format(name)) end
  end
end

local function fill_filters(c, spec, number)
  local subs = spec.keyspace.subs or 1 -- a range is of ids, with all of their sub-ids
  if spec.first then c.first = number(spec.first, "the start of a range") * subs end
  if spec.last then c.last = number(spec.last, "the end of a range") * subs end
  if spec.only then c.only = spec.only.handle end
  if spec.except then c.except = spec.except.handle end
  if spec.sample then c.sample = number(spec.sample, "the sample of a cursor") end
  if spec.overlap then c.overlap = number(spec.overlap, "overlapping of a cursor") end
  c.by_slots = spec.by_slots and 1 or 0
  if spec.part then
    c.part = number(spec.part, "the share of a cursor") - 1
    c.parts = number(spec.parts, "the number of shares of a cursor")
  end
end

-- What the commands of the script do with a keyspace: `claims`, and whether something `reads` which
-- ids exist or removes some, or claims go round.
local function uses_of(keyspace)
  local claims, reads = false, false
  for _, name in ipairs(registry.names("command")) do
    local command = registry.get("command", name)
    local removes = command.spec.tracks == "remove" or command.spec.tracks == "observe"
    for _, value in ipairs(command.spec.arguments) do
      cursor.each(value, function(spec)
        if spec.keyspace ~= keyspace then return end
        claims = claims or spec.claim
        reads = reads or removes or spec.filter or (spec.claim and spec.wrap)
      end)
    end
  end
  return claims, reads
end

-- One bit an id is enough until claims meet draws of existing ids.
local function prepare_tracker(keyspace)
  local handle, err = tracker.of(keyspace), vbffi.new_error()
  local claims, reads = uses_of(keyspace)
  if not (claims and reads) then return end
  local fine, message = vbffi.check(C.vb_tracker_split(handle, err), err)
  if not fine then error(message, 0) end
end

local function fill_tracking(c, spec, number)
  c.claim = spec.claim and 1 or 0
  if spec.filter then c.filter = FILTERS[spec.filter] end
  if spec.ratio then c.ratio = number(spec.ratio, "the ratio of existing_ratio") end
  if spec.claim or spec.filter then prepare_tracker(spec.keyspace) end
end

--- Makes the C object of a cursor.
-- Cursors over one keyspace scatter and shuffle alike, so that the hot ids of one command are those
-- of another.
-- @tparam table spec of a cursor, which outlives the object
-- @param seed of the run
-- @tparam function number gets a number or param and what it is; its value now
-- @treturn ?cdata vb_cursor*
-- @treturn ?string what C finds wrong, naming the keyspace
function M.new(spec, seed, number)
  local c, err = ffi.new("vb_cursor_spec"), vbffi.new_error()
  local own = spec.seed and number(spec.seed, "a seed") or seed
  c.order, c.wrap = ORDERS[spec.order] or C.VB_ORDER_DRAWN, spec.wrap and 1 or 0
  fill_distribution(c.distribution, spec, number)
  fill_filters(c, spec, number)
  fill_tracking(c, spec, number)
  if spec.limit then c.limit = number(spec.limit, "the limit of a cursor") end
  c.seed = hash(own, "scatter " .. spec.keyspace.name)
  c.distribution.seed = c.seed
  local out = ffi.new("vb_cursor *[1]")
  local fine, message = vbffi.check(C.vb_cursor_new(out, spec.keyspace.handle, c, err), err)
  if not fine then return nil, message end
  return ffi.gc(out[0], C.vb_cursor_free)
end

return M
