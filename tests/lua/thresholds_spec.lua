local cjson = require "cjson"
local fake = require "tests.lua.fixtures.engine"
local fixture = require "tests.lua.fixtures.report"
local thresholds = require "vbench.thresholds"

local COMMANDS = { "get", "set" }

local function parse(entry)
  return thresholds.parse(entry, COMMANDS, { "score" })
end

local function message_of(entry)
  local threshold, message = parse(entry)
  assert.is_nil(threshold)
  return message
end

describe("a threshold", function()
  it("is a metric, a comparison, a number", function()
    local threshold = parse "p99_ms<2.5"
    assert.equal("p99_ms", threshold.metric)
    assert.equal("<", threshold.op)
    assert.equal(2.5, threshold.bound)
    assert.equal(0.01, parse("error_rate <= 1%").bound)
    assert.equal(10000, parse("qps >= 10k").bound)
    assert.equal(1e-3, parse("error_rate < 1e-3").bound)
    assert.equal("get.hit_rate", parse("get.hit_rate > 0.9").metric)
    assert.equal("score", parse("score > 1").metric)
  end)

  it("is refused with what would be right", function()
    assert.equal("threshold 'p99_mss < 2': unknown metric 'p99_mss'; did you mean 'p99_ms'?",
      message_of "p99_mss < 2")
    assert.matches("unknown metric 'gte.qps'; did you mean 'get.qps'%?", message_of "gte.qps > 1")
    assert.equal("threshold 'p99_ms < fast': 'fast' is no number", message_of "p99_ms < fast")
    assert.matches("write a metric, one of", message_of "p99_ms")
    assert.matches("write a metric, one of", message_of "p99_ms = 2")
    assert.matches("a threshold is a text", message_of(5))
    assert.matches("unknown field 'abbort'; did you mean 'abort'%?",
      message_of { "errors == 0", abbort = true })
    assert.matches("delay: 'soon' is not a duration", message_of { "errors == 0", delay = "soon" })
  end)

  it("can abort only on what is known while a phase runs", function()
    assert.equal(5, parse({ "p99_ms < 2", abort = true, delay = "5s" }).delay)
    assert.matches("'get.qps > 1' cannot abort: while a phase runs there are error_rate, errors,",
      message_of { "get.qps > 1", abort = true })
  end)
end)

describe("at the end of a phase", function()
  it("each has its value and whether it is met", function()
    local list = { parse "p99_ms < 2", parse "get.hit_rate > 0.9", parse "errors == 15" }
    local out, all = thresholds.evaluate(list, fixture.read())
    assert.is_false(all)
    assert.is_true(out[1].ok)
    assert.near(0.9275, out[1].value, 0.001)
    assert.same({ expr = "get.hit_rate > 0.9", value = 0.875, ok = false }, out[2])
    assert.same({ expr = "errors == 15", value = 15, ok = true }, out[3])
  end)

  it("a metric without a value is not met", function()
    local out, all = thresholds.evaluate({ parse "p99_ms < 2" }, fixture.without_success())
    assert.same({ { expr = "p99_ms < 2", value = cjson.null, ok = false } }, out)
    assert.is_false(all)
  end)
end)

describe("while a phase runs", function()
  local function second(t_s, fields)
    fields.t_s = t_s
    return fake.second(fields)
  end

  it("a second that is too slow aborts, after the delay", function()
    local watch = thresholds.watch { parse { "p99_ms < 2", abort = true, delay = "2s" } }
    assert.is_nil(watch(second(1, { requests = 10, p99_us = 9000 })))
    assert.equal("p99_ms < 2", (watch(second(2, { requests = 10, p99_us = 9000 }))))
  end)

  it("errors add up over the seconds", function()
    local watch = thresholds.watch { parse { "errors < 5", abort = true } }
    assert.is_nil(watch(second(1, { errors = 3 })))
    assert.equal("errors < 5", (watch(second(2, { errors = 3 }))))
  end)

  it("hits add up, and abort once there are any", function()
    local watch = thresholds.watch { parse { "hit_rate > 0.5", abort = true } }
    assert.is_nil(watch(second(1, { requests = 3 })))
    assert.is_nil(watch(second(2, { hits = 6, misses = 4 })))
    assert.same({ "hit_rate > 0.5", 0.5 }, { watch(second(3, { misses = 2 })) })
  end)

  it("those that only judge do not abort, nor does a second without a value", function()
    local watch = thresholds.watch { parse "errors == 0", parse { "p50_ms < 1", abort = true } }
    assert.is_nil(watch(second(1, { errors = 3 })))
  end)
end)
