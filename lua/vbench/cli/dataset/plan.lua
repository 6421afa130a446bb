--- What an import does: which files, which column of them becomes what, and the schema.
-- @module vbench.cli.dataset.plan
local failure = require "vbench.failure"
local infer = require "vbench.cli.dataset.infer"
local inputs = require "vbench.cli.dataset.inputs"
local native = require "vbench.ffi"
local schemas = require "vbench.cli.dataset.schemas"
local ffi, C = native.ffi, native.C

local M = {}

local KEY, MEMBERS, WHOLE = C.VB_IMPORT_KEY, C.VB_IMPORT_MEMBERS, C.VB_IMPORT_WHOLE
local WHOLE_FILES = { hdf5 = true, legacy = true }
local PATTERN = "vec:{HASHTAG}:%012d"

local function stem(path)
  return (path:match("[^/]+$"):gsub("%.[^.]+$", ""))
end

-- Adds an input; what it becomes is said later.
local function add(plan, table_name, path, fields)
  local one = { table = table_name, bindings = {} }
  for key, value in pairs(fields or {}) do one[key] = value end
  one.input = inputs.open(path, one.format, table_name)
  plan.inputs[#plan.inputs + 1] = one
  return one
end

local function of_table(plan, name)
  local list = {}
  for _, one in ipairs(plan.inputs) do
    if one.table == name then list[#list + 1] = one end
  end
  return list
end

-- Tables that the main file holds besides records.
local function add_tables(plan, args, path, format)
  local has = { }
  if format == "hdf5" then
    for name, number in pairs(inputs.TABLES) do has[name] = C.vb_hdf5_has(path, number) ~= 0 end
  else
    has.queries = plan.legacy.queries > 0
    has.neighbors = has.queries and plan.legacy.neighbors > 0
    has.distances = has.neighbors and plan.legacy.distances_offset > 0
  end
  if args.no_ground_truth then has.neighbors, has.distances = false, false end
  has.distances = has.distances and has.neighbors
  for _, name in ipairs { "queries", "neighbors", "distances" } do
    local other = args[name == "neighbors" and "ground_truth" or name]
    if has[name] and not other then add(plan, name, path, { format = format, main = true }) end
  end
end

local function read_legacy(plan, path)
  local header, err = ffi.new("vb_legacy"), native.new_error()
  require("vbench.cli.dataset.work").check(C.vb_legacy_read(header, path, err), err)
  plan.legacy = header
  if header.has_metadata ~= 0 then
    plan.notes[#plan.notes + 1] = path .. ": its tags and vocabulary are not imported"
  end
end

local function add_main(plan, args)
  local path = args.input
  if not path then return end
  plan.main = add(plan, "records", path, { format = args.format, main = true })
  local format = plan.main.input.format
  if format == "legacy" then read_legacy(plan, path) end
  if WHOLE_FILES[format] then add_tables(plan, args, path, format) end
end

local function check_args(args)
  if not (args.input or args.field or args.vectors or args.text) then
    failure.usage("import needs a file: vbench dataset import FILE, or --field NAME=FILE")
  elseif args.schema and args.infer then
    failure.usage("--schema and --infer exclude each other")
  elseif args.ground_truth and args.no_ground_truth then
    failure.usage("--ground-truth and --no-ground-truth exclude each other")
  elseif args.format and not args.input then
    failure.usage("--format was given without the file that has it")
  elseif args.keys and args.key_field then
    failure.usage("--keys and --key-field exclude each other")
  elseif args.key_pattern and (args.keys or args.key_field) then
    failure.usage("--key-pattern is for keys that are not stored; there are --keys or --key-field")
  elseif args.key_field and not args.input then
    failure.usage("--key-field names a column of a file, and there is none")
  end
end

local function add_inputs(plan, args)
  add_main(plan, args)
  for _, pair in ipairs(args.field or {}) do add(plan, "records", pair[2], { field = pair[1] }) end
  if args.vectors then add(plan, "records", args.vectors, { first = "vector" }) end
  if args.text then add(plan, "records", args.text, { first = "text", format = "text" }) end
  if args.keys then add(plan, "records", args.keys, { keys = true }) end
  if args.queries then add(plan, "queries", args.queries) end
  if args.ground_truth then add(plan, "neighbors", args.ground_truth) end
  if args.distances then add(plan, "distances", args.distances) end
end

-- --- binding -----------------------------------------------------------------------------------

local function bind(one, column, target, name)
  one.bindings[#one.bindings + 1] = { column = column, target = target, name = name }
end

local function bind_field(one, field, column)
  bind(one, column or one.input:column(field.name, not one.main), field.index,
    "'" .. field.name .. "'")
end

local DEFAULT_NAMES = { vector = "embedding", text = "text" }

-- The field that a file of one column is for: the one it was given for, or the first of its type.
local function field_of(plan, one)
  if one.field then return schemas.field(plan.schema, one.field) end
  local kind = one.first or (one.input.values and "vector" or "text")
  local field = schemas.first(plan.schema, kind)
  if not field and kind == "vector" then field = schemas.first(plan.schema, "numeric") end
  if field then return field end
  failure.usage("%s: the schema has no %s field to take it", one.input.path, kind)
end

local function bound_names(plan, table_name)
  local set = {}
  for _, one in ipairs(of_table(plan, table_name)) do
    for _, binding in ipairs(one.bindings) do set[binding.target] = one end
  end
  return set
end

-- Of a file with named columns: those fields that no file of their own is for.
local function bind_columns(plan, one, wanted)
  local taken = bound_names(plan, one.table)
  for _, field in ipairs(schemas.fields(plan.schema)) do
    if not taken[field.index] and wanted(field) then bind_field(one, field) end
  end
end

local function bind_main(plan, one)
  if plan.schema.collection ~= 0 then
    bind(one, one.input:column("members"), MEMBERS, "members")
  elseif one.input.single then
    local field = field_of(plan, one)
    bind_field(one, field, one.input.columns[1].name)
  else
    bind_columns(plan, one, function() return true end)
  end
end

local function bind_key(plan, args)
  if plan.schema.keys == 0 then
    if args.keys or args.key_field then
      failure.usage("%s stores no keys, and --%s was given; keys: { present: true }",
        plan.schema_path, args.keys and "keys" or "key-field")
    end
    return
  end
  for _, one in ipairs(of_table(plan, "records")) do
    if one.keys then return bind(one, one.input:column("key", true), KEY, "key") end
  end
  if not plan.main or plan.main.input.single then
    failure.usage("the schema stores keys: give --keys FILE")
  end
  bind(plan.main, plan.main.input:column(args.key_field or "key"), KEY, "key")
end

local function check_bound(plan, table_name, wanted)
  local set = bound_names(plan, table_name)
  for _, field in ipairs(schemas.fields(plan.schema)) do
    if wanted(field) and not set[field.index] and not set[MEMBERS] then
      failure.usage("nothing gives field '%s' of the %s: --%s%s", field.name, table_name,
        table_name == "records" and "field " .. field.name .. "=" or "queries ", "FILE")
    end
  end
end

local function bind_records(plan, args)
  for _, one in ipairs(of_table(plan, "records")) do
    if not (one.main or one.keys) then
      local field = field_of(plan, one)
      bind_field(one, field)
    end
  end
  if plan.main then bind_main(plan, plan.main) end
  bind_key(plan, args)
  check_bound(plan, "records", function() return true end)
end

local function has_column(input, name)
  if input.format == "jsonl" then input:survey(true) end
  for _, column in ipairs(input.surveyed or input.columns) do
    if column.name == name then return true end
  end
  return false
end

-- Marks the fields that queries hold when no schema says which: those that the file has.
local function mark_queried(plan, one)
  local any = false
  for _, field in ipairs(schemas.fields(plan.schema)) do
    local has = one.input.single and field.index == field_of(plan, one).index
      or not one.input.single and has_column(one.input, field.name)
    field.field.queried = has and 1 or 0
    any = any or has
  end
  if not any then failure.usage("%s: has no column that is a field", one.input.path) end
end

local function bind_queries(plan)
  local one = of_table(plan, "queries")[1]
  if not one then
    if plan.schema.queries > 0 then
      plan.notes[#plan.notes + 1] = plan.schema_path .. ": has queries, and none were given"
    end
    plan.schema.queries, plan.schema.neighbors, plan.schema.distances = 0, 0, 0
    return
  end
  if plan.schema.queries == 0 then mark_queried(plan, one) end
  plan.schema.queries = 1
  local function queried(field) return C.vb_schema_queried(plan.schema, field.index) ~= 0 end
  if one.input.single then
    local field = field_of(plan, one)
    if queried(field) then bind_field(one, field, one.input.columns[1].name) end
  else
    bind_columns(plan, one, queried)
  end
  check_bound(plan, "queries", queried)
end

-- Neighbours that a row of ids or distances holds, and the name of its column.
local function neighbors_in(one)
  local column = one.input:survey(true)[1]
  one.column = column and column.name
  if column and (column.dimensions or 0) > 0 then return column.dimensions end
  if column and (column.numbers or 0) > 0 then return 1 end
  error(failure.new(failure.COULD_NOT_RUN, one.input.path
    .. ": its rows are no lists of numbers of one length"), 0)
end

-- A file of ann-benchmarks that lacks its neighbours.
local function wants_exact(plan, args)
  return plan.main and plan.main.input.format == "hdf5" and plan.schema.queries > 0
    and of_table(plan, "queries")[1].input.rows ~= 0 and not args.no_ground_truth
end

local function bind_truth(plan, args)
  local schema, ids = plan.schema, of_table(plan, "neighbors")[1]
  local distances = of_table(plan, "distances")[1]
  if distances and not ids then failure.usage("--distances were given without --ground-truth") end
  if ids and not of_table(plan, "queries")[1] then
    failure.usage("--ground-truth was given without --queries")
  end
  if not ids then
    if wants_exact(plan, args) then
      plan.exact = math.min(args.max_neighbors, plan.main.input.rows)
    elseif args.given.max_neighbors then
      failure.usage("--max-neighbors was given, and there are no neighbours to keep")
    elseif schema.neighbors > 0 and not args.no_ground_truth then
      plan.notes[#plan.notes + 1] = "no ground truth was given; vbench dataset ground-truth "
        .. plan.output .. " computes it"
    end
    schema.neighbors, schema.distances = 0, 0
    return
  end
  local there = neighbors_in(ids)
  local most = schema.neighbors > 0 and tonumber(schema.neighbors) or there
  if most > there then
    failure.usage("%s: has %d neighbours a query, the schema says %d", ids.input.path, there, most)
  end
  schema.neighbors = math.min(most, args.max_neighbors)
  schema.distances = distances and 1 or 0
  if distances and neighbors_in(distances) < schema.neighbors then
    failure.usage("%s: has fewer distances a query than there are neighbours", distances.input.path)
  end
  for _, one in ipairs { ids, distances } do bind(one, one.column, WHOLE, "row") end
end

-- --- schemas -----------------------------------------------------------------------------------

local function add_inferred(plan, one, column, name)
  local field = infer.field(column, one.input.rows or 0, one.input)
  schemas.add(plan.schema, name, field)
end

local function must_be_told(args, path)
  if args.infer then return end
  failure.usage("%s: what its columns are is said by --schema FILE, or found out by --infer", path)
end

-- Fields that have a file of their own.
local function own_fields(plan)
  local set = {}
  for _, one in ipairs(of_table(plan, "records")) do
    local name = one.field or DEFAULT_NAMES[one.first]
    if name then set[name] = true end
  end
  return set
end

local function infer_main(plan, args, one)
  local input = one.input
  if input.values then
    local column = input.columns[1]
    return add_inferred(plan, one, column, column.scalar and "value" or "embedding")
  end
  must_be_told(args, input.path)
  local columns, own = input:survey(args.quiet), own_fields(plan)
  if input.rows == 0 then
    error(failure.new(failure.COULD_NOT_RUN, input.path .. ": has no rows"), 0)
  end
  for _, column in ipairs(columns) do
    local key = column.name == (args.key_field or "key")
    if column.name == "" then
      plan.notes[#plan.notes + 1] = input.path .. ": a column without a name is left out"
    elseif key and not args.keys and not args.key_pattern then
      plan.schema.keys, plan.schema.key_bytes = 1, infer.key_width(column.longest)
    elseif not own[column.name] then
      add_inferred(plan, one, column, column.name)
    end
  end
  if args.key_field and plan.schema.keys == 0 then input:column(args.key_field) end
end

local function infer_records(plan, args, one)
  if one.keys then
    local longest = 0
    for _, column in ipairs(one.input:survey(args.quiet)) do
      if column.name == one.input:column("key", true) then longest = column.longest end
    end
    plan.schema.keys, plan.schema.key_bytes = 1, infer.key_width(longest)
  elseif one.main then
    infer_main(plan, args, one)
  else
    local name = one.field or DEFAULT_NAMES[one.first]
    for _, column in ipairs(one.input:survey(args.quiet)) do
      if column.name == one.input:column(name, true) then
        return add_inferred(plan, one, column, name)
      end
    end
  end
end

local function metric_of(plan, args)
  if args.metric then return args.metric end
  local format = plan.main and plan.main.input.format
  if format == "legacy" then
    local name = ffi.string(C.vb_distance_name(plan.legacy.distance))
    plan.notes[#plan.notes + 1] = ("%s: its header says %s"):format(args.input, name)
    return name
  end
  local text = ffi.new("char[64]")
  if format ~= "hdf5" or C.vb_hdf5_text(args.input, "distance", text, 64) == 0 then return nil end
  local name = ffi.string(text):lower()
  local known = ({ angular = "cosine", cosine = "cosine", euclidean = "l2", l2 = "l2", ip = "ip",
    dot = "ip" })[name]
  if not known then
    plan.notes[#plan.notes + 1] = ("%s: its distance is '%s'; l2 was taken; see --metric"
      ):format(args.input, name)
  end
  return known
end

local function vectors_of(schema)
  local list = {}
  for _, one in ipairs(schemas.fields(schema)) do
    if one.type == "vector" then list[#list + 1] = one.field end
  end
  return list
end

local function check_pattern(pattern)
  local rest, numbers = pattern:gsub("%%%%", ""):gsub("%%%d*d", "")
  if numbers ~= 1 or rest:find("%", 1, true) then
    failure.usage("--key-pattern: '%s' needs one number, as %%d or %%012d; %%%% is a percent sign",
      pattern)
  end
end

-- What options say of vectors and keys, whether the schema was given or inferred.
local function apply(plan, args)
  local vectors, metric = vectors_of(plan.schema), metric_of(plan, args)
  if #vectors == 0 and (args.metric or args.dtype) then
    failure.usage("--%s was given, and there is no vector", args.metric and "metric" or "dtype")
  end
  for _, field in ipairs(vectors) do
    if metric and (args.metric or field.distance == C.VB_DISTANCE_NONE) then
      field.distance = schemas.DISTANCES[metric]
    end
    if args.dtype then field.dtype = schemas.dtype(args.dtype) end
  end
  if args.key_pattern then
    check_pattern(args.key_pattern)
    plan.schema.keys = 0
    schemas.set(plan.schema, C.VB_SCHEMA_KEY_PATTERN, args.key_pattern)
  end
end

local function inferred(plan, args)
  plan.schema, plan.schema_path = schemas.new(), "the inferred schema"
  plan.schema.records = 1
  local name = args.input and stem(args.input) or stem(plan.output)
  schemas.set(plan.schema, C.VB_SCHEMA_NAME, name)
  for _, one in ipairs(of_table(plan, "records")) do infer_records(plan, args, one) end
  local format = plan.main and plan.main.input.format
  if WHOLE_FILES[format] then
    if plan.schema.keys == 0 and not args.key_pattern then
      schemas.set(plan.schema, C.VB_SCHEMA_KEY_PATTERN, PATTERN)
    end
    if format == "hdf5" and not args.dtype then
      for _, field in ipairs(vectors_of(plan.schema)) do field.dtype = schemas.dtype("float32") end
    end
  end
end

local function given(plan, args)
  plan.schema, plan.schema_path = schemas.read_given(args.schema, plan.output), args.schema
  plan.given_records = tonumber(plan.schema.records)
end

--- Makes the plan of an import.
-- @tparam table args options of vbench.cli.dataset.import
-- @treturn table `schema` (vb_schema *), `schema_path` (for messages), `output` (base), `inputs`
--   (list of `table input bindings`), `notes`, `given_records`, `main` (of inputs), `exact` (the
--   neighbours of each query that are to be computed)
-- @raise a failure
function M.make(args)
  check_args(args)
  local plan = { inputs = {}, notes = {} }
  plan.output = (args.output or stem(args.input or args.vectors or args.text or args.field[1][2]))
    :gsub("%.yaml$", ""):gsub("%.bin$", "")
  add_inputs(plan, args)
  if args.schema then given(plan, args) else inferred(plan, args) end
  apply(plan, args)
  bind_records(plan, args)
  bind_queries(plan)
  bind_truth(plan, args)
  return plan
end

return M
