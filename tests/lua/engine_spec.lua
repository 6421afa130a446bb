-- The engine through its Lua object, against a real server: what phases do, and how they end.
local compile = require "vbench.compile"
local engines = require "vbench.engine"
local failure = require "vbench.failure"
local local_server = require "vbench.local_server"
local native = require "vbench.ffi"
local plan = require "vbench.plan"
local result = require "vbench.result"
local session = require "vbench.session"
local C = native.C

describe("the engine", function()
  local place, vb, engine

  setup(function() place = local_server.start {} end)
  teardown(function() place:stop() end)

  local function open(fields)
    local options = {
      target = { endpoints = { { host = place.host, port = place.port } }, login = {}, family = 0 },
      connect_timeout_s = 2, hook_timeout_s = 2,
    }
    for key, value in pairs(fields or {}) do options[key] = value end
    return engines.new(options)
  end

  before_each(function()
    session.enter { role = "main", run = { id = "test", started = 0, seed = 7 }, args = {} }
    vb = require "vbench"
    engine = open()
  end)

  after_each(function() engine:free() end)

  local function spec_of(phase, options)
    local compiled = compile.phase(phase)
    plan.fill(compiled.spec, plan.settings(phase, options or {}, {}), 7)
    return compiled
  end

  -- Runs a phase to its end; gives the last event, its text and status, and the number of ticks.
  local function follow(compiled, threads)
    engine:start(threads or 1, { compiled.spec })
    local ticks, event, text, status = 0, nil, nil, nil
    repeat
      event, text, status = engine:next()
      if event == "tick" then ticks = ticks + 1 end
    until event == "done" or event == "failed"
    return event, text, status, ticks
  end

  it("runs a phase and counts it", function()
    local keys = vb.keyspace { prefix = "e:", size = 1000 }
    local set = vb.command { "SET", keys:sequential():limit(500), "value" }
    local get = vb.command { "GET", keys:sequential(), reply = vb.hits() }
    local compiled = spec_of(vb.phase { run = set, requests = 500, clients = 5 })
    assert.equal("done", (follow(compiled, 2)))
    assert.equal(500, tonumber(engine:total(0).counters.requests))
    compiled = spec_of(vb.phase { run = get, requests = 1000, clients = 3 })
    assert.equal("done", (follow(compiled)))
    local read = result.phase { engine = engine, lane = 0, name = "read", status = "ok",
                                rows = compiled.names }
    assert.equal(1000, read.requests)
    assert.equal(500, read.hits)
    assert.equal(500, read.misses)
    assert.equal(3, read.clients)
    assert.equal("get", read.slowest[1].command)
    assert.equal(place.host .. ":" .. place.port, read.nodes[1].address)
    assert.is_true(read.latency_us.p50 > 1)
  end)

  it("tells seconds", function()
    local ping = vb.command { "PING" }
    local compiled = spec_of(vb.phase { run = ping, duration = "1100ms", clients = 2 })
    local _, _, _, ticks = follow(compiled)
    assert.is_true(ticks >= 1)
    local second = engine:second(0)
    assert.is_true(second.requests > 0)
    assert.equal(2, tonumber(second.connections))
    assert.is_nil(engine:second(1))
  end)

  it("ends a phase that is stopped", function()
    local ping = vb.command { "PING" }
    local compiled = spec_of(vb.phase { run = ping, duration = "20s", clients = 1 })
    engine:start(1, { compiled.spec })
    local began = C.vb_clock_monotonic()
    assert.equal("start", (engine:next()))
    engine:stop()
    local event
    repeat event = engine:next() until event == "done"
    assert.is_true(C.vb_clock_monotonic() - began < 5)
    assert.equal(1, engine:result(0).interrupted)
  end)

  it("fails at the first error when a phase says so", function()
    local bad = vb.command { "NOSUCH" }
    local phase = vb.phase { run = bad, requests = 100, clients = 1, on_error = "stop" }
    local event, text, status = follow(spec_of(phase))
    assert.equal("failed", event)
    assert.matches("unknown command", text)
    assert.equal(C.VB_ESERVER, status)
  end)

  it("refuses phases that cannot be, as a mistake of the user", function()
    local compiled = spec_of(vb.phase { run = vb.command { "PING" }, clients = 1, requests = 1 })
    local ok, value = pcall(engine.start, engine, 4, { compiled.spec })
    assert.is_false(ok)
    assert.equal(failure.USAGE, value.exit_code)
    assert.matches("1 clients are too few for 4 threads", value.message)
  end)

  it("says when a name does not resolve", function()
    local ok, value = pcall(open, { target = {
      endpoints = { { host = "no-such-host.invalid", port = 1 } }, login = {},
    } })
    assert.is_false(ok)
    assert.equal(failure.COULD_NOT_RUN, value.exit_code)
    assert.matches("no%-such%-host.invalid", value.message)
  end)

  it("gives nothing from threads without a script", function()
    follow(spec_of(vb.phase { run = vb.command { "PING" }, clients = 2, requests = 10 }), 2)
    assert.same({ "", "" }, engine:finish())
  end)
end)
