local canonical = require "vbench.canonical"
local declarations = require "vbench.declarations"
local loader = require "vbench.loader"
local script = require "tests.lua.fixtures.script"
local session = require "vbench.session"
local show = require "tests.lua.fixtures.show"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C

-- Functions run in states of their own, made by src/script/ from the same file.
describe("functions of a script", function()
  local path, shared

  before_each(function()
    path = os.tmpname()
    shared = ffi.gc(C.vb_shared_new(), C.vb_shared_free)
  end)

  after_each(function() os.remove(path) end)

  -- Loads a script as main does; gives its phases and where workers' states come from.
  local function load(source)
    local file = assert(io.open(path, "w"))
    file:write('local vb = require "vbench"\n', source)
    file:close()
    script.fresh {
      role = "main", args = { keyspace = 100 }, script_args = {}, path = path, shared = shared,
      run = { id = "r", started = 1, seed = 7 },
    }
    local scenario, failed = loader.load(path)
    assert(scenario, failed and failed.message)
    declarations.finish()
    local environment, text = session.environment(), canonical.all()
    local factory = C.vb_script_factory_new(shared, environment, #environment, text, #text)
    return scenario.phases, ffi.gc(factory, C.vb_script_factory_free)
  end

  local function words_of(source, n)
    local phases, factory = load(source .. "\nreturn vb.scenario { phases = { vb.phase { " ..
      "name = 'p', run = x } } }")
    return show.phase(phases[1], { n or 0 }, factory)[1][1]
  end

  it("give one argument, several, or none", function()
    assert.same({ "SADD", "s", "5", "b", "1.5", "x", "y" }, words_of([[
      local x = vb.command { "SADD", vb.key "s", function(req) return req.n, "b", 1.5 end,
        function() return {} end, function() return { "x", "y" } end }]], 5))
  end)

  it("that return nothing are mistakes", function()
    local _, message = pcall(words_of, 'local x = vb.command { "SADD", "s", function() end }')
    assert.matches("returned nothing: return a value, several, or {} for no argument", message)
  end)

  it("give parts of an argument, and values of a document", function()
    local words = words_of [[
      local x = vb.command { "SET", vb.concat { "a", function() return 7 end, "b" },
        vb.json { { "n", function() return 7 end }, { "s", function() return 'q"' end } } }]]
    assert.same({ "SET", "a7b", [[{"n":7,"s":"q\""}]] }, words)
  end)

  it("see the operation, and random numbers that are a function of it", function()
    local source = [[
      local keys = vb.keyspace { prefix = "k", size = vb.args.keyspace, width = 0 }
      local x = vb.command { "SET", keys:sequential(), function(req)
        return req.n, req.id, req.query, req.rng:int(0, 1e9), req.rng:float()
      end, function(req) return req.rng:int(0, 1e9) end }]]
    local words = words_of(source, 42)
    assert.same({ "SET", "k42", "42", "42", "-1" }, { unpack(words, 1, 5) })
    assert.same(words, words_of(source, 42))
    assert.not_equal(words[6], words[8])
    assert.not_equal(words[6], words_of(source, 43)[6])
  end)

  it("are each called for their own place, whatever is declared around them", function()
    assert.same({ "B", "3", "4" }, words_of [[
      vb.command { "Z", function() return 5 end }
      vb.command { "A", function() return 1 end, on_reply = function() end }
      local x = vb.command { "B", function() return 3 end, function() return 4 end }]])
  end)

  it("see params as they are now", function()
    local phases, factory = load [[
      local ef = vb.param("ef", 64)
      local x = vb.command { "X", function() return ef:get() end }
      return vb.scenario { phases = { vb.phase { name = "p", run = x } } }]]
    assert.same({ "X", "64" }, show.phase(phases[1], { 0 }, factory)[1][1])
    require("vbench.param").set { ef = 128 }
    assert.same({ "X", "128" }, show.phase(phases[1], { 0 }, factory)[1][1])
  end)

  it("that fail are named with their command and line", function()
    local ok, message = pcall(words_of, [[
      local x = vb.command { "SET", "a",
        function(req) return req.nn end }]])
    assert.is_false(ok)
    assert.matches("argument 3 of command 'set' %(" .. path .. ":3%)", message)
    assert.matches(path .. ":3: .*nn", message)
    ok, message = pcall(words_of, [[local x = vb.command { "SET", function() return true end }]])
    assert.is_false(ok)
    assert.matches("argument 2 of command 'set' %(.*%) returned a boolean", message)
  end)

  it("cannot run when the script declares other things in other states", function()
    local ok, message = pcall(words_of,
      [[local x = vb.command { "SET", "a", tostring({}), name = "set" }]])
    assert.is_false(ok)
    assert.matches("declares different things in different threads", message)
    assert.matches("main:   command 'set' .*table: 0x", message)
    assert.matches("worker: command 'set' .*table: 0x", message)
  end)
end)
