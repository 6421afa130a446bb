--- Schemas for the tools: read, made of tables, changed.
-- @module vbench.cli.dataset.schemas
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

local TYPES = {
  vector = C.VB_FIELD_VECTOR, numeric = C.VB_FIELD_NUMERIC, text = C.VB_FIELD_TEXT,
  tag = C.VB_FIELD_TAG, blob = C.VB_FIELD_BLOB,
}

--- Names of distances -> their number.
M.DISTANCES = { l2 = C.VB_DISTANCE_L2, cosine = C.VB_DISTANCE_COSINE, ip = C.VB_DISTANCE_IP }

--- The number of a dtype.
-- @tparam string name
-- @treturn number
function M.dtype(name)
  return C.vb_dtype_find(name, #name)
end

--- Reads a schema.
-- @tparam string path
-- @treturn cdata vb_schema *, freed by itself
-- @raise a failure with file, line and column
function M.read(path)
  local out, err = ffi.new("vb_schema *[1]"), native.new_error()
  work.check(C.vb_schema_read(out, path, err), err)
  return ffi.gc(out[0], C.vb_schema_free)
end

--- Reads a schema that another dataset is made by. Where it would be replaced by the one that is
-- written for that dataset, nothing of it may be lost: it has to be as this program writes it.
-- @tparam string path
-- @tparam string base of the dataset that is made
-- @treturn cdata as of `read`
-- @raise a failure
function M.read_given(path, base)
  local schema, target = M.read(path), base .. ".yaml"
  if C.vb_output_same(path, target) == 0 then return schema end
  if C.vb_schema_is_written(schema, path) ~= 0 then return schema end
  failure.usage("%s: the schema that is written would take its place, and its comments and form "
    .. "would be lost; choose another name than %s for what is made", path, base)
end

--- An empty schema.
-- @treturn cdata vb_schema *
function M.new()
  return ffi.gc(C.vb_schema_new(), C.vb_schema_free)
end

--- Sets one of its texts.
-- @tparam cdata schema
-- @tparam number which enum vb_schema_text
-- @tparam ?string text
function M.set(schema, which, text)
  local err = native.new_error()
  work.check(C.vb_schema_set(schema, which, text, err), err)
end

--- Adds a field.
-- @tparam cdata schema
-- @tparam string name
-- @tparam table made `type`, and `dtype dimensions`, or `max_bytes variable`
-- @raise a failure that names the field
function M.add(schema, name, made)
  local field, err = ffi.new("vb_field"), native.new_error()
  C.vb_field_init(field, TYPES[made.type])
  local anchor = ffi.new("char[?]", #name + 1, name)
  field.name = anchor
  if made.dtype then field.dtype = M.dtype(made.dtype) end
  if made.dimensions then field.dimensions = made.dimensions end
  if made.max_bytes then field.max_bytes = made.max_bytes end
  if made.variable then field.variable = 1 end
  work.check(C.vb_schema_add(schema, field, err), err)
end

--- Its fields, in order.
-- @tparam cdata schema
-- @treturn {table,...} `name index type` and `field` (vb_field *)
function M.fields(schema)
  local list = {}
  for i = 0, schema.field_count - 1 do
    local field = schema.fields[i]
    list[i + 1] = { name = ffi.string(field.name), index = i, field = field,
      type = ffi.string(C.vb_field_type_name(field.type)) }
  end
  return list
end

--- The first field of a type.
-- @tparam cdata schema
-- @tparam string kind "vector"
-- @treturn ?table as of `fields`
function M.first(schema, kind)
  for _, one in ipairs(M.fields(schema)) do
    if one.type == kind then return one end
  end
end

--- The field of a name.
-- @tparam cdata schema
-- @tparam string name
-- @treturn table as of `fields`
-- @raise a failure with the nearest name
function M.field(schema, name)
  local index = C.vb_schema_find(schema, name)
  if index >= 0 then return M.fields(schema)[index + 1] end
  local hint = ffi.new("char[128]")
  error(failure.new(failure.USAGE, ("the schema has no field '%s'%s"):format(name,
    ffi.string(C.vb_schema_hint(schema, name, hint)))), 0)
end

return M
