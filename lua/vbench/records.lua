--- Loading a dataset, and reading it back: the commands that its schema's workload asks for.
--
--     local records = require "vbench.records"
--     local load = records.load(vb.dataset "products")
-- @api vbench.records
local vb = require "vbench"

local M = {}

-- What is read back: the word and what stands behind the key.
local READERS = {
  SET = { "GET" },
  SADD = { "SMEMBERS" },
  RPUSH = { "LRANGE", 0, -1 },
  LPUSH = { "LRANGE", 0, -1 },
  ZADD = { "ZRANGE", 0, -1, "WITHSCORES" },
}

local function command_of(name, words, key, rest)
  local given = { words, key, name = name }
  for _, value in ipairs(rest) do given[#given + 1] = value end
  return given
end

local function value_field(ds)
  return (ds.fields.value or ds.fields[1]).name
end

-- Options of the command line that ask which keys exist.
local ASKS = { "keyspace_tracker", "reference_set_check", "reference_set_min",
               "reference_set_backfill", "protect_reference_set" }

-- What a command that loads does to the tracker, when the command line asks which keys exist.
local function tracks()
  local asked = false
  for _, name in ipairs(ASKS) do asked = vb.args[name] and true or asked end
  return asked and "add" or nil
end

--- What `load` declares, as vb.command takes it.
-- @tparam dataset ds
-- @tparam ?table options as of `load`
-- @treturn table
-- @local
function M.words(ds, options)
  options = options or {}
  local rest = {}
  if ds.collection then
    rest[1] = ds.record.members
  elseif ds.load == "SET" then
    rest[1] = ds.record[value_field(ds)]
  else
    for _, field in ipairs(ds.fields) do
      rest[#rest + 1] = field.name
      rest[#rest + 1] = ds.record[field.name]
    end
  end
  local given = command_of(options.name or "load", ds.load, options.keys or ds.keys:sequential(),
    rest)
  given.tracks = options.tracks or tracks()
  return given
end

--- The command that loads a record: SET, HSET, SADD, RPUSH, LPUSH or ZADD, as the schema says.
-- @tparam dataset ds
-- @tparam ?table options `name` ("load"), `keys` (a cursor over ds.keys; in order unless given),
--   `tracks` (as of vb.command; "add" when the command line has `--keyspace-tracker` or asks for a
--   check of reference sets)
-- @treturn command
function M.load(ds, options)
  return vb.command(M.words(ds, options))
end

--- The command that reads a record back and compares all of it: another byte, a field or member too
-- many or too few is an error of the kind "verify".
-- @tparam dataset ds
-- @tparam ?table options as of `load`; `name` is "verify"
-- @treturn command
function M.verify(ds, options)
  options = options or {}
  local words, rest = "HMGET", {}
  if READERS[ds.load] then
    words, rest = READERS[ds.load][1], { unpack(READERS[ds.load], 2) }
  else
    for i, field in ipairs(ds.fields) do rest[i] = field.name end
  end
  local given = command_of(options.name or "verify", words, options.keys or ds.keys:sequential(),
    rest)
  given.reply = vb.verify(ds)
  return vb.command(given)
end

return M
