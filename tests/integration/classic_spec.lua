-- The neighbour tools' habits: -t with test names, `-- COMMAND` with placeholders, -q, --csv,
-- --parallel, --composite. What a user of redis-benchmark types works and reads the same.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("classic", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function run(args)
    args[#args + 1], args[#args + 2], args[#args + 3] = "-p", server.port, "--no-baseline"
    local result = vbench.run(args)
    assert.equal(0, result.code, result.all)
    return result
  end

  local function lines(text)
    local list = {}
    for line in text:gmatch("[^\r\n]+") do list[#list + 1] = line end
    return list
  end

  -- The words after `--` go last.
  local function command(words, ...)
    local args = { "-p", server.port, "--no-baseline", "-q", ... }
    args[#args + 1] = "--"
    for _, word in ipairs(words) do args[#args + 1] = word end
    local monitor = server:monitor()
    local result = vbench.run(args)
    assert.equal(0, result.code, result.all)
    return monitor:finish(words[1]), result
  end

  it("-t set,get reads as redis-benchmark's output", function()
    local out = run({ "-t", "set,get", "-n", 1000, "-c", 5 }).out
    assert.matches("====== SET ======", out, 1, true)
    assert.matches("====== GET ======", out, 1, true)
    assert.matches("1000 requests completed in %d+%.%d+ seconds", out)
    assert.matches("5 parallel clients", out)
    assert.matches("3 bytes payload", out)
    assert.matches("throughput summary: %d+%.%d+ requests per second", out)
    assert.matches("latency summary", out)
    assert.matches("avg%s+min%s+p50%s+p95%s+p99%s+max", out)
  end)

  it("-q is one line a test", function()
    local all = lines(run({ "-t", "set,get", "-n", 1000, "-q" }).out)
    assert.equal(2, #all)
    assert.matches("^SET: %d+%.%d+ requests per second, p50=%d+%.%d+ msec", all[1])
    assert.matches("^GET: %d+%.%d+ requests per second, p50=%d+%.%d+ msec", all[2])
  end)

  it("--csv is redis-benchmark's CSV", function()
    local all = lines(run({ "-t", "set,get", "-n", 1000, "--csv" }).out)
    assert.equal('"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms",' ..
      '"p95_latency_ms","p99_latency_ms","max_latency_ms"', all[1])
    assert.equal(3, #all)
    assert.matches('^"SET"' .. (',"%d+%.%d+"'):rep(7) .. "$", all[2])
    assert.matches('^"GET",', all[3])
  end)

  -- What each test leaves or sends.
  local tests = {
    { "ping", "PING" }, { "set", "SET" }, { "get", "GET" }, { "incr", "INCR" },
    { "lpush", "LPUSH" }, { "rpush", "RPUSH" }, { "lpop", "LPOP" }, { "rpop", "RPOP" },
    { "sadd", "SADD" }, { "hset", "HSET" }, { "spop", "SPOP" }, { "zadd", "ZADD" },
    { "zpopmin", "ZPOPMIN" }, { "lrange100", "LRANGE" }, { "lrange300", "LRANGE" },
    { "lrange500", "LRANGE" }, { "lrange600", "LRANGE" }, { "mset", "MSET" }, { "xadd", "XADD" },
    { "fcall", "FCALL" },
  }
  for _, test in ipairs(tests) do
    it("test " .. test[1] .. " sends " .. test[2], function()
      local monitor = server:monitor()
      local phase, result = vbench.phase { "-t", test[1], "-n", 120, "-p", server.port, "-c", 3 }
      assert.equal(120, #monitor:finish(test[2]), result.all)
      assert.equal(0, phase.errors)
    end)
  end

  it("lrange finds lists long enough", function()
    local monitor = server:monitor()
    run { "-t", "lrange_600", "-n", 620 }
    local all = monitor:finish("lrange")
    assert.equal(620, #all)
    assert.equal(600, #server:call("LRANGE", unpack(all[1], 2, 4)))
  end)

  it("takes test names in any case and the second spellings", function()
    local all = lines(run({ "-t", "SET,Get,LRANGE_100,lrange", "-n", 50, "-q" }).out)
    assert.is_true(#all >= 4, table.concat(all, "\n"))
    local wrong = vbench.run { "-t", "sett", "-p", server.port }
    assert.equal(2, wrong.code, wrong.all)
    assert.matches("sett", wrong.err)
    assert.matches("set", wrong.err)
  end)

  it("-r, -d, -n and --key-prefix shape the keys and values", function()
    local monitor = server:monitor()
    run { "-t", "set", "-n", 300, "-r", 7, "-d", 33, "--key-prefix", "pre:" }
    local seen, count = {}, 0
    for _, args in ipairs(monitor:finish("set")) do
      assert.matches("^pre:%d%d%d%d%d%d%d%d%d%d%d%d$", args[2])
      assert.equal(33, #args[3])
      if not seen[args[2]] then count = count + 1 end
      seen[args[2]] = true
    end
    assert.equal(7, count)
  end)

  it("says which of these options no test of the run has a use for", function()
    local both = run { "-t", "set,get", "-n", 20, "-r", 7, "-d", 33, "--sequential", "-q" }
    assert.equal("", both.err)
    local get = run { "-t", "get", "-n", 20, "-r", 7, "-d", 33, "-q" }
    assert.equal("vbench: -d/--data-size changes nothing: no command of this run sends a value of "
      .. "that size (behind -- it is __data__)\n", get.err)
    local ping = run { "-t", "ping", "-n", 20, "-r", 7, "--sequential", "-q" }
    assert.matches("-r/--keyspace changes nothing: no command of this run draws", ping.err, 1, true)
    assert.matches("--sequential changes nothing: no command of this run", ping.err, 1, true)
    local _, own = command({ "SET", "key:__rand_int__", "v" }, "-n", 20, "-r", 7, "-d", 33)
    assert.matches("-d/--data-size changes nothing", own.err, 1, true)
    assert.not_matches("--keyspace", own.err, 1, true)
  end)

  it("--sequential takes each key in turn", function()
    run { "-t", "set", "-n", 500, "-r", 500, "--sequential" }
    assert.equal(500, server:call("DBSIZE"))
  end)

  it("--iteration zipfian draws few keys often", function()
    local monitor = server:monitor()
    run { "-t", "get", "-n", 3000, "-r", 1000, "--iteration", "zipfian:0.99" }
    local counts, most = {}, 0
    for _, args in ipairs(monitor:finish("get")) do
      counts[args[2]] = (counts[args[2]] or 0) + 1
      most = math.max(most, counts[args[2]])
    end
    assert.is_true(most > 250, most)
  end)

  -- How often each id was read, of 3000 times with 1000 keys.
  local function ids_read(order)
    local monitor, counts = server:monitor(), {}
    run { "-t", "get", "-n", 3000, "-r", 1000, "--iteration", order }
    for _, args in ipairs(monitor:finish("get")) do
      local id = tonumber(args[2]:match("%d+$"))
      counts[id] = (counts[id] or 0) + 1
    end
    return counts
  end

  -- How many of the reads were of ids from `first` to `last`.
  local function sum(counts, first, last)
    local total = 0
    for id = first, last do total = total + (counts[id] or 0) end
    return total
  end

  it("--iteration takes every distribution", function()
    local exponential = ids_read "exponential:0.1"
    assert.near(3000 * (1 - math.exp(-0.1)), exponential[999], 80)
    assert.near(1500, sum(exponential, 993, 999), 120)
    local normal = ids_read "normal:0.3:0.05"
    assert.near(2048, sum(normal, 250, 349), 120)
    local latest = ids_read "latest:0.2:0.7"
    assert.near(2100, sum(latest, 800, 999), 120)
    local hot, hottest = ids_read "hotspot:0.01:0.9", {}
    for id = 0, 999 do hottest[#hottest + 1] = hot[id] or 0 end
    table.sort(hottest, function(a, b) return a > b end)
    local ten = 0
    for i = 1, 10 do ten = ten + hottest[i] end
    assert.near(2700, ten, 80)
    assert.is_true(sum(hot, 0, 9) < 1500, "the hot ids are the lowest ones")
  end)

  it("--iteration shuffled and subset take each key in turn, and go round", function()
    local shuffled, subset = ids_read "shuffled", ids_read "subset:100:400"
    for id = 0, 999 do
      assert.equal(3, shuffled[id])
      assert.equal(id >= 100 and id < 400 and 10 or nil, subset[id])
    end
    local wrong = vbench.run { "-t", "get", "-r", 1000, "--iteration", "subset:0:2000", "-p",
      server.port }
    assert.equal(2, wrong.code)
    assert.matches("ends at 2000, past the 1000 ids", wrong.err)
  end)

  it("--expiry-range gives keys a time to live", function()
    run { "-t", "set", "-n", 50, "-r", 50, "--sequential", "--expiry-range", "100-200" }
    for id = 0, 49 do
      local ttl = server:call("TTL", ("key:%012d"):format(id))
      assert.is_true(ttl > 90 and ttl <= 200, ttl)
    end
  end)

  it("-l goes on until it is stopped", function()
    local loop = vbench.start { "-t", "set", "-n", 200, "-l", "-p", server.port, "-q",
      "--no-baseline" }
    require("tests.support.process").wait_for(10, "two rounds", function()
      return select(2, loop:output():gsub("SET:", "")) >= 2
    end)
    loop:signal("INT")
    assert.equal(130, loop:wait().code)
    assert.matches("vbench: interrupted: results are those until then\n", loop.err, 1, true)
  end)

  it("-I opens connections and keeps them idle", function()
    local idle = vbench.start { "-I", "-c", 12, "-p", server.port }
    require("tests.support.process").wait_for(10, "connections", function()
      return server:info("connected_clients") >= 13
    end)
    idle:signal("INT")
    idle:wait()
    assert.equal(130, idle.code, idle.all)
    assert.matches("\n12 connections kept idle on 1 thread, interrupted\n", idle.out, 1, true)
    assert.not_matches("succeeded", idle.all, 1, true)
    assert.not_matches("PING_MBULK", idle.all, 1, true)
    local refused = vbench.run { "-I", "10", "-p", server.port }
    assert.equal(2, refused.code, refused.all)
    assert.matches("-I", refused.err, 1, true)
  end)

  describe("-- COMMAND", function()
    it("sends the command as it is", function()
      local all = command({ "SET", "a key", "-n" }, "-n", 25)
      assert.equal(25, #all)
      assert.same({ "SET", "a key", "-n" }, { unpack(all[1]) })
    end)

    it("fills __rand_int__ with 12 digits, each its own draw", function()
      local all = command({ "MSET", "key:__rand_int__", "__rand_int__", "b", "c" }, "-n", 200,
        "-r", 50)
      local equal, seen = 0, {}
      for _, args in ipairs(all) do
        local a, b = args[2]:match("^key:(%d%d%d%d%d%d%d%d%d%d%d%d)$"), args[3]:match("^%d+$")
        assert.is_true(tonumber(a) < 50 and tonumber(b) < 50)
        if a == b then equal = equal + 1 end
        seen[a] = true
      end
      assert.is_true(equal < 40, equal)
      local count = 0
      for _ in pairs(seen) do count = count + 1 end
      assert.is_true(count > 35, count)
    end)

    it("fills __rand_1st__ of one name alike", function()
      local all = command({ "MSET", "k:__rand_1st__", "__rand_1st__", "k:__rand_2nd__",
        "__rand_2nd__" },
        "-n", 100)
      local differ = 0
      for _, args in ipairs(all) do
        assert.equal(args[2], "k:" .. args[3])
        assert.equal(args[4], "k:" .. args[5])
        if args[3] ~= args[5] then differ = differ + 1 end
      end
      assert.is_true(differ > 95)
    end)

    it("tells all nine names apart, wherever they stand again", function()
      local words = { "MSET" }
      for _, name in ipairs { "1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th" } do
        words[#words + 1] = "k:__rand_" .. name .. "__"
        words[#words + 1] = "__rand_" .. name .. "__"
      end
      for _, args in ipairs(command(words, "-n", 20)) do
        local seen = {}
        for i = 2, 18, 2 do
          assert.equal(args[i], "k:" .. args[i + 1])
          assert.is_nil(seen[args[i]])
          seen[args[i]] = true
        end
      end
    end)

    it("fills __data__ with -d bytes", function()
      local all = command({ "SET", "k", "__data__" }, "-n", 20, "-d", 55)
      assert.equal(20, #all)
      for _, args in ipairs(all) do assert.equal(55, #args[3]) end
    end)

    it("takes the last argument from standard input with -x", function()
      local monitor = server:monitor()
      local result = vbench.run { "-p", server.port, "-q", "-n", 5, "-x", "--no-baseline", "--",
        "SET",
        "k", stdin = "from stdin" }
      assert.equal(0, result.code, result.all)
      assert.equal("from stdin", monitor:finish("set")[1][3])
    end)

    it("names the test by the command", function()
      local _, result = command({ "SET", "k", "v" }, "-n", 20)
      assert.matches("SET k v", result.out, 1, true)
    end)

    it("may be written as --command", function()
      local monitor = server:monitor()
      local result = vbench.run { "-p", server.port, "-q", "-n", 15, "--no-baseline", "--command",
        "SET 'a key' __data__" }
      assert.equal(0, result.code, result.all)
      local all = monitor:finish("set")
      assert.equal(15, #all)
      assert.same({ "SET", "a key", "xxx" }, { unpack(all[1]) })
    end)

    it("needs a command", function()
      local result = vbench.run { "-p", server.port, "--" }
      assert.equal(2, result.code, result.all)
    end)
  end)

  it("--parallel is one phase, weighted", function()
    local monitor = server:monitor()
    local _, result = vbench.phase { "--parallel", "get:80,set:20", "-n", 4000, "-p", server.port }
    assert.equal(1, #result.json.phases)
    local counts = { GET = 0, SET = 0 }
    for _, args in ipairs(monitor:finish()) do
      if counts[args[1]] then counts[args[1]] = counts[args[1]] + 1 end
    end
    assert.equal(4000, counts.GET + counts.SET)
    assert.is_true(counts.GET > 3050 and counts.GET < 3350, counts.GET)
    assert.equal(2, #result.json.phases[1].commands)
  end)

  it("--composite is phases in a row, each with its count", function()
    local phase, result = vbench.phase { "--composite", "set:100,get:500", "-p", server.port }
    assert.equal(2, #result.json.phases)
    assert.equal(100, phase.requests)
    assert.equal(500, result.json.phases[2].requests)
  end)

  it("--parallel and --composite refuse what they cannot read", function()
    for _, text in ipairs { "get", "get:-1", "nosuch:5", "" } do
      for _, option in ipairs { "--parallel", "--composite" } do
        local result = vbench.run { option, text, "-p", server.port }
        if not (option == "--parallel" and text == "get") then
          assert.equal(2, result.code, option .. " " .. text .. ": " .. result.all)
        end
      end
    end
  end)

  it("counts what the server answered with an error, never as throughput", function()
    local result = vbench.report { "-p", server.port, "-n", 40, "--", "NOSUCH", "x" }
    assert.equal(4, result.code, result.all)
    assert.equal(0, result.json.phases[1].requests)
    assert.matches("unknown command", result.all)
  end)
end)
