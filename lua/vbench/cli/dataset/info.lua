--- `vbench dataset info`: counts, sizes, where everything lies.
-- @module vbench.cli.dataset.info
local cjson = require "cjson"
local native = require "vbench.ffi"
local read = require "vbench.cli.dataset.read"
local wrap = require "vbench.report.wrap"
local ffi, C = native.ffi, native.C

local M = {}

M.summary = "print counts, sizes, and where everything lies in the file"
M.usage = "[options] DATASET"
M.example = "vbench dataset info datasets/products"

M.options = read.options {
  { "--json", type = "flag", help = "print JSON" },
}

local function field_facts(dataset, field, place)
  local of = field.field
  local facts = { name = field.name, type = field.type, offset = tonumber(place.offset),
    size = tonumber(place.size) }
  if field.type == "vector" then facts.dimensions = tonumber(of.dimensions) end
  if field.type == "vector" or field.type == "numeric" then
    facts.dtype = ffi.string(C.vb_dtype_name(of.dtype))
  else
    facts.max_bytes, facts.length = tonumber(of.max_bytes), of.variable ~= 0 and "variable"
      or "fixed"
  end
  if field.type == "vector" then facts.metric = ffi.string(C.vb_distance_name(of.distance)) end
  facts.query_offset = dataset.layout.query_fields[field.index].size > 0
    and tonumber(dataset.layout.query_fields[field.index].offset) or nil
  return facts
end

--- What there is to say of a dataset.
-- @tparam table dataset of vbench.cli.dataset.read
-- @treturn table
function M.facts(dataset)
  local schema, layout = dataset.schema, dataset.layout
  local facts = {
    dataset = dataset.name, data = ffi.string(C.vb_dataset_path(dataset.handle)),
    records = dataset.count, record_bytes = tonumber(layout.record_size),
    bytes = tonumber(layout.total) + tonumber(C.vb_dataset_excess(dataset.handle)),
    excess = tonumber(C.vb_dataset_excess(dataset.handle)), queries = dataset.query_count,
    query_bytes = tonumber(layout.query_size), neighbors = dataset.neighbors,
    command = ffi.string(C.vb_load_name(C.vb_schema_load(schema))), fields = {}, sections = {},
  }
  if schema.name ~= nil then facts.name = ffi.string(schema.name) end
  if schema.description ~= nil then facts.description = ffi.string(schema.description) end
  if schema.collection ~= 0 then
    facts.collection = ffi.string(C.vb_collection_name(schema.collection))
    facts.max_members, facts.member_bytes = tonumber(schema.max_members),
      tonumber(layout.member_size)
  end
  facts.keys = schema.keys ~= 0 and "stored" or ffi.string(C.vb_schema_pattern(schema))
  for i, field in ipairs(dataset.fields) do
    facts.fields[i] = field_facts(dataset, field, layout.fields[field.index])
  end
  for section = 0, C.VB_SECTIONS - 1 do
    local place = layout.sections[section]
    if place.size > 0 then
      facts.sections[#facts.sections + 1] = { name = ffi.string(C.vb_section_name(section)),
        offset = tonumber(place.offset), size = tonumber(place.size) }
    end
  end
  return facts
end

local function field_line(field)
  local kind = field.type
  if field.dtype then kind = kind .. " " .. field.dtype end
  if field.dimensions then kind = ("%s x %d, %s"):format(kind, field.dimensions, field.metric) end
  if field.max_bytes then kind = ("%s, %s %d bytes"):format(kind, field.length, field.max_bytes) end
  local name = field.name == "" and "(member)" or field.name
  return ("  %12d %12d  %-20s %s%s"):format(field.offset, field.size, name, kind,
    field.query_offset and (", in queries at %d"):format(field.query_offset) or "")
end

local function header(facts)
  local out = { facts.name and ("%s  (%s)"):format(facts.name, facts.data) or facts.data }
  if facts.description then out[#out + 1] = wrap.line(facts.description, 0) end
  out[#out + 1] = wrap.line(("%d records of %d bytes, sent by %s; keys %s"):format(facts.records,
    facts.record_bytes, facts.command, facts.keys), 2)
  if facts.queries > 0 then
    out[#out + 1] = ("%d queries of %d bytes%s"):format(facts.queries, facts.query_bytes,
      facts.neighbors > 0 and (", %d neighbours each"):format(facts.neighbors) or "")
  end
  if facts.excess > 0 then
    out[#out + 1] = ("%d bytes behind what the schema speaks of"):format(facts.excess)
  end
  return out
end

local function print_text(facts)
  local out = header(facts)
  out[#out + 1] = ("\n  %12s %12s  section (%d bytes in all)"):format("offset", "size", facts.bytes)
  for _, one in ipairs(facts.sections) do
    out[#out + 1] = ("  %12d %12d  %s"):format(one.offset, one.size, one.name)
  end
  out[#out + 1] = ("\n  %12s %12s  field of a %s"):format("offset", "size",
    facts.collection and ("member, of which a %s has at most %d"):format(facts.collection,
      facts.max_members) or "record")
  for _, field in ipairs(facts.fields) do out[#out + 1] = field_line(field) end
  print(table.concat(out, "\n"))
end

--- Prints.
-- @tparam table args values of `options`
-- @tparam {string,...} operands the dataset
-- @treturn number exit code
-- @raise a failure
function M.run(args, operands)
  local facts = M.facts(read.operand("info", args, operands))
  if args.json then print(cjson.encode(facts)) else print_text(facts) end
  return 0
end

return M
