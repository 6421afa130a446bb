-- A load of tracked ids while its server is killed and started again: nothing is lost or doubled.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local KEYS = 30000

describe("a tracked load", function()
  local directory, server

  -- On the same port and the same append-only file, which has all that was answered.
  local function start(port)
    return servers.start { port = port, args = { "--dir", directory, "--appendonly", "yes",
      "--appendfsync", "always" } }
  end

  setup(function()
    directory = process.directory()
    server = start()
  end)
  teardown(function()
    server:stop()
    process.remove(directory)
    vbench.clean()
  end)

  it("agrees with a server that was killed and started again in the middle", function()
    local script = vbench.scenario(([[
      local keys = vb.keyspace { prefix = "k:", size = %d }
      local lists = vb.keyspace { prefix = "l:", size = %d }
      local set = vb.command { "SET", keys:claim(), vb.bytes(20), tracks = "add" }
      local make = vb.transaction { name = "make",
        vb.command { "DEL", lists:claim(), name = "clean" },
        vb.command { "RPUSH", lists:current(), "a", "b", "c", tracks = "add" } }
      return vb.scenario {
        phases = { vb.phase { name = "load", until_exhausted = true, retry = 1000,
          run = vb.mix { { 1, set }, { 1, make } } },
          vb.phase { name = "rest", until_exhausted = true, run = set },
          vb.phase { name = "lists", until_exhausted = true, run = make } },
        teardown = function()
          print("end", keys:count(), lists:count(), #keys:unknown() + #lists:unknown())
        end,
      } ]]):format(KEYS, KEYS))
    local load = vbench.start { script, "-p", server.port, "-c", 8, "--threads", 2, "--no-baseline",
      "-q", "--connect-timeout", "20s", timeout = 120 }
    local port, watcher = server.port, server
    process.wait_for(20, "a part of the load", function() return watcher:call("DBSIZE") > 2000 end)
    server:stop()
    process.sleep(0.3)
    server = start(port)
    load:wait()
    assert.equal(0, load.code, load.all)
    assert.matches(("end\t%d\t%d\t0\n"):format(KEYS, KEYS), load.out, 1, true)
    assert.equal(2 * KEYS, server:call("DBSIZE"))
    for id = 0, KEYS - 1, 7 do
      assert.equal(3, server:call("LLEN", ("l:%012d"):format(id)))
    end
  end)

  it("has the retries of it in the report", function()
    server:clean()
    local script = vbench.scenario([[
      local keys = vb.keyspace { prefix = "k:", size = 20000 }
      local set = vb.command { "SET", keys:claim(), vb.bytes(20), tracks = "add" }
      return vb.scenario { phases = { vb.phase { name = "load", run = set, until_exhausted = true,
        retry = 1000 } } } ]])
    local json = vbench.path("report.json")
    local load = vbench.start { script, "-p", server.port, "-c", 8, "--no-baseline", "-q",
      "--connect-timeout", "20s", "--json", json, timeout = 120 }
    local port, watcher = server.port, server
    process.wait_for(20, "a part of the load", function() return watcher:call("DBSIZE") > 2000 end)
    server:stop()
    process.sleep(0.3)
    server = start(port)
    load:wait()
    assert.equal(0, load.code, load.all)
    local phase = vbench.decode(process.read(json)).phases[1]
    assert.equal(20000, phase.requests)
    assert.equal(0, phase.errors)
    assert.is_true(phase.connection_errors > 0 and phase.reconnects > 0 and phase.retries > 0)
    assert.equal(20000, server:call("DBSIZE"))
  end)
end)
