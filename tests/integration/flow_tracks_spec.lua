-- Flows whose commands claim, track and draw existing keys: what the tracker knows is what the
-- server has, also where connections are cut in the middle of their runs.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a flow over a keyspace that knows its keys", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local HEAD = [[
    local keys = vb.keyspace { prefix = "k:", size = 4000 }
    local list = vb.keyspace { prefix = "l:", size = 1500 }
    local set = vb.command { "SET", keys:claim(), "v", tracks = "add" }
    local incr = vb.command { "INCR", keys:claim(), name = "incr", tracks = "add" }
    local get = vb.command { "GET", keys:existing(), reply = vb.hits() }
    local again = vb.command { "GET", keys:current(), name = "again", reply = vb.hits() }
    local del = vb.command { "DEL", keys:existing(), tracks = "remove", name = "del" }
    local drop = vb.command { "DEL", keys:current(), tracks = "remove", name = "drop" }
    local clean = vb.command { "DEL", list:claim(), name = "clean" }
    local push = vb.command { "RPUSH", list:current(), 1, 2, 3, tracks = "add",
      idempotent = true } -- behind DEL
    local wrong = vb.command { "LPUSH", keys:claim(), name = "wrong", tracks = "add" }
  ]]

  local function run(text, ...)
    local done = vbench.report { vbench.scenario(HEAD .. text .. [[
      return vb.scenario {
        phases = phases,
        teardown = function(ctl)
          print("end", keys:count(), list:count(), ctl:call("DBSIZE"), #keys:unknown())
        end,
      } ]]), "-p", server.port, "-c", 12, "--threads", 3, "--max-errors", "100%", ... }
    assert(done.json, done.all)
    local named = {}
    for _, one in ipairs(done.json.phases) do named[one.name] = one end
    return named, done
  end

  it("claims each id once, and repeats it, in calls and between MULTI and EXEC", function()
    local named, done = run [[
      local one = vb.flow("one", function(c)
        assert(c:call(incr).integer == 1)
        assert(c:call(again).string == "1")
        local r = c:exec { { incr }, { again }, { again } }
        assert(r[1].integer == 1 and r[2].string == "1" and r[3].string == "1")
      end)
      local two = vb.flow("two", function(c) c:exec { { clean }, { push } } end)
      local phases = { vb.phase { name = "one", run = one, requests = 2000 },
        vb.phase { name = "two", run = two, until_exhausted = true } } ]]
    assert.equal(0, done.code, done.all)
    assert.matches("end\t4000\t1500\t5500\t0\n", done.out, 1, true, done.all)
    assert.equal(6000, named.one.hits)
    assert.equal(0, named.one.misses)
  end)

  it("has ids again whose call failed, and deletes what it draws", function()
    local named, done = run [[
      local bad = vb.flow("bad", function(c) assert(c:call(wrong).error) end)
      local fill = vb.flow("fill", function(c) c:call(set) end)
      local thin = vb.flow("thin", function(c)
        c:call(get)
        c:call(drop)
        c:exec { { del }, { del } }
      end)
      local void = vb.flow("void", function(c) assert(c:exec { { del }, { wrong } }.error) end)
      local phases = { vb.phase { name = "bad", run = bad, requests = 500 },
        vb.phase { name = "fill", run = fill, until_exhausted = true },
        vb.phase { name = "void", run = void, requests = 50 },
        vb.phase { name = "thin", run = thin, requests = 600 } } ]]
    assert.equal(500, named.bad.errors)
    assert.equal(4000, named.fill.requests)
    local count, size, unknown = done.out:match("end\t(%d+)\t0\t(%d+)\t(%d+)\n")
    assert.same({ count, "0" }, { size, unknown }, done.all)
    assert.is_true(tonumber(count) >= 2200 and tonumber(count) < 2300, count)
    assert.equal(0, named.thin.misses)
  end)

  it("agrees with the server after its connections were cut", function()
    local script = vbench.scenario(HEAD .. [[
      local look = vb.command { "GET", keys:existing(), name = "look" }
      local both = vb.flow("both", function(c)
        c:call(set)
        c:call(look)
        c:exec { { clean }, { push } }
        c:call(set)
      end)
      local fill = vb.flow("fill", function(c) c:call(set) c:call(again) end)
      return vb.scenario {
        phases = { vb.phase { name = "both", run = both, requests = 700, retry = 100 },
          vb.phase { name = "fill", run = fill, until_exhausted = true, retry = 100 } },
        teardown = function(ctl)
          print("end", keys:count(), list:count(), ctl:call("DBSIZE"), #keys:unknown())
        end,
      } ]])
    local load = vbench.start { script, "-p", server.port, "-c", 12, "--threads", 2,
      "--no-baseline", "-q", "--timeout", "5s", "--max-errors", "100%", timeout = 100 }
    local kills = 0
    while load.process:running() do
      for id, word in server:call("CLIENT", "LIST"):gmatch("id=(%d+) [^\n]-cmd=(%a+)") do
        local busy = word == "set" or word == "get" or word == "exec"
        if busy then kills = kills + server:call("CLIENT", "KILL", "ID", id) end
      end
      process.sleep(0.02)
    end
    assert.is_true(kills > 20, kills)
    load:wait()
    local lists, size, unknown = load.out:match("end\t4000\t(%d+)\t(%d+)\t(%d+)\n")
    assert.equal("0", unknown, load.all)
    assert.same({ "700", "4700" }, { lists, size }, load.all)
    local whole = 0
    for id = 0, 1499 do
      if server:call("LLEN", ("l:%012d"):format(id)) == 3 then whole = whole + 1 end
    end
    assert.equal(700, whole)
  end)
end)
