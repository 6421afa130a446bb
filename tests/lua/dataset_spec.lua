local data = require "tests.support.datafile"
local process = require "tests.support.process"
local script = require "tests.lua.fixtures.script"
local show = require "tests.lua.fixtures.show"

describe("vb.dataset", function()
  local vb, directory, base

  setup(function()
    directory = process.directory()
    base = data.products(directory .. "/products")
  end)
  teardown(function() process.remove(directory) end)
  before_each(function() vb = script.fresh() end)

  it("tells what it holds", function()
    local ds = vb.dataset(base)
    assert.equal(4, ds.count)
    assert.equal(3, ds.query_count)
    assert.equal("cosine", ds.metric)
    assert.equal(2, ds.dim)
    assert.equal("HSET", ds.load)
    assert.equal("title", ds.fields[2].name)
    assert.equal("text", ds.fields.title.type)
    assert.equal(10, ds.fields.title.max_bytes)
    assert.is_true(ds.fields.note.optional)
    assert.equal("float64", ds.fields.price.dtype)
    assert.equal(2, #ds.query_fields)
    assert.equal(4, ds.keys.size)
  end)

  it("is opened by BASE, BASE.yaml, BASE.bin, and by its two files", function()
    assert.equal(4, vb.dataset(base .. ".yaml").count)
    assert.equal(4, vb.dataset { base .. ".bin", name = "b" }.count)
    local apart = vb.dataset { schema = base .. ".yaml", data = base .. ".bin", name = "c" }
    assert.equal(4, apart.count)
  end)

  it("is the same when it is declared again", function()
    assert.equal(vb.dataset(base), vb.dataset(base))
  end)

  it("reads records, keys, queries and neighbours", function()
    local ds = vb.dataset(base)
    assert.same({ v = data.f32(5, 6), title = 'a "b"', note = "", price = 0.1, raw = "b\0\0" },
      ds:record(2))
    assert.equal("key:thre", ds:key(2))
    assert.equal("", ds:key(1))
    assert.same({ v = data.f32(2, 2), title = "two" }, ds:query_record(1))
    local ids, distances = ds:neighbors(0)
    assert.same({ 0, 2 }, ids)
    assert.same({ 0, 0.5 }, distances)
    assert.same({ 1 }, (ds:neighbors(2))) -- the first is none
  end)

  it("gives the records that its ground truth names as a reference set", function()
    local ds, list = vb.dataset(base), {}
    local set = ds:truth_ids()
    for id in set:each() do list[#list + 1] = id end
    assert.same({ 0, 1, 2, 3 }, list)
    assert.equal(set, ds:truth_ids())
    ds.keys:add_range(0, 2)
    assert.same({ 2, 2 }, { set:coverage(ds.keys).existing, set:coverage(ds.keys).missing })
    local zsets = vb.dataset(data.zset(directory .. "/no-truth"))
    assert.error_matches(function() zsets:truth_ids() end, "has no ground truth")
  end)

  it("gives the numbers of its queries as a reference set", function()
    local ds, list = vb.dataset(base), {}
    local set = ds:query_ids()
    for id in set:each() do list[#list + 1] = id end
    assert.same({ 0, 1, 2 }, list)
    assert.equal(set, ds:query_ids())
    local zsets = vb.dataset(data.zset(directory .. "/no-queries"))
    assert.error_matches(function() zsets:query_ids() end, "has no queries")
  end)

  it("reads collections", function()
    local zsets = vb.dataset(data.zset(directory .. "/zsets"))
    assert.same({ { score = 2.5, value = "a" }, { score = 1, value = "b" } }, zsets:record(0))
    assert.same({}, zsets:record(1))
    assert.equal("key:{AAB}:000000000001", zsets:key(1))
    local lists = vb.dataset(data.members(directory .. "/lists", "list"))
    assert.same({ "ccc", "", "a" }, lists:record(2))
    assert.equal("RPUSH", lists.load)
  end)

  it("reads NaN of any bits as NaN", function()
    local ds = vb.dataset(data.write(directory .. "/nan", [[
record: { fields: [ { name: n, type: numeric } ] }
sections:
  records: { count: 2 }
  queries: { count: 1 }
  ground_truth: { neighbors_per_query: 1, distances: true }
]], ("\65\65\65\65\0\0\253\255"):rep(3) .. data.u64(0) .. "\255\255\255\255"))
    local value = ds:record(1).n
    assert.equal("nan", tostring(value))
    local _, distances = ds:neighbors(0)
    assert.equal("nan", tostring(distances[1]))
  end)

  it("names what is wrong", function()
    local ds = vb.dataset(base)
    local function fails(message, fn) assert.error_matches(fn, message) end
    fails("dataset 'products' has no field 'titel'; did you mean 'title'%?",
      function() return ds.record.titel end)
    fails("dataset 'products' has no query field 'price'", function() return ds.query.price end)
    fails("takes \"wrap\" as its mode, not 'warp'", function() ds.record("title", "warp") end)
    fails("the order of ds:query is 'random'",
      function() ds:query("title", { order = "random" }) end)
    fails("has no record 4: they are 0 to 3", function() ds:record(4) end)
    fails("has no query 1.5", function() ds:query_record(1.5) end)
    fails("a dataset has no 'cuont'; did you mean 'count'%?", function() return ds.cuont end)
    fails("nowhere.yaml: No such file", function() vb.dataset "nowhere" end)
    fails("takes a path, or schema = and data =", function() vb.dataset { schema = "x" } end)
    fails("unknown field 'prefx'", function() vb.dataset { "x", prefx = "y" } end)
    fails("vb.dataset takes one argument: a path, or a table",
      function() vb.dataset(base, { prefix = "p:" }) end)
    local lists = vb.dataset(data.members(directory .. "/more", "list"))
    fails("are a list: there is ds.record.members, and no 'title'",
      function() return lists.record.title end)
    fails("the members of a record are several arguments, not one",
      function() vb.concat { lists.record.members } end)
    fails("x.yaml:2:12: not YAML", function()
      data.write(directory .. "/x", "metadata: a: 2", "")
      vb.dataset(directory .. "/x")
    end)
  end)

  it("refuses to draw queries in two ways for one command", function()
    local ds = vb.dataset(base)
    local echo = vb.command { "ECHO",
      vb.concat { ds.query.title, ds:query("v", { order = "sequential" }) } }
    assert.error_matches(function()
      show.phase(vb.phase { name = "p", run = echo, requests = 1 }, { 0 })
    end, "queries of dataset 'products' are uniform and sequential; all of a command are of one")
  end)
end)
