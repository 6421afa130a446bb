local session = require "vbench.session"
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
