-- One seed, the same ids: whatever the order, as a multiset with any number of threads, and in the
-- same sequence with one connection.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("the ids of one seed", function()
  local server, script
  local REQUESTS = 6000

  -- Cursors that do not look at the tracker.
  local ORDERS = {
    "sequential():wrap()", "shuffled():wrap()", "uniform()", "random()", "zipfian(0.99)",
    "zipfian(0.99, { scatter = false })", "exponential(0.1)", "normal(0.5, 0.2)",
    "hotspot(0.2, 0.8)", "latest(0.1, 0.9)", "range(100, 400):shuffled():wrap()",
    "range(100, 400):uniform()", "sample(0.3):wrap()", "only(some):uniform()",
    "except(some):sequential():wrap()", "partition(1, 3):uniform()", "uniform():seed(5)",
    "uniform():limit(7000)", "shuffled():limit(7000):wrap()",
  }

  setup(function()
    server = servers.start()
    local lines, mix = { [[
      local some = vb.reference_set { name = "some", range = { 50, 350 } }
      local function keys(name)
        return vb.keyspace { prefix = name .. ":", width = 0, size = 1000 }
      end
      local mix = {} ]] }, {}
    for i, order in ipairs(ORDERS) do
      lines[i + 1] = ('mix[%d] = { 1, vb.command { "SETRANGE", keys("%d"):%s, 0, "x", '
        .. 'name = "set%d" } }'):format(i, i, order, i)
    end
    script = vbench.one_phase(table.concat(lines, "\n"),
      "run = vb.mix(mix), requests = " .. REQUESTS)
  end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)

  -- Keys of all commands of a run, as they came; and of each order, sorted.
  local function run(...)
    server:clean()
    local monitor = server:monitor()
    local done = vbench.run { script, "-p", server.port, "--seed", 7, "--no-baseline", "-q", ... }
    assert.equal(0, done.code, done.all)
    local list, by_order = {}, {}
    for i, args in ipairs(monitor:finish("setrange")) do
      local order = ORDERS[tonumber(args[2]:match("^%d+"))]
      list[i] = args[2]
      by_order[order] = by_order[order] or {}
      table.insert(by_order[order], args[2])
    end
    assert.equal(REQUESTS, #list)
    for order, keys in pairs(by_order) do
      table.sort(keys)
      by_order[order] = table.concat(keys, " ")
    end
    return list, by_order
  end

  it("are the same multiset with 1, 2 and 8 threads, of every order", function()
    local _, one = run("--threads", 1, "-c", 1)
    for _, threads in ipairs { 2, 8 } do
      local _, several = run("--threads", threads, "-c", 16, "-P", 5)
      for _, order in ipairs(ORDERS) do assert.equal(one[order], several[order], order) end
    end
  end)

  it("come in the same sequence with one worker and one connection", function()
    local first, second = run("--threads", 1, "-c", 1), run("--threads", 1, "-c", 1, "-P", 16)
    assert.same(first, second)
  end)
end)
