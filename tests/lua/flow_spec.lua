-- Flows and the holes that they fill, as they are declared and compiled; replies as flows see them.
require "vbench.reply"
local argument = require "vbench.argument"
local canonical = require "vbench.canonical"
local compile = require "vbench.compile"
local declarations = require "vbench.declarations"
local script = require "tests.lua.fixtures.script"
local session = require "vbench.session"
local traces = require "tests.lua.fixtures.traces"
local ffi = require("vbench.ffi").ffi

describe("vb.flow", function()
  local vb

  before_each(function() vb = script.fresh() end)

  local function work() end

  it("takes a name and a function", function()
    local flow = vb.flow("f", work)
    assert.equal("f", flow.name)
    assert.error_matches(function() vb.flow(work) end,
      "takes a name and a function, not a function")
    assert.error_matches(function() vb.flow("g", 5) end, "vb.flow 'g' takes a function%(c%)")
    assert.error_matches(function() vb.flow("f", work) end, "two flows are named 'f'")
  end)

  it("has a name that no command has", function()
    vb.command { "GET", "x" }
    vb.flow("get", work)
    assert.error_matches(declarations.finish,
      "a flow and a command .at tests.lua.flow_spec.lua:29. are named 'get'")
  end)

  it("has a command that it can call, which a subscriber is not", function()
    vb.subscriber { channels = { "c" } }
    vb.flow("f", work)
    local _, message = pcall(declarations.finish)
    assert.matches("^tests/lua/flow_spec.lua:37: flow 'f' has no command that it could call: ",
      tostring(message))
    vb.command { "GET", "x" }
    declarations.finish()
  end)

  it("is told apart by where its function stands", function()
    vb.flow("f", work)
    assert.matches("flow 'f' {fn=function tests/lua/flow_spec.lua:17}", canonical.all(), 1, true)
  end)

  it("cannot be declared while it runs", function()
    session.loaded()
    assert.error_matches(function() vb.flow("f", work) end, "after the script was loaded")
  end)

  it("runs in phases and mixes, at pipeline 1", function()
    local flow, get = vb.flow("f", work), vb.command { "GET", "x" }
    vb.phase { run = flow, requests = 1, pipeline = 1 }
    vb.phase { run = vb.mix { { 1, flow }, { 2, get } }, thresholds = { "f.p99_ms < 1",
      "get.qps > 1" } }
    assert.error_matches(function() vb.phase { run = flow, pipeline = 4 } end,
      "has pipeline = 4 and runs flows")
    assert.error_matches(function() vb.phase { run = flow, thresholds = { "f.p9 < 1" } } end,
      "unknown metric")
    assert.error_matches(function() vb.sequence { flow } end, "step 1 of vb.sequence is a flow")
  end)

  it("has a row for itself, for each command that it may call, and for exec", function()
    local flow = vb.flow("f", work)
    vb.command { "GET", "x" }
    vb.command { "SET", "x", vb.arg "v" }
    local made = compile.phase(vb.phase { run = flow, requests = 1 }, { seed = 1 })
    assert.same({ "f", "get", "set", "exec" }, made.names)
    assert.same({ [1] = true, [2] = true, [3] = true }, made.called)
  end)
end)

describe("vb.arg", function()
  local vb

  before_each(function() vb = script.fresh() end)

  it("takes a name", function()
    assert.same({ kind = "arg", spec = { name = "ids" } }, vb.arg "ids")
    assert.error_matches(function() vb.arg "a b" end, "letters, digits and _, not 'a b'")
    assert.error_matches(function() vb.arg() end, "letters, digits and _, not nil")
  end)

  it("is found inside what is composed, each name once", function()
    local set = vb.command { "SET", vb.concat { "k:", vb.arg "id" }, vb.json {
      { "id", vb.arg "id" }, { "list", { vb.arg "a", { { "b", vb.arg "b" } } } } } }
    assert.same({ "id", "a", "b" }, argument.names_of(set.spec.arguments))
    vb.command { "GET", vb.arg "b", vb.arg "z" }
    assert.same({ "a", "b", "id", "z" }, argument.names())
  end)

  it("needs a flow", function()
    local ack = vb.command { "XACK", vb.key "s", "g", vb.arg "ids" }
    assert.error_matches(function()
      compile.phase(vb.phase { run = ack, requests = 1 }, { seed = 1 })
    end, "command 'xack' has a vb.arg: only a flow can call it")
  end)
end)

describe("a reply in a flow", function()
  local function view_of(bytes, fields)
    local view = ffi.new("vb_reply_view")
    view.reply.type = bytes:byte()
    view.reply.bytes, view.reply.size = bytes, #bytes
    for name, value in pairs(fields) do view.reply[name] = value end
    return view, bytes
  end

  local function ids_of(view)
    local ids = {}
    for id, entry in view:each_id() do ids[#ids + 1] = id .. "=" .. entry[2].string end
    return table.concat(ids, " ")
  end

  it("gives the ids of XREADGROUP in both protocols", function()
    local entry = "*2\r\n$3\r\n%d-0\r\n*2\r\n$1\r\nf\r\n$1\r\n%d\r\n"
    local entries = "*2\r\n" .. entry:format(1, 1) .. entry:format(2, 2)
    local other = "*1\r\n" .. entry:format(7, 7)
    local two = view_of("*2\r\n*2\r\n$1\r\ns\r\n" .. entries .. "*2\r\n$1\r\nt\r\n" .. other,
      { integer = 2 })
    assert.equal("1-0=1 2-0=2 7-0=7", ids_of(two))
    local three = view_of("%2\r\n$1\r\ns\r\n" .. entries .. "$1\r\nt\r\n" .. other, { integer = 4 })
    assert.equal("1-0=1 2-0=2 7-0=7", ids_of(three))
  end)

  it("gives no ids when there are none", function()
    assert.equal("", ids_of((view_of("*-1\r\n", { null = true }))))
    assert.equal("", ids_of((view_of("-ERR no\r\n", { error = true, text = "ERR no" }))))
  end)

  it("has the text of an error", function()
    local view = view_of("-ERR no\r\n", { error = true, text = "ERR no", text_length = 6 })
    assert.equal("ERR no", view.error)
    assert.is_nil((view_of("+OK\r\n", { text = "OK", text_length = 2 })).error)
  end)

  it("ends with its clock, and its elements with it", function()
    local clock = ffi.new("uint32_t[1]", 5)
    local view = view_of("*2\r\n:1\r\n:2\r\n", { integer = 2 })
    view.clock, view.taken = clock, 5
    local element, each = view[1], view:each()
    assert.equal(1, element.integer)
    assert.equal(1, each().integer)
    clock[0] = 6
    for _, use in ipairs { function() return view.type end, function() return element.integer end,
      each, function() return #view end } do
      assert.error_matches(use, "until its next call")
    end
  end)

  it("is compiled over ids", function()
    local view = view_of("*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*0\r\n", { integer = 1 })
    local count = 0
    for _ = 1, 3 do
      for _ in view:each_id() do count = count + 1 end
    end
    assert.equal(3, count)
    local compiled = traces.of(function(n)
      for _ = 1, n do count = count + #view end
    end)
    assert.is_true(compiled > 0)
  end)
end)
