-- The scenarios that ship: each runs as it is against a fresh server, is short, and says what one
-- learns from it. And the program as people get it: installed, from any directory.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local names = { "quickstart", "classic", "cache", "leaderboard", "verify", "transactions",
  "json-documents", "custom-lua", "rate-limiter", "churn-connections", "storm", "tls",
  "open-loop", "ramp", "pubsub", "queue", "streams", "session-store",
  "optimistic-lock", "consumer-group", "lock", "cache-aside",
  "fill-once", "churn", "hit-ratio", "ycsb",
  "schema-load", "load-and-verify" }

-- What a scenario cannot be loaded without.
local needs = { "--dataset", vbench.root .. "/datasets/products" }
local needed = { ["schema-load"] = needs, ["load-and-verify"] = needs }

describe("the scenario", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function() server:stop() end)
  before_each(function() server:clean() end)

  -- A scenario by name, as a person calls it, some tenths of a second for each phase.
  local function short(name, ...)
    local args = { name, "-p", server.port, "-c", 4, ... }
    return vbench.report(args)
  end

  for _, name in ipairs(names) do
    it(name .. " is short, opens with what it teaches, and passes check", function()
      local text = assert(process.read(vbench.root .. "/scripts/" .. name .. ".lua"))
      local code = 0
      for line in text:gmatch("[^\n]+") do
        if not line:match("^%s*%-%-") then code = code + 1 end
      end
      assert.is_true(code < 60, code)
      assert.matches("^%-%-+ %S", text)
      local run = vbench.run { "check", vbench.root .. "/scripts/" .. name .. ".lua",
        unpack(needed[name] or {}) }
      assert.equal(0, run.code, run.all)
    end)
  end

  -- A rate that is to be reached within 2 % takes longer than what may hold a machine up.
  local times = { ["open-loop"] = "2s" }

  for _, name in ipairs { "quickstart", "cache", "leaderboard", "verify", "transactions",
    "custom-lua", "rate-limiter", "churn-connections", "storm",
    "open-loop", "ramp", "pubsub", "queue", "streams", "session-store",
    "optimistic-lock", "consumer-group", "lock", "cache-aside",
    "fill-once", "churn", "hit-ratio", "ycsb" } do
    it(name .. " runs without an error", function()
      local help = vbench.run { "help", name }
      assert.equal(0, help.code, help.all)
      local quick = {}
      for _, option in ipairs { "seconds", "duration", "time" } do
        if help.out:find("\n%s+%-%-" .. option .. "[%s=]") then
          quick[1] = ("--%s=%s"):format(option, times[name] or "300ms")
        end
      end
      local run = short(name, "-r", 2000, unpack(quick))
      if run.code == 2 and run.err:find("keyspace") then run = short(name, unpack(quick)) end
      assert.equal(0, run.code, run.all)
      for _, phase in ipairs(run.json.phases) do
        assert.equal(0, phase.errors)
        assert.is_true(phase.requests > 0)
      end
    end)
  end

  local function row(phase, name)
    for _, one in ipairs(phase.commands) do
      if one.name == name then return one end
    end
  end

  it("optimistic-lock loses no deposit, however often it has to try", function()
    local run = short("optimistic-lock", "--threads", 2, "--accounts=10", "--transfers=2000")
    assert.equal(0, run.code, run.all)
    local deposit = run.json.phases[2]
    assert.equal(2000, row(deposit, "exec").requests)
    assert.is_true(deposit.conflicts > 0)
    local sum, logged = 0, 0
    for id = 0, 9 do sum = sum + server:call("GET", ("account:%012d"):format(id)) end
    assert.is_true(sum > 10 * 1000 + 2000 and sum <= 10 * 1000 + 2000 * 100)
    for _, entry in ipairs(server:call("LRANGE", "log", 0, -1)) do
      logged = logged + (entry:match("^%d+ %+%d+$") and 1 or 0)
    end
    assert.equal(1000, logged)
  end)

  it("consumer-group acknowledges what it reads", function()
    local run = short("consumer-group", "--seconds=1s", "--orders=1000")
    assert.equal(0, run.code, run.all)
    local produce, consume = run.json.phases[1], run.json.phases[2]
    assert.is_true(math.abs(produce.requests - 1000) <= 20, produce.requests)
    assert.is_true(row(consume, "ack").requests > 20)
    assert.is_true(row(consume, "read").age_us.p50 > 0)
    local pending = server:call("XPENDING", "orders", "shop")
    assert.is_true(tonumber(pending[1]) <= 8 * 10)
  end)

  it("fill-once writes each key once, from all threads", function()
    local run = short("fill-once", "-r", 30000, "--threads", 3)
    assert.equal(0, run.code, run.all)
    assert.equal(30000, server:call("DBSIZE"))
    assert.same({ 15000, 15000 },
      { run.json.phases[1].requests, run.json.phases[2].requests })
    assert.matches("30000 ids were claimed and written, the server holds 30000 more", run.out)
  end)

  it("churn keeps the density, and tells what came and went", function()
    local run = short("churn", "-r", 20000, "--density=0.4", "--seconds=1s", "--threads", 2)
    assert.equal(0, run.code, run.all)
    local before, after, added, removed = run.out:match(
      "density ([%d.]+) before, ([%d.]+) after; (%d+) ids were added, (%d+) removed")
    assert.equal(0.4, tonumber(before))
    assert.near(0.4, tonumber(after), 0.1)
    assert.is_true(tonumber(added) > 100 and tonumber(removed) > 100)
    assert.equal(8000 + added - removed, server:call("DBSIZE"))
    assert.equal(0, row(run.json.phases[2], "read").misses)
  end)

  it("hit-ratio hits as often as it is asked to", function()
    for _, ratio in ipairs { 0.25, 0.95 } do
      local run = short("hit-ratio", "-r", 20000, "--ratio=" .. ratio, "--seconds=1s")
      assert.equal(0, run.code, run.all)
      local read = run.json.phases[2]
      assert.near(ratio, read.hits / (read.hits + read.misses), 0.01)
      server:clean()
    end
  end)

  it("lock never gives one lock to two", function()
    local run = short("lock", "--locks=3", "--turns=500")
    assert.equal(0, run.code, run.all)
    local hold = run.json.phases[1]
    assert.equal(500, row(hold, "release").requests)
    assert.is_true(row(hold, "take").requests > 500)
    assert.equal(500, hold.metrics.tries_per_lock.count)
    assert.equal(0, server:call("DBSIZE"))
  end)

  it("cache-aside fills each miss once", function()
    local run = short("cache-aside", "--seconds=500ms", "--keys=50")
    assert.equal(0, run.code, run.all)
    local ask = run.json.phases[1]
    assert.equal(50, row(ask, "fill").requests)
    assert.is_true(row(ask, "get").hits > row(ask, "get").misses)
  end)

  it("churn-connections opens connections again in one phase only", function()
    local run = short("churn-connections", "-r", 1000, "--seconds=500ms", "--every=10")
    assert.equal(0, run.code, run.all)
    local stay, churn = run.json.phases[2], run.json.phases[3]
    assert.is_true(stay.client.connects <= 4)
    local wanted = churn.operations / 10
    assert.is_true(math.abs(churn.client.connects - wanted) < 10, churn.client.connects)
    assert.matches("connections opened", run.out, 1, true)
  end)

  it("storm has a beginning and an end within its traffic", function()
    local run = short("storm", "-r", 1000, "--seconds=3s", "--storm=1s", "--crowd=8")
    assert.equal(0, run.code, run.all)
    local traffic, storm = run.json.phases[2], run.json.phases[3]
    assert.same({ "traffic", "storm" }, { traffic.name, storm.name })
    assert.is_true(math.abs(storm.duration_s - 1) < 0.2, storm.duration_s)
    assert.is_true(math.abs(traffic.duration_s - 3) < 0.2, traffic.duration_s)
    assert.is_true(storm.bytes_received > storm.requests * 5000)
    assert.equal(8, storm.clients)
  end)

  it("tls runs with TLS and without", function()
    for _, spec in ipairs { "standalone", "tls" } do
      local run = vbench.report { "tls", "--local", spec, "-c", 4, "--seconds=400ms" }
      assert.equal(0, run.code, run.all)
      assert.equal(4, #run.json.phases)
      for _, phase in ipairs(run.json.phases) do assert.is_true(phase.requests > 0) end
      local last = run.json.phases[4]
      assert.is_true(math.abs(last.client.connects - last.operations) <= 8)
    end
  end)

  it("json-documents runs where there is JSON.SET, and says so where not", function()
    local run = short("json-documents")
    assert.not_equal(0, run.code)
    assert.matches("JSON.SET", run.all, 1, true)
    assert.not_matches("traceback", run.all)
    for _, installed in ipairs(servers.installed()) do
      if installed.name == "redis8" then
        local eight = servers.start { path = installed.path }
        local has = pcall(function() eight:call("JSON.SET", "a", "$", "1") end)
        local with = vbench.report { "json-documents", "-p", eight.port, "-c", 4 }
        eight:stop()
        assert.equal(has and 0 or with.code, with.code, with.all)
      end
    end
  end)
end)

describe("the program", function()
  teardown(vbench.clean)

  it("runs from any directory, its scenarios and library inside", function()
    local place = process.directory()
    process.capture("cp " .. vbench.binary .. " " .. place .. "/vbench")
    local run = vbench.run { program = place .. "/vbench", "list", cwd = "/" }
    assert.equal(0, run.code, run.all)
    assert.matches("quickstart", run.out)
    run = vbench.run { program = place .. "/vbench", "check", "quickstart", cwd = "/" }
    process.remove(place)
    assert.equal(0, run.code, run.all)
  end)

  it("comes with a library that shows only its own names", function()
    local library = os.getenv("VBENCH_LIBRARY")
      or vbench.binary:match("^(.*)/[^/]*$") .. "/libvbench.so"
    local names = process.capture("nm -D --defined-only " .. library .. " | awk '{print $3}'")
    assert.matches("\nvb_engine_new\n", names)
    for name in names:gmatch("%S+") do assert.matches("^vb_", name) end
  end)
end)
