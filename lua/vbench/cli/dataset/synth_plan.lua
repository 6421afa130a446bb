--- What `vbench dataset synth` is to make: a schema, and for its fields what they are drawn from.
-- @module vbench.cli.dataset.synth_plan
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local nearest = require "vbench.nearest"
local schemas = require "vbench.cli.dataset.schemas"
local units = require "vbench.units"
local ffi, C = native.ffi, native.C

local M = {}

local VARIABLE_ABOVE, WORD_BYTES = 256, 8
local KEY_LETTERS = 8 -- of vb_synth_key

local function parts(text)
  local list = {}
  for part in (text .. ":"):gmatch("([^:]*):") do list[#list + 1] = part end
  return list
end

-- --- what one option says ----------------------------------------------------------------------

local function count_in(option, text)
  local value, message = units.count(text)
  if not value then failure.usage("option %s: %s", option, message) end
  return value
end

local function number_in(option, text)
  return tonumber(text) or failure.usage("option %s: '%s' is no number", option, text)
end

-- "3", "1-8".
local function range_in(option, text)
  local least, most = text:match("^([^-]+)%-(.+)$")
  least, most = count_in(option, least or text), count_in(option, most or least or text)
  if least > most then failure.usage("option %s: %s: %d is over %d", option, text, least, most) end
  return least, most
end

local READ = {}

-- "64" or "64:int8": dimensions, dtype.
function READ.vector(option, text)
  local given = parts(text)
  local dtype = given[2] or "float32"
  if schemas.dtype(dtype) < 0 then failure.usage("option %s: '%s' is no dtype", option, dtype) end
  return { dimensions = count_in(option, given[1]), dtype = dtype }
end

-- "5-12" or "5-12:200": words, max_bytes.
function READ.text(option, text)
  local given = parts(text)
  local least, most = range_in(option, given[1])
  local width = given[2] and count_in(option, given[2]) or units.power_of_two(most * WORD_BYTES, 64)
  if least * 2 > width + 1 then
    failure.usage("option %s: %d words take %d bytes at least, and there are %d", option, least,
      least * 2 - 1, width)
  end
  return { max_bytes = width, variable = width > VARIABLE_ABOVE or nil,
    draw = { least = least, most = most } }
end

-- "16-1024": bytes.
function READ.blob(option, text)
  local least, most = range_in(option, text)
  return { max_bytes = most, variable = least < most or nil, draw = { least = least, most = most } }
end

-- "red:3,blue": values with weights.
function READ.tag(option, text)
  local words, weights, longest = {}, {}, 1
  for part in text:gmatch("[^,]+") do
    local word, weight = part:match("^%s*(.-)%s*:([^:]*)$")
    words[#words + 1] = word or part:match("^%s*(.-)%s*$")
    weights[#weights + 1] = weight and number_in(option, weight) or 1
    longest = math.max(longest, #words[#words])
  end
  if #words == 0 then failure.usage("option %s: there is no value", option) end
  return { max_bytes = units.power_of_two(longest, 8), draw = { words = words, weights = weights } }
end

local SPREADS = {
  uniform = { C.VB_SPREAD_UNIFORM, 2, "uniform:LEAST:GREATEST" },
  normal = { C.VB_SPREAD_NORMAL, 2, "normal:MEAN:DEVIATION" },
  exponential = { C.VB_SPREAD_EXPONENTIAL, 1, "exponential:MEAN" },
}

-- "uniform:1:100", "normal:50:10:2": distribution, its numbers, decimals.
function READ.numeric(option, text)
  local given = parts(text)
  local spread = SPREADS[given[1]]
  if not spread then
    failure.usage("option %s: '%s' is no distribution%s; write uniform:1:100, normal:50:10 or "
      .. "exponential:5", option, given[1],
      nearest.hint(given[1], { "uniform", "normal", "exponential" }))
  end
  local kind, numbers, form = spread[1], spread[2], spread[3]
  if #given < numbers + 1 or #given > numbers + 2 then
    failure.usage("option %s: '%s' is not %s, nor that with decimals behind it", option, text, form)
  end
  local decimals = given[numbers + 2]
  return { draw = { spread = kind, a = number_in(option, given[2]),
    b = numbers == 2 and number_in(option, given[3]) or 0,
    decimals = decimals and count_in(option, decimals) or -1 } }
end

-- --- fields ------------------------------------------------------------------------------------

local KINDS = { "vector", "text", "tag", "numeric", "blob" }

-- "stock:int32" -> the name, the dtype.
local function split_name(option, name)
  local short, dtype = name:match("^(.+):([^:]+)$")
  if not short then return name end
  if schemas.dtype(dtype) < 0 then failure.usage("option %s: '%s' is no dtype", option, dtype) end
  return short, dtype
end

-- The fields that the options name, kind by kind.
local function read_fields(args)
  local list = {}
  for _, kind in ipairs(KINDS) do
    for _, pair in ipairs(args[kind] or {}) do
      local option = "--" .. kind
      local name, dtype = pair[1], nil
      if kind == "numeric" then name, dtype = split_name(option, name) end
      local field = READ[kind](("%s %s"):format(option, name), pair[2])
      field.name, field.type, field.dtype = name, kind, field.dtype or dtype
      list[#list + 1] = field
    end
  end
  return list
end

local COLLECTIONS = {
  set = C.VB_COLLECTION_SET, list = C.VB_COLLECTION_LIST, zset = C.VB_COLLECTION_ZSET,
}
local LOADS = {
  string = C.VB_LOAD_SET, hash = C.VB_LOAD_HSET, set = C.VB_LOAD_SADD, list = C.VB_LOAD_RPUSH,
  zset = C.VB_LOAD_ZADD,
}

-- The members of a collection: of a zset `score`, then `value`; of others one field without a name.
local function order_members(kind, list)
  if kind == "zset" then
    table.sort(list, function(a, b) return a.name < b.name end)
    if #list ~= 2 or list[1].name ~= "score" or list[2].name ~= "value" then
      failure.usage("a zset is made of --numeric score=... and --text value=...")
    end
  elseif #list ~= 1 then
    failure.usage("a %s is made of one field, as --text member=1-3, not of %d", kind, #list)
  else
    list[1].name = ""
  end
end

local function new_schema(args, list)
  local schema, kind = schemas.new(), args.type
  if #list == 0 then
    failure.usage("nothing to make: name fields by --vector, --text, --tag, --numeric, --blob, or "
      .. "give a --schema")
  end
  if COLLECTIONS[kind] then
    order_members(kind, list)
    schema.collection = COLLECTIONS[kind]
    local _, most = range_in("--members", args.members or "1-10")
    schema.max_members = most
  end
  schema.load = LOADS[kind]
  for _, field in ipairs(list) do schemas.add(schema, field.name, field) end
  for _, one in ipairs(schemas.fields(schema)) do
    if one.type == "text" and kind == "hash" then one.field.index_type = C.VB_INDEX_FULLTEXT end
  end
  return schema
end

-- Fields of a schema that is given: the options only say what they are drawn from.
local function match_fields(schema, list)
  for _, field in ipairs(list) do
    local found = schemas.field(schema, field.name)
    if found.type ~= field.type then
      failure.usage("option --%s %s: that field is a %s in the schema", field.type, field.name,
        found.type)
    end
  end
end

-- --- the rest of the schema --------------------------------------------------------------------

local function set_keys(schema, args)
  if args.keys then
    schema.keys, schema.key_variable = 1, 0
    schema.key_bytes = units.power_of_two(#args.keys + KEY_LETTERS, 1)
    schemas.set(schema, C.VB_SCHEMA_KEY_PATTERN, nil)
  elseif args.key_pattern then
    schema.keys = 0
    schemas.set(schema, C.VB_SCHEMA_KEY_PATTERN, args.key_pattern)
  end
end

local function set_metric(schema, args)
  for _, one in ipairs(schemas.fields(schema)) do
    if one.type == "vector" and args.metric then
      one.field.distance = schemas.DISTANCES[args.metric]
    end
  end
end

-- Queries hold what --query-fields names, else the vectors, else everything.
local function set_queries(schema, args)
  local has_vector = schemas.first(schema, "vector")
  if args.queries then schema.queries = args.queries end
  if not args.query_fields and args.schema then return end
  for _, one in ipairs(schemas.fields(schema)) do
    one.field.queried = not args.query_fields and has_vector and one.type == "vector" and 1 or 0
  end
  for _, name in ipairs(args.query_fields or {}) do
    schemas.field(schema, name).field.queried = 1
  end
end

-- Whether the queries hold a vector, so that they have neighbours.
local function has_neighbors(schema)
  for _, one in ipairs(schemas.fields(schema)) do
    if one.type == "vector" and C.vb_schema_queried(schema, one.index) ~= 0 then
      return schema.queries > 0
    end
  end
  return false
end

-- Options of a thing that is not made would have no effect.
local NEEDS = {
  { "a vector field", function(schema) return schemas.first(schema, "vector") end, "metric",
    "clusters", "noise" },
  { "a text field", function(schema, args) -- words for one field are looked at with it
    return schemas.first(schema, "text") or (args.words or { "=" })[1]:find("=", 1, true)
  end, "words" },
  { "--queries", function(schema) return schema.queries > 0 end, "query_fields" },
  { "--queries that hold a vector", has_neighbors, "neighbors", "filter", "distances",
    "no_ground_truth" },
  { "stored keys or a pattern, not both", function(_, args) return not args.keys end,
    "key_pattern" },
  { "a type, which the schema has", function(_, args) return not args.schema end, "type" },
  { "neighbours, and --no-ground-truth leaves them out",
    function(_, args) return not args.no_ground_truth end, "neighbors", "filter", "distances" },
}

local function check_needs(schema, args)
  for _, need in ipairs(NEEDS) do
    if not need[2](schema, args) then
      for i = 3, #need do
        local flag = args.given[need[i]]
        if flag then failure.usage("option %s is for %s", flag, need[1]) end
      end
    end
  end
end

--- Reads the options.
-- @tparam table args values of the options of vbench.cli.dataset.synth
-- @tparam string base of what is made
-- @treturn table `schema`; `fields` with `index` and, where an option said so, `draw`; `records`,
--   `members` (least, most); `neighbors`: whether queries have them
-- @raise a failure
function M.make(args, base)
  local list = read_fields(args)
  local schema = args.schema and schemas.read_given(args.schema, base) or new_schema(args, list)
  if args.schema then match_fields(schema, list) end
  schema.records = args.records or (args.schema and schema.records) or 10000
  schema.neighbors = 0
  schemas.set(schema, C.VB_SCHEMA_FILTER, nil)
  if not args.schema then schemas.set(schema, C.VB_SCHEMA_NAME, base:match("[^/]+$")) end
  if args.description then schemas.set(schema, C.VB_SCHEMA_DESCRIPTION, args.description) end
  set_keys(schema, args)
  set_metric(schema, args)
  set_queries(schema, args)
  check_needs(schema, args)
  local drawn = {}
  for _, field in ipairs(list) do drawn[field.name] = field.draw end
  local plan = { schema = schema, fields = {}, records = tonumber(schema.records),
    neighbors = has_neighbors(schema) and not args.no_ground_truth }
  for i, one in ipairs(schemas.fields(schema)) do
    plan.fields[i] = { index = one.index, type = one.type, draw = drawn[one.name] or {},
      max_bytes = tonumber(one.field.max_bytes), name = one.name }
  end
  if args.members then plan.members = { range_in("--members", args.members) } end
  if plan.members and tonumber(schema.collection) == 0 then
    failure.usage("--members is of sets, lists and zsets")
  end
  return plan
end

local function words_of(path)
  local file, message = io.open(path, "rb")
  if not file then error(failure.new(failure.COULD_NOT_RUN, message), 0) end
  local list = {}
  for word in (file:read("*a") or ""):gmatch("%S+") do list[#list + 1] = word end
  file:close()
  if #list == 0 then
    error(failure.new(failure.COULD_NOT_RUN, path .. ": there is no word in it"), 0)
  end
  return list
end

--- Words of files, in their order.
-- @tparam {string,...} given FILE, or NAME=FILE for one field
-- @tparam cdata schema vb_schema *
-- @treturn table name -> words; those for all others at 1
-- @raise a failure
function M.words(given, schema)
  local files = {}
  for _, text in ipairs(given) do
    local name, path = text:match("^([^=/]+)=(.+)$")
    if name and schemas.field(schema, name).type ~= "text" then
      failure.usage("option --words: the field '%s' is no text", name)
    end
    files[name or 1] = words_of(path or text)
  end
  return files
end

--- A vb_synth_field, and what it points to.
-- @tparam table draw `words weights least most spread a b decimals clusters noise`
-- @treturn cdata
-- @treturn table to be kept as long as it is used
function M.field(draw)
  local field, kept = ffi.new("vb_synth_field"), {}
  for _, name in ipairs { "clusters", "noise", "spread", "decimals", "a", "b", "least", "most" } do
    if draw[name] then field[name] = draw[name] end
  end
  if draw.words then
    kept.words = ffi.new("const char *[?]", #draw.words, draw.words)
    kept.texts = draw.words
    field.words, field.word_count = kept.words, #draw.words
  end
  if draw.weights then
    kept.weights = ffi.new("double[?]", #draw.weights, draw.weights)
    field.weights = kept.weights
  end
  return field, kept
end

return M
