local cjson = require "cjson"
local fake = require "tests.lua.fixtures.engine"
local native = require "vbench.ffi"
local result = require "vbench.result"
local json = require "vbench.report.json"
local ffi, C = native.ffi, native.C

local function phase(row, fields)
  local engine = fake.new { read = { row = row, seconds = {}, events = { "done" } } }
  engine:start(2, { ffi.new("vb_phase_spec", { name = "read", clients = 10, pipeline = 1 }) })
  local source = { engine = engine, lane = 0, name = "read", rows = { "get" }, status = "ok",
                   usage = { seconds = 2, run_delay_s = 0.25, major_faults = 3 } }
  for key, value in pairs(fields or {}) do source[key] = value end
  return result.phase(source)
end

local function some()
  return fake.row { counters = { operations = 6, requests = 4, errors = 2, hits = 3, misses = 1,
                                 moved = 1, bytes_sent = 100 },
                    us = { 100, 200, 300, 400 },
                    errors = { "OOM no memory", "OOM again" } }
end

describe("the result of a phase", function()
  it("has requests, rates and times in microseconds", function()
    local read = phase(some())
    assert.equal(4, read.requests)
    assert.equal(2, read.qps)
    assert.equal(3, read.ops_per_s)
    assert.equal(250, read.latency_us.mean)
    assert.equal(100, read.latency_us.min)
    assert.near(200, read.latency_us.p50, 0.2)
    assert.equal(400, read.latency_us.max)
    assert.equal(2, read.duration_s)
  end)

  it("has errors by kind with the first message", function()
    assert.same({ OOM = { count = 2, first = "OOM no memory" } }, phase(some()).errors_by_kind)
  end)

  it("has exactly the keys of the documents", function()
    local want = {}
    for key in ([[name status clients threads pipeline rate sent_rate dropped backlog_at_end
        duration_s operations ops_per_s requests qps errors errors_by_kind retries gave_up timeouts
        connection_errors reconnects lost_connections empty redirects hits misses
        bytes_sent bytes_received
        latency_us response_us lateness_us wait_us age_us invalidations invalidation_us
        histogram unknown conflicts raced slowest unknown_operations pushes_by_kind quality
        commands keyspaces nodes timeline client server_change thresholds
        metrics]]):gmatch("%S+") do
      want[key] = true
    end
    local got = {}
    for key in pairs(phase(some())) do got[key] = true end
    assert.same(want, got)
  end)

  it("has the same keys for a command, but those of the whole phase", function()
    local command = phase(some()).commands[1]
    assert.equal("get", command.name)
    assert.equal(4, command.requests)
    assert.equal(1, command.redirects.moved)
    assert.equal(250, command.latency_us.mean)
    assert.is_string(command.histogram)
    assert.is_nil(command.timeline)
  end)

  it("has no times where nothing succeeded", function()
    local read = phase(fake.row { counters = { operations = 2, errors = 2 } })
    assert.same({}, read.latency_us)
    assert.equal(cjson.null, read.client.cpu_us_per_request)
    assert.equal(0, read.qps)
    assert.is_nil(read:metric "p99_ms")
  end)

  it("lists the slowest first, with the time of day", function()
    local slowest = phase(some()).slowest
    assert.equal(2, #slowest)
    assert.equal(900, slowest[1].response_us)
    assert.equal(cjson.null, slowest[1].id)
    assert.equal(3, slowest[2].id)
    assert.equal("get", slowest[2].command)
    assert.equal("127.0.0.1:6379", slowest[2].node)
    local today = os.date("!%Y-%m-%dT%H:", C.vb_clock_wall() - 1)
    assert.equal(today, slowest[2].at:sub(1, #today))
    assert.matches("^%d+%-%d+%-%d+T%d+:%d+:%d+%.%d%d%dZ$", slowest[2].at)
  end)

  it("lists operations of which nobody knows whether they were done", function()
    local unknown = phase(some()).unknown_operations
    assert.equal(1, #unknown)
    assert.equal(5, unknown[1].id)
    assert.equal("get", unknown[1].command)
    assert.equal("127.0.0.1:6379", unknown[1].node)
    assert.is_nil(unknown[1].response_us)
  end)

  it("counts pushes by kind", function()
    assert.same({ invalidate = 1 }, phase(some()).pushes_by_kind)
  end)

  it("says how the client was", function()
    local client = phase(some()).client
    assert.equal(125000, client.cpu_us_per_request)
    assert.equal(0.125, client.busy)
    assert.equal(0.0625, client.run_delay)
    assert.equal(3, client.major_faults)
    assert.is_true(client.bound) -- it waited for a core more than 5 % of the time
    assert.is_false(phase(some(), { usage = { seconds = 2, run_delay_s = 0.1 } }).client.bound)
  end)

  it("adds percentiles that were asked for", function()
    local read = phase(some(), { percentiles = { 75, 99.5 } })
    assert.near(300, read.latency_us.p75, 0.3)
    assert.near(400, read.latency_us.p995, 0.4)
    assert.near(300, read.commands[1].latency_us.p75, 0.3)
  end)

  it("gives metrics by name", function()
    local read = phase(some(), { metrics = { score = { count = 2, mean = 1.5 } } })
    assert.near(0.4, read:metric "p99_ms", 0.001)
    assert.equal(0.75, read:metric "get.hit_rate")
    assert.equal(1.5, read:metric "score")
  end)

  it("raises for a metric that there is not, at the line that asked", function()
    local read = phase(some())
    local ok, message = pcall(function() return read:metric("p99_mss") end)
    assert.is_false(ok)
    assert.matches("result_spec.lua:%d+: unknown metric 'p99_mss'; did you mean 'p99_ms'%?",
      message)
  end)

  it("is strict JSON", function()
    local text = json.render(phase(some()))
    local back = cjson.decode(text)
    assert.equal(4, back.requests)
    assert.equal(cjson.null, back.rate)
    assert.same({}, back.keyspaces)
  end)
end)

describe("a second of the timeline", function()
  it("has the keys of the documents", function()
    local entry = result.second(fake.second { t_s = 1.0004, requests = 10, sent = 11, errors = 1,
      connections = 5, mean_us = 100.12345, p50_us = 90, p99_us = 300, max_us = 301 })
    assert.same({ t_s = 1, requests = 10, sent = 11, errors = 1, open_connections = 5,
                  mean_us = 100.123, p50_us = 90, p99_us = 300, max_us = 301,
                  recall = cjson.null }, entry)
  end)

  it("has no times without a request", function()
    assert.equal(cjson.null, result.second(fake.second { t_s = 1 }).p99_us)
  end)
end)

describe("metrics of the script", function()
  it("have exact sums and percentiles", function()
    local metric = ffi.gc(C.vb_metric_new(), C.vb_metric_free)
    for value = 1, 4 do C.vb_metric_record(metric, value) end
    local out = result.metric(metric, { unit = "points", better = "higher" })
    assert.equal(4, out.count)
    assert.equal(10, out.sum)
    assert.equal(2.5, out.mean)
    assert.equal(1, out.min)
    assert.equal(4, out.max)
    assert.near(2, out.p50, 0.01)
    assert.equal("points", out.unit)
  end)

  it("are what was added where they only count", function()
    local metric = ffi.gc(C.vb_metric_new(), C.vb_metric_free)
    for value = 1, 4 do C.vb_metric_record(metric, value) end
    local out = result.metric(metric, { kind = "counter" })
    assert.equal(10, out.count)
    assert.is_nil(out.mean)
    local read = phase(some(), { metrics = { jobs = out } })
    assert.equal(10, read:metric "jobs")
  end)

  it("have no values when nothing was recorded", function()
    local metric = ffi.gc(C.vb_metric_new(), C.vb_metric_free)
    local out = result.metric(metric, {})
    assert.equal(0, out.count)
    assert.equal(cjson.null, out.mean)
  end)

  it("has the times of the connections that were opened", function()
    local made = phase(some())
    assert.is_true(math.abs(made.client.connect_us.p50 - 80) < 1)
  end)
end)
