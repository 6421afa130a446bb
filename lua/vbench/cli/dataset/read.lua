--- Datasets for the tools: opened, their values as Lua's.
-- @module vbench.cli.dataset.read
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local schemas = require "vbench.cli.dataset.schemas"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

local Dataset = {}
Dataset.__index = Dataset

--- Options that name the two files apart, for the commands that read a dataset.
M.OPTIONS = {
  { "--schema", type = "path", metavar = "FILE", help = "the schema, where DATASET is not given" },
  { "--data", type = "path", metavar = "FILE", help = "the data that goes with it" },
}

--- The options of a command that reads a dataset.
-- @tparam {table,...} rows its own
-- @treturn {table,...} those, and `OPTIONS` behind them
function M.options(rows)
  for _, row in ipairs(M.OPTIONS) do rows[#rows + 1] = row end
  return rows
end

--- Opens a dataset.
-- @tparam string name BASE, BASE.yaml or BASE.bin, also of the old format; or the schema, with
-- @tparam[opt] string data
-- @treturn table `handle` (vb_dataset *), `schema`, `layout`, `fields` (of schemas.fields),
--   `count`, `query_count`, `neighbors`
-- @raise a failure
function M.open(name, data)
  local out, err = ffi.new("vb_dataset *[1]"), native.new_error()
  work.check(data and C.vb_dataset_open(out, name, data, err)
    or C.vb_dataset_open_base(out, name, err), err)
  local self = setmetatable({ name = name, handle = ffi.gc(out[0], C.vb_dataset_close) }, Dataset)
  self.schema, self.layout = C.vb_dataset_schema(self.handle), C.vb_dataset_layout(self.handle)
  self.fields = schemas.fields(self.schema)
  self.count, self.query_count = tonumber(self.schema.records), tonumber(self.schema.queries)
  self.neighbors = tonumber(self.schema.neighbors)
  self.view = ffi.new("vb_view")
  return self
end

--- The one dataset of a command line.
-- @tparam string command
-- @tparam table args its options: `schema`, `data`
-- @tparam {string,...} operands
-- @treturn table as of `open`
-- @raise a failure
function M.operand(command, args, operands)
  if args.schema or args.data then
    if not (args.schema and args.data) then
      failure.usage("--schema and --data name one dataset together: give both")
    elseif #operands > 0 then
      failure.usage("--schema and --data name a dataset, and so does %s", operands[1])
    end
    return M.open(args.schema, args.data)
  end
  if #operands ~= 1 then
    failure.usage("%s takes one dataset: vbench dataset %s DATASET", command, command)
  end
  return M.open(operands[1])
end

local C_TYPES = {
  int8 = "int8_t", uint8 = "uint8_t", int32 = "int32_t", int64 = "int64_t", uint32 = "uint32_t",
  uint64 = "uint64_t", binary = "uint8_t",
}

local function floats(bytes, dtype, count)
  local kind, list = schemas.dtype(dtype), {}
  local size = tonumber(C.vb_dtype_bytes(kind, 1))
  for i = 0, count - 1 do list[i + 1] = C.vb_number_value(kind, bytes + i * size) end
  return list
end

--- Numbers in a row.
-- @tparam cdata bytes where they lie
-- @tparam string dtype
-- @tparam number count of them; of binary, of the bytes
-- @treturn {number,...} int64 and uint64 as cdata
function M.numbers(bytes, dtype, count)
  local kind, list = C_TYPES[dtype], {}
  if not kind then return floats(bytes, dtype, count) end
  local one = ffi.new(kind .. "[1]")
  local size = ffi.sizeof(one)
  for i = 0, count - 1 do
    ffi.copy(one, bytes + i * size, size)
    list[i + 1] = one[0]
  end
  return list
end

--- The shortest text that reads back the same.
-- @tparam number|cdata value
-- @tparam string dtype
-- @treturn string
function M.number_text(value, dtype)
  if type(value) == "cdata" then return (tostring(value):gsub("U?LL$", "")) end
  local single = (dtype == "float32" or dtype == "float16") and ffi.new("float[1]")
  for digits = single and 6 or 15, 17 do
    local text = ("%%.%dg"):format(digits):format(value)
    if single then single[0] = tonumber(text) end
    if (single and single[0] or tonumber(text)) == value then return text end
  end
  return ("%.17g"):format(value)
end

local function value_of(field, data, length)
  local dtype = ffi.string(C.vb_dtype_name(field.field.dtype))
  if field.type == "vector" then
    local count = dtype == "binary" and length or tonumber(field.field.dimensions)
    return { kind = "vector", dtype = dtype, M.numbers(data, dtype, count) }
  elseif field.type == "numeric" then
    return { kind = "numeric", dtype = dtype, M.numbers(data, dtype, 1) }
  end
  return { kind = field.type, ffi.string(data, length) }
end

--- A field of a record.
-- @tparam number record
-- @tparam table field of `fields`
-- @treturn table `kind` ("vector", "numeric", "text", "tag", "blob"), `dtype`, and the numbers or
--   the text at 1
function Dataset:field(record, field)
  C.vb_dataset_field(self.handle, record, field.index, self.view)
  return value_of(field, self.view.data, tonumber(self.view.length))
end

--- The members of a record of a collection: lists of values, one for each field.
-- @tparam number record
-- @treturn {{table,...},...}
function Dataset:members(record)
  local list = {}
  for member = 0, C.vb_dataset_members(self.handle, record) - 1 do
    local values = {}
    for i, field in ipairs(self.fields) do
      C.vb_dataset_member(self.handle, record, member, field.index, self.view)
      values[i] = value_of(field, self.view.data, tonumber(self.view.length))
    end
    list[member + 1] = values
  end
  return list
end

--- A field of a query; nil when queries do not hold it.
-- @tparam number query
-- @tparam table field of `fields`
-- @treturn ?table as of `field`
function Dataset:query(query, field)
  if self.layout.query_fields[field.index].size == 0 then return nil end
  C.vb_dataset_query(self.handle, query, field.index, self.view)
  return value_of(field, self.view.data, tonumber(self.view.length))
end

local function hash_tag(n)
  n = n % 17576
  return ("{%c%c%c}"):format(65 + math.floor(n / 676), 65 + math.floor(n / 26) % 26, 65 + n % 26)
end

--- A key that a pattern makes (docs/dataset-format.md).
-- @tparam string pattern
-- @tparam number record
-- @treturn string
function M.key_of(pattern, record)
  local text = pattern:gsub("%%(%d*)([d%%])", function(digits, kind)
    if kind == "%" then return "%" end
    return ("%0" .. (tonumber(digits) or 1) .. "d"):format(record)
  end)
  return (text:gsub("{HASHTAG}", hash_tag(record)))
end

--- The key of a record, stored or generated.
-- @tparam number record
-- @treturn string
function Dataset:key(record)
  if self.schema.keys == 0 then
    return M.key_of(ffi.string(C.vb_schema_pattern(self.schema)), record)
  end
  C.vb_dataset_key(self.handle, record, self.view)
  return ffi.string(self.view.data, self.view.length)
end

--- The vector that neighbours are of: the first that the queries hold.
-- @treturn ?table of `fields`
function Dataset:queried_vector()
  for _, field in ipairs(self.fields) do
    if field.type == "vector" and self.layout.query_fields[field.index].size > 0 then
      return field
    end
  end
end

local NONE = 0xffffffffffffffffULL

--- The neighbours of a query.
-- @tparam number query
-- @treturn {number,...} ids, nearest first, up to the first that is none
-- @treturn ?{number,...} their distances, when the dataset has them
function Dataset:neighbors_of(query)
  local ids, distances = {}, self.schema.distances ~= 0 and {} or nil
  for rank = 0, self.neighbors - 1 do
    local id = C.vb_dataset_neighbor(self.handle, query, rank)
    if id == NONE then break end
    ids[rank + 1] = tonumber(id)
    if distances then distances[rank + 1] = C.vb_dataset_distance(self.handle, query, rank) end
  end
  return ids, distances
end

--- Raises when the file was cut short while it was read.
-- @raise a failure
function Dataset:check()
  local err = native.new_error()
  work.check(C.vb_dataset_check(self.handle, err), err)
end

return M
