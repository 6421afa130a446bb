-- Datasets in scenarios: what is sent of records, keys and queries, what Lua reads of them, and
-- what is said of bad ones.
local data = require "tests.support.datafile"
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a dataset", function()
  local server, base

  setup(function()
    server = servers.start()
    base = data.products(vbench.path("products"))
  end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  -- The commands that a phase of these declarations sends, in order, and its report.
  local function sent(name, declarations, count, ...)
    local monitor = server:monitor()
    local path = vbench.one_phase(('local ds = vb.dataset "%s" '):format(base) .. declarations,
      "requests = " .. (count or "ds.count") .. ", run = run")
    local phase = vbench.phase { path, "-p", server.port, "-c", 1, "--threads", 1, ... }
    local all = monitor:finish(name)
    for i, args in ipairs(all) do all[i] = { unpack(args) } end
    return all, phase
  end

  local function fails(text)
    local run = vbench.run { "check", vbench.scenario(text) }
    assert.equal(2, run.code, run.all)
    return run.err
  end

  describe("in a command", function()
    it("gives the fields of the record of the id, and its key", function()
      local all, phase = sent("hset", [[local run = vb.command { "HSET", ds.keys:sequential(),
        "v", ds.record.v, "title", ds.record.title, "price", ds.record.price,
        "raw", ds.record.raw }]])
      assert.same({ "HSET", "k:1", "v", data.f32(1, 2), "title", "hello", "price", "12.34", "raw",
        "b\0\0" }, all[1])
      assert.same({ "HSET", "key:thre", "v", data.f32(5, 6), "title", 'a "b"', "price", "0.1",
        "raw", "b\0\0" }, all[2])
      assert.same({ "HSET", "k:4", "v", data.f32(7, 8), "title", "", "price", "-3e21", "raw",
        "b\0\0" }, all[3])
      assert.equal(3, #all)
      assert.equal(3, phase.requests)
      assert.equal(1, phase.empty)
    end)

    it("leaves out optional fields that are empty, with their names", function()
      local all = sent("hset", [[local run = vb.command { "HSET", ds.keys:sequential(),
        "note", ds.record.note, "price", ds.record.price }]])
      assert.same({ "HSET", "k:1", "note", "hi", "price", "12.34" }, all[1])
      assert.same({ "HSET", "key:thre", "price", "0.1" }, all[2])
    end)

    it("skips a record of which nothing is left", function()
      local all, phase = sent("hset", [[local run = vb.command { "HSET", ds.keys:sequential(),
        "note", ds.record.note }]])
      assert.same({ { "HSET", "k:1", "note", "hi" }, { "HSET", "k:4", "note", "last" } }, all)
      assert.equal(2, phase.empty)
    end)

    it("gives numbers as their bytes when it is asked to", function()
      local all = sent("set", [[local run = vb.command { "SET", ds.keys:sequential(),
        ds.raw.price }]], 1)
      assert.same({ "SET", "k:1", data.f64(12.34) }, all[1])
    end)

    it("stands in vb.concat and vb.json", function()
      local all = sent("set", [[local run = vb.command { "SET",
        vb.concat { "x:", ds.keys:range(2, 3):sequential():value() },
        vb.json { { "t", ds.record.title }, { "v", ds.record.v }, { "p", ds.record.price } } }]], 1)
      assert.same({ "SET", "x:key:thre", '{"t":"a \\"b\\"","v":[5,6],"p":0.1}' }, all[1])
    end)

    it("begins again behind the last record with \"wrap\"", function()
      local all = sent("set", [[local keys = vb.keyspace { prefix = "w", width = 0, size = 6 }
        local run = vb.command { "SET", keys:sequential(), ds.record("price", "wrap") }]], 6)
      assert.same({ "SET", "w4", "12.34" }, all[5])
    end)

    it("refuses ids past the records without it", function()
      assert.matches("command 'set': ids up to 5, and .*products.bin has 4 records; " ..
        "ds.record%(name, \"wrap\"%) begins again behind the last",
        fails(([[local ds = vb.dataset "%s"
        local keys = vb.keyspace { prefix = "w", size = 6 }
        return vb.scenario { phases = { vb.phase { name = "a", requests = 1,
          run = vb.command { "SET", keys:sequential(), ds.record.price } } } }]]):format(base)))
    end)

    it("draws one query for all of its parts", function()
      local all = sent("echo", [[local run = vb.command { "ECHO",
        vb.concat { ds.query.title, "/", ds.query.v } }]], 60)
      local seen = {}
      for _, args in ipairs(all) do seen[args[2]] = true end
      assert.same({ ["one/" .. data.f32(1, 1)] = true, ["two/" .. data.f32(2, 2)] = true,
        ["three/" .. data.f32(3, 3)] = true }, seen)
    end)

    it("draws queries in order when it is asked to, and tells hooks which", function()
      local all = sent("echo", [[local run = vb.command { "ECHO",
        vb.concat { ds:query("title", { order = "sequential" }), "/",
          function(req) return req.query end } }]], 4)
      assert.same({ { "ECHO", "one/0" }, { "ECHO", "two/1" }, { "ECHO", "three/2" },
        { "ECHO", "one/0" } }, all)
    end)

    it("has the same query in all commands of an operation", function()
      local all = sent("echo", [[local run = vb.sequence {
        vb.command { "ECHO", ds.query.title, name = "a" },
        vb.command { "ECHO", ds.query.title, name = "b" } }]], 20)
      assert.equal(40, #all)
      for i = 1, 40, 2 do assert.same(all[i], all[i + 1]) end
    end)

    it("takes prefix = in place of its own keys", function()
      local all = sent("set", ([[local other = vb.dataset { "%s", name = "o", prefix = "p:" }
        local run = vb.command { "SET", other.keys:sequential(), other.record.title }]])
        :format(base), 2)
      assert.same({ "SET", "p:000000000001", "lost" }, all[2])
    end)

    it("is checked by vb.verify()", function()
      local _, phase = sent("get", [[
        local set = vb.command { "SET", ds.keys:sequential(), ds.record.title }
        local get = vb.command { "GET", ds.keys:sequential(), reply = vb.verify() }
        local run = vb.sequence { set, get }]])
      assert.equal(0, phase.errors)
      assert.equal(6, phase.requests)
      local _, other = sent("get", [[
        local set = vb.command { "SET", ds.keys:sequential(), ds.record.price }
        local get = vb.command { "GET", ds.keys:sequential(),
          reply = vb.verify(ds.record.title) }
        local run = vb.sequence { set, get }]], nil, "--max-errors", "100%")
      assert.equal(3, other.errors)
    end)
  end)

  describe("of collections", function()
    local function load(path, word, count)
      local monitor = server:monitor()
      local phase = vbench.phase { vbench.one_phase(([[local ds = vb.dataset "%s"
        local run = vb.command { "%s", ds.keys:sequential(), ds.record.members }]])
        :format(path, word), "requests = 3, run = run"), "-p", server.port, "-c", 1 }
      local all = monitor:finish(word:lower())
      assert.equal(1, phase.empty)
      assert.equal(count, #all)
      return all
    end

    it("gives members as arguments, and skips records without any", function()
      local all = load(data.members(vbench.path("sets"), "set"), "SADD", 2)
      assert.same({ "SADD", "key:{AAA}:000000000000", "a", "bb" }, { unpack(all[1]) })
      assert.same({ "SADD", "key:{AAC}:000000000002", "ccc", "", "a" }, { unpack(all[2]) })
    end)

    it("gives score and value of sorted sets", function()
      local all = load(data.zset(vbench.path("zsets")), "ZADD", 2)
      assert.same({ "ZADD", "key:{AAA}:000000000000", "2.5", "a", "1", "b" }, { unpack(all[1]) })
      assert.same({ "ZADD", "key:{AAC}:000000000002", "-0.25", "c", "1e300", "a", "7", "c" },
        { unpack(all[2]) })
    end)
  end)

  it("is one mapping for all threads", function()
    local path = vbench.one_phase(([[local ds = vb.dataset "%s"
      local run = vb.command { "ECHO", function(req)
        local maps = io.open("/proc/self/maps")
        local _, count = maps:read("*a"):gsub("products%%.bin", "")
        maps:close()
        if count ~= 1 then error("mapped " .. count .. " times") end
        return ds:record(req.n %% 4).title
      end }]]):format(base), "requests = 8, run = run")
    local phase = vbench.phase { path, "-p", server.port, "--threads", 2, "-c", 4 }
    assert.equal(8, phase.requests)
  end)

  it("may be longer than its schema says, with a warning, but not shorter", function()
    local path = data.products(vbench.path("longer"))
    local text = process.read(path .. ".bin")
    process.write(path .. ".bin", text .. "more")
    local scenario = vbench.one_phase(([[local ds = vb.dataset "%s"
      local run = vb.command { "SET", ds.keys:sequential(), ds.record.title }]]):format(path),
      "requests = 4, run = run")
    local run = vbench.run { scenario, "-p", server.port, "--threads", 2 }
    assert.equal(0, run.code, run.all)
    local _, warnings = run.err:gsub("longer.bin has 4 bytes more than its schema says", "")
    assert.equal(1, warnings, run.err)
    process.write(path .. ".bin", text:sub(1, -2))
    run = vbench.run { scenario, "-p", server.port }
    assert.equal(2, run.code)
    assert.matches("longer.bin: 325 bytes, and the schema says 326", run.err, 1, true)
  end)

  it("is read within its fields whatever its lengths say, and that is told", function()
    local path = vbench.path("hostile")
    data.write(path, "record: { fields: [ { name: t, type: text, length: variable, " ..
      "max_bytes: 3 } ] }\nsections: { records: { count: 2 } }\n",
      data.u32(2 ^ 32 - 1) .. "abc" .. data.u32(2) .. "\255\254x")
    local monitor = server:monitor()
    local run = vbench.run { vbench.one_phase(([[local ds = vb.dataset "%s"
      local run = vb.command { "SET", ds.keys:sequential(), ds.record.t }]]):format(path),
      "requests = 2, run = run"), "-p", server.port, "-c", 1 }
    assert.equal(0, run.code, run.all)
    local all = monitor:finish("set")
    assert.equal("abc", all[1][3])
    assert.equal("\255\254", all[2][3]) -- no UTF-8: sent as it is
    assert.matches("dataset '%d+%-hostile': 1 lengths, counts or ids past what its schema allows",
      run.err)
  end)

  it("is an error of its run when its file is cut short meanwhile", function()
    local path = data.products(vbench.path("cut"))
    local scenario = vbench.one_phase(([[local ds = vb.dataset "%s"
      local run = vb.command { "SET", ds.keys:uniform(), ds.record.title }]]):format(path),
      "duration = '20s', run = run")
    local running = vbench.start { scenario, "-p", server.port, "--threads", 1 }
    os.execute("sleep 0.7")
    assert(io.open(path .. ".bin", "w")):close()
    local run = running:wait()
    assert.equal(1, run.code, run.all)
    assert.matches("cut.bin: cut short while it was in use: it had %d+ bytes, now 0", run.err)
  end)
end)
