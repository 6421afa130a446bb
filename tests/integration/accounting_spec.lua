-- Nothing is lost on its way into a report. What holds in all reports is in
-- tests/support/accounting.lua; here are the ends that are easily forgotten.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local KEYS = [[
  local keys = vb.keyspace { prefix = "k:", size = 1000 }
  local get = vb.command { "GET", keys:uniform() }
  local set = vb.command { "SET", keys:uniform(), "x" }
]]

describe("a report", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function run(before, fields, ...)
    return vbench.report { "-p", server.port, vbench.one_phase(KEYS .. before, fields), ... }
  end

  local function asked_of(phase)
    return phase.operations + phase.backlog_at_end + phase.dropped
  end

  it("has each operation at the command that it begins with", function()
    local phase = run("", "run = vb.mix { { 3, get }, { 1, set } }, requests = 4000").json.phases[1]
    for _, row in ipairs(phase.commands) do assert.equal(row.requests, row.operations) end
    phase = run([[
      local both = vb.mix { { 1, vb.sequence { get, vb.command { "TTL", keys:current() } } },
        { 1, vb.transaction { set, get, name = "two" } } } ]], "run = both, requests = 1000")
      .json.phases[1]
    local by_name = {}
    for _, row in ipairs(phase.commands) do by_name[row.name] = row end
    assert.equal(0, by_name.set.operations)
    assert.equal(0, by_name.ttl.operations)
    assert.equal(by_name.ttl.requests, by_name.get.operations)
    assert.equal(by_name.two.requests, by_name.two.operations)
    assert.equal(vbench.null, by_name.get.connection_errors)
  end)

  it("has sent each command of a transaction", function()
    local phase = run("local both = vb.transaction { get, set }", "run = both, requests = 500")
      .json.phases[1]
    local sent = 0
    for _, second in ipairs(phase.timeline) do sent = sent + second.sent end
    assert.equal(1000, sent)
    assert.equal(1000, phase.requests)
    phase = run([[ local both = vb.flow("both", function(c)
      c:exec { { get }, { set } }
      c:call(get)
    end) ]], "run = both, requests = 500").json.phases[1]
    sent = 0
    for _, second in ipairs(phase.timeline) do sent = sent + second.sent end
    assert.equal(1500, sent)
  end)

  it("counts slow operations from the end of the warm-up on", function()
    local phase = run("local pop = vb.command { 'BLPOP', vb.key 'none', 0.05 }",
      "run = pop, clients = 2, warmup = '200ms', duration = '400ms'", "--threads", 2).json.phases[1]
    assert.is_true(phase.operations >= 2, phase.operations)
  end)

  it("has null for the times of nothing", function()
    local phase = run("local wrong = vb.command { 'GETT', 'x' }", "run = wrong, requests = 5")
      .json.phases[1]
    assert.equal(vbench.null, phase.latency_us)
    assert.equal(vbench.null, phase.commands[1].latency_us)
  end)

  it("of an open loop counts runs of flows that were cut as asked and not ended", function()
    local phase = run([[ local slow = vb.flow("slow", function(c)
      c:call(get)
      c:sleep("1h")
    end) ]], "run = slow, rate = 200, duration = '500ms', clients = 10").json.phases[1]
    assert.equal(100, asked_of(phase))
    assert.equal(0, phase.operations)
    assert.equal(10, phase.requests)
    assert.equal(100, phase.unanswered)
  end)

  it("of an open loop counts what blocks in a flow as asked and not ended", function()
    local phase = run([[ local pop = vb.command { "BLPOP", vb.key "none", 0 }
      local wait = vb.flow("wait", function(c) c:call(pop) end) ]],
      "run = wait, rate = 200, duration = '500ms', clients = 10").json.phases[1]
    assert.equal(100, asked_of(phase))
    assert.equal(100, phase.unanswered)
  end)

  it("of an open loop does not count as asked what its cursor did not have", function()
    local phase = run(
      "local some = vb.command { 'GET', keys:sequential():range(0, 40), name = 'some' }",
      "run = some, rate = 4000, duration = '1s', clients = 8").json.phases[1]
    assert.equal(40, phase.operations)
    assert.equal(40, asked_of(phase))
  end)

  it("of a phase that failed has all that had fallen due", function()
    server:call("SET", "text", "x")
    local failed = run([[ local grow = vb.command { "LPUSH", vb.key "text", "x" } ]],
      "run = vb.mix { { 99, get }, { 1, grow } }, rate = 20000, duration = '5s', clients = 2, " ..
      "on_error = 'stop'")
    assert.equal(4, failed.code, failed.all)
    local phase = failed.json.phases[1]
    assert.equal("failed", phase.status)
    assert.is_true(phase.errors > 0)
  end)

  it("of a hook that does not return has all that its worker had begun", function()
    local run_it = run([[ local hang = vb.command { "GET", keys:uniform(), name = "hang",
      on_reply = function(_, req)
        while req.n == 300 do end
      end } ]], "run = hang, rate = 1000, duration = '5s', clients = 4", "--threads", 2,
      "--hook-timeout", "500ms")
    assert.equal(2, run_it.code, run_it.all)
    assert.is_true(run_it.json.phases[1].backlog_at_end > 0)
  end)

  it("of a server that is gone has all that had fallen due, in every thread", function()
    local gone = servers.start()
    os.execute(("{ sleep 0.7; kill -KILL %d; } >/dev/null 2>&1 &"):format(gone.pid))
    local failed = vbench.report { "-p", gone.port, "--threads", 2, "--connect-timeout", "500ms",
      vbench.one_phase(KEYS, "run = get, rate = 5000, duration = '5s', clients = 20") }
    gone:stop()
    assert.equal(1, failed.code, failed.all)
    local phase = failed.json.phases[1]
    assert.is_true(phase.backlog_at_end > 2000, phase.backlog_at_end) -- of half a second
  end)
end)
