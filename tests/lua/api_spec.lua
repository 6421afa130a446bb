local registry = require "vbench.registry"
local script = require "tests.lua.fixtures.script"
local session = require "vbench.session"

describe("the API", function()
  local vb

  before_each(function() vb = script.fresh { args = { keyspace = 1000, clients = 50 } } end)

  local function fails(source, message)
    local text = script.error_of(source)
    assert.truthy(text:find(message, 1, true), ("%s\nis not in: %s"):format(message, text))
    return text
  end

  it("takes the first scenario of the guide", function()
    local fine, scenario = script.run [[
      local keys = vb.keyspace { prefix = "key:", size = vb.args.keyspace }
      local set = vb.command { "SET", keys:sequential(), vb.bytes "100B" }
      local get = vb.command { "GET", keys:zipfian(0.99), reply = vb.hits() }
      return vb.scenario {
        description = "Fill, then read",
        phases = {
          vb.phase { name = "fill", run = set, requests = keys.size },
          vb.phase { name = "read", run = get, duration = "30s",
            thresholds = { "p99_ms < 2", { "errors == 0", abort = true, delay = "5s" } } },
        },
      }]]
    assert.is_true(fine, scenario)
    assert.equal("scenario", scenario.kind)
    assert.equal(1000, scenario.phases[1].requests)
    assert.equal(30, scenario.phases[2].duration)
    assert.same({ "errors == 0", abort = true, delay = "5s" }, scenario.phases[2].thresholds[2])
    assert.same({ "get", "set" }, registry.names("command"))
  end)

  it("raises at the script's line", function()
    local text = fails("local a\na = vb.phase { request = 5 }", "unknown field 'request'")
    assert.matches("^x.lua:3: ", text)
    text = fails("local k = vb.keyspace { prefix = 'a', size = 1 }\n\nlocal c = k:cursor():foo()",
      "a cursor has no 'foo'")
    assert.matches("^x.lua:4: ", text)
  end)

  it("raises for what it does not have, with the nearest name", function()
    fails("local x = vb.comand", "unknown vb.comand; did you mean 'command'?")
    fails("local x = vb.flwo", "unknown vb.flwo; did you mean 'flow'?")
    fails("local x = vb.args.clietns", "unknown general option 'clietns'; did you mean 'clients'?")
    fails("vb.args.clients = 5", "cannot be set")
    assert.equal(50, vb.args.clients)
    assert.is_nil(vb.args.duration)
  end)

  it("has the defaults of general options where no command line was read", function()
    assert.equal(3, vb.args.data_size)
    script.fresh { role = "main", args = { clients = 5 } }
    assert.is_nil(vb.args.data_size)
  end)

  it("checks the version that a library was written for", function()
    vb.api "0.1"
    fails("vb.api '0.2'", "was written for version 0.2")
    fails("vb.api '1.0'", "this vbench has 0.1")
    fails("vb.api 'x'", "takes a version")
  end)

  describe("commands", function()
    it("are named by their first word", function()
      assert.equal("json.set", vb.command({ "JSON.SET", "a", ".", "1" }).name)
      assert.equal("mine", vb.command({ "SET", "a", "b", name = "mine" }).name)
    end)

    it("refuse two of one name, and say where the other is", function()
      fails("vb.command { 'GET', 'a' }\nvb.command { 'GET', 'b' }",
        "x.lua:3: two commands are named 'get' (the other at x.lua:2)")
    end)

    it("refuse nil among the arguments", function()
      fails("vb.command { 'SET', nil, 'x' }", "argument 2 of the command is nil")
      fails("vb.command { 'SET', 'a', vb.concat { 'a', nil, 'b' } }",
        "argument 2 of vb.concat is nil")
    end)

    it("refuse what can be no argument, and say what to do", function()
      fails("vb.command { 'SET', true }", "argument 2 of command 'set' is a boolean")
      fails("vb.command { 'SET', { 'a' } }", "several parts of one argument are vb.concat")
      fails("vb.command { 'GET', vb.keyspace { prefix = 'k', size = 1 } }", "draw from it: keys:")
      fails("vb.command { 'SET', 0/0 }", "no number that can be sent")
      fails("vb.command { vb.id() }", "a command begins with its word")
      fails("vb.command {}", "takes arguments")
      fails("vb.command { 'GET', 'a', replay = 1 }", "unknown field 'replay' in command 'get'")
      fails("vb.command { 'GET', 'a', reply = print }", "is a function; it takes a table")
      fails("vb.command { 'GET', 'a', reply = { vb.hits(), print } }", "a function is on_reply")
    end)

    it("cannot be declared after load", function()
      local get = vb.command { "GET", "a" }
      session.loaded()
      fails("vb.command { 'GET', 'a' }", "vb.command after the script was loaded")
      fails("vb.param('x', 1)", "vb.param after the script was loaded")
      assert.equal("step", get:when("miss").kind)
      assert.error_matches(function() get:when(function() end) end, "after the script was loaded")
    end)
  end)

  describe("keyspaces and cursors", function()
    local keys

    before_each(function() keys = vb.keyspace { prefix = "key:", size = "1k" } end)

    it("chain without changing what they came from", function()
      local zipfian = keys:zipfian(1.2, { scatter = false })
      local narrow = zipfian:range(10, 20):limit(5):times(3, "same_slot")
      assert.is_nil(zipfian.spec.first)
      assert.equal(10, narrow.spec.first)
      assert.equal(20, narrow.spec.last)
      assert.equal(5, narrow.spec.limit)
      assert.equal(3, narrow.spec.times_max)
      assert.is_true(narrow.spec.same_slot)
      assert.equal("zipfian", narrow.spec.order)
      assert.is_false(narrow.spec.scatter)
      assert.is_true(keys:range(0, 5):wrap().spec.wrap)
      assert.is_true(keys:uniform():value().spec.as_value)
      assert.equal(1000, keys.size)
    end)

    it("have distributions with their presets", function()
      local one = keys:web_cache().spec
      assert.same({ "zipfian", 0.99, true }, { one.order, one.skew, one.scatter })
      one = keys:session_store().spec
      assert.same({ "exponential", 0.1 }, { one.order, one.lambda })
      one = keys:hotspot().spec
      assert.same({ 0.2, 0.8, true }, { one.share, one.probability, one.scatter })
      assert.is_false(keys:hotspot(0.1, 0.9, { scatter = false }).spec.scatter)
      one = keys:range(0, 50):latest(0.5, 0.25):sample(0.5):partition(2, 3).spec
      assert.same({ "latest", 0.5, 0.25, 0.5, 2, 3 },
        { one.order, one.share, one.probability, one.sample, one.part, one.parts })
    end)

    it("refuse parameters that cannot be", function()
      local cases = {
        ["lambda of exponential is 0"] = function() keys:exponential(0) end,
        ["mean of normal is 1.5"] = function() keys:normal(1.5) end,
        ["deviation of normal is 0"] = function() keys:normal(0.5, 0) end,
        ["share of ids of hotspot is 20"] = function() keys:hotspot(20, 80) end,
        ["probability of latest is 2"] = function() keys:latest(0.1, 2) end,
        ["unknown field 'scater'"] = function() keys:hotspot(0.2, 0.8, { scater = true }) end,
        ["sample of a cursor is 0"] = function() keys:sample(0) end,
        ["share is number 4 of 3"] = function() keys:partition(4, 3) end,
        ["only takes a reference set, not a number"] = function() keys:only(3) end,
      }
      for message, call in pairs(cases) do assert.error_matches(call, message, 1, true) end
    end)

    it("refuse what cannot be", function()
      assert.error_matches(function() keys:zipfian(0) end,
        "skew of zipfian is 0; it takes a number above 0")
      assert.error_matches(function() keys:range(5, 5) end, "holds no id")
      assert.error_matches(function() keys:range(0, 1001) end, "past the 1000 ids")
      assert.error_matches(function() keys:uniform():times(0) end, "whole number from 1")
      assert.error_matches(function() keys:uniform():times({ min = 3, max = 2 }) end,
        "min 3 is above max 2")
      assert.error_matches(function() keys:uniform():times(2, "slot") end, "same_slot")
      assert.error_matches(function() keys:claims() end, "a keyspace has no 'claims'")
      assert.error_matches(function() keys:unifrom() end, "did you mean 'uniform'")
      assert.error_matches(function() keys:current():limit(3) end, "repeats an id")
      fails("vb.keyspace { prefix = 'a:', size = 5, max_size = 9 }", "either a size or a max_size")
      fails("vb.keyspace { prefix = 'a:', max_size = 2^41 }", "1 to 1099511627776")
      fails("vb.keyspace { prefix = 'a:', size = 2^30, max_sub_id = 2^30 }", "are too many")
      fails("vb.keyspace { prefix = 'a:', size = 5, slots = { 5, 5 } }", "last not part of it")
      fails("vb.keyspace { prefix = 'a:', size = 5, slots = { 0, 16385 } }", "to 16384")
      fails("vb.keyspace { size = 5 }", "either prefix or pattern")
      fails("vb.keyspace { prefix = 'a:', size = 5, width = 21 }",
        "the width of keyspace 'a:' is 21")
      fails("vb.keyspace { pattern = 'a:%s', size = 5 }", "keyspace 'a:%s'")
      fails("vb.keyspace { prefix = 'a:', size = 0 }", "the size of keyspace 'a:' is 0")
      fails("vb.keyspace { prefix = 'key:', size = 5 }", "two keyspaces are named 'key:'")
    end)
  end)

  describe("generators", function()
    it("refuse what cannot be", function()
      fails("vb.bytes()", "vb.bytes takes a size")
      fails("vb.bytes 'many'", "'many' is not a size")
      fails("vb.bytes { min = 5, max = 2 }", "min 5 is above max 2")
      fails("vb.bytes(5, { from = vb.param('p', 'id') })", "'from' of vb.bytes is a param")
      fails("vb.bytes(5, { compressible = 2 })", "compressible of vb.bytes is 2")
      fails("vb.bytes(5, { from = 'key' })", "it takes \"id\"")
      fails("vb.int { min = 1 }", "needs min and max")
      fails("vb.int { min = 1.5, max = 2 }", "takes a whole number")
      fails("vb.int { min = 1, max = 2, dist = 'zipf' }", "it is one of")
      fails("vb.int { min = 1, max = 2, dist = 'exponential' }", "needs lambda")
      fails("vb.int { min = 1, max = 2, skew = 2 }", "goes with dist = \"zipfian\"")
      fails("vb.float { decimals = 50 }", "decimals of vb.float is 50")
      fails("vb.choice {}", "at least one value")
      fails("vb.choice { { 0, 'a' } }", "a weight of vb.choice is 0")
      fails("vb.tags { a = 101 }", "the percentage of tag 'a' is 101")
      fails("vb.vector { dtype = 'float32' }", "needs dim")
      fails("vb.vector { dim = 3, dtype = 'float31' }", "did you mean 'float")
      fails("vb.text(5)", "vb.text { words = 20 }")
      fails("vb.timestamp { format = 'isoo' }", "did you mean 'iso'")
      fails("vb.json { { 'a' } }", "field 'a' of vb.json has no value")
      fails("vb.json { { 'a', vb.mix } , { 'b', vb.concat { 'x' } } }",
        "vb.json.b is a concat: an argument is a string")
    end)
  end)

  describe("vb.verify", function()
    it("finds the generator of the commands that write the same keyspace", function()
      local fine, message = script.run [[
        local keys = vb.keyspace { prefix = "k:", size = 10 }
        vb.command { "SET", keys:sequential(), vb.bytes(10, { from = "id" }) }
        vb.command { "SETEX", keys:sequential(), 10, vb.bytes(10, { from = "id" }) }
        vb.command { "GET", keys:uniform(), reply = vb.verify() }
        require("vbench.declarations").finish()]]
      assert.is_true(fine, message)
    end)

    it("says so when there is none, or more than one, or the wrong kind", function()
      local keys = "local keys = vb.keyspace { prefix = 'k:', size = 10 }\n"
      local get = "vb.command { 'GET', keys:uniform(), reply = vb.verify() }\n" ..
        "require('vbench.declarations').finish()"
      fails(keys .. get, "x.lua:3: vb.verify() of command 'get': there is no generator")
      vb = script.fresh {}
      fails(keys .. "vb.command { 'SET', keys:uniform(), vb.bytes(1, { from = 'id' }), " ..
        "vb.bytes(2, { from = 'id' }) }\n" .. get, "there are 2 generators")
      fails("vb.verify(vb.bytes(1))", "made with from = \"id\"")
    end)
  end)

  describe("combinations", function()
    local get, set

    before_each(function()
      get, set = vb.command { "GET", "a" }, vb.command { "SET", "a", "b" }
    end)

    it("hold commands", function()
      local mix = vb.mix { { 80, get }, { 20, vb.sequence { get, set:when("miss") } } }
      assert.equal(80, mix.spec.entries[1].weight)
      assert.equal("miss", mix.spec.entries[2].what.spec.steps[2].condition)
      assert.equal("transaction", vb.transaction({ get, set }).name)
    end)

    it("refuse what cannot be", function()
      assert.error_matches(function() vb.mix { get } end, "it takes { weight, command }")
      assert.error_matches(function() vb.mix { { 0, get } } end, "number above 0")
      assert.error_matches(function() vb.mix { { 1, "get" } } end, "is a string")
      assert.error_matches(function() vb.sequence { get:when("hit") } end, "no reply before it")
      assert.error_matches(function() vb.sequence {} end, "at least one")
      assert.error_matches(function() vb.sequence { get, nil, set } end, "argument 2")
      assert.error_matches(function() get:when("mis") end, "did you mean 'miss'")
      assert.error_matches(function() vb.transaction { get, set:when("hit") } end, "no condition")
      assert.error_matches(function()
        vb.mix { { 1, vb.transaction { get } }, { 1, vb.transaction { set } } }
      end, "two entries of vb.mix are named 'transaction'")
    end)
  end)

  describe("phases", function()
    local get

    before_each(function() get = vb.command { "GET", "a" } end)

    it("read units, and remember what was given", function()
      local phase = vb.phase { run = get, requests = "10k", warmup = "500ms", max_errors = "2%" }
      assert.equal("get", phase.name)
      assert.equal(10000, phase.requests)
      assert.equal(0.5, phase.warmup)
      assert.equal(0.02, phase.max_errors)
      assert.is_true(phase.given.requests)
      assert.is_nil(phase.given.clients)
      assert.is_nil(phase.clients)
    end)

    it("are copied with other fields and params", function()
      vb.param("ef", 64, { min = 1, max = 512 })
      local phase = vb.phase { name = "q", run = get, clients = 5, thresholds = { "errors == 0" } }
      local other = phase:with { clients = 10, ef = 128 }
      assert.equal(5, phase.clients)
      assert.is_nil(phase.params)
      assert.equal(10, other.clients)
      assert.same({ ef = 128 }, other.params)
      assert.equal("errors == 0", other.thresholds[1])
      assert.same({ ef = 32 }, other:with({ ef = 32 }).params)
      assert.error_matches(function() phase:with { client = 3 } end,
        "unknown field or param 'client' in phase 'q'; did you mean 'clients'")
      assert.error_matches(function() phase:with { ef = 1000 } end, "it takes 1 to 512")
    end)

    it("refuse what cannot be", function()
      local function with(t)
        t.run = t.run or get
        return function() vb.phase(t) end
      end
      assert.error_matches(with { clients = 0 }, "field 'clients' of phase 'get' is 0")
      assert.error_matches(with { clients = 2, threads = 4 }, "4 threads and 2 clients")
      assert.error_matches(with { on_error = "abort" }, "one of count, stop")
      assert.error_matches(with { duration = "soon" }, "not a duration")
      assert.error_matches(with { params = { eff = 1 } }, "unknown param 'eff'")
      assert.error_matches(with { background = { get } }, "takes phases")
      assert.error_matches(with { thresholds = { 5 } }, "phase 'get': a threshold is a text")
      assert.error_matches(with { thresholds = { "p98_mss < 5" } }, "unknown metric 'p98_mss'")
      assert.error_matches(with { thresholds = { "set.p99_ms < 5" } }, "phase 'get': .*set")
      assert.error_matches(with { run = vb }, "it takes a command or a mix")
      assert.error_matches(function() vb.phase { name = "x" } end, "phase 'x' has nothing to run")
      local background = vb.phase { run = get }
      assert.error_matches(with {
        background = vb.phase { run = get, background = background },
      }, "one level only")
    end)
  end)

  describe("scenarios", function()
    it("refuse what cannot be", function()
      fails("local s = vb.scenario {}", "takes phases = { ... } or main")
      fails("local s = vb.scenario { phases = {} }", "has no phases")
      fails("local s = vb.scenario { phases = { 1 } }", "phase 1 of the scenario is a number")
    end)

    it("refuse two phases of one name, and say where both are", function()
      vb.command { "GET", "a" }
      local get = "local get = require('vbench.registry').get('command', 'get')\n"
      fails(get .. "local s = vb.scenario { phases = { vb.phase { run = get },\n"
        .. "  vb.phase { name = 'get', run = get } } }",
        "x.lua:4: two phases are named 'get' (the other at x.lua:3): give one of them another name")
      fails(get .. "local p = vb.phase { run = get }\nlocal s = vb.scenario { phases = { p, p } }",
        "x.lua:3: phase 'get' is twice in a list")
      fails(get .. "local p = vb.phase { run = get, background = vb.phase { run = get } }\n"
        .. "local s = vb.scenario { phases = { p } }", "two phases are named 'get'")
    end)

    it("refuse a transaction with the name of a command that runs beside it", function()
      fails("local get = vb.command { 'GET', 'a' }\n"
        .. "local p = vb.phase { name = 'p', run = vb.transaction { get, name = 'get' } }",
        "x.lua:3: phase 'p' runs two things that are named 'get', a transaction and a command")
      fails("local s = vb.scenario { main = print, phases = {} }", "not both")
      fails("local s = vb.scenario { main = print, thread = { start = print } }",
        "unknown field 'start' in thread of vb.scenario")
    end)

    it("name the line of the return, which has left the stack", function()
      local path = os.tmpname()
      local file = io.open(path, "w")
      file:write("local vb = require 'vbench'\n\nreturn vb.scenario { phase = {} }\n")
      file:close()
      script.fresh { path = path }
      local fine, message = pcall(coroutine.wrap(loadfile(path)))
      os.remove(path)
      assert.is_false(fine)
      assert.equal(path ..
        ":3: unknown field 'phase' in vb.scenario; did you mean " ..
        "'phases'?", message)
    end)
  end)
end)

describe("params", function()
  local vb

  before_each(function() vb = script.fresh { param_values = { ef = "128", metric = "l2" } } end)

  it("take what the run gives, else their default", function()
    local param = require "vbench.param"
    assert.equal(128, vb.param("ef", 64):get())
    assert.equal("l2", vb.param("metric", "cosine", { choices = { "l2", "cosine" } }):get())
    local k = vb.param("k", 10)
    assert.equal(10, k:get())
    local before = param.set { k = 20, ef = 32 }
    assert.same({ k = 10, ef = 128 }, before)
    assert.equal(20, k:get())
    param.set(before)
    assert.equal(10, k:get())
  end)

  it("refuse what is outside of their range, and set nothing then", function()
    local param = require "vbench.param"
    assert.error_matches(function() vb.param("ef", 64, { max = 100 }) end, "param 'ef' is 128")
    local width = vb.param("width", 10, { min = 1 })
    local values, message = param.set { width = 0 }
    assert.is_nil(values)
    assert.equal("param 'width' is 0; it takes 1 to any", message)
    values, message = param.set { width = 5, widht = 1 }
    assert.is_nil(values)
    assert.equal("unknown param 'widht'; did you mean 'width'?", message)
    assert.equal(10, width:get())
    assert.matches("it takes a number", select(2, param.set { width = "many" }))
  end)

  it("reach the workers' states through what they share", function()
    local vbffi = require "vbench.ffi"
    local shared = vbffi.ffi.gc(vbffi.C.vb_shared_new(), vbffi.C.vb_shared_free)
    script.fresh { shared = shared, role = "main" }
    vb.param("b", 1)
    vb.param("a", "text")
    session.loaded()
    local param = require "vbench.param"
    param.publish()
    param.set { b = 7 }
    script.fresh { shared = shared, role = "worker", worker = 0 }
    local b, a = vb.param("b", 1), vb.param("a", "text")
    session.loaded()
    assert.equal(7, b:get())
    assert.equal("text", a:get())
  end)
end)

describe("metrics and counters", function()
  local vbffi = require "vbench.ffi"

  it("are recorded in hooks, and merged", function()
    local shared = vbffi.ffi.gc(vbffi.C.vb_shared_new(), vbffi.C.vb_shared_free)
    for worker = 0, 1 do
      local vb = script.fresh { shared = shared, role = "worker", worker = worker }
      local age = vb.metric { name = "age", unit = "ms", better = "lower" }
      local bytes = vb.metric { name = "bytes", kind = "counter" }
      local count = vb.counter { name = "count" }
      assert.error_matches(function() age:record(1) end, "while a phase runs")
      assert.error_matches(function() count:add(1) end, "not for load time")
      session.loaded()
      age:record(worker + 1)
      bytes:add(10)
      assert.equal(worker + 1, count:add(1))
      assert.error_matches(function() age:add(1) end, "is a histogram: use :record")
      assert.error_matches(function() age:record(-1) end, "finite numbers from 0")
    end
    local total = vbffi.ffi.gc(vbffi.C.vb_shared_metric_total(shared, 0), vbffi.C.vb_metric_free)
    assert.equal(2, tonumber(total.count))
    assert.equal(3, total.sum)
    total = vbffi.ffi.gc(vbffi.C.vb_shared_metric_total(shared, 1), vbffi.C.vb_metric_free)
    assert.equal(20, total.sum)
  end)

  it("need a name", function()
    local vb = script.fresh {}
    assert.error_matches(function() vb.metric { unit = "ms" } end, "needs a name")
    assert.error_matches(function() vb.counter { name = "a b" } end, "needs a name")
    assert.error_matches(function() vb.metric { name = "a", better = "more" } end, "higher, lower")
  end)
end)

describe("the options of a script", function()
  local options

  local function with(args)
    local vb = script.fresh { script_args = args }
    options = require "vbench.options"
    return vb
  end

  it("are typed, as given or defaulted", function()
    local vb = with {
      size = "1KB", ["with-ttl"] = "", wait = "1m", only = "a,b", mode = "fast", count = "10k",
    }
    local opt = vb.options {
      size = { "bytes", default = "100B", help = "size of a value" },
      with_ttl = { "boolean", default = false }, wait = { "duration" }, only = { "list" },
      mode = { "choice", choices = { "fast", "slow" } }, count = { "int" },
      ratio = { "number", default = 0.5 }, name = { "string" },
    }
    assert.equal(1000, opt.size)
    assert.is_true(opt.with_ttl)
    assert.equal(60, opt.wait)
    assert.same({ "a", "b" }, opt.only)
    assert.equal("fast", opt.mode)
    assert.equal(10000, opt.count)
    assert.equal(0.5, opt.ratio)
    assert.is_nil(opt.name)
    assert.error_matches(function() return opt.sizes end,
      "unknown option 'sizes'; did you mean 'size'")
    assert.is_true(options.check_given())
  end)

  it("refuse a value that is not of their type", function()
    local function given(args, declared, message)
      local vb = with(args)
      assert.error_matches(function() vb.options(declared) end, message)
    end
    given({ size = "big" }, { size = { "bytes" } }, "option %-%-size: 'big' is not a size")
    given({ n = "1.5" }, { n = { "int" } }, "option %-%-n: '1.5' is not a whole number")
    given({ b = "maybe" }, { b = { "boolean" } }, "neither yes nor no")
    given({ m = "fasst" }, { m = { "choice", choices = { "fast" } } }, "did you mean 'fast'")
    given({ n = "3" }, { n = { "int", validate = function(n) return n % 2 == 0, "not even" end } },
      "option %-%-n: not even")
    given({}, { n = { "int", default = "x" } }, "the default of option 'n'")
  end)

  it("refuse a general option's name, and say where its value is", function()
    local vb = with {}
    assert.error_matches(function() vb.options { clients = { "int" } } end,
      "option 'clients' is a general option of vbench; its value is vb.args.clients")
    assert.error_matches(function() vb.options { data_size = { "int" } } end, "vb.args.data_size")
  end)

  it("refuse wrong declarations", function()
    local vb = with {}
    assert.error_matches(function() vb.options { n = { "integer" } } end, "it is one of")
    assert.error_matches(function() vb.options { n = { "int", defalt = 1 } } end,
      "did you mean 'default'")
    assert.error_matches(function() vb.options { m = { "choice" } } end, "needs choices")
    assert.error_matches(function() vb.options { "n" } end, "takes a table of name")
  end)

  it("know what was given and not declared", function()
    local vb = with { sise = "1" }
    vb.options { size = { "bytes" } }
    local fine, message = options.check_given()
    assert.is_nil(fine)
    assert.equal("unknown option --sise; did you mean '--size'?", message)
  end)

  it("describe themselves for --help", function()
    local vb = with {}
    vb.options { key_size = { "bytes", default = "1KB", help = "bytes of a key" } }
    assert.same({ { name = "key-size", type = "bytes", default = "1KB", help = "bytes of a key" } },
      options.describe())
  end)
end)
