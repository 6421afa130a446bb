-- The command line: its commands, its options' places, and its mistakes.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("the command line", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local script = [[
    -- Sets keys of one size.
    local opt = vb.options {
      size = { "bytes", default = "100B", help = "size of a value" },
      kind = { "choice", choices = { "red", "green" }, default = "red", help = "which one" },
      times = { "int", default = 3, validate = function(n) return n < 10, "must be below 10" end },
      loud = { "boolean", help = "say more" },
      wait = { "duration", default = "2s" }, share = { "number", default = 0.5 },
      names = { "list", default = "a,b" },
    }
    local keys = vb.keyspace { prefix = "k:", size = vb.args.keyspace }
    local set = vb.command { "SET", keys:sequential(), vb.bytes(opt.size) }
    local put = vb.command { "SET", vb.key "seen", table.concat({ opt.kind, opt.times,
      tostring(opt.loud), tostring(opt.share), opt.names[#opt.names], tostring(opt.wait) }, " "),
      name = "put" }
    return vb.scenario { description = "Sets keys of one size", phases = {
      vb.phase { name = "fill", run = set, requests = 10 },
      vb.phase { name = "note", run = put, requests = 1 },
    } } ]]

  local function expect_exit(code, ...)
    local run = vbench.run { ... }
    assert.equal(code, run.code, table.concat({ ... }, " ") .. ": " .. run.all)
    return run
  end

  local function expect_refusal(patterns, ...)
    local run = expect_exit(2, "-p", server.port, ...)
    for _, pattern in ipairs(patterns) do assert.matches(pattern, run.err, 1, true) end
    assert.not_matches("traceback", run.err)
    return run
  end

  describe("of a script with options of its own", function()
    it("gives them typed, from --name=value", function()
      local path = vbench.scenario(script)
      expect_exit(0, path, "-p", server.port, "--size=1KB", "--kind=green", "--times=7", "--loud",
        "--share=0.25", "--names=x,y,zed", "--wait=5s")
      local length = server:call("STRLEN", "k:000000000003")
      assert.is_true(length == 1000 or length == 1024)
      assert.matches("^green 7 true 0.25 zed ", server:call("GET", "seen"))
    end)

    it("has defaults", function()
      expect_exit(0, vbench.scenario(script), "-p", server.port)
      assert.equal(100, server:call("STRLEN", "k:000000000003"))
      assert.matches("^red 3 %w+ 0.5 b ", server:call("GET", "seen"))
    end)

    it("shows them in its help, with types, defaults and choices", function()
      local path = vbench.scenario(script)
      for _, run in ipairs { expect_exit(0, path, "--help"), expect_exit(0, "help", path) } do
        for _, word in ipairs { "Sets keys of one size", "--size", "bytes", "100B",
          "size of a value",
          "red", "green" } do
          assert.matches(word, run.out, 1, true)
        end
      end
    end)

    it("refuses what is wrong with them", function()
      local path = vbench.scenario(script)
      expect_refusal({ "siz", "size" }, path, "--siz=3")
      expect_refusal({ "--kind", "blue", "red", "green" }, path, "--kind=blue")
      expect_refusal({ "--times", "must be below 10" }, path, "--times=10")
      expect_refusal({ "--times", "many" }, path, "--times=many")
      expect_refusal({ "--size", "big" }, path, "--size=big")
    end)
  end)

  it("takes general options before and after the scenario", function()
    local path = vbench.scenario(script)
    expect_exit(0, "-p", server.port, path, "--dbnum", 4, "--no-baseline", "-c", 2)
    assert.equal("10", server:call("INFO", "keyspace"):match("db4:keys=(%d+)") - 1 .. "")
  end)

  it("has long options with = and with a space, short ones with their value beside", function()
    local keys = { "-r", "10", "--sequential" }
    expect_exit(0, "--port=" .. server.port, "-tset", "-n10", "-c2", "--no-baseline", unpack(keys))
    assert.equal(10, server:call("DBSIZE"))
    server:clean()
    expect_exit(0, "--port", server.port, "-t", "set", "--requests=10", "--clients=2",
      "--no-baseline", unpack(keys))
    assert.equal(10, server:call("DBSIZE"))
  end)

  it("takes second names and counts in any of their spellings", function()
    local phase = vbench.phase { "-p", server.port, "--tests", "set", "--datasize", 7,
      "--keyspacelen", "1k", "-n", "1k" }
    assert.equal(1000, phase.requests)
    assert.equal(7, server:call("STRLEN", server:call("KEYS", "*")[1]))
  end)

  describe("refuses", function()
    it("an unknown option, with the nearest", function()
      expect_refusal({ "--cleints", "--clients" }, "-t", "set", "--cleints", "5")
      expect_refusal({ "--pipelin", "--pipeline" }, "-t", "set", "--pipelin=5")
    end)

    it("an unknown option behind a scenario also when there is no server to ask", function()
      local path = vbench.scenario(script)
      local run = expect_exit(1, path, "--locl", "-p", 1)
      assert.matches("connection refused", run.err, 1, true)
      assert.matches("--locl is left for the scenario: there is a general option --local", run.err,
        1, true)
      assert.not_matches("general option", expect_exit(1, path, "-p", 1, "--kind=red").err, 1, true)
    end)

    it("an option of a neighbour tool, with ours", function()
      expect_refusal({ "--test-time", "--duration" }, "-t", "set", "--test-time", "5")
      expect_refusal({ "--key-maximum", "--keyspace" }, "-t", "set", "--key-maximum=100")
      expect_refusal({ "--rate-limiting" }, "-t", "set", "--rate-limiting", "5")
      expect_refusal({ "--cluster-mode", "--cluster" }, "-t", "set", "--cluster-mode")
    end)

    it("values of the wrong type, naming option and value", function()
      expect_refusal({ "-c", "many" }, "-t", "set", "-c", "many")
      expect_refusal({ "-n", "-5" }, "-t", "set", "-n", "-5")
      expect_refusal({ "--duration", "5 moons" }, "-t", "set", "--duration", "5 moons")
      expect_refusal({ "--precision", "9" }, "-t", "set", "--precision", "9")
      expect_refusal({ "--threads", "513" }, "-t", "set", "--threads", "513")
      expect_refusal({ "--max-errors" }, "-t", "set", "--max-errors", "200%")
      expect_refusal({ "--output-format", "xml" }, "-t", "set", "--output-format", "xml")
      expect_refusal({ "--port" }, "-t", "set", "--port", "70000")
    end)

    it("an option without its value", function()
      expect_refusal({ "--duration" }, "-t", "set", "--duration")
    end)

    it("a general option that no phase reads, naming the phases that fix it", function()
      local path = vbench.one_phase([[ local get = vb.command { "GET", vb.key "x" } ]],
        "run = get, requests = 10, clients = 3")
      expect_refusal({ "--clients", "one" }, path, "-c", 5)
      expect_exit(0, path, "-p", server.port, "-P", 5)
    end)

    it("no option that the script reads by another name", function()
      local path = vbench.one_phase([[
        local keys = vb.keyspace { prefix = "i:", size = 10 }
        local order = vb.args.iteration == "sequential" and keys:sequential() or keys:uniform()
        local set = vb.command { "SET", order, "x" } ]], "run = set, requests = 10")
      expect_exit(0, path, "-p", server.port, "--sequential")
      assert.equal(10, server:call("DBSIZE"))
      expect_refusal({ "--key-prefix", "does not read it" }, path, "--key-prefix", "x")
    end)

    it("an unknown param, a value outside its range", function()
      local path = vbench.one_phase([[ local ef = vb.param("ef", 10, { min = 1, max = 100 })
        local set = vb.command { "SET", vb.key "x", ef } ]], "run = set, requests = 1")
      expect_refusal({ "eff", "ef" }, path, "--param", "eff=10")
      expect_refusal({ "ef", "101" }, path, "--param", "ef=101")
      expect_exit(0, path, "-p", server.port, "--param", "ef=99")
      assert.equal("99", server:call("GET", "x"))
    end)

    it("phases that there are not", function()
      expect_refusal({ "fil", "fill" }, vbench.scenario(script), "--phases", "fil")
      expect_refusal({ "fil", "fill" }, vbench.scenario(script), "--skip", "fil")
    end)

    it("a command that there is not", function()
      local run = expect_exit(2, "chekc", vbench.scenario(script))
      assert.matches("check", run.err, 1, true)
      expect_refusal({ "did you mean 'dataset'?" }, "datset", "info", "x")
      expect_refusal({ "dataset stands first" }, "dataset", "info", "x")
      expect_refusal({ "completion, dataset, help" }, "nosuch")
    end)
  end)

  it("without anything says how it is used", function()
    local run = vbench.run {}
    assert.equal(2, run.code, run.all)
    assert.matches("[Uu]sage", run.all)
  end)

  it("--help lists every option with its default, and second names", function()
    local out = expect_exit(0, "--help").out
    for _, word in ipairs { "--host", "--port", "--socket", "--uri", "--auth", "--user",
      "--askpass",
      "--dbnum", "--local", "--clients", "--threads", "--pipeline", "--requests", "--duration",
      "--warmup", "--keyspace", "--data-size", "--sequential", "--iteration", "--key-prefix",
        "--seed",
      "--timeout", "--connect-timeout", "--max-errors", "--pin", "--phases", "--skip", "--param",
      "--json", "--csv", "--quiet", "--datasize", "--keyspacelen", "6379", "100000", "1000000" } do
      assert.matches(word, out, 1, true)
    end
    for _, word in ipairs { "--optimize", "--html" } do
      assert.not_matches(word, out, 1, true)
    end
  end)

  it("version prints the version", function()
    local out = expect_exit(0, "version").out
    assert.matches("%d+%.%d+%.%d+", out)
    assert.equal(out, expect_exit(0, "--version").out)
  end)

  local function widest(out)
    local most = 0
    for line in out:gmatch("[^\n]+") do most = math.max(most, #line) end
    return most
  end

  -- What a command prints on a terminal of so many columns.
  local terminal = [[
import fcntl, os, pty, struct, subprocess, sys, termios
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stdout=slave)
os.close(slave)
try:
    while data := os.read(master, 65536): sys.stdout.buffer.write(data.replace(b"\r", b""))
except OSError: pass
sys.exit(child.wait())]]

  it("prints lines that fit: 100 columns, or those of the terminal", function()
    assert.is_true(widest(expect_exit(0, "list").out) <= 100)
    local checked = expect_exit(0, "check", "-t", "mset,xadd", "-d", "1000").out
    assert.is_true(widest(checked) <= 100 and widest(checked) > 90)
    for _, columns in ipairs { 60, 130 } do
      local run = vbench.run { "list", under = { "python3", "-c", terminal, columns } }
      assert.equal(0, run.code, run.all)
      assert.is_true(widest(run.out) <= columns and widest(run.out) > columns - 20, run.out)
    end
  end)

  it("list names the scenarios that ship with it, with what they say of themselves", function()
    local out = expect_exit(0, "list").out
    assert.matches("\nchurn +A keyspace that changes all the time .* what they changed%.\n", out)
    for _, name in ipairs { "quickstart", "classic", "cache", "leaderboard", "verify",
      "transactions",
      "json-documents", "custom-lua" } do
      assert.matches("%f[%w-]" .. name:gsub("%-", "%%-") .. "%f[^%w-]%s+%S+", out)
    end
  end)

  describe("check", function()
    local path

    before_each(function() path = vbench.scenario(script) end)

    it("prints the schedule of an open loop and the stages of a ramp", function()
      local out = expect_exit(0, "check", vbench.scenario [[
        local get = vb.command { "GET", vb.key "x" }
        return vb.scenario { phases = {
          vb.phase { name = "a", run = get, rate = 500, arrivals = "poisson", burst = 20 },
          vb.phase { name = "b", run = get, ramp = { { duration = "1s", rate = 10 },
            { duration = "2s", rate = 70 } } },
        } } ]]).out
      assert.matches("500/s (poisson), burst 20, ", out, 1, true)
      assert.matches("3 s, rate to 10, 70, ", out, 1, true)
    end)

    it("prints phases and first commands as they would be sent, keys marked, with slots", function()
      local run = expect_exit(0, "check", path)
      for _, word in ipairs { "fill", "note", "SET", "k:000000000000", "seen" } do
        assert.matches(word, run.out, 1, true)
      end
      assert.matches("slot", run.out)
      local slot = process.capture("python3 -c 'import binascii; " ..
        'print(binascii.crc_hqx(b"k:000000000000", 0) % 16384)\'')
      assert.matches("%f[%d]" .. slot .. "%f[%D]", run.out)
    end)

    it("says when a step of a sequence runs, and shows a transaction whole", function()
      local out = expect_exit(0, "check", vbench.scenario [[
        local get = vb.command { "GET", vb.key "a" }
        local set = vb.command { "SET", vb.key "a", "b" }
        return vb.scenario { phases = {
          vb.phase { name = "one", run = vb.sequence { get, set:when("miss") } },
          vb.phase { name = "two", run = vb.transaction { get, set } },
        } } ]]).out
      assert.matches("n=0 +GET a\n +key a %(slot 15495%)\n +when miss +SET a b\n", out)
      assert.matches("n=0 +MULTI\n +GET a\n +key a %(slot 15495%)\n +SET a b\n" ..
        " +key a %(slot 15495%)\n +EXEC\n", out)
    end)

    it("prints exactly what a run sends", function()
      local checked = expect_exit(0, "check", path, "--seed", 5, "--kind=green").out
      local monitor = server:monitor()
      expect_exit(0, path, "-p", server.port, "--seed", 5, "--kind=green", "-c", 1, "--threads", 1)
      local first = monitor:finish("set")[1]
      assert.matches(first[2], checked, 1, true)
      assert.matches(first[3]:sub(1, 20), checked, 1, true)
      assert.matches("green 3", checked, 1, true)
    end)

    it("needs no server and sends nothing", function()
      local before = server:info("total_connections_received")
      assert.matches("fill", expect_exit(0, "check", path, "-p", server.port).out, 1, true)
      assert.equal(before, server:info("total_connections_received"))
    end)
  end)

  it("new writes a scenario that runs, and never over a file", function()
    local place = process.directory()
    local run = vbench.run { "new", "mine", cwd = place }
    assert.equal(0, run.code, run.all)
    local file = place .. "/mine.lua"
    local text = assert(process.read(file))
    local _, count = text:gsub("\n", "")
    assert.is_true(count <= 20, count)
    local used = vbench.phase { file, "-p", server.port, "-n", 100 }
    assert.equal(0, used.errors)
    local again = vbench.run { "new", "mine", cwd = place }
    assert.equal(text, process.read(file))
    process.remove(place)
    assert.not_equal(0, again.code)
    assert.matches("mine.lua", again.err, 1, true)
  end)

  it("completion prints what the shell can read", function()
    for _, shell in ipairs { "bash", "zsh", "fish" } do
      local out = expect_exit(0, "completion", shell).out
      assert.matches("vbench", out, 1, true)
      assert.matches("pipeline", out, 1, true)
      if shell == "bash" then
        local file = process.write(vbench.path("completion"), out)
        process.capture("bash -n " .. file)
        assert.matches("--pipeline", process.capture("bash -c '. " .. file ..
          "; COMP_WORDS=(vbench --pipel); COMP_CWORD=1; " ..
          "$(complete -p vbench | sed \"s/.*-F \\([^ ]*\\).*/\\1/\") vbench --pipel vbench; " ..
          "echo \"${COMPREPLY[@]}\"'"), 1, true)
      end
    end
    assert.equal(2, vbench.run({ "completion", "tcsh" }).code)
  end)
end)
