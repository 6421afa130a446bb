-- vbench dataset import of odd input: NUL bytes, characters that are cut, pipes, names that no file
-- can have.
local datasets = require "tests.support.dataset"
local process = require "tests.support.process"
local python = require "tests.support.python"
local vbench = require "tests.support.vbench"

describe("vbench dataset import", function()
  local dir

  before_each(function()
    dir = datasets.new()
    dir:write("s.yaml", [[
version: 1
record:
  fields: [ { name: t, type: text, max_bytes: 8 }, { name: w, type: tag, max_bytes: 2 } ]
sections: { records: { count: 1 }, keys: { max_bytes: 4 } }
]])
  end)
  after_each(function() dir:clean() end)
  teardown(vbench.clean)

  local function import(line, ...)
    dir:write("l.jsonl", line .. "\n")
    return dir:run("import", "l.jsonl", "--schema", "s.yaml", "-o", "out", ...)
  end

  local function assert_refuses(message, line)
    dir:write("l.jsonl", line .. "\n")
    dir:assert_refuses(message, "import", "l.jsonl", "--schema", "s.yaml", "-o", "out")
    assert.equal("", dir:files("out*"))
  end

  it("refuses a text whose last byte is a NUL, which padding would hide", function()
    assert_refuses("l.jsonl:1: record 0, field 't': a text that ends in a NUL byte",
      [[{"key": "k", "t": "x\u0000"}]])
    local run = import([[{"key": "k", "t": "x\u0000\u0000", "w": "\u0000\u0000\u0000"}]],
      "--truncate")
    assert.matches("cut in 1 records to make it fit: 't'", run.err, 1, true)
    assert.matches("cut in 1 records to make it fit: 'w'", run.err, 1, true)
    assert.equal("x\0\0\0\0\0\0\0\0\0k\0\0\0", dir:read("out.bin"))
    assert.matches("out: 1 records are good", dir:run("verify", "out").out, 1, true)
  end)

  it("infers a length for texts that end in NUL bytes", function()
    dir:write("n.jsonl", [[{"t": "x\u0000"}]] .. "\n" .. [[{"t": "y y"}]] .. "\n")
    dir:run("import", "n.jsonl", "--infer", "-o", "out")
    assert.matches("length: variable", dir:read("out.yaml"), 1, true)
    assert.equal("\2\0\0\0x\0", dir:read("out.bin"):sub(1, 6))
  end)

  it("cuts a key between two characters", function()
    local run = import([[{"key": "caf\u00e9", "t": "a"}]], "--truncate")
    assert.matches("cut in 1 records to make it fit: key", run.err, 1, true)
    assert.equal("caf\0", dir:read("out.bin"):sub(11))
  end)

  it("refuses what stands behind an object, and names with a NUL byte", function()
    assert_refuses("l.jsonl:1:12: something else behind the object", '{"key":"k"}\0')
    assert_refuses("l.jsonl: the name of column 'a' holds a NUL byte",
      [[{"a": 1, "a\u0000bcdefghijklmnop": 2}]])
  end)

  it("names the file that holds no records", function()
    dir:write("e.jsonl", "\n \n")
    dir:assert_refuses("e.jsonl: holds no records", "import", "e.jsonl", "--schema", "s.yaml",
      "-o", "out")
    dir:write("e.fbin", "\0\0\0\0\2\0\0\0")
    dir:assert_refuses("e.fbin: holds no records", "import", "e.fbin", "-o", "out")
    dir:write("e.fvecs", "abc")
    dir:assert_refuses("e.fvecs: has 3 bytes, less than the dimension of a row takes", "import",
      "e.fvecs", "-o", "out")
    dir:assert_refuses("no.hdf5: No such file or directory", "import", "no.hdf5", "-o", "out")
  end)

  it("refuses outputs that no file can be called", function()
    dir:write("v.fvecs", "\1\0\0\0\0\0\128\63")
    for _, name in ipairs { ".", "..", "sub/.." } do
      dir:assert_refuses(("'%s' is no name of a dataset; write DIRECTORY/NAME"):format(name),
        "import", "v.fvecs", "-o", name)
    end
    dir:run("import", "v.fvecs", "-o", "./.hidden")
    assert.equal("\0\0\128\63", dir:read(".hidden.bin"))
  end)

  it("reads a pipe once, and says so when it would have to read it twice", function()
    local csv = "key,t,w\nk,hello,a\n"
    local run = vbench.run { "dataset", "import", "/dev/stdin", "--format", "csv", "--schema",
      "s.yaml", "-o", "out", cwd = dir.path, under = { "sh", "-c", 'cat | "$@"', "sh" },
      stdin = csv }
    assert.equal(0, run.code, run.err)
    assert.equal("hello\0\0\0a\0k\0\0\0", dir:read("out.bin"))
    run = vbench.run { "dataset", "import", "/dev/stdin", "--format", "csv", "--infer", "-o", "two",
      cwd = dir.path, under = { "sh", "-c", 'cat | "$@"', "sh" }, stdin = csv }
    assert.equal(1, run.code)
    assert.matches("/dev/stdin: has to be read twice", run.err, 1, true)
    assert.equal("", dir:files("two*"))
  end)

  -- Ctrl-C ends both ends of a pipe: what came until then must not look whole.
  local CUT = {
    { "pipe.jsonl", ('{"key":"k"}\n'):rep(9000), "--schema", "s.yaml" },
    { "pipe.fvecs", ("\1\0\0\0\0\0\128\63"):rep(9000) .. "\1\0" },
  }
  for _, cut in ipairs(CUT) do
    it("writes nothing when Ctrl-C also ended what writes into " .. cut[1], function()
      dir:write("bytes", cut[2])
      process.capture(("mkfifo '%s/%s'"):format(dir.path, cut[1]))
      local run = vbench.start { "dataset", "import", cut[1], "-o", "out", cwd = dir.path,
        unpack(cut, 3) }
      local feed = process.start({ "sh", "-c",
        ("exec > %s; cat bytes; exec sleep 60"):format(cut[1]) },
        { cwd = dir.path, stdout = "/dev/null", stderr = "/dev/null" })
      process.wait_for(20, "the temporary file", function() return dir:files("out*") ~= "" end)
      run:signal "INT"
      feed:signal "KILL"
      run:wait()
      feed:wait(5)
      assert.equal(130, run.code, run.err)
      assert.matches("interrupted; nothing was written", run.err, 1, true)
      assert.equal("", dir:files("out*"))
    end)
  end

  describe("of HDF5", function()
    -- Unpacked for every block of rows, the chunk would take minutes.
    it("unpacks a chunk that is larger than the cache once", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      python.run([==[
import numpy as np, h5py
rows = (np.arange(135000 * 128) % 500).astype("<f4").reshape(-1, 128)
with h5py.File("one.hdf5", "w") as h:
    h.create_dataset("train", data=rows, chunks=rows.shape, compression=1)
rows.tofile("want")
]==], dir.path)
      dir:run("import", "one.hdf5", "-o", "one")
      assert.equal("", process.capture(("cd '%s' && cmp one.bin want"):format(dir.path)))
    end)

    before_each(function()
      if not python.program then return end
      python.run([==[
import numpy as np, h5py
with h5py.File("big.hdf5", "w") as h:
    h["train"] = np.array([[1.5, -2, 0.25], [3, 4, 5]]).astype(">f2")
    h["test"] = np.zeros((0, 3), "f4")
]==], dir.path)
    end)

    it("takes half precision of the other byte order, and a set of no queries", function()
      if not python.program then return pending("NumPy and h5py are not installed") end
      dir:run("import", "big.hdf5", "-o", "out")
      assert.equal("good", python.run([==[
import numpy as np
want = np.array([[1.5, -2, 0.25], [3, 4, 5]], "<f4")
assert open("out.bin", "rb").read() == want.tobytes()
print("good")]==], dir.path))
      assert.is_nil(dir:read("out.yaml"):find("queries"))
    end)
  end)
end)
