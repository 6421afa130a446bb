local text = require "vbench.report.text"

describe("report text", function()
  it("groups the digits of counts", function()
    assert.equal("0", text.count(0))
    assert.equal("999", text.count(999))
    assert.equal("1,000", text.count(1000))
    assert.equal("1,234,567", text.count(1234567))
    assert.equal("999,999,999", text.count(999999999))
    assert.equal("12.346G", text.count(12345678901))
    assert.equal("1.235T", text.count(1234567890123))
  end)

  it("gives rates the digits that they carry", function()
    assert.equal("0.50", text.rate(0.5))
    assert.equal("123.5", text.rate(123.46))
    assert.equal("1,234.6", text.rate(1234.56))
    assert.equal("81,235", text.rate(81234.56))
    assert.equal("10,000", text.rate(9999.99))
  end)

  it("writes milliseconds with fewer decimals as they grow", function()
    assert.equal("0.001", text.ms(1))
    assert.equal("9.999", text.ms(9999))
    assert.equal("10.00", text.ms(9999.9))
    assert.equal("99.99", text.ms(99990))
    assert.equal("100.0", text.ms(99999))
    assert.equal("1000", text.ms(999990))
    assert.equal("3600000", text.ms(3.6e9))
    assert.equal("", text.ms(nil))
  end)

  it("does not round a share to nothing or to all", function()
    assert.equal("0.0 %", text.percent(0))
    assert.equal("<0.1 %", text.percent(1e-9))
    assert.equal("12.5 %", text.percent(0.125))
    assert.equal(">99.9 %", text.percent(0.99999))
    assert.equal("100.0 %", text.percent(1))
  end)

  it("writes durations in the units of people", function()
    assert.equal("9.6 s", text.duration(9.6))
    assert.equal("1 min 40 s", text.duration(99.97))
    assert.equal("12 min 5 s", text.duration(725))
    assert.equal("3 h 7 min", text.duration(3 * 3600 + 7 * 60 + 10))
  end)

  it("takes control characters out of foreign text and cuts between characters", function()
    assert.equal("a?[2Jb", text.plain("a\27[2Jb"))
    assert.equal("abcdef", text.cut("abcdef", 6))
    assert.equal("abc...", text.cut("abcdefg", 6))
    assert.equal("ab...", text.cut("ab\195\188defg", 6))
  end)

  it("aligns tables, leaves out empty columns, cuts the first to fit", function()
    assert.same({ "  name    count", "  get         1", "  set     1,000" }, text.table({
      { "name", "count", "hits" }, { "get", "1", "" }, { "set", "1,000", "" },
    }, "  "))
    local lines = text.table({ { "", ("x"):rep(80) }, { ("n"):rep(50), ("1"):rep(80) } }, "  ")
    for _, line in ipairs(lines) do assert.is_true(#line <= 100) end
    assert.truthy(lines[2]:find("^  n+%.%.%.  1+$"))
  end)

  it("honours NO_COLOR and a dumb terminal", function()
    local run = "%s luajit -e 'io.write(require(\"vbench.report.text\")"
      .. ".style { columns = 80 }:paint(\"red\", \"x\"))'"
    local function painted(environment)
      local pipe = io.popen(run:format(environment))
      local all = pipe:read("*a")
      pipe:close()
      return all
    end
    assert.equal("\27[31mx\27[0m", painted("NO_COLOR= TERM=xterm"))
    assert.equal("x", painted("NO_COLOR=1 TERM=xterm"))
    assert.equal("x", painted("NO_COLOR= TERM=dumb"))
  end)

  it("paints on a terminal only, and not when it was asked not to", function()
    assert.equal("x", text.style { columns = 0 }:paint("red", "x"))
    assert.equal("x", text.style { columns = 80, no_color = true }:paint("red", "x"))
  end)
end)
