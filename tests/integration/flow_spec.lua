-- Flows: on the wire, in the server, in reports; their mistakes; lost connections; threads.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

-- The flow's function begins on line 9 of a scenario.
local BEFORE = [[

local keys = vb.keyspace { prefix = "k:", size = 100 }
local incr = vb.command { "INCR", vb.key "n" }
local get = vb.command { "GET", keys:uniform() }
local current = vb.command { "GET", keys:current(), name = "current" }
local push = vb.command { "RPUSH", vb.arg "key", vb.arg "values" }
local watch = vb.command { "WATCH", vb.key "n" }

]]

describe("a flow", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function scenario(body, fields, more)
    return vbench.scenario(BEFORE .. (more or "") .. 'local flow = vb.flow("f", function(c)\n' ..
      body .. '\nend)\nreturn vb.scenario { phases = { vb.phase { name = "p", run = flow, ' ..
      (fields or "requests = 20") .. " } } }\n")
  end

  -- Two clients on a thread, unless the fields say otherwise.
  local function report(body, fields, more, ...)
    local args = { scenario(body, fields, more), "-p", server.port, ... }
    for _, default in ipairs { { "clients", 2 }, { "threads", 1 } } do
      if not (fields or ""):find(default[1], 1, true) then
        args[#args + 1], args[#args + 2] = "--" .. default[1], default[2]
      end
    end
    return vbench.report(args)
  end

  local function well(...)
    local run = report(...)
    assert.equal(0, run.code, run.all)
    return run.json.phases[1], run
  end

  local function row(phase, name)
    for _, one in ipairs(phase.commands) do
      if one.name == name then return one end
    end
  end

  -- What the server was sent of a run, as words; not what vbench asks for itself.
  local OWN = { HELLO = true, CLIENT = true, INFO = true, CONFIG = true, COMMAND = true,
    MODULE = true, PING = true, SELECT = true, CLUSTER = true, ECHO = true }

  local function on_the_wire(...)
    local monitor = server:monitor()
    local phase, run = well(...)
    local list = {}
    for _, command in ipairs(monitor:finish()) do
      if not OWN[command[1]:upper()] then list[#list + 1] = table.concat(command, " ") end
    end
    return list, phase, run
  end

  describe("calls", function()
    it("one command after the other, each with the reply of the one before", function()
      local sent, phase = on_the_wire([[
        local n = c:call(incr).integer
        c:call(push, { key = "l:" .. n, values = { "a", n, 2.5 } })
        c:call(push, { key = "l:" .. n, values = "b" }) ]], "requests = 3, clients = 1")
      assert.same({ "INCR n", "RPUSH l:1 a 1 2.5", "RPUSH l:1 b", "INCR n", "RPUSH l:2 a 2 2.5",
        "RPUSH l:2 b", "INCR n", "RPUSH l:3 a 3 2.5", "RPUSH l:3 b" }, sent)
      assert.equal(3, phase.operations)
    end)

    it("and reports itself and what it called, and nothing else", function()
      local phase = well([[ c:call(incr) c:call(incr) ]], "requests = 50")
      assert.equal(50, phase.operations)
      assert.equal(100, phase.requests)
      local names = {}
      for i, one in ipairs(phase.commands) do names[i] = one.name end
      assert.same({ "f", "incr" }, names)
      assert.equal(50, row(phase, "f").requests)
      assert.equal(100, row(phase, "incr").requests)
      assert.is_true(row(phase, "f").latency_us.min > row(phase, "incr").latency_us.min)
      assert.equal("100", server:call("GET", "n"))
    end)

    it("gets an error as a reply, which is counted as the command's", function()
      local phase = well([[
        c:call(incr)
        local r = c:call(push, { key = "n", values = 1 })
        assert(r.type == "error" and r.error:find("^WRONGTYPE") and r.error == r.string)
        assert(c:call(incr).error == nil) ]], "requests = 10, max_errors = 1.0")
      assert.equal(10, phase.errors)
      assert.equal(10, row(phase, "rpush").errors)
      assert.equal(10, phase.errors_by_kind.WRONGTYPE.count)
      assert.equal(20, row(phase, "incr").requests)
      assert.equal(10, row(phase, "f").requests)
    end)

    it("knows its client, keeps its state, sleeps", function()
      local phase, run = well([[
        c.state.runs = (c.state.runs or 0) + 1
        c:sleep("20ms")
        c:call(push, { key = "client:" .. c.index, values = c.state.runs })
        c:sleep(0.001) ]], "requests = 6, clients = 3")
      for client = 0, 2 do
        local list = server:call("LRANGE", "client:" .. client, 0, -1)
        for i, value in ipairs(list) do assert.equal(tostring(i), value) end
        assert.is_true(#list > 0)
      end
      assert.is_true(phase.duration_s >= 0.02 and phase.duration_s < 0.5 * vbench.slowness, run.all)
      assert.is_true(row(phase, "f").latency_us.min >= 20000)
    end)

    it("draws ids that current() repeats, and random numbers that follow from the seed", function()
      local body = [[
        local first, second = c:draw(drawn), c:draw(drawn)
        c:call(current)
        c:call(get)
        c:call(current)
        c:call(push, { key = "ids", values = { first, second, c.rng:int(1, 1e6) } }) ]]
      local more = "local drawn = keys:zipfian()\n"
      local sent = on_the_wire(body, "requests = 40, clients = 1", more, "--seed", 5)
      local other = on_the_wire(body, "requests = 40, clients = 1", more, "--seed", 6)
      local again = on_the_wire(body, "requests = 40, clients = 1", more, "--seed", 5)
      assert.same(sent, again)
      assert.not_same(sent, other)
      local differ = 0
      for i = 1, #sent, 4 do
        local first, second = sent[i + 3]:match("^RPUSH ids (%d+) (%d+) %d+$")
        assert.equal(("GET k:%012d"):format(second), sent[i])
        assert.equal(sent[i + 1], sent[i + 2])
        if first ~= second then differ = differ + 1 end
      end
      assert.is_true(differ > 20)
    end)

    it("with a sequential cursor touches each id once, and ends with it", function()
      local phase = well([[ c:draw(each) c:call(current) ]], "requests = 500, clients = 4",
        "local each = keys:sequential()\n")
      assert.equal(100, phase.operations)
      assert.equal(100, row(phase, "current").requests)
      local sent = on_the_wire([[ c:draw(each) c:call(current) ]], "requests = 100, clients = 4",
        "local each = keys:sequential()\n")
      table.sort(sent)
      for i = 1, 100 do assert.equal(("GET k:%012d"):format(i - 1), sent[i]) end
    end)

    it("fills its arguments into parts and documents", function()
      local sent = on_the_wire([[ c:call(doc, { name = 'a "b"', count = 3 }) ]], "requests = 1",
        'local doc = vb.command { "SET", vb.concat { "doc:", vb.arg "count" }, vb.json { ' ..
        '{ "name", vb.arg "name" }, { "count", vb.arg "count" } } }\n')
      assert.same({ 'SET doc:3 {"name":"a \\"b\\"","count":3}' }, sent)
    end)

    it("stands in a mix and in the background, and follows a duration and a warm-up", function()
      local script = vbench.scenario(BEFORE .. [[
        local flow = vb.flow("f", function(c) c:call(incr) c:call(incr) end)
        local mix = vb.mix { { 1, flow }, { 1, get } }
        return vb.scenario { phases = {
          vb.phase { name = "mix", run = mix, requests = 1000, thresholds = { "f.p99_ms < 1000" } },
          vb.phase { name = "beside", run = get, duration = "300ms", warmup = "100ms",
            background = { vb.phase { name = "back", run = flow, clients = 2 } } },
          vb.phase { name = "timed", run = flow, duration = "300ms", warmup = "100ms" } } } ]])
      local run = vbench.report { script, "-p", server.port, "-c", 4, "--threads", 2 }
      assert.equal(0, run.code, run.all)
      local mix, beside, timed = run.json.phases[1], run.json.phases[2], run.json.phases[3]
      assert.equal(1000, mix.operations)
      assert.equal(1000, row(mix, "f").requests + row(mix, "get").requests)
      assert.is_true(row(mix, "f").requests > 400 and row(mix, "f").requests < 600)
      assert.equal(2 * row(mix, "f").requests, row(mix, "incr").requests)
      local back = beside.background and beside.background[1] or run.json.phases[3]
      assert.is_true(back.requests > 0)
      timed = timed.name == "timed" and timed or run.json.phases[4]
      assert.equal(0, timed.errors)
      assert.is_true(timed.requests >= 2 * row(timed, "f").requests)
      assert.is_true(timed.duration_s > 0.25 and timed.duration_s < 0.4 * vbench.slowness)
    end)

    it("falls due in an open loop, where its whole run is the response", function()
      local phase = well([[ c:call(incr) c:sleep("2ms") c:call(incr) ]],
        'duration = "1s", rate = 300, clients = 20')
      assert.is_true(math.abs(phase.operations - 300) <= 6, phase.operations)
      assert.equal(2 * phase.operations, phase.requests)
      assert.is_true(phase.response_us.p50 >= 2000, phase.response_us.p50)
      assert.is_true(phase.response_us.p50 < 2000 + 3000 * vbench.slowness)
      assert.is_true(phase.latency_us.p50 < 2000 * vbench.slowness)
      assert.equal(row(phase, "f").requests, phase.operations)
    end)

    it("sleeps as long as it says", function()
      local phase = well([[ c:call(incr) c:sleep("300us") ]], "requests = 300, clients = 1")
      local p50 = row(phase, "f").latency_us.p50
      assert.is_true(p50 >= 300 and p50 < 1300 * vbench.slowness, p50)
    end)

    it("sends a script again that the server has forgotten", function()
      local phase = well([[
        assert(c:call(add, { by = 2 }).integer > 0)
        if c.rng:int(1, 10) == 1 then c:call(flush) end ]], "requests = 200, clients = 1",
        'local add = vb.script { name = "add", keys = { vb.key "n" }, args = { vb.arg "by" }, ' ..
        "source = \"return redis.call('INCRBY', KEYS[1], ARGV[1])\" } " ..
        'local flush = vb.command { "SCRIPT", "FLUSH", name = "flush" }\n')
      assert.equal(0, phase.errors)
      assert.equal("400", server:call("GET", "n"))
      assert.is_true(row(phase, "flush").requests > 5)
    end)

    it("waits for a command that blocks, and is not counted as slow for it", function()
      local phase = well([[
        local r = c:call(pop)
        if r.type == "nil" then c:call(push, { key = "q", values = 1 }) end ]],
        "requests = 40, clients = 4", 'local pop = vb.command { "BLPOP", vb.key "q", 0.05, ' ..
        'name = "pop" }\n')
      assert.equal(0, phase.errors)
      assert.equal(40, row(phase, "pop").requests)
      assert.is_true(row(phase, "pop").wait_us ~= vbench.null)
    end)

    it("ends everything by c:stop", function()
      local script = vbench.scenario(BEFORE .. [[
        local flow = vb.flow("f", function(c)
          if c:call(incr).integer == 30 then c:stop("thirty") end
        end)
        return vb.scenario { phases = { vb.phase { name = "p", run = flow, duration = "20s" },
          vb.phase { name = "q", run = incr, requests = 1 } } } ]])
      local run = vbench.report { script, "-p", server.port, "-c", 1 }
      assert.equal(0, run.code, run.all)
      assert.matches("phase 'p' was ended by flow 'f' %(.*scenario.lua:9%): thirty", run.all)
      assert.equal(1, #run.json.phases)
      assert.equal(30, run.json.phases[1].requests)
    end)
  end)

  describe("by c:exec", function()
    local optimistic = [[
      repeat
        c:call(watch)
        local n = tonumber(c:call(read).string) or 0
        local done = c:exec { { write, { to = n + 1 } }, { incr } }
      until done and done[1].string == "OK" and done[2].integer ]]
    local more = 'local read = vb.command { "GET", vb.key "n", name = "read" } ' ..
      'local write = vb.command { "SET", vb.key "n", vb.arg "to", name = "write" }\n'

    it("sends MULTI, the commands and EXEC", function()
      local sent = on_the_wire(optimistic, "requests = 2, clients = 1", more)
      assert.same({ "WATCH n", "GET n", "MULTI", "SET n 1", "INCR n", "EXEC", "WATCH n", "GET n",
        "MULTI", "SET n 3", "INCR n", "EXEC" }, sent)
    end)

    it("sees nil on a conflict, which is counted; every increment is there", function()
      local phase = well(optimistic, "requests = 2000, clients = 8, threads = 2", more)
      assert.equal("4000", server:call("GET", "n"))
      assert.is_true(phase.conflicts > 0)
      assert.equal(phase.conflicts, row(phase, "exec").conflicts)
      assert.equal(2000, row(phase, "exec").requests)
      assert.equal(2000, row(phase, "write").requests)
      assert.equal(2000 + phase.conflicts, row(phase, "watch").requests)
      assert.equal(0, phase.errors)
      assert.equal(phase.requests, 4000 + 2 * (2000 + phase.conflicts))
    end)

    it("counts errors to their commands", function()
      local phase = well([[
        local r = c:exec { { incr }, { push, { key = "n", values = "x" } } }
        assert(r[1].integer and r[2].error:find("WRONGTYPE"))
        r = c:exec { { incr }, { push, { key = "n", values = {} } } }
        assert(r.error:find("EXECABORT")) ]], "requests = 5, max_errors = 1.0")
      assert.equal(5, phase.errors_by_kind.WRONGTYPE.count)
      assert.equal(5, phase.errors_by_kind.ERR.count)
      assert.equal(10, row(phase, "rpush").errors)
      assert.equal(10, phase.errors)
    end)
  end)

  it("reads the ids of a consumer group in both protocols", function()
    for _, resp in ipairs { "-v", "-3" } do
      server:clean()
      server:call("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
      for i = 1, 250 do server:call("XADD", "s", i .. "-1", "f", i) end
      local phase = well([[
        local r, ids = c:call(read, { consumer = c.index }), {}
        for id, fields in r:each_id() do
          assert(fields[1].string == "f" and fields[2].string .. "-1" == id)
          ids[#ids + 1] = id
        end
        if #ids > 0 then c:call(ack, { ids = ids }) end ]], "requests = 60, clients = 4",
        'local read = vb.command { "XREADGROUP", "GROUP", "g", vb.arg "consumer", "COUNT", 7, ' ..
        '"STREAMS", vb.key "s", ">", name = "read" } ' ..
        'local ack = vb.command { "XACK", vb.key "s", "g", vb.arg "ids" }\n',
        resp)
      assert.equal(36, row(phase, "xack").requests)
      assert.equal(60, row(phase, "read").requests)
      assert.equal("0", tostring(server:call("XPENDING", "s", "g")[1]))
    end
  end)

  describe("that is a mistake ends the run with 2 and says where:", function()
    local function refuses(body, pattern, more)
      local run = report(body, "requests = 20, max_errors = 1.0", more)
      assert.equal(2, run.code, run.all)
      assert.matches(pattern, run.all)
      assert.not_matches("lua/vbench/[%w/]+%.lua:%d+: ", run.all)
      return run.code
    end

    for what, case in pairs {
      ["it raises"] = { "c:call(incr)\nlocal x = nil + 1",
        "flow 'f' %(.*scenario.lua:9%): .*scenario.lua:11: attempt to perform arithmetic" },
      ["it never calls"] = { "", "flow 'f' %(.*scenario.lua:9%): a run ended without a c:call" },
      ["it holds a reply too long"] = { "local r = c:call(incr)\nc:call(incr)\nlocal n = r.integer",
        "scenario.lua:12: a reply is there only .*until its next call" },
      ["it holds an element too long"] = {
        "local r = c:exec { { incr } }[1]\nc:sleep(0)\nlocal n = r.integer",
        "scenario.lua:12: a reply is there only .*until its next call" },
      ["it holds a reply in its state"] = {
        "if c.state.r then return c.state.r.string end\nc.state.r = c:call(incr)",
        "scenario.lua:10: a reply is there only" },
      ["it calls what is no command"] = { "c:call { 'GET', 'x' }",
        "scenario.lua:10: c:call takes a command that was declared .* not a table" },
      ["it needs an id"] = { "c:call(current)",
        "scenario.lua:10: command 'current': current%(%) repeats an id .*has drawn one" },
      ["it gives no argument"] = { "c:call(push, { key = 'x' })",
        "scenario.lua:10: command 'rpush' needs a value for its vb.arg 'values'" },
      ["it misspells an argument"] = { "c:call(push, { key = 'x', value = 1 })",
        "scenario.lua:10: command 'rpush' has no vb.arg 'value'; did you mean 'values'" },
      ["it gives what is no value"] = { "c:call(push, { key = 'x', values = true })",
        "scenario.lua:10: vb.arg 'values' of command 'rpush' takes a string, a number or a table" },
      ["it gives a list of what is none"] = { "c:call(push, { key = 'x', values = { {} } })",
        "scenario.lua:10: vb.arg 'values' is a table: it takes a string, a number, or a table" },
      ["it misspells a method"] = { "c:cal(incr)",
        "scenario.lua:10: c has no 'cal'; did you mean 'call'" },
      ["it forgets a colon"] = { "c.call(incr)", "scenario.lua:10: .*with a colon" },
      ["it sets a field"] = { "c.count = 1", "scenario.lua:10: c.count cannot be set: .*c.state" },
      ["it sleeps for no time"] = { "c:sleep('soon')",
        "scenario.lua:10: c:sleep: 'soon' is not a" },
      ["it draws from no cursor"] = { "c:draw(keys)",
        "scenario.lua:10: c:draw takes a cursor, such as keys:uniform%(%), not a keyspace" },
      ["it execs no list"] = { "c:exec { incr }",
        "scenario.lua:10: entry 1 of c:exec is a command; it takes { command, arguments }" },
      ["it yields by itself"] = { "c:call(incr)\ncoroutine.yield()",
        "scenario.lua:11: a flow is left by c:call, .*not by coroutine.yield" },
      ["it calls in a coroutine of its own"] = { "coroutine.wrap(function()\nc:call(incr)\nend)()",
        "scenario.lua:11: c is not for coroutines that the flow makes itself" },
    } do
      it(what, function() refuses(case[1], case[2]) end)
    end

    it("it draws by itself what a command has to", function()
      assert.equal(2, refuses("c:draw(keys:existing())",
        "scenario.lua:10: c:draw takes no cursor that looks at which keys exist: "
          .. "call a command that draws from it"))
      assert.equal(2, refuses('c:draw(keys:uniform():partition("slots"))',
        "scenario.lua:10: c:draw takes no share by slots"))
      assert.equal(2, refuses('c:draw(keys:sequential():duration("1s"))',
        "scenario.lua:10: c:draw has no use for cursor:duration"))
    end)

    it("it is given a pipeline", function()
      local run = report("c:call(incr)", nil, nil, "-P", 16)
      assert.equal(2, run.code, run.all)
      assert.matches("-P/--pipeline was given, but phase 'p' runs flows", run.all, 1, true)
      refuses("c:call(incr)", "has pipeline = 4 and runs flows",
        'vb.phase { run = vb.flow("g", function() end), pipeline = 4 } ')
    end)

    it("it uses the client of another", function()
      local body = "if mine and mine ~= c then\nmine:call(incr)\nend\nmine = c\nc:call(incr)"
      assert.equal(2, refuses(body, "scenario.lua:11: c is there only in the run of its flow",
        "local mine "))
    end)

    it("it loops for ever", function()
      local run = report("c:call(incr)\nwhile true do end", nil, nil, "--hook-timeout", "500ms")
      assert.equal(2, run.code, run.all)
      assert.matches("flow 'f' %(.*scenario.lua:9%) has not returned for 0.5 s", run.all)
    end)
  end)

  it("loses its connection in the middle, and begins anew with another", function()
    local phase, run = well([[
      c.state.seen = (c.state.seen or 0) + 1
      if c.rng:int(1, 20) == 1 and c.state.seen > 1 then c:call(kill, { id = c.state.id }) end
      c.state.id = c.state.id or c:call(id).integer
      c:call(incr) ]], "requests = 500, clients = 4, threads = 2, max_errors = 1.0",
      'local kill = vb.command { "CLIENT", "KILL", "ID", vb.arg "id", "SKIPME", "no", ' ..
      'name = "kill" } local id = vb.command { "CLIENT", "ID", name = "id" }\n')
    assert.equal(500, phase.operations, run.all)
    assert.is_true(phase.errors > 5)
    assert.equal(phase.errors, phase.errors_by_kind.connection.count)
    assert.is_true(phase.reconnects > 5)
    assert.equal(500 - phase.errors, row(phase, "f").requests)
    assert.equal(500 - phase.errors, row(phase, "incr").requests)
    assert.is_true(row(phase, "id").requests > phase.reconnects)
  end)

  it("that sleeps when its connection is lost is an error of the flow", function()
    local other = servers.start()
    local script = scenario('c:call(incr)\nc:sleep("30s")', "requests = 2, max_errors = 1.0")
    local file = vbench.path("lost.json")
    local run = vbench.start { script, "-p", other.port, "-c", 2, "--threads", 1, "--json", file }
    process.wait_for(10, "the calls", function() return other:call("GET", "n") == "2" end)
    other:call("CLIENT", "KILL", "TYPE", "normal")
    run:wait()
    other:stop()
    assert.equal(0, run.code, run.all)
    local phase = vbench.decode(process.read(file)).phases[1]
    assert.same({ 2, 2, 2 }, { phase.operations, phase.errors, row(phase, "incr").requests })
    assert.equal(2, row(phase, "f").errors_by_kind.connection.count)
  end)

  it("that would not end with its phase is cut, without an error", function()
    local phase = well([[ while true do
        c:call(incr)
        c:sleep("10ms")
      end ]], 'duration = "200ms"')
    assert.equal(0, phase.errors)
    assert.equal(0, phase.operations)
    assert.is_true(phase.requests > 10)
    phase = well([[ c:call(incr) c:sleep("1h") ]], 'duration = "200ms"')
    assert.equal(2, phase.requests)
    assert.equal(0, phase.errors)
  end)

  it("sends the same multiset with any number of threads", function()
    local body = [[
      for _ = 1, c.rng:int(1, 3) do c:call(get) end
      c:call(push, { key = c:draw(drawn), values = c.rng:int(1, 1000) }) ]]
    local function sent(threads)
      local list = on_the_wire(body, ("requests = 3000, clients = 8, threads = %d"):format(threads),
        "local drawn = keys:uniform()\n")
      table.sort(list)
      return list
    end
    assert.same(sent(1), sent(8))
  end)

  it("goes to the server of its first key, and elsewhere by c:on", function()
    local other = servers.start()
    local seen = { server:monitor(), other:monitor() }
    local run = vbench.report { scenario([[
      local id = c:draw(drawn)
      c:call(current)
      local key = ("%012d"):format(id)
      c:call(put, { key = "k:" .. key, value = 1 })
      c:on("j:" .. key)
      c:call(put, { key = "j:" .. key, value = c.index }) ]],
      "requests = 400, clients = 6, threads = 2", "local drawn = keys:uniform() " ..
      'local put = vb.command { "SET", vb.arg "key", vb.arg "value" }\n'),
      "-h", "127.0.0.1:" .. server.port, "-h", "127.0.0.1:" .. other.port }
    local counts = {}
    for i, monitor in ipairs(seen) do
      counts[i] = { GET = 0, SET = 0 }
      for _, command in ipairs(monitor:finish()) do
        if counts[i][command[1]] then counts[i][command[1]] = counts[i][command[1]] + 1 end
      end
    end
    other:stop()
    assert.equal(0, run.code, run.all)
    assert.equal(400, run.json.phases[1].operations)
    assert.equal(400, counts[1].GET + counts[2].GET)
    assert.equal(800, counts[1].SET + counts[2].SET)
    assert.is_true(counts[1].GET > 100 and counts[2].GET > 100)
  end)

  it("sends what it gave, whatever other clients put into the table while it waits", function()
    local other = servers.start()
    local run = vbench.report { scenario([[
      local key = ("%012d"):format(c:draw(drawn))
      c:on(key)
      shared.key, shared.value = key, key .. "!"
      for i = 1, 10 do shared["f" .. i] = i % 2 == 1 and key .. i or i end
      c:call(put, shared)
      shared.key = nil
      collectgarbage()
      local kept = c:call(get_all, { key = key })
      for i, want in ipairs { "value", key .. "!", key .. 1, "2", key .. 3, "4", key .. 5, "6",
        key .. 7, "8", key .. 9, "10" } do
        if kept[i].string ~= want then error(key .. ": no " .. want) end
      end ]], "requests = 300, clients = 12, threads = 1",
      "local drawn, shared = keys:sequential():wrap(), {} " ..
      'local put = vb.command { "HSET", vb.arg "key", "value", vb.arg "value", vb.arg "f1", ' ..
      'vb.arg "f2", vb.arg "f3", vb.arg "f4", vb.arg "f5", vb.arg "f6", vb.arg "f7", ' ..
      'vb.arg "f8", vb.arg "f9", vb.arg "f10" } ' ..
      'local get_all = vb.command { "HGETALL", vb.arg "key" }\n'),
      "-h", "127.0.0.1:" .. server.port, "-h", "127.0.0.1:" .. other.port }
    other:stop()
    assert.equal(0, run.code, run.all)
    assert.equal(300, row(run.json.phases[1], "hset").requests)
    assert.equal(0, run.json.phases[1].errors)
  end)

  it("calls a key of another server only behind c:on", function()
    local other = servers.start()
    local run = vbench.report { scenario([[
      c:call(current_of[1])
      for i = 1, 50 do
        c:call(push, { key = i, values = 1 })
      end ]], "requests = 1, clients = 6, threads = 2",
      'local current_of = { vb.command { "GET", vb.key "a", name = "a" } }\n'),
      "-h", "127.0.0.1:" .. server.port, "-h", "127.0.0.1:" .. other.port }
    other:stop()
    assert.equal(2, run.code, run.all)
    assert.matches("scenario.lua:13: command 'rpush': its key is on 127.0.0.1:%d+, and the run " ..
      "is on 127.0.0.1:%d+: c:on%(key%) goes there", run.all)
  end)
end)
