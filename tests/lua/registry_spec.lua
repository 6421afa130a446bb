local plain = require "vbench.plain"
local registry = require "vbench.registry"
local session = require "vbench.session"

describe("the session and its declarations", function()
  before_each(function() session.enter() end)

  it("keeps things by kind and name, numbered by name", function()
    registry.add("metric", "b", { 2 })
    registry.add("metric", "a", { 1 })
    assert.same({ 1 }, registry.get("metric", "a"))
    assert.same({ "a", "b" }, registry.names("metric"))
    assert.equal(1, registry.number("metric", "b"))
    assert.is_nil(registry.get("counter", "a"))
  end)

  it("refuses two of one name, and says where the other is", function()
    registry.add("command", "get", {})
    local other = debug.getinfo(1, "l").currentline - 1
    assert.error_matches(function() registry.add("command", "get", {}) end,
      "two commands are named 'get' %(the other at .*registry_spec.lua:" .. other .. "%)")
  end)

  it("refuses declarations after load", function()
    session.loaded()
    assert.error_matches(function() registry.add("command", "get", {}) end,
      "vb.command after the script was loaded")
  end)

  it("refuses more than what can be shared", function()
    for i = 1, 256 do registry.add("counter", "c" .. i, {}) end
    assert.error_matches(function() registry.add("counter", "one", {}) end,
      "at most 256 counters")
  end)

  it("starts over", function()
    registry.add("command", "get", {})
    session.enter { role = "worker", worker = 3 }
    assert.same({}, registry.names("command"))
    assert.equal(3, session.worker)
    assert.equal("loading", session.phase)
  end)

  it("gives workers what they need to load the same", function()
    session.enter {
      role = "main", args = { clients = 50 }, script_args = { size = "1KB" }, path = "a/b.lua",
      run = { id = "x", started = 1.5, seed = 7 }, server = { name = "valkey" },
      param_values = { ef = 128 },
    }
    local there = plain.read(session.environment())
    assert.equal(50, there.args.clients)
    assert.equal("1KB", there.script_args.size)
    assert.same({ id = "x", started = 1.5, seed = 7 }, there.run)
    assert.equal(128, there.param_values.ef)
    assert.equal("a/b.lua", there.path)
    assert.equal(package.path, there.package_path)
  end)
end)
