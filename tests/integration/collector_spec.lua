-- What hooks and flows leave to Lua's collector: it is collected between their calls, and timed.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("what a script's functions leave", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)

  local function phase_of(body, fields)
    return vbench.phase { vbench.one_phase(body, fields .. ', clients = 8, duration = "500ms"'),
                          "-p", server.port, "--threads", 1 }
  end

  it("is collected, and the time that takes is in the report", function()
    local phase, run = phase_of([[
      local set = vb.command { "SET", vb.key "x", function(req)
        local list = {}
        for i = 1, 50 do list[i] = { i, tostring(req.n + i) } end
        return #list
      end } ]], "run = set")
    assert.is_true(phase.client.collector > 0, run.all)
    assert.is_true(phase.client.collector <= phase.client.busy, run.all)
  end)

  it("by flows is collected, too", function()
    local phase, run = phase_of([[
      local set = vb.command { "SET", vb.key "x", vb.arg "value" }
      local flow = vb.flow("flow", function(c)
        local list = {}
        for i = 1, 50 do list[i] = { i, tostring(c.index + i) } end
        c:call(set, { value = #list })
      end) ]], "run = flow")
    assert.is_true(phase.client.collector > 0, run.all)
  end)

  it("is nothing where it has none", function()
    local phase = phase_of([[ local set = vb.command { "SET", vb.key "x", "y" } ]], "run = set")
    assert.equal(0, phase.client.collector)
  end)

  it("may raise in a finalizer, which ends the run and is named", function()
    local result = vbench.run { vbench.one_phase([[
      local ffi = require "ffi"
      local set = vb.command { "SET", vb.key "x", function(req)
        local list = {}
        for i = 1, 50 do list[i] = { i, tostring(req.n + i) } end
        ffi.gc(ffi.new("int[4]"), function() error("not like this", 0) end)
        return #list
      end } ]], 'run = set, clients = 2, duration = "20s"'), "-p", server.port, "--threads", 1 }
    assert.equal(2, result.code, result.all)
    assert.matches("not like this", result.err, 1, true)
  end)
end)
