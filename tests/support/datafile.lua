--- Data files for the tests, put together from Lua values: `f32 f64 i32 u32 u64 u8` numbers, `pad`
-- texts.
local ffi = require "ffi"
local process = require "tests.support.process"

local M = {}

local function number(ctype)
  local array = ffi.typeof(ctype .. "[1]")
  return function(...)
    local out = {}
    for i, value in ipairs { ... } do
      out[i] = ffi.string(array(value), ffi.sizeof(array))
    end
    return table.concat(out)
  end
end

--- Values in a row, little-endian.
M.f32, M.f64, M.i32 = number "float", number "double", number "int32_t"
M.u8, M.u32, M.u64 = number "uint8_t", number "uint32_t", number "uint64_t"

--- A text with NULs behind it up to `width`.
function M.pad(text, width)
  return text .. ("\0"):rep(width - #text)
end

--- A text with its length before it, in a field of `width` bytes.
function M.variable(text, width)
  return M.u32(#text) .. M.pad(text, width)
end

--- Writes BASE.yaml and BASE.bin.
-- @tparam string base path
-- @tparam string schema YAML behind "version: 1"
-- @tparam string data
-- @treturn string base
function M.write(base, schema, data)
  process.write(base .. ".yaml", "version: 1\n" .. schema)
  process.write(base .. ".bin", data)
  return base
end

local PRODUCTS = [[
metadata: { name: products }
record:
  fields:
    - { name: v, type: vector, dimensions: 2 }
    - { name: title, type: text, length: variable, max_bytes: 10 }
    - { name: note, type: text, max_bytes: 6, optional: true }
    - { name: price, type: numeric }
    - { name: raw, type: blob, max_bytes: 3 }
sections:
  records: { count: 4 }
  keys: { max_bytes: 8 }
  queries: { count: 3, query_fields: [v, title] }
  ground_truth: { neighbors_per_query: 2, distances: true }
field_metadata: { v: { distance_metric: cosine } }
]]

local function product(x, title, note, price)
  return M.f32(x, x + 1) .. M.variable(title, 10) .. M.pad(note, 6) .. M.f64(price)
    .. M.pad("b", 3)
end

--- A dataset of four records, the second with an empty key, and three queries.
-- @tparam string base path
-- @treturn string base
function M.products(base)
  local keys = { "k:1", "", "key:three", "k:4" }
  local data = { product(1, "hello", "hi", 12.34), product(3, "lost", "", 1),
    product(5, 'a "b"', "", 0.1), product(7, "", "last", -3e21) }
  for _, key in ipairs(keys) do data[#data + 1] = M.pad(key:sub(1, 8), 8) end
  for i, title in ipairs { "one", "two", "three" } do
    data[#data + 1] = M.f32(i, i) .. M.variable(title, 10)
  end
  data[#data + 1] = M.u64(0, 2, 1, 3) .. ("\255"):rep(8) .. M.u64(1)
  data[#data + 1] = M.f32(0, 0.5, 1, 2, 0, 0)
  return M.write(base, PRODUCTS, table.concat(data))
end

local LONG = [[
record:
  fields:
    - { name: v, type: vector, dimensions: 2048 }
    - { name: text, type: text, length: variable, max_bytes: 20000 }
    - { name: blob, type: blob, max_bytes: 600 }
sections: { records: { count: 40 } }
]]

--- A dataset with values as long as those that are sent from where they lie, and shorter ones: 40
-- records with generated keys.
-- @tparam string base path
-- @treturn string base
function M.long(base)
  local data, lengths = {}, { 0, 100, 600, 8191, 8192, 20000 }
  for i = 1, 40 do
    local text = (("%d-"):format(i)):rep(10000):sub(1, lengths[i % 6 + 1])
    data[#data + 1] = M.f32(i) .. ("\0"):rep(8188) .. M.variable(text, 20000)
      .. M.pad(("b"):rep(i), 600)
  end
  return M.write(base, LONG, table.concat(data))
end

local COLLECTION = [[
record:
  collection:
    type: %s
    max_members: 3
    member: %s
sections:
  records: { count: 3 }
]]

--- A dataset of three lists or sets, the second without members.
-- @tparam string base path
-- @tparam string kind "list" or "set"
-- @tparam ?string more YAML
-- @treturn string base
function M.members(base, kind, more)
  local data = ""
  for _, list in ipairs { { "a", "bb" }, {}, { "ccc", "", "a" } } do
    data = data .. M.u32(#list)
    for i = 1, 3 do data = data .. M.pad(list[i] or "", 4) end
  end
  local schema = COLLECTION:format(kind, "{ type: text, max_bytes: 4 }")
  return M.write(base, (more or "") .. schema, data)
end

--- A dataset of three sorted sets, the second without members.
-- @tparam string base path
-- @treturn string base
function M.zset(base)
  local data = ""
  for _, list in ipairs { { 2.5, "a", 1, "b" }, {}, { -0.25, "c", 1e300, "a", 7, "c" } } do
    data = data .. M.u32(#list / 2)
    for i = 1, 3 do data = data .. M.f64(list[2 * i - 1] or 0) .. M.pad(list[2 * i] or "", 4) end
  end
  local member = "{ fields: [ { name: score, type: numeric }, " ..
    "{ name: value, type: text, max_bytes: 4 } ] }"
  return M.write(base, COLLECTION:format("zset", member), data)
end

return M
