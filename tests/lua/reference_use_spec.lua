local command = require "vbench.command"
local reference_use = require "vbench.reference_use"
local session = require "vbench.session"

describe("which reference sets commands need", function()
  local vb, keys, hot, cold

  before_each(function()
    session.enter { role = "main" }
    vb = require "vbench"
    keys = vb.keyspace { prefix = "k:", size = 100 }
    hot = vb.reference_set { name = "hot", range = { 0, 10 } }
    cold = vb.reference_set { name = "cold", range = { 5, 30 } }
  end)

  local function uses(...)
    local given = { ... }
    if type(given[#given]) == "string" and given[#given]:find("^tracks ") then
      given.tracks = table.remove(given):match("^tracks (.*)$")
    end
    local found = reference_use.of { command.make(given) }
    return found[1] and table.concat(found[1].names, " ") or ""
  end

  it("are those that it reads, and those that it spares", function()
    assert.equal("hot", uses("GET", keys:only(hot)))
    assert.equal("hot", uses("GET", keys:existing():only(hot), "tracks observe"))
    assert.equal("cold", uses("GET", keys:except(cold)))
    assert.equal("cold", uses("DEL", keys:except(cold), "tracks remove"))
    assert.equal("hot", uses("SET", keys:only(hot), "v"))
    assert.equal("", uses("GET", keys:uniform()))
  end)

  it("are not those that it makes or deletes, or writes as data", function()
    assert.equal("", uses("SET", keys:only(hot), "v", "tracks add"))
    assert.equal("", uses("SET", keys:except(hot), "v", "tracks add"))
    assert.equal("", uses("SET", keys:only(hot):claim(), "v", "tracks add"))
    assert.equal("", uses("GET", keys:missing():only(hot)))
    assert.equal("", uses("GET", keys:existing_ratio(0.5):only(hot)))
    assert.equal("", uses("DEL", keys:only(hot), "tracks remove"))
    assert.equal("", uses("ZADD", vb.key "z", 1, keys:only(hot):value()))
  end)

  it("are one set for a keyspace, of all commands", function()
    local other = vb.keyspace { prefix = "o:", size = 100 }
    local found = reference_use.of {
      vb.command { "GET", keys:only(hot), name = "a" },
      vb.command { "GET", keys:only(hot), name = "b" },
      vb.command { "MGET", keys:only(cold), other:only(cold), name = "c" },
    }
    assert.equal(2, #found)
    assert.same({ "hot", "cold" }, found[1].names)
    assert.equal(30, found[1].set:count())
    assert.equal(keys, found[1].keyspace)
    assert.equal(other, found[2].keyspace)
    assert.equal(25, found[2].set:count())
    assert.is_nil(found[1].dataset)
    assert.equal(10, hot:count()) -- as it was
  end)

  it("are the records of the ground truth, for a query inside anything", function()
    local ds = vb.dataset "datasets/points-l2"
    local found = reference_use.of {
      vb.command { "ECHO", vb.concat { "q", ds.query.embedding }, name = "a" },
      vb.command { "HSET", ds.keys:sequential(), "f", ds.record.embedding, name = "b" },
    }
    assert.equal(1, #found)
    assert.equal(ds, found[1].dataset)
    assert.equal(ds.keys, found[1].keyspace)
    assert.equal(ds:truth_ids():count(), found[1].set:count())
    assert.same({}, reference_use.of {
      vb.command { "HSET", ds.keys:sequential(), "f", ds.record.embedding, name = "c" } })
    assert.equal(1, #reference_use.with_truths {})
  end)

  it("can be protected where a command deletes keys of the keyspace", function()
    local function removes(tracks)
      local name = "del " .. tracks
      return reference_use.removes({ vb.command { "DEL", keys:uniform(), tracks = tracks,
                                                  name = name } }, keys)
    end
    assert.is_true(removes "remove")
    assert.is_false(removes "observe")
  end)
end)
