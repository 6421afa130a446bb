-- Trackers, snapshots and reference sets in a run: workers and main see one and the same.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"
local vbffi = require "vbench.ffi"

describe("the tracker in a run", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function run(text, ...)
    local path = vbench.scenario(text)
    return vbench.run { path, "-p", server.port, "-c", 8, "--threads", 3, "-q", ... }
  end

  it("is one for main and the hooks of all workers", function()
    local done = run [[
      local keys = vb.keyspace { prefix = "k:", size = 10000 }
      local hot = vb.reference_set { name = "hot", range = { 100, 200 } }
      local seen, twice = vb.counter { name = "seen" }, vb.counter { name = "twice" }
      local set = vb.command { "SET", keys:sequential(), "v", on_reply = function(_, req)
        if not keys:claim(req.id) then twice:add() end
        if hot:contains(req.id) then seen:add() end
      end }
      return vb.scenario {
        main = function(run)
          keys:add_range(0, 5)
          local before = keys:snapshot()
          run:phase(vb.phase { name = "a", run = set, requests = 3000 })
          local after = keys:snapshot()
          print("count", keys:count(), twice:get(), seen:get())
          print("added", after:added_since_count(before), after:removed_since_count(before))
          print("hot", hot:coverage(keys).ratio)
        end,
      } ]]
    assert.equal(0, done.code, done.all)
    assert.matches("count\t3000\t5\t100\n", done.out)
    assert.matches("added\t2995\t0\n", done.out)
    assert.matches("hot\t1\n", done.out)
  end)

  it("gives an id to one of all threads", function()
    local done = run [[
      local keys = vb.keyspace { prefix = "k:", size = 100 }
      local won = vb.counter { name = "won" }
      local ping = vb.command { "PING", on_reply = function(_, req)
        if keys:claim(req.n % 100) then won:add() end
      end }
      return vb.scenario {
        phases = { vb.phase { name = "a", run = ping, requests = 5000 } },
        teardown = function() print("won", won:get(), keys:density()) end,
      } ]]
    assert.equal(0, done.code, done.all)
    assert.matches("won\t100\t1\n", done.out)
  end)

  it("is not asked, nor changed, while the script is loaded", function()
    local done = run [[
      local keys = vb.keyspace { prefix = "k:", size = 100 }
      keys:add(1)
      return vb.scenario { phases = {} } ]]
    assert.equal(2, done.code)
    assert.matches("scenario.lua:2: which keys of keyspace 'k:' exist is asked in setup", done.all)
  end)

  it("refuses a size beyond memory, and says what it takes", function()
    local done = run [[
      local keys = vb.keyspace { prefix = "k:", size = 2^50 }
      return vb.scenario { main = function() keys:add(1) end } ]]
    assert.equal(2, done.code, done.all)
    assert.matches("keyspace 'k:': a tracker of 1125899906842624 ids: 1 to 1099511627776 are " ..
      "possible", done.all, 1, true)
  end)

  it("finds scripts that declare other reference sets in other threads", function()
    local done = run [[
      local set = vb.reference_set { name = "a", ids = { 1, math.random(2, 2^39) } }
      local ping = vb.command { "PING" }
      return vb.scenario { phases = { vb.phase { name = "a", run = ping, requests = 10 } } } ]]
    assert.equal(2, done.code, done.all)
    assert.matches("declares different things in different threads", done.all)
  end)

  it("shows hooks the id and the sub-id of a key", function()
    local done = run [[
      local keys = vb.keyspace { prefix = "k:", width = 0, size = 50, max_sub_id = 4 }
      local good = vb.counter { name = "good" }
      local set = vb.command { "SET", keys:range(10, 20):sequential(), function(req)
        return ("%d:%d"):format(req.id, req.sub)
      end, on_reply = function(_, req)
        if keys:add(req.id, req.sub) then good:add() end
      end }
      local get = vb.command { "GET", vb.key "k:19:3", on_reply = function(reply, req)
        if reply.string == "19:3" and req.sub == -1 then good:add(1000) end
      end }
      return vb.scenario {
        phases = { vb.phase { name = "a", run = set, requests = 40 },
          vb.phase { name = "b", run = get, requests = 1 } },
        teardown = function() print("good", good:get(), keys:count(10, 20), keys:count()) end,
      } ]]
    assert.equal(0, done.code, done.all)
    assert.matches("good\t1040\t40\t40\n", done.out)
  end)

  it("warns of one prefix with numbers of two widths", function()
    local text = [[
      local a = vb.keyspace { prefix = "k:", size = 10 }
      local b = vb.keyspace { name = "b", prefix = "k:", width = %d, size = 10 }
      return vb.scenario { main = function() end } ]]
    assert.matches("keyspaces 'b' and 'k:' both have the prefix 'k:', with numbers of 5 and 12 " ..
      "digits: they are different keys", run(text:format(5)).err, 1, true)
    assert.equal("", run(text:format(12)).err)
  end)

  it("writes a sub-id into an argument of its own", function()
    local done = run [[
      local keys = vb.keyspace { prefix = "h:", width = 0, size = 20, max_sub_id = 3,
                                 sub = "argument" }
      local set = vb.command { "HSET", keys:sequential(), vb.concat { "f", keys:sub() }, vb.id() }
      return vb.scenario { phases = { vb.phase { name = "a", run = set, requests = 60 } } } ]]
    assert.equal(0, done.code, done.all)
    assert.equal(20, server:call("DBSIZE"))
    assert.equal(3, server:call("HLEN", "h:19"))
    assert.equal("19", server:call("HGET", "h:19", "f2"))
    assert.matches("keyspace 'k' has no sub-ids", run([[
      local keys = vb.keyspace { prefix = "k", size = 20 }
      local get = vb.command { "HGET", keys:sequential(), keys:sub() }
      return vb.scenario { phases = {} } ]]).err, 1, true)
    local scanned = run [[
      local keys = vb.keyspace { prefix = "k", size = 20, max_sub_id = 2, sub = "argument" }
      return vb.scenario { main = function() end, setup = function(ctl) ctl:scan(keys) end } ]]
    assert.matches("sub-ids of keyspace 'k' are not in its keys", scanned.err, 1, true)
  end)

  it("counts what commands write into the keyspace's slots", function()
    local done = run [[
      local low = vb.keyspace { name = "low", prefix = "k", width = 0, size = 1000,
                                slots = { 0, 8192 } }
      local high = vb.keyspace { name = "high", prefix = "k", width = 0, size = 1000,
                                 slots = { 8192, 16384 } }
      local set = vb.command { "SET", low:sequential(), "v", tracks = "add" }
      local get = vb.command { "GET", high:sequential(), tracks = "observe" }
      local hit = vb.command { "GET", low:existing(), reply = vb.hits(), name = "hit" }
      return vb.scenario {
        phases = { vb.phase { name = "set", run = set, requests = 1000 },
          vb.phase { name = "get", run = get, requests = 1000 },
          vb.phase { name = "hit", run = hit, requests = 100 } },
        teardown = function(_, results)
          print("known", low:count() + high:count(), low:count() > 400, high:count() > 400)
          print("misses", results.hit.misses)
        end,
      } ]]
    assert.equal(0, done.code, done.all)
    assert.matches("known\t1000\ttrue\ttrue\nmisses\t0\n", done.out)
  end)

  it("gives each thread the ids of its own slots, all together once", function()
    local ends = { "until_exhausted = true", "requests = 1600", "requests = 2000" }
    for _, order in ipairs { "sequential", "shuffled" } do
      for _, stop in ipairs(ends) do
        server:clean()
        local done = run(([[
          local keys = vb.keyspace { prefix = "k", width = 6, size = 1600 }
          local set = vb.command { "APPEND", keys:%s():partition("slots"),
            function(req) return req.thread end }
          return vb.scenario { phases = { vb.phase { run = set, %s } },
            teardown = function(_, results) print("did", results[1].operations) end }
          ]]):format(order, stop), "--threads", 4, "-P", 3)
        assert.equal(0, done.code, done.all)
        assert.matches("did\t1600\n", done.out, 1, true, done.all)
        for id = 0, 1599 do
          local key = ("k%06d"):format(id)
          local slot = vbffi.C.vb_slot(key, #key)
          assert.equal(tostring(math.floor(slot * 4 / 16384)), server:call("GET", key))
        end
      end
    end
    local open = run [[
      local keys = vb.keyspace { prefix = "k", size = 100 }
      local get = vb.command { "GET", keys:uniform():partition("slots") }
      return vb.scenario { phases = { vb.phase { name = "p", run = get, requests = 10,
        rate = 100 } } } ]]
    assert.equal(2, open.code, open.all)
    assert.matches("phase 'p': partition(\"slots\") has no place in an open loop", open.err,
      1, true)
  end)

  it("claims, misses and keeps a ratio within the keyspace's slots", function()
    for _, tag in ipairs { "", "tag = true," } do
      server:clean()
      local done = run(([[
        local function part(name, first, last)
          return vb.keyspace { name = name, prefix = "k", width = 6, size = 3000, %s
                               slots = { first, last } }
        end
        local low, high = part("low", 0, 4000), part("high", 4000, 16384)
        local set = vb.command { "SET", low:claim(), "v", tracks = "add" }
        local go = vb.command { "INCR", high:claim():wrap(), tracks = "add", name = "go" }
        local gone = vb.command { "EXISTS", low:missing(), reply = vb.expect("0"), name = "gone" }
        local ask = vb.command { "GET", low:existing_ratio(0.5), reply = vb.hits(), name = "ask" }
        local drop = vb.command { "DEL", low:existing(), tracks = "remove", name = "drop" }
        local function phase(name, run, fields)
          fields.name, fields.run, fields.clients = name, run, 8
          return vb.phase(fields)
        end
        return vb.scenario { main = function(run)
          run:phase(phase("fill", set, { until_exhausted = true }))
          local all = low:count()
          run:phase(phase("go", go, { requests = 4 * (3000 - all) }))
          run:phase(phase("drop", drop, { requests = 100 }))
          run:phase(phase("gone", gone, { requests = 500 }))
          local ask = run:phase(phase("ask", ask, { requests = 5000 }))
          print("known", all, high:count(), low:count(), ask.hits)
        end } ]]):format(tag), "--threads", 3)
      assert.equal(0, done.code, done.all)
      local low, high, left, hits = done.out:match("known\t(%d+)\t(%d+)\t(%d+)\t(%d+)")
      assert.equal(3000, low + high, done.all)
      assert.is_true(low + 0 > 600 and low + 0 < 900, low)
      assert.equal(low - 100, tonumber(left))
      assert.near(2500, tonumber(hits), 200) -- more than 5 deviations
      assert.equal(3000 - 100, server:call("DBSIZE"))
      local fours = 0
      for _, key in ipairs(server:call("KEYS", "*")) do
        if server:call("GET", key) == "4" then fours = fours + 1 end
      end
      assert.equal(tonumber(high), fours)
    end
    local refused = run [[
      local low = vb.keyspace { prefix = "k", slots = { 0, 8192 } }
      local set = vb.command { "SET", low:claim(), "v" }
      return vb.scenario { phases = { vb.phase { run = set, requests = 1 } } } ]]
    assert.equal(2, refused.code)
    assert.matches("keyspace 'k' has slots and 1099511627776 ids: which of them are missing can " ..
      "be told of up to 1073741824; give it a smaller size", refused.err, 1, true)
  end)
end)
