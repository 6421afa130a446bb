local ffi = require "ffi"
local recorder = require "vbench.recorder"

-- The files that a recorder makes, read without vbench.
local function generate(rec)
  local base = os.tmpname()
  os.remove(base)
  local schema, data, notes = assert(rec:generate(base))
  assert.equal(base .. ".yaml", schema)
  assert.equal(base .. ".bin", data)
  local function contents(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    os.remove(path)
    return text
  end
  return contents(schema), contents(data), notes
end

local function padded(text, width)
  return text .. ("\0"):rep(width - #text)
end

local function u32(number)
  return ffi.string(ffi.new("uint32_t[1]", number), 4)
end

local function f64(number)
  return ffi.string(ffi.new("double[1]", number), 8)
end

local function assert_has(text, part)
  assert.is_truthy(text:find(part, 1, true), part .. "\n-- is not in --\n" .. text)
end

describe("a recorder", function()
  local rec

  before_each(function() rec = recorder.new() end)

  it("records strings, of which the last one counts, in order of first use", function()
    rec:set("b", "first")
    rec:set("a", 12)
    rec:set("b", "last")
    local schema, data = generate(rec)
    assert_has(schema, "metadata: { name: recorded_dataset }")
    assert_has(schema, "workload: { type: string, command: SET }")
    assert_has(schema, "{ name: value, type: text, length: fixed, max_bytes: 64 }")
    assert_has(schema, "records: { count: 2 }")
    assert.equal(padded("last", 64) .. padded("12", 64) .. "b" .. "a", data)
  end)

  it("gives the dataset its name", function()
    rec = recorder.new { name = "my sessions" }
    rec:set("a", "b")
    assert_has(generate(rec), "metadata: { name: \"my sessions\" }")
  end)

  it("makes keys as wide as the power of two at or above the longest", function()
    rec:set("12345678", "x")
    assert_has(generate(rec), "keys: { present: true, length: fixed, max_bytes: 8 }")
    rec:set("123456789", "x")
    assert_has(generate(rec), "keys: { present: true, length: fixed, max_bytes: 16 }")
  end)

  it("makes values as wide as the power of two, above 256 bytes variable", function()
    rec:set("a", ("x"):rep(65))
    assert_has(generate(rec), "{ name: value, type: text, length: fixed, max_bytes: 128 }")
    rec:set("a", ("x"):rep(256))
    assert_has(generate(rec), "length: fixed, max_bytes: 256 }")
    rec:set("a", ("x"):rep(257))
    local schema, data = generate(rec)
    assert_has(schema, "length: variable, max_bytes: 512 }")
    assert.equal(u32(257) .. padded(("x"):rep(257), 512) .. "a", data)
  end)

  it("keeps bytes that a text of fixed length would lose", function()
    rec:set("a", "ends in NUL\0")
    assert_has(generate(rec), "type: text, length: variable, max_bytes: 64 }")
    rec:set("a", "no UTF-8: \255")
    local schema, data = generate(rec)
    assert_has(schema, "type: blob, length: variable, max_bytes: 64 }")
    assert.equal(u32(11) .. padded("no UTF-8: \255", 64) .. "a", data)
    rec:set("k\0y", "x")
    assert_has(generate(rec), "keys: { present: true, length: variable, max_bytes: 4 }")
  end)

  it("knows UTF-8", function()
    rec:set("a", "h\195\169 \226\130\172 \240\159\152\128")
    assert_has(generate(rec), "type: text, length: fixed")
    for _, bytes in ipairs { "\192\128", "\237\160\128", "\244\144\128\128", "\226\130", "\128" } do
      rec:set("a", bytes)
      assert_has(generate(rec), "type: blob")
    end
  end)

  it("writes numbers as text", function()
    rec:set("a", 3)
    rec:set("b", 0.1)
    rec:set("c", 2 ^ 53)
    rec:set("d", 1 / 3)
    local _, data = generate(rec)
    assert.equal("3", data:sub(1, 64):match("^%Z+"))
    assert.equal("0.1", data:sub(65, 128):match("^%Z+"))
    assert.equal("9007199254740992", data:sub(129, 192):match("^%Z+"))
    assert.equal(1 / 3, tonumber(data:sub(193, 256):match("^%Z+")))
  end)

  it("merges hash fields and sorts them by name", function()
    rec:hset("u", { name = "Ada", visits = 1 })
    rec:hset("u", { visits = 2, ["a b"] = "x" })
    rec:hset("u", "city", "London")
    local schema, data = generate(rec)
    assert_has(schema, "workload: { type: hash, command: HSET }")
    assert_has(schema, [[
    - { name: "a b", type: text, length: fixed, max_bytes: 64 }
    - { name: city, type: text, length: fixed, max_bytes: 64 }
    - { name: name, type: text, length: fixed, max_bytes: 64 }
    - { name: visits, type: text, length: fixed, max_bytes: 64 }
]])
    assert.equal(padded("x", 64) .. padded("London", 64) .. padded("Ada", 64) .. padded("2", 64)
      .. "u", data)
  end)

  it("makes a field optional that a key lacks", function()
    rec:hset("a", { p = 1, q = 2 })
    rec:hset("b", { p = 1 })
    local schema, _, notes = generate(rec)
    assert_has(schema, "{ name: p, type: text, length: fixed, max_bytes: 64 }")
    assert_has(schema, "{ name: q, type: text, length: fixed, max_bytes: 64, optional: true }")
    assert.same({}, notes)
    rec:hset("c", { p = 1, q = "" })
    _, _, notes = generate(rec)
    assert.same({ "field 'q' is empty in 1 keys and missing in others: neither will be sent" },
      notes)
  end)

  it("records vectors as float32 and l2", function()
    rec:hset_vector("d", "v", { 1, 0.5, -2 }, { title = "one" })
    local schema, data = generate(rec)
    assert_has(schema, "{ name: v, type: vector, dtype: float32, dimensions: 3 }")
    assert_has(schema, "v: { distance_metric: l2 }")
    assert.equal(padded("one", 64) .. ffi.string(ffi.new("float[3]", 1, 0.5, -2), 12) .. "d", data)
  end)

  it("records vectors of any length, as they were when it was called", function()
    local vector = {}
    for i = 1, 20000 do vector[i] = i end
    rec:hset_vector("d", "v", vector)
    vector[20000] = 0
    local _, data = generate(rec)
    assert.equal(20000, ffi.cast("const float *", data)[19999])
  end)

  it("refuses vectors that no field could hold", function()
    rec:hset_vector("d", "v", { 1, 2 })
    assert.error_matches(function() rec:hset_vector("e", "v", { 1, 2, 3 }) end,
      "a vector of 3 numbers for field 'v', which had 2 before")
    assert.error_matches(function() rec:hset_vector("e", "v", {}) end, "is empty")
    assert.error_matches(function() rec:hset_vector("e", "v", { 1, "2" }) end,
      "number 2 of the vector of rec:hset_vector is a string")
    assert.error_matches(function() rec:hset_vector("e", "v", { 0 / 0, 1 }) end,
      "number 1 of the vector of rec:hset_vector is no finite float32")
    rec:hset("e", { title = "no vector" })
    local schema, message = rec:generate("/nowhere/x")
    assert.is_nil(schema)
    assert.equal("field 'v' is a vector in 1 of 2 keys: each must have one", message)
  end)

  it("records sets, whose members are there once", function()
    rec:sadd("s", "a", "b", "a")
    rec:sadd("t", 1)
    rec:sadd("s", "c", "b")
    local schema, data = generate(rec)
    assert_has(schema, "workload: { type: set, command: SADD }")
    assert_has(schema, "type: set\n    max_members: 3\n    member: { type: text, length: fixed, "
      .. "max_bytes: 64 }")
    local none = ("\0"):rep(64)
    assert.equal(u32(3) .. padded("a", 64) .. padded("b", 64) .. padded("c", 64)
      .. u32(1) .. padded("1", 64) .. none .. none .. "s" .. "t", data)
  end)

  it("records lists in the order of pushing", function()
    rec:rpush("l", "a", "a")
    rec:rpush("l", "b")
    local schema, data = generate(rec)
    assert_has(schema, "workload: { type: list, command: RPUSH }")
    assert.equal(u32(3) .. padded("a", 64) .. padded("a", 64) .. padded("b", 64) .. "l", data)
    rec = recorder.new()
    rec:lpush("l", "a", "b")
    schema, data = generate(rec)
    assert_has(schema, "workload: { type: list, command: LPUSH }")
    assert.equal(u32(2) .. padded("a", 64) .. padded("b", 64) .. "l", data)
  end)

  it("records sorted sets by score and member, or in the order of pairs", function()
    rec:zadd("z", { b = 1, a = 1, c = 0.5 })
    rec:zadd("y", { { "x", 9 }, { "w", 8 }, { "x", 7 } })
    local schema, data = generate(rec)
    assert_has(schema, "workload: { type: zset, command: ZADD }")
    assert_has(schema, [[
        - { name: score, type: numeric, dtype: float64 }
        - { name: value, type: text, length: fixed, max_bytes: 64 }
]])
    assert.equal(u32(3) .. f64(0.5) .. padded("c", 64) .. f64(1) .. padded("a", 64) .. f64(1)
      .. padded("b", 64) .. u32(2) .. f64(7) .. padded("x", 64) .. f64(8) .. padded("w", 64)
      .. ("\0"):rep(72) .. "z" .. "y", data)
  end)

  it("gives a member that is added again its last score", function()
    rec:zadd("z", { a = 1, b = 2 })
    rec:zadd("z", { a = 5 })
    local schema, data = generate(rec)
    assert_has(schema, "max_members: 2")
    assert.equal(u32(2) .. f64(5) .. padded("a", 64) .. f64(2) .. padded("b", 64) .. "z", data)
  end)

  it("takes max_members from the largest key at its end", function()
    rec:sadd("s", "a", "b")
    rec:sadd("t", "a")
    rec:sadd("t", "b", "c", "d")
    assert_has(generate(rec), "max_members: 4")
  end)

  it("holds one type, and says how to split", function()
    rec:lpush("l", "a")
    assert.error_matches(function() rec:rpush("m", "b") end,
      "rec:rpush records RPUSH, but this recorder holds LPUSH since its first call: a dataset is "
      .. "loaded by one command; make a second recorder for it")
    assert.error_matches(function() rec:set("m", "b") end, "records SET, but .* holds LPUSH")
    rec = recorder.new()
    rec:hset("h", { a = 1 })
    rec:hset_vector("h", "v", { 1 })
    assert.error_matches(function() rec:sadd("m", "b") end, "records SADD, but .* holds HSET")
  end)

  it("goes on after it was written", function()
    rec:set("a", "x")
    generate(rec)
    rec:set("b", "y")
    assert_has(generate(rec), "records: { count: 2 }")
  end)

  it("refuses what it cannot record", function()
    assert.error_matches(function() rec:generate("x") end, "nothing was recorded")
    assert.error_matches(function() rec:set("a") end, "the value of rec:set is nil")
    assert.error_matches(function() rec:set("a", true) end,
      "the value of rec:set is a boolean; it takes a string or a number")
    assert.error_matches(function() rec:set("", "a") end, "the key of rec:set is empty")
    assert.error_matches(function() rec:set({}, "a") end, "the key of rec:set is a table")
    assert.error_matches(function() rec:hset("a", {}) end, "rec:hset has no field")
    assert.error_matches(function() rec:hset("a", { x = {} }) end,
      "field 'x' of rec:hset is a table")
    assert.error_matches(function() rec:sadd("a") end, "rec:sadd has no member")
    assert.error_matches(function() rec:sadd("a", "b", nil) end, "member 2 of rec:sadd is nil")
    assert.error_matches(function() rec:zadd("a", {}) end, "not an empty table")
    assert.error_matches(function() rec:zadd("a", { x = "y" }) end, "the score of 'x' of rec:zadd")
    assert.error_matches(function() rec:generate("x") end, "nothing was recorded")
    assert.error_matches(function() rec:generate() end, "takes the name of the dataset")
    assert.error_matches(function() recorder.new { nane = "x" } end, "did you mean 'name'")
  end)

  it("refuses names of fields that a schema cannot hold", function()
    for name, shown in pairs { ["a\0b"] = "a\\x00b", ["\255"] = "\\xff" } do
      local one = recorder.new()
      one:hset("key", { [name] = 1, b = 2 })
      local schema, message = one:generate(os.tmpname())
      assert.is_nil(schema)
      assert.equal(("field '%s': a schema holds names in UTF-8 without NUL bytes"):format(shown),
        message)
    end
  end)

  it("says why it cannot write", function()
    rec:set("a", "x")
    local schema, message = rec:generate("/nowhere/at/all")
    assert.is_nil(schema)
    assert_has(message, "/nowhere/at")
  end)
end)
