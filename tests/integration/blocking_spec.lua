-- Commands that block: what they wait is no latency, no timeout ends them, and they keep no phase
-- from ending.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a command that blocks", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function run(declarations, fields, ...)
    return vbench.report { vbench.one_phase(declarations, fields), "-p", server.port,
      "--threads", 1, ... }
  end

  local QUEUE = [[
    local push = vb.command { "RPUSH", vb.key "q", vb.stamp() }
    local pop = vb.command { "BLPOP", vb.key "q", 0, reply = vb.age() }
    local consumers = vb.phase { name = "consumers", run = pop, clients = 3 } ]]

  it("consumes a queue beside its producers, and ends with them", function()
    local report = run(QUEUE, 'run = push, clients = 2, requests = 2000, background = consumers')
    assert.equal(0, report.code, report.all)
    local push, pop = report.json.phases[1], report.json.phases[2]
    assert.equal(2000, push.requests)
    assert.equal(2000, pop.requests)
    assert.equal(2000, pop.operations)
    assert.equal(2000, pop.age_us.count)
    assert.equal(2000, pop.wait_us.count)
    assert.equal(0, pop.errors)
    assert.equal(0, server:call("LLEN", "q"))
    assert.equal(vbench.null, pop.latency_us)
    assert.equal(vbench.null, push.wait_us)
    assert.matches("wait, ms +count +mean .-\n +blpop +2,000 ", report.out)
    assert.is_true(report.seconds < 3, report.seconds)
    assert.equal(vbench.null, pop.timeline[#pop.timeline].p50_us)
  end)

  it("has no timeout, and its wait is measured until something comes", function()
    local path = vbench.one_phase([[
      local push = vb.command { "RPUSH", vb.key "q", "x" }
      local pop = vb.command { "BLPOP", vb.key "q", 0 }
      local later = vb.phase { name = "push", run = push, clients = 1, requests = 1,
                               start = "700ms" } ]],
      "run = pop, clients = 1, requests = 1, background = later")
    local report = vbench.report { path, "-p", server.port, "--threads", 1, "--timeout", "200ms" }
    assert.equal(0, report.code, report.all)
    local pop = report.json.phases[1]
    assert.equal(0, pop.errors)
    assert.is_true(pop.wait_us.min > 600000 and pop.wait_us.max < 3e6, pop.wait_us.min)
    assert.is_true(pop.wait_us.max == report.json.phases[1].commands[1].wait_us.max)
  end)

  it("counts a wait that the server ended as a request, and not as a wait", function()
    local report = run([[local pop = vb.command { "BLPOP", vb.key "none", 0.05,
      reply = { vb.hits(), vb.age() } }]], "run = pop, clients = 2, requests = 6")
    assert.equal(0, report.code, report.all)
    local pop = report.json.phases[1].commands[1]
    assert.equal(6, pop.requests)
    assert.equal(6, pop.misses)
    assert.equal(0, pop.wait_us.count)
    assert.matches("blpop: every wait ended without anything", report.out, 1, true)
  end)

  it("has a pipeline of 1, whatever the command line says", function()
    local pop = 'local pop = vb.command { "BLPOP", vb.key "none", 0.01 }'
    local report = run(pop, "run = pop, clients = 2, requests = 6", "-P", 16)
    assert.equal(0, report.code, report.all)
    assert.equal(1, report.json.phases[1].pipeline)
    report = run(pop, "run = pop, clients = 2, requests = 6, pipeline = 4")
    assert.equal(2, report.code)
    assert.matches("phase 'one' runs a command that blocks: its pipeline is 1, not 4", report.err,
      1, true)
  end)

  it("is known by its word, by BLOCK, or because the script says so", function()
    local function waits(command)
      local report = run("local c = " .. command, "run = c, clients = 1, requests = 2")
      assert.equal(0, report.code, report.all)
      return report.json.phases[1].wait_us ~= vbench.null
    end
    assert.is_true(waits 'vb.command { "WAIT", 0, 10 }')
    assert.is_true(waits 'vb.command { "BZPOPMIN", vb.key "z", 0.01 }')
    assert.is_true(waits 'vb.command { "BLMOVE", vb.key "a", vb.key "b", "LEFT", "LEFT", 0.01 }')
    assert.is_true(waits 'vb.command { "XREAD", "BLOCK", 10, "STREAMS", vb.key "s", "$" }')
    assert.is_false(waits 'vb.command { "XREAD", "STREAMS", vb.key "BLOCK", 0 }')
    assert.is_false(waits 'vb.command { "BLPOP", vb.key "z", 0.01, blocking = false }')
    assert.is_true(waits 'vb.command { "PING", blocking = true }')
    assert.is_false(waits 'vb.transaction { vb.command { "BLPOP", vb.key "z", 0 } }')
  end)

  it("holds up only its own connection of a mix", function()
    local path = vbench.one_phase([[
      local pop = vb.command { "BLPOP", vb.key "none", 0 }
      local ping = vb.command { "PING" }
      local mix = vb.mix { { 999, ping }, { 1, pop } } ]],
      'run = mix, clients = 200, duration = "300ms"')
    local report = vbench.report { path, "-p", server.port, "--threads", 1 }
    assert.equal(0, report.code, report.all)
    local phase = report.json.phases[1]
    assert.is_true(phase.requests > 1000, phase.requests)
    assert.equal(0, phase.errors)
  end)

  it("is followed in a sequence only by a step with a condition", function()
    local pop, ok = [[local pop = vb.command { "BLPOP", vb.key "q", 0.01 }
      local incr = vb.command { "INCR", vb.key "n" } ]], "run = both, clients = 2, requests = 50"
    local report = run(pop .. 'local both = vb.sequence { pop, incr }', ok)
    assert.equal(2, report.code)
    assert.matches("scenario.lua:%d+: step 2 of vb.sequence would be sent behind 'blpop', which " ..
      "blocks", report.err)
    for _ = 1, 20 do server:call("RPUSH", "q", "x") end
    report = run(pop .. 'local both = vb.sequence { pop, incr:when("hit") }', ok)
    assert.equal(0, report.code, report.all)
    assert.equal("20", server:call("GET", "n"))
  end)

  it("waits in a flow as it does by itself, and keeps no phase from ending", function()
    local report = run([[
      local push = vb.command { "RPUSH", vb.key "q", vb.stamp() }
      local pop = vb.command { "BLPOP", vb.key "q", 0, reply = vb.age() }
      local incr = vb.command { "INCR", vb.key "n" }
      local consume = vb.flow("consume", function(c)
        c:call(pop)
        c:call(incr)
      end)
      local consumers = vb.phase { name = "consumers", run = consume, clients = 3 } ]],
      'run = push, clients = 1, rate = 100, duration = "600ms", background = consumers',
      "--timeout", "100ms")
    assert.equal(0, report.code, report.all)
    local consumers = report.json.phases[2]
    assert.equal(0, consumers.errors)
    assert.is_true(report.seconds < 3, report.seconds)
    for _, row in ipairs(consumers.commands) do
      if row.name == "blpop" then
        assert.equal(60, row.wait_us.count)
        assert.equal(vbench.null, row.latency_us)
      elseif row.name == "incr" then
        assert.is_true(row.latency_us.p50 > 0)
        assert.equal(vbench.null, row.wait_us)
      end
    end
    assert.equal("60", server:call("GET", "n"))
  end)

  it("does not keep Ctrl-C from ending a phase that waits", function()
    local path = vbench.one_phase('local pop = vb.command { "BLPOP", vb.key "none", 0 }',
      "run = pop, clients = 4, requests = 10")
    local one = vbench.start { path, "-p", server.port, "--threads", 1, "--no-baseline" }
    process.wait_for(5, "blocked clients", function()
      return server:info("blocked_clients") == 4
    end)
    one:signal("INT")
    one:wait()
    assert.equal(130, one.code, one.all)
    assert.is_true(one.seconds < 4, one.seconds)
    assert.equal(0, server:info("blocked_clients"))
  end)
end)
