-- Why a phase has ended before what was asked for, and what cursors cannot be: as it is told.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a cursor that ends", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local HEAD = [[
    local keys = vb.keyspace { prefix = "k:", size = 20 }
    local other = vb.keyspace { prefix = "o:", size = 1000 }
    local set = vb.command { "SET", keys:claim(), "v", tracks = "add" }
  ]]

  -- What is said of a phase that runs `expression` for 1000 operations, after `fill` claims.
  local function said(expression, fill)
    local script = vbench.scenario(HEAD .. ([[
      local asked = %s
      return vb.scenario { phases = {
        vb.phase { name = "fill", run = set, requests = %d },
        vb.phase { name = "p", run = asked, requests = 1000 } } } ]]):format(expression,
      fill or 10))
    local run = vbench.run { script, "-p", server.port, "--no-baseline", "-q", "-c", 2,
                             "--max-errors", "100%" }
    return run.err, run.code
  end

  it("names the limit that it has reached", function()
    for cursor, limit in pairs {
      ["uniform()"] = 7, ["existing()"] = 5, ["claim()"] = 3, ["sequential()"] = 4,
      ["shuffled()"] = 50,
    } do
      local text = said(('vb.command { "GET", keys:%s:limit(%d) }'):format(cursor, limit))
      assert.matches(("phase 'p': its cursor ended after %d of 1000 operations; :limit(%d) of its "
        .. "cursor was reached\n"):format(limit, limit), text, 1, true)
    end
  end)

  it("names what it lacks where the limit was not reached", function()
    assert.matches("after 10 of 1000 operations; every id of keyspace 'k:' exists or is claimed",
      said('vb.command { "GET", keys:claim():limit(15) }'), 1, true)
    assert.matches("after 0 of 1000 operations; no missing key of keyspace 'k:' is left to draw",
      said('vb.command { "GET", keys:missing():limit(15) }', 20), 1, true)
    assert.matches("ended after 20 of 1000 operations; cursor:wrap() starts it over",
      said('vb.command { "GET", keys:sequential():limit(30) }'), 1, true)
  end)

  it("names that of the command which has ended a mix", function()
    local text = said([[vb.mix { { 9, vb.command { "GET", keys:existing(), name = "read" } },
      { 1, vb.command { "SET", keys:claim(), "v", name = "again" } } }]])
    assert.matches("operations; every id of keyspace 'k:' exists or is claimed\n", text, 1, true)
    text = said([[vb.mix { { 1, vb.command { "SET", other:claim(), "v", name = "more" } },
      { 9, vb.command { "DEL", keys:existing(), tracks = "remove" } } }]])
    assert.matches("operations; no existing key of keyspace 'k:' is left to draw\n", text, 1, true)
  end)

  it("is told with the command's line when its filters leave no id", function()
    local text, code = said([[vb.command { "GET", keys:only(vb.reference_set { name = "far",
      ids = { 50, 60 } }) }]])
    assert.matches("%.lua:%d+: command 'get': cursor of keyspace 'k:': its filters leave no id",
      text)
    assert.equal(2, code)
  end)
end)
