local fields = require "vbench.fields"
local plain = require "vbench.plain"
local units = require "vbench.units"

describe("units", function()
  it("reads durations in seconds", function()
    assert.equal(30, units.duration("30s"))
    assert.equal(0.25, units.duration("250ms"))
    assert.equal(300, units.duration("5m"))
    assert.equal(5400, units.duration("1.5h"))
    assert.equal(7, units.duration(7))
    assert.equal(1.5, units.duration("1.5"))
  end)

  it("reads sizes in bytes, KB and KiB apart", function()
    assert.equal(100, units.size("100B"))
    assert.equal(1000, units.size("1KB"))
    assert.equal(1024, units.size("1KiB"))
    assert.equal(2500000, units.size("2.5 MB"))
    assert.equal(3, units.size(3))
  end)

  it("reads counts and shares", function()
    assert.equal(10000, units.count("10k"))
    assert.equal(5000000, units.count("5M"))
    assert.equal(0.01, units.percent("1%"))
    assert.equal(0.015, units.percent("1.5 %"))
    assert.equal(0.5, units.percent(0.5))
  end)

  it("says what would be right", function()
    local value, message = units.duration("30 parsecs")
    assert.is_nil(value)
    assert.matches("'30 parsecs' is not a duration; write 30s", message)
    assert.matches("a table is not a size", select(2, units.size({})))
    assert.is_nil(units.count(1.5))
    assert.is_nil(units.count(-1))
    assert.is_nil(units.count(0 / 0))
    assert.is_nil(units.count("1e"))
    assert.is_nil(units.percent("200%"))
    assert.is_nil(units.size(math.huge))
  end)
end)

describe("fields", function()
  local known = { requests = "count", duration = "duration", name = "string", run = "command|mix" }

  local function read(given) return fields.read(given, known, "phase 'fill'") end

  it("parses what is given", function()
    assert.same({ requests = 10000, name = "x" }, read { requests = "10k", name = "x" })
  end)

  it("refuses an unknown field with the nearest name, at the caller's line", function()
    local ok, message = pcall(function() read { request = 1 } end)
    local line = debug.getinfo(1, "l").currentline - 1
    assert.is_false(ok)
    assert.matches("fields_spec.lua:" .. line .. ": ", message)
    assert.matches("unknown field 'request' in phase 'fill'; did you mean 'requests'%?", message)
  end)

  it("refuses wrong types, naming the field", function()
    assert.error_matches(function() read { name = 5 } end,
      "field 'name' of phase 'fill' is a number; it takes a string")
    assert.error_matches(function() read { run = {} } end, "it takes a command or a mix")
    assert.error_matches(function() read { duration = "x" } end,
      "field 'duration' of phase 'fill': 'x' is not a duration")
    assert.error_matches(function() read { "a" } end, "takes named fields, not a list")
    assert.error_matches(function() read(5) end, "takes a table of fields, not a number")
  end)

  it("lets kinds of declared things and params through", function()
    local param, command = { kind = "param" }, { kind = "command" }
    assert.same({ run = command }, read { run = command })
    local out = fields.read({ requests = param }, known, "x", { params = true })
    assert.equal(param, out.requests)
    assert.error_matches(function() read { requests = param } end, "is not a count")
  end)

  it("finds a hole in a list", function()
    assert.equal(3, fields.length({ 1, 2, 3 }, "command 'x'"))
    assert.error_matches(function() fields.length({ "SET", nil, "x" }, "command 'set'") end,
      "argument 2 of command 'set' is nil")
  end)

  it("makes tables that raise on unknown names", function()
    local t = fields.strict({ size = 3 }, "option")
    assert.equal(3, t.size)
    assert.error_matches(function() return t.sise end,
      "unknown option 'sise'; did you mean 'size'%?")
  end)
end)

describe("plain data", function()
  it("goes through source and back, bytes and all", function()
    local value = {
      1, 2.5, "a\0b\r\n\"\\\255\1272", true, { deep = { x = -0.1 } }, [10] = "ten", inf = math.huge,
    }
    assert.same(value, plain.read(plain.write(value)))
    assert.equal(1 / 3, plain.read(plain.write(1 / 3)))
    assert.is_nil(plain.read(plain.write(nil)))
  end)

  it("is the same text whatever the order of keys", function()
    local a, b = {}, {}
    for i = 1, 20 do a["k" .. i] = i end
    for i = 20, 1, -1 do b["k" .. i] = i end
    assert.equal(plain.write(a), plain.write(b))
  end)

  it("refuses what is not plain, with the path to it", function()
    assert.error_matches(function() plain.write({ a = { f = print } }, "result") end,
      "result.a.f is a function")
    local loop = {}
    loop.me = loop
    assert.error_matches(function() plain.write(loop) end, "holds itself")
  end)
end)
