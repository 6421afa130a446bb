-- --local: a private server for a run, and nothing of it afterwards.
local process = require "tests.support.process"
local vbench = require "tests.support.vbench"

describe("--local", function()
  local place, temporary = process.directory(), nil

  before_each(function()
    temporary = place .. "/" .. tostring({}):gsub("%W", "")
    os.execute("mkdir " .. temporary)
  end)
  teardown(function()
    process.remove(place)
    vbench.clean()
  end)

  -- Pids of the servers whose working directory is below our own.
  local function running()
    return process.capture("for p in /proc/[0-9]*; do readlink $p/cwd; done 2>/dev/null | " ..
      "grep -c '^" .. temporary .. "' || true")
  end

  local function left()
    return process.capture("ls -A " .. temporary)
  end

  local function gone()
    process.wait_for(8, "the server's end", function() return running() == "0" and left() == "" end)
  end

  it("starts a server and removes it", function()
    local run = vbench.report { "--local", "STANDALONE", "-t", "set,get", "-n", 2000,
      tmpdir = temporary }
    assert.equal(0, run.code, run.all)
    assert.equal(2000, run.json.phases[2].requests)
    gone()
    assert.equal("", left())
  end)

  it("passes options with --local-args", function()
    local script = vbench.scenario [[
      local get = vb.command { "GET", vb.key "x" }
      return vb.scenario { setup = function(ctl)
        assert(ctl:call("CONFIG", "GET", "maxmemory")[2] == "12345678")
      end, phases = { vb.phase { name = "a", run = get, requests = 10 } } } ]]
    local run = vbench.run { script, "--local", "--local-args", "--maxmemory 12345678",
      tmpdir = temporary }
    assert.equal(0, run.code, run.all)
    gone()
    run = vbench.run { script, "--local", "--local-args", "--nosuchoption 1", tmpdir = temporary }
    assert.equal(1, run.code, run.all)
    assert.matches("nosuchoption", run.err)
    gone()
  end)

  for _, signal in ipairs { "KILL", "INT", "TERM" } do
    it("leaves nothing after SIG" .. signal, function()
      local script = vbench.one_phase([[ local incr = vb.command { "INCR", vb.key "n" } ]],
        'run = incr, duration = "30s"')
      local run = vbench.start { script, "--local", tmpdir = temporary, "--no-baseline" }
      process.wait_for(10, "a server", function() return running() ~= "0" end)
      process.sleep(0.3)
      run:signal(signal)
      run:wait()
      assert.equal(signal == "KILL" and 137 or 130, run.code, run.all)
      gone()
      assert.equal("0", running())
    end)
  end

  it("leaves nothing after an error in the script", function()
    local run = vbench.run { vbench.one_phase([[ local c = vb.command { "SET", vb.key "x",
      function() error "no" end } ]], "run = c"), "--local", tmpdir = temporary }
    assert.equal(2, run.code, run.all)
    gone()
  end)

  it("says when there is no server on PATH", function()
    local run = vbench.run { "--local", "-t", "set", env = { PATH = "/nonexistent" },
      program = vbench.binary }
    assert.equal(1, run.code, run.all)
    assert.matches("valkey-server", run.err, 1, true)
    assert.matches("redis-server", run.err, 1, true)
  end)

  it("refuses a kind of server that there is not", function()
    local run = vbench.run { "--local=banana", "-t", "set", "-n", 10, tmpdir = temporary }
    assert.equal(2, run.code, run.all)
    assert.matches("banana", run.err)
  end)

  it("needs no --yes for FLUSHALL", function()
    local script = vbench.scenario [[
      local set = vb.command { "SET", vb.key "x", "y" }
      return vb.scenario { phases = { vb.phase { name = "a", run = set, requests = 10 } },
        teardown = function(ctl) ctl:call("FLUSHALL") end } ]]
    local run = vbench.report { script, "--local", tmpdir = temporary }
    assert.equal(0, run.code, run.all)
    assert.equal(10, run.json.phases[1].requests)
  end)

  it("is refused beside the name of another server", function()
    for _, other in ipairs { "-h", "-p", "-s", "-u" } do
      local run = vbench.run { "--local", other, "7777", "-t", "ping", "-n", 1 }
      assert.equal(2, run.code)
      assert.matches("names a server, and %-%-local starts one", run.err)
    end
  end)
end)
