-- Operations, phases and load: what a run sends, how much of it, and when it ends.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

-- How often each command came, as text.
local function multiset(commands)
  local counts = {}
  for _, args in ipairs(commands) do
    local text = table.concat(args, " ")
    counts[text] = (counts[text] or 0) + 1
  end
  return counts
end

describe("load", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function phase(args)
    table.insert(args, 1, "-p")
    table.insert(args, 2, server.port)
    return vbench.phase(args)
  end

  describe("of operations", function()
    local mixed = [[
      local keys = vb.keyspace { prefix = "k:", size = 1000 }
      local set = vb.command { "SET", keys:uniform(), vb.bytes { min = 1, max = 40 } }
      local get = vb.command { "GET", keys:zipfian(0.99) }
      local add = vb.command { "INCRBY", vb.key "n", vb.int { min = 1, max = 1000000 } }
      local lua = vb.command { "SET", vb.key "l", function(req)
        return "v" .. req.rng:int(1, 1000) .. "-" .. req.n
      end, name = "lua" }
      local both = vb.sequence { set, vb.command { "EXISTS", keys:current() } }
      local run = vb.mix { { 4, set }, { 3, get }, { 1, add }, { 1, both }, { 1, lua } }
    ]]

    local function sent(...)
      server:clean()
      local monitor = server:monitor()
      local script = vbench.one_phase(mixed, "run = run, requests = 3001")
      phase { script, ... }
      local all, list = monitor:finish(), {}
      for _, args in ipairs(all) do
        if ("SET GET INCRBY EXISTS"):find(args[1], 1, true) then list[#list + 1] = args end
      end
      return list
    end

    it("are the same multiset with 1 and 8 threads, of one seed", function()
      local one = sent("--threads", 1, "-c", 1, "--seed", 7)
      local eight = sent("--threads", 8, "-c", 24, "--seed", 7, "-P", 4)
      assert.is_true(#one > 3001)
      assert.same(multiset(one), multiset(eight))
    end)

    it("are the same sequence with one connection, of one seed", function()
      local a = sent("--threads", 1, "-c", 1, "--seed", 7)
      local b = sent("--threads", 1, "-c", 1, "--seed", 7)
      for i = 1, #a do
        assert.equal(table.concat(a[i], " "), table.concat(b[i], " "))
      end
      assert.equal(#a, #b)
    end)

    it("are others with another seed", function()
      local a, b = sent("--seed", 7), sent("--seed", 8)
      assert.not_same(multiset(a), multiset(b))
    end)

    it("number exactly what was asked for, with any number of threads", function()
      for _, count in ipairs { 1, 63, 64, 65, 1000 } do
        server:clean()
        local one = phase { "-t", "incr", "-n", count, "-c", 7, "--threads", 3, "-P", 3, "-r", 1 }
        assert.equal(count, one.operations)
        assert.equal(count, one.requests)
        local key = server:call("KEYS", "*")[1]
        assert.equal(tostring(count), server:call("GET", key))
      end
    end)

    it("touch every key once over a sequential cursor", function()
      local script = vbench.one_phase([[
        local keys = vb.keyspace { prefix = "seq:", size = 5000 }
        local incr = vb.command { "INCR", keys:sequential() } ]],
        "run = incr, requests = keys.size")
      phase { script, "-c", 16, "--threads", 4, "-P", 5 }
      assert.equal(5000, server:call("DBSIZE"))
      assert.equal("1", server:call("GET", "seq:000000000000"))
      assert.equal("1", server:call("GET", "seq:000000004999"))
    end)
  end)

  describe("of connections", function()
    local script

    before_each(function()
      script = vbench.one_phase([[
        local get = vb.command { "GET", vb.keyspace { prefix = "k:", size = 10 }:uniform() } ]],
        "run = get")
    end)

    local function addresses(commands)
      local seen, count = {}, 0
      for _, args in ipairs(commands) do
        if not seen[args.address] then count = count + 1 end
        seen[args.address] = true
      end
      return count
    end

    it("opens as many as -c says, whatever the threads", function()
      local monitor = server:monitor()
      local one = phase { script, "-n", 4000, "-c", 13, "--threads", 4 }
      assert.equal(13, addresses(monitor:finish("get")))
      assert.equal(13, one.clients)
      assert.equal(4, one.threads)
    end)

    it("keeps connections between phases and adds and removes the difference", function()
      local two = vbench.scenario [[
        local get = vb.command { "GET", vb.key "x" }
        return vb.scenario { phases = {
          vb.phase { name = "a", run = get, requests = 2000, clients = 4, threads = 2 },
          vb.phase { name = "b", run = get, requests = 2000, clients = 8, threads = 3 },
          vb.phase { name = "c", run = get, requests = 2000, clients = 2, threads = 1 },
        } } ]]
      local monitor = server:monitor()
      local run = vbench.report { two, "-p", server.port }
      assert.equal(0, run.code, run.all)
      assert.equal(8, addresses(monitor:finish("get")))
      local shape = {}
      for i, one in ipairs(run.json.phases) do
        shape[i] = { one.name, one.clients, one.threads, one.requests }
      end
      assert.same({ { "a", 4, 2, 2000 }, { "b", 8, 3, 2000 }, { "c", 2, 1, 2000 } }, shape)
    end)

    it("keeps a pipeline's window full", function()
      local slow = servers.fake("delay", { ms = 40 })
      local function seconds(depth)
        local get = vbench.phase { "-p", slow.port, "-t", "get", "-n", 20, "-c", 1, "-P", depth,
          "--threads", 1 }
        return get.duration_s
      end
      local one, ten = seconds(1), seconds(10)
      slow:stop()
      assert.is_true(one > 0.7, one)
      assert.is_true(ten < one + 0.3, ten)
    end)

    it("can be ten thousand", function()
      local one = phase { script, "-n", 30000, "-c", 10000, "--threads", 2, timeout = 60 }
      assert.equal(30000, one.requests)
      assert.equal(0, one.errors)
      assert.is_true(server:info("total_connections_received") >= 10000)
    end)

    it("takes at most 16 KB of memory for each", function()
      local function peak(clients)
        local run = vbench.run { "-p", server.port, script, "-c", clients, "-n", 3 * clients,
          "--threads", 1, "--no-baseline", "-q", timeout = 60 }
        assert.equal(0, run.code, run.all)
        assert.is_true(server:info("total_connections_received") >= clients)
        return run.peak_kb
      end
      local small, big = peak(50), peak(4050)
      local each = (big - small) / 4000
      print(("\n  memory of a connection: %.1f KB"):format(each))
      if vbench.slowness == 1 then assert.is_true(each <= 16, each) end
    end)
  end)

  describe("of a phase", function()
    local get = [[ local get = vb.command { "GET", vb.key "x" } ]]

    it("ends after its duration", function()
      local one = phase { vbench.one_phase(get, 'run = get, duration = "300ms"') }
      assert.is_true(one.duration_s >= 0.28 and one.duration_s < 0.6, one.duration_s)
      assert.is_true(one.requests > 100)
    end)

    it("ends with what comes first of requests and duration", function()
      local body = 'run = get, duration = "20s", requests = 500'
      assert.equal(500, phase({ vbench.one_phase(get, body) }).requests)
      body = 'run = get, duration = "200ms", requests = 2000000000'
      assert.is_true(phase({ vbench.one_phase(get, body) }).duration_s < 1)
    end)

    it("says so when its cursor ends before what was asked for", function()
      local path = vbench.one_phase(
        'local keys = vb.keyspace { prefix = "k:", size = 10 } ' ..
        'local incr = vb.command { "INCR", keys:sequential() } ', "run = incr, requests = 100")
      local run = vbench.run { path, "-p", server.port, "--no-baseline" }
      assert.matches("its cursor ended after 10 of 100 operations; cursor:wrap%(%) starts it over",
        run.err)
    end)

    it("ends when its cursor does, with until_exhausted", function()
      local script = vbench.one_phase([[
        local keys = vb.keyspace { prefix = "u:", size = 1000 }
        local incr = vb.command { "INCR", keys:sequential():limit(130) } ]],
        "run = incr, until_exhausted = true")
      local one = phase { script, "--threads", 2, "-c", 9 }
      assert.equal(130, one.requests)
      assert.equal(130, server:call("DBSIZE"))
    end)

    it("does not count its warm-up", function()
      local script = vbench.one_phase([[
        local keys = vb.keyspace { prefix = "w:", size = 1000000000 }
        local incr = vb.command { "INCR", vb.key "w" } ]],
        'run = incr, requests = 1000, warmup = "200ms"')
      local one = phase { script }
      assert.equal(1000, one.requests)
      assert.is_true(tonumber(server:call("GET", "w")) > 1100)
    end)

    it("has its duration after its warm-up", function()
      local one, run = phase { vbench.one_phase(get,
        'run = get, duration = "200ms", warmup = "300ms"') }
      assert.is_true(one.duration_s >= 0.18 and one.duration_s < 0.45, one.duration_s)
      assert.is_true(run.seconds >= 0.5)
    end)

    it("may run others beside it until it ends", function()
      local script = vbench.scenario [[
        local get = vb.command { "GET", vb.key "x" }
        local incr = vb.command { "INCR", vb.key "beside" }
        return vb.scenario { phases = { vb.phase { name = "front", run = get, duration = "400ms",
          clients = 2, background = {
            vb.phase { name = "beside", run = incr, clients = 3 },
            vb.phase { name = "late", run = vb.command { "INCR", vb.key "late", name = "late" },
                       start = "300ms", clients = 1 },
          } } } } ]]
      local run = vbench.report { script, "-p", server.port }
      assert.equal(0, run.code, run.all)
      local by_name = {}
      for _, one in ipairs(run.json.phases) do by_name[one.name] = one end
      assert.equal(tonumber(server:call("GET", "beside")), by_name.beside.requests)
      assert.equal(3, by_name.beside.clients)
      assert.equal(2, by_name.front.clients)
      local late = tonumber(server:call("GET", "late"))
      assert.is_true(late > 0 and late < by_name.front.requests, late)
      assert.equal(late, by_name.late.requests)
    end)

    it("may be a copy with other fields and params", function()
      local script = vbench.scenario [[
        local size = vb.param("size", 5, { min = 1, max = 100 })
        local set = vb.command { "SET", vb.key "x", vb.bytes(size) }
        local base = vb.phase { name = "five", run = set, requests = 10 }
        return vb.scenario { phases = {
          base, base:with { name = "nine", size = 9, requests = 20, clients = 2 },
        } } ]]
      local monitor = server:monitor()
      local run = vbench.report { script, "-p", server.port }
      assert.equal(0, run.code, run.all)
      local lengths = {}
      for _, args in ipairs(monitor:finish("set")) do
        lengths[#args[3]] = (lengths[#args[3]] or 0) + 1
      end
      assert.same({ [5] = 10, [9] = 20 }, lengths)
      assert.equal(2, run.json.phases[2].clients)
    end)
  end)

  it("pins its workers to the cores of --pin", function()
    local script = vbench.one_phase([[ local get = vb.command { "GET", vb.key "x" } ]],
      'run = get, duration = "2s"')
    local run = vbench.start { script, "-p", server.port, "--threads", 2, "-c", 4, "--pin", "0",
      "--no-baseline" }
    local pinned = process.wait_for(5 * vbench.slowness, "two pinned threads", function()
      local count = process.capture("grep -hx 'Cpus_allowed_list:.0' /proc/" .. run.pid ..
        "/task/*/status 2>/dev/null | wc -l")
      return tonumber(count) >= 2 and count
    end)
    run:signal("INT")
    run:wait()
    assert.equal("2", pinned)
  end)

  it("allocates nothing for an operation once it is warm", function()
    if vbench.slowness > 1 then return pending("sanitizers have allocators of their own") end
    local counter = vbench.path("count.so")
    process.capture(("cc -shared -fPIC -O2 -o %s %s/tests/support/count_allocations.c")
      :format(counter, vbench.root))
    local script = vbench.one_phase([[
      local keys = vb.keyspace { prefix = "a:", size = 1000 }
      local set = vb.command { "SET", keys:uniform(), vb.bytes { min = 10, max = 3000 } }
      local get = vb.command { "GET", keys:zipfian(0.99), reply = vb.hits() }
      local push = vb.command { "SADD", vb.key "l", vb.concat { "x", vb.int { min = 1, max = 9 } } }
      local both = vb.transaction { set, push }
      local put = vb.command { "SET", vb.key "f", function(req) return "v" .. req.n % 7 end,
        name = "put" } ]],
      "run = vb.mix { { 3, set }, { 5, get }, { 1, both }, { 1, put } }")
    local function allocations(count)
      local file = vbench.path("allocations")
      phase { script, "-n", count, "-c", 8, "--threads", 2, "-P", 4,
        env = { LD_PRELOAD = counter, VBENCH_ALLOCATIONS = file } }
      return tonumber(process.read(file))
    end
    local few, many = allocations(20000), allocations(120000)
    local each = (many - few) / 100000
    print(("\n  allocations of an operation: %.4f"):format(each))
    -- What a second of a longer run posts (a handful) is not the operations'.
    assert.is_true(each < 0.002, each)
  end)

  it("starts quickly: the time is printed, not judged", function()
    local best = math.huge
    for _ = 1, 5 do
      local run = vbench.run { "-p", server.port, "--no-baseline", "-q", "-t", "get", "-n", 1,
        "-c", 1 }
      assert.equal(0, run.code, run.all)
      assert.matches("^GET: ", run.out)
      best = math.min(best, run.seconds)
    end
    print(("\n  start, one request, end: %.0f ms"):format(best * 1000))
  end)
end)
