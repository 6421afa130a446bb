local wrap = require "vbench.report.wrap"

describe("lines that fit", function()
  it("are broken at blanks, and go on indented", function()
    assert.equal("one two\n    three\n    four", wrap.line("one two three four", 4, 10))
    assert.equal("short", wrap.line("short", 4, 10))
    assert.equal("", wrap.line("", 4, 10))
  end)

  it("keep the blanks between columns, but where they are broken", function()
    assert.equal("  a      b\n    c", wrap.line("  a      b  c", 4, 10))
  end)

  it("keep together what is quoted, and cut what has no room at all", function()
    assert.equal('x\n "a b"\n y', wrap.line("x " .. wrap.together('"a b"') .. " y", 1, 6))
    assert.equal("abcdef\n  ghij\n  k l", wrap.line("abcdefghijk l", 2, 6))
  end)

  it("count characters, not bytes, and cut none of them", function()
    assert.equal("\195\164\195\164\195\164 b", wrap.line("\195\164\195\164\195\164 b", 1, 5))
    assert.equal("\195\164\195\164\n \195\164", wrap.line("\195\164\195\164\195\164", 1, 2))
  end)
end)

describe("a text that is shown in part", function()
  it("is escaped, and ends before what has no room", function()
    local function escaped(...) return { wrap.escaped(...) } end
    assert.same({ "ab", true }, escaped("ab", 2, "[%c]"))
    assert.same({ "ab", false }, escaped("abc", 2, "[%c]"))
    assert.same({ '\\"\\\\', true }, escaped('"\\', 4, "[%c]"))
    assert.same({ "\\x00", false }, escaped("\0\0", 7, "[%c]"))
    assert.same({ "\195\164", true }, escaped("\195\164", 1, "[%c]"))
    assert.same({ "\\xc3\\xa4", true }, escaped("\195\164", 8, "[%c\128-\255]"))
  end)
end)
