require "vbench.reply"
require "vbench.request"
local ffi = require("vbench.ffi").ffi
local script = require "tests.lua.fixtures.script"
local session = require "vbench.session"
local traces = require "tests.lua.fixtures.traces"

-- A view as hooks get it, of a top-level value whose bytes are given.
local function view_of(bytes, fields)
  local view = ffi.new("vb_reply_view")
  view.reply.type = bytes:byte()
  view.reply.bytes, view.reply.size = bytes, #bytes
  for name, value in pairs(fields) do view.reply[name] = value end
  return view, bytes
end

local function scalar(bytes, text, integer)
  return view_of(bytes, { text = text, text_length = #text, integer = integer or 0 })
end

local function assert_compiled(fn)
  local compiled, aborts = traces.of(fn)
  assert.same({}, aborts)
  assert.is_true(compiled > 0)
end

describe("a reply in a hook", function()
  it("shows its type", function()
    local types = {
      ["+"] = "status", ["-"] = "error", [":"] = "integer", ["$"] = "string", ["*"] = "array",
      ["%"] = "map", ["~"] = "set", ["_"] = "nil", [","] = "double", ["#"] = "boolean",
      ["("] = "bignumber", ["="] = "verbatim", ["!"] = "error",
    }
    for mark, name in pairs(types) do assert.equal(name, (view_of(mark, {})).type) end
    assert.equal("nil", (view_of("$-1\r\n", { null = true })).type)
  end)

  it("shows numbers and texts", function()
    local view = scalar(":-42\r\n", "-42", -42)
    assert.equal(-42, view.integer)
    assert.equal("-42", view.string)
    view = scalar("$5\r\nhello\r\n", "hello", 5)
    assert.is_nil(view.integer)
    assert.equal("hello", view.string)
    assert.equal(5, #view)
    assert.equal("$5\r\nhello\r\n", view:raw())
    assert.error_matches(function() return view.text end, "a reply has no 'text'")
  end)

  it("shows elements, nested ones too", function()
    local bytes = "*4\r\n$1\r\na\r\n:7\r\n*2\r\n+x\r\n$-1\r\n$2\r\nzz\r\n"
    local view = view_of(bytes, { integer = 4 })
    assert.equal(4, #view)
    assert.equal("a", view[1].string)
    assert.equal(7, view[2].integer)
    assert.equal("array", view[3].type)
    assert.equal("x", view[3][1].string)
    assert.equal("nil", view[3][2].type)
    assert.equal("zz", view[4].string)
    assert.is_nil(view[5])
    assert.is_nil(view[0])
    assert.is_nil(view.string)
    local types = {}
    for element in view:each() do types[#types + 1] = element.type end
    assert.same({ "string", "integer", "array", "string" }, types)
    for _ in (scalar("+OK\r\n", "OK")):each() do error("a scalar has no elements") end
  end)

  it("says so when it is used after its hook", function()
    local view = ffi.new("vb_reply_view")
    assert.error_matches(function() return view.type end, "only during the call of its hook")
  end)

  it("works through a pointer, as hooks are given it", function()
    local view = scalar(":5\r\n", "5", 5)
    local pointer = ffi.cast("vb_reply_view *", view)
    assert.equal(5, pointer.integer)
    assert.equal("integer", pointer.type)
    assert.equal(":5\r\n", pointer:raw())
    assert.equal(1, #pointer)
  end)

  it("is compiled", function()
    local view = scalar(":5\r\n", "5", 5)
    local pointer, sum, kinds = ffi.cast("vb_reply_view *", view), 0, 0
    assert_compiled(function(n)
      for _ = 1, n do
        sum = sum + pointer.integer
        if pointer.type == "integer" then kinds = kinds + 1 end
      end
    end)
    assert.equal(2500, sum)
    assert.is_true(kinds > 0 and kinds % 500 == 0)
  end)

  it("is compiled over its elements", function()
    local view = view_of("*2\r\n:1\r\n:2\r\n", { integer = 2 })
    local sum = 0
    assert_compiled(function(n)
      for _ = 1, n do sum = sum + view[2].integer end
    end)
    assert.is_true(sum > 0 and sum % 1000 == 0)
  end)
end)

describe("req.rng", function()
  local requests = {} -- what is cast keeps nothing alive

  local function rng(seed)
    local request = ffi.new("vb_request")
    requests[#requests + 1] = request
    request.rng.state = seed
    return ffi.cast("vb_request *", request).rng
  end

  it("gives the numbers of splitmix64, as C does", function()
    local r = rng(1234567)
    -- The first outputs of the reference implementation for this seed, their high 53 bits.
    assert.equal(tonumber(bit.rshift(6457827717110365317ULL, 11)), r:next())
    assert.equal(tonumber(bit.rshift(3203168211198807973ULL, 11)), r:next())
    assert.equal(tonumber(bit.rshift(9817491932198370423ULL, 11)), r:next())
  end)

  it("stays in its range, and reaches both ends", function()
    local r, seen = rng(1), {}
    for _ = 1, 1000 do
      local n = r:int(-2, 3)
      seen[n] = true
      local f = r:float()
      assert.is_true(f >= 0 and f < 1)
    end
    assert.same({ [-2] = true, [-1] = true, [0] = true, [1] = true, [2] = true, [3] = true }, seen)
    assert.equal(7, r:int(7, 7))
    assert.error_matches(function() r:int(2, 1) end, "a <= b")
  end)

  it("is compiled", function()
    local r, sum = rng(1), 0
    assert_compiled(function(n)
      for _ = 1, n do sum = sum + r:int(1, 6) + r:float() end
    end)
    assert.is_true(sum > 500 and sum < 3500)
  end)
end)

describe("what hooks record", function()
  local vbffi = require "vbench.ffi"

  it("is compiled", function()
    local shared = ffi.gc(vbffi.C.vb_shared_new(), vbffi.C.vb_shared_free)
    local vb = script.fresh { shared = shared, role = "worker", worker = 0 }
    local metric = vb.metric { name = "m" }
    local count, ef = vb.counter { name = "c" }, vb.param("ef", 64)
    session.loaded()
    vbffi.C.vb_shared_param_set(shared, 0, 64, nil)
    metric:record(1)
    count:add(1)
    ef:get()
    assert_compiled(function(n)
      for i = 1, n do
        metric:record(i)
        count:add(ef:get())
      end
    end)
    assert.equal(1 + 500 * 64, count:get())
  end)
end)
