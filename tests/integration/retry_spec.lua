-- What becomes of operations whose reply does not come: those that may be done twice are sent
-- again, the rest is told; nothing is counted twice, nothing is lost.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("an operation that fails", function()
  teardown(vbench.clean)

  local SET = [[ local run = vb.command { "SET", vb.key "a", "1" } ]]
  local INCR = [[ local run = vb.command { "INCR", vb.key "a" %s } ]]

  -- Runs one phase against the fake server; the phase of the report, what it was sent, the run.
  local function against(mode, options, before, fields, ...)
    local fake = servers.fake(mode, options)
    local script = vbench.one_phase(before, "run = run, " .. fields)
    local ok, run = pcall(vbench.report, { script, "-p", fake.port, "-c", 1, ... })
    local sent, on = {}, {}
    for _, name in ipairs(options.on or { "SET", "GET", "INCR" }) do on[name] = true end
    for _, command in ipairs(fake:received()) do
      if on[command[1]] then sent[#sent + 1] = command[1] end
    end
    fake:stop()
    if not ok then error(run, 0) end
    assert(run.json, run.all)
    return run.json.phases[1], sent, run
  end

  local function counts(phase)
    return { phase.requests, phase.errors, phase.retries, phase.gave_up, phase.unknown,
             phase.operations }
  end

  describe("because the server is not ready", function()
    local function refused(text, before, fields)
      return against("error", { text = text, times = 2, on = { "SET", "INCR" } }, before, fields)
    end

    for _, word in ipairs { "LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN" } do
      it("(" .. word .. ") is sent again until it is answered", function()
        local phase, sent, run = refused(word .. " not now", SET, "requests = 3")
        assert.same({ 3, 0, 2, 0, 0, 3 }, counts(phase))
        assert.equal(0, run.code, run.all)
        assert.equal(5, #sent)
        assert.matches("2 retries", run.out, 1, true)
      end)
    end

    it("is sent again also when it could not be done twice: it was not done", function()
      local phase = refused("LOADING", INCR:format(""), "requests = 3")
      assert.same({ 3, 0, 2, 0, 0, 3 }, counts(phase))
    end)

    it("is not for other errors, whose words only begin alike", function()
      for _, text in ipairs { "ERR no", "WRONGTYPE no", "BUSYKEY no", "OOM no", "READONLY no" } do
        local phase = refused(text, SET, "requests = 3, max_errors = 1")
        assert.same({ 1, 2, 0, 0, 0, 3 }, counts(phase))
      end
    end)

    it("is given up after so many times, and is an error then", function()
      local phase, sent = against("error", { text = "LOADING no", on = { "SET" } }, SET,
        "requests = 2, retry = 3")
      assert.same({ 0, 2, 6, 2, 0, 2 }, counts(phase))
      assert.equal(2, phase.errors_by_kind.LOADING.count)
      assert.equal(8, #sent)
    end)

    it("is not sent again with retry = 0 of the phase, or retry = false of the command", function()
      local phase = refused("LOADING", SET, "requests = 3, retry = 0, max_errors = 1")
      assert.same({ 1, 2, 0, 0, 0, 3 }, counts(phase))
      phase = refused("LOADING", INCR:format(", retry = false"), "requests = 3, max_errors = 1")
      assert.same({ 1, 2, 0, 0, 0, 3 }, counts(phase))
    end)

    it("is sent again as often as the command says", function()
      local phase = refused("LOADING", INCR:format(", retry = 1"), "requests = 1")
      assert.same({ 0, 1, 1, 1, 0, 1 }, counts(phase))
    end)

    it("goes again with the steps of a sequence behind it, which count once", function()
      local phase, sent = against("error", { text = "LOADING", times = 1, on = { "GET", "SET" } },
        [[ local get, set = vb.command { "GET", "a" }, vb.command { "SET", "a", "b" }
           local run = vb.sequence { get, set } ]], "requests = 1")
      assert.same({ "GET", "SET", "GET", "SET" }, sent)
      assert.same({ 2, 0, 1, 0, 0, 1 }, counts(phase))
    end)

    it("is an error where the steps behind it cannot be done twice", function()
      local phase, sent = against("error", { text = "LOADING", times = 1, on = { "GET", "INCR" } },
        [[ local get, incr = vb.command { "GET", "a" }, vb.command { "INCR", "a" }
           local run = vb.sequence { get, incr } ]], "requests = 1, max_errors = 1")
      assert.same({ "GET", "INCR" }, sent)
      assert.same({ 1, 1, 0, 0, 0, 1 }, counts(phase))
    end)

    it("waits for a server that is busy with a script, as a whole transaction", function()
      local server = servers.start { args = { "--busy-reply-threshold", "50" } }
      local script, file = vbench.one_phase([[
        local keys = vb.keyspace { prefix = "l:", size = 1000000 }
        local push = vb.command { "RPUSH", keys:sequential(), "a" }
        local again = vb.command { "RPUSH", keys:current(), "b", name = "again" } ]],
        'run = vb.transaction { push, again }, duration = "3s", retry = 100'),
        vbench.path("busy.json")
      local run = vbench.start { script, "-p", server.port, "-c", 2, "--json", file,
        "--no-baseline" }
      process.wait_for(10, "the phase", function() return server:call("DBSIZE") > 0 end)
      process.start({ "redis-cli", "-p", server.port, "EVAL",
        "local t = redis.call('TIME') repeat local n = redis.call('TIME') "
        .. "until n[1] * 1e6 + n[2] > t[1] * 1e6 + t[2] + 700000", "0" },
        { stdout = "/dev/null", stderr = "/dev/null" }):wait(20)
      run:wait()
      local size, first = server:call("DBSIZE"), server:call("LLEN", "l:000000000000")
      server:stop()
      local phase = vbench.decode(process.read(file)).phases[1]
      assert.equal(0, run.code, run.all)
      assert.is_true(phase.retries > 0)
      assert.same({ 2 * size, 0, phase.retries, 0, 0, size }, counts(phase))
      assert.equal(2, first)
    end)
  end)

  describe("with its connection", function()
    local function lost(before, fields, times)
      return against("close", { times = times or 2, on = { "SET", "GET", "INCR" } }, before, fields)
    end

    it("is sent again when it may be done twice", function()
      local phase, sent, run = lost(SET, "requests = 3")
      assert.same({ 3, 0, 2, 0, 0, 3 }, counts(phase))
      assert.equal(2, phase.connection_errors)
      assert.equal(2, phase.reconnects)
      assert.equal(5, #sent)
      assert.equal(0, run.code, run.all)
      assert.same({}, phase.unknown_operations)
    end)

    it("is unknown when it may not, an error, and told with its id", function()
      local phase, sent, run = lost([[
        local keys = vb.keyspace { prefix = "n:", size = 10 }
        local run = vb.command { "INCR", keys:sequential() } ]],
        "requests = 3, max_errors = 1")
      assert.same({ 1, 2, 0, 0, 2, 3 }, counts(phase))
      assert.equal(2, phase.errors_by_kind.connection.count)
      assert.equal(3, #sent)
      assert.equal(2, #phase.unknown_operations)
      assert.equal(0, phase.unknown_operations[1].id)
      assert.equal(1, phase.unknown_operations[2].id)
      assert.equal("incr", phase.unknown_operations[1].command)
      assert.matches("^127.0.0.1:", phase.unknown_operations[1].node)
      assert.matches("2 unknown", run.out, 1, true)
    end)

    it("is sent again when the command says that it may be", function()
      for _, option in ipairs { ", retry = true", ", idempotent = true", ", readonly = true" } do
        local phase = lost(INCR:format(option), "requests = 3")
        assert.same({ 3, 0, 2, 0, 0, 3 }, counts(phase))
      end
      local phase = lost([[ local run = vb.command { "SET", "a", "1", idempotent = false } ]],
        "requests = 3, max_errors = 1")
      assert.same({ 1, 2, 0, 0, 2, 3 }, counts(phase))
    end)

    it("is given up after so many times", function()
      local phase = lost(SET, "requests = 2, retry = 2, max_errors = 1", 5)
      assert.same({ 1, 1, 4, 1, 0, 2 }, counts(phase))
    end)

    it("goes on with the step of a sequence that was not answered", function()
      local phase, sent = against("close", { times = 1, on = { "SET" } }, [[
        local ping, set = vb.command { "PING" }, vb.command { "SET", "a", "1" }
        local run = vb.sequence { ping, set:when("ok") } ]], "requests = 2")
      assert.same({ "SET", "SET", "SET" }, sent)
      assert.same({ 4, 0, 1, 0, 0, 2 }, counts(phase))
    end)

    it("that was never sent goes out without being an error or a retry", function()
      local server = servers.start()
      server:call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
      local script = vbench.one_phase([[
        local keys = vb.keyspace { prefix = "k:", size = 40 }
        local run = vb.command { "SETRANGE", keys:sequential(), "0", vb.bytes "3MB" } ]],
        'run = run, requests = 40, pipeline = 8, retry = 3, duration = "3s", max_errors = 1')
      local run = vbench.report { script, "-p", server.port, "-c", 1 }
      server:stop()
      local phase = run.json.phases[1]
      assert.is_true(phase.connection_errors > 0)
      assert.equal(phase.operations, phase.requests + phase.errors)
      assert.is_true(phase.retries < phase.connection_errors * 8)
    end)
  end)

  describe("without a reply in time", function()
    it("is sent again when it may be done twice, and its time runs from its begin", function()
      local phase = against("silence", { times = 1, on = { "SET" } }, SET,
        'requests = 3, timeout = "300ms"')
      assert.same({ 3, 0, 1, 0, 0, 3 }, counts(phase))
      assert.equal(1, phase.timeouts)
      assert.is_true(phase.latency_us.max > 300000, phase.latency_us.max)
    end)

    it("is unknown when it may not", function()
      local phase = against("silence", { times = 1, on = { "INCR" } }, INCR:format(""),
        'requests = 3, timeout = "300ms", max_errors = 1')
      assert.same({ 2, 1, 0, 0, 1, 3 }, counts(phase))
      assert.equal(1, phase.errors_by_kind.timeout.count)
    end)
  end)

  describe("as a run of a flow", function()
    local CALLS = [[
      local get, set = vb.command { "GET", "a" }, vb.command { "SET", "a", "1" }
      local incr = vb.command { "INCR", "a" %s }
      local run = vb.flow("f", function(c) %s end) ]]

    local function flow(calls, mode, options, fields, incr)
      options.on = options.on or { "SET", "GET", "INCR" }
      return against(mode, options, CALLS:format(incr or "", calls), fields)
    end

    local row = vbench.command_row
    local GET_SET = "c:call(get) c:call(set)"

    it("is begun again when all that it has called may be done twice, and counts once", function()
      local phase, sent, run = flow(GET_SET, "close", { times = 2, on = { "SET" } }, "requests = 3")
      assert.same({ 6, 0, 2, 0, 0, 3 }, counts(phase))
      assert.same({ 3, 3, 3 }, { row(phase, "f").requests, row(phase, "get").requests,
        row(phase, "set").requests })
      assert.equal(2, row(phase, "f").retries)
      assert.equal(2, phase.reconnects)
      assert.equal(5, #sent)
      assert.equal(0, run.code, run.all)
    end)

    it("does all of it again", function()
      local _, sent = flow(GET_SET, "close", { times = 1, after = 1 }, "requests = 2")
      assert.same({ "GET", "SET", "GET", "SET", "GET", "SET" }, sent)
    end)

    it("is unknown when the reply to what may not be done twice was lost", function()
      local phase, sent = flow("c:call(get) c:call(incr)", "close",
        { times = 1, on = { "INCR" } }, "requests = 2, max_errors = 1")
      assert.same({ 3, 1, 0, 0, 1, 2 }, counts(phase))
      assert.same({ 1, 1 }, { row(phase, "incr").errors, row(phase, "f").requests })
      assert.same({ "INCR", "INCR" }, sent)
    end)

    it("is an error, and known, when it has done before what may not be done twice", function()
      local phase, sent = flow("c:call(incr) c:call(set)", "close",
        { times = 1, after = 1 }, "requests = 2, max_errors = 1")
      assert.same({ 3, 1, 0, 0, 0, 2 }, counts(phase))
      assert.same({ "INCR", "SET", "INCR", "SET" }, sent)
    end)

    it("is begun again no more often than the phase says for one of its commands", function()
      local phase = flow("c:call(get) c:call(incr)", "close", { times = 1, on = { "INCR" } },
        "requests = 2, retry = 0, max_errors = 1", ", idempotent = true, retry = 10")
      assert.same({ 3, 1, 0, 0, 0, 2 }, counts(phase))
    end)

    it("is begun again as often as its commands say", function()
      local phase = flow("c:call(incr)", "close", { times = 2 }, "requests = 2", ", retry = true")
      assert.same({ 2, 0, 2, 0, 0, 2 }, counts(phase))
      phase = flow("c:call(incr)", "close", { times = 2 }, "requests = 2, max_errors = 1",
        ", retry = 1")
      assert.same({ 1, 1, 1, 1, 0, 2 }, counts(phase))
      phase = flow("c:call(incr) c:call(get)", "close", { times = 1, after = 1 },
        "requests = 2, max_errors = 1", ", idempotent = true, retry = false")
      assert.same({ 3, 1, 0, 0, 0, 2 }, counts(phase))
    end)

    it("is given up after so many times", function()
      local phase = flow(GET_SET, "close", { times = 5, on = { "SET" } },
        "requests = 2, retry = 2, max_errors = 1")
      assert.same({ 3, 1, 4, 1, 0, 2 }, counts(phase))
      assert.same({ 1, 1, 2 }, { row(phase, "f").gave_up, row(phase, "set").errors,
        row(phase, "get").requests })
    end)

    it("is begun again without a reply in time, its times from the first attempt", function()
      local phase = flow(GET_SET, "silence", { times = 1, on = { "SET" } },
        'requests = 2, timeout = "300ms"')
      assert.same({ 4, 0, 1, 0, 0, 2 }, counts(phase))
      assert.equal(1, phase.timeouts)
      assert.is_true(row(phase, "f").latency_us.max > 300000)
      assert.is_true(row(phase, "set").latency_us.max > 300000)
      assert.is_true(row(phase, "get").latency_us.max < 300000)
    end)

    it("has the response time of its first intended start", function()
      local phase = flow(GET_SET, "silence", { times = 1, on = { "SET" } },
        'requests = 2, rate = 20, timeout = "300ms"')
      assert.same({ 4, 0, 1, 0, 0, 2 }, counts(phase))
      assert.is_true(phase.response_us.max > 300000)
    end)

    -- Two runs, whose connections are killed 0.2 s after the server has seen them.
    local function killed(calls, is_there)
      local server = servers.start()
      local script = vbench.one_phase(CALLS:format("", calls), "run = run, requests = 2")
      local file = vbench.path("killed-once.json")
      local run = vbench.start { script, "-p", server.port, "-c", 2, "--threads", 1, "--json", file,
        "--no-baseline" }
      process.wait_for(10, "the clients", function() return is_there(server) end)
      process.sleep(0.2)
      server:call("CLIENT", "KILL", "TYPE", "normal")
      run:wait()
      local value = server:call("GET", "a")
      server:stop()
      assert.equal(0, run.code, run.all)
      return vbench.decode(process.read(file)).phases[1], value
    end

    it("goes out without being an error or a retry when it had sent nothing", function()
      local phase, value = killed('c:sleep("1s") c:call(incr)', function(server)
        return select(2, server:call("CLIENT", "LIST"):gsub("id=%d+ addr", "")) >= 4 end)
      assert.same({ 2, 0, 0, 0, 0, 2 }, counts(phase))
      assert.is_true(phase.connection_errors >= 2)
      assert.equal("2", value)
    end)

    it("is begun again with its exec, when its commands may be done twice", function()
      local phase = killed('c:exec { { set }, { get } } c:sleep("2s")', function(server)
        return server:call("GET", "a") == "1" end)
      assert.same({ 4, 0, 2, 0, 0, 2 }, counts(phase))
      assert.equal(2, row(phase, "exec").requests)
    end)

    it("has a new state with a new connection, also when the old one was idle", function()
      local server = servers.start()
      local script = vbench.one_phase([[
        local set = vb.command { "SET", "a", vb.arg "n" }
        local run = vb.flow("f", function(c)
          c.state.n = (c.state.n or 0) + 1
          c:call(set, { n = c.state.n })
        end) ]], "run = run, requests = 4, rate = 2")
      local run = vbench.start { script, "-p", server.port, "-c", 1, "--no-baseline" }
      process.wait_for(10, "two runs", function() return server:call("GET", "a") == "2" end)
      server:call("CLIENT", "KILL", "TYPE", "normal")
      run:wait()
      local value = server:call("GET", "a")
      server:stop()
      assert.equal(0, run.code, run.all)
      assert.equal("2", value)
    end)

    -- Kills the connections that a flow calls on, every 50 ms until the run ends.
    local function under_fire(list, calls, fields)
      local script = vbench.one_phase([[
        local keys = vb.keyspace { prefix = "k:", size = 40000 }
        local order = keys:sequential()
        local get = vb.command { "GET", keys:current() }
        local set = vb.command { "SET", keys:current(), vb.bytes(10) }
        local put, incr = vb.command { "SET", vb.arg "key", "1", name = "put" },
          vb.command { "INCR", "n" }
        local run = vb.flow("f", function(c) ]] .. calls .. " end)",
        "run = run, retry = 1000, max_errors = 1, clients = 8, threads = 2, " .. fields)
      local file = vbench.path("fire.json")
      local args = { script, "--json", file, "--no-baseline" }
      for _, server in ipairs(list) do
        args[#args + 1], args[#args + 2] = "-h", "127.0.0.1:" .. server.port
      end
      local run = vbench.start(args)
      while run.process:running() do
        for _, server in ipairs(list) do
          local clients = server:call("CLIENT", "LIST", "TYPE", "normal")
          for id in clients:gmatch("id=(%d+)[^\n]+cmd=[gsi][en][tc]r? ") do
            pcall(server.call, server, "CLIENT", "KILL", "ID", id)
          end
        end
        process.sleep(0.05)
      end
      run:wait()
      assert.equal(0, run.code, run.all)
      local phase = vbench.decode(process.read(file)).phases[1]
      assert.is_true(phase.connection_errors > 0)
      return phase
    end

    it("writes every key while its connections are killed all the time", function()
      local server = servers.start()
      local phase = under_fire({ server }, "c:draw(order) c:call(get) c:call(set)",
        "requests = 40000")
      local size = server:call("DBSIZE")
      server:stop()
      assert.equal(40000, size)
      assert.same({ 80000, 0, phase.retries, 0, 0, 40000 }, counts(phase))
      assert.is_true(phase.retries > 0)
      assert.equal(40000, row(phase, "f").requests)
    end)

    it("does so on its way between servers", function()
      local list = { servers.start(), servers.start() }
      local phase = under_fire(list, [[
        local key = ("j:%d"):format(c:draw(order))
        c:call(get) c:call(set) c:on(key) c:call(put, { key = key }) ]], "requests = 20000")
      local size = list[1]:call("DBSIZE") + list[2]:call("DBSIZE")
      for _, server in ipairs(list) do server:stop() end
      assert.equal(40000, size)
      assert.same({ 60000, 0, phase.retries, 0, 0, 20000 }, counts(phase))
      assert.is_true(phase.retries > 0)
    end)

    it("counts as unknown each increment that it does not know of, and no other", function()
      local server = servers.start()
      local phase = under_fire({ server }, "c:draw(order) c:call(get) c:call(incr)",
        "requests = 40000")
      local value, known = tonumber(server:call("GET", "n")), row(phase, "incr").requests
      server:stop()
      assert.equal(40000, phase.operations)
      assert.is_true(phase.unknown > 0)
      assert.equal(phase.errors, phase.unknown)
      assert.equal(40000, row(phase, "f").requests + phase.errors)
      assert.is_true(value >= known and value <= known + phase.unknown, value)
    end)
  end)

  it("counts in a warm-up neither as retry nor as error", function()
    local phase = against("close", { times = 2, on = { "SET" } }, SET,
      'requests = 3, warmup = "300ms"')
    assert.same({ 3, 0, 0, 0, 0, 3 }, counts(phase))
  end)
end)
