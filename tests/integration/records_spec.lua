-- Loading datasets and reading them back: scripts/load-and-verify.lua, `-t schema-load`.
local data = require "tests.support.datafile"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local function value_schema(load)
  return load .. [[
record: { fields: [ { name: value, type: text, length: variable, max_bytes: 9 } ] }
sections: { records: { count: 3 } }
]]
end

local values = data.variable("one", 9) .. data.variable("", 9) .. data.variable("a\0b", 9)

describe("a loaded dataset", function()
  local server, bases

  setup(function()
    server = servers.start()
    bases = {
      products = data.products(vbench.path("products")),
      set = data.members(vbench.path("set"), "set"),
      list = data.members(vbench.path("list"), "list"),
      lpush = data.members(vbench.path("lpush"), "list",
        "workload: { type: list, command: LPUSH }\n"),
      zset = data.zset(vbench.path("zset")),
      string = data.write(vbench.path("string"), value_schema "workload: { type: string }\n",
        values),
    }
  end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local SENT = { products = 3, set = 2, list = 2, lpush = 2, zset = 2, string = 3 }

  local function named(run, name)
    for _, phase in ipairs(run.json.phases) do
      if phase.name == name then return phase end
    end
  end

  for name, count in pairs(SENT) do
    it(("is read back the same: %s"):format(name), function()
      for _, protocol in ipairs { "--no-color", "-3" } do
        server:clean()
        local run = vbench.report { "load-and-verify", "--dataset", bases[name], "-p",
          server.port, "--threads", 2, "-c", 4, protocol }
        assert.equal(0, run.code, run.all)
        local load, verify = named(run, "load"), named(run, "verify")
        assert.equal(count, load.requests)
        assert.equal(0, verify.errors)
        assert.equal(name == "string" and 0 or 1, load.empty)
      end
    end)
  end

  for _, name in ipairs { "list", "lpush", "set", "zset" } do
    it(("is read back the same when it is loaded once more: %s"):format(name), function()
      for _ = 1, 2 do
        local run = vbench.report { "load-and-verify", "--dataset", bases[name], "-p", server.port }
        assert.equal(0, run.code, run.all)
        assert.equal(0, named(run, "verify").errors)
      end
    end)
  end

  it("is read back the same when a record holds a member twice, whatever was there", function()
    local zset = ("{ fields: [ { name: score, type: numeric }, { name: value, type: text, "
      .. "max_bytes: 2 } ] }")
    local function schema(kind, member)
      return ("record: { collection: { type: %s, max_members: 3, member: %s } }\n"
        .. "sections: { records: { count: 1 }, keys: { max_bytes: 1 } }\n"):format(kind, member)
    end
    local twice = {
      data.write(vbench.path("set-twice"), schema("set", "{ type: text, max_bytes: 2 }"),
        data.u32(3) .. "b\0a\0b\0" .. "k"),
      data.write(vbench.path("zset-twice"), schema("zset", zset),
        data.u32(3) .. data.f64(2) .. "b\0" .. data.f64(1) .. "a\0" .. data.f64(7) .. "b\0" .. "k"),
    }
    for i, add in ipairs { { "SADD", "k", "other" }, { "ZADD", "k", 1, "other" } } do
      for _, protocol in ipairs { "--no-color", "-3" } do
        server:clean()
        server:call(unpack(add))
        local run = vbench.report { "load-and-verify", "--dataset", twice[i], "-p", server.port,
          protocol }
        assert.equal(0, run.code, run.all)
        assert.equal(1, named(run, "verify").requests)
        assert.equal(2, server:call(i == 1 and "SCARD" or "ZCARD", "k"))
      end
    end
  end)

  it("is read back the same when its values are long, in pipelines and over TLS", function()
    local base = data.long(vbench.path("long"))
    for _, connection in ipairs { { "-p", server.port }, { "--local", "tls" } } do
      for _, pipeline in ipairs { 1, 16 } do
        local run = vbench.report { "load-and-verify", "--dataset", base, "-P", pipeline, "-c", 3,
          unpack(connection) }
        assert.equal(0, run.code, run.all)
        assert.equal(40, run.json.phases[2].requests)
      end
    end
  end)

  -- The first error of a verification after a command was sent behind the loading.
  local function mismatch(name, ...)
    local quoted = {}
    for i, word in ipairs { ... } do quoted[i] = ("%q"):format(word) end
    local run = vbench.report { vbench.scenario(([[
      local records = require "vbench.records"
      local ds = vb.dataset "%s"
      return vb.scenario { phases = {
        vb.phase { name = "load", run = records.load(ds), requests = ds.count },
        vb.phase { name = "harm", run = vb.command { %s }, requests = 1 },
        vb.phase { name = "verify", run = records.verify(ds), requests = ds.count } } }]])
      :format(bases[name], table.concat(quoted, ", "))), "-p", server.port, "-c", 1 }
    assert.equal(4, run.code, run.all)
    local verify = run.json.phases[3]
    assert.equal(1, verify.errors)
    return verify.errors_by_kind.verify.first
  end

  it("shows what differs", function()
    local function shows(text, ...)
      server:clean()
      local all = mismatch(...)
      assert.is_truthy(all:find(text, 1, true), all)
    end
    shows([["k:1": field 'title', byte 3 of 5: expected "lo", got "p!"]],
      "products", "HSET", "k:1", "title", "help!")
    shows([["k:1": field 'price', byte 0 of 5: expected "12.34", got nil]],
      "products", "HDEL", "k:1", "price")
    shows([[field 'note', byte 0 of 0: expected nil, got "new"]],
      "products", "HSET", "key:thre", "note", "new")
    shows([["key:{AAA}:000000000000": elements: expected 2, got an aggregate '*' of 3]],
      "set", "SADD", "key:{AAA}:000000000000", "zz")
    shows([[member 1: expected "bb", got "zz"]],
      "list", "LSET", "key:{AAA}:000000000000", "1", "zz")
    shows([[score of "b": expected 1, got 7]], "zset", "ZADD", "key:{AAA}:000000000000", "7", "b")
    shows([[field 'value', byte 0 of 3: expected "one", got nil]],
      "string", "DEL", "key:{AAA}:000000000000")
  end)

  it("is loaded by -t schema-load with nothing else said", function()
    local run = vbench.run { "-t", "schema-load", "--dataset", bases.products, "-p", server.port,
      "-q" }
    assert.equal(0, run.code, run.all)
    assert.matches("SCHEMA_LOAD", run.out)
    assert.equal("12.34", server:call("HGET", "k:1", "price"))
    run = vbench.run { "-t", "SchemaLoad", "--schema", bases.set .. ".yaml", "--data",
      bases.set .. ".bin", "--key-prefix", "s:", "-p", server.port, "-q" }
    assert.equal(0, run.code, run.all)
    assert.equal(3, server:call("SCARD", "s:000000000002"))
  end)

  it("sends records and queries of a dataset where placeholders ask for them", function()
    local function sent(name, ...)
      local monitor = server:monitor()
      local run = vbench.run { "-p", server.port, "-c", 1, "--threads", 1, "--dataset",
        bases.products, ... }
      assert.equal(0, run.code, run.all)
      local all = {}
      for i, args in ipairs(monitor:finish(name)) do all[i] = { unpack(args) } end
      return all
    end
    local all = sent("hset", "-n", 5, "--", "HSET", "v:__d_key_ph__", "vec", "__d_vec_ph__", "n",
      "__d_key_ph__")
    assert.same({ "HSET", "v:000000000001", "vec", data.f32(3, 4), "n", "000000000001" }, all[2])
    assert.same({ "HSET", "v:000000000000", "vec", data.f32(1, 2), "n", "000000000000" }, all[5])
    local queries = sent("echo", "-n", 30, "--", "ECHO", "__d_vec_ph____")
    local seen = {}
    for _, args in ipairs(queries) do seen[args[2]] = true end
    assert.same({ [data.f32(1, 1)] = true, [data.f32(2, 2)] = true, [data.f32(3, 3)] = true }, seen)
    local titles = sent("echo", "-n", 1, "--query-field", "title", "--", "ECHO",
      "__d_key_ph__:__d_vec_ph__")
    assert.same({ "ECHO", "000000000000:hello" }, titles[1])
  end)

  it("is asked for by the help of a scenario", function()
    local run = vbench.run { "help", "load-and-verify" }
    assert.equal(0, run.code, run.all)
    assert.matches("reads every record back and compares every field", run.out)
    assert.matches("It needs a dataset: --dataset BASE", run.out, 1, true)
  end)

  it("is shown by check, past records that cannot be sent", function()
    local run = vbench.run { "check", "schema-load", "--dataset", bases.products }
    assert.equal(0, run.code, run.all)
    assert.matches("n=1%s+command 'load': the record of operation 1 is empty\n", run.out)
    assert.matches("n=2%s+HSET key:thre v ", run.out)
  end)

  it("has to be named, once", function()
    local function refuses(message, ...)
      local run = vbench.run { "-t", "schema-load", "-p", server.port, ... }
      assert.equal(2, run.code)
      assert.is_truthy(run.err:find(message, 1, true), run.err)
    end
    refuses "which dataset? Give --dataset BASE, or --schema FILE and --data FILE"
    refuses("which dataset?", "--schema", "x")
    refuses("it excludes --schema and --data", "--dataset", "x", "--data", "y")
    refuses("nowhere.yaml: No such file or directory", "--dataset", "nowhere")
    for _, option in ipairs { "--dataset", "--schema", "--data", "--query-field" } do
      local run = vbench.run { "-t", "set", "-p", server.port, option, "x" }
      assert.equal(2, run.code)
      assert.matches(option .. " was given, but none of the tests uses a dataset", run.err, 1, true)
    end
    local run = vbench.run { "quickstart", "-p", server.port, "--dataset", "x" }
    assert.matches("scenario 'quickstart' does not read it", run.err)
  end)
end)
