-- What a recorder wrote loads a server with what the recorded calls themselves leave in it; and the
-- datasets that ship load, and read back.
local recorder = require "vbench.recorder"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a recorded dataset", function()
  local server

  setup(function()
    server = servers.start { args = { "--enable-debug-command", "yes" } }
  end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  -- A digest of everything that the server holds.
  local function digest()
    local text = server:call("DEBUG", "DIGEST")
    assert.not_equal(("0"):rep(40), text)
    return text
  end

  -- Sends the commands, records the calls, loads what was recorded: twice the same.
  local function assert_replays(commands, record)
    for _, command in ipairs(commands) do server:call(unpack(command)) end
    local expected, rec = digest(), recorder.new()
    record(rec)
    local base = vbench.path("recorded")
    assert(rec:generate(base))
    server:clean()
    local run = vbench.run { "-t", "schema-load", "--dataset", base, "-p", server.port, "-q",
      "--threads", 1 }
    assert.equal(0, run.code, run.all)
    assert.equal(expected, digest())
  end

  it("replays SET, bytes of all kinds among them", function()
    local all = {}
    for byte = 0, 255 do all[byte + 1] = string.char(byte) end
    all = table.concat(all)
    assert_replays({ { "SET", "a", "1" }, { "SET", "b", all }, { "SET", "a", "2\0" },
      { "SET", "c", "" }, { "SET", "k\0\0", ("x"):rep(3000) } }, function(rec)
      rec:set("a", 1)
      rec:set("b", all)
      rec:set("a", "2\0")
      rec:set("c", "")
      rec:set("k\0\0", ("x"):rep(3000))
    end)
  end)

  it("replays HSET, fields that keys lack and vectors among them", function()
    local vector = "\0\0\128\63\0\0\0\192" -- 1, -2
    assert_replays({ { "HSET", "u1", "name", "Ada", "age", "36", "v", vector },
      { "HSET", "u2", "name", "Gr\195\164ce", "v", vector }, { "HSET", "u1", "age", "37" } },
      function(rec)
        rec:hset_vector("u1", "v", { 1, -2 }, { name = "Ada", age = 36 })
        rec:hset_vector("u2", "v", { 1, -2 }, { name = "Gr\195\164ce" })
        rec:hset("u1", { age = 37 })
      end)
  end)

  it("replays SADD", function()
    assert_replays({ { "SADD", "s", "a", "b", "\255" }, { "SADD", "t", "c" },
      { "SADD", "s", "b", "d" } }, function(rec)
      rec:sadd("s", "a", "b", "\255")
      rec:sadd("t", "c")
      rec:sadd("s", "b", "d")
    end)
  end)

  it("replays RPUSH and LPUSH", function()
    assert_replays({ { "RPUSH", "l", "a", "b" }, { "RPUSH", "m", "" }, { "RPUSH", "l", "a" } },
      function(rec)
        rec:rpush("l", "a", "b")
        rec:rpush("m", "")
        rec:rpush("l", "a")
      end)
    server:clean()
    assert_replays({ { "LPUSH", "l", "a", "b" }, { "LPUSH", "l", "c" } }, function(rec)
      rec:lpush("l", "a", "b")
      rec:lpush("l", "c")
    end)
  end)

  it("replays ZADD", function()
    assert_replays({ { "ZADD", "z", "1.5", "a", "-3", "b" }, { "ZADD", "y", "1e300", "x" },
      { "ZADD", "z", "0.1", "a", "inf", "c" } }, function(rec)
      rec:zadd("z", { a = 1.5, b = -3 })
      rec:zadd("y", { x = 1e300 })
      rec:zadd("z", { { "a", 0.1 }, { "c", math.huge } })
    end)
  end)

  for _, name in ipairs { "articles", "baskets", "leaderboards", "points-cosine", "points-l2",
    "products", "strings", "timelines" } do
    it("is like the one that ships: " .. name .. " loads and reads back", function()
      local run = vbench.report { "load-and-verify", "--dataset",
        vbench.root .. "/datasets/" .. name, "-p", server.port, "--threads", 1 }
      assert.equal(0, run.code, run.all)
      local phases = run.json.phases
      local load, verify = phases[#phases - 1], phases[#phases]
      assert.equal(server:call("DBSIZE"), load.requests)
      assert.equal(load.requests, verify.requests)
      assert.equal(0, verify.errors)
    end)
  end
end)
