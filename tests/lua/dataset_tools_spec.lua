local infer = require "vbench.cli.dataset.infer"
local read = require "vbench.cli.dataset.read"
local work = require "vbench.cli.dataset.work"

describe("a column becomes", function()
  local function field(fields, rows, format)
    local column = { name = "c", dtype = -1, dimensions = 0, present = 10, numbers = 0,
      integers = 0, wide = 0, lists = 0, others = 0, longest = 5, spaces = 0, distinct = 10,
      negative = 0, padded = 0 }
    for key, value in pairs(fields) do column[key] = value end
    return infer.field(column, rows or 10, { path = "x.csv", format = format or "csv" })
  end

  it("a vector of its own type when it has values", function()
    assert.same({ type = "vector", dtype = "int8", dimensions = 3 },
      field { dtype = 3, dimensions = 3 })
    assert.same({ type = "numeric", dtype = "float32" },
      field { dtype = 0, dimensions = 1, scalar = true })
  end)

  it("a number when all of it is, of 64 bits where a double is too short", function()
    assert.same({ type = "numeric", dtype = "float64" }, field { numbers = 10, integers = 10 })
    assert.same({ type = "numeric", dtype = "uint64" },
      field { numbers = 10, integers = 10, wide = 1 })
    assert.same({ type = "numeric", dtype = "int64" },
      field { numbers = 10, integers = 10, wide = 1, negative = 1 })
    assert.same({ type = "numeric", dtype = "float64" },
      field { numbers = 10, integers = 9, wide = 1 })
    assert.equal("text", field({ numbers = 9 }).type)
  end)

  it("a vector when all of it is lists of one length", function()
    assert.same({ type = "vector", dtype = "float32", dimensions = 4 },
      field { lists = 10, dimensions = 4 })
    assert.equal("text", field({ lists = 9, dimensions = 4 }).type)
  end)

  it("a tag when it is of few short words, else a text", function()
    assert.equal("tag", field({ distinct = 5 }).type)
    assert.equal("text", field({ distinct = 6 }).type)
    assert.equal("text", field({ distinct = 2, spaces = 1 }).type)
    assert.equal("text", field({ distinct = 2, longest = 65 }).type)
    assert.equal("text", field({ distinct = 2 }, 10, "text").type)
  end)

  it("as wide as the power of two at or above the longest, variable above 256", function()
    assert.same({ type = "text", max_bytes = 64, variable = false }, field {})
    assert.same({ type = "text", max_bytes = 128, variable = false }, field { longest = 65 })
    assert.same({ type = "text", max_bytes = 256, variable = false }, field { longest = 256 })
    assert.same({ type = "text", max_bytes = 512, variable = true }, field { longest = 257 })
    assert.same({ type = "text", max_bytes = 64, variable = true }, field { padded = 1 })
    assert.equal(1, infer.key_width(0))
    assert.equal(32, infer.key_width(17))
  end)

  it("nothing when it has objects in it", function()
    local ok, failed = pcall(field, { others = 1 })
    assert.is_false(ok)
    assert.matches("x.csv: column 'c' holds objects", failed.message, 1, true)
  end)
end)

describe("the line of progress", function()
  it("has a bar, a share, a rate, and the time that is left", function()
    assert.equal("[#####...............]  25 %  2.0k records  500/s  12 s left",
      work.line("records", { done = 25, total = 100, rows = 2000 }, 4))
    assert.equal("[####################] 100 %  1.2M rows  12k/s  0 s left",
      work.line("rows", { done = 101, total = 100, rows = 1.2e6 }, 100))
  end)

  it("has only a count and a rate where the end is not known", function()
    assert.equal("30 rows  15/s", work.line("rows", { done = 0, total = 0, rows = 30 }, 2))
    assert.equal("0 rows", work.line("rows", { done = 0, total = 0, rows = 0 }, 0))
  end)
end)

describe("what is printed of a dataset", function()
  it("are numbers that read back the same, as short as can be", function()
    assert.equal("0.1", read.number_text(0.10000000149011612, "float32"))
    assert.equal("0.1", read.number_text(0.1, "float64"))
    assert.equal("0.30000000000000004", read.number_text(0.1 + 0.2, "float64"))
    assert.equal("18446744073709551615", read.number_text(-1ULL, "uint64"))
    assert.equal("-5", read.number_text(-5LL, "int64"))
  end)

  it("are keys by their pattern", function()
    assert.equal("key:{AAA}:000000000000", read.key_of("key:{HASHTAG}:%012d", 0))
    assert.equal("key:{ZZZ}:17575", read.key_of("key:{HASHTAG}:%d", 17575))
    assert.equal("key:{AAB}:17577", read.key_of("key:{HASHTAG}:%3d", 17577))
    assert.equal("5% of 007", read.key_of("5%% of %03d", 7))
    assert.equal("{AAC}-{AAC}2", read.key_of("{HASHTAG}-{HASHTAG}%d", 2)) -- as it is sent
  end)

  it("are values of half precision", function()
    local bytes = require("ffi").new("uint8_t[8]", 0x00, 0x3c, 0x01, 0x00, 0xff, 0xfb, 0x00, 0x7c)
    assert.same({ 1, 2 ^ -24, -65504, math.huge }, read.numbers(bytes, "float16", 4))
  end)
end)
