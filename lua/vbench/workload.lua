--- Profiles of traffic over a keyspace, ready to use: sessions, caches, time series, YCSB.
--
-- Each is a fragment of a scenario: `commands` by name, `fill` (what loads the keyspace, to be
-- run for `records` operations), `run` (the traffic), and `:phases { ... }`, which makes phases of
-- them.
--
--     local workload = require "vbench.workload"
--     local keys = vb.keyspace { prefix = "s:", size = "1m" }
--     local sessions = workload.session_store { keys = keys }
--     return vb.scenario { phases = sessions:phases { duration = "30s" } }
-- @api vbench.workload
local vb = require "vbench"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"

local M = {}

local PART = { min = 0, max = 1 }
local FRAGMENT = {
  keys = "keyspace", value = "generator", filled = "number", prefix = "string",
  fragmentation = "function",
}
local PHASES = {
  duration = "duration", requests = "count", pipeline = "count", fill_pipeline = "count",
  thresholds = "table",
}

-- Share of operations; inserts are what is left of 1.
local PROFILES = {
  session_store = { order = "exponential", 0.1, read = 0.70, overwrite = 0.20, delete = 0.05 },
  cache = { order = "zipfian", 0.99, read = 0.90, overwrite = 0.10, delete = 0 },
  time_series = { order = "latest", 0.1, 0.9, read = 0.20, overwrite = 0, delete = 0.10 },
  mixed = { order = "uniform", read = 0.50, overwrite = 0.25, delete = 0.10 },
  defrag_test = { order = "uniform", read = 0.20, overwrite = 0.30, delete = 0.25 },
}

local methods = {}
local class = object.class("workload", methods)

local function need_keys(given, where)
  if not given.keys then fault.raise("%s needs keys: a keyspace", where) end
end

-- A mix of what has a weight.
local function mix_of(list)
  local entries = {}
  for _, one in ipairs(list) do
    if one[1] > 1e-9 then entries[#entries + 1] = one end
  end
  return vb.mix(entries)
end

--- Phases that load the keyspace and run the traffic.
-- @function workload:phases
-- @tparam ?table given `duration` or `requests` of the traffic, its `pipeline` and `thresholds`;
--   `fill_pipeline` (16)
-- @treturn {phase,...} "load", the phases of its fragmentation, "run"
function methods.phases(self, given)
  local options = fields.read(given or {}, PHASES, "workload:phases")
  local list = { vb.phase { name = "load", run = self.fill, requests = self.records,
                            pipeline = options.fill_pipeline or 16 } }
  for _, one in ipairs(self.fragmentation) do list[#list + 1] = one end
  list[#list + 1] = vb.phase {
    name = "run", run = self.run, duration = options.duration, requests = options.requests,
    pipeline = options.pipeline, thresholds = options.thresholds,
  }
  return list
end

-- Fragmentation: phases between the load and the run.

local function deletes(name, cursor)
  local delete = vb.command { "DEL", cursor, tracks = "remove", name = name }
  return { vb.phase { name = "fragment", run = delete, until_exhausted = true, pipeline = 16 } }
end

--- Fragmentation: every n-th id is deleted after the load.
-- @function workload.every_nth
-- @tparam number n 2 or more
-- @return for `fragmentation`
function M.every_nth(n)
  object.number(n, "every_nth", { min = 2, integer = true })
  return function(keys, records, prefix)
    local ids = {}
    for id = 0, records - 1, n do ids[#ids + 1] = id end
    local name = prefix .. "holes"
    return deletes(name, keys:only(vb.reference_set { name = name, ids = ids }):existing()
      :sequential())
  end
end

--- Fragmentation: a random part of the ids is deleted after the load.
-- @function workload.random
-- @tparam number part above 0 to 1
-- @return for `fragmentation`
function M.random(part)
  object.number(part, "the part of random", { above = 0, max = 1 })
  return function(keys, records, prefix)
    return deletes(prefix .. "holes", keys:range(0, records):sample(part):existing():sequential())
  end
end

--- Fragmentation: every value is written once more after the load, with another size.
-- @function workload.sizes
-- @tparam {number|string,...} list sizes, equally likely
-- @return for `fragmentation`
function M.sizes(list)
  if fields.length(list, "workload.sizes") == 0 then fault.raise("workload.sizes takes sizes") end
  local weights = {}
  for _, size in ipairs(list) do weights[size] = 1 end
  return function(keys, _, prefix)
    local resize = vb.command { "SET", keys:existing():sequential(),
                                vb.bytes { weights = weights }, name = prefix .. "resize" }
    return { vb.phase { name = "fragment", run = resize, until_exhausted = true, pipeline = 16 } }
  end
end

local function build(name, profile, given)
  local where = "workload." .. name
  local options = fields.read(given, FRAGMENT, where)
  need_keys(options, where)
  local keys, prefix = options.keys, options.prefix or ""
  local value = options.value or profile.value or vb.bytes(100)
  local filled = object.number(options.filled or 0.5, where .. ": filled", PART)
  local order = profile.order
  local function any() return keys:existing()[order](keys:existing(), unpack(profile)) end
  local commands = {
    insert = vb.command { "SET", keys:claim(), value, tracks = "add", name = prefix .. "insert" },
    read = vb.command { "GET", any(), reply = vb.hits(), name = prefix .. "read" },
    -- XX: one that meets a delete must not bring the key back.
    overwrite = vb.command { "SET", any(), value, "XX", name = prefix .. "overwrite" },
    delete = vb.command { "DEL", any(), tracks = "remove", name = prefix .. "delete" },
  }
  local insert = 1 - profile.read - profile.overwrite - profile.delete
  local records = math.max(1, math.floor(keys.size * (insert > 1e-9 and filled or 1)))
  local cut = options.fragmentation
  return setmetatable({
    kind = "workload", name = name, commands = commands, fill = commands.insert,
    records = records, fragmentation = cut and cut(keys, records, prefix) or {},
    run = mix_of { { profile.read, commands.read }, { profile.overwrite, commands.overwrite },
                   { insert, commands.insert }, { profile.delete, commands.delete } },
  }, class)
end

--- A session store: mostly the newest sessions, 70 % reads, 20 % overwrites, 5 % each of inserts
-- and deletes.
-- @function workload.session_store
-- @tparam table given `keys` (a keyspace, required), `value` (a generator; 100 bytes), `filled`
--   (the part of the ids that is loaded where the profile inserts; 0.5), `prefix` (of the names of
--   its commands), `fragmentation` (what `every_nth`, `random` or `sizes` give)
-- @treturn workload
function M.session_store(given)
  return build("session_store", PROFILES.session_store, given)
end

--- A cache: Zipfian reads, the rest overwrites.
-- @function workload.cache
-- @tparam table given as of session_store, and `read_ratio` (0.9)
-- @treturn workload
function M.cache(given)
  local options = object.copy(given)
  local ratio = object.number(options.read_ratio or 0.9, "workload.cache: read_ratio", PART)
  options.read_ratio = nil
  local profile = object.copy(PROFILES.cache)
  profile.read, profile.overwrite = ratio, 1 - ratio
  return build("cache", profile, options)
end

--- A time series: the newest are read, 70 % inserts, 10 % deletes. It ends when every id has been
-- inserted.
-- @function workload.time_series
-- @tparam table given as of session_store
-- @treturn workload
function M.time_series(given)
  return build("time_series", PROFILES.time_series, given)
end

--- A bit of everything: 50 % reads, 25 % overwrites, 15 % inserts, 10 % deletes, all evenly.
-- @function workload.mixed
-- @tparam table given as of session_store
-- @treturn workload
function M.mixed(given)
  return build("mixed", PROFILES.mixed, given)
end

--- Work for a server's defragmentation: many inserts, overwrites and deletes, of values of two
-- sizes that are far apart.
-- @function workload.defrag_test
-- @tparam table given as of session_store; `value` is 64 bytes or 1 KB unless given
-- @treturn workload
function M.defrag_test(given)
  local profile = object.copy(PROFILES.defrag_test)
  profile.value = vb.bytes { weights = { [64] = 1, [1024] = 1 } }
  return build("defrag_test", profile, given)
end

-- YCSB: records are hashes, as in its binding for Redis.

local YCSB = {
  a = { read = 0.5, update = 0.5 }, b = { read = 0.95, update = 0.05 }, c = { read = 1 },
  d = { read = 0.95, insert = 0.05, order = "latest" }, e = { scan = 0.95, insert = 0.05 },
  f = { read = 0.5, modify = 0.5 },
}
local YCSB_FIELDS = {
  workload = "string", keys = "keyspace", fields = "count", field_size = "size", filled = "number",
}

local function record(word, key, options, name, tracks)
  local given = { word, key, name = name, tracks = tracks }
  for i = 0, options.fields - 1 do
    given[#given + 1] = "field" .. i
    given[#given + 1] = vb.bytes(options.field_size)
  end
  return vb.command(given)
end

local function field_of(options)
  local names = {}
  for i = 1, options.fields do names[i] = "field" .. i - 1 end
  return vb.choice(names)
end

-- Operations by name, for those that the workload has.
local function ycsb_operations(options, profile, keys)
  local index = vb.key(keys.name .. "index")
  local grows = profile.insert
  local function one()
    if profile.order == "latest" then return keys:existing():latest(0.1, 0.9) end
    return grows and keys:existing():zipfian(0.99) or keys:zipfian(0.99)
  end
  local operations = {
    insert = record("HSET", keys:claim(), options, "insert", "add"),
    read = (profile.read or profile.modify)
      and vb.command { "HGETALL", one(), name = "read" } or nil,
    update = profile.update
      and vb.command { "HSET", one(), field_of(options), vb.bytes(options.field_size),
                       name = "update" } or nil,
  }
  if profile.modify then
    local write = vb.command { "HSET", keys:current(), field_of(options),
                               vb.bytes(options.field_size), name = "write" }
    operations.modify = vb.sequence { operations.read, write:when("ok"),
                                      name = "read-modify-write" }
  end
  if profile.scan then
    local enter = vb.command { "ZADD", index, 0, keys:current():value(), name = "index" }
    operations.insert = vb.sequence { operations.insert, enter, name = "insert-indexed" }
    operations.scan = vb.command {
      "ZRANGEBYLEX", index, vb.concat { "[", one():value() }, "+", "LIMIT", 0,
      vb.int { min = 1, max = 100 }, name = "scan",
    }
  end
  return operations
end

--- A workload of YCSB (Cooper et al., "Benchmarking cloud serving systems with YCSB", SoCC 2010): A
-- updates heavily, B reads mostly, C only reads, D reads what is newest, E scans short ranges, F
-- reads, modifies and writes.
-- Records are hashes. Keys are drawn by Zipf's law (0.99), of D mostly from the newest tenth. E
-- keeps the keys in a sorted set as well, in which it scans 1 to 100 of them.
-- @function workload.ycsb
-- @tparam table given `workload` ("a" to "f"), `keys` (a keyspace); `fields` (10) of `field_size`
--   ("100B"); `filled` (the part of the ids that is loaded where records are inserted; 0.5)
-- @treturn workload
function M.ycsb(given)
  local options = fields.read(given, YCSB_FIELDS, "workload.ycsb")
  need_keys(options, "workload.ycsb")
  local letter = options.workload and options.workload:lower()
  local profile = YCSB[fields.choose(letter, YCSB, "the workload of workload.ycsb")]
  options.fields, options.field_size = options.fields or 10, options.field_size or 100
  object.number(options.fields, "fields of workload.ycsb", { min = 1, max = 1000, integer = true })
  local filled = object.number(options.filled or 0.5, "workload.ycsb: filled", PART)
  local operations, list = ycsb_operations(options, profile, options.keys), {}
  for _, name in ipairs { "read", "update", "insert", "scan", "modify" } do
    if profile[name] then list[#list + 1] = { profile[name], operations[name] } end
  end
  return setmetatable({
    kind = "workload", name = "ycsb " .. letter, commands = operations, fill = operations.insert,
    records = math.max(1, math.floor(options.keys.size * (profile.insert and filled or 1))),
    fragmentation = {}, run = vb.mix(list),
  }, class)
end

return M
