-- Filling a tracker from servers: what a scan finds, says, and leaves alone when it fails.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("ctl:scan", function()
  local first, second

  setup(function() first, second = servers.start(), servers.start() end)
  teardown(function()
    first:stop()
    second:stop()
    vbench.clean()
  end)
  before_each(function()
    first:clean()
    second:clean()
  end)

  local function scan(keyspace, body, ...)
    local path = vbench.scenario("local keys = vb.keyspace " .. keyspace .. [[
      local function show(r)
        print(("found %d new %d stale %d out %d bad %d tagged %d"):format(r.found, r.new, r.stale,
          r.out_of_range, r.unparsable, r.tagged))
      end
      return vb.scenario { main = function() end, setup = function(ctl) ]] .. body .. "end }")
    return vbench.run { path, "-p", first.port, ... }
  end

  it("says what is found, new, stale, out of range and unparsable", function()
    for _, id in ipairs { 3, 5, 99, 100 } do first:call("SET", ("k:%012d"):format(id), "v") end
    first:call("SET", "k:7", "v")
    first:call("SET", "other", "v")
    first:call("SET", "k:{abc}:000000000001", "v")
    local done = scan([[{ prefix = "k:", size = 100 }]], [[
      keys:add_range(0, 4)
      show(ctl:scan(keys))
      print(keys:exists(99), keys:exists(0), keys:count())
      show(ctl:scan(keys)) ]])
    assert.equal(0, done.code, done.all)
    assert.matches("found 3 new 2 stale 3 out 1 bad 1 tagged 1\ntrue\tfalse\t3\n" ..
      "found 3 new 0 stale 0 out 1 bad 1 tagged 1\n", done.out)
    assert.matches("scan of 'k:': 3 found, 2 new, 3 stale, 1 out of range, 1 unparsable, 1 under",
      done.err)
  end)

  it("counts keys of older tools, with the tag before the prefix, when it is asked to", function()
    first:call("SET", "{x9z}k:000000000001", "v")
    local done = scan([[{ prefix = "k:", size = 100 }]],
      "show(ctl:scan(keys)) show(ctl:scan(keys, { tagged = true }))", "-q")
    assert.equal(0, done.code, done.all)
    assert.matches("tagged 0\n.*tagged 1\n", done.out)
    assert.equal("", done.err)
  end)

  it("asks all servers, more than a page of keys each", function()
    for i, server in ipairs { first, second } do
      server:call("EVAL", "for id = ARGV[1], ARGV[1] + 29999 do " ..
        "redis.call('SET', ('k:%012d'):format(id), 'v') end", 0, (i - 1) * 50000)
    end
    local done = scan([[{ prefix = "k:", size = 100000 }]], [[
      show(ctl:scan(keys)) print(keys:count(0, 30000), keys:count(50000, 80000)) ]],
      "-h", "127.0.0.1:" .. first.port, "-h", "127.0.0.1:" .. second.port)
    assert.equal(0, done.code, done.all)
    assert.matches("found 60000 new 60000 stale 0", done.out)
    assert.matches("30000\t30000\n", done.out)
  end)

  it("reads sub-ids, tags of a pattern, and keys of the keyspace's slots", function()
    first:call("SET", "u:0007:3", "v")
    first:call("SET", "u:0007:9", "v")
    local done = scan([[{ prefix = "u:", width = 4, size = 100, max_sub_id = 5 }]],
      "show(ctl:scan(keys)) print(keys:exists(7, 3), keys:exists(7, 4), keys.size)")
    assert.matches("found 1 new 1 stale 0 out 0 bad 1", done.out, 1, true)
    assert.matches("true\tfalse\t500\n", done.out)
    first:call("SET", "v:{AAB}:0001", "v")
    done = scan([[{ pattern = "v:{HASHTAG}:%04d", size = 100 }]], "show(ctl:scan(keys))")
    assert.matches("found 1 new 1", done.out)
    done = scan([[{ prefix = "t:", tag = true, width = 0, size = 1000 }]], "show(ctl:scan(keys))",
      "--tracker-init", "scan")
    assert.matches("found 0 new 0", done.out)
    for id = 0, 99 do first:call("SET", "s" .. id, "v") end
    done = scan([[{ prefix = "s", width = 0, size = 100, slots = { 0, 8192 } }]],
      "local r = ctl:scan(keys) print(r.found + r.out_of_range, r.found > 20, r.found < 80)")
    assert.matches("100\ttrue\ttrue\n", done.out)
  end)

  it("learns the hash tags that others gave, and addresses those keys", function()
    for id = 0, 99 do first:call("SET", ("{x%02d}key:%04d"):format(id, id), "v") end
    first:call("SET", "{long}key:0100", "v")
    first:call("DEL", "{x07}key:0007")
    local path, file = vbench.scenario [[
      local keys = vb.keyspace { pattern = "{HASHTAG}key:%04d", size = 1000 }
      local get = vb.command { "GET", keys:existing():sequential(), reply = vb.hits() }
      local set = vb.command { "SET", keys:sequential(), "w", tracks = "add" }
      return vb.scenario {
        setup = function(ctl)
          for _ = 1, 2 do
            local r = ctl:scan(keys)
            print("found", r.found, "learned", r.learned, "tagged", r.tagged, r.learned_bytes)
          end
        end,
        phases = { vb.phase { name = "read", run = get, until_exhausted = true },
          vb.phase { name = "write", run = set, requests = 200 } },
      } ]], vbench.path("tracker")
    local done = vbench.report { path, "-p", first.port, "--tracker-file", file, "--threads", 2 }
    assert.equal(0, done.code, done.all)
    assert.matches("found\t99\tlearned\t99\ttagged\t1\t4096\n" ..
      "found\t99\tlearned\t0\ttagged\t1\t4096\n", done.out)
    assert.matches("99 of those found under hash tags of others, kept in 4 KiB", done.err, 1, true)
    assert.matches("'{HASHTAG}key:%04d' is left out: its keys have hash tags", done.err, 1, true)
    local read = done.json.phases[1]
    assert.same({ 99, 99, 0 }, { read.requests, read.commands[1].hits, read.commands[1].misses })
    assert.equal(201, first:call("DBSIZE")) -- with {long}key:0100, and key 7 under a tag of ours
    assert.equal("w", first:call("GET", "{x42}key:0042"))
    assert.equal("w", first:call("GET", "{AAH}key:0007"))
  end)

  it("finds the stored keys of a dataset", function()
    local path = vbench.scenario(([[
      local ds = vb.dataset "%s/datasets/products"
      return vb.scenario { main = function() end, setup = function(ctl)
        for _, id in ipairs { 0, 7, ds.count - 1 } do ctl:call("SET", ds:key(id), "v") end
        ctl:call("SET", ds:key(8) .. "x", "v")
        ds.keys:add(9)
        local r = ctl:scan(ds.keys)
        print("found", r.found, "new", r.new, "stale", r.stale, "bad", r.unparsable)
        print(ds.keys:exists(0), ds.keys:exists(7), ds.keys:exists(ds.count - 1), ds.keys:count())
        ctl:scan(ds.keys, { tagged = true })
      end } ]]):format(vbench.root))
    local done = vbench.run { path, "-p", first.port }
    assert.equal(2, done.code, done.all)
    assert.matches("found\t3\tnew\t3\tstale\t1\tbad\t1\ntrue\ttrue\ttrue\t3\n", done.out)
    assert.matches("tagged goes with keys that are made of ids; those of 'products' are stored",
      done.err, 1, true)
  end)

  it("leaves the tracker as it was when a server fails, and names it", function()
    first:call("ACL", "SETUSER", "noscan", "on", "nopass", "~*", "+@all", "-scan")
    local done = scan([[{ prefix = "k:", size = 100 }]], [[
      keys:add(1)
      local ok, failed = pcall(ctl.scan, ctl, keys)
      print(ok, keys:count(), failed.message) ]], "--user", "noscan", "-a", "x")
    assert.equal(0, done.code, done.all)
    assert.matches("false\t1\tscan of keyspace 'k:': SCAN: NOPERM.*%(127.0.0.1:" .. first.port,
      done.out)
  end)

  it("takes a keyspace and known options", function()
    local done = scan([[{ prefix = "k:", size = 100 }]], "ctl:scan('k:')")
    assert.equal(2, done.code, done.all)
    assert.matches("ctl:scan takes a keyspace, not a string", done.all)
    done = scan([[{ prefix = "k:", size = 100 }]], "ctl:scan(keys, { taged = true })")
    assert.matches("did you mean 'tagged'", done.all)
  end)

  it("says once a second how far it is", function()
    local done = scan([[{ prefix = "k:", size = 100 }]],
      "ctl:call('CLIENT', 'PAUSE', 1500) ctl:scan(keys)")
    assert.equal(0, done.code, done.all)
    assert.matches("scan of 'k:': 0 keys, 0 a second\n", done.err)
    assert.matches("scan of 'k:': 0 found, 0 new, 0 stale", done.err)
  end)

  it("ends with Ctrl-C, and leaves the tracker as it was", function()
    local path = vbench.scenario [[
      local keys = vb.keyspace { prefix = "k:", size = 100 }
      return vb.scenario {
        main = function() end,
        setup = function(ctl)
          keys:add(5)
          ctl:call("CLIENT", "PAUSE", 2500)
          ctl:scan(keys)
        end,
        teardown = function() print("known", keys:count()) end,
      } ]]
    local run = vbench.start { path, "-p", first.port }
    process.wait_for(10, "the scan", function()
      return (process.read(run.err_file) or ""):find("scan of")
    end)
    run:signal("INT")
    local done = run:wait()
    assert.equal(130, done.code, done.all)
    assert.is_nil(done.err:find("found", 1, true))
  end)
end)
