local control = require "vbench.control"
local failure = require "vbench.failure"
local local_server = require "vbench.local_server"
local server = require "vbench.server"

local function raised(fn, ...)
  local ok, value = pcall(fn, ...)
  assert.is_false(ok)
  return value
end

describe("the server that options name", function()
  it("is the default when nothing is named", function()
    local target = server.target {}
    assert.same({ { host = "127.0.0.1", port = 6379 } }, target.endpoints)
    assert.is_true(target.default)
    assert.is_true(target.loopback)
    assert.is_false(target.is_local)
  end)

  it("is a host, several hosts, hosts with ports", function()
    local target = server.target({ host = { "a", "b:7000", "[::1]:7001", "fe80::1" }, port = 6380 },
      { host = true })
    assert.same({ { host = "a", port = 6380 }, { host = "b", port = 7000 },
                  { host = "::1", port = 7001 }, { host = "fe80::1", port = 6380 } },
                target.endpoints)
    assert.is_false(target.default)
    assert.is_false(target.loopback)
  end)

  it("is a socket", function()
    local target = server.target { socket = "/run/s.sock", host = "127.0.0.1" }
    assert.same({ { path = "/run/s.sock" } }, target.endpoints)
    assert.is_true(target.loopback)
  end)

  it("is a URI, with user, password and database", function()
    local target = server.target { uri = "valkey://me:p%40ss@db.example:7000/3" }
    assert.same({ { host = "db.example", port = 7000 } }, target.endpoints)
    assert.equal("me", target.login.user)
    assert.equal("p@ss", target.login.password)
    assert.equal(3, target.login.database)
  end)

  it("is spoken to with TLS by --tls or its URI", function()
    local target = server.target({ host = { "a", "b" }, tls = true }, { host = true })
    assert.is_not_nil(target.tls)
    assert.equal(target.tls, target.endpoints[1].tls)
    assert.equal(target.tls, target.endpoints[2].tls)
    target = server.target({ uri = { "rediss://a", "redis://b" } })
    assert.equal(target.tls, target.endpoints[1].tls)
    assert.is_nil(target.endpoints[2].tls)
    assert.matches("%-%-tls%-ciphers is for TLS", raised(server.target,
      { tls_ciphers = "x" }).message)
  end)

  it("is a private server before all else", function()
    local target = server.target({}, {}, { host = "127.0.0.1", port = 12345 })
    assert.same({ { host = "127.0.0.1", port = 12345 } }, target.endpoints)
    assert.is_true(target.is_local)
  end)

  it("is refused when it cannot be", function()
    assert.matches("port 70000", raised(server.target, { port = 70000 }).message)
    assert.matches("is named twice", raised(server.target, { host = { "a", "a" } }).message)
    local value = raised(server.target, { uri = "http://me:hunter2@x" })
    assert.equal(failure.USAGE, value.exit_code)
    assert.is_nil(value.message:find("hunter2", 1, true))
    assert.matches("-p/--port was given, but --uri", raised(server.target,
      { uri = "redis://a", port = 1 }, { port = true }).message, 1, true)
    assert.matches("-p/--port was given, but -s/--socket", raised(server.target,
      { socket = "/s", port = 1 }, { port = true }).message, 1, true)
    assert.equal(1, #server.target({ uri = "redis://a", port = 6379 }).endpoints)
    assert.matches("exclude", raised(server.target, { ipv4 = true, ipv6 = true }).message)
  end)
end)

describe("a login", function()
  it("is one for all servers: nothing that names it is lost", function()
    local function message(...) return raised(server.target, ...).message end
    assert.equal("--dbnum and --uri name two databases: all servers are logged in to alike",
      message({ uri = "redis://a/3", dbnum = 4 }, { dbnum = true }))
    assert.equal("--uri and --uri name two passwords: all servers are logged in to alike",
      message { uri = { "redis://:hunter2@a", "redis://:other@b" } })
    assert.matches("--auth and --uri name two passwords",
      message({ uri = "redis://:hunter2@a", auth = "x" }, { auth = true }), 1, true)
    assert.matches("--user and --uri name two users",
      message({ uri = "redis://me:p@a", user = "you" }, { user = true }), 1, true)
    local target = server.target({ uri = { "redis://:p@a/3", "redis://b/3" }, dbnum = 3 },
      { dbnum = true })
    assert.same({ "p", 3 }, { target.login.password, target.login.database })
    target = server.target({ uri = "redis://:p@a", auth = "of the environment", dbnum = 0 })
    assert.equal("p", target.login.password)
  end)
end)

describe("what a server says of itself", function()
  local place

  setup(function() place = local_server.start {} end)
  teardown(function() place:stop() end)

  it("has its name, version, mode and modules", function()
    local target = server.target({}, {}, place)
    local ctl, said = server.open({}, target)
    assert.matches("^%d+%.%d+%.%d+$", said.version)
    assert.matches("^%d+%.%d+%.%d+$", said.redis_version)
    assert.equal(place.program:match("(%a+)%-server$"), said.name)
    assert.equal("standalone", said.mode)
    assert.same({}, said.modules)
    assert.equal(2, said.resp)
    ctl:close()
  end)

  it("says what it knows without HELLO and INFO", function()
    local ctl = { try = function() return nil, "NOPERM" end }
    local said = server.read(ctl)
    assert.equal("standalone", said.mode)
    assert.equal("?", said.version)
    assert.same({}, said.modules)
  end)

  it("has modules by name", function()
    local ctl = { try = function(_, name)
      if name ~= "MODULE" then return nil, "ERR" end
      return { { "name", "search", "ver", 80000, "path", "/x", "args", {} },
               { "name", "bf", "ver", 1 } }
    end }
    assert.same({ { name = "bf", version = 1 }, { name = "search", version = 80000 } },
      server.read(ctl).modules)
  end)

  it("teaches the table of commands", function()
    local ctl = server.open({}, server.target({}, {}, place))
    local learnt
    server.learn(ctl, { learn = function(entries) learnt = entries end })
    local found
    for _, entry in ipairs(learnt) do
      if entry[1] == "mset" then found = entry end
    end
    assert.same({ 1, -1, 2 }, { found[4], found[5], found[6] })
    ctl:close()
  end)

  it("is told to those who do not get in", function()
    local locked = local_server.start { args = "--requirepass hunter2" }
    local value = raised(server.open, {}, server.target({}, {}, locked))
    assert.equal(failure.COULD_NOT_RUN, value.exit_code)
    assert.matches(":%d+: the server asks for a password: .*%-%-auth", value.message)
    value = raised(server.open, {}, server.target({ auth = "wrong-secret" }, {}, locked))
    assert.matches("WRONGPASS", value.message)
    assert.is_nil(value.message:find("wrong-secret", 1, true))
    local ctl = server.open({}, server.target({ auth = "hunter2" }, {}, locked))
    assert.equal("PONG", ctl:call("PING"))
    ctl:close()
    locked:stop()
  end)

  it("hints at --local where nobody listens on this machine", function()
    local target = server.target {}
    target.endpoints[1].port = 1
    local value = raised(server.open, {}, target)
    assert.equal(failure.COULD_NOT_RUN, value.exit_code)
    assert.matches("127.0.0.1:1: ", value.message)
    assert.matches("%-%-local", value.hint)
    value = raised(server.open, {}, server.target({ port = 1 }, { port = true }))
    assert.matches("%-%-local", value.hint)
  end)

  it("offers to restore what a run that crashed has left", function()
    local directory = os.tmpname()
    os.remove(directory)
    local journal = require "vbench.journal"
    local real = journal.directory
    journal.directory = function() return directory end
    local target = server.target({ port = place.port }, { port = true })
    local crashed = server.open({ yes = true }, target)
    crashed:config { ["lfu-log-factor"] = 7 }
    crashed:close()

    local lines = {}
    local function say(line) lines[#lines + 1] = line end
    server.open({}, target, { say = say }):close()
    assert.matches("has left settings of 127.0.0.1:%d+ changed: lfu%-log%-factor %(was '10'%)",
      lines[1])
    assert.matches("%-%-yes restores them; to keep them as they are, remove " .. directory,
      lines[2])

    local ctl = server.open({ yes = true }, target, { say = say })
    assert.equal("10", ctl:call("CONFIG", "GET", "lfu-log-factor")[2])
    assert.equal(3, #lines)
    ctl:close()
    journal.directory = real
    os.execute(("rm -rf '%s'"):format(directory))
  end)
end)

describe("a stand-in for a server", function()
  it("is chosen by name", function()
    assert.equal("none", server.assumed().name)
    assert.equal("redis", server.assumed("Redis8").name)
    assert.equal("search", server.assumed("valkey-search").modules[2].name)
    assert.matches("unknown server 'redis9'; did you mean 'redis8'%?",
      raised(server.assumed, "redis9").message)
  end)

  it("has the fields of a real one", function()
    local place = local_server.start {}
    local ctl, said = server.open({}, server.target({}, {}, place))
    for key in pairs(said) do assert.is_not_nil(server.assumed("none")[key]) end
    ctl:close()
    place:stop()
    assert.is_function(control.open)
  end)
end)
