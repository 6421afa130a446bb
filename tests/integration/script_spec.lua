-- Mistakes in a script: each is `file:line: message`, with a hint where there is a likely one, exit
-- code 2, and nothing sent to the server.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a mistake in a script", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)

  -- Runs a scenario that is to fail with exit code 2 and these words.
  local function fails(text, ...)
    local path = text:find("^/") and text or vbench.scenario(text)
    local run = vbench.run { path, "-p", server.port, "-n", 1000, "--no-baseline",
      "--hook-timeout", "600ms" }
    assert.equal(2, run.code, run.all)
    for i = 1, select("#", ...) do
      assert.matches((select(i, ...)), run.err, 1, true)
    end
    return run, path
  end

  local function phase_of(declarations, fields)
    return declarations .. ' return vb.scenario { phases = { vb.phase { name = "fill", ' ..
      fields .. " } } }"
  end

  local set = 'local set = vb.command { "SET", vb.key "x", "y" } '

  it("of syntax names file and line", function()
    local _, path = fails("\nlocal x = = 3", "unexpected symbol near '='")
    local run = vbench.run { path, "-p", server.port }
    assert.matches(path .. ":2:", run.err, 1, true)
    run = vbench.run { "check", path }
    assert.equal(2, run.code)
    assert.matches(path .. ":2:", run.err, 1, true)
  end)

  it("in a field's name gives the nearest", function()
    local _, path = fails("\n" .. phase_of(set, "run = set, request = 10"),
      "unknown field 'request' in phase 'fill'; did you mean 'requests'?")
    local run = vbench.run { path, "-p", server.port }
    assert.matches(path .. ":2:", run.err, 1, true)
  end)

  it("in a field of a command, a keyspace, a generator, the scenario", function()
    fails('vb.command { "SET", vb.key "x", "y", on_repy = print }', "on_repy", "on_reply")
    fails('vb.keyspace { prefx = "a:", size = 1 }', "prefx", "prefix")
    fails('vb.int { min = 1, mx = 2 }', "mx", "max")
    fails('return vb.scenario { phase = {} }', "phase", "phases")
    fails('vb.bytes(10, { compresible = 1 })', "compresible", "compressible")
  end)

  it("in a function's name gives the nearest", function()
    fails('vb.comand { "GET", "x" }', "comand", "command")
    fails('vb.keyspace { prefix = "a:", size = 5 }:unifrom()', "unifrom", "uniform")
  end)

  it("that leaves a nil among the arguments", function()
    local run = fails('local nothing\nvb.command { "SET", vb.key "x", nothing, "y" }', "nil")
    assert.matches("scenario.lua:2:", run.err, 1, true)
  end)

  it("in a hook that raises names hook, command and line", function()
    local run = fails(phase_of(
      'local get = vb.command { "GET", vb.key "x", name = "look", on_reply = function(reply)\n' ..
      'error("cannot bear it") end } ', "run = get"),
      "cannot bear it", "look", "on_reply", "scenario.lua:2:")
    assert.matches("traceback", run.err)
  end)

  it("in an argument function that raises", function()
    fails(phase_of('local c = vb.command { "SET", vb.key "x", function(req)\n' ..
      'return req.nothing.at_all end } ', "run = c"), "scenario.lua:2:", "set")
  end)

  it("in an argument function that gives no value", function()
    fails(phase_of('local c = vb.command { "SET", vb.key "x", function() return nil end } ',
      "run = c"), "set", "nil")
  end)

  for _, how in ipairs { "compiled", "interpreted" } do
    it("in a hook that loops for ever, " .. how .. ", ends the run with reports", function()
      local path = vbench.one_phase(
        (how == "interpreted" and 'require("jit").off(true, true) jit.off() ' or "") ..
        [[local get = vb.command { "GET", vb.key "x", name = "stuck", on_reply = function(reply,
          req)
            if req.thread == 0 and req.n >= 500 then local i = 0 while true do i = i + 1 end end
          end } ]], "run = get, clients = 4, requests = 2000000000")
      local run = vbench.report { path, "-p", server.port, "--threads", 2, "--hook-timeout",
        "600ms" }
      assert.equal(2, run.code, run.all)
      assert.matches("stuck", run.err, 1, true)
      assert.matches("on_reply", run.err, 1, true)
      assert.is_true(run.seconds < 6 * vbench.slowness, run.seconds)
      assert.is_table(run.json)
      assert.equal(2, run.json.exit_code)
      assert.equal("failed", run.json.status)
      assert.is_true(run.json.phases[1].requests > 0)
    end)
  end

  it("that declares differently in two states shows both", function()
    local run = fails([[
      local place = debug.getinfo(1, "S").source:match("^@(.*)/") .. "/count"
      local file = io.open(place, "a+")
      file:write("x")
      file:close()
      local size = #io.open(place):read("*a")
      local set = vb.command { "SET", vb.key "x", ("y"):rep(size) }
      return vb.scenario { phases = { vb.phase { name = "a", run = set } } } ]])
    assert.matches('"?y"?', run.err)
    assert.matches("yy", run.err)
    assert.matches("set", run.err)
  end)

  it("that gives two commands one name", function()
    fails(set .. '\nvb.command { "SET", vb.key "z", "y" }', "'set'", "scenario.lua:2:", "name")
  end)

  it("that takes a general option's name says what to use", function()
    fails('vb.options { clients = { "int", default = 3 } }', "clients", "vb.args.clients")
  end)

  it("that requires what is not there", function()
    fails('local other = require "no.such.library"', "no.such.library", "scenario.lua:1:")
  end)

  it("that ends without a scenario", function() fails("return 3", "scenario") end)

  it("that runs at load", function()
    fails([[ vb.scenario { main = function() end }
      local p = vb.phase { name = "a", run = vb.command { "GET", vb.key "x" } }
      p:run() ]], "run")
  end)

  it("that declares after load says so", function()
    fails([[ return vb.scenario { main = function(run)
      vb.command { "GET", vb.key "late" }
    end } ]], "load")
  end)

  it("in setup is told with its line", function()
    fails([[ return vb.scenario { setup = function(ctl)
      local x = nil + 1
    end, phases = { vb.phase { name = "a", run = vb.command { "GET", vb.key "x" } } } } ]],
      "scenario.lua:2:")
  end)

  it("of a server in setup is exit code 1", function()
    local path = vbench.scenario(phase_of(set, "run = set") .. ""):gsub("", "")
    process.write(path, [[ local vb = require "vbench"
      local get = vb.command { "GET", vb.key "x" }
      return vb.scenario { setup = function(ctl) ctl:call("NOSUCHCOMMAND", "a") end,
        phases = { vb.phase { name = "a", run = get } } } ]])
    local run = vbench.run { path, "-p", server.port, "--no-baseline" }
    assert.equal(1, run.code, run.all)
    assert.matches("NOSUCHCOMMAND", run.err)
    assert.matches("unknown command", run.err)
  end)

  it("in a threshold names the nearest metric at load", function()
    fails(phase_of(set, 'run = set, thresholds = { "p98_ms < 2" }'), "p98_ms", "did you mean 'p9")
  end)

  it("in the type of a field says what it takes", function()
    fails(phase_of(set, 'run = set, clients = "many"'), "clients", "many")
    fails(phase_of(set, 'run = set, duration = "3 parsecs"'), "duration", "3 parsecs")
    fails(phase_of(set, "run = 7"), "run")
  end)

  it("sends nothing to the server", function()
    server:clean()
    fails(phase_of(set, "run = set, request = 10"), "request")
    assert.equal(0, server:call("DBSIZE"))
  end)

  it("in a script that is not there", function()
    local run = vbench.run { "/nonexistent/x.lua" }
    assert.equal(2, run.code, run.all)
    assert.matches("/nonexistent/x.lua", run.err, 1, true)
    run = vbench.run { "quickstrat", "-p", server.port }
    assert.equal(2, run.code, run.all)
    assert.matches("quickstart", run.err)
  end)

  it("is found by check without a server", function()
    local path = vbench.scenario(phase_of(set, "run = set, request = 10"))
    local run = vbench.run { "check", path }
    assert.equal(2, run.code, run.all)
    assert.matches("did you mean 'requests'?", run.err, 1, true)
  end)

  it("that only a phase brings to light is told alike by check and by a run", function()
    local path = vbench.scenario(phase_of(
      'local set = vb.command { "SET", vb.key "x", vb.id() } ', "run = set"))
    local checked, run = vbench.run { "check", path }, vbench.run { path, "-p", server.port }
    assert.equal(2, checked.code, checked.all)
    assert.matches("command 'set': a value needs an id", checked.err, 1, true)
    assert.not_matches("traceback", checked.err, 1, true)
    assert.same({ run.code, run.err }, { checked.code, checked.err })
  end)
end)
