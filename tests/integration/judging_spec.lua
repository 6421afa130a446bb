-- What a run comes to: phases that did nothing, servers that are gone at the end, thresholds
-- without a value. The exit code and the report say so.
local json = require "cjson"
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a run", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function report(body, phase, ...)
    return vbench.report { vbench.one_phase(body, phase), "-p", server.port, "-c", 2, ... }
  end

  -- A scenario that runs until its server has been treated so, with two seconds to go on for.
  local function while_it_runs(own, treat, ...)
    local file = vbench.path("judged.json")
    local run = vbench.start { vbench.one_phase([[ local get = vb.command { "GET", vb.key "x" } ]],
      'run = get, duration = "' .. 2 * vbench.slowness .. 's"'), "-p", own.port, "-c", 4,
      "--connect-timeout", "1m", "--no-baseline", "--json", file, ... }
    process.wait_for(10 * vbench.slowness, "connections", function()
      return select(2, own:call("CLIENT", "LIST"):gsub("cmd=get ", "")) == 4
    end)
    treat(own)
    run:wait()
    return run, json.decode(process.read(file))
  end

  it("at whose end the server is gone has lost connections, and fails", function()
    local own = servers.start()
    local run, report_of = while_it_runs(own, function() own:stop() end)
    assert.equal(1, run.code, run.all)
    assert.same({ "failed", "failed", 4 }, { report_of.status, report_of.phases[1].status,
                                             report_of.phases[1].lost_connections })
    assert.matches("4 connections lost at the end", run.all, 1, true)
    assert.matches("phase 'one' ended with 4 lost connections: ", run.err, 1, true)
    assert.matches("127.0.0.1:" .. own.port, run.err, 1, true)
  end)

  it("at whose end a server that answers has no room says so and is well", function()
    local own = servers.start()
    local run, report_of = while_it_runs(own, function()
      own:call("CONFIG", "SET", "maxclients", "3")
      for id in own:call("CLIENT", "LIST"):gmatch("id=(%d+) [^\n]*cmd=get ") do
        own:call("CLIENT", "KILL", "ID", id)
      end
    end)
    own:stop()
    assert.equal(0, run.code, run.all)
    local lost = report_of.phases[1].lost_connections
    assert.is_true(lost >= 1 and lost <= 4, lost)
    assert.matches("lost at the end", run.all, 1, true)
  end)

  describe("that did nothing", function()
    local function expect_nothing(why, body, phase)
      local result = report(body, phase)
      assert.equal(4, result.code, result.all)
      assert.equal("failed", result.json.status)
      assert.matches("phase 'one' did nothing: " .. why .. " within ", result.err, 1, true)
      assert.matches("no request of phase 'one' succeeded", result.all, 1, true)
    end

    it("though a message, a push or a reply was waited for fails, and says what there was none of",
      function()
        expect_nothing("no message came", [[ local hear = vb.subscriber { channels = { "c" } } ]],
          'run = hear, duration = "100ms"')
        expect_nothing("nothing came that its commands wait for",
          [[ local take = vb.command { "BLPOP", vb.key "l", 0 } ]],
          'run = take, duration = "100ms"')
        expect_nothing("no run of its flow has ended", [[
          local get = vb.command { "GET", vb.key "x" }
          local rest = vb.flow("rest", function(c) c:sleep("1m") c:call(get) end) ]],
          'run = rest, duration = "100ms"')
      end)

    it("in the background fails as well, unless it was to begin later", function()
      local body = [[ local get = vb.command { "GET", vb.key "x" }
        local hear = vb.subscriber { channels = { "c" } } ]]
      local phase = 'run = get, duration = "200ms", background = vb.phase { name = "aside", %s }'
      local result = report(body, phase:format "run = hear")
      assert.equal(4, result.code, result.all)
      assert.matches("phase 'aside' did nothing: no message came", result.err, 1, true)
      result = report(body, phase:format 'run = hear, start = "1m"')
      assert.equal(0, result.code, result.all)
    end)

    it("is well where nothing was asked for, or nothing was there to be drawn", function()
      local result = report([[
        local keys = vb.keyspace { prefix = "none:", size = 10 }
        local get = vb.command { "GET", keys:existing(), tracks = "observe" } ]],
        "run = get, requests = 10")
      assert.equal(0, result.code, result.all)
      assert.matches("no existing key of keyspace 'none:' is left to draw", result.err, 1, true)
      result = report([[ local get = vb.command { "GET", vb.key "x" }
        local stop = vb.flow("stop", function(c) c:stop("enough") end) ]],
        'run = stop, duration = "100ms"')
      assert.equal(0, result.code, result.all)
    end)
  end)
end)
