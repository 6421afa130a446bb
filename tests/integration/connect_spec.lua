-- Reaching a server: addresses, sockets, URIs, users, databases, and the ways it goes wrong.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local secret = "s3cr3t-pa55"

-- The arguments of a short run that sets `count` keys.
local function sets(count, ...)
  local args = { "-t", "set", "-n", count, "-c", 2, "-r", 100000, "--sequential", "--no-baseline" }
  for i = 1, select("#", ...) do args[#args + 1] = (select(i, ...)) end
  return args
end

describe("connecting", function()
  local plain, guarded

  setup(function()
    plain = servers.start()
    guarded = servers.start { password = secret, acl = {
      { "bob", "on", ">b0b-word", "~*", "+@all" },
      { "reader", "on", ">read-word", "~*", "+@read", "+@connection", "+info", "+command" },
    } }
  end)
  teardown(function()
    plain:stop()
    guarded:stop()
    vbench.clean()
  end)
  before_each(function()
    plain:clean()
    guarded:clean()
  end)

  local function expect_filled(server, ...)
    local run = vbench.run(sets(40, ...))
    assert.equal(0, run.code, run.all)
    assert.equal(40, server:call("DBSIZE"))
    return run
  end

  it("goes over TCP by address", function()
    expect_filled(plain, "-h", "127.0.0.1", "-p", plain.port)
  end)

  it("goes over TCP by name", function()
    expect_filled(plain, "--host", "localhost", "--port", plain.port)
    plain:clean()
    expect_filled(plain, "-4", "-h", "localhost", "-p", plain.port)
  end)

  it("goes over IPv6", function()
    local ok, six = pcall(servers.start, { bind = "::1 127.0.0.1" })
    if not ok then return pending("no IPv6 here") end
    expect_filled(six, "-h", "::1", "-p", six.port)
    six:clean()
    expect_filled(six, "-6", "-h", "::1", "-p", six.port)
    six:clean()
    expect_filled(six, "-u", "redis://[::1]:" .. six.port)
    six:stop()
  end)

  it("says when a name has no address of the asked family", function()
    local run = vbench.run(sets(1, "-6", "-h", "127.0.0.1", "-p", plain.port))
    assert.equal(1, run.code, run.all)
    assert.matches("127.0.0.1", run.err, 1, true)
  end)

  it("goes over a unix socket", function()
    local before = plain:info("total_connections_received")
    expect_filled(plain, "-s", plain.socket)
    assert.is_true(plain:info("total_connections_received") > before)
    local clients = vbench.run(sets(1, "--socket", "/nonexistent/s.sock"))
    assert.equal(1, clients.code)
    assert.matches("/nonexistent/s.sock", clients.err, 1, true)
  end)

  for _, scheme in ipairs { "redis", "valkey" } do
    it("takes a " .. scheme .. ":// URI with user, password and database", function()
      local run = vbench.run(sets(40, "-u",
        ("%s://bob:b0b-word@127.0.0.1:%d/3"):format(scheme, guarded.port)))
      assert.equal(0, run.code, run.all)
      assert.matches("db3:keys=40", guarded:call("INFO", "keyspace"), 1, true)
      assert.not_matches("b0b%-word", run.all)
    end)
  end

  it("refuses a URI that is none", function()
    local run = vbench.run(sets(1, "-u", "ftp://127.0.0.1"))
    assert.equal(2, run.code, run.all)
    assert.matches("ftp", run.err, 1, true)
  end)

  it("spreads keys over several servers, each key on one", function()
    local other = servers.start { bind = "127.0.0.2", port = plain.port }
    local run = vbench.run { "-h", "127.0.0.1", "-h", "127.0.0.2", "-p", plain.port, "-t", "set",
      "-n", 2000, "-r", 2000, "--sequential", "-c", 4, "--no-baseline" }
    local here, there = plain:call("DBSIZE"), other:call("DBSIZE")
    other:stop()
    assert.equal(0, run.code, run.all)
    assert.equal(2000, here + there)
    assert.is_true(here > 500 and there > 500, here .. " and " .. there)
  end)

  it("authenticates with --auth", function() expect_filled(guarded, "-p", guarded.port, "-a",
    secret) end)

  it("authenticates as a user of the ACL", function()
    expect_filled(guarded, "-p", guarded.port, "--user", "bob", "--auth", "b0b-word")
  end)

  it("takes the password from the environment, its own variable first", function()
    local monitor = guarded:monitor()
    local names = { "REDISCLI_AUTH", "VALKEYCLI_AUTH", "VALKEY_AUTH", "VBENCH_AUTH" }
    local env = {}
    for _, name in ipairs(names) do
      for other in pairs(env) do env[other] = "wrong" end
      env[name] = secret
      local args = sets(10, "-p", guarded.port)
      args.env = env
      local run = vbench.run(args)
      assert.equal(0, run.code, name .. ": " .. run.all)
    end
    assert.equal(10 * #names, #monitor:finish("set"))
  end)

  it("asks for the password with --askpass", function()
    local typed = table.concat({ vbench.binary, "-p", guarded.port, "--askpass", "-t", "set", "-n",
      10, "-c", 1, "-q", "--no-baseline" }, " ")
    -- Typed when the terminal no longer shows what is typed.
    local run = vbench.run { program = "sh", "-c",
      ("(sleep %g; echo %s) | script -qec '%s' /dev/null"):format(0.5 * vbench.slowness, secret,
        typed) }
    assert.equal(0, run.code, run.all)
    assert.not_matches(secret, run.out, 1, true)
  end)

  it("selects a database, on every connection", function()
    local monitor = plain:monitor()
    local run = vbench.run(sets(200, "-p", plain.port, "--dbnum", 5, "-c", 7))
    assert.equal(0, run.code, run.all)
    local all = monitor:finish("set")
    assert.equal(200, #all)
    for _, args in ipairs(all) do assert.equal(5, args.db) end
  end)

  it("says when a database is not there", function()
    local run = vbench.run(sets(10, "-p", plain.port, "--dbnum", 999))
    assert.equal(1, run.code, run.all)
    assert.matches("DB index is out of range", run.err, 1, true)
  end)

  it("speaks RESP3 with -3", function()
    local script = vbench.one_phase([[
      local set = vb.command { "HSET", vb.key "h", "f", "v" }
      local get = vb.command { "HGETALL", vb.key "h", on_reply = function(reply)
        if reply.type ~= "map" then error("type " .. reply.type) end
      end } ]], "run = vb.sequence { set, get }, requests = 50")
    local three = vbench.run { script, "-p", plain.port, "-3", "--no-baseline" }
    assert.equal(0, three.code, three.all)
    local two = vbench.run { script, "-p", plain.port, "--no-baseline" }
    assert.equal(2, two.code, two.all)
    assert.matches("type array", two.err, 1, true)
  end)

  local types = {
    string = "string", integer = "integer", double = "double", null = "nil", array = "array",
    set = "set", map = "map", attrib = "string", push = "string", ["true"] = "boolean",
    ["false"] = "boolean", verbatim = "verbatim", bignum = "bignumber",
  }
  it("reads every type of RESP3", function()
    local server = servers.start { args = { "--enable-debug-command", "yes" } }
    for word, kind in pairs(types) do
      local script = vbench.one_phase(([[
        local ask = vb.command { "DEBUG", "PROTOCOL", "%s", on_reply = function(reply)
          if reply.type ~= "%s" then error("type " .. reply.type) end
        end } ]]):format(word, kind), "run = ask, requests = 200, pipeline = 5")
      local run = vbench.report { script, "-p", server.port, "-3", "-c", 2 }
      assert.equal(0, run.code, word .. ": " .. run.all)
      assert.equal(200, run.json.phases[1].requests)
    end
    server:stop()
  end)

  it("names its connections", function()
    local monitor = plain:monitor()
    vbench.run(sets(10, "-p", plain.port, "-c", 3))
    local named = false
    for _, args in ipairs(monitor:finish()) do
      named = named or table.concat(args, " "):lower():find("setname vbench", 1, true)
    end
    assert.truthy(named)
  end)

  for _, installed in ipairs(servers.installed()) do
    it("works with " .. installed.name .. " and says its version", function()
      local server = servers.start { path = installed.path }
      local phase, run = vbench.phase { "-p", server.port, "-t", "set,get", "-n", 500, "-3" }
      local version = server:info(installed.name == "valkey" and "valkey_version" or
        "redis_version")
      server:stop()
      assert.equal(500, phase.requests)
      assert.equal(version, run.json.server.version)
    end)
  end

  describe("that fails", function()
    it("for want of a listener suggests --local", function()
      local run = vbench.run { "-p", servers.free_port(), "-t", "set", "-n", 10 }
      assert.equal(1, run.code, run.all)
      assert.matches("%-%-local", run.err)
      assert.matches("[Cc]onnection refused", run.err)
    end)

    it("for a wrong password says so and keeps it to itself", function()
      local run = vbench.run(sets(10, "-p", guarded.port, "-a", "wr0ng-word"))
      assert.equal(1, run.code, run.all)
      assert.matches("WRONGPASS", run.err)
      assert.not_matches("wr0ng-word", run.all, 1, true)
    end)

    it("for want of a password says which options give one", function()
      local run = vbench.run(sets(10, "-p", guarded.port))
      assert.equal(1, run.code, run.all)
      assert.matches("asks for a password", run.err)
      assert.matches("--auth", run.err, 1, true)
    end)

    it("for a user without the right counts NOPERM", function()
      local run = vbench.report(sets(10, "-p", guarded.port, "--user", "reader", "-a", "read-word"))
      assert.equal(4, run.code, run.all)
      assert.equal(10, run.json.phases[1].errors_by_kind.NOPERM.count)
      assert.equal(0, run.json.phases[1].requests)
    end)

    it("in protected mode gives the server's words", function()
      local fake = servers.fake("denied")
      local run = vbench.run(sets(10, "-p", fake.port))
      fake:stop()
      assert.equal(1, run.code, run.all)
      assert.matches("protected mode", run.err)
    end)

    it("while the server loads says so", function()
      local fake = servers.fake("error",
        { on = { "*" }, text = "LOADING server is loading the dataset in memory" })
      local run = vbench.run(sets(10, "-p", fake.port))
      fake:stop()
      assert.is_true(run.code == 1 or run.code == 4, run.all)
      assert.matches("LOADING", run.all)
    end)

    it("by silence ends after --connect-timeout", function()
      local fake = servers.fake("silence", { on = { "*" } })
      local run = vbench.run(sets(10, "-p", fake.port, "--connect-timeout", "300ms"))
      fake:stop()
      assert.equal(1, run.code, run.all)
      assert.is_true(run.seconds < 3 * vbench.slowness, run.seconds)
      assert.matches("within %d+ ms", run.err)
    end)
  end)

  it("logs in as a user without a password, and says when the server wants one", function()
    local server = servers.start { acl = { { "free", "on", "nopass", "~*", "+@all" },
      { "bob", "on", ">secret", "~*", "+@all" } } }
    local run = vbench.run { "-p", server.port, "--user", "free", "-t", "ping", "-n", 5, "-q" }
    assert.equal(0, run.code, run.all)
    local bad = vbench.run { "-p", server.port, "--user", "bob", "-t", "ping", "-n", 5, "-q" }
    server:stop()
    assert.equal(1, bad.code)
    assert.matches('user "bob"', bad.err)
  end)
end)
