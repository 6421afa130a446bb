-- Servers that answer badly: errors are counted by kind and are never throughput; nonsense closes
-- the connection with words that name the bytes, and never costs memory or a crash.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a server that answers badly", function()
  teardown(vbench.clean)

  -- Runs SETs against the fake server in one mode.
  local function against(mode, options, ...)
    local fake = servers.fake(mode, options)
    local args = { "-p", fake.port, "-t", "set", "-n", 200, "-c", 4, "--threads", 1,
      "--timeout", "500ms", "--connect-timeout", "700ms" }
    for i = 1, select("#", ...) do args[#args + 1] = (select(i, ...)) end
    local ok, run = pcall(vbench.report, args)
    fake:stop()
    if not ok then error(run, 0) end
    return run, run.json and run.json.phases[1]
  end

  it("with -ERR for every request has no throughput and exit code 4", function()
    local run, phase = against("error")
    assert.equal(4, run.code, run.all)
    assert.equal("failed", run.json.status)
    assert.equal(4, run.json.exit_code)
    assert.equal(0, phase.requests)
    assert.equal(0, phase.qps)
    assert.equal(200, phase.errors)
    assert.same({ ERR = { count = 200, first = "ERR broken" } }, phase.errors_by_kind)
    assert.equal(200, phase.operations)
    assert.matches("ERR broken", run.out, 1, true)
  end)

  it("with several kinds of errors is told by kind", function()
    local run, phase = against("error", { after = 150, text = "READONLY You can't write here" })
    assert.equal(4, run.code, run.all)
    assert.equal(150, phase.requests)
    assert.equal(50, phase.errors_by_kind.READONLY.count)
  end)

  it("with fewer errors than --max-errors is no failure", function()
    local run = against("error", { after = 150 }, "--max-errors", "30%")
    assert.equal(0, run.code, run.all)
    run = against("error", { after = 150 }, "--max-errors", "20%")
    assert.equal(4, run.code, run.all)
  end)

  it("with on_error = 'stop' ends the run at the first", function()
    local fake = servers.fake("error", { after = 10 })
    local script = vbench.one_phase([[ local set = vb.command { "SET", vb.key "x", "y" } ]],
      'run = set, requests = 100000, on_error = "stop"')
    local run = vbench.report { script, "-p", fake.port, "-c", 1 }
    local count = #fake:received()
    fake:stop()
    assert.not_equal(0, run.code)
    assert.is_true(count < 500, count)
    assert.matches("ERR broken", run.all, 1, true)
  end)

  it("by running out of memory counts OOM", function()
    local server = servers.start { args = { "--maxmemory", "2mb" } }
    local run = vbench.report { "-p", server.port, "-t", "set", "-n", 3000, "-d", 4000, "-r",
      100000 }
    server:stop()
    assert.equal(4, run.code, run.all)
    local phase = run.json.phases[1]
    assert.is_true(phase.errors_by_kind.OOM.count > 1000)
    assert.matches("^OOM command not allowed", phase.errors_by_kind.OOM.first)
    assert.equal(3000, phase.requests + phase.errors)
  end)

  it("of the wrong type of key counts WRONGTYPE, and the rest well", function()
    local server = servers.start()
    local script = vbench.one_phase([[
      local set = vb.command { "SET", vb.key "s", "x" }
      local push = vb.command { "LPUSH", vb.key "s", "x" } ]],
      "run = vb.mix { { 1, set }, { 1, push } }, requests = 1000, clients = 1")
    server:call("SET", "s", "x")
    local run = vbench.report { script, "-p", server.port }
    server:stop()
    local phase = run.json.phases[1]
    assert.equal(1000, phase.requests + phase.errors)
    for _, command in ipairs(phase.commands) do
      if command.name == "set" then
        assert.equal(0, command.errors)
        assert.equal(phase.requests, command.requests)
      else
        assert.equal(0, command.requests)
        assert.equal(phase.errors, command.errors_by_kind.WRONGTYPE.count)
        assert.equal(vbench.null, command.latency_us)
      end
    end
  end)

  local nonsense = {
    garbage = "H", badtype = "@", huge = "999999999999", hugearray = "999999999999",
    negative = "-7", nesting = "nest",
  }
  for mode, word in pairs(nonsense) do
    it("with nonsense (" .. mode .. ") is told with the bytes, and no success", function()
      local run, phase = against(mode, nil, "-n", 20)
      assert.is_true(run.code == 4 or run.code == 1, run.code .. ": " .. run.all)
      assert.matches("protocol", run.out, 1, true)
      assert.equal(0, phase.requests)
      assert.equal(20, phase.errors_by_kind.protocol.count)
      assert.matches(word, phase.errors_by_kind.protocol.first, 1, true)
    end)
  end

  it("with a bulk string without end costs no more memory than --max-reply", function()
    local fake = servers.fake("flood")
    local run = vbench.run { "-p", fake.port, "-t", "get", "-n", 4, "-c", 2, "--timeout", "3s",
      "--no-baseline" }
    fake:stop()
    assert.not_equal(0, run.code)
    if vbench.slowness == 1 then assert.is_true(run.peak_kb < 220000, run.peak_kb) end
  end)

  it("with replies nobody asked for is an error that says so", function()
    local run = against("extra", nil, "-c", 1)
    assert.not_equal(0, run.code)
    assert.matches("nobody asked", run.all)
  end)

  it("with half a reply and silence is a timeout", function()
    local run, phase = against("half", nil, "-n", 8)
    assert.equal(4, run.code, run.all)
    assert.equal(0, phase.requests)
    assert.is_true(phase.timeouts > 0)
    assert.is_true(run.seconds < 8 * vbench.slowness, run.seconds)
  end)

  it("with silence is a timeout, counted and never waited for", function()
    local run, phase = against("silence", nil, "-n", 8)
    assert.equal(4, run.code, run.all)
    assert.is_true(phase.timeouts > 0)
    assert.equal(0, phase.requests)
  end)

  it("that closes in the middle of a reply is a lost connection", function()
    local run, phase = against("close-half", nil, "-n", 8)
    assert.is_true(run.code == 4 or run.code == 1, run.all)
    assert.equal(0, phase.requests)
    assert.is_true(phase.connection_errors > 0)
  end)

  it("that closes each connection goes on for what it answered", function()
    local run, phase = against("close", { after = 150 }, "-n", 154)
    assert.is_true(run.code == 4 or run.code == 1, run.all)
    assert.equal(150, phase.requests)
    assert.is_true(phase.connection_errors > 0)
  end)

  it("that goes away in a run ends it with what was done", function()
    local server = servers.start()
    local run = vbench.start { "-p", server.port, "-t", "get", "--duration", "20s", "-c", 4,
      "--connect-timeout", "500ms", "--json", vbench.path("gone.json"), "--no-baseline" }
    process.sleep(0.5 * vbench.slowness)
    server:stop()
    run:wait()
    assert.is_true(run.code == 1 or run.code == 4, run.code .. run.all)
    assert.is_true(run.seconds < 10 * vbench.slowness)
    assert.matches("127.0.0.1:" .. server.port, run.all, 1, true)
  end)

  it("byte by byte is answered as any other", function()
    local _, phase = against("dribble", nil, "-n", 40)
    assert.equal(40, phase.requests)
    assert.equal(0, phase.errors)
  end)

  it("late shows its lateness in the latencies", function()
    local _, phase = against("delay", { ms = 30 }, "-n", 40)
    assert.is_true(phase.latency_us.min >= 29000, phase.latency_us.min)
    assert.is_true(phase.latency_us.p50 < 400000, phase.latency_us.p50)
  end)

  it("with pushes nobody asked for counts them by kind, and takes its replies", function()
    local run, phase = against("push", nil, "-3")
    assert.equal(0, run.code, run.all)
    assert.equal(200, phase.requests)
    assert.equal(0, phase.errors)
    assert.is_true(phase.pushes_by_kind.news >= 196, phase.pushes_by_kind.news)
    assert.equal(200, phase.pushes_by_kind.invalidate)
    assert.matches("pushes that nobody asked for: invalidate 200, news ", run.all, 1, true)
  end)

  it("too late for one request does not answer another", function()
    local fake = servers.fake("delay", { ms = 400, times = 1 })
    local script = vbench.one_phase([[ local set = vb.command { "SET", vb.key "a", "1" } ]],
      'run = set, requests = 200, clients = 1, timeout = "200ms", retry = 0')
    local run = vbench.report { script, "-p", fake.port }
    fake:stop()
    local phase = run.json.phases[1]
    assert.same({ 199, 1, 1, 1 }, { phase.requests, phase.errors, phase.timeouts,
                                    phase.errors_by_kind.timeout.count })
    assert.equal(1, phase.reconnects)
    assert.is_nil(phase.errors_by_kind.protocol)
  end)

  it("on one connection for ever does not hold the others, nor the end of the phase", function()
    local fake = servers.fake("silence", { times = 1 })
    local script = vbench.one_phase([[ local set = vb.command { "SET", vb.key "a", "1" } ]],
      'run = set, duration = "500ms", clients = 3, timeout = 0, max_errors = 1')
    local run = vbench.report { script, "-p", fake.port }
    fake:stop()
    local phase = run.json.phases[1]
    assert.equal(0, run.code, run.all)
    assert.is_true(phase.requests > 50, phase.requests)
    assert.same({ 1, 1 }, { phase.errors, phase.timeouts })
    assert.equal("127.0.0.1:" .. fake.port .. ": no reply before the end of the phase",
      phase.errors_by_kind.timeout.first)
    assert.is_true(run.seconds < 8 * vbench.slowness, run.seconds)
  end)

  it("while it hangs for longer than the timeout answers all when it is back", function()
    local server = servers.start()
    local script = vbench.scenario [[
      local keys = vb.keyspace { prefix = "key:", size = 1000 }
      local set = vb.command { "SET", keys:sequential(), vb.bytes(10, { from = "id" }) }
      local get = vb.command { "GET", keys:uniform(), reply = vb.verify() }
      return vb.scenario { description = "hang", phases = {
        vb.phase { name = "fill", run = set, requests = 1000 },
        vb.phase { name = "read", run = get, duration = "2s", timeout = "200ms", clients = 4,
          retry = 100 } } }
    ]]
    local file = vbench.path("hang.json")
    local run = vbench.start { script, "-p", server.port, "--json", file, "--no-baseline" }
    process.wait_for(10, "the reads", function()
      return server:call("INFO", "commandstats"):find("cmdstat_get:", 1, true)
    end)
    server.process:signal("STOP")
    process.sleep(0.7)
    server.process:signal("CONT")
    run:wait()
    server:stop()
    local phase = vbench.decode(process.read(file)).phases[2]
    assert.equal(0, run.code, run.all)
    assert.equal(0, phase.errors)
    assert.is_true(phase.timeouts > 0)
    assert.is_true(phase.retries > 0)
    assert.is_true(phase.latency_us.max > 500000, phase.latency_us.max)
  end)

  it("that is killed and started again has lost nothing of what may be repeated", function()
    local server = servers.start()
    local script = vbench.one_phase([[
      local keys = vb.keyspace { prefix = "key:", size = 1000 }
      local set = vb.command { "SET", keys:uniform(), "x" }
      local incr = vb.command { "INCR", "n" } ]],
      'run = vb.mix { { 4, set }, { 1, incr } }, duration = "3s", clients = 8, max_errors = 1')
    local file = vbench.path("again.json")
    local run = vbench.start { script, "-p", server.port, "--json", file, "--no-baseline" }
    process.wait_for(10, "the load", function() return server:call("DBSIZE") > 900 end)
    server:stop()
    process.sleep(0.5)
    server = servers.start { port = server.port }
    run:wait()
    local counted = tonumber(server:call("GET", "n"))
    server:stop()
    local phase = vbench.decode(process.read(file)).phases[1]
    assert.equal(0, run.code, run.all)
    assert.is_true(counted > 0)
    assert.equal(8, phase.connection_errors)
    assert.equal(8, phase.reconnects)
    assert.is_true(phase.errors <= 8, phase.errors)
    assert.equal(phase.errors, phase.unknown + phase.gave_up)
    assert.equal(0, phase.commands[1].errors)
    assert.is_true(phase.retries > 0)
  end)
end)
