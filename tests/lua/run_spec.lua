local cjson = require "cjson"
local control = require "vbench.control"
local failure = require "vbench.failure"
local fake = require "tests.lua.fixtures.engine"
local local_server = require "vbench.local_server"
local native = require "vbench.ffi"
local run = require "vbench.run"
local session = require "vbench.session"
local ffi = native.ffi

local function compile(phase)
  return { spec = ffi.new("vb_phase_spec"), program = nil, names = { phase.run.name }, keep = {} }
end

-- A file that keeps what is written to it.
local function sink()
  local self = { text = "" }
  function self:write(...)
    self.text = self.text .. table.concat({ ... })
    return self
  end
  function self.flush() return true end
  return self
end

describe("a run", function()
  local server, ctl, vb, get

  setup(function() server = local_server.start {} end)
  teardown(function() server:stop() end)

  before_each(function()
    ctl = assert(control.open {
      endpoints = { { host = server.host, port = server.port } }, is_local = true,
    })
    ctl:call("FLUSHALL")
    session.enter { role = "main", run = { id = "test", started = 1767323045, seed = 7 },
                    server = { name = "redis", version = "7.0.0" } }
    vb = require "vbench"
    get = vb.command { "GET", vb.key "a" }
  end)

  after_each(function() ctl:close() end)

  -- Runs a scenario with a fake engine; gives code, report and what else there is to look at.
  local function execute(scenario, options, given, script)
    local out, err, json = sink(), sink(), os.tmpname()
    local all = { no_baseline = true, json = json }
    for key, value in pairs(options or {}) do all[key] = value end
    local engine = fake.new(script)
    session.loaded()
    local console = require("vbench.console").new(all, nil, { out = out, err = err })
    local one = run.new {
      scenario = vb.scenario(scenario), session = session, options = all, given = given,
      target = { endpoints = { {} }, loopback = true }, ctl = ctl, engine = engine,
      compile = compile, console = console,
    }
    local code = one:execute()
    local file = assert(io.open(json))
    local report = cjson.decode(file:read("*a"))
    file:close()
    os.remove(json)
    return { code = code, report = report, engine = engine, out = out.text, err = err.text }
  end

  local function one(fields)
    local all = { name = "read", run = get, requests = 4 }
    for key, value in pairs(fields or {}) do all[key] = value end
    return vb.phase(all)
  end

  local function refused(...)
    local ok, value = pcall(execute, ...)
    assert.is_false(ok)
    assert.is_true(failure.is(value), tostring(value))
    assert.equal(failure.USAGE, value.exit_code)
    return value.message
  end

  it("runs the phases in order and reports them", function()
    local done = execute { phases = { one { name = "fill" }, one() } }
    assert.equal(0, done.code)
    assert.equal("ok", done.report.status)
    assert.equal("fill", done.report.phases[1].name)
    assert.equal("read", done.report.phases[2].name)
    assert.equal(4, done.report.phases[2].requests)
    assert.matches("fill: 50 clients", done.out)
    assert.is_true(done.engine.freed)
  end)

  it("gives a report with exactly the keys of the documents", function()
    local want, got = {}, {}
    for key in ([[vbench format title tags scenario options seed started_at host server baseline
        status exit_code phases optimizer]]):gmatch("%S+") do
      want[key] = true
    end
    for key in pairs(execute({ phases = { one() } }).report) do got[key] = true end
    assert.same(want, got)
  end)

  it("takes the load from the phase, else from the command line", function()
    local done = execute({ phases = { one { clients = 8, threads = 2 },
      one { name = "then", pipeline = 3 } } },
      { clients = 20, pipeline = 2, threads = 1, timeout = 3 }, { clients = true })
    local first, second = done.engine.log[1], done.engine.log[2]
    assert.equal(2, first.threads)
    assert.equal(8, first.lanes[1].clients)
    assert.equal(2, first.lanes[1].pipeline)
    assert.equal(3e9, first.lanes[1].timeout_ns)
    assert.equal(1, second.threads)
    assert.equal(20, second.lanes[1].clients)
    assert.equal(3, second.lanes[1].pipeline)
    assert.equal(7, second.lanes[1].seed)
  end)

  it("ends a phase as it says, else as the command line says", function()
    local function ends(fields, options, given)
      fields.name, fields.run = "read", get
      local lane = execute({ phases = { vb.phase(fields) } }, options, given).engine.log[1].lanes[1]
      return { lane.requests, lane.duration_ns / 1e9 }
    end
    assert.same({ 100000, 0 }, ends({}, {}))
    assert.same({ 5, 0 }, ends({ requests = 5 }, { requests = 9 }))
    assert.same({ 0, 2 }, ends({ duration = "2s" }, { requests = 9 }))
    assert.same({ 9, 0 }, ends({}, { requests = 9 }, { requests = true }))
    assert.same({ 0, 3 }, ends({}, { requests = 9, duration = 3 }, { duration = true }))
    assert.same({ 9, 3 }, ends({}, { requests = 9, duration = 3 },
      { requests = true, duration = true }))
  end)

  it("runs phases in the background beside one", function()
    local beside = vb.phase { name = "beside", run = get, clients = 2, start = "1s" }
    local done = execute { phases = { one { background = { beside } } } }
    local lanes = done.engine.log[1].lanes
    assert.equal("beside", lanes[2].name)
    assert.equal(0, lanes[2].requests)
    assert.equal(1e9, lanes[2].start_ns)
    assert.equal(1, done.engine.log[1].threads)
    assert.equal("beside", done.report.phases[2].name)
  end)

  it("runs a part of the phases", function()
    local phases = { one { name = "fill" }, one(), one { name = "drop" } }
    local function names(options)
      local list = {}
      for i, phase in ipairs(execute({ phases = phases }, options).report.phases) do
        list[i] = phase.name
      end
      return table.concat(list, " ")
    end
    assert.equal("fill drop", names { phases = "fill,drop" })
    assert.equal("fill read", names { skip = { "drop" } })
    assert.matches("%-%-phases: there is no phase 'fil'; did you mean 'fill'%?",
      refused({ phases = phases }, { phases = "fil" }))
    assert.matches("leave no phase", refused({ phases = phases }, { skip = "fill,read,drop" }))
  end)

  it("refuses an option that no phase reads", function()
    assert.equal("-c/--clients was given, but no phase reads it: phases 'fill' and 'read' set "
      .. "clients themselves", refused({ phases = { one { name = "fill", clients = 3 },
      one { clients = 5 } } }, { clients = 9 }, { clients = true }))
    assert.equal("-n/--requests was given, but no phase reads it: phase 'read' sets requests or "
      .. "duration or until_exhausted itself",
      refused({ phases = { one() } }, { requests = 9 }, { requests = true }))
    assert.equal(0, execute({ phases = { one { clients = 3 }, one { name = "then" } } },
      { clients = 9 }, { clients = true }).code)
  end)

  it("notes an option that no phase of main read", function()
    local scenario = { main = function(r) r:phase(one { clients = 3 }) end }
    local done = execute(scenario, { clients = 9 }, { clients = true })
    assert.equal(0, done.code)
    assert.matches("%-c/%-%-clients was given, but no phase reads it: phase 'read' sets clients",
      done.err)
  end)

  it("gives phases to main, and their results", function()
    local got
    local done = execute { main = function(r)
      for clients = 1, 2 do got = r:phase(one():with { clients = clients }) end
    end }
    assert.equal(0, done.code)
    assert.equal(2, #done.report.phases)
    assert.equal(2, done.report.phases[2].clients)
    assert.near(0.4, got:metric "p99_ms", 0.001)
  end)

  it("takes the phases from a function, after setup", function()
    local done = execute {
      setup = function(c) c:call("SET", "made", "1") end,
      phases = function()
        assert.equal("1", ctl:call("GET", "made"))
        return { one { name = "made" } }
      end,
    }
    assert.equal("made", done.report.phases[1].name)
  end)

  it("lets main stop", function()
    local after = false
    local done = execute { main = function(r)
      r:phase(one())
      r:stop()
      r:phase(one())
      after = true
    end }
    assert.equal(0, done.code)
    assert.is_false(after)
    assert.equal(1, #done.report.phases)
  end)

  it("sets params from setup and from the phase, for as long as it runs", function()
    local ef = vb.param("ef", 10, { max = 100 })
    local seen = {}
    local function look() seen[#seen + 1] = ef:get() end
    local done = execute {
      setup = function() return { ef = 20 } end,
      on_second = look,
      phases = { one(), one { name = "64", params = { ef = 64 } }, one { name = "again" } },
    }
    assert.equal(0, done.code)
    assert.same({ 20, 64, 20 }, seen)
    done = execute { setup = function() return { eff = 1 } end, phases = { one() } }
    assert.equal(2, done.code)
    assert.matches("setup: unknown param 'eff'", done.err)
  end)

  it("restores what setup configured", function()
    execute { phases = { one() }, setup = function(c) c:config { ["lfu-log-factor"] = 3 } end }
    assert.equal("10", ctl:call("CONFIG", "GET", "lfu-log-factor")[2])
  end)

  it("gives teardown the results", function()
    local results
    execute { phases = { one() }, teardown = function(c, all)
      assert.equal("PONG", c:call("PING"))
      results = all
    end }
    assert.equal(4, results[1].requests)
    assert.equal(results[1], results.read)
    assert.same({}, results.threads)
  end)

  it("gives what the threads returned", function()
    local results
    local script = { phases = { one() }, thread = { done = print }, teardown = function(_, all)
      results = all
    end }
    local real = fake.new
    fake.new = function(...)
      local engine = real(...)
      engine.thread_results = { "return {[\"n\"]=3}", "" }
      return engine
    end
    execute(script)
    fake.new = real
    assert.same({ { n = 3 }, false }, results.threads)
  end)

  it("calls on_second with an entry of the timeline", function()
    local entries = {}
    local function keep(entry) entries[#entries + 1] = entry end
    local done = execute { phases = { one() }, on_second = keep }
    assert.equal(1, #entries)
    assert.equal(4, entries[1].requests)
    assert.same(done.report.phases[1].timeline[1], entries[1])
  end)

  it("exits 1 when the server refuses setup, after reporting", function()
    local torn
    local done = execute { phases = { one() }, setup = function(c) c:call("NOSUCH") end,
                           teardown = function() torn = true end }
    assert.equal(1, done.code)
    assert.equal("failed", done.report.status)
    assert.matches("NOSUCH: ERR unknown command", done.err)
    assert.is_nil(torn)
  end)

  it("exits 2 for a mistake in a function, and says where", function()
    for _, name in ipairs { "setup", "teardown", "on_second" } do
      local done = execute { phases = { one() }, [name] = function() error("oh no") end }
      assert.equal(2, done.code, name)
      assert.matches("run_spec.lua:%d+: oh no", done.err)
      assert.matches("in " .. name, done.err)
    end
    assert.equal(2, execute({ main = function() return nil + 1 end }).code)
  end)

  it("exits 3 when a threshold is not met", function()
    local done = execute { phases = { one { thresholds = { "p99_ms < 1", "errors > 0" } } } }
    assert.equal(3, done.code)
    assert.same({ { expr = "p99_ms < 1", value = 0.4, ok = true },
                  { expr = "errors > 0", value = 0, ok = false } },
      { { expr = "p99_ms < 1", ok = true,
          value = math.floor(done.report.phases[1].thresholds[1].value * 10 + 0.5) / 10 },
        done.report.phases[1].thresholds[2] })
    assert.equal(3, execute({ phases = { one() } }, { threshold = { "qps > 1m" } }).code)
    assert.matches("phase 'read': threshold 'p98_ms < 1': unknown metric 'p98_ms'",
      refused({ phases = { one() } }, { threshold = { "p98_ms < 1" } }))
  end)

  it("ends early when a threshold aborts", function()
    local script = { read = {
      row = fake.row { counters = { operations = 9, requests = 9 }, us = { 9000 } },
      seconds = { fake.second { t_s = 1, requests = 9, p99_us = 9000 },
                  fake.second { t_s = 2, requests = 9, p99_us = 9000 } },
      events = { "start", "tick", "tick", "tick", "done" },
    } }
    local done = execute({ phases = {
      one { thresholds = { { "p99_ms < 2", abort = true } } }, one { name = "next" },
    } }, {}, {}, script)
    assert.equal(3, done.code)
    assert.equal(1, #done.report.phases)
    assert.equal("failed", done.report.phases[1].status)
    assert.equal(1, #done.report.phases[1].timeline)
    assert.matches("phase 'read' was ended early: threshold p99_ms < 2 is not met %(9%)", done.err)
  end)

  local function with_errors(requests, errors)
    return { read = { row = fake.row {
      counters = { operations = requests + errors, requests = requests, errors = errors },
      us = requests > 0 and { 100 } or {}, errors = { "ERR no" },
    }, seconds = {}, events = { "start", "done" } } }
  end

  it("exits 4 with more errors than allowed, or no success at all", function()
    assert.equal(4, execute({ phases = { one() } }, {}, {}, with_errors(90, 10)).code)
    assert.equal(0, execute({ phases = { one() } }, {}, {}, with_errors(1000, 10)).code)
    assert.equal(0, execute({ phases = { one() } }, { max_errors = 0.2 }, {},
      with_errors(90, 10)).code)
    assert.equal(4, execute({ phases = { one { max_errors = "1%" } } }, { max_errors = 0.2 }, {},
      with_errors(90, 10)).code)
    assert.equal(4, execute({ phases = { one() } }, {}, {}, with_errors(0, 3)).code)
  end)

  it("exits 130 when it is interrupted, with the results so far", function()
    local script = { fill = {
      row = fake.row { counters = { operations = 2, requests = 2 }, us = { 100 } }, seconds = {},
      events = { "start", "signal", "done" },
    } }
    local torn
    local done = execute({ phases = { one { name = "fill", thresholds = { "qps > 1m" } }, one() },
                           teardown = function() torn = true end }, {}, {}, script)
    assert.equal(130, done.code)
    assert.equal("interrupted", done.report.status)
    assert.equal(1, #done.report.phases)
    assert.equal("interrupted", done.report.phases[1].status)
    assert.is_true(torn)
  end)

  it("runs the phases again and again with --loop, until it is interrupted", function()
    local function once(events)
      return { row = fake.row { counters = { operations = 2, requests = 2 }, us = { 100 } },
               seconds = {}, events = events }
    end
    local script = { read = { once { "start", "done" }, once { "start", "done" },
                              once { "start", "signal", "done" } } }
    local done = execute({ phases = { one() } }, { loop = true }, {}, script)
    assert.equal(130, done.code)
    assert.equal(3, #done.report.phases)
  end)

  it("only opens the connections with --idle", function()
    local script = { read = { row = fake.row {}, seconds = {},
                              events = { "start", "signal", "done" } } }
    local done = execute({ phases = { one { clients = 6 } } }, { idle = true }, {}, script)
    assert.equal(130, done.code)
    assert.equal(1, done.engine.log[1].lanes[1].idle)
    assert.equal(6, done.engine.log[1].lanes[1].clients)
    assert.matches("idle: the connections are open", done.err)
    assert.equal(0, execute({ phases = { one() } }).engine.log[1].lanes[1].idle)
  end)

  it("reports what there is when the run cannot go on", function()
    local script = { read = {
      row = fake.row { counters = { operations = 2, requests = 2 }, us = { 100 } }, seconds = {},
      events = { "start", { "failed", "127.0.0.1:1: connection refused", -4 } },
    } }
    local done = execute({ phases = { one(), one { name = "next" } } }, {}, {}, script)
    assert.equal(1, done.code)
    assert.matches("phase 'read': 127.0.0.1:1: connection refused", done.err)
    assert.equal("failed", done.report.phases[1].status)
    assert.equal(1, #done.report.phases)
    script.read.events[2] = { "failed", "x.lua:3: oh no", -9 }
    assert.equal(2, execute({ phases = { one() } }, {}, {}, script).code)
  end)

  it("leaves without waiting for a worker that is stuck", function()
    local script = { read = {
      row = fake.row { counters = { operations = 2, requests = 2 }, us = { 100 } }, seconds = {},
      events = { "start", { "stuck", "on_reply of command 'get' (x.lua:3) has not returned", -9 } },
    } }
    local left
    run.exit = function(code) left = code end
    local done = execute({ phases = { one() } }, {}, {}, script)
    run.exit = os.exit
    assert.equal(2, left)
    assert.equal(2, done.report.exit_code)
    assert.equal(2, done.report.phases[1].requests)
    assert.matches("on_reply of command 'get'", done.err)
  end)

  it("says when a phase cannot start", function()
    local script = { read = { refuse = failure.new(2, "phase 'read': 1 clients are too few") } }
    local done = execute({ phases = { one() } }, {}, {}, script)
    assert.equal(2, done.code)
    assert.matches("too few", done.err)
  end)

  it("measures the base round trip", function()
    local done = execute({ phases = { one() } }, { no_baseline = false })
    assert.is_true(done.report.baseline.ping_us > 1)
    assert.is_true(done.report.baseline.get_miss_us > 1)
    assert.matches("base round trip", done.out)
    assert.equal(cjson.null, execute({ phases = { one() } }).report.baseline)
  end)

  it("says what a phase did to the server", function()
    local done = execute { phases = { one() }, on_second = function()
      for i = 1, 5 do ctl:call("GET", "missing" .. i) end
    end }
    local change = done.report.phases[1].server_change
    assert.is_true(change.ops >= 5)
    assert.equal(5, change.misses)
    assert.equal(change.misses, done.report.phases[1].nodes[1].server_change.misses)
    assert.is_true(change.cpu >= 0)
  end)

  it("shows the percentiles that were asked for", function()
    local done = execute({ phases = { one() } }, { percentiles = { 50, 99.5 } })
    assert.matches("\n  get: p50 0.200 ms, p99.5 0.400 ms\n", done.out)
    assert.near(400, done.report.phases[1].latency_us.p995, 0.5)
  end)

  it("says when standard output is full", function()
    local full = sink()
    function full.write() return nil, "No space left on device" end
    local options = { no_baseline = true, csv = true }
    local err = sink()
    session.loaded()
    local code = run.new {
      scenario = vb.scenario { phases = { one() } }, session = session, options = options,
      target = { endpoints = { {} }, loopback = true }, ctl = ctl, engine = fake.new(),
      compile = compile,
      console = require("vbench.console").new(options, nil, { out = full, err = err }),
    }:execute()
    assert.equal(1, code)
    assert.equal("vbench: standard output: No space left on device\n", err.text)
  end)

  it("refuses reports that cannot be written, and more clients than can be", function()
    local none, message = require("vbench.console").new { csv_summary = "/nowhere/x" }
    assert.is_nil(none)
    assert.matches("%-%-csv%-summary: /nowhere/x", message)
    local ok, value = pcall(execute, { phases = { one { clients = 100000000 } } })
    assert.is_false(ok)
    assert.equal(failure.COULD_NOT_RUN, value.exit_code)
    assert.matches("phase 'read' has 100000000 clients: .*ulimit %-n", value.message)
  end)

  it("hides secrets", function()
    local done = execute({ phases = { one() } }, { auth = "hunter2", user = "me", clients = 5,
                                                   uri = "valkey://me:hunter2@x" })
    local text = cjson.encode(done.report)
    assert.is_nil(text:find("hunter2", 1, true))
    assert.equal(5, done.report.options.clients)
  end)

  it("names the scenario by its file and what is in it", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("abc")
    file:close()
    session.path = path
    local said = execute({ phases = { one() } }).report.scenario
    assert.same({ name = said.name, file = path, sha256 = said.sha256, libraries = said.libraries },
      said)
    assert.equal(path:match("[^/]*$"), said.name)
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", said.sha256)
    os.remove(path)
  end)

  it("refuses params that there are not", function()
    session.param_values = { eff = "1" }
    assert.matches("%-%-param eff: the scenario has no such param", refused { phases = { one() } })
  end)

  it("shows the forms of the scenario, and its titles in CSV", function()
    local forms = {
      header = function() return "head\n" end, verdict = function() return "end\n" end,
      phase = function(phase) return "form " .. phase.name .. "\n" end,
      title = function() return "READ" end,
    }
    local function shown(options)
      options.no_baseline = true
      local out = sink()
      session.enter { role = "main", run = { id = "test", started = 0, seed = 7 } }
      local ping = vb.command { "PING" }
      session.loaded()
      run.new {
        scenario = vb.scenario { phases = { vb.phase { name = "read", run = ping } } },
        session = session, options = options, ctl = ctl, engine = fake.new(), compile = compile,
        target = { endpoints = { {} }, loopback = true },
        console = require("vbench.console").new(options, forms, { out = out, err = sink() }),
      }:execute()
      return out.text
    end
    assert.equal("head\n\nform read\n\nend\n", shown {})
    assert.matches('\n"READ","2.00"', shown { csv = true })
  end)

  it("prints redis-benchmark's CSV alone on standard output", function()
    local done = execute({ phases = { one() } }, { csv = true })
    assert.matches('^"test","rps"', done.out)
    assert.matches('\n"read","2.00"', done.out)
    assert.is_nil(done.out:find("clients", 1, true))
  end)
end)
