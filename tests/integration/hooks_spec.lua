-- What a scenario does besides sending: processors of replies, hooks, set-up, its own main, metrics
-- of its own, libraries.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a scenario", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function report(text, ...)
    return vbench.report { vbench.scenario(text), "-p", server.port, "-c", 4, "--threads", 2, ... }
  end

  local function well(text, ...)
    local run = report(text, ...)
    assert.equal(0, run.code, run.all)
    return run.json.phases, run
  end

  describe("reads replies:", function()
    it("vb.hits counts hits and misses, of arrays their elements", function()
      for id = 0, 24 do server:call("SET", ("k:%012d"):format(id), "v") end
      local phases = well [[
        local keys = vb.keyspace { prefix = "k:", size = 100 }
        local get = vb.command { "GET", keys:sequential(), reply = vb.hits() }
        local mget = vb.command { "MGET", keys:sequential(), vb.key "none", reply = vb.hits() }
        return vb.scenario { phases = { vb.phase { name = "a", run = get, requests = 100 },
          vb.phase { name = "b", run = mget, requests = 100 } } } ]]
      assert.same({ 25, 75 }, { phases[1].hits, phases[1].misses })
      assert.same({ 25, 175 }, { phases[2].hits, phases[2].misses })
    end)

    it("a phase that hits nothing says so", function()
      local _, run = well [[
        local get = vb.command { "GET", vb.key "none", reply = vb.hits() }
        return vb.scenario { phases = { vb.phase { name = "a", run = get, requests = 100 } } } ]]
      assert.matches("nothing was hit", run.all)
      assert.matches("fill", run.all)
    end)

    local verify = [[
      local keys = vb.keyspace { prefix = "v:", size = 500 }
      local set = vb.command { "SET", keys:sequential(), vb.bytes({ min = 1, max = 90 },
        { from = "id" }) }
      local get = vb.command { "GET", keys:uniform(), reply = vb.verify() } ]]

    it("vb.verify finds what was written", function()
      local phases = well(verify .. [[
        return vb.scenario { phases = { vb.phase { name = "fill", run = set, requests = keys.size },
          vb.phase { name = "read", run = get, requests = 2000 } } } ]])
      assert.equal(2000, phases[2].requests)
      assert.equal(0, phases[2].errors)
    end)

    it("vb.verify makes a mismatch an error with the first example", function()
      well(verify .. [[ return vb.scenario { phases = {
        vb.phase { name = "fill", run = set, requests = keys.size } } } ]])
      server:call("SET", "v:000000000007", "tampered")
      local run = report(verify:gsub("uniform", "sequential") .. [[ return vb.scenario { phases = {
        vb.phase { name = "read", run = get, requests = 500, max_errors = 1.0 } } } ]])
      assert.equal(1, run.json.phases[1].errors, run.all)
      local kind, entry = next(run.json.phases[1].errors_by_kind)
      assert.matches("verif", kind:lower())
      assert.equal(1, entry.count)
      assert.matches("v:000000000007", entry.first, 1, true)
      assert.matches("tampered", entry.first, 1, true)
      assert.matches("v:000000000007", run.out, 1, true)
      assert.equal(499, run.json.phases[1].requests)
    end)

    it("vb.expect wants its reply", function()
      local phases = well [[
        local set = vb.command { "SET", vb.key "x", "y", reply = vb.expect("OK") }
        return vb.scenario { phases = { vb.phase { name = "a", run = set, requests = 100 } } } ]]
      assert.equal(100, phases[1].requests)
      server:call("SET", "x", "other")
      local run = report [[
        local get = vb.command { "GET", vb.key "x", reply = vb.expect("OK") }
        return vb.scenario { phases = { vb.phase { name = "a", run = get, requests = 100 } } } ]]
      assert.equal(4, run.code, run.all)
      assert.equal(100, run.json.phases[1].errors)
      assert.matches("other", run.all)
    end)

    it("on_reply sees type, numbers, strings and elements", function()
      server:call("RPUSH", "l", "one", "two", "3")
      server:call("SET", "s", "text")
      local _, run = well [[
        local function check(what, ok) if not ok then error("not " .. what) end end
        local function command(name, key, more)
          more[1], more[2] = name, vb.key(key)
          return vb.command(more)
        end
        local seen = vb.counter { name = "seen" }
        local run = vb.sequence {
          vb.command { "GET", vb.key "s", on_reply = function(r)
            check("string", r.type == "string" and r.string == "text") seen:add(1) end },
          vb.command { "GET", vb.key "none", name = "none", on_reply = function(r)
            check("nil", r.type == "nil") seen:add(1) end },
          vb.command { "INCR", vb.key "i", on_reply = function(r)
            check("integer", r.type == "integer" and r.integer >= 1) seen:add(1) end },
          vb.command { "SET", vb.key "w", "v", on_reply = function(r)
            check("status", r.type == "status" and r.string == "OK") seen:add(1) end },
          vb.command { "LRANGE", vb.key "l", 0, -1, on_reply = function(r, req)
            check("array", r.type == "array" and #r == 3 and r[1].string == "one" and
              r[3].string == "3")
            local words = {}
            for element in r:each() do words[#words + 1] = element.string end
            check("each", table.concat(words, ",") == "one,two,3")
            check("request", req.n >= 0)
            seen:add(1) end },
        }
        return vb.scenario { phases = { vb.phase { name = "a", run = run, requests = 50 } },
          teardown = function() assert(seen:get() == 250, "seen " .. tostring(seen:get())) end } ]]
      assert.equal(250, run.json.phases[1].requests)
    end)
  end)

  describe("has a life:", function()
    it("setup and teardown use the control plane, setup's table sets params", function()
      local monitor = server:monitor()
      local _, run = well [[
        local size = vb.param("size", 1)
        local set = vb.command { "SET", vb.key "x", vb.bytes(size) }
        return vb.scenario {
          setup = function(ctl)
            assert(ctl:call("SET", "setup", "done", "EX", 1000) == "OK")
            assert(ctl:call("TTL", "setup") > 900)
            local value, message = ctl:try("LPUSH", "setup", "x")
            assert(value == nil and tostring(message):find("WRONGTYPE"))
            assert(ctl:info("server").redis_version)
            local nodes = 0
            ctl:each_node("primary", function() nodes = nodes + 1 end)
            assert(nodes == 1)
            return { size = 21 }
          end,
          phases = { vb.phase { name = "a", run = set, requests = 10 } },
          teardown = function(ctl, results)
            ctl:call("SET", "torn", results[1].requests)
          end } ]]
      for _, args in ipairs(monitor:finish("set")) do
        if args[2] == "x" then assert.equal(21, #args[3]) end
      end
      assert.equal("done", server:call("GET", "setup"))
      assert.equal("10", server:call("GET", "torn"))
      assert.equal("ok", run.json.status)
    end)

    it("ctl:config sets and restores", function()
      local before = server:call("CONFIG", "GET", "lfu-log-factor")[2]
      local text = [[
        local get = vb.command { "GET", vb.key "x" }
        return vb.scenario { setup = function(ctl) ctl:config { ["lfu-log-factor"] = "13" } end,
          phases = function() return { vb.phase { name = "a", run = get, requests = 10 } } end,
          teardown = function(ctl)
            assert(ctl:call("CONFIG", "GET", "lfu-log-factor")[2] == "13")
          end } ]]
      well(text)
      assert.equal(before, server:call("CONFIG", "GET", "lfu-log-factor")[2])
      server:call("SET", "somebody's", "key")
      local run = report(text)
      assert.not_equal(0, run.code)
      assert.matches("--yes", run.err, 1, true)
      well(text, "--yes")
    end)

    it("main runs phases and reads their results", function()
      local phases = well [[
        local get = vb.command { "GET", vb.key "x" }
        return vb.scenario { main = function(run)
          local one = run:phase(vb.phase { name = "one", run = get, requests = 100 })
          assert(one.requests == 100 and one:metric "p99_ms" > 0)
          assert(one:metric "qps" > 0 and one:metric "get.errors" == 0)
          for clients = 2, 4 do
            run:phase(vb.phase { name = "c" .. clients, run = get, requests = 50,
              clients = clients })
          end
        end } ]]
      local names = {}
      for i, phase in ipairs(phases) do names[i] = phase.name .. phase.requests end
      assert.equal("one100 c250 c350 c450", table.concat(names, " "))
    end)

    it("on_second sees the timeline, run:stop ends it", function()
      local script = vbench.scenario [[
        local get = vb.command { "GET", vb.key "x" }
        return vb.scenario { main = function(run)
          run:phase(vb.phase { name = "a", run = get, duration = "1100ms" })
          run:stop()
          run:phase(vb.phase { name = "never", run = get, requests = 10 })
        end } ]]
      local run = vbench.report { script, "-p", server.port }
      assert.equal(0, run.code, run.all)
      assert.equal(1, #run.json.phases)
      local ticks = vbench.path("ticks")
      script = vbench.scenario([[
        local get = vb.command { "GET", vb.key "x" }
        return vb.scenario { phases = { vb.phase { name = "a", run = get, duration = "2300ms" } },
          on_second = function(entry)
            local file = io.open("]] .. ticks .. [[", "a")
            file:write(entry.t_s, " ", entry.requests, "\n")
            file:close()
          end } ]])
      run = vbench.report { script, "-p", server.port }
      local count = 0
      for line in (process.read(ticks) or ""):gmatch("[^\n]+") do
        count = count + 1
        assert.is_true(tonumber(line:match(" (%d+)")) > 0, line)
      end
      assert.is_true(count >= 2, count)
      assert.equal(0, run.code)
    end)

    it("threads have a beginning and an end, whose data main gets", function()
      well([[
        local calls = 0
        local count = vb.command { "INCR", vb.key "x", on_reply = function() calls = calls + 1 end }
        return vb.scenario {
          thread = { init = function(t) t.state.started = t.index end,
            done = function(t) return { index = t.index, started = t.state.started,
              calls = calls } end },
          phases = { vb.phase { name = "a", run = count, requests = 1000 } },
          teardown = function(_, results)
            local sum = 0
            for _, data in ipairs(results.threads) do
              assert(data.index == data.started)
              sum = sum + data.calls
            end
            assert(sum == 1000, "calls " .. sum)
          end } ]], "--threads", 2)
    end)

    it("metrics and counters of its own are in the report", function()
      local phases = well [[
        local sizes = vb.metric { name = "reply_size", unit = "bytes", better = "lower" }
        local seen = vb.counter { name = "seen" }
        local get = vb.command { "GET", vb.key "x", on_reply = function(r)
          sizes:record(7) seen:add(2) end }
        return vb.scenario { phases = { vb.phase { name = "a", run = get, requests = 100 } },
          teardown = function() assert(seen:get() == 200) end } ]]
      local metric = phases[1].metrics.reply_size
      assert.is_table(metric)
      assert.equal("bytes", metric.unit)
      assert.equal(100, metric.count)
      assert.equal(7, metric.max)
    end)

    it("thresholds decide the exit code and may abort", function()
      local function judged(thresholds, more)
        return report([[ local get = vb.command { "GET", vb.key "x", reply = vb.hits() }
          return vb.scenario { phases = { vb.phase { name = "a", run = get, thresholds = ]] ..
          thresholds .. ", " .. (more or "requests = 500") .. " } } }")
      end
      local run = judged '{ "p99_ms < 60000", "errors == 0", "get.hit_rate < 0.5" }'
      assert.equal(0, run.code, run.all)
      assert.same({ true, true, true }, { run.json.phases[1].thresholds[1].ok,
        run.json.phases[1].thresholds[2].ok, run.json.phases[1].thresholds[3].ok })
      run = judged '{ "p99_ms < 60000", "hit_rate > 0.9" }'
      assert.equal(3, run.code, run.all)
      local second = run.json.phases[1].thresholds[2]
      assert.same({ "hit_rate > 0.9", 0, false }, { second.expr, second.value, second.ok })
      assert.matches("hit_rate > 0.9", run.out, 1, true)
      run = judged('{ { "hit_rate > 0.9", abort = true } }', 'duration = "20s"')
      assert.equal(3, run.code, run.all)
      assert.is_true(run.seconds < 6 * vbench.slowness)
      run = judged('{ { "hit_rate > 0.9", abort = true } }', 'requests = 5')
      assert.equal(3, run.code, run.all)
      assert.equal("ok", run.json.phases[1].status) -- nothing was left to end early
      assert.not_matches("ended early", run.err)
    end)
  end)

  describe("is shared:", function()
    it("libraries are found beside it, in lib/, in VBENCH_PATH, at home", function()
      local place = process.directory()
      os.execute(("mkdir -p %s/s/lib %s/path %s/.local/share/vbench/lua"):format(place, place,
        place))
      process.write(place .. "/s/beside.lua", 'return "beside"')
      process.write(place .. "/s/lib/inlib.lua", 'return "inlib"')
      process.write(place .. "/path/onpath.lua", 'return "onpath"')
      process.write(place .. "/.local/share/vbench/lua/athome.lua", 'return "athome"')
      process.write(place .. "/path/first.lua", 'return "second"')
      process.write(place .. "/s/first.lua", 'return "first"')
      process.write(place .. "/s/main.lua", [[
        local vb = require "vbench"
        local names = { "beside", "inlib", "onpath", "athome", "first" }
        for i, name in ipairs(names) do names[i] = require(name) end
        local set = vb.command { "SET", vb.key "found", table.concat(names, " ") }
        return vb.scenario { description = "finds libraries", phases = {
          vb.phase { name = "a", run = set, requests = 1 } } } ]])
      process.write(place .. "/path/shared-scenario.lua", process.read(place .. "/s/main.lua"))
      local env = { VBENCH_PATH = place .. "/path", HOME = place }
      local run = vbench.run { place .. "/s/main.lua", "-p", server.port, env = env }
      assert.equal(0, run.code, run.all)
      assert.equal("beside inlib onpath athome first", server:call("GET", "found"))
      run = vbench.run { "list", env = env }
      process.remove(place)
      assert.equal(0, run.code, run.all)
      assert.matches("shared%-scenario%s+.*finds libraries", run.out)
    end)

    it("another file may require it and change its phases", function()
      local place = process.directory()
      process.write(place .. "/base.lua", [[ local vb = require "vbench"
        local incr = vb.command { "INCR", vb.key "n" }
        return vb.scenario { phases = { vb.phase { name = "a", run = incr, requests = 10 } } } ]])
      process.write(place .. "/more.lua", [[ local base = require "base"
        base.phases[2] = base.phases[1]:with { name = "b", requests = 5 }
        return base ]])
      local run = vbench.report { place .. "/more.lua", "-p", server.port }
      process.remove(place)
      assert.equal(0, run.code, run.all)
      assert.equal("15", server:call("GET", "n"))
      assert.equal("b", run.json.phases[2].name)
    end)
  end)
end)
