-- --reconnect: connections that are closed and opened again as part of the load, which is counted
-- and timed and no error. --max-reply: how long a reply may be.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("the option", function()
  teardown(vbench.clean)

  describe("--reconnect", function()
    local server

    setup(function() server = servers.start() end)
    teardown(function() server:stop() end)
    before_each(function() server:clean() end)

    -- Runs a load; the phase, and how many connections the server saw.
    local function churn(args)
      table.insert(args, 1, "-p")
      table.insert(args, 2, server.port)
      local before = server:info("total_connections_received")
      local phase, run = vbench.phase(args)
      return phase, server:info("total_connections_received") - before, run
    end

    local function assert_well(phase, requests)
      assert.equal(requests, phase.requests)
      assert.equal(requests, phase.operations)
      assert.same({ 0, 0, 0, 0 }, { phase.errors, phase.connection_errors, phase.reconnects,
                                    phase.retries })
    end

    it("1 opens a connection for each operation", function()
      local phase, seen, run = churn { "-t", "set", "-n", 500, "-c", 5, "--reconnect", 1 }
      assert_well(phase, 500)
      assert.is_true(seen >= 500 and seen < 520, seen)
      assert.is_true(phase.client.connects >= 500 and phase.client.connects <= 505)
      assert.is_true(phase.client.connects_per_s > 10)
      assert.is_true(phase.client.connect_us.p50 > 0)
      assert.is_true(phase.client.connect_us.max >= phase.client.connect_us.p99)
      assert.matches("50%d connections opened, [%d,.]+/s; connecting, ms: p50 %d", run.out)
    end)

    it("N opens one for every N, however many are in flight", function()
      for _, pipeline in ipairs { 1, 7, 64 } do
        local phase, seen = churn { "-t", "get", "-n", 3000, "-c", 3, "--reconnect", 20, "-P",
          pipeline, "--threads", 1 }
        assert_well(phase, 3000)
        assert.is_true(seen >= 150 and seen < 160, seen)
      end
    end)

    it("0 opens none", function()
      local phase, seen, run = churn { "-t", "get", "-n", 3000, "-c", 3, "--reconnect", 0 }
      assert_well(phase, 3000)
      assert.is_true(seen < 10, seen)
      assert.equal(3, phase.client.connects)
      assert.not_matches("connections opened", run.out)
    end)

    it("keeps a schedule", function()
      local phase, seen = churn { "-t", "get", "--rate", 1000, "--duration", "1s", "-c", 4,
        "--reconnect", 5 }
      assert.equal(0, phase.errors)
      assert.is_true(phase.requests > 900, phase.requests)
      assert.is_true(seen > 150, seen)
    end)

    it("divides sequences from one another and not in their middle", function()
      local script = vbench.one_phase([[
        local keys = vb.keyspace { prefix = "s:", size = 100 }
        local pair = vb.sequence { vb.command { "SET", keys:sequential(), "1" },
                                   vb.command { "GET", keys:current() } } ]],
        "run = pair, requests = 100, clients = 2, reconnect = 1")
      local phase, seen = churn { script }
      assert.equal(200, phase.requests)
      assert.equal(100, phase.operations)
      assert.is_true(seen >= 100 and seen < 110, seen)
    end)

    it("of a phase wins over the command line, and is refused where no phase reads it", function()
      local script = vbench.one_phase([[ local get = vb.command { "GET", "x" } ]],
        "run = get, requests = 100, clients = 2, reconnect = 50")
      local run = vbench.report { "-p", server.port, script, "--reconnect", 1 }
      assert.equal(2, run.code)
      assert.matches("--reconnect was given, but no phase reads it: phase 'one' sets reconnect",
        run.err, 1, true)
      local _, seen = churn { script }
      assert.is_true(seen < 15, seen)
    end)

    it("is refused where nothing is begun: a subscriber", function()
      local one = [[ local news = vb.subscriber { channels = { "news" }, name = "news" } ]]
      local run = vbench.run { "check", vbench.one_phase(one,
        'run = news, duration = "1s", reconnect = 2') }
      assert.equal(2, run.code)
      assert.matches("field 'reconnect' of phase 'one' has no effect: a subscriber", run.err, 1,
        true)
      run = vbench.run { "-p", server.port, vbench.one_phase(one, 'run = news, duration = "1s"'),
        "--reconnect", 2 }
      assert.equal(2, run.code)
      assert.matches("--reconnect was given, but phase 'one' runs a subscriber", run.err, 1, true)
    end)

    it("renews a client that runs a flow between two of its runs", function()
      local script = vbench.one_phase([[
        local get, set = vb.command { "GET", "a" }, vb.command { "SET", "a", "1" }
        local both = vb.flow("both", function(c) c:call(get) c:call(set) end) ]],
        "run = both, requests = 300, clients = 3, reconnect = 5")
      local phase, seen = churn { script }
      assert.equal(300, phase.operations)
      assert.equal(0, phase.errors)
      assert.is_true(seen >= 60 and seen < 70, seen)
    end)

    it("works over two servers", function()
      local second = servers.start()
      local phase = vbench.phase { "-h", "127.0.0.1:" .. server.port, "-h", "127.0.0.1:"
        .. second.port, "-t", "set", "-r", 1000, "-n", 1000, "-c", 4, "--reconnect", 3 }
      local seen = second:info("total_connections_received")
      second:stop()
      assert_well(phase, 1000)
      assert.is_true(phase.client.connects >= 1000 / 3)
      assert.is_true(seen > 100, seen)
    end)

    it("logs in each time", function()
      local locked = servers.start { password = "sesame" }
      local phase = vbench.phase { "-p", locked.port, "-a", "sesame", "--dbnum", 2, "-t", "set",
        "-n", 100, "-c", 2, "--reconnect", 2, "-3" }
      local keyspace = locked:info("db2")
      locked:stop()
      assert_well(phase, 100)
      assert.matches("^keys=%d", keyspace)
    end)
  end)

  describe("--max-reply", function()
    local server

    setup(function()
      server = servers.start()
      server:call("SET", "big", ("x"):rep(200000))
    end)
    teardown(function() server:stop() end)

    local function read(limit)
      return vbench.report { "-p", server.port, "-n", 5, "-c", 1, "--max-reply", limit, "--", "GET",
        "big" }
    end

    it("closes a connection over a longer reply, and names it", function()
      local run = read("100KB")
      assert.equal(4, run.code, run.all)
      local phase = run.json.phases[1]
      assert.equal(0, phase.requests)
      assert.equal(5, phase.errors_by_kind.protocol.count)
      assert.matches("a reply larger than 100000 bytes", phase.errors_by_kind.protocol.first, 1,
        true)
    end)

    it("takes what is not longer", function()
      local run = read("300KB")
      assert.equal(0, run.code, run.all)
      assert.equal(5, run.json.phases[1].requests)
    end)

    it("is at least a byte", function()
      local run = read("0")
      assert.equal(2, run.code)
      assert.matches("--max-reply", run.err, 1, true)
    end)
  end)
end)
