--- The classic tests: those of redis-benchmark and valkey-benchmark, as ordinary declarations.
--
-- `scripts/classic.lua` runs them; a scenario of one's own can take single commands from here:
-- `local get = require("vbench.classic").command "get"`.
-- @module vbench.classic
local vb = require "vbench"
local classic_tracks = require "vbench.classic_tracks"
local failure = require "vbench.failure"
local nearest = require "vbench.nearest"
local placeholders = require "vbench.placeholders"
local records = require "vbench.records"
local report = require "vbench.report.classic"
local session = require "vbench.session"
local terminal = require "vbench.report.terminal"

local M = {}

local LIST, LIBRARY = "mylist", "vbench_classic"

local FUNCTION = ([[#!lua name=%s
redis.register_function('%s', function(keys) return redis.call('GET', keys[1]) end)]])
  :format(LIBRARY, LIBRARY)

-- Keyspaces of the tests, declared when a test first needs one.
local function keyspace(name, prefix)
  local known = require("vbench.registry").get("keyspace", name)
  return known or vb.keyspace { name = name, prefix = prefix, size = vb.args.keyspace }
end

local function cursor(name, prefix)
  return M.order(keyspace(name, prefix))
end

local function key() return cursor("classic keys", vb.args.key_prefix) end
local function element() return cursor("classic elements", "element:"):value() end
local function data() return ("x"):rep(vb.args.data_size) end

local function set(name)
  local given = { "SET", key(), data(), name = name, tracks = classic_tracks.of "set" }
  local expiry = vb.args.expiry_range
  if expiry then given[4], given[5] = "EX", vb.int(expiry) end
  return vb.command(given)
end

local function on_list(word, ...)
  local given = { word, vb.key(LIST), ... }
  return function(name)
    given.name = name
    return vb.command(given)
  end
end

local function push(word)
  return { title = word, data = true, make = function(name) return on_list(word, data())(name) end }
end

local function mset(name)
  local given = { "MSET", name = name, tracks = classic_tracks.of "mset" }
  for _ = 1, 10 do
    given[#given + 1] = key()
    given[#given + 1] = data()
  end
  return vb.command(given)
end

local function lrange(last)
  return {
    title = ("LRANGE_%d (first %d elements)"):format(last, last),
    needs_list = last, make = on_list("LRANGE", 0, last - 1),
  }
end

-- Every test: `make(name)` declares its command; `title` is redis-benchmark's; `data`: it has a
-- payload; `extra`: only when it is asked for.
local TESTS = {
  ping = { title = "PING_MBULK", make = function(name)
    return vb.command { "PING", name = name }
  end },
  set = { title = "SET", data = true, make = set },
  get = { title = "GET", make = function(name)
    return vb.command { "GET", key(), reply = vb.hits(), name = name,
                        tracks = classic_tracks.of "get" }
  end },
  incr = { title = "INCR", make = function(name)
    return vb.command { "INCR", cursor("classic counters", "counter:"), name = name,
                        tracks = classic_tracks.of "incr" }
  end },
  lpush = push "LPUSH", rpush = push "RPUSH",
  lpop = { title = "LPOP", make = on_list "LPOP" },
  rpop = { title = "RPOP", make = on_list "RPOP" },
  sadd = { title = "SADD", make = function(name)
    return vb.command { "SADD", vb.key "myset", element(), name = name }
  end },
  hset = { title = "HSET", data = true, make = function(name)
    return vb.command { "HSET", vb.key "myhash", element(), data(), name = name }
  end },
  spop = { title = "SPOP", make = function(name)
    return vb.command { "SPOP", vb.key "myset", name = name }
  end },
  zadd = { title = "ZADD", make = function(name)
    return vb.command { "ZADD", vb.key "myzset", 0, element(), name = name }
  end },
  zpopmin = { title = "ZPOPMIN", make = function(name)
    return vb.command { "ZPOPMIN", vb.key "myzset", name = name }
  end },
  lrange_100 = lrange(100), lrange_300 = lrange(300), lrange_500 = lrange(500),
  lrange_600 = lrange(600),
  mset = { title = "MSET (10 keys)", data = true, make = mset },
  xadd = { title = "XADD", data = true, make = function(name)
    return vb.command { "XADD", vb.key "mystream", "*", "myfield", data(), name = name }
  end },
  fcall = { title = "FCALL", extra = true, make = function(name)
    return vb.command { "FCALL", LIBRARY, 1, key(), name = name,
                        tracks = classic_tracks.of "fcall" }
  end },
}

-- Loading takes each record once, unless the command line says otherwise.
TESTS.schema_load = { title = "SCHEMA_LOAD", extra = true, make = function(name)
  local ds = vb.dataset()
  return records.load(ds, { name = name, keys = session.given.iteration and M.order(ds.keys) })
end, requests = function()
  local given = session.given
  return not given.requests and not given.duration and vb.dataset().count or nil
end }

local ORDER = {
  "ping", "set", "get", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop", "zadd",
  "zpopmin", "lrange_100", "lrange_300", "lrange_500", "lrange_600", "mset", "xadd", "fcall",
  "schema_load",
}

local ALSO = {
  ping_inline = "ping", ping_mbulk = "ping", lrange = "lrange_100", lrange100 = "lrange_100",
  lrange300 = "lrange_300", lrange500 = "lrange_500", lrange600 = "lrange_600",
  schemaload = "schema_load",
}

--- The cursor over a keyspace that the command line asks for.
-- By `--sequential` or `--iteration`.
-- Sequential, shuffled and subset go round.
-- @tparam keyspace keys
-- @treturn cursor uniform unless another is asked for
function M.order(keys)
  local order, rest = vb.args.iteration:match("^([%a_]+):?(.*)$")
  local numbers = {}
  for one in rest:gmatch("[^:]+") do numbers[#numbers + 1] = tonumber(one) end
  if order == "subset" then return keys:range(numbers[1], numbers[2]):wrap() end
  local cursor = keys[order](keys, unpack(numbers))
  return (order == "sequential" or order == "shuffled") and cursor:wrap() or cursor
end

--- The name of a test, from any spelling: "LRANGE_100", "lrange-100", "lrange100".
-- @tparam string name
-- @treturn string
-- @raise for a name that is none, with the nearest
function M.name(name)
  local plain = name:lower():gsub("-", "_")
  plain = ALSO[plain] or plain
  if not TESTS[plain] then
    failure.usage("there is no test '%s'%s (there are: %s)", name, nearest.hint(plain, ORDER),
      table.concat(ORDER, ", "))
  end
  return plain
end

--- The command of a test, declared at the first call.
-- @tparam string name as `M.name` takes it
-- @treturn command
function M.command(name)
  name = M.name(name)
  local test = TESTS[name]
  test.command = require("vbench.registry").get("command", name) or test.make(name)
  return test.command
end

--- The names of all tests that run when none is asked for.
-- @treturn {string,...}
function M.defaults()
  local names = {}
  for _, name in ipairs(ORDER) do
    if not TESTS[name].extra then names[#names + 1] = name end
  end
  return names
end

-- "get:80,set:20" -> { { "get", 80 }, { "set", 20 } }
local function weighted(text, flag)
  local list = {}
  for part in text:gmatch("[^,]+") do
    local name, number = part:match("^%s*(.-)%s*:%s*(.-)%s*$")
    number = tonumber(number) or require("vbench.units").count(number or "")
    if not number or number <= 0 then
      failure.usage("%s takes test:number,test:number, not '%s'", flag, part)
    end
    list[#list + 1] = { M.name(name), number }
  end
  if #list == 0 then failure.usage("%s is empty; write %s \"get:80,set:20\"", flag, flag) end
  return list
end

local function parallel(text)
  local entries = {}
  for i, one in ipairs(weighted(text, "--parallel")) do
    entries[i] = { one[2], M.command(one[1]) }
  end
  return { vb.phase { name = "parallel", run = vb.mix(entries) } }
end

local function composite(text)
  local phases = {}
  for i, one in ipairs(weighted(text, "--composite")) do
    if one[2] % 1 ~= 0 then failure.usage("--composite takes whole requests, not %s", one[2]) end
    phases[i] = vb.phase { name = ("%d %s"):format(i, one[1]), run = M.command(one[1]),
                           requests = one[2] }
  end
  return phases
end

local function phases_of(names)
  local phases, filled, seen = {}, false, {}
  for _, name in ipairs(names) do
    name = M.name(name)
    local test = TESTS[name]
    if test.needs_list and not filled then
      filled = true
      phases[#phases + 1] = vb.phase { name = "lpush for lrange", run = M.command "lpush" }
    end
    if not seen[name] then
      phases[#phases + 1] = vb.phase { name = name, run = M.command(name),
                                       requests = test.requests and test.requests() }
    end
    seen[name] = true
  end
  return phases
end

-- The text of -x: read once, in main; workers find it in what main hands them.
local function last_argument()
  if not session.args.x then return nil end
  session.used.x = true
  if not session.args.standard_input then
    session.args.standard_input = io.read("*a"):gsub("\n$", "")
  end
  return session.args.standard_input
end

local function phases_asked_for()
  local args = vb.args
  if args.command then
    local command = placeholders.command(args.command, last_argument(), M.order)
    return { vb.phase { name = command.name, run = command } }
  end
  if session.args.x then
    failure.usage("-x takes the last argument of -- COMMAND from standard input")
  end
  if args.parallel then return parallel(args.parallel) end
  if args.composite then return composite(args.composite) end
  return phases_of(args.tests or M.defaults())
end

--- The phases that the command line asks for: `-- COMMAND`, `--parallel`, `--composite`, `-t`.
-- @treturn {phase,...}
function M.phases()
  local phases = phases_asked_for()
  classic_tracks.check()
  return phases
end

-- A list as long as what is read of it, however few elements its tests push.
local function fill_list(ctl, length)
  local there = ctl:call("LLEN", LIST)
  while there < length do
    there = ctl:call("RPUSH", LIST, data(), data(), data(), data(), data(), data())
  end
end

--- Makes what the tests need on the server: the function library of fcall, the list of lrange.
-- @tparam ctl ctl
function M.setup(ctl)
  if TESTS.fcall.command then ctl:call("FUNCTION", "LOAD", "REPLACE", FUNCTION) end
  for _, name in ipairs(ORDER) do
    local test = TESTS[name]
    if test.needs_list and test.command then fill_list(ctl, test.needs_list) end
  end
end

local function title(phase)
  if vb.args.command then return table.concat(vb.args.command, " ") end
  if phase.name == "lpush for lrange" then return "LPUSH (needed to benchmark LRANGE)" end
  local test = not vb.args.command and TESTS[phase.name:match("[%w_]+$")]
  if test then return test.title, test.data and vb.args.data_size end
  return phase.name
end

--- How the results are shown: as redis-benchmark shows them.
M.forms = {
  title = title,
  header = function(run, shown)
    if shown.verbose then return terminal.header(run, shown) end
    return shown.quiet and "" or terminal.baseline(run)
  end,
  verdict = function() return "" end,
  phase = function(phase, shown)
    local name, payload = title(phase)
    local text = report.render(phase, { title = name, payload = payload, quiet = shown.quiet,
                                        verbose = shown.verbose, style = shown.style,
                                        percentiles = shown.percentiles })
    return shown.verbose and not shown.quiet and text .. terminal.phase(phase, shown) or text
  end,
}

return M
