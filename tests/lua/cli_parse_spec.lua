local config = require "vbench.cli.config"
local parse = require "vbench.cli.parse"

local function read(line, environment)
  local argv = {}
  for word in line:gmatch("%S+") do argv[#argv + 1] = word end
  return parse.read(argv, function(name) return (environment or {})[name] end)
end

local function refused(line, environment)
  local ok, failed = pcall(read, line, environment)
  assert.is_false(ok, line)
  assert.equal(2, failed.exit_code, tostring(failed))
  return failed
end

describe("the command line", function()
  it("has options in all spellings", function()
    for _, line in ipairs { "-n 10k -c 2 -q", "-n10k -qc2",
      "--requests=10k --clients 2 --quiet" } do
      local state = read(line)
      assert.equal(10000, state.args.requests)
      assert.equal(2, state.args.clients)
      assert.is_true(state.args.quiet)
      assert.same({ requests = true, clients = true, quiet = true }, state.given)
    end
  end)

  it("has defaults, which are not given", function()
    local state = read ""
    assert.equal(50, state.args.clients)
    assert.equal(100000, state.args.requests)
    assert.equal(1000000, state.args.keyspace)
    assert.equal(3, state.args.data_size)
    assert.same({ "127.0.0.1" }, state.args.host)
    assert.equal(0.01, state.args.max_errors)
    assert.is_nil(state.args.threads)
    assert.same({}, state.given)
  end)

  it("has no number of requests where there is another end", function()
    assert.is_nil(read("--duration 5s").args.requests)
    assert.equal(7, read("--duration 5s -n 7").args.requests)
  end)

  it("has no limit of requests with -n 0", function()
    assert.equal(2 ^ 53, read("-n 0").args.requests)
  end)

  it("takes options before and after the scenario, and the scenario's own behind it", function()
    local state = read "-c 5 x.lua -p 7000 --size=1KB --loud --tag a=b"
    assert.equal("x.lua", state.scenario)
    assert.equal(5, state.args.clients)
    assert.equal(7000, state.args.port)
    assert.same({ size = "1KB", loud = "" }, state.script_args)
    assert.same({ a = "b" }, state.args.tag)
  end)

  it("collects what may be given again, the last wins elsewhere", function()
    local state = read("-h a -h b:7000 --threshold errors==0 --threshold qps>1 " ..
      "-t set,get -t lpop -c 1 -c 2")
    assert.same({ "a", "b:7000" }, state.args.host)
    assert.same({ "errors==0", "qps>1" }, state.args.threshold)
    assert.same({ "set", "get", "lpop" }, state.args.tests)
    assert.equal(2, state.args.clients)
  end)

  it("knows the second names", function()
    assert.is_true(read("--loop-mode").args.loop)
    assert.same({ 99.5 }, read("--show-percentiles 99.5").args.percentiles)
    assert.equal(7, read("--datasize 7").args.data_size)
    assert.equal(1000, read("--keyspacelen 1k").args.keyspace)
  end)

  it("takes a word too many for the value of an option that is misspelt or foreign", function()
    assert.equal("unknown option --thresold; did you mean '--threshold'?",
      refused("x.lua --thresold qps>1").message)
    assert.matches("--duration", refused("x.lua --test-time 60").message, 1, true)
    assert.equal("unexpected word 'y' behind 'x.lua'", refused("x.lua --colour y").message)
  end)

  it("leaves what stands behind -- alone", function()
    local state = read "-n 5 -- SET a -n --clients"
    assert.same({ "SET", "a", "-n", "--clients" }, state.words)
    assert.same(state.words, state.args.command)
    assert.equal(5, state.args.requests)
  end)

  it("splits the text of --command", function()
    assert.same({ "SET", "a key", "v" },
      parse.read({ "--command", "SET 'a key' v" }, function() end).args.command)
  end)

  it("knows the program's commands and their words", function()
    assert.equal("list", read("list").action)
    local state = read "check x.lua --a=b -c 3"
    assert.equal("check", state.action)
    assert.equal("x.lua", state.scenario)
    assert.same({ a = "b" }, state.script_args)
    assert.same({ "bash" }, read("completion bash").operands)
    assert.same({ "GET", "a" }, read("check -- GET a").words)
    refused "list -- GET a"
    refused "list x"
    refused "x.lua y"
    assert.matches("unknown command 'chekc'; did you mean 'check'?", refused("chekc x.lua").message,
      1, true)
  end)

  it("reads types", function()
    local args = read("check --pin 1,3-5 --percentiles 99.5,99.95 --expiry-range 60-90 " ..
      "--iteration ZIPFIAN:1.2 --max-errors 5% --timeout 250ms -d 1KB --assume Redis8").args
    assert.same({ 1, 3, 4, 5 }, args.pin)
    assert.same({ 99.5, 99.95 }, args.percentiles)
    assert.same({ min = 60, max = 90 }, args.expiry_range)
    assert.equal("zipfian:1.2", args.iteration)
    assert.equal(0.05, args.max_errors)
    assert.equal(0.25, args.timeout)
    assert.equal(1000, args.data_size)
    assert.equal("redis8", args.assume)
    assert.equal("sequential", read("--sequential").args.iteration)
    assert.equal("standalone", read("--local -n 5").args["local"])
    assert.equal("banana", read("--local=banana").args["local"])
    assert.equal("tls", read("--local tls -n 5").args["local"])
    local state = read("--local tls.lua")
    assert.same({ "standalone", "tls.lua" }, { state.args["local"], state.scenario })
  end)

  it("reads orders of keys, with the numbers that are not given", function()
    local cases = {
      sequential = "sequential", random = "random", shuffled = "shuffled", zipfian = "zipfian:0.99",
      ["EXPONENTIAL:2.5"] = "exponential:2.5", ["normal:0.25"] = "normal:0.25:0.1",
      ["hotspot:0.1:0.95"] = "hotspot:0.1:0.95", latest = "latest:0.1:0.9",
      ["subset:10:200"] = "subset:10:200", web_cache = "web_cache",
    }
    for text, order in pairs(cases) do
      assert.equal(order, read("--iteration " .. text).args.iteration)
    end
    for _, text in ipairs { "zipfian:0", "zipfian:", "zipfian:1:2", "subset:5", "hotspot:20:80",
      "hotspot:0:0.5", "normal:0.5:0", "random:4", "subset:1.5:3", "exponential:x" } do
      local message = refused("--iteration " .. text).message
      assert.matches(text, message, 1, true)
      assert.matches("hotspot:0.2:0.8", message, 1, true)
    end
    assert.matches("did you mean 'latest'", refused("--iteration lates").message)
  end)

  it("refuses what cannot be, naming option and value", function()
    local cases = {
      ["-c many"] = "option %-c: 'many'", ["-n -5"] = "option %-n: '%-5'",
      ["--duration 5moons"] = "5moons", ["--duration"] = "%-%-duration needs a value",
      ["--threads 513"] = "0 to 512", ["--port 70000"] = "1 to 65535", ["-c 0"] = "1 or more",
      ["--quiet=yes"] = "takes no value", ["--output-format xml"] = "text, json, csv",
      ["--iteration zipfian:-1"] = "zipfian:%-1", ["--pin 5-2"] = "cores",
      ["--tag a"] = "name=value", ["--expiry-range 9-5"] = "9%-5", ["-t ,"] = "no name",
      ["-I 10"] = "%-I %-c 10", ["-I7"] = "%-I takes no number", ["--idle 3"] = "takes no number",
      ["--sequential --iteration zipfian"] = "exclude each other",
      ["-t set --parallel get:1"] = "%-t/%-%-tests and %-%-parallel exclude",
      ["-t set -- GET a"] = "%-%-command exclude", ["--output-format csv"] = "without %-o",
      ["-t set --assume none"] = "asks the server itself", ["--"] = "needs a command",
      ["x.lua -- GET a"] = "only one can run",
    }
    for line, pattern in pairs(cases) do assert.matches(pattern, refused(line).message) end
  end)

  it("refuses unknown options with the nearest, a neighbour's with ours", function()
    assert.matches("unknown option %-%-cleints; did you mean '%-%-clients'?",
      refused("--cleints 5").message)
    assert.matches("vbench SCENARIO %-%-name=value", refused("--size=3 x.lua").hint)
    assert.matches("vbench calls it %-%-duration", refused("--test-time 5").message)
    assert.matches("%-%-cluster", refused("--cluster-mode").message)
    assert.matches("unknown option %-z", refused("-z").message)
    assert.matches("kept open", refused("-k 1").message)
    for _, option in ipairs { "--optimize", "--html x", "--repeat 5", "--cluster" } do
      assert.matches("unknown option %-%-%l+: this version does not have it",
        refused(option).message)
    end
  end)

  it("takes the kind of a private server in any case, behind a blank as behind =", function()
    assert.equal("TLS", read("--local TLS -t get").args["local"])
    assert.equal("Tls", read("--local=Tls -t get").args["local"])
    assert.equal("standalone", read("--local quickstart").args["local"])
  end)

  it("takes flags that change nothing and says so", function()
    local state = read "--search --enable-placeholders -t get"
    assert.matches("^%-%-search changes nothing", state.notes[1])
    assert.matches("^%-%-enable%-placeholders changes nothing", state.notes[2])
  end)

  it("takes the password from the environment, ours first, unless it is given", function()
    local environment = { VALKEY_AUTH = "b", REDISCLI_AUTH = "d" }
    assert.equal("b", read("", environment).args.auth)
    environment.VBENCH_AUTH = "a"
    assert.equal("a", read("", environment).args.auth)
    assert.equal("z", read("-a z", environment).args.auth)
    assert.is_nil(read("", environment).given.auth)
  end)

  it("lays the command line over VBENCH_OPTS", function()
    local state = read("-n 33 -h b", { VBENCH_OPTS = "-c 4 -n 99 -h a --title 'a b'" })
    assert.equal(4, state.args.clients)
    assert.equal(33, state.args.requests)
    assert.equal("a b", state.args.title)
    assert.same({ "b" }, state.args.host)
    refused("", { VBENCH_OPTS = "x.lua" })
    refused("", { VBENCH_OPTS = "--title 'a" })
  end)
end)

describe("a file of options", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function write(text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  end

  it("gives options, below VBENCH_OPTS and the command line", function()
    write('# load\nclients: 3\nrequests: 1k # few\ntitle: "a # \\"b\\""\n' ..
      "tests:\n  - set\n- get\n" ..
      "tag:\n  who: me\nquiet: true\ncsv: false\nkey_prefix: 'it''s'\n")
    local state = read("--config " .. path .. " -c 9")
    assert.equal(9, state.args.clients)
    assert.equal(1000, state.args.requests)
    assert.equal('a # "b"', state.args.title)
    assert.same({ "set", "get" }, state.args.tests)
    assert.same({ who = "me" }, state.args.tag)
    assert.is_true(state.args.quiet)
    assert.is_nil(state.args.csv)
    assert.equal("it's", state.args.key_prefix)
  end)

  it("names the scenario and its options", function()
    write "scenario: x.lua\nscript:\n  size: 1KB\n"
    local state = read("--config " .. path)
    assert.equal("x.lua", state.scenario)
    assert.same({ size = "1KB" }, state.script_args)
  end)

  it("is told with file and line when it is wrong", function()
    for text, pattern in pairs {
      ["clients: 3\nrequets: 5\n"] = ":2: unknown option 'requets'; did you mean 'requests'?",
      ["\n\nclients\n"] = ':3: the line is not "name: value"',
      ["  - a\n"] = ":1: .* belongs to nothing",
      ["quiet: perhaps\n"] = ":1: .*true or false", ["clients: many\n"] = ":1: clients: 'many'",
      ["config: x\n"] = ":1: unknown option", ["help: true\n"] = ":1: unknown option 'help'$",
      ["auth hunter2"] = ":1: the line is not",
    } do
      write(text)
      local failed = refused("--config " .. path)
      assert.matches(path, failed.message, 1, true)
      assert.matches(pattern, failed.message)
      assert.is_nil(failed.message:find("hunter2", 1, true))
    end
    assert.matches("/nonexistent/x", refused("--config /nonexistent/x").message)
  end)

  it("is written so that it reads back, without secrets and hosts", function()
    local state = parse.read({ "-h", "far", "-p", "7001", "-a", "hunter2", "--user", "me", "-n",
      "10k", "-q", "--tag", "a=b: c", "--threshold", "qps > 1", "--threshold", 'x "y"',
      "--title", "- a\nb #", "x.lua", "--size=1KB" }, function() end)
    local text = config.text(state)
    for _, word in ipairs { "hunter2", "far", "7001", "me\n" } do
      assert.is_nil(text:find(word, 1, true), word)
    end
    write(text)
    local again = read("--config " .. path)
    assert.equal(10000, again.args.requests)
    assert.equal("- a\nb #", again.args.title)
    assert.same({ a = "b: c" }, again.args.tag)
    assert.same({ "qps > 1", 'x "y"' }, again.args.threshold)
    assert.equal("x.lua", again.scenario)
    assert.same({ size = "1KB" }, again.script_args)
  end)

  it("keeps a command that is sent", function()
    write(config.text(parse.read({ "--", "SET", "a b", "" }, function() end)))
    assert.same({ "SET", "a b", "" }, read("--config " .. path).args.command)
  end)
end)
