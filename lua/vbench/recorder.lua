--- Records writes as a dataset: an application's own, made by the calls of a client library.
--
--     local recorder = require "vbench.recorder"
--     local rec = recorder.new { name = "sessions" }
--     rec:hset("user:1", { name = "Ada", visits = 3 })
--     rec:hset("user:2", { name = "Grace" })
--     local schema, data = assert(rec:generate("datasets/sessions"))
--
-- The calls are named as in redis-py. One recorder holds one type, since a dataset is loaded by one
-- command. Strings are recorded byte for byte, numbers as text.
-- @api vbench.recorder
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local recording = require "vbench.recording"

local M = {}

local Recorder = {}
Recorder.__index = Recorder

local COMMANDS = {
  set = "SET", hset = "HSET", hset_vector = "HSET", sadd = "SADD", rpush = "RPUSH",
  lpush = "LPUSH", zadd = "ZADD",
}

-- A number in the shortest form that reads back the same.
local function number_text(value)
  local text = ("%.15g"):format(value)
  return tonumber(text) == value and text or ("%.17g"):format(value)
end

local function text_of(value, what)
  if type(value) == "number" then return number_text(value) end
  if type(value) ~= "string" then
    fault.raise("%s is %s; it takes a string or a number", what, fields.describe(value))
  end
  return value
end

-- Where what is recorded of a key goes: an empty table at its first use.
local function entry(self, method, key)
  local command = COMMANDS[method]
  if self.command and self.command ~= command then
    fault.raise("rec:%s records %s, but this recorder holds %s since its first call: a dataset is "
      .. "loaded by one command; make a second recorder for it, recorder.new{}, and generate it "
      .. "under another name", method, command, self.command)
  end
  key = text_of(key, "the key of rec:" .. method)
  if key == "" then fault.raise("the key of rec:%s is empty: it could not be sent", method) end
  self.command = command
  local record = self.records[key]
  if not record then
    record = { key = key }
    self.records[key], self.list[#self.list + 1] = record, record
  end
  return record
end

--- Records `SET key value`; the last one of a key counts.
-- @function rec:set
-- @tparam string|number key
-- @tparam string|number value
function Recorder:set(key, value)
  local text = text_of(value, "the value of rec:set")
  entry(self, "set", key).value = text
end

-- Fields and values as texts: looked at before anything is recorded.
local function texts_of(values, method)
  local texts = {}
  for name, value in pairs(values) do
    name = text_of(name, "the name of a field of rec:" .. method)
    if name == "" then fault.raise("a field of rec:%s has an empty name", method) end
    texts[name] = text_of(value, ("field '%s' of rec:%s"):format(name, method))
  end
  return texts
end

local function merge(record, texts)
  record.fields = record.fields or {}
  for name, text in pairs(texts) do
    record.fields[name] = text
    if record.vectors then record.vectors[name] = nil end
  end
end

--- Records `HSET key field value ...`; fields of further calls are added, the last value counts.
-- @function rec:hset
-- @tparam string|number key
-- @tparam table|string values field -> value, or the name of one field
-- @tparam ?string|number value of that field
function Recorder:hset(key, values, value)
  if type(values) ~= "table" then
    local name = text_of(values, "the field of rec:hset")
    values = { [name] = text_of(value, "the value of rec:hset") }
  elseif not next(values) then
    fault.raise("rec:hset has no field")
  end
  local texts = texts_of(values, "hset")
  merge(entry(self, "hset", key), texts)
end

local function check_vector(vector)
  if type(vector) ~= "table" or #vector == 0 then
    fault.raise("the vector of rec:hset_vector is %s; it takes a list of numbers",
      type(vector) == "table" and "empty" or fields.describe(vector))
  end
  for i, value in ipairs(vector) do
    if type(value) ~= "number" or value ~= value or math.abs(value) > 3.4028234663852886e38 then
      fault.raise("number %d of the vector of rec:hset_vector is %s", i,
        type(value) == "number" and "no finite float32" or fields.describe(value))
    end
  end
end

--- Records `HSET key field <float32 ...>`, with other fields if given. All vectors of a field have
-- one length.
-- @function rec:hset_vector
-- @tparam string|number key
-- @tparam string field of the vector
-- @tparam {number,...} vector
-- @tparam ?table others field -> value
function Recorder:hset_vector(key, field, vector, others)
  field = text_of(field, "the field of rec:hset_vector")
  check_vector(vector)
  local known = self.dimensions[field]
  if known and known ~= #vector then
    fault.raise("a vector of %d numbers for field '%s', which had %d before", #vector, field, known)
  end
  local texts = texts_of(others or {}, "hset_vector")
  local record = entry(self, "hset_vector", key)
  self.dimensions[field] = #vector
  merge(record, texts)
  record.vectors = record.vectors or {}
  record.vectors[field], record.fields[field] = object.copy(vector), nil
end

local function add_members(self, method, key, ...)
  local count = select("#", ...)
  if count == 0 then fault.raise("rec:%s has no member", method) end
  local texts = {}
  for i = 1, count do
    texts[i] = text_of((select(i, ...)), ("member %d of rec:%s"):format(i, method))
  end
  local record = entry(self, method, key)
  record.members, record.seen = record.members or {}, record.seen or {}
  for _, text in ipairs(texts) do
    if method ~= "sadd" or not record.seen[text] then
      record.members[#record.members + 1] = text
      record.seen[text] = method == "sadd" or nil
    end
  end
end

--- Records `SADD key member ...`; further members are added, one that is there stays.
-- @function rec:sadd
-- @tparam string|number key
-- @tparam string|number ... members
function Recorder:sadd(key, ...)
  add_members(self, "sadd", key, ...)
end

--- Records `RPUSH key member ...`; further members are added.
-- @function rec:rpush
-- @tparam string|number key
-- @tparam string|number ... members
function Recorder:rpush(key, ...)
  add_members(self, "rpush", key, ...)
end

--- Records `LPUSH key member ...`; further members are added, in the order they are pushed.
-- @function rec:lpush
-- @tparam string|number key
-- @tparam string|number ... members
function Recorder:lpush(key, ...)
  add_members(self, "lpush", key, ...)
end

local function score_of(value, member)
  local score = tonumber(value)
  if not score or score ~= score then
    fault.raise("the score of '%s' of rec:zadd is %s; it takes a number", member,
      type(value) == "number" and "no number" or fields.describe(value))
  end
  return score
end

local function pair_of(member, score)
  local text = text_of(member, "a member of rec:zadd")
  return { member = text, score = score_of(score, text) }
end

-- Pairs keep their order; a table by member has none: by score, then by member.
local function pairs_of(members)
  local list = {}
  if type(members[1]) == "table" then
    for i, pair in ipairs(members) do list[i] = pair_of(pair[1], pair[2]) end
    return list
  end
  for member, score in pairs(members) do list[#list + 1] = pair_of(member, score) end
  table.sort(list, function(a, b)
    if a.score ~= b.score then return a.score < b.score end
    return a.member < b.member
  end)
  return list
end

--- Records `ZADD key score member ...`; a member that is there takes the new score.
-- @function rec:zadd
-- @tparam string|number key
-- @tparam table members `{ member = score, ... }`, or `{ { member, score }, ... }`, which keeps its
--   order
function Recorder:zadd(key, members)
  if type(members) ~= "table" or not next(members) then
    fault.raise("rec:zadd takes {member = score} or {{member, score}, ...}, not %s",
      type(members) == "table" and "an empty table" or fields.describe(members))
  end
  local list = pairs_of(members)
  local record = entry(self, "zadd", key)
  record.members, record.seen = record.members or {}, record.seen or {}
  for _, pair in ipairs(list) do
    local known = record.seen[pair.member]
    if known then
      known.score = pair.score
    else
      record.members[#record.members + 1], record.seen[pair.member] = pair, pair
    end
  end
end

--- Writes what was recorded as a dataset, which replays as the same commands. Both files appear
-- when they are whole, or neither does. Recording may go on, and be written again.
-- @function rec:generate
-- @tparam string base "datasets/x" for datasets/x.yaml and datasets/x.bin
-- @treturn ?string path of the schema; nil when it cannot be written
-- @treturn string path of the data, or the message
-- @treturn {string,...} what the format cannot keep, if anything
-- @raise when nothing was recorded
function Recorder:generate(base)
  if type(base) ~= "string" or base == "" then
    fault.raise("rec:generate takes the name of the dataset, as \"datasets/x\"")
  end
  if not self.command then fault.raise("rec:generate: nothing was recorded") end
  return recording.write(self, base)
end

--- A recorder.
-- @tparam ?table options `name` of the dataset ("recorded_dataset")
-- @treturn recorder
function M.new(options)
  local given = fields.read(options or {}, { name = "string" }, "recorder.new")
  return setmetatable({
    name = given.name or "recorded_dataset",
    records = {},    -- by key
    list = {},       -- in order of first use
    dimensions = {}, -- of vector fields
  }, Recorder)
end

return M
