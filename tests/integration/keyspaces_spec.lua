-- Keyspaces in the report: what a phase did to the keys that exist.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("keyspaces in the report", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  -- A fill of ids 0 to 99, then a phase that makes 20 of them exist no more and 30 others exist.
  local CHURN = [[
    local keys = vb.keyspace { prefix = "k:", size = 1000 }
    local unused = vb.keyspace { prefix = "unused:", size = 1000 }
    local fill = vb.command { "SET", keys:sequential(), "v", name = "fill",
      on_reply = function(_, req) keys:add(req.id) end }
    local churn = vb.command { "GET", keys:range(80, 130), name = "churn",
      on_reply = function(_, req)
        if req.id < 100 then keys:remove(req.id) else keys:add(req.id) end
      end }
    return vb.scenario { phases = {
      vb.phase { name = "fill", run = fill, requests = 100 },
      vb.phase { name = "churn", run = churn, until_exhausted = true },
    } } ]]

  local function run(...)
    local done = vbench.report { vbench.scenario(CHURN), "-p", server.port, ... }
    assert.equal(0, done.code, done.all)
    return done
  end

  local function same(want, got)
    for key, value in pairs(want) do assert.same(value, got[key], key) end
    for key in pairs(got) do assert.is_not_nil(want[key], "undocumented " .. key) end
  end

  local function entry(fields)
    local all = {
      name = "k:", before = 0, after = 100, added = vbench.null, removed = vbench.null,
      protected = 0, skipped_protected = 0, coverage = vbench.null, backfilled = 0,
      scan = vbench.null,
    }
    for key, value in pairs(fields) do all[key] = value end
    return all
  end

  it("says how many keys existed before and after each phase, of those that are tracked", function()
    local done = run()
    local fill, churn = done.json.phases[1], done.json.phases[2]
    assert.equal(1, #fill.keyspaces)
    same(entry {}, fill.keyspaces[1])
    same(entry { before = 100, after = 110 }, churn.keyspaces[1])
    assert.matches("\n  keyspace 'k:': 0 keys before, 100 after\n", done.out, 1, true)
    assert.matches("\n  keyspace 'k:': 100 keys before, 110 after\n", done.out, 1, true)
  end)

  it("--workload-snapshot counts what was added and removed by ids", function()
    local done = run("--workload-snapshot")
    same(entry { added = 100, removed = 0 }, done.json.phases[1].keyspaces[1])
    same(entry { before = 100, after = 110, added = 30, removed = 20 },
      done.json.phases[2].keyspaces[1])
    assert.matches("keyspace 'k:': 100 keys before, 110 after (30 added, 20 removed)\n", done.out,
      1, true)
  end)

  it("tells a scan with the phase that comes after it", function()
    server:call("SET", "k:000000000005", "v")
    server:call("SET", "k:000000000500", "v")
    server:call("SET", "k:000000001000", "v")
    local done = run("--tracker-init", "scan")
    local first = done.json.phases[1].keyspaces[1]
    assert.equal(2, first.before)
    assert.equal(101, first.after)
    for key, value in pairs { found = 2, new = 2, stale = 0, out_of_range = 1 } do
      assert.equal(value, first.scan[key], key)
    end
    assert.is_true(first.scan.seconds > 0 and first.scan.keys_per_s > 0)
    assert.equal(vbench.null, done.json.phases[2].keyspaces[1].scan)
    assert.matches("scanned: 2 found, 2 new, 0 stale", done.out)
  end)

  it("counts the deletes that each phase has not sent", function()
    local done = vbench.report { "-p", server.port, vbench.scenario [[
      local keys = vb.keyspace { prefix = "k:", size = 100 }
      local kept = vb.reference_set { name = "kept", range = { 0, 30 } }
      local del = vb.command { "DEL", keys:sequential(), tracks = "remove" }
      return vb.scenario { main = function(run)
        keys:add_range(0, 100)
        keys:protect(kept)
        for _, count in ipairs { 40, 50 } do
          run:phase(vb.phase { name = "del " .. count, run = del, requests = count })
        end
      end } ]] }
    assert.equal(0, done.code, done.all)
    local first, second = done.json.phases[1].keyspaces[1], done.json.phases[2].keyspaces[1]
    assert.same({ 30, 30, 90 }, { first.protected, first.skipped_protected, first.after })
    assert.same({ 30, 30, 80 }, { second.protected, second.skipped_protected, second.after })
    assert.matches("30 protected, 30 deletes of them not sent", done.out, 1, true)
  end)

  it("--workload-snapshot says when it has nothing to count", function()
    local untracked = vbench.one_phase([[local keys = vb.keyspace { prefix = "k:", size = 10 }
      local set = vb.command { "SET", keys:sequential(), "v" }]], "run = set, requests = 5")
    local done = vbench.report { untracked, "-p", server.port, "--workload-snapshot" }
    assert.equal(0, done.code, done.all)
    assert.equal(0, #done.json.phases[1].keyspaces)
    assert.matches("phase 'one': --workload-snapshot had nothing to count", done.err, 1, true)
    local none = vbench.one_phase([[local ping = vb.command { "PING" }]], "run = ping")
    done = vbench.run { none, "-p", server.port, "--workload-snapshot" }
    assert.equal(2, done.code)
    assert.matches("--workload-snapshot: the scenario has no keyspace", done.err, 1, true)
  end)
end)
