-- The format as docs/dataset-format.md has it: its example, and an independent reader beside ours.
local cjson = require "cjson"
local process = require "tests.support.process"
local script = require "tests.lua.fixtures.script"
local vbench = require "tests.support.vbench"

local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function in_hex(record)
  local out = {}
  for name, value in pairs(record) do
    if type(value) == "table" then
      out[name] = in_hex(value)
    else
      out[name] = type(value) == "string" and hex(value) or value
    end
  end
  return out
end

-- What the reader written from the document alone sees.
local function read(base)
  local lines = {}
  local text = process.capture(("python3 %s/tests/support/read_dataset.py %s")
    :format(vbench.root, base))
  for line in (text .. "\n"):gmatch("([^\n]+)\n") do lines[#lines + 1] = cjson.decode(line) end
  return lines
end

local function row_of(ds, i)
  local row = in_hex(ds.collection and { members = ds:record(i) } or ds:record(i))
  if ds.keys.spec.stored then row.key = hex(ds:key(i)) end
  return row
end

local function members_of(row, collection)
  for i, member in ipairs(row.members or {}) do
    row.members[i] = collection ~= "zset" and member[""] or member
  end
  return row
end

local function query_of(ds, q)
  local row = in_hex(ds:query_record(q))
  if ds.neighbors_per_query > 0 then row.neighbors, row.distances = ds:neighbors(q) end
  return row
end

local function expect_same(base)
  local ds = script.fresh().dataset(base)
  local theirs = read(base)
  assert.equal(ds.count + ds.query_count, #theirs)
  for i = 0, ds.count - 1 do
    assert.same(members_of(theirs[i + 1], ds.collection), row_of(ds, i))
  end
  for q = 0, ds.query_count - 1 do
    assert.same(theirs[ds.count + q + 1], query_of(ds, q))
  end
end

describe("the format of datasets", function()
  teardown(vbench.clean)

  for path in process.capture("ls datasets/*.yaml"):gmatch("[^\n]+") do
    it("is read alike by a reader that follows the document only: " .. path, function()
      expect_same((path:gsub("%.yaml$", "")))
    end)
  end

  it("has the bytes that the document shows", function()
    local text = assert(process.read("docs/dataset-format.md"))
    local schema = assert(text:match("```yaml\n(version: 1\nmetadata: { name: shelf.-)```"))
    local bytes = {}
    for line in text:match("```\n(00000000 .-)```"):gmatch("[^\n]+") do
      local shown = line:match("^%x+ +(.-) *|") or ""
      for byte in shown:gmatch("%x%x") do bytes[#bytes + 1] = string.char(tonumber(byte, 16)) end
    end
    local base = vbench.path("shelf")
    process.write(base .. ".yaml", schema)
    process.write(base .. ".bin", table.concat(bytes))
    expect_same(base)
    local ds = script.fresh().dataset(base)
    assert.equal("Dracula", ds:record(1).title)
    assert.equal(7.5, ds:record(0).price)
    assert.equal("book:22", ds:key(1))
    assert.same({ 1, 0 }, (ds:neighbors(0)))
  end)
end)
