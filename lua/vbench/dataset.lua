--- Datasets: a schema and its data, mapped once for all threads.
-- @api vbench.dataset
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local keyspace = require "vbench.keyspace"
local nearest = require "vbench.nearest"
local registry = require "vbench.registry"
local session = require "vbench.session"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local GIVEN = { schema = "string", data = "string", name = "string", prefix = "string" }
local ORDERS = { uniform = true, sequential = true }

-- A copy of `view` as a string.
local function text_of(view)
  return view.data == nil and "" or ffi.string(view.data, view.length)
end

-- Fields

local function describe_field(handle, index)
  local c = C.vb_dataset_schema(handle).fields[index]
  local vector = c.type == C.VB_FIELD_VECTOR
  local bytes = c.type > C.VB_FIELD_NUMERIC
  return {
    name = ffi.string(c.name), index = index,
    type = ffi.string(C.vb_field_type_name(c.type)),
    dtype = not bytes and ffi.string(C.vb_dtype_name(c.dtype)) or nil,
    dim = vector and tonumber(c.dimensions) or nil,
    metric = vector and ffi.string(C.vb_distance_name(c.distance)) or nil,
    optional = c.optional ~= 0, variable = bytes and c.variable ~= 0 or nil,
    max_bytes = bytes and tonumber(c.max_bytes) or nil,
    index_type = c.index_type ~= 0 and ffi.string(C.vb_index_type_name(c.index_type)) or nil,
  }
end

-- A list of the fields that `wanted` takes, which also has them by name.
local function list_fields(handle, wanted)
  local list = {}
  for index = 0, C.vb_dataset_schema(handle).field_count - 1 do
    if wanted(index) then
      local field = describe_field(handle, index)
      list[#list + 1] = field
      if field.name ~= "" then list[field.name] = field end
    end
  end
  return list
end

local function names_of(list)
  local names = {}
  for i, field in ipairs(list) do names[i] = field.name end
  return names
end

local function find(self, list, name, what)
  local field = type(name) == "string" and list[name]
  if field then return field end
  fault.raise("dataset '%s' has no %s '%s'%s", self.name, what, tostring(name),
    nearest.hint(tostring(name), names_of(list)))
end

-- Parts of commands

local function part(self, what, field, more)
  local spec = { dataset = self, field = field }
  for name, value in pairs(more or {}) do spec[name] = value end
  return { kind = "field", what = what, spec = spec }
end

local function record_part(self, name, mode, raw)
  local wrap = mode == "wrap"
  if mode ~= nil and not wrap then
    fault.raise("ds.record(name, mode) takes \"wrap\" as its mode, not %s",
      type(mode) == "string" and ("'%s'"):format(mode) or fields.describe(mode))
  end
  if self.collection then
    if name == "members" then return part(self, "members", nil, { wrap = wrap }) end
    fault.raise("the records of dataset '%s' are a %s: there is ds.record.members, and no '%s'",
      self.name, self.collection, tostring(name))
  end
  local field = find(self, self.fields, name, "field")
  return part(self, "record", field.name, { wrap = wrap, raw = raw })
end

local function query_part(self, name, options)
  local given = fields.read(options or {}, { order = "string" }, "ds:query")
  if self.query_count == 0 then fault.raise("dataset '%s' has no queries", self.name) end
  if given.order then fields.choose(given.order, ORDERS, "the order of ds:query") end
  local field = find(self, self.query_fields, name, "query field")
  return part(self, "query", field.name, { order = given.order or "uniform" })
end

-- `ds.record.price` and `ds.record("price", "wrap")`.
local function access(self, raw)
  return setmetatable({}, {
    __index = function(_, name)
      local made = record_part(self, name, nil, raw)
      return made
    end,
    __call = function(_, name, mode)
      local made = record_part(self, name, mode, raw)
      return made
    end,
  })
end

-- `ds.query.price` and `ds:query("price", { order = "sequential" })`.
local function query_access(self)
  return setmetatable({}, {
    __index = function(_, name)
      local made = query_part(self, name)
      return made
    end,
    __call = function(_, dataset, name, options)
      if dataset ~= self then fault.raise("write ds:query(name, options), with a colon") end
      local made = query_part(self, name, options)
      return made
    end,
  })
end

-- Reading

local view = ffi.new("vb_view")

-- A value as Lua has it: a number of a numeric field, else its bytes.
local function value_of(field)
  if field.type ~= "numeric" then return text_of(view) end
  return C.vb_number_value(C.vb_dtype_find(field.dtype, #field.dtype), view.data)
end

local function check_number(self, number, count, what)
  if type(number) == "number" and number >= 0 and number < count and number % 1 == 0 then return end
  fault.raise("dataset '%s' has no %s %s: they are 0 to %d", self.name, what, tostring(number),
    count - 1)
end

local function read_members(self, number)
  local list = {}
  for member = 0, C.vb_dataset_members(self.handle, number) - 1 do
    local values = {}
    for i, field in ipairs(self.fields) do
      C.vb_dataset_member(self.handle, number, member, field.index, view)
      values[i] = value_of(field)
    end
    list[member + 1] = self.collection == "zset" and { score = values[1], value = values[2] }
      or values[1]
  end
  return list
end

local methods = {}

--- A record: of fields, name -> value (numbers of numerics, bytes of everything else); of a
-- collection, the list of its members (of a zset, tables of `score` and `value`).
-- @function dataset:record
-- @tparam number i from 0
-- @treturn table
function methods.record(self, i)
  check_number(self, i, self.count, "record")
  if self.collection then return read_members(self, i) end
  local out = {}
  for _, field in ipairs(self.fields) do
    C.vb_dataset_field(self.handle, i, field.index, view)
    out[field.name] = value_of(field)
  end
  return out
end

--- The key of a record.
-- @function dataset:key
-- @tparam number i from 0
-- @treturn string "" for a stored key that is empty
function methods.key(self, i)
  check_number(self, i, self.count, "record")
  local keys = self.keys.handle
  local to = ffi.new("char[?]", C.vb_keyspace_key_max(keys) + 1)
  return ffi.string(to, C.vb_keyspace_write(keys, i, to))
end

--- A query: name -> value, as in a record.
-- @function dataset:query_record
-- @tparam number q from 0
-- @treturn table
function methods.query_record(self, q)
  check_number(self, q, self.query_count, "query")
  local out = {}
  for _, field in ipairs(self.query_fields) do
    C.vb_dataset_query(self.handle, q, field.index, view)
    out[field.name] = value_of(field)
  end
  return out
end

--- The nearest neighbours of a query, by the dataset's ground truth.
-- @function dataset:neighbors
-- @tparam number q from 0
-- @treturn {number,...} numbers of records, nearest first
-- @treturn ?table list of their distances, when the dataset has them
function methods.neighbors(self, q)
  check_number(self, q, self.query_count, "query")
  local ids, distances = {}, self.has_distances and {} or nil
  for rank = 0, self.neighbors_per_query - 1 do
    local id = tonumber(C.vb_dataset_neighbor(self.handle, q, rank))
    if id < self.count then
      ids[#ids + 1] = id
      if distances then
        distances[#ids] = C.vb_dataset_distance(self.handle, q, rank)
      end
    end
  end
  return ids, distances
end

--- The records that the ground truth names, of all queries: what must be there for its recall to
-- mean anything, to be protected and covered.
-- @function dataset:truth_ids
-- @treturn reference_set ids of `ds.keys`
-- @raise when the dataset has no ground truth
function methods.truth_ids(self)
  local set = require("vbench.reference_set").of_truth(self)
  return set
end

--- The numbers of the queries, 0 to `query_count` - 1: what is to be there in a keyspace that holds
-- one key for each query.
-- @function dataset:query_ids
-- @treturn reference_set
-- @raise when the dataset has no queries
function methods.query_ids(self)
  local set = require("vbench.reference_set").of_queries(self)
  return set
end

-- Two names have two meanings: as ds.record.price a part of a command, as ds:record(i) a reader.
local function record_access(self)
  local parts = access(self, false)
  return setmetatable({}, {
    __index = parts,
    __call = function(_, first, second)
      if first ~= self then return parts(first, second) end
      local record = methods.record(self, second)
      return record
    end,
  })
end

local class = {
  __index = function(self, name)
    local method = methods[name]
    if method then return method end
    local names = fields.names(methods)
    for field in pairs(self) do names[#names + 1] = field end
    table.sort(names)
    fault.raise("a dataset has no '%s'%s", tostring(name), nearest.hint(tostring(name), names))
  end,
}

-- Declaring

-- What the command line says.
local function of_arguments()
  local args = session.args
  for _, name in ipairs { "dataset", "schema", "data", "key_prefix" } do
    session.used[name] = true
  end
  if not args.dataset and not (args.schema and args.data) then
    fault.raise("which dataset? Give --dataset BASE, or --schema FILE and --data FILE")
  end
  if args.dataset and (args.schema or args.data) then
    fault.raise("--dataset names both files: it excludes --schema and --data")
  end
  return { path = args.dataset, schema = args.schema, data = args.data,
           prefix = session.given.key_prefix and args.key_prefix or nil }
end

local function read_given(given)
  if given == nil then return of_arguments() end
  if type(given) == "string" then return { path = given } end
  local spec = fields.read(given, GIVEN, "vb.dataset", { positional = true })
  spec.path = given[1]
  if spec.path ~= nil and type(spec.path) ~= "string" then
    fault.raise("vb.dataset takes the path of a dataset, not %s", fields.describe(spec.path))
  end
  if (spec.path == nil) == (spec.schema == nil or spec.data == nil) then
    fault.raise("vb.dataset takes a path, or schema = and data =")
  end
  return spec
end

local function open(spec)
  local out, err = ffi.new("vb_dataset *[1]"), vbffi.new_error()
  local status
  if spec.path then
    status = C.vb_dataset_open_base(out, spec.path, err)
  else
    status = C.vb_dataset_open(out, spec.schema, spec.data, err)
  end
  local opened, message = vbffi.check(status, err)
  if not opened then fault.raise("%s", message) end
  local handle = ffi.gc(out[0], C.vb_dataset_close)
  local excess = tonumber(C.vb_dataset_excess(handle))
  if excess > 0 then
    io.stderr:write(("vbench: warning: %s has %d bytes more than its schema says\n")
      :format(ffi.string(C.vb_dataset_path(handle)), excess))
  end
  return handle
end

-- Main's mapping in a worker's state; else one's own.
local function handle_of(spec)
  local number = session.role == "worker" and session.datasets[spec.name]
  local shared = number and C.vb_shared_object(session.shared, C.VB_SHARED_DATASET, number)
  if shared and shared ~= nil then return ffi.cast("vb_dataset *", shared) end
  return open(spec)
end

local function key_spec(self, schema)
  local spec = { name = self.name, size = self.count, prefix = self.spec.prefix }
  if spec.prefix then return spec end
  spec.stored = schema.keys ~= 0 or nil
  if not spec.stored then spec.pattern = ffi.string(C.vb_schema_pattern(schema)) end
  return spec
end

local function fill(self)
  local handle, schema = self.handle, C.vb_dataset_schema(self.handle)
  local collection = schema.collection ~= 0
  self.count, self.query_count = tonumber(schema.records), tonumber(schema.queries)
  self.fields = list_fields(handle, function() return true end)
  self.query_fields = list_fields(handle, function(index)
    return C.vb_dataset_layout(handle).query_fields[index].size > 0
  end)
  self.collection = collection and ffi.string(C.vb_collection_name(schema.collection)) or false
  self.load = ffi.string(C.vb_load_name(C.vb_schema_load(schema)))
  self.neighbors_per_query = tonumber(schema.neighbors)
  self.has_distances = schema.distances ~= 0 and self.neighbors_per_query > 0
  self.metric, self.dim = false, false
  for _, field in ipairs(self.fields) do
    if field.type == "vector" and not self.metric then
      self.metric, self.dim = field.metric, field.dim
    end
  end
end

--- Declares a dataset: a schema and its data.
-- @function vb.dataset
-- @tparam ?string|table given the one of the command line (`--dataset`, or `--schema` and `--data`;
--   with `--key-prefix`), unless given: a path (BASE, BASE.yaml or BASE.bin), or a table: the
--   path, or `schema` and `data` (files); `name` (the file's, unless given); `prefix`: keys are
--   prefix and number, whatever the dataset says
-- @treturn dataset with `count`, `query_count`, `fields` and `query_fields` (lists, and by name),
--   `metric` and `dim` (of the first vector), `keys` (a keyspace), `record`, `raw`, `query`
-- @raise what is wrong with the schema (file, line, column) or the data
function M.declare(given, more)
  registry.need_loading("vb.dataset")
  if more ~= nil then
    fault.raise('vb.dataset takes one argument: a path, or a table, { "products", prefix = "p:" }')
  end
  local spec = read_given(given)
  spec.name = spec.name or (spec.path or spec.schema):gsub("%.yaml$", ""):gsub("%.bin$", "")
    :match("[^/]*$")
  local known = registry.get("dataset", spec.name)
  if known and known.spec.path == spec.path and known.spec.schema == spec.schema
    and known.spec.data == spec.data and known.spec.prefix == spec.prefix then
    return known
  end
  local self = { kind = "dataset", name = spec.name, spec = spec, clamped = 0 }
  registry.add("dataset", spec.name, self)
  self.handle = handle_of(spec)
  fill(self)
  self.keys = keyspace.of_dataset(key_spec(self, C.vb_dataset_schema(self.handle)), self.handle)
  self.record, self.raw = record_access(self), access(self, true)
  self.query = query_access(self)
  return setmetatable(self, class)
end

--- Gives main's datasets to the states of the workers. In main, before they load.
-- @local
function M.publish()
  session.datasets = {}
  for i, name in ipairs(registry.names("dataset")) do
    session.datasets[name] = i - 1
    C.vb_shared_object_set(session.shared, C.VB_SHARED_DATASET, i - 1,
      ffi.cast("void *", registry.get("dataset", name).handle))
  end
end

-- While it runs

local function each_declared(fn)
  for _, name in ipairs(registry.names("dataset")) do fn(registry.get("dataset", name)) end
end

--- What is wrong with a data file by now: cut short, or unreadable.
-- @treturn ?string message
-- @local
function M.damaged()
  local found, err = nil, vbffi.new_error()
  each_declared(function(self)
    if not found and C.vb_dataset_check(self.handle, err) < 0 then found = ffi.string(err.text) end
  end)
  return found
end

--- Says which datasets held lengths, counts or ids past what their schema allows since the last
-- call.
-- @treturn {string,...} messages
-- @local
function M.clamped()
  local notes = {}
  each_declared(function(self)
    local now = tonumber(C.vb_dataset_clamped(self.handle))
    if now > self.clamped then
      notes[#notes + 1] = ("dataset '%s': %d lengths, counts or ids past what its schema allows " ..
        "were read as that; `vbench dataset verify` finds them"):format(self.name,
        now - self.clamped)
    end
    self.clamped = now
  end)
  return notes
end

-- The order in which a command reads records: that of its first cursor.
local function reads_in_order(arguments)
  for _, value in ipairs(arguments) do
    if fields.kind(value) == "cursor" then return value.spec.order == "sequential" end
  end
end

--- Tells the system how a command will read its datasets.
-- @tparam table arguments of the command
-- @local
function M.advise(arguments)
  local use = reads_in_order(arguments) and C.VB_USE_LOAD or C.VB_USE_RANDOM
  for _, value in ipairs(arguments) do
    if fields.kind(value) == "field" then
      local handle = value.spec.dataset.handle
      if value.what == "query" then
        C.vb_dataset_advise(handle, C.VB_SECTION_QUERIES, C.VB_USE_RANDOM)
      else
        C.vb_dataset_advise(handle, C.VB_SECTION_RECORDS, use)
        C.vb_dataset_advise(handle, C.VB_SECTION_KEYS, use)
      end
    end
  end
end

-- Lowering

local KINDS = {
  record = C.VB_PART_FIELD, members = C.VB_PART_MEMBERS, query = C.VB_PART_QUERY,
}

--- Fills the part of C.
-- @tparam cdata to vb_part
-- @tparam field from
-- @treturn dataset what has to outlive the command
-- @local
function M.fill_part(to, from)
  local spec = from.spec
  to.kind, to.dataset = KINDS[from.what], spec.dataset.handle
  to.raw, to.wrap = spec.raw and 1 or 0, spec.wrap and 1 or 0
  if spec.field then to.field = spec.dataset.fields[spec.field].index end
  if spec.order == "sequential" then to.order = C.VB_ORDER_SEQUENTIAL end
  if spec.order == "uniform" then to.order = C.VB_ORDER_UNIFORM end
  return spec.dataset
end

--- The part that stands for all of a record, for vb.verify.
-- @tparam dataset self
-- @treturn cdata vb_part
-- @local
function M.whole_part(self)
  local to = ffi.new("vb_part")
  to.kind, to.dataset = C.VB_PART_FIELD, self.handle
  return to
end

--- Whether a part is left out, with the name that stands before it, when its value is empty.
-- @param value any argument
-- @tparam any name the argument before it
-- @treturn boolean
-- @local
function M.is_optional(value, name)
  return fields.kind(value) == "field" and value.what == "record" and name == value.spec.field
    and value.spec.dataset.fields[name].optional
end

--- Whether a part stands between quotes in JSON.
-- @tparam field value
-- @treturn boolean
-- @local
function M.is_quoted(value)
  local field = value.spec.dataset.fields[value.spec.field]
  return field.type ~= "numeric" and field.type ~= "vector"
end

return M
