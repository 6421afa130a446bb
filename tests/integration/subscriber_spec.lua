-- vb.subscriber: channels, patterns and sharded channels; its messages are its operations.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a subscriber", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function start(declarations, fields, ...)
    return vbench.start { vbench.one_phase(declarations, fields), "-p", server.port, ... }
  end

  local function run(declarations, fields, ...)
    return vbench.report { vbench.one_phase(declarations, fields), "-p", server.port, ... }
  end

  local NEWS = [[
    local publish = vb.command { "PUBLISH", "news", vb.stamp() }
    local sub = vb.subscriber { channels = { "news" }, reply = vb.age() }
    local readers = vb.phase { name = "readers", run = sub, clients = 3 } ]]

  it("gets every message of the publisher that it runs beside, in RESP2 and RESP3", function()
    for _, resp in ipairs { "-v", "-3" } do
      for _, threads in ipairs { 1, 2 } do
        local report = run(NEWS, "run = publish, clients = 2, requests = 500, background = readers",
          "--threads", threads, resp)
        assert.equal(0, report.code, report.all)
        local readers = report.json.phases[2]
        assert.equal(1500, readers.operations)
        assert.equal(1500, readers.requests)
        assert.equal(1500, readers.age_us.count)
        assert.equal(0, readers.errors)
        assert.equal(0, readers.reconnects)
        assert.is_true(readers.age_us.p50 > 1 and readers.age_us.p50 < 1e6, readers.age_us.p50)
        assert.is_true(readers.bytes_received > 1500 * 40)
        assert.equal("subscribe", readers.commands[1].name)
      end
    end
    assert.equal(0, #server:call("PUBSUB", "CHANNELS"))
  end)

  it("is there before its publisher begins: no message is lost at either end", function()
    local report = run(NEWS, "run = publish, clients = 1, requests = 1, background = readers")
    assert.equal(0, report.code, report.all)
    assert.equal(3, report.json.phases[2].requests)
  end)

  it("takes patterns and sharded channels", function()
    local report = run([[
      local publish = vb.command { "PUBLISH", "news.sport", "x" }
      local sub = vb.subscriber { patterns = { "news.*", "other.*" } }
      local readers = vb.phase { name = "readers", run = sub, clients = 2 } ]],
      "run = publish, clients = 1, requests = 100, background = readers", "--threads", 1)
    assert.equal(0, report.code, report.all)
    assert.equal(200, report.json.phases[2].requests)
    assert.equal("psubscribe", report.json.phases[2].commands[1].name)
    local monitor = server:monitor()
    report = run([[
      local publish = vb.command { "SPUBLISH", vb.key "shard", vb.stamp() }
      local sub = vb.subscriber { sharded = { "shard" }, reply = vb.age(), name = "shards" }
      local readers = vb.phase { name = "readers", run = sub, clients = 2 } ]],
      "run = publish, clients = 1, requests = 100, background = readers", "--threads", 1, "-3")
    assert.equal(0, report.code, report.all)
    assert.equal(200, report.json.phases[2].age_us.count)
    assert.equal("shards", report.json.phases[2].commands[1].name)
    assert.same({ "SSUBSCRIBE", "shard" }, { unpack(monitor:finish("ssubscribe")[1]) })
  end)

  it("gives each client its channel when a cursor draws it", function()
    local report = run([[
      local rooms = vb.keyspace { prefix = "room:", size = 4, width = 0 }
      local publish = vb.command { "PUBLISH", rooms:sequential():wrap(), vb.id() }
      local seen = vb.metric { name = "wrong", kind = "counter" }
      local sub = vb.subscriber { channels = { rooms:sequential(), "all" },
        on_reply = function(reply, req)
          if reply[2].string ~= "room:" .. req.id then seen:add(1) end
          if reply[3].string ~= "" .. req.id then seen:add(1) end
        end }
      local readers = vb.phase { name = "readers", run = sub, clients = 4 } ]],
      "run = publish, clients = 2, requests = 400, background = readers", "--threads", 2)
    assert.equal(0, report.code, report.all)
    assert.equal(400, report.json.phases[2].requests)
    assert.equal(0, report.json.phases[1].metrics.wrong.count)
    report = run([[
      local rooms = vb.keyspace { prefix = "room:", size = 4 }
      local sub = vb.subscriber { channels = { rooms:sequential() } } ]],
      "run = sub, clients = 5, requests = 1", "--threads", 1)
    assert.equal(2, report.code)
    assert.matches("the cursor of subscriber 'subscribe' ends before client 5", report.err, 1, true)
  end)

  it("ends by messages, exactly, with any number of threads", function()
    for _, threads in ipairs { 1, 3 } do
      local report = run([[
        local publish = vb.command { "PUBLISH", "news", "x" }
        local sub = vb.subscriber { channels = { "news" } }
        local writer = vb.phase { name = "writer", run = publish, clients = 3 } ]],
        "run = sub, clients = 3, requests = 1000, background = writer", "--threads", threads)
      assert.equal(0, report.code, report.all)
      assert.equal(1000, report.json.phases[1].operations)
      assert.is_true(report.seconds < 5)
    end
  end)

  it("ends by time, and counts nothing of the warm-up", function()
    local report = run([[
      local publish = vb.command { "PUBLISH", "news", vb.stamp() }
      local sub = vb.subscriber { channels = { "news" }, reply = vb.age() }
      local writer = vb.phase { name = "writer", run = publish, clients = 1 } ]],
      'run = sub, clients = 1, warmup = "300ms", duration = "1200ms", background = writer',
      "--threads", 1)
    assert.equal(0, report.code, report.all)
    local sub, writer = report.json.phases[1], report.json.phases[2]
    assert.is_true(sub.requests > 100 and sub.requests < writer.requests)
    assert.equal(sub.requests, sub.age_us.count)
    assert.near(1.2, sub.duration_s, 0.15)
    assert.near(sub.requests / sub.duration_s, sub.qps, 1)
    assert.is_true(#sub.timeline >= 1 and sub.timeline[1].requests > 0)
  end)

  it("that is killed connects and subscribes again, and is counted", function()
    for _, resp in ipairs { "-v", "-3" } do
      local json = vbench.path("killed.json")
      local one = start([[local sub = vb.subscriber { channels = { "news" }, reply = vb.age() } ]],
        "run = sub, clients = 2, requests = 6", "--threads", 1, "--no-baseline", "--json", json,
        resp)
      local function readers(count)
        process.wait_for(5, "subscribers", function()
          return server:call("PUBSUB", "NUMSUB", "news")[2] == count
        end)
      end
      readers(2)
      process.sleep(0.2)
      server:call("PUBLISH", "news", "a")
      local id = server:call("CLIENT", "LIST", "TYPE", "pubsub"):match("id=(%d+)")
      server:call("CLIENT", "KILL", "ID", id)
      readers(2)
      server:call("PUBLISH", "news", "b")
      server:call("PUBLISH", "news", "c")
      one:wait()
      assert.equal(0, one.code, one.all)
      local phase = vbench.decode(process.read(json)).phases[1]
      assert.equal(6, phase.operations)
      assert.equal(1, phase.reconnects)
      assert.equal(1, phase.connection_errors)
      assert.equal(0, phase.errors)
      assert.matches("1 connection error, 1 reconnect", one.out)
    end
  end)

  it("that the server refuses ends the run", function()
    local closed = servers.start { acl = { { "default", "resetchannels" } } }
    local report = vbench.report { vbench.one_phase(
      'local sub = vb.subscriber { channels = { "news" } }',
      "run = sub, clients = 2, requests = 1"),
      "-p", closed.port, "--threads", 1 }
    closed:stop()
    assert.equal(1, report.code)
    assert.matches("subscriber 'subscribe' is refused: NOPERM", report.err, 1, true)
  end)

  it("is named by a command that would subscribe", function()
    local report = run('local s = vb.command { "SUBSCRIBE", "news" }', "run = s, requests = 1")
    assert.equal(2, report.code)
    assert.matches("scenario.lua:1: command 'subscribe': after SUBSCRIBE replies are no " ..
      "longer one for each request; a command cannot do this; a client that gets messages is " ..
      "vb.subscriber", report.err, 1, true)
  end)

  it("tells mistakes with their line", function()
    local mistakes = {
      ["vb.subscriber {}"] = "vb.subscriber has no channels",
      ['vb.subscriber { channels = {} }'] = "vb.subscriber has no channels",
      ['vb.subscriber { channels = { "a" }, patterns = { "b" } }'] =
        "vb.subscriber has more than one of channels, patterns and sharded",
      ['vb.subscriber { channel = { "a" } }'] =
        "unknown field 'channel' in vb.subscriber; did you mean 'channels'?",
      ['vb.subscriber { channels = { "a" }, reply = vb.hits() }'] =
        "reply of vb.subscriber is vb.hits; of a message it takes vb.age()",
      ['vb.mix { { 1, vb.subscriber { channels = { "a" } } } }'] =
        "entry 1 of vb.mix is a subscriber",
    }
    for text, message in pairs(mistakes) do
      local report = run("local s = " .. text, "run = s, requests = 1")
      assert.equal(2, report.code)
      assert.matches("scenario.lua:1: " .. message, report.err, 1, true)
    end
    local sub = 'local s = vb.subscriber { channels = { "a" } }'
    local report = run(sub, "run = s, requests = 1, pipeline = 2")
    assert.equal(2, report.code)
    assert.matches("phase 'one' runs a subscriber: its pipeline is 1, not 2", report.err, 1, true)
    report = run(sub, 'run = s, duration = "1s", rate = 100')
    assert.equal(2, report.code)
    assert.matches("phase 'one' runs a subscriber: it has no rate", report.err, 1, true)
  end)

  it("is shown by vbench check as it is sent", function()
    local run_ = vbench.run { "check", vbench.one_phase(
      'local s = vb.subscriber { channels = { "news", "sport" } }', "run = s, requests = 1") }
    assert.equal(0, run_.code, run_.all)
    assert.matches("SUBSCRIBE news sport", run_.out, 1, true)
  end)

  it("leaves connections to the next phase as they should be", function()
    local path = vbench.scenario [[
      local publish = vb.command { "PUBLISH", "news", "x" }
      local sub = vb.subscriber { channels = { "news" } }
      local readers = vb.phase { name = "readers", run = sub, clients = 2 }
      local get = vb.command { "GET", vb.key "a" }
      local gets = vb.phase { name = "gets", run = get, clients = 2 }
      local function write(name, beside)
        return vb.phase { name = name, run = publish, clients = 2, requests = 50,
                          background = beside }
      end
      return vb.scenario { description = "a test", phases = { write("a", gets),
        write("b", readers), write("c", gets), write("d", readers) } }]]
    local report = vbench.report { path, "-p", server.port, "--threads", 1 }
    assert.equal(0, report.code, report.all)
    assert.equal(100, report.json.phases[4].requests)
    assert.equal(100, report.json.phases[8].requests)
    for _, phase in ipairs(report.json.phases) do
      assert.equal(0, phase.errors)
      assert.equal(0, phase.connection_errors)
    end
  end)
end)
