-- What is known of keys from one run to the next: --tracker-file, --tracker-init.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("trackers between runs", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function run(body, ...)
    local path = vbench.scenario([[
      local keys = vb.keyspace { prefix = "k:", size = 1000 }
      return vb.scenario { main = function() ]] .. body .. " end }")
    return vbench.run { path, "-p", server.port, ... }
  end

  it("--tracker-file brings what was known to the next run", function()
    local file = vbench.path("tracker")
    local first = run("print('known', keys:count()) keys:add_range(10, 30)", "--tracker-file", file)
    assert.equal(0, first.code, first.all)
    assert.matches("known\t0\n", first.out)
    local second = run("print('known', keys:count(10, 30)) keys:remove(10)", "--tracker-file", file)
    assert.matches("known\t20\n", second.out)
    assert.matches(file .. ": 20 keys of 'k:' are known", second.err, 1, true)
    local third = run("print('known', keys:count(), keys:exists(10))", "--tracker-file", file, "-q")
    assert.matches("known\t19\tfalse\n", third.out)
    assert.equal("", third.err)
  end)

  it("--tracker-file keeps what a run knew that failed", function()
    local file = vbench.path("tracker")
    local first = run("keys:add(7) error('no more')", "--tracker-file", file)
    assert.equal(2, first.code, first.all)
    local second = run("print('known', keys:exists(7))", "--tracker-file", file)
    assert.matches("known\ttrue\n", second.out)
  end)

  it("--tracker-file names a file that it cannot use, and leaves it alone", function()
    local file = process.write(vbench.path("tracker"), "something else")
    local done = run("print('ran')", "--tracker-file", file)
    assert.equal(2, done.code)
    assert.matches("--tracker-file: " .. file .. " is no tracker file", done.err, 1, true)
    assert.is_nil(done.out:find("ran"))
    assert.equal("something else", process.read(file))
    done = run("print('ran')", "--tracker-file", "/no/such/file")
    assert.equal(1, done.code)
    assert.matches("--tracker-file: /no/such/file: No such file", done.err, 1, true)
    assert.is_nil(done.out:find("ran"))
  end)

  it("both know the keys of the classic tests when these are tracked", function()
    local file = vbench.path("tracker")
    local function classic(...)
      return vbench.run { "-p", server.port, "-t", "set", "-n", 100, "-r", 50, "--sequential",
        "--no-baseline", ... }
    end
    for _, options in ipairs { { "--tracker-file", file }, { "--tracker-init", "scan" } } do
      local done = classic(unpack(options))
      assert.equal(2, done.code, done.all)
      assert.matches(table.concat(options, " "):gsub("^(%S+file).*", "%1") .. ": the classic tests "
        .. "know which keys exist with --keyspace-tracker", done.err, 1, true)
    end
    assert.equal(0, server:call("DBSIZE"))
    assert.equal(0, classic("--keyspace-tracker", "--tracker-file", file).code)
    local again = classic("--keyspace-tracker", "--tracker-file", file, "--tracker-init", "scan")
    assert.equal(0, again.code, again.all)
    assert.matches(file .. ": 50 keys of 'classic keys' are known", again.err, 1, true)
    assert.matches("scan of 'classic keys': 50 found, 0 new, 0 stale", again.err, 1, true)
  end)

  it("--tracker-init scan asks the server before setup", function()
    server:call("SET", "k:000000000005", "v")
    local cold = run("print('known', keys:count())", "--tracker-init", "cold")
    assert.matches("known\t0\n", cold.out)
    local scanned = run("print('known', keys:count(), keys:exists(5))", "--tracker-init", "scan")
    assert.equal(0, scanned.code, scanned.all)
    assert.matches("known\t1\ttrue\n", scanned.out)
    assert.matches("scan of 'k:': 1 found, 1 new, 0 stale", scanned.err)
  end)

  it("refuses both where there is no keyspace", function()
    local path = vbench.scenario("return vb.scenario { main = function() end }")
    for option, value in pairs { ["--tracker-file"] = "/tmp/x", ["--tracker-init"] = "scan" } do
      local done = vbench.run { path, "-p", server.port, option, value }
      assert.equal(2, done.code, done.all)
      assert.matches(option .. ": the scenario has no keyspace", done.all, 1, true)
    end
  end)
end)
