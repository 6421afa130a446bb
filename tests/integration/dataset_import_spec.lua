-- vbench dataset import: what files become, and what is said of those that cannot be imported.
local datasets = require "tests.support.dataset"
local process = require "tests.support.process"
local python = require "tests.support.python"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("vbench dataset import", function()
  local dir

  before_each(function() dir = datasets.new() end)
  after_each(function() dir:clean() end)
  teardown(vbench.clean)

  local PRODUCTS = [[
version: 1
record:
  fields:
    - { name: title, type: text, max_bytes: 12 }
    - { name: price, type: numeric, dtype: float32 }
    - { name: v,     type: vector, dimensions: 2 }
sections: { records: { count: 7 } }
]]
  local LINES = [[
{"title": "caf\u00e9", "price": 1.5, "v": [1, 2]}
{"v": [3, 4], "title": "tea", "price": 2, "more": {"x": 1}}
]]
  -- The same two records.
  local BYTES = "caf\195\169\0\0\0\0\0\0\0\0\0\192\63\0\0\128\63\0\0\0\64"
    .. "tea\0\0\0\0\0\0\0\0\0\0\0\0\64\0\0\64\64\0\0\128\64"

  local function products(lines)
    dir:write("s.yaml", PRODUCTS)
    dir:write("p.jsonl", lines or LINES)
  end

  describe("of JSON Lines", function()
    it("writes the fields in the schema's order and the true count, with a note", function()
      products()
      local run = dir:run("import", "--schema", "s.yaml", "p.jsonl", "-o", "out")
      assert.equal(BYTES:gsub("^caf\195\169\0", "caf\195\169"), dir:read("out.bin"))
      assert.matches("records: { count: 2 }", dir:read("out.yaml"), 1, true)
      assert.matches("s.yaml: records.count says 7; the dataset has 2", run.err, 1, true)
      assert.matches("out.yaml, out.bin: 2 records of 24 bytes", run.out, 1, true)
    end)

    it("does not replace the schema that it was given, unless it is what is written", function()
      products()
      dir:write("p.yaml", PRODUCTS .. "# mine\n")
      local why = "p.yaml: the schema that is written would take its place"
      dir:assert_refuses(why, "import", "--schema", "p.yaml", "p.jsonl")
      dir:assert_refuses(why, "import", "--schema", "p.yaml", "p.jsonl", "-o", "./p")
      dir:assert_refuses(why, "synth", "--schema", "p.yaml", "p.bin")
      assert.equal(PRODUCTS .. "# mine\n", dir:read("p.yaml"))
      assert.equal("p.jsonl p.yaml s.yaml", dir:files())
      dir:run("import", "--schema", "p.yaml", "p.jsonl", "-o", "out")
      dir:write("p.jsonl", LINES .. LINES)
      dir:run("import", "--schema", "out.yaml", "p.jsonl", "-o", "out")
      assert.matches("records: { count: 4 }", dir:read("out.yaml"), 1, true)
      assert.equal(96, #dir:read("out.bin"))
    end)

    it("leaves a value that is missing or null empty, and counts it", function()
      products('{"title": null, "price": 1, "v": [0, 0]}\n{"price": 0, "v": [0, 0]}\n')
      local run = dir:run("import", "--schema", "s.yaml", "p.jsonl", "-o", "out")
      assert.matches("p.jsonl: 2 records have no 'title'", run.err, 1, true)
      dir:assert_refuses("p.jsonl:1: record 0, field 'title': is missing, and --strict was given",
        "import", "--schema", "s.yaml", "p.jsonl", "-o", "other", "--strict")
      assert.equal("", dir:files("other*"))
    end)

    it("refuses what does not fit, with line, record and field; --truncate cuts it", function()
      products('{"title": "a", "price": 1, "v": [0, 0]}\n'
        .. '{"title": "twelve byte\\u00e9s", "price": 1e39, "v": [0, 1e39]}\n')
      dir:assert_refuses(
        "p.jsonl:2: record 1, field 'title': a text of 14 bytes does not fit max_bytes 12",
        "import", "--schema", "s.yaml", "p.jsonl", "-o", "out")
      assert.equal("p.jsonl s.yaml", dir:files())
      local run = dir:run("import", "--schema", "s.yaml", "p.jsonl", "-o", "out", "--truncate")
      assert.matches("p.jsonl: cut in 1 records to make it fit: 'title'", run.err, 1, true)
      assert.matches("p.jsonl: cut in 1 records to make it fit: 'v'", run.err, 1, true)
      -- A character is not cut in two.
      assert.equal("twelve byte\0\255\255\127\127", dir:read("out.bin"):sub(25, 40))
    end)

    local BAD = {
      { '[1, 2]', "p.jsonl:1: is not a JSON object" },
      { '{"title": "a"', "p.jsonl:1:14: a ',' or '}' was expected" },
      { '{"title": {"en": "a"}, "price": 1, "v": [1, 2]}',
        "p.jsonl:1: record 0, field 'title': a nested object stands for a text" },
      { '{"title": ["a"], "price": 1, "v": [1, 2]}',
        "p.jsonl:1: record 0, field 'title': an array stands for a text" },
      { '{"price": "much", "v": [1, 2]}',
        "p.jsonl:1: record 0, field 'price': 'much' is no number" },
      { '{"price": [1], "v": [1, 2]}',
        "p.jsonl:1: record 0, field 'price': an array stands for a number" },
      { '{"price": 1, "v": [1, 2, 3]}',
        "p.jsonl:1: record 0, field 'v': 3 values, the field has 2 dimensions" },
      { '{"price": 1, "v": [1]}',
        "p.jsonl:1: record 0, field 'v': 1 values, the field has 2 dimensions" },
      { '{"price": 1, "v": [1, NaN]}', "p.jsonl:1:23: NaN and Infinity are no JSON" },
      { '{"price": 1, "v": "1 nan"}',
        "p.jsonl:1: record 0, field 'v': value 1 is NaN or infinite" },
      { '{"price": 1, "v": [1, null]}',
        "p.jsonl:1: record 0, field 'v': value 1, 'null', is no number" },
      { '', "p.jsonl: holds no records" },
    }
    for _, bad in ipairs(BAD) do
      it("refuses " .. (bad[1] == "" and "nothing" or bad[1]), function()
        products(bad[1])
        dir:assert_refuses(bad[2], "import", "--schema", "s.yaml", "p.jsonl", "-o", "out")
        assert.equal("p.jsonl s.yaml", dir:files())
      end)
    end

    it("finds out a schema", function()
      dir:write("p.jsonl", ('{"key":"k1","id":9007199254740993,"cat":"a","text":"x y","v":[1,2]}\n'
        .. '{"key":"key2","id":1,"cat":"a","text":"%s","v":[1,2.5]}\n'):format(("z"):rep(300)))
      dir:run("import", "p.jsonl", "--infer", "-o", "out")
      local yaml = dir:read("out.yaml")
      assert.matches("{ name: id, type: numeric, dtype: uint64 }", yaml, 1, true)
      assert.matches("{ name: cat, type: tag,", yaml, 1, true)
      assert.matches("{ name: text, type: text, length: variable, max_bytes: 512 }", yaml, 1, true)
      assert.matches("{ name: v, type: vector, dtype: float32, dimensions: 2 }", yaml, 1, true)
      assert.matches("keys: { present: true, length: fixed, max_bytes: 4 }", yaml, 1, true)
      assert.equal("\1\0\0\0\0\0\32\0", dir:read("out.bin"):sub(1, 8))
    end)

    it("does not guess without being asked to", function()
      products()
      dir:assert_refuses(
        "p.jsonl: what its columns are is said by --schema FILE, or found out by --infer", "import",
        "p.jsonl", "-o", "out")
    end)

    it("fills collections", function()
      dir:write("z.yaml", [[
version: 1
record:
  collection:
    type: zset
    max_members: 2
    member:
      fields: [ { name: score, type: numeric }, { name: value, type: text, max_bytes: 4 } ]
sections: { records: { count: 1 }, keys: { present: true, max_bytes: 8 } }
]])
      dir:write("z.jsonl", '{"key":"a","members":[[1,"x"],{"value":"y","score":2}]}\n'
        .. '{"key":"b","members":[]}\n')
      dir:run("import", "--schema", "z.yaml", "z.jsonl", "-o", "out")
      assert.equal("\2\0\0\0" .. "\0\0\0\0\0\0\240\63x\0\0\0" .. "\0\0\0\0\0\0\0\64y\0\0\0"
        .. ("\0"):rep(28) .. "a\0\0\0\0\0\0\0b\0\0\0\0\0\0\0", dir:read("out.bin"))
      dir:write("z.jsonl", '{"key":"a","members":[[1,"x"],[2,"y"],[3,"z"]]}\n')
      dir:assert_refuses("z.jsonl:1: record 0, the members: more than max_members 2", "import",
        "--schema", "z.yaml", "z.jsonl", "-o", "other")
      dir:write("z.jsonl", '{"key":"a","members":["x"]}\n')
      dir:assert_refuses("z.jsonl:1: record 0, the members: a member of a zset is [score, value]",
        "import", "--schema", "z.yaml", "z.jsonl", "-o", "other")
    end)
  end)

  describe("of CSV", function()
    it("reads cells over several lines, and vectors between spaces or in brackets", function()
      products()
      dir:write("p.csv", 'v,price,title\r\n1 2,1.5,caf\195\169\r\n"[3, 4]", 2 ,tea\r\n')
      dir:run("import", "--schema", "s.yaml", "p.csv", "-o", "out")
      assert.equal(BYTES:gsub("^caf\195\169\0", "caf\195\169"), dir:read("out.bin"))
      dir:write("p.csv", 'title,price,v\n"a\nb, ""c""",0,0 0\n')
      dir:run("import", "--schema", "s.yaml", "p.csv", "-o", "out")
      assert.equal('a\nb, "c"\0\0\0\0', dir:read("out.bin"):sub(1, 12))
    end)

    it("takes keys from a column", function()
      dir:write("p.csv", "sku,price\nA-1,2\nB-22,3\n")
      dir:run("import", "p.csv", "--infer", "--key-field", "sku", "-o", "out")
      assert.equal("\0\0\0\0\0\0\0\64\0\0\0\0\0\0\8\64A-1\0B-22", dir:read("out.bin"))
      dir:assert_refuses("p.csv: has no column 'skew'", "import", "p.csv", "--infer", "--key-field",
        "skew", "-o", "other")
    end)

    it("infers, leaving out a column without a name, from rows that there are", function()
      dir:write("p.csv", ",n\n0,1.5\n")
      local run = dir:run("import", "p.csv", "--infer", "-o", "out")
      assert.matches("p.csv: a column without a name is left out", run.err, 1, true)
      assert.equal("\0\0\0\0\0\0\248\63", dir:read("out.bin"))
      dir:write("p.csv", "n\n")
      dir:assert_refuses("p.csv: has no rows", "import", "p.csv", "--infer", "-o", "other")
    end)

    it("refuses ragged rows, open quotes and missing columns", function()
      products()
      dir:write("p.csv", "title,price,v\na,1,1 2\nb,1\n")
      dir:assert_refuses("p.csv:3: has 2 cells, the header names 3 columns", "import", "--schema",
        "s.yaml", "p.csv", "-o", "out")
      dir:write("p.csv", 'title,price,v\na,1,1 2\n"b,1,2 3\n')
      dir:assert_refuses("p.csv:3: a quote of this record is never closed", "import", "--schema",
        "s.yaml", "p.csv", "-o", "out")
      dir:write("p.csv", "title,prize,v\na,1,1 2\n")
      dir:assert_refuses(
        "p.csv: has no column 'price'; did you mean 'prize'?; it has title, prize, v", "import",
        "--schema", "s.yaml", "p.csv", "-o", "out")
      assert.equal("", dir:files("out*"))
    end)
  end)

  describe("of several files", function()
    local function vecs(rows)
      local out = {}
      for i, row in ipairs(rows) do out[i] = ("%c\0\0\0%s"):format(#row / 4, row) end
      return table.concat(out)
    end
    local ONE, TWO, NAN = "\0\0\128\63", "\0\0\0\64", "\0\0\192\127"

    before_each(function()
      dir:write("e.fvecs", vecs { ONE .. TWO, TWO .. ONE, ONE .. ONE })
      dir:write("c.txt", "first\nsecond\n\n")
      dir:write("k.txt", "a\nbb\nccc\n")
      dir:write("q.fvecs", vecs { TWO .. TWO })
      dir:write("g.ivecs", "\2\0\0\0\1\0\0\0\255\255\255\255")
    end)

    it("combines them", function()
      dir:run("import", "--field", "embedding=e.fvecs", "--field", "content=c.txt", "--keys",
        "k.txt", "--queries", "q.fvecs", "--ground-truth", "g.ivecs", "--metric", "ip", "-o", "out")
      local function text(value) return value .. ("\0"):rep(64 - #value) end
      assert.equal(ONE .. TWO .. text "first" .. TWO .. ONE .. text "second" .. ONE .. ONE
        .. text "" .. "a\0\0\0bb\0\0ccc\0" .. TWO .. TWO .. "\1\0\0\0\0\0\0\0" .. ("\255"):rep(8),
        dir:read("out.bin"))
      assert.matches("query_fields: [embedding]", dir:read("out.yaml"), 1, true)
      assert.matches("distance_metric: ip", dir:read("out.yaml"), 1, true)
    end)

    it("prefers a field's own file to a column of the main one", function()
      dir:write("p.csv", "embedding,n\n0,1\n0,2\n0,3\n")
      dir:run("import", "p.csv", "--infer", "--field", "embedding=e.fvecs", "-o", "out")
      assert.equal("\0\0\0\0\0\0\240\63" .. ONE .. TWO, dir:read("out.bin"):sub(1, 16))
      local yaml = dir:read("out.yaml")
      dir:run("import", "p.csv", "--schema", "out.yaml", "--vectors", "e.fvecs", "-o", "two")
      assert.equal(dir:read("out.bin"), dir:read("two.bin"))
      assert.equal(yaml, (dir:read("two.yaml")))
    end)

    it("takes queries with fields of several kinds, and ids as text or JSON", function()
      dir:write("p.csv", "v,cat\n1 2,x\n2 1,x\n1 1,y\n")
      dir:write("q.jsonl", '{"cat":"y","v":[2,2]}\n')
      dir:write("g.txt", "2 -1\n")
      dir:write("g.jsonl", '{"ids":[2,null],"other":1}\n')
      dir:run("import", "p.csv", "--infer", "--queries", "q.jsonl", "--ground-truth", "g.txt", "-o",
        "out")
      assert.matches("query_fields: [v, cat]", dir:read("out.yaml"), 1, true)
      assert.equal(TWO .. TWO .. "y" .. ("\0"):rep(63) .. "\2\0\0\0\0\0\0\0" .. ("\255"):rep(8),
        dir:read("out.bin"):sub(3 * 72 + 1))
      assert.matches("neighbours: 2\n", dir:run("inspect", "out").out, 1, true)
      dir:assert_refuses("g.jsonl: its rows are no lists of numbers of one length", "import",
        "p.csv", "--infer", "--queries", "q.jsonl", "--ground-truth", "g.jsonl", "-o", "other")
      local bytes = dir:read("out.bin")
      dir:write("g.jsonl", '{"ids":[2,-1]}\n')
      dir:run("import", "p.csv", "--infer", "--queries", "q.jsonl", "--ground-truth", "g.jsonl",
        "-o", "out")
      assert.equal(bytes, dir:read("out.bin"))
    end)

    it("refuses different lengths, naming both counts", function()
      dir:write("k.txt", "a\nbb\n")
      dir:assert_refuses("k.txt has 2 rows, e.fvecs has 3", "import", "e.fvecs", "--keys", "k.txt",
        "-o", "out")
      dir:write("k.txt", "a\nb\nc\nd\n")
      dir:assert_refuses("e.fvecs has 3 rows, k.txt has 4", "import", "e.fvecs", "--keys", "k.txt",
        "-o", "out")
      dir:write("g.ivecs", "\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0")
      dir:assert_refuses("out.bin: 2 rows of neighbours, but 1 queries", "import", "e.fvecs",
        "--queries", "q.fvecs", "--ground-truth", "g.ivecs", "-o", "out")
      assert.equal("", dir:files("out*"))
    end)

    it("refuses NaN, wrong dimensions, files that are cut short, ids past the end", function()
      dir:write("n.fvecs", vecs { ONE .. TWO, ONE .. NAN })
      dir:assert_refuses("n.fvecs: record 1, field 'embedding': value 1 is NaN or infinite",
        "import", "n.fvecs", "-o", "out")
      dir:write("n.fvecs", vecs { ONE .. TWO, ONE })
      dir:assert_refuses("n.fvecs: row 1 has 1 values, the rows before it have 2", "import",
        "n.fvecs", "-o", "out")
      dir:write("n.fvecs", vecs({ ONE .. TWO, ONE .. ONE }):sub(1, -2))
      dir:assert_refuses("n.fvecs: is cut short: its 23 bytes end inside row 1", "import",
        "n.fvecs", "-o", "out")
      dir:write("n.fvecs", vecs { ONE .. TWO .. TWO })
      dir:assert_refuses(
        "n.fvecs: query 0, field 'embedding': 3 values, the field has 2 dimensions", "import",
        "e.fvecs", "--queries", "n.fvecs", "-o", "out")
      dir:write("g.ivecs", "\1\0\0\0\3\0\0\0")
      dir:assert_refuses("g.ivecs: query 0: neighbour 0 is 3; there are 3 records", "import",
        "e.fvecs", "--queries", "q.fvecs", "--ground-truth", "g.ivecs", "-o", "out")
      assert.equal("", dir:files("out*"))
    end)

    it("refuses options that do not belong together", function()
      dir:assert_refuses("import needs a file", "import")
      dir:assert_refuses("unknown option --quries; did you mean '--queries'?", "import", "e.fvecs",
        "--quries", "q.fvecs")
      dir:assert_refuses("--ground-truth was given without --queries", "import", "e.fvecs",
        "--ground-truth", "g.ivecs")
      dir:assert_refuses("option --metric: 'l1' is none of l2, cosine, ip", "import", "e.fvecs",
        "--metric", "l1")
      dir:assert_refuses("there is no command 'imprt' of vbench dataset; did you mean 'import'?",
        "imprt")
      dir:assert_refuses("--key-pattern: 'k' needs one number", "import", "e.fvecs",
        "--key-pattern", "k")
      dir:assert_refuses(dir.path .. ": is a directory", "import", dir.path)
      dir:assert_refuses("--max-neighbors was given, and there are no neighbours to keep", "import",
        "e.fvecs", "--max-neighbors", "3")
      dir:assert_refuses("e.fvecz: No such file or directory", "import", "e.fvecz", "-o", "out")
    end)

    it("leaves nothing when the disk is full half way", function()
      dir:write("big.fbin", "\0\1\0\0\0\4\0\0" .. ("\0"):rep(256 * 1024 * 4))
      local run = vbench.run { "dataset", "import", "big.fbin", "-o", "out", cwd = dir.path,
        under = { "sh", "-c", 'trap "" XFSZ; ulimit -f 512; exec "$@"', "sh" } }
      assert.equal(1, run.code)
      assert.matches("out.bin: File too large", run.err, 1, true)
      assert.equal("", dir:files("out*"))
    end)

    it("keeps the dataset that was there until the new one is whole", function()
      dir:run("import", "e.fvecs", "-o", "out")
      local yaml, bin = dir:read("out.yaml"), dir:read("out.bin")
      dir:write("n.fvecs", vecs { ONE, NAN })
      dir:assert_refuses("n.fvecs: record 1", "import", "n.fvecs", "-o", "out")
      assert.equal(yaml, dir:read("out.yaml"))
      assert.equal(bin, dir:read("out.bin"))
    end)
  end)

  describe("of files of NumPy and h5py", function()
    local make = [[
import numpy as np, h5py
rng = np.random.default_rng(7)
base = rng.normal(size=(777, 33)).astype("<f4")
test = rng.normal(size=(11, 33)).astype("<f4")
near = rng.integers(0, 777, (11, 100)).astype("<i4")
far = rng.random((11, 100)).astype("<f4")
np.save("f4.npy", base)
np.save("f2.npy", base.astype("<f2")); np.save("f8.npy", base.astype("<f8"))
for name in "i1 u1 i4 i8 u4 u8".split():
    np.save(name + ".npy", rng.integers(0, 100, (50, 7)).astype("<" + name))
with open("base.fvecs", "wb") as f:
    for row in base: f.write(np.int32(33).tobytes() + row.tobytes())
with open("base.fbin", "wb") as f: f.write(np.array(base.shape, "<u4").tobytes() + base.tobytes())
with h5py.File("a.hdf5", "w") as h:
    h.create_dataset("train", data=base, chunks=(100, 33), compression="gzip")
    h["test"] = test; h["neighbors"] = near; h["distances"] = far
    h.attrs["distance"] = "angular"
with h5py.File("b.h5", "w") as h:
    h["database"] = base.astype("<f8"); h["queries"] = test.astype("<f2")
with h5py.File("c.h5", "w") as h: h["other"] = base
]]
    local check = [[
import numpy as np, h5py
def data(name): return open(name + ".bin", "rb").read()
base, test = np.load("f4.npy"), h5py.File("a.hdf5")["test"][:]
]]

    it("takes them bit for bit", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      python.run(make, dir.path)
      for _, name in ipairs { "f4", "f2", "f8", "i1", "u1", "i4", "i8", "u4", "u8" } do
        dir:run("import", name .. ".npy", "-o", name)
      end
      dir:run("import", "base.fvecs", "-o", "fvecs")
      dir:run("import", "base.fbin", "-o", "fbin")
      dir:run("import", "a.hdf5", "-o", "a")
      dir:run("import", "a.hdf5", "-o", "a10", "--max-neighbors", "10", "--metric", "l2")
      dir:run("import", "b.h5", "-o", "b", "--no-ground-truth")
      assert.equal("good", python.run(check .. [[
for n in "f4 f2 f8 i1 u1 i4 i8 u4 u8".split(): assert data(n) == np.load(n + ".npy").tobytes(), n
assert data("fvecs") == base.tobytes() and data("fbin") == base.tobytes()
h = h5py.File("a.hdf5")
near, far = h["neighbors"][:], h["distances"][:]
assert data("a") == base.tobytes() + test.tobytes() + near.astype("<u8").tobytes() + far.tobytes()
assert data("a10") == (base.tobytes() + test.tobytes() + near[:, :10].astype("<u8").tobytes()
                       + far[:, :10].tobytes())
assert data("b") == (base.astype("<f8").astype("<f4").tobytes()
                     + test.astype("<f2").astype("<f4").tobytes())
print("good")]], dir.path))
      local yaml = dir:read("a.yaml")
      assert.matches("name: a ", yaml, 1, true)
      assert.matches("distance_metric: cosine", yaml, 1, true)
      assert.matches('pattern: "vec:{HASHTAG}:%012d"', yaml, 1, true)
      assert.matches("distance_metric: l2", dir:read("a10.yaml"), 1, true)
    end)

    it("refuses HDF5 without the expected sets", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      python.run(make, dir.path)
      dir:assert_refuses("c.h5: has no set 'train' or 'database'", "import", "c.h5", "-o", "out")
      dir:write("d.h5", "\137HDF\r\n\26\n")
      dir:assert_refuses("d.h5: cannot be opened as HDF5", "import", "d.h5", "-o", "out")
    end)
  end)

  it("takes the old format of one file, with what it can and a warning for the rest", function()
    local function u32(n) return ("%c%c\0\0"):format(n % 256, math.floor(n / 256)) end
    local function u64(n) return u32(n) .. "\0\0\0\0" end
    local vectors, queries = ("\0\0\128\63"):rep(6), ("\0\0\0\64"):rep(2)
    local head = "\1\176\205\222" .. u32(1) .. "old set" .. ("\0"):rep(249) .. "\1\0\1\0" .. u32(2)
      .. u64(3) .. u64(1) .. u32(2) .. u32(0) .. u64(4096) .. u64(4120) .. u64(4128)
      .. u64(0) .. u64(0) .. u64(0)
    local ids, distances = u64(2) .. u64(0), "\0\0\0\0\0\0\128\63"
    dir:write("old.bin", head .. ("\0"):rep(4096 - #head) .. vectors .. queries .. ids .. distances)
    local run = dir:run("import", "old.bin", "-o", "new")
    assert.matches("old.bin: its tags and vocabulary are not imported", run.err, 1, true)
    assert.matches("old.bin: its header says cosine", run.err, 1, true)
    assert.equal(vectors .. queries .. ids .. distances, dir:read("new.bin"))
    assert.matches("distance_metric: cosine", dir:read("new.yaml"), 1, true)
    dir:run("ground-truth", "old.bin", "-k", "3", "-o", "again") -- opened in place
    assert.equal(vectors .. queries .. u64(0) .. u64(1) .. u64(2), dir:read("again.bin"))
    dir:assert_refuses("old.bin: would be replaced by what is made of it", "import", "old.bin")
    assert.equal(4096 + #vectors + #queries + #ids + #distances, #dir:read("old.bin"))
    dir:write("bad.bin", head .. ("\0"):rep(4096 - #head) .. vectors)
    dir:assert_refuses("bad.bin: its queries at byte 4120 reach past its end", "import", "bad.bin",
      "-o", "out")
  end)

  it("is called generate as well, with the options of then", function()
    products()
    dir:run("generate", "--schema", "s.yaml", "--input", "p.jsonl", "--format", "jsonl", "--output",
      "out")
    assert.equal(48, #dir:read("out.bin"))
    dir:write("s.yaml", "version: 1\nrecord: { fields: [ { name: e, type: vector, dimensions: 1 },"
      .. "{ name: t, type: text, max_bytes: 4 } ] }\nsections: { records: { count: 1 } }\n")
    dir:write("e.fvecs", "\1\0\0\0\0\0\128\63")
    dir:write("t.txt", "abc\n")
    dir:run("generate", "--schema", "s.yaml", "--vectors", "e.fvecs", "--text", "t.txt",
      "--output", "two")
    assert.equal("\0\0\128\63abc\0", dir:read("two.bin"))
  end)

  it("makes what a server then holds", function()
    products('{"title": "caf\\u00e9", "price": 1.5, "v": [1, 2]}\n'
      .. '{"title": "tea", "price": 0.1, "v": [3, 4]}\n')
    dir:run("import", "--schema", "s.yaml", "p.jsonl", "-o", "out", "--key-pattern", "p:%d")
    local server = servers.start()
    local run = vbench.run { "-p", server.port, "-t", "schema-load", "--dataset", "out",
      "--no-baseline", cwd = dir.path }
    assert.equal(0, run.code, run.all)
    assert.equal("caf\195\169", server:call("HGET", "p:0", "title"))
    assert.equal("0.1", server:call("HGET", "p:1", "price"))
    assert.equal("\0\0\64\64\0\0\128\64", server:call("HGET", "p:1", "v"))
    server:stop()
  end)

  it("shows its options and an example", function()
    local run = dir:run("import", "--help")
    assert.matches("--max-neighbors N", run.out, 1, true)
    assert.matches("example:\n  vbench dataset import", run.out, 1, true)
    for name in dir:run("--help").out:gmatch("\n  (%l[%l-]+) ") do
      local help = dir:run(name, "--help").out
      assert.matches("usage: vbench dataset " .. name, help, 1, true)
      assert.matches("example:\n  vbench dataset ", help, 1, true)
      for line in help:gmatch("[^\n]+") do assert.is_true(#line <= 100, line) end
    end
    assert.equal(dir:run("--help").out, vbench.run({ "help", "dataset" }).out)
  end)

  it("shows how far it is on a terminal, and elsewhere nothing", function()
    process.capture(("yes 'a line of some length' | head -n 6000000 > '%s/t.txt'"):format(dir.path))
    local line = ("%s dataset import --text t.txt -o out"):format(vbench.binary)
    local run = vbench.run { program = "script", "-qec", line, "/dev/null", cwd = dir.path }
    assert.matches("%[#+%.*%] +%d+ %%  [%d.]+[kM]? records  [%d.]+[kM]/s", run.out)
    assert.not_matches("\27", dir:run("import", "--text", "t.txt", "-o", "out").all)
  end)

  it("ends at Ctrl-C without a trace", function()
    process.capture(("mkfifo '%s/slow.jsonl'"):format(dir.path))
    products()
    local run = vbench.start { "dataset", "import", "--schema", "s.yaml", "slow.jsonl", "-o", "out",
      cwd = dir.path }
    local feed = process.start({ "sh", "-c", [[yes '{"price": 1}' > slow.jsonl]] },
      { cwd = dir.path, stdout = "/dev/null", stderr = "/dev/null" })
    process.wait_for(10, "the temporary file", function() return dir:files("out*") ~= "" end)
    run:signal "INT"
    run:wait()
    feed:signal "KILL"
    feed:wait(5)
    assert.equal(130, run.code)
    assert.equal("", dir:files("out*"))
  end)
end)
