--- `vbench dataset inspect`: prints what a dataset holds.
-- @module vbench.cli.dataset.inspect
local cjson = require "cjson"
local failure = require "vbench.failure"
local read = require "vbench.cli.dataset.read"
local wrap = require "vbench.report.wrap"

local M = {}

M.summary = "print records, keys, queries and neighbours"
M.usage = "[options] DATASET"
M.about = [[
Prints the first records of a dataset with their keys, and the first queries with their nearest
neighbours. As JSON it is one document; bytes that are no UTF-8 are {"hex": "..."} there.]]
M.example = [[
vbench dataset inspect datasets/products --limit 3
vbench dataset inspect datasets/products --record 4711 --json]]

M.options = read.options {
  { "--limit", type = "count", least = 0, metavar = "N", default = "10",
    help = "records and queries to print" },
  { "--record", type = "count", least = 0, metavar = "N", help = "print this record only" },
  { "--format", type = "choice", choices = { "text", "json" }, metavar = "NAME", default = "text",
    help = "how to print" },
  { "--json", type = "flag", help = "short for --format json" },
}

local SHOWN_NUMBERS, SHOWN_TEXT, SHOWN_IDS = 8, 60, 10
local INDENT = 4 -- of what goes on below

-- --- text --------------------------------------------------------------------------------------

local function quote(text)
  local shown, whole = wrap.escaped(text, SHOWN_TEXT, "[%c\127]")
  return wrap.together(('"%s"%s'):format(shown, whole and "" or ("... (%d bytes)"):format(#text)))
end

local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function numbers_text(value)
  local list, out = value[1], {}
  for i = 1, math.min(#list, SHOWN_NUMBERS) do out[i] = read.number_text(list[i], value.dtype) end
  return ("[%s%s]"):format(table.concat(out, ", "),
    #list > SHOWN_NUMBERS and (", ... %d in all"):format(#list) or "")
end

local function value_text(value)
  if value.kind == "vector" then return numbers_text(value) end
  if value.kind == "numeric" then return read.number_text(value[1][1], value.dtype) end
  if value.kind == "blob" then
    return ("0x%s%s"):format(hex(value[1]:sub(1, SHOWN_TEXT / 2)),
      #value[1] > SHOWN_TEXT / 2 and ("... (%d bytes)"):format(#value[1]) or "")
  end
  return quote(value[1])
end

local function field_text(field, value)
  return wrap.line(("  %s: %s"):format(field.name, value_text(value)), INDENT)
end

local function members_text(members)
  local out = {}
  for i, values in ipairs(members) do
    local one = {}
    for j, value in ipairs(values) do one[j] = value_text(value) end
    out[i] = table.concat(one, " ")
  end
  return wrap.line(("  %d members: %s"):format(#members, table.concat(out, ", ")), INDENT)
end

local function record_text(dataset, record)
  local key = quote(dataset:key(record))
  local out = { wrap.line(("record %d  key %s"):format(record, key), INDENT) }
  if dataset.schema.collection ~= 0 then
    out[2] = members_text(dataset:members(record))
  else
    for i, field in ipairs(dataset.fields) do
      out[i + 1] = field_text(field, dataset:field(record, field))
    end
  end
  return table.concat(out, "\n")
end

local function neighbors_text(dataset, query)
  local ids, distances = dataset:neighbors_of(query)
  local out = {}
  for i = 1, math.min(#ids, SHOWN_IDS) do
    out[i] = distances and wrap.together(("%d (%.6g)"):format(ids[i], distances[i]))
      or tostring(ids[i])
  end
  return wrap.line(("  neighbours: %s%s"):format(table.concat(out, ", "),
    #ids > SHOWN_IDS and (", ... %d in all"):format(#ids) or ""), INDENT)
end

local function query_text(dataset, query)
  local out = { ("query %d"):format(query) }
  for _, field in ipairs(dataset.fields) do
    local value = dataset:query(query, field)
    if value then out[#out + 1] = field_text(field, value) end
  end
  if dataset.neighbors > 0 then out[#out + 1] = neighbors_text(dataset, query) end
  return table.concat(out, "\n")
end

-- --- JSON --------------------------------------------------------------------------------------

-- Bytes that begin no character, or do not go on with one.
local function is_utf8(text)
  local rest = text:gsub("[\194-\223][\128-\191]", ""):gsub("[\225-\236\238\239][\128-\191]"
    .. "[\128-\191]", ""):gsub("\224[\160-\191][\128-\191]", "")
    :gsub("\237[\128-\159][\128-\191]", ""):gsub("\240[\144-\191][\128-\191][\128-\191]", "")
    :gsub("[\241-\243][\128-\191][\128-\191][\128-\191]", "")
    :gsub("\244[\128-\143][\128-\191][\128-\191]", "")
  return not rest:find("[\128-\255]")
end

local function text_json(text)
  if is_utf8(text) then return cjson.encode(text) end
  return ('{"hex": "%s"}'):format(hex(text))
end

local function number_json(value, dtype)
  if value ~= value or value == math.huge or value == -math.huge then return "null" end
  return read.number_text(value, dtype)
end

local function value_json(value)
  if value.kind == "vector" then
    local out = {}
    for i, number in ipairs(value[1]) do out[i] = number_json(number, value.dtype) end
    return "[" .. table.concat(out, ", ") .. "]"
  elseif value.kind == "numeric" then
    return number_json(value[1][1], value.dtype)
  elseif value.kind == "blob" then
    return ('{"hex": "%s"}'):format(hex(value[1]))
  end
  return text_json(value[1])
end

local function member_json(dataset, values)
  if #values == 1 and dataset.fields[1].name == "" then return value_json(values[1]) end
  local out = {}
  for i, value in ipairs(values) do
    out[i] = ("%s: %s"):format(cjson.encode(dataset.fields[i].name), value_json(value))
  end
  return "{" .. table.concat(out, ", ") .. "}"
end

local function record_json(dataset, record)
  local out = { ('"record": %d'):format(record), '"key": ' .. text_json(dataset:key(record)) }
  if dataset.schema.collection ~= 0 then
    local members = {}
    for i, values in ipairs(dataset:members(record)) do
      members[i] = member_json(dataset, values)
    end
    out[3] = '"members": [' .. table.concat(members, ", ") .. "]"
  else
    local values = {}
    for i, field in ipairs(dataset.fields) do values[i] = dataset:field(record, field) end
    out[3] = '"fields": ' .. member_json(dataset, values)
  end
  return "    {" .. table.concat(out, ", ") .. "}"
end

local function list_json(list)
  local out = {}
  for i, number in ipairs(list) do out[i] = number_json(number, "float32") end
  return "[" .. table.concat(out, ", ") .. "]"
end

local function query_json(dataset, query)
  local fields = {}
  for _, field in ipairs(dataset.fields) do
    local value = dataset:query(query, field)
    if value then
      fields[#fields + 1] = ("%s: %s"):format(cjson.encode(field.name), value_json(value))
    end
  end
  local out = { ('"query": %d'):format(query), '"fields": {' .. table.concat(fields, ", ") .. "}" }
  if dataset.neighbors > 0 then
    local ids, distances = dataset:neighbors_of(query)
    for i, id in ipairs(ids) do ids[i] = ("%d"):format(id) end
    out[3] = '"neighbors": [' .. table.concat(ids, ", ") .. "]"
    if distances then out[4] = '"distances": ' .. list_json(distances) end
  end
  return "    {" .. table.concat(out, ", ") .. "}"
end

-- --- both --------------------------------------------------------------------------------------

-- Writes one entry after the other, so that there may be millions of them.
local function each(dataset, range, show, separator)
  for number = range.first, range.last do
    io.write(number > range.first and separator or "", show(dataset, number))
  end
  if range.last >= range.first then io.write("\n") end
end

local function print_text(dataset, records, queries)
  each(dataset, records, record_text, "\n")
  each(dataset, queries, query_text, "\n")
end

local function print_list(dataset, name, range, show, behind)
  io.write(('  "%s": ['):format(name), range.last >= range.first and "\n" or "")
  each(dataset, range, show, ",\n")
  io.write(range.last >= range.first and "  ]" or "]", behind, "\n")
end

local function print_json(dataset, records, queries)
  io.write(('{\n  "dataset": %s,\n'):format(cjson.encode(dataset.name)))
  print_list(dataset, "records", records, record_json, ",")
  print_list(dataset, "queries", queries, query_json, "")
  io.write("}\n")
end

--- Prints.
-- @tparam table args values of `options`
-- @tparam {string,...} operands the dataset
-- @treturn number exit code
-- @raise a failure
function M.run(args, operands)
  if args.record and args.given.limit then
    failure.usage("--record prints one record, and --limit says how many")
  elseif args.json and args.given.format and args.format ~= "json" then
    failure.usage("--json and --format %s exclude each other", args.format)
  end
  local dataset = read.operand("inspect", args, operands)
  local records = { first = 0, last = math.min(args.limit, dataset.count) - 1 }
  local queries = { first = 0, last = math.min(args.limit, dataset.query_count) - 1 }
  if args.record then
    if args.record >= dataset.count then
      failure.usage("--record %d: %s has %d records, numbered from 0", args.record, dataset.name,
        dataset.count)
    end
    records.first, records.last, queries.last = args.record, args.record, -1
  end
  local show = (args.json or args.format == "json") and print_json or print_text
  show(dataset, records, queries)
  dataset:check()
  return 0
end

return M
