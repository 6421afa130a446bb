local session = require "vbench.session"
local traces = require "tests.lua.fixtures.traces"
local vb = require "vbench"

describe("the tracker of a keyspace", function()
  local keys

  before_each(function()
    session.enter()
    keys = vb.keyspace { prefix = "user:", size = 1000 }
  end)

  it("says whether an id is new", function()
    assert.is_true(keys:add(5))
    assert.is_false(keys:add(5))
    assert.is_true(keys:exists(5))
    assert.is_false(keys:exists(6))
    assert.is_true(keys:remove(5))
    assert.is_false(keys:remove(5))
  end)

  it("claims an id once, and counts it", function()
    assert.is_true(keys:claim(7))
    assert.is_false(keys:claim(7))
    assert.is_true(keys:exists(7))
    keys:reset_cursor()
    assert.equal(1, keys:count())
  end)

  it("takes half-open ranges, and says how many changed", function()
    assert.equal(100, keys:add_range(0, 100))
    assert.equal(50, keys:add_range(50, 150))
    assert.equal(150, keys:count())
    assert.equal(10, keys:count(140, 160))
    assert.equal(0.15, keys:density())
    assert.equal(50, keys:remove_range(100, 1000))
    assert.equal(100, keys:clear())
    assert.equal(0, keys:density())
    assert.same({}, keys:unknown())
  end)

  it("names ids and ranges that cannot be", function()
    assert.error_matches(function() keys:add(1000) end,
      "keyspace 'user:' has no id 1000: ids are whole numbers from 0 to 999")
    assert.error_matches(function() keys:exists(-1) end, "has no id %-1")
    assert.error_matches(function() keys:remove(1.5) end, "has no id 1.5")
    assert.error_matches(function() keys:claim("7") end, "has no id a string")
    assert.error_matches(function() keys:add_range(5, 1001) end, "ends at 1001, past the 1000 ids")
    assert.error_matches(function() keys:add_range(9, 5) end, "ends before it begins")
  end)

  it("is compiled in hooks", function()
    local hot = vb.reference_set { name = "hot", range = { 0, 10 } }
    local slotted = vb.keyspace { name = "s", prefix = "s:", size = 1000, slots = { 0, 9000 } }
    local loops = {
      add = function(rounds) for i = 1, rounds do keys:add(i) end end,
      exists = function(rounds) for i = 1, rounds do keys:exists(i) end end,
      remove = function(rounds) for i = 1, rounds do keys:remove(i) end end,
      claim = function(rounds) for i = 1, rounds do keys:claim(i) end end,
      contains = function(rounds) for i = 1, rounds do hot:contains(i) end end,
      slots = function(rounds) for i = 1, rounds do slotted:add(i) end end,
    }
    for name, loop in pairs(loops) do
      local compiled, given_up
      for _ = 1, 5 do -- LuaJIT waits a random while, and may begin in a callee and run out of tries
        compiled, given_up = traces.of(loop)
        if #given_up == 0 then break end
      end
      assert.same({}, given_up, name)
      assert.is_true(compiled > 0, name)
    end
  end)

  it("is not for load time", function()
    session.enter { role = "main" }
    local own = vb.keyspace { prefix = "user:", size = 10 }
    assert.error_matches(function() own:add(1) end,
      "keys of keyspace 'user:' exist is asked in setup, main and hooks")
    session.loaded()
    assert.is_true(own:add(1))
  end)

  it("protects with a reference set alone", function()
    keys:protect(vb.reference_set { name = "hot", ids = { 1, 2 } })
    keys:protect(nil)
    assert.error_matches(function() keys:protect({ 1 }) end, "takes a reference set, not a table")
  end)
end)

describe("a snapshot", function()
  local keys

  before_each(function()
    session.enter()
    keys = vb.keyspace { prefix = "user:", size = 1000 }
    keys:add_range(10, 20)
  end)

  local function ids(set)
    local list = {}
    for id in set:each() do list[#list + 1] = id end
    return list
  end

  it("does not change", function()
    local before = keys:snapshot()
    keys:clear()
    assert.equal(10, before:count())
    assert.is_true(before:test(10))
    assert.is_false(before:test(20))
    assert.same({ 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 }, ids(before))
  end)

  it("says what came and went since an earlier one", function()
    local before = keys:snapshot()
    keys:remove_range(10, 13)
    keys:add(500)
    local after = keys:snapshot()
    assert.same({ 500 }, ids(after:added_since(before)))
    assert.same({ 10, 11, 12 }, ids(after:removed_since(before)))
    assert.equal(1, after:added_since_count(before))
    assert.equal(3, after:removed_since_count(before))
    assert.equal(7, after:intersection_count(before))
    assert.equal(7, after:intersection(before):count())
    assert.equal(3, before:difference_count(after))
    assert.same({ 10, 11, 12 }, ids(before:difference(after)))
  end)

  it("is of no use when closed, and takes snapshots only", function()
    local snapshot = keys:snapshot()
    snapshot:close()
    snapshot:close()
    assert.error_matches(function() snapshot:count() end, "of keyspace 'user:' is closed")
    assert.error_matches(function() keys:snapshot():added_since(keys) end,
      "snapshot:added_since takes a snapshot, not a keyspace")
    assert.error_matches(function() keys:snapshot():cout() end, "did you mean 'count'")
  end)
end)

describe("a reference set", function()
  local keys, set

  before_each(function()
    session.enter()
    keys = vb.keyspace { prefix = "user:", size = 1000 }
    set = vb.reference_set { name = "hot", ids = { 30, 5, 2000, 5 } }
  end)

  local function ids(of)
    local list = {}
    for id in of:each() do list[#list + 1] = id end
    return list
  end

  it("comes from a list or a half-open range", function()
    assert.same({ 5, 30, 2000 }, ids(set))
    assert.equal(3, set:count())
    assert.is_true(set:contains(30))
    assert.is_false(set:contains(31))
    assert.is_false(set:contains(-1))
    assert.same({ 3, 4 }, ids(vb.reference_set { name = "few", range = { 3, 5 } }))
  end)

  it("gains and loses ids", function()
    assert.is_true(set:add(6))
    assert.is_false(set:add(6))
    assert.is_true(set:remove(5))
    assert.is_false(set:remove(5))
    assert.same({ 6, 30, 2000 }, ids(set))
  end)

  it("is joined with others", function()
    local other = vb.reference_set { name = "few", range = { 28, 32 } }
    assert.same({ 5, 28, 29, 30, 31, 2000 }, ids(set:union(other)))
    assert.same({ 30 }, ids(set:intersection(other)))
    assert.same({ 5, 2000 }, ids(set:difference(other)))
    assert.equal(6, set:union_count(other))
    assert.equal(1, set:intersection_count(other))
    assert.equal(2, set:difference_count(other))
    assert.error_matches(function() set:union(keys) end, "takes a reference set, not a keyspace")
  end)

  it("tells what exists of it, and what is missing or outside", function()
    keys:add_range(0, 10)
    assert.same({ 5 }, ids(set:existing_in(keys)))
    assert.same({ 30, 2000 }, ids(set:missing_in(keys:snapshot())))
    assert.equal(1, set:existing_in_count(keys:snapshot()))
    assert.equal(2, set:missing_in_count(keys))
    assert.same({ existing = 1, missing = 2, outside = 1, ratio = 1 / 3 }, set:coverage(keys))
    assert.equal(1, set:restore(keys))
    assert.is_true(keys:exists(30))
    assert.equal(11, keys:count())
  end)

  it("says what is wrong with a declaration", function()
    local function declare(given) return function() vb.reference_set(given) end end
    assert.error_matches(declare { name = "a" }, "takes either ids or range")
    assert.error_matches(declare { ids = {} }, "needs a name")
    assert.error_matches(declare { name = "a", ids = { 1, -5 } }, "id 2 of vb.reference_set is %-5")
    assert.error_matches(declare { name = "a", range = { 5, 5 } }, "the end of the range")
    assert.error_matches(declare { name = "hot", ids = {} }, "two reference_sets are named 'hot'")
    assert.error_matches(declare { name = "a", id = {} }, "did you mean 'ids'")
  end)

  it("needs no name once the script is loaded", function()
    session.loaded()
    assert.equal(2, vb.reference_set({ ids = { 1, 2 } }):count())
  end)
end)

describe("a keyspace with sub-ids", function()
  local keys

  before_each(function()
    session.enter()
    keys = vb.keyspace { prefix = "user:", size = 10, max_sub_id = 4 }
  end)

  it("is asked for pairs", function()
    assert.equal(40, keys.size)
    assert.is_true(keys:add(9, 3))
    assert.is_true(keys:exists(9, 3))
    assert.is_false(keys:exists(9, 2))
    assert.is_true(keys:claim(0, 0))
    assert.is_true(keys:remove(0, 0))
    assert.equal(8, keys:add_range(0, 2))
    assert.equal(8, keys:count(0, 2))
    assert.equal(9 / 40, keys:density())
  end)

  it("names pairs that cannot be", function()
    assert.error_matches(function() keys:add(9) end, "has no sub%-id nil: it takes an id and")
    assert.error_matches(function() keys:add(9, 4) end, "has no sub%-id 4.* from 0 to 3")
    assert.error_matches(function() keys:add(10, 0) end, "has no id 10.* from 0 to 9")
    local plain = vb.keyspace { prefix = "p:", size = 10 }
    assert.error_matches(function() plain:add(1, 0) end, "without max_sub_id")
  end)
end)

describe("a keyspace of slots", function()
  it("counts only keys of its slots", function()
    session.enter()
    local low = vb.keyspace { name = "low", prefix = "k", width = 0, size = 1000,
                              slots = { 0, 8192 } }
    local high = vb.keyspace { name = "high", prefix = "k", width = 0, size = 1000,
                               slots = { 8192, 16384 } }
    local in_low, in_high = low:add_range(0, 1000), high:add_range(0, 1000)
    assert.equal(1000, in_low + in_high)
    assert.is_true(in_low > 400 and in_high > 400)
    assert.is_false(low:exists(5) == high:exists(5))
    assert.is_false(low:add(5) or high:add(5))
  end)
end)

describe("a keyspace without a size", function()
  it("grows by doubling up to max_size", function()
    session.enter()
    local keys = vb.keyspace { prefix = "k:" }
    assert.equal(2 ^ 40, keys.size)
    assert.is_true(keys:add(2 ^ 40 - 1))
    local small = vb.keyspace { prefix = "s:", max_size = "1m" }
    small:add_range(0, 65536)
    assert.equal(1, small:density())
    small:add(65536)
    assert.equal(65537 / 131072, small:density())
    assert.equal(65537 / 131072, vb.keyspace_group { small }:density())
    assert.error_matches(function() small:add(1000000) end, "has no id 1000000")
  end)
end)

describe("a group of keyspaces", function()
  local users, carts, group

  before_each(function()
    session.enter()
    users = vb.keyspace { prefix = "user:", size = 100 }
    carts = vb.keyspace { prefix = "user:cart:", size = 100, width = 0, max_sub_id = 3 }
    group = vb.keyspace_group { users, carts, by = "prefix" }
  end)

  it("finds the keyspace of a key", function()
    local keyspace, id, sub = group:find("user:000000000042")
    assert.equal(users, keyspace)
    assert.same({ 42, nil }, { id, sub })
    keyspace, id, sub = group:find("user:cart:7:2")
    assert.equal(carts, keyspace)
    assert.same({ 7, 2 }, { id, sub })
    assert.is_nil(group:find("user:cart:7:3"))
    assert.is_nil(group:find("session:1"))
  end)

  it("finds the one of the longest prefix where a key fits several", function()
    local short = vb.keyspace { prefix = "k", size = 1000, width = 0 }
    local long = vb.keyspace { prefix = "k1", size = 1000, width = 0 }
    for _, members in ipairs { { short, long }, { long, short } } do
      local both = vb.keyspace_group(members)
      local keyspace, id = both:find("k15")
      assert.same({ "k1", 5 }, { keyspace.name, id })
      keyspace, id = both:find("k25")
      assert.same({ "k", 25 }, { keyspace.name, id })
    end
  end)

  it("adds, and sums up", function()
    assert.is_true(group:add("user:000000000001"))
    assert.is_true(group:add("user:cart:7:2"))
    assert.is_false(group:add("user:cart:7:2"))
    assert.is_nil(group:add("session:1"))
    assert.is_true(users:exists(1))
    assert.is_true(carts:exists(7, 2))
    assert.equal(2, group:count())
    assert.equal(400, group:size())
    assert.equal(0.005, group:density())
  end)

  it("by slots asks the one whose slots they are", function()
    local low = vb.keyspace { name = "low", prefix = "k", width = 0, size = 9, slots = { 0, 8192 } }
    local high = vb.keyspace { name = "high", prefix = "k", width = 0, size = 9,
                               slots = { 8192, 16384 } }
    local by_slots = vb.keyspace_group { low, high, by = "slots" }
    for id = 0, 8 do by_slots:add("k" .. id) end
    assert.equal(9, by_slots:count())
    assert.is_true(low:count() > 0 and high:count() > 0)
    assert.error_matches(function() vb.keyspace_group { users, by = "slots" } end,
      "keyspace 'user:' has none")
    assert.error_matches(function() vb.keyspace_group { low, low, by = "slots" } end,
      "'low' and 'low' overlap")
    assert.error_matches(function() vb.keyspace_group { users, by = "slot" } end,
      "did you mean 'slots'")
    assert.error_matches(function() vb.keyspace_group { 5 } end, "takes keyspaces, not a number")
  end)
end)
