-- vbench dataset inspect, info, verify, subset, extend: what they say of datasets, good and
-- damaged, and what they make of them.
local datasets = require "tests.support.dataset"
local python = require "tests.support.python"
local vbench = require "tests.support.vbench"

describe("vbench dataset", function()
  local dir

  before_each(function() dir = datasets.new() end)
  after_each(function() dir:clean() end)
  teardown(vbench.clean)

  local ONE, TWO, NAN = "\0\0\128\63", "\0\0\0\64", "\0\0\192\127"

  -- Two records of a vector, a variable text and a number, with keys, a query and ground truth.
  local MIXED = [[
version: 1
metadata: { name: mixed, description: "two things" }
record:
  fields:
    - { name: v, type: vector, dimensions: 2 }
    - { name: t, type: text, length: variable, max_bytes: 4 }
    - { name: n, type: numeric, dtype: int64 }
sections:
  records: { count: 2 }
  keys:    { present: true, max_bytes: 3 }
  queries: { present: true, count: 1, query_fields: [v] }
  ground_truth: { present: true, neighbors_per_query: 2, distances: true }
]]
  local function id(n) return ("%c\0\0\0\0\0\0\0"):format(n) end

  local function mixed(changes)
    local c = setmetatable(changes or {}, { __index = {
      v = ONE .. TWO, length = "\2\0\0\0", t = "ab\0\0", key = "k1\0", ids = id(0) .. id(1),
      far = "\0\0\0\0" .. ONE, tail = "" } })
    dir:write("x.yaml", MIXED)
    dir:write("x.bin", c.v .. c.length .. c.t .. "\255\255\255\255\255\255\255\127"
      .. TWO .. TWO .. "\0\0\0\0\0\0\0\0" .. id(7) .. c.key .. "k2\0" .. ONE .. TWO .. c.ids
      .. c.far .. c.tail)
  end

  describe("inspect", function()
    it("prints lines of at most 100 columns", function()
      for _, name in ipairs { "leaderboards", "points-l2", "products", "timelines" } do
        local run = vbench.run { "dataset", "inspect", vbench.root .. "/datasets/" .. name }
        assert.equal(0, run.code, run.all)
        for line in run.out:gmatch("[^\n]+") do assert.is_true(#line <= 100, line) end
      end
    end)

    it("prints records, keys, queries and neighbours", function()
      mixed()
      assert.equal([[
record 0  key "k1"
  v: [1, 2]
  t: "ab"
  n: 9223372036854775807
record 1  key "k2"
  v: [2, 2]
  t: ""
  n: 7
query 0
  v: [1, 2]
  neighbours: 0 (0), 1 (1)
]], dir:run("inspect", "x").out)
    end)

    it("prints as many as asked for, or the one", function()
      mixed()
      assert.equal('record 1  key "k2"\n  v: [2, 2]\n  t: ""\n  n: 7\n',
        dir:run("inspect", "x.yaml", "--record", "1").out)
      local run = dir:run("inspect", "x.bin", "--limit", "1")
      assert.matches("record 0", run.out)
      assert.not_matches("record 1", run.out)
      assert.matches("query 0", run.out)
      dir:assert_refuses("--record prints one record, and --limit says how many", "inspect", "x",
        "--record", "1", "--limit", "1")
      dir:assert_refuses("--json and --format text exclude each other", "inspect", "x", "--json",
        "--format", "text")
      dir:assert_refuses("--record 2: x has 2 records, numbered from 0", "inspect", "x",
        "--record", "2")
    end)

    it("prints JSON that a strict reader takes, whatever the bytes", function()
      mixed { t = "a\255\0\0" }
      local json = vbench.decode(dir:run("inspect", "x", "--json").out)
      assert.same({ v = { 1, 2 }, t = { hex = "61ff" }, n = 9223372036854775807 },
        json.records[1].fields)
      assert.equal("k2", json.records[2].key)
      assert.same({ 0, 1 }, json.queries[1].neighbors)
      assert.same({ 0, 1 }, json.queries[1].distances)
      assert.equal(json.dataset, vbench.decode(dir:run("inspect", "x", "--format", "json",
        "--limit", "0").out).dataset)
    end)

    it("takes the schema and the data by names of their own", function()
      mixed()
      local out = dir:run("inspect", "x").out
      dir:write("a.schema", dir:read("x.yaml"))
      dir:write("b.data", dir:read("x.bin"))
      assert.equal(out, dir:run("inspect", "--schema", "a.schema", "--data", "b.data").out)
      for _, name in ipairs { "info", "verify" } do
        dir:run(name, "--schema", "a.schema", "--data", "b.data")
      end
      dir:run("subset", "--schema", "a.schema", "--data", "b.data", "-n", "1", "-o", "y")
      dir:assert_refuses("--schema and --data name one dataset together: give both", "inspect",
        "--schema", "a.schema")
      dir:assert_refuses("--schema and --data name a dataset, and so does x", "inspect", "x",
        "--schema", "a.schema", "--data", "b.data")
    end)

    it("makes the keys that are not stored", function()
      dir:write("e.fvecs", ("\1\0\0\0" .. ONE):rep(30))
      dir:run("import", "e.fvecs", "-o", "e", "--key-pattern", "a%%{HASHTAG}:%04d")
      assert.matches('record 29  key "a%{ABD}:0029"', dir:run("inspect", "e", "--record", "29").out,
        1, true)
    end)

    it("prints members of collections", function()
      dir:write("s.yaml", "version: 1\nrecord: { collection: { type: set, max_members: 2, member: "
        .. "{ type: text, max_bytes: 2 } } }\nsections: { records: { count: 1 } }\n")
      dir:write("s.bin", "\2\0\0\0a\0bb")
      assert.matches('  2 members: "a", "bb"\n', dir:run("inspect", "s").out, 1, true)
      assert.same({ "a", "bb" },
        vbench.decode(dir:run("inspect", "s", "--json").out).records[1].members)
    end)
  end)

  it("opens the old format of one file in place", function()
    local function u32(n) return ("%c%c\0\0"):format(n % 256, math.floor(n / 256)) end
    local function u64(n) return u32(n) .. "\0\0\0\0" end
    dir:write("old.bin", "\1\176\205\222" .. u32(1) .. "old set" .. ("\0"):rep(249) .. "\0\0\0\0"
      .. u32(1) .. u64(3) .. u64(1) .. u32(2) .. u32(0) .. u64(380) .. u64(400) .. u64(344)
      .. u64(0) .. u64(0) .. u64(0) .. id(2) .. id(0) .. "\0\0\0\0" .. ONE
      .. ("x"):rep(12) .. ONE .. ONE .. TWO .. ("y"):rep(8) .. TWO)
    assert.equal("old: 3 records and 1 queries are good; ground truth of 1 recomputed\n",
      dir:run("verify", "old").out)
    assert.matches("query 0\n  embedding: [2]\n  neighbours: 2 (0), 0 (1)\n",
      dir:run("inspect", "old.bin").out, 1, true)
    assert.matches("old set  (old.bin)\n3 records of 4 bytes", dir:run("info", "old").out, 1, true)
  end)

  it("info tells counts, sizes and offsets, as text and as JSON", function()
    mixed { tail = "more" }
    local run = dir:run("info", "x")
    assert.matches("mixed  (x.bin)\ntwo things\n2 records of 24 bytes, sent by HSET; keys stored\n"
      .. "1 queries of 8 bytes, 2 neighbours each\n4 bytes behind what the schema speaks of",
      run.out, 1, true)
    assert.matches("          48            6  keys\n", run.out, 1, true)
    assert.matches("           8            8  t                    text, variable 4 bytes\n",
      run.out, 1, true)
    local json = vbench.decode(dir:run("info", "x", "--json").out)
    assert.same({ 0, 48, 54, 62, 78 }, { json.sections[1].offset, json.sections[2].offset,
      json.sections[3].offset, json.sections[4].offset, json.sections[5].offset })
    assert.same({ 2, 24, 90, 4 }, { json.records, json.record_bytes, json.bytes, json.excess })
    assert.same({ "v", "vector", "float32", 2, 0, 8 }, { json.fields[1].name, json.fields[1].type,
      json.fields[1].dtype, json.fields[1].dimensions, json.fields[1].offset, json.fields[1].size })
  end)

  describe("verify", function()
    it("says that a good dataset is good", function()
      mixed()
      assert.equal("x: 2 records and 1 queries are good; ground truth of 1 recomputed\n",
        dir:run("verify", "x").out)
      assert.equal("x: 2 records and 1 queries are good\n",
        dir:run("verify", "x", "--sample", "0").out)
    end)

    it("warns of a file that is longer than the schema says", function()
      mixed { tail = "more" }
      assert.matches("x: has 4 bytes behind what the schema speaks of", dir:run("verify", "x").err,
        1, true)
    end)

    local WRONG = {
      { "a length over max_bytes", { length = "\5\0\0\0" },
        "1 lengths over max_bytes\n  record 0 (key 'k1'): t: its length is 5, max_bytes is 4\n" },
      { "invalid UTF-8", { t = "a\255\0\0" },
        "1 texts not in their encoding\n  record 0 (key 'k1'): t: byte 1, 0xff, is no UTF-8\n" },
      { "an overlong form", { t = "\192\128\0\0" },
        "1 texts not in their encoding\n  record 0 (key 'k1'): t: byte 0, 0xc0, is no UTF-8\n" },
      { "a key in no encoding", { key = "\128\0\0" },
        "1 texts not in their encoding\n"
        .. "  record 0 (key '\\x80'): the key: byte 0, 0x80, is no UTF-8\n" },
      { "a key that another record has", { key = "k2\0" },
        "1 keys that another record has\n  record 1 (key 'k2'): record 0 has this key, too\n" },
      { "NaN", { v = ONE .. NAN },
        "1 numbers that are NaN or infinite\n"
        .. "  record 0 (key 'k1'): v: value 1 is NaN or infinite\n" },
      { "an id past the end", { ids = id(0) .. id(2) },
        "1 ids that cannot be\n  query 0: neighbour 1 is 2; there are 2 records\n" },
      { "an id twice", { ids = id(1) .. id(1) },
        "1 ids that cannot be\n  query 0: the neighbour 1 stands there twice\n" },
      { "distances out of order", { far = ONE .. "\0\0\0\0" },
        "1 distances out of order\n  query 0: distance 1 is 0, the one before it 1\n" },
      { "neighbours that are not the nearest", { ids = id(1) .. id(0) },
        "ground truth of 1 of 1 queries is not that of brute force\n"
        .. "  query 0: neighbour 0 is 1 at 1, the nearest is 0 at 0\n" },
    }
    for _, wrong in ipairs(WRONG) do
      it("finds " .. wrong[1], function()
        mixed(wrong[2])
        local run = vbench.run { "dataset", "verify", "x", cwd = dir.path }
        assert.equal(1, run.code)
        assert.equal(wrong[3], run.out)
      end)
    end

    -- Such bits are values of other types to LuaJIT.
    it("takes NaN of any bits for NaN, as inspect and extend do", function()
      local forged = "\65\65\65\65\0\0\253\255\120\86\52\18\0\128\251\255"
      dir:write("n.yaml", [[
version: 1
record:
  fields:
    - { name: v, type: vector, dtype: float64, dimensions: 2 }
    - { name: f, type: vector, dimensions: 2 }
    - { name: n, type: numeric }
sections:
  records: { count: 1 }
  queries: { count: 1 }
  ground_truth: { neighbors_per_query: 1, distances: true }
]])
      dir:write("n.bin", (forged .. ("\255"):rep(16)):rep(2) .. id(0) .. ("\255"):rep(4))
      assert.matches("v: [nan, nan]\n  f: [nan, nan]\n  n: nan\n  neighbours: 0 (nan)",
        dir:run("inspect", "n").out, 1, true)
      local json = dir:run("inspect", "n", "--json").out
      assert.same({ vbench.null, vbench.null }, vbench.decode(json).records[1].fields.v)
      dir:run("extend", "n", "-n", "3", "-o", "m")
      local run = vbench.run { "dataset", "verify", "m", "--sample", "0", cwd = dir.path }
      assert.matches("^12 numbers that are NaN or infinite", run.out)
    end)

    it("takes another record at the same distance for the nearest", function()
      dir:write("e.fvecs", ("\1\0\0\0" .. ONE):rep(3))
      dir:write("q.fvecs", "\1\0\0\0" .. TWO)
      dir:write("g.ivecs", "\2\0\0\0\2\0\0\0\1\0\0\0")
      for _, metric in ipairs { "l2", "cosine", "ip" } do
        dir:run("import", "e.fvecs", "--queries", "q.fvecs", "--ground-truth", "g.ivecs", "-o", "e",
          "--metric", metric)
        assert.matches("ground truth of 1 recomputed", dir:run("verify", "e").out)
      end
    end)

    it("names the keys of records that other writers made too long", function()
      dir:write("s.yaml", "version: 1\nrecord: { fields: [ { name: v, type: text, length: variable,"
        .. " max_bytes: 1 } ] }\nsections: { records: { count: 3 }, keys: { max_bytes: 45 } }\n")
      local long = "\2\0\0\0a"
      dir:write("s.bin", long .. "\1\0\0\0a" .. long .. "user:\195\169" .. ("\0"):rep(38)
        .. "k" .. ("\0"):rep(44) .. ("k"):rep(45))
      local run = vbench.run { "dataset", "verify", "s", cwd = dir.path }
      assert.equal("2 lengths over max_bytes\n"
        .. "  record 0 (key 'user:\195\169'): v: its length is 2, max_bytes is 1\n"
        .. "  record 2 (key '" .. ("k"):rep(40) .. "...'): v: its length is 2, max_bytes is 1\n",
        run.out)
    end)

    it("finds member counts over max_members, and counts what cannot be sent", function()
      dir:write("s.yaml", "version: 1\nrecord: { collection: { type: set, max_members: 2, member: "
        .. "{ type: text, max_bytes: 2 } } }\nsections: { records: { count: 2 } }\n")
      dir:write("s.bin", "\3\0\0\0a\0bb" .. ("\0"):rep(8))
      local run = vbench.run { "dataset", "verify", "s", cwd = dir.path }
      assert.equal(1, run.code)
      assert.equal("1 member counts over max_members\n  record 0: 3 members, max_members is 2\n"
        .. "1 records have no members or an empty key, and cannot be sent\n", run.out)
    end)

    it("refuses a file that is shorter than the schema says", function()
      mixed()
      dir:write("x.bin", dir:read("x.bin"):sub(1, -2))
      local run = dir:assert_refuses("x.bin: ", "verify", "x")
      assert.matches("85", run.err, 1, true)
      assert.matches("86", run.err, 1, true)
    end)
  end)

  describe("with many vectors", function()
    local MAKE = [[
import numpy as np, h5py
rng = np.random.default_rng(3)
base, test = rng.normal(size=(400, 6)).astype("f4"), rng.normal(size=(9, 6)).astype("f4")
def vecs(name, rows):
    with open(name, "wb") as f:
        for row in rows: f.write(np.int32(len(row)).tobytes() + row.tobytes())
vecs("e.fvecs", base); vecs("q.fvecs", test)
square = ((test[:, None].astype("f8") - base[None]) ** 2).sum(2)
near = np.argsort(square, 1, kind="stable")[:, :10]
vecs("g.ivecs", near.astype("i4"))
open("k.txt", "w").write("".join("k%d\n" % i for i in range(400)))
with h5py.File("a.h5", "w") as h:
    h["train"] = base; h["test"] = test; h.attrs["distance"] = "angular"
]]
    -- The dataset NAME as arrays: records, keys, queries, ids.
    local READ = [[
import numpy as np
def read(name, records, k, key=4):
    data = open(name + ".bin", "rb").read()
    at = records * 24
    base, keys = np.frombuffer(data[:at], "<f4").reshape(-1, 6), data[at:at + records * key]
    at += records * key
    test = np.frombuffer(data[at:at + 216], "<f4").reshape(9, 6)
    return base, keys, test, np.frombuffer(data[at + 216:], "<u8").reshape(9, k)
def nearest(base, test, k):
    square = ((test[:, None].astype("f8") - base[None]) ** 2).sum(2)
    return np.argsort(square, 1, kind="stable")[:, :k]
]]

    local function make(metric)
      python.run(MAKE, dir.path)
      dir:run("import", "e.fvecs", "--keys", "k.txt", "--queries", "q.fvecs", "--ground-truth",
        "g.ivecs", "--metric", metric or "l2", "-o", "all")
    end

    it("verify finds the one query whose neighbours are wrong", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      make()
      local yaml, bin = dir:read("all.yaml"), dir:read("all.bin")
      dir:write("bad.yaml", yaml)
      dir:write("bad.bin", bin:sub(1, -81) .. bin:sub(-72, -65) .. bin:sub(-80, -73)
        .. bin:sub(-64))
      local run = vbench.run { "dataset", "verify", "bad", cwd = dir.path }
      assert.equal(1, run.code)
      assert.matches("ground truth of 1 of 9 queries is not that of brute force\n  query 8: ",
        run.out, 1, true)
      dir:run("verify", "bad", "--sample", "3")
    end)

    it("subset takes the first records, with their keys and ground truth of their own", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      make()
      dir:run("subset", "all", "--records", "150", "-o", "part")
      assert.equal("good", python.run(READ .. [[
base, keys, test, near = read("part", 150, 10)
whole = read("all", 400, 10)
assert (base == whole[0][:150]).all() and keys == whole[1][:600] and (test == whole[2]).all()
assert (near == nearest(base, test, 10)).all()
print("good")]], dir.path))
      assert.equal("part.bin part.yaml", dir:files("part*"))
    end)

    it("subset samples records in their order, the same ones for the same seed", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      make()
      dir:run("subset", "all", "-n", "150", "--sample", "-o", "one")
      dir:run("subset", "all", "-n", "150", "--sample", "--seed", "1", "-o", "two")
      dir:run("subset", "all", "-n", "150", "--sample", "--seed", "2", "-o", "other")
      assert.equal(dir:read("one.bin"), dir:read("two.bin"))
      assert.not_equal(dir:read("one.bin"), dir:read("other.bin"))
      assert.equal("good", python.run(READ .. [[
base, keys, test, near = read("one", 150, 10)
whole, ids = read("all", 400, 10), [int(keys[i:i + 4].rstrip(b"\0")[1:]) for i in range(0, 600, 4)]
assert ids == sorted(set(ids)) and ids[-1] > 200 and (base == whole[0][ids]).all()
assert (near == nearest(base, test, 10)).all()
print("good")]], dir.path))
    end)

    it("subset keeps no more neighbours than records, and leaves out what it is told to", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      make()
      dir:run("subset", "all", "-n", "4", "--queries", "3", "-o", "part")
      assert.matches("queries: { present: true, count: 3,", dir:read("part.yaml"), 1, true)
      assert.matches("neighbors_per_query: 4", dir:read("part.yaml"), 1, true)
      dir:run("subset", "all", "-n", "4", "--no-ground-truth", "-o", "part")
      assert.equal(4 * 24 + 4 * 4 + 9 * 24, #dir:read("part.bin"))
      dir:assert_refuses("--records 401: all has 400", "subset", "all", "-n", "401", "-o", "x")
      dir:assert_refuses("subset writes another dataset: give -o BASE", "subset", "all", "-n", "4")
      dir:assert_refuses("--seed was given without --sample", "subset", "all", "-n", "4", "--seed",
        "2", "-o", "x")
    end)

    it("extend shifts copies so far that the nearest neighbours stay", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      make()
      dir:run("extend", "all", "--records", "3000", "-o", "more")
      assert.equal("good", python.run(READ .. [[
base, keys, test, near = read("more", 3000, 10, 6)
whole = read("all", 400, 10)
assert (base[:400] == whole[0]).all() and (near == whole[3]).all()
assert (near == nearest(base, test, 10)).all()
names = [keys[i:i + 6].rstrip(b"\0") for i in range(0, 18000, 6)]
assert len(set(names)) == 3000 and names[400 + 7] == b"k7:1" and names[2999] == b"k199:7"
inside = lambda rows: ((rows[:50, None] - rows[None, :50]) ** 2).sum(2)
assert np.allclose(inside(base[800:1200]), inside(base[:400]), rtol=1e-2, atol=1e-3)
print("good")]], dir.path))
      assert.matches("ground truth of 9 recomputed", dir:run("verify", "more").out)
    end)

    it("extend refuses collections, whose members may be vectors", function()
      dir:write("c.yaml", "version: 1\nrecord: { collection: { type: set, max_members: 2, member: "
        .. "{ type: vector, dimensions: 1 } } }\nsections: { records: { count: 1 } }\n")
      dir:write("c.bin", "\1\0\0\0\0\0\128\63\0\0\0\0")
      dir:assert_refuses("c: its records are collections", "extend", "c", "-n", "3", "-o", "d")
      assert.equal("", dir:files("d*"))
    end)

    it("subset says when neighbours cannot be found again", function()
      dir:write("t.yaml", "version: 1\nrecord: { fields: [ { name: t, type: tag, max_bytes: 1 } ] }"
        .. "\nsections:\n  records: { count: 2 }\n  queries: { count: 1 }\n"
        .. "  ground_truth: { neighbors_per_query: 1, id_type: u32 }\n")
      dir:write("t.bin", "aba\0\0\0\0")
      dir:assert_refuses("t: its queries hold no vector", "subset", "t", "-n", "1", "-o", "u")
      dir:run("subset", "t", "-n", "1", "-o", "u", "--no-ground-truth")
      assert.equal("aa", dir:read("u.bin"))
    end)

    it("extend refuses cosine and what a type cannot hold, recomputes ip", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      make("cosine")
      dir:assert_refuses("all: 'embedding' is compared by cosine", "extend", "all", "-n", "800",
        "-o", "more")
      make("ip")
      dir:run("extend", "all", "-n", "900", "-o", "more")
      assert.matches("ground truth of 9 recomputed", dir:run("verify", "more").out)
      dir:run("import", "e.fvecs", "--dtype", "int8", "--truncate", "-o", "small")
      dir:assert_refuses("small: 'embedding' would be shifted by ", "extend", "small", "-n", "9000",
        "-o", "more")
      dir:write("t.csv", "t\nx\n")
      dir:run("import", "t.csv", "--infer", "-o", "t")
      dir:assert_refuses("t has no vector to shift", "extend", "t", "-n", "5", "-o", "more")
    end)

    it("import computes the neighbours that an HDF5 file lacks, by its metric", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      make()
      local run = dir:run("import", "a.h5", "--max-neighbors", "7")
      assert.matches("a.yaml, a.bin: 400 records of 24 bytes, 9 queries, 7 neighbours each",
        run.out, 1, true)
      assert.equal("a.bin a.h5 a.yaml", dir:files("a.*"))
      assert.equal("good", python.run(READ .. [[
base, _, test, near = read("a", 400, 7, 0)
unit = lambda rows: rows.astype("f8") / np.linalg.norm(rows.astype("f8"), axis=1, keepdims=True)
assert (near == np.argsort(1 - unit(test) @ unit(base).T, 1, kind="stable")[:, :7]).all()
print("good")]], dir.path))
      dir:run("import", "a.h5", "--no-ground-truth", "-o", "none")
      assert.equal(400 * 24 + 9 * 24, #dir:read("none.bin"))
    end)
  end)
end)
