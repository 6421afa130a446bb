-- Client-side caching: --enable-tracking, invalidations and how long they take.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("client-side caching", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local CACHED = [[
    local keys = vb.keyspace { prefix = "k:", size = 1000 }
    local get = vb.command { "GET", keys:sequential():wrap() }
    local set = vb.command { "SET", keys:current(), "x" }
    local both = vb.sequence { get, set } ]]

  local function run(declarations, fields, ...)
    return vbench.report { vbench.one_phase(declarations, fields), "-p", server.port, ... }
  end

  it("counts each invalidation, and how long after the write it came", function()
    local report = run(CACHED, [[run = both, clients = 1, requests = 500,
      thresholds = { "invalidation_p99_ms < 1000", "invalidations == 500" }]],
      "--enable-tracking")
    assert.equal(0, report.code, report.all)
    local phase = report.json.phases[1]
    assert.equal(500, phase.invalidations)
    assert.equal(500, phase.invalidation_us.count)
    assert.is_true(phase.invalidation_us.min > 1 and phase.invalidation_us.max < 1e6)
    assert.equal(1000, phase.requests)
    assert.equal(0, phase.errors)
    assert.equal(3, report.json.server.resp)
    assert.is_nil(next(phase.pushes_by_kind))
    assert.matches("500 invalidations, after the write: mean %d", report.out)
  end)

  it("tells every client that has read the key, whichever thread wrote it", function()
    local report = run([[
      local keys = vb.keyspace { prefix = "k:", size = 1 }
      local get = vb.command { "GET", keys:uniform() }
      local set = vb.transaction { vb.command { "SET", vb.key "k:000000000000", "x" } }
      local writer = vb.phase { name = "set", run = set, clients = 2, rate = 20 } ]],
      'run = get, clients = 6, duration = "500ms", background = writer', "--threads", 2,
      "--enable-tracking", "-P", 4)
    assert.equal(0, report.code, report.all)
    local gets, sets = report.json.phases[1], report.json.phases[2]
    -- Each of the six has read it again within the 50 ms until it is written again.
    assert.is_true(sets.operations > 0)
    assert.is_true(gets.invalidations > sets.operations * 3, gets.invalidations)
    assert.is_true(gets.invalidations <= sets.operations * 6, gets.invalidations)
    assert.equal(gets.invalidations, gets.invalidation_us.count)
    assert.equal(0, sets.invalidations)
  end)

  it("does not know when others wrote, and takes FLUSHALL as one", function()
    local path = vbench.one_phase([[local get = vb.command { "GET", vb.key "theirs" } ]],
      'run = get, clients = 1, duration = "1500ms"')
    local json = vbench.path("others.json")
    local one = vbench.start { path, "-p", server.port, "--enable-tracking", "--json", json,
      "--no-baseline" }
    process.wait_for(5, "a tracking client", function()
      return (server:info("tracking_clients") or 0) > 0
    end)
    process.sleep(0.3)
    server:call("SET", "theirs", "x")
    process.sleep(0.1)
    server:call("FLUSHALL")
    one:wait()
    assert.equal(0, one.code, one.all)
    local phase = vbench.decode(process.read(json)).phases[1]
    assert.equal(2, phase.invalidations)
    assert.equal(0, phase.invalidation_us.count)
    assert.matches("  2 invalidations\n", one.out)
  end)

  it("is off without the option", function()
    local report = run(CACHED, "run = both, clients = 1, requests = 50", "-3")
    assert.equal(0, report.code, report.all)
    local phase = report.json.phases[1]
    assert.equal(0, phase.invalidations)
    assert.equal(vbench.null, phase.invalidation_us)
    assert.not_matches("invalidation", report.out)
  end)

  it("goes on after a lost connection", function()
    local path = vbench.one_phase(CACHED, 'run = both, clients = 1, duration = "1500ms"')
    local json = vbench.path("lost.json")
    local one = vbench.start { path, "-p", server.port, "--enable-tracking", "--json", json,
      "--no-baseline" }
    process.wait_for(5, "a tracking client", function()
      return (server:info("tracking_clients") or 0) > 0
    end)
    process.sleep(0.5)
    for _, id in ipairs { server:call("CLIENT", "LIST", "TYPE", "normal"):match(
      "id=(%d+)[^\n]*flags=t") } do server:call("CLIENT", "KILL", "ID", id) end
    one:wait()
    local phase = vbench.decode(process.read(json)).phases[1]
    assert.equal(1, phase.reconnects)
    assert.is_true(phase.invalidations > phase.commands[2].requests * 0.98)
  end)

  it("leaves subscribers to their messages", function()
    local report = run([[
      local sub = vb.subscriber { channels = { "news" } }
      local readers = vb.phase { name = "readers", run = sub, clients = 2 }
      local publish = vb.command { "PUBLISH", "news", "x" } ]],
      "run = publish, clients = 1, requests = 100, background = readers", "--threads", 1,
      "--enable-tracking")
    assert.equal(0, report.code, report.all)
    assert.equal(200, report.json.phases[2].requests)
  end)
end)
