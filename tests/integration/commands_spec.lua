-- What a scenario's commands look like on the wire: literals, cursors, generators, functions,
-- composed arguments, sequences, transactions, mixes.
local cjson = require "cjson"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a command", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  -- The commands that a phase of these declarations sends, its report.
  local function sent(name, declarations, count, ...)
    local monitor = server:monitor()
    local path = vbench.one_phase(
      'local keys = vb.keyspace { prefix = "k:", size = 1000 } ' .. declarations,
      "requests = " .. (count or 200) .. ", run = run")
    local args = { path, "-p", server.port, "-c", 2, "--threads", 1, ... }
    local phase = vbench.phase(args)
    return monitor:finish(name), phase
  end

  -- The values of one argument of SET x <argument>.
  local function values(generator, count, before)
    local all = sent("set", (before or "") .. ' local run = vb.command { "SET", vb.key "x", ' ..
      generator .. " }", count)
    local list = {}
    for i, args in ipairs(all) do list[i] = args[3] end
    assert.equal(count or 200, #list)
    return list
  end

  local function numbers(generator, count)
    local list = values(generator, count)
    for i = 1, #list do list[i] = assert(tonumber(list[i]), list[i]) end
    table.sort(list)
    return list
  end

  describe("with literals", function()
    it("sends strings and numbers as they are", function()
      local all = sent("rpush", [[local run = vb.command { "RPUSH", vb.key "a\r\nkey", "", 7, 1.5,
        -3,
        2^52, "\0\255" }]], 1)
      assert.same({ "RPUSH", "a\r\nkey", "", "7", "1.5", "-3", "4503599627370496", "\0\255" },
        { unpack(all[1]) })
    end)
  end)

  describe("with cursors", function()
    it("writes keys of a prefix and a width", function()
      local all = sent("get", 'local run = vb.command { "GET", keys:sequential() }', 3)
      table.sort(all, function(a, b) return a[2] < b[2] end)
      assert.equal("k:000000000000", all[1][2])
      assert.equal("k:000000000002", all[3][2])
    end)

    it("writes keys of another width and a pattern", function()
      local all = sent("get", [[local w = vb.keyspace { prefix = "w", size = 9, width = 3 }
        local run = vb.command { "GET", w:sequential() }]], 1)
      assert.equal("w000", all[1][2])
      all = sent("get", [[local w = vb.keyspace { pattern = "user:%04d:name", size = 9 }
        local run = vb.command { "GET", w:sequential() }]], 1)
      assert.equal("user:0000:name", all[1][2])
    end)

    it("repeats the operation's id, draws others, and several", function()
      local all = sent("mset", [[local run = vb.command { "MSET", keys:uniform(),
        keys:current():value(),
        keys:uniform(), "x" }]])
      local other = 0
      for _, args in ipairs(all) do
        assert.equal(args[2], args[3])
        if args[4] ~= args[2] then other = other + 1 end
      end
      assert.is_true(other > 150)
      all = sent("mget", [[local run = vb.command { "MGET", keys:uniform():times(5) }]])
      for _, args in ipairs(all) do assert.equal(6, #args) end
      all = sent("mget",
        [[local run = vb.command { "MGET", keys:uniform():times { min = 1, max = 4 } }]])
      local lengths = {}
      for _, args in ipairs(all) do lengths[#args - 1] = (lengths[#args - 1] or 0) + 1 end
      assert.same({ "number", "number", "number", "number" },
        { type(lengths[1]), type(lengths[2]), type(lengths[3]), type(lengths[4]) })
      assert.equal(200, lengths[1] + lengths[2] + lengths[3] + lengths[4])
    end)

    it("draws a Zipfian pattern: few keys have most of the draws", function()
      local all, counts, most = sent("get",
        'local run = vb.command { "GET", keys:zipfian(0.99) }', 5000), {}, 0
      for _, args in ipairs(all) do
        counts[args[2]] = (counts[args[2]] or 0) + 1
        most = math.max(most, counts[args[2]])
      end
      -- 1 / H(1000, 0.99) is 0.129; a uniform draw would give 5 in 5000.
      assert.is_true(most > 450 and most < 900, most)
    end)

    it("stays in a range and starts again with each run", function()
      local all = sent("get", 'local run = vb.command { "GET", keys:range(10, 20):uniform() }')
      for _, args in ipairs(all) do
        local id = tonumber(args[2]:match("%d+"))
        assert.is_true(id >= 10 and id < 20)
      end
    end)
  end)

  describe("with generators", function()
    it("vb.bytes of a size, a range, weights, and what compresses", function()
      for _, value in ipairs(values("vb.bytes(17)")) do assert.equal(17, #value) end
      for _, value in ipairs(values('vb.bytes("1KB")', 20)) do
        assert.is_true(#value == 1000 or #value == 1024)
      end
      local least, most = 99, 0
      for _, value in ipairs(values("vb.bytes { min = 3, max = 9 }")) do
        least, most = math.min(least, #value), math.max(most, #value)
      end
      assert.same({ 3, 9 }, { least, most })
      local counts = { [4] = 0, [50] = 0 }
      for _, value in ipairs(values("vb.bytes { weights = { [4] = 90, [50] = 10 } }", 500)) do
        counts[#value] = counts[#value] + 1
      end
      assert.is_true(counts[4] > 400 and counts[50] > 15)
    end)

    it("vb.bytes of hundreds of kilobytes, through short writes and pipelines", function()
      local path = vbench.scenario [[
        local keys = vb.keyspace { prefix = "big:", size = 20 }
        local set = vb.command { "SET", keys:sequential():wrap(),
          vb.bytes({ min = 7000, max = 400000 }, { from = "id" }) }
        local get = vb.command { "GET", keys:uniform(), reply = vb.verify() }
        return vb.scenario { phases = { vb.phase { name = "fill", run = set, requests = keys.size },
          vb.phase { name = "both", run = vb.mix { { 1, get }, { 1, set } }, requests = 400 } } } ]]
      local run = vbench.report { path, "-p", server.port, "-c", 3, "--threads", 2, "-P", 8 }
      assert.equal(0, run.code, run.all)
      assert.equal(400, run.json.phases[2].requests)
      assert.is_true(server:call("STRLEN", "big:000000000003") >= 7000)
    end)

    it("vb.bytes from the id is the same for the same id", function()
      local all = sent("set", [[local run = vb.command { "SET", keys:uniform(),
        vb.bytes(20, { from = "id" }) }]], 3000)
      local first, different = {}, {}
      for _, args in ipairs(all) do
        first[args[2]] = first[args[2]] or args[3]
        assert.equal(first[args[2]], args[3])
        different[args[3]] = true
      end
      local count = 0
      for _ in pairs(different) do count = count + 1 end
      assert.is_true(count > 900, count)
    end)

    it("vb.int in its range, by its distribution", function()
      local list = numbers("vb.int { min = 5, max = 8 }")
      assert.same({ 5, 8 }, { list[1], list[#list] })
      list = numbers('vb.int { min = 1, max = 1000, dist = "zipfian", skew = 0.99, }', 1000)
      assert.is_true(list[500] < 300, list[500])
      list = numbers('vb.int { min = 0, max = 1000, dist = "normal" }', 1000)
      assert.is_true(list[500] > 400 and list[500] < 600 and list[100] > 100, list[500])
      list = numbers('vb.int { min = 7, max = 7, dist = "constant" }', 10)
      assert.same({ 7, 7 }, { list[1], list[10] })
      list = numbers('vb.int { min = 0, max = 9, dist = "sequential" }', 100)
      assert.same({ 0, 0, 4, 9 }, { list[1], list[10], list[50], list[100] })
    end)

    it("vb.float with its decimals", function()
      for _, value in ipairs(values("vb.float { min = 0, max = 10, decimals = 2 }")) do
        assert.matches("^%d+%.?%d?%d?$", value)
        assert.is_true(tonumber(value) <= 10)
      end
    end)

    it("vb.choice, vb.tags, vb.text, vb.id", function()
      local seen = {}
      for _, value in ipairs(values('vb.choice { "red", "green" }')) do seen[value] = true end
      assert.same({ red = true, green = true }, seen)
      local red = 0
      for _, value in ipairs(values('vb.tags { red = 30, green = 100 }', 500)) do
        assert.truthy(value:find("green", 1, true))
        if value:find("red", 1, true) then red = red + 1 end
      end
      assert.is_true(red > 100 and red < 200, red)
      for _, value in ipairs(values("vb.text { words = 4 }", 20)) do
        assert.matches("^%a+ %a+ %a+ %a+$", value)
      end
      local all = sent("set", 'local run = vb.command { "SET", keys:uniform(), vb.id() }')
      for _, args in ipairs(all) do
        assert.equal(tonumber(args[2]:match("%d+")), tonumber(args[3]))
      end
    end)

    it("vb.timestamp as unix time, ISO, date", function()
      local now = os.time()
      assert.is_true(math.abs(tonumber(values('vb.timestamp { format = "unix" }',
        5)[1]) - now) < 60)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d",
        values('vb.timestamp { format = "iso" }',
        5)[1])
      assert.matches("^%d%d%d%d%-%d%d%-%d%d$", values('vb.timestamp { format = "date" }', 5)[1])
    end)

    it("vb.vector is its numbers in binary", function()
      for _, value in ipairs(values('vb.vector { dim = 8, dtype = "float32" }', 20)) do
        assert.equal(32, #value)
      end
    end)

    it("a param, taken from --param", function()
      local all = sent("set", [[local size = vb.param("size", 3)
        local run = vb.command { "SET", vb.key "x", vb.bytes(size), "EX", vb.param("ttl", 100) }]],
        10, "--param", "size=12")
      assert.equal(12, #all[1][3])
      assert.equal("100", all[1][5])
    end)
  end)

  describe("composed", function()
    it("vb.concat is one argument", function()
      local list = values('vb.concat { "id=", vb.int { min = 1, max = 9 }, "/", "z" }')
      for _, value in ipairs(list) do
        assert.matches("^id=[1-9]/z$", value)
      end
    end)

    it("vb.json is a document", function()
      local list = values([[vb.json {
        { "name", vb.choice { 'say "hi"\n', "back\\slash" } }, { "price",
          vb.float { decimals = 2 } },
        { "count", vb.int { min = 1, max = 5 } }, { "v", vb.vector { dim = 3 } },
        { "text", vb.text { words = 2 } } }]], 50)
      for _, value in ipairs(list) do
        local document = cjson.decode(value)
        assert.is_true(document.name == 'say "hi"\n' or document.name == "back\\slash")
        assert.equal("number", type(document.price))
        assert.equal("number", type(document.count))
        assert.equal(3, #document.v)
        assert.matches("^%a+ %a+$", document.text)
      end
    end)
  end)

  describe("with a function", function()
    it("calls it for each operation with its number and a random source of its own", function()
      local all = sent("set", [[local run = vb.command { "SET", keys:uniform(), function(req)
        return req.n .. "/" .. req.id .. "/" .. req.rng:int(1, 3) end }]], 300)
      local seen, count = {}, 0
      for _, args in ipairs(all) do
        local n, id, drawn = args[3]:match("^(%d+)/(%d+)/([123])$")
        assert.truthy(drawn, args[3])
        assert.equal(tonumber(args[2]:match("%d+")), tonumber(id))
        if not seen[n] then count = count + 1 end
        seen[n] = true
      end
      assert.equal(300, count)
      assert.is_true(seen["0"] and seen["299"])
    end)

    it("takes numbers, several values and tables", function()
      local all = sent("rpush", [[local run = vb.command { "RPUSH", vb.key "l", function(req)
        if req.n % 2 == 0 then return "a", 2, "c" end
        return { "only", req.n }
      end, "last" }]], 10)
      for _, args in ipairs(all) do
        assert.equal("last", args[#args])
        assert.is_true(#args == 6 and args[3] == "a" and args[4] == "2"
          or #args == 5 and args[3] == "only")
      end
    end)
  end)

  describe("in a sequence", function()
    it("follows the one before it on the same connection, with its id", function()
      local all, phase = sent(nil, [[
        local set = vb.command { "SET", keys:uniform(), "v" }
        local get = vb.command { "GET", keys:current() }
        local run = vb.sequence { set, get }]], 200)
      local last, pairs_seen = {}, 0
      for _, args in ipairs(all) do
        if args[1] == "SET" then last[args.address] = args[2] end
        if args[1] == "GET" then
          assert.equal(last[args.address], args[2])
          pairs_seen = pairs_seen + 1
        end
      end
      assert.equal(200, pairs_seen)
      assert.equal(200, phase.operations)
      assert.equal(400, phase.requests)
    end)

    it("waits for a reply where a step has a condition", function()
      local all, phase = sent(nil, [[
        local get = vb.command { "GET", keys:sequential():wrap() }
        local set = vb.command { "SET", keys:current(), "v" }
        local run = vb.sequence { get, set:when("miss") }]], 1500)
      local counts = {}
      for _, args in ipairs(all) do counts[args[1]] = (counts[args[1]] or 0) + 1 end
      assert.equal(1500, counts.GET)
      -- 1000 keys, 1500 operations: with two connections a key is seldom asked twice at once.
      assert.is_true(counts.SET >= 1000 and counts.SET <= 1010, counts.SET)
      assert.equal(1500 + counts.SET, phase.requests)
      for id = 0, 24 do server:call("DEL", ("k:%012d"):format(id)) end
      all = sent("touch", [[
        local get = vb.command { "GET", keys:sequential() }
        local touch = vb.command { "TOUCH", keys:current() }
        local run = vb.sequence { get, touch:when("hit") }]], 100)
      assert.equal(75, #all)
      all = sent("touch", [[
        local push = vb.command { "LPUSH", vb.key "k:000000000099", "x" }
        local touch = vb.command { "TOUCH", vb.key "k" }
        local run = vb.mix { { 1, vb.sequence { push, touch:when("ok") } },
          { 1, vb.command { "PING" } } }]], 100, "--max-errors", "100%")
      assert.equal(0, #all)
    end)

    it("takes a function of the reply as a condition", function()
      server:call("SET", "n", 0)
      local all = sent("set", [[
        local incr = vb.command { "INCR", vb.key "n" }
        local set = vb.command { "SET", vb.key "tenth", "v" }
        local run = vb.sequence { incr,
          set:when(function(reply) return reply.integer % 10 == 0 end) }]],
        200)
      assert.equal(20, #all)
    end)
  end)

  describe("in a transaction", function()
    it("stands between MULTI and EXEC, as one operation", function()
      local all, phase = sent(nil, [[
        local a = vb.command { "INCR", vb.key "a" }
        local b = vb.command { "INCR", vb.key "b", name = "second" }
        local run = vb.transaction { a, b }]], 100)
      local kinds = { MULTI = 0, INCR = 0, EXEC = 0 }
      for _, args in ipairs(all) do
        local name = args[1]:upper()
        if kinds[name] then kinds[name] = kinds[name] + 1 end
      end
      assert.same({ MULTI = 100, INCR = 200, EXEC = 100 }, kinds)
      assert.equal(100, phase.operations)
      assert.equal("100", server:call("GET", "b"))
    end)

    it("has errors inside EXEC counted for their command", function()
      server:call("SET", "s", "text")
      local path = vbench.one_phase([[
        local a = vb.command { "INCR", vb.key "a" }
        local b = vb.command { "LPUSH", vb.key "s", "x" }]],
        "run = vb.transaction { a, b }, requests = 100")
      local run = vbench.report { path, "-p", server.port }
      assert.equal(4, run.code, run.all)
      for _, command in ipairs(run.json.phases[1].commands) do
        if command.name == "lpush" then
          assert.equal(100, command.errors_by_kind.WRONGTYPE.count)
          assert.equal(0, command.requests)
        elseif command.name == "incr" then
          assert.equal(0, command.errors)
          assert.equal(100, command.requests)
        end
      end
    end)
  end)

  it("in a mix is drawn by its weight", function()
    local all = sent(nil, [[
      local get = vb.command { "GET", keys:uniform() }
      local set = vb.command { "SET", keys:uniform(), "v" }
      local run = vb.mix { { 80, get }, { 20, set } }]], 5000)
    local counts = { GET = 0, SET = 0 }
    for _, args in ipairs(all) do
      if counts[args[1]] then counts[args[1]] = counts[args[1]] + 1 end
    end
    assert.equal(5000, counts.GET + counts.SET)
    assert.is_true(counts.GET > 3850 and counts.GET < 4150, counts.GET)
  end)

  it("that would break the reading of replies is refused", function()
    for _, name in ipairs { '"SUBSCRIBE", "c"', '"MONITOR"', '"CLIENT", "REPLY", "OFF"' } do
      local path = vbench.one_phase("local c = vb.command { " .. name .. " }", "run = c")
      local run = vbench.run { path, "-p", server.port }
      assert.equal(2, run.code, run.all)
      assert.matches(name:match("%a+"), run.err)
    end
  end)
end)
