local canonical = require "vbench.canonical"
local script = require "tests.lua.fixtures.script"
local session = require "vbench.session"
local vbffi = require "vbench.ffi"

local SCRIPT = [[
  local opt = vb.options { size = { "bytes", default = 3 } }
  local keys = vb.keyspace { prefix = "key:", size = vb.args.keyspace }
  local ef = vb.param("ef", 64, { max = 512 })
  vb.metric { name = "age", unit = "ms" }
  vb.counter { name = "seen" }
  local set = vb.command { "SET", keys:sequential(), vb.bytes(opt.size), function() return 1 end }
  local get = vb.command { "GET", keys:uniform(), on_reply = function() end }
  vb.sequence { get, set:when(function() return true end) }
]]
local LOUD = SCRIPT .. 'print("loaded")'

describe("the canonical form", function()
  local function text_of(source)
    script.fresh { args = { keyspace = 10 }, script_args = {} }
    assert(script.run(source))
    return canonical.all()
  end

  it("is equal for what declares the same, and holds no functions' addresses", function()
    local text = text_of(SCRIPT)
    assert.equal(text, text_of(SCRIPT))
    assert.matches("command 'get' {arguments={1=\"GET\", 2=cursor{keyspace=keyspace 'key:', " ..
      "order=\"uniform\", ordered=true}}, on_reply=function x.lua:%d+, processors={}}", text)
    assert.matches("condition 1 condition of command 'set' %(x.lua:%d+%)", text)
    assert.not_matches("0x", text)
  end)

  it("shows the first difference, both sides of it", function()
    local main, worker = text_of(SCRIPT), text_of(SCRIPT:gsub("uniform%(%)", "zipfian(0.9)"))
    local message = canonical.difference(main, worker)
    assert.matches("declares different things in different threads", message)
    assert.matches("main:   command 'get' [^\n]*\"uniform\"", message)
    assert.matches("worker: command 'get' [^\n]*\"zipfian\"[^\n]*skew=0.9", message)
    assert.is_nil(canonical.difference(main, main))
  end)

  it("shows what only one side has", function()
    local less = SCRIPT:gsub('vb.counter { name = "seen" }', "")
    local message = canonical.difference(text_of(SCRIPT), text_of(less))
    assert.matches("main:   counter 'seen' {name=\"seen\"}\n  worker: %(nothing%)", message)
    message = canonical.difference(text_of(less), text_of(SCRIPT))
    assert.matches("main:   %(nothing%)\n  worker: counter 'seen'", message)
  end)

  it("keeps a text with line breaks on its line", function()
    local text = text_of [[vb.command { "SET", "a\nb\ncommand 'x'" }]]
    assert.equal(1, select(2, text:gsub("\n", "\n")))
  end)
end)

describe("a worker's state", function()
  local loader, printed, print_before

  -- Loads SCRIPT as main and hands back what workers are given.
  local function as_main(source)
    script.fresh { role = "main", args = { keyspace = 10 }, script_args = { size = "1KB" },
      run = { id = "r", started = 1, seed = 7 }, param_values = { ef = "128" }, path = "x.lua" }
    assert(script.run(source))
    require("vbench.declarations").finish()
    return session.environment(), canonical.all()
  end

  before_each(function()
    printed = 0
    print_before = print
    rawset(_G, "print", function() printed = printed + 1 end)
    loader = { load = function()
      assert(script.run(loader.source))
      return loader.scenario
    end, scenario = { kind = "scenario" }, source = LOUD }
    package.loaded["vbench.loader"] = loader
  end)

  after_each(function()
    rawset(_G, "print", print_before)
    package.loaded["vbench.loader"] = nil
  end)

  local function boot(environment, index)
    return require("vbench.worker").boot(environment, index, vbffi.ffi.cast("void *", 0))
  end

  it("declares what main declared, and says nothing while it loads", function()
    local environment, main = as_main(LOUD)
    assert.equal(1, printed)
    local text, functions = boot(environment, 2)
    assert.equal(main, text)
    assert.equal(1, printed)
    print("printing is as before")
    assert.equal(2, printed)
    assert.equal(2, session.worker)
    assert.equal("running", session.phase)
    local whats = {}
    for i, one in ipairs(functions) do
      assert.is_function(one.fn)
      whats[i] = one.what:gsub("%d+%)", "N)")
    end
    assert.same({
      "on_reply of command 'get' (x.lua:N)", "argument 4 of command 'set' (x.lua:N)",
      "condition of command 'set' (x.lua:N)",
    }, whats)
  end)

  it("has random numbers of its own", function()
    local environment = as_main(LOUD)
    boot(environment, 0)
    local first = math.random()
    boot(environment, 1)
    assert.not_equal(first, math.random())
    boot(environment, 0)
    assert.equal(first, math.random())
  end)

  it("calls thread.init and thread.done with what belongs to it", function()
    local environment = as_main(LOUD)
    loader.scenario = { kind = "scenario", thread = {
      init = function(t) t.state.seen = { t.index } end,
      done = function(t) return t.state end,
    } }
    local _, _, init, done = boot(environment, 3)
    init()
    assert.same({ seen = { 3 } }, require("vbench.plain").read(done()))
    loader.scenario = { kind = "scenario", thread = { done = function() return print end } }
    _, _, init, done = boot(environment, 3)
    assert.is_nil(init)
    assert.error_matches(done, "what thread.done returned is a function")
  end)

  it("raises what the script raises", function()
    local environment = as_main(LOUD)
    loader.load = function() return nil, { message = "x.lua:3: broken" } end
    assert.error_matches(function() boot(environment, 0) end, "broken")
    loader.load = function() error("worse", 0) end
    assert.error_matches(function() boot(environment, 0) end, "worse")
    print("printing is as before")
    assert.equal(2, printed)
  end)
end)
