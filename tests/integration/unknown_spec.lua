-- What a reply does not say: outcomes that were lost, and which of several keys exist.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("a tracker", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)
  before_each(function() server:clean() end)

  local function report(text)
    return vbench.report { vbench.scenario(text), "-p", server.port, "--threads", 1,
                           "--max-errors", "100%", "--no-baseline" }
  end

  -- Writes are held back until after the timeout: nobody knows whether they will be done.
  it("lists what was perhaps written, and lets nobody claim it", function()
    local done = report [[
      local lists = vb.keyspace { prefix = "l:", size = 20, width = 0 }
      local push = vb.command { "RPUSH", lists:claim(), "x", tracks = "add" }
      local function phase(name, fields)
        fields.name, fields.run, fields.clients = name, push, 1
        return vb.phase(fields)
      end
      return vb.scenario { main = function(run)
        run:phase(phase("fill", { requests = 10 }))
        run.ctl:call("CLIENT", "PAUSE", 20000, "WRITE")
        run:phase(phase("lost", { requests = 4, pipeline = 4, timeout = "200ms" }))
        run.ctl:call("CLIENT", "UNPAUSE")
        print("lost", lists:count(), table.concat(lists:unknown(), " "))
        run:phase(phase("rest", { until_exhausted = true }))
        print("rest", lists:count(), table.concat(lists:unknown(), " "))
        for id = 10, 11 do run.ctl:call("DEL", "l:" .. id) end
        for id = 12, 13 do run.ctl:call("RPUSH", "l:" .. id, "x") end
        run.ctl:scan(lists)
        print("scanned", lists:count(), #lists:unknown())
      end } ]]
    assert.matches("lost\t10\t10 11 12 13\n", done.out, 1, true, done.all)
    assert.matches("rest\t16\t10 11 12 13\n", done.out, 1, true, done.all)
    assert.matches("scanned\t18\t0\n", done.out, 1, true, done.all)
    local lost = done.json.phases[2]
    assert.same({ 4, 4, 4, 10, 10 }, { lost.errors, lost.timeouts, lost.unknown,
      lost.keyspaces[1].before, lost.keyspaces[1].after })
    assert.equal(4, #lost.unknown_operations)
    assert.equal(6, done.json.phases[3].requests)
  end)

  it("learns of several keys only where the reply tells them apart", function()
    for _, id in ipairs { 0, 3, 6, 12 } do server:call("SET", "k:" .. id, "v") end
    local done = report [[
      local keys = vb.keyspace { prefix = "k:", size = 30, width = 0 }
      local hashes = vb.keyspace { prefix = "h:", size = 5, width = 0 }
      local count = vb.command { "EXISTS", keys:range(0, 12):sequential():times(3),
                                 tracks = "observe", name = "count" }
      local each = vb.command { "EXISTS", keys:range(12, 15):sequential(), tracks = "observe",
                                name = "each" }
      local all = vb.command { "HGETALL", hashes:sequential(), tracks = "observe", name = "all" }
      local function phase(run, requests)
        return vb.phase { run = run, requests = requests, clients = 1, name = run.name }
      end
      return vb.scenario { main = function(run)
        run:phase(phase(count, 4))
        print("none known", keys:count(0, 12))
        keys:add_range(0, 30)
        hashes:add_range(0, 5)
        run:phase(phase(count, 4))
        run:phase(phase(each, 3))
        run:phase(phase(all, 3))
        print("known", keys:count(0, 9), keys:count(9, 12), keys:count(12, 15), hashes:count())
      end } ]]
    assert.matches("none known\t0\n", done.out, 1, true, done.all)
    assert.matches("known\t9\t0\t1\t2\n", done.out, 1, true, done.all)
  end)
end)
