--- Writes what a recorder holds: infers the schema, then fills the records.
-- @module vbench.recording
local native = require "vbench.ffi"
local units = require "vbench.units"
local ffi, C = native.ffi, native.C

local M = {}

local LEAST_WIDTH, VARIABLE_ABOVE = 64, 256
local LENGTH_BYTES = 4

local LOADS = {
  SET = C.VB_LOAD_SET, HSET = C.VB_LOAD_HSET, SADD = C.VB_LOAD_SADD, RPUSH = C.VB_LOAD_RPUSH,
  LPUSH = C.VB_LOAD_LPUSH, ZADD = C.VB_LOAD_ZADD,
}
local COLLECTIONS = {
  SADD = C.VB_COLLECTION_SET, RPUSH = C.VB_COLLECTION_LIST, LPUSH = C.VB_COLLECTION_LIST,
  ZADD = C.VB_COLLECTION_ZSET,
}

-- Failures of C on the way to `write`, which returns their message.
local function check(status, err)
  if status < 0 then error({ recording = ffi.string(err.text) }, 0) end
  return status
end

-- --- what texts are of one field ---------------------------------------------------------------

-- Whether bytes are UTF-8 (RFC 3629: no surrogates, nothing over 0x10ffff, no longer form).
local function is_utf8(text)
  if not text:find("[\128-\255]") then return true end
  local at = 1
  while at <= #text do
    local lead, second = text:byte(at), text:byte(at + 1) or 0
    local more = lead < 0x80 and 0 or lead >= 0xc2 and lead < 0xe0 and 1
      or lead >= 0xe0 and lead < 0xf0 and 2 or lead >= 0xf0 and lead < 0xf5 and 3
    if not more or (lead == 0xe0 and second < 0xa0) or (lead == 0xed and second > 0x9f)
      or (lead == 0xf0 and second < 0x90) or (lead == 0xf4 and second > 0x8f) then
      return false
    end
    for i = at + 1, at + more do
      local byte = text:byte(i) or 0
      if byte < 0x80 or byte > 0xbf then return false end
    end
    at = at + more + 1
  end
  return true
end

local function new_texts()
  return { longest = 0, count = 0, empty = 0, utf8 = true, ends_in_nul = false }
end

local function see(texts, text)
  texts.longest, texts.count = math.max(texts.longest, #text), texts.count + 1
  if text == "" then texts.empty = texts.empty + 1 end
  texts.utf8 = texts.utf8 and is_utf8(text)
  texts.ends_in_nul = texts.ends_in_nul or text:byte(-1) == 0
end

-- Text of fixed length is sent up to its last byte that is not NUL; a blob says its length.
local function text_field(texts)
  local width = units.power_of_two(texts.longest, LEAST_WIDTH)
  return {
    type = texts.utf8 and C.VB_FIELD_TEXT or C.VB_FIELD_BLOB,
    max_bytes = width,
    variable = width > VARIABLE_ABOVE or texts.ends_in_nul or not texts.utf8,
  }
end

-- --- the schema --------------------------------------------------------------------------------

local function add_field(schema, name, made)
  local field, err = ffi.new("vb_field"), native.new_error()
  C.vb_field_init(field, made.type)
  local anchor = ffi.new("char[?]", #name + 1, name)
  field.name = anchor
  field.max_bytes = made.max_bytes or 0
  field.variable = made.variable and 1 or 0
  field.optional = made.optional and 1 or 0
  if made.dimensions then
    field.dimensions, field.distance = made.dimensions, C.VB_DISTANCE_L2
  end
  check(C.vb_schema_add(schema, field, err), err)
end

-- Name -> what the texts of that field are, and which of its vectors are there.
local function survey_fields(recorder)
  local found = {}
  local function at(name)
    found[name] = found[name] or { texts = new_texts(), vectors = 0 }
    return found[name]
  end
  for _, record in ipairs(recorder.list) do
    for name, text in pairs(record.fields or {}) do
      if not (record.vectors and record.vectors[name]) then see(at(name).texts, text) end
    end
    for name in pairs(record.vectors or {}) do at(name).vectors = at(name).vectors + 1 end
  end
  return found
end

local function sorted(found)
  local names = {}
  for name in pairs(found) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function fail(format, ...)
  error({ recording = format:format(...) }, 0)
end

-- A schema is YAML, and names in C end at a NUL.
local function check_name(name)
  if is_utf8(name) and not name:find("\0", 1, true) then return end
  fail("field '%s': a schema holds names in UTF-8 without NUL bytes",
    (name:gsub("[^\32-\126]", function(byte) return ("\\x%02x"):format(byte:byte()) end)))
end

local function vector_field(name, one, recorder)
  if one.vectors < #recorder.list then
    fail("field '%s' is a vector in %d of %d keys: each must have one", name, one.vectors,
      #recorder.list)
  end
  return { type = C.VB_FIELD_VECTOR, dimensions = recorder.dimensions[name] }
end

local function hash_fields(recorder, notes)
  local found, list = survey_fields(recorder), {}
  for _, name in ipairs(sorted(found)) do
    local one, field = found[name], nil
    check_name(name)
    if one.vectors > 0 then
      field = vector_field(name, one, recorder)
    else
      field = text_field(one.texts)
      field.optional = one.texts.count < #recorder.list
      if field.optional and one.texts.empty > 0 then
        notes[#notes + 1] = ("field '%s' is empty in %d keys and missing in others: neither will "
          .. "be sent"):format(name, one.texts.empty)
      end
    end
    field.name = name
    list[#list + 1] = field
  end
  return list
end

local function value_field(recorder)
  local texts = new_texts()
  for _, record in ipairs(recorder.list) do see(texts, record.value) end
  local field = text_field(texts)
  field.name = "value"
  return { field }
end

local function member_fields(recorder, schema)
  local texts, most = new_texts(), 0
  local scored = recorder.command == "ZADD"
  for _, record in ipairs(recorder.list) do
    most = math.max(most, #record.members)
    for _, member in ipairs(record.members) do see(texts, scored and member.member or member) end
  end
  schema.collection, schema.max_members = COLLECTIONS[recorder.command], most
  local field = text_field(texts)
  field.name = scored and "value" or ""
  return scored and { { name = "score", type = C.VB_FIELD_NUMERIC }, field } or { field }
end

local function set_keys(schema, recorder)
  local longest, nul = 1, false
  for _, record in ipairs(recorder.list) do
    longest = math.max(longest, #record.key)
    nul = nul or record.key:find("\0", 1, true) ~= nil
  end
  schema.keys, schema.key_bytes = 1, units.power_of_two(longest, 1)
  schema.key_variable = nul and 1 or 0 -- one of fixed length ends at its first NUL
end

local function infer(recorder, notes)
  local schema, err = ffi.gc(C.vb_schema_new(), C.vb_schema_free), native.new_error()
  local list
  if recorder.command == "SET" then
    list = value_field(recorder)
  elseif recorder.command == "HSET" then
    list = hash_fields(recorder, notes)
  else
    list = member_fields(recorder, schema)
  end
  schema.load, schema.records = LOADS[recorder.command], #recorder.list
  check(C.vb_schema_set(schema, C.VB_SCHEMA_NAME, recorder.name, err), err)
  for _, field in ipairs(list) do add_field(schema, field.name, field) end
  set_keys(schema, recorder)
  return schema, list
end

-- --- the records -------------------------------------------------------------------------------

local number = ffi.new("double[1]")
local length = ffi.new("uint32_t[1]")

local PUT = {
  [tonumber(C.VB_FIELD_VECTOR)] = function(to, vector, field)
    local values = ffi.new("float[?]", field.dimensions, vector)
    ffi.copy(to, values, field.dimensions * 4)
  end,
  [tonumber(C.VB_FIELD_NUMERIC)] = function(to, value)
    number[0] = value
    ffi.copy(to, number, 8)
  end,
}

local function put_text(to, text, field)
  if field.variable then
    length[0] = #text
    ffi.copy(to, length, LENGTH_BYTES)
    to = to + LENGTH_BYTES
  end
  ffi.copy(to, text, #text)
end

local function put(to, value, field)
  local place = PUT[tonumber(field.type)] or put_text
  if value ~= nil then place(to, value, field) end
end

local function put_members(to, record, list, layout)
  length[0] = #record.members
  ffi.copy(to, length, LENGTH_BYTES)
  for i, member in ipairs(record.members) do
    local slot = to + LENGTH_BYTES + (i - 1) * layout.member_size
    if #list == 2 then
      put(slot + layout.fields[0].offset, member.score, list[1])
      put(slot + layout.fields[1].offset, member.member, list[2])
    else
      put(slot, member, list[1])
    end
  end
end

local function put_fields(to, record, list, layout)
  for i, field in ipairs(list) do
    local value = record.value
    if not value then
      value = record.vectors and record.vectors[field.name] or record.fields[field.name]
    end
    put(to + layout.fields[i - 1].offset, value, field)
  end
end

local function write_records(writer, recorder, list, layout)
  local err = native.new_error()
  for _, record in ipairs(recorder.list) do
    local to = C.vb_writer_room(writer, C.VB_SECTION_RECORDS, layout.record_size, err)
    if to == nil then fail("%s", ffi.string(err.text)) end
    local write = record.members and put_members or put_fields
    write(to, record, list, layout)
    check(C.vb_writer_key(writer, record.key, #record.key, err), err)
  end
end

local function write(recorder, base, notes)
  local schema, list = infer(recorder, notes)
  local err, out = native.new_error(), ffi.new("vb_writer *[1]")
  local layout = ffi.gc(ffi.new("vb_layout"), C.vb_layout_fini)
  check(C.vb_layout_init(layout, schema, err), err)
  check(C.vb_writer_new(out, base, schema, err), err)
  local writer = ffi.gc(out[0], C.vb_writer_free)
  write_records(writer, recorder, list, layout)
  check(C.vb_writer_finish(writer, err), err)
  return ffi.string(C.vb_writer_schema_path(writer)), ffi.string(C.vb_writer_data_path(writer))
end

--- Writes a dataset.
-- @tparam table recorder of vbench.recorder
-- @tparam string base its name, with or without .yaml
-- @treturn ?string path of the schema
-- @treturn string path of the data, or the message
-- @treturn {string,...} what the format cannot keep
function M.write(recorder, base)
  local notes = {}
  local ok, schema, data = pcall(write, recorder, base, notes)
  if ok then return schema, data, notes end
  if type(schema) == "table" and schema.recording then return nil, schema.recording end
  error(schema, 0)
end

return M
