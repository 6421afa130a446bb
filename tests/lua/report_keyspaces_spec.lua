local cjson = require "cjson"
local keyspaces = require "vbench.report.keyspaces"

local null = cjson.null

local function entry(fields)
  local all = { name = "k:", before = 1, after = 1200, added = null, removed = null, protected = 0,
                skipped_protected = 0, coverage = null, backfilled = 0, scan = null }
  for key, value in pairs(fields) do all[key] = value end
  return all
end

describe("keyspaces in the report for people", function()
  it("are a line each, with what is known", function()
    assert.same({}, keyspaces.lines {})
    assert.same({ "  keyspace 'k:': 1 key before, 1,200 after" }, keyspaces.lines { entry {} })
    assert.same({ "  keyspace 'k:': 1 key before, 1,200 after (1,201 added, 2 removed)",
                  "  keyspace 'm:': 1 key before, 0 after" },
      keyspaces.lines { entry { added = 1201, removed = 2 }, entry { name = "m:", after = 0 } })
  end)

  it("name what is covered, protected and scanned, on more lines when one is too short", function()
    assert.same({
      "  keyspace 'k:': 1 key before, 1,200 after, 95.0 % of the reference ids there, 5 missing,",
      "    5 backfilled, 100 protected, 3 deletes of them not sent,",
      "    scanned: 1,000,000 found, 1,000,000 new, 0 stale",
    }, keyspaces.lines { entry {
      coverage = { existing = 95, missing = 5, ratio = 0.95 }, backfilled = 5, protected = 100,
      skipped_protected = 3, scan = { found = 1e6, new = 1e6, stale = 0 },
    } })
  end)

  it("never move the cursor, and are never wider than the terminal", function()
    local lines = keyspaces.lines { entry { name = "\27[2J" .. ("x"):rep(200) } }
    assert.equal(1, #lines)
    assert.equal(100, #lines[1])
    assert.is_nil(lines[1]:find("%c"))
  end)
end)
