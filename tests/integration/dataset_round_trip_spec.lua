-- Datasets of schemas that are drawn: what is imported is what is inspected, whatever the fields;
-- verify finds nothing, subset and extend keep what they take. Always the same draws.
local cjson = require("cjson").new()
local datasets = require "tests.support.dataset"
local vbench = require "tests.support.vbench"

local BYTES = { float32 = 4, float16 = 2, float64 = 8, int8 = 1, uint8 = 1, int32 = 4, int64 = 8,
                uint32 = 4, uint64 = 8 }
local NAMES = { "float32", "float16", "float64", "int8", "uint8", "int32", "int64", "uint32",
                "uint64" }
local PIECES = { "a", "Zz", " ", "\"", "\\", "\n", "\t", "\1", "\127", "{", ":", "#", "%", ",", "'",
                 "\195\169", "\230\188\162", "\240\159\152\128" }

local function any(list) return list[math.random(#list)] end

local function number_of(dtype)
  if dtype:find("^float") then return math.random(-400, 400) / 8 end
  return math.random(dtype:find("^u") and 0 or -100, 100)
end

local function text_of(most)
  local text = ""
  for _ = 1, math.random(0, most) do
    local piece = any(PIECES)
    if #text + #piece <= most then text = text .. piece end
  end
  return text
end

-- Kinds of fields: each gives a field's line of YAML, its bytes, how a value is drawn and how it
-- is read back.
local KINDS = {}

function KINDS.vector()
  local dtype, dimensions = any(NAMES), math.random(1, 9)
  return {
    yaml = ("type: vector, dtype: %s, dimensions: %d"):format(dtype, dimensions),
    bytes = BYTES[dtype] * dimensions, float = dtype == "float32" or dtype == "float64",
    draw = function()
      local values = {}
      for i = 1, dimensions do values[i] = number_of(dtype) end
      return values
    end,
  }
end

function KINDS.bits()
  local dimensions = math.random(1, 20)
  return {
    yaml = ("type: vector, dtype: binary, dimensions: %d"):format(dimensions),
    bytes = math.ceil(dimensions / 8),
    draw = function()
      local values = {}
      for i = 1, dimensions do values[i] = math.random(0, 1) end
      return values
    end,
    stored = function(values)
      local bytes = {}
      for i, bit in ipairs(values) do
        local at = math.ceil(i / 8)
        bytes[at] = (bytes[at] or 0) + bit * 2 ^ (7 - (i - 1) % 8)
      end
      return bytes
    end,
  }
end

function KINDS.numeric()
  local dtype = any(NAMES)
  return { yaml = "type: numeric, dtype: " .. dtype, bytes = BYTES[dtype],
    draw = function() return number_of(dtype) end }
end

local function words(kind)
  return function()
    local variable, most = math.random() < 0.5, math.random(4, 40)
    return {
      yaml = ("type: %s, length: %s, max_bytes: %d"):format(kind,
        variable and "variable" or "fixed", most),
      bytes = most + (variable and 4 or 0),
      draw = function() return text_of(most) end,
      stored = function(text)
        if kind ~= "blob" then return text end
        local bytes = variable and text or text .. ("\0"):rep(most - #text)
        return { hex = (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) }
      end,
    }
  end
end

KINDS.text, KINDS.tag, KINDS.blob = words "text", words "tag", words "blob"

local ORDER = { "vector", "bits", "numeric", "text", "tag", "blob" }
local KEYS = {
  { "keys: { max_bytes: 12 }", function(i) return "k:" .. i * 7 end },
  { "keys: { length: variable, max_bytes: 9 }", function(i) return "\195\169" .. i end },
  { 'keys: { present: false, pattern: "p%%%05d" }', function(i) return ("p%%%05d"):format(i) end },
}

local function draw_rows(fields, count, key)
  local rows = {}
  for i = 1, count do
    rows[i] = { key = key and key(i - 1) }
    for _, field in ipairs(fields) do rows[i][field.name] = field.draw() end
  end
  return rows
end

local function lines(rows)
  local list = {}
  for i, row in ipairs(rows) do list[i] = cjson.encode(row) end
  return table.concat(list, "\n") .. "\n"
end

-- A schema, records and queries of it.
local function draw_dataset()
  local drawn = { fields = {}, asked = {}, bytes = 0, keys = any(KEYS) }
  local yaml, metric = {}, any { "l2", "ip" }
  for i = 1, math.random(1, 6) do
    local kind = i == 1 and "vector" or any(ORDER)
    local field = KINDS[kind]()
    field.name, drawn.bytes = ("f%d"):format(i), drawn.bytes + field.bytes
    drawn.shifts = drawn.shifts ~= false and (field.float or not field.yaml:find("vector"))
    drawn.fields[i], yaml[i] = field, ("    - { name: f%d, %s }"):format(i, field.yaml)
    if i == 1 or math.random() < 0.5 then drawn.asked[#drawn.asked + 1] = field end
  end
  local names = {}
  for i, field in ipairs(drawn.asked) do names[i] = field.name end
  drawn.schema = ([[
version: 1
record:
  fields:
%s
sections:
  records: { count: 1 }
  %s
  queries: { count: 1, query_fields: [%s] }
field_metadata: { f1: { distance_metric: %s } }
]]):format(table.concat(yaml, "\n"), drawn.keys[1], table.concat(names, ", "), metric)
  drawn.records = draw_rows(drawn.fields, math.random(3, 40), drawn.keys[2])
  drawn.queries = draw_rows(drawn.asked, math.random(1, 5))
  return drawn
end

local function assert_rows(fields, rows, printed)
  assert.equal(#rows, #printed)
  for i, row in ipairs(rows) do
    assert.equal(row.key, printed[i].key)
    for _, field in ipairs(fields) do
      local want = row[field.name]
      if field.stored then want = field.stored(want) end
      assert.same(want, printed[i].fields[field.name], field.yaml)
    end
  end
end

describe("a dataset of any schema", function()
  local dir

  before_each(function() dir = datasets.new() end)
  after_each(function() dir:clean() end)
  teardown(vbench.clean)

  local function assert_holds(drawn, name, count)
    local printed = vbench.decode(dir:run("inspect", name, "--json", "--limit", "1000").out)
    local records = {}
    for i = 1, count do records[i] = drawn.records[i] end
    while #printed.records > count do table.remove(printed.records) end
    assert_rows(drawn.fields, records, printed.records)
    assert_rows(drawn.asked, drawn.queries, printed.queries)
    assert.matches("are good", dir:run("verify", name).out, 1, true)
  end

  for seed = 1, 6 do
    it("keeps every value through import, subset and extend: " .. seed, function()
      math.randomseed(seed)
      local drawn = draw_dataset()
      dir:write("s.yaml", drawn.schema)
      dir:write("r.jsonl", lines(drawn.records))
      dir:write("q.jsonl", lines(drawn.queries))
      dir:run("import", "r.jsonl", "--schema", "s.yaml", "--queries", "q.jsonl", "-o", "all", "-q")
      local info = vbench.decode(dir:run("info", "all", "--json").out)
      assert.equal(drawn.bytes, info.record_bytes)
      assert.equal(#drawn.records, info.records)
      dir:run("ground-truth", "all", "-k", "2", "--field", "f1", "-q")
      assert_holds(drawn, "all", #drawn.records)
      dir:run("subset", "all", "-n", "3", "-o", "some", "-q")
      assert_holds(drawn, "some", 3)
      if drawn.shifts then
        dir:run("extend", "all", "-n", #drawn.records + 5, "-o", "more", "-q")
        assert_holds(drawn, "more", #drawn.records)
      end
    end)
  end
end)
