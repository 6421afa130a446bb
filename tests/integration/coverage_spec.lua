-- Before a phase: are the keys there that it relies on, are they loaded, are they kept.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local DATASETS = vbench.root .. "/datasets/"
local TRUTH, RECORDS = 975, 1000 -- of points-l2: the records that its ground truth names

describe("before a phase", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  -- A phase that draws queries of points-l2, with others before it.
  local function query(before, phases)
    return vbench.scenario(([[
      local ds = vb.dataset "%spoints-l2"
      local records = require "vbench.records"
      local truth = ds:truth_ids()
      local query = vb.command { "ECHO", ds.query.embedding, name = "query" }
      %s
      return vb.scenario { phases = { %s
        vb.phase { name = "query", run = query, requests = 100 } } } ]]):format(DATASETS,
      before or "", phases or ""))
  end

  local LOAD = 'local load = records.load(ds, { tracks = "add" })'
  local LOADED = 'vb.phase { name = "load", run = load, requests = %d },'

  local function run(path, ...)
    return vbench.report { path, "-p", server.port, ... }
  end

  local function entry(done, phase)
    assert.equal(0, done.code, done.all)
    return done.json.phases[phase].keyspaces[1]
  end

  local function assert_refused(message, path, ...)
    local done = vbench.run { path, "-p", server.port, ... }
    assert.equal(2, done.code, done.all)
    assert.matches(message, done.err, 1, true)
  end

  it("--reference-set-check says how much of the ground truth is there", function()
    local done = run(query(LOAD, LOADED:format(RECORDS)), "--reference-set-check")
    assert.equal(vbench.null, entry(done, 1).coverage)
    assert.same({ existing = TRUTH, missing = 0, ratio = 1 }, entry(done, 2).coverage)
    assert.matches("phase 'query': 975 of the 975 ids of truth of points-l2 exist in keyspace "
      .. "'points-l2' (100.0 %), 0 missing\n", done.err, 1, true)
    assert.matches("100.0 % of the reference ids there", done.out, 1, true)
    done = run(query(LOAD, LOADED:format(RECORDS)), "--reference-set-check", "-q")
    assert.equal("", done.err)
    done = run(query(LOAD, LOADED:format(RECORDS)))
    assert.equal(vbench.null, entry(done, 2).coverage)
  end)

  it("does not start a phase with less than the minimum, 95 % unless given", function()
    local half = query(LOAD, LOADED:format(RECORDS / 2))
    for _, options in ipairs { { "--reference-set-check" }, { "--reference-set-min", "0.6" } } do
      local done = run(half, unpack(options))
      assert.equal(3, done.code, done.all)
      assert.equal(1, #done.json.phases)
      assert.matches("missing: the phase is not started, at least", done.err, 1, true)
      assert.matches("--reference-set-backfill loads what is missing", done.err, 1, true)
    end
    local done = run(half, "--reference-set-min", "40%")
    local coverage = entry(done, 2).coverage
    assert.equal(TRUTH, coverage.existing + coverage.missing)
    assert.is_true(coverage.ratio > 0.4 and coverage.ratio < 0.6)
    assert.equal(100, done.json.phases[2].requests)
  end)

  it("starts a phase with exactly the minimum", function()
    local script = vbench.scenario [[
      local keys = vb.keyspace { prefix = "k:", size = 10 }
      local hot = vb.reference_set { name = "hot", range = { 0, 4 } }
      local get = vb.command { "GET", keys:only(hot):uniform() }
      return vb.scenario { main = function(run)
        keys:add_range(0, 2)
        run:phase(vb.phase { name = "read", run = get, requests = 10 })
      end } ]]
    assert.same({ existing = 2, missing = 2, ratio = 0.5 },
      entry(run(script, "--reference-set-min", "0.5"), 1).coverage)
    local done = run(script, "--reference-set-min", "0.51")
    assert.equal(3, done.code, done.all)
    assert.matches("2 of the 4 ids of hot exist in keyspace 'k:' (50.0 %), 2 missing: the phase is "
      .. "not started, at least 51.0 % were asked for", done.err, 1, true)
  end)

  it("says what to do where nothing is known, and knows it after a scan", function()
    local done = run(query(), "--reference-set-check")
    assert.equal(3, done.code)
    assert.equal(0, #done.json.phases)
    assert.matches("no key of 'points-l2' is known to exist: --reference-set-backfill loads",
      done.err, 1, true)
    assert.matches("--tracker-init scan asks the server", done.err, 1, true)
    run(query(LOAD, LOADED:format(RECORDS)))
    done = run(query(), "--reference-set-check", "--tracker-init", "scan")
    assert.equal(TRUTH, entry(done, 1).coverage.existing)
    assert.equal(RECORDS, entry(done, 1).scan.found)
  end)

  it("--reference-set-backfill loads what is missing, and that alone", function()
    local done = run(query(LOAD, LOADED:format(100)), "--reference-set-backfill",
      "--workload-snapshot")
    local before = entry(done, 1).after
    assert.equal(100, before)
    local one = entry(done, 2)
    assert.same({ existing = TRUTH, missing = 0, ratio = 1 }, one.coverage)
    assert.equal(one.before - before, one.backfilled)
    assert.equal(0, one.added) -- by the phase itself
    assert.equal(one.after, server:call("DBSIZE"))
    assert.equal(2, #done.json.phases)
    local verify = query('local verify = records.verify(ds, { keys = ds.keys:only(truth) })',
      'vb.phase { name = "verify", run = verify, until_exhausted = true },')
    local verified = run(verify)
    assert.equal(0, verified.code, verified.all)
    assert.equal(TRUTH, verified.json.phases[1].requests)
    assert.equal(0, verified.json.phases[1].errors)
  end)

  it("a backfill loads as the script does, when a command of it loads records", function()
    local done = run(query([[
      local own = vb.command { "HSET", ds.keys:sequential():limit(10), "mine", ds.record.embedding,
        "key", ds.keys:current():value(), tracks = "add", name = "own" } ]],
      'vb.phase { name = "load", run = own, until_exhausted = true },'),
      "--reference-set-backfill")
    assert.equal(0, done.code, done.all)
    local sizes = server:call("EVAL", "local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) "
      .. "do if redis.call('HSTRLEN', key, 'mine') == 256 and "
      .. "redis.call('HGET', key, 'key') == key then n = n + 1 end end return n", 0)
    assert.equal(done.json.phases[2].keyspaces[1].after, sizes)
    assert.is_true(sizes >= TRUTH)
  end)

  it("a backfill loads as the schema says when several commands load records", function()
    local done = run(query([[
      local own = vb.command { "HSET", ds.keys:sequential():limit(10), "mine", ds.record.embedding,
        tracks = "add", name = "own" }
      local other = vb.command { "HSET", ds.keys:sequential():limit(10), "other",
        ds.record.embedding, tracks = "add", name = "other" } ]],
      'vb.phase { name = "load", run = own, until_exhausted = true },'),
      "--reference-set-backfill")
    assert.equal(0, done.code, done.all)
    local as_script = server:call("EVAL", "local n = 0 for _, key in ipairs(redis.call('KEYS', "
      .. "'*')) do n = n + redis.call('HEXISTS', key, 'mine') + redis.call('HEXISTS', key, "
      .. "'other') end return n", 0)
    assert.equal(10, as_script)
    assert.equal(TRUTH, done.json.phases[2].keyspaces[1].coverage.existing)
  end)

  it("a backfill that cannot load all of it keeps the phase from starting", function()
    server:call("SET", "vec:000000000001", "no hash")
    server:call("SET", "vec:000000000002", "no hash")
    local done = run(query(), "--reference-set-min", "0", "--reference-set-backfill")
    assert.equal(3, done.code, done.all)
    assert.equal(0, #done.json.phases)
    assert.matches("backfill of 'points-l2': 2 errors, first: WRONGTYPE", done.err, 1, true)
    assert.matches("2 missing: the phase is not started after 973 records were backfilled",
      done.err, 1, true)
  end)

  it("a backfill that is interrupted is the end of the run", function()
    server:call("CLIENT", "PAUSE", 3000 * vbench.slowness, "WRITE")
    local started = vbench.start { "--json", vbench.path("r.json"), "--reference-set-backfill",
      query(), "-p", server.port, "--no-baseline" }
    process.sleep(1 * vbench.slowness)
    started:signal("INT")
    local done = started:wait()
    server:call("CLIENT", "UNPAUSE")
    assert.equal(130, done.code, done.all)
    assert.is_nil(done.all:find("query:", 1, true))
    assert.is_nil(done.all:find("missing", 1, true))
  end)

  it("a backfill of lists doubles no member", function()
    local path = vbench.scenario(([[
      local ds = vb.dataset "%stimelines"
      local some = vb.reference_set { name = "some", range = { 10, 20 } }
      local read = vb.command { "LLEN", ds.keys:only(some), name = "read" }
      return vb.scenario { phases = {
        vb.phase { name = "read", run = read, until_exhausted = true } } } ]]):format(DATASETS))
    local lengths = {}
    for i = 1, 2 do
      local done = run(path, "--reference-set-backfill")
      assert.equal(10, entry(done, 1).backfilled)
      assert.equal(10, server:call("DBSIZE"))
      lengths[i] = server:call("EVAL", "local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) "
        .. "do n = n + redis.call('LLEN', key) end return n", 0)
    end
    assert.is_true(lengths[1] > 10)
    assert.equal(lengths[1], lengths[2])
  end)

  it("--protect-reference-set sends no delete of a protected id", function()
    local path = query(LOAD .. [[
      local drop = vb.command { "DEL", ds.keys:sequential(), tracks = "remove" } ]],
      LOADED:format(RECORDS) .. 'vb.phase { name = "drop", run = drop, until_exhausted = true },')
    local done = run(path, "--protect-reference-set", "--reference-set-check")
    local one = entry(done, 2)
    assert.equal(TRUTH, one.protected)
    assert.equal(TRUTH, one.skipped_protected)
    assert.equal(TRUTH, one.after)
    assert.equal(RECORDS - TRUTH, done.json.phases[2].requests)
    assert.equal(0, entry(done, 3).skipped_protected)
    assert.equal(TRUTH, server:call("DBSIZE"))
    assert.matches("975 protected, 975 deletes of them not sent", done.out, 1, true)
    server:clean()
    assert.equal(0, entry(run(path), 2).after)
    assert.equal(0, server:call("DBSIZE"))
  end)

  it("protects besides what the script protects, and whatever it lets go", function()
    local path = vbench.scenario [[
      local keys = vb.keyspace { prefix = "k:", size = 100 }
      local hot = vb.reference_set { name = "hot", range = { 0, 10 } }
      local own = vb.reference_set { name = "own", range = { 20, 25 } }
      local fill = vb.command { "SET", keys:sequential(), "v", tracks = "add", name = "fill" }
      local read = vb.command { "GET", keys:only(hot), name = "read" }
      local drop = vb.command { "DEL", keys:sequential(), tracks = "remove" }
      local phase = function(run) return vb.phase { run = run, until_exhausted = true } end
      return vb.scenario { main = function(run)
        run:phase(phase(fill))
        keys:protect(own)
        run:phase(phase(drop))
        print("left", keys:count())
        keys:protect(nil)
        run:phase(phase(drop))
        print("left", keys:count())
      end } ]]
    local done = run(path, "--protect-reference-set")
    assert.equal(0, done.code, done.all)
    assert.matches("left\t15\n.*left\t10\n", done.out)
    assert.equal(10, server:call("DBSIZE"))
  end)

  it("checks sets of :only and :except where they are read, not where they are made", function()
    local path = vbench.scenario [[
      local keys = vb.keyspace { prefix = "k:", size = 100 }
      local hot = vb.reference_set { name = "hot", range = { 0, 10 } }
      local cold = vb.reference_set { name = "cold", range = { 5, 30 } }
      local fill = vb.command { "SET", keys:only(hot), "v", tracks = "add", name = "fill" }
      local read = vb.command { "GET", keys:only(hot), name = "read" }
      local drop = vb.command { "DEL", keys:except(cold), name = "drop", tracks = "remove" }
      local phase = function(run) return vb.phase { run = run, until_exhausted = true } end
      return vb.scenario { phases = { phase(fill), phase(read), vb.phase { name = "both",
        run = read, background = { phase(drop) }, requests = 5 } } } ]]
    local done = run(path, "--reference-set-min", "0.3")
    assert.equal(0, done.code, done.all)
    assert.equal(vbench.null, done.json.phases[1].keyspaces[1].coverage)
    assert.same({ existing = 10, missing = 0, ratio = 1 },
      done.json.phases[2].keyspaces[1].coverage)
    assert.same({ existing = 10, missing = 20, ratio = 1 / 3 },
      done.json.phases[3].keyspaces[1].coverage)
    assert.matches("10 of the 30 ids of hot and cold exist in keyspace 'k:'", done.err, 1, true)
  end)

  it("counts ids past the size of the keyspace as missing, and says so", function()
    local path = vbench.one_phase([[local keys = vb.keyspace { prefix = "k:", size = 100 }
      local hot = vb.reference_set { name = "hot", ids = { 3, 1000 } }
      local get = vb.command { "GET", keys:only(hot) }]], "run = get, requests = 1")
    local done = run(path, "--reference-set-check")
    assert.equal(3, done.code, done.all)
    assert.matches("0 of the 2 ids of hot exist", done.err, 1, true)
    assert.matches("past the size of keyspace 'k:': 1 id of the set", done.err, 1, true)
  end)

  it("refuses what would have no effect, with the reason", function()
    local none = vbench.one_phase([[local keys = vb.keyspace { prefix = "k:", size = 10 }
      local set = vb.command { "SET", keys:sequential(), "v" }]], "run = set, requests = 5")
    for _, flag in ipairs { "--reference-set-check", "--reference-set-min=0.5",
                            "--reference-set-backfill", "--protect-reference-set" } do
      assert_refused(flag:match("[^=]+") .. ": the scenario has no reference set: its commands "
        .. "draw no queries", none, flag)
    end
    local plain = vbench.one_phase([[local keys = vb.keyspace { prefix = "k:", size = 10 }
      local hot = vb.reference_set { name = "hot", range = { 0, 5 } }
      local get = vb.command { "GET", keys:only(hot) }]], "run = get, requests = 5")
    assert_refused("--reference-set-backfill loads records of a dataset, and the reference sets "
      .. "of the scenario are of other keys: of keyspace 'k:'", plain, "--reference-set-backfill")
    assert_refused("--protect-reference-set: no command deletes keys of keyspace 'k:' with tracks",
      plain, "--protect-reference-set")
    assert_refused("--reference-set-min", plain, "--reference-set-min", "2")
    local check = vbench.run { "check", "--reference-set-check", none }
    assert.equal(2, check.code, check.all)
    assert.matches("--reference-set-check: the scenario has no reference set", check.err, 1, true)
    assert_refused("--keyspace-tracker was given, but scenario", none, "--keyspace-tracker")
  end)

  it("--keyspace-tracker tracks in the classic tests, commands and loads", function()
    local function classic(...)
      local done = vbench.report { "-p", server.port, "-n", 1000, "-r", 500, "--key-prefix", "k:",
        "--keyspace-tracker", ... }
      assert.equal(0, done.code, done.all)
      return done.json.phases
    end
    local set, get = unpack(classic("-t", "set,get"))
    assert.equal(server:call("DBSIZE"), set.keyspaces[1].after)
    assert.is_true(set.keyspaces[1].after > 300)
    assert.equal(set.keyspaces[1].after, get.keyspaces[1].after)
    server:clean()
    assert.equal(500, classic("--sequential", "-t", "mset")[1].keyspaces[1].after)
    local del = classic("--sequential", "--tracker-init", "scan", "-n", 200, "--", "DEL",
      "k:__rand_int__")
    assert.equal(500, del[1].keyspaces[1].before)
    assert.equal(300, del[1].keyspaces[1].after)
    assert.equal(300, server:call("DBSIZE"))
    local load = vbench.report { "-p", server.port, "--dataset", DATASETS .. "points-l2",
      "--keyspace-tracker", "schema-load" }
    assert.equal(RECORDS, entry(load, 1).after)
    local untracked = vbench.report { "-p", server.port, "-n", 100, "-t", "set" }
    assert.equal(0, #untracked.json.phases[1].keyspaces)
    local ping = vbench.run { "-p", server.port, "--keyspace-tracker", "-t", "ping" }
    assert.equal(2, ping.code)
    assert.matches("--keyspace-tracker: none of the commands says which", ping.err, 1, true)
    assert_refused("--workload-snapshot: the classic tests know which keys exist with "
      .. "--keyspace-tracker", "--workload-snapshot", "-t", "set")
  end)
end)
