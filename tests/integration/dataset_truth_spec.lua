-- vbench dataset synth and ground-truth: the same seed gives the same dataset, and neighbours are
-- those that NumPy finds by brute force.
local datasets = require "tests.support.dataset"
local python = require "tests.support.python"
local vbench = require "tests.support.vbench"

-- Reads a dataset of one vector field, and queries of it, from what is known of it; `rank` sorts by
-- distance, then by id. Sums of float32 and integers in long double are exact enough to tell ties.
local BRUTE = [[
import numpy as np
def read(name, dtype, n, q, d, k, distances=False):
    raw = open(name + '.bin', 'rb').read()
    base = np.frombuffer(raw, dtype, n * d).reshape(n, d).astype(np.longdouble)
    at = n * d * np.dtype(dtype).itemsize
    query = np.frombuffer(raw, dtype, q * d, at).reshape(q, d).astype(np.longdouble)
    at += q * d * np.dtype(dtype).itemsize
    ids = np.frombuffer(raw, '<u8', q * k, at).reshape(q, k)
    at += q * k * 8
    far = np.frombuffer(raw, '<f4', q * k, at).reshape(q, k) if distances else None
    assert len(raw) == at + (q * k * 4 if distances else 0), len(raw)
    return base, query, ids, far
def all_distances(base, query, metric):
    if metric == 'ip': return 1 - query @ base.T
    if metric == 'cosine':
        norm = lambda v: np.sqrt((v * v).sum(1))
        return 1 - (query @ base.T) / np.outer(norm(query), norm(base))
    return np.stack([((base - one) ** 2).sum(1) for one in query])
def rank(distances, k):
    return np.stack([np.lexsort((np.arange(len(row)), row))[:k] for row in distances])
def check(name, dtype, n, q, d, k, metric):
    base, query, ids, far = read(name, dtype, n, q, d, k, True)
    found = all_distances(base, query, metric)
    best = rank(found, k)
    assert (ids == best).all(), (metric, np.argwhere(ids != best)[:5])
    expected = np.take_along_axis(found, best, 1)
    if metric == 'l2': expected = np.sqrt(expected)
    assert np.allclose(far.astype(float), expected.astype(float), rtol=1e-5, atol=1e-5)
    ties = (np.diff(np.take_along_axis(found, best, 1)) == 0).sum()
    print(metric, ties)
]]

describe("vbench dataset", function()
  local dir

  before_each(function() dir = datasets.new() end)
  after_each(function() dir:clean() end)
  teardown(vbench.clean)

  local function numpy(text)
    if not python.program then pending("no Python with NumPy") end
    return python.run(BRUTE .. text, dir.path)
  end

  describe("ground-truth", function()
    for _, metric in ipairs { "l2", "cosine", "ip" } do
      it("finds what NumPy finds by " .. metric, function()
        dir:run("synth", "x", "--vector", "v=24", "-n", "3000", "--queries", "40", "-k", "20",
          "--metric", metric, "--distances")
        assert.matches(metric .. " ", numpy(("check('x', '<f4', 3000, 40, 24, 20, '%s')")
          :format(metric)))
      end)
    end

    it("orders ties as NumPy does, by id", function()
      for _, metric in ipairs { "l2", "ip" } do
        dir:run("synth", "x", "--vector", "v=4:int8", "-n", "4000", "--queries", "30", "-k", "100",
          "--clusters", "2", "--noise", "0.1", "--metric", metric, "--distances")
        local ties = numpy(("check('x', 'i1', 4000, 30, 4, 100, '%s')"):format(metric))
          :match("(%d+)$")
        assert.is_true(tonumber(ties) > 100, ties .. " ties")
      end
    end)

    it("computes for a dataset that has none, and keeps everything else", function()
      dir:run("synth", "x", "--vector", "v=8", "--tag", "t=a,b", "-n", "500", "--queries", "7",
        "--keys", "item:", "--no-ground-truth")
      local before, schema = dir:read("x.bin"), dir:read("x.yaml")
      local run = dir:run("ground-truth", "x", "-k", "3")
      assert.equal("x.yaml, x.bin: 3 neighbours of each of 7 queries\n", run.out)
      assert.equal(before, dir:read("x.bin"):sub(1, #before))
      assert.equal(#before + 7 * 3 * 8, #dir:read("x.bin"))
      assert.equal(schema .. "", (dir:read("x.yaml"):gsub("  ground_truth: [^\n]*\n", "")))
    end)

    it("writes another dataset, by another metric, when told", function()
      dir:run("synth", "x", "--vector", "v=8", "-n", "500", "--queries", "7", "-k", "5")
      local before = dir:read("x.bin")
      dir:run("ground-truth", "x.yaml", "-o", "y", "--metric", "cosine", "--distances")
      assert.equal(before, dir:read("x.bin"))
      assert.matches("v: { distance_metric: cosine }", dir:read("y.yaml"), 1, true)
      assert.matches("cosine", numpy("check('y', '<f4', 500, 7, 8, 5, 'cosine')"))
    end)

    it("is the same with any number of threads", function()
      dir:run("synth", "x", "--vector", "v=8", "-n", "2000", "--queries", "50", "-k", "10")
      local before = dir:read("x.bin")
      for _, threads in ipairs { "1", "3" } do
        dir:run("ground-truth", "x", "--threads", threads)
        assert.equal(before, dir:read("x.bin"))
      end
    end)

    it("seeks under each query's own tags and numbers", function()
      dir:run("synth", "x", "--vector", "v=6", "--tag", "kind=a:5,b:1", "--numeric",
        "price=uniform:0:100:0", "-n", "900", "--queries", "30", "--query-fields", "v,kind,price",
        "-k", "40", "--filter=kind price<=")
      assert.matches("filter: \"kind price<=\"", dir:read("x.yaml"), 1, true)
      local out = numpy([=[
row = np.dtype([('v', '<f4', 6), ('kind', 'S8'), ('price', '<f8')])
raw = open('x.bin', 'rb').read()
records = np.frombuffer(raw, row, 900)
queries = np.frombuffer(raw, row, 30, 900 * row.itemsize)
ids = np.frombuffer(raw, '<u8', 30 * 40, 930 * row.itemsize).reshape(30, 40)
none = 0
for query, found in zip(queries, ids):
    far = ((records['v'].astype(np.longdouble) - query['v'].astype(np.longdouble)) ** 2).sum(1)
    order = np.lexsort((np.arange(900), far))
    allowed = (records['kind'] == query['kind']) & (records['price'] <= query['price'])
    best = [i for i in order if allowed[i]][:40]
    none += 40 - len(best)
    assert list(found) == best + [2 ** 64 - 1] * (40 - len(best))
print('none', none > 0)
]=])
      assert.equal("none True", out)
    end)

    it("says how many queries have fewer neighbours", function()
      dir:run("synth", "x", "--vector", "v=2", "-n", "5", "--queries", "3", "-k", "2")
      local run = dir:run("ground-truth", "x", "-k", "6")
      assert.equal("vbench: 3 of 3 queries have fewer than 6 neighbours\n", run.err)
    end)

    it("takes --filter alone as every tag and number", function()
      dir:run("synth", "x", "--vector", "v=2", "--tag", "kind=a,b", "-n", "50", "--queries", "3",
        "--query-fields", "v,kind", "-k", "2")
      dir:run("ground-truth", "--filter", "x")
      assert.matches("filter: kind }", dir:read("x.yaml"), 1, true)
      dir:run("ground-truth", "x") -- without it there is none
      assert.is_nil(dir:read("x.yaml"):find("filter", 1, true))
    end)

    it("refuses what has no neighbours, and leaves the dataset as it is", function()
      dir:run("synth", "x", "--vector", "v=2", "--tag", "kind=a,b", "-n", "50", "--queries", "3",
        "-k", "2")
      dir:run("synth", "t", "--tag", "kind=a,b", "-n", "50")
      local before = dir:files()
      dir:assert_refuses("ground truth: the dataset has no queries", "ground-truth", "t")
      dir:assert_refuses("ground truth: no field 'w'", "ground-truth", "x",
        "--field", "w")
      dir:assert_refuses("ground truth: 'kind' is a tag, not a vector", "ground-truth", "x",
        "--field", "kind")
      dir:assert_refuses("filter: the queries do not hold the field 'kind'", "ground-truth", "x",
        "--filter=kind")
      dir:assert_refuses("ground-truth takes one dataset, not 2", "ground-truth", "x", "t")
      dir:assert_refuses("nowhere.yaml: No such file or directory", "ground-truth", "nowhere")
      dir:assert_refuses("no/where.bin: ", "ground-truth", "x", "-o", "no/where")
      assert.equal(before, dir:files())
    end)
  end)

  describe("synth", function()
    local ALL = { "--vector", "v=8", "--text", "about=3-20", "--tag", "kind=a:2,b", "--numeric",
      "price=normal:5:2", "--blob", "raw=1-9", "--keys", "k:", "--queries", "4", "-n", "300",
      "-k", "3" }

    local function synth(name, ...)
      local words = { "synth", name, ... }
      for _, word in ipairs(ALL) do words[#words + 1] = word end
      return dir:run(unpack(words))
    end

    it("gives the same bytes for the same seed", function()
      local run = synth("x", "--seed", "5")
      assert.equal("x.yaml, x.bin: 300 records, 4 queries, 3 neighbours each\n", run.out)
      synth("y", "--seed", "5")
      synth("z", "--seed", "6")
      assert.equal(dir:read("x.bin"), dir:read("y.bin"))
      assert.not_equal(dir:read("x.bin"), dir:read("z.bin"))
    end)

    it("draws more records behind the same first ones", function()
      dir:run("synth", "x", "--vector", "v=4", "-n", "10")
      dir:run("synth", "y", "--vector", "v=4", "-n", "20")
      assert.equal(dir:read("x.bin"), dir:read("y.bin"):sub(1, 160))
    end)

    it("takes fields from a schema, and what they are drawn from", function()
      synth("x")
      dir:run("synth", "y", "--schema", "x.yaml", "--text", "about=3-20", "--tag", "kind=a:2,b",
        "--numeric", "price=normal:5:2", "--blob", "raw=1-9", "--keys", "k:", "-k", "3")
      assert.equal(dir:read("x.bin"), dir:read("y.bin"))
      dir:assert_refuses("option --tag about: that field is a text in the schema", "synth", "y",
        "--schema", "x.yaml", "--tag", "about=a")
    end)

    it("makes the other types", function()
      dir:run("synth", "s", "--type", "string", "--blob", "value=10-100", "-n", "5")
      dir:run("synth", "l", "--type", "list", "--text", "member=1-2", "--members", "2-3", "-n", "5")
      dir:run("synth", "z", "--type", "zset", "--text", "value=1-2", "--numeric",
        "score=uniform:0:9:0", "-n", "5")
      assert.matches("workload: { type: string, command: SET }", dir:read("s.yaml"), 1, true)
      assert.matches("workload: { type: list, command: RPUSH }", dir:read("l.yaml"), 1, true)
      assert.matches("max_members: 3", dir:read("l.yaml"), 1, true)
      assert.matches("workload: { type: zset, command: ZADD }", dir:read("z.yaml"), 1, true)
      assert.equal(5 * (4 + 100), #dir:read("s.bin"))
    end)

    it("takes words from a file, the first ones most often", function()
      dir:write("words", "of banana\ncherry")
      dir:run("synth", "x", "--text", "t=50:4000", "--words", "words", "-n", "20")
      local _, first = dir:read("x.bin"):gsub("of", "")
      local _, last = dir:read("x.bin"):gsub("cherry", "")
      assert.equal(20 * 50, first + last + select(2, dir:read("x.bin"):gsub("banana", "")))
      assert.is_true(first > 2 * last, first .. " and " .. last)
    end)

    it("takes words for one field", function()
      dir:write("words", "apple pear")
      dir:run("synth", "x", "--text", "a=1:8", "--text", "b=1:8", "--words", "b=words", "-n", "9")
      local text = dir:read("x.bin")
      for n = 0, 8 do
        assert.is_nil(text:sub(n * 16 + 1, n * 16 + 8):find("apple") or nil)
        assert.matches("^[ap]", text:sub(n * 16 + 9, n * 16 + 16))
      end
      dir:assert_refuses("option --words: the field 'v' is no text", "synth", "y", "--vector",
        "v=2", "--words", "v=words")
      dir:assert_refuses("nowhere: No such file", "synth", "y", "--text", "t=1", "--words",
        "nowhere")
    end)

    it("leaves other datasets alone, whatever they are called", function()
      dir:write("x.part.yaml", "mine")
      dir:run("synth", "x", "--vector", "v=2", "-n", "9", "--queries", "1", "-k", "1")
      assert.equal("mine", dir:read("x.part.yaml"))
      assert.equal("x.bin x.part.yaml x.yaml", dir:files())
    end)

    it("leaves nothing when its neighbours cannot be written", function()
      dir:write("big.sh", 'trap "" XFSZ; ulimit -f 40; exec "$@"') -- KB
      local run = require("tests.support.process").capture
      local ok = pcall(run, ("cd '%s' && bash big.sh '%s' dataset synth x --vector v=4 -n 1000 "
        .. "--queries 100 2>&1"):format(dir.path, vbench.binary))
      assert.is_false(ok)
      assert.equal("big.sh", dir:files())
    end)

    local BAD = {
      { "nothing to make: name fields by --vector", "x" },
      { "option --vector v: 'floaty' is no dtype", "x", "--vector", "v=8:floaty" },
      { "option --numeric p: 'unifrom' is no distribution; did you mean 'uniform'?", "x",
        "--numeric", "p=unifrom:1:2" },
      { "option --numeric p: 'uniform:1' is not uniform:LEAST:GREATEST", "x", "--numeric",
        "p=uniform:1" },
      { "field p: the least is over the greatest", "x", "--numeric", "p=uniform:2:1" },
      { "option --text t: 5-2: 5 is over 2", "x", "--text", "t=5-2" },
      { "option --tag t: there is no value", "x", "--tag", "t=," },
      { "field t: all weights are 0", "x", "--tag", "t=a:0" },
      { "the schema has no field 'w'", "x", "--vector", "v=8", "--query-fields", "w" },
      { "--members is of sets, lists and zsets", "x", "--vector", "v=8", "--members", "3" },
      { "a set is made of one field", "x", "--type", "set", "--text", "a=1", "--text", "b=1" },
      { "filter: no field 'x'", "x", "--vector", "v=8", "--queries", "2", "--filter=x" },
      { "synth makes one dataset, not 0", "--vector", "v=8" },
      { "field n: 0 to 1000 does not fit int8", "x", "--numeric", "n:int8=uniform:0:1000" },
      { "field n: the mean of an exponential distribution is over 0", "x", "--numeric",
        "n=exponential:-1" },
      { "option --text t: 5 words take 9 bytes at least, and there are 4", "x", "--text",
        "t=5-20:4" },
      { "option --clusters is for a vector field", "x", "--text", "t=1", "--clusters", "3" },
      { "option --metric is for a vector field", "x", "--text", "t=1", "--metric", "ip" },
      { "option --words is for a text field", "x", "--vector", "v=8", "--words", "words" },
      { "option --query-fields is for --queries", "x", "--vector", "v=8", "--query-fields", "v" },
      { "option -k is for --queries that hold a vector", "x", "--vector", "v=8", "-k", "3" },
      { "option --distances is for --queries that hold a vector", "x", "--text", "t=1",
        "--queries", "2", "--distances" },
      { "option --filter is for neighbours, and --no-ground-truth leaves them out", "x",
        "--vector", "v=8", "--queries", "2", "--no-ground-truth", "--filter" },
      { "option --key-pattern is for stored keys or a pattern, not both", "x", "--vector", "v=8",
        "--keys", "k:", "--key-pattern", "k%d" },
    }
    for _, bad in ipairs(BAD) do
      it("refuses " .. table.concat(bad, " ", 2), function()
        dir:assert_refuses(bad[1], "synth", unpack(bad, 2))
        assert.equal("", dir:files())
      end)
    end
  end)
end)
