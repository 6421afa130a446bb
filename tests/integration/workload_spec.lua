-- vbench.workload: the profiles' shares, what they leave in the server, and the YCSB workloads.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a workload", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function run(text, ...)
    local script = vbench.scenario([[
      local workload = require "vbench.workload"
      local keys = vb.keyspace { prefix = "w:", size = 20000 }
    ]] .. text)
    return vbench.report { script, "-p", server.port, "-c", 8, "--threads", 2, ... }
  end

  local function shares(phase)
    local out = {}
    for _, one in ipairs(phase.commands) do
      out[one.name:gsub("^p%-", "")] = one.requests / phase.operations
    end
    return out
  end

  local function profile(name, fields)
    local done = run(([[
      return vb.scenario {
        phases = workload.%s { keys = keys, prefix = "p-", %s }:phases { requests = 10000 },
        teardown = function() print("count", keys:count()) end,
      } ]]):format(name, fields or ""))
    assert.equal(0, done.code, done.all)
    assert.equal(server:call("DBSIZE"), tonumber(done.out:match("count\t(%d+)")))
    return done.json.phases, done
  end

  for name, wanted in pairs {
    session_store = { read = 0.70, overwrite = 0.20, delete = 0.05, insert = 0.05 },
    time_series = { read = 0.20, insert = 0.70, delete = 0.10 },
    mixed = { read = 0.50, overwrite = 0.25, delete = 0.10, insert = 0.15 },
    defrag_test = { read = 0.20, overwrite = 0.30, delete = 0.25, insert = 0.25 },
    cache = { read = 0.90, overwrite = 0.10 },
  } do
    it(("(%s) has its shares, and agrees with the server"):format(name), function()
      local phases = profile(name)
      local seen = shares(phases[2])
      for command, share in pairs(wanted) do
        assert.near(share, seen[command], 0.02, command)
      end
      for command in pairs(seen) do assert.is_number(wanted[command], command) end
      for _, one in ipairs(phases[2].commands) do
        if one.name == "p-read" then assert.equal(0, one.misses) end
      end
      assert.equal(name == "cache" and 20000 or 10000, phases[1].operations)
    end)
  end

  it("(cache) reads as often as it is asked to", function()
    assert.near(0.6, shares(profile("cache", "read_ratio = 0.6")[2]).read, 0.02)
  end)

  it("is filled to the part that is asked for", function()
    assert.equal(4000, profile("mixed", "filled = 0.2")[1].operations)
  end)

  it("is fragmented as it is asked to", function()
    local phases = profile("cache", "fragmentation = workload.every_nth(4)")
    assert.equal("fragment", phases[2].name)
    assert.equal(5000, phases[2].requests)
    for id = 0, 40 do
      assert.equal(id % 4 == 0 and 0 or 1, server:call("EXISTS", ("w:%012d"):format(id)))
    end
    server:clean()
    assert.equal(2000, profile("cache", "fragmentation = workload.random(0.1)")[2].requests)
    server:clean()
    phases = profile("cache", "read_ratio = 1, fragmentation = workload.sizes { 7, 300 }")
    assert.equal(20000, phases[2].requests)
    local sizes = {}
    for id = 0, 199 do
      local size = server:call("STRLEN", ("w:%012d"):format(id))
      sizes[size] = (sizes[size] or 0) + 1
    end
    assert.equal(200, sizes[7] + sizes[300])
    assert.near(100, sizes[7], 40)
  end)

  it("refuses what cannot be", function()
    local cases = {
      ["workload.mixed { key = keys }"] = "did you mean 'keys'",
      ["workload.mixed {}"] = "workload.mixed needs keys",
      ["workload.cache { keys = keys, read_ratio = 2 }"] = "read_ratio is 2",
      ["workload.mixed { keys = keys, filled = 50 }"] = "filled is 50",
      ['workload.ycsb { keys = keys, workload = "g" }'] = "the workload of workload.ycsb is 'g'",
      ["workload.every_nth(1)"] = "every_nth is 1", ["workload.sizes {}"] = "takes sizes",
    }
    for text, message in pairs(cases) do
      local script = vbench.scenario([[
        local workload = require "vbench.workload"
        local keys = vb.keyspace { prefix = "w:", size = 20000 }
      ]] .. "local x = " .. text .. "\nreturn vb.scenario { phases = {} }")
      local done = vbench.run { script, "-p", server.port }
      assert.equal(2, done.code, done.all)
      assert.matches(message, done.all, 1, true)
      assert.matches("scenario.lua:%d+: ", done.all)
    end
  end)

  describe("of YCSB", function()
    local function ycsb(letter, ...)
      local done = vbench.report { "ycsb", "--workload=" .. letter, "--seconds=400ms", "-r", 4000,
        "-c", 8, "-p", server.port, "--fields=3", "--field_size=20B", ... }
      assert.equal(0, done.code, done.all)
      return shares(done.json.phases[2]), done.json.phases
    end

    for letter, wanted in pairs {
      a = { read = 0.5, update = 0.5 }, b = { read = 0.95, update = 0.05 }, c = { read = 1 },
      d = { read = 0.95, insert = 0.05 }, e = { scan = 0.95, insert = 0.05, index = 0.05 },
      f = { read = 1, write = 0.5 },
    } do
      it(letter:upper() .. " has its shares", function()
        local seen, phases = ycsb(letter)
        for command, share in pairs(wanted) do
          assert.near(share, seen[command], 0.05, command)
        end
        for command in pairs(seen) do assert.is_number(wanted[command], command) end
        local loaded = (letter == "d" or letter == "e") and 2000 or 4000
        assert.equal(loaded, phases[1].operations)
        assert.equal(3, server:call("HLEN", "user000000000000"))
        assert.equal(20, #server:call("HGET", "user000000000000", "field2"))
      end)
    end

    it("E scans the keys that exist, which are in its index", function()
      local monitor = server:monitor()
      ycsb("e", "--threads", 1)
      local least, most = 1e9, 0
      for _, args in ipairs(monitor:finish("zrangebylex")) do
        assert.matches("^%[user%d%d%d%d%d%d%d%d%d%d%d%d$", args[3])
        least, most = math.min(least, tonumber(args[7])), math.max(most, tonumber(args[7]))
      end
      assert.same({ 1, 100 }, { least, most })
      assert.equal(server:call("DBSIZE") - 1, server:call("ZCARD", "userindex"))
    end)

    it("F writes the record that it has read, after it has come", function()
      local monitor = server:monitor()
      ycsb("f", "-c", 1, "-P", 1)
      local writes, last = 0, nil
      for _, args in ipairs(monitor:finish()) do
        if args[1]:lower() == "hset" and #args == 4 then
          writes = writes + 1
          assert.equal(last, args[2])
        end
        if args[1]:lower() == "hgetall" then last = args[2] end
      end
      assert.is_true(writes > 50, writes)
    end)
  end)
end)
