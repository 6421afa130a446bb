--- `vbench dataset extend`: more records, which change no query's nearest neighbours.
-- @module vbench.cli.dataset.extend
local copies = require "vbench.cli.dataset.copy"
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local read = require "vbench.cli.dataset.read"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

M.summary = "make a larger dataset by shifting copies of its vectors"
M.usage = "[options] DATASET -o BASE"
M.about = [[
Appends copies of the records until there are as many as asked for. The vectors of a copy are
shifted past the diameter of the data along one axis, another one for each copy, so that they lie
together as before and, by l2, never among a query's nearest neighbours. By ip the ground truth is
computed again. Vectors that are compared by cosine are refused: a shift turns them. Stored keys of
copies get a colon and the copy's number behind them.]]
M.example = "vbench dataset extend datasets/sift --records 10m -o datasets/sift-large"

M.options = read.options {
  { "-n/--records", type = "count", least = 1, metavar = "N",
    help = "records that there will be" },
  { "-o/--output", type = "path", metavar = "BASE", help = "write BASE.yaml and BASE.bin" },
  { "-q/--quiet", type = "flag", help = "no progress" },
}

local C_TYPES = {
  float32 = "float", float64 = "double", int8 = "int8_t", uint8 = "uint8_t", int32 = "int32_t",
  int64 = "int64_t", uint32 = "uint32_t", uint64 = "uint64_t",
}
-- The greatest value to shift to, where steps are still fine.
local MOST = {
  float32 = 2 ^ 127, float64 = 2 ^ 1023, int8 = 127, uint8 = 255, int32 = 2 ^ 31 - 1,
  int64 = 2 ^ 53, uint32 = 2 ^ 32 - 1, uint64 = 2 ^ 53,
}

local function vectors_of(dataset)
  local list = {}
  for _, field in ipairs(dataset.fields) do
    if field.type == "vector" then
      local dtype = ffi.string(C.vb_dtype_name(field.field.dtype))
      list[#list + 1] = { field = field, dtype = dtype, pointer = ffi.typeof("$ *",
        ffi.typeof(C_TYPES[dtype] or "uint8_t")), dimensions = tonumber(field.field.dimensions),
        number = field.field.dtype, size = tonumber(C.vb_dtype_bytes(field.field.dtype, 1)),
        offset = tonumber(dataset.layout.fields[field.index].offset) }
    end
  end
  return list
end

local function check(args, dataset, vectors)
  if not args.records then failure.usage("extend needs --records N") end
  if args.records < dataset.count then
    failure.usage("--records %d: %s has %d; vbench dataset subset takes fewer", args.records,
      dataset.name, dataset.count)
  end
  if dataset.schema.collection ~= 0 then
    failure.usage("%s: its records are collections; extend shifts the vectors of fields",
      dataset.name)
  elseif #vectors == 0 then
    failure.usage("%s has no vector to shift", dataset.name)
  end
  for _, vector in ipairs(vectors) do
    if vector.field.field.distance == C.VB_DISTANCE_COSINE then
      failure.usage("%s: '%s' is compared by cosine, and a shifted vector has another direction",
        dataset.name, vector.field.name)
    elseif not C_TYPES[vector.dtype] then
      failure.usage("%s: '%s' is of %s, which cannot be shifted", dataset.name, vector.field.name,
        vector.dtype)
    end
  end
end

-- --- how far -----------------------------------------------------------------------------------

local function widen(vector, low, high, bytes)
  for i = 0, vector.dimensions - 1 do
    local value = C.vb_number_value(vector.number, bytes + i * vector.size)
    if value < low[i] then low[i] = value end
    if value > high[i] then high[i] = value end
  end
end

local function widen_by_queries(dataset, vector, low, high)
  if dataset.layout.query_fields[vector.field.index].size == 0 then return end
  for query = 0, dataset.query_count - 1 do
    C.vb_dataset_query(dataset.handle, query, vector.field.index, dataset.view)
    widen(vector, low, high, dataset.view.data)
  end
end

-- A shift that no distance within the data, or from a query to it, comes near: twice the diagonal
-- of the box around both.
local function measure(copy, vector)
  local dataset, dimensions = copy.from, vector.dimensions
  local low, high = ffi.new("double[?]", dimensions), ffi.new("double[?]", dimensions)
  for i = 0, dimensions - 1 do low[i], high[i] = math.huge, -math.huge end
  copy:each(dataset.count, function(record)
    widen(vector, low, high, copy.records + record * copy.record_size + vector.offset)
  end)
  widen_by_queries(dataset, vector, low, high)
  local sum, most = 0, -math.huge
  for i = 0, dimensions - 1 do
    sum, most = sum + (high[i] - low[i]) ^ 2, math.max(most, high[i])
  end
  vector.shift, vector.most = math.ceil(2.001 * math.sqrt(sum)) + 1, most
end

-- Copy 1 goes along the first axis, copy 2 along the second; after the last, twice as far.
local function shift_of(vector, number)
  local axis = (number - 1) % vector.dimensions
  return axis, vector.shift * (math.floor((number - 1) / vector.dimensions) + 1)
end

local function check_room(dataset, vector, last)
  local _, far = shift_of(vector, math.max(last, 1))
  if vector.most + far > MOST[vector.dtype] then
    failure.usage("%s: '%s' would be shifted by %g, which %s cannot hold", dataset.name,
      vector.field.name, far, vector.dtype)
  end
end

-- --- records -----------------------------------------------------------------------------------

local function append(copy, vectors, number)
  local dataset = copy.from
  local record, which = number % dataset.count, math.floor(number / dataset.count)
  if which == 0 then return copy:record(record) end
  local room = C.vb_writer_room(copy.writer, C.VB_SECTION_RECORDS, copy.record_size, copy.err)
  if room == nil then work.check(C.VB_EIO, copy.err) end
  ffi.copy(room, copy.records + record * copy.record_size, copy.record_size)
  for _, vector in ipairs(vectors) do
    local axis, far = shift_of(vector, which)
    local to = room + vector.offset
    local values = ffi.cast(vector.pointer, to)
    if vector.dtype:find("^float") then
      values[axis] = C.vb_number_value(vector.number, to + axis * vector.size) + far
    else
      values[axis] = values[axis] + far
    end
  end
  copy:key(record, ":" .. which)
end

-- Room for what stands behind the keys of copies.
local function widen_keys(schema, last)
  if schema.keys ~= 0 then schema.key_bytes = schema.key_bytes + #tostring(last) + 1 end
end

-- Whether the neighbours of before are still the nearest.
local function keeps_truth(dataset, vectors)
  for _, vector in ipairs(vectors) do
    if vector.field.field.distance == C.VB_DISTANCE_IP then return false end
  end
  return dataset.neighbors <= dataset.count and dataset.schema.filter == nil
end

local function fill(dataset, args, to, vectors, truth)
  local last = math.ceil(args.records / dataset.count) - 1
  local copy = copies.new(dataset, to, function(schema)
    widen_keys(schema, last)
    if truth then return end
    schema.neighbors, schema.distances = 0, 0
    C.vb_schema_set(schema, C.VB_SCHEMA_FILTER, nil, nil)
  end, args.quiet)
  for _, vector in ipairs(vectors) do
    measure(copy, vector)
    check_room(dataset, vector, last)
  end
  copy:each(args.records, function(number) append(copy, vectors, number) end)
  copy:queries(dataset.query_count, truth)
  copy:finish()
end

--- Makes it.
-- @tparam table args values of `options`
-- @tparam {string,...} operands the dataset
-- @treturn number exit code
-- @raise a failure
function M.run(args, operands)
  local dataset = read.operand("extend", args, operands)
  local vectors = vectors_of(dataset)
  check(args, dataset, vectors)
  local base, truth = copies.output("extend", args), dataset.neighbors > 0
  local keeps = keeps_truth(dataset, vectors)
  if truth and not keeps then
    copies.with_truth(base, copies.truth_options(dataset, args.records, args.quiet), function(to)
      fill(dataset, args, to, vectors, false)
    end)
  else
    fill(dataset, args, base, vectors, truth)
  end
  print(("%s.yaml, %s.bin: %d records, %d of them shifted%s"):format(base, base, args.records,
    args.records - dataset.count, truth and (keeps and ", ground truth as before"
    or ", ground truth recomputed") or ""))
  return 0
end

return M
