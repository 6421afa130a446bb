-- vb.stamp and vb.age: the time of sending on the wire, and how old it is when it comes back.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("the age of what is sent", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function run(declarations, fields, ...)
    local path = vbench.one_phase(declarations, fields)
    return vbench.report { path, "-p", server.port, "-c", 2, "--threads", 1, ... }
  end

  local QUEUE = [[
    local push = vb.command { "RPUSH", vb.key "q", vb.stamp() }
    local pop = vb.command { "LPOP", vb.key "q", reply = vb.age() }
    local both = vb.sequence { push, pop } ]]

  it("is on the wire as 22 bytes with the time of now", function()
    local monitor = server:monitor()
    local before = os.time()
    assert.equal(0, run(QUEUE, 'run = both, requests = 10').code)
    local sent = monitor:finish("rpush")
    assert.equal(10, #sent)
    for _, args in ipairs(sent) do
      local seconds = tonumber(args[3]:match("^vb@(%d%d%d%d%d%d%d%d%d%d)%d%d%d%d%d%d%d%d%d$"))
      assert.is_true(seconds >= before and seconds <= os.time(), args[3])
    end
  end)

  it("is a time of its own in the report, and a metric", function()
    local report = run(QUEUE, [[run = both, requests = 500,
      thresholds = { "age_p50_us < 1000000", "lpop.age_max_ms > 0" }]])
    assert.equal(0, report.code, report.all)
    local phase = report.json.phases[1]
    local push, pop = phase.commands[1], phase.commands[2]
    assert.equal(vbench.null, push.age_us)
    assert.equal(500, pop.age_us.count)
    assert.equal(500, phase.age_us.count)
    assert.is_true(pop.age_us.p50 > 1 and pop.age_us.p50 <= pop.age_us.p99)
    -- From the same write to the same receive, but for what it took to put the two together.
    assert.is_true(pop.age_us.min >= pop.latency_us.min)
    assert.is_true(pop.age_us.p50 < pop.latency_us.p50 * 2 + 1000)
    assert.matches("age, ms +count +mean +p50 +p95 +p99 +p99.9 +max\n +lpop +500 ", report.out)
  end)

  it("is that of the whole way, waiting included", function()
    local path = vbench.scenario [[
      local push = vb.command { "RPUSH", vb.key "q", vb.stamp() }
      local pop = vb.command { "LPOP", vb.key "q", reply = vb.age() }
      return vb.scenario { description = "a test", phases = {
        vb.phase { name = "push", run = push, requests = 20 },
        vb.phase { name = "wait", run = vb.command { "PING" }, duration = "300ms" },
        vb.phase { name = "pop", run = pop, requests = 25 } } }]]
    local report = vbench.report { path, "-p", server.port, "-c", 1, "--threads", 1 }
    assert.equal(0, report.code, report.all)
    local age = report.json.phases[3].age_us
    assert.equal(20, age.count) -- the other five were nil
    assert.is_true(age.min >= 300000 and age.max < 5e6, age.min)
  end)

  it("is found in arrays of arrays, in JSON and in concatenations, each stamp by itself", function()
    local report = run([[
      local add = vb.command { "XADD", vb.key "s", "*", "a", vb.json { { "at", vb.stamp() } },
        "b", vb.concat { "x", vb.stamp(), "y" } }
      local read = vb.command { "XREVRANGE", vb.key "s", "+", "-", "COUNT", 3, reply = vb.age() }
      local both = vb.sequence { add, read } ]], "run = both, requests = 100", "-3")
    assert.equal(0, report.code, report.all)
    local found = report.json.phases[1].commands[2].age_us.count
    assert.is_true(found > 2 * 98 * 3 and found <= 2 * 100 * 3, found)
    local entry = server:call("XREVRANGE", "s", "+", "-", "COUNT", 1)[1][2]
    assert.matches('^{"at":"vb@%d+"}$', entry[2])
    assert.matches("^xvb@%d+y$", entry[4])
  end)

  it("says when no reply held a stamp", function()
    local report = run('local get = vb.command { "ECHO", "nothing", reply = vb.age() }',
      "run = get, requests = 10")
    assert.equal(0, report.code, report.all)
    assert.equal(0, report.json.phases[1].age_us.count)
    assert.matches("echo: no reply held a stamp, so there is no age", report.out, 1, true)
    assert.equal(2, run('local get = vb.command { "ECHO", "nothing", reply = vb.age() }',
      'run = get, requests = 10, thresholds = { "age_p51_us < 1" }').code)
  end)

  it("is an error when a stamp is ahead of the clock", function()
    local report = run([[
      local e = vb.command { "ECHO", "vb@9000000000000000000", reply = vb.age() }]],
      "run = e, requests = 10")
    assert.equal(4, report.code)
    assert.equal(10, report.json.phases[1].errors_by_kind.age.count)
    assert.matches("s ahead of this host's clock", report.json.phases[1].errors_by_kind.age.first)
  end)

  it("does not count what is of the warm-up", function()
    local report = run(QUEUE, 'run = both, warmup = "200ms", requests = 50')
    assert.equal(0, report.code, report.all)
    assert.equal(50, report.json.phases[1].age_us.count)
  end)

  it("is not part of what vb.verify compares", function()
    local report = run([[local k = vb.keyspace { prefix = "k", size = 9 }
      local g = vb.command { "GET", k:uniform(), reply = vb.verify(vb.stamp()) }]],
      "run = g, requests = 1")
    assert.equal(2, report.code)
    assert.matches('vb.verify takes a generator made with from = "id"', report.err, 1, true)
    assert.is_nil(process.read(report.file))
  end)
end)
