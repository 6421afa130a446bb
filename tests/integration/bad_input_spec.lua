-- What a person may get wrong about load and keyspaces, from the script to the exit code.
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a run is refused, with the line and what would be right,", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)

  local function run(head, phase, ...)
    return vbench.run { vbench.one_phase(head, phase), "-p", server.port, "--no-baseline", ... }
  end

  -- Whether the run ends with exit code 2 and the message; and all that it said.
  local function refuses(message, ...)
    local done = run(...)
    return done.code == 2 and done.err:find(message, 1, true) ~= nil, done.all
  end

  local GET = 'local get = vb.command { "GET", vb.key "x" }'

  it("when its rate is 0 or below", function()
    assert.is_true(refuses("scenario.lua:2: field 'rate' of phase 'one' is 0: nothing would fall "
      .. "due; without it the loop is closed", GET, "run = get, requests = 5, rate = 0"))
    assert.is_true(refuses("scenario.lua:2: field 'rate' of phase 'one': -5 is not a rate; write "
      .. "operations a second", GET, "run = get, requests = 5, rate = -5"))
    local done = vbench.run { "-p", server.port, "-t", "get", "-n", 1, "--rate=-5" }
    assert.equal(2, done.code)
    assert.matches("option --rate: '-5' is not a rate; write operations a second", done.err, 1,
      true)
  end)

  it("when a threshold names no metric", function()
    assert.is_true(refuses(
      "threshold 'p99_mss < 2': unknown metric 'p99_mss'; did you mean 'p99_ms'?", GET,
      'run = get, requests = 5, thresholds = { "p99_mss < 2" }'))
    assert.is_true(refuses(
      "threshold 'gte.qps > 2': unknown metric 'gte.qps'; did you mean 'get.qps'?", GET,
      'run = get, requests = 5, thresholds = { "gte.qps > 2" }'))
    assert.is_true(refuses("threshold 'qpz > 1': unknown metric 'qpz'; did you mean 'qps'?", GET,
      "run = get, requests = 5", "--threshold", "qpz > 1"))
  end)

  it("when a distribution or a ratio cannot be", function()
    local keys = [[local keys = vb.keyspace { prefix = "k:", size = 100 }
      local get = vb.command { "GET", keys:%s }]]
    assert.is_true(refuses("scenario.lua:2: the skew of zipfian is 0; it takes a number above 0",
      keys:format "zipfian(0)", "run = get, requests = 5"))
    assert.is_true(refuses(
      "scenario.lua:2: the ratio of existing_ratio is 2; it takes a number from 0 to 1",
      keys:format "existing_ratio(2)", "run = get, requests = 5"))
  end)

  it("when its keys take more memory than there is", function()
    local kib = tonumber(process.read("/proc/meminfo"):match("MemTotal:%s+(%d+)"))
    if kib >= 2 ^ 27 then return pending("this machine has the memory") end
    assert.is_true(refuses(
      "keyspace 'k:': a tracker of 1099511627776 ids takes 128.00 GiB; this machine has ",
      [[local keys = vb.keyspace { prefix = "k:", size = 2^40 }
      local set = vb.command { "SET", keys:claim(), "x" }]], "run = set, requests = 5"))
  end)

  it("but not for a script that the server has forgotten: that is an error of its kind", function()
    local done = vbench.report { vbench.one_phase(
      'local sha = vb.command { "EVALSHA", ("0"):rep(40), 0 }', "run = sha, requests = 5"),
      "-p", server.port }
    assert.equal(4, done.code, done.all)
    assert.equal(5, done.json.phases[1].errors_by_kind.NOSCRIPT.count)
  end)
end)
