-- The client watches itself, and what it stands beside: shared cores, connections that are starved,
-- phases that hit nothing.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a report warns of", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)

  it("a server that shares its cores with the workers, and not of one that need not", function()
    local cores = tonumber((io.popen("nproc"):read("*l")))
    local run = vbench.report { "-p", server.port, "-t", "get", "-n", 2000, "-c", cores,
      "--threads", cores }
    assert.is_true(run.json.phases[1].client.shares_cores)
    assert.matches("the server on this host shares its cores with", run.out, 1, true)
    if cores > 1 then
      run = vbench.report { "-p", server.port, "-t", "get", "-n", 2000, "-c", 1, "--threads", 1 }
      assert.is_false(run.json.phases[1].client.shares_cores)
      assert.not_matches("shares its cores", run.out, 1, true)
    end
  end)

  it("a server bound to the core of the only worker", function()
    local pinned = servers.start { args = { "--server_cpulist", "0" } }
    local run = vbench.report { "-p", pinned.port, "-t", "get", "-n", 200, "-c", 1, "--pin", "0" }
    pinned:stop()
    assert.equal(0, run.code, run.all)
    assert.matches("shares its cores with 1 worker", run.out, 1, true)
  end)

  it("a connection that is starved", function()
    local fake = servers.fake("silence", { times = 1 })
    local script = vbench.one_phase([[ local set = vb.command { "SET", vb.key "a", "1" } ]],
      'run = set, duration = "700ms", clients = 4, timeout = 0, max_errors = 1')
    local run = vbench.report { script, "-p", fake.port }
    fake:stop()
    local each = run.json.phases[1].client.of_connection
    assert.equal(0, each.least)
    assert.is_true(each.most >= each.mean and each.mean > 50, each.mean)
    assert.matches("connections were not treated alike: 0 to", run.out, 1, true)
  end)

  it("none where all had their share", function()
    local run = vbench.report { "-p", server.port, "-t", "set", "-n", 20000, "-c", 8, "-P", 4 }
    local each = run.json.phases[1].client.of_connection
    assert.equal(20000 / 8, each.mean)
    assert.is_true(each.least > 20000 / 16 and each.most < 20000 / 4)
    assert.not_matches("not treated alike", run.out, 1, true)
  end)

  it("nothing where connections need not be alike", function()
    local second = servers.start()
    local run = vbench.report { "-h", "127.0.0.1:" .. server.port, "-h",
      "127.0.0.1:" .. second.port, "-t", "set", "-n", 2000, "-c", 4 }
    second:stop()
    assert.equal(vbench.null, run.json.phases[1].client.of_connection)
  end)

  it("keys that are not there, with what to do", function()
    server:clean()
    local script = vbench.one_phase([[
      local keys = vb.keyspace { prefix = "none:", size = 20 }
      local get = vb.command { "GET", keys:uniform(), reply = vb.hits() } ]],
      "run = get, requests = 500")
    local run = vbench.report { script, "-p", server.port }
    assert.equal(0, run.code, run.all)
    assert.matches("nothing was hit: none of 500 requests found its key", run.out, 1, true)
    assert.matches("fill the keyspace first", run.out, 1, true)
    server:call("SET", "none:000000000001", "x")
    run = vbench.report { script, "-p", server.port }
    assert.not_matches("nothing was hit", run.out, 1, true)
  end)

  it("how it was itself: faults, steal, time for a core", function()
    local client = vbench.phase({ "-p", server.port, "-t", "get", "-n", 50000 }).client
    for _, name in ipairs { "major_faults", "steal", "run_delay", "busy" } do
      assert.is_true(client[name] >= 0, name)
    end
    assert.is_true(client.steal <= 1)
  end)
end)
