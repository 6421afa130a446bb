-- The machine's own limits: descriptors, permissions, disks, signals.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("on a machine", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)

  local long = [[ local incr = vb.command { "INCR", vb.key "n" } ]]

  it("with too few descriptors the shortage is told before the run", function()
    server:clean()
    local run = vbench.run { "-p", server.port, "-t", "set", "-n", 1000, "-c", 200, "--no-baseline",
      under = { "prlimit", "--nofile=100:100" } }
    assert.equal(1, run.code, run.all)
    assert.matches("100", run.err, 1, true)
    assert.matches("200", run.err, 1, true)
    assert.matches("ulimit", run.err)
    assert.equal(0, server:call("DBSIZE"))
  end)

  it("with a low soft limit the hard one is taken", function()
    local phase = vbench.phase { "-p", server.port, "-t", "set", "-n", 1000, "-c", 200,
      under = { "prlimit", "--nofile=100:1000" } }
    assert.same({ 1000, 200 }, { phase.requests, phase.clients })
  end)

  for _, option in ipairs { "--json", "--output", "--csv-seconds", "--csv-summary" } do
    it("with no place for a report (" .. option .. ") it is told before the run", function()
      server:clean()
      local run = vbench.run { "-p", server.port, "-t", "set", "-n", 10, option,
        "/nonexistent/directory/report" }
      assert.is_true(run.code == 1 or run.code == 2, run.all)
      assert.matches("/nonexistent/directory/report", run.err, 1, true)
      assert.equal(0, server:call("DBSIZE"))
    end)
  end

  it("without permission for a report it is told before the run", function()
    server:clean()
    local directory = process.directory()
    os.execute("chmod 755 " .. directory)
    local under = { "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups" }
    if process.capture("id -u") ~= "0" then
      under = {}
      os.execute("chmod 555 " .. directory)
    end
    local run = vbench.run { "-p", server.port, "-t", "set", "-n", 10, "--json",
      directory .. "/r.json", cwd = "/", under = under, env = { HOME = "/" } }
    process.remove(directory)
    assert.is_true(run.code == 1 or run.code == 2, run.all)
    assert.matches("r.json", run.err, 1, true)
    assert.matches("ermission denied", run.err)
    assert.equal(0, server:call("DBSIZE"))
  end)

  it("with a full disk the report's loss is an error, the rest is kept", function()
    local directory = process.directory()
    local mounted = os.execute("mount -t tmpfs -o size=4k tmpfs " .. directory ..
      " 2>/dev/null") == 0
    local file = mounted and directory .. "/r.json" or "/dev/full"
    local run = vbench.run { "-p", server.port, "-t", "set", "-n", 5000, "--json", file,
      "--no-baseline" }
    if mounted then os.execute("umount " .. directory) end
    process.remove(directory)
    assert.equal(1, run.code, run.all)
    assert.matches(file, run.err, 1, true)
    assert.matches("[Nn]o space left", run.err)
    assert.matches("SET", run.out:upper())
  end)

  it("with a full standard output it is an error", function()
    local run = vbench.run { "-p", server.port, "-t", "set", "-n", 100, "--csv", "--no-baseline",
      stdout = "/dev/full" }
    assert.equal(1, run.code, run.err)
    assert.matches("[Nn]o space left", run.err)
  end)

  it("whose reader goes away it ends quietly", function()
    server:clean()
    local run = vbench.run { program = "sh", "-c", vbench.binary .. " -p " .. server.port ..
      " -t set,set,set -n 100 --no-baseline | head -c 1; true" }
    assert.equal(1, #run.out)
    assert.not_matches("traceback", run.err)
    assert.is_true(server:call("DBSIZE") > 0)
  end)

  for _, signal in ipairs { "INT", "TERM" } do
    it("a first SIG" .. signal .. " ends the phase and reports", function()
      server:clean()
      local file = vbench.path("interrupted.json")
      local script = vbench.scenario(long .. [[
        return vb.scenario { phases = {
          vb.phase { name = "first", run = incr, duration = "30s" },
          vb.phase { name = "second", run = incr, requests = 10 },
        }, teardown = function(ctl) ctl:call("SET", "torn", "down") end } ]])
      local run = vbench.start { script, "-p", server.port, "--json", file, "--no-baseline" }
      process.wait_for(10, "some load", function() return server:call("EXISTS", "n") == 1 end)
      run:signal(signal)
      run:wait()
      assert.equal(130, run.code, run.all)
      assert.is_true(run.seconds < 10 * vbench.slowness)
      local json = vbench.decode(process.read(file))
      assert.equal("interrupted", json.status)
      assert.equal(130, json.exit_code)
      assert.equal(1, #json.phases)
      assert.equal("interrupted", json.phases[1].status)
      assert.equal(tonumber(server:call("GET", "n")), json.phases[1].requests)
      assert.equal("down", server:call("GET", "torn"))
      assert.matches("interrupted", run.all)
    end)
  end

  it("a second SIGINT ends it at once", function()
    server:clean()
    local script = vbench.scenario(long .. [[
      return vb.scenario { phases = { vb.phase { name = "first", run = incr, duration = "30s" } },
        teardown = function() while true do end end } ]])
    local run = vbench.start { script, "-p", server.port, "--no-baseline" }
    process.wait_for(10, "some load", function() return server:call("EXISTS", "n") == 1 end)
    run:signal("INT")
    process.sleep(0.5 * vbench.slowness)
    assert.is_true(run.process:running())
    local before = process.now()
    run:signal("INT")
    run:wait()
    assert.equal(130, run.code, run.all)
    assert.is_true(process.now() - before < vbench.slowness)
  end)

  it("a signal before the first request is heeded", function()
    local fake = servers.fake("silence", { on = { "*" } })
    local run = vbench.start { "-p", fake.port, "-t", "set", "-n", 10 }
    process.wait_for(10, "a connection", function() return #fake:received() > 0 end)
    run:signal("INT")
    run:wait()
    fake:stop()
    assert.equal(130, run.code, run.all)
    assert.is_true(run.seconds < 6 * vbench.slowness)
  end)
end)
