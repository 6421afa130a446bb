local local_server = require "vbench.local_server"

local function exists(path)
  return os.execute(("test -e '%s'"):format(path)) == 0
end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

describe("a private server", function()
  local server

  after_each(function()
    if server then server:stop() end
    server = nil
  end)

  it("answers on its port and its socket, in a directory of its own", function()
    server = local_server.start {}
    assert.equal("127.0.0.1", server.host)
    assert.is_true(server:alive())
    assert.is_true(exists(server.socket))
    assert.matches("^/.*/vbench%-%w+$", server.directory)
    assert.equal("PONG\n", output_of("redis-cli -p " .. server.port .. " ping"))
    assert.equal("PONG\n", output_of("redis-cli -s " .. server.socket .. " ping"))
  end)

  it("keeps nothing and saves nothing", function()
    server = local_server.start {}
    local config = output_of("redis-cli -p " .. server.port .. " config get '[as]*'")
    assert.matches("appendonly\nno\n", config)
    assert.matches("save\n\n", config)
  end)

  it("takes options for the server", function()
    server = local_server.start { args = "--maxmemory 123mb --maxmemory-policy 'allkeys-lru'" }
    assert.equal("maxmemory\n128974848\n",
      output_of("redis-cli -p " .. server.port .. " config get maxmemory"))
    assert.equal("maxmemory-policy\nallkeys-lru\n",
      output_of("redis-cli -p " .. server.port .. " config get maxmemory-policy"))
  end)

  it("is ready though it refuses strangers", function()
    server = local_server.start { args = "--requirepass secret" }
    assert.matches("NOAUTH", output_of("redis-cli -p " .. server.port .. " ping 2>&1"))
  end)

  it("speaks TLS alone, with a certificate of its own", function()
    server = local_server.start { spec = "tls" }
    assert.equal(server.directory .. "/cert.pem", server.cacert)
    local client = ("redis-cli -p %d %%s ping 2>&1"):format(server.port)
    assert.equal("PONG\n", output_of(client:format("--tls --cacert " .. server.cacert)))
    assert.not_matches("PONG", output_of(client:format("")))
  end)

  it("is gone with its directory after stop", function()
    server = local_server.start {}
    local pid, directory = server.pid, server.directory
    server:stop()
    assert.is_false(server:alive())
    assert.is_false(exists("/proc/" .. pid))
    assert.is_false(exists(directory))
    server:stop()
  end)

  it("does not start with an option that the server does not know, and shows its log", function()
    local ok, message = pcall(local_server.start, { args = "--no-such-option 1" })
    assert.is_false(ok)
    assert.matches("ended at once; its last words:.*no%-such%-option", message)
  end)

  it("refuses to move", function()
    assert.error_matches(function() local_server.start { args = "--port 6379" } end,
      "^%-%-local%-args: %-%-port is what %-%-local sets by itself$")
  end)

  it("names what there is when another kind is asked for", function()
    assert.error_matches(function() local_server.start { spec = "cluster:3+3" } end,
      "^%-%-local cluster:3%+3: there is no such private server; there are: standalone, tls$")
  end)

  it("names both programs when there is neither", function()
    local script = [[local ok, message = pcall(require("vbench.local_server").start, {})
      print(message)]]
    local luajit = output_of("command -v luajit"):gsub("%s+$", "")
    local text = output_of(("PATH=/nowhere %s -e '%s'"):format(luajit, script))
    assert.matches("neither valkey%-server nor redis%-server is on PATH", text)
  end)
end)

describe("the words of --local-args", function()
  it("are split at spaces outside quotes", function()
    assert.same({ "--save", "60 1000", "--x", "", "ab" },
      local_server.split([[ --save "60 1000"  --x '' a"b" ]]))
    assert.same({}, local_server.split(""))
  end)

  it("end with the quote that began them", function()
    assert.error_matches(function() local_server.split("--save '60") end, "quote ' is not closed")
  end)
end)
