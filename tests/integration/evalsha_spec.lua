-- vb.script: EVALSHA on the wire, loaded before a phase, and again when the server forgot it.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a server-side script", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function()
    server:clean()
    server:call("SCRIPT", "FLUSH")
  end)

  local COUNT = [[
    local keys = vb.keyspace { prefix = "k:", size = 50 }
    local count = vb.script { name = "count", keys = { vb.key "n", keys:uniform() },
      args = { 1, vb.bytes(3) },
      source = "redis.call('SET', KEYS[2], ARGV[2]) return redis.call('INCRBY', KEYS[1], ARGV[1])" }
    local flush = vb.command { "SCRIPT", "FLUSH" } ]]

  local function run(declarations, fields, ...)
    return vbench.report { vbench.one_phase(declarations, fields), "-p", server.port,
      "--threads", 1, ... }
  end

  it("is loaded once and run by its digest, its keys before its arguments", function()
    local monitor = server:monitor()
    local report = run(COUNT, "run = count, clients = 2, requests = 20")
    assert.equal(0, report.code, report.all)
    local source = "redis.call('SET', KEYS[2], ARGV[2]) return redis.call('INCRBY', KEYS[1], " ..
      "ARGV[1])"
    local digest = server:call("SCRIPT", "LOAD", source)
    local sent = monitor:finish("evalsha")
    assert.equal(20, #sent)
    for _, args in ipairs(sent) do
      assert.same({ "EVALSHA", digest, "2", "n" }, { args[1], args[2], args[3], args[4] })
      assert.matches("^k:%d+$", args[5])
      assert.equal("1", args[6])
      assert.equal(7, #args)
    end
    assert.equal("20", server:call("GET", "n"))
    assert.equal("count", report.json.phases[1].commands[1].name)
  end)

  it("outlives SCRIPT FLUSH in the middle of a run: sent again, each once, no error", function()
    for _, pipeline in ipairs { 1, 16 } do
      server:call("DEL", "n")
      local report = run(COUNT .. [[
        local flushing = vb.phase { name = "flush", run = flush, clients = 1 } ]],
        ("run = count, clients = 4, pipeline = %d, requests = 20000, background = flushing")
        :format(pipeline))
      assert.equal(0, report.code, report.all)
      local phase = report.json.phases[1]
      assert.equal(20000, phase.requests)
      assert.equal(20000, phase.operations)
      assert.equal(0, phase.errors)
      assert.is_true(phase.retries > 0)
      assert.equal("20000", server:call("GET", "n"))
    end
  end)

  it("is sent again as the last step of a sequence, with the ids of its operation", function()
    local report = run(COUNT .. [[
      local set = vb.command { "SET", keys:uniform(), "x" }
      local same = vb.script { name = "same", keys = { keys:current() },
        source = "return redis.call('STRLEN', KEYS[1])", reply = vb.expect(1) }
      local both = vb.sequence { set, same }
      local flushing = vb.phase { name = "flush", run = flush, clients = 1 } ]],
      "run = both, clients = 1, requests = 3000, background = flushing")
    assert.equal(0, report.code, report.all)
    assert.is_true(report.json.phases[1].retries > 0)
    assert.equal(3000, report.json.phases[1].commands[2].requests)
  end)

  it("is an error of its kind in a transaction, of which the rest has been done", function()
    local report = run(COUNT .. [[
      local other = vb.command { "INCR", vb.key "other" }
      local both = vb.transaction { count, other, flush } ]],
      "run = both, clients = 1, requests = 10", "--max-errors", "100%")
    assert.equal(0, report.code, report.all)
    local phase = report.json.phases[1]
    assert.equal(10, server:call("GET", "other") + 0)
    -- The phase loads it, the first transaction flushes it; what is loaded then is flushed again.
    local errors = phase.errors_by_kind.NOSCRIPT
    assert.equal(10 - phase.commands[1].requests, errors and errors.count or 0)
    assert.is_true(phase.commands[1].requests >= 5)
  end)

  it("that cannot be loaded, or is none, is told before anything runs", function()
    local report = run('\n\nlocal s = vb.script { name = "bad", source = "this is not Lua" }',
      "run = s, clients = 1, requests = 10")
    assert.equal(1, report.code)
    assert.matches("scenario.lua:3: script 'bad': SCRIPT LOAD: ERR Error compiling script",
      report.err, 1, true)
    local mistakes = {
      ['vb.script { keys = { "a" } }'] = "script 'evalsha' has no source",
      ['vb.script { source = "return 1", key = { "a" } }'] =
        "unknown field 'key' in script 'evalsha'; did you mean 'keys'?",
      ['vb.script { source = "return 1", keys = { function() end } }'] =
        "key 1 of script 'evalsha' is a function",
      ['vb.script { source = "return 1", keys = { keys:uniform():times { min = 1, max = 2 } } }'] =
        "key 1 of script 'evalsha' draws a number of keys that varies",
    }
    for text, message in pairs(mistakes) do
      report = run('local keys = vb.keyspace { prefix = "k", size = 9 } local s = ' .. text,
        "run = s, requests = 1")
      assert.equal(2, report.code)
      assert.matches("scenario.lua:1: " .. message, report.err, 1, true)
    end
  end)

  it("says its keys to vbench check, several of a cursor too", function()
    local path = vbench.one_phase([[local keys = vb.keyspace { prefix = "k", size = 9 }
      local s = vb.script { source = "return 1", keys = { keys:uniform():times(3), "last" } }]],
      "run = s, requests = 1")
    local report = vbench.run { "check", path }
    assert.equal(0, report.code, report.all)
    assert.matches("e0e1f9fabfc9d4800c877a703b823ac0578ff8db 4 ", report.out, 1, true)
  end)
end)
