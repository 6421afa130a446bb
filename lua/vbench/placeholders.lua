--- Commands with placeholders.
--
-- As in `vbench -- SET key:__rand_int__ __data__`. `__rand_int__`: 12 digits below the keyspace's
-- size, each its own draw. `__rand_1st__` to `__rand_9th__`: all of one name in a command are
-- equal. `__data__`: as many bytes as `--data-size` says. `{tag}` and `{clt}` stay as they are on a
-- server that is no cluster. Of the dataset of the command line: `__d_key_ph__`, the 12 digits of a
-- record's number, in order unless `--iteration` says otherwise; `__d_vec_ph__`, the vector of that
-- record, or of a query when no record's number stands in the command.
-- @module vbench.placeholders
local vb = require "vbench"
local classic_tracks = require "vbench.classic_tracks"
local failure = require "vbench.failure"
local fields = require "vbench.fields"
local session = require "vbench.session"

local M = {}

local WIDTH = 12

-- Placeholders of other tools that need what this version does not have.
local ABSENT = {
  __v_rd__ = "vectors", ___tag_field____ = "tags",
}

local function refuse_absent(word)
  for name, what in pairs(ABSENT) do
    if word:find(name, 1, true) then
      failure.usage("placeholder %s needs %s, which this version does not have", name, what)
    end
  end
end

-- Longer names before those that they begin with.
local PLAIN = { "__data__", "__d_key_ph__", "__d_vec_ph____", "__d_vec_ph__" }

-- The first placeholder from `at` on: where it begins and ends, its name.
local function find(word, at)
  local first, last, name = word:find("(__rand_%w+__)", at)
  for _, one in ipairs(PLAIN) do
    local one_first, one_last = word:find(one, at, true)
    if one_first and (not first or one_first < first) then
      first, last, name = one_first, one_last, one
    end
  end
  return first, last, name
end

-- Splits a word into literal texts and names of placeholders: { { text = }, { name = } }.
local function split(word)
  local parts, at = {}, 1
  while at <= #word do
    local first, last, name = find(word, at)
    if not first then break end
    if first > at then parts[#parts + 1] = { text = word:sub(at, first - 1) } end
    parts[#parts + 1] = { name = name }
    at = last + 1
  end
  if at <= #word or #parts == 0 then parts[#parts + 1] = { text = word:sub(at) } end
  return parts
end

local function check_name(name)
  if name == "__rand_int__" or name == "__data__" or name:find("^__d_") then return end
  local ordinals = { "1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th" }
  for _, one in ipairs(ordinals) do
    if name == "__rand_" .. one .. "__" then return end
  end
  failure.usage("unknown placeholder %s; there are __rand_int__, __rand_1st__ to __rand_9th__, "
    .. "__data__, __d_key_ph__ and __d_vec_ph__", name)
end

local function keyspace(state, name, spec)
  local known = state.keyspaces[name]
  if not known then
    spec.name, spec.size = name, vb.args.keyspace
    known = vb.keyspace(spec)
    state.keyspaces[name] = known
  end
  return known
end

-- A draw that is repeated wherever its name stands again.
local function repeated(state, name)
  local keys = keyspace(state, name, { prefix = "", width = WIDTH })
  if state.drawn[name] then return keys:current():value() end
  state.drawn[name] = true
  return state.order(keys):value()
end

-- The number of a record: in order, unless the command line says otherwise.
local function record_number(state)
  local name = "record numbers"
  if state.keyspaces[name] then return state.keyspaces[name]:current():value() end
  local keys = vb.keyspace { name = name, prefix = "", width = WIDTH, size = vb.dataset().count }
  state.keyspaces[name] = keys
  return (session.given.iteration and state.order(keys) or keys:sequential():wrap()):value()
end

-- The vector field that is meant; it is of a query when no number of a record is drawn.
local function dataset_vector(state)
  local ds, name = vb.dataset(), vb.args.query_field
  for _, field in ipairs(ds.fields) do
    if field.type == "vector" then name = name or field.name end
  end
  if not name then
    failure.usage("__d_vec_ph__ stands for a vector, and dataset '%s' has none", ds.name)
  end
  if state.of_record then return ds.record[name] end
  return ds.query[name]
end

local function part_value(state, part)
  if part.text then return part.text end
  check_name(part.name)
  if part.name == "__d_key_ph__" then return record_number(state) end
  if part.name:find("^__d_vec_ph__") then return dataset_vector(state) end
  if part.name == "__data__" then return ("x"):rep(vb.args.data_size) end
  if part.name ~= "__rand_int__" then return repeated(state, part.name) end
  return state.order(keyspace(state, part.name, { prefix = "", width = WIDTH })):value()
end

local function escape(text)
  return (text:gsub("%%", "%%%%"))
end

-- A word with one __rand_int__ and else only text is the key of a keyspace of its own.
local function as_key(state, parts)
  local pattern, draws = "", 0
  for _, part in ipairs(parts) do
    if part.name and part.name ~= "__rand_int__" then return nil end
    draws = draws + (part.name and 1 or 0)
    pattern = pattern .. (part.text and escape(part.text) or ("%%0%dd"):format(WIDTH))
  end
  if draws ~= 1 then return nil end
  return state.order(keyspace(state, "-- " .. pattern, { pattern = pattern }))
end

local function argument(state, word, position)
  refuse_absent(word)
  local parts = split(word)
  if #parts == 1 and parts[1].text then return word end
  local key = as_key(state, parts)
  if key then return position == 2 and key or key:value() end
  local values = {}
  for i, part in ipairs(parts) do values[i] = part_value(state, part) end
  return #values == 1 and values[1] or vb.concat(values)
end

--- Declares a command from words with placeholders.
-- @tparam {string,...} words
-- @tparam ?string last one more argument, sent as it is
-- @tparam function order `order(keyspace)` -> the cursor for what is drawn
-- @treturn command
-- @raise for a placeholder that is none, or that this version does not have
function M.command(words, last, order)
  local of_record = table.concat(words, " "):find("__d_key_ph__", 1, true) ~= nil
  local state = { keyspaces = {}, drawn = {}, order = order, of_record = of_record }
  local given = { name = words[1]:lower() }
  for i, word in ipairs(words) do given[i] = argument(state, word, i) end
  local is_key = fields.kind(given[2]) == "cursor" and not given[2].spec.as_value
  given.tracks = is_key and classic_tracks.of(words[1]) or nil
  given[#given + 1] = last
  return vb.command(given)
end

return M
