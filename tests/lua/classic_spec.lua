local script = require "tests.lua.fixtures.script"
local show = require "tests.lua.fixtures.show"

local ARGS = { clients = 50, pipeline = 1, keyspace = 1000, data_size = 3, key_prefix = "key:",
               iteration = "random" }

-- The phases that the classic scenario makes of a command line.
local function phases(args)
  local all = {}
  for name, value in pairs(ARGS) do all[name] = value end
  for name, value in pairs(args) do all[name] = value end
  script.fresh { args = all }
  package.loaded["vbench.classic"], package.loaded["vbench.placeholders"] = nil, nil
  return require("vbench.classic").phases()
end

-- The first words that a phase sends in operation n.
local function words(phase, n)
  local requests, marks = show.phase(phase:with { requests = 1 }, { n or 0 })
  return table.concat(requests[1][1], " "), marks[1]
end

local function names(list)
  local out = {}
  for i, phase in ipairs(list) do out[i] = phase.name end
  return table.concat(out, ",")
end

describe("the classic tests", function()
  it("are sent as redis-benchmark sends them", function()
    local want = {
      ping = "^PING$", set = "^SET key:%d+ xxx$", get = "^GET key:%d+$",
      incr = "^INCR counter:%d+$", lpush = "^LPUSH mylist xxx$", rpush = "^RPUSH mylist xxx$",
      lpop = "^LPOP mylist$", rpop = "^RPOP mylist$", sadd = "^SADD myset element:%d+$",
      hset = "^HSET myhash element:%d+ xxx$", spop = "^SPOP myset$",
      zadd = "^ZADD myzset 0 element:%d+$", zpopmin = "^ZPOPMIN myzset$",
      mset = "^MSET" .. (" key:%d+ xxx"):rep(10) .. "$", xadd = "^XADD mystream %* myfield xxx$",
      fcall = "^FCALL vbench_classic 1 key:%d+$",
    }
    for name, pattern in pairs(want) do
      assert.matches(pattern, (words(phases { tests = { name } }[1])))
    end
    local lrange = phases { tests = { "lrange_300" } }
    assert.equal("lpush for lrange,lrange_300", names(lrange))
    assert.equal("LRANGE mylist 0 299", (words(lrange[2])))
  end)

  it("run in their order when none is named, those with a library apart", function()
    assert.equal("ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin," ..
      "lpush for lrange,lrange_100,lrange_300,lrange_500,lrange_600,mset,xadd", names(phases {}))
  end)

  it("are named in any spelling", function()
    assert.equal("set,lpush for lrange,lrange_100,ping",
      names(phases { tests = { "SET", "LRANGE100", "lrange-100", "PING_MBULK" } }))
    assert.has_error(function() phases { tests = { "gte" } } end)
    local _, message = pcall(phases, { tests = { "lpsh" } })
    assert.matches("there is no test 'lpsh'; did you mean 'lpush'%?", message)
  end)

  it("follow the data size, the prefix, the order of keys, the expiry", function()
    local set = phases { tests = { "set" }, data_size = 5, key_prefix = "k-",
                         iteration = "sequential" }[1]
    assert.equal("SET k-000000000007 xxxxx", (words(set, 7)))
    assert.equal("SET k-000000000003 xxxxx", (words(set, 1003)))
    set = phases { tests = { "set" }, expiry_range = { min = 60, max = 62 } }[1]
    assert.matches("^SET key:%d+ xxx EX 6[012]$", (words(set)))
  end)

  it("have no key where the key is data", function()
    local _, marks = words(phases { tests = { "sadd" } }[1])
    assert.equal(".k.\n", marks)
  end)

  it("are mixed by --parallel, in the shares given", function()
    local list = phases { parallel = "get:80,SET:20" }
    assert.equal("parallel", names(list))
    local gets = 0
    for n = 0, 999 do gets = gets + (words(list[1], n):match("^GET") and 1 or 0) end
    assert.is_true(gets > 740 and gets < 860)
    for _, wrong in ipairs { "get", "get:0", "get:x", "" } do
      assert.has_error(function() phases { parallel = wrong } end)
    end
  end)

  it("run in a row with their own requests by --composite", function()
    local list = phases { composite = "set:100,get:2k,set:50" }
    assert.equal("1 set,2 get,3 set", names(list))
    assert.equal(100, list[1].requests)
    assert.equal(2000, list[2].requests)
    assert.equal(50, list[3].requests)
    assert.has_error(function() phases { composite = "set:1.5" } end)
  end)
end)

describe("a command behind --", function()
  it("has each __rand_int__ drawn by itself", function()
    local phase = phases { command = { "MSET", "a:__rand_int__", "__data__", "b:__rand_int__",
                                       "x" } }[1]
    local differ
    for n = 0, 20 do
      local a, b = words(phase, n):match("^MSET a:(%d+) xxx b:(%d+) x$")
      assert.equal(12, #a)
      assert.is_true(tonumber(a) < 1000)
      differ = differ or a ~= b
    end
    assert.is_true(differ)
  end)

  it("repeats what has the same name", function()
    local phase = phases { command = { "SET", "k:__rand_1st__", "__rand_1st__:__rand_2nd__" } }[1]
    local differ
    for n = 0, 20 do
      local one, again, two = words(phase, n):match("^SET k:(%d+) (%d+):(%d+)$")
      assert.equal(one, again)
      differ = differ or one ~= two
    end
    assert.is_true(differ)
  end)

  it("leaves tags of clusters and per cent signs as they are", function()
    local phase = phases { command = { "SET", "{tag}:5%:__rand_int__", "%d{clt}" } }[1]
    assert.matches("^SET {tag}:5%%:%d+ %%d{clt}$", (words(phase)))
  end)

  it("takes its last argument from standard input with -x", function()
    local phase = phases { command = { "SET", "k" }, x = true, standard_input = "from\0stdin" }[1]
    assert.equal("SET k from\0stdin", (words(phase)))
  end)

  it("refuses placeholders that are none, or that it cannot fill", function()
    local _, message = pcall(phases, { command = { "SET", "__rand_10th__" } })
    assert.matches("unknown placeholder __rand_10th__", message)
    _, message = pcall(phases, { command = { "SET", "k", "__v_rd__" } })
    assert.matches("__v_rd__ needs vectors, which this version does not have", message)
  end)

  it("refuses -x without it", function()
    local _, message = pcall(phases, { x = true })
    assert.matches("%-x takes the last argument of %-%- COMMAND", message)
  end)
end)
