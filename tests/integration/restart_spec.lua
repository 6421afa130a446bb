-- Loads of tracked ids while their server is killed and started again, and while their connections
-- are cut: a million ids in a plain build, fewer where the program is sanitized.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local IDS = vbench.slowness == 1 and 1000000 or 100000
local CUT_S = 0.05

describe(("a tracked load of %d ids"):format(IDS), function()
  local directory, server

  -- On the same port and the same append-only file, which has all that was answered.
  local function start(port)
    server = servers.start { port = port, args = { "--dir", directory, "--appendonly", "yes",
      "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0" } }
  end

  before_each(function()
    directory = process.directory(true)
    start()
  end)
  after_each(function()
    server:stop()
    process.remove(directory)
  end)
  teardown(vbench.clean)

  -- Disturbances: each is done when the load is at a part of the ids, and gives what it did.
  local disturb = {}

  -- Kills the server at a quarter and at the half.
  function disturb.kills(load, part)
    for quarter = 1, 2 do
      process.wait_for(60 * vbench.slowness, "a part of the load", function()
        return server:call("DBSIZE") > IDS * quarter / 4
      end)
      assert.is_true(load.process:running())
      local port = server.port
      server:stop()
      part.kills = quarter
      start(port)
      process.wait_for(60, "the server's own file", function()
        return server:info("loading") == 0
      end)
    end
  end

  -- Cuts all connections every 50 ms, from the load's first key to its last.
  function disturb.cuts(load, part)
    part.kills = 0
    process.wait_for(60 * vbench.slowness, "the load", function()
      return server:call("DBSIZE") > 0
    end)
    while load.process:running() and server:call("DBSIZE") < IDS do
      part.kills = part.kills + server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      process.sleep(CUT_S)
    end
  end

  local COMMANDS = {
    keys = 'vb.command { "SET", ids:claim(), vb.bytes(20), tracks = "add" }',
    lists = [[vb.transaction { vb.command { "DEL", ids:claim(), name = "clean" },
      vb.command { "RPUSH", ids:current(), "a", "b", "c", tracks = "add" } }]],
  }
  -- Counts, in the server, what is not as it was loaded.
  local WRONG = {
    keys = "return redis.call('STRLEN', key) == 20",
    lists = "return table.concat(redis.call('LRANGE', key, 0, -1)) == 'abc'",
  }
  local CHECK = "local function right(key) %s end local wrong = 0 for id = 0, ARGV[1] - 1 do " ..
    "if not right(('k:%%012d'):format(id)) then wrong = wrong + 1 end end return wrong"

  -- Loads all ids, disturbed; gives the report's phase and what the disturbance did.
  local function load_ids(what, disturbance)
    local script = vbench.scenario(([[
      local ids = vb.keyspace { prefix = "k:", size = %d }
      return vb.scenario {
        phases = { vb.phase { name = "load", until_exhausted = true, retry = 1000, run = %s } },
        teardown = function() print("tracked", ids:count(), #ids:unknown()) end,
      } ]]):format(IDS, COMMANDS[what]))
    local file, part = vbench.path("report.json"), {}
    local load = vbench.start { script, "-p", server.port, "-c", 8, "-P", 64, "--threads", 2,
      "--no-baseline", "-q", "--connect-timeout", "30s", "--json", file, timeout = 120 }
    disturb[disturbance](load, part)
    load:wait()
    assert.equal(0, load.code, load.all)
    assert.matches(("tracked\t%d\t0\n"):format(IDS), load.out, 1, true)
    return vbench.decode(process.read(file)).phases[1], part
  end

  local function expect_whole(what)
    assert.equal(IDS, server:call("DBSIZE"))
    assert.equal(0, server:call("EVAL", CHECK:format(WRONG[what]), 0, IDS))
  end

  local function expect_report(phase, part)
    assert.same({ IDS, 0, 0, 0 }, { phase.operations, phase.errors, phase.gave_up, phase.unknown })
    assert.is_true(part.kills > 0)
    assert.is_true(phase.connection_errors > 0 and phase.reconnects > 0 and phase.retries > 0)
  end

  for _, load in ipairs { { "keys", "set" }, { "lists", "rpush" } } do
    local what, command = load[1], load[2]
    it(("(%s) loses and doubles none when the server is killed and started again"):format(what),
      function()
        expect_report(load_ids(what, "kills"))
        expect_whole(what)
      end)

    it(("(%s) loses and doubles none when all connections are cut every 50 ms"):format(what),
      function()
        local phase, part = load_ids(what, "cuts")
        expect_report(phase, part)
        -- Each connection that was cut is told, and each command that the server did twice.
        assert.is_true(phase.connection_errors <= part.kills)
        local calls = tonumber(server:info("cmdstat_" .. command):match("calls=(%d+)"))
        assert.is_true(calls - IDS <= phase.retries, calls)
        expect_whole(what)
      end)
  end
end)
