-- A mixed load whose connections are killed at random all the time: it neither hangs nor grows, and
-- what it counts is what the server did. VBENCH_SOAK_S is how long (10 s), VBENCH_SOAK_IDS how many
-- ids are loaded (50000); tests/bench/soak.sh takes a minute and a million.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local SECONDS = tonumber(os.getenv("VBENCH_SOAK_S") or 10)
local KILLS_PER_S = 18 -- over 1000 in a minute
local IDS = tonumber(os.getenv("VBENCH_SOAK_IDS") or 50000)

describe("a load whose connections are killed at random", function()
  teardown(vbench.clean)

  local MIX = [[
    local keys = vb.keyspace { prefix = "key:", size = 10000 }
    local lists = vb.keyspace { prefix = "list:", size = 1000 }
    local set = vb.command { "SET", keys:uniform(), vb.bytes(20, { from = "id" }) }
    local get = vb.command { "GET", keys:uniform(), reply = { vb.hits(), vb.verify() } }
    local large = vb.command { "SETRANGE", "large", 0, vb.bytes "100KB" }
    local incr = vb.command { "INCR", "counter" }
    local fill = vb.transaction { name = "fill", vb.command { "DEL", lists:uniform() },
      vb.command { "RPUSH", lists:current(), "a", "b", "c" } }
    local aside = vb.sequence { vb.command { "GET", keys:uniform(), reply = vb.hits(),
      name = "look" }, vb.command { "INCR", "asides", name = "aside" }:when("miss") }
    local mix = vb.mix { { 40, get }, { 25, set }, { 20, incr }, { 10, fill }, { 4, aside },
      { 1, large } } ]]

  -- Kills a random connection again and again while the run goes on: how many, and the most memory
  -- that the run was seen to take, in KB.
  local function kill_while(run, server)
    local kills, peak, own = 0, 0, tostring(server:call("CLIENT", "ID"))
    local due = process.now()
    while run.process:running() do
      local ids = {}
      for id in server:call("CLIENT", "LIST", "TYPE", "normal"):gmatch("id=(%d+)") do
        if id ~= own then ids[#ids + 1] = id end
      end
      local id = #ids > 5 and ids[math.random(#ids)] -- fewer: its control connection is one of them
      if id and pcall(server.call, server, "CLIENT", "KILL", "ID", id) then kills = kills + 1 end
      local status = process.read("/proc/" .. run.pid .. "/status") or ""
      peak = math.max(peak, tonumber(status:match("VmHWM:%s*(%d+)")) or 0)
      due = due + 1 / KILLS_PER_S
      process.sleep(math.max(0.001, due - process.now()))
    end
    return kills, peak
  end

  local function command(phase, name)
    for _, one in ipairs(phase.commands) do
      if one.name == name then return one end
    end
  end

  for _, load in ipairs {
    { "in a closed loop", "clients = 40, pipeline = 1" },
    { "with a pipeline", "clients = 10, pipeline = 16" },
    { "with churn, in an open loop", "clients = 40, rate = 10000, reconnect = 1000" },
  } do
    it(load[1] .. " counts everything once", function()
      local server = servers.start()
      local file = vbench.path("soak.json")
      local script = vbench.one_phase(MIX,
        ('run = mix, duration = "%gs", retry = 100, max_errors = 1, %s'):format(SECONDS / 3,
          load[2]))
      local run = vbench.start { script, "-p", server.port, "--threads", 2, "--json", file,
        "--no-baseline", "--timeout", "5s", timeout = SECONDS + 20 }
      local kills, peak = kill_while(run, server)
      run:wait()
      local counter, asides = tonumber(server:call("GET", "counter")),
        tonumber(server:call("GET", "asides") or 0)
      local lists, wrong = server:call("KEYS", "list:*"), 0
      for _, key in ipairs(lists) do
        if server:call("LLEN", key) ~= 3 then wrong = wrong + 1 end
      end
      server:stop()
      local phase = vbench.decode(process.read(file)).phases[1]
      assert.equal(0, run.code, run.all)
      assert.is_true(kills > SECONDS / 3 * KILLS_PER_S / 4, kills)
      assert.is_true(phase.connection_errors > 0)
      assert.is_true(phase.retries > 0)
      assert.equal(0, wrong)
      assert.is_true(#lists > 0)
      for name, done in pairs { incr = counter, aside = asides } do
        local row = command(phase, name)
        assert.is_true(row.requests <= done and done <= row.requests + row.unknown,
          ("%s: %d done, %d answered, %d unknown"):format(name, done, row.requests, row.unknown))
      end
      -- What could be sent again has not failed, but for what the end of the phase cut off.
      assert.equal(phase.errors, phase.unknown + phase.gave_up)
      assert.is_true(phase.gave_up <= 16, phase.gave_up)
      if vbench.slowness == 1 then assert.is_true(peak < 150000, peak) end
      if os.getenv("VBENCH_SOAK_S") then
        print(("%s: %d kills, %d operations, %d retries, %d unknown, %d given up, %d KB"):format(
          load[1], kills, phase.operations, phase.retries, phase.unknown, phase.gave_up, peak))
      end
    end)
  end

  it("leaves no gap and no double in what it loads, all cut every 50 ms", function()
    local server = servers.start()
    local script = vbench.scenario(([[
      local ids = %d
      local keys = vb.keyspace { prefix = "key:", size = ids }
      local lists = vb.keyspace { prefix = "list:", size = ids / 5 }
      local set = vb.command { "SET", keys:sequential(), vb.bytes(10, { from = "id" }) }
      local get = vb.command { "GET", keys:sequential(), reply = vb.verify() }
      local fill = vb.transaction { vb.command { "DEL", lists:sequential() },
        vb.command { "RPUSH", lists:current(), "a", "b", "c" } }
      local length = vb.command { "LLEN", lists:sequential(), reply = vb.expect(3) }
      return vb.scenario { description = "cut", phases = {
        vb.phase { name = "load", run = set, requests = ids, retry = 100 },
        vb.phase { name = "lists", run = fill, requests = ids / 5, pipeline = 4, retry = 100 },
        vb.phase { name = "read", run = get, requests = ids, retry = 100 },
        vb.phase { name = "lengths", run = length, requests = ids / 5, retry = 100 },
      } } ]]):format(IDS))
    local file = vbench.path("cut.json")
    local run = vbench.start { script, "-p", server.port, "-c", 20, "--threads", 2, "--json", file,
      "--no-baseline", timeout = 60 + IDS / 5000 }
    process.wait_for(20, "the load", function() return server:call("DBSIZE") > 0 end)
    while run.process:running() do
      server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      process.sleep(0.05)
    end
    run:wait()
    local size = server:call("DBSIZE")
    server:stop()
    local retries = 0
    for _, phase in ipairs(vbench.decode(process.read(file)).phases) do
      retries = retries + phase.retries
      assert.same({ 0, 0, 0 }, { phase.errors, phase.gave_up, phase.unknown })
    end
    assert.equal(0, run.code, run.all)
    assert.equal(IDS + IDS / 5, size)
    assert.is_true(retries > 0)
  end)
end)
