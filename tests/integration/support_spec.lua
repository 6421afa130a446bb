-- What the other specs stand on: real servers, the fake server, MONITOR, runs of programs.
local process = require "tests.support.process"
local resp = require "tests.support.resp"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("the tests' own tools", function()
  teardown(vbench.clean)

  for _, installed in ipairs(servers.installed()) do
    it("start and stop a private " .. installed.name, function()
      local server = servers.start { path = installed.path, password = "secret",
        acl = { { "bob", "on", ">pw", "~*", "+@all" } } }
      assert.equal("PONG", server:call("PING"))
      assert.equal("pw", resp.connect(server.port):call("AUTH", "bob", "pw") and "pw")
      server:stop()
      assert.is_nil(resp.connect(server.port))
      assert.is_nil(process.read(server.directory .. "/log"))
    end)
  end

  it("read what a server was sent, byte for byte", function()
    local server = servers.start()
    local monitor = server:monitor()
    local odd = 'a "b"\\x41\r\n\t\0\255'
    server:call("SET", "key", odd)
    local sets = monitor:finish("set")
    server:stop()
    assert.equal(1, #sets)
    assert.same({ "SET", "key", odd }, { sets[1][1], sets[1][2], sets[1][3] })
    assert.equal(0, sets[1].db)
  end)

  it("have a server that answers what it is told to", function()
    local server = servers.fake("error", { text = "OOM no room", after = 1 })
    local client = resp.connect(server.port)
    assert.equal("PONG", client:call("PING"))
    assert.equal("OK", client:call("SET", "a", "b"))
    assert.has_error(function() client:call("SET", "a", "c") end, "SET: OOM no room")
    assert.same({ { "PING" }, { "SET", "a", "b" }, { "SET", "a", "c" } }, server:received())
    client:close()
    server:stop()
  end)

  it("know a program's exit code and output, and the end of one that hangs", function()
    local run = vbench.run { program = "sh", "-c", "cat; echo $HOME >&2; exit 3", stdin = "in" }
    assert.same({ 3, "in" }, { run.code, run.out })
    assert.matches("^/tmp/vbench%-test%-", run.err)
    local hung = vbench.start { program = "sleep", 20, timeout = 0.1 }
    assert.has_error(function() hung:wait() end, "vbench hangs; it printed: ")
    local stopped = vbench.start { program = "sleep", 20 }
    stopped:signal("INT")
    assert.equal(130, stopped:wait().code)
  end)
end)
