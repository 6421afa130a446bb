local host_watch = require "vbench.host_watch"
local process = require "tests.support.process"

describe("vbench.host_watch", function()
  local root

  setup(function() root = process.directory() end)
  teardown(function() process.remove(root) end)

  -- A process table with these processes: pid -> cores.
  local function processes(list)
    for pid, cores in pairs(list) do
      os.execute(("mkdir -p %s/%s"):format(root, pid))
      process.write(("%s/%s/status"):format(root, pid),
        ("Name:\tx\nCpus_allowed:\tf\nCpus_allowed_list:\t%s\nMems:\t1\n"):format(cores))
    end
  end

  local function shares(threads, pins, pids)
    return host_watch.shares_cores(threads, pins, pids, root)
  end

  it("finds cores shared when there are fewer than workers and servers", function()
    processes { self = "0-3", [10] = "0-3", [11] = "0-3" }
    assert.is_false(shares(3, nil, { 10 }))
    assert.is_true(shares(4, nil, { 10 }))
    assert.is_false(shares(2, nil, { 10, 11 }))
    assert.is_true(shares(3, nil, { 10, 11 }))
  end)

  it("minds where workers and servers are bound to", function()
    processes { self = "0-3", [10] = "0", [11] = "2,3" }
    assert.is_true(shares(1, { 0 }, { 10 }))
    assert.is_false(shares(1, { 1 }, { 10 }))
    assert.is_false(shares(2, { 0, 1 }, { 11 }))
    assert.is_true(shares(4, { 0, 1, 2, 3 }, { 11 }))
  end)

  it("says nothing of servers that are not of this host", function()
    processes { self = "0" }
    assert.is_false(shares(9, nil, { 4711 }))
    assert.is_false(shares(9, nil, {}))
  end)

  it("reads the steal of /proc/stat, guests apart", function()
    local function ticks(line)
      return host_watch.ticks(process.write(root .. "/stat", line .. "\ncpu0 1 1 1 1 1 1 1 1\n"))
    end
    local before = ticks "cpu  100 0 50 800 10 5 5 30 7 0"
    local after = ticks "cpu  180 0 60 850 10 5 5 90 9 9"
    assert.same({ steal = 30, all = 1000 }, before)
    assert.equal(60 / 200, host_watch.steal(before, after))
    assert.equal(0, host_watch.steal(before, before))
    local none = host_watch.ticks(root .. "/none")
    assert.equal(0, host_watch.steal(none, none))
  end)

  it("finds the interface that is nearest to its limit", function()
    local header = "Inter-|   Receive  |  Transmit\n face |bytes packets |bytes\n"
    local function carried(...)
      return host_watch.carried(process.write(root .. "/dev", header .. table.concat({ ... }, "\n")
        .. "\n"))
    end
    local before = carried("    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0",
      "  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0", "veth1:7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0",
      "  eth1: 0 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0")
    local after = carried("    lo: 9000000000 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0",
      "  eth0: 2000 1 0 0 0 0 0 0 237502000 1 0 0 0 0 0 0",
      "veth1:999999999 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0",
      "  eth1: 1250000 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0")
    assert.same({ eth0 = { 1000, 2000 }, eth1 = { 0, 0 }, veth1 = { 7, 7 } }, before)
    for name, speed in pairs { eth0 = "1000", eth1 = "100", veth1 = "-1" } do
      os.execute(("mkdir -p %s/%s"):format(root, name))
      process.write(("%s/%s/speed"):format(root, name), speed .. "\n")
    end
    assert.same({ interface = "eth0", share = 0.95 }, host_watch.network(before, after, 2, root))
    assert.is_nil(host_watch.network(before, after, 0, root))
    assert.is_nil(host_watch.network({}, after, 2, root))
  end)

  it("reads this host", function()
    assert.is_true(host_watch.ticks().all > 0)
    assert.is_true(host_watch.shares_cores(100000, nil, { "self" }))
    assert.is_false(host_watch.shares_cores(0, nil, { "self" }))
  end)
end)
