local cjson = require "cjson"
local control = require "vbench.control"
local failure = require "vbench.failure"
local journal = require "vbench.journal"
local local_server = require "vbench.local_server"

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local function raised(fn)
  local ok, value = pcall(fn)
  assert.is_false(ok)
  return value
end

describe("the control plane", function()
  local server, ctl, directory

  local function open(fields)
    local options = {
      endpoints = { { host = server.host, port = server.port } }, is_local = true,
      journal = directory,
    }
    for key, value in pairs(fields or {}) do options[key] = value end
    return control.open(options)
  end

  setup(function()
    server = local_server.start {}
    directory = os.tmpname()
    os.remove(directory)
  end)

  teardown(function()
    server:stop()
    os.execute(("rm -rf '%s'"):format(directory))
  end)

  before_each(function()
    ctl = assert(open())
    ctl:call("FLUSHALL")
  end)

  after_each(function() ctl:close() end)

  it("sends words and exact integers", function()
    ctl:call("SET", "n", 9007199254740991)
    assert.equal("9007199254740991", ctl:call("GET", "n"))
    ctl:call("SET", "n", -2 ^ 53)
    assert.equal("-9007199254740992", ctl:call("GET", "n"))
    ctl:call("SET", "n", 0.1)
    assert.equal(0.1, tonumber(ctl:call("GET", "n")))
    ctl:call("SET", "n", 9007199254740993LL)
    assert.equal("9007199254740993", ctl:call("GET", "n"))
  end)

  it("gives every kind of reply", function()
    assert.equal("OK", ctl:call("SET", "a", "x\0y"))
    assert.equal("x\0y", ctl:call("GET", "a"))
    assert.is_nil(ctl:call("GET", "missing"))
    assert.equal(1, ctl:call("DEL", "a"))
    assert.same({ "1", false, { 2, "OK" } }, ctl:call("EVAL",
      "return { '1', false, { 2, redis.status_reply('OK') } }", 0))
    assert.equal(2 ^ 53 - 1, ctl:call("EVAL", "return 9007199254740991", 0))
    ctl:call("SET", "i", "9007199254740992")
    assert.equal(9007199254740993LL, ctl:call("INCR", "i"))
  end)

  it("refuses what is no word, at the line that wrote it", function()
    local message = raised(function() ctl:call("SET", "a", nil, "b") end)
    assert.matches("control_spec.lua:%d+: argument 3 of a ctl call is a nil", message)
    assert.matches("without a command", raised(function() ctl:call() end))
  end)

  it("raises what the server answers, with the command and the address", function()
    ctl:call("SET", "secret", "value")
    local value = raised(function() ctl:call("LPUSH", "secret", "hunter2") end)
    assert.is_true(failure.is(value))
    assert.equal(failure.COULD_NOT_RUN, value.exit_code)
    assert.matches("control_spec.lua:%d+: LPUSH: WRONGTYPE .*%(127.0.0.1:" .. server.port .. "%)",
      value.message)
    assert.is_nil(value.message:find("hunter2", 1, true))
  end)

  it("does not show arguments of commands that take secrets", function()
    local value = raised(function() ctl:call("CONFIG", "SET", "maxmemory", "hunter2") end)
    assert.matches("CONFIG SET: ERR", value.message)
  end)

  it("tries", function()
    assert.equal("OK", ctl:try("SET", "a", "1"))
    local reply, message, kind = ctl:try("LPUSH", "a", "1")
    assert.is_nil(reply)
    assert.matches("^LPUSH: WRONGTYPE", message)
    assert.equal("ESERVER", kind)
    reply, message = ctl:try("GET", "missing")
    assert.is_nil(reply)
    assert.is_nil(message)
  end)

  it("gives up at its deadline and connects anew afterwards", function()
    local quick = assert(open { timeout_s = 0.05 })
    local before = os.clock()
    local _, message, kind = quick:try("BLPOP", "missing", "0.3")
    assert.equal("ETIMEOUT", kind)
    assert.matches("^BLPOP: .*" .. server.port, message)
    assert.is_true(os.clock() - before < 0.3)
    assert.is_true(quick:wait_until(function(c) return c:try("PING") == "PONG" end, "2s"))
    quick:close()
  end)

  it("calls a function for each node", function()
    local seen = {}
    local sizes = ctl:each_node("primary", function(node_ctl, node)
      seen[#seen + 1] = node.address
      return node_ctl:call("DBSIZE")
    end)
    assert.same({ 0 }, sizes)
    assert.same({ "127.0.0.1:" .. server.port }, seen)
    assert.same({}, ctl:each_node("replica", error))
    assert.matches("the role is", raised(function() ctl:each_node("master", error) end))
    assert.equal("standalone", ctl.topology.mode)
    assert.equal("primary", ctl.topology.nodes[1].role)
  end)

  it("reads INFO as fields", function()
    local info = ctl:info("memory")
    assert.is_number(info.used_memory)
    assert.is_string(info.used_memory_human)
    assert.equal("standalone", ctl:info().redis_mode or ctl:info().server_mode)
  end)

  it("waits until something is so", function()
    local calls = 0
    assert.equal("yes", ctl:wait_until(function()
      calls = calls + 1
      return calls == 3 and "yes"
    end))
    assert.matches("wait_until: not so after 0.1 s",
      raised(function() ctl:wait_until(function() return false end, "100ms") end).message)
    assert.matches("'soon' is not a duration",
      raised(function() ctl:wait_until(print, "soon") end))
  end)

  it("changes settings until the end of the run", function()
    local before = ctl:call("CONFIG", "GET", "maxmemory")[2]
    ctl:config { maxmemory = "100mb", ["maxmemory-policy"] = "allkeys-lru" }
    ctl:config { maxmemory = "200mb" }
    assert.equal("209715200", ctl:call("CONFIG", "GET", "maxmemory")[2])
    assert.same({}, ctl:restore())
    assert.equal(before, ctl:call("CONFIG", "GET", "maxmemory")[2])
    assert.equal("noeviction", ctl:call("CONFIG", "GET", "maxmemory-policy")[2])
  end)

  it("changes nothing for a setting that there is not, nor a secret one", function()
    local message = raised(function() ctl:config { nosuch = "1" } end)
    assert.matches("has no setting 'nosuch'", message)
    message = raised(function() ctl:config { requirepass = "hunter2" } end)
    assert.matches("does not set 'requirepass'", message)
    assert.is_nil(message:find("hunter2", 1, true))
  end)

  describe("of a server that others use", function()
    local other

    before_each(function()
      ctl:call("SET", "theirs", "1")
      other = assert(open { is_local = false })
    end)

    after_each(function()
      other.shared.yes = true
      other:restore()
      other:close()
    end)

    it("destroys nothing without --yes", function()
      for _, words in ipairs {
        { "FLUSHALL" }, { "flushdb" }, { "CONFIG", "set", "maxmemory", "1gb" },
      } do
        local value = raised(function() other:call(unpack(words)) end)
        assert.matches("refused: 127.0.0.1:%d+ has 1 key that vbench did not write; %-%-yes",
          value.message)
      end
      assert.matches("refused", raised(function() other:config { maxmemory = "1gb" } end).message)
      assert.equal(1, ctl:call("DBSIZE"))
      assert.equal("PONG", other:call("PING"))
    end)

    it("destroys with --yes", function()
      local sure = assert(open { is_local = false, yes = true })
      sure:call("FLUSHALL")
      assert.equal(0, ctl:call("DBSIZE"))
      sure:close()
    end)

    it("destroys what vbench wrote itself", function()
      ctl:call("FLUSHALL")
      local empty = assert(open { is_local = false })
      empty:call("SET", "ours", "1")
      empty:call("FLUSHALL")
      assert.equal(0, ctl:call("DBSIZE"))
      empty:close()
    end)

    it("keeps a journal of changed settings, which the next start finds", function()
      local sure = assert(open { is_local = false, yes = true })
      local before = sure:call("CONFIG", "GET", "maxmemory")[2]
      sure:config { maxmemory = "100mb" }
      sure:close() -- and crashes

      local next_one = assert(open { is_local = false, yes = true })
      local left = next_one:left_behind()
      assert.equal(1, #left)
      assert.same({ maxmemory = before }, left[1].values)
      assert.equal(before, cjson.decode(read(left[1].path)).values.maxmemory)

      next_one:config { maxmemory = "300mb" } -- the first value stays the one to go back to
      assert.same({ maxmemory = before }, next_one:left_behind()[1].values)
      assert.same({}, next_one:restore_left_behind())
      assert.equal(before, ctl:call("CONFIG", "GET", "maxmemory")[2])
      assert.same({}, next_one:left_behind())
      assert.is_nil(read(left[1].path))
      next_one.node.changed = {}
      next_one:close()
    end)

    it("changes nothing when the journal cannot be written", function()
      local sure = assert(open { is_local = false, yes = true, journal = "/proc/nowhere" })
      assert.matches("no journal, so nothing is changed: /proc/nowhere",
        raised(function() sure:config { maxmemory = "100mb" } end).message)
      assert.equal("0", ctl:call("CONFIG", "GET", "maxmemory")[2])
      sure.node.changed = {}
      sure:close()
    end)
  end)

  it("finds the server of a key where several share them", function()
    local second = local_server.start {}
    local both = assert(control.open { is_local = true, endpoints = {
      { host = server.host, port = server.port }, { host = second.host, port = second.port },
    } })
    for i = 1, 40 do both:call("SET", "key:" .. i, i) end
    for i = 1, 40 do assert.equal(tostring(i), both:call("GET", "key:" .. i)) end
    local sizes = both:each_node("all", function(node_ctl) return node_ctl:call("DBSIZE") end)
    assert.equal(40, sizes[1] + sizes[2])
    assert.is_true(sizes[1] > 5 and sizes[2] > 5)
    -- "foo" has slot 12182, "bar" 5061 (Redis Cluster specification); the second has 8192 and up
    both:call("SET", "foo", "1")
    both:call("SET", "bar", "1")
    assert.same({ 0, 1 }, both:each_node("all", function(c) return c:call("EXISTS", "foo") end))
    assert.same({ 1, 0 }, both:each_node("all", function(c) return c:call("EXISTS", "bar") end))
    assert.equal(2, #both.topology.nodes)
    assert.equal("PONG", both:call("PING"))
    assert.equal(3, #both:round_trips(3, "PING"))
    both:close()
    second:stop()
  end)

  it("says who does not answer", function()
    local none, message, status = control.open { endpoints = { { host = "127.0.0.1", port = 1 } } }
    assert.is_nil(none)
    assert.matches("127.0.0.1:1: ", message)
    assert.is_true(status < 0)
  end)

  it("writes addresses as people do", function()
    assert.equal("127.0.0.1:6379", control.address { host = "127.0.0.1", port = 6379 })
    assert.equal("[::1]:6379", control.address { host = "::1", port = 6379 })
    assert.equal("/run/s.sock", control.address { path = "/run/s.sock" })
  end)

  it("keeps its journal where the system wants it", function()
    assert.matches("/vbench$", journal.directory())
  end)
end)
