-- Cursors over existing and missing keys, claims, and what commands do to the tracker: in the
-- server afterwards, and in the report.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a keyspace that knows its keys", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local HEAD = [[
    local keys = vb.keyspace { prefix = "k:", size = vb.args.keyspace }
    local set = vb.command { "SET", keys:claim(), "v", tracks = "add" }
    local get = vb.command { "GET", keys:existing(), reply = vb.hits() }
    local del = vb.command { "DEL", keys:existing(), tracks = "remove", name = "del" }
    local function phase(name, run, fields)
      fields.name, fields.run = name, run
      return vb.phase(fields)
    end
  ]]

  local function run(text, ...)
    local script = vbench.scenario(HEAD .. text)
    return vbench.report { script, "-p", server.port, "-c", 16, "-P", 4, "--threads", 3,
      "-r", 20000, "--max-errors", "100%", ... }
  end

  local function phases(done)
    assert(done.json, done.all)
    local named = {}
    for _, one in ipairs(done.json.phases) do named[one.name] = one end
    return named
  end

  it("is filled once by all threads together, and goes on where it was", function()
    local done = run [[
      return vb.scenario {
        phases = {
          phase("part", set, { requests = 5000 }),
          phase("rest", set, { until_exhausted = true }),
          phase("none", set, { requests = 10 }),
        },
        teardown = function(ctl) print("count", keys:count(), ctl:call("DBSIZE")) end,
      } ]]
    local named = phases(done)
    assert.equal(5000, named.part.requests)
    assert.equal(15000, named.rest.requests)
    assert.equal(0, named.none.operations)
    assert.matches("count\t20000\t20000\n", done.out)
    assert.matches("phase 'none': its cursor ended after 0 of 10 operations; every id of " ..
      "keyspace 'k:' exists or is claimed", done.all, 1, true)
  end)

  it("claims again what was deleted after rounds of claims", function()
    local done = run [[
      local again = vb.command { "SET", keys:claim():wrap(), "v", tracks = "add", name = "again" }
      return vb.scenario {
        phases = {
          phase("rounds", again, { requests = 50000 }),
          phase("delete", del, { requests = 5000 }),
          phase("refill", set, { until_exhausted = true }),
        },
        teardown = function(ctl) print("count", keys:count(), ctl:call("DBSIZE")) end,
      } ]]
    local named = phases(done)
    assert.is_true(named.delete.operations > 0)
    assert.equal(named.delete.operations, named.refill.requests)
    assert.matches("count\t20000\t20000\n", done.out)
  end)

  -- A value of changing length is rendered, others are written in place.
  local VALUES = { ["in place"] = "", rendered = ", 'EX', vb.int { min = 90, max = 110 }" }
  for what, value in pairs(VALUES) do
    it("keeps no claim when the command's other cursor ends, " .. what, function()
      local done = run(([[
        local few = vb.keyspace { prefix = "few:", size = 100 }
        local pair = vb.command { "SET", keys:claim(), few:sequential()%s, tracks = "add",
                                  name = "pair" }
        return vb.scenario {
          phases = {
            phase("pairs", pair, { requests = 1000 }),
            phase("rest", set, { until_exhausted = true }),
          },
          teardown = function(ctl) print("count", keys:count(), ctl:call("DBSIZE")) end,
        } ]]):format(value))
      assert.equal(100, phases(done).pairs.requests)
      assert.matches("count\t20000\t20000\n", done.out)
    end)
  end

  it("draws existing keys that never miss after deletes, and raced ones beside them", function()
    local done = run [[
      return vb.scenario {
        phases = {
          phase("fill", set, { until_exhausted = true }),
          phase("thin", del, { requests = 15000 }),
          phase("read", get, { requests = 20000 }),
          phase("churn", vb.mix { { 2, get }, { 1, del }, { 1, set } }, { requests = 40000 }),
          phase("again", get, { requests = 20000 }),
        },
        teardown = function(ctl) print("count", keys:count() - ctl:call("DBSIZE")) end,
      } ]]
    local named = phases(done)
    for _, name in ipairs { "read", "again" } do
      assert.same({ 20000, 0, 0 }, { named[name].hits, named[name].misses, named[name].raced })
    end
    local churn = named.churn
    assert.equal(0, churn.misses)
    assert.equal(40000, churn.requests)
    assert.equal(churn.commands[1].requests, churn.hits + churn.raced)
    assert.matches("count\t0\n", done.out)
  end)

  it("keeps the hit rate that existing_ratio asks for", function()
    local done = run [[
      local ask = vb.command { "GET", keys:existing_ratio(0.9), reply = vb.hits(), name = "ask" }
      return vb.scenario { phases = {
        phase("fill", set, { requests = 3000 }),
        phase("ask", ask, { requests = 200000 }),
      } } ]]
    local ask = phases(done).ask
    assert.near(0.9, ask.hits / (ask.hits + ask.misses), 0.005)
  end)

  it("ends a phase when nothing exists, and says so", function()
    local done = run [[ return vb.scenario { phases = { phase("read", get, { requests = 5 }) } } ]]
    assert.matches("no existing key of keyspace 'k:' is left to draw", done.all, 1, true)
    assert.equal(0, phases(done).read.requests)
  end)

  it("has claimed ids again when their command failed", function()
    local done = run [[
      local wrong = vb.command { "LPUSH", keys:claim(), name = "wrong", tracks = "add" }
      return vb.scenario {
        phases = {
          phase("wrong", wrong, { requests = 5000 }),
          phase("fill", set, { until_exhausted = true }),
        },
        teardown = function(ctl) print("count", keys:count(), ctl:call("DBSIZE")) end,
      } ]]
    local named = phases(done)
    assert.equal(5000, named.wrong.errors)
    assert.equal(20000, named.fill.requests)
    assert.matches("count\t20000\t20000\n", done.out)
  end)

  it("has keys as before whose delete failed, and never deletes protected ones", function()
    local done = run [[
      local hot = vb.reference_set { name = "hot", range = { 100, 300 } }
      local wrong = vb.command { "GETDEL", keys:existing(), "more", tracks = "remove" }
      return vb.scenario { main = function(run)
        run:phase(phase("fill", set, { until_exhausted = true }))
        run:phase(phase("wrong", wrong, { requests = 1000 }))
        print("failed", keys:count())
        keys:protect(hot)
        run:phase(phase("empty", del, { requests = 60000 }))
        print("kept", keys:count(), hot:coverage(keys).ratio)
      end } ]]
    assert.matches("failed\t20000\n", done.out)
    local kept = tonumber(done.out:match("kept\t(%d+)\t1\n"))
    assert.equal(kept, server:call("DBSIZE"))
    assert.equal(kept, 20000 - phases(done).empty.requests)
    for id = 100, 299 do
      assert.equal(1, server:call("EXISTS", ("k:%012d"):format(id)))
    end
  end)

  it("learns from hits and misses", function()
    for id = 0, 99, 2 do server:call("SET", ("k:%012d"):format(id), "v") end
    local done = run [[
      local look = vb.command { "GET", keys:range(0, 50):sequential(), tracks = "observe",
        name = "look" }
      local many = vb.command { "MGET", keys:range(50, 100):sequential():times(10),
        tracks = "observe" }
      return vb.scenario { main = function(run)
        keys:add_range(0, 200)
        run:phase(phase("look", look, { until_exhausted = true }))
        run:phase(phase("many", many, { until_exhausted = true }))
        print("there", keys:count(0, 50), keys:count(50, 100), keys:count(100, 200))
        print("even", keys:exists(98), keys:exists(99))
      end } ]]
    assert.matches("there\t25\t25\t100\n", done.out)
    assert.matches("even\ttrue\tfalse\n", done.out)
  end)

  it("holds in transactions, sequences, several keys, and current ones", function()
    local done = run [[
      local list = vb.keyspace { prefix = "l:", size = 3000 }
      local make = vb.transaction { name = "make",
        vb.command { "DEL", list:claim(), name = "clean" },
        vb.command { "RPUSH", list:current(), 1, 2, 3, tracks = "add" } }
      local tidy = vb.sequence {
        vb.command { "GET", keys:existing(), name = "peek" },
        vb.command { "DEL", keys:current(), tracks = "remove", name = "drop" } }
      local mset = vb.command { "MSETNX", keys:claim(), 1, keys:claim(), 2, tracks = "add" }
      local mdel = vb.command { "UNLINK", keys:existing():sequential():times(5),
        tracks = "remove" }
      return vb.scenario {
        phases = {
          phase("lists", make, { until_exhausted = true }),
          phase("fill", mset, { until_exhausted = true }),
          phase("tidy", tidy, { requests = 4000 }),
          phase("mdel", mdel, { requests = 1000 }),
        },
        teardown = function(ctl)
          print("lists", list:count(), "keys", keys:count(), "all", ctl:call("DBSIZE"))
        end,
      } ]]
    local named = phases(done)
    assert.equal(3000, named.lists.operations)
    assert.equal(10000, named.fill.requests)
    local keys = tonumber(done.out:match("lists\t3000\tkeys\t(%d+)"))
    assert.equal(3000 + keys, server:call("DBSIZE"))
    assert.is_true(keys >= 11000 and keys < 11100, keys) -- sequences may meet on a key
  end)

  it("counts hits and misses between MULTI and EXEC", function()
    local named = phases(run [[
      local both = vb.transaction { name = "both",
        vb.command { "GET", keys:range(0, 10):sequential(), reply = vb.hits(), name = "one" },
        vb.command { "MGET", keys:current(), "none", keys:current(), reply = vb.hits() } }
      return vb.scenario { phases = {
        phase("fill", set, { requests = 5 }),
        phase("both", both, { requests = 10 }) } } ]])
    assert.same({ 15, 25 }, { named.both.hits, named.both.misses })
  end)

  it("claims the same ids with any number of threads, and in order with one", function()
    local text = [[ return vb.scenario { phases = { phase("fill", set, { requests = 700 }) } } ]]
    for _, threads in ipairs { 1, 2, 8 } do
      server:clean()
      run(text, "--threads", threads)
      assert.equal(700, server:call("DBSIZE"))
      assert.equal(1, server:call("EXISTS", ("k:%012d"):format(699)))
    end
    server:clean()
    local monitor = server:monitor()
    run(text, "--threads", 1, "-c", 1, "-P", 1)
    for i, args in ipairs(monitor:finish("set")) do
      assert.equal(("k:%012d"):format(i - 1), args[2])
    end
  end)

  it("agrees with the server after its connections were cut", function()
    local script = vbench.scenario(HEAD .. [[
      local list = vb.keyspace { prefix = "l:", size = 20000 }
      local make = vb.transaction { name = "make",
        vb.command { "DEL", list:claim(), name = "clean" },
        vb.command { "RPUSH", list:current(), "a", "b", "c", tracks = "add" } }
      return vb.scenario {
        phases = { phase("fill", vb.mix { { 1, set }, { 1, make } },
          { duration = "60s", until_exhausted = true, retry = 100 }),
          phase("keys", set, { until_exhausted = true, duration = "60s", retry = 100 }),
          phase("lists", make, { until_exhausted = true, duration = "60s", retry = 100 }) },
        teardown = function()
          print("end", keys:count(), list:count(), #keys:unknown(), #list:unknown())
        end,
      } ]])
    local load = vbench.start { script, "-p", server.port, "-c", 16, "-P", 4, "--threads", 2, "-r",
      20000, "--no-baseline", "-q", "--timeout", "5s", timeout = 100 }
    process.wait_for(60 * vbench.slowness, "the load", function()
      return server:call("DBSIZE") > 0
    end)
    while load.process:running() and server:call("DBSIZE") < 40000 do
      server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      process.sleep(0.05)
    end
    load:wait()
    assert.matches("end\t20000\t20000\t0\t0\n", load.out, 1, true, load.all)
    assert.equal(40000, server:call("DBSIZE"))
    for id = 0, 19999, 7 do
      assert.equal(3, server:call("LLEN", ("l:%012d"):format(id)))
    end
  end)

  -- The values of the keys of so many ids.
  local function values(count)
    local names = {}
    for id = 0, count - 1 do names[id + 1] = ("k:%012d"):format(id) end
    return server:call("MGET", unpack(names))
  end

  it("claims every key once in each round, with eight threads", function()
    for _, cursor in ipairs { "keys:claim():wrap()", "keys:claim():shuffled():wrap()" } do
      server:clean()
      local named = phases(run(([[
        local add = vb.command { "INCR", %s, tracks = "add" }
        return vb.scenario { phases = { phase("some", add, { requests = 1234 }),
          phase("rest", add, { requests = 20 * 300 - 1234 }) } } ]]):format(cursor),
        "--threads", 8, "-r", 300))
      assert.equal(20 * 300 - 1234, named.rest.requests)
      for id, value in ipairs(values(300)) do assert.equal("20", value, cursor .. " " .. id) end
    end
  end)

  it("claims a key once more in place of a claim that failed, whatever the round", function()
    local done = run([[
      local add = vb.command { "EVAL", "if redis.call('INCR', KEYS[2]) % 7 == 0 then " ..
        "return redis.error_reply('NO not now') end return redis.call('INCR', KEYS[1])", 2,
        keys:claim():wrap(), vb.key "calls", tracks = "add", name = "add" }
      local sure = vb.command { "INCR", keys:claim():wrap(), tracks = "add", name = "sure" }
      return vb.scenario { main = function(run)
        local first = run:phase(phase("some", add, { requests = 1500 }))
        run:phase(phase("rest", sure, {
          requests = 10 * 200 - first.requests }))
        print("counts", first.requests, keys:count())
      end } ]], "--threads", 4, "-r", 200)
    assert.matches("counts\t1286\t200\n", done.out, 1, true, done.all)
    for id, value in ipairs(values(200)) do assert.equal("10", value, id) end
  end)

  -- Keys that expire go without the tracker: here they are deleted behind its back.
  it("counts as misses, and not as raced, what it observes to be gone", function()
    local done = run [[
      local look = vb.command { "GET", keys:existing():sequential(), tracks = "observe",
                                reply = vb.hits(), name = "look" }
      return vb.scenario { main = function(run)
        run:phase(phase("fill", set, { requests = 1000 }))
        for id = 0, 399 do run.ctl:call("DEL", ("k:%012d"):format(id)) end
        run:phase(phase("look", look, { until_exhausted = true }))
        run:phase(phase("again", look, { until_exhausted = true }))
      end } ]]
    local named = phases(done)
    assert.same({ 600, 400, 0 }, { named.look.hits, named.look.misses, named.look.raced })
    assert.same({ 600, 0, 0 }, { named.again.hits, named.again.misses, named.again.raced })
  end)

  it("ends a phase after the time of a cursor, round after round", function()
    local done = vbench.report { "-p", server.port, "--no-baseline", vbench.scenario [[
      local keys = vb.keyspace { prefix = "k:", size = 50 }
      local set = vb.command { "SET", keys:sequential():duration("300ms"), "v" }
      return vb.scenario { phases = { vb.phase { run = set },
        vb.phase { name = "first", run = set, requests = 20 } } } ]] }
    assert.equal(0, done.code, done.all)
    local phases = done.json.phases
    assert.near(0.3, phases[1].duration_s, 0.1)
    assert.is_true(phases[1].operations > 50)
    assert.equal(50, server:call("DBSIZE"))
    assert.equal(20, phases[2].operations)
  end)

  it("draws an id several times in a row where clients are to contend for it", function()
    local done = vbench.report { "-p", server.port, "--no-baseline", vbench.scenario [[
      local keys = vb.keyspace { prefix = "n:", size = 40 }
      local add = vb.command { "INCR", keys:sequential():overlapping(5) }
      return vb.scenario { phases = { vb.phase { run = add, until_exhausted = true } } } ]] }
    assert.equal(0, done.code, done.all)
    assert.equal(200, done.json.phases[1].operations)
    for id = 0, 39 do assert.equal("5", server:call("GET", ("n:%012d"):format(id))) end
  end)

  it("refuses what cannot be", function()
    local cases = {
      ['vb.command { "GET", keys:claim():uniform() }'] = "missing ids one after the other",
      ['vb.command { "GET", keys:existing():missing() }'] = "one of existing, missing",
      ['vb.command { "GET", keys:existing_ratio(1.5) }'] = "ratio of existing_ratio is 1.5",
      ['vb.command { "GET", keys:existing_ratio(0.5):sequential() }'] = "draws at random",
      ['vb.command { "GET", vb.key "a", tracks = "add" }'] = "none of its arguments is a key",
      ['vb.command { "GET", keys:uniform(), tracks = "ad" }'] = "did you mean 'add'",
    }
    for text, message in pairs(cases) do
      local done = vbench.run { vbench.scenario('local keys = vb.keyspace { prefix = "k:", ' ..
        'size = 100 }\n' .. text .. '\nreturn vb.scenario { phases = {} }'), "-p", server.port }
      assert.equal(2, done.code, done.all)
      assert.matches(message, done.all, 1, true)
    end
  end)
end)
