local metrics = require "vbench.report.metrics"
local fixture = require "tests.lua.fixtures.report"

describe("metrics", function()
  local read = fixture.read()

  it("reads a phase's values in the units of their names", function()
    assert.equal(100000, metrics.metric(read, "qps"))
    assert.near(927.5625, metrics.metric(read, "p99_us"), 1e-9)
    assert.near(0.9275625, metrics.metric(read, "p99_ms"), 1e-12)
    assert.near(0.875, metrics.metric(read, "hit_rate"), 1e-12)
    assert.near(15 / 1000015, metrics.metric(read, "error_rate"), 1e-15)
    assert.near(3.456, metrics.metric(read, "cpu_us_per_request"), 1e-12)
  end)

  it("reads a command's values behind its name", function()
    assert.near(9.120 * 2.25, metrics.metric(read, "set.p99_ms"), 1e-9)
    assert.equal(700000, metrics.metric(read, "get.hits"))
  end)

  it("reads a script's own metrics", function()
    assert.equal(2.5, metrics.metric(read, "score"))
    assert.equal(4, metrics.metric(read, "score.p99"))
    assert.has_error(function() metrics.metric(read, "score.p98") end,
      "unknown part 'p98' of metric 'score'; did you mean 'p90'?")
  end)

  it("has no latency where nothing succeeded, and no hit rate where nothing was asked", function()
    local broken = fixture.without_success()
    assert.is_nil(metrics.metric(broken, "p99_ms"))
    assert.is_nil(metrics.metric(broken, "hit_rate"))
    assert.equal(1, metrics.metric(broken, "error_rate"))
    assert.is_nil(metrics.metric(broken, "recall"))
    assert.is_nil(metrics.metric(broken, "response_p99_us"))
  end)

  it("names the nearest metric when there is none", function()
    assert.has_error(function() metrics.metric(read, "p99ms") end,
      "unknown metric 'p99ms'; did you mean 'p99_ms'?")
    assert.has_error(function() metrics.metric(read, "p99") end,
      "unknown metric 'p99'; did you mean 'p99_ms'?")
    assert.has_error(function() metrics.metric(read, "get.max") end,
      "unknown metric 'get.max'; did you mean 'get.max_ms'?")
    assert.has_error(function() metrics.metric(read, "gat.p99_ms") end,
      "unknown metric 'gat.p99_ms'; did you mean 'get.p99_ms'?")
    assert.has_error(function() metrics.metric(read, "get.cpu_us_per_request") end,
      "metric 'cpu_us_per_request' is of a whole phase, not of command 'get'")
  end)

  it("resolves names before a run, of commands with dots too", function()
    local found = assert(metrics.resolve("a.b.p50_us", { "a.b" }))
    assert.equal("a.b", found.command)
    assert.equal("us", found.metric.unit)
    assert.equal("lower", found.metric.better)
    local _, message = metrics.resolve("other.p50_us", { "get" })
    assert.truthy(message:find("unknown metric 'other.p50_us'", 1, true))
  end)

  it("lists every name of the documents", function()
    local seen = {}
    for _, name in ipairs(metrics.names()) do seen[name] = true end
    for name in ([[qps ops_per_s errors error_rate p50_us p90_us p95_us p99_us p999_us p9999_us
        mean_us max_us p999_ms response_p99_ms recall map ndcg mrr hit_rate hits misses bytes_sent
        bytes_received cpu_us_per_request]]):gmatch("%S+") do
      assert.is_true(seen[name], name)
    end
  end)
end)
