--- Generators: what an argument's bytes are made from, for each operation anew.
-- Every number and size may be a vb.param. With `from = "id"` the content is a function of the
-- run's seed and the operation's id alone, so that `vb.verify()` can make it again.
-- @api vbench.generators
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local units = require "vbench.units"

local M = {}

local INT_MAX = 2 ^ 53
local DISTRIBUTIONS = {
  uniform = true, zipfian = true, normal = true, exponential = true, sequential = true,
  constant = true, from_id = true,
}
local DTYPES = {
  float32 = true, float16 = true, float64 = true, int8 = true, uint8 = true, int32 = true,
  int64 = true, uint32 = true, uint64 = true, binary = true,
}
local FORMATS = { unix = true, iso = true, date = true }
local NUMBER_FIELDS = {
  min = "number", max = "number", dist = "string", skew = "number", mean = "number",
  deviation = "number", lambda = "number", decimals = "number",
}

local function generator(what, spec)
  return { kind = "generator", what = what, spec = spec }
end

local function read_from(given, spec, where)
  if given.from == nil then return end
  if given.from ~= "id" then
    fault.raise("field 'from' of %s is '%s'; it takes \"id\"", where, given.from)
  end
  spec.from_id = true
end

local function size(value, what)
  if fields.kind(value) == "param" then return value end
  local bytes, message = units.size(value)
  if not bytes then fault.raise("%s: %s", what, message) end
  return bytes
end

-- A number, or { min =, max = }, into spec.min and spec.max.
local function read_range(value, spec, where, read)
  local from, to = value, value
  if type(value) == "table" and not fields.kind(value) then
    fields.refuse_unknown(value, { min = true, max = true }, where)
    from, to = value.min, value.max
    if from == nil or to == nil then fault.raise("%s: a range takes min and max", where) end
  end
  spec.min, spec.max = read(from, "the size of " .. where), read(to, "the size of " .. where)
  if type(spec.min) == "number" and type(spec.max) == "number" and spec.min > spec.max then
    fault.raise("%s: min %d is above max %d", where, spec.min, spec.max)
  end
end

local function weight(value, where)
  return object.number(value, "a weight of " .. where, { above = 0, max = math.huge })
end

local function read_weights(weights, where)
  local out = {}
  if type(weights) ~= "table" or next(weights) == nil then
    fault.raise("%s: weights takes a table of [size] = weight", where)
  end
  for key, value in pairs(weights) do
    out[#out + 1] = { size = size(key, where), weight = weight(value, where) }
  end
  table.sort(out, function(a, b) return a.size < b.size end)
  return out
end

--- Printable bytes.
-- @function vb.bytes
-- @tparam number|string|table|param how_many bytes ("1KB"), `{min=, max=}` (uniform), or
--   `{weights = {[size] = weight}}`
-- @tparam ?table options `compressible` (0 to 1: the share that repeats; 0), `from = "id"`
-- @treturn generator
function M.bytes(how_many, options)
  local given = fields.read(options or {}, { compressible = "number", from = "string" }, "vb.bytes",
    { params = true })
  local spec = {
    compressible = object.number(given.compressible or 0, "compressible of vb.bytes",
      { min = 0, max = 1 }),
  }
  read_from(given, spec, "vb.bytes")
  if type(how_many) == "table" and not fields.kind(how_many) and how_many.weights then
    fields.refuse_unknown(how_many, { weights = true }, "vb.bytes")
    spec.sizes = read_weights(how_many.weights, "vb.bytes")
  else
    if how_many == nil then fault.raise("vb.bytes takes a size: vb.bytes \"1KB\"") end
    read_range(how_many, spec, "vb.bytes", size)
  end
  return generator("bytes", spec)
end

--- The operation's id, in decimal.
-- @function vb.id
-- @treturn generator
function M.id()
  return generator("id", {})
end

local REQUIRED = { exponential = "lambda" }

local function read_distribution(spec, where)
  local range = { min = -INT_MAX, max = INT_MAX }
  spec.dist = fields.choose(spec.dist or "uniform", DISTRIBUTIONS, "field 'dist' of " .. where)
  object.number(spec.min, "min of " .. where, range)
  object.number(spec.max, "max of " .. where, range)
  if type(spec.min) == "number" and type(spec.max) == "number" and spec.min > spec.max then
    fault.raise("%s: min %s is above max %s", where, spec.min, spec.max)
  end
  local need = REQUIRED[spec.dist]
  if need and spec[need] == nil then
    fault.raise("%s: dist = \"%s\" needs %s", where, spec.dist, need)
  end
  if spec.dist == "zipfian" then spec.skew = spec.skew or 0.99 end
  if spec.skew then object.number(spec.skew, "skew of " .. where, { above = 0 }) end
  if spec.lambda then object.number(spec.lambda, "lambda of " .. where, { above = 0 }) end
  if spec.deviation then object.number(spec.deviation, "deviation of " .. where, { above = 0 }) end
end

local OF = { skew = "zipfian", mean = "normal", deviation = "normal", lambda = "exponential" }

local function refuse_unused(spec, where)
  for _, name in ipairs { "skew", "mean", "deviation", "lambda" } do
    if spec[name] ~= nil and spec.dist ~= OF[name] then
      fault.raise("field '%s' of %s goes with dist = \"%s\"", name, where, OF[name])
    end
  end
end

--- A whole number.
-- @function vb.int
-- @tparam table given `min`, `max` (inclusive, required; `dist = "constant"` takes min alone),
--   `dist` ("uniform" unless given: uniform zipfian normal exponential sequential constant
--   from_id), `skew` (zipfian, 0.99), `mean` and `deviation` (normal; middle and a sixth of the
--   range), `lambda` (exponential)
-- @treturn generator
function M.int(given)
  local known = object.copy(NUMBER_FIELDS)
  known.decimals = nil
  local spec = fields.read(given, known, "vb.int", { params = true })
  if spec.dist == "constant" then spec.max = spec.max or spec.min end
  if spec.min == nil or spec.max == nil then fault.raise("vb.int needs min and max") end
  for _, name in ipairs { "min", "max" } do
    object.number(spec[name], name .. " of vb.int",
      { integer = true, min = -INT_MAX, max = INT_MAX })
  end
  read_distribution(spec, "vb.int")
  refuse_unused(spec, "vb.int")
  return generator("int", spec)
end

--- A number with digits behind the point.
-- @function vb.float
-- @tparam ?table given as vb.int's, min 0 and max 1 unless given; `decimals` (6)
-- @treturn generator
function M.float(given)
  local spec = fields.read(given or {}, NUMBER_FIELDS, "vb.float", { params = true })
  spec.min = spec.min or 0
  spec.max = spec.max or (spec.dist == "constant" and spec.min or 1)
  spec.decimals = object.number(spec.decimals or 6, "decimals of vb.float",
    { min = 0, max = 17, integer = true })
  read_distribution(spec, "vb.float")
  refuse_unused(spec, "vb.float")
  return generator("float", spec)
end

--- The time of writing.
-- @function vb.timestamp
-- @tparam ?table given `format`: "unix" (seconds, unless given), "iso" (ISO 8601, UTC), "date"
-- @treturn generator
function M.timestamp(given)
  local spec = fields.read(given or {}, { format = "string" }, "vb.timestamp")
  spec.format = fields.choose(spec.format or "unix", FORMATS, "field 'format' of vb.timestamp")
  return generator("timestamp", spec)
end

--- The time at which the request was put together, for `vb.age()` to find in a reply or a message:
-- 22 bytes, the wall clock to the nanosecond. It is read for each stamp, just before the write; in
-- a pipeline by as much as the other requests of the same write take. A write that has to wait for
-- the server to take more bytes is part of the age.
-- @function vb.stamp
-- @treturn generator
function M.stamp()
  return generator("stamp", {})
end

local function read_choice(one, where)
  local kind = type(one)
  if kind == "string" or kind == "number" then return { value = one, weight = 1 } end
  if kind ~= "table" or #one ~= 2 or (type(one[2]) ~= "string" and type(one[2]) ~= "number") then
    fault.raise("%s takes values, or { weight, value } pairs", where)
  end
  return { value = one[2], weight = weight(one[1], where) }
end

--- One of several values.
-- @function vb.choice
-- @tparam table list strings and numbers, or `{weight, value}` pairs; `from = "id"`
-- @treturn generator
function M.choice(list)
  if type(list) ~= "table" then fault.raise("vb.choice takes a list of values") end
  fields.refuse_unknown(list, { from = true }, "vb.choice")
  local spec = { choices = {} }
  read_from(list, spec, "vb.choice")
  local length = fields.length(list, "vb.choice")
  if length == 0 then fault.raise("vb.choice takes at least one value") end
  for i = 1, length do spec.choices[i] = read_choice(list[i], "vb.choice") end
  return generator("choice", spec)
end

--- Several tags, each independently with its percentage, joined by a separator.
-- @function vb.tags
-- @tparam table tags name -> percentage, 0 to 100
-- @tparam ?table options `separator` (","), `from = "id"`
-- @treturn generator
function M.tags(tags, options)
  local given = fields.read(options or {}, { separator = "string", from = "string" }, "vb.tags")
  local spec = { choices = {}, separator = given.separator or "," }
  read_from(given, spec, "vb.tags")
  if type(tags) ~= "table" or next(tags) == nil then
    fault.raise("vb.tags takes a table of tag = percentage")
  end
  for _, name in ipairs(fields.names(tags)) do
    local share = tags[name]
    object.number(share, ("the percentage of tag '%s'"):format(name), { min = 0, max = 100 })
    spec.choices[#spec.choices + 1] = { value = name, weight = share }
  end
  return generator("tags", spec)
end

--- A vector of random numbers: its bytes, or an array inside vb.json.
-- @function vb.vector
-- @tparam table given `dim` (required), `dtype` ("float32"; float16 float64 int8 uint8 int32 int64
--   uint32 uint64 binary), `from = "id"`
-- @treturn generator
function M.vector(given)
  local spec = fields.read(given, { dim = "count", dtype = "string", from = "string" }, "vb.vector",
    { params = true })
  read_from(spec, spec, "vb.vector")
  spec.from = nil
  if spec.dim == nil then fault.raise("vb.vector needs dim: how many numbers it has") end
  object.number(spec.dim, "dim of vb.vector", { min = 1, max = 2 ^ 20, integer = true })
  spec.dtype = fields.choose(spec.dtype or "float32", DTYPES, "field 'dtype' of vb.vector")
  return generator("vector", spec)
end

local function word_count(value, what)
  return object.number(value, what, { min = 1, max = 2 ^ 20, integer = true })
end

--- Random words with spaces between them.
-- @function vb.text
-- @tparam table given `words`: how many, or `{min=, max=}`; `from = "id"`
-- @treturn generator
function M.text(given)
  if type(given) ~= "table" or fields.kind(given) then
    fault.raise("vb.text takes a table: vb.text { words = 20 }")
  end
  fields.refuse_unknown(given, { words = true, from = true }, "vb.text")
  if given.words == nil then fault.raise("vb.text needs words: how many") end
  local spec = {}
  read_from(given, spec, "vb.text")
  read_range(given.words, spec, "vb.text", word_count)
  return generator("text", spec)
end

return M
