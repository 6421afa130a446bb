-- Options whose effect no other spec observes: each is seen on the wire, in the server or in the
-- report.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("the option", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function phase(args)
    table.insert(args, 1, "-p")
    table.insert(args, 2, server.port)
    return vbench.phase(args)
  end

  local plain = [[ local get = vb.command { "GET", vb.key "x" } ]]

  it("--duration ends a phase that gives no end", function()
    local one = phase { vbench.one_phase(plain, "run = get"), "--duration", "300ms" }
    assert.is_true(one.duration_s > 0.25 and one.duration_s < 0.7, one.duration_s)
    one = phase { "-t", "get", "--duration", "0.3s" }
    assert.is_true(one.duration_s > 0.25 and one.duration_s < 0.7, one.duration_s)
  end)

  it("--warmup is before what is counted", function()
    local one, run = phase { "-t", "get", "-n", 50, "--warmup", "400ms" }
    assert.equal(50, one.requests)
    assert.is_true(run.seconds > 0.4)
  end)

  it("--requests has a default of 100000", function()
    assert.equal(100000, phase({ "-t", "get", "-P", 32 }).requests)
  end)

  it("-P and -c have effect on what is in flight", function()
    local one = phase { "-t", "get", "-n", 4000, "-c", 3, "-P", 7 }
    assert.same({ 3, 7 }, { one.clients, one.pipeline })
  end)

  it("--threads 0 is the default", function()
    assert.is_true(phase({ "-t", "get", "-n", 100, "--threads", 0 }).threads >= 1)
  end)

  it("--timeout closes a connection that waits too long", function()
    local fake = servers.fake("delay", { ms = 700 })
    local run = vbench.report { "-p", fake.port, "-t", "set", "-n", 2, "-c", 1, "--timeout",
      "200ms" }
    assert.equal(4, run.code, run.all)
    assert.is_true(run.json.phases[1].timeouts >= 1)
    run = vbench.report { "-p", fake.port, "-t", "set", "-n", 2, "-c", 1, "--timeout", "5s" }
    fake:stop()
    assert.equal(0, run.code, run.all)
  end)

  it("--phases and --skip run part of a scenario", function()
    local path = vbench.scenario(plain .. [[
      local function p(name) return vb.phase { name = name, run = get, requests = 10 } end
      return vb.scenario { phases = { p "a", p "b", p "c" } } ]])
    local function names(...)
      local _, run = phase { path, ... }
      local list = {}
      for i, one in ipairs(run.json.phases) do list[i] = one.name end
      return table.concat(list)
    end
    assert.equal("abc", names())
    assert.equal("ac", names("--phases", "a,c"))
    assert.equal("bc", names("--skip", "a"))
  end)

  it("--threshold judges every phase", function()
    local run = vbench.report { "-p", server.port, "-t", "get", "-n", 100, "--threshold", "qps < 1",
      "--threshold", "errors == 0" }
    assert.equal(3, run.code, run.all)
    assert.equal(2, #run.json.phases[1].thresholds)
    run = vbench.run { "-p", server.port, "-t", "get", "-n", 100, "--threshold", "qsp < 1" }
    assert.equal(2, run.code, run.all)
    assert.matches("qps", run.err)
  end)

  it("--seed is printed, and has a fixed default", function()
    local _, a = phase { "-t", "get", "-n", 10 }
    local _, b = phase { "-t", "get", "-n", 10 }
    assert.equal(a.json.seed, b.json.seed)
    local shown = vbench.run { "-p", server.port, vbench.one_phase(plain, "run = get"), "-n", 10,
      "--seed", 987654 }
    assert.matches("987654", shown.out, 1, true)
  end)

  it("--config reads what --save-config wrote, without secrets and hosts", function()
    local file = vbench.path("config.yaml")
    phase { "-t", "set", "-n", 77, "-d", 21, "-c", 3, "--save-config", file, "--user", "default" }
    local text = process.read(file)
    assert.matches("77", text)
    assert.not_matches(tostring(server.port), text)
    server:clean()
    local one = vbench.phase { "--config", file, "-p", server.port }
    assert.equal(77, one.requests)
    assert.equal(3, one.clients)
    assert.equal(21, server:call("STRLEN", server:call("KEYS", "*")[1]))
    one = vbench.phase { "--config", file, "-p", server.port, "-n", 11 }
    assert.equal(11, one.requests)
  end)

  it("--config names the file and the line of a mistake", function()
    local file = process.write(vbench.path("bad.yaml"), "clients: 3\nrequets: 5\n")
    local run = vbench.run { "--config", file, "-p", server.port, "-t", "get" }
    assert.equal(2, run.code, run.all)
    assert.matches(file, run.err, 1, true)
    assert.matches("requests", run.err, 1, true)
  end)

  it("VBENCH_OPTS is options before those of the command line", function()
    local one = vbench.phase { "-t", "get", "-n", 33, env = {
      VBENCH_OPTS = "-p " .. server.port .. " -c 4 -n 99" } }
    assert.same({ 4, 33 }, { one.clients, one.requests })
  end)

  it("-v says more", function()
    local quiet = vbench.run { "-p", server.port, "-t", "get", "-n", 10, "--no-baseline" }
    local loud = vbench.run { "-p", server.port, "-t", "get", "-n", 10, "--no-baseline", "-v" }
    assert.equal(0, loud.code, loud.all)
    assert.is_true(#loud.all > #quiet.all)
  end)

  it("--assume stands for a server in check", function()
    local path = vbench.scenario [[
      local get = vb.command { "GET", vb.key(vb.server.name or "none") }
      return vb.scenario { phases = { vb.phase { name = "a", run = get } } } ]]
    local none = vbench.run { "check", path, "--assume", "none" }
    local redis = vbench.run { "check", path, "--assume", "redis8" }
    assert.equal(0, none.code, none.all)
    assert.equal(0, redis.code, redis.all)
    assert.not_equal(none.out, redis.out)
    assert.equal(2, vbench.run({ "check", path, "--assume", "redis99" }).code)
  end)

  it("--hook-timeout is how long a hook may take", function()
    local path = vbench.one_phase([[ local get = vb.command { "GET", vb.key "x",
      on_reply = function(_, req)
      if req.n == 5 then
        local from = os.clock()
        while os.clock() - from < 0.8 do end
      end
    end } ]], "run = get, requests = 10, clients = 1")
    local short = vbench.run { path, "-p", server.port, "--hook-timeout", "200ms", "--no-baseline" }
    assert.equal(2, short.code, short.all)
    local long = vbench.run { path, "-p", server.port, "--hook-timeout", "15s", "--no-baseline" }
    assert.equal(0, long.code, long.all)
  end)

  it("--search and --enable-placeholders change nothing and say so", function()
    local run = vbench.run { "-p", server.port, "-t", "get", "-n", 10, "--enable-placeholders",
      "--search" }
    assert.equal(0, run.code, run.all)
    assert.matches("--enable-placeholders", run.err, 1, true)
  end)
end)
