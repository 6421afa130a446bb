local classic = require "vbench.report.classic"
local fixture = require "tests.lua.fixtures.report"
local text = require "vbench.report.text"

local plain = text.style { columns = 0 }

describe("the classic output", function()
  it("is that of redis-benchmark", function()
    local phase = fixture.fill()
    phase.threads = 1
    assert.equal([[
====== SET ======
  1000000 requests completed in 10.00 seconds
  50 parallel clients
  3 bytes payload

Summary:
  throughput summary: 100000.00 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.301     0.151     0.286     0.452     0.678    12.512

]], classic.render(phase, { title = "SET", payload = 3, style = plain }))
  end)

  it("says what is not the default", function()
    local phase = fixture.fill()
    phase.pipeline, phase.threads = 16, 2
    local output = classic.render(phase, { style = plain })
    assert.truthy(output:find("\n  pipeline of 16\n  threads: 2\n", 1, true))
    assert.is_nil(output:find("payload", 1, true))
  end)

  it("shows errors, and no latency where nothing succeeded", function()
    local output = classic.render(fixture.without_success(), { title = "X", style = plain })
    assert.truthy(output:find("  errors: ERR 10, first: ERR unknown command 'X'\n", 1, true))
    assert.truthy(output:find("no request succeeded", 1, true))
    assert.is_nil(output:find("latency summary", 1, true))
  end)

  it("shows a long first message whole, on a line of its own", function()
    local phase = fixture.without_success()
    phase.errors_by_kind = { protocol = { count = 3, first = ("b"):rep(85) } }
    local output = classic.render(phase, { style = plain })
    local whole = "  errors: protocol 3\n    first: " .. ("b"):rep(85) .. "\n"
    assert.truthy(output:find(whole, 1, true))
  end)

  it("marks a client that was the limit, and what an open loop has not sent", function()
    local phase = fixture.fill()
    phase.client.bound = true
    phase.rate, phase.sent_rate, phase.backlog_at_end = 200000, 100000, 50
    phase.dropped = phase.operations - 50
    local output = classic.render(phase, { style = plain })
    assert.matches("client%-bound %(busy .-%): the client was the limit", output)
    assert.matches("asked 200,000/s, sent 100,000/s, 50 not sent at the end", output)
    local line = classic.render(phase, { quiet = true })
    assert.matches("asked=200000.00 per second, client%-bound\n$", line)
  end)

  it("has the percentiles that were asked for, and tracked keyspaces", function()
    local phase = fixture.fill()
    phase.latency_us.p995, phase.commands[1].latency_us.p995 = 700, 700
    phase.keyspaces = { { name = "k", before = 0, after = 10 } }
    local output = classic.render(phase, { style = plain, percentiles = { 99.5 } })
    assert.matches("p99.5 0.700 ms", output, 1, true)
    assert.matches("keyspace 'k': 0 keys before, 10 after", output, 1, true)
  end)

  it("takes the chance of random arrivals for no shortfall", function()
    local phase = fixture.fill()
    phase.rate, phase.sent_rate, phase.backlog_at_end, phase.dropped = 105000, 100000, 0, 0
    assert.not_matches("asked", classic.render(phase, { quiet = true }))
  end)

  it("is one line with -q", function()
    assert.equal("SET: 100000.00 requests per second, p50=0.286 msec\n",
      classic.render(fixture.fill(), { title = "SET", quiet = true }))
  end)
end)
