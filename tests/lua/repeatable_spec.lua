local repeatable = require "vbench.repeatable"
local script = require "tests.lua.fixtures.script"

describe("vbench.repeatable", function()
  local vb, keys, lists

  before_each(function()
    vb = script.fresh { args = { clients = 50, pipeline = 1, keyspace = 1000 } }
    keys = vb.keyspace { prefix = "key:", size = 1000 }
    lists = vb.keyspace { prefix = "list:", size = 1000 }
  end)

  local serial = 0
  local function command(...)
    serial = serial + 1
    local given = { ... }
    given.name = given.name or "c" .. serial
    return vb.command(given)
  end

  local function assert_all(wanted, list)
    for words in list:gmatch("[^;]+") do
      local given = {}
      for word in words:gmatch("%S+") do given[#given + 1] = word end
      assert.equal(wanted, repeatable.command(command(unpack(given))), words)
    end
  end

  it("knows what reads, and what sets a state whatever it was", function()
    assert_all(true, [[GET a;mget a b;SET a b EX 10;HSET a f v;SADD a m;ZADD a 1 m;DEL a;EXPIRE a 1;
      JSON.SET a $ 1;MSET a 1 b 2;PING;GETEX a EX 1;SUNIONSTORE d a b;ZRANGE a 0 1;LLEN a]])
  end)

  it("knows what adds, takes or tells who was first", function()
    assert_all(false, [[INCR a;LPUSH a x;RPUSH a x;LPOP a;SPOP a;XADD a * f v;ZADD a INCR 1 m;
      APPEND a x;SET a b NX;SET a b get;SETNX a b;GETDEL a;ZINCRBY a 1 m;LTRIM a 1 -1;PUBLISH c m;
      EVALSHA x 0;MY.OWN a;RENAME a b;BITFIELD a INCRBY u8 0 1]])
  end)

  local function own(options)
    options[1], options[2] = options[1] or "INCR", "a"
    serial = serial + 1
    options.name = "own" .. serial
    return vb.command(options)
  end

  it("takes idempotent before readonly before retry before what is known", function()
    assert.is_true(repeatable.command(own { idempotent = true }))
    assert.is_false(repeatable.command(own { "GET", idempotent = false, readonly = true }))
    assert.is_true(repeatable.command(own { readonly = true }))
    assert.is_true(repeatable.command(own { retry = true }))
    assert.is_true(repeatable.command(own { retry = 3 }))
    assert.is_false(repeatable.command(own { retry = false }))
    assert.is_true(repeatable.command(own { "GET", retry = false }))
  end)

  describe("of a transaction", function()
    local function whole(...)
      return select(2, repeatable.operation(vb.transaction { ... }))
    end

    it("says yes when each command is", function()
      assert.is_true(whole(command("SET", keys:uniform(), "a"), command("GET", "b")))
      assert.is_false(whole(command("SET", keys:uniform(), "a"), command("INCR", "b")))
    end)

    it("says yes when it fills what it empties first", function()
      assert.is_true(whole(
        command("DEL", lists:sequential()), command("RPUSH", lists:current(), "a"),
        command("LPUSH", lists:current(), "b")))
      assert.is_true(whole(
        command("UNLINK", "a", "b"), command("RPUSH", "a", "x"), command("INCR", "b")))
      assert.is_true(whole(command("DEL", vb.key "a"), command("RPUSH", "a", "x")))
      assert.is_true(whole(command("FLUSHALL"), command("INCR", "b")))
    end)

    it("says no when it fills something else, or fills before it empties", function()
      assert.is_false(whole(
        command("DEL", lists:sequential()), command("RPUSH", lists:sequential(), "a")))
      assert.is_false(whole(
        command("DEL", lists:sequential()), command("RPUSH", keys:sequential(), "a")))
      assert.is_false(whole(command("DEL", "a"), command("RPUSH", "b", "x")))
      assert.is_false(whole(
        command("RPUSH", lists:sequential(), "a"), command("DEL", lists:current())))
      assert.is_false(whole(command("DEL", "a"), command("LMOVE", "a", "b", "LEFT", "LEFT")))
      assert.is_false(whole(
        command("DEL", lists:sequential():times(2)), command("RPUSH", lists:current(), "a")))
      assert.is_false(whole(command("DEL", "a"), command("PUBLISH", "c", "m")))
    end)

    it("says no when a command says so", function()
      assert.is_false(whole(command("DEL", "a"), own { "RPUSH", idempotent = false }))
    end)
  end)

  it("gives the fewest retries that a command of an operation allows itself", function()
    assert.equal(-1, (repeatable.operation(own {})))
    assert.equal(0, (repeatable.operation(own { retry = false })))
    assert.equal(4, (repeatable.operation(own { retry = 4 })))
    assert.equal(-1, (repeatable.operation(own { retry = true })))
    assert.equal(2, (repeatable.operation(vb.sequence { own { retry = 4 }, own { retry = 2 } })))
  end)

  it("has no meaning for subscribers", function()
    local news = vb.subscriber { channels = { "news" }, name = "news" }
    assert.error_matches(function() vb.phase { name = "p", run = news, retry = 3 } end,
      "field 'retry' of phase 'p' has no effect: a subscriber")
  end)

  it("takes whole numbers only", function()
    for _, wrong in ipairs { -1, 1.5, 1001, 0 / 0 } do
      assert.error_matches(function() own { retry = wrong } end, "field 'retry' of command 'own")
    end
    assert.error_matches(function() own { retry = "often" } end, "takes a boolean or a number")
    assert.error_matches(function()
      vb.phase { name = "p", run = own {}, retry = 1001 }
    end, "field 'retry' of phase 'p' is 1001; it takes up to 1000")
  end)
end)
