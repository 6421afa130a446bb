-- What a run reports: JSON with exactly its keys, CSV, the terminal, and never a password.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local function words(text)
  local set = {}
  for word in text:gmatch("%S+") do set[word] = true end
  return set
end

-- The keys of the document, and those that other kinds of runs may leave out.
local TOP = words [[vbench format title tags scenario options seed started_at host server baseline
  status exit_code phases]]
local TOP_OPTIONAL = words "optimizer"
local PHASE = words [[name status clients threads pipeline rate sent_rate dropped backlog_at_end
  duration_s operations ops_per_s requests qps errors errors_by_kind retries gave_up timeouts
  connection_errors reconnects lost_connections empty redirects hits misses bytes_sent
  bytes_received latency_us histogram unknown unknown_operations conflicts raced slowest
  pushes_by_kind commands keyspaces nodes timeline client server_change
  thresholds metrics]]
local PHASE_OPTIONAL = words [[response_us lateness_us wait_us age_us invalidations
  invalidation_us quality]]
local LATENCY = words "min mean stddev p50 p90 p95 p99 p999 p9999 max"
local TIMELINE = words [[t_s requests sent errors open_connections mean_us p50_us p99_us max_us]]
local KEYSPACE = words [[name before after added removed protected skipped_protected coverage
  backfilled scan]]
local NODE = words "address role zone slots requests errors latency_us server_change"
local CLIENT = words [[cpu_us_per_request busy collector run_delay lateness_p99_us major_faults
  bound
  connect_us connects connects_per_s steal network shares_cores of_connection]]

local function has_keys(value, needed, optional, what)
  for key in pairs(needed) do
    assert.is_not_nil(value[key], what .. " has no " .. key)
  end
  for key in pairs(value) do
    assert.is_true(needed[key] or optional[key] or false, what .. " has an undocumented " .. key)
  end
end

describe("a report", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local two = [[
    local keys = vb.keyspace { prefix = "k:", size = 1000 }
    local set = vb.command { "SET", keys:sequential():wrap(), vb.bytes(10), tracks = "add" }
    local get = vb.command { "GET", keys:uniform(), reply = vb.hits() }
    return vb.scenario { description = "two phases", phases = {
      vb.phase { name = "fill", run = set, requests = 1000 },
      vb.phase { name = "read", run = vb.mix { { 9, get }, { 1, set } }, duration = "1200ms",
                 thresholds = { "errors == 0" } },
    } } ]]

  describe("as JSON", function()
    local run, json

    setup(function()
      server:clean()
      run = vbench.report { vbench.scenario(two), "-p", server.port, "-c", 4, "--threads", 2,
        "--title", "a title", "--tag", "team=db", "--tag", "build=7", "--seed", 42,
          baseline = true }
      assert.equal(0, run.code, run.all)
      json = run.json
    end)

    it("has exactly the keys of the document", function()
      has_keys(json, TOP, TOP_OPTIONAL, "the report")
      for _, phase in ipairs(json.phases) do
        has_keys(phase, PHASE, PHASE_OPTIONAL, "phase " .. phase.name)
        has_keys(phase.latency_us, LATENCY, {}, "latency_us")
        has_keys(phase.client, CLIENT, {}, "client")
        has_keys(phase.redirects, words "moved ask", {}, "redirects")
        for _, command in ipairs(phase.commands) do
          has_keys(command, words "name requests errors latency_us", setmetatable({},
            { __index = function(_, key) return PHASE[key] or PHASE_OPTIONAL[key] end }), "command")
        end
        for _, entry in ipairs(phase.timeline) do
          has_keys(entry, TIMELINE, words "recall", "timeline")
        end
        assert.equal(1, #phase.keyspaces)
        has_keys(phase.keyspaces[1], KEYSPACE, {}, "keyspace")
        for _, node in ipairs(phase.nodes) do has_keys(node, NODE, {}, "node") end
        for _, slow in ipairs(phase.slowest) do
          has_keys(slow, words "command id node at response_us", {}, "slowest")
        end
      end
    end)

    it("says what ran", function()
      assert.equal(1, json.format)
      assert.equal("a title", json.title)
      assert.same({ team = "db", build = "7" }, json.tags)
      assert.equal(42, json.seed)
      assert.equal("ok", json.status)
      assert.equal(0, json.exit_code)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.?%d*Z$", json.started_at)
      assert.matches("^%x+$", json.scenario.sha256)
      assert.equal(64, #json.scenario.sha256)
      assert.matches("scenario.lua$", json.scenario.file)
      assert.equal(server:info("redis_version"), json.server.version)
      assert.equal("standalone", json.server.mode)
      assert.is_true(json.baseline.ping_us > 1 and json.baseline.ping_us < 100000)
      assert.is_true(json.baseline.get_miss_us > 1)
      assert.equal("string", type(json.vbench))
    end)

    it("says how much was done, each number agreeing with the others", function()
      local fill, read = json.phases[1], json.phases[2]
      assert.equal(1000, fill.requests)
      assert.equal(1000, fill.operations)
      assert.equal(1000, #fill.commands == 1 and fill.commands[1].requests)
      assert.equal(4, fill.clients)
      assert.equal(2, fill.threads)
      assert.equal(1, fill.pipeline)
      local sum = 0
      for _, command in ipairs(read.commands) do sum = sum + command.requests end
      assert.equal(read.requests, sum)
      assert.equal(read.requests, read.nodes[1].requests)
      local near = read.requests / read.duration_s
      assert.is_true(math.abs(read.qps - near) < near * 0.1, read.qps .. " and " .. near)
      assert.is_true(math.abs(read.duration_s - 1.2) < 0.25, read.duration_s)
      local timeline = 0
      for _, entry in ipairs(read.timeline) do timeline = timeline + entry.requests end
      assert.equal(read.requests, timeline)
      assert.is_true(read.hits > 0)
      assert.is_true(fill.bytes_sent > 1000 * 40 and fill.bytes_received == 5000)
      assert.equal("127.0.0.1:" .. server.port, read.nodes[1].address)
      assert.same({ expr = "errors == 0", value = 0, ok = true }, read.thresholds[1])
    end)

    it("has latencies in order, in microseconds, and times them as the server would", function()
      for _, phase in ipairs(json.phases) do
        local us = phase.latency_us
        local order = { us.min, us.p50, us.p90, us.p95, us.p99, us.p999, us.p9999, us.max }
        for i = 2, #order do assert.is_true(order[i - 1] <= order[i]) end
        assert.is_true(us.mean >= us.min and us.mean <= us.max)
        assert.is_true(us.min > 3 and us.p50 < 100000)
      end
    end)

    it("has histograms that HdrHistogram's own decoder reads", function()
      local phase = json.phases[1]
      local file = process.write(vbench.path("histogram"), phase.histogram .. " count=1000\n")
      local out = process.capture("python3 " .. vbench.root ..
        "/tests/support/hdr_decode.py < " .. file)
      assert.equal("1 histograms read", out)
    end)

    it("says what the slowest were", function()
      local slowest = json.phases[2].slowest
      assert.is_true(#slowest > 0 and #slowest <= 20)
      for i = 2, #slowest do
        assert.is_true(slowest[i - 1].response_us >= slowest[i].response_us)
      end
      assert.is_true(slowest[1].response_us <= json.phases[2].latency_us.max * 1.01)
      assert.matches("^[sg]et$", slowest[1].command)
    end)

    it("says what changed in the server", function()
      local text = process.read(run.file)
      assert.matches('"server_change": {', text, 1, true)
      assert.is_true(next(json.phases[1].server_change) ~= nil)
    end)

    it("goes to standard output with -, and with -o and a format", function()
      local out = vbench.run { "-t", "get", "-n", 10, "-p", server.port, "--json", "-", "-q" }
      assert.equal(0, out.code, out.all)
      assert.equal(10, vbench.decode(out.out).phases[1].requests)
      local file = vbench.path("out")
      local run_o = vbench.run { "-t", "get", "-n", 10, "-p", server.port, "-o", file,
        "--output-format", "json" }
      assert.equal(0, run_o.code, run_o.all)
      assert.equal(10, vbench.decode(process.read(file)).phases[1].requests)
      run_o = vbench.run { "-t", "get", "-n", 10, "-p", server.port, "-o", file, "--output-format",
        "text" }
      assert.matches("get", process.read(file):lower())
      run_o = vbench.run { "-t", "get", "-n", 10, "-p", server.port, "-o", file, "--output-format",
        "csv" }
      assert.matches('^"test","rps"', process.read(file))
    end)

    it("is valid where nothing succeeded", function()
      server:call("SET", "s", "x")
      local failed = vbench.report { vbench.one_phase([[ local c = vb.command { "LPUSH",
        vb.key "s", "\255<" } ]],
        "run = c, requests = 5"), "-p", server.port, "--title", 'odd "title" \\ \t' }
      assert.equal(4, failed.code, failed.all)
      assert.equal('odd "title" \\ \t', failed.json.title)
      assert.equal(0, failed.json.phases[1].qps)
      assert.not_matches("[Nn]a[Nn][,%s}]", process.read(failed.file))
      assert.not_matches("[:%s]%-?inf", process.read(failed.file))
    end)
  end)

  describe("as CSV", function()
    local function rows(text)
      local list = {}
      for line in text:gmatch("[^\n]+") do
        local row = {}
        for cell in (line .. ","):gmatch('"?([^,"]*)"?,') do row[#row + 1] = cell end
        list[#list + 1] = row
      end
      return list
    end

    it("has a row a second and a row a phase and command", function()
      local seconds, summary = vbench.path("seconds.csv"), vbench.path("summary.csv")
      local run = vbench.report { vbench.scenario(two), "-p", server.port, "--csv-seconds", seconds,
        "--csv-summary", summary, "--precision", 3 }
      assert.equal(0, run.code, run.all)
      local by_second, by_command = rows(process.read(seconds)), rows(process.read(summary))
      local width = #by_second[1]
      assert.is_true(width > 5)
      for _, row in ipairs(by_second) do assert.equal(width, #row) end
      local read = run.json.phases[2]
      assert.is_true(#by_second >= 1 + #read.timeline, #by_second)
      assert.is_true(#by_command >= 4, #by_command)
      assert.matches("fill", process.read(summary), 1, true)
      assert.matches("set", process.read(summary), 1, true)
      local text = process.read(summary)
      assert.matches("%f[%d]" .. read.requests .. "%f[%D]", text)
    end)
  end)

  describe("in the terminal", function()
    it("is a table a phase that fits 100 columns", function()
      local run = vbench.run { vbench.scenario(two), "-p", server.port }
      assert.equal(0, run.code, run.all)
      for line in run.out:gmatch("[^\n]+") do
        assert.is_true(#line:gsub("[\128-\191]", "") <= 100, line)
      end
      for _, word in ipairs { "fill", "read", "set", "get", "p50", "p95", "p99", "max", "req/s",
        "errors", "errors == 0" } do
        assert.matches(word, run.out, 1, true)
      end
      assert.not_matches("\27", run.all)
    end)

    it("has colours and a live line only on a terminal without NO_COLOR", function()
      local function typed(env, ...)
        local line = table.concat({ vbench.binary, vbench.scenario(two), "-p", server.port, ... },
          " ")
        return vbench.run { program = "script", "-qec", line, "/dev/null",
          env = env or { TERM = "xterm" } }
      end
      local run = typed()
      assert.equal(0, run.code, run.all)
      assert.matches("\r", run.out:gsub("\r\n", "\n"))
      assert.matches("\27%[[%d;]+m", run.out)
      assert.not_matches("\27%[[%d;]+m", typed({ TERM = "xterm", NO_COLOR = "1" }).out)
      assert.not_matches("\27%[[%d;]+m", typed(nil, "--no-color").out)
    end)

    it("with -q is one line a phase", function()
      local run = vbench.run { vbench.scenario(two), "-p", server.port, "-q" }
      assert.equal(0, run.code, run.all)
      local lines = {}
      for line in run.out:gmatch("[^\n]+") do lines[#lines + 1] = line end
      assert.equal(2, #lines, run.out)
      assert.matches("fill", lines[1])
      assert.matches("read", lines[2])
    end)

    it("shows each second with --show-per-second", function()
      local with = vbench.run { vbench.scenario(two), "-p", server.port, "--show-per-second" }
      local without = vbench.run { vbench.scenario(two), "-p", server.port }
      assert.equal(0, with.code, with.all)
      assert.is_true(#with.out > #without.out)
    end)

    it("shows the percentiles of --percentiles with the digits of --precision", function()
      local run = vbench.run { vbench.scenario(two), "-p", server.port, "--percentiles", "50,99.5" }
      assert.equal(0, run.code, run.all)
      assert.matches("99.5", run.out, 1, true)
    end)

    it("shows the base round trip, unless --no-baseline", function()
      local script = vbench.one_phase([[ local get = vb.command { "GET", vb.key "x" } ]],
        "run = get, requests = 10")
      local with = vbench.run { script, "-p", server.port }
      assert.matches("round trip", with.out)
      local monitor = server:monitor()
      local without = vbench.run { script, "-p", server.port, "--no-baseline" }
      assert.not_matches("round trip", without.out)
      assert.equal(10, #monitor:finish("get"))
    end)
  end)

  it("never holds a password, wherever it came from", function()
    local secret = "hunter2-Zq9"
    local guarded = servers.start { password = secret,
      acl = { { "bob", "on", ">" .. secret, "~*", "+@all" } } }
    local uri = ("redis://bob:%s@127.0.0.1:%d"):format(secret, guarded.port)
    local broken = vbench.one_phase([[ local c = vb.command { "GET", vb.key "x",
      on_reply = function() error "broken" end } ]], "run = c")
    local good = vbench.scenario(two)
    for _, how in ipairs {
      { "-a", secret, "-p", guarded.port }, { "--user", "bob", "--auth", secret, "-p",
        guarded.port },
      { "-u", uri }, { "-p", guarded.port, env = { VBENCH_AUTH = secret } },
      { "-p", guarded.port, env = { VBENCH_OPTS = "--auth " .. secret } },
    } do
      for _, script in ipairs { good, broken, "nonexistent-scenario" } do
        local files = { vbench.path("a.json"), vbench.path("b.txt"), vbench.path("c.csv"),
          vbench.path("d.csv"), vbench.path("e.yaml") }
        local args = { script, "-v", "--json", files[1], "-o", files[2], "--csv-seconds", files[3],
          "--csv-summary", files[4], "--save-config", files[5], env = how.env }
        for _, word in ipairs(how) do args[#args + 1] = word end
        local run = vbench.run(args)
        assert.equal(script == good and 0 or 2, run.code, run.all)
        assert.not_matches(secret, run.all, 1, true)
        for _, file in ipairs(files) do
          assert.not_matches(secret, process.read(file) or "", 1, true)
        end
      end
    end
    local wrong = vbench.run { "-t", "set", "-u", uri:gsub("bob", "eve"), "-v" }
    guarded:stop()
    assert.equal(1, wrong.code, wrong.all)
    assert.not_matches(secret, wrong.all, 1, true)
  end)
end)
