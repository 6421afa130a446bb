local cjson = require "cjson"
local fixture = require "tests.lua.fixtures.report"
local terminal = require "vbench.report.terminal"
local text = require "vbench.report.text"

local plain = text.style { columns = 0 }

local function render(phase, options)
  options = options or {}
  options.style = options.style or plain
  return terminal.phase(phase, options)
end

local function row(output, name)
  for line in output:gmatch("[^\n]+") do
    local words = {}
    for word in line:gmatch("%S+") do words[#words + 1] = word end
    if words[1] == name then return words end
  end
end

describe("the terminal report", function()
  it("shows a row a command and one of all", function()
    local output = render(fixture.read())
    assert.same({ "get", "800,000", "80,000", "87.5", "%", "0", "0.412", "0.392", "0.618", "0.928",
                  "3.298", "17.11" }, row(output, "get"))
    assert.same({ "set", "200,000", "20,000", "15", "9.120", "8.664", "13.68", "20.52", "72.96",
                  "378.5" }, row(output, "set"))
    assert.equal("1,000,000", row(output, "all")[2])
    assert.is_nil(row(render(fixture.fill()), "all"))
  end)

  it("says how the phase ran and how it ended", function()
    local phase = fixture.fill()
    assert.truthy(render(phase):find("^fill: 50 clients, 2 threads, pipeline 1, 10.0 s\n"))
    phase.status, phase.clients, phase.threads = "interrupted", 1, 1
    local first = "^fill: 1 client, 1 thread, pipeline 1, 10.0 s, interrupted\n"
    assert.truthy(render(phase):find(first))
  end)

  it("shows errors by kind, most first, with the first message of each", function()
    local output = render(fixture.read())
    local first = output:find("OOM: 12 errors (<0.1 %), first: OOM command not allowed", 1, true)
    local second = output:find("timeout: 3 errors (<0.1 %), first: no reply within", 1, true)
    assert.is_true(first and second and first < second)
  end)

  it("shows five kinds of errors, all with -v", function()
    local phase = fixture.read()
    for i = 1, 9 do phase.errors_by_kind["KIND" .. i] = { count = 1, first = "x" } end
    assert.truthy(render(phase):find("and 6 more kinds of errors (-v shows all)", 1, true))
    assert.is_nil(render(phase):find("KIND9", 1, true))
    assert.truthy(render(phase, { verbose = true }):find("KIND9", 1, true))
  end)

  it("prints no latency where nothing succeeded, and says so", function()
    local output = render(fixture.without_success())
    assert.truthy(output:find("no request succeeded, so there is no latency to show", 1, true))
    assert.is_nil(output:find("p99", 1, true))
    assert.same({ "x", "0", "0.00", "10" }, row(output, "x"))
  end)

  it("hints to fill or to scan when nothing hit", function()
    local phase = fixture.read()
    assert.is_nil(render(phase):find("nothing was hit", 1, true))
    phase.hits = 0
    local output = render(phase)
    assert.truthy(output:find("nothing was hit: none of 100,000 requests found its key", 1, true))
    assert.truthy(output:find("fill the keyspace first", 1, true))
    assert.truthy(output:find("or scan", 1, true))
  end)

  it("shows thresholds with their values", function()
    local phase = fixture.read()
    phase.thresholds[3] = { expr = "recall > 0.9", value = cjson.null, ok = false }
    local output = render(phase)
    assert.truthy(output:find("met      p99_ms < 2  (0.927)", 1, true))
    assert.truthy(output:find("NOT MET  get.hit_rate > 0.9  (0.875)", 1, true))
    assert.truthy(output:find("NOT MET  recall > 0.9  (no value)", 1, true))
  end)

  it("lists the slowest operations with -v only", function()
    local phase = fixture.read()
    assert.is_nil(render(phase):find("4711", 1, true))
    assert.truthy(render(phase, { verbose = true })
      :find("set +4711 +127.0.0.1:6379 +2026%-01%-02T03:04:05.678Z +378.5"))
  end)

  it("marks a phase in which the client was the limit", function()
    local phase = fixture.read()
    assert.is_nil(render(phase):find("client-bound", 1, true))
    phase.client.bound, phase.client.busy = true, 0.97
    assert.truthy(render(phase):find("client%-bound %(busy 97.0 %%.*%): "))
  end)

  it("warns of what made the numbers worse than the server is", function()
    local phase = fixture.read()
    phase.client = {
      bound = false, shares_cores = true, steal = 0.031, major_faults = 3,
      network = { interface = "eth0", share = 0.94 },
      of_connection = { least = 12, mean = 1000, most = 1300 },
    }
    local output = render(phase)
    for _, line in ipairs {
      "the server on this host shares its cores with 2 workers: fewer --threads, or another host",
      "3.1 % of this host's time went to other machines (steal)",
      "the network was near its limit: eth0 carried 94.0 % of what it can",
      "3 major faults: pages of the client had to be read from a disk",
      "connections were not treated alike: 12 to 1,300 requests, 1,000 in the mean",
    } do
      assert.truthy(output:find(line, 1, true), line .. "\n" .. output)
    end
  end)

  it("does not where all was well", function()
    local phase = fixture.read()
    phase.client = {
      bound = false, shares_cores = false, steal = 0.01, major_faults = 0,
      network = { interface = "eth0", share = 0.5 },
      of_connection = { least = 700, mean = 1000, most = 1300 },
    }
    local output = render(phase)
    for _, word in ipairs { "shares", "steal", "limit", "major", "alike" } do
      assert.is_nil(output:find(word, 1, true), word)
    end
  end)

  it("says that it was the cores when the client waited for one", function()
    local phase = fixture.read()
    phase.client.bound, phase.client.busy, phase.client.run_delay = true, 0.3, 0.125
    assert.truthy(render(phase):find("bound (busy 30.0 %, waited for a core 12.5 %): ", 1, true))
  end)

  it("shows all of a metric of the script on one line", function()
    local phase = fixture.read()
    phase.metrics = { value_length = { count = 123456, sum = 1, min = 1.234567,
      mean = 1.234567, p50 = 1.234567, p90 = 1.2, p95 = 1.234567, p99 = 1.234567, max = 12345.678,
      unit = "B" } }
    local line = render(phase):match("metric value_length, B: count 123456, [^\n]*")
    assert.matches("max 1.235e%+04$", line)
  end)

  it("shows what happened beside requests, in words", function()
    local phase = fixture.read()
    phase.timeouts, phase.retries, phase.dropped = 1, 2, 3
    assert.truthy(render(phase):find("  1 timeout, 2 retries, 3 dropped\n", 1, true))
    phase.timeouts, phase.retries, phase.dropped, phase.raced = 0, 0, 0, 1
    assert.truthy(render(phase):find("  1 read that met a delete in flight\n", 1, true))
  end)

  it("has response time as its headline in open loop, and the shortfall", function()
    local phase = fixture.read()
    phase.response_us = { mean = 5000, p50 = 4000, p95 = 6000, p99 = 7000, p999 = 8000, max = 9000 }
    phase.rate, phase.sent_rate = 50000, 41200
    local output = render(phase)
    assert.equal("5.000", row(output, "all")[7])
    assert.truthy(output:find("response, ms", 1, true))
    assert.truthy(output:find("asked 50,000/s, sent 41,200/s", 1, true))
  end)

  it("shows nodes when there are several, quality when it was measured", function()
    local phase = fixture.read()
    phase.nodes[1] = { address = "10.0.0.1:7000", role = "primary", requests = 4, errors = 0,
                       latency_us = { p50 = 100, p99 = 200, max = 300 } }
    assert.is_nil(render(phase):find("10.0.0.1", 1, true))
    phase.nodes[2] = { address = "10.0.0.2:7000", role = "replica", requests = 0, errors = 1,
                       zone = cjson.null, slots = cjson.null, latency_us = {} }
    phase.quality = { queries = 1000, recall = { mean = 0.95125 }, map = 0.9 }
    local output = render(phase)
    assert.same({ "10.0.0.1:7000", "primary", "4", "0", "0.100", "0.200", "0.300" },
      row(output, "10.0.0.1:7000"))
    assert.same({ "10.0.0.2:7000", "replica", "0", "1" }, row(output, "10.0.0.2:7000"))
    assert.truthy(output:find("1,000 queries, recall 0.9513, map 0.9000", 1, true))
  end)

  it("takes null for what a report has no value for", function()
    local phase = fixture.read()
    for _, key in ipairs { "rate", "sent_rate", "response_us", "lateness_us", "quality" } do
      phase[key] = cjson.null
    end
    assert.same(render(fixture.read()), render(phase))
    assert.same(render(fixture.read(), { quiet = true }), render(phase, { quiet = true }))
  end)

  it("fits 100 columns whatever the names and numbers", function()
    local report = fixture.report()
    local phase = report.phases[2]
    phase.name = ("long"):rep(40)
    phase.commands[1].name = ("command"):rep(20)
    phase.errors_by_kind.OOM.first = ("message "):rep(60)
    phase.thresholds[1].expr = ("x"):rep(200)
    for _, one in ipairs { phase, phase.commands[1], phase.commands[2] } do
      one.requests, one.qps, one.errors, one.misses = 999999999, 123456789, 999999999, 1e14
      for key in pairs(one.latency_us) do one.latency_us[key] = 3.6e9 end
    end
    for line in terminal.render(report, { verbose = true, style = plain }):gmatch("[^\n]+") do
      assert.is_true(#line <= 100, ("%d columns: %s"):format(#line, line))
    end
  end)

  it("holds no escape codes but on a terminal", function()
    local report = fixture.report()
    assert.is_nil(terminal.render(report, { style = plain }):find("\27", 1, true))
    report.phases[2].errors_by_kind.OOM.first = "\27[2J"
    assert.is_nil(terminal.render(report, { style = plain }):find("\27", 1, true))
  end)

  it("prints one line a phase with -q", function()
    assert.equal("fill: 100000.00 requests per second, p50=0.286 msec\n"
      .. "read: 100000.00 requests per second, p50=0.392 msec, errors=15, "
      .. "not met: get.hit_rate > 0.9\n",
      terminal.render(fixture.report(), { quiet = true, style = plain }))
    assert.equal("broken: 0.00 requests per second, errors=10\n",
      render(fixture.without_success(), { quiet = true }))
  end)

  it("begins with what ran where and ends with the verdict", function()
    local report = fixture.report()
    local output = terminal.render(report, { style = plain })
    assert.truthy(output:find("^read  %(vbench 0.1.0, seed 1, server 7.0.15, standalone%)\n"))
    assert.truthy(output:find("PING 0.032 ms, GET of a missing key 0.032 ms", 1, true))
    assert.truthy(output:find("\n1 of 2 thresholds not met\n$"))
    report.phases[2].thresholds[2].ok = true
    assert.equal("all 2 thresholds are met\n", terminal.verdict(report, { style = plain }))
    report.phases[2].thresholds = {}
    assert.equal("", terminal.verdict(report, { style = plain }))
    report.status, report.exit_code = "interrupted", 130
    assert.equal("interrupted: results are those until then\n",
      terminal.verdict(report, { style = plain }))
    report.status, report.exit_code = "failed", 4
    assert.equal("more errors than --max-errors allows\n",
      terminal.verdict(report, { style = plain }))
    report.phases[1] = fixture.without_success()
    assert.equal("no request of phase 'broken' succeeded\n",
      terminal.verdict(report, { style = plain }))
  end)

  it("writes to a file without colour, whole or not at all", function()
    local path = os.tmpname()
    assert.is_true(terminal.write(fixture.report(), { path = path, style = { color = true } }))
    local file = io.open(path)
    assert.equal(terminal.render(fixture.report(), { style = plain }), file:read("*a"))
    file:close()
    os.remove(path)
    local _, message = terminal.write(fixture.report(), { path = "/no/such/x" })
    assert.equal("/no/such/x: No such file or directory", message)
  end)
end)
