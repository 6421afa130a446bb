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

  describe("with a threshold that can never have a value is refused before it begins:", function()
    local body = [[
      local get = vb.command { "GET", vb.key "x" }
      local take = vb.command { "BLPOP", vb.key "l", 1 }
      local hit = vb.command { "GET", vb.key "x", reply = vb.hits(), name = "hit" }
      local set = vb.command { "SET", vb.key "x", vb.stamp() }
      local age = vb.command { "GET", vb.key "x", reply = vb.age(), name = "age" }
      local both = vb.transaction { set, get, name = "both" }
      local hear = vb.subscriber { channels = { "c" } }
      local flow = vb.flow("flow", function(c) c:call(hit) end) ]]
    local cases = {
      { "get", "response_p99_ms", "response times are of an open loop" },
      { "get", "get.response_p99_ms", "response times are of an open loop" },
      { "get", "hit_rate", "hits are counted by vb.hits()" },
      { "get", "misses", "hits are counted by vb.hits()" },
      { "get", "wait_p50_ms", "waits are of commands that block" },
      { "get", "age_max_ms", "ages are of replies with vb.age()" },
      { "get", "recall", "no reply is compared with true neighbours" },
      { "get", "invalidations", "invalidations are counted with --enable-tracking" },
      { "take", "p99_ms", "times are of requests, and this waits for what comes" },
      { "hear", "mean_us", "times are of requests, and this waits for what comes" },
      { "both", "get.p99_ms", "the commands of a transaction are timed as one" },
    }
    for _, case in ipairs(cases) do
      it(case[2] .. " of " .. case[1], function()
        for _, action in ipairs { {}, { "check" } } do
          action[#action + 1] = vbench.one_phase(body,
            ('run = %s, requests = 1, thresholds = { "%s < 1" }'):format(case[1], case[2]))
          local result = vbench.run { "-p", server.port, unpack(action) }
          assert.equal(2, result.code, result.all)
          assert.matches(("phase 'one': threshold '%s < 1' can never have a value: %s"):format(
            case[2], case[3]), result.err, 1, true)
        end
      end)
    end

    it("but not one that the phase may have", function()
      for _, case in ipairs { { "get", "p99_ms", "" }, { "get", "response_p99_ms", "rate = 100," },
        { "hit", "hit_rate", "" }, { "take", "wait_max_ms", "" }, { "age", "age_p99_ms", "" },
        { "both", "p99_ms", "" }, { "both", "both.p99_ms", "" }, { "flow", "flow.p50_ms", "" },
        { "flow", "hit_rate", "" }, { "flow", "get.p99_ms", "" }, } do
        local result = vbench.run { "check", vbench.one_phase(body,
          ('run = %s, requests = 1, %s thresholds = { "%s < 1" }'):format(case[1], case[3],
            case[2])) }
        assert.equal(0, result.code, result.all)
      end
    end)
  end)

  it("is not met without a value at its end, and says so", function()
    local result = report([[ local wrong = vb.command { "INCR", vb.key "x", "y" } ]],
      'run = wrong, requests = 5, thresholds = { "p99_ms < 1000" }', "--max-errors", "100%")
    assert.matches("NOT MET  p99_ms < 1000  (no value)", result.out, 1, true)
    assert.is_false(result.json.phases[1].thresholds[1].ok)
    assert.not_equal(0, result.code)
  end)

  -- A scenario that runs until its server has been treated so, with two seconds to go on for.
  local function while_it_runs(own, treat, ...)
    local file = vbench.path("judged.json")
    local run = vbench.start { vbench.one_phase([[ local get = vb.command { "GET", vb.key "x" } ]],
      ('run = get, duration = "%ds"'):format(1 + vbench.slowness)), "-p", own.port, "-c", 4,
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
      result = vbench.run { vbench.one_phase([[ local get = vb.command { "GET", vb.key "x" }
        local stop = vb.flow("stop", function(c) c:stop("enough") end) ]],
        'run = stop, duration = "100ms"'), "-p", server.port }
      assert.equal(0, result.code, result.all)
    end)
  end)
end)
